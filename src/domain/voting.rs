//! From votes to comparisons: what the votes on a pair come to, where no labels decide.
//!
//! Where both candidates of a pair have labels, these say more than a vote does (how much better, on which axis) and are what
//! the published training uses. Votes speak for the pairs that have none.

use std::collections::BTreeMap;

use super::{
    Axis, Comparison, Group, JudgedOn, Labels, Pairing, Ties, Vote, clear_differences, human_scores,
};

/// Shares this close to one half are a tie.
const ROUNDING: f64 = 1e-9;

/// A pair of positions, the smaller first, and the axis (overall before the two).
type Asked = (usize, usize, Option<Axis>);

/// What the votes on one question come to.
#[derive(Debug, Clone, Copy, Default)]
struct Poll {
    /// Votes for the first, ties half.
    first: f64,
    /// All votes.
    all: f64,
    /// The least confidence that was told.
    confidence: Option<f64>,
}

impl Poll {
    fn add(&mut self, vote: &Vote) {
        match vote.counts {
            Some([a, b]) if a + b > 0.0 => {
                self.first += a;
                self.all += a + b;
            }
            _ => {
                self.first += vote.choice.preference();
                self.all += 1.0;
            }
        }
        let told = [self.confidence, vote.confidence];
        self.confidence = told.into_iter().flatten().reduce(f64::min);
    }

    /// The share that prefers the first.
    fn share(&self) -> f64 {
        self.first / self.all
    }

    fn tied(&self) -> bool {
        (self.share() - 0.5).abs() < ROUNDING
    }
}

fn polls(votes: &[Vote]) -> BTreeMap<Asked, Poll> {
    let mut polls: BTreeMap<Asked, Poll> = BTreeMap::new();
    for vote in votes {
        let vote = if vote.a < vote.b {
            vote.clone()
        } else {
            vote.clone().turned()
        };
        let asked = (vote.a, vote.b, vote.axis);
        polls.entry(asked).or_default().add(&vote);
    }
    polls
}

impl Pairing {
    /// The comparisons of a group: from labels, and from votes for the questions that labels do not answer.
    pub fn of_group(&self, group: &Group) -> Vec<Comparison> {
        let mut all = self.comparisons(&group.candidates);
        let scores = human_scores(&group.candidates);
        for ((a, b, axis), poll) in polls(&group.votes) {
            let labelled = |i: usize| {
                scores
                    .get(i)
                    .and_then(|s| axis.map_or(s.overall(), |axis| s.on(axis)))
                    .is_some()
            };
            let asked = match self.axes {
                JudgedOn::Overall => axis.is_none(),
                JudgedOn::Axes => axis.is_some(),
                JudgedOn::Both => true,
            };
            if asked && !(labelled(a) && labelled(b)) {
                all.extend(self.polled(a, b, axis, poll));
            }
        }
        all
    }

    fn polled(&self, a: usize, b: usize, axis: Option<Axis>, poll: Poll) -> Option<Comparison> {
        let (share, tied) = (poll.share(), poll.tied());
        if tied && self.ties != Ties::Keep {
            return None;
        }
        let sure = poll.confidence.unwrap_or(share.max(1.0 - share));
        if !tied && sure < self.least_agreement - ROUNDING {
            return None;
        }
        let hard = if tied { 0.5 } else { share.round() };
        Some(Comparison {
            preference: match self.labels {
                Labels::Hard => hard,
                Labels::Soft => share,
            },
            ..Comparison::strict(a, b, axis)
        })
    }
}

/// What an evaluation holds a model against: every clear difference of mean labels, and where a pair has none on a question,
/// every clear majority of votes.
pub fn clear_judgements(group: &Group) -> Vec<Comparison> {
    let strict = Pairing {
        axes: JudgedOn::Both,
        labels: Labels::Hard,
        ties: Ties::Drop,
        least_difference: 0.0,
        least_agreement: 0.0,
    };
    let labelled = strict.comparisons(&group.candidates).len();
    let mut all = clear_differences(&human_scores(&group.candidates));
    all.extend(strict.of_group(group).into_iter().skip(labelled));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Candidate, CandidateId, Choice, GroupId, ImageRef, Label};

    fn vote(a: usize, b: usize, who: &str, choice: Choice) -> Vote {
        Vote {
            a,
            b,
            annotator: who.into(),
            axis: None,
            choice,
            counts: None,
            confidence: None,
            simulated: false,
        }
    }

    fn group(votes: Vec<Vote>) -> Group {
        let candidate =
            |id| Candidate::new(CandidateId(id), format!("c{id}"), ImageRef("x".into()));
        let source = ImageRef("s".into());
        let candidates = (0..3).map(candidate).collect();
        Group {
            votes,
            ..Group::new(GroupId(1), "g", source, "x", candidates)
        }
    }

    fn told(all: &[Comparison]) -> Vec<(usize, usize, f64)> {
        all.iter().map(|c| (c.a, c.b, c.preference)).collect()
    }

    #[test]
    fn the_majority_wins_whichever_way_a_vote_names_the_two() {
        let group = group(vec![
            vote(0, 1, "x", Choice::A),
            vote(1, 0, "y", Choice::B),
            vote(0, 1, "z", Choice::B),
            vote(2, 0, "x", Choice::A),
        ]);
        let hard = Pairing::default();
        assert_eq!(told(&hard.of_group(&group)), [(0, 1, 1.0), (0, 2, 0.0)]);
        let soft = Pairing {
            labels: Labels::Soft,
            ..hard
        };
        assert_eq!(told(&soft.of_group(&group))[0], (0, 1, 2.0 / 3.0));
        let sure = Pairing {
            least_agreement: 0.9,
            ..hard
        };
        assert_eq!(told(&sure.of_group(&group)), [(0, 2, 0.0)]);
        assert_eq!(told(&clear_judgements(&group)), [(0, 1, 1.0), (0, 2, 0.0)]);
    }

    #[test]
    fn ties_of_every_kind_are_kept_only_when_asked_for() {
        let group = group(vec![
            vote(0, 1, "x", Choice::BothBad),
            vote(0, 2, "x", Choice::A),
            vote(0, 2, "y", Choice::B),
        ]);
        assert!(Pairing::default().of_group(&group).is_empty());
        let keep = Pairing {
            ties: Ties::Keep,
            ..Pairing::default()
        };
        assert_eq!(told(&keep.of_group(&group)), [(0, 1, 0.5), (0, 2, 0.5)]);
    }

    #[test]
    fn published_counts_and_confidence_are_taken_at_their_word() {
        let mut counted = vote(0, 1, "set", Choice::A);
        counted.counts = Some([3.0, 1.0]);
        counted.confidence = Some(0.6);
        let group = group(vec![counted]);
        let soft = Pairing {
            labels: Labels::Soft,
            ..Pairing::default()
        };
        assert_eq!(told(&soft.of_group(&group)), [(0, 1, 0.75)]);
        let sure = Pairing {
            least_agreement: 0.7,
            ..soft
        };
        assert!(sure.of_group(&group).is_empty());
    }

    #[test]
    fn labels_decide_where_both_have_them() {
        let mut group = group(vec![vote(0, 1, "x", Choice::B), vote(1, 2, "x", Choice::A)]);
        for (i, score) in [(0, 4.0), (1, 2.0)] {
            for axis in Axis::ALL {
                group.candidates[i].labels.push(Label {
                    annotator: "x".into(),
                    axis,
                    score,
                    simulated: false,
                });
            }
        }
        let overall = Pairing::default().of_group(&group);
        assert_eq!(told(&overall), [(0, 1, 1.0), (1, 2, 1.0)]);
        let truth = clear_judgements(&group);
        assert_eq!(truth.iter().filter(|c| c.axis.is_none()).count(), 2);
        assert_eq!(truth.len(), 4);
    }
}
