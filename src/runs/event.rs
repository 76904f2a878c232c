//! What happens in a run, one line of `events.jsonl` each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::number;

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
    /// It was put into a queue, for the first time or again, and waits for a process.
    Queued {
        /// Where it is to run ("cpu", "cuda:0").
        device: String,
    },
    /// A process took the run up, for the first time or again.
    Started {
        /// Its id.
        pid: u32,
        /// The machine it runs on.
        host: String,
    },
    /// It goes on from the state after `step`: what was noted of later steps no longer holds, for they are done again. A
    /// process that takes up a run with earlier facts notes this before any others about steps, with 0 where it begins anew.
    Resumed {
        /// The last step that holds.
        step: u64,
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
        /// Passes over the training data; NaN where that is not known.
        #[serde(with = "number::single")]
        epoch: f64,
        /// By name: `train.loss`, `train.accuracy`, `val.accuracy.if`, `rate.language`, …
        #[serde(with = "number::named")]
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
        #[serde(with = "number::rewards")]
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

impl Event {
    /// A fact of this moment.
    pub fn now(fact: Fact) -> Self {
        Self { time: now(), fact }
    }
}

/// Seconds since 1970, to the millisecond.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_millis() as f64 / 1000.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn back(event: &Event) -> Event {
        serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap()
    }

    #[test]
    fn every_fact_comes_back_from_its_line_as_it_was() {
        let facts = [
            Fact::Queued {
                device: "cuda:0".into(),
            },
            Fact::Started {
                pid: 7,
                host: "here".into(),
            },
            Fact::Resumed { step: 40 },
            Fact::Phase {
                text: "loading \"the\" model\n".into(),
            },
            Fact::Progress {
                done: 3,
                total: None,
                unit: "steps".into(),
            },
            Fact::Metrics {
                step: u64::MAX,
                epoch: 0.5,
                values: BTreeMap::from([("train.loss".into(), 0.693), ("rate".into(), 1e-6)]),
            },
            Fact::Samples {
                step: 1,
                groups: vec!["bison".into(), "牛".into()],
            },
            Fact::Followed {
                step: 2,
                group: "bison".into(),
                rewards: vec![[[0.5, 1.0], [-1.0, 2.0], [0.0, 0.25]]],
            },
            Fact::Note { text: "x".into() },
            Fact::Checkpoint {
                step: 9,
                path: "checkpoints/9".into(),
                best: true,
            },
            Fact::Ended {
                ending: Ending::Stopped,
                reason: "asked to".into(),
            },
        ];
        for fact in facts {
            let event = Event {
                time: 1_764_079_601.125,
                fact,
            };
            assert_eq!(back(&event), event);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_survive_as_words() {
        let values = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            5e-324,
            2.0,
        ];
        let named = values.iter().enumerate().map(|(i, x)| (i.to_string(), *x));
        let event = Event::now(Fact::Metrics {
            step: 1,
            epoch: f64::NAN,
            values: named.collect(),
        });
        let line = serde_json::to_string(&event).unwrap();
        assert!(line.contains(r#""0":"NaN","1":"inf","2":"-inf""#), "{line}");
        let Fact::Metrics { values: read, .. } = back(&event).fact else {
            panic!("another fact: {line}");
        };
        for (x, read) in values.iter().zip(read.values()) {
            assert_eq!(x.to_bits(), read.to_bits(), "{x}");
        }
        let followed = Event::now(Fact::Followed {
            step: 1,
            group: "g".into(),
            rewards: vec![[[f64::NAN, f64::INFINITY]; 3]],
        });
        let Fact::Followed { rewards, .. } = back(&followed).fact else {
            panic!("another fact");
        };
        assert!(rewards[0][2][0].is_nan() && rewards[0][2][1] == f64::INFINITY);
    }

    #[test]
    fn a_word_that_is_no_number_is_refused() {
        let line = r#"{"time":1.0,"event":"metrics","step":1,"epoch":0,"values":{"a":"big"}}"#;
        let error = serde_json::from_str::<Event>(line).unwrap_err().to_string();
        assert!(error.contains("\"big\""), "{error}");
    }
}
