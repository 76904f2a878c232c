//! Why a data set cannot be imported, in words.

use std::fmt;
use std::path::PathBuf;

use crate::data::records::{Place, RecordError, shortened};
use crate::domain::text::printable;

/// Why a file cannot be imported, or a record of it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read '{}': {why}", printable(&file.to_string_lossy()))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// Something in a record is wrong.
    #[error("{place}: {what}")]
    Wrong {
        /// The record.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// A record, or the file that it is in, cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Neither its name nor its columns tell a known format.
    #[error(
        "'{}' is of no known format{}; --format names one: {formats}",
        printable(&file.to_string_lossy()),
        found(columns)
    )]
    UnknownFormat {
        /// The file.
        file: PathBuf,
        /// The columns that it has, where it is a table or list.
        columns: Vec<String>,
        /// The formats there are.
        formats: String,
    },
    /// There is no format of the name that was asked for.
    #[error("there is no format '{}'; the formats are {formats}", printable(name))]
    NoSuchFormat {
        /// What was asked for.
        name: String,
        /// The formats there are.
        formats: String,
    },
    /// What was asked for makes no sense for this file.
    #[error("{}", shortened(.0.clone()))]
    Usage(String),
    /// Records are wrong, and nothing was imported.
    #[error("{}", refused(first, *more))]
    Refused {
        /// The first of them, in words.
        first: Vec<String>,
        /// How many there are beyond those.
        more: usize,
    },
}

impl ImportError {
    /// That a record is wrong.
    pub(in crate::data) fn wrong(place: &Place, what: impl Into<String>) -> Self {
        Self::Wrong {
            place: place.clone(),
            what: shortened(what.into()),
        }
    }

    /// Whether nothing can be read after this; after any other the next record is read.
    pub(in crate::data) fn ends(&self) -> bool {
        match self {
            Self::Wrong { .. } => false,
            Self::Record(error) => error.ends(),
            _ => true,
        }
    }
}

/// The columns in words, at most a dozen of them.
fn found(columns: &[String]) -> String {
    const SHOWN: usize = 12;
    if columns.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|c| printable(c).into_owned())
        .collect();
    if columns.len() > SHOWN {
        names.push("…".into());
    }
    format!(" (its fields are {})", names.join(", "))
}

fn refused(first: &[String], more: usize) -> impl fmt::Display {
    let mut text = first.join("\n");
    if more > 0 {
        text += "\nand ";
        text += &more.to_string();
        text += " more";
    }
    text.push_str(
        "\nnothing was imported; mend the file, or leave such records out with --skip-bad",
    );
    text
}
