//! A rectangle of values, and the filters that work alike on pictures (three channels) and masks (one).

use std::ops::{Add, Mul, Sub};

/// Row-major values on a `width` × `height` rectangle; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid<T> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) cells: Vec<T>,
}

/// What can be averaged: one number, or three.
pub(crate) trait Sample: Copy {
    const ZERO: Self;
    fn plus(self, other: Self, weight: f32) -> Self;
    fn times(self, factor: f32) -> Self {
        Self::ZERO.plus(self, factor)
    }
}

impl Sample for f32 {
    const ZERO: Self = 0.0;
    fn plus(self, other: Self, weight: f32) -> Self {
        self + other * weight
    }
}

impl Sample for [f32; 3] {
    const ZERO: Self = [0.0; 3];
    fn plus(self, other: Self, weight: f32) -> Self {
        [
            self[0] + other[0] * weight,
            self[1] + other[1] * weight,
            self[2] + other[2] * weight,
        ]
    }
}

/// Linear interpolation between two numbers.
pub(crate) fn lerp<T: Copy + Add<Output = T> + Sub<Output = T> + Mul<f32, Output = T>>(
    from: T,
    to: T,
    t: f32,
) -> T {
    from + (to - from) * t
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smoothstep(low: f32, high: f32, v: f32) -> f32 {
    let t = ((v - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The cell that contains coordinate `v`, clamped into 0..len.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates, and the upper end is clamped"
)]
pub(crate) fn cell(v: f32, len: usize) -> usize {
    (v.max(0.0) as usize).min(len - 1)
}

/// `value` rounded to a whole count, 0 for negatives.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates at zero"
)]
pub(crate) fn count(value: f32) -> usize {
    value.round() as usize
}

impl<T: Copy> Grid<T> {
    pub(crate) fn from_fn(
        width: usize,
        height: usize,
        mut value: impl FnMut(usize, usize) -> T,
    ) -> Self {
        let mut cells = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                cells.push(value(x, y));
            }
        }
        Self {
            width,
            height,
            cells,
        }
    }

    pub(crate) fn filled(width: usize, height: usize, value: T) -> Self {
        Self {
            width,
            height,
            cells: vec![value; width * height],
        }
    }

    /// Width and height as numbers to compute with.
    pub(crate) fn size(&self) -> (f32, f32) {
        (self.width as f32, self.height as f32)
    }

    pub(crate) fn get(&self, x: usize, y: usize) -> T {
        self.cells[y * self.width + x]
    }

    pub(crate) fn set(&mut self, x: usize, y: usize, value: T) {
        self.cells[y * self.width + x] = value;
    }

    /// The cell at an offset from (x, y); outside, the nearest at the border.
    pub(crate) fn near(&self, x: usize, y: usize, dx: isize, dy: isize) -> T {
        self.get(
            x.saturating_add_signed(dx).min(self.width - 1),
            y.saturating_add_signed(dy).min(self.height - 1),
        )
    }

    pub(crate) fn map<U: Copy>(&self, mut value: impl FnMut(T) -> U) -> Grid<U> {
        Grid {
            width: self.width,
            height: self.height,
            cells: self.cells.iter().map(|cell| value(*cell)).collect(),
        }
    }

    /// Each cell with its coordinates.
    pub(crate) fn map_at<U: Copy>(&self, mut value: impl FnMut(usize, usize, T) -> U) -> Grid<U> {
        Grid::from_fn(self.width, self.height, |x, y| value(x, y, self.get(x, y)))
    }

    /// Cell by cell with another grid of the same size.
    pub(crate) fn zip<U: Copy, V: Copy>(
        &self,
        other: &Grid<U>,
        mut value: impl FnMut(T, U) -> V,
    ) -> Grid<V> {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        Grid {
            width: self.width,
            height: self.height,
            cells: self
                .cells
                .iter()
                .zip(&other.cells)
                .map(|(a, b)| value(*a, *b))
                .collect(),
        }
    }

    /// Left and right exchanged.
    pub(crate) fn mirrored(&self) -> Self {
        self.map_at(|x, y, _| self.get(self.width - 1 - x, y))
    }

    /// Top and bottom exchanged.
    pub(crate) fn flipped(&self) -> Self {
        self.map_at(|x, y, _| self.get(x, self.height - 1 - y))
    }
}

impl<T: Sample> Grid<T> {
    /// Bilinear value at a point in pixel coordinates (cell centres at .5), clamped to the border.
    pub(crate) fn at(&self, x: f32, y: f32) -> T {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let (x0, x1) = (cell(left, self.width), cell(left + 1.0, self.width));
        let (y0, y1) = (cell(top, self.height), cell(top + 1.0, self.height));
        T::ZERO
            .plus(self.get(x0, y0), (1.0 - fx) * (1.0 - fy))
            .plus(self.get(x1, y0), fx * (1.0 - fy))
            .plus(self.get(x0, y1), (1.0 - fx) * fy)
            .plus(self.get(x1, y1), fx * fy)
    }

    /// Gaussian blur with standard deviation `sigma` in pixels; the border is repeated outwards.
    pub(crate) fn blurred(&self, sigma: f32) -> Self {
        if sigma < 0.2 {
            return self.clone();
        }
        let radius = count((sigma * 3.0).ceil());
        let kernel: Vec<f32> = (0..=radius)
            .map(|i| libm::expf(-0.5 * (i as f32 / sigma) * (i as f32 / sigma)))
            .collect();
        let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f32>();
        let pass = |line: &[T], out: &mut Vec<T>| {
            let last = line.len() - 1;
            for i in 0..line.len() {
                let mut sum = line[i].times(kernel[0]);
                for (k, weight) in kernel.iter().enumerate().skip(1) {
                    sum = sum
                        .plus(line[i.saturating_sub(k)], *weight)
                        .plus(line[(i + k).min(last)], *weight);
                }
                out.push(sum.times(1.0 / total));
            }
        };
        let mut rows = Vec::with_capacity(self.cells.len());
        for line in self.cells.chunks(self.width) {
            pass(line, &mut rows);
        }
        let mut columns = Vec::with_capacity(self.cells.len());
        for x in 0..self.width {
            let line: Vec<T> = (0..self.height).map(|y| rows[y * self.width + x]).collect();
            pass(&line, &mut columns);
        }
        Self::from_fn(self.width, self.height, |x, y| columns[x * self.height + y])
    }

    /// Half the size (rounded up), each cell the mean of the up to four under it, weighted; where all weights are zero the
    /// weight stays zero.
    pub(crate) fn halved(&self, weights: &Grid<f32>) -> (Self, Grid<f32>) {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut sums = Grid::filled(width, height, (T::ZERO, 0.0_f32));
        for y in 0..self.height {
            for x in 0..self.width {
                let weight = weights.get(x, y);
                let (sum, total) = sums.get(x / 2, y / 2);
                sums.set(
                    x / 2,
                    y / 2,
                    (sum.plus(self.get(x, y), weight), total + weight),
                );
            }
        }
        let values = sums.map(|(sum, total)| {
            if total > 0.0 {
                sum.times(1.0 / total)
            } else {
                T::ZERO
            }
        });
        (values, sums.map(|(_, total)| (total / 4.0).min(1.0)))
    }

    /// Spreads the known cells (`weights` near 1) into the unknown ones (near 0), far ones from ever coarser means.
    pub(crate) fn spread(&self, weights: &Grid<f32>) -> Self {
        if self.width.max(self.height) == 1 {
            return self.clone();
        }
        let (half, half_weights) = self.halved(weights);
        let below = half.spread(&half_weights);
        self.map_at(|x, y, known| {
            let weight = weights.get(x, y).clamp(0.0, 1.0);
            let guess = below.at(x as f32 * 0.5 + 0.25, y as f32 * 0.5 + 0.25);
            guess.times(1.0 - weight).plus(known, weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_mean_and_a_constant() {
        let flat = Grid::filled(9, 7, 0.25_f32);
        assert!(
            flat.blurred(2.0)
                .cells
                .iter()
                .all(|v| (v - 0.25).abs() < 1e-6)
        );
        let mut dot = Grid::filled(21, 21, 0.0_f32);
        dot.set(10, 10, 1.0);
        let sum: f32 = dot.blurred(1.5).cells.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }

    #[test]
    fn mirroring_exchanges_sides_and_undoes_itself() {
        let grid = Grid::from_fn(3, 2, |x, y| x + 10 * y);
        assert_eq!(grid.mirrored().get(0, 1), grid.get(2, 1));
        assert_eq!(grid.flipped().get(2, 0), grid.get(2, 1));
        assert_eq!(grid.mirrored().mirrored(), grid);
    }

    #[test]
    fn spreading_fills_a_hole_with_what_surrounds_it() {
        let grid = Grid::from_fn(16, 16, |x, _| if x < 8 { 1.0_f32 } else { 3.0 });
        let known = Grid::from_fn(16, 16, |x, y| {
            f32::from(!((2..6).contains(&x) && (2..6).contains(&y)))
        });
        let hole = grid.zip(&known, |v, k| v * k);
        let filled = hole.spread(&known);
        assert!((filled.get(3, 3) - 1.0).abs() < 0.2, "{}", filled.get(3, 3));
        assert!((filled.get(12, 12) - 3.0).abs() < 1e-6);
    }
}
