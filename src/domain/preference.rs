//! Preferences between candidates, from the model's Gaussians.
//!
//! The model is trained with P(A ≻ B) = E[sigmoid(s_A − s_B)], s ~ the two Gaussians (the uncertainty ranking loss), so that
//! is what is shown. Over more than two candidates the same assumption is Plackett-Luce with uncertain scores: candidate i
//! is best with probability E[softmax(s)ᵢ], which for two candidates is P(A ≻ B) again.

use super::Gaussian;
use super::quadrature::{expected_sigmoid, gumbel_sum};

/// P(A ≻ B), in 0..=1; `p_prefer(a, b) + p_prefer(b, a)` is 1.
pub fn p_prefer(a: Gaussian, b: Gaussian) -> f64 {
    expected_sigmoid(a.mean - b.mean, (a.variance() + b.variance()).sqrt())
}

/// For each candidate, the probability that it is the best; sums to 1. Empty in, empty out.
///
/// A softmax is the distribution of the largest of scores with Gumbel noise added, so this is a one-dimensional integral of
/// one density times the other distributions, taken by Gauss-Legendre on panels that follow every candidate's own width.
pub fn p_best(scores: &[Gaussian]) -> Vec<f64> {
    match scores {
        [] => return Vec::new(),
        [_] => return vec![1.0],
        [a, b] => {
            let p = p_prefer(*a, *b);
            return vec![p, 1.0 - p];
        }
        _ => {}
    }
    // Half a width near each score; beyond that only the tail of the Gumbel noise is left, which is smooth.
    let widths: Vec<f64> = scores
        .iter()
        .map(|s| s.variance().min(1e300).sqrt().hypot(1.0))
        .collect();
    let mut edges: Vec<f64> = Vec::new();
    for (score, width) in scores.iter().zip(&widths) {
        edges.extend((-16..=24).map(|k| score.mean + width * 0.5 * f64::from(k)));
        edges.extend((1..=8).map(|k| score.mean + width * (12.0 + 3.0 * f64::from(k))));
    }
    edges.sort_by(f64::total_cmp);
    // Where candidates lie close together their panels overlap; none needs to be finer than the narrowest asks for.
    let finest = 0.3 * widths.iter().copied().fold(f64::INFINITY, f64::min);
    edges.dedup_by(|b, a| *b - *a < finest);

    let mut best = vec![0.0; scores.len()];
    for panel in edges.windows(2) {
        let (middle, half) = (
            f64::midpoint(panel[0], panel[1]),
            (panel[1] - panel[0]) / 2.0,
        );
        for (node, weight) in LEGENDRE_3 {
            let x = middle + half * node;
            let at: Vec<(f64, f64)> = scores
                .iter()
                .map(|s| gumbel_sum(x, s.mean, s.sigma()))
                .collect();
            for (i, total) in best.iter_mut().enumerate() {
                let others: f64 = at
                    .iter()
                    .enumerate()
                    .filter(|&(j, _)| j != i)
                    .map(|(_, (cdf, _))| cdf)
                    .product();
                *total += weight * half * at[i].1 * others;
            }
        }
    }
    let sum: f64 = best.iter().sum();
    best.iter().map(|p| p / sum).collect()
}

/// Gauss-Legendre nodes and weights on [-1, 1], exact to degree 5.
const LEGENDRE_3: [(f64, f64); 3] = [
    (-0.774_596_669_241_483_4, 5.0 / 9.0),
    (0.0, 8.0 / 9.0),
    (0.774_596_669_241_483_4, 5.0 / 9.0),
];

/// Rank of each value, 1 for the largest; equal values share the lowest rank of their run ("1, 2, 2, 4"). `None` stays `None`.
pub fn ranks(values: &[Option<f64>]) -> Vec<Option<usize>> {
    values
        .iter()
        .map(|value| {
            let value = (*value)?;
            Some(
                1 + values
                    .iter()
                    .flatten()
                    .filter(|other| **other > value)
                    .count(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULATED: [f64; 4] = [0.1938, 0.1633, 0.3493, 0.2936];

    fn g(mean: f64, sigma: f64) -> Gaussian {
        Gaussian::new(mean, sigma.ln())
    }

    /// Composite Simpson on a fine grid: slow, and independent of the rule under test.
    fn simpson_expected_sigmoid(mean: f64, sigma: f64) -> f64 {
        let (n, lo, hi) = (400_000, -10.0, 10.0);
        let h = (hi - lo) / f64::from(n);
        (0..=n)
            .map(|i| {
                let x = lo + h * f64::from(i);
                let w = if i == 0 || i == n {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                w * (-0.5 * x * x).exp()
                    / (2.0 * std::f64::consts::PI).sqrt()
                    / (1.0 + (-(mean + sigma * x)).exp())
            })
            .sum::<f64>()
            * h
            / 3.0
    }

    #[test]
    fn p_prefer_equals_a_brute_force_integral_at_every_width() {
        for sigma in [0.01_f64, 0.5, 0.99, 1.01, 3.0, 30.0] {
            for mean in [-4.0, -0.3, 0.0, 1.7, 12.0] {
                let half = sigma / std::f64::consts::SQRT_2;
                let p = p_prefer(g(mean, half), g(0.0, half));
                assert!(
                    (p - simpson_expected_sigmoid(mean, sigma)).abs() < 1e-10,
                    "mean {mean} sigma {sigma}: {p}"
                );
            }
        }
    }

    #[test]
    fn certain_scores_reduce_to_a_sigmoid_and_to_a_softmax() {
        let sure = |mean| Gaussian::new(mean, f64::NEG_INFINITY);
        assert!((p_prefer(sure(1.0), sure(0.0)) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-15);
        let means = [0.3_f64, -1.0, 2.0];
        let sum: f64 = means.iter().map(|m| m.exp()).sum();
        for (p, m) in p_best(&means.map(sure)).iter().zip(means) {
            assert!((p - m.exp() / sum).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn p_best_sums_to_one_treats_equals_equally_and_follows_the_pair_rule() {
        let p = p_best(&[g(0.5, 0.4), g(0.5, 0.4), g(-1.0, 2.0), g(3.0, 700.0)]);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((p[0] - p[1]).abs() < 1e-12);
        // A third candidate that can never win leaves the other two as if alone.
        let (a, b) = (g(0.7, 0.8), g(0.1, 1.9));
        let three = p_best(&[a, b, g(-200.0, 0.1)]);
        assert!(
            (three[0] - p_prefer(a, b)).abs() < 1e-6,
            "{three:?} {}",
            p_prefer(a, b)
        );
    }

    #[test]
    fn p_best_agrees_with_a_simulation_of_noisy_softmaxes() {
        // 400,000 seeded draws in another tool: numpy default_rng(0), softmax of normal scores, averaged; error about 5e-4.
        let p = p_best(&[g(0.2, 0.7), g(-0.4, 1.5), g(0.9, 0.3), g(0.0, 2.5)]);
        for (p, q) in p.iter().zip(SIMULATED) {
            assert!((p - q).abs() < 2e-3, "{p} {q}");
        }
    }

    #[test]
    fn ranks_start_at_one_share_ties_and_skip_the_missing() {
        assert_eq!(
            ranks(&[Some(0.1), None, Some(3.0), Some(0.1)]),
            [Some(2), None, Some(1), Some(2)]
        );
    }
}
