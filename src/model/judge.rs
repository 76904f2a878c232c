//! What verbs know a model as, so that their tests need no weights.

use std::ops::ControlFlow;

use super::{ModelError, ModelInfo, Picture, RewardModel};
use crate::domain::Reward;

/// What verbs need of a model that scores. Errors are text for the user: nobody below a face branches on them.
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

    /// The same for candidates that pass by: changed pictures that are rated once and not looked at again. They are not to push
    /// out what a model remembers of pictures that come back.
    fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, String>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        self.score_group(source, instruction, candidates, on_scored)
    }
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
            on_scored(index, reward.map_err(|e: ModelError| e.to_string()))
        };
        Self::score_group(self, source, instruction, candidates, &mut on_scored)
            .map_err(|e| e.to_string())
    }

    fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, String>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let mut on_scored = |index, reward: Result<Reward, _>| {
            on_scored(index, reward.map_err(|e: ModelError| e.to_string()))
        };
        Self::score_passing(self, source, instruction, candidates, &mut on_scored)
            .map_err(|e| e.to_string())
    }
}
