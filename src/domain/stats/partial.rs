//! Holding factors: what is left of numbers once the categories that they belong to are taken out.

use super::correlation::{average_ranks, pearson};
use super::undefined::{Statistic, Undefined};

/// How often the means of all factors are taken out in turn at the most.
const ROUNDS: usize = 200;

/// A factor: the number of each value's level, from 0.
pub type Levels<'a> = &'a [usize];

/// `values` less their mean and less what the levels of all factors explain: the residuals of least squares on the factors, found
/// by taking the means of the levels out in turn until nothing moves (the method of alternating projections; Guimarães and
/// Portugal 2010). Values and factors are of one length; a factor of another length is passed over from its end.
pub fn hold(values: &[f64], factors: &[Levels<'_>]) -> Vec<f64> {
    let mut left = values.to_vec();
    let mean = left.iter().sum::<f64>() / left.len().max(1) as f64;
    for value in &mut left {
        *value -= mean;
    }
    let size = left.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let mut sums: Vec<Vec<(f64, f64)>> = factors
        .iter()
        .map(|levels| vec![(0.0, 0.0); levels.iter().max().map_or(0, |m| m + 1)])
        .collect();
    for _ in 0..ROUNDS {
        let mut moved = 0.0_f64;
        for (levels, sums) in factors.iter().zip(&mut sums) {
            sums.fill((0.0, 0.0));
            for (value, level) in left.iter().zip(*levels) {
                sums[*level].0 += value;
                sums[*level].1 += 1.0;
            }
            for (value, level) in left.iter_mut().zip(*levels) {
                let (sum, n) = sums[*level];
                *value -= sum / n;
                moved = moved.max((sum / n).abs());
            }
        }
        // One factor is done in one round.
        if factors.len() < 2 || moved <= 1e-10 * size {
            break;
        }
    }
    // What only rounding left is nothing.
    for value in &mut left {
        if value.abs() <= 1e-9 * size {
            *value = 0.0;
        }
    }
    left
}

/// How many numbers factors take out, the mean included: one, and for each factor its levels less one, less one more for each
/// further component in which two factors' levels never meet (exact for up to two factors, and an upper bound for more).
pub fn held_degrees(factors: &[Levels<'_>], n: usize) -> usize {
    let levels = |f: &Levels<'_>| {
        let mut seen: Vec<usize> = f.to_vec();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let all: usize = factors.iter().map(|f| levels(f).saturating_sub(1)).sum();
    let [first, second, ..] = factors else {
        return (1 + all).min(n);
    };
    (1 + all)
        .saturating_sub(components(first, second).saturating_sub(1))
        .min(n)
}

/// The number that stands for all that is joined with `i`.
fn root(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

/// Into how many parts two factors fall whose levels never meet.
fn components(first: &[usize], second: &[usize]) -> usize {
    let (a, b) = (
        first.iter().max().map_or(0, |m| m + 1),
        second.iter().max().map_or(0, |m| m + 1),
    );
    let mut parent: Vec<usize> = (0..a + b).collect();
    for (x, y) in first.iter().zip(second) {
        let (x, y) = (root(&mut parent, *x), root(&mut parent, a + y));
        parent[x] = y;
    }
    let mut roots: Vec<usize> = first.iter().map(|x| root(&mut parent, *x)).collect();
    roots.sort_unstable();
    roots.dedup();
    roots.len()
}

/// Pearson's correlation of what is left of both once the factors are held, in -1..=1.
pub fn partial_correlation(a: &[f64], b: &[f64], factors: &[Levels<'_>]) -> Statistic {
    check(a, b, factors)?;
    pearson(&hold(a, factors), &hold(b, factors))
}

/// The same of ranks: Spearman's correlation with the factors held.
pub fn partial_rank_correlation(a: &[f64], b: &[f64], factors: &[Levels<'_>]) -> Statistic {
    check(a, b, factors)?;
    let (a, b) = (average_ranks(a), average_ranks(b));
    pearson(&hold(&a, factors), &hold(&b, factors))
}

fn check(a: &[f64], b: &[f64], factors: &[Levels<'_>]) -> Result<(), Undefined> {
    if a.iter().chain(b).any(|v| !v.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    let lengths = factors.iter().map(|f| f.len()).chain([b.len()]);
    match lengths.into_iter().find(|n| *n != a.len()) {
        Some(second) => Err(Undefined::Unpaired {
            first: a.len(),
            second,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Side, draws, spearman};
    use super::*;

    #[test]
    fn one_factor_leaves_what_differs_from_its_levels_means() {
        let left = hold(&[1.0, 3.0, 10.0, 20.0], &[&[0, 0, 1, 1]]);
        assert_eq!(left, [-1.0, 1.0, -5.0, 5.0]);
        assert_eq!(hold(&[1.0, 3.0], &[]), [-1.0, 1.0]);
    }

    #[test]
    fn two_factors_leave_nothing_of_their_sum_and_nothing_correlated_with_a_level() {
        let mut draw = draws(3);
        let first: Vec<usize> = (0..90).map(|_| (draw() * 4.0) as usize).collect();
        let second: Vec<usize> = (0..90).map(|_| (draw() * 7.0) as usize).collect();
        let sum: Vec<f64> = (0..90)
            .map(|i| first[i] as f64 * 2.0 - (second[i] as f64).powi(2))
            .collect();
        let factors: [Levels<'_>; 2] = [&first, &second];
        assert!(hold(&sum, &factors).iter().all(|v| v.abs() < 1e-6));
        let noisy: Vec<f64> = sum.iter().map(|v| v + draw()).collect();
        let left = hold(&noisy, &factors);
        for level in 0..7 {
            let of: f64 = (0..90)
                .filter(|i| second[*i] == level)
                .map(|i| left[i])
                .sum();
            assert!(of.abs() < 1e-6, "{of}");
        }
        assert_eq!(held_degrees(&factors, 90), 1 + 3 + 6);
    }

    #[test]
    fn levels_that_never_meet_take_out_less() {
        // An editor of its own for each category: holding the editor holds the category.
        assert_eq!(held_degrees(&[&[0, 0, 1, 1], &[0, 1, 2, 3]], 4), 4);
        assert_eq!(held_degrees(&[&[0, 0, 1, 1], &[0, 0, 1, 1]], 4), 2);
        assert_eq!(held_degrees(&[], 4), 1);
    }

    #[test]
    fn a_common_cause_is_held_and_a_constant_is_said() {
        let mut draw = draws(11);
        let cause: Vec<usize> = (0..400).map(|_| (draw() * 5.0) as usize).collect();
        let a: Vec<f64> = cause.iter().map(|c| *c as f64 + draw()).collect();
        let b: Vec<f64> = cause.iter().map(|c| *c as f64 + draw()).collect();
        assert!(spearman(&a, &b).unwrap() > 0.8);
        assert!(partial_rank_correlation(&a, &b, &[&cause]).unwrap().abs() < 0.12);
        assert!(partial_correlation(&a, &b, &[&cause]).unwrap().abs() < 0.12);
        let own: Vec<f64> = cause.iter().map(|c| *c as f64).collect();
        assert_eq!(
            partial_correlation(&a, &own, &[&cause]),
            Err(Undefined::Constant(Side::Second))
        );
        assert!(matches!(
            partial_correlation(&a, &b, &[&cause[1..]]),
            Err(Undefined::Unpaired { .. })
        ));
    }
}
