//! The statistics on real ratings and recorded judges, against figures computed from the same tables elsewhere.
//!
//! The tables lie beside the project; without them these tests say that they were skipped. `shared/reference/BENCHMARKS.md`
//! says where each is from.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::stats::{
    Judged, Level, Statistic, Undefined, all_ties_floor, calibrated, calibrated_as_published,
    fleiss_kappa, kendall_tau_b, krippendorff_alpha, pearson, spearman, strict,
};

/// The folder of tables, or `None` (said aloud) where there is none.
fn tables() -> Option<PathBuf> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/benchdata"
    ));
    if path.join("expected.json").is_file() {
        return Some(path.to_owned());
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no tables in '{}'", path.display());
    }
    None
}

/// A JSON file; NaN, which some writers put for what is undefined, is null.
fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text.replace(": NaN", ": null")).unwrap()
}

fn expected(tables: &Path, part: &str) -> Value {
    json(&tables.join("expected.json"))[part].take()
}

fn same(found: Statistic, expected: &Value, what: &str) {
    let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
    assert!(
        (found - expected).abs() < 1e-9,
        "{what}: {found} {expected}"
    );
}

#[test]
fn ties_on_genai_bench_are_calibrated_to_the_expected_figures() {
    let Some(tables) = tables() else { return };
    let expected = expected(&tables, "tie_calibration_on_genai_bench_919");
    for judge in ["gpt4o", "random"] {
        let votes = json(&tables.join(format!("genai_bench/image_edition_{judge}_pairwise.json")));
        let pairs: Vec<Judged> = votes
            .as_array()
            .unwrap()
            .iter()
            .map(|vote| Judged {
                human: match vote["human_vote"].as_str().unwrap() {
                    "leftvote" => 1,
                    "rightvote" => -1,
                    _ => 0,
                },
                difference: match vote["model_vote"].as_str().unwrap() {
                    "[[A>B]]" => 1.0,
                    "[[B>A]]" => -1.0,
                    _ => 0.0,
                },
            })
            .collect();
        assert_eq!(pairs.len(), 919);
        let (figures, best) = (&expected[judge], calibrated(&pairs));
        let [accuracy, epsilon] = [0, 1].map(|i| &figures["unique_thresholds"][i]);
        same(best.share().value(), accuracy, judge);
        assert_eq!(best.epsilon, epsilon.as_f64(), "{judge}");
        let published = calibrated_as_published(&pairs);
        same(
            published.share().value(),
            &figures["official_incremental"],
            judge,
        );
        same(strict(&pairs).value(), &figures["without_ties"], judge);
        let floor = all_ties_floor(&pairs).value();
        same(floor, &expected["all_ties_floor"], judge);
    }
}

#[test]
fn correlations_and_alphas_on_tifa_are_the_expected_ones() {
    let Some(tables) = tables() else { return };
    let figures = expected(&tables, "tifa_agreement_and_correlations");
    let path = tables.join("tifa/human_annotations_with_scores.json");
    let units: Vec<Vec<f64>> = json(&path)
        .as_object()
        .unwrap()
        .values()
        .map(|row| row["human_scores"].as_array().unwrap())
        .map(|scores| scores.iter().map(|s| s.as_f64().unwrap()).collect())
        .collect();
    for (name, level) in [
        ("nominal", Level::Nominal),
        ("ordinal", Level::Ordinal),
        ("interval", Level::Interval),
    ] {
        same(
            krippendorff_alpha(&units, level),
            &figures["alpha"][name],
            name,
        );
    }
    // From the text: the JSON reader may be off by the last bit of a number, which makes ties of values that are none.
    let text = fs::read_to_string(&path).unwrap();
    let column = |name: &str| -> Vec<f64> {
        text.split(&format!("\"{name}\": "))
            .skip(1)
            .map(|rest| rest.split([',', '}']).next().unwrap())
            .map(|number| number.trim().parse().unwrap())
            .collect()
    };
    let human = column("human_avg");
    let mut metrics = 0;
    for (metric, figures) in figures.as_object().unwrap() {
        if metric == "alpha" {
            continue;
        }
        let scores = column(metric);
        same(pearson(&human, &scores), &figures["pearson"], metric);
        same(spearman(&human, &scores), &figures["spearman"], metric);
        same(
            kendall_tau_b(&human, &scores),
            &figures["kendall_tau_b"],
            metric,
        );
        metrics += 1;
    }
    assert_eq!(metrics, 6);
}

/// Each editor's cells of one rater's table, [SC, PQ].
fn ratings(path: &Path) -> Vec<(String, Vec<[f64; 2]>)> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t'));
    let mut editors: Vec<(String, Vec<[f64; 2]>)> = lines
        .next()
        .unwrap()
        .skip(1)
        .map(|name| (name.trim().to_owned(), Vec::new()))
        .collect();
    for line in lines {
        for ((_, cells), cell) in editors.iter_mut().zip(line.skip(1)) {
            let (following, quality) = cell
                .trim()
                .trim_matches(['[', ']'])
                .split_once(',')
                .unwrap();
            cells.push([following, quality].map(|n| n.trim().parse().unwrap()));
        }
    }
    editors
}

#[test]
fn agreement_on_imagenhub_is_the_expected_one_and_undefined_where_nobody_varies() {
    let Some(tables) = tables() else { return };
    let figures = expected(&tables, "imagenhub_agreement");
    let raters =
        [1, 2, 3].map(|i| ratings(&tables.join(format!("imagenhub/Text-Guided_IE_rater{i}.tsv"))));
    let mut undefined = Vec::new();
    for (i, (editor, cells)) in raters[0].iter().enumerate() {
        for axis in ["SC", "PQ", "O"] {
            let score = |[following, quality]: [f64; 2]| match axis {
                "SC" => following,
                "PQ" => quality,
                // Roots of equal products must stay equal.
                _ => ((following * quality).sqrt() * 1e10).round() / 1e10,
            };
            let units: Vec<Vec<f64>> = (0..cells.len())
                .map(|item| raters.iter().map(|r| score(r[i].1[item])).collect())
                .collect();
            assert_eq!(units.len(), 179);
            let name = format!("Text-Guided_IE/{editor}/{axis}");
            let found = [
                ("alpha_nominal", krippendorff_alpha(&units, Level::Nominal)),
                ("alpha_ordinal", krippendorff_alpha(&units, Level::Ordinal)),
                (
                    "alpha_interval",
                    krippendorff_alpha(&units, Level::Interval),
                ),
                ("fleiss_kappa", fleiss_kappa(&units)),
            ];
            for (figure, value) in found {
                let expected = &figures[&name][figure];
                if expected.is_null() {
                    assert_eq!(value, Err(Undefined::OneCategory), "{name} {figure}");
                    undefined.push(name.clone());
                } else {
                    same(value, expected, &format!("{name} {figure}"));
                }
            }
        }
    }
    undefined.dedup();
    assert_eq!(
        undefined,
        ["Text-Guided_IE/Imagic/SC", "Text-Guided_IE/Imagic/O"]
    );
}

#[test]
fn ties_of_imagenhub_ratings_are_calibrated_to_the_expected_figures() {
    let Some(tables) = tables() else { return };
    let figures = expected(&tables, "derived_kway");
    for judge in ["pred_gpt4o", "pred_gemini15pro"] {
        for k in [2, 3, 4] {
            let path = format!("derived_kway/EditReward_Bench_{k}pair.json");
            let mut pairs = Vec::new();
            for row in json(&tables.join(path)).as_array().unwrap() {
                let score = |i: usize| row[judge][i].as_f64().unwrap();
                let ranking = row["human_vote"]["ranking"].as_str().unwrap();
                let is_tie = ranking.contains('=');
                let place = |i: usize| ranking.find(["A", "B", "C", "D"][i]);
                for b in 0..k {
                    pairs.extend((0..b).map(|a| Judged {
                        human: if is_tie {
                            0
                        } else {
                            place(b).cmp(&place(a)) as i8
                        },
                        difference: score(a) - score(b),
                    }));
                }
            }
            let figures = &figures[judge][format!("{k}-Pair")];
            let best = calibrated(&pairs);
            let name = format!("{judge} {k}");
            same(best.share().value(), &figures["pairwise_accuracy"], &name);
            let epsilon = figures["epsilon"].as_f64().unwrap();
            // The reference starts at 0, which is as good as "no ties" where people never tie.
            let found = best.epsilon.unwrap_or(0.0);
            assert!((found - epsilon).abs() < 1e-9, "{name}: {found}");
            assert_eq!(figures["pairs"].as_f64(), Some(best.of), "{name}");
        }
    }
}
