//! Small sets of judgements whose figures are known by hand.

use std::collections::HashMap;

use super::*;
use crate::domain::{
    Aggregate, Axis, Candidate, CandidateId, Choice, Gaussian, Group, GroupId, ImageRef, Label,
    Reward, Vote,
};

/// A group whose candidates have labels by annotator: (name, IF, VQ).
fn group(id: i64, candidates: &[&[(&str, f64, f64)]]) -> Group {
    let candidates = candidates.iter().zip(0..).map(|(said, i)| {
        let id = CandidateId(id * 10 + i);
        let mut candidate = Candidate::new(id, format!("c{i}"), ImageRef("x".into()));
        for &(who, following, looks) in *said {
            for (axis, score) in Axis::ALL.into_iter().zip([following, looks]) {
                candidate.labels.push(Label {
                    annotator: who.into(),
                    axis,
                    score,
                    simulated: who.starts_with("sim"),
                });
            }
        }
        candidate
    });
    let source = ImageRef("s".into());
    Group::new(
        GroupId(id),
        format!("g{id}"),
        source,
        "x",
        candidates.collect(),
    )
}

fn of(groups: &[Group]) -> Judgements {
    let mut all = Judgements::default();
    for group in groups {
        all.add(group, false);
    }
    all
}

fn report(groups: &[Group]) -> AgreementReport {
    let options = AgreementOptions {
        resamples: 50,
        ..AgreementOptions::default()
    };
    measured(&of(groups), &options)
}

#[test]
fn raters_who_say_the_same_agree_wholly_and_nobody_is_disputed() {
    let same: &[(&str, f64, f64)] = &[("x", 1.0, 3.0), ("y", 1.0, 3.0)];
    let other: &[(&str, f64, f64)] = &[("x", 3.0, 2.0), ("y", 3.0, 2.0)];
    let report = report(&[group(1, &[same, other]), group(2, &[other, same])]);
    for axis in &report.axes {
        assert_eq!(axis.alpha.value, Some(1.0), "{axis:?}");
        assert_eq!(axis.kappa.value, Some(1.0));
        assert_eq!(axis.alpha.interval, Some([1.0, 1.0]));
        assert_eq!((axis.judgements, axis.shared, axis.complete), (8, 4, 4));
    }
    assert!(report.disputed.is_empty());
    assert_eq!(report.pairs.len(), 3);
    assert!(report.pairs.iter().all(|pair| pair.same == 1.0));
}

#[test]
fn alpha_equals_that_of_the_table_and_leaves_single_ratings_out() {
    let groups = [
        group(
            1,
            &[
                &[("x", 1.0, 1.0), ("y", 2.0, 1.0)],
                &[("x", 4.0, 2.0), ("y", 4.0, 2.0), ("z", 3.0, 2.0)],
            ],
        ),
        group(
            2,
            &[&[("z", 1.0, 1.0)], &[("y", 2.0, 3.0), ("z", 2.0, 1.0)]],
        ),
    ];
    let report = report(&groups);
    let table = [vec![1.0, 2.0], vec![4.0, 4.0, 3.0], vec![2.0, 2.0]];
    let expected = krippendorff_alpha(&table, Level::Ordinal).unwrap();
    let following = &report.axes[0];
    assert_eq!(following.alpha.value, Some(expected));
    assert_eq!((following.judgements, following.shared), (8, 3));
    // Two raters is the usual number; the one with three is left out of kappa.
    assert_eq!((following.raters, following.complete), (Some(2), 2));
}

#[test]
fn bias_and_spread_are_against_the_mean_of_the_others() {
    let groups = [group(
        1,
        &[
            &[("kind", 4.0, 1.0), ("a", 2.0, 1.0), ("b", 3.0, 1.0)],
            &[("kind", 4.0, 1.0), ("a", 3.0, 1.0), ("b", 4.0, 1.0)],
        ],
    )];
    let report = report(&groups);
    let kind = report.annotators.iter().find(|a| a.name == "kind").unwrap();
    let following = &kind.questions[0];
    assert!((following.bias.unwrap() - 1.0).abs() < 1e-12);
    assert!((following.spread.unwrap() - 0.5_f64.sqrt()).abs() < 1e-12);
    assert_eq!((following.judged, following.against), (2, 2));
    assert_eq!(kind.questions[1].bias, Some(0.0));
}

#[test]
fn a_second_word_of_an_annotator_is_no_second_annotator() {
    let report = report(&[group(
        1,
        &[
            &[("ann", 4.0, 1.0), ("ann#2", 3.0, 1.0)],
            &[("ann", 2.0, 2.0), ("ann#2", 2.0, 2.0), ("bo", 2.0, 2.0)],
        ],
    )]);
    assert_eq!(report.annotators.len(), 2);
    let ann = &report.annotators[0];
    let repeats = ann.repeats.as_ref().unwrap();
    assert_eq!(
        (repeats.count, repeats.same, repeats.difference),
        (4, 0.75, 0.25)
    );
    assert_eq!(report.axes[0].shared, 1);
    assert!(report.annotators[1].repeats.is_none());
}

#[test]
fn votes_are_names_whichever_way_they_name_the_two() {
    let mut one = group(1, &[&[], &[]]);
    let vote = |a, b, who: &str, choice| Vote {
        a,
        b,
        annotator: who.into(),
        axis: None,
        choice,
        counts: None,
        confidence: None,
        simulated: false,
    };
    one.votes = vec![vote(0, 1, "x", Choice::A), vote(1, 0, "y", Choice::B)];
    let mut two = group(2, &[&[], &[]]);
    two.votes = vec![vote(0, 1, "x", Choice::B), vote(0, 1, "y", Choice::BothBad)];
    let report = report(&[one, two]);
    assert_eq!(report.axes.len(), 1);
    let votes = &report.axes[0];
    assert_eq!(
        (votes.on, votes.level, votes.shared),
        (Asked::Votes, "nominal", 2)
    );
    let table = [vec![1.0, 1.0], vec![-1.0, 0.0]];
    let expected = krippendorff_alpha(&table, Level::Nominal).unwrap();
    assert_eq!(votes.alpha.value, Some(expected));
    let pair = &report.pairs[0];
    assert_eq!(
        (pair.same, &pair.kappa, &pair.difference),
        (0.5, &None, &None)
    );
}

#[test]
fn the_model_gets_peoples_scale_and_is_no_measure_for_them() {
    let groups = [group(
        1,
        &[
            &[("x", 1.0, 1.0), ("y", 1.0, 1.0)],
            &[("x", 2.0, 2.0), ("y", 2.0, 2.0)],
            &[("x", 4.0, 3.0), ("y", 4.0, 3.0)],
        ],
    )];
    let reward = |mean: f64| {
        let g = Gaussian::new(mean, 0.0);
        Reward::of_axes(g, g, Aggregate::Mean)
    };
    let scores = |means: [f64; 3]| -> HashMap<CandidateId, Reward> {
        let ids = (10..).map(CandidateId);
        ids.zip(means.map(reward)).collect()
    };
    let with = |means| {
        let mut all = of(&groups);
        all.add_model(&scores(means));
        measured(
            &all,
            &AgreementOptions {
                resamples: 0,
                ..AgreementOptions::default()
            },
        )
    };
    // In people's order on a scale of its own: full agreement.
    let right = with([-7.0, 0.1, 0.2]);
    let alpha = |report: &AgreementReport| report.axes[0].alpha_with_model.clone().unwrap().value;
    assert_eq!(alpha(&right), Some(1.0));
    let wrong = with([3.0, 2.0, 1.0]);
    assert!(alpha(&wrong).unwrap() < 0.5);
    assert_eq!(wrong.axes[0].alpha.value, Some(1.0));
    let x = &wrong.annotators[0].questions[0];
    assert_eq!((x.bias, x.spread), (Some(0.0), Some(0.0)));
}

#[test]
fn disputed_groups_come_most_first_and_simulated_labels_can_be_left_out() {
    let groups = [
        group(1, &[&[("x", 1.0, 2.0), ("sim-1", 2.0, 2.0)]]),
        group(2, &[&[("x", 1.0, 2.0), ("sim-1", 4.0, 2.0)]]),
    ];
    let all = report(&groups);
    let told: Vec<_> = all
        .disputed
        .iter()
        .map(|d| (d.key.as_str(), d.difference))
        .collect();
    assert_eq!(told, [("g2", 3.0), ("g1", 1.0)]);
    let mut people = Judgements::default();
    for group in &groups {
        people.add(group, true);
    }
    assert_eq!(people.annotators.len(), 1);
}

#[test]
fn the_same_seed_gives_the_same_interval_and_it_holds_the_figure() {
    let groups: Vec<Group> = (1..40)
        .map(|i| {
            let a = f64::from(1 + (i * 7) % 4);
            let b = if i % 3 == 0 { 1.0 + a % 4.0 } else { a };
            group(i64::from(i), &[&[("x", a, a), ("y", b, a)]])
        })
        .collect();
    let first = report(&groups);
    assert_eq!(first, report(&groups));
    let alpha = &first.axes[0].alpha;
    let [low, high] = alpha.interval.unwrap();
    let value = alpha.value.unwrap();
    assert!(low < value && value < high && high - low < 0.8, "{alpha:?}");
}
