//! Fitting pictures into a rectangle of cells: how many columns leave the pictures largest. Arithmetic only.

use ratatui::layout::{Rect, Size};

/// Height over width of a terminal's cell where nothing better is known.
pub(crate) const USUAL_CELL: f64 = 2.0;

/// How a rectangle is cut for pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Tiles side by side.
    pub(crate) columns: u16,
    /// Tiles on top of each other.
    pub(crate) rows: u16,
}

/// The shape of what is to be fitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Pictures.
    pub(crate) count: u16,
    /// Their width over their height, in pixels.
    pub(crate) aspect: f64,
    /// A cell's height over its width.
    pub(crate) cell: f64,
    /// Lines of text under each picture.
    pub(crate) caption: u16,
}

/// Columns between two tiles, and rows.
const GAP: Size = Size {
    width: 2,
    height: 1,
};
/// One row more must leave the pictures this much larger, or they would hardly gain and the eye lose its line.
const WORTH_A_ROW: f64 = 1.12;

/// The cells a picture of `aspect` fills within `room`, at least one each way if there is any room.
pub(crate) fn fitted(room: Size, aspect: f64, cell: f64) -> Size {
    if room.width == 0 || room.height == 0 || aspect <= 0.0 || cell <= 0.0 {
        return Size::ZERO;
    }
    // Cells a row must be wide for one row of height.
    let per_row = aspect * cell;
    let (width, height) = (f64::from(room.width), f64::from(room.height));
    let (w, h) = if width <= height * per_row {
        (width, width / per_row)
    } else {
        (height * per_row, height)
    };
    Size::new(cells(w, room.width), cells(h, room.height))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a number of cells that came in as u16"
)]
fn cells(value: f64, most: u16) -> u16 {
    value.round().clamp(1.0, f64::from(most.max(1))) as u16
}

impl Grid {
    /// The cut that leaves the pictures largest; among nearly equal ones, the one with fewer rows.
    pub(crate) fn best(area: Size, shape: Shape) -> Self {
        let mut best = (
            0.0,
            Self {
                columns: shape.count.max(1),
                rows: 1,
            },
        );
        for columns in (1..=shape.count).rev() {
            let grid = Self {
                columns,
                rows: shape.count.div_ceil(columns),
            };
            let room = grid.room(area, shape.caption);
            let size = fitted(room, shape.aspect, shape.cell);
            let cells = f64::from(size.width) * f64::from(size.height);
            if cells > best.0 * WORTH_A_ROW {
                best = (cells, grid);
            }
        }
        best.1
    }

    /// The room for one picture, without its caption.
    pub(crate) fn room(self, area: Size, caption: u16) -> Size {
        let share = |whole: u16, gap: u16, parts: u16| {
            let parts = parts.max(1);
            whole.saturating_sub(gap * (parts - 1)) / parts
        };
        Size::new(
            share(area.width, GAP.width, self.columns),
            share(area.height, GAP.height, self.rows).saturating_sub(caption),
        )
    }

    /// The tiles, row by row, captions included. Tiles are no taller than their pictures and captions need.
    pub(crate) fn tiles(self, area: Rect, shape: Shape) -> Vec<Rect> {
        let room = self.room(area.as_size(), shape.caption);
        let used = fitted(room, shape.aspect, shape.cell);
        let height = used.height + shape.caption;
        (0..shape.count)
            .map(|i| {
                let (column, row) = (i % self.columns.max(1), i / self.columns.max(1));
                Rect::new(
                    area.x + column * (room.width + GAP.width),
                    area.y + row * (height + GAP.height),
                    room.width,
                    height,
                )
                .intersection(area)
            })
            .collect()
    }
}

/// What is left of an area without its upper lines.
pub(crate) fn cut_top(area: Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    }
}

/// What is left of an area without its columns on the left.
pub(crate) fn cut_left(area: Rect, width: u16) -> Rect {
    let width = width.min(area.width);
    Rect {
        x: area.x + width,
        width: area.width - width,
        ..area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(count: u16) -> Shape {
        Shape {
            count,
            aspect: 4.0 / 3.0,
            cell: USUAL_CELL,
            caption: 4,
        }
    }

    #[test]
    fn a_picture_keeps_its_aspect_within_its_room() {
        assert_eq!(fitted(Size::new(40, 40), 4.0 / 3.0, 2.0), Size::new(40, 15));
        assert_eq!(
            fitted(Size::new(400, 15), 4.0 / 3.0, 2.0),
            Size::new(40, 15)
        );
        assert_eq!(fitted(Size::new(0, 15), 1.0, 2.0), Size::ZERO);
        assert_eq!(fitted(Size::new(1, 1), 9.0, 2.0), Size::new(1, 1));
    }

    #[test]
    fn a_flat_area_gets_one_row_and_a_tall_one_a_column() {
        let best = |w, h| Grid::best(Size::new(w, h), shape(5));
        assert_eq!(best(200, 16).rows, 1);
        assert_eq!(best(30, 120).columns, 1);
        assert_eq!(
            best(110, 34),
            Grid {
                columns: 3,
                rows: 2
            }
        );
    }

    #[test]
    fn tiles_stay_within_their_area_and_apart_at_every_size() {
        for width in 0..60 {
            for height in 0..40 {
                for count in 1..9 {
                    let area = Rect::new(3, 2, width, height);
                    let grid = Grid::best(area.as_size(), shape(count));
                    let tiles = grid.tiles(area, shape(count));
                    assert_eq!(tiles.len(), usize::from(count));
                    for (i, tile) in tiles.iter().enumerate() {
                        assert_eq!(tile.intersection(area), *tile);
                        for other in &tiles[..i] {
                            assert!(tile.intersection(*other).is_empty(), "{tile} {other}");
                        }
                    }
                }
            }
        }
    }
}
