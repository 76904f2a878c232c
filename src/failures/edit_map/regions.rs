//! From a map of what is left to regions: hysteresis, closed gaps, filled holes, no specks.

use serde::{Deserialize, Serialize};

use crate::failures::plane::{Size, grown, shrunk};

/// Gaps of up to twice this share of the long side are closed.
const CLOSE: f64 = 0.008;
/// Regions of less than this share of the frame are specks.
const SPECK: f64 = 0.000_4;
/// Regions of fewer pixels are specks in any frame but one that is hardly larger.
const FEW: usize = 9;
/// Holes of up to this share of the frame are filled.
const HOLE: f64 = 0.01;

/// One edited region, in pixels of its map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its first column.
    pub x: usize,
    /// Its first row.
    pub y: usize,
    /// How many columns it spans, at least one.
    pub width: usize,
    /// How many rows it spans, at least one.
    pub height: usize,
    /// How many pixels it has, at least one.
    pub pixels: usize,
}

/// What was found.
pub(super) struct Found {
    pub(super) edited: Vec<bool>,
    /// Largest first.
    pub(super) regions: Vec<Region>,
}

/// The regions of what reaches `low` in the `fine` map and is connected to what reaches `high` in the `coarse` one. Their edges are
/// those of the map before it was smoothed, `raw`: smoothing spreads a strong change over its neighbours.
pub(super) fn found(
    [raw, fine, coarse]: [&[f32]; 3],
    size: Size,
    (low, high): (f32, f32),
) -> Found {
    let all = fine.len();
    let share = |share: f64| (all as f64 * share) as usize;
    let mut edited = vec![false; all];
    let candidates: Vec<bool> = fine.iter().map(|v| *v >= low).collect();
    let speck = share(SPECK).max(FEW.min(all / 16));
    for part in parts(&candidates, size, true) {
        if part.iter().any(|at| coarse[*at] >= high) && part.len() > speck {
            for at in part {
                edited[at] = true;
            }
        }
    }
    let radius = (size.0.max(size.1) as f64 * CLOSE).ceil() as usize;
    let mut edited = shrunk(&grown(&edited, size, radius), size, radius);
    let core = shrunk(&edited, size, 1);
    for ((edited, core), raw) in edited.iter_mut().zip(core).zip(raw) {
        *edited &= core || *raw >= low;
    }
    let unset: Vec<bool> = edited.iter().map(|set| !set).collect();
    for hole in parts(&unset, size, false) {
        if hole.len() <= share(HOLE) && !hole.iter().any(|at| at_rim(*at, size)) {
            for at in hole {
                edited[at] = true;
            }
        }
    }
    let mut regions: Vec<Region> = parts(&edited, size, true)
        .iter()
        .filter_map(|part| region(part, size))
        .collect();
    regions.sort_by_key(|region| std::cmp::Reverse(region.pixels));
    Found { edited, regions }
}

fn at_rim(at: usize, (width, height): Size) -> bool {
    let (x, y) = (at % width, at / width);
    x == 0 || y == 0 || x + 1 == width || y + 1 == height
}

fn region(part: &[usize], (width, _): Size) -> Option<Region> {
    let columns = part.iter().map(|at| at % width);
    let (left, right) = (columns.clone().min()?, columns.max()?);
    let (top, bottom) = (part.iter().min()? / width, part.iter().max()? / width);
    Some(Region {
        x: left,
        y: top,
        width: right - left + 1,
        height: bottom - top + 1,
        pixels: part.len(),
    })
}

/// The connected parts of a mask as places: of eight neighbours each with `corners`, else of four.
fn parts(mask: &[bool], (width, height): Size, corners: bool) -> Vec<Vec<usize>> {
    // Within a rim of one that is not set, so that every place has all neighbours, at fixed steps.
    let wide = width + 2;
    let mut left = vec![false; wide * (height + 2)];
    for (row, from) in left[wide..]
        .chunks_exact_mut(wide)
        .zip(mask.chunks_exact(width))
    {
        row[1..=width].copy_from_slice(from);
    }
    let near = |down: isize, right: isize| {
        let step = |width: usize| down * width as isize + right;
        (step(wide), step(width))
    };
    let sides = [near(-1, 0), near(0, -1), near(0, 1), near(1, 0)];
    let diagonals = [near(-1, -1), near(-1, 1), near(1, -1), near(1, 1)];
    let mut steps = sides.to_vec();
    if corners {
        steps.extend(diagonals);
    }
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for start in (0..mask.len()).filter(|at| mask[*at]) {
        let framed = (start / width + 1) * wide + start % width + 1;
        if !left[framed] {
            continue;
        }
        left[framed] = false;
        open.push((framed, start));
        let mut part = Vec::new();
        while let Some((framed, at)) = open.pop() {
            part.push(at);
            for (framed_step, step) in &steps {
                let next = framed.wrapping_add_signed(*framed_step);
                if left[next] {
                    left[next] = false;
                    open.push((next, at.wrapping_add_signed(*step)));
                }
            }
        }
        found.push(part);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_meet_at_corners_only_where_that_counts() {
        let mask = [true, false, false, true];
        assert_eq!(parts(&mask, (2, 2), true).len(), 1);
        assert_eq!(parts(&mask, (2, 2), false).len(), 2);
    }

    #[test]
    fn weak_change_counts_where_strong_change_is_connected_to_it() {
        let size = (40, 10);
        let mut plane = vec![0.0; 400];
        for y in 2..8 {
            for x in (2..12).chain(20..30) {
                plane[y * 40 + x] = 3.0;
            }
            plane[y * 40 + 5] = 9.0;
        }
        let found = found([&plane; 3], size, (2.0, 5.0));
        assert_eq!(
            found.regions,
            [Region {
                x: 2,
                y: 2,
                width: 10,
                height: 6,
                pixels: 60
            }]
        );
    }
}
