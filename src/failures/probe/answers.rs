//! `points.jsonl` in the run's folder: what the model said at each step, a line the moment it is known, so that a run that was
//! stopped or killed asks only for the rest.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ProbeError;
use super::factor::Factor;
use crate::domain::Reward;
use crate::runs::end_the_last_line;

/// The file's name.
pub const POINTS: &str = "points.jsonl";

/// What became of one step of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The group's name.
    pub group: String,
    /// The candidate's, in its group.
    pub candidate: String,
    /// What was changed.
    pub factor: Factor,
    /// How far.
    pub step: f64,
    /// The step in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// How much of what the factor changes there was in the picture: see [`Factor::dose`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dose: Option<f64>,
    /// What the model said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Reward>,
    /// Why it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A step of a candidate.
pub(super) type Key = (String, String, Factor, u64);

/// The key of a step.
pub(super) fn key(group: &str, candidate: &str, factor: Factor, step: f64) -> Key {
    (
        group.to_owned(),
        candidate.to_owned(),
        factor,
        step.to_bits(),
    )
}

impl Answer {
    pub(super) fn key(&self) -> Key {
        key(&self.group, &self.candidate, self.factor, self.step)
    }
}

/// The file, while it is added to.
#[derive(Debug)]
pub(super) struct Points {
    path: PathBuf,
    file: File,
    known: HashMap<Key, Answer>,
}

impl Points {
    /// Opens the file of a run's folder with what is in it.
    pub(super) fn open(folder: &Path) -> Result<Self, ProbeError> {
        Self::at(folder.join(POINTS))
    }

    /// The same of a file by another name.
    pub(super) fn at(path: PathBuf) -> Result<Self, ProbeError> {
        let known = points_in(&path)?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(ProbeError::files("open", &path))?;
        end_the_last_line(&mut file).map_err(ProbeError::files("write", &path))?;
        let known = known.into_iter().map(|answer| (answer.key(), answer));
        Ok(Self {
            known: known.collect(),
            path,
            file,
        })
    }

    /// Whether the model has said what it says of a step. What failed is tried again.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.known
            .get(key)
            .is_some_and(|answer| answer.reward.is_some())
    }

    /// All, by step.
    pub(super) fn known(&self) -> &HashMap<Key, Answer> {
        &self.known
    }

    /// Keeps one, with one call, so that a kill cannot lose a line that came before.
    pub(super) fn add(&mut self, answer: Answer) -> Result<(), ProbeError> {
        let write = |file: &mut File| {
            let mut line = serde_json::to_vec(&answer)?;
            line.push(b'\n');
            file.write_all(&line)
        };
        write(&mut self.file).map_err(ProbeError::files("write", &self.path))?;
        self.known.insert(answer.key(), answer);
        Ok(())
    }
}

/// What became of each step in a run, the last word on each, in the order in which they were first heard of. A line that a kill cut
/// short is passed over.
pub fn points(folder: &Path) -> Result<Vec<Answer>, ProbeError> {
    points_in(&folder.join(POINTS))
}

/// The same of a file by another name.
pub(super) fn points_in(path: &Path) -> Result<Vec<Answer>, ProbeError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(ProbeError::files("open", path)(e)),
    };
    let mut all: Vec<Answer> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(ProbeError::files("read", path))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer: Answer = match serde_json::from_slice(&line) {
            Ok(answer) => answer,
            Err(e) if e.is_eof() => continue,
            Err(e) => {
                let why = io::Error::other(format!("line {}: {e}", number + 1));
                return Err(ProbeError::files("read", path)(why));
            }
        };
        if let Some(place) = places.get(&answer.key()) {
            all[*place] = answer;
        } else {
            places.insert(answer.key(), all.len());
            all.push(answer);
        }
    }
    Ok(all)
}
