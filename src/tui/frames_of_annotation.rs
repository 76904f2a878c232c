//! Whole frames of the annotate screen, against what was looked at and found right.

use insta::assert_snapshot;

use super::rig::{Rig, groups};
use crate::annotate::{Mode, Settings, Strategy};

fn rig(mode: Mode, blind: bool, width: u16, height: u16) -> Rig {
    let mut rig = Rig::new(groups(4, 4), width, height);
    rig.annotating(Settings {
        annotator: "ann-b".into(),
        mode,
        strategy: Strategy::Random,
        blind,
        ..Settings::default()
    });
    rig
}

#[test]
fn scores_of_a_group_on_a_usual_terminal() {
    let mut rig = rig(Mode::Likert, true, 120, 40);
    rig.keys("4 3 2");
    assert_snapshot!(rig.frame());
}

#[test]
fn the_rubric_on_a_large_and_on_a_small_terminal() {
    let mut large = rig(Mode::Likert, false, 180, 50);
    large.keys("g");
    assert_snapshot!("large", large.frame());
    let mut small = rig(Mode::Likert, true, 80, 24);
    small.keys("g");
    assert_snapshot!("small", small.frame());
}

#[test]
fn a_pair_a_ranking_and_a_reason() {
    let pair = rig(Mode::Pairwise, true, 100, 30);
    assert_snapshot!("pair", pair.frame());
    let mut ranking = rig(Mode::Ranking, true, 100, 30);
    ranking.keys("3 1");
    assert_snapshot!("ranking", ranking.frame());
    ranking.keys("s");
    assert_snapshot!("reason", ranking.frame());
}

#[test]
fn when_nothing_is_left_it_says_so() {
    let mut rig = rig(Mode::Ranking, true, 100, 30);
    for _ in 0..4 {
        rig.keys("1 2 3");
    }
    assert_snapshot!(rig.frame());
}
