//! Import: data sets as people have them, turned into records one by one. One file a format, and one row here for each.
//!
//! A format reads and checks; it does not write, look for images, or hold more than a record in memory. Storing is the
//! workspace's part. A format is *whole* where one record tells everything of its group, so that a group that is there already
//! is made what the file says; in any other format a record tells a part (one pair of its candidates, one rating), and what it
//! tells is added.

mod editreward;
mod error;
mod folder;
#[cfg(test)]
pub(super) mod fuzz;
mod gedit;
mod genai;
mod imagenhub;
mod imagereward;
mod jsonl;
mod options;
mod pairs;
mod pointwise;
mod record;
mod rows;
mod sharegpt;
mod table;
mod tuples;

use std::path::{Path, PathBuf};

use super::records;

pub use error::ImportError;
pub use options::{ColumnMap, ImportOptions, ImportProgress, ImportReport, Stage};
pub use record::{CandidateRecord, GroupRecord};

pub(super) use jsonl::write_group;

/// The records of a data set, in order. After an error of one record comes the next; after one that ends the file, nothing.
pub trait GroupSource: Iterator<Item = Result<GroupRecord, ImportError>> {
    /// How much lies behind, in bytes (of a folder, in entries).
    fn behind(&self) -> u64;
    /// How much there is in all, in the same unit; 0 where that is not known.
    fn total(&self) -> u64;
}

/// The records of a data set, whatever its format.
pub type GroupRecords = Box<dyn GroupSource>;

/// A format that data sets come in.
pub struct Format {
    /// Its name, for `--format`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// What tells it: the fields or files it has.
    pub told_by: &'static str,
    /// Whether a record is all that is to be known of its group.
    pub whole: bool,
    /// Whether this is of it.
    pub fits: fn(&Look) -> bool,
    /// Opens a file (or folder) of it.
    pub open: fn(&Opening<'_>) -> Result<GroupRecords, ImportError>,
}

/// What detection looks at.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The file or folder.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    /// The ending of its name, lower case, without the dot.
    pub ending: String,
    /// The names of its columns, or of the fields of its first record.
    pub columns: Vec<String>,
}

impl Look {
    /// Looks at a file's name and first record, or at a folder.
    pub fn at(path: &Path) -> Result<Self, ImportError> {
        let metadata = std::fs::metadata(path).map_err(|why| ImportError::Unreadable {
            file: path.to_path_buf(),
            why,
        })?;
        let folder = metadata.is_dir();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        Ok(Self {
            path: path.to_path_buf(),
            folder,
            ending: ending.to_lowercase(),
            columns: if folder {
                Vec::new()
            } else {
                records::columns(path)?
            },
        })
    }

    /// Whether all of these fields are there.
    pub fn has(&self, fields: &[&str]) -> bool {
        fields
            .iter()
            .all(|field| self.columns.iter().any(|column| column == field))
    }
}

/// How a data set is to be opened.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// The file or folder.
    pub path: &'a Path,
    /// What the data set is called: for the names of groups that have none of their own.
    pub set: &'a str,
    /// Whose judgement it is where the file names nobody.
    pub annotator: &'a str,
    /// Whether such judgements were made by a program.
    pub simulated: bool,
    /// Which column holds what, as the user says.
    pub map: &'a ColumnMap,
    /// Whether images that are in the file itself are to be read and hashed, so that the same picture in two rows is known.
    pub hash: bool,
    /// How many records, wrong ones counted, are to be passed over: they were taken in before.
    pub skip: u64,
}

/// Every format there is, in the order in which they are tried.
pub const FORMATS: &[&Format] = &[
    &jsonl::FORMAT,
    &pairs::FORMAT,
    &pointwise::FORMAT,
    &tuples::JSON,
    &tuples::HUB,
    &editreward::FORMAT,
    &genai::FORMAT,
    &gedit::FORMAT,
    &imagenhub::FORMAT,
    &imagereward::FORMAT,
    &sharegpt::FORMAT,
    &table::FORMAT,
    &folder::FORMAT,
];

/// erw's own JSONL, whatever the file is called.
pub const OWN: &Format = &jsonl::FORMAT;

/// The name of the format for tables of any columns.
pub const TABLE: &str = "table";

/// The name of the format of ImagenHub's raters' tables.
pub(super) const IMAGENHUB: &str = imagenhub::FORMAT.name;

/// The format of that name.
pub fn format_named(name: &str) -> Result<&'static Format, ImportError> {
    let named = FORMATS.iter().find(|format| format.name == name);
    named.copied().ok_or_else(|| ImportError::NoSuchFormat {
        name: name.to_owned(),
        formats: names(),
    })
}

/// The format that a file's name and first record tell, or a folder's content.
pub fn format_of(path: &Path) -> Result<&'static Format, ImportError> {
    let look = Look::at(path)?;
    let fitting = FORMATS.iter().find(|format| (format.fits)(&look));
    fitting.copied().ok_or_else(|| ImportError::UnknownFormat {
        file: look.path,
        columns: look.columns,
        formats: names(),
    })
}

/// The name of the format of a folder tree.
pub const FOLDER: &str = folder::FORMAT.name;

/// The records of a folder tree of that name, a group a folder; image paths start at the tree.
pub fn folder(path: &Path, set: &str) -> Result<GroupRecords, ImportError> {
    (folder::FORMAT.open)(&Opening {
        path,
        set,
        annotator: "",
        simulated: false,
        map: &ColumnMap::default(),
        hash: false,
        skip: 0,
    })
}

/// The records of a file in erw's own JSONL.
pub fn own(file: &Path) -> Result<GroupRecords, ImportError> {
    (OWN.open)(&Opening {
        path: file,
        set: "",
        annotator: "",
        simulated: false,
        map: &ColumnMap::default(),
        hash: false,
        skip: 0,
    })
}

fn names() -> String {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_formats_are_theirs_alone() {
        for (i, format) in FORMATS.iter().enumerate() {
            assert!(FORMATS[..i].iter().all(|other| other.name != format.name));
            assert_eq!(format_named(format.name).unwrap().title, format.title);
        }
        let error = format_named("xlsx").err().unwrap().to_string();
        assert!(
            error.starts_with("there is no format 'xlsx'; the formats are erw"),
            "{error}"
        );
    }

    #[test]
    fn the_readme_lists_every_format() {
        let readme = include_str!("../../../README.md");
        for format in FORMATS {
            let row = format!(
                "| `{}` | {} | {} |",
                format.name, format.title, format.told_by
            );
            assert!(readme.contains(&row), "README.md lacks: {row}");
        }
    }

    #[test]
    fn a_file_of_no_known_format_is_told_with_its_fields() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.csv");
        std::fs::write(&file, "wheels,doors\n4,5\n").unwrap();
        let error = format_of(&file).err().unwrap().to_string();
        assert!(
            error.contains("a.csv' is of no known format (its fields are wheels, doors); --format"),
            "{error}"
        );
    }

    #[test]
    fn own_files_are_known_in_either_case_and_when_empty() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            (
                "A.JSONL",
                r#"{"id":"g","source":"s","instruction":"x","candidates":[]}"#,
            ),
            ("b.ndjson", "\n"),
        ] {
            let file = dir.path().join(name);
            std::fs::write(&file, text).unwrap();
            assert_eq!(format_of(&file).unwrap().name, OWN.name);
        }
    }
}
