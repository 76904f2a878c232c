//! Scoring groups with a model: one at a time as a person browses, or all of them for a command.
//!
//! Both ways run the same code over one group, which takes what is stored, computes the rest, and keeps each reward the
//! moment it is there. Both know the model only as a [`Judge`], so that their tests need no weights. How a reward is computed
//! is the model's business, and where it is shown the faces'.

mod batch;
mod group;
mod lanes;
mod live;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

pub use batch::{Batch, GroupScores, Progress, Scored, score_groups};
pub use live::{LiveEvent, LiveScorer};

use crate::domain::Reward;
use crate::model::{ModelInfo, Picture, RewardModel};

/// What scoring needs of a model. Errors are text for the user: nobody below a face branches on them.
pub trait Judge {
    /// What the model is.
    fn info(&self) -> &ModelInfo;

    /// Scores candidates one after the other; `on_scored` hears of each as it is done (its index, and its reward or why there
    /// is none) and may stop the rest. An error in the source or the instruction ends the call.
    fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, String>) -> ControlFlow<()>,
    ) -> Result<(), String>;
}

impl Judge for RewardModel {
    fn info(&self) -> &ModelInfo {
        self.info()
    }

    fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, String>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let mut on_scored = |index, reward: Result<Reward, _>| {
            on_scored(
                index,
                reward.map_err(|e: crate::model::ModelError| e.to_string()),
            )
        };
        Self::score_group(self, source, instruction, candidates, &mut on_scored)
            .map_err(|e| e.to_string())
    }
}
