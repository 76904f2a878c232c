//! Working on a shard: without the database, a group after the other, each appended to the shard's file when all of it is scored.
//! Killed at any instant, it goes on after the last whole group.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::files::{CandidateScore, Item, Plan, Scores};
use crate::data::WorkspaceError;
use crate::domain::{Candidate, CandidateId, Group, GroupId, ImageRef, Reward};
use crate::model::Judge;
use crate::runs::shards::{Done, IN, PART, Worked, check, each, finish, is_done};
use crate::runs::{Ending, Fact, Folder, Writer};
use crate::score::batch::score_one;
use crate::score::group::{Place, Row, Shelf};
use crate::score::run::{Heard, ScoreError};
use crate::score::tally::Tally;

/// Progress is noted that far apart: hundreds may write to the same file system.
const SPACING: Duration = Duration::from_secs(2);

/// Scores a shard of the run in `folder`. `load` gives the model, and is called only if there is something to do; `stop` is asked
/// after every candidate.
pub fn work<J: Judge, E: From<ScoreError>>(
    folder: &Folder,
    shard: usize,
    load: impl FnOnce(&Plan) -> Result<J, E>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    hear: &mut dyn FnMut(Heard),
) -> Result<Worked, E> {
    let plan = Plan::read(folder)?;
    check(folder, shard).map_err(ScoreError::from)?;
    if is_done(folder, shard) {
        writer
            .end(Ending::Done, "it was scored before")
            .map_err(ScoreError::from)?;
        return Ok(Worked::Done);
    }
    let mut progress = Progress::begin(folder, shard, writer, hear)?;
    writer
        .note(Fact::Phase {
            text: "loading the model".into(),
        })
        .map_err(ScoreError::from)?;
    let mut judge = load(&plan)?;
    let found = &judge.info().fingerprint;
    if *found != plan.fingerprint {
        let wrong = format!(
            "the model in '{}' is not the one that run '{}' was planned with (fingerprint {found} instead of {}): put that one \
             back, or start a new run",
            plan.model.display(),
            folder.name(),
            plan.fingerprint
        );
        return Err(ScoreError::Wrong(wrong).into());
    }
    let stop = || stop() || writer.stop_asked() || folder.stop_asked().is_some();
    let worked = progress.rest(&plan, (folder, shard), &mut judge, &stop)?;
    let (ending, reason) = match worked {
        Worked::Done => (Ending::Done, progress.tally_line()),
        Worked::Stopped(done, of) => (Ending::Stopped, format!("{done} of {of} candidates done")),
    };
    writer.end(ending, &reason).map_err(ScoreError::from)?;
    Ok(worked)
}

/// How far the work on a shard has come.
struct Progress<'a> {
    writer: &'a Writer,
    hear: &'a mut dyn FnMut(Heard),
    /// The groups that were scored before.
    before: HashSet<GroupId>,
    /// The bytes of the file that hold them.
    whole: u64,
    tally: Tally,
    done: usize,
    of: usize,
    noted: Option<Instant>,
}

impl<'a> Progress<'a> {
    /// Reads what there is to do and what was done before.
    fn begin(
        folder: &Folder,
        shard: usize,
        writer: &'a Writer,
        hear: &'a mut dyn FnMut(Heard),
    ) -> Result<Self, ScoreError> {
        let mut before = HashSet::new();
        let mut tally = Tally::default();
        let (mut done, mut of) = (0, 0);
        let part = folder.shard_file(shard, PART);
        let whole = each(&part, true, &mut |scores: Scores| {
            before.insert(scores.id);
            count(&mut tally, &scores);
            Ok::<_, ScoreError>(())
        })?;
        each(&folder.shard_file(shard, IN), false, &mut |item: Item| {
            of += item.candidates.len();
            if before.contains(&item.id) {
                done += item.candidates.len();
            }
            Ok::<_, ScoreError>(())
        })?;
        Ok(Self {
            writer,
            hear,
            before,
            whole,
            tally,
            done,
            of,
            noted: None,
        })
    }

    /// Scores what is left, and gives the file its name.
    fn rest(
        &mut self,
        plan: &Plan,
        (folder, shard): (&Folder, usize),
        judge: &mut dyn Judge,
        stop: &dyn Fn() -> bool,
    ) -> Result<Worked, ScoreError> {
        // What a kill cut short is scored again.
        let mut file = Done::open(folder, shard, self.whole)?;
        self.writer.note(Fact::Phase {
            text: "scoring".into(),
        })?;
        self.note()?;
        let mut stopped = false;
        each(&folder.shard_file(shard, IN), false, &mut |item: Item| {
            if stopped || self.before.contains(&item.id) {
                return Ok(());
            }
            if stop() {
                stopped = true;
                return Ok(());
            }
            let Some(scores) = self.score(plan, item, judge, stop)? else {
                stopped = true;
                return Ok(());
            };
            count(&mut self.tally, &scores);
            Ok::<_, ScoreError>(file.add(&scores)?)
        })?;
        self.note()?;
        if stopped {
            return Ok(Worked::Stopped(self.done, self.of));
        }
        drop(file);
        finish(folder, shard)?;
        Ok(Worked::Done)
    }

    /// Scores a group; `None` where it was stopped before all of it was.
    fn score(
        &mut self,
        plan: &Plan,
        item: Item,
        judge: &mut dyn Judge,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Scores>, ScoreError> {
        let group = group_of(&item);
        let gathered = Gathered::default();
        let place = Place {
            root: &plan.root,
            shelf: Some(&gathered),
        };
        let (mut failed, mut stopped, mut within) = (None, false, 0);
        let of = group.candidates.len();
        let (scores, flow) = score_one(judge, group, place, &mut |step| {
            within += step.candidates;
            (self.hear)(Heard::Progress(self.done + within, self.of));
            if self.noted.is_none_or(|t| t.elapsed() >= SPACING) {
                failed = self.note_at(self.done + within).err();
            }
            stopped = stop();
            if failed.is_some() || (stopped && within < of) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        if let Some(why) = failed {
            return Err(why);
        }
        if flow.is_break() {
            return Ok(None);
        }
        self.done += within;
        let left_out = Tally::default().group(&scores);
        let (source, rows) = gathered.into_rows();
        let scored = scores.group.candidates.iter().filter_map(|candidate| {
            let (_, image, reward) = rows.iter().find(|(id, ..)| *id == candidate.id)?;
            Some(CandidateScore {
                id: candidate.id,
                candidate: candidate.key.clone(),
                image: image.clone(),
                instruction_following: reward.instruction_following,
                visual_quality: reward.visual_quality,
                aggregate: reward.aggregate,
            })
        });
        Ok(Some(Scores {
            id: item.id,
            group: item.group,
            instruction: item.instruction,
            source,
            candidates: scored.collect(),
            left_out,
            problem: scores.problem,
        }))
    }

    fn note(&mut self) -> Result<(), ScoreError> {
        self.note_at(self.done)
    }

    fn note_at(&mut self, done: usize) -> Result<(), ScoreError> {
        self.noted = Some(Instant::now());
        Ok(self.writer.note(Fact::Progress {
            done: done as u64,
            total: Some(self.of as u64),
            unit: "candidates".into(),
        })?)
    }

    fn tally_line(&self) -> String {
        let mut line = format!("{} scored", self.tally.computed);
        if self.tally.left_out > 0 {
            line = format!("{line}, {} left out", self.tally.left_out);
        }
        line
    }
}

/// Counts what came of a group; groups and candidates themselves are counted in the plan.
pub(super) fn count(tally: &mut Tally, scores: &Scores) {
    for score in &scores.candidates {
        tally.reward(&score.reward(), false);
    }
    for one in &scores.left_out {
        tally.miss(one.clone());
    }
}

fn group_of(item: &Item) -> Group {
    let candidates = item.candidates.iter().map(|candidate| {
        Candidate::new(
            candidate.id,
            candidate.candidate.clone(),
            ImageRef(candidate.image.clone()),
        )
    });
    Group::new(
        item.id,
        item.group.clone(),
        ImageRef(item.source.clone()),
        item.instruction.clone(),
        candidates.collect(),
    )
}

/// Rewards of one group, with the contents that they belong to.
#[derive(Default)]
struct Gathered {
    source: RefCell<String>,
    rows: RefCell<Vec<Row>>,
}

impl Gathered {
    fn into_rows(self) -> (String, Vec<Row>) {
        (self.source.into_inner(), self.rows.into_inner())
    }
}

impl Shelf for Gathered {
    fn found(&self, _: &Group, _: &str) -> Result<HashMap<CandidateId, Reward>, WorkspaceError> {
        Ok(HashMap::new())
    }

    fn keep(&self, _: &Group, _: &str, source: &str, rows: &[Row]) -> Result<(), WorkspaceError> {
        source.clone_into(&mut self.source.borrow_mut());
        self.rows.borrow_mut().extend_from_slice(rows);
        Ok(())
    }
}
