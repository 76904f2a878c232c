//! What can be wrong with a file of records, in words that name the file, the line or row, the field, and what to do.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::text::printable;

/// Where a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: Arc<Path>,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The file as a whole.
    File,
    /// The line that the record begins on, from 1.
    Line(u64),
    /// The row, from 0.
    Row(u64),
}

impl Place {
    pub(in crate::data) fn file(file: &Arc<Path>) -> Self {
        Self {
            file: Arc::clone(file),
            at: At::File,
        }
    }

    pub(in crate::data) fn line(file: &Arc<Path>, line: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at: At::Line(line),
        }
    }

    pub(super) fn row(file: &Arc<Path>, row: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at: At::Row(row),
        }
    }

    /// Tells it from other places: the file, hashed, and the line or row.
    pub(in crate::data) fn identity(&self) -> (u64, u64) {
        let mut hasher = std::hash::DefaultHasher::new();
        self.file.hash(&mut hasher);
        let number = match self.at {
            At::File => 0,
            At::Line(number) | At::Row(number) => number,
        };
        (hasher.finish(), number)
    }

    /// What its number counts.
    pub(in crate::data) fn unit(&self) -> &'static str {
        match self.at {
            At::File => "file",
            At::Line(_) => "line",
            At::Row(_) => "row",
        }
    }

    /// That this record, and no more than this record, cannot be read.
    pub(super) fn unparsable(self, what: impl Into<String>) -> RecordError {
        RecordError::Unparsable {
            place: self,
            what: what.into(),
        }
    }

    /// That nothing from here on can be read.
    pub(in crate::data) fn broken(self, what: impl Into<String>) -> RecordError {
        RecordError::Broken {
            place: self,
            what: what.into(),
        }
    }
}

/// The file as it was named, and the line (from 1) on which the record begins or the row (from 0, which it says).
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.to_string_lossy();
        f.write_str(&printable(&file))?;
        match self.at {
            At::File => Ok(()),
            At::Line(line) => write!(f, ":{line}"),
            At::Row(row) => write!(f, ", row {row} (counted from 0)"),
        }
    }
}

/// The most letters that are told of what is wrong with a record.
const LONGEST: usize = 400;

/// A text that is not longer than an error should be: a value may be as long as its file.
pub(in crate::data) fn shortened(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// Why a file, or a record of it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("cannot read '{}': {why}", printable(&file.to_string_lossy()))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file's name tells no known format, or its first bytes tell another.
    #[error("'{}' is no table or list that can be read: {why}", printable(&file.to_string_lossy()))]
    UnknownFormat {
        /// The file.
        file: PathBuf,
        /// What is known of it, and what to do.
        why: String,
    },
    /// From here on nothing can be read; the records before it were.
    #[error("{place}: {what}; nothing after this can be read")]
    Broken {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// This record cannot be read; those after it can.
    #[error("{place}: {what}")]
    Unparsable {
        /// The record.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// A field of this record is missing, or not what is needed.
    #[error("{place}: '{}': {reason}", printable(field))]
    Field {
        /// The record.
        place: Place,
        /// The field's name, with those of the objects around it ("human_vote.ranking").
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl RecordError {
    /// Whether the file ends with this error. After any other the next record is read.
    pub fn ends(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::UnknownFormat { .. } | Self::Broken { .. } => true,
            Self::Unparsable { .. } | Self::Field { .. } => false,
        }
    }
}

/// The most letters of a value that an error shows.
const SHOWN: usize = 40;

/// A value from data as an error shows it: short, and steering no terminal.
pub(super) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let head: String = letters.by_ref().take(SHOWN).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("\"{}{more}\"", printable(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_how_it_counts() {
        let file: Arc<Path> = Arc::from(Path::new("set/votes.json"));
        assert_eq!(Place::file(&file).to_string(), "set/votes.json");
        assert_eq!(Place::line(&file, 17).to_string(), "set/votes.json:17");
        assert_eq!(
            Place::row(&file, 0).to_string(),
            "set/votes.json, row 0 (counted from 0)"
        );
    }

    #[test]
    fn names_and_values_from_data_steer_nothing() {
        let file: Arc<Path> = Arc::from(Path::new("a\u{1b}[2Jb.json"));
        assert_eq!(Place::line(&file, 1).to_string(), "a [2Jb.json:1");
        assert_eq!(shown("x\u{1b}[31my"), "\"x [31my\"");
        assert_eq!(shown(&"é".repeat(50)), format!("\"{}…\"", "é".repeat(40)));
        let error = RecordError::Field {
            place: Place::line(&file, 2),
            field: "a\u{202e}b".into(),
            reason: "is missing".into(),
        };
        assert_eq!(error.to_string(), "a [2Jb.json:2: 'ab': is missing");
    }

    #[test]
    fn only_errors_of_the_file_end_it() {
        let file: Arc<Path> = Arc::from(Path::new("votes.json"));
        assert!(Place::line(&file, 1).broken("x").ends());
        assert!(!Place::line(&file, 1).unparsable("x").ends());
        assert_eq!(
            Place::line(&file, 3).broken("it is cut short").to_string(),
            "votes.json:3: it is cut short; nothing after this can be read"
        );
    }
}
