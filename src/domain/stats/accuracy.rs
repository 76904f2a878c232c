//! How often a scorer orders edits as people do, with ties either left out, or allowed below a threshold.

use serde::Serialize;

use super::pair_table::PairTable;
use super::undefined::{Statistic, Undefined};

/// A pair that people judged and a scorer scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What people said: 1 where A is the better, -1 where B is, 0 for a tie.
    pub human: i8,
    /// The scorer's score of A less that of B. One that is not a number is wrong, whatever people said and whatever the
    /// threshold.
    pub difference: f64,
}

impl Judged {
    /// Whether people prefer one, and the scorer scores that one higher.
    pub fn is_right(self) -> bool {
        (self.human > 0 && self.difference > 0.0) || (self.human < 0 && self.difference < 0.0)
    }

    /// Whether people say tie.
    pub const fn is_tie(self) -> bool {
        self.human == 0
    }
}

/// So many right, of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Share {
    /// Right ones.
    pub right: f64,
    /// All.
    pub of: f64,
}

impl Share {
    /// The share from 0 to 1; undefined without judgements.
    pub fn value(self) -> Statistic {
        if self.of > 0.0 {
            Ok(self.right / self.of)
        } else {
            Err(Undefined::NoJudgements)
        }
    }
}

/// The accuracy over all pairs, human ties included, with the tie threshold that makes it largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibrated {
    /// Right ones.
    pub right: f64,
    /// All.
    pub of: f64,
    /// Scores that differ by this much or less count as a tie. `None`: no ties at all, which no threshold beats.
    pub epsilon: Option<f64>,
}

impl Calibrated {
    /// Without the threshold.
    pub const fn share(self) -> Share {
        Share {
            right: self.right,
            of: self.of,
        }
    }
}

/// The accuracy over the pairs that are no human tie; a difference of zero is wrong.
pub fn strict(pairs: &[Judged]) -> Share {
    let told_apart = pairs.iter().filter(|pair| !pair.is_tie());
    Share {
        right: told_apart.clone().filter(|pair| pair.is_right()).count() as f64,
        of: told_apart.count() as f64,
    }
}

/// The accuracy over all pairs where differences of at most `epsilon` count as ties; with `None` nothing does, and a
/// difference of zero is wrong, for a human tie too.
pub fn at_threshold(pairs: &[Judged], epsilon: Option<f64>) -> Share {
    let is_right = |pair: &&Judged| {
        if epsilon.is_some_and(|epsilon| pair.difference.abs() <= epsilon) {
            pair.is_tie()
        } else {
            pair.is_right()
        }
    };
    Share {
        right: pairs.iter().filter(is_right).count() as f64,
        of: pairs.len() as f64,
    }
}

/// The accuracy over all pairs with the best tie threshold: "no ties", or one of the distinct absolute differences, the
/// smallest of those that are best (Deutsch et al. 2023, "Ties Matter"). At least the [`all_ties_floor`], so print that beside.
pub fn calibrated(pairs: &[Judged]) -> Calibrated {
    PairTable::of_one_group(pairs).calibrated(&[1])
}

/// The tie-calibrated accuracy as the published evaluations of video and edit rewards compute it, which is too high: they test
/// after each pair in the order of the absolute differences, so that of several pairs with the same difference some count as
/// ties and some do not, and the result depends on the order of the input. Only for figures that are to be compared with
/// published ones.
pub fn calibrated_as_published(pairs: &[Judged]) -> Calibrated {
    let mut order: Vec<&Judged> = pairs.iter().filter(|p| !p.difference.is_nan()).collect();
    order.sort_by(|a, b| a.difference.abs().total_cmp(&b.difference.abs()));
    let right = |pair: &Judged| u8::from(pair.is_right());
    let mut now: f64 = pairs.iter().map(|pair| f64::from(right(pair))).sum();
    let mut best = Calibrated {
        right: now,
        of: pairs.len() as f64,
        epsilon: None,
    };
    for pair in order {
        now += f64::from(u8::from(pair.is_tie())) - f64::from(right(pair));
        if now > best.right {
            best.right = now;
            best.epsilon = Some(pair.difference.abs());
        }
    }
    best
}

/// The accuracy over all pairs of who always says tie: what a tie-calibrated accuracy has without knowing anything.
pub fn all_ties_floor(pairs: &[Judged]) -> Share {
    Share {
        right: pairs.iter().filter(|pair| pair.is_tie()).count() as f64,
        of: pairs.len() as f64,
    }
}

/// Whether `scores` put all edits of a group in the strict order that people did; `best_first` holds positions in `scores`.
/// Equal scores are wrong, as is a score that is missing or not a number.
pub fn tuple_right(scores: &[f64], best_first: &[usize]) -> bool {
    let score = |place: usize| scores.get(place).copied().unwrap_or(f64::NAN);
    // Neighbours are enough: what is above the next is above all that follow.
    best_first
        .windows(2)
        .all(|pair| score(pair[0]) > score(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    fn pairs(of: &[(i8, f64)]) -> Vec<Judged> {
        of.iter()
            .map(|(human, difference)| Judged {
                human: *human,
                difference: *difference,
            })
            .collect()
    }

    /// Pairs of a scorer that knows something, on a grid so coarse that many differences are equal.
    fn made_up(seed: u64, n: usize) -> Vec<Judged> {
        let mut draw = draws(seed);
        (0..n)
            .map(|_| {
                let human = (draw() * 3.0) as i8 - 1;
                let difference = ((draw() - 0.5) * 12.0 + f64::from(human) * 3.0).round() / 4.0;
                Judged { human, difference }
            })
            .collect()
    }

    #[test]
    fn strict_accuracy_leaves_human_ties_out_and_has_no_mercy_for_zero() {
        let judged = pairs(&[(1, 0.3), (-1, 0.2), (1, 0.0), (0, 0.0), (-1, -9.0)]);
        assert_eq!(
            strict(&judged),
            Share {
                right: 2.0,
                of: 4.0
            }
        );
        assert_eq!(
            strict(&pairs(&[(0, 1.0)])).value(),
            Err(Undefined::NoJudgements)
        );
    }

    #[test]
    fn without_ties_a_zero_difference_is_wrong_even_for_a_human_tie() {
        let judged = pairs(&[(0, 0.0), (1, 0.0), (0, -0.5), (1, 0.5)]);
        let right = |epsilon| at_threshold(&judged, epsilon).right;
        assert_eq!(
            [None, Some(0.0), Some(0.4), Some(0.5)].map(right),
            [1.0, 2.0, 2.0, 2.0]
        );
    }

    #[test]
    fn equal_differences_are_ties_together_or_not_at_all() {
        let judged = pairs(&[(0, 0.5), (1, 0.5)]);
        assert_eq!(
            calibrated(&judged),
            Calibrated {
                right: 1.0,
                of: 2.0,
                epsilon: None
            }
        );
        let published = calibrated_as_published(&judged);
        assert_eq!(published.share().value(), Ok(1.0));
        // And it depends on the order of the input.
        let other_way = pairs(&[(1, 0.5), (0, 0.5)]);
        assert_eq!(calibrated_as_published(&other_way).right, 1.0);
    }

    #[test]
    fn the_calibrated_threshold_is_the_smallest_of_the_best() {
        for seed in 0..200 {
            let judged = made_up(seed, 40);
            let mut thresholds: Vec<f64> = judged.iter().map(|p| p.difference.abs()).collect();
            thresholds.sort_by(f64::total_cmp);
            let mut best = (at_threshold(&judged, None).right, None);
            for epsilon in thresholds {
                let right = at_threshold(&judged, Some(epsilon)).right;
                if right > best.0 {
                    best = (right, Some(epsilon));
                }
            }
            let found = calibrated(&judged);
            assert_eq!((found.right, found.epsilon), best, "seed {seed}");
            assert_eq!(found.of, 40.0);
        }
    }

    #[test]
    fn calibration_ignores_the_order_of_the_input_and_stays_above_the_floor() {
        for seed in 0..100 {
            let mut judged = made_up(seed, 30);
            let before = calibrated(&judged);
            assert!(before.right >= all_ties_floor(&judged).right);
            assert!(before.right <= calibrated_as_published(&judged).right);
            let mut draw = draws(seed + 1000);
            for i in (1..judged.len()).rev() {
                judged.swap(i, (draw() * (i + 1) as f64) as usize);
            }
            assert_eq!(calibrated(&judged), before, "seed {seed}");
        }
    }

    #[test]
    fn accuracy_is_of_the_order_of_scores_and_not_of_their_scale() {
        let mut draw = draws(11);
        let map = |score: f64| (score * 1.7).exp() - 3.0;
        for _ in 0..100 {
            let scores: Vec<f64> = (0..4).map(|_| (draw() * 6.0).floor()).collect();
            let mapped: Vec<f64> = scores.iter().map(|s| map(*s)).collect();
            let human = if draw() < 0.5 { 1 } else { -1 };
            let pair = |s: &[f64]| pairs(&[(human, s[0] - s[1])]);
            assert_eq!(strict(&pair(&scores)), strict(&pair(&mapped)));
            let order = [2, 0, 3, 1];
            assert_eq!(tuple_right(&scores, &order), tuple_right(&mapped, &order));
        }
    }

    #[test]
    fn a_tuple_is_right_only_as_a_whole_and_never_with_equal_scores() {
        let scores = [0.2, 0.9, 0.5];
        assert!(tuple_right(&scores, &[1, 2, 0]));
        assert!(!tuple_right(&scores, &[1, 0, 2]));
        assert!(!tuple_right(&[0.5, 0.9, 0.5], &[1, 2, 0]));
        assert!(!tuple_right(&[f64::NAN, 0.9, 0.5], &[1, 2, 0]));
        assert!(!tuple_right(&scores, &[1, 2, 3]));
    }

    #[test]
    fn a_difference_that_is_not_a_number_is_wrong_whatever_the_threshold() {
        let judged = pairs(&[(0, f64::NAN), (1, f64::NAN), (0, 2.0), (1, 1.0), (0, 0.5)]);
        assert_eq!(strict(&judged).right, 1.0);
        assert_eq!(at_threshold(&judged, Some(f64::INFINITY)).right, 2.0);
        let expected = Calibrated {
            right: 2.0,
            of: 5.0,
            epsilon: Some(0.5),
        };
        assert_eq!(calibrated(&judged), expected);
        assert_eq!(calibrated_as_published(&judged), expected);
    }
}
