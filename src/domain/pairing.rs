//! From labels to comparisons: which candidate of a pair people preferred, on each axis and overall, how sure that is, and
//! what becomes of ties.
//!
//! A pair that ties overall because one candidate follows the instruction better and the other looks better says nothing as a
//! tie and two things taken apart: the paper (section 3.3) makes two pairs with opposite labels of it.

use serde::{Deserialize, Serialize};

use super::{Axis, Candidate, Comparison, HumanScore, human_scores};

/// Differences of mean scores below this are rounding: thirds do not add up exactly.
const ROUNDING: f64 = 1e-9;

/// How labels become comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pairing {
    /// Which judgements are taken.
    pub axes: JudgedOn,
    /// Whether annotators who differ make a preference less sure.
    pub labels: Labels,
    /// What becomes of equal scores.
    pub ties: Ties,
    /// Leaves out pairs whose mean scores differ, but by less than this many points.
    pub least_difference: f64,
    /// Leaves out pairs of which fewer than this share of the annotators say the same, 0.5 to 1; ties are not meant.
    pub least_agreement: f64,
}

/// On what candidates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedOn {
    /// The sum of both axes: acts on the model's aggregate, as published.
    Overall,
    /// Each axis by itself.
    Axes,
    /// Both: three comparisons a pair.
    Both,
}

/// How sure a preference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The higher mean score is the better, without doubt.
    Hard,
    /// The share of annotators who prefer it, those who see no difference counted half. Where nobody labelled both candidates,
    /// the share of pairs of annotators.
    Soft,
}

/// What becomes of a pair with equal mean scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// It is a comparison like others, with a preference of one half.
    Keep,
    /// It is left out.
    Drop,
    /// An overall tie whose axes disagree becomes two comparisons, one an axis; any other is left out.
    Disentangle,
}

impl Default for Pairing {
    /// The paper's: overall, hard, ties taken apart, nothing filtered.
    fn default() -> Self {
        Self {
            axes: JudgedOn::Overall,
            labels: Labels::Hard,
            ties: Ties::Disentangle,
            least_difference: 0.0,
            least_agreement: 0.0,
        }
    }
}

impl Pairing {
    /// The comparisons between any two of `candidates`, by their positions, each with `a` before `b`: pair by pair, overall
    /// before instruction following before visual quality.
    pub fn comparisons(&self, candidates: &[Candidate]) -> Vec<Comparison> {
        let scores = human_scores(candidates);
        let mut all = Vec::new();
        for a in 0..candidates.len() {
            for b in a + 1..candidates.len() {
                let pair = [&candidates[a], &candidates[b]];
                let difference = |axis: Option<Axis>| {
                    let score = |i: usize| axis.map_or(scores[i].overall(), |x| scores[i].on(x));
                    Some(score(a)? - score(b)?)
                };
                for axis in self.judged_first() {
                    let Some(by) = difference(axis) else {
                        continue;
                    };
                    self.judge((a, b), pair, axis, by, &mut all);
                }
                if self.ties == Ties::Disentangle && self.axes == JudgedOn::Overall {
                    all.extend(disentangled((a, b), difference));
                }
            }
        }
        all
    }

    fn judged_first(&self) -> Vec<Option<Axis>> {
        let axes = [Some(Axis::InstructionFollowing), Some(Axis::VisualQuality)];
        match self.axes {
            JudgedOn::Overall => vec![None],
            JudgedOn::Axes => axes.to_vec(),
            JudgedOn::Both => vec![None, axes[0], axes[1]],
        }
    }

    /// The comparison of one pair on one axis (or overall), if it counts.
    fn judge(
        &self,
        (a, b): (usize, usize),
        pair: [&Candidate; 2],
        axis: Option<Axis>,
        difference: f64,
        out: &mut Vec<Comparison>,
    ) {
        let tied = difference.abs() < ROUNDING;
        let share = share_preferring(pair, axis);
        if tied && self.ties != Ties::Keep {
            return;
        }
        if !tied {
            let agreement = share.map_or(1.0, |p| p.max(1.0 - p));
            if difference.abs() < self.least_difference - ROUNDING
                || agreement < self.least_agreement - ROUNDING
            {
                return;
            }
        }
        let sign = match (tied, difference > 0.0) {
            (true, _) => 0.5,
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        let preference = match self.labels {
            Labels::Hard => sign,
            Labels::Soft => share.unwrap_or(sign),
        };
        out.push(Comparison {
            a,
            b,
            axis,
            preference,
            weight: 1.0,
        });
    }
}

/// What an evaluation holds a model against: every clear difference of mean scores, pair by pair, overall and on both axes.
pub fn clear_differences(scores: &[HumanScore]) -> Vec<Comparison> {
    let mut all = Vec::new();
    for a in 0..scores.len() {
        for b in a + 1..scores.len() {
            for axis in [
                None,
                Some(Axis::InstructionFollowing),
                Some(Axis::VisualQuality),
            ] {
                let score = |i: usize| axis.map_or(scores[i].overall(), |x| scores[i].on(x));
                let (Some(x), Some(y)) = (score(a), score(b)) else {
                    continue;
                };
                if (x - y).abs() >= ROUNDING {
                    all.push(Comparison {
                        preference: if x > y { 1.0 } else { 0.0 },
                        ..Comparison::strict(a, b, axis)
                    });
                }
            }
        }
    }
    all
}

/// The two comparisons that an overall tie falls into where the axes disagree; none otherwise.
fn disentangled(
    (a, b): (usize, usize),
    difference: impl Fn(Option<Axis>) -> Option<f64>,
) -> Vec<Comparison> {
    let on = |axis| difference(Some(axis));
    let (Some(overall), Some(following), Some(looks)) = (
        difference(None),
        on(Axis::InstructionFollowing),
        on(Axis::VisualQuality),
    ) else {
        return Vec::new();
    };
    if overall.abs() >= ROUNDING || following.abs() < ROUNDING {
        return Vec::new();
    }
    [
        (Axis::InstructionFollowing, following),
        (Axis::VisualQuality, looks),
    ]
    .map(|(axis, by)| Comparison {
        preference: if by > 0.0 { 1.0 } else { 0.0 },
        ..Comparison::strict(a, b, Some(axis))
    })
    .to_vec()
}

/// The share of annotators who prefer the first candidate, ties half: those who labelled both, else pairs of one annotator of
/// each. `None` where one has no label.
fn share_preferring([a, b]: [&Candidate; 2], axis: Option<Axis>) -> Option<f64> {
    let (a, b) = (by_annotator(a, axis), by_annotator(b, axis));
    let half = |x: f64, y: f64| {
        if (x - y).abs() < ROUNDING {
            0.5
        } else if x > y {
            1.0
        } else {
            0.0
        }
    };
    let mut votes: Vec<f64> = a
        .iter()
        .filter_map(|(who, x)| {
            let (_, y) = b.iter().find(|(other, _)| other == who)?;
            Some(half(*x, *y))
        })
        .collect();
    if votes.is_empty() {
        votes = a
            .iter()
            .flat_map(|(_, x)| b.iter().map(move |(_, y)| half(*x, *y)))
            .collect();
    }
    (!votes.is_empty()).then(|| votes.iter().sum::<f64>() / votes.len() as f64)
}

/// Each annotator's score of a candidate on an axis, or the sum of both where both were labelled.
fn by_annotator(candidate: &Candidate, axis: Option<Axis>) -> Vec<(&str, f64)> {
    let on = |wanted: Axis| {
        candidate
            .labels
            .iter()
            .filter(move |l| l.axis == wanted)
            .map(|l| (l.annotator.as_str(), l.score))
    };
    match axis {
        Some(axis) => on(axis).collect(),
        None => on(Axis::InstructionFollowing)
            .filter_map(|(who, x)| {
                let (_, y) = on(Axis::VisualQuality).find(|(other, _)| *other == who)?;
                Some((who, x + y))
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CandidateId, ImageRef, Label};

    /// A candidate with annotators' (IF, VQ) scores.
    fn candidate(scores: &[(&str, f64, f64)]) -> Candidate {
        let label = |annotator: &str, axis, score| Label {
            annotator: annotator.into(),
            axis,
            score,
            simulated: true,
        };
        Candidate {
            labels: scores
                .iter()
                .flat_map(|&(who, following, looks)| {
                    [
                        label(who, Axis::InstructionFollowing, following),
                        label(who, Axis::VisualQuality, looks),
                    ]
                })
                .collect(),
            ..Candidate::new(CandidateId(1), "a", ImageRef("a.png".into()))
        }
    }

    fn one(following: f64, looks: f64) -> Candidate {
        candidate(&[("x", following, looks)])
    }

    const IF: Option<Axis> = Some(Axis::InstructionFollowing);
    const VQ: Option<Axis> = Some(Axis::VisualQuality);

    fn said(pairing: Pairing, candidates: &[Candidate]) -> Vec<(Option<Axis>, f64)> {
        pairing
            .comparisons(candidates)
            .iter()
            .map(|c| (c.axis, c.preference))
            .collect()
    }

    #[test]
    fn the_higher_sum_is_the_better_overall_and_every_pair_is_compared() {
        let all = Pairing::default().comparisons(&[one(4.0, 4.0), one(1.0, 1.0), one(2.0, 3.0)]);
        let told: Vec<_> = all
            .iter()
            .map(|c| (c.a, c.b, c.axis, c.preference))
            .collect();
        assert_eq!(
            told,
            [(0, 1, None, 1.0), (0, 2, None, 1.0), (1, 2, None, 0.0)]
        );
    }

    #[test]
    fn axes_are_judged_by_their_own_scores() {
        let pairing = Pairing {
            axes: JudgedOn::Both,
            ..Pairing::default()
        };
        assert_eq!(
            said(pairing, &[one(4.0, 1.0), one(1.0, 2.0)]),
            [(None, 1.0), (IF, 1.0), (VQ, 0.0)]
        );
    }

    #[test]
    fn an_overall_tie_of_opposite_axes_becomes_two_opposite_comparisons() {
        let tied = [one(4.0, 1.0), one(1.0, 4.0)];
        let with = |ties| Pairing {
            ties,
            ..Pairing::default()
        };
        assert_eq!(said(with(Ties::Disentangle), &tied), [(IF, 1.0), (VQ, 0.0)]);
        assert_eq!(said(with(Ties::Keep), &tied), [(None, 0.5)]);
        assert_eq!(said(with(Ties::Drop), &tied), []);
        // Nothing to take apart.
        assert_eq!(
            said(with(Ties::Disentangle), &[one(2.0, 2.0), one(2.0, 2.0)]),
            []
        );
    }

    #[test]
    fn taken_apart_where_axes_are_judged_anyway_nothing_is_said_twice() {
        let pairing = Pairing {
            axes: JudgedOn::Both,
            ..Pairing::default()
        };
        assert_eq!(
            said(pairing, &[one(4.0, 1.0), one(1.0, 4.0)]),
            [(IF, 1.0), (VQ, 0.0)]
        );
    }

    #[test]
    fn thirds_that_add_up_to_the_same_are_a_tie() {
        let a = candidate(&[("x", 3.0, 2.0), ("y", 2.0, 3.0), ("z", 2.0, 3.0)]);
        let b = candidate(&[("x", 2.0, 3.0), ("y", 2.0, 3.0), ("z", 2.0, 3.0)]);
        let pairing = Pairing {
            ties: Ties::Keep,
            ..Pairing::default()
        };
        assert_eq!(said(pairing, &[a, b]), [(None, 0.5)]);
    }

    #[test]
    fn soft_labels_are_the_share_of_annotators_with_the_undecided_counted_half() {
        let a = candidate(&[
            ("x", 4.0, 1.0),
            ("y", 3.0, 1.0),
            ("z", 2.0, 1.0),
            ("w", 4.0, 1.0),
        ]);
        let b = candidate(&[
            ("x", 1.0, 1.0),
            ("y", 3.0, 1.0),
            ("z", 3.0, 1.0),
            ("v", 1.0, 1.0),
        ]);
        let pairing = Pairing {
            axes: JudgedOn::Axes,
            labels: Labels::Soft,
            ties: Ties::Keep,
            ..Pairing::default()
        };
        // x prefers a, y neither, z prefers b; w and v saw only one of them.
        assert_eq!(said(pairing, &[a, b]), [(IF, 0.5), (VQ, 0.5)]);
        // Nobody saw both: of the four pairs of annotators three prefer a and one neither.
        let a = candidate(&[("p", 4.0, 1.0), ("q", 2.0, 1.0)]);
        let b = candidate(&[("r", 1.0, 1.0), ("s", 2.0, 1.0)]);
        assert_eq!(said(pairing, &[a, b])[0], (IF, 0.875));
    }

    #[test]
    fn pairs_that_people_are_not_sure_of_can_be_left_out() {
        let a = candidate(&[("x", 4.0, 2.0), ("y", 3.0, 2.0), ("z", 1.0, 2.0)]);
        let b = candidate(&[("x", 1.0, 2.0), ("y", 2.0, 2.0), ("z", 2.0, 2.0)]);
        let both = [a, b];
        let with = |least_difference, least_agreement| Pairing {
            axes: JudgedOn::Axes,
            least_difference,
            least_agreement,
            ..Pairing::default()
        };
        assert_eq!(said(with(1.0, 0.6), &both), [(IF, 1.0)]);
        assert_eq!(said(with(1.1, 0.0), &both), []);
        assert_eq!(said(with(0.0, 0.7), &both), []);
    }

    #[test]
    fn a_model_is_held_against_clear_differences_only() {
        let scores = human_scores(&[one(4.0, 1.0), one(1.0, 4.0), one(1.0, 1.0)]);
        let told: Vec<_> = clear_differences(&scores)
            .iter()
            .map(|c| (c.a, c.b, c.axis, c.preference))
            .collect();
        assert_eq!(
            told,
            [
                (0, 1, IF, 1.0),
                (0, 1, VQ, 0.0),
                (0, 2, None, 1.0),
                (0, 2, IF, 1.0),
                (1, 2, None, 1.0),
                (1, 2, VQ, 1.0),
            ]
        );
    }

    #[test]
    fn what_is_not_labelled_is_not_compared() {
        let mut half = one(3.0, 1.0);
        half.labels.retain(|l| l.axis == Axis::VisualQuality);
        let pairing = Pairing {
            axes: JudgedOn::Both,
            ..Pairing::default()
        };
        assert_eq!(said(pairing, &[one(4.0, 4.0), half]), [(VQ, 1.0)]);
    }
}
