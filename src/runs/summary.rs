//! How a run stands, in a few values: a fold over its events. Its state is not among them, for it follows from them and from
//! whether the process lives, and is worked out anew at each look.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use serde::Serialize;

use super::error::RunError;
use super::event::{Ending, Event, Fact};
use super::folder::Folder;
use super::pulse::{SILENCE, Vitals};
use super::team::{self, Member};

/// The rate is that of the last so many seconds: long enough for steady numbers, short enough to see a change.
const WINDOW: f64 = 60.0;

/// Marks of progress are kept that far apart, in seconds, so that a quick run does not keep thousands.
const SPACING: f64 = 1.0;

/// How much of the beginning and the end of a long `events.jsonl` a glance reads.
const GLANCE: u64 = 64 << 10;

/// What a run does, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No process has it yet, or it waits for one again.
    Queued,
    /// A process works on it.
    Running,
    /// Its process has given no sign of life for too long, or is on a machine that is not heard of.
    Stalled,
    /// All was done.
    Done,
    /// It said so, or its process is gone without a word.
    Failed,
    /// It was asked to stop.
    Stopped,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all, where that is known.
    pub total: Option<u64>,
    /// What is counted ("steps").
    pub unit: String,
    /// Units a second, of late.
    pub rate: Option<f64>,
    /// Seconds until all is done, at that rate.
    pub seconds_left: Option<f64>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ended {
    /// Seconds since 1970.
    pub time: f64,
    /// How.
    pub ending: Ending,
    /// Why, or what came of it.
    pub reason: String,
}

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// When a process first took it up.
    pub started: Option<f64>,
    /// When it was put into a queue last.
    pub queued: Option<f64>,
    /// The process that took it up last, and its machine.
    pub process: Option<(u32, String)>,
    /// When the last fact was noted.
    pub latest: Option<f64>,
    /// What it is busy with, in words.
    pub phase: Option<String>,
    /// The last thing that a person should know.
    pub note: Option<String>,
    /// The last value of each metric, with its step.
    pub metrics: BTreeMap<String, (u64, f64)>,
    /// The last state that was saved: step and folder, below the run's.
    pub checkpoint: Option<(u64, PathBuf)>,
    /// The best one.
    pub best: Option<(u64, PathBuf)>,
    /// How it ended, unless it was taken up again since.
    pub ended: Option<Ended>,
    /// Those who work on its shards, as they were at the last look; none where it has no shards.
    pub members: Vec<Member>,
    waits: bool,
    done: Option<(u64, Option<u64>, String)>,
    marks: VecDeque<(f64, u64)>,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Stalled => "stalled",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// Whether more is to come without anybody doing anything.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Stalled)
    }
}

impl Summary {
    /// Takes an event in. Events come in the order of the file.
    pub fn apply(&mut self, event: &Event) {
        self.latest = Some(self.latest.map_or(event.time, |t| t.max(event.time)));
        match &event.fact {
            Fact::Queued { .. } => {
                (self.waits, self.ended) = (true, None);
                self.queued = Some(event.time);
            }
            Fact::Started { pid, host } => {
                self.started.get_or_insert(event.time);
                self.process = Some((*pid, host.clone()));
                (self.waits, self.ended) = (false, None);
                self.phase = None;
                // A new process counts what is left to it, at its own pace.
                self.marks.clear();
            }
            Fact::Resumed { step } => {
                self.metrics.retain(|_, (at, _)| *at <= *step);
                for saved in [&mut self.checkpoint, &mut self.best] {
                    saved.take_if(|(at, _)| *at > *step);
                }
            }
            Fact::Phase { text } => self.phase = Some(text.clone()),
            Fact::Progress { done, total, unit } => self.mark(event.time, (*done, *total, unit)),
            Fact::Metrics { step, values, .. } => {
                for (name, value) in values {
                    match self.metrics.get_mut(name) {
                        Some(last) => *last = (*step, *value),
                        None => drop(self.metrics.insert(name.clone(), (*step, *value))),
                    }
                }
            }
            Fact::Samples { .. } | Fact::Followed { .. } => {}
            Fact::Note { text } => self.note = Some(text.clone()),
            Fact::Checkpoint { step, path, best } => {
                self.checkpoint = Some((*step, path.clone()));
                if *best {
                    self.best = Some((*step, path.clone()));
                }
            }
            Fact::Ended { ending, reason } => {
                self.waits = false;
                self.ended = Some(Ended {
                    time: event.time,
                    ending: *ending,
                    reason: reason.clone(),
                });
            }
        }
    }

    fn mark(&mut self, time: f64, (done, total, unit): (u64, Option<u64>, &str)) {
        // Another thing is counted now, or the same from the beginning.
        let other = |(before, _, what): &(u64, _, String)| *before > done || *what != unit;
        if self.done.as_ref().is_some_and(other) {
            self.marks.clear();
        }
        self.done = Some((done, total, unit.to_owned()));
        // Many small steps: the last mark moves on until it is far enough from the one before it.
        let n = self.marks.len();
        if n >= 2 && self.marks[n - 1].0 - self.marks[n - 2].0 < SPACING {
            self.marks.pop_back();
        }
        self.marks.push_back((time, done));
        while self.marks.len() > 2 && self.marks[1].0 < time - WINDOW {
            self.marks.pop_front();
        }
    }

    /// Whether a process took the run up since it was last put into a queue.
    pub fn is_taken_up(&self) -> bool {
        self.process.is_some() && !self.waits
    }

    /// Takes in how those who work on the run's shards stand.
    pub(super) fn look_at(&mut self, members: Vec<Member>) {
        if !members.is_empty() && self.ended.is_none() && !self.is_taken_up() {
            self.phase = Some(team::words(&members));
        }
        self.members = members;
    }

    /// How far it has come.
    pub fn progress(&self) -> Option<Progress> {
        // A process that has the run to itself, and counts, knows better than those who worked on shards before.
        if (self.waits || self.done.is_none())
            && let Some(mut together) = team::progress(&self.members)
        {
            together.seconds_left = together.seconds_left.filter(|_| self.ended.is_none());
            return Some(together);
        }
        let (done, total, unit) = self.done.clone()?;
        let rate = match (self.marks.front(), self.marks.back()) {
            (Some(first), Some(last)) if last.0 > first.0 && last.1 > first.1 => {
                Some((last.1 - first.1) as f64 / (last.0 - first.0))
            }
            _ => None,
        };
        let left = total.map(|total| total.saturating_sub(done) as f64);
        let seconds_left = left.zip(rate).map(|(left, rate)| left / rate);
        Some(Progress {
            done,
            total,
            unit,
            rate,
            seconds_left: seconds_left.filter(|_| self.ended.is_none()),
        })
    }

    /// What the run does, from what it noted and from the signs of life. `here` is the name of this machine: of a process
    /// elsewhere a free lock says nothing, as some file systems lock for their own machine only.
    pub fn state(&self, vitals: Vitals, here: &str) -> State {
        if let Some(ended) = &self.ended {
            return match ended.ending {
                Ending::Done => State::Done,
                Ending::Failed => State::Failed,
                Ending::Stopped => State::Stopped,
            };
        }
        let quiet = vitals.silent.is_none_or(|s| s > SILENCE);
        let alive = if quiet {
            State::Stalled
        } else {
            State::Running
        };
        let any = |state| self.members.iter().any(|member| member.state == state);
        match (&self.process, vitals.held) {
            _ if self.waits && any(State::Running) => State::Running,
            _ if self.waits && any(State::Stalled) => State::Stalled,
            _ if self.waits => State::Queued,
            (None, _) => State::Queued,
            (Some((_, host)), Some(false)) if host == here => State::Failed,
            _ => alive,
        }
    }

    /// Why the run is where it is, in words, where there is something to say.
    pub fn reason(&self, state: State) -> Option<String> {
        match (&self.ended, state) {
            (Some(ended), _) => Some(ended.reason.clone()),
            (None, State::Failed) => Some(
                "its process is gone without a word: killed, out of memory, or the machine went down".into(),
            ),
            (None, State::Stalled) => Some(format!(
                "no sign of life for more than {} s{}",
                SILENCE.as_secs(),
                self.process
                    .as_ref()
                    .map_or(String::new(), |(pid, host)| format!(" from process {pid} on {host}"))
            )),
            _ => None,
        }
    }

    /// A summary for lists of many runs: of a long run, only the beginning and the end of its events are read. What was
    /// noted in between and not again since (a best checkpoint) may be missing.
    pub fn glance(folder: &Folder) -> Result<Self, RunError> {
        let mut summary = Self::default();
        let path = folder.events();
        let mut file = match File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(summary),
            other => other.map_err(RunError::files("read", &path))?,
        };
        let mut read = || {
            let length = file.metadata()?.len();
            let mut text = Vec::new();
            if length <= 2 * GLANCE {
                file.read_to_end(&mut text)?;
                return Ok(text);
            }
            file.by_ref().take(GLANCE).read_to_end(&mut text)?;
            let end = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            text.truncate(end);
            file.seek(SeekFrom::Start(length - GLANCE))?;
            let mut tail = Vec::new();
            file.read_to_end(&mut tail)?;
            let start = tail
                .iter()
                .position(|b| *b == b'\n')
                .map_or(tail.len(), |i| i + 1);
            text.extend(&tail[start..]);
            Ok(text)
        };
        let text = read().map_err(RunError::files("read", &path))?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        for line in text[..whole].split(|b| *b == b'\n') {
            if let Ok(event) = serde_json::from_slice(line) {
                summary.apply(&event);
            }
        }
        Ok(summary)
    }
}
