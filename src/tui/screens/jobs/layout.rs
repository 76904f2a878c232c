//! Where things are on the jobs screen; shared by view, mouse and what is read of a log.

use ratatui::layout::Rect;

use super::Pane;
use crate::tui::screens::grid::{cut_left, cut_top};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// The line over the list: what it is, how many, and the filter.
    pub(crate) title: Rect,
    /// The names of the columns.
    pub(crate) heads: Rect,
    /// The rows.
    pub(crate) rows: Rect,
    /// The line between list and detail.
    pub(crate) rule: Rect,
    /// What is known of the marked run.
    pub(crate) facts: Rect,
    /// The line between that and the pane.
    pub(crate) divider: Rect,
    /// The log, or the curves.
    pub(crate) pane: Rect,
}

/// What the places depend on besides the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// How many runs show.
    pub(crate) runs: usize,
    /// The pane.
    pub(crate) pane: Pane,
    /// It fills the screen.
    pub(crate) large: bool,
}

/// Below this, facts and pane do not stand side by side.
const WIDE: u16 = 100;
/// Below this there are no names over the columns.
const TALL: u16 = 16;

impl Layout {
    /// Whether facts stand beside the pane.
    pub(crate) const fn is_wide(&self) -> bool {
        self.title.width >= WIDE
    }

    /// Rows of the log, without its title.
    pub(crate) fn log_rows(&self) -> usize {
        usize::from(self.pane.height.saturating_sub(1))
    }
}

/// Lays the jobs screen out in `area`.
pub(crate) fn layout(area: Rect, facts: Facts) -> Layout {
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..area
    };
    let mut out = Layout {
        title: line(area.y).intersection(area),
        ..Layout::default()
    };
    let below = cut_top(area, 1);
    if facts.large {
        out.pane = below;
        if facts.pane == Pane::Facts {
            (out.facts, out.pane) = (below, Rect::default());
        }
        return out;
    }
    let heads = u16::from(area.height >= TALL);
    out.heads = Rect {
        height: heads,
        ..below
    };
    let list = cut_top(below, heads);
    let runs = u16::try_from(facts.runs).unwrap_or(u16::MAX).max(1);
    let height = runs.min((area.height * 2 / 5).max(3)).min(list.height);
    out.rows = Rect { height, ..list };
    let rest = cut_top(list, height);
    out.rule = Rect {
        height: rest.height.min(1),
        ..rest
    };
    let rest = cut_top(rest, 1);
    if area.width >= WIDE {
        let width = (area.width * 2 / 5).clamp(42, 70);
        out.facts = Rect {
            width: width - 1,
            ..rest
        };
        out.divider = Rect::new(area.x + width, rest.y, 1, rest.height);
        out.pane = cut_left(rest, width + 2);
    } else if facts.pane == Pane::Facts {
        out.facts = rest;
    } else {
        out.pane = rest;
    }
    out
}
