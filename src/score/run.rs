//! Scoring a workspace, or a part of it, as a run: what is stored is found first and not computed again, each reward is kept the
//! moment it is there, and what has no score is noted with its reason in `left-out.jsonl` beside the report.
//!
//! However many groups there are, only so many are held as are to be told one by one. A run that was stopped or killed at any
//! instant goes on with what has no score yet; nothing else is needed for that than the scores themselves.

use std::fs::File;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::batch::{GroupScores, Scored, score_one};
use super::group::Place;
use super::tally::{LeftOut, Tally};
use crate::data::{Workspace, WorkspaceError};
use crate::domain::{GroupId, Reward};
use crate::model::Judge;
use crate::runs::{Ending, Fact, Folder, RunError, Writer};

/// Progress is noted that far apart.
const SPACING: Duration = Duration::from_secs(1);

/// The file of what has no score, in the run's folder: one JSON object a line, with the keys of [`LeftOut`].
pub const LEFT_OUT: &str = "left-out.jsonl";

/// What can end the scoring of a workspace.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The workspace cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run's folder does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the run's cannot be read or written.
    #[error("cannot {what} '{}': {why}", path.display())]
    Files {
        /// "read", "write", …
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// A file of the run's says something else than it should, or the run is not one of those.
    #[error("{0}")]
    Wrong(String),
}

impl ScoreError {
    /// For `map_err`: what was done to which path.
    pub(super) fn files(
        what: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Files { what, path, why }
    }
}

/// What is to be done.
#[derive(Debug)]
pub struct Task<'a> {
    /// Where the groups are, and where their scores are kept.
    pub workspace: &'a Workspace,
    /// The groups, each with the number of its candidates.
    pub groups: &'a [(GroupId, usize)],
    /// Up to so many groups, each is told with all its candidates.
    pub detailed: usize,
}

/// What whoever watches hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// So many candidates of so many are done.
    Progress(usize, usize),
}

/// What came of a run, as `report.json` has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The model's fingerprint.
    pub fingerprint: String,
    /// Counts, and how the scores lie.
    #[serde(flatten)]
    pub tally: Tally,
    /// How long it took to compute what was computed, in seconds, the model's loading not counted.
    pub seconds: f64,
    /// Candidates computed in a second; null where none were.
    pub rate: Option<f64>,
}

impl Report {
    /// From what was counted, and how long it took.
    pub fn new(fingerprint: &str, tally: Tally, seconds: f64) -> Self {
        let rate = (tally.computed > 0 && seconds > 0.0).then(|| tally.computed as f64 / seconds);
        Self {
            fingerprint: fingerprint.to_owned(),
            tally,
            seconds,
            rate,
        }
    }

    /// What a list says of a run that is done.
    pub fn line(&self) -> String {
        let tally = &self.tally;
        let mut line = format!("{} scored, {} known", tally.computed, tally.stored);
        if tally.left_out > 0 {
            line = format!("{line}, {} left out", tally.left_out);
        }
        line
    }
}

/// How it ended.
#[derive(Debug)]
pub struct Outcome {
    /// What is known of what was done.
    pub report: Report,
    /// The groups, where there are few enough to be told one by one, as far as it came.
    pub groups: Vec<GroupScores>,
    /// Where somebody asked it to stop: candidates done, and of how many.
    pub stopped: Option<(usize, usize)>,
}

/// What has no score, on its way into its file.
pub(super) struct LeftOutFile {
    path: std::path::PathBuf,
    file: Option<File>,
}

impl LeftOutFile {
    /// What an earlier process noted is void: what had no score is tried again.
    pub(super) fn create(folder: &Folder) -> Result<Self, ScoreError> {
        let path = folder.path().join(LEFT_OUT);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(ScoreError::files("remove", &path)(e))
            }
            _ => Ok(Self { path, file: None }),
        }
    }

    /// Adds a line each.
    pub(super) fn add(&mut self, left_out: &[LeftOut]) -> Result<(), ScoreError> {
        if left_out.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for one in left_out {
            serde_json::to_writer(&mut text, one)
                .map_err(|e| ScoreError::files("write", &self.path)(e.into()))?;
            text.push(b'\n');
        }
        let mut write = || {
            if self.file.is_none() {
                self.file = Some(File::create(&self.path)?);
            }
            self.file.as_mut().map_or(Ok(()), |f| f.write_all(&text))
        };
        write().map_err(ScoreError::files("write", &self.path))
    }
}

/// How far a run has come, for its events and for whoever watches.
struct Pace<'a> {
    writer: &'a Writer,
    hear: &'a mut dyn FnMut(Heard),
    stop: &'a dyn Fn() -> bool,
    done: usize,
    of: usize,
    noted: Option<Instant>,
    /// The first that could not be noted.
    failed: Option<RunError>,
}

impl Pace<'_> {
    fn step(&mut self, candidates: usize) -> ControlFlow<()> {
        self.done += candidates;
        (self.hear)(Heard::Progress(self.done, self.of));
        if self.noted.is_none_or(|t| t.elapsed() >= SPACING) || self.done >= self.of {
            self.note();
        }
        if self.failed.is_some() || (self.stop)() || self.writer.stop_asked() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn note(&mut self) {
        self.noted = Some(Instant::now());
        let noted = self.writer.note(Fact::Progress {
            done: self.done as u64,
            total: Some(self.of as u64),
            unit: "candidates".into(),
        });
        if let Err(why) = noted {
            self.failed.get_or_insert(why);
        }
    }

    fn check(&mut self) -> Result<(), RunError> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

/// What was found stored, and what is left.
struct Sifted {
    /// By its place, each group that is to be told, once it is known.
    told: Vec<Option<GroupScores>>,
    /// The groups with a candidate that has no score, by place and number.
    left: Vec<(usize, GroupId)>,
    stopped: bool,
}

/// Does the work of a run with a model that is loaded. `stop` is asked after every candidate.
pub fn run(
    task: &Task<'_>,
    judge: &mut dyn Judge,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    hear: &mut dyn FnMut(Heard),
) -> Result<Outcome, ScoreError> {
    let fingerprint = judge.info().fingerprint.clone();
    let mut tally = Tally::default();
    let mut left_out = LeftOutFile::create(writer.folder())?;
    let mut pace = Pace {
        writer,
        hear,
        stop,
        done: 0,
        of: task.groups.iter().map(|(_, candidates)| candidates).sum(),
        noted: None,
        failed: None,
    };
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    phase("looking for stored scores")?;
    let mut sifted = sift(task, &fingerprint, &mut tally, &mut pace)?;
    let mut stopped = sifted.stopped;
    phase("scoring")?;
    // From here on, so that the rate is that of the model.
    pace.note();
    let began = Instant::now();
    for (place, id) in std::mem::take(&mut sifted.left) {
        if stopped {
            break;
        }
        // One that went away meanwhile is no longer wanted.
        let Some(group) = task.workspace.group(id)? else {
            pace.done += task.groups[place].1;
            continue;
        };
        let place_of = Place {
            root: task.workspace.root(),
            shelf: Some(task.workspace),
        };
        let (scores, flow) = score_one(judge, group, place_of, &mut |p| pace.step(p.candidates));
        pace.check()?;
        left_out.add(&tally.group(&scores))?;
        if let Some(told) = sifted.told.get_mut(place) {
            *told = Some(scores);
        }
        stopped = flow.is_break();
    }
    pace.note();
    pace.check()?;
    let report = Report::new(&fingerprint, tally, began.elapsed().as_secs_f64());
    let stopped = (stopped && pace.done < pace.of).then_some((pace.done, pace.of));
    if stopped.is_none() {
        writer.report(&report)?;
    }
    Ok(Outcome {
        report,
        groups: sifted.told.into_iter().flatten().collect(),
        stopped,
    })
}

/// Finds the groups all of whose candidates have stored scores, and counts them.
fn sift(
    task: &Task<'_>,
    fingerprint: &str,
    tally: &mut Tally,
    pace: &mut Pace<'_>,
) -> Result<Sifted, ScoreError> {
    let detailed = task.groups.len() <= task.detailed;
    let mut sifted = Sifted {
        told: vec![None; if detailed { task.groups.len() } else { 0 }],
        left: Vec::new(),
        stopped: false,
    };
    for (place, &(id, candidates)) in task.groups.iter().enumerate() {
        let stored = match task.workspace.scores(id, fingerprint) {
            Ok(stored) => stored,
            Err(WorkspaceError::NoSuchGroup(_)) => Vec::new(),
            Err(other) => return Err(other.into()),
        };
        if stored.len() < candidates {
            sifted.left.push((place, id));
            continue;
        }
        tally.groups += 1;
        tally.candidates += candidates;
        for (_, reward) in &stored {
            tally.reward(reward, true);
        }
        if let Some(told) = sifted.told.get_mut(place) {
            let rewards = stored.into_iter().map(|(_, reward)| reward).collect();
            *told = whole(task.workspace, id, rewards)?;
        }
        pace.done += candidates;
        (pace.hear)(Heard::Progress(pace.done, pace.of));
        if (pace.stop)() || pace.writer.stop_asked() {
            sifted.stopped = true;
            break;
        }
    }
    Ok(sifted)
}

/// A group all of whose rewards were stored.
fn whole(
    workspace: &Workspace,
    id: GroupId,
    rewards: Vec<Reward>,
) -> Result<Option<GroupScores>, WorkspaceError> {
    let scored = |reward| {
        Ok(Scored {
            reward,
            stored: true,
        })
    };
    Ok(workspace.group(id)?.map(|group| GroupScores {
        group,
        candidates: rewards.into_iter().map(scored).collect(),
        problem: None,
    }))
}

/// Notes how a run ended.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), ScoreError> {
    let (ending, reason) = match outcome.stopped {
        None => (Ending::Done, outcome.report.line()),
        Some((done, of)) => (Ending::Stopped, format!("{done} of {of} candidates done")),
    };
    Ok(writer.end(ending, &reason)?)
}
