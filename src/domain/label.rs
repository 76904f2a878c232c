//! Human labels: what annotators said of a candidate on each axis, and how far they agree.

use serde::{Deserialize, Serialize};

use super::{Axis, Candidate};

/// One annotator's judgement of one candidate on one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Who said it.
    pub annotator: String,
    /// On which axis.
    pub axis: Axis,
    /// The Likert score, 1 (worst) to 4 (best); fractions occur where a data set published means.
    pub score: f64,
    /// Made by a program, not by a person.
    pub simulated: bool,
}

/// A candidate's labels, averaged over annotators on each axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HumanScore {
    /// Mean instruction-following score, 1-4.
    pub instruction_following: Option<f64>,
    /// Mean visual-quality score, 1-4.
    pub visual_quality: Option<f64>,
}

impl HumanScore {
    /// The sum of both axes, 2-8, as the published data calls "overall"; `None` unless both are labelled.
    pub fn overall(&self) -> Option<f64> {
        Some(self.instruction_following? + self.visual_quality?)
    }

    /// The mean score on one axis.
    pub fn on(&self, axis: Axis) -> Option<f64> {
        match axis {
            Axis::InstructionFollowing => self.instruction_following,
            Axis::VisualQuality => self.visual_quality,
        }
    }
}

/// Whose word a label is, and how often they had been asked the same by then, from 1: `ann#2` is ann's second word on the same
/// thing, whether a file had two or an annotator was asked again.
pub fn word_of(annotator: &str) -> (&str, usize) {
    let parts = annotator.rsplit_once('#');
    let nth = parts.and_then(|(name, n)| Some((name, n.parse::<usize>().ok()?)));
    match nth {
        Some((name, n)) if n >= 2 && !name.is_empty() => (name, n),
        _ => (annotator, 1),
    }
}

/// How far the annotators of a group agree, as a list shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Fewer than two annotators labelled anything in common.
    Unknown,
    /// Scores differ by more than three quarters of a point on average.
    Low,
    /// In between.
    Fair,
    /// Scores differ by half a point or less on average.
    High,
}

impl Agreement {
    /// Sorts [`agreement`]'s number into the three marks.
    pub fn of(agreement: Option<f64>) -> Self {
        match agreement {
            None => Self::Unknown,
            Some(a) if a < 1.0 - 0.75 / 3.0 => Self::Low,
            Some(a) if a < 1.0 - 0.5 / 3.0 => Self::Fair,
            Some(_) => Self::High,
        }
    }
}

/// Each candidate's labels averaged per axis, in candidate order.
pub fn human_scores(candidates: &[Candidate]) -> Vec<HumanScore> {
    let mean = |candidate: &Candidate, axis| {
        let scores: Vec<f64> = candidate
            .labels
            .iter()
            .filter(|l| l.axis == axis)
            .map(|l| l.score)
            .collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    };
    candidates
        .iter()
        .map(|c| HumanScore {
            instruction_following: mean(c, Axis::InstructionFollowing),
            visual_quality: mean(c, Axis::VisualQuality),
        })
        .collect()
}

/// One minus the mean absolute difference between two annotators' scores of the same candidate and axis, over the largest
/// difference there can be (3 points): 1 is full agreement, 0 the opposite ends of the scale every time. A quick mark for
/// lists, not a published statistic; `None` when no two annotators labelled the same thing.
pub fn agreement(candidates: &[Candidate]) -> Option<f64> {
    agreement_of(candidates.iter().map(|c| c.labels.as_slice()))
}

/// The same of the labels of each candidate.
pub fn agreement_of<'a>(labels: impl IntoIterator<Item = &'a [Label]>) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0_u32);
    for labels in labels {
        for (i, a) in labels.iter().enumerate() {
            for b in labels[i + 1..]
                .iter()
                .filter(|b| b.axis == a.axis && word_of(&b.annotator).0 != word_of(&a.annotator).0)
            {
                sum += (a.score - b.score).abs();
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| 1.0 - sum / f64::from(pairs) / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CandidateId, ImageRef};

    fn candidate(labels: &[(&str, Axis, f64)]) -> Candidate {
        Candidate {
            labels: labels
                .iter()
                .map(|&(annotator, axis, score)| Label {
                    annotator: annotator.into(),
                    axis,
                    score,
                    simulated: true,
                })
                .collect(),
            ..Candidate::new(CandidateId(1), "a", ImageRef("a.png".into()))
        }
    }

    #[test]
    fn labels_are_averaged_per_axis_and_the_overall_needs_both() {
        use Axis::{InstructionFollowing as If, VisualQuality as Vq};
        let both = candidate(&[("x", If, 4.0), ("y", If, 3.0), ("x", Vq, 2.0)]);
        let one = candidate(&[("x", If, 4.0)]);
        let scores = human_scores(&[both, one]);
        assert_eq!(scores[0].instruction_following, Some(3.5));
        assert_eq!(scores[0].overall(), Some(5.5));
        assert_eq!(scores[1].overall(), None);
    }

    #[test]
    fn agreement_is_one_for_equal_and_zero_for_opposite_scores() {
        use Axis::InstructionFollowing as If;
        assert_eq!(
            agreement(&[candidate(&[("x", If, 4.0), ("y", If, 4.0)])]),
            Some(1.0)
        );
        assert_eq!(
            agreement(&[candidate(&[("x", If, 4.0), ("y", If, 1.0)])]),
            Some(0.0)
        );
        assert_eq!(agreement(&[candidate(&[("x", If, 4.0)])]), None);
        // What somebody says when asked again is no second person's word.
        let again = candidate(&[("x", If, 4.0), ("x#2", If, 1.0)]);
        assert_eq!(agreement(&[again]), None);
    }

    #[test]
    fn a_second_word_has_the_name_of_the_first_ones_bearer() {
        assert_eq!(word_of("ann#2"), ("ann", 2));
        assert_eq!(word_of("ann#1"), ("ann#1", 1));
        assert_eq!(word_of("#2"), ("#2", 1));
        assert_eq!(word_of("c#"), ("c#", 1));
        assert_eq!(word_of("ann"), ("ann", 1));
    }
}
