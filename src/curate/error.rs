//! What can go wrong.

use crate::data::WorkspaceError;
use crate::runs::RunError;

/// Why a selection could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CurateError {
    /// The workspace cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The folder of a run does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was asked for makes no sense, or names what is not there.
    #[error("{0}")]
    Choice(String),
    /// Something was tried and did not work.
    #[error("{0}")]
    Failed(String),
    /// A recipe or report is no JSON, or not of this program.
    #[error("the recipe of '{name}' cannot be read: {why}")]
    Recipe {
        /// The selection.
        name: String,
        /// What the parser says.
        why: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}
