//! Whether two scorers that judged the same things differ by more than luck.

use std::f64::consts::{LN_2, TAU};

/// McNemar's exact test: the two-sided p value that two scorers are equally often right, from the counts on which they differ,
/// `b` that only the one got right and `c` that only the other did. Of b + c fair coins, how likely is a split as uneven as
/// this; without any there is nothing against it, and p is 1.
///
/// It is the binomial test, not the mid-p or the χ² approximation, and takes about √(b + c) steps.
pub fn mcnemar(b: u64, c: u64) -> f64 {
    let (low, n) = (b.min(c), b + c);
    // The tail from its largest term down; each is the one before times the ratio of neighbouring binomial coefficients.
    let (mut term, mut tail) = (1.0, 1.0);
    for k in (1..=low).rev() {
        term *= k as f64 / (n - k + 1) as f64;
        tail += term;
        if term < tail * f64::EPSILON / 4.0 {
            break;
        }
    }
    (2.0 * tail * ln_fair(low, n).exp()).min(1.0)
}

/// ln of the probability of `k` heads of `n` fair coins.
///
/// A difference of log-gammas would lose, for a billion coins, the last eight digits: each is about n·ln n. So their leading
/// parts are subtracted on paper (Loader 2000, "Fast and Accurate Computation of Binomial Probabilities").
fn ln_fair(k: u64, n: u64) -> f64 {
    if k == 0 || k == n {
        return -LN_2 * n as f64;
    }
    let (heads, tails, coins) = (k as f64, (n - k) as f64, n as f64);
    // n times the Kullback-Leibler divergence from the fair coin, with x how uneven the split is.
    let x = (tails - heads) / coins;
    let divergence = coins / 2.0 * ((1.0 - x) * (-x).ln_1p() + (1.0 + x) * x.ln_1p());
    let rest = stirling_rest(coins) - stirling_rest(heads) - stirling_rest(tails);
    0.5 * (coins / (TAU * heads * tails)).ln() + rest - divergence
}

/// ln n! less Stirling's (n + ½) ln n - n + ½ ln 2π.
fn stirling_rest(n: f64) -> f64 {
    if n < 16.0 {
        libm::lgamma(n + 1.0) - ((n + 0.5) * n.ln() - n + 0.5 * TAU.ln())
    } else {
        let square = n * n;
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square)
            / n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_are_counted_out() {
        // Both tails of b + c coins, by Pascal's triangle.
        let mut row = vec![1_u64];
        for n in 0..=50_u64 {
            for b in 0..=n {
                let low = b.min(n - b) as usize;
                let tail: u64 = row[..=low].iter().sum();
                let expected = (2.0 * tail as f64 / (1_u64 << n) as f64).min(1.0);
                let p = mcnemar(b, n - b);
                assert!(
                    (p / expected - 1.0).abs() < 1e-13,
                    "{b} {n}: {p} {expected}"
                );
            }
            row = std::iter::once(1)
                .chain(row.windows(2).map(|w| w[0] + w[1]))
                .chain([1])
                .collect();
        }
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(7, 7), 1.0);
    }

    #[test]
    fn large_counts_agree_with_the_sum_of_logarithms_and_with_the_normal_law() {
        // ln i! as sums of logarithms, with what each addition loses carried over (Kahan).
        let n = 20_000;
        let (mut sum, mut lost) = (0.0_f64, 0.0);
        let ln_factorial: Vec<f64> = (0..=n)
            .map(|i| {
                let add = f64::from(i.max(1)).ln() - lost;
                let next = sum + add;
                lost = (next - sum) - add;
                sum = next;
                sum
            })
            .collect();
        let expected: f64 = (7000..=9700)
            .map(|k| ln_factorial[n as usize] - ln_factorial[k] - ln_factorial[n as usize - k])
            .map(|ways| (ways - LN_2 * f64::from(n)).exp())
            .sum();
        let p = mcnemar(9_700, 10_300);
        assert!((p / (2.0 * expected) - 1.0).abs() < 1e-9, "{p}");
        // A billion coins, two standard deviations off: the normal tail with the correction for whole numbers.
        let (b, c) = (500_000_000 - 31_623, 500_000_000 + 31_623);
        let z = (31_623.0 - 0.5) / (1e9_f64.sqrt() / 2.0);
        let normal = libm::erfc(z / std::f64::consts::SQRT_2);
        assert!((mcnemar(b, c) / normal - 1.0).abs() < 1e-6);
        // As far out as there are numbers for, and farther.
        assert!((mcnemar(0, 1000) / 2.0_f64.powi(-999) - 1.0).abs() < 1e-10);
        assert_eq!(mcnemar(0, 5000), 0.0);
    }

    #[test]
    fn neither_scorer_comes_first() {
        assert_eq!(mcnemar(3, 20), mcnemar(20, 3));
        assert!(mcnemar(3, 20) < 0.001 && mcnemar(9, 14) > 0.2);
    }
}
