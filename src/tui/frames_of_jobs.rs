//! Whole frames of the jobs screen, against what was looked at and found right.

use std::sync::Arc;

use insta::assert_snapshot;
use ratatui::style::Color;

use super::msg::{Effect, Msg, Work};
use super::rig::{Rig, groups};
use super::sample;
use super::sample_of_jobs::{entries, log, taken};
use super::screens::jobs::{JobNews, Offers, Page, Ticket, Wanted, Window};
use super::screens::train::RunNews;
use super::theme::Theme;
use crate::runs::{State, Weight};

fn job(rig: &mut Rig, news: JobNews) {
    rig.send(Msg::Runs(RunNews::Job(news)));
}

/// The screen with runs of all kinds; the first is marked, has a log and curves, and takes something of the machine.
fn rig(width: u16, height: u16) -> Rig {
    filled(Rig::new(groups(12, 5), width, height))
}

fn filled(mut rig: Rig) -> Rig {
    rig.send(Msg::Runs(RunNews::Listed(entries())));
    // The array is older and so comes first.
    rig.keys("Q j");
    let run = entries()[2].name.clone();
    job(
        &mut rig,
        JobNews::Told {
            run: run.clone(),
            events: sample::training(2, 400),
            anew: true,
        },
    );
    for at in 0..90 {
        job(&mut rig, taken(at));
    }
    job(&mut rig, JobNews::Log(log(&run, 1300, 1230..1300)));
    rig
}

fn watched(rig: &Rig) -> Option<Window> {
    let watch = rig.effects.iter().rev().find_map(|effect| match effect {
        Effect::Watch(watch) => Some(watch.clone()),
        _ => None,
    });
    watch?.job.map(|job| job.log.window)
}

#[test]
fn runs_of_all_kinds_on_a_large_terminal() {
    assert_snapshot!(rig(120, 40).frame());
}

#[test]
fn runs_of_all_kinds_on_a_small_terminal_pane_by_pane() {
    let mut rig = rig(80, 24);
    assert_snapshot!("log", rig.frame());
    rig.keys("v");
    assert_snapshot!("curves", rig.frame());
    rig.keys("v");
    assert_snapshot!("facts", rig.frame());
}

#[test]
fn a_failed_run_says_why_in_the_list_and_beside_it() {
    let mut rig = rig(120, 30);
    rig.keys("G k k");
    let frame = rig.frame();
    assert_eq!(frame.matches("the loss is no number").count(), 2, "{frame}");
    assert_snapshot!(frame);
    let small = self::rig(60, 20).frame();
    assert!(small.contains("heads: the loss"), "{small}");
}

#[test]
fn no_runs_and_runs_not_read_yet() {
    let mut rig = Rig::new(groups(2, 2), 100, 24);
    rig.keys("Q");
    assert!(rig.frame().contains("reading the runs…"));
    rig.send(Msg::Runs(RunNews::Listed(Vec::new())));
    assert_snapshot!(rig.frame());
}

#[test]
fn a_filter_leaves_the_runs_that_have_all_of_its_words() {
    let mut rig = rig(120, 30);
    rig.keys("/").text("score done");
    let frame = rig.frame();
    assert!(
        frame.contains("/score done") && frame.contains("1 shown"),
        "{frame}"
    );
    assert!(!frame.contains("fine-tune"), "{frame}");
    rig.keys("esc");
    assert!(rig.frame().contains("fine-tune"));
}

#[test]
fn a_log_is_searched_wrapped_and_gone_through() {
    let mut rig = rig(120, 40);
    rig.keys("enter /").text("warning");
    let run = entries()[2].name.clone();
    let hits: Vec<usize> = (0..1300).filter(|i| i % 5 == 3).collect();
    let page = |window: std::ops::Range<usize>| Page {
        search: "warning".into(),
        hits: Arc::from(hits.clone()),
        ..log(&run, 1300, window)
    };
    job(&mut rig, JobNews::Log(page(1230..1300)));
    rig.keys("enter w N");
    assert!(matches!(watched(&rig), Some(Window::From(..))));
    job(&mut rig, JobNews::Log(page(1230..1300)));
    let frame = rig.frame();
    assert!(
        frame.contains("of 260") && frame.contains("wrapped"),
        "{frame}"
    );
    assert_snapshot!(frame);
    rig.keys("G");
    assert!(matches!(watched(&rig), Some(Window::End(_))));
    rig.keys("esc esc");
    assert!(!rig.frame().contains("of 260"));
}

#[test]
fn a_place_in_a_log_that_was_not_reached_yet_is_not_taken_for_an_empty_log() {
    let mut rig = rig(120, 40);
    let run = entries()[2].name.clone();
    let page = Page {
        whole: false,
        ..log(&run, 1300, 0..0)
    };
    job(&mut rig, JobNews::Log(page.clone()));
    assert!(rig.frame().contains("reading the log…"));
    let whole = true;
    job(&mut rig, JobNews::Log(Page { whole, ..page }));
    assert!(rig.frame().contains("the log is empty"));
}

#[test]
fn a_dialog_with_its_defaults_and_with_mistakes() {
    let mut rig = rig(120, 40);
    rig.keys("n");
    assert_snapshot!("what", rig.frame());
    rig.keys("enter");
    let models = vec!["demo".into(), "seven".into()];
    let offers = Offers {
        models,
        launcher: None,
    };
    job(&mut rig, JobNews::Offers(offers));
    assert_snapshot!("defaults", rig.frame());
    rig.text("editor = ");
    rig.keys("down").text("nobody");
    rig.keys("enter");
    assert_snapshot!("mistakes", rig.frame());
    assert!(!rig.effects.iter().any(|e| matches!(e, Effect::Work(_))));
    let mut small = self::rig(80, 24);
    small.keys("n down down down enter down");
    assert_snapshot!("small", small.frame());
}

#[test]
fn a_dialog_starts_the_command_line_at_its_foot_and_closes_when_that_is_in_the_queue() {
    let mut rig = rig(120, 40);
    rig.keys("n enter enter");
    let (ticket, line) = launched(&rig);
    assert_eq!(line, "score --workspace /home/ann/edits --queue");
    assert!(rig.frame().contains("is put into the queue"));
    job(&mut rig, refused(ticket));
    assert!(rig.frame().contains("✗ no model is chosen"));
    rig.keys("enter");
    let run = entries()[0].name.clone();
    job(&mut rig, queued(ticket, &run));
    let frame = rig.frame();
    assert!(frame.contains("it is in the queue"), "{frame}");
    assert!(!frame.contains("Score the workspace"), "{frame}");
    rig.keys("j k");
    assert!(rig.frame().contains(&run[..24]), "the new one is marked");
}

/// What a dialog has asked for last: its number, and the command line.
fn launched(rig: &Rig) -> (Option<Ticket>, String) {
    let launch = rig.effects.iter().rev().find_map(|effect| match effect {
        Effect::Work(Work::Launch { ticket, words }) => Some((Some(*ticket), words.join(" "))),
        _ => None,
    });
    launch.unwrap()
}

fn refused(ticket: Option<Ticket>) -> JobNews {
    let why = "no model is chosen".into();
    JobNews::Refused { ticket, why }
}

fn queued(ticket: Option<Ticket>, run: &str) -> JobNews {
    let words = "it is in the queue".into();
    let run = Some(run.to_owned());
    JobNews::Launched { ticket, words, run }
}

#[test]
fn an_answer_that_comes_late_does_nothing_to_another_dialog() {
    let mut rig = rig(120, 40);
    rig.keys("n enter enter");
    let (first, _) = launched(&rig);
    rig.keys("esc n enter enter");
    let (second, _) = launched(&rig);
    assert_ne!(first, second);
    let run = entries()[0].name.clone();
    for (ticket, is_open) in [(first, true), (None, true), (second, false)] {
        job(&mut rig, queued(ticket, &run));
        let frame = rig.frame();
        assert!(frame.contains("it is in the queue"), "{frame}");
        assert_eq!(frame.contains("is put into the queue"), is_open, "{frame}");
    }
    rig.keys("n enter enter");
    job(&mut rig, refused(first));
    let frame = rig.frame();
    assert!(frame.contains("is put into the queue"), "{frame}");
    assert!(!frame.contains("✗ no model is chosen"), "{frame}");
    assert!(frame.contains("no model is chosen"), "{frame}");
}

#[test]
fn a_training_is_started_by_its_plan_on_its_own_screen() {
    let mut rig = rig(120, 40);
    rig.keys("n down enter");
    let frame = rig.frame();
    assert!(frame.contains("the plan can be carried out"), "{frame}");
}

#[test]
fn removing_tells_what_is_lost_and_asks_and_running_ones_are_not_removed() {
    let mut rig = rig(120, 30);
    rig.keys("d");
    assert!(rig.frame().contains("is running: stop it first"));
    rig.keys("G k k d");
    let run = entries()[4].name.clone();
    assert!(
        rig.effects
            .contains(&Effect::Jobs(Wanted::Weigh(run.clone())))
    );
    let weight = Weight {
        files: 14,
        bytes: 1_290_000_000,
        checkpoints: 3,
        report: false,
    };
    job(&mut rig, JobNews::Weighed(run.clone(), weight));
    assert_snapshot!(rig.frame());
    rig.keys("down enter");
    let removed = Effect::Work(Work::Remove { run });
    assert!(rig.effects.contains(&removed), "{:?}", rig.effects);
}

#[test]
fn what_makes_no_sense_for_a_run_is_refused_in_a_sentence() {
    let mut rig = rig(120, 30);
    rig.keys("R");
    assert!(rig.frame().contains("has a process that works on it"));
    rig.keys("G R");
    assert!(
        rig.frame()
            .contains("is done: nothing is left to do; a does all of it again")
    );
    rig.keys("c");
    assert!(rig.frame().contains("there is nothing to stop"));
    rig.keys("a");
    let run = entries()[6].name.clone();
    assert!(rig.effects.contains(&Effect::Work(Work::Retry { run })));
    rig.keys("k R");
    let run = entries()[5].name.clone();
    assert!(rig.effects.contains(&Effect::Work(Work::Resume { run })));
}

#[test]
fn the_end_of_a_run_is_told_on_every_screen_once() {
    let mut rig = Rig::new(groups(3, 3), 120, 30);
    rig.send(Msg::Runs(RunNews::Listed(entries())));
    assert!(!rig.effects.iter().any(|e| matches!(e, Effect::Notify(_))));
    let mut after = entries();
    after[2].state = State::Done;
    after[2].reason = Some("all candidates have scores".into());
    rig.send(Msg::Runs(RunNews::Listed(after.clone())));
    let words = "✓ score 'edits' done: all candidates have scores";
    assert!(rig.frame().contains(words), "{}", rig.frame());
    rig.send(Msg::Runs(RunNews::Listed(after)));
    let told = rig.effects.iter();
    let told = told.filter(|e| **e == Effect::Notify(words.into()));
    assert_eq!(told.count(), 1);
}

#[test]
fn without_colour_everything_is_told_by_marks_and_words() {
    let mut rig = filled(Rig::themed(groups(3, 2), (120, 40), Theme::mono()));
    rig.keys("enter /").text("scored");
    for cell in &rig.buffer().content {
        assert!(
            cell.fg == Color::Reset && cell.bg == Color::Reset,
            "{cell:?}"
        );
    }
    let frame = rig.frame();
    for mark in ["▶", "…", "✗", "‖", "✓"] {
        assert!(frame.contains(mark), "{mark}: {frame}");
    }
}

#[test]
fn no_size_panics_or_lets_an_escape_through() {
    for (width, height) in [
        (30, 8),
        (31, 9),
        (44, 13),
        (60, 20),
        (99, 22),
        (100, 16),
        (400, 100),
    ] {
        let mut rig = rig(width, height);
        for keys in [
            "v", "v", "v", "enter", "w", "ctrl-u", "l", "z", "/", "esc", "esc", "esc", "/", "esc",
            "n", "enter", "down", "right", "esc", "?",
        ] {
            rig.keys(keys);
            for cell in &rig.buffer_now().content {
                assert!(!cell.symbol().contains(char::is_control));
            }
        }
    }
}

#[test]
fn a_run_that_waits_says_what_for() {
    let mut rig = rig(120, 30);
    rig.keys("j j");
    let frame = rig.frame();
    assert!(
        frame.contains("waits for the device cpu, which 'edits' has"),
        "{frame}"
    );
}

#[test]
fn of_a_run_on_another_machine_it_is_said_where_its_needs_are_told() {
    let mut rig = Rig::new(groups(2, 2), 120, 30);
    let mut runs = entries();
    runs[2].process = Some((7, "node7".into()));
    rig.send(Msg::Runs(RunNews::Listed(runs))).keys("Q j");
    let frame = rig.frame();
    assert!(
        frame.contains("what it takes is told on node7 only"),
        "{frame}"
    );
}
