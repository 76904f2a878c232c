//! Where things are on the annotate screen: the words above, the pictures, and the question below them.

use ratatui::layout::Rect;

use crate::tui::screens::grid::{Grid, Shape, cut_top};

/// Lines under a picture: its letter and what was said of it.
pub(super) const CAPTION: u16 = 1;
/// Lines above the pictures: the instruction, and how far one is.
const HEAD: u16 = 3;
/// Lines below: the question and its keys.
const FOOT: u16 = 3;
/// Columns that the rubric takes where there is room beside the pictures.
const RUBRIC: u16 = 46;
/// Below this it takes the pictures' place.
const BESIDE: u16 = 110;

/// What the places depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// Pictures, the source included.
    pub(crate) pictures: usize,
    /// Width over height of the source.
    pub(crate) aspect: f64,
    /// A cell's height over its width.
    pub(crate) cell: f64,
    /// Whether the rubric shows.
    pub(crate) rubric: bool,
}

/// The places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The instruction and how far one is.
    pub(crate) head: Rect,
    /// The pictures with their captions, the source first.
    pub(crate) tiles: Vec<Rect>,
    /// Where pictures may be.
    pub(crate) body: Rect,
    /// The rubric, where it shows.
    pub(crate) rubric: Rect,
    /// The question.
    pub(crate) foot: Rect,
}

/// Cuts the screen.
pub(crate) fn layout(area: Rect, facts: Facts) -> Layout {
    let head = Rect {
        height: HEAD.min(area.height),
        ..area
    };
    let below = cut_top(area, HEAD);
    let foot = Rect {
        y: below.bottom().saturating_sub(FOOT.min(below.height)),
        height: FOOT.min(below.height),
        ..below
    };
    let mut body = Rect {
        height: below.height - foot.height,
        ..below
    };
    let mut rubric = Rect::default();
    if facts.rubric && area.width >= BESIDE {
        rubric = Rect {
            x: body.right() - RUBRIC,
            width: RUBRIC,
            ..body
        };
        body.width -= RUBRIC + 2;
    } else if facts.rubric {
        rubric = body;
        body = Rect { height: 0, ..body };
    }
    let shape = Shape {
        count: u16::try_from(facts.pictures).unwrap_or(u16::MAX).min(16),
        aspect: facts.aspect,
        cell: facts.cell,
        caption: CAPTION,
    };
    let tiles = if facts.pictures == 0 || body.height <= CAPTION {
        Vec::new()
    } else {
        Grid::best(body.as_size(), shape).tiles(body, shape)
    };
    Layout {
        head,
        tiles,
        body,
        rubric,
        foot,
    }
}

/// The room for the picture in a tile.
pub(crate) fn picture_of(tile: Rect) -> Rect {
    Rect {
        height: tile.height.saturating_sub(CAPTION),
        ..tile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_screen_or_covers_another_at_any_size() {
        for width in (0..240).step_by(5) {
            for height in 0..60 {
                for (pictures, rubric) in [(0, false), (5, false), (8, true), (2, true)] {
                    let area = Rect::new(0, 1, width, height);
                    let facts = Facts {
                        pictures,
                        aspect: 1.3,
                        cell: 2.0,
                        rubric,
                    };
                    let l = layout(area, facts);
                    let mut parts = vec![l.head, l.rubric, l.foot];
                    parts.extend(&l.tiles);
                    for (i, part) in parts.iter().enumerate() {
                        assert_eq!(part.intersection(area).area(), part.area());
                        for other in &parts[..i] {
                            assert!(part.intersection(*other).is_empty(), "{width}x{height}");
                        }
                    }
                }
            }
        }
    }
}
