//! How far people agree: on each axis and overall, pair by pair, with themselves, and with the model as one more rater.
//!
//! Krippendorff's alpha is ordinal for scores and nominal for votes; every figure comes with its 95 % interval from a bootstrap
//! by group, seeded. Under the name `NAME#2` stands what NAME said when asked again: that is no second annotator, and counts
//! only for what NAME agrees with themselves on.

mod bootstrap;
mod gather;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use gather::{Asked, Judgements};
pub use report::{
    AgreementReport, AnnotatorReport, Disputed, Measured, OnAxis, PairReport, Question, Repeats,
};

use crate::data::{Workspace, WorkspaceError};
use crate::domain::stats::{
    Level, Statistic, Undefined, cohen_quadratic_kappa, fleiss_kappa, krippendorff_alpha, spearman,
};

use bootstrap::Bootstrap;
use gather::Unit;

/// So many pairs of annotators are told for each question, those with the most in common.
const PAIRS: usize = 100;
/// So many groups of the most disputed are told.
const DISPUTED: usize = 100;

/// What is asked.
#[derive(Debug, Clone)]
pub struct AgreementOptions {
    /// Only the groups of this part of the data.
    pub split: Option<String>,
    /// Only what people said, and nothing that a program made.
    pub without_simulated: bool,
    /// The fingerprint of a model whose stored scores count as one more rater.
    pub model: Option<String>,
    /// How often groups are drawn anew for the intervals; fewer where the data is large.
    pub resamples: usize,
    /// Decides what is drawn.
    pub seed: u64,
}

impl Default for AgreementOptions {
    fn default() -> Self {
        Self {
            split: None,
            without_simulated: false,
            model: None,
            resamples: 1000,
            seed: 0,
        }
    }
}

/// The name under which the model is a rater.
pub const MODEL: &str = "(model)";

/// Measures a workspace. `progress` hears how many groups of how many were read.
pub fn agreement(
    workspace: &Workspace,
    options: &AgreementOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<AgreementReport, WorkspaceError> {
    let judgements = Judgements::of(workspace, options, progress)?;
    Ok(measured(&judgements, options))
}

/// Measures what was gathered.
pub fn measured(judgements: &Judgements, options: &AgreementOptions) -> AgreementReport {
    let bootstrap = Bootstrap::new(judgements.groups.len(), options.resamples, options.seed);
    let people = judgements.people();
    let mut axes = Vec::new();
    let mut pairs = Vec::new();
    for asked in Asked::ALL {
        let units = &judgements.units[asked.place()];
        axes.push(on_axis(asked, units, &people, &bootstrap));
        pairs.extend(pairs_on(judgements, asked, units, &bootstrap));
    }
    axes.retain(|axis| axis.judgements > 0);
    AgreementReport {
        groups: judgements.groups.len(),
        resamples: bootstrap.resamples(),
        seed: options.seed,
        axes,
        annotators: annotators(judgements),
        pairs,
        disputed: disputed(judgements),
    }
}

/// Whose ratings are of people: the model is a rater beside them, not one of them.
type People = Vec<bool>;

fn on_axis(asked: Asked, units: &[Unit], people: &People, bootstrap: &Bootstrap) -> OnAxis {
    let of = |unit: &Unit, all: bool| {
        let ratings = unit.ratings.iter();
        let counted = ratings.filter(|(who, _)| all || people[*who as usize]);
        counted.map(|(_, value)| *value).collect::<Vec<f64>>()
    };
    let level = asked.level();
    let alpha = |units: &[Vec<f64>]| krippendorff_alpha(units, level);
    let ratings: Vec<(u32, Vec<f64>)> = units.iter().map(|u| (u.group, of(u, false))).collect();
    let shared: Vec<(u32, Vec<f64>)> = ratings
        .iter()
        .filter(|(_, values)| values.len() > 1)
        .cloned()
        .collect();
    let with_model: Vec<(u32, Vec<f64>)> = if people.iter().all(|person| *person) {
        Vec::new()
    } else {
        let all = units.iter().map(|u| (u.group, of(u, true)));
        all.filter(|(_, values)| values.len() > 1).collect()
    };
    let usual = usual_number(&shared);
    let complete: Vec<(u32, Vec<f64>)> = shared
        .iter()
        .filter(|(_, values)| Some(values.len()) == usual)
        .cloned()
        .collect();
    OnAxis {
        on: asked,
        level: match level {
            Level::Nominal => "nominal",
            Level::Ordinal => "ordinal",
            Level::Interval => "interval",
        },
        judgements: ratings.iter().map(|(_, values)| values.len()).sum(),
        shared: shared.len(),
        alpha: bootstrap.measure(&shared, alpha),
        alpha_with_model: (!with_model.is_empty()).then(|| bootstrap.measure(&with_model, alpha)),
        complete: complete.len(),
        raters: usual,
        kappa: bootstrap.measure(&complete, fleiss_kappa),
    }
}

/// The number of ratings that most units have: Fleiss' kappa needs the same everywhere.
fn usual_number(units: &[(u32, Vec<f64>)]) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, values) in units {
        *counts.entry(values.len()).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(size, count)| (*count, *size));
    most.map(|(size, _)| size)
}

/// What two people said of the same things, each with its group.
type Shared = Vec<(u32, Vec<f64>)>;

/// Every two annotators who judged anything in common; of more than [`PAIRS`], those who judged most.
fn pairs_on(
    judgements: &Judgements,
    asked: Asked,
    units: &[Unit],
    bootstrap: &Bootstrap,
) -> Vec<PairReport> {
    let mut both: BTreeMap<(u16, u16), Shared> = BTreeMap::new();
    for unit in units {
        for (i, a) in unit.ratings.iter().enumerate() {
            for b in &unit.ratings[i + 1..] {
                let (first, second) = if a.0 < b.0 { (a, b) } else { (b, a) };
                let values = vec![first.1, second.1];
                let pair = both.entry((first.0, second.0)).or_default();
                pair.push((unit.group, values));
            }
        }
    }
    let level = asked.level();
    let name = |who: u16| judgements.annotators[who as usize].name.clone();
    let report = |((a, b), units): ((u16, u16), Shared)| {
        let values = |at: usize| units.iter().map(|(_, v)| v[at]).collect::<Vec<f64>>();
        let (first, second) = (values(0), values(1));
        let apart = first.iter().zip(&second).map(|(x, y)| (x - y).abs());
        let count = units.len() as f64;
        let scores = level != Level::Nominal;
        PairReport {
            a: name(a),
            b: name(b),
            on: asked,
            shared: units.len(),
            alpha: bootstrap.measure(&units, |units| krippendorff_alpha(units, level)),
            kappa: scores.then(|| Measured::of(&quadratic(&first, &second))),
            spearman: scores.then(|| Measured::of(&spearman(&first, &second))),
            same: apart.clone().filter(|d| *d < 1e-9).count() as f64 / count,
            difference: scores.then(|| apart.sum::<f64>() / count),
        }
    };
    // Those that have judged most together: of a crowd, every two would be more than anyone reads or waits for.
    let mut most: Vec<((u16, u16), Shared)> = both.into_iter().collect();
    most.sort_by_key(|(names, shared)| (std::cmp::Reverse(shared.len()), *names));
    most.truncate(PAIRS);
    most.sort_by_key(|(names, _)| *names);
    most.into_iter().map(report).collect()
}

/// Cohen's kappa over the scores that the two gave.
fn quadratic(a: &[f64], b: &[f64]) -> Statistic {
    let mut categories: Vec<f64> = a.iter().chain(b).copied().collect();
    categories.sort_by(f64::total_cmp);
    categories.dedup();
    if categories.len() < 2 {
        return Err(Undefined::OneCategory);
    }
    cohen_quadratic_kappa(a, b, &categories)
}

/// Each annotator against the mean of the others on the same candidate, and against themselves.
fn annotators(judgements: &Judgements) -> Vec<AnnotatorReport> {
    let count = judgements.annotators.len();
    let people = judgements.people();
    let mut differences: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); Asked::ALL.len()]; count];
    let mut judged = vec![vec![0_usize; Asked::ALL.len()]; count];
    for asked in Asked::ALL {
        let place = asked.place();
        for unit in &judgements.units[place] {
            for (who, value) in &unit.ratings {
                judged[*who as usize][place] += 1;
                // The others are people: what the model says is no measure for anybody.
                let others = unit.ratings.iter().filter(|(other, _)| other != who);
                let others: Vec<f64> = others
                    .filter(|(other, _)| people[*other as usize])
                    .map(|(_, value)| *value)
                    .collect();
                if !others.is_empty() {
                    let mean = others.iter().sum::<f64>() / others.len() as f64;
                    differences[*who as usize][place].push(value - mean);
                }
            }
        }
    }
    let rows = judgements.annotators.iter().enumerate();
    rows.map(|(who, annotator)| AnnotatorReport {
        name: annotator.name.clone(),
        simulated: annotator.simulated,
        judged: Asked::ALL
            .into_iter()
            .filter(|asked| *asked != Asked::Overall)
            .map(|asked| judged[who][asked.place()])
            .sum(),
        questions: Asked::ALL
            .into_iter()
            .filter(|asked| asked.level() != Level::Nominal && judged[who][asked.place()] > 0)
            .map(|asked| {
                let place = asked.place();
                let against = &differences[who][place];
                let (bias, spread) = mean_and_spread(against);
                Question {
                    on: asked,
                    judged: judged[who][place],
                    against: against.len(),
                    bias,
                    spread,
                }
            })
            .collect(),
        repeats: repeats(&annotator.repeats),
    })
    .collect()
}

/// Mean and standard deviation (of a sample); `None` without two values.
fn mean_and_spread(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let count = values.len() as f64;
    if values.is_empty() {
        return (None, None);
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (
        Some(mean),
        (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
    )
}

fn repeats(pairs: &[(f64, f64)]) -> Option<Repeats> {
    let count = pairs.len();
    let apart = pairs.iter().map(|(x, y)| (x - y).abs());
    (count > 0).then(|| Repeats {
        count,
        same: apart.clone().filter(|d| *d < 1e-9).count() as f64 / count as f64,
        difference: apart.sum::<f64>() / count as f64,
    })
}

/// The groups on which people differ most, by the mean difference of two people's scores of the same thing.
fn disputed(judgements: &Judgements) -> Vec<Disputed> {
    let people = judgements.people();
    let mut sums: BTreeMap<(u32, Asked), (f64, usize)> = BTreeMap::new();
    for asked in [Asked::If, Asked::Vq] {
        for unit in &judgements.units[asked.place()] {
            let of_people = |(who, _): &&(u16, f64)| people[*who as usize];
            let ratings: Vec<f64> = unit.ratings.iter().filter(of_people).map(|r| r.1).collect();
            let sum = sums.entry((unit.group, asked)).or_default();
            for (i, a) in ratings.iter().enumerate() {
                for b in &ratings[i + 1..] {
                    sum.0 += (a - b).abs();
                    sum.1 += 1;
                }
            }
        }
    }
    let mut all: Vec<Disputed> = sums
        .into_iter()
        .filter(|(_, (sum, count))| *count > 0 && *sum > 0.0)
        .map(|((group, on), (sum, count))| {
            let facts = &judgements.groups[group as usize];
            Disputed {
                group: facts.id,
                key: facts.key.clone(),
                instruction: facts.instruction.clone(),
                on,
                difference: sum / count as f64,
                pairs: count,
            }
        })
        .collect();
    all.sort_by(|a, b| b.difference.total_cmp(&a.difference));
    all.truncate(DISPUTED);
    all
}
