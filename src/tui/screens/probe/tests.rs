//! What the probe screen does with what becomes of its wishes, and whole frames of it.

use insta::assert_snapshot;

use super::{Probe, Target};
use crate::domain::{Aggregate, Gaussian, GroupId, ImageRef, Reward};
use crate::failures::probe::Factor;
use crate::score::LiveEvent;
use crate::tui::msg::{Action, Effect, Msg};
use crate::tui::probing::{ProbeNews, What};
use crate::tui::rig::{Rig, groups};

/// A rig on the probe screen, with the wish it had.
fn probing(width: u16, height: u16) -> (Rig, u64) {
    let mut rig = Rig::new(groups(4, 3), width, height);
    rig.scored(true).keys("l P");
    let job = newest(&rig);
    (rig, job)
}

/// The newest job that was asked for.
fn newest(rig: &Rig) -> u64 {
    let mut jobs = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Probe(wish) => Some(wish.job),
        _ => None,
    });
    jobs.next_back().unwrap()
}

/// Rises with the step on IF, and falls a little on VQ.
fn response(step: f64) -> Reward {
    let of = |mean: f64| Gaussian::new(mean, 0.3_f64.ln());
    Reward::of_axes(of(0.6 * step), of(0.4 - 0.1 * step), Aggregate::Mean)
}

/// The pictures of all steps are made and rated, more of the factor for more of the score.
fn turned(rig: &mut Rig, job: u64, factor: Factor, until: usize) {
    for (place, step) in factor
        .steps(&[])
        .unwrap()
        .into_iter()
        .enumerate()
        .take(until)
    {
        rig.send(Msg::Probe(ProbeNews::Variant {
            job,
            place,
            image: ImageRef(format!("{place}.png")),
            dose: step,
            words: factor.step_in_words(step),
        }));
        rig.send(Msg::Model(LiveEvent::Rated {
            job,
            index: place,
            result: Ok(response(step)),
        }));
    }
}

#[test]
fn the_marked_candidate_is_probed_and_its_curves_grow() {
    let (mut rig, job) = probing(160, 45);
    let wish = rig.effects.iter().find_map(|effect| match effect {
        Effect::Probe(wish) => Some(wish.clone()),
        _ => None,
    });
    let wish = wish.unwrap();
    assert_eq!(
        (wish.index, wish.what),
        (1, What::Factor(Factor::Saturation))
    );
    turned(&mut rig, job, Factor::Saturation, 5);
    assert_snapshot!("some", rig.frame());
    turned(&mut rig, job, Factor::Saturation, 9);
    rig.keys("G");
    assert_snapshot!("all", rig.frame());
}

#[test]
fn a_small_terminal_has_the_curves_too() {
    let (mut rig, job) = probing(80, 24);
    turned(&mut rig, job, Factor::Saturation, 9);
    assert_snapshot!(rig.frame());
}

#[test]
fn another_factor_is_turned_at_once_and_what_was_under_way_for_the_last_is_passed_over() {
    let (mut rig, first) = probing(120, 40);
    rig.keys("j");
    let second = newest(&rig);
    assert!(second > first);
    turned(&mut rig, first, Factor::Saturation, 3);
    assert!(
        rig.frame().contains("0 of 9 steps rated"),
        "{}",
        rig.frame()
    );
    turned(&mut rig, second, Factor::Brightness, 2);
    assert!(rig.frame().contains("2 of 9 steps rated"));
}

#[test]
fn a_step_that_cannot_be_made_says_why_and_the_others_go_on() {
    let (mut rig, job) = probing(120, 40);
    let why = "nothing is outside the edit".to_owned();
    rig.send(Msg::Probe(ProbeNews::NoVariant { job, place: 0, why }));
    rig.keys("g");
    assert!(
        rig.frame().contains("nothing is outside"),
        "{}",
        rig.frame()
    );
    rig.send(Msg::Probe(ProbeNews::Failed {
        job,
        why: "the source is gone".into(),
    }));
    assert!(rig.frame().contains("the source is gone"));
}

#[test]
fn leaving_stops_what_is_under_way() {
    let (mut rig, _) = probing(120, 40);
    rig.effects.clear();
    rig.keys("esc");
    assert!(rig.effects.contains(&Effect::StopProbe));
}

#[test]
fn what_a_score_hangs_on_is_looked_for_in_browse_and_followed_to_other_candidates() {
    let mut rig = Rig::new(groups(4, 3), 120, 40);
    rig.scored(true).keys("i");
    let first = newest(&rig);
    rig.send(Msg::Model(LiveEvent::Rated {
        job: first,
        index: 0,
        result: Ok(response(1.0)),
    }));
    let heard = |effect: &Effect| matches!(effect, Effect::Heard { job, .. } if *job == first);
    assert!(rig.effects.iter().any(heard));
    rig.keys("l");
    assert!(newest(&rig) > first);
    rig.effects.clear();
    rig.keys("i i i");
    assert!(rig.effects.contains(&Effect::StopProbe));
}

#[test]
fn steps_stop_at_both_ends_and_the_candidate_as_it_is_has_its_own_file() {
    let mut probe = Probe::default();
    probe.open(Target {
        group: GroupId(1),
        index: 0,
    });
    assert!(probe.is_due());
    assert_eq!(probe.begin(1, vec![]), Some(Factor::Saturation));
    assert_eq!(probe.begin(2, vec![]), None);
    assert_eq!(probe.image(), None);
    for _ in 0..20 {
        probe.act(Action::NextStep);
    }
    assert_eq!(probe.cursor, 8);
    let image = ImageRef("8.png".into());
    probe.hear(ProbeNews::Variant {
        job: 1,
        place: 8,
        image: image.clone(),
        dose: 1.0,
        words: "× 2".into(),
    });
    assert_eq!(probe.image(), Some(&image));
    probe.act(Action::NeutralStep);
    assert_eq!(probe.image(), None);
}
