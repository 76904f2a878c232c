//! What can end a probe, in words that say what, where and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::WorkspaceError;
use crate::data::images::ImageError;
use crate::runs::RunError;

/// What can end a probe, or leave a candidate out of one.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A step that a factor does not have.
    #[error("{factor} has no step {step}; a step is {wanted}")]
    Step {
        /// The factor's name.
        factor: &'static str,
        /// The step.
        step: f64,
        /// What there could be.
        wanted: String,
    },
    /// An image cannot be decoded.
    #[error("{which} cannot be used: {why}")]
    Image {
        /// "the source", "the edit", …
        which: &'static str,
        /// Why.
        why: String,
    },
    /// Everything was edited.
    #[error("the edit changed the whole frame, so it has no background to change")]
    NoBackground,
    /// Nobody said where the edit is.
    #[error("{0} works outside the edited regions, which are not known here")]
    NoMap(&'static str),
    /// There are not so many other groups.
    #[error("{factor} number {number} needs as many other groups, and there are {there}")]
    NoDonor {
        /// The factor's name.
        factor: &'static str,
        /// The step.
        number: usize,
        /// How many there are.
        there: usize,
    },
    /// A picture cannot be read or written.
    #[error(transparent)]
    Picture(#[from] ImageError),
    /// The workspace cannot be read.
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
    /// What was asked for cannot be done.
    #[error("{0}")]
    Choice(String),
}

impl ProbeError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}
