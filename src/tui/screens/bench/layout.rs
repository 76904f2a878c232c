//! Where things are on the bench screen; shared by view, mouse and picture requests.

use ratatui::layout::Rect;

use crate::tui::screens::grid::{Grid, Shape, cut_left, cut_top};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Title, column heads, rows and notes of the leaderboard.
    pub(crate) board: Rect,
    /// The scorers' names.
    pub(crate) names: Rect,
    /// What kind each is, beside them.
    pub(crate) kinds: Rect,
    /// The cells, without the heads over them.
    pub(crate) cells: Rect,
    /// The line between leaderboard and detail.
    pub(crate) rule: Rect,
    /// The detail of the cell under the cursor.
    pub(crate) detail: Rect,
    /// What it was measured on, where that stands beside the detail.
    pub(crate) facts: Rect,
    /// The list of mistakes with its heads.
    pub(crate) list: Rect,
    /// Its rows alone.
    pub(crate) rows: Rect,
    /// The case that is looked at.
    pub(crate) case: Rect,
    /// Its pictures, source first.
    pub(crate) tiles: Vec<Rect>,
}

/// What the places depend on besides the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// Rows of the leaderboard.
    pub(crate) rows: usize,
    /// The longest name in it, in columns.
    pub(crate) name: u16,
    /// Whether there are notes to it.
    pub(crate) notes: u16,
    /// The list of mistakes is open.
    pub(crate) list: bool,
    /// A case of it is.
    pub(crate) case: bool,
    /// Pictures of the case.
    pub(crate) pictures: usize,
    /// A cell's height over its width.
    pub(crate) cell: f64,
}

/// From here on facts stand beside the detail, and kinds are words instead of a sign.
const WIDE: u16 = 110;
/// Lines over the rows of the leaderboard: its title and the heads.
const HEADS: u16 = 2;
/// The word for a row's kind: "† published".
const KIND: u16 = 11;
/// Lines under each picture.
pub(crate) const CAPTION: u16 = 1;

/// Lays the bench screen out in `area`.
pub(crate) fn layout(area: Rect, facts: Facts) -> Layout {
    let mut out = Layout::default();
    if facts.case {
        place_case(&mut out, area, facts);
        return out;
    }
    if facts.list {
        out.list = area;
        out.rows = cut_top(area, 3);
        return out;
    }
    let rows = u16::try_from(facts.rows).unwrap_or(u16::MAX);
    let wanted = rows.saturating_add(HEADS + facts.notes);
    let most = (area.height / 2).max(area.height.saturating_sub(24));
    let height = wanted.min(most).min(area.height);
    out.board = Rect { height, ..area };
    let body = cut_top(out.board, HEADS);
    let notes = facts.notes.min(body.height / 4);
    let body = Rect {
        height: body.height - notes,
        ..body
    };
    let kind = if area.width >= WIDE { KIND } else { 2 };
    let name = facts.name.clamp(8, 30).min(area.width / 3);
    // A column for the mark of the row under the cursor.
    out.names = Rect {
        x: body.x + 1.min(body.width),
        width: name.min(body.width.saturating_sub(1)),
        ..body
    };
    out.kinds = cut_left(body, 1 + name + 1);
    out.kinds.width = out.kinds.width.min(kind);
    out.cells = cut_left(body, 1 + name + 1 + kind + 1);
    let below = cut_top(area, height);
    out.rule = Rect {
        height: below.height.min(1),
        ..below
    };
    let below = cut_top(below, 1);
    if area.width >= WIDE {
        let beside = (area.width * 2 / 5).min(70);
        out.detail = Rect {
            width: area.width - beside - 2,
            ..below
        };
        out.facts = cut_left(below, area.width - beside);
    } else {
        out.detail = below;
    }
    out
}

/// Words at the top or to the left, pictures in the rest.
fn place_case(out: &mut Layout, area: Rect, facts: Facts) {
    out.case = area;
    if facts.pictures == 0 {
        return;
    }
    let room = if area.width >= WIDE {
        out.case.width = area.width * 2 / 5;
        cut_left(area, out.case.width + 2)
    } else {
        out.case.height = area.height / 2;
        cut_top(area, out.case.height)
    };
    let shape = Shape {
        count: u16::try_from(facts.pictures).unwrap_or(u16::MAX).min(16),
        aspect: crate::tui::library::USUAL_ASPECT,
        cell: facts.cell,
        caption: CAPTION,
    };
    let grid = Grid::best(room.as_size(), shape);
    if grid.room(room.as_size(), CAPTION).width >= 6 {
        out.tiles = grid.tiles(room, shape);
    } else {
        out.case = area;
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
    fn nothing_leaves_the_screen_and_nothing_covers_another_at_any_size() {
        for width in (0..260).step_by(7) {
            for height in 0..70 {
                for (list, case, pictures) in [
                    (false, false, 0),
                    (true, false, 0),
                    (true, true, 0),
                    (true, true, 5),
                ] {
                    let area = Rect::new(0, 1, width, height);
                    let facts = Facts {
                        rows: 17,
                        name: 27,
                        notes: 2,
                        list,
                        case,
                        pictures,
                        cell: 2.0,
                    };
                    let l = layout(area, facts);
                    let mut parts = vec![
                        l.names, l.kinds, l.cells, l.rule, l.detail, l.facts, l.rows, l.case,
                    ];
                    parts.extend(&l.tiles);
                    for (i, part) in parts.iter().enumerate() {
                        assert_eq!(
                            part.intersection(area).area(),
                            part.area(),
                            "{width}x{height}"
                        );
                        for other in &parts[..i] {
                            assert!(part.intersection(*other).is_empty(), "{width}x{height}");
                        }
                    }
                    for part in [l.names, l.kinds, l.cells] {
                        assert_eq!(part.intersection(l.board).area(), part.area());
                    }
                }
            }
        }
    }

    #[test]
    fn a_small_terminal_has_room_for_rows_and_detail() {
        let facts = Facts {
            rows: 17,
            name: 27,
            notes: 1,
            list: false,
            case: false,
            pictures: 0,
            cell: 2.0,
        };
        let l = layout(Rect::new(0, 0, 80, 23), facts);
        assert!(l.cells.height >= 7 && l.cells.width >= 40, "{l:?}");
        assert!(l.detail.height >= 9, "{l:?}");
        assert!(l.facts.is_empty());
    }
}
