//! Probes: a candidate with one factor changed step by step, everything else kept, and rated at every step. The response curve
//! shows what a score follows; held against what a faithful judge would do, it shows what it should not.
//!
//! * `factor`: what can be turned, in one table.
//! * `tone`, `texture`, `background`: the changes themselves, on pixels.
//! * `material`: a candidate, and its variants as files.
//! * `curve`: the variants rated one by one.
//! * `selection`, `answers`, `run`, `report`, `figures`: all this over a selection of a workspace, as a run; `shards`: by several
//!   processes.

mod answers;
mod background;
mod curve;
mod error;
mod factor;
mod figures;
mod material;
#[cfg(test)]
pub(in crate::failures) mod pictures;
#[cfg(test)]
pub(in crate::failures) mod planted;
mod report;
pub mod run;
mod selection;
pub mod shards;
#[cfg(test)]
mod tests;
mod texture;
mod tone;

pub use answers::{Answer, POINTS, points};
pub(in crate::failures) use curve::rate;
pub use curve::{Curve, Point, probe};
pub use error::ProbeError;
pub use factor::{AboutFactor, Arm, Expectation, Factor, order};
pub(in crate::failures) use material::encoded;
pub use material::{Donor, Material, Variant};
pub use report::{
    ByAxis, Estimate, FactorReport, Failure, FlipStep, Flips, Rater, Report, StepReport, Verdict,
};
pub use selection::{Chosen, Which, donors_near, material};
