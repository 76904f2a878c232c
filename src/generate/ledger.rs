//! `made.jsonl`, beside the images: one line for each that was made, with what it was made of and by what. It is how an image that
//! is not in the workspace (not sampled, or made by a run that was killed the moment after) is known again and not made a second
//! time.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::GenerateError;
use crate::runs::end_the_last_line;

/// The file's name.
pub const LEDGER: &str = "made.jsonl";

/// An image that was made, as a line has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The group's name.
    pub(super) group: String,
    /// The editor's.
    pub(super) editor: String,
    /// The seed.
    pub(super) seed: u64,
    /// Its path, below the folder of the file.
    pub(super) image: String,
    /// Hex BLAKE3 of the image file.
    pub(super) hash: String,
    /// Equal for the same source, instruction, editor and seed.
    pub(super) asked: String,
    /// What was asked for.
    pub(super) instruction: String,
    /// The command or the model.
    pub(super) by: String,
    /// The run that made it.
    pub(super) run: String,
}

/// What is remembered of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) image: String,
    pub(super) hash: String,
    pub(super) asked: String,
    pub(super) run: String,
}

/// The open file, held by this process alone.
#[derive(Debug)]
pub(super) struct Ledger {
    folder: PathBuf,
    file: File,
    known: HashMap<(String, String, u64), Known>,
}

impl Ledger {
    /// Opens the file in `folder`, which is made where it is missing, and reads it. A line that a kill cut short is passed over.
    pub(super) fn open(folder: &Path) -> Result<Self, GenerateError> {
        fs::create_dir_all(folder).map_err(GenerateError::files("create", folder))?;
        let path = folder.join(LEDGER);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(GenerateError::files("open", &path))?;
        // A file system without locks is no reason to make nothing.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(GenerateError::Busy {
                folder: folder.to_owned(),
            });
        }
        let known = read(&path, &mut file)?;
        end_the_last_line(&mut file).map_err(GenerateError::files("write", &path))?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
            known,
        })
    }

    /// What `folder` tells, without holding it; nothing where there is no file.
    pub(super) fn glance(
        folder: &Path,
    ) -> Result<HashMap<(String, String, u64), Known>, GenerateError> {
        let path = folder.join(LEDGER);
        match File::open(&path) {
            Ok(mut file) => read(&path, &mut file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(HashMap::new()),
            Err(e) => Err(GenerateError::files("open", &path)(e)),
        }
    }

    /// The folder of the images.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All that is known.
    pub(super) fn known(&self) -> &HashMap<(String, String, u64), Known> {
        &self.known
    }

    /// Adds a line; when this returns, it is on the disk.
    pub(super) fn add(&mut self, made: Made) -> Result<(), GenerateError> {
        let path = self.folder.join(LEDGER);
        let failed = GenerateError::files("write", &path);
        let write = |file: &mut File| {
            let mut line = serde_json::to_vec(&made)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.sync_data()
        };
        write(&mut self.file).map_err(failed)?;
        remember(&mut self.known, made);
        Ok(())
    }
}

fn read(
    path: &Path,
    file: &mut File,
) -> Result<HashMap<(String, String, u64), Known>, GenerateError> {
    let mut known = HashMap::new();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(GenerateError::files("read", path))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(made) => remember(&mut known, made),
            Err(e) if e.is_eof() => {}
            Err(e) => {
                return Err(GenerateError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    why: format!("this is nothing that was made ({e})"),
                });
            }
        }
    }
    Ok(known)
}

fn remember(known: &mut HashMap<(String, String, u64), Known>, made: Made) {
    let key = (made.group, made.editor, made.seed);
    known.insert(
        key,
        Known {
            image: made.image,
            hash: made.hash,
            asked: made.asked,
            run: made.run,
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seed: u64, hash: &str) -> Made {
        Made {
            group: "g".into(),
            editor: "e".into(),
            seed,
            image: format!("g/e-{seed}.png"),
            hash: hash.into(),
            asked: "q".into(),
            instruction: "say \"x\"\n".into(),
            by: "python edit.py".into(),
            run: "r".into(),
        }
    }

    fn hash_of(ledger: &Ledger, seed: u64) -> Option<&str> {
        let known = ledger.known().get(&("g".into(), "e".into(), seed));
        known.map(|k| k.hash.as_str())
    }

    #[test]
    fn what_was_made_is_known_again_and_the_last_line_counts() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("deep/generated");
        assert!(Ledger::glance(&folder).unwrap().is_empty());
        let mut ledger = Ledger::open(&folder).unwrap();
        for (seed, hash) in [(1, "a"), (2, "b"), (1, "c")] {
            ledger.add(made(seed, hash)).unwrap();
        }
        drop(ledger);
        let ledger = Ledger::open(&folder).unwrap();
        assert_eq!(
            (hash_of(&ledger, 1), hash_of(&ledger, 2)),
            (Some("c"), Some("b"))
        );
        assert_eq!(Ledger::glance(&folder).unwrap().len(), 2);
    }

    #[test]
    fn a_line_that_a_kill_cut_short_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let whole = serde_json::to_string(&made(1, "a")).unwrap();
        let torn = format!("{whole}\n{}", &whole[..whole.len() / 2]);
        fs::write(dir.path().join(LEDGER), torn).unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger.add(made(2, "b")).unwrap();
        drop(ledger);
        let ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(
            (hash_of(&ledger, 1), hash_of(&ledger, 2)),
            (Some("a"), Some("b"))
        );
    }

    #[test]
    fn a_folder_is_filled_by_one_process_at_a_time_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = Ledger::open(dir.path()).unwrap();
        let second = Ledger::open(dir.path()).unwrap_err().to_string();
        assert!(second.contains("another run makes candidates"), "{second}");
        drop(first);
        fs::write(dir.path().join(LEDGER), "{\"a\": 1}\n").unwrap();
        let error = Ledger::open(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("made.jsonl:1: this is nothing that was made"),
            "{error}"
        );
    }
}
