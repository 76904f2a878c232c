//! The queue: one run a device, priorities, and what outlives what.

use erw::runs::{State, glance};

use super::{User, follow, log, until, until_state, waiting_for};

fn state(folder: &erw::runs::Folder) -> State {
    glance(folder).unwrap().1
}

#[test]
fn a_device_runs_one_at_a_time_the_most_urgent_first_and_others_go_ahead() {
    let user = User::new();
    let go = user.path("go");
    let first = user.queue("first", &["--device", "cpu"], &waiting_for(&go));
    until_state(&first, State::Running);
    let order = user.path("order");
    let append = |name: &str| format!("echo {name} >> '{}'", order.display());
    let later = user.queue("later", &["--device", "cpu"], &append("later"));
    let urgent = user.queue(
        "urgent",
        &["--device", "cpu", "--priority", "3"],
        &append("urgent"),
    );
    let other = user.queue("other", &["--device", "cuda:7"], &append("other"));
    until_state(&other, State::Done);
    assert_eq!(state(&later), State::Queued);
    assert_eq!(state(&urgent), State::Queued);
    assert_eq!(state(&first), State::Running);
    let list = user.json(&["jobs", "list"]);
    let states: Vec<&str> = list["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["done", "queued", "queued", "running"]);
    std::fs::write(&go, "").unwrap();
    for run in [&first, &urgent, &later] {
        until_state(run, State::Done);
    }
    let order = std::fs::read_to_string(order).unwrap();
    assert_eq!(order, "other\nurgent\nlater\n");
    assert!(log(&first).starts_with("ready\nover\n"), "{}", log(&first));
}

#[test]
fn what_a_program_prints_becomes_its_log_its_curve_and_its_reason() {
    let user = User::new();
    let script = "echo 'step=1/2 loss=0.5'; echo \"{'loss': nan, 'step': 2}\"; printf ' 2/2 [x]\\r'; \
                  echo \"in $ERW_RUN\" >&2; echo no more disk; exit 3";
    let folder = user.queue("fails", &[], script);
    let run = until_state(&folder, State::Failed);
    let loss = run.history.metric("train.loss");
    assert_eq!((loss.len(), loss[0].value), (2, 0.5));
    assert!(loss[1].value.is_nan());
    let progress = run.summary.progress().unwrap();
    assert_eq!((progress.done, progress.total), (2, Some(2)));
    let reason = run.summary.ended.unwrap().reason;
    assert!(reason.contains("exit status: 3"), "{reason}");
    assert!(log(&folder).contains(&format!("in {}", folder.path().display())));
    let show = user.json(&["jobs", "show", &folder.name()]);
    assert_eq!(
        show["metrics"]["train.loss"]["value"],
        serde_json::Value::Null
    );
    assert_eq!(show["metrics"]["train.loss"]["text"], "NaN");
    assert_eq!(show["state"], "failed");
    assert!(folder.tensorboard().read_dir().unwrap().count() == 1);
}

#[test]
fn a_job_outlives_the_process_of_the_queue_and_the_next_one_takes_it_over() {
    let user = User::new();
    let go = user.path("go");
    let first = user.queue("first", &["--device", "cpu"], &waiting_for(&go));
    until_state(&first, State::Running);
    let second = user.queue("second", &["--device", "cpu"], "echo second");
    // The process of the queue is the parent of the run's.
    let pid = first.process().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1);
    let parent = rustix::process::Pid::from_raw(parent.unwrap().parse().unwrap()).unwrap();
    rustix::process::kill_process(parent, rustix::process::Signal::KILL).unwrap();
    until("the queue's process is gone", || {
        let path = user
            .runs()
            .join(".queue")
            .read_dir()
            .unwrap()
            .next()
            .unwrap();
        let lock = std::fs::File::open(path.unwrap().path().join("lock")).unwrap();
        lock.try_lock_shared().ok()
    });
    assert_eq!(state(&first), State::Running);
    user.json(&["jobs", "list"]);
    assert_eq!(state(&second), State::Queued);
    std::fs::write(&go, "").unwrap();
    until_state(&first, State::Done);
    until_state(&second, State::Done);
}

#[test]
fn a_process_that_is_killed_is_told_by_its_signal() {
    let user = User::new();
    let folder = user.queue("victim", &[], &waiting_for(&user.path("never")));
    until_state(&folder, State::Running);
    until("it is ready", || {
        log(&folder).contains("ready").then_some(())
    });
    let pid = i32::try_from(folder.process().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).unwrap();
    let reason = until("its end is noted", || follow(&folder).summary.ended).reason;
    assert!(
        reason.contains("signal: 9") && reason.ends_with("log: ready"),
        "{reason}"
    );
}

#[test]
fn a_run_that_cannot_be_started_has_failed_and_says_why() {
    let user = User::new();
    let args = ["jobs", "run", "--json", "--queue", "--", "/no/such/program"];
    assert!(user.erw(&args).status.success());
    let runs = erw::runs::Run::list(&user.runs()).unwrap().runs;
    let failed = until_state(&runs[0].folder, State::Failed);
    let reason = until("the reason", || follow(failed.folder()).summary.ended).reason;
    assert!(
        reason.contains("cannot start '/no/such/program'"),
        "{reason}"
    );
}
