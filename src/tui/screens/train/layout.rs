//! Where things are on the train screen; shared by view, mouse and picture requests.

use ratatui::layout::{Rect, Size};

use super::Pane;
use crate::tui::screens::grid::{Grid, Shape, cut_left, cut_top};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// The list with its title.
    pub(crate) list: Rect,
    /// Its rows alone.
    pub(crate) rows: Rect,
    /// The line between list and charts.
    pub(crate) divider: Rect,
    /// What is known of the marked run.
    pub(crate) facts: Rect,
    /// How the curves are looked at.
    pub(crate) bar: Rect,
    /// The charts' places, row by row.
    pub(crate) charts: Vec<Rect>,
    /// How many of them stand side by side.
    pub(crate) columns: usize,
    /// The pane under the charts.
    pub(crate) pane: Rect,
    /// Source and candidates of the followed group.
    pub(crate) tiles: Vec<Rect>,
    /// Their scores over time.
    pub(crate) scores: Rect,
}

/// What the places depend on besides the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// How many charts there are.
    pub(crate) charts: usize,
    /// One of them alone.
    pub(crate) large: bool,
    /// The pane.
    pub(crate) pane: Pane,
    /// How many runs there are.
    pub(crate) runs: usize,
    /// Pictures of the followed group, and their width over height.
    pub(crate) pictures: usize,
    /// Width over height of those.
    pub(crate) aspect: f64,
    /// A cell's height over its width.
    pub(crate) cell: f64,
}

/// Below this a list beside the charts leaves neither room enough.
const WIDE: u16 = 90;
const TALL: u16 = 18;
/// A chart that is worth reading, in cells.
const CHART: Size = Size {
    width: 38,
    height: 10,
};
/// Lines under each picture.
pub(crate) const CAPTION: u16 = 2;

/// Lays the train screen out in `area`.
pub(crate) fn layout(area: Rect, facts: Facts) -> Layout {
    let mut out = Layout::default();
    let runs = u16::try_from(facts.runs).unwrap_or(u16::MAX).max(1);
    let right = if area.width >= WIDE && area.height >= TALL {
        let width = (area.width * 3 / 10).clamp(30, 46);
        let left = Rect { width, ..area };
        let list = (runs.saturating_add(1)).clamp(4, area.height / 2);
        out.list = Rect {
            height: list,
            ..left
        };
        out.facts = cut_top(left, list + 1);
        out.divider = Rect::new(area.x + width, area.y, 1, area.height);
        cut_left(area, width + 2)
    } else {
        let height = (runs.saturating_add(1))
            .min((area.height / 4).max(2))
            .min(area.height);
        out.list = Rect { height, ..area };
        cut_top(area, height)
    };
    out.rows = cut_top(out.list, 1);
    out.bar = Rect {
        height: right.height.min(1),
        ..right
    };
    let below = cut_top(right, 1);
    let pane = match facts.pane {
        Pane::Charts => 0,
        Pane::Followed => (below.height * 9 / 20).clamp(0, 24),
        Pane::Log => (below.height / 3).clamp(0, 16),
    };
    let charts = Rect {
        height: below.height - pane,
        ..below
    };
    out.pane = cut_top(below, below.height - pane);
    if facts.pane == Pane::Followed {
        place_followed(&mut out, facts);
    }
    place_charts(&mut out, charts, facts);
    out
}

fn place_charts(out: &mut Layout, area: Rect, facts: Facts) {
    if area.is_empty() || facts.charts == 0 {
        return;
    }
    let count = if facts.large { 1 } else { facts.charts };
    let columns = usize::from(area.width / CHART.width).clamp(1, 4).min(count);
    let most = usize::from(area.height / CHART.height).max(1);
    let rows = count.div_ceil(columns).min(most);
    out.columns = columns;
    let (columns, rows) = (columns as u16, rows as u16);
    let width = (area.width - 2 * (columns - 1)) / columns;
    let height = area.height / rows;
    for row in 0..rows {
        for column in 0..columns {
            out.charts.push(Rect::new(
                area.x + column * (width + 2),
                area.y + row * height,
                width,
                // A line between two rows of charts, where they can spare it.
                height - u16::from(rows > 1 && height > CHART.height),
            ));
        }
    }
}

/// Pictures to the left, scores to the right, if there is room for both.
fn place_followed(out: &mut Layout, facts: Facts) {
    let inner = cut_top(out.pane, 2);
    if inner.height < 4 || facts.pictures == 0 {
        return;
    }
    let beside = if inner.width >= 84 {
        (inner.width * 2 / 5).clamp(34, 64)
    } else {
        0
    };
    let pictures = Rect {
        width: inner.width - beside,
        ..inner
    };
    let shape = Shape {
        count: u16::try_from(facts.pictures).unwrap_or(u16::MAX).min(16),
        aspect: facts.aspect,
        cell: facts.cell,
        caption: CAPTION,
    };
    let grid = Grid::best(pictures.as_size(), shape);
    if grid.room(pictures.as_size(), CAPTION).width >= 8 {
        out.tiles = grid.tiles(pictures, shape);
    }
    if beside > 0 {
        out.scores = cut_left(inner, inner.width - beside + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_screen_and_no_chart_covers_another_at_any_size() {
        for width in (0..260).step_by(7) {
            for height in 0..70 {
                for pane in [Pane::Charts, Pane::Followed, Pane::Log] {
                    for (charts, large) in [(0, false), (1, false), (13, false), (13, true)] {
                        let area = Rect::new(0, 1, width, height);
                        let facts = Facts {
                            charts,
                            large,
                            pane,
                            runs: 5,
                            pictures: 5,
                            aspect: 1.3,
                            cell: 2.0,
                        };
                        let l = layout(area, facts);
                        let mut parts = vec![l.list, l.facts, l.bar, l.pane, l.scores];
                        parts.extend(&l.charts);
                        parts.extend(&l.tiles);
                        for part in parts.iter().filter(|part| !part.is_empty()) {
                            assert_eq!(part.intersection(area), *part, "{width}x{height}");
                        }
                        for (i, chart) in l.charts.iter().enumerate() {
                            let others = l.charts[..i].iter().chain([&l.pane, &l.list, &l.bar]);
                            for other in others {
                                assert!(chart.intersection(*other).is_empty(), "{width}x{height}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn as_many_charts_show_as_can_be_read() {
        let charts = |width, height, charts| {
            let facts = Facts {
                charts,
                large: false,
                pane: Pane::Charts,
                runs: 2,
                pictures: 0,
                aspect: 1.0,
                cell: 2.0,
            };
            let l = layout(Rect::new(0, 0, width, height), facts);
            (l.charts.len(), l.columns)
        };
        assert_eq!(charts(200, 50, 14), (16, 4));
        assert_eq!(charts(200, 50, 2), (2, 2));
        assert_eq!(charts(60, 19, 14), (1, 1));
        assert_eq!(charts(100, 29, 14), (2, 1));
    }
}
