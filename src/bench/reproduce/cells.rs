//! The figures themselves, each computed by the code that the benchmarks use.

use std::collections::BTreeMap;
use std::path::Path;

use super::Cells;
use super::normals::Normals;
use super::raters;
use crate::bench::answer::Said;
use crate::bench::case::{Dataset, Order, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::{Answered, Protocol};
use crate::bench::protocols;
use crate::bench::recorded::Recorded;
use crate::bench::scorer::{Ask, Scorer as _};
use crate::data::records;
use crate::domain::stats::{
    Judged, Level, Statistic, all_ties_floor, calibrated, calibrated_as_published, kendall_tau_b,
    krippendorff_alpha, pearson, spearman, strict,
};

/// How often the random scorer is drawn.
const RANDOM_SCORERS: u32 = 200;

/// What is recomputed of one part of the folder.
type Part = fn(&Path, &mut Cells) -> Result<(), BenchError>;

/// Computes what the folder has the data of; also says what it has not.
pub(super) fn recompute(data: &Path) -> Result<(Cells, Vec<String>), BenchError> {
    let parts: [Part; 6] = [
        raters::judges,
        raters::agreement,
        votes,
        tuples,
        points,
        tifa,
    ];
    let (mut cells, mut absent) = (Cells::new(), Vec::new());
    defect(&mut cells);
    let given = cells.len();
    for part in parts {
        match part(data, &mut cells) {
            Ok(()) => {}
            Err(BenchError::NoData { wanted, .. }) => absent.push(wanted),
            Err(other) => return Err(other),
        }
    }
    if cells.len() == given {
        cells.clear();
    }
    Ok((cells, absent))
}

pub(super) fn put(cells: &mut Cells, path: &str, value: Statistic) {
    cells.insert(path.to_owned(), value.ok());
}

pub(super) fn missing(wanted: &str, data: &Path) -> BenchError {
    BenchError::NoData {
        path: data.to_owned(),
        benchmark: "the published figures",
        wanted: wanted.to_owned(),
    }
}

/// A benchmark's data with a recorded judge's answers.
fn answered(set: &Dataset, judge: &mut Recorded) -> Result<Vec<(usize, Said)>, BenchError> {
    let cases: Vec<_> = set.cases.iter().collect();
    let mut answers = Vec::new();
    let mut number = 0;
    judge
        .answer_all(&cases, Ask::Votes, &set.root, &mut |answer| {
            answers.push((number, answer.said));
            number += 1;
            std::ops::ControlFlow::Continue(())
        })
        .map_err(BenchError::Scorer)?;
    Ok(answers)
}

/// The figures of a benchmark for a recorded judge, by their keys.
fn figures(
    protocol: &dyn Protocol,
    set: &Dataset,
    judge: &mut Recorded,
) -> Result<BTreeMap<String, Statistic>, BenchError> {
    let answers = answered(set, judge)?;
    let answered: Vec<Answered<'_>> = answers
        .iter()
        .map(|(i, said)| Answered {
            case: &set.cases[*i],
            said,
        })
        .collect();
    let prepared = protocol.prepare(&answered);
    let values = (prepared.measure)(&vec![1; prepared.clusters]);
    let keys = prepared.figures.into_iter().map(|about| about.key);
    let fixed = prepared.fixed.into_iter().map(|(about, v)| (about.key, v));
    Ok(keys.zip(values).chain(fixed).collect())
}

/// GenAI-Bench's image editing votes.
fn votes(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let protocol = protocols::find("genai-edit")?;
    // As in a folder of tables, and as in a clone of the benchmark's repository.
    let found = |places: [String; 2]| {
        let mut paths = places.iter().map(|place| data.join(place));
        paths.find(|path| path.is_file())
    };
    let joined = found([
        "genai_bench/image_edition_joined.json".into(),
        "results/image_edition/gpt4o/pairwise.json".into(),
    ]);
    let Some(joined) = joined else {
        let wanted =
            "genai_bench/image_edition_joined.json, or GenAI-Bench's results/image_edition";
        return Err(missing(wanted, data));
    };
    let set = protocol.read(&joined)?;
    let labels = [
        ("leftvote", Order::Strict(vec![0, 1])),
        ("rightvote", Order::Strict(vec![1, 0])),
        ("tievote", Order::AllGood),
        ("bothbad_vote", Order::AllBad),
    ];
    for (label, order) in labels {
        let of = |truth: &Truth| matches!(truth, Truth::Order(o) if *o == order);
        let count = set.cases.iter().filter(|case| of(&case.truth)).count();
        cells.insert(
            format!("genai_bench_label_counts/{label}"),
            Some(count as f64),
        );
    }
    let at = "tie_calibration_on_genai_bench_919";
    for name in ["random", "gpt4o"] {
        let file = found([
            format!("genai_bench/image_edition_{name}_pairwise.json"),
            format!("results/image_edition/{name}/pairwise.json"),
        ]);
        let Some(file) = file else { continue };
        let mut judge = Recorded::open(&file, None)?;
        let all = figures(protocol, &set, &mut judge)?;
        let mut copy = |key: &str, cell: &str| {
            let value = all.get(key).and_then(|v| v.ok());
            cells.insert(cell.to_owned(), value);
        };
        copy("four-label", &format!("genai_bench_image_edition/{name}"));
        let published = format!("{at}/{name}/official_incremental");
        copy("calibrated-as-published", &published);
        copy("calibrated", &format!("{at}/{name}/unique_thresholds[0]"));
        copy("strict", &format!("{at}/{name}/without_ties"));
        let epsilon = calibrated(&judged(&set, &answered(&set, &mut judge)?)).epsilon;
        let cell = format!("{at}/{name}/unique_thresholds[1]");
        cells.insert(cell, Some(epsilon.unwrap_or(-1.0)));
    }
    let humans: Vec<Judged> = judged(&set, &[]);
    put(
        cells,
        &format!("{at}/all_ties_floor"),
        all_ties_floor(&humans).value(),
    );
    let mut normals = Normals::new(0);
    let mut sum = 0.0;
    for _ in 0..RANDOM_SCORERS {
        let drawn: Vec<Judged> = humans
            .iter()
            .map(|pair| Judged {
                difference: normals.next(),
                ..*pair
            })
            .collect();
        let best = calibrated(&drawn);
        sum += best.right / best.of;
    }
    let cell = format!("{at}/random_gaussian_scorer_mean_of_200");
    cells.insert(cell, Some(sum / f64::from(RANDOM_SCORERS)));
    Ok(())
}

/// The votes with a judge's differences: 1, 0 and -1.
fn judged(set: &Dataset, answers: &[(usize, Said)]) -> Vec<Judged> {
    set.cases
        .iter()
        .enumerate()
        .filter_map(|(i, case)| {
            let Truth::Order(order) = &case.truth else {
                return None;
            };
            let difference = match answers.get(i).map(|(_, said)| said) {
                Some(Said::Votes(votes)) => f64::from(votes.first()?.2.sign()),
                _ => 0.0,
            };
            Some(Judged {
                human: order.vote()?.sign(),
                difference,
            })
        })
        .collect()
}

/// Two votes that show what is wrong with the published tie calibration.
fn defect(cells: &mut Cells) {
    let at = "tie_calibration_defect_example";
    let (humans, scores) = ([0_i8, 1], [0.5, 0.5]);
    let pairs: Vec<Judged> = humans
        .iter()
        .zip(scores)
        .map(|(human, difference)| Judged {
            human: *human,
            difference,
        })
        .collect();
    for i in 0..2 {
        cells.insert(format!("{at}/h[{i}]"), Some(f64::from(humans[i])));
        cells.insert(format!("{at}/m[{i}]"), Some(scores[i]));
    }
    let (published, real) = (calibrated_as_published(&pairs), calibrated(&pairs));
    cells.insert(
        format!("{at}/official_incremental"),
        Some(published.right / published.of),
    );
    cells.insert(
        format!("{at}/any_real_threshold[0]"),
        Some(real.right / real.of),
    );
    cells.insert(
        format!("{at}/any_real_threshold[1]"),
        Some(real.epsilon.unwrap_or(-1.0)),
    );
}

/// Tuples in EditReward-Bench's schema that were made of ImagenHub's ratings.
fn tuples(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let protocol = protocols::find("editreward-bench")?;
    let folder = data.join("derived_kway");
    if !folder.is_dir() {
        return Err(missing(
            "derived_kway/EditReward_Bench_2pair.json, _3pair and _4pair",
            data,
        ));
    }
    let set = protocol.read(&folder)?;
    for k in 2..=4 {
        let count = set.cases.iter().filter(|c| c.edits.len() == k).count();
        cells.insert(format!("derived_kway/counts/{k}"), Some(count as f64));
    }
    for judge in ["gemini15pro", "gpt4o"] {
        let mut recorded = Recorded::field(judge);
        let all = figures(protocol, &set, &mut recorded)?;
        let answers = answered(&set, &mut recorded)?;
        let at = format!("derived_kway/pred_{judge}");
        let mut every = Vec::new();
        for k in 2..=4 {
            let size = set.cases.iter().filter(|c| c.edits.len() == k).count();
            let pairs = all_pairs(&set, &answers, k);
            let name = format!("{at}/{k}-Pair");
            calibrated_cells(&name, &pairs, cells);
            let exact = if k == 2 {
                strict_with_ties(&pairs)
            } else {
                let share = all.get(&format!("k{k}-as-published")).and_then(|v| v.ok());
                (share.unwrap_or(f64::NAN) * size as f64).round()
            };
            cells.insert(format!("{name}/strict_correct"), Some(exact));
            cells.insert(format!("{name}/strict_total"), Some(size as f64));
            every.extend(pairs);
        }
        let name = format!("{at}/overall");
        calibrated_cells(&name, &every, cells);
        let overall = all.get("overall-as-published").and_then(|v| v.ok());
        let by_protocol = overall.map(|share| (share * set.cases.len() as f64).round());
        cells.insert(format!("{name}/strict_correct"), by_protocol);
        cells.insert(format!("{name}/strict_total"), Some(set.cases.len() as f64));
    }
    Ok(())
}

/// A pair without a tie strictly, a tie by the threshold that is best on all; of equal scores the later ranks first, as the
/// published code has it.
fn strict_with_ties(pairs: &[Judged]) -> f64 {
    let epsilon = calibrated(pairs).epsilon.unwrap_or(0.0);
    let ties = pairs
        .iter()
        .filter(|p| p.human == 0 && p.difference.abs() <= epsilon)
        .count();
    let later = pairs
        .iter()
        .filter(|p| p.human == -1 && p.difference == 0.0)
        .count();
    strict(pairs).right + (ties + later) as f64
}

fn calibrated_cells(at: &str, pairs: &[Judged], cells: &mut Cells) {
    let best = calibrated(pairs);
    // The published threshold starts at 0.
    cells.insert(format!("{at}/epsilon"), Some(best.epsilon.unwrap_or(0.0)));
    cells.insert(format!("{at}/pairs"), Some(best.of));
    cells.insert(
        format!("{at}/pairwise_accuracy"),
        Some(best.right / best.of),
    );
}

/// All pairs of the cases with `k` edits.
fn all_pairs(set: &Dataset, answers: &[(usize, Said)], k: usize) -> Vec<Judged> {
    let mut pairs = Vec::new();
    for (i, said) in answers {
        let case = &set.cases[*i];
        let (Truth::Order(order), Said::Scores(scores)) = (&case.truth, said) else {
            continue;
        };
        if case.edits.len() != k {
            continue;
        }
        for a in 0..k {
            for b in a + 1..k {
                let human = match order {
                    Order::Strict(best) => {
                        let place = |x| best.iter().position(|e| *e == x);
                        if place(a) < place(b) { 1 } else { -1 }
                    }
                    Order::AllGood | Order::AllBad | Order::Tie => 0,
                };
                if let (Some(Some(x)), Some(Some(y))) = (scores.get(a), scores.get(b)) {
                    pairs.push(Judged {
                        human,
                        difference: x.value - y.value,
                    });
                }
            }
        }
    }
    pairs
}

/// Both forms of ImagenHub on pointwise ratings, with the judge that they record.
fn points(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let file = data.join("derived_kway/valid_imagenhub_processed.json");
    if !file.is_file() {
        return Err(missing("derived_kway/valid_imagenhub_processed.json", data));
    }
    let at = "derived_imagenhub_pred_gpt4o";
    let first = protocols::find("imagenhub")?;
    let set = first.read(&file)?;
    let mut judge = Recorded::field("gpt4o");
    let all = figures(first, &set, &mut judge)?;
    let of = |all: &BTreeMap<String, Statistic>, key: &str| all.get(key).and_then(|v| v.ok());
    cells.insert(
        format!("{at}/v1_average_tanh_of_mean"),
        of(&all, "published"),
    );
    cells.insert(format!("{at}/v1_plain_mean"), of(&all, "mean"));
    let answers = answered(&set, &mut judge)?;
    let answered: Vec<Answered<'_>> = answers
        .iter()
        .map(|(i, said)| Answered {
            case: &set.cases[*i],
            said,
        })
        .collect();
    for table in first.prepare(&answered).tables {
        for (editor, row) in table.rows {
            let cell = format!("{at}/v1_per_model/{editor}");
            cells.insert(cell, row.first().copied().flatten());
        }
    }
    let second = protocols::find("imagenhub-v2")?;
    let all = figures(second, &set, &mut judge)?;
    cells.insert(
        format!("{at}/v2_avg_per_prompt_spearman"),
        of(&all, "prompts"),
    );
    let cell = format!("{at}/v2_overall_zscore_spearman_rounded10");
    cells.insert(cell, of(&all, "pooled"));
    let evaluated = second.prepare(&answered).figures[0].of;
    cells.insert(format!("{at}/v2_evaluated"), Some(evaluated as f64));
    let (mut scores, mut ratings) = (Vec::new(), Vec::new());
    for (i, said) in &answers {
        if let (Truth::Ratings(rated), Said::Scores(said)) = (&set.cases[*i].truth, said) {
            for (rating, score) in rated.iter().zip(said) {
                if let Some(score) = score {
                    scores.push(score.value);
                    ratings.push(*rating);
                }
            }
        }
    }
    put(
        cells,
        &format!("{at}/pooled_spearman"),
        spearman(&scores, &ratings),
    );
    Ok(())
}

/// TIFA's annotations: agreement of two people, and metrics against their mean.
fn tifa(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let file = data.join("tifa/human_annotations_with_scores.json");
    if !file.is_file() {
        return Err(missing("tifa/human_annotations_with_scores.json", data));
    }
    let at = "tifa_agreement_and_correlations";
    let metrics = [
        "bleu",
        "clipscore_vitb32",
        "meteor",
        "rouge",
        "spice",
        "tifa_vilt",
    ];
    let (mut units, mut humans) = (Vec::new(), Vec::new());
    let mut scores = vec![Vec::new(); metrics.len()];
    for record in records::open(&file)? {
        let record = record?;
        units.push(record.numbers("human_scores")?);
        humans.push(record.number("human_avg")?);
        for (metric, scores) in metrics.iter().zip(&mut scores) {
            scores.push(record.number(metric)?);
        }
    }
    for (level, key) in [
        (Level::Interval, "interval"),
        (Level::Nominal, "nominal"),
        (Level::Ordinal, "ordinal"),
    ] {
        put(
            cells,
            &format!("{at}/alpha/{key}"),
            krippendorff_alpha(&units, level),
        );
    }
    for (metric, scores) in metrics.iter().zip(&scores) {
        put(
            cells,
            &format!("{at}/{metric}/pearson"),
            pearson(scores, &humans),
        );
        put(
            cells,
            &format!("{at}/{metric}/spearman"),
            spearman(scores, &humans),
        );
        let tau = kendall_tau_b(scores, &humans);
        put(cells, &format!("{at}/{metric}/kendall_tau_b"), tau);
    }
    Ok(())
}
