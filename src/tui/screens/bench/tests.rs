//! The screen's state: news in, cursor, list and layers out.

use ratatui::layout::Rect;

use super::layout::layout;
use super::*;
use crate::tui::sample_of_benchmarks as sample;

fn bench() -> Bench {
    let mut bench = Bench::default();
    bench.listed(&sample::entries());
    for wanted in bench.wanted() {
        for news in sample::read(&wanted) {
            assert_eq!(bench.hear(news), None);
        }
    }
    bench
}

fn place(bench: &Bench) -> Layout {
    layout(Rect::new(0, 0, 120, 40), bench.layout_facts(2.0))
}

fn act(bench: &mut Bench, actions: &[Action]) {
    for action in actions {
        let layout = place(bench);
        assert!(bench.act(*action, &layout), "{action:?}");
        let layout = place(bench);
        bench.settle(&layout);
    }
}

#[test]
fn mistakes_that_come_after_the_list_was_closed_are_nobodys() {
    let mut bench = bench();
    let wanted = bench.open().unwrap();
    assert!(bench.list().is_some() && bench.back());
    for news in sample::read(&wanted) {
        bench.hear(news);
    }
    assert!(bench.list().is_none() && !bench.back());
    // Nor are they another list's.
    act(&mut bench, &[Action::NextColumn]);
    bench.open().unwrap();
    for news in sample::read(&wanted) {
        bench.hear(news);
    }
    assert!(bench.list().unwrap().read.is_none());
}

#[test]
fn the_detail_scrolls_no_farther_than_its_words_and_begins_anew_in_another_cell() {
    let mut bench = bench();
    act(&mut bench, &[Action::DetailDown; 40]);
    let end = bench.scroll;
    act(&mut bench, &[Action::DetailDown]);
    assert_eq!(bench.scroll, end);
    act(&mut bench, &[Action::NextColumn]);
    assert_eq!(bench.scroll, 0);
}

#[test]
fn a_click_marks_a_cell_and_a_second_one_opens_it() {
    let mut bench = bench();
    let layout = place(&bench);
    let (column, x, _) = bench.board.visible(layout.cells.width)[1];
    let at = Position::new(layout.cells.x + x + 1, layout.cells.y + 2);
    assert!(!bench.click(at, &layout));
    assert_eq!(bench.board.cursor(), (2, column));
    assert!(bench.click(at, &layout));
    let below = Position::new(at.x, layout.detail.y);
    assert!(!bench.click(below, &layout));
    bench.wheel(true, at, &layout);
    assert_eq!(bench.board.cursor(), (3, column));
}

#[test]
fn an_empty_cell_says_that_nothing_was_run() {
    let mut bench = bench();
    act(&mut bench, &[Action::FirstRow, Action::LastColumn]);
    while bench.board.marked().run().is_some() {
        act(&mut bench, &[Action::NextRow]);
    }
    let why = bench.open().unwrap_err();
    assert!(
        why.contains("was not run") || why.contains("published"),
        "{why}"
    );
}

#[test]
fn older_runs_of_a_scorer_are_looked_at_one_after_the_other_and_the_newest_again() {
    const OLD: &str = "20260102-030405-bench-run-genai-edit-demo";
    let mut entries = sample::entries();
    let mut old = entries[4].clone();
    old.name = OLD.into();
    entries.push(old);
    let mut bench = Bench::default();
    bench.listed(&entries);
    bench.wanted();
    for entry in &entries {
        let mut report = sample::report(&entry.name)
            .or(sample::report("bench-3"))
            .unwrap();
        if entry.name == OLD {
            report.figures[0].value = Some(0.123);
        }
        let news = BenchNews::Report(entry.name.clone(), Ok(Box::new(report)));
        assert_eq!(bench.hear(news), None);
    }
    let genai = |c: &crate::bench::leaderboard::Column| c.benchmark == "genai-edit";
    let column = bench.board.columns().iter().position(genai).unwrap();
    let row = bench.board.rows().iter().position(|r| r.scorer == "demo");
    bench.board.mark(row.unwrap(), column);
    assert_eq!(bench.marked_run(), Some("bench-3"));
    assert_eq!(bench.which_run().unwrap(), "run 1 of 2");
    act(&mut bench, &[Action::OlderRun]);
    assert_eq!(bench.marked_run(), Some(OLD));
    assert_eq!(bench.which_run().unwrap(), "run 2 of 2, 2026-01-02 03:04");
    let wanted = bench.open().unwrap();
    assert!(matches!(wanted, Wanted::Mistakes { run, .. } if run == OLD));
    let title = &bench.list().unwrap().title;
    assert!(title.ends_with("run 2 of 2, 2026-01-02 03:04"), "{title}");
    assert!(bench.back());
    act(&mut bench, &[Action::OlderRun]);
    assert_eq!(bench.marked_run(), Some("bench-3"), "round to the newest");
    // Another cell shows its own run, and a run that goes takes its place with it.
    act(
        &mut bench,
        &[Action::OlderRun, Action::NextRow, Action::PreviousRow],
    );
    assert_eq!(bench.marked_run(), Some("bench-3"));
    act(&mut bench, &[Action::OlderRun]);
    bench.listed(&entries[..5]);
    assert_eq!(
        (bench.marked_run(), bench.which_run()),
        (Some("bench-3"), None)
    );
}

#[test]
fn a_runs_name_tells_when_it_began_unless_somebody_gave_it_another() {
    let of = archive::begun;
    assert_eq!(of("20261127-155754-bench"), Some("2026-11-27 15:57".into()));
    assert_eq!(of("bench-3"), None);
    assert_eq!(of("long-enough-name-of-a-run"), None);
    assert_eq!(of("2026112-7155754-x"), None);
    assert_eq!(of("ä0261127-155754-x"), None);
}
