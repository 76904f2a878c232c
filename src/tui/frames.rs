//! Whole frames, as a person sees them, against what was looked at and found right. Pictures are half-blocks of small made-up
//! slopes.

use insta::assert_snapshot;
use ratatui::style::Color;

use super::msg::Msg;
use super::rig::{Rig, draw_pictures, groups, paint_flat};
use super::sample;
use super::theme::{Rgb, Role, Theme};
use crate::score::LiveEvent;

/// Twelve groups of five, the first three with pictures, in a folder that lives as long as the answer.
fn gallery(size: (u16, u16), theme: Theme) -> (Rig, tempfile::TempDir) {
    gallery_with(size, theme, |_| ())
}

/// `damage` is done before anything looks: pictures of neighbours are decoded ahead.
fn gallery_with(
    size: (u16, u16),
    theme: Theme,
    damage: impl FnOnce(&std::path::Path),
) -> (Rig, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    let all = groups(12, 5);
    for group in &all[..4] {
        draw_pictures(root.path(), group);
    }
    damage(root.path());
    let rig = Rig::themed(all, size, theme).with_pictures(root.path());
    (rig, root)
}

fn dark() -> Theme {
    Theme::for_background(None)
}

#[test]
fn browse_on_a_large_terminal() {
    let (mut rig, _root) = gallery((160, 48), dark());
    rig.scored(true).keys("l");
    assert_snapshot!(rig.frame());
}

#[test]
fn browse_on_a_usual_terminal() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.scored(true);
    assert_snapshot!(rig.frame());
}

#[test]
fn browse_on_a_small_terminal() {
    let (mut rig, _root) = gallery((60, 20), dark());
    rig.scored(true).keys("l");
    assert_snapshot!(rig.frame());
}

#[test]
fn untrained_weights_are_named_on_both_screens() {
    for size in [(160, 48), (60, 20), (30, 8)] {
        let (mut rig, _root) = gallery(size, dark());
        rig.scored(false);
        let words = if size.0 < 43 {
            "untrained demo weights"
        } else {
            "untrained demo weights: scores mean nothing yet"
        };
        assert!(
            rig.frame()
                .starts_with(&" ".repeat(usize::from(size.0.saturating_sub(47) / 2)))
        );
        assert!(rig.frame().contains(words), "{}", rig.frame());
        rig.keys("enter");
        assert!(rig.frame().contains(words), "{}", rig.frame());
        rig.keys("?");
        assert!(rig.frame().contains(words), "{}", rig.frame());
    }
}

#[test]
fn the_matrix_takes_the_place_of_the_gaussians() {
    let (mut rig, _root) = gallery((100, 40), dark());
    rig.scored(true).keys("v");
    assert_snapshot!(rig.frame());
}

#[test]
fn detail_side_by_side() {
    let (mut rig, _root) = gallery((160, 48), dark());
    rig.scored(true).keys("3 enter");
    assert_snapshot!(rig.frame());
}

#[test]
fn detail_blinks_in_place() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.scored(true).keys("enter b");
    assert_snapshot!("source", rig.frame());
    rig.keys("b");
    assert_snapshot!("candidate", rig.frame());
}

#[test]
fn detail_on_a_small_terminal() {
    let (mut rig, _root) = gallery((60, 20), dark());
    rig.scored(false).keys("enter");
    assert_snapshot!(rig.frame());
}

#[test]
fn help_over_browse() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.keys("?");
    assert_snapshot!("all", rig.frame());
    rig.text("blink");
    assert_snapshot!("searched", rig.frame());
}

#[test]
fn the_palette_over_browse() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.keys(":").text("sort");
    assert_snapshot!(rig.frame());
}

#[test]
fn a_query_being_typed_finds_groups_by_their_candidates() {
    let (mut rig, _root) = gallery((120, 30), dark());
    rig.keys("/").text("human.vq <= 3 and editor ~ omni");
    assert_snapshot!("found", rig.frame());
    rig.text(" and sat_delt > 0");
    assert_snapshot!("wrong", rig.frame());
}

#[test]
fn pictures_through_a_lens_and_near() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.keys("c + +");
    rig.scored(true);
    assert_snapshot!(rig.frame());
}

#[test]
fn a_filter_being_typed() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.keys("/").text("hat");
    assert_snapshot!("matches", rig.frame());
    rig.text("zzz");
    assert_snapshot!("none", rig.frame());
}

#[test]
fn an_empty_workspace_says_what_to_do() {
    let rig = Rig::new(Vec::new(), 100, 30);
    assert_snapshot!(rig.frame());
}

#[test]
fn a_broken_image_says_why_in_its_place() {
    let (mut rig, _root) = gallery_with((160, 48), dark(), |root| {
        std::fs::write(root.join("2/1.png"), b"not an image").unwrap();
        std::fs::remove_file(root.join("2/3.png")).unwrap();
    });
    rig.keys("j");
    rig.scored(true);
    assert_snapshot!(rig.frame());
}

#[test]
fn a_model_that_loads_and_one_that_cannot() {
    let (mut rig, _root) = gallery((100, 30), dark());
    rig.loading(37);
    assert_snapshot!("loading", rig.frame());
    rig.send(Msg::Model(LiveEvent::LoadFailed(
        "model dir '/models/7b': 'config.json' is missing: give a folder with Hugging Face files"
            .into(),
    )));
    // What is said leaves with the next key; how things stand does not.
    rig.keys("z");
    assert_snapshot!("failed", rig.frame());
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let rig = Rig::new(groups(3, 3), 24, 6);
    assert_snapshot!(rig.frame());
}

#[test]
fn escape_sequences_and_endless_instructions_are_harmless() {
    let mut all = groups(2, 3);
    all[0].instruction = format!(
        "red \u{1b}[31m \u{1b}]0;title\u{7} \u{202e}reversed {}",
        "word ".repeat(2500)
    );
    all[0].candidates[0].editor = Some("\u{1b}[2J\u{9b}31mclear".into());
    all[0].category = Some("\u{1b}c".into());
    let mut rig = Rig::new(all, 120, 40);
    rig.scored(true);
    for key in ["l", "enter"] {
        rig.keys(key);
        let buffer = rig.buffer();
        for cell in &buffer.content {
            assert!(
                !cell.symbol().contains(char::is_control),
                "{:?}",
                cell.symbol()
            );
        }
    }
    assert!(rig.frame().contains("reversed word"));
}

#[test]
fn the_light_theme_paints_its_own_ground_everywhere() {
    let paper = Theme::load("paper").unwrap();
    let ground = paper.background().map(Rgb::color);
    let (mut rig, _root) = gallery((100, 30), paper.clone());
    rig.scored(true);
    let buffer = rig.buffer();
    let dark = |color: Color| Rgb::of(color).is_some_and(|rgb| rgb.luminance() < 0.4);
    let text_on_dark = buffer
        .content
        .iter()
        .filter(|cell| cell.symbol().chars().any(char::is_alphanumeric) && dark(cell.bg))
        .count();
    assert_eq!(text_on_dark, 0);
    assert_eq!(Some(buffer[(1, 20)].bg), ground);
    assert_eq!(paper[Role::Text].bg, ground);
}

#[test]
fn without_colour_only_pictures_have_any() {
    let (mut rig, _root) = gallery((100, 30), Theme::mono());
    rig.scored(true);
    let buffer = rig.buffer();
    for cell in &buffer.content {
        let picture = matches!(cell.symbol(), "▀" | "▄" | "█" | " ");
        assert!(
            picture || (cell.fg == Color::Reset && cell.bg == Color::Reset),
            "{cell:?}"
        );
    }
    assert!(
        buffer
            .content
            .iter()
            .any(|cell| cell.symbol() == "▀" && cell.fg != Color::Reset)
    );
}

#[test]
fn a_group_that_is_gone_says_so() {
    let mut rig = Rig::new(groups(3, 2), 100, 30);
    rig.send(Msg::Loaded(sample::group(2, 2).id, None));
    rig.keys("j");
    assert!(rig.frame().contains("no longer in the workspace") || rig.frame().contains("2/3"));
}

#[test]
fn holding_a_key_never_shows_another_groups_picture() {
    let root = tempfile::tempdir().unwrap();
    let all = groups(40, 3);
    for group in &all {
        // Blue says which group it is.
        let blue = u8::try_from(group.id.0 * 6).unwrap();
        paint_flat(root.path(), group, blue);
    }
    let mut rig = Rig::new(all, 120, 40).with_pictures(root.path());
    rig.buffer();
    for step in 2..=40_u8 {
        rig.keys("j");
        let buffer = rig.buffer_now();
        let blues = buffer.content.iter().filter(|cell| cell.symbol() == "▀");
        for cell in blues {
            let Some(Rgb(_, _, blue)) = Rgb::of(cell.fg) else {
                continue;
            };
            assert!(blue.abs_diff(step * 6) <= 2, "group {step} shows {blue}");
        }
    }
    rig.buffer();
    let decoded = rig.decoded();
    assert!(
        decoded <= 4 * 8,
        "{decoded} of {} pictures were decoded",
        40 * 4
    );
}
