//! What can end an analysis, in words that say what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::analysis::TooFew;
use crate::data::WorkspaceError;
use crate::runs::RunError;

/// What can end an analysis.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The workspace cannot be read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run's folder does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is too little to analyse.
    #[error("{why}; {counts}")]
    TooFew {
        /// How much there is.
        #[source]
        why: TooFew,
        /// What is missing, and which command mends it.
        counts: String,
    },
    /// A report cannot be read.
    #[error("cannot read '{}': {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// A report cannot be written as JSON.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What was asked for cannot be done.
    #[error("{0}")]
    Choice(String),
}

impl AnalysisError {
    /// For `map_err`: what was read.
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Read { path, why }
    }
}
