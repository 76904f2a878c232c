//! Training: a plan and labelled groups go in, a model dir comes out, and whatever happens in between can be followed, stopped,
//! killed and taken up again, to the same last bit.
//!
//! * [`plan`]: what a person writes.
//! * `material`: what there is to learn from and to measure on. `sampler`, `examples` (over `ahead`): in which order, and the
//!   pictures read ahead.
//! * [`schedule`]: what happens at which step. `checkpoint`: states to go on from. `chance`: streams that depend on the seed
//!   alone.
//! * [`ablation`]: one plan in several variants, held against each other. `verdicts`: group by group, for that.
//! * [`handover`]: the same plan for the published distributed trainer.
//! * `session`: the loop; `pace`: how fast it goes. `evaluation`, `meter`: what the model is worth. `summary`: what came of it.
//!
//! How a model learns is the learner's business ([`Learner`](crate::model::learner::Learner)); no number of its inside is
//! known here. What a run's folder looks like is the runs'.

pub mod ablation;
mod ahead;
mod attributes;
mod chance;
mod checkpoint;
mod error;
mod evaluation;
mod exact;
mod examples;
pub mod handover;
#[cfg(test)]
mod made_up;
mod material;
mod meter;
mod pace;
pub mod plan;
mod sampler;
pub mod schedule;
mod session;
mod summary;
#[cfg(test)]
mod tests;
mod verdicts;

pub use error::TrainError;
pub use material::{Item, Material, Subject};
pub use plan::{Plan, PlanError};
pub use session::{Outcome, train};
pub use summary::{Interval, Row, Summary};

use crate::runs::{Fact, Writer};

/// Whoever hears of what happens.
pub trait Report: Sync {
    /// Something happened. An error ends the run.
    fn note(&self, fact: Fact) -> Result<(), String>;

    /// Whether to stop at the next safe point.
    fn stop_asked(&self) -> bool;

    /// Whether an earlier process noted facts already, so that there may be something to go on from.
    fn again(&self) -> bool;
}

impl Report for Writer {
    fn note(&self, fact: Fact) -> Result<(), String> {
        self.note(fact).map_err(|e| e.to_string())
    }

    fn stop_asked(&self) -> bool {
        self.stop_asked()
    }

    fn again(&self) -> bool {
        self.again()
    }
}
