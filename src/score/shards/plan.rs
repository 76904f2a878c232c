//! Planning: what has no score yet is written into a file for each shard, so that who works on one needs no database.

use std::path::Path;

use super::files::{Item, ItemCandidate, Plan};
use crate::data::Workspace;
use crate::domain::{Candidate, Group, GroupId};
use crate::runs::Folder;
use crate::runs::shards::{Cut, write_plan};
use crate::score::run::ScoreError;
use crate::score::tally::Tally;

/// What progress is told in.
const UNIT: &str = "candidates";

/// Plans the run: writes the files of all shards and, last, the plan. No image is read: a source that the workspace has not read
/// yet is told by its path.
pub fn plan(
    folder: &Folder,
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
    model: (&Path, &str),
    shards: usize,
) -> Result<Plan, ScoreError> {
    let mut cut = Cut::begin(folder, shards)?;
    let mut known = Tally::default();
    for &(id, _) in groups {
        // One that went away meanwhile is no longer wanted.
        let Some(item) = item(workspace, id, model.1, &mut known)? else {
            continue;
        };
        if item.candidates.is_empty() {
            continue;
        }
        let key = workspace.source_key(id, false)?;
        let key = key.as_deref().unwrap_or(&item.source);
        cut.add(key, &item, item.candidates.len())?;
    }
    end(folder, cut, workspace.root(), model, (shards, known))
}

/// Plans the scoring of groups that belong to no workspace, and whose relative image paths start at `root`.
pub fn plan_loose(
    folder: &Folder,
    root: &Path,
    groups: impl IntoIterator<Item = Group>,
    model: (&Path, &str),
    shards: usize,
) -> Result<Plan, ScoreError> {
    let mut cut = Cut::begin(folder, shards)?;
    let mut known = Tally::default();
    let root = std::path::absolute(root).unwrap_or(root.to_owned());
    for (number, group) in (1..).zip(groups) {
        known.groups += 1;
        known.candidates += group.candidates.len();
        // Outside a workspace groups have names only, and what is done of a shard is told by numbers.
        let item = Item {
            id: GroupId(number),
            ..item_of(group, |_| true)
        };
        cut.add(&item.source, &item, item.candidates.len())?;
    }
    end(folder, cut, &root, model, (shards, known))
}

fn end(
    folder: &Folder,
    cut: Cut<'_>,
    root: &Path,
    (model, fingerprint): (&Path, &str),
    (shards, known): (usize, Tally),
) -> Result<Plan, ScoreError> {
    let wanted = cut.end(UNIT)?;
    let plan = Plan {
        shards,
        root: root.to_owned(),
        model: std::path::absolute(model).unwrap_or(model.to_owned()),
        fingerprint: fingerprint.to_owned(),
        known,
        wanted,
    };
    write_plan(folder, &plan)?;
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
    let missing = |candidate: &Candidate| stored.iter().all(|(id, _)| *id != candidate.id);
    Ok(Some(item_of(group, missing)))
}

/// A group as it is scored, with those of its candidates that are wanted.
fn item_of(group: Group, wanted: impl Fn(&Candidate) -> bool) -> Item {
    let candidates = group.candidates.into_iter().filter(wanted);
    let candidates = candidates.map(|candidate| ItemCandidate {
        id: candidate.id,
        candidate: candidate.key,
        image: candidate.image.0,
    });
    Item {
        id: group.id,
        group: group.key,
        source: group.source.0,
        instruction: group.instruction,
        candidates: candidates.collect(),
    }
}
