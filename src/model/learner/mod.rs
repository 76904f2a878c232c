//! Learning, as the training loop sees it: examples go in, gradients pile up, an update is made, and the whole state can be
//! saved, restored and exported. No tensor crosses this border, so that a loop can be tested with a learner that is made up.

mod auxiliary;
mod criterion;
mod files;
#[cfg(test)]
mod golden;
mod look_back;
mod network;
mod optimizer;
mod pass;
mod patches;
mod pictures;
mod recipe;
#[cfg(test)]
mod speed;
mod states;
mod tensors;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use network::{Network, THREADS};
pub use recipe::{AdamW, Auxiliary, Language, LowRank, Objective, Recipe, Target, Trained};

use super::{ModelError, Picture};
use crate::domain::{Comparison, Gaussian, Reward};

/// A group, or some of its candidates, with what people said of them.
#[derive(Debug, Clone)]
pub struct Example {
    /// The group's key.
    pub key: String,
    /// The image before the edit.
    pub source: Picture,
    /// What was asked for.
    pub instruction: String,
    /// The edited images.
    pub candidates: Vec<Picture>,
    /// Which of them is better than which, for the losses on pairs.
    pub comparisons: Vec<Comparison>,
    /// Each candidate's overall score, the sum of both axes (2 to 8), for the losses on single candidates.
    pub scores: Vec<Option<f64>>,
    /// For each candidate the class of each of the recipe's auxiliary attributes, where it is known.
    pub attributes: Vec<Vec<Option<u32>>>,
}

/// What a forward and a backward pass over some examples gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The loss, weighted and summed.
    pub loss: f64,
    /// What its terms weighed in all.
    pub weight: f64,
    /// The rewards of each example's candidates as they were before the update.
    pub rewards: Vec<Vec<Reward>>,
    /// Each comparison with the two Gaussians it was made on, in the order of the examples.
    pub judged: Vec<Judged>,
    /// For each auxiliary attribute, how many candidates' classes were told right, and of how many.
    pub told: Vec<(usize, usize)>,
}

impl Measured {
    /// Adds what another pass gave, whose first example is number `first` here.
    fn append(&mut self, other: Self, first: usize) {
        self.loss += other.loss;
        self.weight += other.weight;
        self.rewards.extend(other.rewards);
        self.judged
            .extend(other.judged.into_iter().map(|judged| Judged {
                example: first + judged.example,
                ..judged
            }));
        self.told
            .resize(self.told.len().max(other.told.len()), (0, 0));
        for (sum, more) in self.told.iter_mut().zip(other.told) {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
    }
}

/// A comparison with what the model says of its two sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Which example of the call.
    pub example: usize,
    /// What people said.
    pub comparison: Comparison,
    /// What the model says of `a`, on the comparison's axis.
    pub a: Gaussian,
    /// The same of `b`.
    pub b: Gaussian,
}

/// The parts of a model that can have a learning rate of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The vision tower without its merger.
    Vision,
    /// What joins patches into the language model's tokens.
    Merger,
    /// The language model, or the low-rank additions to it.
    Language,
    /// The reward token's row of the embedding (all rows, where the embedding is trained).
    RewardToken,
    /// The reward heads.
    Heads,
}

impl Part {
    /// The name in plans and reports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Merger => "merger",
            Self::Language => "language",
            Self::RewardToken => "reward_token",
            Self::Heads => "heads",
        }
    }
}

/// One update's rates, per [`Part`]; a part that is not named is not trained.
pub type Rates = BTreeMap<Part, f64>;

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The gradient's norm over everything trained, before clipping.
    pub gradient_norm: f64,
}

/// Something that learns. Given the same calls from the same state, it ends in the same state to the last bit.
pub trait Learner: Send {
    /// Forward and backward over `examples`; gradients times `scale` are added to those that wait. `draw` seeds what is left
    /// to chance (dropout): the same number gives the same pass. On an error nothing is added.
    fn accumulate(
        &mut self,
        examples: &[Example],
        scale: f64,
        draw: u64,
    ) -> Result<Measured, ModelError>;

    /// Clips the gradients that wait to the norm `clip`, makes one step with them, and forgets them. An error where the norm
    /// is not finite, and nothing is changed.
    fn update(&mut self, rates: &Rates, clip: Option<f64>) -> Result<Update, ModelError>;

    /// The same measures without learning: no dropout, no gradients.
    fn measure(&mut self, examples: &[Example]) -> Result<Measured, ModelError>;

    /// Writes all there is to go on from (weights, optimizer) into the empty folder `dir`.
    fn save(&self, dir: &Path) -> Result<(), ModelError>;

    /// Takes back what [`save`](Self::save) wrote.
    fn restore(&mut self, dir: &Path) -> Result<(), ModelError>;

    /// Writes a model directory called `name`, with the published tensor names, into the empty folder `dir`.
    fn export(&self, dir: &Path, name: &str) -> Result<(), ModelError>;
}
