//! Curation: out of many scored edits those to train on, by a recipe, with a reason for every candidate.
//!
//! ```text
//! workspace ──► Pool::read         candidates with their scores, one pass
//!   Recipe ──► choose             rank, then take in that order what minimums, groups, quotas and near duplicates allow
//!                  │
//!                  ├──► save       the next version of a named selection, with its verdicts
//!                  └──► Report     before and after, the score at the cut, what it cost
//! ```
//!
//! A million candidates are ranked and gone through in memory; images are looked at only near the top, and only where near
//! duplicates are to go.

mod choose;
mod cuts;
mod diff;
mod error;
pub mod experiment;
mod export;
mod fronts;
mod near;
mod pool;
mod reason;
mod recipe;
mod report;
mod save;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod truth;

pub use choose::{Choice, NearBy, NoLooks, choose};
pub use cuts::{BINS, Cuts, Density, GRID, Histogram, Kept};
pub use diff::{Diff, diff};
pub use error::CurateError;
pub use export::{Format, render};
pub use pool::{Entry, Pool};
pub use reason::Reason;
pub use recipe::{By, Cut, Duplicates, Least, Quotas, Recipe, Same};
pub use report::{Bins, Report, Share, report};
pub use save::{Stored, save, stored};
pub use truth::{Arm, Truth, truth};
