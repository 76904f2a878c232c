//! What can end a training run, in words that say what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::plan::PlanError;
use crate::data::WorkspaceError;
use crate::model::ModelError;

/// What can end a training run before its time.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The plan is wrong.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A workspace cannot be read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The model cannot be loaded, saved or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// There is nothing to learn from, or nothing to measure on.
    #[error("{0}")]
    NoData(String),
    /// The numbers went wrong in a step.
    #[error(
        "step {step}: {what}; the step's groups: {}; {}",
        groups.join(", "),
        resume(checkpoint.as_ref())
    )]
    Halted {
        /// The step, which was not made.
        step: u64,
        /// What went wrong.
        what: String,
        /// The keys of the groups that the step was made of.
        groups: Vec<String>,
        /// The last good checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// A file of the run cannot be written or read.
    #[error("cannot {what} '{}': {why}; everything up to the last checkpoint is kept", path.display())]
    Files {
        /// "write", "sync", …
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// A checkpoint does not belong to this plan or this data.
    #[error("'{}' cannot be gone on from: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The run's folder does not take what is to be noted.
    #[error("{0}")]
    Unnoted(String),
}

fn resume(checkpoint: Option<&PathBuf>) -> String {
    match checkpoint {
        Some(path) => format!(
            "the last good state is '{}', and 'erw resume' goes on from there; to get past this, train from it with a \
             lower rate, or leave those groups out",
            path.display()
        ),
        None => "no state was kept before it; try a lower rate or a longer warm-up".to_owned(),
    }
}

impl TrainError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
