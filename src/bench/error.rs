//! What can end a benchmark, in words that say what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::records::RecordError;

/// What can end a benchmark before its time.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file of the data cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A workspace cannot be read.
    #[error(transparent)]
    Workspace(#[from] crate::data::WorkspaceError),
    /// A folder has none of the files that a benchmark reads.
    #[error("'{}' has no data of {benchmark}: {wanted}", path.display())]
    NoData {
        /// Where it was looked for.
        path: PathBuf,
        /// The benchmark.
        benchmark: &'static str,
        /// The files that it reads.
        wanted: String,
    },
    /// Some records are wrong, and they were not to be passed over.
    #[error(
        "{count} records cannot be used; with --skip-bad they are left out and counted. The first: {first}"
    )]
    Bad {
        /// How many.
        count: usize,
        /// The first one's file, line and field.
        first: String,
    },
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
    /// There is no such benchmark or scorer, or the two do not go together.
    #[error("{0}")]
    Choice(String),
    /// The scorer cannot go on.
    #[error("{0}")]
    Scorer(String),
    /// The run's folder does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] crate::runs::RunError),
}

impl BenchError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
