//! What keys say, that nothing is lost between them, and that what is taken back is asked anew.

use super::*;
use crate::annotate::{Mode, Strategy, Unit};
use crate::domain::Choice;
use crate::tui::rig::{Rig, groups};

fn settings(mode: Mode) -> Settings {
    Settings {
        annotator: "ann-b".into(),
        mode,
        strategy: Strategy::Random,
        repeats: 0.0,
        blind: false,
        ..Settings::default()
    }
}

fn rig(mode: Mode) -> Rig {
    let mut rig = Rig::new(groups(3, 3), 120, 40);
    rig.annotating(settings(mode));
    rig
}

/// Scores in the order given: axis and score.
fn scores(rig: &Rig) -> Vec<(&'static str, f64)> {
    let said = rig.said().into_iter().flatten();
    said.filter_map(|said| match said {
        Said::Label { axis, score, .. } => Some((axis.key(), score)),
        _ => None,
    })
    .collect()
}

#[test]
fn two_keys_score_a_candidate_and_the_next_one_comes() {
    let mut rig = rig(Mode::Likert);
    rig.keys("4 3 2 1");
    assert_eq!(
        scores(&rig),
        [("if", 4.0), ("vq", 3.0), ("if", 2.0), ("vq", 1.0)]
    );
    assert!(rig.frame().contains("IF of 3"), "{}", rig.frame());
    rig.keys(".");
    assert_eq!(scores(&rig)[4..], [("if", 2.0), ("vq", 1.0)]);
    // All of the group is judged: the next group is asked.
    assert!(rig.frame().contains("2 of 3"), "{}", rig.frame());
    // Five is no score, and nine no reason.
    rig.keys("5 s 9 esc");
    assert_eq!(rig.said().len(), 5);
}

#[test]
fn what_is_taken_back_is_asked_anew_and_marked_where_it_was() {
    let mut rig = rig(Mode::Likert);
    rig.keys("4 3 2 u");
    assert!(rig.frame().contains("IF of 2"), "{}", rig.frame());
    rig.keys("u");
    assert!(rig.frame().contains("VQ of 1"), "{}", rig.frame());
    rig.keys("1");
    assert_eq!(scores(&rig), [("if", 4.0), ("vq", 1.0)]);
    rig.keys("u u u");
    assert!(
        rig.frame().contains("nothing to take back"),
        "{}",
        rig.frame()
    );
}

#[test]
fn keys_pressed_while_one_is_stored_wait_their_turn() {
    let mut state = Annotate {
        settings: settings(Mode::Likert),
        ..Annotate::default()
    };
    let item = |group| Item {
        group: GroupId(group),
        candidates: vec![CandidateId(group * 10)],
        again: false,
    };
    state.hear(AnnotateNews::Queue(Ok(Queue {
        items: vec![item(1), item(2)],
        left: 1,
    })));
    assert_eq!(state.act(Action::Pick(4), None).unwrap().len(), 1);
    // Two more before the first is on the disk.
    assert_eq!(state.act(Action::Pick(3), None), Some(vec![]));
    assert_eq!(state.act(Action::Pick(2), None), Some(vec![]));
    let mut stored = Vec::new();
    for _ in 0..3 {
        let (words, group) = state.hear(AnnotateNews::Said(GroupId(1), Ok(())));
        assert_eq!(words, None);
        assert!(group.is_some());
        for wanted in state.go_on(None) {
            if let Wanted::Say { group, said, .. } = wanted {
                stored.push((group, said));
            }
        }
    }
    let label = |group: i64, axis, score| {
        let candidate = CandidateId(group * 10);
        let said = Said::Label {
            candidate,
            axis,
            score,
        };
        (GroupId(group), vec![said])
    };
    assert_eq!(
        stored,
        [
            label(1, Axis::VisualQuality, 3.0),
            label(2, Axis::InstructionFollowing, 2.0)
        ]
    );
}

#[test]
fn what_cannot_be_stored_is_told_and_the_waiting_keys_are_dropped() {
    let mut state = Annotate {
        settings: settings(Mode::Likert),
        ..Annotate::default()
    };
    let item = Item {
        group: GroupId(1),
        candidates: vec![CandidateId(1)],
        again: false,
    };
    state.hear(AnnotateNews::Queue(Ok(Queue {
        items: vec![item],
        left: 1,
    })));
    state.act(Action::Pick(4), None);
    state.act(Action::Pick(3), None);
    let (words, _) = state.hear(AnnotateNews::Said(GroupId(1), Err("disk full".into())));
    assert_eq!(words.as_deref(), Some("not stored: disk full"));
    assert!(state.go_on(None).is_empty());
    // Asked again where it was.
    assert_eq!((state.now.cursor, state.now.axis), (0, 0));
    assert!(state.now.scores.is_empty());
}

#[test]
fn a_repeated_judgement_is_kept_apart_and_held_against_the_first() {
    let mut state = Annotate {
        settings: settings(Mode::Likert),
        ..Annotate::default()
    };
    let item = |again| Item {
        group: GroupId(1),
        candidates: vec![CandidateId(1)],
        again,
    };
    state.hear(AnnotateNews::Queue(Ok(Queue {
        items: vec![item(false), item(true)],
        left: 1,
    })));
    for score in [4, 3, 4, 2] {
        state.act(Action::Pick(score), None);
        state.hear(AnnotateNews::Said(GroupId(1), Ok(())));
        state.go_on(None);
    }
    assert_eq!(state.now.again, (1, 2));
    assert_eq!(state.now.judged, 2);
}

#[test]
fn pairs_and_rankings_become_votes() {
    let mut pairs = rig(Mode::Pairwise);
    pairs.keys("2");
    let said = pairs.said();
    assert!(
        matches!(
            said[0][..],
            [Said::Vote {
                choice: Choice::B,
                axis: None,
                ..
            }]
        ),
        "{said:?}"
    );
    let mut ranking = rig(Mode::Ranking);
    // The third is the best, the first next; the same picture twice is no ranking.
    ranking.keys("3 3 1");
    let said = ranking.said();
    assert_eq!(said.len(), 1);
    let votes: Vec<_> = said[0]
        .iter()
        .map(|said| match said {
            Said::Vote { a, b, .. } => (a.0 % 100, b.0 % 100),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(votes, [(2, 0), (2, 1), (0, 1)]);
}

#[test]
fn skips_have_a_reason_and_remarks_are_words() {
    let mut rig = rig(Mode::Likert);
    rig.keys("n").text("odd edge").keys("enter");
    rig.keys("s 2");
    rig.keys("s 5").text("too dark").keys("enter");
    let said: Vec<Said> = rig.said().into_iter().flatten().collect();
    assert_eq!(
        said,
        [
            Said::Note {
                text: "odd edge".into()
            },
            Said::Skip {
                reason: REASONS[1].into()
            },
            Said::Skip {
                reason: "too dark".into()
            }
        ]
    );
    assert!(rig.frame().contains("3 of 3"), "{}", rig.frame());
}

#[test]
fn one_candidate_at_a_time_and_nobody_without_a_name() {
    let mut rig = rig(Mode::Likert);
    rig.keys("w");
    assert!(rig.frame().contains("1 of 9"), "{}", rig.frame());
    assert_eq!(Unit::Group.next(), Unit::Candidate);
    let mut nobody = Rig::new(groups(3, 3), 100, 30);
    nobody.annotating(Settings::default());
    assert!(nobody.frame().contains("erw annotate --annotator NAME"));
    nobody.keys("1");
    assert!(nobody.said().is_empty());
}
