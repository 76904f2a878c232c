//! Many groups in a row, for a command: every candidate's reward or the reason there is none, in order.
//!
//! It prints nothing and knows no file format; it takes groups from wherever they come and hands results back.

use std::ops::ControlFlow;
use std::path::Path;

use super::group::{Outcome, Place, Shelf, score_group};
use crate::data::Workspace;
use crate::domain::{Gaussian, Group, Reward};
use crate::model::Judge;

/// Where the groups of a batch belong.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The folder that relative image paths start from.
    pub root: &'a Path,
    /// The workspace that the groups are in: rewards found there are not computed again, new ones are kept there. `None` for
    /// groups that belong to none.
    pub store: Option<&'a Workspace>,
}

impl<'a> Batch<'a> {
    fn place(self) -> Place<'a> {
        Place {
            root: self.root,
            shelf: self.store.map(|store| store as &dyn Shelf),
        }
    }
}

/// A reward and where it came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What the model says.
    pub reward: Reward,
    /// Found in the workspace, not computed now.
    pub stored: bool,
}

/// What came of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupScores {
    /// The group.
    pub group: Group,
    /// For each candidate its reward, or why it has none.
    pub candidates: Vec<Result<Scored, String>>,
    /// What is wrong with the group as a whole, its source or its instruction.
    pub problem: Option<String>,
}

impl GroupScores {
    /// How many candidates have no reward.
    pub fn left_out(&self) -> usize {
        self.candidates.iter().filter(|c| c.is_err()).count()
    }

    /// The aggregate of each candidate that has one.
    pub fn aggregates(&self) -> Vec<Option<Gaussian>> {
        self.candidates
            .iter()
            .map(|c| c.as_ref().ok().map(|s| s.reward.aggregate))
            .collect()
    }
}

/// One step of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Candidates done in this step: one, or all that a group still had when its source or instruction turned out wrong.
    pub candidates: usize,
    /// Found in the workspace, not computed now.
    pub stored: bool,
}

/// Scores `groups` one after the other. `on_progress` hears of each candidate and may stop the batch after it; the group in
/// hand is then returned as far as it came, and nothing of the rest.
pub fn score_groups<E>(
    judge: &mut dyn Judge,
    groups: impl IntoIterator<Item = Result<Group, E>>,
    batch: Batch<'_>,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<GroupScores>, E> {
    let mut done = Vec::new();
    for group in groups {
        let (scores, flow) = score_one(judge, group?, batch.place(), on_progress);
        done.push(scores);
        if flow.is_break() {
            break;
        }
    }
    Ok(done)
}

/// Why a candidate has no reward that a stop came before.
pub(super) const STOPPED: &str = "stopped before it was scored";

/// Scores one group. When this breaks off, the candidates that it did not come to have [`STOPPED`] for a reason.
pub(super) fn score_one(
    judge: &mut dyn Judge,
    group: Group,
    place: Place<'_>,
    on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> (GroupScores, ControlFlow<()>) {
    let mut candidates: Vec<Option<Result<Scored, String>>> = vec![None; group.candidates.len()];
    let mut problem = None;
    let mut flow = score_group(judge, &group, place, &mut |outcome| match outcome {
        Outcome::Scored {
            index,
            reward,
            stored,
        } => {
            candidates[index] = Some(Ok(Scored { reward, stored }));
            on_progress(Progress {
                candidates: 1,
                stored,
            })
        }
        Outcome::Failed {
            index: Some(index),
            message,
        } => {
            candidates[index] = Some(Err(message));
            on_progress(Progress {
                candidates: 1,
                stored: false,
            })
        }
        Outcome::Failed {
            index: None,
            message,
        } => {
            problem = Some(message);
            ControlFlow::Continue(())
        }
    });
    let given_up = candidates.iter().filter(|c| c.is_none()).count();
    if given_up > 0 && flow.is_continue() {
        flow = on_progress(Progress {
            candidates: given_up,
            stored: false,
        });
    }
    let reason = match (&problem, flow) {
        (Some(problem), _) => problem.as_str(),
        (None, ControlFlow::Break(())) => STOPPED,
        (None, ControlFlow::Continue(())) => "the model gave no score and no reason",
    };
    let candidates = candidates
        .into_iter()
        .map(|c| c.unwrap_or_else(|| Err(reason.to_owned())))
        .collect();
    let scores = GroupScores {
        group,
        candidates,
        problem,
    };
    (scores, flow)
}
