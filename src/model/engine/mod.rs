//! The engine: from picture files and an instruction to rewards.
//!
//! Each picture is encoded once and its features kept; each candidate is read as the model's [questions](super::questions)
//! have it, all of them in one pass over the language model. Which rows attend to which is the
//! [`backbone`](super::backbone)'s to say, so that a plan that shares prefixes needs no other network.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::backbone::{Backbone, Features, Reading};
use super::cache::FeatureCache;
use super::config::Config;
use super::device;
use super::error::ModelError;
use super::fingerprint::fingerprint;
use super::head::{Heads, effective_rule};
use super::manifest::{Manifest, Positions};
use super::names;
use super::preprocess::Processor;
use super::prompt::Prompter;
use super::questions::Questions;
use super::weights::Weights;
use super::{LoadOptions, LoadProgress, ModelInfo, Picture, Precision};
use crate::domain::{Aggregate, Gaussian, Reward};

/// Memory for features of pictures already seen: 256 MiB is some 140 pictures of a 7B model in bf16.
const FEATURE_BYTES: usize = 256 << 20;

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
    patch_columns: usize,
    features: FeatureCache,
}

impl RewardModel {
    /// Loads a model directory, telling `progress` of every block. All that can be known to be wrong from small files and
    /// headers is reported before any weight is read.
    pub fn load(
        dir: &Path,
        options: &LoadOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, ModelError> {
        let config = Config::read(dir)?;
        let manifest = Manifest::read(dir)?;
        let prompter = Prompter::from_dir(dir, config.kind, &manifest)?;
        let processor = Processor::from_dir(dir, config.kind, &manifest.pixels)?;
        if manifest.positions == Positions::Mrope && config.text.mrope_section().is_none() {
            return Err(ModelError::Inconsistent(format!(
                "'{}' asks for positions = \"mrope\", but config.json has no mrope_section; use \"sequential\"",
                dir.join("reward.toml").display()
            )));
        }
        let weights = Weights::open(dir)?;
        let vocabulary = prompter.vocabulary();
        // A checkpoint may have spare rows, but a row for every token it must have.
        let rows = weights
            .embedding_rows()
            .filter(|rows| *rows >= vocabulary)
            .unwrap_or(vocabulary);
        let expected = names::expected(&config, manifest.head, manifest.outputs, rows);
        let report = weights.check(&expected);
        if !report.is_clean() {
            return Err(ModelError::Mismatch {
                dir: dir.to_owned(),
                report: Box::new(report),
            });
        }
        let fingerprint = fingerprint(dir, weights.files())?;
        let device = device::open(options.device)?;
        let precision = options.precision.unwrap_or(Precision::of(&device));
        let total = weights.bytes(&expected);
        let (vb, taken) = weights.builder(precision.dtype(), &device);
        let mut tick = || {
            progress(LoadProgress {
                done: taken.load(Ordering::Relaxed),
                total,
            });
        };
        let reading = Reading {
            rows,
            image_pad: prompter.image_pad(),
            positions: manifest.positions,
        };
        let backbone = Backbone::new(&config, reading, &vb, &mut tick)?;
        let heads = Heads::new(manifest.head, &vb)?;
        let questions = Questions::new(prompter, &manifest);
        tick();
        Ok(Self {
            info: ModelInfo {
                name: manifest.name,
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
            patch_columns: config.vision.patch_columns(),
            features: FeatureCache::new(FEATURE_BYTES),
        })
    }

    /// What this model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Scores candidates one after the other; `on_scored` hears of each as it is done (its index, and its reward or why there
    /// is none) and may stop the rest. An error in the source or the instruction ends the call.
    pub fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, ModelError>) -> ControlFlow<()>,
    ) -> Result<(), ModelError> {
        let source = self.see(source)?;
        for (index, candidate) in candidates.iter().enumerate() {
            let reward = self
                .see(candidate)
                .and_then(|edited| self.score(&source, &edited, instruction));
            if let Err(error @ ModelError::Prompt(_)) = reward {
                return Err(error);
            }
            if on_scored(index, reward).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Whether `instruction` spells a special token of the model's, which is then read as plain text. Worth telling: the
    /// published code would have read the token.
    pub fn neutralises(&self, instruction: &str) -> bool {
        self.questions.neutralises(instruction)
    }

    /// A picture's features, from the cache or anew.
    fn see(&mut self, picture: &Picture) -> Result<Arc<Features>, ModelError> {
        if let Some(features) = self.features.get(&picture.hash) {
            return Ok(features);
        }
        let patches = self.processor.patches(&picture.bytes)?;
        if patches.columns != self.patch_columns {
            return Err(ModelError::Inconsistent(format!(
                "preprocessor_config.json cuts patches of {} numbers, the vision tower of config.json reads {}",
                patches.columns, self.patch_columns
            )));
        }
        let features = Arc::new(self.backbone.see(&patches)?);
        self.features.put(&picture.hash, features.clone());
        Ok(features)
    }

    fn score(
        &self,
        source: &Features,
        edited: &Features,
        instruction: &str,
    ) -> Result<Reward, ModelError> {
        let questions = self
            .questions
            .ask(instruction, [source.grid, edited.grid])?;
        let sequences: Vec<_> = questions
            .iter()
            .map(|question| question.sequence(source, edited))
            .collect();
        let states = self.backbone.read(&sequences, false)?;
        let gaussians = questions
            .iter()
            .zip(&states)
            .map(|(question, states)| question.read(&self.heads, states))
            .collect::<candle_core::Result<Vec<_>>>()?
            .concat();
        let reward = match gaussians.as_slice() {
            [a, b] => Reward::of_axes(*a, *b, self.rule),
            _ => Reward::overall(gaussians[0]),
        };
        if gaussians.iter().all(is_usable) {
            Ok(reward)
        } else {
            Err(ModelError::NotFinite {
                precision: self.precision.key(),
            })
        }
    }
}

/// A log sigma of -∞ stands for no uncertainty and is fine.
fn is_usable(gaussian: &Gaussian) -> bool {
    gaussian.mean.is_finite() && gaussian.log_sigma < f64::INFINITY
}

#[cfg(test)]
mod tests;
