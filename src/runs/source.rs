//! What a run tells, whichever program it is of.

use std::time::Duration;

use super::error::RunError;
use super::folder::Folder;
use super::foreign::Foreign;
use super::pulse::Vitals;
use super::reader::{Batch, Reader};

/// A place in what a run tells.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the events of a run of ours.
    Ours(Reader),
    /// In what another program leaves behind.
    Foreign(Box<Foreign>),
}

impl Source {
    /// At the beginning of a run of ours, or of another program where the folder is one of those.
    pub fn of(folder: &Folder) -> Self {
        if folder.is_foreign() {
            Self::Foreign(Box::new(Foreign::new(folder.path())))
        } else {
            Self::Ours(Reader::new(folder))
        }
    }

    /// What came since the last call, at no more than `max_records` events and for about `max_time`.
    pub fn poll(&mut self, max_records: usize, max_time: Duration) -> Result<Batch, RunError> {
        match self {
            Self::Ours(reader) => reader.poll(max_records, max_time),
            Self::Foreign(foreign) => foreign.poll(max_records),
        }
    }

    /// How many lines could not be understood.
    pub fn unreadable(&self) -> u64 {
        match self {
            Self::Ours(reader) => reader.unreadable(),
            Self::Foreign(_) => 0,
        }
    }

    /// The signs of life of the run in this folder.
    pub(super) fn vitals(&self, folder: &Folder) -> Vitals {
        match self {
            Self::Ours(_) => folder.vitals(),
            Self::Foreign(_) => Foreign::vitals(folder.path()),
        }
    }
}
