//! Where things are on the detail screen; shared by view, mouse and picture requests.

use ratatui::layout::Rect;

use super::Detail;
use crate::tui::screens::grid::{Grid, Shape};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// Instruction and name.
    pub(crate) header: Rect,
    /// The source's place, if it shows.
    pub(crate) source: Rect,
    /// The candidate's place, if it shows. The same as the source's while they blink.
    pub(crate) candidate: Rect,
    /// One line over each picture.
    pub(crate) titles: [Rect; 2],
    /// Numbers and facts.
    pub(crate) facts: Rect,
    /// The candidate's Gaussians.
    pub(crate) gaussians: Rect,
}

/// Columns for numbers and facts.
const FACTS: u16 = 46;
/// Rows with which curves begin to be worth it, and cease to gain.
const LEAST_CURVES: u16 = 8;
const MOST_CURVES: u16 = 18;
/// Rows that the numbers want.
const FACT_ROWS: u16 = 12;

/// Lays the detail screen out in `area`, for pictures of `aspect` (width over height) and cells of `cell` (height over width).
pub(crate) fn layout(area: Rect, detail: Detail, aspect: f64, cell: f64) -> Layout {
    let header = if area.height >= 16 { 3 } else { 1 }.min(area.height);
    let mut out = Layout {
        header: Rect {
            height: header,
            ..area
        },
        ..Layout::default()
    };
    let below = Rect {
        y: area.y + header,
        height: area.height - header,
        ..area
    };
    let pictures = if area.width >= 100 {
        let facts = Rect {
            x: below.right() - FACTS,
            width: FACTS,
            ..below
        };
        out.facts = facts;
        Rect {
            width: below.width - FACTS - 2,
            ..below
        }
    } else {
        let facts = (below.height / 2).min(FACT_ROWS);
        let curve = if below.height >= 36 { 10 } else { 0 };
        let pictures = below.height - facts - curve;
        out.facts = Rect {
            y: below.y + pictures,
            height: facts,
            ..below
        };
        out.gaussians = Rect {
            y: out.facts.bottom(),
            height: curve,
            ..below
        };
        Rect {
            height: pictures,
            ..below
        }
    };
    place(&mut out, pictures, detail, aspect, cell);
    if out.gaussians.is_empty() {
        place_curves(&mut out, pictures);
    }
    out
}

/// The curves go under the pictures where these leave room, else under the facts.
fn place_curves(out: &mut Layout, pictures: Rect) {
    let used = out.source.bottom().max(out.candidate.bottom()) + 1;
    let left = pictures.bottom().saturating_sub(used);
    if left >= LEAST_CURVES {
        out.gaussians = Rect {
            y: used,
            height: left.min(MOST_CURVES),
            ..pictures
        };
    } else if out.facts.width == FACTS && out.facts.height >= FACT_ROWS * 2 + 4 {
        let height = out.facts.height - FACT_ROWS * 2;
        out.facts.height -= height;
        out.gaussians = Rect {
            y: out.facts.bottom(),
            height: height.min(MOST_CURVES),
            ..out.facts
        };
    }
}

fn place(out: &mut Layout, area: Rect, detail: Detail, aspect: f64, cell: f64) {
    let count = if detail.single { 1 } else { 2 };
    let shape = Shape {
        count,
        aspect,
        cell,
        caption: 1,
    };
    let tiles = Grid::best(area.as_size(), shape).tiles(area, shape);
    let cut = |tile: Rect| {
        let title = Rect {
            height: tile.height.min(1),
            ..tile
        };
        let picture = Rect {
            y: title.bottom(),
            height: tile.height - title.height,
            ..tile
        };
        (title, picture)
    };
    match (tiles.first(), tiles.get(1)) {
        (Some(first), Some(second)) => {
            (out.titles[0], out.source) = cut(*first);
            (out.titles[1], out.candidate) = cut(*second);
        }
        (Some(only), None) => {
            let (title, picture) = cut(*only);
            out.titles = [title, title];
            (out.source, out.candidate) = (picture, picture);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_screen_at_any_size_and_blinking_happens_in_place() {
        for width in 0..220 {
            for height in 0..60 {
                for single in [false, true] {
                    let area = Rect::new(0, 1, width, height);
                    let detail = Detail {
                        single,
                        source_shown: false,
                    };
                    let l = layout(area, detail, 1.4, 2.0);
                    let parts = [l.header, l.source, l.candidate, l.facts, l.gaussians];
                    for part in parts.into_iter().filter(|part| !part.is_empty()) {
                        assert_eq!(part.intersection(area), part, "{width}x{height}");
                    }
                    assert_eq!(
                        single,
                        l.source == l.candidate || l.source.is_empty() && single
                    );
                    assert!(single || l.source.intersection(l.candidate).is_empty());
                }
            }
        }
    }
}
