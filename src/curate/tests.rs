//! Choosing, reporting and comparing on made-up pools.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::data::Look;
use crate::domain::stats::draws;
use crate::domain::{CandidateId, Gaussian, GroupId, Reward};

/// Candidates 1, 2, … with these means on IF and VQ, two to a group, of category 1 and 2 in turn of groups.
fn pool(scores: &[(f64, f64)]) -> Pool {
    let entry = |(at, (a, b)): (usize, &(f64, f64))| {
        let group = at as i64 / 2;
        let category = 1 + (group % 2) as u32;
        let entry = Entry::new(CandidateId(at as i64 + 1), GroupId(group + 1), category, 0);
        entry.scored(&Reward {
            instruction_following: Some(Gaussian::new(*a, 0.5_f64.ln())),
            visual_quality: Some(Gaussian::new(*b, 0.1_f64.ln())),
            aggregate: Gaussian::new(0.5 * (a + b), 0.3_f64.ln()),
        })
    };
    Pool {
        entries: scores.iter().enumerate().map(entry).collect(),
        categories: vec!["none".into(), "add".into(), "style".into()],
        editors: vec!["none".into()],
    }
}

use super::Reason as R;

fn kept(pool: &Pool, recipe: &Recipe) -> Vec<i64> {
    let choice = choose(pool, recipe, &mut NoLooks).unwrap();
    ids(pool, &choice)
}

fn ids(pool: &Pool, choice: &Choice) -> Vec<i64> {
    let id = |at: &u32| pool.entries[*at as usize].candidate.0;
    choice.kept.iter().map(id).collect()
}

fn top(n: usize) -> Recipe {
    Recipe {
        cut: Cut::Top(n),
        ..Recipe::default()
    }
}

const EIGHT: [(f64, f64); 8] = [
    (4.0, 1.0),
    (3.0, 3.0),
    (1.0, 4.0),
    (2.0, 2.0),
    (0.0, 0.0),
    (3.5, 3.5),
    (-1.0, 5.0),
    (2.5, 0.5),
];

#[test]
fn each_ranking_takes_its_own_best_first() {
    let pool = pool(&EIGHT);
    let by = |by| kept(&pool, &Recipe { by, ..top(3) });
    assert_eq!(by(By::Overall), [6, 2, 1]);
    assert_eq!(by(By::If), [1, 6, 2]);
    assert_eq!(by(By::Vq), [7, 3, 6]);
    assert_eq!(by(By::Min), [6, 2, 4]);
    // The front is 1, 3, 6 and 7; its best sum first.
    assert_eq!(by(By::Pareto), [6, 1, 3]);
}

#[test]
fn a_lower_bound_takes_what_the_model_is_sure_of() {
    let pool = pool(&[(2.0, 1.0), (1.6, 1.9)]);
    let by = |by, sigmas| {
        kept(
            &pool,
            &Recipe {
                by,
                sigmas,
                ..top(1)
            },
        )
    };
    // Sigma is 0.5 on IF and 0.1 on VQ.
    assert_eq!(by(By::Min, 0.0), [2]);
    assert_eq!(by(By::If, 0.0), [1]);
    let least = Least {
        instruction_following: Some(1.4),
        ..Least::default()
    };
    let sure = |sigmas| {
        let recipe = Recipe {
            sigmas,
            least,
            ..Recipe::default()
        };
        kept(&pool, &recipe)
    };
    assert_eq!(sure(0.0), [2, 1]);
    assert_eq!(sure(1.0), [1]);
    assert_eq!(sure(2.0), [] as [i64; 0]);
}

#[test]
fn every_candidate_has_a_reason() {
    let mut pool = pool(&EIGHT);
    pool.entries[0].wanted = false;
    let bare = &pool.entries[1];
    pool.entries[1] = Entry::new(bare.candidate, bare.group, bare.category, bare.editor);
    pool.entries[4].means[2] = f64::NAN;
    let recipe = Recipe {
        least: Least {
            visual_quality: Some(1.0),
            ..Least::default()
        },
        best_of_group: Some(1),
        ..top(2)
    };
    let choice = choose(&pool, &recipe, &mut NoLooks).unwrap();
    assert_eq!(
        choice.reasons,
        [
            R::Filtered,
            R::Unscored,
            R::Kept,
            R::NotBestOfGroup,
            R::NoAxis,
            R::Kept,
            R::BelowCut,
            R::BelowVq
        ]
    );
    assert_eq!(ids(&pool, &choice), [6, 3]);
    assert_eq!(choice.at_cut(), Some(2.5));
}

#[test]
fn a_mix_stays_and_is_filled_up_where_a_category_has_too_few() {
    // Category 1 has all the best.
    let scores: Vec<(f64, f64)> = (0..40)
        .map(|i| if i / 2 % 2 == 0 { 10.0 } else { 0.0 } + 0.01 * f64::from(i))
        .map(|v| (v, v))
        .collect();
    let pool = pool(&scores);
    let count = |recipe: &Recipe| {
        let choice = choose(&pool, recipe, &mut NoLooks).unwrap();
        let of = |category| {
            let kept = choice.kept.iter();
            kept.filter(|at| pool.entries[**at as usize].category == category)
                .count()
        };
        (of(1), of(2), choice)
    };
    let (add, style, _) = count(&top(10));
    assert_eq!((add, style), (10, 0));
    let mix = Recipe {
        quotas: Quotas::Mix,
        ..top(10)
    };
    let (add, style, choice) = count(&mix);
    assert_eq!((add, style), (5, 5));
    let full = |r: &&Reason| **r == Reason::CategoryFull;
    assert_eq!(choice.reasons.iter().filter(full).count(), 15);
    // With a minimum that only one category meets, the other's places go to it.
    let picky = Recipe {
        least: Least {
            overall: Some(5.0),
            ..Least::default()
        },
        ..mix
    };
    let (add, style, choice) = count(&picky);
    assert_eq!((add, style), (10, 0));
    let filled = |r: &&Reason| **r == Reason::KeptToFill;
    assert_eq!(choice.reasons.iter().filter(filled).count(), 5);
    let most = Recipe {
        quotas: Quotas::AtMost(BTreeMap::from([("add".to_owned(), 2)])),
        ..top(10)
    };
    let (add, style, _) = count(&most);
    assert_eq!((add, style), (2, 8));
    let wrong = Recipe {
        quotas: Quotas::AtMost(BTreeMap::from([("sky".to_owned(), 2)])),
        ..top(10)
    };
    let error = choose(&pool, &wrong, &mut NoLooks).unwrap_err().to_string();
    assert!(
        error.contains("'sky'") && error.contains("style"),
        "{error}"
    );
}

/// Looks by candidate: edit, source, instruction.
struct Made(HashMap<i64, (Option<u64>, u64, &'static str)>);

impl NearBy for Made {
    fn looks(&mut self, candidates: &[CandidateId]) -> Result<Vec<Look>, CurateError> {
        let look = |id: &CandidateId| {
            let (edit, source, words) = self.0[&id.0];
            Look {
                edit: edit.ok_or_else(|| "broken".to_owned()),
                source: Ok(source),
                instruction: words.to_owned(),
            }
        };
        Ok(candidates.iter().map(look).collect())
    }
}

#[test]
fn of_near_duplicates_the_best_stays_and_the_others_say_of_which_they_are() {
    let pool = pool(&[(5.0, 5.0), (4.0, 4.0), (3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]);
    let mut looks = Made(HashMap::from([
        (1, (Some(0b0000), 0, "Add a hat.")),
        (2, (Some(0b0001), 0, "add a HAT")),
        (3, (Some(0b0000), 0, "Remove the dog")),
        (4, (Some(0b0000), u64::MAX, "add a hat")),
        (5, (None, 0, "add a hat")),
    ]));
    let mut with = |same, distance| {
        let recipe = Recipe {
            duplicates: Some(Duplicates { distance, same }),
            ..Recipe::default()
        };
        let choice = choose(&pool, &recipe, &mut looks).unwrap();
        (ids(&pool, &choice), choice.duplicates, choice.reasons[4])
    };
    // Another instruction, or another source, is another example.
    let (kept, of, broken) = with(Same::Example, 4);
    assert_eq!(kept, [1, 3, 4]);
    assert_eq!(of, HashMap::from([(1, CandidateId(1))]));
    assert_eq!(broken, Reason::NoLook);
    assert_eq!(with(Same::Example, 0).0, [1, 2, 3, 4]);
    assert_eq!(with(Same::Image, 4).0, [1]);
}

#[test]
fn the_same_seed_draws_the_same_and_another_one_others() {
    let pool = pool(&vec![(0.0, 0.0); 200]);
    let with = |seed, by| {
        kept(
            &pool,
            &Recipe {
                by,
                seed,
                ..top(20)
            },
        )
    };
    assert_eq!(with(1, By::Random), with(1, By::Random));
    assert_ne!(with(1, By::Random), with(2, By::Random));
    // Equals are drawn too, and not taken in the order of import.
    assert_ne!(with(1, By::Overall), (1..=20).collect::<Vec<i64>>());
}

#[test]
fn recipes_come_back_as_they_were_and_nonsense_is_refused() {
    let recipe = Recipe {
        by: By::Min,
        sigmas: 1.5,
        least: Least {
            instruction_following: Some(0.25),
            ..Least::default()
        },
        best_of_group: Some(2),
        quotas: Quotas::Mix,
        duplicates: Some(Duplicates {
            distance: 8,
            same: Same::Image,
        }),
        filter: Some("editor ~ flux".into()),
        seed: 7,
        cut: Cut::Fraction(0.25),
    };
    let text = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), recipe);
    let words = recipe.words();
    for part in [
        "top 25 % by min",
        "1.5 sigma",
        "IF ≥ 0.25",
        "best 2",
        "mix",
        "8 of 64",
        "flux",
    ] {
        assert!(words.contains(part), "{words}");
    }
    let wrong = [
        top(0),
        Recipe {
            cut: Cut::Fraction(1.5),
            ..Recipe::default()
        },
        Recipe {
            sigmas: -1.0,
            ..top(1)
        },
        Recipe {
            best_of_group: Some(0),
            ..top(1)
        },
        Recipe {
            quotas: Quotas::Mix,
            ..Recipe::default()
        },
    ];
    for recipe in wrong {
        assert!(recipe.check().is_err(), "{recipe:?}");
    }
}

#[test]
fn a_report_tells_before_and_after_and_what_the_mix_cost() {
    let scores: Vec<(f64, f64)> = (0..40)
        .map(|i| if i / 2 % 2 == 0 { 10.0 } else { 0.0 } + 0.01 * f64::from(i))
        .map(|v| (v, v))
        .collect();
    let pool = pool(&scores);
    let recipe = Recipe {
        quotas: Quotas::Mix,
        ..top(10)
    };
    let choice = choose(&pool, &recipe, &mut NoLooks).unwrap();
    let report = report(&pool, &choice, &recipe, "f0", &[]);
    assert_eq!(
        (report.considered, report.kept, report.asked),
        (40, 10, Some(10))
    );
    let counted: usize = report.reasons.iter().map(|r| r.count).sum();
    assert_eq!(counted, 40);
    let shares: Vec<_> = report
        .categories
        .iter()
        .map(|s| (s.before, s.after))
        .collect();
    assert_eq!(shares, [(20, 5), (20, 5)]);
    let [mean, free] = [
        report.cost.mean.unwrap(),
        report.cost.unconstrained.unwrap(),
    ];
    assert!((free - mean - 5.0).abs() < 0.2, "{free} {mean}");
    assert_eq!(report.cost.better_dropped, 15);
    for bins in &report.scores {
        assert_eq!(bins.before.iter().sum::<usize>(), 40);
        assert_eq!(bins.after.iter().sum::<usize>(), 10);
    }
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn two_selections_are_held_against_each_other() {
    let pool = pool(&EIGHT);
    let set = |ids: &[i64]| {
        ids.iter()
            .map(|id| CandidateId(*id))
            .collect::<BTreeSet<_>>()
    };
    let diff = diff(&pool, &set(&[1, 2, 3]), &set(&[2, 6]));
    assert_eq!((diff.both, diff.only_first, diff.only_second), (1, 2, 1));
    assert_eq!(diff.overlap, Some(0.25));
    let overall = &diff.scores[0];
    assert_eq!(overall.only_second, Some(3.5));
    assert_eq!(overall.first, Some((2.5 + 3.0 + 2.5) / 3.0));
}

/// True quality is drawn; the model sees it through noise whose size it knows.
fn informative(n: usize, seed: u64) -> (Pool, BTreeMap<CandidateId, f64>) {
    let mut draw = draws(seed);
    let mut normal = move || (0..12).map(|_| draw()).sum::<f64>() - 6.0;
    let (mut entries, mut human) = (Vec::new(), BTreeMap::new());
    for at in 0..n as i64 {
        let quality = 5.0 + normal();
        let sigma = if at % 2 == 0 { 0.2 } else { 2.0 };
        let mean = quality + sigma * normal();
        let candidate = CandidateId(at + 1);
        let gaussian = Gaussian::new(mean, f64::ln(sigma));
        entries.push(
            Entry::new(candidate, GroupId(at / 4), 0, 0).scored(&Reward {
                instruction_following: None,
                visual_quality: None,
                aggregate: gaussian,
            }),
        );
        human.insert(candidate, quality);
    }
    let pool = Pool {
        entries,
        categories: vec!["none".into()],
        editors: vec!["none".into()],
    };
    (pool, human)
}

#[test]
fn the_top_is_worth_more_than_chance_and_a_lower_bound_more_still_where_sigma_says_something() {
    let (pool, human) = informative(4000, 5);
    let truth = truth(&pool, &top(400), &[1.0], &human, &mut NoLooks, 400).unwrap();
    let [all, random, mean, bound] = &truth.arms[..] else {
        panic!("{:?}", truth.arms);
    };
    assert_eq!((all.labelled, mean.labelled, truth.size), (4000, 400, 400));
    let interval = |arm: &Arm| arm.interval.unwrap();
    assert!((random.mean.unwrap() - all.mean.unwrap()).abs() < 0.2);
    let [low, high] = random.above_all_interval.unwrap();
    assert!(low < 0.0 && high > 0.0, "{low} {high}");
    assert!(interval(mean)[0] > interval(random)[1]);
    assert!(interval(bound)[0] > interval(mean)[1], "{truth:?}");
    assert!(mean.above_all_interval.unwrap()[0] > 0.5);
}

#[test]
fn without_labels_nobody_can_say_what_a_selection_is_worth() {
    let pool = pool(&EIGHT);
    let none = BTreeMap::new();
    let error = truth(&pool, &top(2), &[], &none, &mut NoLooks, 10).unwrap_err();
    assert!(error.to_string().contains("labels"), "{error}");
}

#[test]
fn a_report_is_written_in_every_form_and_its_text_stays_text() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = crate::data::Workspace::create(dir.path()).unwrap();
    workspace.fill_with_scored(20, 5);
    let mut step = |_: usize| std::ops::ControlFlow::Continue(());
    let mut pool = Pool::read(&workspace, "m", None, &mut step).unwrap();
    pool.categories[1] = "<script>|x|".into();
    let recipe = top(30);
    let choice = choose(&pool, &recipe, &mut NoLooks).unwrap();
    let told = report(&pool, &choice, &recipe, "m", &[]);
    let places = pool
        .entries
        .iter()
        .map(|e| (e.candidate, e.group))
        .collect();
    let text = |format: &str| {
        let format = format.parse().unwrap();
        render(&told, "best@1", &workspace, &places, format).unwrap()
    };
    let html = text("html");
    assert!(html.contains("<svg") && html.contains("Borderline") && !html.contains("<script>"));
    // There are no files: each picture says so in its place.
    assert!(html.contains("is missing"), "{html}");
    let markdown = text("md");
    assert!(markdown.starts_with("# best@1") && markdown.contains("\\<script\\>\\|x\\|"));
    assert_eq!(serde_json::from_str::<Report>(&text("json")).unwrap(), told);
    assert!("pdf".parse::<Format>().is_err());
}
