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

/// The measures of one score that are named, by forward selection among those that stand alone after correction: the one that
/// explains most of the score, then the one that explains most beside it, as long as what it adds stands correction for all tests
/// too; one that adds nothing beside those named after it goes again. What is not named is told with the one it goes along with most.
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
    // By what they explain and not by p values: the standard errors in those differ by chance more than stand-ins do.
    let explains = |i: usize, held: &[usize]| study.moments.explained(&study.all, (i, held));
    while let Some(best) = open
        .iter()
        .copied()
        .filter(|i| chosen.is_empty() || stands(study.p(*i, &chosen)))
        .max_by(|a, b| explains(*a, &chosen).total_cmp(&explains(*b, &chosen)))
    {
        chosen.push(best);
        open.retain(|other| *other != best);
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
