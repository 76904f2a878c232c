//! Stopping, going on, doing again, removing, following, and a writer that is killed at random instants.

use std::io::Read as _;
use std::process::Stdio;

use erw::runs::{Ending, Fact, Folder, Reader, State, glance};

use crate::cli::shape;

use super::{DEADLINE, User, follow, log, until, until_state, waiting_for};

#[test]
fn a_run_is_stopped_goes_on_is_done_again_and_removed() {
    let user = User::new();
    let go = user.path("go");
    let folder = user.queue("a", &["--device", "cpu"], &waiting_for(&go));
    until("it is ready", || {
        log(&folder).contains("ready").then_some(())
    });
    let name = folder.name();
    let (code, said) = user.refused(&["jobs", "rm", &name, "--yes"]);
    assert!(
        code == 1 && said.contains("is running: stop it first"),
        "{said}"
    );
    let (_, said) = user.refused(&["jobs", "resume", &name]);
    assert!(said.contains("a process has it"), "{said}");
    assert_eq!(user.json(&["jobs", "stop", &name])["outcome"], "asked");
    let stopped = until_state(&folder, State::Stopped);
    assert!(
        stopped
            .summary
            .ended
            .unwrap()
            .reason
            .contains("asked to stop")
    );
    let (_, said) = user.refused(&["jobs", "stop", &name]);
    assert!(
        said.contains("is stopped: there is nothing to stop"),
        "{said}"
    );
    assert_eq!(user.json(&["jobs", "resume", &name])["outcome"], "queued");
    until("it is ready again", || {
        (log(&folder).matches("ready").count() == 2).then_some(())
    });
    std::fs::write(&go, "").unwrap();
    until_state(&folder, State::Done);
    let (_, said) = user.refused(&["resume", &name]);
    assert!(
        said.contains("'erw jobs retry' does it all again"),
        "{said}"
    );
    let again = user.json(&["jobs", "retry", &name]);
    let again = Folder::at(again["path"].as_str().unwrap());
    assert_ne!(again.name(), name);
    until_state(&again, State::Done);
    let (_, said) = user.refused(&["jobs", "rm", &name]);
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(
        user.json(&["jobs", "rm", &name, "--yes"])["outcome"],
        "removed"
    );
    assert!(!folder.path().exists());
    assert_eq!(
        user.json(&["jobs", "list"])["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_programs_are_told_has_the_documented_keys() {
    let user = User::new();
    // One note of progress, so that there is no rate, whatever the clock does.
    let script = "echo step=2/2 loss=0.25";
    let folder = user.queue("keys", &["--device", "cpu"], script);
    until_state(&folder, State::Done);
    let name = folder.name();
    for (verb, args) in [
        ("jobs_list", vec!["jobs", "list"]),
        ("jobs_show", vec!["jobs", "show", &name]),
        ("jobs_logs", vec!["jobs", "logs", &name]),
        ("jobs_run", vec!["jobs", "run", "--", "true"]),
        ("jobs_rm", vec!["jobs", "rm", "--yes", &name]),
    ] {
        let mut args = args;
        args.insert(2, "--json");
        let output = user.erw(&args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        let answer = serde_json::from_slice(&output.stdout).unwrap();
        let shape = serde_json::to_string_pretty(&shape(&answer)).unwrap();
        insta::assert_snapshot!(verb, shape);
    }
}

#[test]
fn a_run_that_waits_is_taken_out_of_the_queue() {
    let user = User::new();
    let go = user.path("go");
    let first = user.queue("first", &["--device", "cpu"], &waiting_for(&go));
    until_state(&first, State::Running);
    let second = user.queue("second", &["--device", "cpu"], "echo never");
    let stop = user.json(&["jobs", "stop", &second.name()]);
    assert_eq!(stop["outcome"], "dequeued");
    assert_eq!(glance(&second).unwrap().1, State::Stopped);
    std::fs::write(&go, "").unwrap();
    until_state(&first, State::Done);
    assert_eq!(glance(&second).unwrap().1, State::Stopped);
    assert_eq!(log(&second), "");
    // Here and now, in the foreground.
    let resumed = user.json(&["resume", &second.name()]);
    assert_eq!(resumed["outcome"], "done");
    assert_eq!(glance(&second).unwrap().1, State::Done);
}

#[test]
fn one_that_does_not_listen_is_ended_by_force() {
    let user = User::new();
    let never = user.path("never");
    let script = format!("trap '' TERM; {}", waiting_for(&never));
    let folder = user.queue("deaf", &[], &script);
    until("it is ready", || {
        log(&folder).contains("ready").then_some(())
    });
    assert_eq!(
        user.json(&["jobs", "stop", "-f", &folder.name()])["outcome"],
        "terminated"
    );
    assert_eq!(glance(&folder).unwrap().1, State::Running);
    assert_eq!(
        user.json(&["jobs", "stop", "-ff", &folder.name()])["outcome"],
        "killed"
    );
    let ended = follow(&folder).summary.ended.unwrap();
    assert_eq!(ended.ending, Ending::Stopped);
    assert!(ended.reason.contains("on request"), "{}", ended.reason);
}

#[test]
fn a_log_is_followed_to_the_end_of_its_run() {
    let user = User::new();
    let go = user.path("go");
    let folder = user.queue("a", &[], &waiting_for(&go));
    let mut child = user
        .command(&["jobs", "logs", "-f", &folder.name()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"ready\n");
    std::fs::write(&go, "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("over\n"), "{told}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("done"));
    let lines = user.json(&["jobs", "logs", &folder.name()]);
    assert_eq!(lines["lines"][0], "ready");
}

#[test]
fn a_terminal_that_goes_away_takes_no_job_with_it() {
    let user = User::new();
    let go = user.path("go");
    let folder = user.queue("a", &[], &waiting_for(&go));
    until("it is ready", || {
        log(&folder).contains("ready").then_some(())
    });
    let field = |pid: u32, n: usize| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let rest = stat.rsplit(')').next().unwrap().to_owned();
        rest.split_whitespace()
            .nth(n)
            .unwrap()
            .parse::<i64>()
            .unwrap()
    };
    let (pid, ours) = (folder.process().unwrap(), std::process::id());
    let (session, terminal) = (field(pid, 3), field(pid, 4));
    assert_ne!(session, field(ours, 3), "it is in a session of its own");
    assert_eq!(terminal, 0, "it has no terminal");
    std::fs::write(&go, "").unwrap();
    until_state(&folder, State::Done);
}

#[test]
fn a_writer_that_is_killed_at_any_instant_leaves_whole_lines_and_can_be_followed_by_another() {
    let user = User::new();
    let script = "i=0; while :; do i=$((i+1)); echo \"step=$i loss=0.$i\"; done";
    let args = ["jobs", "run", "--title", "busy", "--", "sh", "-c", script];
    let mut folder: Option<Folder> = None;
    let mut seen = 0;
    for round in 1..=5 {
        let before = seen;
        let mut command = match &folder {
            None => user.command(&args),
            Some(folder) => user.command(&["resume", &folder.name()]),
        };
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let run = folder.get_or_insert_with(|| {
            until("the run is made", || {
                let runs = erw::runs::Run::list(&user.runs()).ok()?.runs;
                runs.into_iter().next().map(|r| r.folder)
            })
        });
        // A different number of lines each time; where in a line the kill falls is chance.
        until("it has written some more", || {
            let lines = std::fs::read(run.events()).ok()?;
            let lines = lines.split(|b| *b == b'\n').count() - 1;
            (lines > before + 40 * round).then_some(())
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(glance(run).unwrap().1, State::Failed);
        let mut reader = Reader::new(run);
        let events = reader.poll(usize::MAX, DEADLINE).unwrap().events;
        assert_eq!(reader.unreadable(), 0, "round {round}");
        assert!(events.len() > before, "nothing that was written is lost");
        let starts = events
            .iter()
            .filter(|e| matches!(e.fact, Fact::Started { .. }));
        assert_eq!(starts.count(), round);
        seen = events.len();
    }
    let history = follow(&folder.unwrap()).history;
    let steps: Vec<u64> = history
        .metric("train.loss")
        .iter()
        .map(|p| p.step)
        .collect();
    assert!(steps.is_sorted_by(|a, b| a < b) && steps[0] == 1);
}
