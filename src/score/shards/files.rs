//! The files of a run that is scored in shards, all in `shards/` in its folder: lines of JSON, one a group.
//!
//! ```text
//! plan.json           what all who work on shards need to know; written last, so that what it speaks of is there
//! 000.in.jsonl        what is to be scored                                                          [`Item`]
//! 000.part.jsonl      what was scored so far, appended a whole group at a time                      [`Scores`]
//! 000.scores.jsonl    all that was scored: the same file under another name
//! 000.merged.json     that these scores are in the workspace, and what they add up to
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::run::ScoreError;
use super::super::tally::{LeftOut, Tally};
use crate::domain::{CandidateId, Gaussian, GroupId, Reward};
use crate::runs::Folder;

/// What all who work on shards need to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How many shards there are.
    pub shards: usize,
    /// The workspace, and the folder that relative image paths start from.
    pub root: PathBuf,
    /// The model's folder.
    pub model: PathBuf,
    /// The model's fingerprint: scores of another are not what was planned.
    pub fingerprint: String,
    /// What was stored already, with all groups and candidates counted.
    pub known: Tally,
    /// How many candidates are to be scored.
    pub wanted: usize,
}

/// A group, with the candidates that have no score yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// Its number in the workspace.
    pub(super) id: GroupId,
    /// Its name.
    pub(super) group: String,
    /// The image before the edit: absolute, or below the root.
    pub(super) source: String,
    /// What was asked for.
    pub(super) instruction: String,
    /// What is to be scored.
    pub(super) candidates: Vec<ItemCandidate>,
}

/// A candidate without a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ItemCandidate {
    /// Its number in the workspace.
    pub(super) id: CandidateId,
    /// Its name within the group.
    pub(super) candidate: String,
    /// The edited image: absolute, or below the root.
    pub(super) image: String,
}

/// What came of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scores {
    /// Its number in the workspace.
    pub(super) id: GroupId,
    /// Its name.
    pub(super) group: String,
    /// What was asked for.
    pub(super) instruction: String,
    /// The hash of the source's content; empty where nothing was scored.
    pub(super) source: String,
    /// The scores.
    #[serde(rename = "scores")]
    pub(super) candidates: Vec<CandidateScore>,
    /// What has none.
    pub(super) left_out: Vec<LeftOut>,
}

/// The score of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CandidateScore {
    /// Its number in the workspace.
    pub(super) id: CandidateId,
    /// Its name within the group.
    pub(super) candidate: String,
    /// The hash of its image's content.
    pub(super) image: String,
    /// Instruction following; null where the model has one head.
    #[serde(rename = "if")]
    pub(super) instruction_following: Option<Gaussian>,
    /// Visual quality; null where the model has one head.
    #[serde(rename = "vq")]
    pub(super) visual_quality: Option<Gaussian>,
    /// Both together.
    pub(super) aggregate: Gaussian,
}

impl CandidateScore {
    /// As the model gave it.
    pub(super) fn reward(&self) -> Reward {
        Reward {
            instruction_following: self.instruction_following,
            visual_quality: self.visual_quality,
            aggregate: self.aggregate,
        }
    }
}

pub(super) const IN: &str = "in.jsonl";
pub(super) const PART: &str = "part.jsonl";
pub(super) const SCORES: &str = "scores.jsonl";
pub(super) const MERGED: &str = "merged.json";

impl Plan {
    pub(super) fn file(folder: &Folder) -> PathBuf {
        folder.shards_dir().join("plan.json")
    }

    /// Whether the run is one in shards, and was planned to the end.
    pub fn is_there(folder: &Folder) -> bool {
        Self::file(folder).exists()
    }

    /// The plan of a run.
    pub fn read(folder: &Folder) -> Result<Self, ScoreError> {
        let path = Self::file(folder);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| ScoreError::Wrong(format!("'{}' is no plan: {e}", path.display()))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(ScoreError::Wrong(format!(
                "run '{}' was not planned in shards to the end: '{}' is missing; start a new one with --shards",
                folder.name(),
                path.display()
            ))),
            Err(e) => Err(ScoreError::files("read", &path)(e)),
        }
    }

    /// Whether all of a shard was scored.
    pub fn is_scored(folder: &Folder, shard: usize) -> bool {
        folder.shard_file(shard, SCORES).exists()
    }

    /// The shards that are not scored to the end.
    pub fn left(&self, folder: &Folder) -> Vec<usize> {
        let left = |shard: &usize| !Self::is_scored(folder, *shard);
        (0..self.shards).filter(left).collect()
    }
}

/// Writes a file of JSON in one step.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<(), ScoreError> {
    let put = || {
        let dir = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
        serde_json::to_writer(&mut file, value)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        readable(file.as_file());
        file.persist(path).map(drop).map_err(|e| e.error)
    };
    put().map_err(ScoreError::files("write", path))
}

/// Temporary files are their owner's only; members of a run may work for a colleague.
pub(super) fn readable(file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let _ = file.set_permissions(fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// Calls `take` with each line's value, in order. `torn` says that the last line may be cut short; any other that cannot be
/// understood is an error. The length of what was understood, in bytes; 0 where there is no such file.
pub(super) fn each<T: DeserializeOwned>(
    path: &Path,
    torn: bool,
    take: &mut dyn FnMut(T) -> Result<(), ScoreError>,
) -> Result<u64, ScoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if torn && e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(ScoreError::files("read", path)(e)),
    };
    let mut reader = BufReader::new(file);
    let (mut line, mut length, mut number) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .map_err(ScoreError::files("read", path))?;
        number += 1;
        if read == 0 || (torn && !line.ends_with(b"\n")) {
            return Ok(length);
        }
        match serde_json::from_slice(&line) {
            Ok(value) => take(value)?,
            // After a machine went down, the end of a file may be anything.
            Err(_) if torn && reader.fill_buf().is_ok_and(<[u8]>::is_empty) => return Ok(length),
            Err(e) => {
                return Err(ScoreError::Wrong(format!(
                    "{}:{number}: not what erw wrote there: {e}",
                    path.display()
                )));
            }
        }
        length += read as u64;
    }
}
