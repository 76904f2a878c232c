//! What the screen shows of the sample's three simulated annotators, and where it leads.

use insta::assert_snapshot;

use crate::tui::rig::{Rig, groups};

#[test]
fn the_screen_on_a_usual_and_on_a_small_terminal() {
    let mut rig = Rig::new(groups(6, 4), 130, 40);
    rig.keys("D");
    assert_snapshot!("usual", rig.frame());
    rig.keys("v j");
    assert_snapshot!("next_question", rig.frame());
    let mut small = Rig::new(groups(6, 4), 80, 24);
    small.keys("D");
    assert_snapshot!("small", small.frame());
}

#[test]
fn the_marked_group_opens_in_browse_among_those_that_are_disputed() {
    let mut rig = Rig::new(groups(6, 4), 130, 40);
    rig.keys("D j enter");
    let frame = rig.frame();
    assert!(frame.contains("Disputed"), "{frame}");
}

#[test]
fn where_nobody_judged_it_says_how_to_begin() {
    let mut bare = groups(2, 2);
    for group in &mut bare {
        for candidate in &mut group.candidates {
            candidate.labels.clear();
        }
    }
    let mut rig = Rig::new(bare, 100, 30);
    rig.keys("D");
    assert!(rig.frame().contains("erw annotate --annotator NAME"));
}
