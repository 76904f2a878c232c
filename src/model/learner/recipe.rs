//! What is trained of a model, and how: the settings that decide a learner's numbers, without a tensor in sight.
//!
//! Rates are not here, since they change with every step; see [`Rates`](super::Rates).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Example, ModelError, Part};
use crate::domain::{Aggregate, PairLoss};
use crate::model::manifest::{HeadKind, Layout, Manifest};

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
    /// Draws every weight anew: of the model dir only the architecture, the tokenizer and the texts are taken.
    #[serde(default)]
    pub from_scratch: bool,
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
    /// What else is learned on the way.
    #[serde(default)]
    pub auxiliary: Auxiliary,
    /// The optimizer's constants.
    pub optimizer: AdamW,
    /// Keeps only the layers' inputs of a forward pass and computes the rest again on the way back: far less memory for about
    /// a third more time.
    pub checkpointing: bool,
}

impl Recipe {
    /// A model's manifest as it is after training by this recipe; what cannot be otherwise.
    pub(super) fn apply(&self, manifest: &mut Manifest) -> Result<(), ModelError> {
        if let Some(head) = self.head {
            manifest.head = head;
        }
        if let Some(aggregate) = self.aggregate {
            manifest.aggregate = aggregate;
        }
        if let Some(layout) = self.layout {
            manifest.layout = layout;
        }
        let share = 0.0..1.0;
        let low_rank = &self.low_rank;
        if !share.contains(&self.head_dropout) || !share.contains(&low_rank.dropout) {
            return Err(ModelError::Inconsistent(
                "a dropout must be at least 0 and below 1".into(),
            ));
        }
        if self.trained.language == Language::LowRank
            && (low_rank.rank == 0 || low_rank.targets.is_empty())
        {
            return Err(ModelError::Inconsistent(
                "low-rank additions need a rank of at least 1 and a matrix to be added to".into(),
            ));
        }
        manifest.check().map_err(ModelError::Inconsistent)
    }
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

impl Objective {
    /// What an example's terms weigh in the loss.
    pub fn weight(self, example: &Example) -> f64 {
        match self {
            Self::Pairs { .. } => example.comparisons.iter().map(|c| c.weight).sum(),
            Self::Scores => example.scores.iter().flatten().count() as f64,
        }
    }
}

/// What a model learns besides, from the states that its reward heads read: attributes of a candidate, each one of so many
/// classes, by cross-entropy. What tells them is no part of the model that comes of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auxiliary {
    /// What an attribute's mean cross-entropy counts, against one for the mean of the loss itself.
    pub weight: f64,
    /// How many classes each attribute has.
    pub classes: Vec<usize>,
}

/// Which parts are trained; the others stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "parts are trained or not, independently"
)]
pub struct Trained {
    /// The vision tower without its merger.
    pub vision: bool,
    /// The merger.
    pub merger: bool,
    /// The language model.
    pub language: Language,
    /// The reward token's row of the embedding.
    pub reward_token: bool,
    /// Every row of the embedding, at the reward token's rate: for models that begin at random weights.
    #[serde(default)]
    pub embedding: bool,
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
        embedding: false,
        heads: true,
    };

    /// Everything; of the embedding the reward token's row, as in the published training.
    pub const EVERYTHING: Self = Self {
        vision: true,
        merger: true,
        language: Language::Whole,
        reward_token: true,
        embedding: false,
        heads: true,
    };

    /// The parts that are trained.
    pub fn parts(&self) -> BTreeSet<Part> {
        [
            (self.vision, Part::Vision),
            (self.merger, Part::Merger),
            (self.language != Language::Frozen, Part::Language),
            (self.reward_token || self.embedding, Part::RewardToken),
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

    /// The published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "q_proj",
            Self::Key => "k_proj",
            Self::Value => "v_proj",
            Self::Output => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }
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
