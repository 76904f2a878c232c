//! The file that an export becomes: written beside it, and put in its place as a whole.

use std::fs::File;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// A file under way.
pub(super) struct Target {
    file: PathBuf,
    folder: PathBuf,
    beside: PathBuf,
    lock: File,
    placed: std::cell::Cell<bool>,
}

impl Target {
    /// Claims the place beside `file`; two exports to the same file at once are refused. What a killed export left there is
    /// written over.
    pub(super) fn new(file: &Path) -> Result<Self> {
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize()?;
        let name = file
            .file_name()
            .ok_or_else(|| Error::other("it is not the name of a file"))?;
        if file.is_dir() {
            return Err(Error::other("it is a folder"));
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".erw-export");
        let beside = folder.join(hidden);
        let mut options = File::options();
        let lock = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&beside)?;
        lock.try_lock()
            .map_err(|_| Error::other("another export is writing it"))?;
        Ok(Self {
            file: folder.join(name),
            folder,
            beside,
            lock,
            placed: std::cell::Cell::new(false),
        })
    }

    /// Where the file will be: absolute, without symbolic links.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// To write to, empty.
    pub(super) fn file(&self) -> Result<File> {
        self.lock.set_len(0)?;
        self.lock.try_clone()
    }

    /// Puts what was written in its place.
    pub(super) fn finish(&self, written: &File) -> Result<()> {
        written.sync_all()?;
        std::fs::rename(&self.beside, &self.file)?;
        self.placed.set(true);
        Ok(())
    }
}

/// An export that failed leaves nothing behind.
impl Drop for Target {
    fn drop(&mut self) {
        // Once it is in its place, the name beside it may be another export's.
        if !self.placed.get() {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}
