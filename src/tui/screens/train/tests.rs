//! The screen's state: news in, cursor, window and focus out.

use super::layout::{Facts, layout};
use super::*;
use crate::tui::sample;

fn train(steps: &[(usize, u64)]) -> Train {
    let mut train = Train::default();
    train.hear(RunNews::Listed(sample::runs(3)));
    for (n, _) in steps {
        train.shelf.mark(3 - n);
        train.shelf.toggle();
    }
    for (n, steps) in steps {
        assert!(train.hear(RunNews::Told {
            run: format!("run-{n}"),
            events: sample::training(*n as u64, *steps),
            anew: true,
        }));
    }
    train
}

fn place(train: &Train) -> Layout {
    let facts = Facts {
        charts: train.metrics().len(),
        large: train.large,
        pane: train.pane,
        runs: 3,
        pictures: 0,
        aspect: 1.0,
        cell: 2.0,
    };
    layout(Rect::new(0, 0, 160, 45), facts)
}

fn act(train: &mut Train, actions: &[Action]) {
    for action in actions {
        let layout = place(train);
        assert!(train.act(*action, &layout), "{action:?}");
        let layout = place(train);
        train.scroll(&layout);
    }
}

#[test]
fn the_cursor_comes_in_at_the_end_and_moves_from_point_to_point() {
    let mut train = train(&[(1, 400)]);
    act(&mut train, &[Action::CursorLeft]);
    assert_eq!(train.step_at_cursor(), Some(400));
    act(&mut train, &[Action::CursorLeft]);
    let back = train.step_at_cursor().unwrap();
    assert!((380..400).contains(&back), "{back}");
    act(&mut train, &[Action::CursorFarRight]);
    assert_eq!(train.step_at_cursor(), Some(400));
    // On the sparse validation curve, one press is one point, however close the columns.
    while train.metrics()[train.focus()] != "val.accuracy" {
        act(&mut train, &[Action::NextChart]);
    }
    act(&mut train, &[Action::CursorLeft]);
    assert_eq!(train.step_at_cursor(), Some(300));
    assert!(train.back() && train.lens.cursor.is_none());
}

#[test]
fn the_cursor_keeps_its_step_when_the_axis_changes() {
    let mut train = train(&[(1, 400)]);
    act(&mut train, &[Action::CursorFarLeft, Action::CursorFarLeft]);
    let step = train.step_at_cursor();
    for _ in 0..3 {
        act(&mut train, &[Action::NextAcross]);
        assert_eq!(train.step_at_cursor(), step, "{:?}", train.lens.across);
    }
}

#[test]
fn a_live_run_stays_in_the_window_that_follows_its_end() {
    let mut train = train(&[(3, 400)]);
    act(&mut train, &[Action::ZoomIn]);
    let length = train.ruler().high() - train.ruler().low();
    train.hear(RunNews::Told {
        run: "run-3".into(),
        events: sample::training(3, 600),
        anew: true,
    });
    let ruler = train.ruler();
    assert_eq!(ruler.high(), 600.0);
    assert!((ruler.high() - ruler.low() - length).abs() < 1e-6);
}

#[test]
fn the_wheel_zooms_about_the_pointer_and_a_click_reads_there() {
    let mut train = train(&[(1, 400), (2, 800)]);
    let layout = place(&train);
    let field = Chart::field(layout.charts[1]);
    let at = Position::new(field.x + field.width / 4, field.y + 2);
    let share = (f64::from(field.width / 4) + 0.5) / f64::from(field.width);
    let before = train.ruler().value(share);
    train.wheel(false, at, &layout);
    assert!((train.ruler().value(share) - before).abs() < 8.0);
    assert!(!train.lens.shows_all());
    train.click(at, &layout);
    assert_eq!(train.focus(), 1);
    assert!((train.lens.cursor.unwrap() - before).abs() < 8.0);
    train.click(Position::new(layout.rows.x + 3, layout.rows.y + 2), &layout);
    assert_eq!(train.shelf.marked().unwrap().name, "run-1");
}

#[test]
fn what_shows_is_what_is_watched() {
    let mut train = train(&[(1, 10), (2, 10)]);
    let watch = train.watch(true);
    assert_eq!(watch.follow, ["run-1", "run-2"]);
    assert_eq!(watch.log, None);
    act(&mut train, &[Action::NextTrainPane, Action::NextTrainPane]);
    assert_eq!(train.watch(true).log.as_deref(), Some("run-2"));
    assert_eq!(train.watch(false).log, None);
    assert!(!train.hear(RunNews::Told {
        run: "run-3".into(),
        events: Vec::new(),
        anew: false,
    }));
}

#[test]
fn the_focused_chart_is_scrolled_to() {
    let mut train = train(&[(1, 400)]);
    act(&mut train, &[Action::EnlargeChart]);
    assert_eq!(place(&train).charts.len(), 1);
    for at in 0..train.metrics().len() {
        assert_eq!((train.focus(), train.first_chart(&place(&train))), (at, at));
        act(&mut train, &[Action::NextChart]);
    }
    assert!(train.back());
    let layout = place(&train);
    train.scroll(&layout);
    let first = train.first_chart(&layout);
    assert!((first..first + layout.charts.len()).contains(&train.focus()));
}

#[test]
fn followed_groups_are_looked_up_once_and_again_after_the_workspace_changed() {
    let mut train = train(&[(1, 400)]);
    assert!(train.unplaced().is_empty(), "nobody looks at them");
    act(&mut train, &[Action::NextTrainPane]);
    assert_eq!(train.unplaced(), ["group-1", "group-2"]);
    assert!(train.unplaced().is_empty());
    train.place(vec![
        ("group-1".into(), Some(GroupId(7))),
        ("group-2".into(), None),
    ]);
    assert_eq!(train.followed_group(), Some(GroupId(7)));
    act(&mut train, &[Action::NextFollowed]);
    assert_eq!(train.followed_group(), None);
    train.forget_places();
    assert_eq!(train.unplaced().len(), 2);
}
