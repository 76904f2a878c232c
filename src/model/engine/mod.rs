//! The engine: from picture files and an instruction to rewards.
//!
//! Each picture is encoded once and its features kept; each candidate is read as the model's [questions](super::questions)
//! have it, those of a group in one pass over the language model, in which what they have in common is read once (`passes`).
//! Which rows attend to which is the [`backbone`](super::backbone)'s to say, so that sharing needs no other network.

mod passes;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::backbone::{Backbone, Features};
use super::cache::FeatureCache;
use super::device;
use super::error::ModelError;
use super::fingerprint::fingerprint;
use super::head::{Heads, effective_rule};
use super::held::Holding;
use super::judge::OnScored;
use super::opened::{Opened, clean};
use super::preprocess::Processor;
use super::questions::Questions;
use super::{LoadOptions, LoadProgress, ModelInfo, Packing, Picture, Precision};
use crate::domain::{Aggregate, Gaussian};

use passes::Memory;
use work::Costs;
pub use work::Work;

/// Memory for features of pictures already seen: 256 MiB is some 140 pictures of a 7B model in bf16.
const FEATURE_BYTES: usize = 256 << 20;
/// Weights in f32 up to so many bytes are held so on a CPU; more are held as they are stored and widened when they are used.
const WIDE_BYTES: u64 = 4 << 30;

/// A loaded model.
#[derive(Debug)]
pub struct RewardModel {
    info: ModelInfo,
    backbone: Backbone,
    heads: Heads,
    questions: Questions,
    rule: Aggregate,
    processor: Processor,
    precision: Precision,
    features: FeatureCache,
    /// Of the last picture that passed by: one picture is often rated under several instructions.
    passing: Option<(String, Arc<Features>)>,
    packing: Packing,
    /// What a candidate took lately.
    took: Option<Duration>,
    costs: Costs,
    work: Work,
}

impl RewardModel {
    /// Loads a model directory, telling `progress` of every block. All that can be known to be wrong from small files and
    /// headers is reported before any weight is read.
    pub fn load(
        dir: &Path,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, ModelError> {
        Self::load_within(dir, options, WIDE_BYTES, progress)
    }

    /// The same with weights wider than `wide_bytes` held as they are stored.
    fn load_within(
        dir: &Path,
        options: &LoadOptions,
        wide_bytes: u64,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, ModelError> {
        let Opened {
            config,
            manifest,
            prompter,
            processor,
            weights,
            expected,
            report,
            reading,
        } = Opened::new(dir, |_| Ok(()))?;
        clean(dir, &report)?;
        let mut fingerprint = fingerprint(dir, weights.files())?;
        let device = device::open(options.device)?;
        let precision = options.precision.unwrap_or(Precision::of(&device));
        let total = weights.bytes(&expected);
        let holding = Holding {
            quantize: options.quantize,
            as_stored: device.is_cpu() && 4 * report.parameters > wide_bytes,
        };
        let (vb, taken) = weights.held_builder(precision.dtype(), &device, holding);
        let mut tick = || {
            progress(LoadProgress {
                done: taken.load(Ordering::Relaxed),
                total,
            });
        };
        let backbone = Backbone::new(&config, reading, &vb, &mut tick)?;
        let heads = Heads::new(manifest.head, &vb)?;
        let questions = Questions::new(prompter, &manifest);
        tick();
        let mut name = manifest.name;
        if let Some(format) = options.quantize {
            fingerprint = format.fingerprint(&fingerprint);
            name = format.name(&name);
        }
        Ok(Self {
            info: ModelInfo {
                name,
                fingerprint,
                backbone: config.describe(),
                aggregate: manifest.aggregate,
                device: device::describe(&device),
                precision: precision.key(),
                parameters: report.parameters,
                trained: manifest.trained,
            },
            backbone,
            heads,
            rule: effective_rule(manifest.head, manifest.aggregate),
            questions,
            processor,
            precision,
            features: FeatureCache::new(FEATURE_BYTES),
            passing: None,
            packing: options.packing,
            took: None,
            costs: Costs::new(&config),
            work: Work::default(),
        })
    }

    /// Puts candidates together otherwise from now on, and forgets what it has seen.
    pub fn repack(&mut self, packing: Packing) {
        self.packing = packing;
        self.took = None;
        self.features = FeatureCache::new(FEATURE_BYTES);
        self.passing = None;
    }

    /// What has been computed since this model was loaded.
    pub const fn work(&self) -> Work {
        self.work
    }

    /// What this model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Scores candidates. `on_scored` hears of those that one pass had, each with its index and its reward or why there is none,
    /// and may stop the rest. Packed as [`Packing::Tree`] and on a CPU, what a pass has, and so the last bit of a reward, does not
    /// depend on anything that was scored before. An error in the source or the instruction ends the call.
    pub fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, ModelError>,
    ) -> Result<(), ModelError> {
        self.score_each((source, instruction), candidates, Memory::Kept, on_scored)
    }

    /// The same for candidates that are rated once and do not come back: their features are not kept beyond the next one, so
    /// that a hundred of them do not push out those of the pictures on screen.
    pub fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, ModelError>,
    ) -> Result<(), ModelError> {
        self.score_each(
            (source, instruction),
            candidates,
            Memory::Passing,
            on_scored,
        )
    }

    /// Whether `instruction` spells a special token of the model's, which is then read as plain text. Worth telling: the
    /// published code would have read the token.
    pub fn neutralises(&self, instruction: &str) -> bool {
        self.questions.neutralises(instruction)
    }
}

/// A log sigma of -∞ stands for no uncertainty and is fine.
fn is_usable(gaussian: &Gaussian) -> bool {
    gaussian.mean.is_finite() && gaussian.log_sigma < f64::INFINITY
}

#[cfg(test)]
pub(in crate::model) mod tests;
