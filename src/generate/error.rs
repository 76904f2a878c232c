//! What can end the making of candidates, in words that say what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::WorkspaceError;
use crate::runs::RunError;

/// What can end the making of candidates before its time.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The workspace cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run's folder does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file cannot be written or read.
    #[error("cannot {what} '{}': {why}", path.display())]
    Files {
        /// "write", "read", …
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// A file of ours has a line that is not.
    #[error("{}:{line}: {why}; move the file away, or name another folder with --out", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Another process makes candidates into the same folder.
    #[error(
        "another run makes candidates into '{}'; wait for it, stop it, or name another folder with --out", folder.display()
    )]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// What was asked for cannot be done.
    #[error("{0}")]
    Choice(String),
    /// Editors that made no candidate any more, while the others came to their end.
    #[error("{made} made, {missing} still missing: {}", why.join("; "))]
    GivenUp {
        /// Candidates that were made by all.
        made: usize,
        /// Candidates that were not tried.
        missing: usize,
        /// Why, an editor each.
        why: Vec<String>,
    },
}

impl GenerateError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
