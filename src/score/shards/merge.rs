//! Taking what was scored in shards into the workspace. Whoever does it has the run to itself, by the run's own lock. A shard that
//! was taken in is marked, and a score that comes twice is the same score, so that a merge that was killed is done again without
//! harm.

use super::files::{MERGED, Plan, Scores};
use super::work::count;
use crate::data::{ScoredGroup, Workspace};
use crate::domain::{CandidateId, Reward};
use crate::runs::shards::{PART, WHOLE, each, keep, left};
use crate::runs::{Fact, Folder, Summary, Writer};
use crate::score::run::{LeftOutFile, Report, ScoreError};
use crate::score::tally::{LeftOut, Tally};

/// How the merging of a run's shards stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The shards that are not scored to the end.
    pub missing: Vec<usize>,
    /// What came of the run as far as it is merged.
    pub report: Report,
}

/// Takes in all shards that are scored to the end and were not taken in before; with `parts`, also what there is of the others.
pub fn merge(
    folder: &Folder,
    workspace: &Workspace,
    writer: &Writer,
    parts: bool,
) -> Result<Merged, ScoreError> {
    let plan = Plan::read(folder)?;
    if workspace.root() != plan.root {
        return Err(ScoreError::Wrong(format!(
            "run '{}' scored '{}', not '{}'",
            folder.name(),
            plan.root.display(),
            workspace.root().display()
        )));
    }
    writer.note(Fact::Phase {
        text: "taking in what was scored".into(),
    })?;
    let mut tally = plan.known.clone();
    let missing = left(folder, plan.shards);
    for shard in 0..plan.shards {
        if !missing.contains(&shard) {
            tally.join(&take_in(folder, shard, workspace, &plan, writer)?);
        } else if parts {
            let mut intake = Intake::new(workspace, &plan.fingerprint);
            let file = folder.shard_file(shard, PART);
            each(&file, true, &mut |scores| intake.take(&scores))?;
            tally.join(&intake.end()?);
        }
    }
    let report = Report::new(&plan.fingerprint, tally, seconds(folder, plan.shards));
    Ok(Merged { missing, report })
}

/// Writes the report of a run none of whose shards is missing, and its `left-out.jsonl`.
pub fn conclude(folder: &Folder, merged: &Merged, writer: &Writer) -> Result<(), ScoreError> {
    list_left_out(folder, &Plan::read(folder)?)?;
    Ok(writer.report(&merged.report)?)
}

/// Takes in a shard, once.
fn take_in(
    folder: &Folder,
    shard: usize,
    workspace: &Workspace,
    plan: &Plan,
    writer: &Writer,
) -> Result<Tally, ScoreError> {
    let mark = folder.shard_file(shard, MERGED);
    if let Some(tally) = std::fs::read(&mark)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
    {
        return Ok(tally);
    }
    let mut intake = Intake::new(workspace, &plan.fingerprint);
    let file = folder.shard_file(shard, WHOLE);
    each(&file, false, &mut |scores| intake.take(&scores))?;
    let tally = intake.end()?;
    keep(&mark, &tally)?;
    writer.log(&format!("merged shard {shard}: {} scores", tally.computed))?;
    Ok(tally)
}

/// Scores on their way into the workspace. So many groups go in at a time: a transaction each would have the disk wait for each.
struct Intake<'a> {
    workspace: &'a Workspace,
    fingerprint: &'a str,
    waiting: Vec<ScoredGroup>,
    tally: Tally,
}

/// Groups that go in together.
const TOGETHER: usize = 256;

impl<'a> Intake<'a> {
    fn new(workspace: &'a Workspace, fingerprint: &'a str) -> Self {
        Self {
            workspace,
            fingerprint,
            waiting: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Takes the scores of a group, under the contents that they were computed from.
    fn take(&mut self, scores: &Scores) -> Result<(), ScoreError> {
        if scores.candidates.is_empty() {
            count(&mut self.tally, scores);
            return Ok(());
        }
        let group = self.workspace.group(scores.id)?;
        let group = group.filter(|group| group.key == scores.group);
        let mut rewards: Vec<(CandidateId, String, Reward)> = Vec::new();
        let mut kept = scores.clone();
        kept.candidates.retain(|score| {
            // An import may have given them other numbers since.
            let candidates = group.iter().flat_map(|group| &group.candidates);
            let mut named = candidates.filter(|candidate| candidate.key == score.candidate);
            named.next().is_some_and(|candidate| {
                rewards.push((candidate.id, score.image.clone(), score.reward()));
                true
            })
        });
        for gone in scores
            .candidates
            .iter()
            .filter(|s| !kept.candidates.contains(s))
        {
            kept.left_out.push(LeftOut {
                group: scores.group.clone(),
                candidate: gone.candidate.clone(),
                image: String::new(),
                reason: "it was scored, but is no longer in the workspace".into(),
            });
        }
        if let Some(group) = group.filter(|_| !rewards.is_empty()) {
            self.waiting.push(ScoredGroup {
                group: group.id,
                // Filed under the instruction that they were computed with.
                instruction: scores.instruction.clone(),
                source: scores.source.clone(),
                rewards,
            });
        }
        count(&mut self.tally, &kept);
        if self.waiting.len() >= TOGETHER {
            self.store()?;
        }
        Ok(())
    }

    fn store(&mut self) -> Result<(), ScoreError> {
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            self.workspace
                .save_scores_of_many(self.fingerprint, &waiting)?;
        }
        Ok(())
    }

    /// Once the last was taken: everything is in the workspace.
    fn end(mut self) -> Result<Tally, ScoreError> {
        self.store()?;
        Ok(self.tally)
    }
}

/// Writes what has no score into one file.
fn list_left_out(folder: &Folder, plan: &Plan) -> Result<(), ScoreError> {
    let mut file = LeftOutFile::create(folder)?;
    for shard in 0..plan.shards {
        let scores = folder.shard_file(shard, WHOLE);
        each(&scores, false, &mut |scores: Scores| {
            file.add(&scores.left_out)
        })?;
    }
    Ok(())
}

/// From the start of the first process that worked on a shard to the end of the last, in seconds.
fn seconds(folder: &Folder, shards: usize) -> f64 {
    let (mut from, mut to) = (f64::INFINITY, 0.0_f64);
    for shard in 0..shards {
        let summary = Summary::glance(&folder.shard(shard)).unwrap_or_default();
        if let Some((started, latest)) = summary.started.zip(summary.latest) {
            from = from.min(started);
            to = to.max(latest);
        }
    }
    (to - from).max(0.0)
}
