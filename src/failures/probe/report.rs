//! What a probe of a selection found: the mean response at each step with its interval, its slope, what a faithful judge would have
//! done, and how often a vividness boost alone turns a preference of people's around.
//!
//! Responses are differences to the same candidate as it is, so that what candidates differ in otherwise cancels. Intervals are the
//! central 95 % under resampling of groups (the percentile bootstrap), since candidates of a group are not independent.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::answers::{Answer, Key, key};
use super::curve::mean;
use super::factor::{Arm, Expectation, Factor};
use super::run::Task;
use super::selection::Which;
use crate::domain::stats::bootstrap_ratio;
use crate::domain::{Axis, Reward};
use crate::model::ModelInfo;

/// So many failures are listed; all are counted.
const LISTED: usize = 50;

/// A response within this part of the spread of the candidates' own scores (one standard deviation) is taken for flat.
const SMALL: f64 = 0.05;

/// What is measured: a key of the report, and the axis; `None` for the aggregate.
const MEASURED: [(&str, Option<Axis>); 3] = [
    ("if", Some(Axis::InstructionFollowing)),
    ("vq", Some(Axis::VisualQuality)),
    ("overall", None),
];

/// A group that was probed.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Its name.
    pub(super) group: String,
    /// Its probed candidates, by name.
    pub(super) candidates: Vec<String>,
    /// Pairs of its candidates of which people prefer the first.
    pub(super) preferred: Vec<(String, String)>,
    /// Whether a program made any of what people are said to prefer.
    pub(super) simulated: bool,
}

/// A mean or a share with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Itself.
    pub value: f64,
    /// The interval's ends; `None` with fewer than two groups.
    pub interval: Option<[f64; 2]>,
}

/// By axis.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ByAxis<T> {
    /// Instruction following; `None` of models with one score.
    #[serde(rename = "if")]
    pub instruction_following: Option<T>,
    /// Visual quality.
    #[serde(rename = "vq")]
    pub visual_quality: Option<T>,
    /// The aggregate.
    pub overall: Option<T>,
}

impl<T> ByAxis<T> {
    fn of(mut each: impl FnMut(Option<Axis>) -> Option<T>) -> Self {
        let [instruction_following, visual_quality, overall] = MEASURED.map(|(_, axis)| each(axis));
        Self {
            instruction_following,
            visual_quality,
            overall,
        }
    }

    /// On an axis, or (`None`) of the aggregate.
    pub const fn on(&self, axis: Option<Axis>) -> Option<&T> {
        match axis {
            Some(Axis::InstructionFollowing) => self.instruction_following.as_ref(),
            Some(Axis::VisualQuality) => self.visual_quality.as_ref(),
            None => self.overall.as_ref(),
        }
    }
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step.
    pub step: f64,
    /// In words.
    pub words: String,
    /// How much of what the factor changes there was on average: see [`FactorReport::dose`].
    pub dose: Option<f64>,
    /// Candidates with a reward here and as they are.
    pub candidates: usize,
    /// The mean difference to the candidates as they are.
    pub response: ByAxis<Estimate>,
}

/// What came of one side of the neutral step, on one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which axis.
    pub axis: Axis,
    /// Which side.
    pub arm: Arm,
    /// Its outermost step.
    pub step: f64,
    /// The mean response there.
    pub response: Estimate,
    /// What a faithful judge would do.
    pub should: Expectation,
    /// Whether this is it; `None` where nothing is expected or nothing can be said.
    pub as_expected: Option<bool>,
    /// In a sentence.
    pub words: String,
}

/// How often one step alone turns around a preference that people and the model share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlipStep {
    /// The step at which the worse candidate was handed in.
    pub step: f64,
    /// Pairs in which the model then prefers the worse.
    pub pairs: usize,
    /// Groups with such a pair.
    pub groups: usize,
    /// Their share of the groups with a pair that could turn.
    pub share: Estimate,
}

/// How often vividness alone turns preferences around.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    /// Pairs in which people prefer one candidate overall, and the model, of both as they are, the same.
    pub pairs: usize,
    /// Groups with such pairs.
    pub groups: usize,
    /// Whether any of these preferences is a program's.
    pub simulated: bool,
    /// Steps above the neutral one.
    pub steps: Vec<FlipStep>,
    /// Any of them.
    pub any: FlipStep,
}

/// What came of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorReport {
    /// Which.
    pub factor: Factor,
    /// In words.
    pub words: String,
    /// What a step is.
    pub step: String,
    /// What a dose is of.
    pub dose: String,
    /// What a faithful judge would do.
    pub faithful: String,
    /// Candidates that have a curve: a reward as they are, and at another step.
    pub candidates: usize,
    /// Candidates that have none.
    pub left_out: usize,
    /// By step, ascending.
    pub steps: Vec<StepReport>,
    /// Score points per unit of dose, within candidates (least squares with a level of its own for each).
    pub slope: ByAxis<Estimate>,
    /// On each axis and side.
    pub verdicts: Vec<Verdict>,
    /// For factors of vividness, where all candidates were probed and people prefer some.
    pub flips: Option<Flips>,
}

/// A step without a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The group's name.
    pub group: String,
    /// The candidate's.
    pub candidate: String,
    /// What was changed.
    pub factor: Factor,
    /// How far.
    pub step: f64,
    /// Why there is none.
    pub why: String,
}

/// What a probe of a selection found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The workspace's folder.
    pub workspace: String,
    /// The model's name.
    pub model: String,
    /// What its scores are stored under.
    pub fingerprint: String,
    /// False for random weights.
    pub trained: bool,
    /// What was drawn by.
    pub seed: u64,
    /// How often groups were drawn anew for an interval.
    pub resamples: usize,
    /// Which candidates.
    pub which: Which,
    /// Groups.
    pub groups: usize,
    /// Candidates.
    pub candidates: usize,
    /// Steps with a reward.
    pub points: usize,
    /// Steps without.
    pub failed: usize,
    /// The standard deviation of the candidates' scores as they are.
    pub spread: ByAxis<f64>,
    /// The largest response that is taken for flat.
    pub small: ByAxis<f64>,
    /// By factor.
    pub factors: Vec<FactorReport>,
    /// The first of the steps without a reward.
    pub failures: Vec<Failure>,
}

/// Makes the report of what is known.
pub(super) fn report(
    info: &ModelInfo,
    task: &Task<'_>,
    subjects: &[Subject],
    known: &HashMap<Key, Answer>,
) -> Report {
    let seen = Seen {
        subjects,
        known,
        resamples: task.resamples,
        seed: task.chosen.seed,
    };
    let spread = ByAxis::of(|axis| seen.spread(&task.factors, axis));
    let small = ByAxis::of(|axis| spread.on(axis).map(|spread| SMALL * spread));
    let mut failures = Vec::new();
    let (mut points, mut failed) = (0, 0);
    for (factor, steps) in &task.factors {
        for (group, candidate) in seen.candidates() {
            for step in steps {
                let answer = known.get(&key(group, candidate, *factor, *step));
                if answer.is_some_and(|answer| answer.reward.is_some()) {
                    points += 1;
                    continue;
                }
                failed += 1;
                if failures.len() < LISTED {
                    failures.push(Failure {
                        group: group.to_owned(),
                        candidate: candidate.to_owned(),
                        factor: *factor,
                        step: *step,
                        why: answer
                            .and_then(|answer| answer.failed.clone())
                            .unwrap_or_else(|| "it was not asked for".into()),
                    });
                }
            }
        }
    }
    let all = task.chosen.which == Which::All;
    let factors = task.factors.iter();
    let factors = factors.map(|(factor, steps)| seen.factor(*factor, steps, &small, all));
    Report {
        workspace: task.workspace.root().display().to_string(),
        model: info.name.clone(),
        fingerprint: info.fingerprint.clone(),
        trained: info.trained,
        seed: task.chosen.seed,
        resamples: task.resamples,
        which: task.chosen.which,
        groups: subjects.len(),
        candidates: seen.candidates().count(),
        points,
        failed,
        spread,
        small,
        factors: factors.collect(),
        failures,
    }
}

/// What the figures are made of.
struct Seen<'a> {
    subjects: &'a [Subject],
    known: &'a HashMap<Key, Answer>,
    resamples: usize,
    seed: u64,
}

impl<'a> Seen<'a> {
    fn candidates(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
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

    fn spread(&self, factors: &[(Factor, Vec<f64>)], axis: Option<Axis>) -> Option<f64> {
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

    fn factor(
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
