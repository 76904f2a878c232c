//! What a model is asked of a source and a candidate, and where its answers are: one sequence for each rubric, or one for all,
//! as the model was trained.

use candle_core::Tensor;

use super::backbone::{Features, Sequence};
use super::error::ModelError;
use super::head::Heads;
use super::manifest::{HeadKind, Layout, Manifest, RewardToken};
use super::preprocess::Grid;
use super::prompt::{Prompt, Prompter, Rubric};
use crate::domain::{Axis, Gaussian};

/// Asks one model's questions.
#[derive(Debug)]
pub(super) struct Questions {
    prompter: Prompter,
    head: HeadKind,
    reward_token: RewardToken,
    layout: Layout,
}

/// A sequence to be read, and the answers in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    ids: Vec<u32>,
    /// The axis whose head speaks, and at which tokens.
    answers: Vec<(Axis, Vec<usize>)>,
}

impl Questions {
    pub(super) const fn new(prompter: Prompter, manifest: &Manifest) -> Self {
        Self {
            prompter,
            head: manifest.head,
            reward_token: manifest.reward_token,
            layout: manifest.layout,
        }
    }

    /// What is asked about images of these grids, source first.
    pub(super) fn ask(
        &self,
        instruction: &str,
        grids: [Grid; 2],
    ) -> Result<Vec<Question>, ModelError> {
        let rubrics = Rubric::of(self.head);
        let at_once = match self.layout {
            Layout::ImagesFirst => 1,
            Layout::RubricFirst => rubrics.len(),
        };
        rubrics
            .chunks(at_once)
            .zip(Axis::ALL.chunks(at_once))
            .map(|(rubrics, axes)| {
                let prompt = self
                    .prompter
                    .encode_as(self.layout, rubrics, instruction, &grids)?;
                self.question(prompt, axes)
            })
            .collect()
    }

    /// Nothing after the last token that a head looks at matters.
    fn question(&self, mut prompt: Prompt, axes: &[Axis]) -> Result<Question, ModelError> {
        let answers: Vec<(Axis, Vec<usize>)> = match self.reward_token {
            RewardToken::Special => axes
                .iter()
                .zip(&prompt.rewards)
                .map(|(axis, at)| (*axis, vec![*at]))
                .collect(),
            RewardToken::Last => vec![(axes[0], vec![prompt.ids.len() - 1])],
            // The published code leaves out the last token. In a layout of our own, what stands before the edited image is
            // left out too: it says nothing of it.
            RewardToken::Mean => {
                let start = match self.layout {
                    Layout::ImagesFirst => 0,
                    Layout::RubricFirst => prompt.edited,
                };
                let all: Vec<usize> = (start..prompt.ids.len() - 1).collect();
                axes.iter().map(|axis| (*axis, all.clone())).collect()
            }
        };
        let end = answers.iter().flat_map(|(_, at)| at).max().map(|at| at + 1);
        let Some(end) = end else {
            return Err(ModelError::Inconsistent(
                "the prompt has no reward token; reward.toml's 'closing' text must contain it"
                    .into(),
            ));
        };
        prompt.ids.truncate(end);
        Ok(Question {
            ids: prompt.ids,
            answers,
        })
    }

    /// Whether `instruction` spells a special token of the model's, which is then read as plain text.
    pub(super) fn neutralises(&self, instruction: &str) -> bool {
        let rubric = Rubric::of(self.head)[0];
        self.prompter
            .encode(rubric, instruction, &[])
            .is_ok_and(|prompt| prompt.neutralised)
    }
}

impl Question {
    /// Recorded ids, which `axis` answers at token `at`.
    #[cfg(test)]
    pub(super) fn of(ids: Vec<u32>, axis: Axis, at: usize) -> Self {
        let answers = vec![(axis, vec![at])];
        Self { ids, answers }
    }

    /// Its tokens.
    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// As the backbone reads it.
    pub(super) fn sequence<'a>(
        &'a self,
        source: &'a Features,
        edited: &'a Features,
    ) -> Sequence<'a> {
        Sequence {
            ids: &self.ids,
            pictures: vec![source, edited],
            wanted: self
                .answers
                .iter()
                .flat_map(|(_, at)| at)
                .copied()
                .collect(),
        }
    }

    /// The states of each answer, `(tokens, hidden)`, out of those of the sequence.
    pub(super) fn answers(&self, states: &Tensor) -> candle_core::Result<Vec<(Axis, Tensor)>> {
        let mut start = 0;
        self.answers
            .iter()
            .map(|(axis, at)| {
                start += at.len();
                Ok((*axis, states.narrow(0, start - at.len(), at.len())?))
            })
            .collect()
    }

    /// What the heads say of each answer, in the order of the axes.
    pub(super) fn read(
        &self,
        heads: &Heads,
        states: &Tensor,
    ) -> candle_core::Result<Vec<Gaussian>> {
        self.answers(states)?
            .iter()
            .map(|(axis, states)| heads.read(*axis, states))
            .collect()
    }
}
