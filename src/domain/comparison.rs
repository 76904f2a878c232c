//! What a learner learns from: which of two candidates is the better, on what, and how sure that is.

use serde::{Deserialize, Serialize};

use super::Axis;

/// A judgement between two candidates of one group, given by their positions in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The one.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// The axis that was judged; `None` for the two together.
    pub axis: Option<Axis>,
    /// How likely `a` is the better: 1 and 0 for a clear judgement, 0.5 for a tie, between for annotators who differ.
    pub preference: f64,
    /// How much it counts, 1 as a rule.
    pub weight: f64,
}

impl Comparison {
    /// `a` is the better on `axis`, without doubt.
    pub const fn strict(a: usize, b: usize, axis: Option<Axis>) -> Self {
        Self {
            a,
            b,
            axis,
            preference: 1.0,
            weight: 1.0,
        }
    }

    /// Whether neither is the better.
    pub fn is_tie(&self) -> bool {
        self.preference == 0.5
    }
}
