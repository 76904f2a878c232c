//! Which of the measures that the residual follows are named: the one that explains best, and what is left beside it.

use super::effect::Study;
use super::report::{Effect, Follower};

/// What is named of one score.
pub(super) struct Named {
    /// The number of its measure.
    pub(super) which: usize,
    /// What it explains.
    pub(super) also: Vec<Follower>,
}

/// The measures of one score that are named, by forward selection among those that stand alone after correction: the one with the
/// smallest p value, then the one that adds most surely beside it, as long as what it adds stands correction for all tests too;
/// one that adds nothing beside those named after it goes again. What is not named is told with the one it goes along with most.
/// `effects` are those of the score, in the order of its measures.
pub(super) fn named(
    study: &Study<'_>,
    effects: &[Effect],
    settings: (f64, f64, usize),
) -> Vec<Named> {
    let (level, least, tests) = settings;
    let mut open: Vec<usize> = (0..effects.len())
        .filter(|i| {
            let effect = &effects[*i];
            effect.p_holm <= level && effect.per_sd.value.is_some_and(|v| v.abs() >= least)
        })
        .collect();
    let candidates = open.clone();
    let mut chosen: Vec<usize> = Vec::new();
    let stands = |p: f64| p * tests as f64 <= level;
    while !open.is_empty() {
        let best = open
            .iter()
            .map(|&i| (i, study.p(i, &chosen)))
            .min_by(|a, b| {
                let size = |i: usize| effects[i].partial.value.unwrap_or(0.0).abs();
                a.1.total_cmp(&b.1).then(size(b.0).total_cmp(&size(a.0)))
            });
        match best {
            Some((i, p)) if chosen.is_empty() || stands(p) => {
                chosen.push(i);
                open.retain(|other| *other != i);
            }
            _ => break,
        }
    }
    let mut at = 0;
    while chosen.len() > 1 && at < chosen.len() {
        let others: Vec<usize> = chosen
            .iter()
            .copied()
            .filter(|i| *i != chosen[at])
            .collect();
        if stands(study.p(chosen[at], &others)) {
            at += 1;
        } else {
            chosen.remove(at);
        }
    }
    let followers = candidates.iter().copied().filter(|i| !chosen.contains(i));
    let mut named: Vec<Named> = chosen
        .iter()
        .map(|&which| Named {
            which,
            also: Vec::new(),
        })
        .collect();
    for follower in followers {
        let along = |n: &Named| {
            study
                .moments
                .correlation(&study.all, follower, n.which)
                .abs()
        };
        let Some(with) = named
            .iter_mut()
            .max_by(|a, b| along(a).total_cmp(&along(b)))
        else {
            continue;
        };
        let p = study.p(follower, &[with.which]);
        with.also.push(Follower {
            measure: effects[follower].measure,
            correlation: study.moments.correlation(&study.all, follower, with.which),
            per_sd: effects[follower].per_sd.value,
            p_beside: p.is_finite().then_some(p),
        });
    }
    named
}
