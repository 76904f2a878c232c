//! Scoring in shards where there is no Slurm: submitted, worked on, killed, merged, stopped, done again and removed.

use std::fs;
use std::process::Stdio;

use erw::runs::{State, glance};

use super::scores::{only_run, score, scores};
use super::stand_in::{Cluster, lines};
use super::{User, until};
use crate::cli::small_model;

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

#[test]
fn a_run_in_shards_is_done_again_and_removed_but_not_while_somebody_works_on_it() {
    let cluster = Cluster::new();
    let dir = cluster.user.workspace("shards", 6);
    let run = cluster.submitted(&dir, "2");
    let path = run.path().to_str().unwrap().to_owned();
    let rm = ["jobs", "rm", "--yes", &path];
    let member = run.shard(0).take_up().unwrap();
    let refused = cluster.erw(&rm);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is running: stop it first"), "{said}");
    drop(member);
    // What waits is cancelled, whatever its number.
    cluster.queue("PENDING\n");
    let output = cluster.erw(&["jobs", "resume", &path]);
    assert!(!output.status.success(), "Slurm has it: {output:?}");
    cluster.queue("");
    assert_eq!(
        cluster.json(&["jobs", "resume", &path])["outcome"],
        "queued"
    );
    cluster.queue("PENDING\nPENDING\n");
    let before = cluster.asked();
    // Done again: planned anew, by the same command.
    let again = cluster.json(&["jobs", "retry", &path]);
    assert_eq!(again["state"], "queued");
    let again = erw::runs::Folder::at(again["folder"].as_str().unwrap());
    assert_ne!(again.path(), run.path());
    assert_eq!(again.manifest().unwrap().shards, Some(2));
    for shard in 0..2 {
        assert_eq!(
            lines(&again, shard, "in.jsonl"),
            lines(&run, shard, "in.jsonl")
        );
    }
    assert!(cluster.asked().len() > before.len());
    assert_eq!(cluster.json(&rm)["outcome"], "removed");
    assert!(!run.path().exists());
    assert!(cluster.asked().contains("scancel"), "{}", cluster.asked());
    for shard in 0..2 {
        assert!(
            cluster
                .member(&again, shard)
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    assert!(cluster.merge(&again).status.success());
    assert_eq!(scores(&dir).len(), 12);
    cluster.queue("");
    let rm = ["jobs", "rm", "--yes", again.path().to_str().unwrap()];
    let before = cluster.asked();
    assert_eq!(cluster.json(&rm)["outcome"], "removed");
    assert_eq!(cluster.asked(), before, "nothing is there to be cancelled");
    assert_eq!(scores(&dir).len(), 12, "what was scored stays");
}

#[test]
fn how_jobs_ended_is_asked_of_slurm_and_where_it_forgot_of_its_accounts() {
    let cluster = Cluster::new();
    let dir = cluster.user.workspace("shards", 6);
    let run = cluster.submitted(&dir, "2");
    let path = run.path().to_str().unwrap();
    let forgotten = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";
    let reason = |cluster: &Cluster| {
        cluster.queue("");
        let shown = cluster.json(&["jobs", "show", path]);
        assert_eq!(shown["state"], "failed", "{shown}");
        shown["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason(&cluster).contains("(NODE_FAIL, exit code 0:9)"));
    cluster.stands_for("scontrol", forgotten);
    cluster.stands_for(
        "sacct",
        "echo 'TIMEOUT|0:0'; echo 'TIMEOUT|0:0'; echo 'FAILED|1:0'",
    );
    assert_eq!(cluster.json(&["jobs", "resume", path])["outcome"], "queued");
    let told = reason(&cluster);
    let ends = "(2 times TIMEOUT, exit code 0:0; FAILED, exit code 1:0)";
    assert!(told.contains(ends), "{told}");
    // Without accounts nothing is made up.
    cluster.stands_for(
        "sacct",
        "echo 'Slurm accounting storage is disabled' >&2; exit 1",
    );
    assert_eq!(cluster.json(&["jobs", "resume", path])["outcome"], "queued");
    let told = reason(&cluster);
    assert!(
        told.contains("are gone from Slurm; 'erw jobs resume'"),
        "{told}"
    );
}
