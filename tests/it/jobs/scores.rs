//! Scoring a workspace as a run: killed at any instant and gone on with, bad images left out, many groups told in sums.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use erw::data::Workspace;
use erw::runs::{Folder, Run, State, glance};
use serde_json::{Value, json};

use super::{User, until};
use crate::cli::{png, small_model};

/// Makes a file of groups of two candidates each, over pictures of one colour; their sources are all different.
pub(super) fn groups(dir: &Path, count: u8) {
    let mut text = String::new();
    for g in 0..count {
        let picture = |name: &str, blue: u8| {
            let path = dir.join(format!("{name}{g}.png"));
            fs::write(path, png(40, 32, [g * 3, 90, blue])).unwrap();
        };
        picture("s", 0);
        picture("a", 120);
        picture("b", 240);
        writeln!(
            text,
            r#"{{"id":"g{g}","source":"s{g}.png","instruction":"make it {g}","candidates":[{{"id":"a","image":"a{g}.png"}},{{"id":"b","image":"b{g}.png"}}]}}"#
        )
        .unwrap();
    }
    fs::write(dir.join("groups.jsonl"), text).unwrap();
}

/// The names of all candidates with the bits of their scores, in order.
pub(super) fn scores(dir: &Path) -> Vec<(String, String, [u64; 6])> {
    let workspace = Workspace::open(dir).unwrap();
    let models = workspace.fingerprints().unwrap();
    let mut found = Vec::new();
    let Some(model) = models.first() else {
        return found;
    };
    let mut rows = workspace.summaries(None, 1000, None).unwrap();
    while rows.len().is_multiple_of(1000)
        && let Some(last) = rows.last()
    {
        let more = workspace.summaries(Some(last.id), 1000, None).unwrap();
        if more.is_empty() {
            break;
        }
        rows.extend(more);
    }
    for row in rows {
        let group = workspace.group(row.id).unwrap().unwrap();
        let stored = workspace.scores(row.id, &model.fingerprint).unwrap();
        for candidate in group.candidates {
            if let Some((_, reward)) = stored.iter().find(|(id, _)| *id == candidate.id) {
                let axes = [
                    reward.instruction_following.unwrap(),
                    reward.visual_quality.unwrap(),
                    reward.aggregate,
                ];
                let bits = axes.map(|g| [g.mean.to_bits(), g.log_sigma.to_bits()]);
                let bits: Vec<u64> = bits.concat();
                found.push((row.key.clone(), candidate.key, bits.try_into().unwrap()));
            }
        }
    }
    found
}

impl User {
    /// A workspace of so many groups in a folder of this name.
    pub(super) fn workspace(&self, name: &str, count: u8) -> std::path::PathBuf {
        let dir = self.path(name);
        fs::create_dir(&dir).unwrap();
        groups(&dir, count);
        let file = dir.join("groups.jsonl");
        let import = [
            "import",
            file.to_str().unwrap(),
            "-w",
            dir.to_str().unwrap(),
        ];
        assert!(self.erw(&import).status.success());
        dir
    }
}

/// The arguments that score a workspace.
pub(super) fn score<'a>(dir: &'a Path, model: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let (dir, model) = (dir.to_str().unwrap(), model.to_str().unwrap());
    [
        &["score", "-w", dir, "--model", model, "--device", "cpu"],
        more,
    ]
    .concat()
}

pub(super) fn only_run(root: &Path) -> Option<Folder> {
    let runs = Run::list(root).ok()?.runs;
    assert!(runs.len() < 2, "{runs:?}");
    Some(runs.into_iter().next()?.folder)
}

#[test]
fn a_run_that_is_killed_again_and_again_has_the_scores_of_one_that_is_not() {
    const GROUPS: u8 = 6;
    let user = User::new();
    let model = small_model();
    let (whole, killed) = (
        user.workspace("whole", GROUPS),
        user.workspace("killed", GROUPS),
    );
    let answer = user.json(&score(&whole, &model, &[]));
    assert_eq!(answer["state"], "done");
    assert_eq!(answer["summary"]["computed"], json!(2 * GROUPS));
    assert_eq!(
        answer["groups"].as_array().unwrap().len(),
        usize::from(GROUPS)
    );
    let runs = killed.join("runs");
    for round in 0..5 {
        let mut command = match only_run(&runs) {
            None => user.command(&score(&killed, &model, &[])),
            Some(run) => user.command(&["resume", run.path().to_str().unwrap()]),
        };
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let before = scores(&killed).len();
        until("there are more scores", || {
            let more = scores(&killed).len() > before + round % 3;
            (more || child.try_wait().unwrap().is_some()).then_some(())
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let run = only_run(&runs).unwrap();
        if glance(&run).unwrap().1 == State::Done {
            break;
        }
        assert_eq!(glance(&run).unwrap().1, State::Failed);
    }
    let run = only_run(&runs).unwrap();
    if glance(&run).unwrap().1 == State::Failed {
        let resumed = user.json(&["resume", run.path().to_str().unwrap()]);
        assert_eq!(resumed["state"], "done");
        assert!(
            resumed["summary"]["stored"].as_u64().unwrap() > 0,
            "{resumed}"
        );
    }
    assert_eq!(scores(&killed), scores(&whole));
    assert_eq!(scores(&whole).len(), 2 * usize::from(GROUPS));
    let report: Value =
        serde_json::from_slice(&fs::read(run.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["aggregate"]["scores"], json!(2 * GROUPS));
}

#[test]
fn what_cannot_be_scored_is_listed_with_the_reason_and_many_groups_are_summed_up() {
    let user = User::new();
    let model = small_model();
    let dir = user.path("many");
    fs::create_dir(&dir).unwrap();
    for (name, colour) in [("s", 10), ("a", 100)] {
        fs::write(dir.join(format!("{name}.png")), png(40, 32, [colour; 3])).unwrap();
    }
    fs::write(dir.join("bad.png"), "no image").unwrap();
    let mut text = String::new();
    for g in 0..201 {
        let image = if g == 7 { "bad.png" } else { "a.png" };
        // One picture under one instruction: scored once and known for all others.
        writeln!(
            text,
            r#"{{"id":"g{g}","source":"s.png","instruction":"x","candidates":[{{"id":"a","image":"{image}"}}]}}"#
        )
        .unwrap();
    }
    let file = dir.join("groups.jsonl");
    fs::write(&file, text).unwrap();
    let import = [
        "import",
        file.to_str().unwrap(),
        "-w",
        dir.to_str().unwrap(),
    ];
    assert!(user.erw(&import).status.success());
    let output = user.erw(&score(&dir, &model, &[]));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for words in [
        "201 candidates of 201 groups: 1 scored",
        "199 known",
        "1 left out",
        "'a' of group 'g7'",
    ] {
        assert!(said.contains(words), "no '{words}' in: {said}");
    }
    let run = only_run(&dir.join("runs")).unwrap();
    let left_out = fs::read_to_string(run.path().join("left-out.jsonl")).unwrap();
    let left_out: Value = serde_json::from_str(&left_out).unwrap();
    assert_eq!(left_out["group"], "g7");
    assert!(
        left_out["reason"]
            .as_str()
            .unwrap()
            .contains("is not supported")
    );
}

#[test]
fn parts_by_hand_make_up_the_whole_and_no_source_is_in_two() {
    let user = User::new();
    let model = small_model();
    let dir = user.workspace("parts", 9);
    let mut sizes = Vec::new();
    for shard in ["0/2", "1/2"] {
        let answer = user.json(&score(&dir, &model, &["--shard", shard]));
        assert_eq!(answer["summary"]["stored"], 0, "{answer}");
        sizes.push(answer["summary"]["groups"].as_u64().unwrap());
    }
    assert_eq!(sizes.iter().sum::<u64>(), 9);
    assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    assert_eq!(scores(&dir).len(), 18);
    let (code, said) = user.refused(&score(&dir, &model, &["--shard", "2/2"]));
    assert!(code == 2 && said.contains("I/N"), "{said}");
    let (code, said) = user.refused(&score(&dir, &model, &["--shards", "2"]));
    assert!(code == 2 && said.contains("--launcher slurm"), "{said}");
}

#[test]
fn a_folder_of_groups_is_scored_as_it_lies() {
    let user = User::new();
    let model = small_model();
    let group = user.path("set/one");
    fs::create_dir_all(&group).unwrap();
    fs::write(group.join("source.png"), png(40, 32, [9; 3])).unwrap();
    fs::write(group.join("flux--1.png"), png(40, 32, [99; 3])).unwrap();
    fs::write(group.join("instruction.txt"), "make it lighter\n").unwrap();
    let set = user.path("set");
    let args = [
        "score",
        set.to_str().unwrap(),
        "--model",
        model.to_str().unwrap(),
    ];
    let loose = user.json(&args);
    assert_eq!(loose["groups"][0]["key"], "set/one");
    assert!(loose.get("run").is_none(), "{loose}");
    let dir = user.path("ws");
    let kept = user.json(&[&args[..], &["-w", dir.to_str().unwrap()]].concat());
    assert_eq!(kept["state"], "done");
    assert_eq!(
        kept["groups"][0]["candidates"][0]["aggregate"],
        loose["groups"][0]["candidates"][0]["aggregate"]
    );
    let (code, said) = user.refused(&[&args[..], &["--queue"]].concat());
    assert!(code == 2 && said.contains("--workspace"), "{said}");
}
