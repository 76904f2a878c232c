//! A folder tree: a folder for each group, with its images in it.
//!
//! ```text
//! set/
//!   bison/
//!     source.jpg          the source image
//!     instruction.txt     what was asked for
//!     category.txt        the kind of edit; may be missing
//!     flux--7.png         every other image is a candidate: before `--` its editor
//!     omnigen.png
//! ```
//!
//! Folders and files whose names begin with a dot are passed over, and links to folders are not followed. A group is named
//! `set/bison` after the folders.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::{CandidateRecord, GroupRecord};
use super::{Format, GroupRecords, GroupSource, ImportError, Opening};
use crate::data::records::Place;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "folder",
    title: "a folder of groups, each a folder with source.* and instruction.txt",
    told_by: "it is a folder of such folders",
    whole: true,
    fits: |look| look.folder && groups(&look.path).is_ok_and(|groups| !groups.is_empty()),
    open: |opening| Ok(Box::new(Tree::open(opening)?) as GroupRecords),
};

/// Endings of images that are read, lower case.
const IMAGES: [&str; 8] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"];
/// The longest instruction that is read, in bytes.
const LONGEST: u64 = 1 << 20;

struct Tree {
    set: String,
    groups: std::vec::IntoIter<PathBuf>,
    done: u64,
    total: u64,
}

impl Tree {
    fn open(opening: &Opening<'_>) -> Result<Self, ImportError> {
        let groups = groups(opening.path)?;
        let total = groups.len() as u64;
        let mut tree = Self {
            set: opening.set.to_owned(),
            groups: groups.into_iter(),
            done: 0,
            total,
        };
        for _ in 0..opening.skip {
            tree.done += u64::from(tree.groups.next().is_some());
        }
        Ok(tree)
    }
}

impl Iterator for Tree {
    type Item = Result<GroupRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let folder = self.groups.next()?;
        self.done += 1;
        Some(group(&self.set, &folder))
    }
}

impl GroupSource for Tree {
    fn behind(&self) -> u64 {
        self.done
    }

    fn total(&self) -> u64 {
        self.total
    }
}

/// What is in a folder, sorted, without what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let unreadable = |why| ImportError::Unreadable {
        file: folder.to_path_buf(),
        why,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The folders of groups.
fn groups(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let is_group = |path: &PathBuf| {
        let real = std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
        real && path.join("instruction.txt").is_file()
    };
    Ok(entries(folder)?.into_iter().filter(is_group).collect())
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| IMAGES.contains(&ending.as_str())) && path.is_file()
}

fn group(set: &str, folder: &Path) -> Result<GroupRecord, ImportError> {
    let place = Place::file(&Arc::from(folder));
    let wrong = |what: String| ImportError::wrong(&place, what);
    let name = text_of(folder.file_name())
        .ok_or_else(|| wrong("the folder's name is not UTF-8; rename it".to_owned()))?;
    let instruction = read(&folder.join("instruction.txt"))?.trim().to_owned();
    let category = folder.join("category.txt");
    let category = if category.is_file() {
        Some(read(&category)?.trim().to_owned())
    } else {
        None
    };
    let mut source = None;
    let mut candidates = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| is_image(path)) {
        let (Some(stem), Some(file)) = (text_of(path.file_stem()), text_of(path.file_name()))
        else {
            return Err(wrong("the name of an image is not UTF-8; rename it".into()));
        };
        let image = format!("{name}/{file}");
        if stem == "source" {
            if let Some(first) = source.replace(image) {
                return Err(wrong(format!(
                    "there are two sources, '{first}' and another"
                )));
            }
            continue;
        }
        let editor = stem.split_once("--").map_or(stem, |(editor, _)| editor);
        candidates.push(CandidateRecord {
            key: stem.to_owned(),
            image,
            editor: Some(editor.to_owned()),
            ..CandidateRecord::default()
        });
    }
    let source = source.ok_or_else(|| wrong("there is no source.png, source.jpg, …".into()))?;
    if candidates.is_empty() {
        return Err(wrong("there is no image beside the source".into()));
    }
    Ok(GroupRecord {
        key: format!("{set}/{name}"),
        category,
        ..GroupRecord::new(place.clone(), source, instruction, candidates)
    })
}

fn text_of(name: Option<&OsStr>) -> Option<&str> {
    name?.to_str()
}

/// A small text file.
fn read(file: &Path) -> Result<String, ImportError> {
    let unreadable = |why| ImportError::Unreadable {
        file: file.to_path_buf(),
        why,
    };
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    let place = Place::file(&Arc::from(file));
    if size > LONGEST {
        return Err(ImportError::wrong(&place, "is too long for an instruction"));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| ImportError::wrong(&place, "is not UTF-8"))
}
