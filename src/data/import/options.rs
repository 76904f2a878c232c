//! How a data set is taken in, how far that is, and what came of it.

use std::path::PathBuf;

use super::ImportError;

/// How a data set is taken in.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct ImportOptions {
    /// The format's name; without it, it is told by what is in the file.
    pub format: Option<String>,
    /// Where relative image paths start; without it, at the file's folder.
    pub root: Option<PathBuf>,
    /// What the data set is called; without it, as the file.
    pub set: Option<String>,
    /// The part of the data that it is ("train", "test", …).
    pub split: Option<String>,
    /// Whose judgements these are where the file names nobody; without it, the data set's name.
    pub annotator: Option<String>,
    /// Such judgements were made by a program.
    pub simulated: bool,
    /// Which column holds what.
    pub map: ColumnMap,
    /// Take the images into the workspace's folder, by content, instead of leaving them where they are.
    pub copy: bool,
    /// Make groups what the file says, also in a format whose records only add.
    pub replace: bool,
    /// Leave out records that are wrong, instead of taking in nothing.
    pub skip_bad: bool,
}

/// Which column of a table holds which field, as a user wrote it (`instruction=prompt,source=src`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    pairs: Vec<(String, String)>,
}

impl ColumnMap {
    /// Reads `field=column` pairs, separated by commas.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let Some((field, column)) = pair.split_once('=') else {
                return Err(ImportError::Usage(format!(
                    "--map: '{pair}' is not FIELD=COLUMN (such as instruction=prompt)"
                )));
            };
            let (field, column) = (field.trim(), column.trim());
            if field.is_empty() || column.is_empty() {
                return Err(ImportError::Usage(format!(
                    "--map: '{pair}' lacks a field or a column"
                )));
            }
            if pairs.iter().any(|(f, _)| f == field) {
                return Err(ImportError::Usage(format!(
                    "--map: '{field}' is given twice"
                )));
            }
            pairs.push((field.to_owned(), column.to_owned()));
        }
        Ok(Self { pairs })
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The column that holds a field.
    pub fn column(&self, field: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(f, _)| f == field);
        found.map(|(_, column)| column.as_str())
    }

    /// The fields that were named, in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(field, _)| field.as_str())
    }
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Every record is read and checked, before anything is stored.
    Checking,
    /// They are stored.
    Storing,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportProgress {
    /// What it is doing.
    pub stage: Stage,
    /// How much of the data lies behind, in bytes (of a folder, in entries), in this stage.
    pub done: u64,
    /// How much there is; 0 where that is not known.
    pub total: u64,
    /// Records behind.
    pub records: u64,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The format's name.
    pub format: String,
    /// Groups that were not there before.
    pub groups: usize,
    /// Candidates that were not there before.
    pub candidates: usize,
    /// Labels that were not there before.
    pub labels: usize,
    /// Votes between candidates that were not there before.
    pub votes: usize,
    /// Ratings on other scales that were not there before.
    pub ratings: usize,
    /// Groups that were there already, unchanged.
    pub unchanged: usize,
    /// Groups that were there already and differ in the file.
    pub updated: usize,
    /// How many images could not be found.
    pub missing: usize,
    /// The first [`LISTED`](Self::LISTED) images that could not be found, as `group: path`.
    pub missing_images: Vec<String>,
    /// How many judgements contradict another one by the same annotator on the same thing; both are kept.
    pub contradictions: usize,
    /// The first [`LISTED`](Self::LISTED) of them, in words.
    pub contradicting: Vec<String>,
    /// How many records were wrong and left out.
    pub left_out: usize,
    /// The first [`LISTED`](Self::LISTED) of them: what is wrong with each.
    pub bad_records: Vec<String>,
}

impl ImportReport {
    /// How many missing images, contradictions and bad records are named; beyond that they are only counted.
    pub const LISTED: usize = 1000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_map_is_read_and_what_is_wrong_with_it_is_said() {
        let map = ColumnMap::parse("instruction=prompt, source = src,").unwrap();
        assert_eq!(map.column("source"), Some("src"));
        assert_eq!(map.column("edited"), None);
        assert_eq!(map.fields().collect::<Vec<_>>(), ["instruction", "source"]);
        assert!(ColumnMap::parse("").unwrap().is_empty());
        for (text, says) in [
            ("prompt", "not FIELD=COLUMN"),
            ("=x", "lacks a field"),
            ("a=", "lacks a field or a column"),
            ("a=b,a=c", "given twice"),
        ] {
            let error = ColumnMap::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
