//! A reward model as a benchmark's scorer.

use std::ops::ControlFlow;
use std::path::Path;

use crate::bench::{Answer, Ask, Case, Said, Score, Scorer, ScorerInfo, Unscored};
use crate::data::Workspace;
use crate::domain::{Candidate, CandidateId, Group, GroupId, Reward};
use crate::model::Judge;
use crate::score::{Batch, GroupScores, score_groups};

/// A model that scores cases; where they are groups of a workspace, stored scores are used and new ones are kept.
pub(super) struct Model<J> {
    judge: J,
    name: String,
    workspace: Option<Workspace>,
}

impl<J: Judge> Model<J> {
    /// What people call the model, and the workspace that the cases are groups of, if they are.
    pub(super) fn new(judge: J, name: String, workspace: Option<Workspace>) -> Self {
        Self {
            judge,
            name,
            workspace,
        }
    }

    fn answer(&mut self, case: &Case, root: &Path) -> Answer {
        let workspace = self.workspace.as_ref();
        let (group, edits) = match group_of(case, workspace) {
            Ok(found) => found,
            Err(reason) => return nothing(case, reason),
        };
        let batch = Batch {
            root: workspace.map_or(root, Workspace::root),
            store: workspace,
        };
        let one = std::iter::once(Ok::<_, std::convert::Infallible>(group));
        let scored = score_groups(&mut self.judge, one, batch, &mut |_| {
            ControlFlow::Continue(())
        });
        let Ok(mut scored) = scored;
        match scored.pop() {
            Some(scores) => answer_of(case, &edits, scores),
            None => nothing(case, "the model gave no answer".into()),
        }
    }
}

/// No answer, and why.
pub(super) fn nothing(case: &Case, reason: String) -> Answer {
    let unparsed = false;
    Answer::new(case.id.clone(), Said::Nothing { reason, unparsed })
}

/// The group of a case, and for each of its candidates the edit that it is; `workspace` is there where cases are its groups.
pub(super) fn group_of(
    case: &Case,
    workspace: Option<&Workspace>,
) -> Result<(Group, Vec<usize>), String> {
    if let Some(workspace) = workspace {
        let found = workspace.groups_by_key(std::slice::from_ref(&case.id));
        let id = found
            .map_err(|e| e.to_string())?
            .into_iter()
            .next()
            .flatten();
        let group = id.map(|id| workspace.group(id)).transpose();
        if let Some(Some(group)) = group.map_err(|e| e.to_string())? {
            let all = (0..group.candidates.len()).collect();
            return Ok((group, all));
        }
        return Err("the workspace no longer has this group".into());
    }
    let Some(source) = &case.source else {
        return Err("the data names no source image".into());
    };
    let (mut candidates, mut edits) = (Vec::new(), Vec::new());
    for (i, edit) in case.edits.iter().enumerate() {
        if let Some(image) = &edit.image {
            edits.push(i);
            candidates.push(Candidate {
                editor: edit.editor.clone(),
                ..Candidate::new(CandidateId(i as i64), i.to_string(), image.clone())
            });
        }
    }
    if candidates.is_empty() {
        return Err("the data names no edited images".into());
    }
    let group = Group::new(
        GroupId(0),
        case.id.clone(),
        source.clone(),
        case.instruction.clone(),
        candidates,
    );
    Ok((group, edits))
}

/// What a model's scores of a case's group say of it; `edits` are the places of the candidates among its edits.
pub(super) fn answer_of(case: &Case, edits: &[usize], scores: GroupScores) -> Answer {
    let mut all = vec![None; case.edits.len()];
    let mut why_not = vec!["the data names no image".to_owned(); case.edits.len()];
    let mut problem = scores.problem;
    for (&edit, scored) in edits.iter().zip(scores.candidates) {
        match scored {
            Ok(scored) => all[edit] = Some(score(&scored.reward)),
            Err(why) => {
                problem.get_or_insert_with(|| why.clone());
                why_not[edit] = why;
            }
        }
    }
    match problem {
        Some(why) if all.iter().all(Option::is_none) => nothing(case, why),
        _ => {
            let without = why_not.into_iter().enumerate();
            let without = without.filter(|(position, _)| all[*position].is_none());
            let unscored = without.map(|(position, reason)| Unscored { position, reason });
            Answer {
                unscored: unscored.collect(),
                ..Answer::new(case.id.clone(), Said::Scores(all))
            }
        }
    }
}

fn score(reward: &Reward) -> Score {
    let axes = (reward.instruction_following, reward.visual_quality);
    Score {
        value: reward.aggregate.mean,
        sigma: Some(reward.aggregate.sigma()),
        axes: match axes {
            (Some(following), Some(looks)) => Some([following.mean, looks.mean]),
            _ => None,
        },
    }
}

impl<J: Judge> Scorer for Model<J> {
    fn info(&self) -> ScorerInfo {
        ScorerInfo {
            name: self.name.clone(),
            kind: "model".into(),
            fingerprint: self.judge.info().fingerprint.clone(),
        }
    }

    fn answer_all(
        &mut self,
        cases: &[&Case],
        _ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        for case in cases {
            if on_answer(self.answer(case, root)).is_break() {
                break;
            }
        }
        Ok(())
    }
}
