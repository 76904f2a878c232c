//! Two selections beside each other: what both have, what only one has, and how that shifts scores, categories and editors.

use std::collections::BTreeSet;

use serde::Serialize;

use super::pool::{Entry, Pool};
use super::report::{Share, shares};
use crate::domain::CandidateId;

/// How two selections differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// How many both have.
    pub both: usize,
    /// How many only the first has.
    pub only_first: usize,
    /// How many only the second has.
    pub only_second: usize,
    /// Of all that either has, the share that both have (Jaccard), 0 to 1; null where both are empty.
    pub overlap: Option<f64>,
    /// Means under one model: overall, IF, VQ.
    pub scores: Vec<Shift>,
    /// By category: before is the first selection, after the second.
    pub categories: Vec<Share>,
    /// The same by editor.
    pub editors: Vec<Share>,
}

/// How a score differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shift {
    /// overall, if or vq.
    pub score: &'static str,
    /// Mean of the first.
    pub first: Option<f64>,
    /// Mean of the second.
    pub second: Option<f64>,
    /// Mean of what only the first has.
    pub only_first: Option<f64>,
    /// Mean of what only the second has.
    pub only_second: Option<f64>,
}

/// Holds two selections against each other, with the scores of a pool that has both.
pub fn diff(pool: &Pool, first: &BTreeSet<CandidateId>, second: &BTreeSet<CandidateId>) -> Diff {
    let of = |keep: &dyn Fn(bool, bool) -> bool| -> Vec<&Entry> {
        let entries = pool.entries.iter();
        entries
            .filter(|e| keep(first.contains(&e.candidate), second.contains(&e.candidate)))
            .collect()
    };
    let both = first.intersection(second).count();
    let (a, b) = (of(&|a, _| a), of(&|_, b| b));
    let (only_a, only_b) = (of(&|a, b| a && !b), of(&|a, b| b && !a));
    let mean = |entries: &[&Entry], part: usize| {
        let values: Vec<f64> = entries
            .iter()
            .map(|e| e.means[part])
            .filter(|v| !v.is_nan())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let either = first.len() + second.len() - both;
    let names = ["overall", "if", "vq"].into_iter().enumerate();
    Diff {
        both,
        only_first: first.len() - both,
        only_second: second.len() - both,
        overlap: (either > 0).then(|| both as f64 / either as f64),
        scores: names
            .map(|(part, score)| Shift {
                score,
                first: mean(&a, part),
                second: mean(&b, part),
                only_first: mean(&only_a, part),
                only_second: mean(&only_b, part),
            })
            .collect(),
        categories: shares(&pool.categories, &a, &b, |e| e.category),
        editors: shares(&pool.editors, &a, &b, |e| e.editor),
    }
}
