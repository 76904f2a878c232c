//! What can go wrong between a model directory and a reward, in words a user can act on.
//!
//! Every message says what, where and what to do; values stand in single quotes. Candle's own errors become text here, so
//! that no type of its crosses the border of this module.

use std::path::{Path, PathBuf};

use super::report::CheckReport;

/// Anything that can go wrong with a model directory or a pass.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or directory could not be read.
    #[error("cannot read '{path}': {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write '{path}': {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The directory is there, but a file that every model has is not.
    #[error("'{dir}' is not a model directory: it has no {missing}")]
    NotAModel {
        /// The directory.
        dir: PathBuf,
        /// The file (or files) looked for.
        missing: &'static str,
    },
    /// A configuration file says something that cannot be.
    #[error("'{path}': {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// A configuration of an architecture that is not here.
    #[error(
        "'{path}': model_type '{found}' is not supported; erw reads 'qwen2_5_vl' (Qwen2.5-VL, MiMo-VL) and 'qwen3_vl' (Qwen3-VL)"
    )]
    UnsupportedModel {
        /// The configuration.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A weights file is shorter or longer than its own header says.
    #[error(
        "'{path}' is {}: its header promises {promised} bytes and it has {found}; copy or download it again",
        if found < promised { "cut short" } else { "too long" }
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes by its header.
        promised: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// A weights file that cannot be understood.
    #[error("'{path}' is not a readable weights file: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The weights are not those of the configuration and manifest beside them.
    #[error("the weights in '{dir}' are not those of its configuration:\n{report}")]
    Mismatch {
        /// The model directory.
        dir: PathBuf,
        /// What differs.
        report: Box<CheckReport>,
    },
    /// An image file cannot be turned into patches.
    #[error("{0}")]
    Image(String),
    /// An instruction cannot be turned into a prompt.
    #[error("{0}")]
    Prompt(String),
    /// The device asked for cannot be used.
    #[error("{0}")]
    Device(String),
    /// A pass gave infinities or worse.
    #[error(
        "the model's output is not a finite number in {precision}; try '--precision f32' (or 'bf16', whose range is as wide)"
    )]
    NotFinite {
        /// The precision it ran in.
        precision: &'static str,
    },
    /// A training step has no finite gradient.
    #[error(
        "the gradient is not a finite number; lower the rates, clip it, or look at the groups of this step and the last"
    )]
    Diverged,
    /// The model directory asks for something its parts do not offer.
    #[error("{0}")]
    Inconsistent(String),
    /// A tensor operation failed; with checked weights that is a fault of the program or of the device (its memory, say).
    #[error("computing failed: {0}")]
    Compute(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        Self::Compute(error.to_string())
    }
}

impl ModelError {
    /// "Cannot read `path`", for `map_err`.
    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// "Cannot write `path`", for `map_err`.
    pub(super) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    pub(super) fn config(path: &Path, reason: impl Into<String>) -> Self {
        Self::Config {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
