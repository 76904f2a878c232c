//! Orders that are known by hand.

use super::*;
use crate::domain::{Aggregate, Axis, Candidate, Choice, Gaussian, ImageRef, Label, Vote};

/// A group of candidates, each with so many annotators who gave both scores of a value.
fn group(id: i64, labels: &[&[(&str, f64)]]) -> Group {
    let candidates = (0..).zip(labels).map(|(i, said)| {
        let id = CandidateId(id * 10 + i);
        let mut candidate = Candidate::new(id, format!("c{i}"), ImageRef("x".into()));
        for (who, score) in *said {
            for axis in Axis::ALL {
                candidate.labels.push(Label {
                    annotator: (*who).into(),
                    axis,
                    score: *score,
                    simulated: false,
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

fn settings() -> Settings {
    Settings {
        annotator: "me".into(),
        repeats: 0.0,
        ..Settings::default()
    }
}

fn order(groups: &[Group], settings: &Settings) -> Vec<i64> {
    let items = ordered(groups, settings, &HashMap::new());
    items.items.iter().map(|item| item.group.0).collect()
}

#[test]
fn what_i_have_judged_is_not_asked_and_what_fewest_have_comes_first() {
    let groups = [
        group(1, &[&[("x", 3.0), ("y", 3.0)], &[("x", 3.0)]]),
        group(2, &[&[("me", 3.0)], &[("me", 3.0)]]),
        group(3, &[&[], &[("me", 1.0)]]),
        group(4, &[&[("x", 3.0)], &[("x", 3.0)]]),
    ];
    assert_eq!(order(&groups, &settings()), [3, 4, 1]);
    let items = ordered(&groups, &settings(), &HashMap::new()).items;
    assert_eq!(items[0].candidates, [CandidateId(30)]);
    let one_by_one = Settings {
        unit: Unit::Candidate,
        ..settings()
    };
    assert_eq!(order(&groups, &one_by_one).len(), 5);
}

#[test]
fn orders_are_the_seeds_and_blind_ones_shuffle_candidates() {
    let groups: Vec<Group> = (1..40).map(|id| group(id, &[&[], &[], &[]])).collect();
    let random = Settings {
        strategy: Strategy::Random,
        ..settings()
    };
    let first = ordered(&groups, &random, &HashMap::new()).items;
    assert_eq!(first, ordered(&groups, &random, &HashMap::new()).items);
    let other = Settings {
        seed: 1,
        ..random.clone()
    };
    assert_ne!(first, ordered(&groups, &other, &HashMap::new()).items);
    let shuffled = first
        .iter()
        .filter(|item| !item.candidates.is_sorted())
        .count();
    assert!(shuffled > 20, "{shuffled}");
    let seeing = Settings {
        blind: false,
        ..random
    };
    let all = ordered(&groups, &seeing, &HashMap::new()).items;
    assert!(all.iter().all(|item| item.candidates.is_sorted()));
}

#[test]
fn pairs_and_rankings_are_asked_until_every_two_are_judged() {
    let mut one = group(1, &[&[], &[], &[]]);
    let vote = |a, b, who: &str| Vote {
        a,
        b,
        annotator: who.into(),
        axis: None,
        choice: Choice::A,
        counts: None,
        confidence: None,
        simulated: false,
    };
    one.votes = vec![vote(1, 0, "me"), vote(0, 2, "x")];
    let groups = [one, group(2, &[&[]])];
    let pairs = Settings {
        mode: Mode::Pairwise,
        blind: false,
        ..settings()
    };
    let asked: Vec<_> = ordered(&groups, &pairs, &HashMap::new())
        .items
        .into_iter()
        .map(|item| item.candidates)
        .collect();
    let pair = |a: i64, b: i64| vec![CandidateId(10 + a), CandidateId(10 + b)];
    assert_eq!(asked.len(), 2);
    assert!(asked.contains(&pair(0, 2)) && asked.contains(&pair(1, 2)));
    let ranking = Settings {
        mode: Mode::Ranking,
        ..pairs
    };
    assert_eq!(order(&groups, &ranking), [1]);
}

#[test]
fn some_of_what_was_judged_is_asked_again_well_after_it() {
    let mut groups: Vec<Group> = (1..=60).map(|id| group(id, &[&[], &[]])).collect();
    groups.push(group(99, &[&[("me", 2.0)]]));
    let settings = Settings {
        repeats: 0.1,
        ..settings()
    };
    let items = ordered(&groups, &settings, &HashMap::new()).items;
    let again: Vec<usize> = (0..items.len()).filter(|at| items[*at].again).collect();
    assert_eq!(again.len(), 6, "{again:?}");
    // What was judged before this sitting comes first of them.
    assert_eq!(items[again[0]].group, GroupId(99));
    for at in &again[1..] {
        let asked = items[*at].group;
        let first = items.iter().position(|item| item.group == asked).unwrap();
        assert!(at - first >= APART, "{first} {at}");
        assert_eq!(items[*at].candidates.len(), 1);
    }
}

#[test]
fn strategies_go_by_the_models_scores() {
    let groups = [
        group(1, &[&[("x", 4.0)], &[("x", 1.0)]]),
        group(2, &[&[("x", 1.0)], &[("x", 4.0)]]),
        group(3, &[&[("x", 2.0)], &[("x", 3.0)]]),
    ];
    let reward = |mean: f64, sigma: f64| {
        let g = Gaussian::new(mean, sigma.ln());
        Reward::of_axes(g, g, Aggregate::Mean)
    };
    // In people's order, in the opposite order and unsure, and close together.
    let rewards = HashMap::from([
        (CandidateId(10), reward(2.0, 0.3)),
        (CandidateId(11), reward(-2.0, 0.3)),
        (CandidateId(20), reward(1.9, 2.0)),
        (CandidateId(21), reward(-1.9, 0.3)),
        (CandidateId(30), reward(0.0, 0.4)),
        (CandidateId(31), reward(0.1, 0.4)),
    ]);
    let first = |strategy| {
        let settings = Settings {
            strategy,
            ..settings()
        };
        ordered(&groups, &settings, &rewards).items[0].group.0
    };
    assert_eq!(first(Strategy::Disagreement), 2);
    assert_eq!(first(Strategy::Uncertain), 2);
    assert_eq!(first(Strategy::Closest), 3);
}

#[test]
fn a_strategy_that_needs_scores_says_so_where_there_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("g.jsonl");
    let line = r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png"}]}"#;
    std::fs::write(&file, line).unwrap();
    let workspace = Workspace::create(dir.path()).unwrap();
    workspace.import_jsonl(&file).unwrap();
    let settings = Settings {
        strategy: Strategy::Uncertain,
        ..settings()
    };
    let error = queue(&workspace, &settings, Some("m")).unwrap_err();
    assert!(
        error.to_string().contains("run 'erw score' first"),
        "{error}"
    );
    let plain = Settings {
        strategy: Strategy::Random,
        ..settings
    };
    assert_eq!(queue(&workspace, &plain, None).unwrap().left, 1);
    assert_eq!("closest".parse(), Ok(Strategy::Closest));
    assert!("nearest".parse::<Strategy>().is_err());
    assert_eq!(Mode::Ranking.next(), Mode::Likert);
}

#[test]
fn of_a_large_set_the_first_are_kept_and_all_are_counted() {
    let many = 2 * LONGEST + LONGEST / 2;
    let groups: Vec<Group> = (1..=many as i64)
        .map(|id| {
            // Every hundredth has a label less than the others.
            let said: &[(&str, f64)] = if id % 100 == 0 { &[] } else { &[("x", 2.0)] };
            group(id, &[said])
        })
        .collect();
    let queue = ordered(&groups, &settings(), &HashMap::new());
    assert_eq!((queue.items.len(), queue.left), (LONGEST, many));
    let unlabelled = queue.items.iter().take(many / 100);
    assert!(unlabelled.into_iter().all(|item| item.group.0 % 100 == 0));
}
