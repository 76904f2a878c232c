//! How a command ends, for the shell.

use std::io;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::curate::CurateError;
use crate::data::WorkspaceError;
use crate::train::PlanError;
use crate::workbench::SetupError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All was done.
    Done,
    /// It failed, and the message says why.
    Failed,
    /// The command line or the settings are wrong.
    Usage,
    /// Done, with some records left out, and the output says which.
    LeftOut,
    /// The user stopped it.
    Stopped,
}

impl Exit {
    /// The number that the shell gets.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::LeftOut => 3,
            Self::Stopped => 130,
        }
    }

    /// What an error amounts to: a reader that went away is no failure, and wrong settings are told from failures.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if cause
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            {
                return Self::Done;
            }
            if matches!(cause.downcast_ref(), Some(CurateError::Stopped)) {
                return Self::Stopped;
            }
            let usage = matches!(cause.downcast_ref(), Some(WorkspaceError::Usage(_)))
                || matches!(cause.downcast_ref(), Some(CurateError::Choice(_)));
            let settings =
                cause.is::<ConfigError>() || cause.is::<SetupError>() || cause.is::<PlanError>();
            if usage || settings {
                return Self::Usage;
            }
        }
        Self::Failed
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_closed_pipe_is_success_and_wrong_settings_are_usage() {
        let pipe = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("out");
        assert_eq!(Exit::of(&pipe), Exit::Done);
        let config = ConfigError::Invalid {
            file: "c.toml".into(),
            line: 1,
            reason: "x".into(),
        };
        let wrong = Err::<(), _>(config).context("start").unwrap_err();
        assert_eq!(Exit::of(&wrong), Exit::Usage);
        let usage = anyhow::Error::new(WorkspaceError::Usage("x".into()));
        assert_eq!(Exit::of(&usage), Exit::Usage);
        assert_eq!(Exit::of(&anyhow::anyhow!("no such file")), Exit::Failed);
    }
}
