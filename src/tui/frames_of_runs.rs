//! Whole frames of the train screen, against what was looked at and found right.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use ratatui::style::Color;

use super::msg::{Effect, Msg, Sought, Work};
use super::rig::{Rig, draw_pictures, groups};
use super::sample;
use super::screens::train::RunNews;
use super::theme::Theme;
use crate::jobs::Force;
use crate::runs::{Event, Fact, State};

fn rig(width: u16, height: u16) -> Rig {
    Rig::new(groups(12, 5), width, height)
}

#[test]
fn two_runs_on_a_large_terminal() {
    let mut rig = rig(200, 50);
    rig.runs(3, &[(2, 3000), (3, 1500)]).keys("b k");
    assert_snapshot!(rig.frame());
}

#[test]
fn two_runs_on_a_usual_terminal_with_a_cursor() {
    let mut rig = rig(100, 30);
    rig.runs(3, &[(2, 3000), (3, 1500)]).keys("H H l");
    assert_snapshot!(rig.frame());
}

#[test]
fn two_runs_on_a_small_terminal() {
    let mut rig = rig(60, 20);
    rig.runs(3, &[(2, 3000), (3, 1500)]);
    assert_snapshot!(rig.frame());
}

#[test]
fn one_chart_large_by_factors_of_the_steps() {
    let mut rig = rig(100, 30);
    rig.runs(2, &[(2, 1500)]).keys("tab z y X");
    assert_snapshot!(rig.frame());
}

#[test]
fn a_run_that_broke_down_says_so_in_list_charts_and_facts() {
    let mut rig = rig(100, 30);
    let mut runs = sample::runs(1);
    runs[0].state = State::Failed;
    runs[0].reason = Some("the loss is no number at step 300: its groups are noted".into());
    rig.send(Msg::Runs(RunNews::Listed(runs))).keys("T");
    let mut events = sample::training(1, 299);
    for step in 300..=310 {
        let values = BTreeMap::from([("train.loss".to_owned(), f64::NAN)]);
        let fact = Fact::Metrics {
            step,
            epoch: 0.4,
            values,
        };
        events.push(Event { time: 400.0, fact });
    }
    rig.send(Msg::Runs(RunNews::Told {
        run: "run-1".into(),
        events,
        anew: true,
    }));
    assert_snapshot!(rig.frame());
}

#[test]
fn the_followed_group_with_pictures_and_scores() {
    let root = tempfile::tempdir().unwrap();
    let all = groups(12, 5);
    draw_pictures(root.path(), &all[0]);
    draw_pictures(root.path(), &all[1]);
    let mut rig =
        Rig::themed(all, (160, 48), Theme::for_background(None)).with_pictures(root.path());
    rig.runs(1, &[(1, 1500)]).keys("v H");
    assert_eq!(rig.look().view.len(), 6, "source and five candidates");
    assert_snapshot!("first", rig.frame());
    rig.keys("}");
    assert!(rig.frame().contains("followed 2/2"));
}

#[test]
fn no_runs_and_runs_not_read_yet() {
    let mut rig = rig(100, 30);
    rig.keys("T");
    assert!(rig.frame().contains("reading the runs…"));
    rig.send(Msg::Runs(RunNews::Listed(Vec::new())));
    assert_snapshot!(rig.frame());
}

#[test]
fn the_log_and_a_choice_of_metrics() {
    let mut rig = rig(100, 30);
    rig.runs(1, &[(1, 400)]).keys("v v /").text("acc");
    rig.send(Msg::Runs(RunNews::Log {
        run: "run-1".into(),
        lines: (1..=40)
            .map(|i| format!("step {i}00 \u{1b}[31mred\u{1b}[0m"))
            .collect(),
    }));
    assert_snapshot!(rig.frame());
    rig.keys("esc");
    assert!(rig.frame().contains("train.loss"));
}

#[test]
fn a_plan_being_written() {
    let mut rig = rig(120, 34);
    rig.runs(1, &[]).keys("n j j enter").text("x");
    assert_snapshot!("wrong", rig.frame());
    rig.keys("esc pgdn");
    assert_snapshot!("right", rig.frame());
}

#[test]
fn stopping_asks_first_and_the_first_answer_changes_nothing() {
    let mut rig = rig(100, 30);
    rig.runs(2, &[]).keys("g c");
    assert_snapshot!(rig.frame());
    rig.effects.clear();
    rig.keys("enter");
    assert!(!rig.effects.iter().any(|e| matches!(e, Effect::Work(_))));
    rig.keys("c down enter");
    let (run, force) = ("run-2".into(), Force::Ask);
    let asked = Effect::Work(Work::Stop { run, force });
    assert!(rig.effects.contains(&asked), "{:?}", rig.effects);
}

#[test]
fn without_colour_marks_tell_runs_apart() {
    let mut rig = Rig::themed(groups(3, 2), (100, 30), Theme::mono());
    rig.runs(3, &[(2, 3000), (3, 1500)]).keys("b k");
    let buffer = rig.buffer();
    for cell in &buffer.content {
        assert!(
            cell.fg == Color::Reset && cell.bg == Color::Reset,
            "{cell:?}"
        );
    }
    assert_snapshot!(rig.frame());
}

#[test]
fn live_runs_are_in_the_status_line_of_every_screen() {
    let mut rig = rig(160, 40);
    rig.send(Msg::Runs(RunNews::Listed(sample::runs(2))));
    assert!(rig.frame().contains("▶ run two 50% 25 min left"));
    rig.keys("enter");
    assert!(rig.frame().contains("▶ run two 50% 25 min left"));
}

#[test]
fn no_size_panics_or_lets_an_escape_through() {
    for (width, height) in [
        (30, 8),
        (31, 9),
        (44, 13),
        (60, 20),
        (89, 22),
        (90, 18),
        (400, 100),
    ] {
        let mut rig = rig(width, height);
        rig.runs(3, &[(2, 300), (3, 150)]);
        for keys in ["H", "v", "v", "z", "n", "enter", "esc", "esc", "?"] {
            rig.keys(keys);
            for cell in &rig.buffer_now().content {
                assert!(!cell.symbol().contains(char::is_control));
            }
        }
    }
}

#[test]
fn enter_on_a_point_browses_the_groups_of_its_step() {
    let mut rig = rig(100, 30);
    rig.runs(1, &[(1, 400)]).keys("H");
    rig.effects.clear();
    rig.keys("enter");
    let found = rig.effects.iter().find_map(|effect| match effect {
        Effect::Find(Sought::Step(words), keys) => Some((words.clone(), keys.len())),
        _ => None,
    });
    assert_eq!(found, Some(("Step 400 of run one".into(), 8)));
    let frame = rig.frame();
    assert!(
        frame.contains("Step 400 of run one") && frame.contains("1/8"),
        "{frame}"
    );
    // Out again: all groups, and then the runs.
    rig.keys("esc");
    assert!(rig.frame().contains("1/12") || rig.frame().contains("/12"));
    rig.keys("T");
    assert!(rig.frame().contains("step 400"));
}
