//! What the lines of a run say that is scored in shards, a group each, and what its plan does; the files themselves are the runs
//! module's.
//!
//! ```text
//! plan.json           what all who work on shards need to know                                    [`Plan`]
//! 000.in.jsonl        what is to be scored                                                          [`Item`]
//! 000.done.jsonl      what was scored                                                             [`Scores`]
//! 000.merged.json     that these scores are in the workspace, and what they add up to
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::run::ScoreError;
use super::super::tally::{LeftOut, Tally};
use crate::domain::{CandidateId, Gaussian, GroupId, Reward};
use crate::runs::Folder;
use crate::runs::shards;

/// What all who work on shards need to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How many shards there are.
    pub shards: usize,
    /// The folder that relative image paths start from, which is the workspace's where the groups are of one.
    pub root: PathBuf,
    /// The model's folder.
    pub model: PathBuf,
    /// The model's fingerprint: scores of another are not what was planned.
    pub fingerprint: String,
    /// What was stored already, with all groups and candidates counted.
    pub known: Tally,
    /// How many candidates are to be scored.
    pub wanted: usize,
}

/// A group, with the candidates that have no score yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// Its number in the workspace.
    pub(super) id: GroupId,
    /// Its name.
    pub(super) group: String,
    /// The image before the edit: absolute, or below the root.
    pub(super) source: String,
    /// What was asked for.
    pub(super) instruction: String,
    /// What is to be scored.
    pub(super) candidates: Vec<ItemCandidate>,
}

/// A candidate without a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ItemCandidate {
    /// Its number in the workspace.
    pub(super) id: CandidateId,
    /// Its name within the group.
    pub(super) candidate: String,
    /// The edited image: absolute, or below the root.
    pub(super) image: String,
}

/// What came of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scores {
    /// Its number in the workspace.
    pub(super) id: GroupId,
    /// Its name.
    pub(super) group: String,
    /// What was asked for.
    pub(super) instruction: String,
    /// The hash of the source's content; empty where nothing was scored.
    pub(super) source: String,
    /// The scores.
    #[serde(rename = "scores")]
    pub(super) candidates: Vec<CandidateScore>,
    /// What has none.
    pub(super) left_out: Vec<LeftOut>,
    /// What is wrong with the group as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// The score of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CandidateScore {
    /// Its number in the workspace.
    pub(super) id: CandidateId,
    /// Its name within the group.
    pub(super) candidate: String,
    /// The hash of its image's content.
    pub(super) image: String,
    /// Instruction following; null where the model has one head.
    #[serde(rename = "if")]
    pub(super) instruction_following: Option<Gaussian>,
    /// Visual quality; null where the model has one head.
    #[serde(rename = "vq")]
    pub(super) visual_quality: Option<Gaussian>,
    /// Both together.
    pub(super) aggregate: Gaussian,
}

impl CandidateScore {
    /// As the model gave it.
    pub(super) fn reward(&self) -> Reward {
        Reward {
            instruction_following: self.instruction_following,
            visual_quality: self.visual_quality,
            aggregate: self.aggregate,
        }
    }
}

/// The ending of the file that says that a shard was taken in.
pub(super) const MERGED: &str = "merged.json";

impl Plan {
    /// The plan of a run.
    pub fn read(folder: &Folder) -> Result<Self, ScoreError> {
        Ok(shards::read_plan(folder)?)
    }
}
