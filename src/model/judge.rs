//! What verbs know a model as, so that their tests need no weights.

use std::ops::ControlFlow;

use super::{ModelError, ModelInfo, Picture, RewardModel};
use crate::domain::Reward;

/// Hears of the candidates that one pass over the model had, each with its index and its reward or why there is none, and may
/// stop the rest. What came together is to be kept together: so a run that was killed does over whole passes, and each comes out
/// to the last bit as it would have.
pub type OnScored<'a, E> = dyn FnMut(Passed<E>) -> ControlFlow<()> + 'a;

/// Candidates by their indexes, each with its reward or why there is none.
pub type Passed<E> = Vec<(usize, Result<Reward, E>)>;

/// What verbs need of a model that scores. Errors are text for the user: nobody below a face branches on them.
pub trait Judge {
    /// What the model is.
    fn info(&self) -> &ModelInfo;

    /// Scores candidates in order, as many in one pass as there is room for. An error in the source or the instruction ends the
    /// call.
    fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, String>,
    ) -> Result<(), String>;

    /// The same for candidates that pass by: changed pictures that are rated once and not looked at again. They are not to push
    /// out what a model remembers of pictures that come back.
    fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, String>,
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
        on_scored: &mut OnScored<'_, String>,
    ) -> Result<(), String> {
        Self::score_group(
            self,
            source,
            instruction,
            candidates,
            &mut in_words(on_scored),
        )
        .map_err(|e| e.to_string())
    }

    fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, String>,
    ) -> Result<(), String> {
        Self::score_passing(
            self,
            source,
            instruction,
            candidates,
            &mut in_words(on_scored),
        )
        .map_err(|e| e.to_string())
    }
}

/// A listener that is told errors as text.
fn in_words<'a>(
    on_scored: &'a mut OnScored<'_, String>,
) -> impl FnMut(Passed<ModelError>) -> ControlFlow<()> + 'a {
    move |passed| {
        let words = |(index, reward): (usize, Result<Reward, ModelError>)| {
            (index, reward.map_err(|e| e.to_string()))
        };
        on_scored(passed.into_iter().map(words).collect())
    }
}
