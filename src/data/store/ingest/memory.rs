//! What an import remembers from one batch to the next. Everything that grows with the data is bounded or a few bytes a group.

use std::collections::HashMap;

use super::super::scores::first_half;
use crate::data::images::Stamp;
use crate::data::import::{GroupRecord, ImportError, ImportReport};

/// Paths and names whose rows are remembered; a source is usually shared by neighbours, so few are enough.
const REMEMBERED: usize = 50_000;

/// Numbers of rows by path or name, at most [`REMEMBERED`] of them: when full, it starts afresh.
#[derive(Debug, Default)]
pub(super) struct Known<T>(HashMap<String, T>);

impl<T: Copy> Known<T> {
    pub(super) fn get(&self, key: &str) -> Option<T> {
        self.0.get(key).copied()
    }

    pub(super) fn keep(&mut self, key: &str, value: T) {
        if self.0.contains_key(key) {
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(key.to_owned(), value);
    }
}

/// What became of a group in this import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    New,
    Unchanged,
    Updated,
}

/// What an import remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) report: ImportReport,
    /// The groups of formats that add, by number.
    pub(super) met: HashMap<i64, Fate>,
    /// Whether files are there.
    pub(super) present: Known<bool>,
    /// Size and time of files with images in them.
    pub(super) stamps: Known<Option<Stamp>>,
    pub(super) images: Known<i64>,
    pub(super) groups: Known<i64>,
    pub(super) annotators: Known<i64>,
    /// The names met so far, hashed, with the file and the line or row of the first.
    names: HashMap<[u8; 16], (u64, u64)>,
}

impl Memory {
    /// Refuses a name that an earlier record had. A record that is met again, when it is stored, is the same one.
    pub(super) fn unique(&mut self, record: &GroupRecord) -> Result<(), ImportError> {
        let name = first_half(*blake3::hash(record.key.as_bytes()).as_bytes());
        let here = record.place.identity();
        let first = *self.names.entry(name).or_insert(here);
        if first == here {
            return Ok(());
        }
        let earlier = if first.0 == here.0 {
            format!("on {} {}", record.place.unit(), first.1)
        } else {
            "in an earlier file".to_owned()
        };
        Err(ImportError::Wrong {
            place: record.place.clone(),
            what: format!("the id '{}' was used {earlier} already", record.key),
        })
    }

    pub(super) fn left_out(&mut self, why: String) {
        self.report.left_out += 1;
        if self.report.bad_records.len() < ImportReport::LISTED {
            self.report.bad_records.push(why);
        }
    }

    pub(super) fn contradicts(&mut self, what: impl FnOnce() -> String) {
        self.report.contradictions += 1;
        if self.report.contradicting.len() < ImportReport::LISTED {
            self.report.contradicting.push(what());
        }
    }

    pub(super) fn missing(&mut self, group: &str, path: &str) {
        self.report.missing += 1;
        if self.report.missing_images.len() < ImportReport::LISTED {
            self.report.missing_images.push(format!("{group}: {path}"));
        }
    }

    pub(super) fn into_report(self) -> ImportReport {
        let mut report = self.report;
        for fate in self.met.values() {
            match fate {
                Fate::New => report.groups += 1,
                Fate::Unchanged => report.unchanged += 1,
                Fate::Updated => report.updated += 1,
            }
        }
        report
    }
}
