//! The figures of a probe's report: means, slopes and shares over what the model said, with their intervals.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::answers::{Answer, Key, key};
use super::curve::mean;
use super::factor::{Arm, Expectation, Factor};
use super::report::{
    ByAxis, Estimate, FactorReport, FlipStep, Flips, StepReport, Subject, Verdict,
};
use crate::domain::stats::bootstrap_ratio;
use crate::domain::{Axis, Reward};

/// What the figures are made of.
pub(super) struct Seen<'a> {
    pub(super) subjects: &'a [Subject],
    pub(super) known: &'a HashMap<Key, Answer>,
    pub(super) resamples: usize,
    pub(super) seed: u64,
}

impl<'a> Seen<'a> {
    pub(super) fn candidates(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.subjects.iter().flat_map(|subject| {
            let candidates = subject.candidates.iter();
            candidates.map(|candidate| (subject.group.as_str(), candidate.as_str()))
        })
    }

    fn at(&self, group: &str, candidate: &str, factor: Factor, step: f64) -> Option<(f64, Reward)> {
        let answer = self.known.get(&key(group, candidate, factor, step))?;
        Some((answer.dose.unwrap_or(step), answer.reward?))
    }

    /// A share or mean: a numerator and a denominator for each group.
    fn estimate(&self, parts: &[(f64, f64)]) -> Option<Estimate> {
        let (over, under) = parts
            .iter()
            .fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        if under <= 0.0 {
            return None;
        }
        let mut chance = ChaCha8Rng::seed_from_u64(self.seed);
        let mut draw = |n: usize| ((u128::from(chance.next_u64()) * n as u128) >> 64) as usize;
        let interval = (parts.iter().filter(|(_, under)| *under > 0.0).count() > 1)
            .then(|| bootstrap_ratio(parts, self.resamples, &mut draw))
            .flatten();
        Some(Estimate {
            value: over / under,
            interval,
        })
    }

    pub(super) fn spread(&self, factors: &[(Factor, Vec<f64>)], axis: Option<Axis>) -> Option<f64> {
        let as_it_is = |(group, candidate): (&str, &str)| {
            factors.iter().find_map(|(factor, _)| {
                let neutral = factor.about().neutral;
                mean(&self.at(group, candidate, *factor, neutral)?.1, axis)
            })
        };
        let scores: Vec<f64> = self.candidates().filter_map(as_it_is).collect();
        if scores.len() < 2 {
            return None;
        }
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        Some((squares / (n - 1.0)).sqrt())
    }

    pub(super) fn factor(
        &self,
        factor: Factor,
        steps: &[f64],
        small: &ByAxis<f64>,
        all: bool,
    ) -> FactorReport {
        let about = factor.about();
        let neutral = about.neutral;
        let with_curve = |(group, candidate): &(&str, &str)| {
            let at = |step: f64| self.at(group, candidate, factor, step).is_some();
            at(neutral) && steps.iter().any(|step| *step != neutral && at(*step))
        };
        let candidates = self.candidates().filter(with_curve).count();
        let reports: Vec<StepReport> = steps.iter().map(|step| self.step(factor, *step)).collect();
        let mut verdicts = Vec::new();
        for axis in Axis::ALL {
            let ends = [(Arm::Below, reports.first()), (Arm::Above, reports.last())];
            for (arm, end) in ends {
                let Some(end) = end.filter(|end| end.step != neutral) else {
                    continue;
                };
                if let Some(response) = end.response.on(Some(axis)) {
                    let small = small.on(Some(axis)).copied().unwrap_or(0.0);
                    verdicts.push(verdict((factor, axis, arm), end, *response, small));
                }
            }
        }
        FactorReport {
            factor,
            words: about.words.into(),
            step: about.step.into(),
            dose: factor.dose().into(),
            faithful: about.faithful.into(),
            candidates,
            left_out: self.candidates().count() - candidates,
            slope: ByAxis::of(|axis| self.slope(factor, steps, axis)),
            verdicts,
            flips: (all && factor.is_vividness())
                .then(|| self.flips(factor, steps))
                .flatten(),
            steps: reports,
        }
    }

    fn step(&self, factor: Factor, step: f64) -> StepReport {
        let neutral = factor.about().neutral;
        let pair = |group: &str, candidate: &str| {
            let here = self.at(group, candidate, factor, step)?;
            Some((here, self.at(group, candidate, factor, neutral)?.1))
        };
        let pairs = self
            .candidates()
            .filter_map(|(group, candidate)| pair(group, candidate));
        let doses: Vec<f64> = pairs.map(|((dose, _), _)| dose).collect();
        let response = |axis| {
            let parts = self.subjects.iter().map(|subject| {
                let differences = subject.candidates.iter().filter_map(|candidate| {
                    let ((_, here), neutral) = pair(&subject.group, candidate)?;
                    Some(mean(&here, axis)? - mean(&neutral, axis)?)
                });
                differences.fold((0.0, 0.0), |(sum, n), d| (sum + d, n + 1.0))
            });
            self.estimate(&parts.collect::<Vec<_>>())
        };
        StepReport {
            step,
            words: factor.step_in_words(step),
            dose: (!doses.is_empty()).then(|| doses.iter().sum::<f64>() / doses.len() as f64),
            candidates: doses.len(),
            response: ByAxis::of(response),
        }
    }

    /// Σ (dose − mean dose)(score − mean score) over Σ (dose − mean dose)², means within candidates.
    fn slope(&self, factor: Factor, steps: &[f64], axis: Option<Axis>) -> Option<Estimate> {
        let of = |group: &str, candidate: &str| {
            let points: Vec<(f64, f64)> = steps
                .iter()
                .filter_map(|step| {
                    let (dose, reward) = self.at(group, candidate, factor, *step)?;
                    Some((dose, mean(&reward, axis)?))
                })
                .collect();
            let n = points.len().max(1) as f64;
            let (x, y) = points
                .iter()
                .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
            let sums = points
                .iter()
                .map(|(a, b)| ((a - x) * (b - y), (a - x) * (a - x)));
            sums.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d))
        };
        let parts = self.subjects.iter().map(|subject| {
            let candidates = subject.candidates.iter();
            let sums = candidates.map(|candidate| of(&subject.group, candidate));
            sums.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d))
        });
        self.estimate(&parts.collect::<Vec<_>>())
    }

    /// Of pairs in which people prefer the one and the model too: in how many the model prefers the other once that is turned up.
    fn flips(&self, factor: Factor, steps: &[f64]) -> Option<Flips> {
        let neutral = factor.about().neutral;
        let boosts: Vec<f64> = steps
            .iter()
            .copied()
            .filter(|step| *step > neutral)
            .collect();
        let score = |group: &str, candidate: &str, step| {
            Some(self.at(group, candidate, factor, step)?.1.aggregate.mean)
        };
        // For each group with a pair that could turn, the pairs that turned at each boost, and at any.
        let (mut pairs, mut simulated, mut turned) = (0, false, Vec::new());
        for subject in self.subjects {
            let group = &subject.group;
            let mut counts = vec![0_usize; boosts.len() + 1];
            let mut could = false;
            for (better, worse) in &subject.preferred {
                let both = score(group, better, neutral).zip(score(group, worse, neutral));
                let Some((kept, _)) = both.filter(|(better, worse)| better > worse) else {
                    continue;
                };
                could = true;
                pairs += 1;
                let mut any = false;
                for (boost, count) in boosts.iter().zip(&mut counts) {
                    let over = score(group, worse, *boost).is_some_and(|score| score > kept);
                    *count += usize::from(over);
                    any |= over;
                }
                counts[boosts.len()] += usize::from(any);
            }
            if could {
                simulated |= subject.simulated;
                turned.push(counts);
            }
        }
        let flip = |place: usize, step: f64| {
            let parts: Vec<(f64, f64)> = turned
                .iter()
                .map(|counts| (f64::from(u8::from(counts[place] > 0)), 1.0))
                .collect();
            Some(FlipStep {
                step,
                pairs: turned.iter().map(|counts| counts[place]).sum(),
                groups: turned.iter().filter(|counts| counts[place] > 0).count(),
                share: self.estimate(&parts)?,
            })
        };
        let by_step = boosts
            .iter()
            .enumerate()
            .map(|(place, step)| flip(place, *step));
        Some(Flips {
            pairs,
            groups: turned.len(),
            simulated,
            steps: by_step.collect::<Option<Vec<_>>>()?,
            any: flip(boosts.len(), *boosts.last()?)?,
        })
    }
}

/// Holds a response against what a faithful judge would do. One whose interval holds 0, or that is small, is flat.
fn verdict(
    (factor, axis, arm): (Factor, Axis, Arm),
    end: &StepReport,
    response: Estimate,
    small: f64,
) -> Verdict {
    let should = factor.should(axis, arm);
    let direction = response.interval.map(|[low, high]| {
        if response.value.abs() <= small || (low <= 0.0 && high >= 0.0) {
            0
        } else if response.value > 0.0 {
            1
        } else {
            -1
        }
    });
    let as_expected = direction.and_then(|direction| {
        Some(match should {
            Expectation::Flat => direction == 0,
            Expectation::Falling => direction < 0,
            Expectation::Rising => direction > 0,
            Expectation::NotRising => direction <= 0,
            Expectation::NotFalling => direction >= 0,
            Expectation::Open => return None,
        })
    });
    let interval = match response.interval {
        Some([low, high]) => format!(" [{low:+.2}, {high:+.2}]"),
        None => String::new(),
    };
    let words = format!(
        "{} at {}: should {}; is {:+.2}{interval}",
        axis.key().to_uppercase(),
        end.words,
        should.words(),
        response.value
    );
    Verdict {
        axis,
        arm,
        step: end.step,
        response,
        should,
        as_expected,
        words,
    }
}
