//! What came of scoring many groups, in a few numbers: counts, and how the means of each axis lie. Parts that were counted apart
//! add up.

use serde::{Deserialize, Serialize};

use super::batch::{GroupScores, STOPPED};
use crate::domain::Reward;

/// So many of the candidates without a score are told with their reasons; the others are in a file.
const TOLD: usize = 20;

/// How many numbers there are, their mean, and how they lie about it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// How many.
    pub scores: u64,
    /// Their mean; 0 without any.
    pub mean: f64,
    /// Their standard deviation (over all of them, not an estimate for more); 0 without any.
    pub sd: f64,
}

impl Moments {
    /// Takes a number in.
    pub fn add(&mut self, x: f64) {
        self.join(&Self {
            scores: 1,
            mean: x,
            sd: 0.0,
        });
    }

    /// Takes in what was counted apart (Chan, Golub and LeVeque's update of the mean and the sum of squares).
    pub fn join(&mut self, other: &Self) {
        if other.scores == 0 {
            return;
        }
        let (n, m) = (self.scores as f64, other.scores as f64);
        let (all, apart) = (n + m, other.mean - self.mean);
        let squares = n * self.sd * self.sd + m * other.sd * other.sd + apart * apart * n * m / all;
        self.scores += other.scores;
        self.mean += apart * m / all;
        self.sd = (squares / all).sqrt();
    }
}

/// A candidate without a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The group's name.
    pub group: String,
    /// The candidate's name.
    pub candidate: String,
    /// Where its image is.
    pub image: String,
    /// Why there is no score.
    pub reason: String,
}

/// What came of scoring many groups.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Groups.
    pub groups: usize,
    /// Their candidates.
    pub candidates: usize,
    /// Candidates whose scores were computed now.
    pub computed: usize,
    /// Candidates whose scores were stored before.
    pub stored: usize,
    /// Candidates without a score.
    pub left_out: usize,
    /// The first of them, with the reasons.
    pub reasons: Vec<LeftOut>,
    /// The means on instruction following; none where the model has one head.
    #[serde(rename = "if")]
    pub instruction_following: Moments,
    /// The means on visual quality; none where the model has one head.
    #[serde(rename = "vq")]
    pub visual_quality: Moments,
    /// The aggregate means.
    pub aggregate: Moments,
}

impl Tally {
    /// Takes a reward in.
    pub fn reward(&mut self, reward: &Reward, stored: bool) {
        if stored {
            self.stored += 1;
        } else {
            self.computed += 1;
        }
        self.aggregate.add(reward.aggregate.mean);
        for (moments, axis) in [
            (
                &mut self.instruction_following,
                reward.instruction_following,
            ),
            (&mut self.visual_quality, reward.visual_quality),
        ] {
            if let Some(axis) = axis {
                moments.add(axis.mean);
            }
        }
    }

    /// Takes in a candidate without a score.
    pub fn miss(&mut self, left_out: LeftOut) {
        self.left_out += 1;
        if self.reasons.len() < TOLD {
            self.reasons.push(left_out);
        }
    }

    /// Takes a group in; those of its candidates that have no score, but for those that a stop came before.
    pub(super) fn group(&mut self, scores: &GroupScores) -> Vec<LeftOut> {
        self.groups += 1;
        self.candidates += scores.candidates.len();
        let mut left_out = Vec::new();
        for (candidate, scored) in scores.group.candidates.iter().zip(&scores.candidates) {
            match scored {
                Ok(scored) => self.reward(&scored.reward, scored.stored),
                Err(reason) if reason == STOPPED => {}
                Err(reason) => left_out.push(LeftOut {
                    group: scores.group.key.clone(),
                    candidate: candidate.key.clone(),
                    image: candidate.image.0.clone(),
                    reason: reason.clone(),
                }),
            }
        }
        for one in &left_out {
            self.miss(one.clone());
        }
        left_out
    }

    /// Takes in what was counted apart.
    pub fn join(&mut self, other: &Self) {
        self.groups += other.groups;
        self.candidates += other.candidates;
        self.computed += other.computed;
        self.stored += other.stored;
        self.left_out += other.left_out;
        let room = TOLD.saturating_sub(self.reasons.len());
        self.reasons
            .extend(other.reasons.iter().take(room).cloned());
        self.instruction_following
            .join(&other.instruction_following);
        self.visual_quality.join(&other.visual_quality);
        self.aggregate.join(&other.aggregate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let numbers = [3.0, -1.25, 0.5, 8.0, 8.0, -100.0, 1e-3];
        let of = |numbers: &[f64]| {
            let mut moments = Moments::default();
            for x in numbers {
                moments.add(*x);
            }
            moments
        };
        let mean = numbers.iter().sum::<f64>() / 7.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 7.0;
        for cut in 0..=7 {
            let mut joined = of(&numbers[..cut]);
            joined.join(&of(&numbers[cut..]));
            assert_eq!(joined.scores, 7);
            assert!((joined.mean - mean).abs() < 1e-12, "{cut}");
            assert!((joined.sd - variance.sqrt()).abs() < 1e-12, "{cut}");
        }
    }
}
