//! The protocol as a whole: what a writer leaves, whatever happens to it, and what a reader makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use super::*;

struct Case {
    _root: tempfile::TempDir,
    folder: Folder,
}

impl Case {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let manifest = Manifest::new("train", vec!["plan.toml".into()], "a");
        let folder = Folder::create(root.path(), &manifest).unwrap();
        Self {
            _root: root,
            folder,
        }
    }

    fn follow(&self) -> Follower {
        let mut follower = Follower::new(self.folder.clone());
        follower.catch_up().unwrap();
        follower
    }

    fn facts(&self) -> Vec<Fact> {
        let batch = Reader::new(&self.folder).poll(usize::MAX, Duration::from_mins(1));
        batch.unwrap().events.into_iter().map(|e| e.fact).collect()
    }
}

fn loss(step: u64, value: f64) -> Fact {
    Fact::Metrics {
        step,
        epoch: 0.0,
        values: BTreeMap::from([("train.loss".into(), value)]),
    }
}

fn progress(done: u64, total: u64) -> Fact {
    Fact::Progress {
        done,
        total: Some(total),
        unit: "steps".into(),
    }
}

#[test]
fn a_run_goes_from_queued_to_running_to_done() {
    let case = Case::new();
    let mut follower = case.follow();
    assert_eq!(follower.state(), State::Queued);
    let writer = case.folder.take_up().unwrap();
    assert!(!writer.again());
    assert!(follower.poll(99, Duration::MAX).unwrap().state_changed);
    assert_eq!(follower.state(), State::Running);
    writer.note(progress(1, 4)).unwrap();
    writer.note(loss(1, 0.5)).unwrap();
    writer.note(loss(2, f64::NAN)).unwrap();
    writer.log("step 2").unwrap();
    writer
        .report(&BTreeMap::from([("accuracy", 0.75)]))
        .unwrap();
    writer.end(Ending::Done, "75 % right").unwrap();
    drop(writer);
    follower.catch_up().unwrap();
    assert_eq!(follower.state(), State::Done);
    assert!(follower.summary.metrics["train.loss"].1.is_nan());
    assert_eq!(follower.history.metric("train.loss").len(), 2);
    assert_eq!(
        follower.summary.reason(State::Done).as_deref(),
        Some("75 % right")
    );
    assert_eq!(fs::read_to_string(case.folder.log()).unwrap(), "step 2\n");
    let report = fs::read_to_string(case.folder.report()).unwrap();
    assert!(report.contains("0.75"));
    assert_eq!(glance(&case.folder).unwrap().1, State::Done);
}

#[test]
fn a_file_torn_at_any_byte_loses_its_last_line_and_nothing_else() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    for step in 1..=3 {
        writer.note(loss(step, step as f64)).unwrap();
    }
    writer.end(Ending::Stopped, "asked to").unwrap();
    drop(writer);
    let (whole, facts) = (fs::read(case.folder.events()).unwrap(), case.facts());
    for end in 0..=whole.len() {
        fs::write(case.folder.events(), &whole[..end]).unwrap();
        let kept = whole[..end].split(|b| *b == b'\n').count() - 1;
        let writer = case.folder.take_up().unwrap();
        assert_eq!(writer.again(), kept > 0, "torn at byte {end}");
        drop(writer);
        let read = case.facts();
        assert_eq!(read[..kept], facts[..kept], "torn at byte {end}");
        assert!(matches!(read[kept], Fact::Started { .. }), "{read:?}");
        assert_eq!(read.len(), kept + 2, "torn at byte {end}");
        let bytes = fs::read(case.folder.events()).unwrap();
        let lines = whole[..end].iter().rposition(|b| *b == b'\n');
        let lines = lines.map_or(0, |i| i + 1);
        assert_eq!(bytes[..lines], whole[..lines], "torn at byte {end}");
    }
}

#[test]
fn the_zeros_of_a_power_cut_are_cut_off_too() {
    let case = Case::new();
    drop(case.folder.take_up().unwrap());
    let mut bytes = fs::read(case.folder.events()).unwrap();
    let length = bytes.len();
    bytes.extend(vec![0; 100_000]);
    fs::write(case.folder.events(), &bytes).unwrap();
    let writer = case.folder.take_up().unwrap();
    let after = fs::read(case.folder.events()).unwrap();
    assert_eq!(after[..length], bytes[..length]);
    assert!(!after.contains(&0));
    drop(writer);
}

#[test]
fn a_process_that_vanished_is_a_failure_with_a_reason_and_can_be_taken_up() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    writer.note(loss(1, 0.5)).unwrap();
    // What is there after a kill: everything but the end, and a lock that nobody holds.
    let events = fs::read(case.folder.events()).unwrap();
    drop(writer);
    fs::write(case.folder.events(), events).unwrap();
    let follower = case.follow();
    assert_eq!(follower.state(), State::Failed);
    let reason = follower.summary.reason(State::Failed).unwrap();
    assert!(reason.contains("without a word"), "{reason}");
    let writer = case.folder.take_up().unwrap();
    assert!(writer.again());
    assert_eq!(case.follow().state(), State::Running);
}

#[test]
fn an_error_is_noted_with_its_text_and_goes_on() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    let error = anyhow::anyhow!("no space left").context("cannot write a checkpoint");
    let result: anyhow::Result<()> = writer.attend(|| Err(error));
    assert!(result.is_err());
    drop(writer);
    let ended = case.follow().summary.ended.unwrap();
    assert_eq!(ended.ending, Ending::Failed);
    assert_eq!(ended.reason, "cannot write a checkpoint: no space left");
    let ends = |f: &&Fact| matches!(f, Fact::Ended { .. });
    assert_eq!(case.facts().iter().filter(ends).count(), 1);
}

#[test]
fn a_panic_is_noted_with_its_text_and_goes_on() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    let panicked = std::thread::scope(|scope| {
        let work = || writer.attend(|| -> Result<(), RunError> { panic!("index 7 of {}", 3) });
        scope.spawn(work).join()
    });
    assert!(panicked.is_err());
    let ended = case.follow().summary.ended.unwrap();
    assert_eq!(ended.reason, "a fault in the program: index 7 of 3");
}

#[test]
fn whoever_leaves_early_has_failed() {
    let case = Case::new();
    drop(case.folder.take_up().unwrap());
    assert_eq!(case.follow().state(), State::Failed);
}

#[test]
fn a_stop_request_is_seen_and_does_not_outlive_its_being_taken_back() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    assert!(!writer.stop_asked());
    case.folder.ask_to_stop("a test").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !writer.stop_asked() {
        assert!(Instant::now() < deadline, "the request is not seen");
        std::thread::yield_now();
    }
    writer.end(Ending::Stopped, "asked to").unwrap();
    drop(writer);
    assert_eq!(case.follow().state(), State::Stopped);
    case.folder.take_back_stop().unwrap();
    assert!(!case.folder.take_up().unwrap().stop_asked());
}

#[test]
fn a_run_that_is_queued_again_waits_until_a_process_has_it() {
    let case = Case::new();
    drop(case.folder.take_up().unwrap());
    let queued = Fact::Queued {
        device: "cpu".into(),
    };
    case.folder.add([queued]).unwrap();
    assert_eq!(case.follow().state(), State::Queued);
    let writer = case.folder.take_up().unwrap();
    assert_eq!(case.follow().state(), State::Running);
    let busy = case.folder.add([]).unwrap_err().to_string();
    assert!(busy.contains("is being worked on by process"), "{busy}");
    drop(writer);
}

#[test]
fn the_state_follows_from_the_facts_and_the_signs_of_life() {
    let fresh = Some(Duration::from_secs(3));
    let old = Some(SILENCE + Duration::from_secs(1));
    let mut started = Summary::default();
    started.apply(&Event::now(Fact::Started {
        pid: 1,
        host: "here".into(),
    }));
    for (held, silent, here, elsewhere) in [
        (Some(true), fresh, State::Running, State::Running),
        (Some(true), old, State::Stalled, State::Stalled),
        (Some(false), fresh, State::Failed, State::Running),
        (Some(false), old, State::Failed, State::Stalled),
        (None, fresh, State::Running, State::Running),
        (None, old, State::Stalled, State::Stalled),
        (None, None, State::Stalled, State::Stalled),
    ] {
        let vitals = Vitals { held, silent };
        assert_eq!(started.state(vitals, "here"), here, "{vitals:?}");
        assert_eq!(started.state(vitals, "there"), elsewhere, "{vitals:?}");
        assert_eq!(Summary::default().state(vitals, "here"), State::Queued);
    }
}

#[test]
fn the_rate_is_that_of_late_and_gives_the_time_left() {
    let mut summary = Summary::default();
    let mut at = |time: f64, fact: Fact| {
        summary.apply(&Event { time, fact });
        summary.progress()
    };
    let started = Fact::Started {
        pid: 1,
        host: "h".into(),
    };
    assert_eq!(at(0.0, started.clone()), None);
    assert_eq!(at(0.0, progress(0, 1000)).unwrap().rate, None);
    // Slow for a thousand seconds, then twice a second, noted ten times a second.
    at(1000.0, progress(100, 1000));
    let mut last = None;
    for i in 1..=1200 {
        last = at(
            1000.0 + f64::from(i) / 10.0,
            progress(100 + i as u64 / 5, 1000),
        );
    }
    let last = last.unwrap();
    assert!((last.rate.unwrap() - 2.0).abs() < 0.1, "{last:?}");
    assert!(
        (last.seconds_left.unwrap() - 330.0).abs() < 20.0,
        "{last:?}"
    );
    // Another process begins anew.
    assert_eq!(at(9000.0, started).unwrap().rate, None);
    assert_eq!(at(9001.0, progress(340, 1000)).unwrap().rate, None);
    assert_eq!(at(9011.0, progress(350, 1000)).unwrap().rate, Some(1.0));
}

#[test]
fn a_glance_at_a_long_run_sees_its_beginning_and_its_end() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    for step in 1..=5000 {
        writer.note(loss(step, step as f64)).unwrap();
    }
    writer.note(progress(5000, 5000)).unwrap();
    writer.end(Ending::Done, "ok").unwrap();
    drop(writer);
    assert!(fs::metadata(case.folder.events()).unwrap().len() > 300_000);
    let (seen, state) = glance(&case.folder).unwrap();
    let all = case.follow();
    assert_eq!(state, State::Done);
    assert_eq!(seen.started, all.summary.started);
    assert_eq!(seen.metrics, all.summary.metrics);
    assert_eq!(seen.progress(), all.summary.progress());
    assert_eq!(all.history.metric("train.loss").len(), 5000);
}

#[test]
fn a_dashboard_that_cannot_be_written_costs_a_note_and_not_the_run() {
    let case = Case::new();
    fs::write(case.folder.tensorboard(), "a file in the way").unwrap();
    let writer = case.folder.take_up().unwrap();
    for step in 1..=3 {
        writer.note(loss(step, 0.5)).unwrap();
    }
    let notes = case.facts().into_iter().filter_map(|fact| match fact {
        Fact::Note { text } => Some(text),
        _ => None,
    });
    let notes: Vec<String> = notes.collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("no TensorBoard files from here on"));
    assert_eq!(case.follow().history.metric("train.loss").len(), 3);
}

#[test]
fn the_dashboard_shows_what_the_events_say_also_after_a_resume() {
    let case = Case::new();
    let writer = case.folder.take_up().unwrap();
    for step in 1..=4 {
        writer.note(loss(step, step as f64)).unwrap();
    }
    drop(writer);
    let writer = case.folder.take_up().unwrap();
    writer.note(Fact::Resumed { step: 2 }).unwrap();
    writer.note(loss(3, 30.0)).unwrap();
    drop(writer);
    let mut board = Follower::new(Folder::at(case.folder.tensorboard()));
    board.catch_up().unwrap();
    let values = |history: &History| -> Vec<(u64, f64)> {
        let points = history.metric("train.loss").iter();
        points.map(|p| (p.step, p.value)).collect()
    };
    assert_eq!(values(&board.history), values(&case.follow().history));
    assert_eq!(values(&board.history), [(1, 1.0), (2, 2.0), (3, 30.0)]);
}
