//! Two scorers on the same cases: how far their figures differ, with what certainty, and on which judgements.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::bootstrap;
use super::error::BenchError;
use super::protocol::Verdict;
use super::protocols;
use super::report::{Report, Resampling, unasked};
use super::run;
use crate::domain::stats::mcnemar;

/// The difference of two scorers on a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The figure's key.
    pub figure: String,
    /// Its name.
    pub name: String,
    /// The first scorer's value on the cases that both answered.
    pub a: Option<f64>,
    /// The second's.
    pub b: Option<f64>,
    /// The first less the second.
    pub difference: Option<f64>,
    /// The central 95 % of the difference under resampling, the same clusters for both.
    pub interval: Option<[f64; 2]>,
    /// The two-sided bootstrap p value of no difference.
    pub p: Option<f64>,
}

/// A judgement that one scorer gets right and the other does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// The case.
    pub case: String,
    /// The edits that were judged.
    pub edits: Vec<usize>,
    /// What people said.
    pub truth: String,
    /// What the first scorer said.
    pub a: String,
    /// What the second said.
    pub b: String,
    /// Whether it is the first that is right.
    pub a_is_right: bool,
}

/// Two scorers on one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The benchmark's key.
    pub benchmark: String,
    /// The first scorer.
    pub a: String,
    /// The second.
    pub b: String,
    /// Cases that both answered.
    pub cases: usize,
    /// The figures.
    pub differences: Vec<Difference>,
    /// Judgements that only the first gets right, and only the second.
    pub discordant: [u64; 2],
    /// McNemar's exact two-sided p value of those; it takes judgements for independent, which pairs of one source are not.
    pub mcnemar: Option<f64>,
    /// Those judgements.
    pub flips: Vec<Flip>,
}

/// Holds two finished runs against each other; `folders` are theirs.
pub fn compare(folders: [&Path; 2], resampling: Resampling) -> Result<Compared, BenchError> {
    let [a, b] = [run::read_report(folders[0])?, run::read_report(folders[1])?];
    if (&a.benchmark, &a.data.fingerprint) != (&b.benchmark, &b.data.fingerprint) {
        return Err(BenchError::Choice(format!(
            "the runs are of different data: {} on '{}' and {} on '{}'",
            a.benchmark, a.data.path, b.benchmark, b.data.path
        )));
    }
    let protocol = protocols::find(&a.benchmark)?;
    let data = protocol.read(Path::new(&a.data.path))?;
    if data.fingerprint != a.data.fingerprint {
        return Err(BenchError::Choice(format!(
            "'{}' has changed since the runs; run them again",
            a.data.path
        )));
    }
    let answers = [
        run::kept_answers(&folders[0].join(run::ANSWERS))?,
        run::kept_answers(&folders[1].join(run::ANSWERS))?,
    ];
    let none = unasked();
    let both = |side: usize| {
        let mut all = run::answered(&data, &answers[side], &none);
        all.retain(|one| answers.iter().all(|a| a.contains_key(&one.case.id)));
        all
    };
    let sides = [both(0), both(1)];
    let [x, y] = [protocol.prepare(&sides[0]), protocol.prepare(&sides[1])];
    let (mut differences, keys) = (Vec::new(), figures(&x.figures, &y.figures));
    let once = |clusters: usize| vec![1; clusters];
    let (va, vb) = (
        (x.measure)(&once(x.clusters)),
        (y.measure)(&once(y.clusters)),
    );
    let rows = if x.clusters == y.clusters {
        bootstrap::resampled(
            x.clusters,
            resampling.resamples,
            resampling.seed,
            |weights| {
                let (va, vb) = ((x.measure)(weights), (y.measure)(weights));
                let of = |&(i, j): &(usize, usize)| Some(va[i].ok()? - vb[j].ok()?);
                keys.iter().map(of).collect::<Vec<Option<f64>>>()
            },
        )
    } else {
        Vec::new()
    };
    for (k, (i, j)) in keys.iter().enumerate() {
        let drawn = bootstrap::Difference::of(rows.iter().map(|row| row[k]));
        let (a, b) = (va[*i].ok(), vb[*j].ok());
        differences.push(Difference {
            figure: x.figures[*i].key.clone(),
            name: x.figures[*i].name.clone(),
            a,
            b,
            difference: a.zip(b).map(|(a, b)| a - b),
            interval: drawn.map(|d| [d.low, d.high]),
            p: drawn.map(|d| d.p),
        });
    }
    let (discordant, flips) = flips(&x.verdicts, &y.verdicts);
    Ok(Compared {
        benchmark: a.benchmark.clone(),
        a: name(&a),
        b: name(&b),
        cases: sides[0].len(),
        differences,
        mcnemar: (discordant != [0, 0]).then(|| mcnemar(discordant[0], discordant[1])),
        discordant,
        flips,
    })
}

fn name(report: &Report) -> String {
    report
        .scorer
        .as_ref()
        .map_or_else(|| "-".into(), |scorer| scorer.name.clone())
}

/// The positions of the figures that both have.
fn figures(
    a: &[super::protocol::FigureAbout],
    b: &[super::protocol::FigureAbout],
) -> Vec<(usize, usize)> {
    a.iter()
        .enumerate()
        .filter_map(|(i, one)| Some((i, b.iter().position(|other| other.key == one.key)?)))
        .collect()
}

fn flips(a: &[Verdict], b: &[Verdict]) -> ([u64; 2], Vec<Flip>) {
    let key = |v: &Verdict| (v.case.clone(), v.edits.clone(), v.truth.clone());
    let others: HashMap<_, &Verdict> = b.iter().map(|v| (key(v), v)).collect();
    let (mut counts, mut flips) = ([0, 0], Vec::new());
    for one in a {
        let Some(other) = others.get(&key(one)) else {
            continue;
        };
        let (first, second) = (one.right == 1.0, other.right == 1.0);
        if first == second || one.edits.len() < 2 {
            continue;
        }
        counts[usize::from(second)] += 1;
        flips.push(Flip {
            case: one.case.clone(),
            edits: one.edits.clone(),
            truth: one.truth.clone(),
            a: one.said.clone(),
            b: other.said.clone(),
            a_is_right: first,
        });
    }
    (counts, flips)
}
