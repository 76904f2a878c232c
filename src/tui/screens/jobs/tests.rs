//! The jobs screen without a terminal: the order of the runs, and the log as one moves in it.

use std::sync::Arc;

use ratatui::layout::Rect;
use tui_input::Input;

use super::log::{LogPane, Page, Window};
use super::{Facts, JobNews, Jobs, List, Pane, layout};
use crate::runs::State;
use crate::tui::msg::Action;
use crate::tui::sample_of_jobs::{entries, log, taken};

/// Rows of the log in these tests.
const ROWS: usize = 10;

fn titles(list: &List) -> Vec<(State, String)> {
    let rows = list.rows().into_iter();
    rows.map(|entry| (entry.state, entry.title().to_owned()))
        .collect()
}

#[test]
fn what_runs_or_waits_comes_first_in_its_order_and_then_the_newest() {
    let mut list = List::default();
    list.read(&entries());
    let expected = [
        (State::Running, "all edits"),
        (State::Running, "edits"),
        (State::Queued, "gedit demo"),
        (State::Queued, "edits"),
        (State::Failed, "heads"),
        (State::Stopped, "fine-tune"),
        (State::Done, "edits"),
    ];
    assert_eq!(titles(&list), expected.map(|(s, t)| (s, t.to_owned())));
    assert_eq!(list.counts(), [2, 2, 3]);
}

#[test]
fn priority_orders_what_waits_alone_and_that_waits_since_it_was_put_into_the_queue() {
    let mut all = entries();
    // The oldest of those that are over, and of those that run the newer one.
    for i in [6, 2] {
        all[i].manifest.priority = 9;
    }
    // Made after the other one that waits, and put into the queue before it.
    all[0].manifest.priority = 0;
    let made = all[0].manifest.created;
    all[0].times.queued = Some(made);
    all[1].times.queued = Some(made + 60.0);
    let mut list = List::default();
    list.read(&all);
    let names: Vec<&str> = list.rows().iter().map(|e| e.name.as_str()).collect();
    let expected = [3, 2, 0, 1, 4, 5, 6].map(|i: usize| all[i].name.as_str());
    assert_eq!(names, expected);
}

#[test]
fn what_a_process_took_that_is_gone_is_forgotten() {
    let mut jobs = Jobs::default();
    jobs.listed(&entries());
    let name = &entries()[2].name;
    jobs.hear(taken(0));
    assert!(jobs.gauges.of(name).is_some());
    jobs.hear(JobNews::Taken(Vec::new(), Vec::new()));
    assert!(jobs.gauges.of(name).is_none());
}

#[test]
fn the_mark_stays_with_its_run_and_goes_to_the_neighbour_of_one_that_is_gone() {
    let mut list = List::default();
    list.step(3);
    assert!(list.marked().is_none());
    list.read(&entries());
    list.step(4);
    assert_eq!(list.marked().unwrap().title(), "heads");
    let mut fewer = entries();
    fewer.remove(0);
    list.read(&fewer);
    assert_eq!(
        (list.position(), list.marked().unwrap().title()),
        (3, "heads")
    );
    fewer.retain(|entry| entry.title() != "heads");
    list.read(&fewer);
    assert_eq!(list.marked().unwrap().title(), "fine-tune");
    list.filter = Input::new("CPU score".into());
    list.arrange();
    assert_eq!(list.rows().len(), 2, "{:?}", titles(&list));
    list.wait_for(entries()[0].name.clone());
    assert_ne!(list.marked().unwrap().title(), "gedit demo");
    list.filter.reset();
    list.read(&entries());
    assert_eq!(list.marked().unwrap().title(), "gedit demo");
}

/// A log of a thousand lines that answers every wish.
fn pane() -> LogPane {
    let mut pane = LogPane::default();
    pane.show(Some("a"));
    answer(&mut pane, 1000);
    pane
}

fn answer(pane: &mut LogPane, all: usize) {
    let wish = pane.wish(ROWS);
    let window = match wish.window {
        Window::End(count) => all.saturating_sub(count)..all,
        Window::From(first, count) => first.min(all)..(first + count).min(all),
    };
    let hits: Vec<usize> = (0..all).filter(|i| i % 100 == 50).collect();
    pane.hear(Page {
        hits: if wish.search.is_empty() {
            Arc::default()
        } else {
            hits.into()
        },
        search: wish.search,
        ..log("a", all, window)
    });
}

fn shown(pane: &LogPane) -> (usize, usize) {
    let lines = pane.lines(ROWS);
    let number = |line: Option<&(Option<usize>, &str)>| line.unwrap().0.unwrap();
    (number(lines.first()), number(lines.last()))
}

#[test]
fn the_end_is_followed_until_one_goes_back_and_again_when_one_is_there() {
    let mut pane = pane();
    assert_eq!(shown(&pane), (990, 999));
    answer(&mut pane, 1003);
    assert_eq!(shown(&pane), (993, 1002));
    pane.act(Action::LogLines(-1), ROWS);
    assert!(!pane.follow);
    // A step finds its line among what was read already.
    assert_eq!(shown(&pane), (992, 1001));
    answer(&mut pane, 1010);
    assert_eq!(shown(&pane), (992, 1001));
    for _ in 0..3 {
        pane.act(Action::LogPage(true), ROWS);
        answer(&mut pane, 1010);
    }
    assert!(pane.follow);
    pane.act(Action::LogStart, ROWS);
    answer(&mut pane, 1010);
    assert_eq!(shown(&pane), (0, 9));
    pane.act(Action::LogEnd, ROWS);
    answer(&mut pane, 1010);
    assert_eq!(shown(&pane), (1000, 1009));
}

#[test]
fn finds_are_gone_through_both_ways_round_the_ends() {
    let mut pane = pane();
    pane.begin_search();
    pane.type_into(|input| *input = Input::new("x".into()));
    answer(&mut pane, 1000);
    // From the end one looks back.
    assert_eq!((pane.at(), pane.finds()), (Some(950), (10, Some(10))));
    pane.end_search(true);
    answer(&mut pane, 1000);
    assert_eq!(shown(&pane).0, 947);
    pane.act(Action::NextFind(true), ROWS);
    pane.act(Action::NextFind(true), ROWS);
    assert_eq!((pane.at(), pane.finds().1), (Some(150), Some(2)));
    pane.act(Action::NextFind(false), ROWS);
    pane.act(Action::NextFind(false), ROWS);
    assert_eq!(pane.at(), Some(950));
    assert!(pane.drop_search() && !pane.drop_search());
}

/// A log of 1000 lines of which so many were looked through, with the finds in them.
fn partial(pane: &mut LogPane, all: usize, hits: &[usize]) {
    let wish = pane.wish(ROWS);
    let first = match wish.window {
        Window::End(_) => 0,
        Window::From(first, _) => first.min(all),
    };
    let known = matches!(wish.window, Window::From(..)).then_some(first);
    pane.hear(Page {
        first: known,
        whole: all >= 1000,
        hits: hits.into(),
        search: wish.search,
        ..log("a", all, first..(first + 3 * ROWS).min(all))
    });
}

/// The first line that shows, of a log that is not followed.
fn top(pane: &LogPane) -> usize {
    match pane.wish(ROWS).window {
        Window::From(first, _) => first + ROWS,
        Window::End(_) => panic!("it is followed"),
    }
}

#[test]
fn each_letter_is_sought_from_where_the_search_began() {
    let mut pane = pane();
    pane.act(Action::LogStart, ROWS);
    pane.scroll(300, ROWS);
    pane.begin_search();
    pane.type_into(|input| *input = Input::new("l".into()));
    partial(&mut pane, 1000, &[100, 350, 400, 700]);
    assert_eq!(pane.at(), Some(350));
    pane.type_into(|input| *input = Input::new("lo".into()));
    partial(&mut pane, 1000, &[100, 310, 700]);
    assert_eq!(pane.at(), Some(310));
    pane.end_search(false);
    assert_eq!((pane.at(), top(&pane)), (None, 300));
    // And from the end, which is followed again.
    pane.act(Action::LogEnd, ROWS);
    pane.begin_search();
    pane.type_into(|input| *input = Input::new("l".into()));
    partial(&mut pane, 1000, &[100, 350]);
    pane.type_into(|input| *input = Input::new("lo".into()));
    partial(&mut pane, 1000, &[100, 700]);
    assert_eq!(pane.at(), Some(700));
    pane.end_search(false);
    assert!(pane.follow);
}

#[test]
fn nobody_goes_round_the_end_before_all_was_searched() {
    let mut pane = pane();
    pane.act(Action::LogStart, ROWS);
    pane.scroll(300, ROWS);
    pane.begin_search();
    pane.type_into(|input| *input = Input::new("l".into()));
    partial(&mut pane, 200, &[100]);
    assert_eq!(pane.at(), None);
    pane.act(Action::NextFind(true), ROWS);
    assert_eq!(pane.at(), None);
    partial(&mut pane, 600, &[100, 550]);
    assert_eq!(pane.at(), Some(550));
    partial(&mut pane, 1000, &[100, 550]);
    pane.act(Action::NextFind(true), ROWS);
    assert_eq!(pane.at(), Some(100));
}

#[test]
fn of_very_many_finds_each_has_its_number() {
    let mut pane = pane();
    pane.begin_search();
    pane.type_into(|input| *input = Input::new("l".into()));
    let most = crate::runs::log::MOST_HITS;
    let hits: Vec<usize> = (0..most).chain(4 * most..5 * most).collect();
    pane.hear(Page {
        hits: hits.into(),
        missed: 3 * most,
        search: "l".into(),
        ..log("a", 5 * most, 5 * most - 10..5 * most)
    });
    assert_eq!(pane.at(), Some(5 * most - 1));
    assert_eq!(pane.finds(), (5 * most, Some(5 * most)));
    pane.act(Action::NextFind(true), ROWS);
    assert_eq!(pane.finds(), (5 * most, Some(1)));
}

#[test]
fn while_a_long_log_is_counted_one_stays_at_its_end() {
    let mut pane = pane();
    partial(&mut pane, 200, &[]);
    pane.act(Action::LogLines(-1), ROWS);
    assert!(pane.follow);
    pane.act(Action::FollowLog, ROWS);
    assert!(pane.follow);
    // What was counted last is not the end of it.
    pane.act(Action::LogStart, ROWS);
    pane.scroll(195, ROWS);
    assert_eq!((pane.follow, top(&pane)), (false, 195));
    partial(&mut pane, 1000, &[]);
    pane.scroll(794, ROWS);
    assert!(!pane.follow);
    pane.scroll(1, ROWS);
    assert!(pane.follow);
    // Nothing is as far on as this.
    pane.act(Action::LogStart, ROWS);
    partial(&mut pane, 200, &[]);
    pane.scroll(5000, ROWS);
    partial(&mut pane, 1000, &[]);
    assert!(pane.follow);
}

#[test]
fn another_run_shows_its_own_log_from_the_end() {
    let mut pane = pane();
    pane.act(Action::LogStart, ROWS);
    pane.act(Action::WrapLog, ROWS);
    pane.show(Some("b"));
    assert!(pane.follow && pane.wrap && pane.page().lines.is_empty());
    assert!(!pane.hear(log("a", 5, 0..5)), "that was of the run before");
    pane.turn_part(true, 2);
    assert_eq!(pane.shard(), Some(0));
    pane.turn_part(true, 2);
    pane.turn_part(true, 2);
    assert_eq!(pane.shard(), None);
    pane.turn_part(false, 2);
    assert_eq!(pane.shard(), Some(1));
    pane.turn_part(false, 0);
    assert_eq!(pane.shard(), None);
}

#[test]
fn what_was_forgotten_is_wished_for_anew() {
    let facts = Facts {
        runs: 9,
        pane: Pane::Log,
        large: false,
    };
    let l = layout(Rect::new(0, 1, 120, 40), facts);
    let mut jobs = Jobs::default();
    jobs.listed(&entries());
    let first = jobs.watch(&l).unwrap();
    assert_eq!(jobs.watch(&l), Some(first.clone()));
    jobs.act(Action::NextRun, &l);
    jobs.act(Action::PreviousRun, &l);
    let back = jobs.watch(&l).unwrap();
    assert_eq!((&back.run, &back.log), (&first.run, &first.log));
    assert_ne!(back.turn, first.turn);
    // There and back between the logs of the shards, of which there is one.
    jobs.log.turn_part(true, 1);
    jobs.log.turn_part(true, 1);
    let back_again = jobs.watch(&l).unwrap();
    assert_eq!(back_again.log, back.log);
    assert_ne!(back_again.turn, back.turn);
}

#[test]
fn nothing_leaves_the_screen_and_nothing_covers_another_at_any_size() {
    for width in (0..260).step_by(7) {
        for height in 0..70 {
            for (pane, large) in [
                (Pane::Log, false),
                (Pane::Facts, false),
                (Pane::Curves, true),
            ] {
                let area = Rect::new(0, 1, width, height);
                let l = layout(
                    area,
                    Facts {
                        runs: 9,
                        pane,
                        large,
                    },
                );
                let parts = [l.title, l.heads, l.rows, l.rule, l.facts, l.divider, l.pane];
                for (i, part) in parts.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
                    assert_eq!(part.intersection(area), *part, "{width}x{height}");
                    for other in &parts[..i] {
                        assert!(part.intersection(*other).is_empty(), "{width}x{height}");
                    }
                }
            }
        }
    }
}
