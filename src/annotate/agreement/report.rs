//! What is found, as both faces print it.

use serde::Serialize;

use super::gather::Asked;
use crate::domain::GroupId;
use crate::domain::stats::Statistic;

/// How far people agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgreementReport {
    /// Groups that were read.
    pub groups: usize,
    /// How often groups were drawn anew for the intervals.
    pub resamples: usize,
    /// What decided the draws.
    pub seed: u64,
    /// By what was asked.
    pub axes: Vec<OnAxis>,
    /// By annotator.
    pub annotators: Vec<AnnotatorReport>,
    /// By two annotators and what was asked; of a crowd, those who judged most together.
    pub pairs: Vec<PairReport>,
    /// The groups on which people differ most, most first.
    pub disputed: Vec<Disputed>,
}

/// A figure, or the reason why there is none, and its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The figure.
    pub value: Option<f64>,
    /// Why there is none.
    pub undefined: Option<String>,
    /// 95 % of the draws lie within.
    pub interval: Option<[f64; 2]>,
}

impl Measured {
    pub(super) fn of(statistic: &Statistic) -> Self {
        Self {
            value: statistic.as_ref().ok().copied(),
            undefined: statistic.as_ref().err().map(ToString::to_string),
            interval: None,
        }
    }
}

/// Agreement on one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnAxis {
    /// What was asked.
    pub on: Asked,
    /// The level of measurement of alpha.
    pub level: &'static str,
    /// Judgements of people.
    pub judgements: usize,
    /// Things that two people or more judged.
    pub shared: usize,
    /// Krippendorff's alpha over these.
    pub alpha: Measured,
    /// The same with the model as one more rater; its scores are given the places that people's scores have (the lowest share
    /// of its scores becomes 1, and so on), since its own scale is another.
    pub alpha_with_model: Option<Measured>,
    /// Things that the usual number of people judged.
    pub complete: usize,
    /// The usual number.
    pub raters: Option<usize>,
    /// Fleiss' kappa over these.
    pub kappa: Measured,
}

/// An annotator against the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnnotatorReport {
    /// The name.
    pub name: String,
    /// Whether what they said was made by a program.
    pub simulated: bool,
    /// Scores and votes in all.
    pub judged: usize,
    /// By question.
    pub questions: Vec<Question>,
    /// How far they agree with themselves when asked again; `None` where nobody asked.
    pub repeats: Option<Repeats>,
}

/// An annotator against the others on one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// What was asked.
    pub on: Asked,
    /// How many things they judged.
    pub judged: usize,
    /// How many of these others judged too.
    pub against: usize,
    /// Their score minus the mean of the others', on average, in points: above 0 is kinder.
    pub bias: Option<f64>,
    /// The standard deviation of that difference, in points.
    pub spread: Option<f64>,
}

/// An annotator against themselves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeats {
    /// How often they were asked again.
    pub count: usize,
    /// The share of the same answers.
    pub same: f64,
    /// The mean absolute difference, in points.
    pub difference: f64,
}

/// Two annotators on one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairReport {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// What was asked.
    pub on: Asked,
    /// Things that both judged.
    pub shared: usize,
    /// Krippendorff's alpha.
    pub alpha: Measured,
    /// Cohen's kappa with quadratic weights; of scores.
    pub kappa: Option<Measured>,
    /// Spearman's rank correlation; of scores.
    pub spearman: Option<Measured>,
    /// The share of the same answers.
    pub same: f64,
    /// The mean absolute difference, in points; of scores.
    pub difference: Option<f64>,
}

/// A group on which people differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disputed {
    /// The group.
    pub group: GroupId,
    /// Its name.
    pub key: String,
    /// What was asked of the editor. Unsanitised.
    pub instruction: String,
    /// On what people differ.
    pub on: Asked,
    /// The mean absolute difference of two people's scores of the same candidate, in points.
    pub difference: f64,
    /// How many such differences there are.
    pub pairs: usize,
}
