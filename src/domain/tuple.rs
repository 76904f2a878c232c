//! Tuples: K candidates of a group in a strict order of preference, which a scorer has right only if it has every pair right.
//!
//! The paper's benchmark (appendix A.3) takes strict orders from labels, the hard ones first: those whose scores lie closest.

use super::{Candidate, Group, HumanScore, clear_judgements, human_scores};

/// Differences of mean scores below this are rounding: thirds do not add up exactly.
const ROUNDING: f64 = 1e-9;

/// K candidates in a strict order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuple {
    /// Positions in the group, the best first.
    pub order: Vec<usize>,
    /// The mean difference of overall scores between neighbours in the order, in points; small is hard. Infinite where the
    /// order comes from votes on candidates that nobody scored.
    pub difference: f64,
}

/// A candidate's score overall: the sum of its mean labels (2-8), else the mean of its ratings of that name.
pub fn overall_score(candidate: &Candidate, human: &HumanScore) -> Option<f64> {
    human.overall().or_else(|| {
        let ratings = candidate.ratings.iter().filter(|r| r.name == "overall");
        let values: Vec<f64> = ratings.map(|r| r.value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    })
}

/// Every strict order of `k` (2 or more) of a group's candidates, the hardest first; equally hard ones in the order of their
/// positions. A pair is ordered by mean overall label (IF + VQ), or where labels are missing by the majority of votes; an order
/// is strict when no pair in it is tied or unjudged, and there is none where votes go in a circle.
pub fn tuples(group: &Group, k: usize) -> Vec<Tuple> {
    let human = human_scores(&group.candidates);
    let scores: Vec<Option<f64>> = group
        .candidates
        .iter()
        .zip(&human)
        .map(|(candidate, human)| overall_score(candidate, human))
        .collect();
    let count = group.candidates.len();
    let mut better = vec![vec![false; count]; count];
    for judged in clear_judgements(group) {
        if judged.axis.is_none() {
            let (a, b) = (judged.a, judged.b);
            let (first, second) = if judged.preference > 0.5 {
                (a, b)
            } else {
                (b, a)
            };
            better[first][second] = true;
        }
    }
    let mut all = Vec::new();
    if k >= 2 {
        let mut begun = Vec::with_capacity(k);
        extend(&better, &scores, k, &mut begun, &mut all);
    }
    // Rounded, so that equally hard ones compare as equal: what differs by rounding alone is no harder.
    let hardness = |tuple: &Tuple| (tuple.difference / ROUNDING).round();
    let positions = |tuple: &Tuple| {
        let mut order = tuple.order.clone();
        order.sort_unstable();
        order
    };
    all.sort_by(|a, b| {
        let harder = hardness(a).total_cmp(&hardness(b));
        harder.then_with(|| positions(a).cmp(&positions(b)))
    });
    all
}

/// Appends every strict order that begins with `begun`, which is one.
fn extend(
    better: &[Vec<bool>],
    scores: &[Option<f64>],
    k: usize,
    begun: &mut Vec<usize>,
    all: &mut Vec<Tuple>,
) {
    if begun.len() == k {
        let ends = scores[begun[0]].zip(scores[begun[k - 1]]);
        all.push(Tuple {
            order: begun.clone(),
            difference: ends.map_or(f64::INFINITY, |(best, worst)| {
                (best - worst) / (k - 1) as f64
            }),
        });
        return;
    }
    for next in 0..better.len() {
        if begun.iter().all(|before| better[*before][next]) {
            begun.push(next);
            extend(better, scores, k, begun, all);
            begun.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Axis, CandidateId, Choice, GroupId, ImageRef, Label, Vote};

    fn group(overall: &[Option<f64>]) -> Group {
        let label = |axis, score| Label {
            annotator: "x".into(),
            axis,
            score,
            simulated: false,
        };
        let candidates = overall
            .iter()
            .map(|score| {
                let mut candidate = Candidate::new(CandidateId(1), "a", ImageRef("a".into()));
                if let Some(score) = score {
                    for axis in Axis::ALL {
                        candidate.labels.push(label(axis, score / 2.0));
                    }
                }
                candidate
            })
            .collect();
        Group::new(GroupId(1), "g", ImageRef("s".into()), "x", candidates)
    }

    fn orders(overall: &[Option<f64>], k: usize) -> Vec<Vec<usize>> {
        let all = tuples(&group(overall), k);
        all.into_iter().map(|t| t.order).collect()
    }

    #[test]
    fn the_closest_come_first_and_equals_are_in_no_order() {
        let scores = [Some(4.0), Some(8.0), None, Some(5.0), Some(4.0)];
        assert_eq!(orders(&scores, 2), [[3, 0], [3, 4], [1, 3], [1, 0], [1, 4]]);
        assert_eq!(orders(&scores, 3), [[1, 3, 0], [1, 3, 4]]);
        assert!(orders(&scores, 4).is_empty());
    }

    #[test]
    fn the_difference_is_the_mean_one_between_neighbours() {
        let all = tuples(&group(&[Some(8.0), Some(2.0), Some(5.0)]), 3);
        assert_eq!(all.len(), 1);
        assert!((all[0].difference - 3.0).abs() < 1e-12);
    }

    #[test]
    fn fewer_than_two_are_no_tuple() {
        assert!(orders(&[Some(8.0), Some(2.0)], 1).is_empty());
        assert!(orders(&[Some(8.0)], 2).is_empty());
        assert!(orders(&[], 2).is_empty());
    }

    #[test]
    fn votes_order_what_nobody_labelled_and_a_circle_is_no_order() {
        let mut group = group(&[None, None, None]);
        let vote = |a, b| Vote {
            a,
            b,
            annotator: "x".into(),
            axis: None,
            choice: Choice::A,
            counts: None,
            confidence: None,
            simulated: false,
        };
        group.votes = vec![vote(2, 0), vote(0, 1), vote(2, 1)];
        let all = tuples(&group, 3);
        assert_eq!(all[0].order, [2, 0, 1]);
        assert!(all[0].difference.is_infinite());
        group.votes[2] = vote(1, 2);
        assert!(tuples(&group, 3).is_empty());
        assert_eq!(tuples(&group, 2).len(), 3);
    }
}
