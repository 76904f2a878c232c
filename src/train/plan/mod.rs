//! The training plan: everything that decides what a training run does, as a person writes it in `plan.toml`.
//!
//! Whatever is not written is as in the paper or, where that is silent, in its published settings. Unknown keys are refused.

mod meaning;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use read::PlanError;

use crate::domain::{Aggregate, Pairing};
use crate::model::learner::{Language, Target};
use crate::model::manifest::{HeadKind, Layout};

/// A training plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// What the trained model is called; by itself the plan file's name.
    pub name: String,
    /// What all chance is drawn from: the split, the order, new weights, dropout.
    pub seed: u64,
    /// Makes the trained model known under its name, as `erw model add` does.
    pub register: bool,
    /// Which weights become the model.
    pub export: Export,
    /// What is trained; [`parts`](Self::parts) can change it part by part.
    pub train: Extent,
    /// Where the labels come from.
    pub data: Data,
    /// How labels become comparisons.
    pub pairs: Pairing,
    /// What is trained from.
    pub model: Model,
    /// Exceptions from [`train`](Self::train).
    pub parts: Parts,
    /// The low-rank additions to the language model, where it gets any.
    pub low_rank: LowRankPlan,
    /// What is made small.
    pub loss: Loss,
    /// What else is learned on the way.
    pub auxiliary: AuxiliaryPlan,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The learning rates.
    pub rates: PartRates,
    /// How the rates change.
    pub schedule: Schedule,
    /// How much a step learns from.
    pub batch: Batch,
    /// How long.
    pub length: Length,
    /// How often and on what the model is measured.
    pub evaluation: Evaluation,
    /// How often the state is kept, and how many of them.
    pub checkpoints: Checkpoints,
    /// Where it computes.
    pub compute: Compute,
}

/// Which weights become the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// Those after the last step.
    #[default]
    Last,
    /// Those of the best evaluation; its numbers are a little too good, since they chose it.
    Best,
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The heads alone: minutes, since the features below them do not change.
    Heads,
    /// Low-rank additions to the language model, the reward token and the heads.
    LowRank,
    /// Everything, as published; of the embedding only the reward token's row.
    #[default]
    Everything,
}

/// Where the labels come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Workspaces to learn from; relative paths start at the plan's folder. None: the one in use.
    pub workspaces: Vec<PathBuf>,
    /// Workspaces to measure on; none: a share of the first kind.
    pub validation_workspaces: Vec<PathBuf>,
    /// The share of source images whose groups are kept for measuring, 0 to below 1; all groups of a source go the same way.
    pub validation: f64,
    /// Learns from the groups of this split (`erw data split`); not given: of "train" where there is one, else from all.
    pub train_split: Option<String>,
    /// Measures on the groups of this split; not given: of "validation" where there is one, else as above.
    pub validation_split: Option<String>,
    /// What the split is drawn from; not given: the plan's seed. It is for runs of several seeds that are measured on the same.
    pub split_seed: Option<u64>,
    /// Learns from so many of the training groups, chosen by the seed; not given: from all.
    pub groups: Option<usize>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            workspaces: Vec::new(),
            validation_workspaces: Vec::new(),
            validation: 0.1,
            train_split: None,
            validation_split: None,
            split_seed: None,
            groups: None,
        }
    }
}

/// What is trained from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// A registered name, or a model dir; relative paths start at the plan's folder. Empty: the one in use.
    pub base: String,
    /// single, shared or multi; not given: as the model has it.
    pub head: Option<HeadKind>,
    /// mean, min or sum; not given: as the model says.
    pub aggregate: Option<Aggregate>,
    /// images-first or rubric-first; not given: as the model says.
    pub layout: Option<Layout>,
    /// Draws the heads anew.
    pub fresh_heads: bool,
    /// Draws every weight anew: of the base only the architecture, the tokenizer and the texts are taken.
    pub from_scratch: bool,
    /// The share of a head's hidden values that a training pass leaves out.
    pub head_dropout: f64,
}

/// Exceptions from what [`Extent`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parts {
    /// The vision tower without its merger.
    pub vision: Option<bool>,
    /// The merger.
    pub merger: Option<bool>,
    /// frozen, low-rank or whole.
    pub language: Option<Language>,
    /// The reward token's row of the embedding.
    pub reward_token: Option<bool>,
    /// Every row of the embedding, at the reward token's rate: for models that begin at random weights.
    pub embedding: Option<bool>,
    /// The heads.
    pub heads: Option<bool>,
}

/// The low-rank additions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowRankPlan {
    /// At least 1.
    pub rank: usize,
    /// The scale's numerator; not given: twice the rank, as published.
    pub alpha: Option<f64>,
    /// The share of inputs that a training pass leaves out.
    pub dropout: f64,
    /// The matrices of a layer that get an addition.
    pub targets: BTreeSet<Target>,
}

impl Default for LowRankPlan {
    fn default() -> Self {
        Self {
            rank: 64,
            alpha: None,
            dropout: 0.05,
            targets: BTreeSet::from(Target::ALL),
        }
    }
}

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Loss {
    /// Which loss.
    pub kind: LossKind,
    /// For the uncertainty loss and Bradley-Terry, in logits.
    pub margin: Option<f64>,
    /// For Bradley-Terry with ties: its tie constant, above 1.
    pub k: Option<f64>,
    /// For displacement.
    pub tau: Option<f64>,
    /// For the uncertainty loss: takes the expectation over so many draws, as the published code does with 1000.
    pub draws: Option<usize>,
    /// For the losses without uncertainty: the published code's slip of ranking the log sigma like a second score.
    pub log_sigma_too: bool,
}

/// Which loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// The paper's uncertainty-aware ranking.
    #[default]
    Uncertainty,
    /// The same with the published margin.
    UncertaintyWithMargin,
    /// Bradley-Terry.
    BradleyTerry,
    /// The same with the published margin.
    BradleyTerryWithMargin,
    /// Bradley-Terry with a term for ties.
    BradleyTerryTies,
    /// Likelihood displacement.
    Displacement,
    /// HPSv2's.
    Hpsv2,
    /// Each candidate by itself, against its overall score.
    Regression,
}

/// What else is learned on the way: attributes of candidates that the data knows besides the labels, told from the states that
/// the reward heads read. It helps a model that begins at random weights; what tells them is not exported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuxiliaryPlan {
    /// Which: keys of a candidate in the file, dotted where they are nested ("artefact", "done.kind"). None: nothing.
    pub attributes: Vec<String>,
    /// A file in each workspace, a JSON object a line: `{"group": KEY, "candidates": [{"id": KEY, …}]}`. Groups that it does not
    /// name, and workspaces without it, teach no attributes.
    pub file: PathBuf,
    /// What an attribute's mean cross-entropy counts, against one for the mean of the loss.
    pub weight: f64,
}

impl Default for AuxiliaryPlan {
    fn default() -> Self {
        Self {
            attributes: Vec::new(),
            file: PathBuf::from("truth.jsonl"),
            weight: 0.3,
        }
    }
}

/// AdamW and clipping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Optimizer {
    /// The memory of the gradient's mean.
    pub beta1: f64,
    /// The memory of its square.
    pub beta2: f64,
    /// What keeps the division from zero.
    pub eps: f64,
    /// Decoupled decay, spared: biases, norms, the embedding.
    pub weight_decay: f64,
    /// The norm that gradients are cut down to; 0: as they are.
    pub clip: f64,
}

impl Default for Optimizer {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
        }
    }
}

/// The learning rates at their highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartRates {
    /// For every part that has none of its own.
    pub all: f64,
    /// The vision tower's.
    pub vision: Option<f64>,
    /// The merger's.
    pub merger: Option<f64>,
    /// The language model's, or its low-rank additions'.
    pub language: Option<f64>,
    /// The reward token's.
    pub reward_token: Option<f64>,
    /// The heads'.
    pub heads: Option<f64>,
}

impl Default for PartRates {
    fn default() -> Self {
        Self {
            all: 2e-6,
            vision: None,
            merger: None,
            language: None,
            reward_token: None,
            heads: None,
        }
    }
}

/// How the rates change over the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// What follows the warm-up.
    pub kind: Decay,
    /// The share of the steps over which the rates rise from zero.
    pub warmup: f64,
    /// What a cosine ends at, as a share of the highest rate.
    pub floor: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            kind: Decay::Cosine,
            warmup: 0.05,
            floor: 0.0,
        }
    }
}

/// How the rates fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Along half a cosine.
    Cosine,
    /// Along a line.
    Linear,
    /// Not at all.
    Constant,
}

/// How much a step learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// What is drawn: a group with all its comparisons, or one pair of candidates.
    pub unit: Unit,
    /// Groups or pairs in one forward and backward pass.
    pub size: usize,
    /// Passes that make a step.
    pub accumulate: usize,
    /// Takes at most so many candidates of a group at a time, other ones each epoch; not given: all.
    pub candidates: Option<usize>,
}

impl Default for Batch {
    /// 16 a step, as in the paper.
    fn default() -> Self {
        Self {
            unit: Unit::Groups,
            size: 2,
            accumulate: 8,
            candidates: None,
        }
    }
}

/// What is drawn for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Groups: the source image is computed once for all of its comparisons.
    Groups,
    /// Pairs, as published: every compared pair counts alike, whatever group it is from.
    Pairs,
}

/// How long the run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Length {
    /// Passes over the training data.
    pub epochs: f64,
    /// Steps; goes before epochs.
    pub steps: Option<u64>,
    /// Ends the run when the loss goes out of hand; see [`Trend`](super::schedule::Trend).
    pub stop_on_divergence: bool,
}

impl Default for Length {
    fn default() -> Self {
        Self {
            epochs: 2.0,
            steps: None,
            stop_on_divergence: true,
        }
    }
}

/// How often and on what the model is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// Every so many steps, and after the last; not given: a tenth of the run.
    pub every: Option<u64>,
    /// On so many of the validation groups while the run goes on, chosen by the seed; on all of them at the end.
    pub groups: Option<usize>,
    /// Keys of validation groups whose rewards are noted at each evaluation; none: the first few.
    pub followed: Vec<String>,
    /// How many the first few are.
    pub follow: usize,
    /// What makes an evaluation the best.
    pub best_by: BestBy,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            every: None,
            groups: None,
            followed: Vec::new(),
            follow: 4,
            best_by: BestBy::Accuracy,
        }
    }
}

/// What makes an evaluation the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BestBy {
    /// The highest accuracy on overall comparisons.
    Accuracy,
    /// The lowest loss.
    Loss,
}

/// How often the state is kept, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Checkpoints {
    /// Every so many steps, and after the last; not given: as often as the model is measured.
    pub every: Option<u64>,
    /// So many of the latest stay; at least 1.
    pub keep_last: usize,
    /// Whether the best stays too.
    pub keep_best: bool,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self {
            every: None,
            keep_last: 2,
            keep_best: true,
        }
    }
}

/// Where it computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compute {
    /// auto, cpu, cuda:N or metal; not given: as the settings say.
    pub device: Option<String>,
    /// f32, f16 or bf16; not given: f32 on a CPU, bf16 on a GPU.
    pub precision: Option<String>,
    /// Computes layers twice to save memory.
    pub checkpointing: bool,
    /// Threads that read images ahead.
    pub readers: usize,
}

impl Default for Compute {
    fn default() -> Self {
        Self {
            device: None,
            precision: None,
            checkpointing: true,
            readers: 2,
        }
    }
}
