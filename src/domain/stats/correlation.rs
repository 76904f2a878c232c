//! How far two rows of numbers rise and fall together: Pearson's r, Spearman's rho, Kendall's tau-b.

use super::undefined::{Side, Statistic, Undefined};

/// Ranks from 1 (smallest), ties sharing their average rank.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        for &index in &order[start..end] {
            ranks[index] = (start + 1 + end) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// Pearson's correlation of two rows of equal length, in -1..=1.
pub fn pearson(a: &[f64], b: &[f64]) -> Statistic {
    check(a, b)?;
    let (a, b) = (deviations(a), deviations(b));
    let dot = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    let r = dot(&a, &b) / (dot(&a, &a).sqrt() * dot(&b, &b).sqrt());
    if r.is_finite() {
        Ok(r.clamp(-1.0, 1.0))
    } else {
        Err(Undefined::NotFinite)
    }
}

/// Spearman's rank correlation with average ranks, in -1..=1.
pub fn spearman(a: &[f64], b: &[f64]) -> Statistic {
    check(a, b)?;
    pearson(&average_ranks(a), &average_ranks(b))
}

/// Kendall's tau-b, in -1..=1: concordant less discordant pairs, over the geometric mean of the pairs that either side tells
/// apart. In O(n log n): the discordant pairs are the swaps of a merge sort (Knight 1966, "A Computer Method for Calculating
/// Kendall's Tau with Ungrouped Data").
pub fn kendall_tau_b(a: &[f64], b: &[f64]) -> Statistic {
    check(a, b)?;
    // Adding zero makes -0 a 0, which the total order would tell apart.
    let mut both: Vec<(f64, f64)> = a.iter().zip(b).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    both.sort_unstable_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    let tied_a = pairs_within(both.chunk_by(|p, q| p.0 == q.0).map(<[_]>::len));
    let tied_both = pairs_within(both.chunk_by(|p, q| p == q).map(<[_]>::len));
    let mut second: Vec<f64> = both.iter().map(|p| p.1).collect();
    let discordant = sort_counting_swaps(&mut second);
    let tied_b = pairs_within(second.chunk_by(|p, q| p == q).map(<[_]>::len));

    let all = pairs_within([a.len()]);
    let (apart_a, apart_b) = (all - tied_a, all - tied_b);
    let balance = all - tied_a - tied_b + tied_both - 2 * discordant;
    let tau = balance as f64 / ((apart_a as f64).sqrt() * (apart_b as f64).sqrt());
    Ok(tau.clamp(-1.0, 1.0))
}

/// Whether two rows can be correlated at all.
fn check(a: &[f64], b: &[f64]) -> Result<(), Undefined> {
    if a.len() != b.len() {
        return Err(Undefined::Unpaired {
            first: a.len(),
            second: b.len(),
        });
    }
    if a.len() < 2 {
        return Err(Undefined::TooFew);
    }
    if a.iter().chain(b).any(|v| !v.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    // By the values themselves: the deviations from a rounded mean need not be zero.
    for (side, values) in [(Side::First, a), (Side::Second, b)] {
        if values.iter().all(|v| *v == values[0]) {
            return Err(Undefined::Constant(side));
        }
    }
    Ok(())
}

/// Deviations from the mean over the largest of them, so that squares neither vanish nor overflow.
fn deviations(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let largest = values.iter().map(|v| (v - mean).abs()).fold(0.0, f64::max);
    values.iter().map(|v| (v - mean) / largest).collect()
}

/// The pairs that can be made within groups of these sizes.
fn pairs_within(sizes: impl IntoIterator<Item = usize>) -> i64 {
    let pairs = |n: usize| (n as i64) * (n as i64 - 1) / 2;
    sizes.into_iter().map(pairs).sum()
}

/// Sorts by merging and counts the pairs that were in the wrong order.
fn sort_counting_swaps(values: &mut Vec<f64>) -> i64 {
    let mut merged = Vec::with_capacity(values.len());
    let (mut swaps, mut width) = (0, 1);
    while width < values.len() {
        merged.clear();
        for run in values.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([low, rest @ ..], [high, others @ ..]) = (left, right) {
                if low <= high {
                    merged.push(*low);
                    left = rest;
                } else {
                    swaps += left.len() as i64;
                    merged.push(*high);
                    right = others;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(values, &mut merged);
        width *= 2;
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    #[test]
    fn ties_share_their_average_rank() {
        assert_eq!(
            average_ranks(&[10.0, 20.0, 10.0, 5.0]),
            [2.5, 4.0, 2.5, 1.0]
        );
    }

    #[test]
    fn spearman_of_a_worked_example_with_ties() {
        // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4]).statistic
        let rho = spearman(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((rho - 0.948_683_298_050_513_8).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_correlated_says_why() {
        let constant = [0.1, 0.1, 0.1];
        let rising = [1.0, 2.0, 3.0];
        for correlation in [pearson, spearman, kendall_tau_b] {
            assert_eq!(
                correlation(&constant, &rising),
                Err(Undefined::Constant(Side::First))
            );
            assert_eq!(
                correlation(&rising, &constant),
                Err(Undefined::Constant(Side::Second))
            );
            assert_eq!(correlation(&[1.0], &[2.0]), Err(Undefined::TooFew));
            assert_eq!(
                correlation(&rising, &[1.0]),
                Err(Undefined::Unpaired {
                    first: 3,
                    second: 1
                })
            );
            assert_eq!(
                correlation(&rising, &[1.0, f64::NAN, 2.0]),
                Err(Undefined::NotFinite)
            );
        }
    }

    #[test]
    fn neither_tiny_nor_huge_values_lose_their_correlation() {
        for scale in [1e-200, 1.0, 1e200] {
            let r = pearson(&[scale, 2.0 * scale, 3.0 * scale], &[1.0, 2.0, 4.0]).unwrap();
            assert!((r - 0.981_980_506_061_965_8).abs() < 1e-12, "{scale}: {r}");
        }
    }

    #[test]
    fn kendall_is_what_counting_every_pair_gives() {
        let mut draw = draws(3);
        let mut compared = 0;
        for round in 0..300 {
            let (n, levels) = (2 + round % 40, f64::from(2 + (round % 7) as u8));
            let mut row = || -> Vec<f64> {
                (0..n)
                    .map(|_| {
                        let value = (draw() * levels).floor() - 1.0;
                        let negative = value == 0.0 && draw() < 0.5;
                        if negative { -0.0 } else { value }
                    })
                    .collect()
            };
            let (a, b) = (row(), row());
            let (mut balance, mut apart_a, mut apart_b) = (0.0, 0.0_f64, 0.0_f64);
            for i in 0..n {
                for j in 0..i {
                    let sign = |v: &[f64]| (v[i] - v[j] + 0.0).partial_cmp(&0.0).unwrap() as i8;
                    balance += f64::from(sign(&a) * sign(&b));
                    apart_a += f64::from(sign(&a).abs());
                    apart_b += f64::from(sign(&b).abs());
                }
            }
            match kendall_tau_b(&a, &b) {
                Ok(tau) => {
                    let expected = balance / (apart_a * apart_b).sqrt();
                    assert!((tau - expected).abs() < 1e-12, "{a:?} {b:?}");
                    compared += 1;
                }
                Err(why) => assert!(
                    matches!(why, Undefined::Constant(_)) && apart_a * apart_b == 0.0,
                    "{a:?} {b:?}"
                ),
            }
        }
        assert!(compared > 200, "{compared}");
    }

    #[test]
    fn rank_correlations_ignore_how_scores_are_spaced() {
        let mut draw = draws(5);
        let a: Vec<f64> = (0..60).map(|_| (draw() * 20.0).floor()).collect();
        let b: Vec<f64> = a.iter().map(|v| v + draw() * 10.0).collect();
        let spaced: Vec<f64> = b.iter().map(|v| v.powi(3) + 7.0).collect();
        assert_eq!(spearman(&a, &b), spearman(&a, &spaced));
        assert_eq!(kendall_tau_b(&a, &b), kendall_tau_b(&a, &spaced));
        assert_ne!(pearson(&a, &b), pearson(&a, &spaced));
    }
}
