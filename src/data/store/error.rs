//! What can go wrong with a workspace, in words for its owner; and the private error that store code passes around until the
//! database's path is added.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::data::import::ImportError;
use crate::domain::{CandidateId, GroupId};

/// What can go wrong with a workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The folder holds no workspace.
    #[error("there is no workspace in '{}': import a data set there first", dir.display())]
    NotHere {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder of the workspace (or an export) cannot be read or written.
    #[error("cannot {what} '{}': {why}", path.display())]
    Files {
        /// "create", "write", …
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// The database file is damaged, or no database at all.
    #[error(
        "'{}' is damaged or no database ({why}): move it away and import the data set again",
        path.display()
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        why: rusqlite::Error,
    },
    /// A database of some other program.
    #[error("'{}' is a database of another program; it was left as it is", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error(
        "'{}' was written by a newer erw (its schema is {found}, this program knows up to {known}); update erw",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// Another process has kept the database locked for longer than is waited.
    #[error("'{}' is being written by another process; try again when it is done", path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// Anything else SQLite reports, such as a full disk.
    #[error("'{}': {why}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        why: rusqlite::Error,
    },
    /// A file could not be imported; nothing of it was.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// What was asked for makes no sense; the text says what to do.
    #[error("{0}")]
    Usage(String),
    /// There is no such group.
    #[error("the workspace has no group number {}", .0.0)]
    NoSuchGroup(GroupId),
    /// The candidate is not one of the group.
    #[error("group number {} has no candidate number {}", group.0, candidate.0)]
    NoSuchCandidate {
        /// The group.
        group: GroupId,
        /// What it does not have.
        candidate: CandidateId,
    },
    /// A reward that is not a number; nothing of its batch was stored.
    #[error(
        "the model's score of candidate number {} is not a number; no score of its group was stored",
        .0.0
    )]
    NotANumber(CandidateId),
    /// The demo could not be set up anywhere.
    #[error("the demo could not be unpacked: {0}")]
    Demo(String),
}

/// An error on its way up, before it knows which database it is about.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Ours(WorkspaceError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Fault {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Sql(error.into())
    }
}

impl From<WorkspaceError> for Fault {
    fn from(error: WorkspaceError) -> Self {
        Self::Ours(error)
    }
}

impl From<ImportError> for Fault {
    fn from(error: ImportError) -> Self {
        Self::Ours(error.into())
    }
}

impl Fault {
    /// With the database that it happened to.
    pub(super) fn at(self, path: &Path) -> WorkspaceError {
        let why = match self {
            Self::Ours(error) => return error,
            Self::Sql(why) => why,
        };
        let path = path.to_path_buf();
        match why.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                WorkspaceError::Damaged { path, why }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                WorkspaceError::Busy { path }
            }
            _ => WorkspaceError::Database { path, why },
        }
    }
}
