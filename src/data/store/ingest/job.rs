//! One file (or folder) of an import: its format, where its paths start, what it is called, and what makes its records those
//! of this workspace.

use std::path::Path;

use crate::data::import::{
    self, Format, GroupRecord, GroupRecords, ImportError, ImportOptions, Opening,
};
use crate::domain::ImageRef;

use super::super::places::Places;
use super::super::scores::first_half;

/// One file or folder that is taken in.
pub(super) struct Job<'a> {
    pub(super) path: &'a Path,
    pub(super) format: &'static Format,
    pub(super) options: &'a ImportOptions,
    /// What the data set is called.
    set: String,
    /// A file or folder, and no pipe.
    pub(super) rereadable: bool,
    places: Places,
}

impl<'a> Job<'a> {
    /// `folder` names the folder that was asked for, where the file is one of those in it.
    pub(super) fn new(
        workspace: &Path,
        path: &'a Path,
        folder: Option<&str>,
        options: &'a ImportOptions,
    ) -> Result<Self, ImportError> {
        let unreadable = |why| ImportError::Unreadable {
            file: path.to_path_buf(),
            why,
        };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        let format = match &options.format {
            Some(name) => import::format_named(name)?,
            None if !options.map.is_empty() => import::format_named(import::TABLE)?,
            None => import::format_of(path)?,
        };
        // Where a format was named beside it.
        if !options.map.is_empty() && format.name != import::TABLE {
            return Err(ImportError::Usage(format!(
                "--map is for tables of any columns, and '{}' was read as {}; add --format {} if that is meant",
                path.display(),
                format.title,
                import::TABLE
            )));
        }
        let places = match &options.root {
            Some(root) => Places::below(workspace, root),
            None if metadata.is_dir() => Places::below(workspace, path),
            None => Places::new(workspace, path),
        };
        Ok(Self {
            path,
            format,
            options,
            set: match (&options.set, folder) {
                (Some(set), _) => set.clone(),
                (None, Some(folder)) => folder.to_owned(),
                (None, None) => set_name(path),
            },
            rereadable: metadata.is_file() || metadata.is_dir(),
            places: places.map_err(unreadable)?,
        })
    }

    pub(super) fn open(&self, skip: u64, hash: bool) -> Result<GroupRecords, ImportError> {
        (self.format.open)(&Opening {
            path: self.path,
            set: &self.set,
            annotator: self.options.annotator.as_deref().unwrap_or(&self.set),
            simulated: self.options.simulated,
            map: &self.options.map,
            hash,
            skip,
        })
    }

    /// A record, checked, with paths and names as they are stored.
    pub(super) fn examined(
        &self,
        record: Result<GroupRecord, ImportError>,
    ) -> Result<GroupRecord, ImportError> {
        let mut record = record?;
        let place = record.place.clone();
        let wrong = |what: String| ImportError::wrong(&place, what);
        record.check(self.format.whole).map_err(wrong)?;
        let paths = record.candidates.iter_mut().map(|c| &mut c.image);
        for path in paths.chain([&mut record.source]) {
            if path != ImageRef::NONE {
                *path = self.places.stored(path).map_err(wrong)?;
            }
        }
        if record.split.is_none() {
            record.split.clone_from(&self.options.split);
        }
        if record.set.is_none() {
            record.set = match self.format.name {
                name if name == import::OWN.name => self.options.set.clone(),
                _ => Some(self.set.clone()),
            };
        }
        if !self.format.whole {
            record.key = if record.key.is_empty() {
                derived(&self.set, &record)
            } else {
                format!("{}/{}", self.set, record.key)
            };
        }
        Ok(record)
    }

    /// What names this import, so that a killed one can go on: the file as it is now, and how it is taken in. `None` for what
    /// cannot go on: a pipe, and groups that are first emptied.
    pub(super) fn id(&self) -> Option<[u8; 16]> {
        if !self.rereadable || self.options.replace {
            return None;
        }
        let metadata = std::fs::metadata(self.path).ok()?;
        let modified = metadata.modified().ok();
        let what = format!(
            "{:?}",
            (
                self.path.canonicalize().ok()?,
                metadata.len(),
                modified,
                self.format.name,
                &self.set,
                self.options
            )
        );
        Some(first_half(*blake3::hash(what.as_bytes()).as_bytes()))
    }
}

/// A name for a group that has none: the same for the same source and instruction.
pub(super) fn derived(set: &str, record: &GroupRecord) -> String {
    let source = record.source_hash.as_ref().unwrap_or(&record.source);
    let mut hasher = blake3::Hasher::new();
    hasher.update(source.as_bytes());
    hasher.update(&[0]);
    hasher.update(record.instruction.trim().as_bytes());
    let hex = hasher.finalize().to_hex();
    format!("{set}/{}", &hex.as_str()[..16])
}

/// What a data set is called that was given no name: as its file, without the part that numbers shards or raters.
fn set_name(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .filter(|stem| !stem.is_empty())
        .unwrap_or_else(|| "data".into());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let shard = stem.rsplit_once("-of-").and_then(|(head, count)| {
        let (name, number) = head.rsplit_once('-')?;
        (digits(count) && digits(number) && !name.is_empty()).then(|| name.to_owned())
    });
    let rater = stem.rsplit_once("_rater");
    let rater =
        rater.and_then(|(name, n)| (digits(n) && !name.is_empty()).then(|| name.to_owned()));
    shard.or(rater).unwrap_or(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_called_as_its_file_and_shards_of_one_set_alike() {
        for (path, name) in [
            ("a/valid_dataset_1.json", "valid_dataset_1"),
            ("train-00003-of-00042.parquet", "train"),
            ("one-of-many.json", "one-of-many"),
            ("Text-Guided_IE_rater2.tsv", "Text-Guided_IE"),
            ("-1-of-2.json", "-1-of-2"),
            ("/", "data"),
        ] {
            assert_eq!(set_name(Path::new(path)), name);
        }
    }
}
