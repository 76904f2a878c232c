//! What is trained of a model, and how: the settings that decide a learner's numbers, without a tensor in sight.
//!
//! Rates are not here, since they change with every step; see [`Rates`](super::Rates).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Part;
use crate::domain::{Aggregate, PairLoss};
use crate::model::manifest::HeadKind;

/// How a model is taken into training. Two learners made from the same model dir by the same recipe are the same to the last
/// bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What new weights (heads, low-rank matrices) are drawn from.
    pub seed: u64,
    /// What is made small.
    pub objective: Objective,
    /// The heads to train; `None`: those of the model. Heads that the model does not have are drawn anew.
    pub head: Option<HeadKind>,
    /// Draws the heads anew even where the model has them.
    pub fresh_heads: bool,
    /// How axes are joined; `None`: as the model says.
    pub aggregate: Option<Aggregate>,
    /// How the prompt is laid out; `None`: as the model says.
    pub layout: Option<Layout>,
    /// Which parts are trained.
    pub trained: Trained,
    /// The low-rank additions, where [`Trained::language`] asks for them.
    pub low_rank: LowRank,
    /// The share of a head's hidden values that a training pass leaves out, 0 to below 1.
    pub head_dropout: f64,
    /// The optimizer's constants.
    pub optimizer: AdamW,
    /// Keeps only the layers' inputs of a forward pass and computes the rest again on the way back: far less memory for about
    /// a third more time.
    pub checkpointing: bool,
}

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// A loss on pairs. A comparison on an axis acts on that axis' Gaussian, one of the two together on the aggregate.
    Pairs {
        /// Which.
        loss: PairLoss,
        /// Takes the uncertainty loss' expectation over so many draws, seeded by the pass, rounded to 16-bit floats as the
        /// published code does; `None`: by an exact integral.
        draws: Option<usize>,
    },
    /// [`regression`](crate::domain::regression) of each candidate's aggregate to its overall score.
    Scores,
}

/// Where the rubrics stand in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Images, then one axis' rubric: a pass for each axis, as published.
    ImagesFirst,
    /// Both axes' rubrics, then the source, then the edit, a reward token for each axis: one pass.
    RubricFirst,
}

/// Which parts are trained; the others stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {
    /// The vision tower without its merger.
    pub vision: bool,
    /// The merger.
    pub merger: bool,
    /// The language model.
    pub language: Language,
    /// The reward token's row of the embedding.
    pub reward_token: bool,
    /// The heads.
    pub heads: bool,
}

impl Trained {
    /// Nothing but the heads: features can be kept.
    pub const HEADS: Self = Self {
        vision: false,
        merger: false,
        language: Language::Frozen,
        reward_token: false,
        heads: true,
    };

    /// Everything; of the embedding the reward token's row, as in the published training.
    pub const EVERYTHING: Self = Self {
        vision: true,
        merger: true,
        language: Language::Whole,
        reward_token: true,
        heads: true,
    };

    /// The parts that are trained.
    pub fn parts(&self) -> BTreeSet<Part> {
        [
            (self.vision, Part::Vision),
            (self.merger, Part::Merger),
            (self.language != Language::Frozen, Part::Language),
            (self.reward_token, Part::RewardToken),
            (self.heads, Part::Heads),
        ]
        .into_iter()
        .filter_map(|(trained, part)| trained.then_some(part))
        .collect()
    }
}

/// How the language model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Not at all.
    Frozen,
    /// By [`LowRank`] additions to its matrices, merged into them on export.
    LowRank,
    /// All of its layers, without the embedding.
    Whole,
}

/// Low-rank adaptation (LoRA, Hu et al. 2021): W + (alpha / rank)·B·A, with A drawn and B zero at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowRank {
    /// Rows of A, columns of B; at least 1.
    pub rank: usize,
    /// The numerator of the scale.
    pub alpha: f64,
    /// The share of a matrix' input that a training pass leaves out on the way into A, 0 to below 1.
    pub dropout: f64,
    /// The matrices that get an addition.
    pub targets: BTreeSet<Target>,
}

/// A matrix in every layer of the language model, by its published name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// Queries.
    #[serde(rename = "q_proj")]
    Query,
    /// Keys.
    #[serde(rename = "k_proj")]
    Key,
    /// Values.
    #[serde(rename = "v_proj")]
    Value,
    /// The attention's output.
    #[serde(rename = "o_proj")]
    Output,
    /// The feed-forward network's gate.
    #[serde(rename = "gate_proj")]
    Gate,
    /// Its way up.
    #[serde(rename = "up_proj")]
    Up,
    /// Its way down.
    #[serde(rename = "down_proj")]
    Down,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Query,
        Self::Key,
        Self::Value,
        Self::Output,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];
}

/// AdamW (Loshchilov and Hutter 2019): decay is taken off the weights, not added to the gradient, and spares biases, norms and
/// the embedding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// The memory of the gradient's mean.
    pub beta1: f64,
    /// The memory of its square.
    pub beta2: f64,
    /// What keeps the division from zero.
    pub eps: f64,
    /// How much of a weight a step at rate 1 takes off.
    pub weight_decay: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_that_are_trained_are_those_that_want_a_rate() {
        assert_eq!(
            Trained::HEADS.parts().into_iter().collect::<Vec<_>>(),
            [Part::Heads]
        );
        assert_eq!(Trained::EVERYTHING.parts().len(), 5);
        let mut low = Trained::HEADS;
        low.language = Language::LowRank;
        assert!(low.parts().contains(&Part::Language));
    }
}
