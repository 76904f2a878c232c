//! Stops, kills and broken disks: whatever happens, a run that is taken up again ends as one that was left alone.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn stopped_after_any_step_and_taken_up_again_it_ends_the_same() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let (whole, mut undisturbed) = (Run::new(), MadeUp::new(USUAL));
    whole.take_up(&plan, &material, &mut undisturbed).unwrap();
    for after in 0..14 {
        let run = Run::new();
        let writer = run.folder.clone();
        let updates = AtomicUsize::new(0);
        let mut learner = MadeUp::new(USUAL).heard_by(Box::new(move |what| {
            if what == "accumulate" && updates.fetch_add(1, Ordering::SeqCst) == 2 * after {
                writer.ask_to_stop("a test").unwrap();
            }
        }));
        // The request is looked for a few times a second only; taken up again and again it comes to an end all the same.
        let mut outcome = run.take_up(&plan, &material, &mut learner).unwrap();
        let mut again = MadeUp::new(USUAL);
        run.folder.take_back_stop().unwrap();
        if outcome.ending == Ending::Stopped {
            outcome = run.take_up(&plan, &material, &mut again).unwrap();
        } else {
            again = learner;
        }
        assert_eq!(outcome.ending, Ending::Done);
        assert_eq!(bits(&again), bits(&undisturbed), "stopped after {after}");
        assert_eq!(run.metrics(), whole.metrics());
    }
}

/// A report that stops at a given question.
struct Stopping<'a> {
    writer: &'a crate::runs::Writer,
    at: usize,
    asked: AtomicUsize,
}

impl Report for Stopping<'_> {
    fn note(&self, fact: Fact) -> Result<(), String> {
        Report::note(self.writer, fact)
    }

    fn stop_asked(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst) >= self.at
    }

    fn again(&self) -> bool {
        self.writer.again()
    }
}

#[test]
fn stopped_at_any_question_even_amid_a_measurement_it_ends_the_same() {
    let field = Field::new();
    let plan = field.plan(&SHORT.replace("steps = 14", "steps = 8"));
    let material = Field::material(&plan);
    let (whole, mut undisturbed) = (Run::new(), MadeUp::new(USUAL));
    whole.take_up(&plan, &material, &mut undisturbed).unwrap();
    let mut stopped = 0;
    for at in 0..40 {
        let run = Run::new();
        let ending = {
            let writer = run.folder.take_up().unwrap();
            let report = Stopping {
                writer: &writer,
                at,
                asked: AtomicUsize::new(0),
            };
            let mut learner = MadeUp::new(USUAL);
            let outcome =
                train(&plan, &material, &mut learner, run.folder.path(), &report).unwrap();
            writer.end(outcome.ending, "").unwrap();
            outcome.ending
        };
        if ending == Ending::Done {
            break;
        }
        stopped += 1;
        let mut again = MadeUp::new(USUAL);
        let outcome = run.take_up(&plan, &material, &mut again).unwrap();
        assert_eq!(outcome.ending, Ending::Done);
        assert_eq!(bits(&again), bits(&undisturbed), "stopped at question {at}");
        assert_eq!(run.metrics(), whole.metrics(), "stopped at question {at}");
    }
    assert!(stopped > 12, "{stopped}");
}

#[test]
fn killed_at_any_instant_and_taken_up_again_it_ends_the_same() {
    let field = Field::new();
    let plan = field.plan(&SHORT.replace("steps = 14", "steps = 8"));
    let material = Field::material(&plan);
    let (whole, mut undisturbed) = (Run::new(), MadeUp::new(USUAL));
    whole.take_up(&plan, &material, &mut undisturbed).unwrap();
    // What a kill leaves is what lies on the disk at that instant: copies of it, taken whenever the learner is called and in
    // the midst of its writing.
    let (run, copies) = (Run::new(), tempfile::tempdir().unwrap());
    let taken: Arc<Mutex<Vec<(String, PathBuf)>>> = Arc::default();
    let (from, to, list) = (
        run.folder.path().to_owned(),
        copies.path().to_owned(),
        Arc::clone(&taken),
    );
    let hook = move |what: &str| {
        let mut list = list.lock().unwrap();
        let target = to.join(list.len().to_string());
        copy(&from, &target);
        list.push((what.to_owned(), target));
    };
    let mut learner = MadeUp::new(USUAL).heard_by(Box::new(hook));
    run.take_up(&plan, &material, &mut learner).unwrap();
    let taken = taken.lock().unwrap();
    assert!(taken.iter().any(|(what, _)| what == "half saved"));
    for (number, (what, path)) in taken.iter().enumerate() {
        let left = Run::at(path);
        // A kill amid a line leaves a part of it.
        let mut events = fs::read(left.folder.events()).unwrap();
        events.extend(b"{\"time\":1.0,\"ev");
        fs::write(left.folder.events(), events).unwrap();
        let mut again = MadeUp::new(USUAL);
        let outcome = left.take_up(&plan, &material, &mut again).unwrap();
        assert_eq!(outcome.ending, Ending::Done);
        assert_eq!(
            bits(&again),
            bits(&undisturbed),
            "killed at {what}, {number}"
        );
        assert_eq!(
            left.metrics(),
            whole.metrics(),
            "killed at {what}, {number}"
        );
        assert!(
            left.kept().iter().all(|name| name.starts_with("step-")),
            "{:?}",
            left.kept()
        );
    }
}

#[test]
fn a_state_that_cannot_be_written_ends_the_run_and_leaves_nothing_torn() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let run = Run::new();
    // As on a full disk: the second save fails halfway.
    let folder = run.folder.checkpoints();
    let saves = AtomicUsize::new(0);
    let mut learner = MadeUp::new(USUAL).heard_by(Box::new(move |what| {
        if what == "half saved" && saves.fetch_add(1, Ordering::SeqCst) == 1 {
            // Writing "numbers" fails where there is a folder of that name.
            for entry in fs::read_dir(&folder).unwrap().flatten() {
                if entry.file_name().to_string_lossy().starts_with(".new-") {
                    fs::create_dir(entry.path().join("learner/numbers")).unwrap();
                }
            }
        }
    }));
    let error = run
        .take_up(&plan, &material, &mut learner)
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot write"), "{error}");
    assert_eq!(run.kept(), ["step-00000003"]);
    let mut undisturbed = MadeUp::new(USUAL);
    Run::new()
        .take_up(&plan, &material, &mut undisturbed)
        .unwrap();
    let mut again = MadeUp::new(USUAL);
    run.take_up(&plan, &material, &mut again).unwrap();
    assert_eq!(bits(&again), bits(&undisturbed));
}

#[test]
fn a_state_that_cannot_be_read_is_passed_over_for_the_one_before() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let (run, mut first) = (Run::new(), MadeUp::new(USUAL));
    run.take_up(&plan, &material, &mut first).unwrap();
    fs::remove_file(
        run.folder
            .checkpoints()
            .join("step-00000014/learner/numbers"),
    )
    .unwrap();
    let mut again = MadeUp::new(USUAL);
    run.take_up(&plan, &material, &mut again).unwrap();
    assert_eq!(bits(&again), bits(&first));
    assert!(
        run.notes()
            .iter()
            .any(|n| n.contains("after step 14 cannot be read"))
    );
    assert!(
        run.folder
            .checkpoints()
            .join("step-00000014/learner/numbers")
            .is_file()
    );
}

#[test]
fn labels_that_changed_meanwhile_are_refused_rather_than_mixed() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let run = Run::new();
    run.take_up(&plan, &Field::material(&plan), &mut MadeUp::new(USUAL))
        .unwrap();
    let file = field.dir.path().join("groups.jsonl");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("\"if\":4", "\"if\":3");
    fs::write(&file, text).unwrap();
    Workspace::open(field.dir.path())
        .unwrap()
        .import_jsonl(&file)
        .unwrap();
    let error = run
        .take_up(&plan, &Field::material(&plan), &mut MadeUp::new(USUAL))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("labels of the workspace have changed"),
        "{error}"
    );
}
