//! A group: one source image, one instruction, and the candidates that editors made of them.

use serde::{Deserialize, Serialize};

use super::{Label, Rating, Vote};

/// A group's number within its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub i64);

/// A candidate's number within its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CandidateId(pub i64);

/// Where an image is: a path, relative to the root of its workspace or absolute. Images stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageRef(pub String);

impl ImageRef {
    /// What stands for the source of a group that has none: text-to-image data, which is kept for its preferences.
    pub const NONE: &str = "";

    /// Whether there is no image.
    pub fn is_none(&self) -> bool {
        self.0 == Self::NONE
    }
}

/// One edited image, with what is known of how it came to be and how people judged it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number in the workspace.
    pub id: CandidateId,
    /// Its name within the group, as the data set calls it ("a", "flux-1", …).
    pub key: String,
    /// The edited image.
    pub image: ImageRef,
    /// The editor model that made it, if known.
    pub editor: Option<String>,
    /// The seed it was made with, if known.
    pub seed: Option<u64>,
    /// For constructed data, the fault that was put in, in words; `None` for real edits.
    pub fault: Option<String>,
    /// Human labels, real or (marked) simulated.
    pub labels: Vec<Label>,
    /// Judgements on other scales than 1-4, as published.
    pub ratings: Vec<Rating>,
}

/// One source image, one instruction, several candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its number in the workspace.
    pub id: GroupId,
    /// Its name in the data set.
    pub key: String,
    /// The image before the edit.
    pub source: ImageRef,
    /// What was asked for. Text from data: pass it through [`text::printable`](super::text::printable) before a terminal sees it.
    pub instruction: String,
    /// The kind of edit ("colour", "remove", …), if known.
    pub category: Option<String>,
    /// The data set that it came with, if known.
    pub set: Option<String>,
    /// The part of the data that it was put in ("train", "validation", "test", …), if any.
    pub split: Option<String>,
    /// The edited images, in the order of the data set.
    pub candidates: Vec<Candidate>,
    /// What people said of two candidates at a time.
    pub votes: Vec<Vote>,
}

impl Candidate {
    /// One of which nothing is known but its image.
    pub fn new(id: CandidateId, key: impl Into<String>, image: ImageRef) -> Self {
        Self {
            id,
            key: key.into(),
            image,
            editor: None,
            seed: None,
            fault: None,
            labels: Vec::new(),
            ratings: Vec::new(),
        }
    }
}

impl Group {
    /// One with candidates of which no more is known.
    pub fn new(
        id: GroupId,
        key: impl Into<String>,
        source: ImageRef,
        instruction: impl Into<String>,
        candidates: Vec<Candidate>,
    ) -> Self {
        Self {
            id,
            key: key.into(),
            source,
            instruction: instruction.into(),
            category: None,
            set: None,
            split: None,
            candidates,
            votes: Vec::new(),
        }
    }

    /// Leaves out the candidates that are not `wanted`, and what was said of pairs that had one of them.
    pub fn keep(&mut self, wanted: &dyn Fn(CandidateId) -> bool) {
        let mut next = 0;
        let places: Vec<Option<usize>> = self
            .candidates
            .iter()
            .map(|candidate| {
                wanted(candidate.id).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        self.candidates.retain(|candidate| wanted(candidate.id));
        let place = |at: usize| places.get(at).copied().flatten();
        self.votes.retain_mut(|vote| {
            let (Some(a), Some(b)) = (place(vote.a), place(vote.b)) else {
                return false;
            };
            (vote.a, vote.b) = (a, b);
            true
        });
    }
}

/// What a list of groups shows of one, small enough to hold for hundreds of thousands of them.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSummary {
    /// The group's number in the workspace.
    pub id: GroupId,
    /// Its name in the data set.
    pub key: String,
    /// What was asked for (unsanitised).
    pub instruction: String,
    /// The kind of edit, if known.
    pub category: Option<String>,
    /// How many candidates it has.
    pub candidates: usize,
    /// How far its annotators agree; `None` without labels by two people or more.
    pub agreement: Option<f64>,
    /// Stored aggregate means of its candidates under the model in use, in candidate order; `None` where not scored.
    pub scores: Vec<Option<f32>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Choice;

    #[test]
    fn votes_follow_the_candidates_that_are_kept() {
        let candidate =
            |id: i64| Candidate::new(CandidateId(id), id.to_string(), ImageRef("x".into()));
        let candidates = (1..=4).map(candidate).collect();
        let mut group = Group::new(GroupId(1), "g", ImageRef("s".into()), "x", candidates);
        let vote = |a, b| Vote {
            a,
            b,
            annotator: "ann".into(),
            axis: None,
            choice: Choice::A,
            counts: None,
            confidence: None,
            simulated: false,
        };
        group.votes = vec![vote(0, 1), vote(1, 3), vote(2, 3)];
        group.keep(&|id| id.0 % 2 == 0);
        let kept: Vec<i64> = group.candidates.iter().map(|c| c.id.0).collect();
        assert_eq!(kept, [2, 4]);
        assert_eq!(group.votes, [vote(0, 1)]);
    }
}
