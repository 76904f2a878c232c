//! Import: data sets as people have them, turned into records one by one. One file a format, and one row here for each.
//!
//! A format reads and checks; it does not write, look for images, or hold more than a record in memory. Storing is the
//! workspace's part: all of a file or, on an error, nothing of it.

mod jsonl;

use std::path::{Path, PathBuf};

use crate::domain::{Axis, Label};

pub(super) use jsonl::write_group;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Groups that were not there before.
    pub groups: usize,
    /// Candidates that were not there before.
    pub candidates: usize,
    /// Labels that were not there before.
    pub labels: usize,
    /// Groups that were there already, unchanged.
    pub unchanged: usize,
    /// Groups that were there already and differ in the file: they are now as the file has them.
    pub updated: usize,
    /// How many images could not be found.
    pub missing: usize,
    /// The first [`MISSING_LISTED`](Self::MISSING_LISTED) images that could not be found, as `group: path`.
    pub missing_images: Vec<String>,
}

impl ImportReport {
    /// How many missing images are named; beyond that they are only counted.
    pub const MISSING_LISTED: usize = 1000;
}

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read '{}': {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {what} (nothing of this file was imported)", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Its name tells no known format.
    #[error("'{}' is of no known format; the formats are {}", file.display(), known_formats())]
    UnknownFormat {
        /// The file.
        file: PathBuf,
    },
}

/// A group as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it begins in the file, counted from 1.
    pub line: usize,
    /// Its name, unique in the data set.
    pub key: String,
    /// The image before the edit: a path as written in the file.
    pub source: String,
    /// What was asked for.
    pub instruction: String,
    /// The kind of edit, if known.
    pub category: Option<String>,
    /// The edited images, one or more, no two of the same name.
    pub candidates: Vec<CandidateRecord>,
}

/// A candidate as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateRecord {
    /// Its name within the group.
    pub key: String,
    /// The edited image: a path as written in the file.
    pub image: String,
    /// The editor model that made it, if known.
    pub editor: Option<String>,
    /// The seed it was made with, if known.
    pub seed: Option<u64>,
    /// The fault that was put in, if any.
    pub fault: Option<String>,
    /// What people said of it, no two of one annotator on one axis.
    pub labels: Vec<Label>,
}

/// The records of a file, in order, ending with the first error.
pub type Records = Box<dyn Iterator<Item = Result<Record, ImportError>>>;

/// A format that data sets come in.
pub struct Format {
    /// Its name, for people.
    pub name: &'static str,
    /// The file name endings that tell it, lower case, without the dot.
    pub endings: &'static [&'static str],
    /// Opens a file of it.
    pub open: fn(&Path) -> Result<Records, ImportError>,
}

/// Every format there is.
pub const FORMATS: &[Format] = &[jsonl::FORMAT];

/// The format that a file's name tells.
pub fn format_of(file: &Path) -> Result<&'static Format, ImportError> {
    let ending = file
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    FORMATS
        .iter()
        .find(|format| format.endings.iter().any(|e| Some(*e) == ending.as_deref()))
        .ok_or_else(|| ImportError::UnknownFormat {
            file: file.to_path_buf(),
        })
}

/// erw's own JSONL, whatever the file is called.
pub const OWN: &Format = &jsonl::FORMAT;

fn known_formats() -> String {
    let formats: Vec<String> = FORMATS
        .iter()
        .map(|format| format!("{} (.{})", format.name, format.endings.join(", .")))
        .collect();
    formats.join(" and ")
}

/// What all formats must hold to, checked in one place; the text says what does not.
fn check(record: &Record) -> Result<(), String> {
    let named = |what: &str, text: &str| {
        if text.is_empty() {
            return Err(format!("{what} is empty"));
        }
        Ok(())
    };
    named("the 'id' of the group", &record.key)?;
    named("'source'", &record.source)?;
    if record.candidates.is_empty() {
        return Err(format!("group '{}' has no candidates", record.key));
    }
    for (index, candidate) in record.candidates.iter().enumerate() {
        let key = &candidate.key;
        named("the 'id' of a candidate", key)?;
        named(&format!("'image' of candidate '{key}'"), &candidate.image)?;
        if record.candidates[..index].iter().any(|c| c.key == *key) {
            return Err(format!(
                "two candidates of group '{}' have the id '{key}'",
                record.key
            ));
        }
        check_labels(candidate)?;
    }
    Ok(())
}

fn check_labels(candidate: &CandidateRecord) -> Result<(), String> {
    let key = &candidate.key;
    for (index, label) in candidate.labels.iter().enumerate() {
        let (annotator, axis) = (&label.annotator, label.axis);
        if annotator.is_empty() {
            return Err(format!(
                "a label of candidate '{key}' has an empty 'annotator'"
            ));
        }
        if !(1.0..=4.0).contains(&label.score) {
            return Err(format!(
                "'{}' of candidate '{key}' by '{annotator}' is {}; scores go from 1 to 4",
                axis.key(),
                label.score
            ));
        }
        let same = |l: &Label| l.axis == axis && l.annotator == *annotator;
        if candidate.labels[..index].iter().any(same) {
            return Err(format!(
                "'{annotator}' scored '{}' of candidate '{key}' twice",
                axis.key()
            ));
        }
    }
    Ok(())
}

/// Both axes of one judgement as labels.
fn labels_of(
    annotator: &str,
    scores: [(Axis, Option<f64>); 2],
    simulated: bool,
) -> impl Iterator<Item = Label> {
    scores.into_iter().filter_map(move |(axis, score)| {
        Some(Label {
            annotator: annotator.to_owned(),
            axis,
            score: score?,
            simulated,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formats_name_ending_tells_it_in_either_case() {
        assert_eq!(format_of(Path::new("a/B.JSONL")).unwrap().name, OWN.name);
        let error = format_of(Path::new("a/b.xlsx"))
            .map(|f| f.name)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "'a/b.xlsx' is of no known format; the formats are erw's JSONL (.jsonl, .ndjson)"
        );
    }
}
