//! Shards with a judge of paper: the same scores as in one piece, whatever is killed in between.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::path::Path;

use super::{Plan, Told, conclude, merge, plan, plan_loose, work};
use crate::data::Workspace;
use crate::domain::{Group, GroupId};
use crate::runs::shards::{IN, PART, Worked};
use crate::runs::{Folder, Manifest};
use crate::score::run::ScoreError;
use crate::score::tests::{Paper, ids, workspace};
use crate::score::{Batch, GroupScores, score_groups};

const SHARDS: usize = 3;

fn groups(workspace: &Workspace) -> Vec<(GroupId, usize)> {
    ids(workspace).into_iter().map(|id| (id, 3)).collect()
}

fn planned(runs: &Path, workspace: &Workspace) -> Folder {
    let folder = Folder::create(runs, &Manifest::new("score", vec![], "a")).unwrap();
    let model = (Path::new("model"), "paper-1");
    plan(&folder, workspace, &groups(workspace), model, SHARDS).unwrap();
    folder
}

/// Works on a shard until `most` candidates are done.
fn worked(folder: &Folder, shard: usize, most: usize) -> Worked {
    let writer = folder.shard(shard).take_up().unwrap();
    let done = std::cell::Cell::new(0);
    let load = |_: &Plan| Ok::<_, ScoreError>(Paper::new(None));
    let stop = || done.get() >= most;
    work(folder, shard, load, &writer, &stop, &mut |_| {
        done.set(done.get() + 1);
    })
    .unwrap()
}

fn scale(workspace: &Workspace) -> Vec<f64> {
    workspace.score_scale("paper-1").unwrap()
}

#[test]
fn shards_that_are_stopped_cut_short_and_merged_twice_give_what_one_piece_gives() {
    let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runs = tempfile::tempdir().unwrap();
    let whole = workspace(one.path(), 12);
    crate::score::tests::score_all(&whole);
    let apart = workspace(many.path(), 12);
    fs::remove_file(many.path().join("c11")).unwrap();
    let folder = planned(runs.path(), &apart);
    for shard in 0..SHARDS {
        // A candidate at a time, and after each the end of the file is what a kill leaves of it.
        for round in 0.. {
            assert!(round < 99, "it never ends");
            if worked(&folder, shard, 4) == Worked::Done {
                break;
            }
            let part = folder.shard_file(shard, PART);
            let file = OpenOptions::new().write(true).open(&part).unwrap();
            let length = file.metadata().unwrap().len();
            let cut = if round % 2 == 0 { 0 } else { length.min(7) };
            // Not the same group for ever.
            if round < 6 {
                file.set_len(length - cut).unwrap();
            }
        }
    }
    let writer = folder.take_up().unwrap();
    for _ in 0..2 {
        let merged = merge(&folder, &apart, &writer, false).unwrap();
        assert_eq!(merged.missing, [0; 0]);
        conclude(&folder, &merged, &writer).unwrap();
        let tally = merged.report.tally;
        assert_eq!((tally.groups, tally.candidates), (12, 36));
        assert_eq!((tally.computed, tally.left_out), (35, 1));
        let mut expected = scale(&whole);
        expected.retain(|mean| *mean != 11.0);
        assert_eq!(scale(&apart), expected);
    }
    let left_out = fs::read_to_string(folder.path().join("left-out.jsonl")).unwrap();
    assert!(left_out.contains("'c11' is missing"), "{left_out}");
    assert_eq!(left_out.lines().count(), 1);
}

#[test]
fn what_is_stored_is_not_planned_and_what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let runs = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 9);
    let first = planned(runs.path(), &workspace);
    for shard in [0, 2] {
        assert_eq!(worked(&first, shard, usize::MAX), Worked::Done);
    }
    assert!(matches!(worked(&first, 1, 4), Worked::Stopped(..)));
    let writer = first.take_up().unwrap();
    let merged = merge(&first, &workspace, &writer, false).unwrap();
    assert_eq!(merged.missing, [1]);
    let before = scale(&workspace).len();
    let merged = merge(&first, &workspace, &writer, true).unwrap();
    assert_eq!(merged.missing, [1]);
    assert!(
        scale(&workspace).len() > before,
        "a whole group of the part"
    );
    let second = planned(runs.path(), &workspace);
    let plan = Plan::read(&second).unwrap();
    assert_eq!(plan.known.stored, scale(&workspace).len());
    assert_eq!(plan.wanted, 27 - plan.known.stored);
    let inputs: usize = (0..SHARDS)
        .map(|shard| fs::read_to_string(second.shard_file(shard, IN)).unwrap())
        .map(|text| text.lines().count())
        .sum();
    assert_eq!(inputs, plan.wanted / 3);
}

#[test]
fn another_model_and_a_shard_that_is_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let runs = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 9);
    let folder = planned(runs.path(), &workspace);
    let refused = |shard: usize, fingerprint: &str| {
        let writer = folder.shard(0).take_up().unwrap();
        let load = |_: &Plan| {
            let mut judge = Paper::new(None);
            judge.info.fingerprint = fingerprint.into();
            Ok::<_, ScoreError>(judge)
        };
        let worked = work(&folder, shard, load, &writer, &|| false, &mut |_| {});
        worked.unwrap_err().to_string()
    };
    assert!(refused(3, "paper-1").contains("shards 0 to 2"));
    assert!(refused(0, "paper-2").contains("put that one back"));
}

#[test]
fn groups_of_no_workspace_are_told_as_one_piece_tells_them() {
    let dir = tempfile::tempdir().unwrap();
    let runs = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 6);
    fs::remove_file(dir.path().join("c41")).unwrap();
    fs::remove_file(dir.path().join("s3")).unwrap();
    let groups: Vec<Group> = ids(&workspace)
        .into_iter()
        .map(|id| workspace.group(id).unwrap().unwrap())
        .collect();
    let folder = Folder::create(runs.path(), &Manifest::new("bench run", vec![], "a")).unwrap();
    let model = (Path::new("model"), "paper-1");
    let plan = plan_loose(&folder, dir.path(), groups.clone(), model, SHARDS).unwrap();
    assert_eq!((plan.wanted, plan.known.groups), (18, 6));
    let none = HashMap::new();
    assert_eq!(Told::read(&folder).unwrap().of(&groups[0], &none), None);
    for shard in 0..SHARDS {
        assert_eq!(worked(&folder, shard, usize::MAX), Worked::Done);
    }
    let batch = Batch {
        root: dir.path(),
        store: None,
    };
    let all = groups.iter().cloned().map(Ok::<_, ScoreError>);
    let go_on = &mut |_| ControlFlow::Continue(());
    let whole = score_groups(&mut Paper::new(None), all, batch, go_on).unwrap();
    let told = Told::read(&folder).unwrap();
    let plain = |scores: &GroupScores| {
        let rewards = scores.candidates.iter();
        let rewards = rewards.map(|one| one.as_ref().map(|s| s.reward).map_err(Clone::clone));
        (rewards.collect::<Vec<_>>(), scores.problem.clone())
    };
    for scores in &whole {
        let found = told.of(&scores.group, &none).unwrap();
        assert_eq!(plain(&found), plain(scores), "{}", scores.group.key);
    }
    assert!(whole.iter().any(|scores| scores.problem.is_some()));
    assert_eq!(whole.iter().map(GroupScores::left_out).sum::<usize>(), 4);
}
