//! What the heads read, kept for as long as nothing below them changes: with frozen features a pass over a group is a few
//! small products instead of the whole network.

use std::collections::HashMap;

use candle_core::Tensor;

use super::Example;
use crate::model::questions::Question;

/// Memory for states: some 70,000 candidates of a 7B model.
const BYTES: usize = 2 << 30;

/// A question, the candidate it is about, and the hidden states of its answers.
pub(super) type Kept = (Question, usize, Tensor);

/// States by example.
#[derive(Debug, Default)]
pub(super) struct States {
    kept: HashMap<String, Vec<Kept>>,
    /// What did not fit any more, of the last example only.
    last: Option<(String, Vec<Kept>)>,
    bytes: usize,
}

impl States {
    /// What was kept of `example`.
    pub(super) fn of(&self, example: &Example) -> Option<&Vec<Kept>> {
        let key = key(example);
        let last = self.last.as_ref().filter(|(k, _)| *k == key);
        self.kept.get(&key).or(last.map(|(_, kept)| kept))
    }

    /// Keeps `states` of `example`.
    pub(super) fn keep(&mut self, example: &Example, states: Vec<Kept>) {
        let size: usize = states
            .iter()
            .map(|(_, _, t)| t.elem_count() * t.dtype().size_in_bytes() + 1024)
            .sum();
        if self.bytes + size <= BYTES {
            self.bytes += size;
            self.kept.insert(key(example), states);
        } else {
            self.last = Some((key(example), states));
        }
    }
}

/// An example by its contents.
fn key(example: &Example) -> String {
    let pictures = std::iter::once(&example.source).chain(&example.candidates);
    let mut hasher = blake3::Hasher::new();
    hasher.update(example.instruction.as_bytes());
    for picture in pictures {
        hasher.update(b"\0");
        hasher.update(picture.hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
