//! What a scorer says of a case, whatever kind of scorer it is.

use serde::{Deserialize, Serialize};

use super::case::Vote;

/// A scorer's answer to one case; a line of a run's `answers.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The case's id.
    pub case: String,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
    /// The edits without a score in an answer that has scores of others, and why. Where no edit has one, the answer says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unscored: Vec<Unscored>,
    /// What it cost, where that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// An edit without a score beside others that have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unscored {
    /// Its position in the case.
    pub position: usize,
    /// Why, in words for the user; it may hold text from data.
    pub reason: String,
}

impl Answer {
    /// An answer that cost nothing.
    pub const fn new(case: String, said: Said) -> Self {
        Self {
            case,
            said,
            unscored: Vec::new(),
            usage: None,
        }
    }
}

/// What is said of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A score for each edit, in the case's order; `None` for those that could not be scored.
    Scores(Vec<Option<Score>>),
    /// Votes between two edits each, given by their positions: one for a pair, several for larger cases.
    Votes(Vec<(usize, usize, Vote)>),
    /// Nothing that can be used.
    Nothing {
        /// Why.
        reason: String,
        /// It answered, and the answer could not be understood.
        #[serde(default)]
        unparsed: bool,
    },
}

/// A scorer's score of one edit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The score that ranks, higher is better; on the scorer's own scale.
    pub value: f64,
    /// Its standard deviation, where the scorer gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// The scores of the two axes: instruction following (SC) and visual quality (PQ).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<[f64; 2]>,
}

impl Score {
    /// A score and nothing more.
    pub const fn plain(value: f64) -> Self {
        Self {
            value,
            sigma: None,
            axes: None,
        }
    }
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests made, repeated ones counted.
    pub requests: u32,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
}
