//! The engine: from picture files and an instruction to rewards.
//!
//! Each picture is encoded once and its features kept; each candidate is read as the model's [questions](super::questions)
//! have it, all of them in one pass over the language model. Which rows attend to which is the
//! [`backbone`](super::backbone)'s to say, so that a plan that shares prefixes needs no other network.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::backbone::{Backbone, Features};
use super::cache::FeatureCache;
use super::device;
use super::error::ModelError;
use super::fingerprint::fingerprint;
use super::head::{Heads, effective_rule};
use super::opened::{Opened, clean};
use super::preprocess::Processor;
use super::questions::Questions;
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
    features: FeatureCache,
    /// Of the last picture that passed by: one picture is often rated under several instructions.
    passing: Option<(String, Arc<Features>)>,
}

impl RewardModel {
    /// Loads a model directory, telling `progress` of every block. All that can be known to be wrong from small files and
    /// headers is reported before any weight is read.
    pub fn load(
        dir: &Path,
        options: &LoadOptions,
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
            features: FeatureCache::new(FEATURE_BYTES),
            passing: None,
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
        self.score_each((source, instruction), candidates, Self::see, on_scored)
    }

    /// The same for candidates that are rated once and do not come back: their features are not kept beyond the next one, so
    /// that a hundred of them do not push out those of the pictures on screen.
    pub fn score_passing(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut dyn FnMut(usize, Result<Reward, ModelError>) -> ControlFlow<()>,
    ) -> Result<(), ModelError> {
        self.score_each(
            (source, instruction),
            candidates,
            Self::see_passing,
            on_scored,
        )
    }

    fn score_each(
        &mut self,
        (source, instruction): (&Picture, &str),
        candidates: &[Picture],
        see: impl Fn(&mut Self, &Picture) -> Result<Arc<Features>, ModelError>,
        on_scored: &mut dyn FnMut(usize, Result<Reward, ModelError>) -> ControlFlow<()>,
    ) -> Result<(), ModelError> {
        let source = self.see(source)?;
        for (index, candidate) in candidates.iter().enumerate() {
            let reward =
                see(self, candidate).and_then(|edited| self.score(&source, &edited, instruction));
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
        let features = self.look_at(picture)?;
        self.features.put(&picture.hash, features.clone());
        Ok(features)
    }

    /// The same for one that does not come back: it takes the place of the last of its kind, not one in the cache.
    fn see_passing(&mut self, picture: &Picture) -> Result<Arc<Features>, ModelError> {
        if let Some(features) = self.features.get(&picture.hash) {
            return Ok(features);
        }
        if let Some((hash, features)) = &self.passing
            && *hash == picture.hash
        {
            return Ok(features.clone());
        }
        // The old ones go first, so that there are never two.
        self.passing = None;
        let features = self.look_at(picture)?;
        self.passing = Some((picture.hash.clone(), features.clone()));
        Ok(features)
    }

    fn look_at(&self, picture: &Picture) -> Result<Arc<Features>, ModelError> {
        let patches = self.processor.patches(&picture.bytes)?;
        Ok(Arc::new(self.backbone.see(&patches)?))
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
