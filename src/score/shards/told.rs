//! What was scored in the shards of a run, group by group, for whoever makes something else of it than scores in a workspace.

use std::collections::HashMap;

use super::files::{Plan, Scores};
use crate::domain::{CandidateId, Group, Reward};
use crate::runs::Folder;
use crate::runs::shards::{PART, WHOLE, each, is_done};
use crate::score::batch::{GroupScores, Scored};
use crate::score::run::ScoreError;

/// What was scored, by the names of groups.
#[derive(Debug, Default)]
pub struct Told {
    groups: HashMap<String, One>,
}

/// What came of a group, by the names of its candidates.
#[derive(Debug)]
struct One {
    rewards: HashMap<String, Reward>,
    reasons: HashMap<String, String>,
    problem: Option<String>,
}

impl Told {
    /// Reads all that there is, also of shards that are not scored to the end.
    pub fn read(folder: &Folder) -> Result<Self, ScoreError> {
        let mut told = Self::default();
        for shard in 0..Plan::read(folder)?.shards {
            let whole = is_done(folder, shard);
            let file = folder.shard_file(shard, if whole { WHOLE } else { PART });
            each(&file, !whole, &mut |scores: Scores| {
                told.take(scores);
                Ok::<_, ScoreError>(())
            })?;
        }
        Ok(told)
    }

    fn take(&mut self, scores: Scores) {
        let rewards = scores.candidates.iter();
        let rewards = rewards.map(|score| (score.candidate.clone(), score.reward()));
        let reasons = scores.left_out.into_iter();
        let one = One {
            rewards: rewards.collect(),
            reasons: reasons.map(|one| (one.candidate, one.reason)).collect(),
            problem: scores.problem,
        };
        self.groups.insert(scores.group, one);
    }

    /// What came of a group; `stored` are rewards that were known before. `None` where no shard has come to it.
    pub fn of(&self, group: &Group, stored: &HashMap<CandidateId, Reward>) -> Option<GroupScores> {
        let one = self.groups.get(&group.key);
        let known = |id: &CandidateId| stored.contains_key(id);
        if one.is_none() && !group.candidates.iter().all(|c| known(&c.id)) {
            return None;
        }
        let candidates = group.candidates.iter().map(|candidate| {
            let scored = |reward: &Reward| Scored {
                reward: *reward,
                stored: true,
            };
            let told = one.and_then(|one| one.rewards.get(&candidate.key));
            if let Some(reward) = told.or_else(|| stored.get(&candidate.id)) {
                return Ok(scored(reward));
            }
            let reason =
                one.and_then(|one| one.reasons.get(&candidate.key).or(one.problem.as_ref()));
            Err(reason
                .map_or("it was not among what was scored", |why| why)
                .to_owned())
        });
        Some(GroupScores {
            candidates: candidates.collect(),
            group: group.clone(),
            problem: one.and_then(|one| one.problem.clone()),
        })
    }
}
