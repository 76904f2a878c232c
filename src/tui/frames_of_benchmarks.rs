//! Whole frames of the bench screen, against what was looked at and found right.

use insta::assert_snapshot;
use ratatui::style::Color;

use super::msg::{Effect, Msg};
use super::rig::{Rig, draw_pictures, groups};
use super::sample_of_benchmarks as sample;
use super::screens::bench::Wanted;
use super::screens::train::RunNews;
use super::theme::Theme;

fn rig(width: u16, height: u16) -> Rig {
    Rig::new(groups(12, 5), width, height)
}

#[test]
fn the_leaderboard_on_a_large_terminal() {
    let mut rig = rig(200, 50);
    rig.benchmarks();
    assert_snapshot!(rig.frame());
}

#[test]
fn the_leaderboard_on_a_small_terminal_scrolled_and_sorted() {
    let mut rig = rig(80, 24);
    rig.benchmarks();
    assert_snapshot!("first", rig.frame());
    rig.keys("$ h h j s S");
    assert_snapshot!("sorted", rig.frame());
}

#[test]
fn tables_and_curves_of_a_run() {
    let mut rig = rig(120, 40);
    rig.benchmarks().keys("v");
    assert_snapshot!("tables", rig.frame());
    rig.keys("v");
    assert_snapshot!("reliability", rig.frame());
    rig.keys("v");
    assert_snapshot!("coverage", rig.frame());
    // A run that gives no probabilities has no curve of them, and says so.
    rig.keys("v v v l l l");
    let frame = rig.frame();
    assert!(frame.contains("no reliability curve"), "{frame}");
}

#[test]
fn an_undefined_figure_tells_its_reason_and_a_published_one_its_source() {
    let mut rig = rig(100, 30);
    rig.benchmarks().keys("l l l l l l j");
    let frame = rig.frame();
    assert!(frame.contains("undefined: one side is constant"), "{frame}");
    rig.keys("0 G l l l");
    assert_snapshot!(rig.frame());
    rig.keys("enter");
    assert!(rig.frame().contains("no list of mistakes is behind it"));
}

#[test]
fn nothing_was_run_yet() {
    let mut rig = rig(80, 24);
    rig.keys("E");
    assert!(rig.frame().contains("reading the runs…"));
    rig.send(Msg::Runs(RunNews::Listed(Vec::new())));
    assert_snapshot!(rig.frame());
}

#[test]
fn the_mistakes_of_a_run_without_images() {
    let mut rig = rig(100, 24);
    rig.benchmarks().keys("l l l enter");
    assert_snapshot!("list", rig.frame());
    rig.keys("j enter");
    assert_snapshot!("case", rig.frame());
    // Back to the list, back to the leaderboard, and no farther.
    rig.keys("esc");
    assert!(rig.frame().contains("most confident first"));
    rig.keys("esc esc");
    assert!(rig.frame().contains("Leaderboard"));
}

#[test]
fn a_mistake_on_a_group_of_the_workspace_opens_in_browse_with_the_others() {
    let mut rig = rig(120, 40);
    rig.benchmarks().keys("enter j");
    assert!(rig.frame().contains("3 of 3 judgements"), "{}", rig.frame());
    rig.keys("enter");
    let frame = rig.frame();
    assert!(
        frame.contains("Wrong: demo on workspace") && frame.contains("2/3"),
        "{frame}"
    );
    assert_eq!(rig.look().group, Some(crate::domain::GroupId(7)));
    // The two candidates that were judged are told apart from the others, and who preferred which.
    assert_snapshot!("judged_pair", frame);
    for part in [
        "[B] qwen-edit",
        "[D] ",
        "people overall: B ≻ D",
        "scorer D ≻ B by 0.700",
    ] {
        assert!(frame.contains(part), "{part}: {frame}");
    }
    assert!(!frame.contains("[A]") && !frame.contains("[C]"), "{frame}");
    rig.keys("esc");
    assert!(!rig.frame().contains("[B]"), "all groups show again");
    rig.keys("E");
    assert!(
        rig.frame().contains("most confident first"),
        "the list is still open"
    );
}

#[test]
fn a_group_that_bears_a_cases_name_by_chance_is_not_taken_for_it() {
    let mut all = groups(12, 5);
    for group in &mut all {
        group.instruction = "Something else".into();
    }
    let mut rig = Rig::new(all, 100, 30);
    rig.benchmarks().keys("enter enter");
    let frame = rig.frame();
    assert!(frame.contains("no images are there"), "{frame}");
}

#[test]
fn a_case_that_is_not_in_the_workspace_shows_its_pictures_where_they_are() {
    let root = tempfile::tempdir().unwrap();
    let all = groups(12, 5);
    for group in &all {
        draw_pictures(root.path(), group);
    }
    let theme = Theme::for_background(None);
    let mut rig = Rig::themed(groups(1, 2), (120, 40), theme).with_pictures(root.path());
    rig.send(Msg::Runs(RunNews::Listed({
        let mut entries = sample::entries();
        for entry in &mut entries {
            entry.manifest.arguments = vec![format!("--images={}", root.path().display())];
        }
        entries
    })));
    rig.keys("E enter enter");
    assert_eq!(rig.look().view.len(), 6, "source and five edits");
    let frame = rig.frame();
    assert!(
        frame.contains("B qwen-edit") && frame.contains("▀"),
        "{frame}"
    );
}

#[test]
fn reports_are_read_when_the_screen_is_looked_at_and_new_ones_by_themselves() {
    let mut rig = rig(100, 30);
    let asked = |rig: &Rig| -> usize {
        let reports = rig.effects.iter().map(|effect| match effect {
            Effect::Bench(Wanted::Reports(runs)) => runs.len(),
            _ => 0,
        });
        reports.sum()
    };
    let entries = sample::entries();
    rig.send(Msg::Runs(RunNews::Listed(entries[2..].to_vec())));
    assert_eq!(asked(&rig), 0);
    rig.keys("E");
    assert_eq!(asked(&rig), entries.len() - 2);
    assert!(!rig.frame().contains("workspace"));
    rig.send(Msg::Runs(RunNews::Listed(entries.clone())));
    assert_eq!(asked(&rig), entries.len());
    assert!(rig.frame().contains("workspace"));
    rig.keys("r");
    assert_eq!(asked(&rig), 2 * entries.len());
}

#[test]
fn a_report_that_cannot_be_read_is_said_once_and_the_others_show() {
    let mut rig = rig(100, 30);
    let mut entries = sample::entries();
    entries[0].name = "bench-torn".into();
    rig.send(Msg::Runs(RunNews::Listed(entries)));
    rig.keys("E");
    let frame = rig.frame();
    assert!(
        frame.contains("cannot read 'bench-torn/report.json'"),
        "{frame}"
    );
    assert!(frame.contains("63.9") || frame.contains("71.2"), "{frame}");
}

#[test]
fn without_colour_signs_tell_what_is_marked_and_published() {
    let mut rig = Rig::themed(groups(3, 2), (100, 30), Theme::mono());
    rig.benchmarks();
    for cell in &rig.buffer().content {
        assert!(
            cell.fg == Color::Reset && cell.bg == Color::Reset,
            "{cell:?}"
        );
    }
    let frame = rig.frame();
    assert!(
        frame.contains('▸') && frame.contains('†') && frame.contains('▌'),
        "{frame}"
    );
}

#[test]
fn no_size_panics_or_lets_an_escape_through() {
    for (width, height) in [
        (30, 8),
        (31, 9),
        (44, 13),
        (60, 20),
        (109, 22),
        (110, 18),
        (400, 100),
    ] {
        let mut rig = rig(width, height);
        rig.benchmarks();
        let script =
            "v v v v pgdn pgup $ G s S 0 g l enter j pgdn enter pgdn j esc esc l l enter ?";
        for key in script.split(' ') {
            rig.keys(key);
            for cell in &rig.buffer_now().content {
                assert!(!cell.symbol().contains(char::is_control));
            }
        }
    }
}
