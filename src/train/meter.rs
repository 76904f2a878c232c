//! What a model's rewards say when they are held against what people said: accuracies, margins, calibration, tuples.

use serde::Serialize;

use crate::domain::{Axis, Comparison, Gaussian, Reward, p_prefer};

/// On what pairs are counted.
pub(super) const AXES: [Option<Axis>; 3] = [
    None,
    Some(Axis::InstructionFollowing),
    Some(Axis::VisualQuality),
];

/// Judgements that were right, of so many.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Hits {
    /// Equal scores count half.
    pub(super) right: f64,
    pub(super) of: f64,
}

impl Hits {
    fn add(&mut self, right: f64) {
        self.right += right;
        self.of += 1.0;
    }

    pub(super) fn share(self) -> Option<f64> {
        (self.of > 0.0).then(|| self.right / self.of)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            right: self.right + other.right,
            of: self.of + other.of,
        }
    }
}

/// What came of one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Verdict {
    /// Pairs that people told apart: overall, on instruction following, on visual quality.
    pub(super) pairs: [Hits; 3],
    /// Three candidates in a strict order, right only as a whole.
    pub(super) triples: Hits,
    /// P(the one people prefer) of each overall pair.
    pub(super) sure: Vec<f64>,
    /// How far the preferred candidate's mean is above the other's, of each overall pair.
    pub(super) margins: Vec<f64>,
    /// Each candidate's sigma, of the aggregate.
    pub(super) sigmas: Vec<f64>,
}

impl Verdict {
    /// Holds a group's rewards against the clear differences between its candidates.
    pub(super) fn new(truth: &[Comparison], rewards: &[Reward]) -> Self {
        let mut verdict = Self {
            sigmas: rewards.iter().map(|r| r.aggregate.sigma()).collect(),
            ..Self::default()
        };
        for comparison in truth {
            let (better, worse) = if comparison.preference > 0.5 {
                (comparison.a, comparison.b)
            } else {
                (comparison.b, comparison.a)
            };
            let on = |i: usize| said(rewards.get(i)?, comparison.axis);
            let (Some(better), Some(worse)) = (on(better), on(worse)) else {
                continue;
            };
            let place = AXES.iter().position(|a| *a == comparison.axis);
            verdict.pairs[place.unwrap_or(0)].add(above(better, worse));
            if comparison.axis.is_none() {
                verdict.sure.push(p_prefer(better, worse));
                verdict.margins.push(better.mean - worse.mean);
            }
        }
        verdict.triples = triples(truth, rewards);
        verdict
    }
}

fn said(reward: &Reward, axis: Option<Axis>) -> Option<Gaussian> {
    axis.map_or(Some(reward.aggregate), |axis| reward.on(axis))
}

/// 1 where the first mean is higher, one half where they are equal.
fn above(a: Gaussian, b: Gaussian) -> f64 {
    if a.mean > b.mean {
        1.0
    } else if a.mean < b.mean {
        0.0
    } else {
        0.5
    }
}

/// Every three candidates that people put in a strict overall order: right if all three pairs are.
fn triples(truth: &[Comparison], rewards: &[Reward]) -> Hits {
    let n = rewards.len();
    // Whether the pair (a, b), a < b, is right; `None` where people did not tell them apart.
    let mut right = vec![None; n * n];
    for c in truth
        .iter()
        .filter(|c| c.axis.is_none() && c.a < n && c.b < n)
    {
        let (a, b) = (rewards[c.a].aggregate.mean, rewards[c.b].aggregate.mean);
        right[c.a * n + c.b] = Some(if c.preference > 0.5 { a > b } else { b > a });
    }
    let mut hits = Hits::default();
    for a in 0..n {
        for b in a + 1..n {
            for c in b + 1..n {
                let pairs = [right[a * n + b], right[a * n + c], right[b * n + c]];
                if let [Some(ab), Some(ac), Some(bc)] = pairs {
                    hits.add(if ab && ac && bc { 1.0 } else { 0.0 });
                }
            }
        }
    }
    hits
}

/// Verdicts added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) loss: f64,
    pub(super) weight: f64,
    pub(super) pairs: [Hits; 3],
    pub(super) triples: Hits,
    sure: Vec<f64>,
    margins: Mean,
    sigmas: Mean,
    /// Candidates.
    pub(super) candidates: usize,
    /// For each auxiliary attribute, candidates whose class was told right, and all whose class is known.
    pub(super) told: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, values: &[f64]) {
        self.sum += values.iter().sum::<f64>();
        self.count += values.len();
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

impl Tally {
    pub(super) fn add(&mut self, verdict: &Verdict) {
        for (sum, more) in self.pairs.iter_mut().zip(verdict.pairs) {
            *sum = sum.plus(more);
        }
        self.triples = self.triples.plus(verdict.triples);
        self.sure.extend(&verdict.sure);
        self.margins.add(&verdict.margins);
        self.sigmas.add(&verdict.sigmas);
        self.candidates += verdict.sigmas.len();
    }

    pub(super) fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let mut tally = Self::default();
        for verdict in verdicts {
            tally.add(verdict);
        }
        tally
    }

    /// Adds what a pass told of auxiliary attributes.
    pub(super) fn add_told(&mut self, told: &[(usize, usize)]) {
        self.told.resize(self.told.len().max(told.len()), (0, 0));
        for (sum, more) in self.told.iter_mut().zip(told) {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
    }

    /// The share of candidates whose class was told right, under the attributes' `names`.
    pub(super) fn told(&self, prefix: &str, names: &[String]) -> Vec<(String, f64)> {
        let share = |(name, told): (&String, &(usize, usize))| {
            let share = told.0 as f64 / told.1 as f64;
            (told.1 > 0).then(|| (format!("{prefix}.told.{name}"), share))
        };
        names.iter().zip(&self.told).filter_map(share).collect()
    }

    /// The loss per unit of weight.
    pub(super) fn mean_loss(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.loss / self.weight)
    }

    /// How far the preferred candidate is above the other, in logits, on average.
    pub(super) fn margin(&self) -> Option<f64> {
        self.margins.value()
    }

    pub(super) fn sigma(&self) -> Option<f64> {
        self.sigmas.value()
    }

    /// The expected calibration error of P(A ≻ B) on overall pairs.
    pub(super) fn calibration(&self) -> Option<f64> {
        crate::domain::stats::calibration_error(self.sure.iter().map(|p| (*p, true))).ok()
    }

    /// What is known, under the names of the event log with `prefix` ("train", "val") before them.
    pub(super) fn values(&self, prefix: &str) -> Vec<(String, f64)> {
        let [overall, following, looks] = self.pairs.map(Hits::share);
        [
            ("loss", self.mean_loss()),
            ("accuracy", overall),
            ("accuracy.if", following),
            ("accuracy.vq", looks),
            ("margin", self.margin()),
            ("sigma", self.sigma()),
            ("calibration", self.calibration()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((format!("{prefix}.{name}"), value?)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Aggregate, HumanScore, clear_differences};

    fn g(mean: f64) -> Gaussian {
        Gaussian::new(mean, -1.0)
    }

    fn rewards(means: &[(f64, f64)]) -> Vec<Reward> {
        means
            .iter()
            .map(|(a, b)| Reward::of_axes(g(*a), g(*b), Aggregate::Mean))
            .collect()
    }

    fn truth(scores: &[(f64, f64)]) -> Vec<Comparison> {
        let scores: Vec<HumanScore> = scores
            .iter()
            .map(|(a, b)| HumanScore {
                instruction_following: Some(*a),
                visual_quality: Some(*b),
            })
            .collect();
        clear_differences(&scores)
    }

    #[test]
    fn pairs_are_counted_on_each_axis_and_overall() {
        let truth = truth(&[(4.0, 1.0), (2.0, 2.0), (1.0, 2.0)]);
        let verdict = Verdict::new(&truth, &rewards(&[(3.0, 0.0), (1.0, 1.0), (2.0, 1.0)]));
        // Overall 5, 4, 3 against 1.5, 1.0, 1.5: right, half, wrong.
        assert_eq!(
            verdict.pairs[0],
            Hits {
                right: 1.5,
                of: 3.0
            }
        );
        // IF 4, 2, 1 against 3, 1, 2.
        assert_eq!(
            verdict.pairs[1],
            Hits {
                right: 2.0,
                of: 3.0
            }
        );
        // VQ 1, 2, 2: the last two are not told apart.
        assert_eq!(
            verdict.pairs[2],
            Hits {
                right: 2.0,
                of: 2.0
            }
        );
        assert_eq!(
            verdict.triples,
            Hits {
                right: 0.0,
                of: 1.0
            }
        );
        assert_eq!(verdict.margins, [0.5, 0.0, -0.5]);
    }

    #[test]
    fn a_triple_is_right_only_as_a_whole_and_only_of_a_strict_order() {
        let strict = truth(&[(4.0, 4.0), (3.0, 3.0), (1.0, 1.0), (1.0, 1.0)]);
        let good = rewards(&[(3.0, 3.0), (2.0, 2.0), (1.0, 1.0), (0.0, 0.0)]);
        // Of four triples the two with both last ones have no strict order.
        assert_eq!(
            Verdict::new(&strict, &good).triples,
            Hits {
                right: 2.0,
                of: 2.0
            }
        );
        let swapped = rewards(&[(2.0, 2.0), (3.0, 3.0), (1.0, 1.0), (0.0, 0.0)]);
        assert_eq!(
            Verdict::new(&strict, &swapped).triples,
            Hits {
                right: 0.0,
                of: 2.0
            }
        );
    }

    #[test]
    fn a_single_head_is_measured_overall_only() {
        let truth = truth(&[(4.0, 1.0), (2.0, 2.0)]);
        let rewards = [Reward::overall(g(1.0)), Reward::overall(g(0.0))];
        let tally = Tally::of([&Verdict::new(&truth, &rewards)]);
        let names: Vec<String> = tally
            .values("val")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            ["val.accuracy", "val.margin", "val.sigma", "val.calibration"]
        );
    }
}
