//! What a selection is worth by people's labels: the mean of those kept, of as many by other rules and at random, and of all, with
//! intervals over groups. The same choice each time, other groups: the interval says how far it would be for other data.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::CurateError;
use super::choose::{Choice, NearBy, choose};
use super::pool::Pool;
use super::recipe::{By, Cut, Recipe};
use crate::domain::CandidateId;
use crate::domain::stats::central_95;

/// What selections of one size are worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// How many candidates were considered.
    pub considered: usize,
    /// How many of those have labels.
    pub labelled: usize,
    /// How many each selection has.
    pub size: usize,
    /// Groups with a label, which are drawn again for intervals.
    pub groups: usize,
    /// The selections.
    pub arms: Vec<Arm>,
}

/// One selection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// What it is, in words.
    pub name: String,
    /// How many of it have labels.
    pub labelled: usize,
    /// The mean of people's scores, IF and VQ together, 2 to 8; null where none has labels.
    pub mean: Option<f64>,
    /// Its 95 % interval (bootstrap over groups).
    pub interval: Option<[f64; 2]>,
    /// How far above all of them, on the same resamples.
    pub above_all: Option<f64>,
    /// The interval of that.
    pub above_all_interval: Option<[f64; 2]>,
}

/// Sum and number of labels by group, groups in the same order for every arm.
type Sums = Vec<(f64, f64)>;

/// Holds the selection by `recipe` against all, as many at random, and the same with other numbers of sigmas. `human` is the sum of
/// people's mean scores on IF and VQ.
///
/// # Errors
/// Where the recipe makes no sense, or nothing has labels.
pub fn truth(
    pool: &Pool,
    recipe: &Recipe,
    sigmas: &[f64],
    human: &BTreeMap<CandidateId, f64>,
    near: &mut dyn NearBy,
    resamples: usize,
) -> Result<Truth, CurateError> {
    let chosen = choose(pool, recipe, near)?;
    let size = chosen.kept.len();
    let known = |at: u32| human.get(&pool.entries[at as usize].candidate).copied();
    let mut places = BTreeMap::new();
    for (at, entry) in (0..).zip(&pool.entries) {
        if entry.wanted && entry.is_scored() && known(at).is_some() {
            let next = places.len();
            places.entry(entry.group).or_insert(next);
        }
    }
    if places.is_empty() {
        return Err(CurateError::Choice(
            "no candidate that was considered has labels, so that nobody can say what the selection is worth".into(),
        ));
    }
    let sums = |all: &mut dyn Iterator<Item = u32>| -> (Sums, usize) {
        let (mut sums, mut n) = (vec![(0.0, 0.0); places.len()], 0);
        for at in all {
            if let (Some(value), Some(place)) =
                (known(at), places.get(&pool.entries[at as usize].group))
            {
                sums[*place].0 += value;
                sums[*place].1 += 1.0;
                n += 1;
            }
        }
        (sums, n)
    };
    let everything = (0..).zip(&pool.entries);
    let mut everything = everything
        .filter(|(_, e)| e.wanted && e.is_scored())
        .map(|(at, _)| at);
    let all = sums(&mut everything);
    let mut arms = vec![("all that were considered".to_owned(), all.clone())];
    let same_size = |recipe: &Recipe| Recipe {
        cut: Cut::Top(size.max(1)),
        ..recipe.clone()
    };
    let mut add = |name: String, choice: &Choice| {
        arms.push((name, sums(&mut choice.kept.iter().copied())));
    };
    let random = Recipe {
        by: By::Random,
        sigmas: 0.0,
        ..same_size(recipe)
    };
    add(random.words(), &choose(pool, &random, near)?);
    add(recipe.words(), &chosen);
    for sigmas in sigmas.iter().filter(|k| **k != recipe.sigmas) {
        let other = Recipe {
            sigmas: *sigmas,
            ..same_size(recipe)
        };
        add(other.words(), &choose(pool, &other, near)?);
    }
    let drawn = resampled(&arms, places.len(), resamples, recipe.seed);
    Ok(Truth {
        considered: pool.considered().count(),
        labelled: all.1,
        size,
        groups: places.len(),
        arms: told(arms, &drawn),
    })
}

/// The mean of each arm in each resample of groups; NaN where none of an arm was drawn.
fn resampled(
    arms: &[(String, (Sums, usize))],
    groups: usize,
    resamples: usize,
    seed: u64,
) -> Vec<Vec<f64>> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut out = vec![Vec::with_capacity(resamples); arms.len()];
    let mut times = vec![0_u32; groups];
    for _ in 0..resamples {
        times.fill(0);
        for _ in 0..groups {
            times[chance.random_range(0..groups)] += 1;
        }
        for (out, (_, (sums, _))) in out.iter_mut().zip(arms) {
            out.push(ratio(
                sums.iter().zip(&times).map(|(s, n)| (*s, f64::from(*n))),
            ));
        }
    }
    out
}

fn ratio(parts: impl Iterator<Item = ((f64, f64), f64)>) -> f64 {
    let (mut over, mut under) = (0.0, 0.0);
    for ((sum, n), times) in parts {
        over += sum * times;
        under += n * times;
    }
    over / under
}

fn told(arms: Vec<(String, (Sums, usize))>, drawn: &[Vec<f64>]) -> Vec<Arm> {
    let middle = |values: &mut dyn Iterator<Item = f64>| {
        let mut values: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        central_95(&values)
    };
    let mean = |sums: &Sums| {
        let mean = ratio(sums.iter().map(|s| (*s, 1.0)));
        (!mean.is_nan()).then_some(mean)
    };
    let all = arms.first().and_then(|(_, (sums, _))| mean(sums));
    let arm = |(at, (name, (sums, labelled))): (usize, (String, (Sums, usize)))| {
        let value = mean(&sums);
        let differences = || drawn[at].iter().zip(&drawn[0]).map(|(a, b)| a - b);
        let beside = (at > 0).then(|| value.zip(all)).flatten();
        Arm {
            name,
            labelled,
            mean: value,
            interval: middle(&mut drawn[at].iter().copied()),
            above_all: beside.map(|(a, b)| a - b),
            above_all_interval: beside.and_then(|_| middle(&mut differences())),
        }
    };
    arms.into_iter().enumerate().map(arm).collect()
}
