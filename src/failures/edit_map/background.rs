//! What the whole background did alike: nothing, a tint, or another tone.
//!
//! A tone is believed only for what it does to most of the frame. It is fitted to means of small blocks (so that noise weighs
//! little) by iteratively reweighted least squares with Cauchy's weights (Holland and Welsch 1977), and a freer tone is taken
//! only where it halves the *median* of what is left, as in Rousseeuw's least median of squares (1984): an edit of less than
//! half of the frame, however strong, has no say in it.

use super::Pair;
use super::VISIBLE;
use crate::failures::lab::{Lab, Labs, delta_e};
use crate::failures::plane::quantile;

/// The side of the blocks, in pixels.
const BLOCK: usize = 4;
/// At most about so many blocks are looked at.
const BLOCKS: usize = 4096;
/// Where so much of the frame looks as before, the background has no tone: a tint spares next to nothing, while an edit may well
/// take more than half of the frame.
const UNTOUCHED: f64 = 0.2;
/// A freer tone leaves at most this share of the median.
const BETTER: f32 = 0.5;
/// Rounds of reweighting.
const ROUNDS: usize = 8;
/// 1, L*, L*² / 100, a*, b*.
const TERMS: usize = 5;

/// What becomes of a color of the source in the background of the edit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tone {
    /// It stays as it is.
    None,
    /// A step in a direction: a tint.
    Shift(Lab),
    /// L*, a* and b* by weights of the [`TERMS`]: brightness, contrast, saturation, hue, warmth, greyness.
    Curve([[f32; TERMS]; 3]),
}

impl Tone {
    /// What most of a pair's pixels did.
    pub(super) fn of(pair: &Pair) -> Self {
        let blocks = blocks(pair);
        if Self::None.left(&blocks, UNTOUCHED) < VISIBLE {
            return Self::None;
        }
        let none = Self::None.median(&blocks);
        let shift = Self::shift(&blocks);
        let shifted = shift.median(&blocks);
        let (best, least) = if shifted < BETTER * none {
            (shift, shifted)
        } else {
            (Self::None, none)
        };
        if least < VISIBLE {
            return best;
        }
        match Self::curve(&blocks) {
            Some(curve) if curve.median(&blocks) < BETTER * least => curve,
            _ => best,
        }
    }

    /// What it makes of a color.
    pub(super) fn on(&self, color: Lab) -> Lab {
        match self {
            Self::None => color,
            Self::Shift(by) => [0, 1, 2].map(|axis| color[axis] + by[axis]),
            Self::Curve(weights) => {
                let terms = terms(color);
                weights.map(|axis| axis.iter().zip(terms).map(|(w, t)| w * t).sum())
            }
        }
    }

    /// The median ΔE2000 of what it does to the source.
    pub(super) fn strength(&self, pair: &Pair) -> f32 {
        if *self == Self::None {
            return 0.0;
        }
        let some = (0..pair.labs[0].len()).step_by(7);
        let colors = some.map(|place| pair.labs[0].at(place));
        let mut steps: Vec<f32> = colors.map(|c| delta_e(c, self.on(c))).collect();
        quantile(&mut steps, 0.5).unwrap_or(0.0)
    }

    /// The median of what it leaves.
    fn median(&self, blocks: &[[Lab; 2]]) -> f32 {
        self.left(blocks, 0.5)
    }

    /// What it leaves at most of a share of the blocks.
    fn left(&self, blocks: &[[Lab; 2]], share: f64) -> f32 {
        let mut left: Vec<f32> = blocks
            .iter()
            .map(|[a, b]| delta_e(self.on(*a), *b))
            .collect();
        quantile(&mut left, share).unwrap_or(0.0)
    }

    /// The step that most of the blocks took.
    fn shift(blocks: &[[Lab; 2]]) -> Self {
        let step = |[a, b]: &[Lab; 2], axis: usize| b[axis] - a[axis];
        let mut by = [0, 1, 2].map(|axis| {
            let mut steps: Vec<f32> = blocks.iter().map(|block| step(block, axis)).collect();
            quantile(&mut steps, 0.5).unwrap_or(0.0)
        });
        // The medians of the axes need not be a step that any took: go to where the steps are dense.
        for _ in 0..ROUNDS {
            let (mut sum, mut weights) = ([0.0; 3], 0.0);
            for block in blocks {
                let steps = [0, 1, 2].map(|axis| step(block, axis));
                let off: f32 = (0..3).map(|axis| (steps[axis] - by[axis]).powi(2)).sum();
                let weight = 1.0 / (1.0 + off / (VISIBLE * VISIBLE));
                weights += weight;
                for (sum, step) in sum.iter_mut().zip(steps) {
                    *sum += weight * step;
                }
            }
            by = sum.map(|sum| sum / weights);
        }
        Self::Shift(by)
    }

    /// The tone that fits best; `None` where the source has too few colors to tell one from another.
    fn curve(blocks: &[[Lab; 2]]) -> Option<Self> {
        let mut weights = vec![1.0_f64; blocks.len()];
        let mut found = None;
        for _ in 0..ROUNDS {
            let tone = Self::Curve(fitted(blocks, &weights)?);
            let mut off: Vec<f32> = blocks
                .iter()
                .map(|[a, b]| {
                    let there = tone.on(*a);
                    let square: f32 = (0..3).map(|axis| (there[axis] - b[axis]).powi(2)).sum();
                    square.sqrt()
                })
                .collect();
            let offs = off.clone();
            let scale = quantile(&mut off, 0.5)?.max(1.0);
            for (weight, off) in weights.iter_mut().zip(offs) {
                *weight = 1.0 / (1.0 + f64::from(off / scale).powi(2));
            }
            found = Some(tone);
        }
        found
    }
}

fn terms([l, a, b]: Lab) -> [f32; TERMS] {
    [1.0, l, l * l / 100.0, a, b]
}

/// Means of blocks of the source and of the edit.
fn blocks(pair: &Pair) -> Vec<[Lab; 2]> {
    let (width, height) = pair.size;
    let side = BLOCK.min(width).min(height);
    let (across, down) = (width / side, height / side);
    let every = (across * down).div_ceil(BLOCKS).max(1);
    let mean = |labs: &Labs, at: usize| {
        let (left, top) = (at % across * side, at / across * side);
        labs.mean(width, left..left + side, top..top + side)
    };
    (0..across * down)
        .step_by(every)
        .map(|at| [mean(&pair.labs[0], at), mean(&pair.labs[1], at)])
        .collect()
}

/// Weighted least squares by the normal equations, held a little towards leaving colors as they are, so that a source of few
/// colors has an answer too.
fn fitted(blocks: &[[Lab; 2]], weights: &[f64]) -> Option<[[f32; TERMS]; 3]> {
    const HOLD: f64 = 1e-3;
    let mut left = [[0.0_f64; TERMS]; TERMS];
    let mut right = [[0.0_f64; TERMS]; 3];
    for ([from, to], weight) in blocks.iter().zip(weights) {
        let terms = terms(*from).map(f64::from);
        for (row, t) in left.iter_mut().zip(terms) {
            for (cell, u) in row.iter_mut().zip(terms) {
                *cell += weight * t * u;
            }
        }
        for axis in 0..3 {
            // What changes is fitted, so that holding is towards no change.
            let step = f64::from(to[axis] - from[axis]);
            for (cell, t) in right[axis].iter_mut().zip(terms) {
                *cell += weight * step * t;
            }
        }
    }
    let total: f64 = weights.iter().sum();
    for (i, row) in left.iter_mut().enumerate() {
        row[i] += HOLD * total * if i == 0 { 1.0 } else { 100.0 };
    }
    let mut out = [[0.0_f32; TERMS]; 3];
    for (axis, (out, right)) in out.iter_mut().zip(right).enumerate() {
        let step = solved(left, right)?;
        for (out, step) in out.iter_mut().zip(step) {
            *out = step as f32;
        }
        // L* is the second term, a* the fourth, b* the fifth.
        out[[1, 3, 4][axis]] += 1.0;
    }
    Some(out)
}

/// The solution of a symmetric positive system, by elimination with the largest pivot.
fn solved(mut left: [[f64; TERMS]; TERMS], mut right: [f64; TERMS]) -> Option<[f64; TERMS]> {
    for at in 0..TERMS {
        let pivot = (at..TERMS).max_by(|i, j| left[*i][at].abs().total_cmp(&left[*j][at].abs()))?;
        left.swap(at, pivot);
        right.swap(at, pivot);
        if left[at][at].abs() < 1e-12 {
            return None;
        }
        for below in at + 1..TERMS {
            let factor = left[below][at] / left[at][at];
            let row = left[at];
            for (cell, above) in left[below].iter_mut().zip(row) {
                *cell -= factor * above;
            }
            right[below] -= factor * right[at];
        }
    }
    let mut out = [0.0; TERMS];
    for at in (0..TERMS).rev() {
        let known: f64 = (at + 1..TERMS).map(|j| left[at][j] * out[j]).sum();
        out[at] = (right[at] - known) / left[at][at];
    }
    Some(out)
}
