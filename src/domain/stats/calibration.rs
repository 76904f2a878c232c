//! Whether a scorer is as often right as it is sure.

use serde::{Deserialize, Serialize};

use super::undefined::{Statistic, Undefined};

/// Bins of confidence between 0.5 and 1.
const BINS: usize = 10;

/// Points of a coverage curve at most; more could not be told apart on a screen.
const POINTS: usize = 200;

/// Judgements of about the same confidence in the likelier side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Their mean confidence, in 0.5..=1.
    pub confidence: f64,
    /// The share of them that is right, in 0..=1.
    pub right: f64,
    /// How many they are.
    pub count: usize,
}

/// The reliability diagram of a two-way choice: how often the likelier side is right, by the confidence in it, max(p, 1 - p), in
/// ten equal bins from 0.5 to 1. Bins that nothing falls in are left out; a confidence of a half is half right.
///
/// `judged` holds each P(A ≻ B) and whether A is the better.
pub fn reliability(judged: impl IntoIterator<Item = (f64, bool)>) -> Vec<Bin> {
    let mut sums = [(0_u32, 0.0, 0.0); BINS];
    for (p, a_is_better) in judged {
        let confidence = p.max(1.0 - p);
        let right = if p == 0.5 {
            0.5
        } else if (p > 0.5) == a_is_better {
            1.0
        } else {
            0.0
        };
        let bin = ((confidence - 0.5) * 2.0 * BINS as f64) as usize;
        let (count, sure, hits) = &mut sums[bin.min(BINS - 1)];
        *count += 1;
        *sure += confidence;
        *hits += right;
    }
    sums.into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, sure, hits)| Bin {
            confidence: sure / f64::from(count),
            right: hits / f64::from(count),
            count: count as usize,
        })
        .collect()
}

/// The expected calibration error of a two-way choice: how far confidence is from being right, averaged over the bins of
/// [`reliability`] by how many judgements fall in (Guo et al. 2017).
pub fn calibration_error(judged: impl IntoIterator<Item = (f64, bool)>) -> Statistic {
    let bins = reliability(judged);
    let total: f64 = bins.iter().map(|bin| bin.count as f64).sum();
    let error: f64 = bins
        .iter()
        .map(|bin| (bin.confidence - bin.right).abs() * bin.count as f64)
        .sum();
    if total == 0.0 {
        Err(Undefined::NoJudgements)
    } else if error.is_finite() {
        Ok(error / total)
    } else {
        Err(Undefined::NotFinite)
    }
}

/// The accuracy when the least certain judgements are withheld: (share of judgements kept, accuracy on them), from few to all.
///
/// `judged` holds each confidence, on any scale that rises with it, and how right the judgement is, 0 to 1. Judgements of equal
/// confidence are kept or withheld together. There are about 200 points at most, the last of them (1, accuracy on all).
pub fn coverage(judged: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = sorted.len() as f64;
    let (mut kept, mut right, mut next) = (0.0, 0.0, 0.0);
    let mut points = Vec::new();
    for equals in sorted.chunk_by(|a, b| a.0 == b.0) {
        kept += equals.len() as f64;
        right += equals.iter().map(|(_, right)| right).sum::<f64>();
        if kept >= next || kept == all {
            points.push((kept / all, right / kept));
            next = kept + all / POINTS as f64;
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    #[test]
    fn calibration_is_how_far_confidence_is_from_being_right() {
        // Ten times 0.8 and right eight times; four times 0.1 and right that it is the other, thrice.
        let first = (0..10).map(|i| (0.8, i < 8));
        assert!(calibration_error(first).unwrap() < 1e-12);
        let second = (0..4).map(|i| (0.1, i == 0));
        assert!((calibration_error(second).unwrap() - 0.15).abs() < 1e-12);
        assert!((calibration_error([(1.0, false)]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(calibration_error([]), Err(Undefined::NoJudgements));
        assert_eq!(
            calibration_error([(f64::NAN, true)]),
            Err(Undefined::NotFinite)
        );
    }

    #[test]
    fn a_bin_holds_both_sides_of_equal_confidence_and_empty_bins_are_left_out() {
        let bins = reliability([(0.75, true), (0.25, true), (0.5, true), (1.0, false)]);
        let bin = |confidence, right, count| Bin {
            confidence,
            right,
            count,
        };
        assert_eq!(
            bins,
            [bin(0.5, 0.5, 1), bin(0.75, 0.5, 2), bin(1.0, 0.0, 1)]
        );
    }

    #[test]
    fn withholding_the_least_certain_keeps_equals_together() {
        let judged = [(0.9, 1.0), (0.6, 0.0), (0.8, 1.0), (0.8, 0.0)];
        assert_eq!(
            coverage(&judged),
            [(0.25, 1.0), (0.75, 2.0 / 3.0), (1.0, 0.5)]
        );
        assert_eq!(coverage(&[]), []);
    }

    #[test]
    fn a_long_coverage_curve_is_thinned_and_ends_with_all() {
        let mut draw = draws(2);
        let judged: Vec<(f64, f64)> = (0..5000)
            .map(|_| {
                let sure = draw();
                (sure, f64::from(u8::from(draw() < sure)))
            })
            .collect();
        let points = coverage(&judged);
        assert!((150..=201).contains(&points.len()), "{}", points.len());
        assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
        let mean = judged.iter().map(|(_, right)| right).sum::<f64>() / 5000.0;
        assert_eq!(points.last(), Some(&(1.0, mean)));
        assert!(points[20].1 > mean + 0.2);
    }
}
