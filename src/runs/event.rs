//! What happens in a run, one line of `events.jsonl` each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A fact and when it was noted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970, to the millisecond.
    pub time: f64,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Fact {
    /// A process took the run up, for the first time or again.
    Started {
        /// Its id.
        pid: u32,
        /// The machine it runs on.
        host: String,
    },
    /// What the run is busy with, in words ("loading the model").
    Phase {
        /// The words.
        text: String,
    },
    /// How far it has come.
    Progress {
        /// Units done.
        done: u64,
        /// Units in all, where that is known.
        total: Option<u64>,
        /// What is counted ("steps", "candidates").
        unit: String,
    },
    /// Measured values, all of the same moment. Values that are not finite are strings ("NaN", "inf", "-inf") in the file.
    Metrics {
        /// The optimizer step, counted from 1.
        step: u64,
        /// Passes over the training data.
        epoch: f64,
        /// By name: `train.loss`, `train.accuracy`, `val.accuracy.if`, `rate.language`, …
        values: BTreeMap<String, f64>,
    },
    /// Which groups a step was made of, so that a spike can be traced.
    Samples {
        /// The step.
        step: u64,
        /// The groups' keys.
        groups: Vec<String>,
    },
    /// What the model says of a group that is followed over time.
    Followed {
        /// The step.
        step: u64,
        /// The group's key.
        group: String,
        /// Each candidate's mean and sigma: instruction following, visual quality, aggregate.
        rewards: Vec<[[f64; 2]; 3]>,
    },
    /// Something a person should know.
    Note {
        /// The words.
        text: String,
    },
    /// A state that the run can go on from was saved.
    Checkpoint {
        /// The step after which it was.
        step: u64,
        /// Its folder, below the run's.
        path: PathBuf,
        /// Whether it is the best so far.
        best: bool,
    },
    /// The run ended, for now or for good.
    Ended {
        /// How.
        ending: Ending,
        /// Why, or what came of it.
        reason: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All was done.
    Done,
    /// It cannot go on; resuming tries again from the last checkpoint.
    Failed,
    /// It was asked to, and can be resumed.
    Stopped,
}
