//! What all who work on shards need to know, and which of the shards are done.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lines::keep;
use crate::runs::{Folder, RunError};

/// The most shards: what Slurm takes in one array unless it is told otherwise.
pub const MOST: usize = 1000;

/// The ending of the file of what there is to do in a shard.
pub const IN: &str = "in.jsonl";
/// Of what was done so far.
pub const PART: &str = "part.jsonl";
/// Of all that was done.
pub const WHOLE: &str = "done.jsonl";

/// How the work on a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// All of it is done, or was before.
    Done,
    /// Somebody asked it to stop: how much is done, and of how much.
    Stopped(usize, usize),
}

/// What every plan says.
#[derive(Deserialize)]
struct Any {
    shards: usize,
}

fn file(folder: &Folder) -> PathBuf {
    folder.shards_dir().join("plan.json")
}

/// Whether the run is one in shards, and was planned to the end.
pub fn is_planned(folder: &Folder) -> bool {
    file(folder).exists()
}

/// The plan of a run.
pub fn read_plan<P: DeserializeOwned>(folder: &Folder) -> Result<P, RunError> {
    let path = file(folder);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|e| RunError::Shards(format!("'{}' is no plan: {e}", path.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(RunError::Shards(format!(
            "run '{}' was not planned in shards to the end: '{}' is missing; start a new one with --shards",
            folder.name(),
            path.display()
        ))),
        Err(e) => Err(RunError::files("read", &path)(e)),
    }
}

/// Writes the plan, last of all: what it speaks of is there.
pub fn write_plan(folder: &Folder, plan: &impl Serialize) -> Result<(), RunError> {
    keep(&file(folder), plan)
}

/// Whether all of a shard was done.
pub fn is_done(folder: &Folder, shard: usize) -> bool {
    folder.shard_file(shard, WHOLE).exists()
}

/// Which of so many shards are not done to the end.
pub fn left(folder: &Folder, shards: usize) -> Vec<usize> {
    (0..shards)
        .filter(|shard| !is_done(folder, *shard))
        .collect()
}

/// An error where the run has no shard of that number.
pub fn check(folder: &Folder, shard: usize) -> Result<(), RunError> {
    let Any { shards } = read_plan(folder)?;
    if shard < shards {
        return Ok(());
    }
    Err(RunError::Shards(format!(
        "run '{}' has the shards 0 to {}, and none of the number {shard}",
        folder.name(),
        shards.saturating_sub(1)
    )))
}
