//! What a probe of a selection found: the mean response at each step with its interval, its slope, what a faithful judge would have
//! done, and how often a vividness boost alone turns a preference of people's around.
//!
//! Responses are differences to the same candidate as it is, so that what candidates differ in otherwise cancels. Intervals are the
//! central 95 % under resampling of groups (the percentile bootstrap), since candidates of a group are not independent.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::answers::{Answer, Key, key};
use super::factor::{Arm, Expectation, Factor};
use super::figures::Seen;
use super::run::Task;
use super::selection::Which;
use crate::domain::Axis;
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

/// Who rates, for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rater {
    /// The model's name.
    pub name: String,
    /// What its scores are stored under.
    pub fingerprint: String,
    /// False for random weights.
    pub trained: bool,
}

impl From<&ModelInfo> for Rater {
    fn from(info: &ModelInfo) -> Self {
        Self {
            name: info.name.clone(),
            fingerprint: info.fingerprint.clone(),
            trained: info.trained,
        }
    }
}

/// A group that was probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub(super) fn of(mut each: impl FnMut(Option<Axis>) -> Option<T>) -> Self {
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

impl fmt::Display for Estimate {
    /// "+0.21 [+0.15, +0.27]".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2}", self.value)?;
        match self.interval {
            Some([low, high]) => write!(f, " [{low:+.2}, {high:+.2}]"),
            None => Ok(()),
        }
    }
}

impl ByAxis<Estimate> {
    /// IF, VQ and overall, "-" where there is none.
    pub fn in_words(&self) -> [String; 3] {
        [
            self.instruction_following.as_ref(),
            self.visual_quality.as_ref(),
            self.overall.as_ref(),
        ]
        .map(|estimate| estimate.map_or_else(|| "-".into(), Estimate::to_string))
    }
}

impl FactorReport {
    /// The slope in a sentence.
    pub fn slope_in_words(&self) -> String {
        let [a, b, c] = self.slope.in_words();
        format!(
            "slope per unit of {}: IF {a}, VQ {b}, overall {c}",
            self.dose
        )
    }
}

impl Verdict {
    /// In a sentence, with a mark that says whether it is as it should be.
    pub fn marked(&self) -> String {
        let mark = match self.as_expected {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "·",
        };
        format!("{mark} {}", self.words)
    }
}

impl Flips {
    /// In a sentence.
    pub fn in_words(&self) -> String {
        let whose = if self.simulated { " (simulated)" } else { "" };
        let percent = |share: f64| format!("{:.0}", 100.0 * share);
        let share = percent(self.any.share.value);
        let share = match self.any.share.interval {
            Some(ends) => {
                let [low, high] = ends.map(percent);
                format!("{share} % [{low}, {high}]")
            }
            None => format!("{share} %"),
        };
        format!(
            "turned up on the worse candidate alone, it turns {} of {} preferences{whose} around that people and the model share, \
             in {share} of the groups",
            self.any.pairs, self.pairs
        )
    }
}

/// Makes the report of what is known.
pub(super) fn report(
    rater: &Rater,
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
        model: rater.name.clone(),
        fingerprint: rater.fingerprint.clone(),
        trained: rater.trained,
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
