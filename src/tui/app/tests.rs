//! Messages in, effects and state out.

use ratatui::crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::domain::GroupId;
use crate::score::LiveEvent;
use crate::tui::msg::{Effect, Msg};
use crate::tui::rig::{Rig, groups};
use crate::tui::widgets::image::Graphics;

fn rig() -> Rig {
    Rig::new(groups(12, 5), 160, 48)
}

fn click(column: u16, row: u16) -> Msg {
    mouse(MouseEventKind::Down(MouseButton::Left), column, row)
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Msg {
    Msg::Input(Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

#[test]
fn the_first_group_is_read_and_looked_at_without_a_key() {
    let rig = rig();
    assert_eq!(rig.look().group, Some(GroupId(1)));
    assert_eq!(rig.look().view.len(), 6, "source and five candidates");
    assert_eq!(rig.look().next, [GroupId(2), GroupId(3)]);
}

#[test]
fn a_held_key_reads_only_the_groups_around_where_it_comes_to_rest() {
    let mut rig = Rig::new(groups(600, 5), 160, 48);
    rig.effects.clear();
    // All presses arrive before the app settles, as when the loop drains its inbox.
    for _ in 0..500 {
        let key = crate::tui::keys::Chord::parse("j").unwrap().event();
        assert!(rig.app.update(Msg::Input(Event::Key(key))).is_empty());
    }
    let effects = rig.app.settle();
    let read: Vec<GroupId> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::LoadGroup { id, .. } => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(read, [501, 502, 503, 500].map(GroupId));
    let looks = effects
        .iter()
        .filter(|e| matches!(e, Effect::Look(_)))
        .count();
    assert_eq!(looks, 1);
}

#[test]
fn a_key_without_meaning_changes_nothing_and_draws_nothing() {
    let mut rig = rig();
    rig.app.drawn();
    rig.effects.clear();
    rig.keys("Y");
    assert!(!rig.app.needs_frame());
    assert!(rig.effects.is_empty());
    rig.send(mouse(MouseEventKind::Moved, 50, 20));
    assert!(!rig.app.needs_frame());
}

#[test]
fn a_score_of_a_group_that_is_nowhere_on_screen_draws_nothing() {
    let mut rig = rig();
    rig.app.drawn();
    rig.send(Msg::Model(LiveEvent::Scored {
        group: GroupId(9),
        candidate: crate::domain::CandidateId(900),
        reward: crate::tui::sample::reward(0),
        stored: false,
    }));
    assert!(!rig.app.needs_frame());
}

#[test]
fn the_model_being_ready_reads_scores_anew() {
    let mut rig = rig();
    rig.effects.clear();
    rig.scored(true);
    let fingerprints: Vec<_> = rig
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::LoadRows { fingerprint, .. } => fingerprint.clone(),
            Effect::LoadScale(fingerprint) => Some(fingerprint.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(fingerprints, ["f00d", "f00d"]);
    assert!(rig.frame().contains("#1"));
}

#[test]
fn filtering_narrows_the_list_live_and_escape_gives_it_back() {
    let mut rig = rig();
    rig.keys("/").text("hat dog");
    assert!(rig.frame().contains("4/12"), "{}", rig.frame());
    assert_eq!(rig.look().group, Some(GroupId(3)));
    rig.keys("enter j");
    assert_eq!(
        rig.look().group,
        Some(GroupId(9)),
        "the best matches come first"
    );
    rig.keys("esc");
    assert!(rig.frame().contains("9/12"), "the group stays marked");
    // A letter that is a command elsewhere is a letter here.
    rig.keys("/").text("q").keys("esc");
    assert!(!rig.app.wants_to_quit());
}

#[test]
fn sorting_cycles_through_every_order_and_back() {
    let mut rig = rig();
    let first = rig.frame();
    rig.keys("s s s s s");
    assert_eq!(rig.frame(), first);
    rig.keys("S");
    assert_ne!(rig.frame(), first);
}

#[test]
fn candidates_are_chosen_by_step_by_number_and_by_click() {
    let mut rig = rig();
    rig.keys("l l");
    assert_eq!(rig.app.screens.browse.candidate, 2);
    rig.keys("h 5 9");
    assert_eq!(rig.app.screens.browse.candidate, 4, "there is no ninth");
    let tile = rig.app.browse_layout(rig.app.screen()).tiles[1].picture;
    rig.send(click(tile.x + 1, tile.y + 1));
    assert_eq!(rig.app.screens.browse.candidate, 0);
    assert!(rig.app.screens.detail.is_none());
    rig.send(click(tile.x + 1, tile.y + 1));
    assert!(
        rig.app.screens.detail.is_some(),
        "the second click opens it"
    );
}

#[test]
fn the_mouse_marks_rows_and_the_wheel_moves_the_mark() {
    let mut rig = rig();
    let rows = rig.app.browse_layout(rig.app.screen()).rows;
    rig.send(click(rows.x + 3, rows.y + 4));
    assert_eq!(rig.look().group, Some(GroupId(5)));
    rig.send(mouse(MouseEventKind::ScrollDown, rows.x, rows.y));
    assert_eq!(rig.look().group, Some(GroupId(8)));
    rig.send(click(rows.x, rows.bottom() - 1));
    assert_eq!(rig.look().group, Some(GroupId(8)), "below the last row");
}

#[test]
fn detail_asks_for_both_pictures_and_has_the_blink_ready() {
    let mut rig = rig();
    rig.keys("2 enter");
    assert_eq!(rig.look().view.len(), 2);
    let side = rig.look().view[0].size;
    rig.keys("b");
    let view = &rig.look().view;
    assert_eq!(
        (view.len(), view[0].image.image.0.as_str()),
        (1, "1/source.png")
    );
    assert!(view[0].size.width >= side.width);
    let hidden = &rig.look().prefetch[0];
    assert_eq!(
        (hidden.image.image.0.as_str(), hidden.size),
        ("1/1.png", view[0].size)
    );
    rig.keys("b");
    assert_eq!(rig.look().view[0].image.image.0, "1/1.png");
    rig.keys("esc");
    assert!(rig.app.screens.detail.is_none());
}

#[test]
fn the_topmost_layer_gets_the_key() {
    let mut rig = rig();
    rig.keys("?").text("quit");
    assert!(!rig.app.wants_to_quit());
    rig.keys("esc j");
    assert_eq!(rig.look().group, Some(GroupId(2)));
    rig.keys("? enter");
    assert!(
        rig.app.overlays.is_empty(),
        "Enter runs the first row and closes"
    );
    assert_eq!(rig.look().group, Some(GroupId(3)));
}

#[test]
fn the_palette_runs_commands_and_goes_to_numbers() {
    let mut rig = rig();
    rig.keys(":").text("11").keys("enter");
    assert_eq!(rig.look().group, Some(GroupId(11)));
    rig.keys(":").text("99").keys("enter");
    assert!(rig.frame().contains("there are 12 groups"));
    rig.keys(":").text("quit").keys("enter");
    assert!(rig.app.wants_to_quit());
}

#[test]
fn the_theme_picker_shows_each_theme_and_escape_takes_it_back() {
    let mut rig = rig();
    let before = rig.app.paint.theme.clone();
    rig.keys("t down");
    assert_ne!(rig.app.paint.theme, before);
    rig.keys("esc");
    assert_eq!(rig.app.paint.theme, before);
    rig.keys("t down enter");
    assert_ne!(rig.app.paint.theme, before);
}

#[test]
fn the_terminals_background_chooses_a_theme_unless_one_was_chosen() {
    let mut rig = rig();
    let probed = || Msg::Probed {
        graphics: Graphics::halfblocks(),
        background: Some((255, 255, 255)),
    };
    let dark = rig.app.paint.theme.clone();
    rig.send(probed());
    assert_eq!(rig.app.paint.theme, dark);
    rig.app.paint.chosen = false;
    rig.send(probed());
    assert_ne!(rig.app.paint.theme, dark);
}

#[test]
fn quitting_suspending_and_redrawing_work_from_every_layer() {
    for layer in ["?", ":", "t", "/", "enter"] {
        let mut rig = rig();
        rig.keys(layer);
        rig.effects.clear();
        rig.keys("ctrl-z ctrl-l");
        assert_eq!(rig.effects, [Effect::Suspend, Effect::Repaint], "{layer}");
        rig.keys("ctrl-c");
        assert!(rig.app.wants_to_quit(), "{layer}");
    }
}

#[test]
fn a_failure_shows_until_the_next_key_and_stays_in_the_log() {
    let mut rig = rig();
    rig.send(Msg::Failed("the disk is full".into()));
    assert!(rig.frame().contains("the disk is full"));
    rig.keys("j");
    assert!(!rig.frame().contains("the disk is full"));
    rig.keys("m");
    assert!(rig.frame().contains("the disk is full"));
}

#[test]
fn no_size_and_no_key_panics() {
    let script = "j l 3 enter b v k esc / a enter s S v p n N G g ? down esc : esc t esc m esc r";
    for (width, height) in [
        (1, 1),
        (0, 0),
        (3, 100),
        (200, 1),
        (29, 8),
        (30, 8),
        (60, 20),
        (500, 120),
    ] {
        for count in [0, 1, 7] {
            let mut rig = Rig::new(groups(3, count), width, height);
            for key in script.split(' ') {
                rig.keys(key);
                if width > 0 && height > 0 {
                    rig.buffer();
                }
                rig.send(click(width / 2, height / 2));
            }
            rig.scored(false);
            if width > 0 && height > 0 {
                rig.buffer();
            }
        }
    }
}
