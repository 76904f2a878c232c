//! Who answers: one trait for a model, a recorded judge, a judge over HTTP, and the baselines.

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Usage};
use super::case::Case;

/// What a scorer is, for tables and `report.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorerInfo {
    /// What people call it.
    pub name: String,
    /// "model", "recorded", "judge", "baseline".
    pub kind: String,
    /// Equal for scorers that give equal answers.
    pub fingerprint: String,
}

/// What a benchmark wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A score for each edit. Scorers that can only compare answer with votes.
    Scores,
    /// Votes between any two edits, both kinds of ties told apart. Scorers that can only score answer with scores.
    Votes,
}

/// Someone who answers cases.
pub trait Scorer {
    /// What it is.
    fn info(&self) -> ScorerInfo;

    /// What so much use of it costs, in the currency of its prices; `None` for a scorer without prices.
    fn cost(&self, usage: Usage) -> Option<f64> {
        let _ = usage;
        None
    }

    /// Answers each of `cases`, whose relative image paths start at `root`; `on_answer` hears of each answer once, in any
    /// order, and may stop the rest. What is wrong with one case is an answer ([`Said::Nothing`](super::Said::Nothing)); an
    /// error, in words for the user, is what keeps all the others from being answered too.
    fn answer_all(
        &mut self,
        cases: &[&Case],
        ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String>;
}
