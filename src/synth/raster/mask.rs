//! Soft masks: where an edit works (1), where it does not (0), and the edge between.

use super::grid::{Grid, smoothstep};

/// How much of an edit each pixel gets, 0..=1.
pub(crate) type Mask = Grid<f32>;

/// A box around what a mask covers, as fractions of width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
}

impl Extent {
    pub(crate) fn middle(self) -> (f32, f32) {
        (
            f32::midpoint(self.left, self.right),
            f32::midpoint(self.top, self.bottom),
        )
    }
}

impl Grid<f32> {
    pub(crate) fn inverted(&self) -> Self {
        self.map(|v| 1.0 - v)
    }

    pub(crate) fn times_mask(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    /// The larger of the two everywhere.
    pub(crate) fn union(&self, other: &Self) -> Self {
        self.zip(other, f32::max)
    }

    /// The share of the picture that it covers.
    pub(crate) fn share(&self) -> f32 {
        self.cells.iter().sum::<f32>() / self.cells.len() as f32
    }

    /// The side ("left", "right", "upper" or "lower") of the middle of what this covers, with an edge `soft` wide, in shares of
    /// the frame.
    pub(crate) fn half(&self, side: &str, soft: f32) -> Self {
        let middle = self.extent().map_or((0.5, 0.5), Extent::middle);
        let (w, h) = self.size();
        self.map_at(|x, y, _| {
            let (x, y) = (
                (x as f32 + 0.5) / w - middle.0,
                (y as f32 + 0.5) / h - middle.1,
            );
            let into = match side {
                "left" => -x,
                "right" => x,
                "upper" => -y,
                _ => y,
            };
            smoothstep(-soft, soft, into)
        })
    }

    /// The box around what is more than half covered; `None` when nothing is.
    pub(crate) fn extent(&self) -> Option<Extent> {
        let (w, h) = self.size();
        let mut found: Option<(usize, usize, usize, usize)> = None;
        for y in 0..self.height {
            for x in (0..self.width).filter(|x| self.get(*x, y) > 0.5) {
                let (l, t, r, b) = found.unwrap_or((x, y, x, y));
                found = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
            }
        }
        found.map(|(l, t, r, b)| Extent {
            left: l as f32 / w,
            top: t as f32 / h,
            right: (r + 1) as f32 / w,
            bottom: (b + 1) as f32 / h,
        })
    }

    /// Grown by `radius` pixels (shrunk, when negative), with an edge about a pixel wide.
    pub(crate) fn grown(&self, radius: f32) -> Self {
        if radius >= 0.0 {
            let far = self.distance();
            self.zip(&far, |v, d| {
                v.max(smoothstep(radius + 1.0, radius - 0.5, d))
            })
        } else {
            self.inverted().grown(-radius).inverted()
        }
    }

    /// The Euclidean distance of each pixel to the nearest that is more than half covered.
    pub(crate) fn distance(&self) -> Grid<f32> {
        let start = self.map(|v| if v > 0.5 { 0.0 } else { 1e12_f32 });
        let mut columns = Grid::filled(self.width, self.height, 0.0);
        for x in 0..self.width {
            let line: Vec<f32> = (0..self.height).map(|y| start.get(x, y)).collect();
            for (y, value) in lower_envelope(&line).into_iter().enumerate() {
                columns.set(x, y, value);
            }
        }
        let mut cells = Vec::with_capacity(self.cells.len());
        for line in columns.cells.chunks(self.width) {
            cells.extend(lower_envelope(line).into_iter().map(f32::sqrt));
        }
        Grid {
            width: self.width,
            height: self.height,
            cells,
        }
    }

    /// Only the largest connected part of what is more than a third covered.
    pub(crate) fn largest_part(&self) -> Self {
        let mut part = vec![0_u32; self.cells.len()];
        let (mut best, mut next) = ((0_usize, 0_u32), 0_u32);
        for start in 0..self.cells.len() {
            if part[start] != 0 || self.cells[start] <= 1.0 / 3.0 {
                continue;
            }
            next += 1;
            let (mut open, mut size) = (vec![start], 0);
            part[start] = next;
            while let Some(at) = open.pop() {
                size += 1;
                for near in self.neighbours(at) {
                    if part[near] == 0 && self.cells[near] > 1.0 / 3.0 {
                        part[near] = next;
                        open.push(near);
                    }
                }
            }
            best = best.max((size, next));
        }
        let core = Grid {
            width: self.width,
            height: self.height,
            cells: part
                .iter()
                .map(|p| f32::from(*p == best.1 && best.1 != 0))
                .collect(),
        };
        self.times_mask(&core.grown(2.0))
    }

    /// The indices of the up to four cells beside a cell.
    pub(crate) fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let (width, len, x) = (self.width, self.cells.len(), at % self.width);
        [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then(|| at + 1),
            at.checked_sub(width),
            Some(at + width).filter(|below| *below < len),
        ]
        .into_iter()
        .flatten()
    }
}

/// min over j of f(j) + (i − j)², for every i (Felzenszwalb & Huttenlocher 2012).
fn lower_envelope(f: &[f32]) -> Vec<f32> {
    let crossing = |p: usize, q: usize| {
        let (p_, q_) = (p as f32, q as f32);
        ((f[q] + q_ * q_) - (f[p] + p_ * p_)) / (2.0 * (q_ - p_))
    };
    let mut hull: Vec<(usize, f32)> = vec![(0, f32::NEG_INFINITY)];
    for q in 1..f.len() {
        while let Some(&(p, from)) = hull.last() {
            let at = crossing(p, q);
            if at > from {
                hull.push((q, at));
                break;
            }
            hull.pop();
        }
    }
    let mut k = 0;
    (0..f.len())
        .map(|i| {
            let x = i as f32;
            while k + 1 < hull.len() && hull[k + 1].1 < x {
                k += 1;
            }
            let j = hull[k].0;
            (x - j as f32) * (x - j as f32) + f[j]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(from: usize, to: usize) -> Mask {
        Grid::from_fn(20, 20, |x, y| {
            f32::from((from..to).contains(&x) && (from..to).contains(&y))
        })
    }

    #[test]
    fn distances_are_euclidean() {
        let mut dot = Grid::filled(9, 9, 0.0);
        dot.set(4, 4, 1.0);
        let distance = dot.distance();
        for (x, y) in [(0, 0), (8, 4), (4, 4), (1, 7)] {
            let (dx, dy) = (x as f32 - 4.0, y as f32 - 4.0);
            assert!((distance.get(x, y) - (dx * dx + dy * dy).sqrt()).abs() < 1e-4);
        }
    }

    #[test]
    fn growing_then_shrinking_changes_the_extent_as_asked() {
        let mask = square(8, 12);
        let grown = mask.grown(2.0);
        assert!(grown.get(7, 10) > 0.9 && grown.get(6, 10) > 0.5 && grown.get(4, 10) < 0.1);
        let shrunk = mask.grown(-1.0);
        assert!(shrunk.get(8, 8) < 0.9 && shrunk.get(10, 10) > 0.9);
    }

    #[test]
    fn the_largest_part_drops_the_crumbs() {
        let mut mask = square(2, 10);
        mask.set(17, 17, 1.0);
        let part = mask.largest_part();
        assert_eq!(part.get(17, 17), 0.0);
        assert!(part.get(5, 5) > 0.9);
        assert_eq!(part.extent().unwrap().right, 0.5);
    }

    #[test]
    fn an_empty_mask_has_no_extent_and_no_largest_part() {
        let empty = Grid::filled(4, 4, 0.0_f32);
        assert_eq!(empty.extent(), None);
        assert_eq!(empty.largest_part().share(), 0.0);
    }
}
