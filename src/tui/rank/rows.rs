//! The rows of the group list, cheap to hand to a worker.

use std::sync::Arc;

use crate::domain::GroupSummary;

/// The rows of the list, in shared pieces of equal size (the last may be shorter): a snapshot for the worker is a copy of
/// pointers, and a new score copies one piece at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    pieces: Vec<Arc<Vec<GroupSummary>>>,
    len: usize,
}

/// Rows per piece, and per reading of the store.
pub(crate) const PIECE: usize = 1024;

impl Rows {
    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The row at `index` of the workspace's order.
    pub(crate) fn get(&self, index: usize) -> Option<&GroupSummary> {
        self.pieces.get(index / PIECE)?.get(index % PIECE)
    }

    /// Changes one row in place.
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut GroupSummary> {
        Arc::make_mut(self.pieces.get_mut(index / PIECE)?).get_mut(index % PIECE)
    }

    /// Puts a piece at row `start`, over what was there; `last` cuts what follows. A piece that does not begin where one
    /// begins is refused.
    pub(crate) fn put(&mut self, start: usize, rows: Vec<GroupSummary>, last: bool) {
        let piece = start / PIECE;
        if !start.is_multiple_of(PIECE) || piece > self.pieces.len() || rows.len() > PIECE {
            return;
        }
        if piece < self.pieces.len() {
            self.pieces[piece] = Arc::new(rows);
        } else {
            self.pieces.push(Arc::new(rows));
        }
        if last {
            self.pieces.truncate(piece + 1);
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.len = self.pieces.iter().map(|piece| piece.len()).sum();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &GroupSummary)> {
        self.pieces
            .iter()
            .flat_map(|piece| piece.iter())
            .enumerate()
    }
}
