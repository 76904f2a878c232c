//! Planning: what has no score yet is written into a file for each shard, so that who works on one needs no database.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::files::{IN, Item, ItemCandidate, Plan, SCORES, readable, write};
use super::part::Shard;
use crate::data::Workspace;
use crate::domain::GroupId;
use crate::runs::{Fact, Folder};
use crate::score::run::ScoreError;
use crate::score::tally::Tally;

/// The most shards: what Slurm takes in one array unless it is told otherwise.
pub const MOST: usize = 1000;

/// Plans the run: writes the files of all shards and, last, the plan. No image is read: a source that the workspace has not read
/// yet is told by its path.
pub fn plan(
    folder: &Folder,
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
    (model, fingerprint): (&Path, &str),
    shards: usize,
) -> Result<Plan, ScoreError> {
    let dir = folder.shards_dir();
    fs::create_dir_all(&dir).map_err(ScoreError::files("create", &dir))?;
    let make = |_| NamedTempFile::new_in(&dir).map(BufWriter::new);
    let files = (0..shards).map(make).collect::<Result<Vec<_>, _>>();
    let mut files = files.map_err(ScoreError::files("create a file in", &dir))?;
    let mut wanted = vec![0; shards];
    let mut known = Tally::default();
    for &(id, _) in groups {
        // One that went away meanwhile is no longer wanted.
        let Some(item) = item(workspace, id, fingerprint, &mut known)? else {
            continue;
        };
        if item.candidates.is_empty() {
            continue;
        }
        let key = workspace.source_key(id, false)?;
        let shard = Shard::of_source(key.as_deref().unwrap_or(&item.source), shards);
        wanted[shard] += item.candidates.len();
        let file = &mut files[shard];
        serde_json::to_writer(&mut *file, &item)
            .map_err(Into::into)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(ScoreError::files("write", &dir))?;
    }
    for (shard, (file, wanted)) in files.into_iter().zip(&wanted).enumerate() {
        settle(folder, shard, file, *wanted)?;
    }
    let plan = Plan {
        shards,
        root: workspace.root().to_owned(),
        model: std::path::absolute(model).unwrap_or(model.to_owned()),
        fingerprint: fingerprint.to_owned(),
        known,
        wanted: wanted.iter().sum(),
    };
    write(&Plan::file(folder), &plan)?;
    Ok(plan)
}

/// A group with its candidates that have no score; those that have one are counted.
fn item(
    workspace: &Workspace,
    id: GroupId,
    fingerprint: &str,
    known: &mut Tally,
) -> Result<Option<Item>, ScoreError> {
    let Some(group) = workspace.group(id)? else {
        return Ok(None);
    };
    let stored = workspace.scores(id, fingerprint)?;
    known.groups += 1;
    known.candidates += group.candidates.len();
    for (_, reward) in &stored {
        known.reward(reward, true);
    }
    let missing = group
        .candidates
        .into_iter()
        .filter(|candidate| stored.iter().all(|(id, _)| *id != candidate.id));
    let candidates = missing.map(|candidate| ItemCandidate {
        id: candidate.id,
        candidate: candidate.key,
        image: candidate.image.0,
    });
    Ok(Some(Item {
        id,
        group: group.key,
        source: group.source.0,
        instruction: group.instruction,
        candidates: candidates.collect(),
    }))
}

/// Gives a shard's file its name, and its folder the first facts. One with nothing to do is done.
fn settle(
    folder: &Folder,
    shard: usize,
    file: BufWriter<NamedTempFile>,
    wanted: usize,
) -> Result<(), ScoreError> {
    let path = folder.shard_file(shard, IN);
    let written = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error);
    let file = written.map_err(ScoreError::files("write", &path))?;
    let synced = file.as_file().sync_all();
    synced.map_err(ScoreError::files("write", &path))?;
    readable(file.as_file());
    file.persist(&path)
        .map_err(|e| ScoreError::files("write", &path)(e.error))?;
    let member = folder.shard(shard);
    fs::create_dir_all(member.path()).map_err(ScoreError::files("create", member.path()))?;
    let progress = Fact::Progress {
        done: 0,
        total: Some(wanted as u64),
        unit: "candidates".into(),
    };
    if wanted == 0 {
        let path = folder.shard_file(shard, SCORES);
        fs::write(&path, "").map_err(ScoreError::files("write", &path))?;
        let ended = Fact::Ended {
            ending: crate::runs::Ending::Done,
            reason: "there was nothing to do".into(),
        };
        return Ok(member.add([progress, ended])?);
    }
    let queued = Fact::Queued {
        device: "shard".into(),
    };
    Ok(member.add([queued, progress])?)
}
