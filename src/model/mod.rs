//! The reward model: where candle begins and ends. Picture files and an instruction go in, plain rewards come out; no tensor,
//! device or number format of candle's crosses this border.
//!
//! * [`manifest`], `config`, `names`, `weights`: a model directory, from its `reward.toml` to its tensors, checked before use.
//! * `preprocess` (over `decode`, `resize`), `questions` and `prompt` (over `rubric`, `template`, `tokenizer`): pictures to patches, texts to
//!   tokens, equal to the reference.
//! * [`reference_repo`] [`registry`], [`check`]: a manifest for a published checkpoint, names for model
//!   directories, a look over one without loading it.
//! * `vision`, `vision_qwen3`, `text` (over `attention`, `mlp`, `rope`), `head`: the network, of `linear` and `norm` layers;
//!   `kernels` and `dropout` are for training.
//! * `judge`: what verbs know a model as; `pixels`: a picture as the model gets it.
//! * `opened`: all of a directory that scoring and training read alike.
//! * `backbone` (over `tree`), `engine` (with `cache`, `fingerprint`): the network put together, and [`RewardModel`].
//! * [`learner`]: training, behind a trait.
//! * [`perceptual`]: networks that measure images and are no reward models, with weights of the user's.
//! * `device`, `random`: where to compute; models of random weights.

mod attention;
mod backbone;
mod cache;
pub mod check;
mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod decode;
mod device;
mod dropout;
mod engine;
mod error;
mod files;
mod fingerprint;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_inputs;
mod head;
mod held;
mod judge;
mod kernels;
pub mod learner;
mod linear;
pub mod manifest;
mod mlp;
mod names;
mod norm;
mod opened;
pub mod perceptual;
mod pixels;
mod preprocess;
mod presets;
mod prompt;
mod questions;
mod random;
pub mod reference_repo;
pub mod registry;
mod report;
mod resize;
mod rope;
mod rubric;
pub mod speed;
mod template;
mod text;
mod tokenizer;
mod tree;
mod vision;
mod vision_qwen3;
mod weights;
mod wide;

use std::sync::Arc;

pub use config::BackboneKind;
pub use device::{DeviceChoice, Precision, computes_on_cpu, device_in_words};
pub use engine::{RewardModel, Work};
pub use error::ModelError;
pub use fingerprint::fingerprint_of;
pub use held::Quantization;
pub use judge::{Judge, OnScored, Passed};
pub use manifest::Manifest;
pub use names::Generation;
pub use pixels::Pixels;
pub use presets::Like;
pub use random::random;
pub use report::{CheckReport, Misshapen};

use crate::domain::Aggregate;

/// How candidates of a group are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// As many in one pass as there is room for; what their sequences have in common is read once.
    #[default]
    Tree,
    /// The same, but of a slow model fewer, so that whoever looks on hears of each in time. Which share a pass then hangs on the
    /// machine, and with it the last bit of a score.
    Prompt,
    /// One after the other, every sequence read whole, as the published code does: what the others are held against.
    Plain,
}

/// How to load a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions {
    /// How candidates of a group are put together.
    pub packing: Packing,
    /// Where to compute.
    pub device: DeviceChoice,
    /// In which format; `None`: f32 on a CPU, bf16 on a GPU.
    pub precision: Option<Precision>,
    /// In which format the language model's linear layers are held, if not in one of those.
    pub quantize: Option<Quantization>,
}

/// How far loading has come, in bytes of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes taken in.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What a loaded model is.
#[derive(Debug, Clone)]
pub struct ModelInfo {
    /// Its name from `reward.toml`.
    pub name: String,
    /// Hex digest over weights, configuration, tokenizer and manifest: what stored scores belong to.
    pub fingerprint: String,
    /// Backbone in words ("Qwen2.5-VL, 28 × 3584").
    pub backbone: String,
    /// Aggregate rule.
    pub aggregate: Aggregate,
    /// Device in words ("cpu, 2 threads", "cuda:0").
    pub device: String,
    /// Precision in words.
    pub precision: &'static str,
    /// Number of parameters.
    pub parameters: u64,
    /// False for random weights: scores mean nothing, and every screen says so.
    pub trained: bool,
}

/// One image file's bytes and their content hash (hex BLAKE3), under which its vision features are cached.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file's bytes, undecoded: decoding is part of the model's definition.
    pub bytes: Arc<[u8]>,
    /// Hex BLAKE3 of `bytes`.
    pub hash: String,
}
