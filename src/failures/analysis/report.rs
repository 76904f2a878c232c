//! What an analysis found, as `report.json` has it and as screens show it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::Judged;
use crate::domain::stats::{Line, Statistic};
use crate::domain::{CandidateId, GroupId, Measure};

/// The suspected biases of a model, with their evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The model.
    pub model: ModelFacts,
    /// What it was analysed on.
    pub data: DataFacts,
    /// How.
    pub settings: SettingsFacts,
    /// How the model's scores relate to people's, score by score.
    pub scales: Vec<Scale>,
    /// What the model falls for, the surest large one first.
    pub biases: Vec<Bias>,
    /// The tests that came nearest without standing correction, nearest first: where to look next, and nothing more.
    #[serde(default)]
    pub unproven: Vec<Bias>,
    /// Change of the background among local edits; `None` where too few have it.
    pub over_editing: Option<OverEditing>,
    /// Every test that was made, in order of score and measure.
    pub effects: Vec<Effect>,
    /// Measures that were not tested, and why.
    pub left_out: Vec<LeftOut>,
    /// What whoever reads this has to know.
    pub notes: Vec<String>,
}

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Its name, or the beginning of its fingerprint.
    pub name: String,
    /// What its scores are stored under.
    pub fingerprint: String,
}

/// What there was to analyse.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataFacts {
    /// The folder.
    pub workspace: String,
    /// Whose labels count: `all`, `real` or `simulated`.
    pub labels: String,
    /// Groups with a candidate that was analysed.
    pub groups: usize,
    /// Candidates in the part of the data that was asked for.
    pub candidates: usize,
    /// Those that were analysed.
    pub analysed: usize,
    /// Those without a stored score of the model.
    pub unscored: usize,
    /// Those that nothing was measured on.
    pub unmeasured: usize,
    /// Those that have no label that counts.
    pub unlabelled: usize,
    /// Analysed candidates whose labels were all made by a program.
    pub simulated: usize,
    /// Analysed candidates that are local edits.
    pub local: usize,
}

/// How it was analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsFacts {
    /// What intervals and samples are drawn from.
    pub seed: u64,
    /// How often groups were drawn again.
    pub resamples: usize,
    /// The chance to name anything where there is nothing, over all tests together.
    pub level: f64,
    /// The least effect of one standard deviation that is named, in the unit of effects.
    pub least: f64,
    /// The standard deviation of one annotator's error, in points, where it cannot be seen from labels.
    pub label_error: f64,
    /// How many tests the correction is for.
    pub tests: usize,
}

/// What effects are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectUnit {
    /// Points of people's scale, 1 to 4.
    Points,
    /// Standard deviations of the model's score: where there are no labels, or the model does not follow them.
    Deviations,
}

impl EffectUnit {
    /// As it stands behind a number.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Deviations => "SD of the score",
        }
    }
}

/// How the model's score relates to people's on one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Which score.
    pub judged: Judged,
    /// Candidates with it.
    pub n: usize,
    /// Groups with it.
    pub groups: usize,
    /// What effects are in.
    pub unit: EffectUnit,
    /// Spearman's correlation of the model's score with people's.
    pub spearman: Figure,
    /// The model's score as a line of people's, corrected for label error: dividing a score by the slope gives points.
    pub calibration: Option<Line>,
    /// The share of the variance of people's mean scores that is no label error; `None` without labels.
    pub reliability: Option<f64>,
    /// Whether label error was assumed, as nothing is labelled twice.
    pub assumed_error: bool,
    /// How much more of the model's score the best rising function of people's explains than the best line does, in 0..=1.
    pub bend: Option<f64>,
    /// The standard deviation of the model's score.
    pub sd: f64,
}

/// A number with its central 95 %, or why there is none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figure {
    /// The number.
    pub value: Option<f64>,
    /// Where it might lie, had other groups of the same kind been judged.
    pub interval: Option<[f64; 2]>,
    /// Why there is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undefined: Option<String>,
}

impl Figure {
    /// Of a statistic and its interval.
    pub fn new(statistic: Statistic, interval: Option<[f64; 2]>) -> Self {
        match statistic {
            Ok(value) => Self {
                value: Some(value),
                interval,
                undefined: None,
            },
            Err(why) => Self::undefined(why.to_string()),
        }
    }

    /// No number.
    pub fn undefined(why: impl Into<String>) -> Self {
        Self {
            undefined: Some(why.into()),
            ..Self::default()
        }
    }
}

/// One measure against what the model says of a score, at a given human score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The measure.
    pub measure: Measure,
    /// The score.
    pub judged: Judged,
    /// Candidates with both.
    pub n: usize,
    /// Groups with both.
    pub groups: usize,
    /// What the measure is on average, in its unit.
    pub mean: f64,
    /// One standard deviation of the measure, in its unit.
    pub sd: f64,
    /// What effects are in.
    pub unit: EffectUnit,
    /// How much more the model gives per standard deviation of the measure, category and editor held.
    pub per_sd: Figure,
    /// The same per unit of the measure.
    pub per_unit: Figure,
    /// The effect per standard deviation if people's labels had no error, or one that the model shares.
    pub exact_labels: Option<f64>,
    /// Spearman's correlation of the residual with the measure.
    pub spearman: Figure,
    /// The same with category and editor held.
    pub partial: Figure,
    /// The chance of an effect as far from 0 where there is none, both with and without correction for label error.
    pub p: f64,
    /// The same with Holm's correction for all tests.
    pub p_holm: f64,
    /// The false discovery rate (Benjamini and Hochberg) at which it is found.
    pub q: f64,
}

/// A suspected bias, or what might be one. Without labels it is an association and no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// The evidence in one sentence.
    pub sentence: String,
    /// The numbers.
    pub effect: Effect,
    /// Measures that the residual also follows, which this one explains.
    pub also: Vec<Follower>,
    /// The editor or category where it is strongest.
    pub strongest: Option<Subgroup>,
    /// What the scatter shows.
    pub scatter: Scatter,
    /// The candidates that gain most from it.
    pub cases: Vec<WorstCase>,
    /// The pairs that it turns.
    pub pairs: Option<Turned>,
}

/// A measure that goes along with a bias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Follower {
    /// The measure.
    pub measure: Measure,
    /// Its correlation with the bias's measure, category and editor held.
    pub correlation: f64,
    /// Its effect per standard deviation alone.
    pub per_sd: Option<f64>,
    /// The chance of what it adds once the bias is held, where it adds nothing.
    pub p_beside: Option<f64>,
}

/// A part of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    /// `editor` or `category`.
    pub by: String,
    /// Which.
    pub name: String,
    /// Candidates.
    pub n: usize,
    /// Groups.
    pub groups: usize,
    /// The effect per standard deviation of all data.
    pub per_sd: Figure,
    /// How many parts it was picked from: the strongest of many looks stronger than it is.
    pub of: usize,
}

/// Points and the line through them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scatter {
    /// Each candidate, or a sample of them.
    pub points: Vec<Point>,
    /// How many candidates there are; more than points where it is a sample.
    pub of: usize,
    /// The fit: the effect, category and editor held, through the middle of the points.
    pub fit: Option<Line>,
    /// The central 95 % of the fit: measure, low, high, ascending.
    pub band: Vec<[f64; 3]>,
}

/// A candidate in a scatter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The measure, in its unit.
    pub measure: f64,
    /// Model less people, in the unit of effects; without labels the model's score from its mean.
    pub residual: f64,
    /// Its group.
    pub group: GroupId,
    /// Which it is.
    pub candidate: CandidateId,
}

/// A candidate that the model overrates and that has much of what it falls for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstCase {
    /// Its group.
    pub group: GroupId,
    /// Which it is.
    pub candidate: CandidateId,
    /// The measure, in its unit.
    pub measure: f64,
    /// Model less people, in the unit of effects.
    pub residual: f64,
    /// The model's score as it gave it.
    pub model: f64,
    /// People's, 1 to 4.
    pub human: Option<f64>,
}

/// Pairs of one group in which one candidate has clearly more of a measure and people do not like it better.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Turned {
    /// The score.
    pub judged: Judged,
    /// How much more is clearly more, in the measure's unit.
    pub margin: f64,
    /// So many pairs.
    pub of: usize,
    /// Of these, the model preferred the one that has more.
    pub turned: usize,
    /// For comparison, pairs in which people do not like the one better that has less.
    pub of_reverse: usize,
    /// Of these, the model preferred the one that has less.
    pub turned_reverse: usize,
    /// The pairs with the largest preference.
    pub pairs: Vec<TurnedPair>,
}

/// One such pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TurnedPair {
    /// The group.
    pub group: GroupId,
    /// The one that has more and that the model preferred.
    pub more: CandidateId,
    /// The other.
    pub less: CandidateId,
    /// How much more of the measure it has.
    pub measure: f64,
    /// How much more the model gave it, in the unit of effects.
    pub model: f64,
    /// How much more people gave it: 0 or less.
    pub human: f64,
}

/// Needless changes of the background, among local edits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverEditing {
    /// Local edits.
    pub local: usize,
    /// The scores against change of the background.
    pub effects: Vec<Effect>,
    /// The pairs in which the over-edited candidate was preferred, score by score.
    pub pairs: Vec<Turned>,
}

/// A measure without a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The score.
    pub judged: Judged,
    /// Measures and why.
    pub measures: BTreeMap<Measure, String>,
}

impl Report {
    /// Whether effects are against people's labels.
    pub fn is_labelled(&self) -> bool {
        self.settings.tests > 0 && self.data.labels != NO_LABELS
    }

    /// What a finding is called: without labels, nothing is known to be wrong.
    pub fn noun(&self) -> &'static str {
        if self.is_labelled() {
            "bias"
        } else {
            "association"
        }
    }
}

/// What [`DataFacts::labels`] says where people's judgements took no part.
pub const NO_LABELS: &str = "none";
