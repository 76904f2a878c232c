//! Scoring in shards where there is no Slurm: commands that only note what they are asked stand for it, and the members and the
//! merge are called as its scripts call them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use erw::runs::{Folder, State, glance};
use serde_json::Value;

use super::scores::{only_run, score, scores};
use super::{User, until};
use crate::cli::small_model;

/// Commands by the names of Slurm's. What they are asked is in `asked`, and what squeue says in `queue`.
fn stand_in(user: &User) -> PathBuf {
    let bin = user.path("bin");
    fs::create_dir(&bin).unwrap();
    let at = user.path("").display().to_string();
    for (name, script) in [
        (
            "sbatch",
            format!("echo sbatch \"$@\" >>{at}/asked; wc -l <{at}/asked"),
        ),
        (
            "scancel",
            format!("echo scancel \"$@\" >>{at}/asked; : >{at}/queue"),
        ),
        ("squeue", format!("cat {at}/queue 2>/dev/null || true")),
        (
            "scontrol",
            "echo JobId=1 JobState=NODE_FAIL ExitCode=0:9".to_owned(),
        ),
    ] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin
}

/// A user who has those commands.
struct Cluster {
    user: User,
    bin: PathBuf,
}

impl Cluster {
    fn new() -> Self {
        let user = User::new();
        let bin = stand_in(&user);
        Self { user, bin }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.user.command(args);
        command.env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()));
        command
    }

    fn erw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.erw(&[args, &["--json"]].concat());
        assert!(!output.stdout.is_empty(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.user.path("asked")).unwrap_or_default()
    }

    fn queue(&self, states: &str) {
        fs::write(self.user.path("queue"), states).unwrap();
    }

    /// Submits the scoring of a workspace in shards; its run.
    fn submitted(&self, dir: &Path, shards: &str) -> Folder {
        let model = small_model();
        let more = ["--launcher", "slurm", "--shards", shards];
        let answer = self.json(&score(dir, &model, &more));
        assert_eq!(answer["state"], "queued");
        self.queue("PENDING\nPENDING\n");
        only_run(&dir.join("runs")).unwrap()
    }

    /// A script of the run, as Slurm would start it.
    fn script(&self, run: &Folder, name: &str) -> Command {
        let mut command = Command::new("/bin/bash");
        command
            .arg(run.path().join("slurm").join(name))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()))
            .env("HOME", self.user.path(""))
            .stdin(Stdio::null());
        command
    }

    fn member(&self, run: &Folder, shard: usize) -> Command {
        let mut command = self.script(run, "array.sh");
        command.env("SLURM_ARRAY_TASK_ID", shard.to_string());
        command
    }

    fn merge(&self, run: &Folder) -> Output {
        self.script(run, "merge.sh").output().unwrap()
    }
}

fn lines(run: &Folder, shard: usize, ending: &str) -> usize {
    let path = run.path().join(format!("shards/{shard:03}.{ending}"));
    fs::read_to_string(path).map_or(0, |text| text.matches('\n').count())
}

#[test]
fn members_without_the_database_and_a_merge_give_the_scores_of_one_process() {
    const GROUPS: u8 = 9;
    let cluster = Cluster::new();
    let model = small_model();
    let whole = cluster.user.workspace("whole", GROUPS);
    cluster.user.json(&score(&whole, &model, &[]));
    let dir = cluster.user.workspace("shards", GROUPS);
    // One group has its scores already, and is not among what the members get.
    cluster.user.json(&score(
        &dir,
        &model,
        &[
            "--shard",
            "0/4",
            "--runs",
            cluster.user.runs().to_str().unwrap(),
        ],
    ));
    let known = scores(&dir).len();
    let run = cluster.submitted(&dir, "3");
    let asked = cluster.asked();
    assert!(
        asked.contains("--array=0") && asked.contains("--dependency=afterany:1"),
        "{asked}"
    );
    assert_eq!(glance(&run).unwrap().1, State::Queued);
    let wanted: usize = (0..3).map(|shard| lines(&run, shard, "in.jsonl")).sum();
    assert_eq!(2 * wanted + known, 2 * usize::from(GROUPS));

    // The database is out of reach while they work.
    let database = dir.join(".erw");
    fs::rename(&database, dir.join("away")).unwrap();
    for shard in 0..3 {
        // Killed after the first group that is written, and again after the next.
        for _ in 0..2 {
            let before = lines(&run, shard, "part.jsonl");
            let mut child = cluster
                .member(&run, shard)
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            until("a group is written", || {
                let more = lines(&run, shard, "part.jsonl") > before;
                (more || child.try_wait().unwrap().is_some()).then_some(())
            });
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let output = cluster.member(&run, shard).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            lines(&run, shard, "done.jsonl"),
            lines(&run, shard, "in.jsonl")
        );
    }
    fs::rename(dir.join("away"), &database).unwrap();

    assert_eq!(scores(&dir).len(), known);
    let output = cluster.merge(&run);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(glance(&run).unwrap().1, State::Done);
    assert_eq!(scores(&dir), scores(&whole));
    let shown = cluster.json(&["jobs", "show", run.path().to_str().unwrap()]);
    assert_eq!(
        (&shown["state"], &shown["launcher"]),
        (&"done".into(), &"slurm".into())
    );
    // Once more, after its end: nothing changes.
    assert!(cluster.merge(&run).status.success());
    assert_eq!(scores(&dir), scores(&whole));
}

#[test]
fn a_member_that_fails_is_started_again_until_the_settings_have_enough_of_it() {
    let cluster = Cluster::new();
    let dir = cluster.user.workspace("shards", 6);
    let run = cluster.submitted(&dir, "2");
    assert!(cluster.member(&run, 0).output().unwrap().status.success());
    for attempt in 2..=3 {
        let output = cluster.merge(&run);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(glance(&run).unwrap().1, State::Queued);
        let asked = cluster.asked();
        assert_eq!(asked.matches("--array=1 ").count(), attempt - 1, "{asked}");
    }
    let output = cluster.merge(&run);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (summary, state) = glance(&run).unwrap();
    assert_eq!(state, State::Failed);
    let reason = summary.ended.unwrap().reason;
    assert!(
        reason.contains("shards 001") && reason.contains("jobs resume"),
        "{reason}"
    );
    // By hand: it is submitted again, and goes on here as well as there.
    cluster.queue("");
    let resumed = cluster.json(&["jobs", "resume", run.path().to_str().unwrap()]);
    assert_eq!(resumed["outcome"], "queued");
    assert!(cluster.member(&run, 1).output().unwrap().status.success());
    assert!(cluster.merge(&run).status.success());
    assert_eq!(glance(&run).unwrap().1, State::Done);
    assert_eq!(scores(&dir).len(), 12);
}

#[test]
fn an_array_is_stopped_goes_on_here_and_one_that_slurm_forgot_has_failed() {
    let cluster = Cluster::new();
    let dir = cluster.user.workspace("shards", 6);
    let run = cluster.submitted(&dir, "2");
    let path = run.path().to_str().unwrap();
    assert_eq!(cluster.json(&["jobs", "stop", path])["outcome"], "dequeued");
    assert!(
        cluster.asked().contains("scancel 2 1"),
        "{}",
        cluster.asked()
    );
    assert_eq!(glance(&run).unwrap().1, State::Stopped);
    assert_eq!(cluster.json(&["jobs", "resume", path])["outcome"], "queued");
    // Slurm has nothing of it, and it has not ended.
    let runs = dir.join("runs");
    let list = cluster.json(&["jobs", "list", "--runs", runs.to_str().unwrap()]);
    assert_eq!(list["runs"][0]["state"], "failed", "{list}");
    let reason = list["runs"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("NODE_FAIL"), "{reason}");
    // What a member did is taken in by the process that goes on alone.
    assert!(cluster.member(&run, 0).output().unwrap().status.success());
    let resumed = cluster.json(&["resume", path]);
    assert_eq!(resumed["state"], "done", "{resumed}");
    assert!(
        resumed["summary"]["stored"].as_u64().unwrap() > 0,
        "{resumed}"
    );
    assert_eq!(scores(&dir).len(), 12);
}

#[test]
fn without_slurm_it_is_said_what_is_missing_and_where_to_go() {
    let user = User::new();
    let dir = user.workspace("shards", 2);
    let model = small_model();
    let mut command = user.command(&score(
        &dir,
        &model,
        &["--launcher", "slurm", "--shards", "2"],
    ));
    let output = command.env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("there is no 'sbatch' here") && said.contains("login node"),
        "{said}"
    );
    let run = only_run(&dir.join("runs")).unwrap();
    assert_eq!(glance(&run).unwrap().1, State::Failed);
    let (code, said) = user.refused(&score(&dir, &model, &["--launcher", "pbs"]));
    assert!(code == 2 && said.contains("no launcher 'pbs'"), "{said}");
}
