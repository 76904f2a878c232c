//! Scoring groups with a model: one at a time as a person browses, or all of them for a command.
//!
//! A command over a workspace is a run ([`run`]), which may be cut into shards ([`shards`]) that processes without the database
//! work on.
//!
//! All ways run the same code over one group, which takes what is stored, computes the rest, and keeps each reward the
//! moment it is there. Both know the model only as a [`Judge`](crate::model::Judge), so that their tests need no weights. How a reward is computed
//! is the model's business, and where it is shown the faces'.

mod batch;
mod group;
mod lanes;
mod live;
mod rating;
pub mod run;
pub mod shards;
mod tally;
#[cfg(test)]
mod tests;

pub use batch::{Batch, GroupScores, Progress, Scored, score_groups};
pub use live::{LiveEvent, LiveScorer};
pub use rating::{Ask, Feed, RateJob};
pub use tally::{LeftOut, Moments, Tally};
