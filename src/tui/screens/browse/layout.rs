//! Where things are on the browse screen. One function for the view, for the mouse and for the sizes in which pictures are
//! asked for, so that the three never disagree.

use ratatui::layout::{Rect, Size};

use super::{Browse, PanelChoice};
use crate::tui::screens::grid::{Grid, Shape, cut_left, cut_top, fitted};
use crate::tui::screens::prose;

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// The list with its title.
    pub(crate) list: Rect,
    /// Its rows alone.
    pub(crate) rows: Rect,
    /// The line between list and group.
    pub(crate) divider: Rect,
    /// Instruction and facts about the group.
    pub(crate) header: Rect,
    /// Pictures with their captions: the source first.
    pub(crate) tiles: Vec<Tile>,
    /// One line a candidate, where the pictures are only a pair.
    pub(crate) table: Rect,
    /// Gaussians.
    pub(crate) gaussians: Rect,
    /// P(A≻B).
    pub(crate) matrix: Rect,
}

/// A picture's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Which picture: `None` is the source.
    pub(crate) candidate: Option<usize>,
    /// The room for the picture.
    pub(crate) picture: Rect,
    /// The lines under it.
    pub(crate) caption: Rect,
}

impl Tile {
    /// Picture and caption.
    pub(crate) fn area(&self) -> Rect {
        self.picture.union(self.caption)
    }
}

/// Below this a list beside the pictures leaves neither room enough.
const WIDE: u16 = 90;
const TALL: u16 = 22;
/// The smallest picture that is worth a tile of its own, in cells.
const USEFUL: Size = Size {
    width: 12,
    height: 5,
};
/// Higher than this, curves gain nothing.
const MOST_PANEL: u16 = 20;
/// Narrower than this, Gaussians and matrix take turns.
const BOTH_PANELS: u16 = 104;

/// What the places depend on besides the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// How many candidates the group on screen has; `None` without a group.
    pub(crate) candidates: Option<usize>,
    /// Width over height of its source.
    pub(crate) aspect: f64,
    /// Its instruction.
    pub(crate) instruction: &'a str,
    /// What the person chose.
    pub(crate) browse: &'a Browse,
    /// A cell's height over its width.
    pub(crate) cell: f64,
}

/// Lays the browse screen out in `area`.
pub(crate) fn layout(area: Rect, facts: Facts<'_>) -> Layout {
    let mut out = Layout::default();
    let right = if area.width >= WIDE && area.height >= TALL {
        let width = (area.width * 3 / 10).clamp(30, 52);
        out.list = Rect { width, ..area };
        out.divider = Rect::new(area.x + width, area.y, 1, area.height);
        cut_left(area, width + 2)
    } else {
        let height = (area.height / 4).clamp(2, 9).min(area.height);
        out.list = Rect { height, ..area };
        cut_top(area, height)
    };
    out.rows = cut_top(out.list, 1);
    let wide = !out.divider.is_empty();
    let lines = prose::wrap(facts.instruction, right.width, if wide { 3 } else { 2 });
    let text = u16::try_from(lines.len()).unwrap_or(1).max(1);
    // The line of facts and the empty line are the first to go.
    let facts_line = u16::from(right.height > 12);
    let space = u16::from(right.height > 24);
    let header = (text + facts_line + space).min(right.height);
    out.header = Rect {
        height: header,
        ..right
    };
    place_pictures(&mut out, cut_top(right, header), facts);
    out
}

fn place_pictures(out: &mut Layout, area: Rect, facts: Facts<'_>) {
    let Some(candidates) = facts.candidates else {
        return;
    };
    let panel = panel_height(area.height, candidates);
    let with_panel = cut_bottom(area, panel);
    let count = u16::try_from(candidates + 1).unwrap_or(u16::MAX).min(64);
    let mut shape = Shape {
        count,
        aspect: facts.aspect,
        cell: facts.cell,
        caption: 4,
    };
    let grid = (!facts.browse.pair)
        .then(|| choose(with_panel.as_size(), &mut shape))
        .flatten();
    if let Some(grid) = grid {
        for (i, tile) in grid.tiles(with_panel, shape).into_iter().enumerate() {
            out.tiles.push(split(tile, shape, i.checked_sub(1)));
        }
        place_panels(out, below(out, area, panel), facts);
    } else {
        place_pair(out, area, facts, candidates);
    }
}

/// The cut and the captions that leave pictures large enough to judge, if there is any: full captions first.
fn choose(area: Size, shape: &mut Shape) -> Option<Grid> {
    [4, 2].into_iter().find_map(|caption| {
        shape.caption = caption;
        let grid = Grid::best(area, *shape);
        let size = fitted(grid.room(area, caption), shape.aspect, shape.cell);
        let room_for_words = grid.room(area, caption).width >= 16;
        (size.width >= USEFUL.width && size.height >= USEFUL.height && room_for_words)
            .then_some(grid)
    })
}

/// Source and candidate beside each other, and every candidate's numbers as a table.
fn place_pair(out: &mut Layout, area: Rect, facts: Facts<'_>, candidates: usize) {
    let candidates = u16::try_from(candidates).unwrap_or(u16::MAX);
    let most = (area.height / 2).max(3);
    let table = if candidates == 0 {
        0
    } else {
        (candidates + 1).min(most).min(area.height)
    };
    let mut above = cut_bottom(area, table);
    let panel = if above.height >= 18 { 8 } else { 0 };
    above = cut_bottom(above, panel);
    let shape = Shape {
        count: if candidates == 0 { 1 } else { 2 },
        aspect: facts.aspect,
        cell: facts.cell,
        caption: u16::from(above.height > 4),
    };
    let grid = Grid::best(above.as_size(), shape);
    let shown = [None, Some(facts.browse.candidate)];
    for (tile, candidate) in grid.tiles(above, shape).into_iter().zip(shown) {
        out.tiles.push(split(tile, shape, candidate));
    }
    out.table = Rect {
        y: above.bottom(),
        height: table,
        ..area
    };
    let rest = Rect {
        y: out.table.bottom(),
        height: panel,
        ..area
    };
    place_panels(out, rest, facts);
}

/// The picture stands at the left, above the beginning of its words.
fn split(tile: Rect, shape: Shape, candidate: Option<usize>) -> Tile {
    let room = cut_bottom(tile, shape.caption);
    let picture = Rect {
        width: fitted(room.as_size(), shape.aspect, shape.cell).width,
        ..room
    };
    Tile {
        candidate,
        picture,
        caption: Rect {
            y: picture.bottom(),
            height: tile.height - picture.height,
            ..tile
        },
    }
}

/// Rows for the panel under the pictures: about a third, more candidates a little more, none where pictures need it all.
fn panel_height(height: u16, candidates: usize) -> u16 {
    let wanted = u16::try_from(candidates)
        .unwrap_or(9)
        .saturating_add(9)
        .clamp(8, 18);
    if height < 16 {
        0
    } else {
        wanted.min(height * 2 / 5)
    }
}

/// What the pictures leave over, for the panels: at least `least` rows, at most what curves gain from.
fn below(out: &Layout, area: Rect, least: u16) -> Rect {
    if least == 0 {
        return Rect::ZERO;
    }
    let used = out.tiles.iter().map(|tile| tile.area().bottom()).max();
    let top = (used.unwrap_or(area.y) + 1).min(area.bottom() - least);
    let rest = cut_top(area, top - area.y);
    Rect {
        height: rest.height.min(MOST_PANEL),
        ..rest
    }
}

fn place_panels(out: &mut Layout, area: Rect, facts: Facts<'_>) {
    if area.height < 4 || area.width < 24 {
        return;
    }
    if area.width >= BOTH_PANELS {
        let candidates = facts.candidates.unwrap_or(0).min(999);
        let wanted = u16::try_from(candidates * 6 + 14).unwrap_or(u16::MAX);
        let matrix = wanted.clamp(24, area.width * 2 / 5);
        out.gaussians = Rect {
            width: area.width - matrix - 2,
            ..area
        };
        out.matrix = cut_left(area, area.width - matrix);
    } else if facts.browse.panel == PanelChoice::Gaussians {
        out.gaussians = area;
    } else {
        out.matrix = area;
    }
}

fn cut_bottom(area: Rect, by: u16) -> Rect {
    Rect {
        height: area.height.saturating_sub(by),
        ..area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: u16, height: u16, candidates: usize, browse: &Browse) -> Layout {
        layout(
            Rect::new(0, 1, width, height),
            Facts {
                candidates: Some(candidates),
                aspect: 4.0 / 3.0,
                instruction: "Make the sky behind the tower a clear evening orange",
                browse,
                cell: 2.0,
            },
        )
    }

    #[test]
    fn nothing_leaves_the_screen_or_overlaps_at_any_size() {
        for width in (0..240).step_by(7) {
            for height in 0..70 {
                for candidates in [0, 1, 3, 7] {
                    for pair in [false, true] {
                        let browse = Browse {
                            pair,
                            ..Browse::default()
                        };
                        let area = Rect::new(0, 1, width, height);
                        let l = at(width, height, candidates, &browse);
                        let mut parts =
                            vec![l.list, l.divider, l.header, l.table, l.gaussians, l.matrix];
                        parts.extend(l.tiles.iter().map(Tile::area));
                        parts.retain(|part| !part.is_empty());
                        for (i, part) in parts.iter().enumerate() {
                            assert_eq!(part.intersection(area), *part, "{width}x{height}");
                            for other in &parts[..i] {
                                assert!(
                                    part.intersection(*other).is_empty(),
                                    "{width}x{height} {part} {other}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_large_terminal_shows_every_picture_and_both_panels() {
        let l = at(160, 46, 5, &Browse::default());
        assert_eq!(l.tiles.len(), 6);
        assert!(!l.gaussians.is_empty() && !l.matrix.is_empty() && l.table.is_empty());
    }

    #[test]
    fn sixty_by_twenty_still_shows_list_pair_and_table() {
        let l = at(60, 18, 5, &Browse::default());
        assert_eq!(l.tiles.len(), 2);
        assert!(l.rows.height >= 3 && l.table.height >= 4);
        assert!(l.tiles[0].picture.height >= 5, "{:?}", l.tiles[0]);
    }
}
