//! What follows from a group's rewards and labels: who is probably best, who beats whom, who stands where for the model and
//! for people. Computed once per change, off the loop, since P(best) is an integral.

use std::collections::HashMap;

use crate::domain::{
    CandidateId, Gaussian, Group, HumanScore, Reward, human_scores, p_best, p_prefer, ranks, stats,
};

/// Everything in candidate order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Judgement {
    /// The probability that it is the best of those with a reward.
    pub(crate) best: Vec<Option<f64>>,
    /// P(row ≻ column) by the aggregate; not a number where one of them has none.
    pub(crate) prefer: Vec<Vec<f64>>,
    /// The model's rank by the aggregate's mean.
    pub(crate) model_ranks: Vec<Option<usize>>,
    /// People's mean labels.
    pub(crate) human: Vec<HumanScore>,
    /// People's rank by the sum of both axes.
    pub(crate) human_ranks: Vec<Option<usize>>,
    /// Rank correlation of the two over candidates that have both.
    pub(crate) correlation: Option<f64>,
    /// Whether any label was made by a program.
    pub(crate) simulated: bool,
}

impl Judgement {
    /// Judges a group by the rewards known so far.
    pub(crate) fn of(group: &Group, rewards: &HashMap<CandidateId, Reward>) -> Self {
        let scores: Vec<Option<Gaussian>> = group
            .candidates
            .iter()
            .map(|c| rewards.get(&c.id).map(|r| r.aggregate))
            .collect();
        let known: Vec<Gaussian> = scores.iter().flatten().copied().collect();
        let mut chances = p_best(&known).into_iter();
        let best = scores
            .iter()
            .map(|score| score.and_then(|_| chances.next()))
            .collect();
        let prefer = scores
            .iter()
            .map(|a| {
                scores
                    .iter()
                    .map(|b| match (a, b) {
                        (Some(a), Some(b)) => p_prefer(*a, *b),
                        _ => f64::NAN,
                    })
                    .collect()
            })
            .collect();
        let means: Vec<Option<f64>> = scores.iter().map(|s| s.map(|s| s.mean)).collect();
        let human = human_scores(&group.candidates);
        let overall: Vec<Option<f64>> = human.iter().map(HumanScore::overall).collect();
        let (both_model, both_human): (Vec<f64>, Vec<f64>) = means
            .iter()
            .zip(&overall)
            .filter_map(|(m, h)| Some(((*m)?, (*h)?)))
            .unzip();
        Self {
            best,
            prefer,
            model_ranks: ranks(&means),
            human_ranks: ranks(&overall),
            human,
            // Of two, a rank correlation is always +1 or -1, which says nothing and looks like much.
            correlation: (both_model.len() > 2)
                .then(|| stats::spearman(&both_model, &both_human).ok())
                .flatten(),
            simulated: group
                .candidates
                .iter()
                .any(|c| c.labels.iter().any(|l| l.simulated)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn a_group_without_rewards_has_human_ranks_only() {
        let judgement = Judgement::of(&sample::group(1, 3), &HashMap::new());
        assert_eq!(judgement.best, [None, None, None]);
        assert_eq!(judgement.model_ranks, [None, None, None]);
        assert_eq!(judgement.human_ranks[0], Some(1));
        assert!(judgement.simulated);
    }

    #[test]
    fn chances_go_to_the_scored_candidates_and_sum_to_one() {
        let group = sample::group(1, 4);
        let mut rewards = sample::rewards(&group);
        rewards.remove(&group.candidates[1].id);
        let judgement = Judgement::of(&group, &rewards);
        assert_eq!(judgement.best[1], None);
        let sum: f64 = judgement.best.iter().flatten().sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert!(judgement.prefer[0][1].is_nan());
        assert!((judgement.prefer[0][0] - 0.5).abs() < 1e-12);
    }
}
