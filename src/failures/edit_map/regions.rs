//! From a map of what is left to regions: hysteresis, closed gaps, filled holes, no specks.

use std::ops::Range;

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
        let strong = |run: &Run| coarse[run.places(size)].iter().any(|v| *v >= high);
        if part.pixels() > speck && part.0.iter().any(strong) {
            part.fill(&mut edited, size);
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
        if hole.pixels() <= share(HOLE) && !hole.is_at_rim(size) {
            hole.fill(&mut edited, size);
        }
    }
    let mut regions: Vec<Region> = parts(&edited, size, true)
        .iter()
        .filter_map(Part::region)
        .collect();
    regions.sort_by_key(|region| std::cmp::Reverse(region.pixels));
    Found { edited, regions }
}

/// Neighbours in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    row: usize,
    start: usize,
    /// The column after the last one.
    end: usize,
}

impl Run {
    /// Where it lies in a plane of that size.
    fn places(&self, (width, _): Size) -> Range<usize> {
        self.row * width + self.start..self.row * width + self.end
    }
}

/// A connected part of a mask, row by row.
#[derive(Debug, Default)]
struct Part(Vec<Run>);

impl Part {
    fn pixels(&self) -> usize {
        self.0.iter().map(|run| run.end - run.start).sum()
    }

    fn fill(&self, mask: &mut [bool], size: Size) {
        for run in &self.0 {
            mask[run.places(size)].fill(true);
        }
    }

    fn is_at_rim(&self, (width, height): Size) -> bool {
        self.0
            .iter()
            .any(|run| run.row == 0 || run.row + 1 == height || run.start == 0 || run.end == width)
    }

    fn region(&self) -> Option<Region> {
        let (top, bottom) = (self.0.first()?.row, self.0.last()?.row);
        let left = self.0.iter().map(|run| run.start).min()?;
        let right = self.0.iter().map(|run| run.end).max()?;
        Some(Region {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top + 1,
            pixels: self.pixels(),
        })
    }
}

/// The connected parts of a mask, by their first places: of eight neighbours each with `corners`, else of four. Runs are joined
/// to those they touch in the row above, by union-find.
fn parts(mask: &[bool], size: Size, corners: bool) -> Vec<Part> {
    let reach = usize::from(corners);
    let mut runs: Vec<Run> = Vec::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut above = 0..0;
    for (row, line) in mask.chunks_exact(size.0).enumerate() {
        let first = runs.len();
        runs_of(line, row, &mut runs);
        parents.extend(first..runs.len());
        let mut from = above.start;
        for at in first..runs.len() {
            let run = runs[at];
            while from < above.end && runs[from].end + reach <= run.start {
                from += 1;
            }
            let touched =
                (from..above.end).take_while(|other| runs[*other].start < run.end + reach);
            for other in touched {
                let (one, two) = (root(&mut parents, other), root(&mut parents, at));
                parents[one.max(two)] = one.min(two);
            }
        }
        above = first..runs.len();
    }
    // A root is the first run of its part, so that a part's place is known before its other runs come.
    let mut found: Vec<Part> = Vec::new();
    let mut places = vec![0; runs.len()];
    for (at, run) in runs.into_iter().enumerate() {
        let root = root(&mut parents, at);
        if root == at {
            places[at] = found.len();
            found.push(Part::default());
        }
        found[places[root]].0.push(run);
    }
    found
}

/// The runs of what is set in one row.
fn runs_of(line: &[bool], row: usize, out: &mut Vec<Run>) {
    let mut at = 0;
    while let Some(start) = line[at..].iter().position(|set| *set).map(|n| at + n) {
        let length = line[start..].iter().position(|set| !set);
        let end = length.map_or(line.len(), |n| start + n);
        out.push(Run { row, start, end });
        at = end;
    }
}

/// The first run that this one is joined to; the way there is halved.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
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

    /// The same by looking at every neighbour of every place.
    fn flooded(mask: &[bool], (width, _): Size, corners: bool) -> Vec<Vec<usize>> {
        let mut left = mask.to_vec();
        let mut found = Vec::new();
        for start in 0..mask.len() {
            let mut open = if std::mem::take(&mut left[start]) {
                vec![start]
            } else {
                continue;
            };
            let mut part = Vec::new();
            while let Some(at) = open.pop() {
                part.push(at);
                for (next, left) in left.iter_mut().enumerate() {
                    let apart =
                        (next % width).abs_diff(at % width) + (next / width).abs_diff(at / width);
                    let corner = (next % width).abs_diff(at % width) == 1
                        && (next / width).abs_diff(at / width) == 1;
                    if (apart == 1 || corners && corner) && std::mem::take(left) {
                        open.push(next);
                    }
                }
            }
            part.sort_unstable();
            found.push(part);
        }
        found
    }

    #[test]
    fn parts_are_those_of_a_flood_fill_in_its_order() {
        let size = (13, 9);
        let mut state = 7_u32;
        for round in 0..200 {
            let mask: Vec<bool> = (0..117)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state >> 24 < 40 + round
                })
                .collect();
            for corners in [true, false] {
                let found: Vec<Vec<usize>> = parts(&mask, size, corners)
                    .iter()
                    .map(|part| part.0.iter().flat_map(|run| run.places(size)).collect())
                    .collect();
                assert_eq!(found, flooded(&mask, size, corners));
            }
        }
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
