//! What can go wrong with jobs, in words for whoever asked for them.

use std::io;
use std::path::{Path, PathBuf};

use crate::runs::{RunError, State};

/// What can go wrong with jobs.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The queue's files, or a program, cannot be read, written or started.
    #[error("cannot {what} '{}': {why}", path.display())]
    Files {
        /// "start", "write", …
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// The run is in the queue already.
    #[error("run '{name}' is in the queue already; 'erw jobs list' shows it")]
    Waits {
        /// The run.
        name: String,
    },
    /// The run is not in a state in which this can be done.
    #[error("run '{name}' is {}: {advice}", state.word())]
    State {
        /// The run.
        name: String,
        /// What it does.
        state: State,
        /// What to do instead.
        advice: &'static str,
    },
    /// The run's process is on another machine, where no signal from here arrives.
    #[error(
        "run '{name}' is worked on at {host}: it was asked to stop; to end it by force, say so there"
    )]
    Elsewhere {
        /// The run.
        name: String,
        /// The machine.
        host: String,
    },
    /// Slurm, in words that say what to do.
    #[error("{0}")]
    Slurm(String),
    /// Another erw, in its own words.
    #[error("{0}")]
    Refused(String),
    /// There is no such launcher.
    #[error(
        "there is no launcher '{0}': 'local' is the queue of this machine, 'slurm' a cluster's"
    )]
    NoSuchLauncher(String),
}

impl JobError {
    /// What Slurm does not do, why, and what to do about it.
    pub(super) fn slurm(what: impl Into<String>) -> Self {
        Self::Slurm(what.into())
    }

    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
