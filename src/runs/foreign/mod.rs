//! Training runs of other programs, followed as if they were ours: the event files that TensorBoard reads, and the
//! `trainer_state.json` of Hugging Face's trainer with its checkpoints. Nothing is ever written there.

mod lines;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value};

pub use lines::Line;

use super::error::RunError;
use super::event::{Ending, Event, Fact};
use super::folder::Folder;
use super::manifest::Manifest;
use super::pulse::{SILENCE, Vitals};
use super::reader::Batch;
use super::tensorboard::{Scalars, Tape};

/// How deep below its folder a trainer's event files are looked for: `runs/<date>_<host>/events…` is two.
const DEPTH: usize = 3;

/// A trainer that has written nothing for so long is taken for dead. Event files are flushed every two minutes at the latest,
/// and a step of a large model or an evaluation may take a few more.
const QUIET: Duration = Duration::from_mins(10);

/// What Hugging Face's trainer keeps of a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TrainerState {
    global_step: u64,
    max_steps: u64,
    best_model_checkpoint: Option<String>,
    log_history: Vec<Map<String, Value>>,
}

/// A place in the run of another program.
#[derive(Debug, Clone)]
pub struct Foreign {
    dir: PathBuf,
    tapes: Vec<Tape>,
    waiting: VecDeque<Event>,
    /// An event file holds more than one look reads.
    unread: bool,
    /// The state file that was read last, and its time.
    state: Option<(PathBuf, SystemTime)>,
    /// Entries of its history that were told.
    told: usize,
    checkpoints: Vec<u64>,
    done: u64,
    total: Option<u64>,
    begun: bool,
    ended: bool,
}

impl Foreign {
    /// Whether `dir` looks like the folder of another program's training run.
    pub fn is_here(dir: &Path) -> bool {
        let survey = Survey::of(dir);
        !survey.events.is_empty() || !survey.states.is_empty()
    }

    /// At the beginning of the run in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            tapes: Vec::new(),
            waiting: VecDeque::new(),
            unread: false,
            state: None,
            told: 0,
            checkpoints: Vec::new(),
            done: 0,
            total: None,
            begun: false,
            ended: false,
        }
    }

    /// What it is, as far as its folder tells.
    pub fn manifest(dir: &Path) -> Manifest {
        let title = dir.file_name().unwrap_or(dir.as_os_str());
        let created = fs::metadata(dir).and_then(|m| m.created().or_else(|_| m.modified()));
        Manifest {
            directory: dir.to_owned(),
            environment: std::collections::BTreeMap::new(),
            erw: "none: another program's run".into(),
            host: "unknown".into(),
            launcher: "elsewhere".into(),
            created: created.map_or(0.0, seconds),
            ..Manifest::new("foreign", Vec::new(), &title.to_string_lossy())
        }
    }

    /// Signs of life: how long ago it last wrote, where that is worth worrying about.
    pub fn vitals(dir: &Path) -> Vitals {
        let newest = Survey::of(dir).newest;
        let age = newest.and_then(|t| SystemTime::now().duration_since(t).ok());
        // What is quiet for a process with a heartbeat is normal here.
        let silent = age.map(|age| {
            if age < QUIET {
                Duration::ZERO
            } else {
                age.max(SILENCE + Duration::from_secs(1))
            }
        });
        Vitals { held: None, silent }
    }

    /// What came since the last call, as with a run of ours.
    pub fn poll(&mut self, max_records: usize) -> Result<Batch, RunError> {
        if self.waiting.is_empty() {
            self.look(max_records)?;
        }
        let n = self.waiting.len().min(max_records);
        Ok(Batch {
            events: self.waiting.drain(..n).collect(),
            anew: false,
            more: self.unread || !self.waiting.is_empty(),
        })
    }

    fn tell(&mut self, time: f64, fact: Fact) {
        if !self.begun {
            self.begun = true;
            self.waiting.push_back(Event {
                time,
                fact: Fact::Started {
                    pid: 0,
                    host: "unknown".into(),
                },
            });
        }
        self.waiting.push_back(Event { time, fact });
    }

    fn look(&mut self, most: usize) -> Result<(), RunError> {
        let survey = Survey::of(&self.dir);
        for path in survey.events {
            if !self.tapes.iter().any(|t| t.path == path) {
                self.tapes.push(Tape::new(path));
            }
        }
        let mut read = Vec::new();
        self.unread = false;
        for tape in &mut self.tapes {
            let (scalars, more) = tape
                .read(most.saturating_sub(read.len()).max(1))
                .map_err(RunError::files("read", &tape.path))?;
            read.extend(scalars);
            self.unread |= more;
        }
        let reached = self.done;
        for scalars in read {
            self.take_scalars(scalars);
        }
        let newest = survey.states.iter().max_by_key(|(_, modified)| *modified);
        if let Some((path, modified)) = newest
            && self.state.as_ref() != Some(&(path.clone(), *modified))
        {
            self.state = Some((path.clone(), *modified));
            self.take_state(path, seconds(*modified));
        } else if self.done > reached {
            self.tell_progress(survey.newest.map_or(0.0, seconds));
        }
        for (step, path, modified) in survey.checkpoints {
            if !self.checkpoints.contains(&step) {
                self.checkpoints.push(step);
                let best = false;
                self.tell(seconds(modified), Fact::Checkpoint { step, path, best });
            }
        }
        Ok(())
    }

    fn take_scalars(&mut self, scalars: Scalars) {
        if scalars.restart {
            let step = scalars.step.saturating_sub(1);
            self.tell(scalars.time, Fact::Resumed { step });
            return;
        }
        let mut epoch = f64::NAN;
        let mut values = std::collections::BTreeMap::new();
        for (tag, value) in scalars.values {
            match tag.as_str() {
                "train/epoch" => epoch = value,
                _ => drop(values.insert(lines::name(&tag), value)),
            }
        }
        self.done = self.done.max(scalars.step);
        if !values.is_empty() {
            let step = scalars.step;
            let fact = Fact::Metrics {
                step,
                epoch,
                values,
            };
            self.tell(scalars.time, fact);
        }
    }

    /// Takes in a state file. One that is just being written is read at the next look.
    fn take_state(&mut self, path: &Path, time: f64) {
        let Some(state) = fs::read_to_string(path)
            .ok()
            .and_then(|text| lines::object(&text))
            .and_then(|object| serde_json::from_value(Value::Object(object)).ok())
        else {
            self.state = None;
            return;
        };
        let state: TrainerState = state;
        // Event files say the same, and when.
        if self.tapes.is_empty() {
            if state.log_history.len() < self.told {
                self.told = 0;
                self.tell(time, Fact::Resumed { step: 0 });
            }
            for entry in &state.log_history[self.told..] {
                let mut line = Line::default();
                line.take_object("", entry);
                let fact = Fact::Metrics {
                    step: line.step.unwrap_or(0),
                    epoch: line.epoch.unwrap_or(f64::NAN),
                    values: line.values,
                };
                self.tell(time, fact);
            }
            self.told = state.log_history.len();
        }
        self.done = self.done.max(state.global_step);
        self.total = Some(state.max_steps).filter(|n| *n > 0);
        self.tell_progress(time);
        if let Some(best) = &state.best_model_checkpoint
            && let Some(name) = Path::new(best).file_name()
            && let Some(step) = step_of(&name.to_string_lossy())
        {
            let path = name.into();
            let best = true;
            self.tell(time, Fact::Checkpoint { step, path, best });
        }
        let whole = self.total.is_some_and(|n| state.global_step >= n);
        if whole && !self.ended {
            self.ended = true;
            let reason = format!("all {} steps are done", state.global_step);
            let ending = Ending::Done;
            self.tell(time, Fact::Ended { ending, reason });
        }
    }

    fn tell_progress(&mut self, time: f64) {
        let fact = Fact::Progress {
            done: self.done,
            total: self.total,
            unit: "steps".into(),
        };
        self.tell(time, fact);
    }
}

/// What lies in a trainer's folder.
#[derive(Debug, Default)]
struct Survey {
    /// Event files in the order of their names, which begin with a time.
    events: Vec<PathBuf>,
    states: Vec<(PathBuf, SystemTime)>,
    checkpoints: Vec<(u64, PathBuf, SystemTime)>,
    newest: Option<SystemTime>,
}

impl Survey {
    fn of(dir: &Path) -> Self {
        let mut survey = Self::default();
        survey.visit(dir, Path::new(""), DEPTH);
        survey
            .events
            .sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
        survey.checkpoints.sort();
        survey
    }

    /// What cannot be read is passed over: a folder may go while it is looked at.
    fn visit(&mut self, root: &Path, below: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(root.join(below)) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (path, relative) = (entry.path(), below.join(&name));
            if name == "trainer_state.json" || name.starts_with("events.out.tfevents.") {
                let Ok(modified) = entry.metadata().and_then(|m| m.modified()) else {
                    continue;
                };
                self.newest = self.newest.max(Some(modified));
                if name.starts_with("events") {
                    self.events.push(path);
                    continue;
                }
                let above = below.to_string_lossy();
                if let Some(step) = step_of(&above) {
                    let checkpoint = below.to_owned();
                    self.checkpoints.push((step, checkpoint, modified));
                }
                self.states.push((path, modified));
            } else if depth > 0
                && entry.file_type().is_ok_and(|t| t.is_dir())
                // A run of ours is one for itself, and its event files are only a copy.
                && !Folder::at(&path).manifest_file().exists()
            {
                // A checkpoint holds a state and weights, nothing deeper.
                let depth = if step_of(&name).is_some() {
                    0
                } else {
                    depth - 1
                };
                self.visit(root, &relative, depth);
            }
        }
    }
}

fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix("checkpoint-")?.parse().ok()
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |d| d.as_millis() as f64 / 1000.0)
}

impl Folder {
    /// Whether this is the folder of another program's run.
    pub fn is_foreign(&self) -> bool {
        !self.manifest_file().exists() && Foreign::is_here(self.path())
    }
}

#[cfg(test)]
mod tests;
