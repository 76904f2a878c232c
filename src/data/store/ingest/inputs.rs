//! The files that an import is of: those that were named, and those in folders that were named, which are one data set each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::import::{self, ImportError, ImportOptions, Look};

/// One file, or a folder that is a format of its own.
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// The name of the folder that was asked for, if it was one.
    pub(super) folder: Option<String>,
}

/// What was named, with the files of a known format in place of folders that hold such.
pub(super) fn expanded(
    paths: &[PathBuf],
    options: &ImportOptions,
) -> Result<Vec<Input>, ImportError> {
    let mut inputs = Vec::new();
    for path in paths {
        if !path.is_dir() || is_tree(path, options)? {
            inputs.push(Input {
                path: path.clone(),
                folder: None,
            });
            continue;
        }
        // `.` and `..` have no name of their own.
        let full = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = full
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        for file in files(path, options)? {
            inputs.push(Input {
                path: file,
                folder: name.clone(),
            });
        }
    }
    Ok(inputs)
}

/// Whether a folder is a data set as a whole, and not a place where files of one lie.
fn is_tree(path: &Path, options: &ImportOptions) -> Result<bool, ImportError> {
    let look = Look::at(path)?;
    Ok(match &options.format {
        Some(name) => (import::format_named(name)?.fits)(&look),
        None => import::FORMATS.iter().any(|format| (format.fits)(&look)),
    })
}

/// The files of a folder that are of a known format, which has to be the same for all of them.
fn files(folder: &Path, options: &ImportOptions) -> Result<Vec<PathBuf>, ImportError> {
    let unreadable = |why| ImportError::Unreadable {
        file: folder.to_path_buf(),
        why,
    };
    let mut found: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    for path in paths {
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden || !path.is_file() {
            continue;
        }
        let format = match &options.format {
            Some(name) => Some(import::format_named(name)?),
            None if !options.map.is_empty() => Some(import::format_named(import::TABLE)?),
            None => None,
        };
        // A file that is of none, such as a README, is no part of the set.
        let Ok(look) = Look::at(&path) else {
            continue;
        };
        let fits = |known: &&&import::Format| match format {
            // A map says that these are tables, whatever else they look like.
            Some(format) if format.name == import::TABLE => known.name == format.name,
            Some(format) => known.name == format.name && (known.fits)(&look),
            None => (known.fits)(&look),
        };
        if let Some(known) = import::FORMATS.iter().find(fits) {
            found.entry(known.name).or_default().push(path);
        }
    }
    let names: Vec<&str> = found.keys().copied().collect();
    match names.as_slice() {
        [name] => Ok(one_of_each(name, found.remove(name).unwrap_or_default())),
        [] => Err(ImportError::Usage(format!(
            "'{}' has no group folders (each with source.* and instruction.txt) and no file of a known format in it",
            folder.display()
        ))),
        several => Err(ImportError::Usage(format!(
            "'{}' has files of several formats ({}); name the files, or one format with --format",
            folder.display(),
            several.join(", ")
        ))),
    }
}

/// ImagenHub's tables are taken in a task at a time, whichever of them is named: so one of each.
fn one_of_each(format: &str, files: Vec<PathBuf>) -> Vec<PathBuf> {
    if format != import::IMAGENHUB {
        return files;
    }
    let task = |path: &PathBuf| {
        let name = path.to_string_lossy().into_owned();
        name.rsplit_once("_rater").map(|(task, _)| task.to_owned())
    };
    let mut first: BTreeMap<Option<String>, PathBuf> = BTreeMap::new();
    for file in files {
        first.entry(task(&file)).or_insert(file);
    }
    first.into_values().collect()
}
