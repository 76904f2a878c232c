//! The curate screen in a whole app.

use insta::assert_snapshot;

use super::Wanted;
use crate::curate::{By, Cut};
use crate::domain::CandidateId;
use crate::tui::msg::Effect;
use crate::tui::rig::{Rig, groups};

fn rig(width: u16, height: u16) -> Rig {
    let mut rig = Rig::new(groups(12, 5), width, height);
    rig.scored(true).keys("C");
    rig
}

fn saved(rig: &Rig) -> Option<&super::Saving> {
    rig.effects.iter().rev().find_map(|effect| match effect {
        Effect::Curate(Wanted::Save(saving)) => Some(saving.as_ref()),
        _ => None,
    })
}

fn judged(rig: &Rig) -> Vec<(CandidateId, Option<bool>)> {
    let judged = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Curate(Wanted::Judge(id, good)) => Some((*id, *good)),
        _ => None,
    });
    judged.collect()
}

#[test]
fn a_ranking_cut_and_a_sample_on_a_large_a_usual_and_a_small_terminal() {
    assert_snapshot!("large", rig(160, 48).frame());
    assert_snapshot!("usual", rig(110, 34).frame());
    assert_snapshot!("small", rig(80, 24).frame());
}

#[test]
fn without_a_model_it_says_why_nothing_shows() {
    let mut rig = Rig::new(groups(2, 2), 100, 30);
    rig.keys("C");
    assert_snapshot!(rig.frame());
}

#[test]
fn the_cut_moves_by_one_a_hundredth_and_a_tenth_and_stays_within() {
    let mut rig = rig(110, 34);
    assert!(rig.frame().starts_with("Keep 12 of 60 (20.0 %) by overall"));
    for (key, kept) in [
        (".", 13),
        ("l", 14),
        ("L", 24),
        ("h", 23),
        (",", 22),
        ("H", 12),
    ] {
        rig.keys(key);
        let words = format!("Keep {kept} of 60");
        assert!(rig.frame().starts_with(&words), "{key}: {}", rig.frame());
    }
    rig.keys("H H H H");
    assert!(rig.frame().starts_with("Keep 1 of 60"));
    rig.keys("L L L L L L L");
    assert!(rig.frame().starts_with("Keep 60 of 60"));
}

#[test]
fn both_axes_show_in_place_of_the_histogram() {
    let mut rig = rig(110, 34);
    rig.keys("v");
    assert_snapshot!(rig.frame());
}

#[test]
fn every_choice_ranks_anew_and_is_in_what_is_saved() {
    let mut rig = rig(110, 34);
    rig.keys("b + + g x s");
    assert!(
        rig.frame()
            .contains("by if, mean − 1 sigma, best 1 of each group, in the mix"),
        "{}",
        rig.frame()
    );
    let saving = saved(&rig).unwrap();
    assert_eq!(
        (saving.recipe.by, saving.recipe.cut),
        (By::If, Cut::Top(12))
    );
    assert_eq!(saving.recipe.best_of_group, Some(1));
    assert_eq!(saving.fingerprint, "f00d");
}

#[test]
fn agreeing_notes_whether_the_candidate_is_good_and_goes_on() {
    let mut rig = rig(110, 34);
    assert!(
        rig.frame().contains("kept, at random · 1 of 12"),
        "{}",
        rig.frame()
    );
    rig.keys("y n y");
    let good: Vec<_> = judged(&rig).iter().map(|(_, good)| *good).collect();
    assert_eq!(good, [Some(true), Some(false), Some(true)]);
    assert!(
        rig.frame().contains("kept: 2 of 3 right"),
        "{}",
        rig.frame()
    );
    // Dropped, and rightly so: it is not good.
    rig.keys("tab y");
    assert_eq!(judged(&rig).last().unwrap().1, Some(false));
    assert!(
        rig.frame().contains("dropped: 1 of 1 right"),
        "{}",
        rig.frame()
    );
    rig.keys("k u");
    assert_eq!(judged(&rig).last().unwrap().1, None);
    assert!(!rig.frame().contains("dropped: 1 of 1"), "{}", rig.frame());
    rig.keys("tab");
    assert!(rig.frame().contains("borderline · "), "{}", rig.frame());
    rig.keys("s");
    assert_eq!(saved(&rig).unwrap().good.len(), 3);
}

#[test]
fn a_sample_opens_in_browse_and_back_leads_to_the_groups() {
    let mut rig = rig(110, 34);
    rig.keys("enter");
    assert!(rig.frame().contains("the sample"), "{}", rig.frame());
    rig.keys("C esc");
    assert!(rig.frame().contains("the sample"), "{}", rig.frame());
}

#[test]
fn nothing_leaves_the_screen_at_any_size() {
    for (width, height) in [(30, 8), (60, 12), (89, 20), (90, 10), (200, 60)] {
        let mut rig = rig(width, height);
        rig.keys("v").frame();
    }
}
