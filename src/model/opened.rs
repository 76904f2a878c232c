//! A model directory opened: everything that scoring and training read of it alike, checked against each other before any
//! weight is read.

use std::path::Path;

use super::backbone::Reading;
use super::config::Config;
use super::error::ModelError;
use super::manifest::{Manifest, Positions};
use super::names::{self, Expected};
use super::preprocess::Processor;
use super::prompt::Prompter;
use super::report::CheckReport;
use super::weights::Weights;

/// A directory's parts.
pub(super) struct Opened {
    pub(super) config: Config,
    pub(super) manifest: Manifest,
    pub(super) prompter: Prompter,
    pub(super) processor: Processor,
    pub(super) weights: Weights,
    /// The tensors that the configuration and the manifest call for.
    pub(super) expected: Vec<Expected>,
    /// How the checkpoint compares with them.
    pub(super) report: CheckReport,
    pub(super) reading: Reading,
}

impl Opened {
    /// Opens `dir`, its manifest changed by `change`. What the weights lack is for the caller to judge, by
    /// [`report`](Self::report).
    pub(super) fn new(
        dir: &Path,
        change: impl FnOnce(&mut Manifest) -> Result<(), ModelError>,
    ) -> Result<Self, ModelError> {
        let config = Config::read(dir)?;
        let mut manifest = Manifest::read(dir)?;
        change(&mut manifest)?;
        let prompter = Prompter::from_dir(dir, config.kind, &manifest)?;
        let processor = Processor::from_dir(dir, config.kind, &manifest.pixels)?;
        if manifest.positions == Positions::Mrope && config.text.mrope_section().is_none() {
            return Err(ModelError::Inconsistent(format!(
                "'{}' asks for positions = \"mrope\", but config.json has no mrope_section; use \"sequential\"",
                dir.join("reward.toml").display()
            )));
        }
        let (cut, read) = (processor.patch_columns(), config.vision.patch_columns());
        if cut != read {
            return Err(ModelError::Inconsistent(format!(
                "preprocessor_config.json cuts patches of {cut} numbers, the vision tower of config.json reads {read}"
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
        let reading = Reading {
            rows,
            image_pad: prompter.image_pad(),
            positions: manifest.positions,
        };
        Ok(Self {
            report: weights.check(&expected),
            config,
            manifest,
            prompter,
            processor,
            weights,
            expected,
            reading,
        })
    }
}

/// An error where `report` has something to complain of.
pub(super) fn clean(dir: &Path, report: &CheckReport) -> Result<(), ModelError> {
    if report.is_clean() {
        return Ok(());
    }
    Err(ModelError::Mismatch {
        dir: dir.to_owned(),
        report: Box::new(report.clone()),
    })
}
