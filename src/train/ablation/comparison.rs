//! What came of an ablation: each variant's worth over its seeds, and how far it is from the first, on the same groups.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::chance::Chance;
use super::super::error::TrainError;
use super::super::verdicts::{self, Line};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2000;

/// What came of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    lines: BTreeMap<String, Line>,
    calibration: Option<f64>,
    cost: Option<f64>,
}

impl Outcome {
    /// From the folder of a run that is done.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        #[derive(Deserialize)]
        struct Total {
            calibration: Option<f64>,
        }
        #[derive(Deserialize)]
        struct Report {
            total: Total,
            cost: Option<f64>,
        }
        let path = folder.join("report.json");
        let text = std::fs::read_to_string(&path).map_err(TrainError::files("read", &path))?;
        let report: Report =
            serde_json::from_str(&text).map_err(|e| TrainError::files("read", &path)(e.into()))?;
        let lines = verdicts::read(folder)?;
        Ok(Self {
            lines: lines.into_iter().map(|l| (l.group.clone(), l)).collect(),
            calibration: report.total.calibration,
            cost: report.cost,
        })
    }

    /// (right, of) of a group, by column: overall, IF, VQ, triples.
    fn cell(&self, group: &str, column: usize) -> (f64, f64) {
        self.lines.get(group).map_or((0.0, 0.0), |line| {
            line.pairs.get(column).copied().unwrap_or(line.triples)
        })
    }
}

/// A number with the central 95 % of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One variant. Shares are from 0 to 1, means over its seeds; an interval is that of a bootstrap over validation groups and,
/// where there are several, over seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// What the variant is called.
    pub name: String,
    /// Runs that are done.
    pub done: usize,
    /// Runs that there are to be.
    pub seeds: usize,
    /// Overall pairs in the right order.
    pub accuracy: Option<Estimate>,
    /// Pairs on instruction following.
    #[serde(rename = "accuracy.if")]
    pub accuracy_if: Option<Estimate>,
    /// Pairs on visual quality.
    #[serde(rename = "accuracy.vq")]
    pub accuracy_vq: Option<Estimate>,
    /// Strictly ordered triples that are wholly right.
    pub triples: Option<Estimate>,
    /// The accuracy on overall pairs less the first variant's, on the same groups.
    pub difference: Option<Estimate>,
    /// The expected calibration error of P(A ≻ B), the mean over seeds.
    pub calibration: Option<f64>,
    /// Milliseconds for a candidate, measuring: the mean over seeds.
    pub cost: Option<f64>,
}

/// All variants, the one that others are held against first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// One by one.
    pub variants: Vec<Standing>,
}

impl Comparison {
    /// From each variant's name and the outcomes of its runs that are done, of `seeds` that there are to be.
    pub fn new(variants: &[(String, Vec<Outcome>)], seeds: usize) -> Self {
        let first = variants.first().map_or(&[][..], |(_, runs)| runs);
        let mean = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let standing = |(i, (name, runs)): (usize, &(String, Vec<Outcome>))| Standing {
            name: name.clone(),
            done: runs.len(),
            seeds,
            accuracy: estimate(runs, None, 0),
            accuracy_if: estimate(runs, None, 1),
            accuracy_vq: estimate(runs, None, 2),
            triples: estimate(runs, None, 3),
            difference: (i > 0).then(|| estimate(runs, Some(first), 0)).flatten(),
            calibration: mean(runs.iter().filter_map(|run| run.calibration).collect()),
            cost: mean(runs.iter().filter_map(|run| run.cost).collect()),
        };
        Self {
            variants: variants.iter().enumerate().map(standing).collect(),
        }
    }
}

/// A column's share over `runs`, less that over `others` where they are given, on the groups that all of them have.
fn estimate(runs: &[Outcome], others: Option<&[Outcome]>, column: usize) -> Option<Estimate> {
    let all: Vec<&Outcome> = runs.iter().chain(others.unwrap_or_default()).collect();
    let groups: Vec<&String> = runs
        .first()?
        .lines
        .keys()
        .filter(|group| all.iter().all(|run| run.lines.contains_key(*group)))
        .collect();
    let table = |runs: &[Outcome]| -> Vec<Vec<(f64, f64)>> {
        let row = |run: &Outcome| groups.iter().map(|g| run.cell(g, column)).collect();
        runs.iter().map(row).collect()
    };
    let (ours, theirs) = (table(runs), others.map(table));
    let whole: Vec<usize> = (0..groups.len()).collect();
    let every = |rows: &[Vec<(f64, f64)>]| (0..rows.len()).collect::<Vec<_>>();
    let at = |seeds: [&[usize]; 2], groups: &[usize]| -> Option<f64> {
        let share = share(&ours, seeds[0], groups)?;
        match &theirs {
            None => Some(share),
            Some(theirs) => Some(share - self::share(theirs, seeds[1], groups)?),
        }
    };
    let (own, other) = (every(&ours), theirs.as_deref().map_or_else(Vec::new, every));
    let value = at([&own, &other], &whole)?;
    let mut chance = Chance::new(0, "ablation", &[column as u64]);
    let mut drawn =
        |count: usize| -> Vec<usize> { (0..count).map(|_| chance.below(count)).collect() };
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let seeds = [drawn(own.len()), drawn(other.len())];
            let groups = drawn(groups.len());
            at([&seeds[0], &seeds[1]], &groups)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let end = |share: f64| {
        let last = values.len().checked_sub(1)?;
        values.get((share * last as f64).round() as usize).copied()
    };
    Some(Estimate {
        value,
        low: end(0.025)?,
        high: end(0.975)?,
    })
}

/// What is right of what there is, over some of the runs and groups.
fn share(rows: &[Vec<(f64, f64)>], runs: &[usize], groups: &[usize]) -> Option<f64> {
    let (mut right, mut of) = (0.0, 0.0);
    for run in runs {
        for group in groups {
            let (a, b) = rows[*run][*group];
            right += a;
            of += b;
        }
    }
    (of > 0.0).then(|| right / of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that gets `right` of two overall pairs in each group.
    fn run(right: &[f64]) -> Outcome {
        let line = |(i, right): (usize, &f64)| {
            let group = format!("g{i}");
            let line = Line {
                group: group.clone(),
                pairs: [(*right, 2.0), (1.0, 1.0), (0.0, 0.0)],
                triples: (0.0, 1.0),
            };
            (group, line)
        };
        Outcome {
            lines: right.iter().enumerate().map(line).collect(),
            calibration: Some(0.1),
            cost: Some(4.0),
        }
    }

    #[test]
    fn a_variant_is_worth_the_mean_over_seeds_with_an_interval_and_what_nobody_measured_is_left_out()
     {
        let variants = [(
            "a".to_owned(),
            vec![run(&[2.0, 1.0, 2.0]), run(&[2.0, 2.0, 0.0])],
        )];
        let standing = &Comparison::new(&variants, 3).variants[0];
        let accuracy = standing.accuracy.unwrap();
        assert!((accuracy.value - 0.75).abs() < 1e-12);
        assert!(accuracy.low < 0.75 && 0.75 < accuracy.high);
        assert_eq!((standing.done, standing.seeds), (2, 3));
        assert_eq!(standing.accuracy_vq, None);
        assert_eq!(standing.difference, None);
        assert_eq!(standing.calibration, Some(0.1));
    }

    #[test]
    fn a_difference_is_taken_group_by_group_so_that_what_is_hard_for_both_does_not_blur_it() {
        // Half of the groups are hard for both; the second is better by one pair in each.
        let worse: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let better: Vec<f64> = worse.iter().map(|x| x + 1.0).collect();
        let variants = [
            ("a".to_owned(), vec![run(&worse)]),
            ("b".to_owned(), vec![run(&better)]),
        ];
        let comparison = Comparison::new(&variants, 1);
        let difference = comparison.variants[1].difference.unwrap();
        assert!((difference.value - 0.5).abs() < 1e-12);
        assert!((difference.high - difference.low).abs() < 1e-12);
        let alone = comparison.variants[1].accuracy.unwrap();
        assert!(alone.high - alone.low > 0.05);
    }

    #[test]
    fn a_variant_without_a_run_that_is_done_has_no_numbers() {
        let variants = [
            ("a".to_owned(), vec![run(&[1.0])]),
            ("b".to_owned(), Vec::new()),
        ];
        let standing = &Comparison::new(&variants, 1).variants[1];
        assert_eq!(
            (standing.accuracy, standing.difference, standing.cost),
            (None, None, None)
        );
    }
}
