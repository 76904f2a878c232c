//! What is analysed: candidates with what people said, what the model said and what was measured, as columns of numbers.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::domain::stats::{held_degrees, hold};
use crate::domain::{Axis, CandidateId, GroupId, Label, Measure, Measures, Reward};

/// One candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its group: what is drawn again when intervals are made, as candidates of one source are not independent.
    pub group: GroupId,
    /// Which one it is.
    pub candidate: CandidateId,
    /// The kind of edit; unknown is a kind too.
    pub category: Option<String>,
    /// Who made it; unknown is an editor too.
    pub editor: Option<String>,
    /// What people said, one by one: the labels that count.
    pub labels: Vec<Label>,
    /// What the model said.
    pub reward: Reward,
    /// What was measured.
    pub measures: Measures,
    /// Whether it is a local edit, so that change outside the edited regions is change that nobody asked for.
    pub local: bool,
}

/// Which of the model's scores is held against people's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// Instruction following.
    If,
    /// Visual quality.
    Vq,
    /// The aggregate against the mean of both axes; only for models that have no axes.
    #[default]
    Overall,
}

impl Judged {
    /// All.
    pub const ALL: [Self; 3] = [Self::If, Self::Vq, Self::Overall];

    /// On screens and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Vq => "vq",
            Self::Overall => "overall",
        }
    }

    /// In capitals, as sentences say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::If => "IF",
            Self::Vq => "VQ",
            Self::Overall => "overall",
        }
    }

    /// The model's expected score.
    pub(super) fn of(self, reward: &Reward) -> Option<f64> {
        let gaussian = match self {
            Self::If => reward.on(Axis::InstructionFollowing)?,
            Self::Vq => reward.on(Axis::VisualQuality)?,
            Self::Overall => reward.aggregate,
        };
        Some(gaussian.mean).filter(|mean| mean.is_finite())
    }

    fn axes(self) -> &'static [Axis] {
        match self {
            Self::If => &[Axis::InstructionFollowing],
            Self::Vq => &[Axis::VisualQuality],
            Self::Overall => &Axis::ALL,
        }
    }
}

/// The mean of people's labels, and the variance of its error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Human {
    /// 1 to 4.
    pub(super) mean: f64,
    /// In squared points.
    pub(super) error: f64,
    /// Whether that was assumed, as nothing was labelled twice.
    pub(super) assumed: bool,
}

/// One judged score of all candidates that have it, as columns in the same order.
pub(super) struct Columns<'a> {
    pub(super) judged: Judged,
    pub(super) cases: Vec<&'a Case>,
    /// The model's.
    pub(super) score: Vec<f64>,
    /// People's; empty where there are no labels.
    pub(super) human: Vec<f64>,
    /// The mean variance of the error of people's means.
    pub(super) label_error: f64,
    /// Whether it was assumed, as nothing is labelled twice.
    pub(super) assumed: bool,
    /// Numbers of groups, from 0.
    pub(super) group: Vec<usize>,
    pub(super) groups: usize,
    pub(super) category: Vec<usize>,
    pub(super) editor: Vec<usize>,
    /// The measures that vary, each in standard deviations from its mean, NaN where it is not defined.
    pub(super) measured: Vec<Measured>,
    /// Measures that are left out, and why.
    pub(super) left_out: BTreeMap<Measure, String>,
}

/// One measure of all candidates.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) measure: Measure,
    /// In standard deviations from the mean; NaN where it is not defined.
    pub(super) z: Vec<f64>,
    pub(super) mean: f64,
    pub(super) sd: f64,
    pub(super) n: usize,
}

/// So many candidates must have a measure, or nothing is said about it.
pub(super) const LEAST: usize = 30;
/// So many groups must have it.
pub(super) const LEAST_GROUPS: usize = 8;
/// The rarest value of a measure with few values must occur so often.
const LEAST_APART: usize = 5;

impl<'a> Columns<'a> {
    /// Of the cases that have the score and, if `labelled`, people's labels. `assumed` is the standard deviation of one annotator's
    /// error where it cannot be seen.
    pub(super) fn new(cases: &'a [Case], judged: Judged, labelled: bool, assumed: f64) -> Self {
        let humans = labelled.then(|| humans(cases, judged, assumed));
        let mut rows: Vec<(&Case, f64, Option<Human>)> = Vec::new();
        for (i, case) in cases.iter().enumerate() {
            let human = humans.as_ref().map(|humans| humans[i]);
            if let (Some(score), None | Some(Some(_))) = (judged.of(&case.reward), human) {
                rows.push((case, score, human.flatten()));
            }
        }
        let (group, groups) = levels(rows.iter().map(|row| Some(row.0.group)));
        let (category, _) = levels(rows.iter().map(|row| row.0.category.as_deref()));
        let (editor, _) = levels(rows.iter().map(|row| row.0.editor.as_deref()));
        let known: Vec<Human> = rows.iter().filter_map(|row| row.2).collect();
        let error = known.iter().map(|human| human.error).sum::<f64>() / known.len().max(1) as f64;
        let mut columns = Self {
            judged,
            score: rows.iter().map(|row| row.1).collect(),
            human: rows.iter().filter_map(|row| Some(row.2?.mean)).collect(),
            cases: rows.into_iter().map(|row| row.0).collect(),
            label_error: error,
            assumed: known.iter().any(|human| human.assumed),
            group,
            groups,
            category,
            editor,
            measured: Vec::new(),
            left_out: BTreeMap::new(),
        };
        for measure in Measure::ALL {
            match columns.measured(measure) {
                Ok(measured) => columns.measured.push(measured),
                Err(why) => {
                    columns.left_out.insert(measure, why);
                }
            }
        }
        columns
    }

    /// How many candidates there are.
    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether people's labels are among the columns.
    pub(super) fn is_labelled(&self) -> bool {
        !self.human.is_empty()
    }

    /// A column with instruction categories held, and editors too if asked for. What is not defined stays out: it is put at 0,
    /// which is its mean.
    pub(super) fn held(&self, values: &[f64], editors: bool) -> Vec<f64> {
        let defined: Vec<usize> = (0..values.len())
            .filter(|i| values[*i].is_finite())
            .collect();
        let pick = |of: &[usize]| defined.iter().map(|i| of[*i]).collect::<Vec<_>>();
        let (category, editor) = (pick(&self.category), pick(&self.editor));
        let kept: Vec<f64> = defined.iter().map(|i| values[*i]).collect();
        let left = if editors {
            hold(&kept, &[&category, &editor])
        } else {
            hold(&kept, &[&category])
        };
        let mut out = vec![0.0; values.len()];
        for (i, value) in defined.into_iter().zip(left) {
            out[i] = value;
        }
        out
    }

    /// How many numbers holding takes out.
    pub(super) fn held_degrees(&self, editors: bool) -> usize {
        if editors {
            held_degrees(&[&self.category, &self.editor], self.len())
        } else {
            held_degrees(&[&self.category], self.len())
        }
    }

    fn measured(&self, measure: Measure) -> Result<Measured, String> {
        let background = matches!(measure, Measure::BackgroundChange | Measure::SsimOutside);
        let values: Vec<f64> = self
            .cases
            .iter()
            .map(|case| match case.measures.get(measure) {
                // Of a global edit it says nothing about what was not asked for.
                Some(_) if background && !case.local => f64::NAN,
                value => value.unwrap_or(f64::NAN),
            })
            .collect();
        let mut defined: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let n = defined.len();
        let among = if background { " local edits" } else { "" };
        if n < LEAST {
            return Err(format!("only {n}{among} have it, and {LEAST} are needed"));
        }
        let mut groups: Vec<usize> = (0..values.len())
            .filter(|i| values[*i].is_finite())
            .map(|i| self.group[i])
            .collect();
        groups.dedup();
        if groups.len() < LEAST_GROUPS {
            return Err(format!(
                "only {} groups have it, and {LEAST_GROUPS} are needed",
                groups.len()
            ));
        }
        defined.sort_unstable_by(f64::total_cmp);
        let commonest = defined.chunk_by(|a, b| a == b).map(<[f64]>::len).max();
        if n - commonest.unwrap_or(0) < LEAST_APART {
            return Err("it is the same for all, or nearly so".into());
        }
        let mean = defined.iter().sum::<f64>() / n as f64;
        let sd =
            (defined.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1) as f64).sqrt();
        if !(sd > 0.0 && sd.is_finite()) {
            return Err("it is the same for all, or has no finite spread".into());
        }
        let z: Vec<f64> = values.iter().map(|v| (v - mean) / sd).collect();
        let left = self.held(&z, true);
        if left.iter().map(|v| v * v).sum::<f64>() < 1e-6 * n as f64 {
            return Err("instruction category and editor decide it".into());
        }
        Ok(Measured {
            measure,
            z,
            mean,
            sd,
            n,
        })
    }
}

/// Each distinct value's number from 0, and how many there are.
fn levels<T: std::hash::Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> (Vec<usize>, usize) {
    let mut known: HashMap<Option<T>, usize> = HashMap::new();
    let numbers = values
        .map(|value| {
            let next = known.len();
            *known.entry(value).or_insert(next)
        })
        .collect();
    (numbers, known.len())
}

/// People's mean of each case, with the variance of its error: what annotators differ by on one candidate, pooled over all
/// candidates, over how many there are. Where all candidates have the same annotators, how strict each is moves all means alike
/// and is no error.
fn humans(cases: &[Case], judged: Judged, assumed: f64) -> Vec<Option<Human>> {
    let axes = judged.axes();
    let of_axes: Vec<Vec<Option<Human>>> = axes
        .iter()
        .map(|axis| on_axis(cases, *axis, assumed))
        .collect();
    let share = 1.0 / axes.len() as f64;
    (0..cases.len())
        .map(|i| {
            let parts: Vec<Human> = of_axes.iter().map(|of| of[i]).collect::<Option<_>>()?;
            Some(Human {
                mean: parts.iter().map(|human| human.mean).sum::<f64>() * share,
                error: parts.iter().map(|human| human.error).sum::<f64>() * share * share,
                assumed: parts.iter().any(|human| human.assumed),
            })
        })
        .collect()
}

fn on_axis(cases: &[Case], axis: Axis, assumed: f64) -> Vec<Option<Human>> {
    let words: Vec<BTreeMap<&str, f64>> = cases
        .iter()
        .map(|case| {
            let of = case.labels.iter().filter(|label| label.axis == axis);
            of.map(|label| (label.annotator.as_str(), label.score))
                .collect()
        })
        .collect();
    let strictness = strictness(&words);
    let (mut squares, mut degrees) = (0.0, -(strictness.len().saturating_sub(1) as f64));
    for words in words.iter().filter(|words| words.len() > 1) {
        let kept = |(who, score): (&&str, &f64)| score - strictness.get(who).unwrap_or(&0.0);
        let mean = words.iter().map(kept).sum::<f64>() / words.len() as f64;
        squares += words
            .iter()
            .map(|word| (kept(word) - mean).powi(2))
            .sum::<f64>();
        degrees += (words.len() - 1) as f64;
    }
    let seen = (degrees > 0.0).then(|| squares / degrees);
    words
        .iter()
        .map(|words| {
            let n = words.len() as f64;
            (n > 0.0).then(|| Human {
                mean: words.values().sum::<f64>() / n,
                error: seen.unwrap_or(assumed * assumed) / n,
                assumed: seen.is_none(),
            })
        })
        .collect()
}

/// How far each annotator's mean lies from all annotators', if all labelled the same candidates; else empty.
fn strictness<'a>(words: &[BTreeMap<&'a str, f64>]) -> BTreeMap<&'a str, f64> {
    let mut labelled = words.iter().filter(|words| !words.is_empty());
    let Some(first) = labelled.next() else {
        return BTreeMap::new();
    };
    if !labelled.all(|words| words.keys().eq(first.keys())) {
        return BTreeMap::new();
    }
    let n = words.iter().filter(|words| !words.is_empty()).count() as f64;
    let mean = |who: &str| words.iter().filter_map(|w| w.get(who)).sum::<f64>() / n;
    let all = first.keys().map(|who| mean(who)).sum::<f64>() / first.len() as f64;
    first.keys().map(|who| (*who, mean(who) - all)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gaussian;

    fn case(number: i64, labels: &[(&str, f64)]) -> Case {
        let label = |&(annotator, score): &(&str, f64)| Label {
            annotator: annotator.into(),
            axis: Axis::VisualQuality,
            score,
            simulated: false,
        };
        Case {
            group: GroupId(number / 4),
            candidate: CandidateId(number),
            category: None,
            editor: None,
            labels: labels.iter().map(label).collect(),
            reward: Reward::overall(Gaussian::new(1.0, 0.0)),
            measures: Measures::default(),
            local: true,
        }
    }

    #[test]
    fn a_strict_annotator_of_all_is_no_error_and_one_of_some_is() {
        let all = [
            case(0, &[("kind", 4.0), ("strict", 3.0)]),
            case(1, &[("kind", 2.0), ("strict", 1.0)]),
        ];
        let human = on_axis(&all, Axis::VisualQuality, 0.5)[1].unwrap();
        assert_eq!((human.mean, human.error), (1.5, 0.0));
        let some = [all[0].clone(), case(1, &[("kind", 2.0), ("other", 1.0)])];
        // Both differ by 1: a variance of a half each, and a quarter of the mean of two.
        let human = on_axis(&some, Axis::VisualQuality, 0.5)[0].unwrap();
        assert_eq!((human.mean, human.error), (3.5, 0.25));
        let once = [case(0, &[("kind", 4.0)]), case(1, &[])];
        let humans = on_axis(&once, Axis::VisualQuality, 0.5);
        let human = humans[0].unwrap();
        assert!(human.assumed && human.error == 0.25 && humans[1].is_none());
    }

    #[test]
    fn a_measure_that_few_have_is_left_out_with_a_reason() {
        let mut cases: Vec<Case> = (0..80).map(|i| case(i, &[])).collect();
        for (i, case) in cases.iter_mut().enumerate() {
            case.measures.set(Measure::Change, i as f64);
            case.measures
                .set(Measure::NoOp, f64::from(u8::from(i == 7)));
            case.measures.set(Measure::BackgroundChange, i as f64);
            case.local = i < 20;
        }
        let columns = Columns::new(&cases, Judged::Overall, false, 0.0);
        let known: Vec<Measure> = columns.measured.iter().map(|m| m.measure).collect();
        assert_eq!(known, [Measure::Change]);
        let z = &columns.measured[0].z;
        assert!(z.iter().sum::<f64>().abs() < 1e-9);
        let why = |measure| columns.left_out[&measure].as_str();
        assert_eq!(why(Measure::NoOp), "it is the same for all, or nearly so");
        assert!(why(Measure::BackgroundChange).starts_with("only 20 local edits"));
        assert!(why(Measure::SatDelta).starts_with("only 0"));
        // No model without axes has an IF.
        assert_eq!(Columns::new(&cases, Judged::If, false, 0.0).len(), 0);
    }
}
