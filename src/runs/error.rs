//! What can go wrong with a run's folder, in words for its owner.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a run's folder.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file or folder of the run cannot be read or written; a full disk shows up here.
    #[error("cannot {what} '{}': {why}", path.display())]
    Files {
        /// "read", "write", …
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// `run.toml` is missing, or says something else than it should.
    #[error("'{}' is no run: {reason}", folder.display())]
    NotARun {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process works on it.
    #[error(
        "run '{name}' is being worked on by {owner}; follow it with 'erw jobs logs -f {name}', or stop it first"
    )]
    Busy {
        /// The run.
        name: String,
        /// Which process where, as far as is known.
        owner: String,
    },
    /// No run has that name.
    #[error("there is no run '{name}' in '{}'; 'erw jobs list' shows those there are", root.display())]
    NotFound {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// Several runs have names that begin so.
    #[error("'{name}' may be any of {}; type more of the name", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Some of the runs that it may be.
        candidates: Vec<String>,
    },
    /// Something that should have been written cannot be put into words.
    #[error("cannot put the {what} of run '{name}' into its file: {reason}")]
    Unwritable {
        /// Which part.
        what: &'static str,
        /// The run.
        name: String,
        /// What the encoder says.
        reason: String,
    },
    /// A file of a run in shards says something else than it should, or the run is not one of those.
    #[error("{0}")]
    Shards(String),
}

impl RunError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
