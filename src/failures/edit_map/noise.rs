//! What encoding alone does to a frame: what an edit has to rise above.
//!
//! An encoder errs in proportion to what there is to see: leaves and water come back with changes that would be an edit of a sky.
//! So there are two bounds. The threshold is that of the calmer part of the frame. Above it, a place is held against what the
//! frame as a whole shows to be usual where there is that much to see. Both are found by medians and quantiles of the frame
//! itself, so that an edit of less than half of it has little say.

use super::VISIBLE;
use crate::failures::plane::{Size, quantile, smoothed};

/// From this level on what is left is no noise of encoding, however much of the frame has it: an edit of most of the frame may
/// not raise the threshold above itself.
const MOST: f32 = 6.0;

/// A bound is so many deviations above the level.
const DEVIATIONS: f32 = 3.0;

/// The standard deviation of a normal distribution by its median absolute deviation.
const BY_MEDIAN: f32 = 1.4826;

/// Added to what there is to see, in L*: encoding errs a little in a flat place too.
const STILL: f32 = 1.0;

/// Every so many pixels are looked at.
const STEP: usize = 3;

/// What is usual in a frame without an edit.
pub(super) struct Noise {
    threshold: f32,
    /// What each pixel's change counts: 1 where the threshold holds, less where more is usual.
    weights: Vec<f32>,
}

impl Noise {
    /// From the smoothed change of a frame and its source's L*.
    pub(super) fn of(coarse: &[f32], source: &[f32], size: Size) -> Self {
        let threshold = threshold(coarse);
        let activity = activity(source, size);
        let usual = usual(coarse, &activity);
        let bound = |activity: &f32| (usual * (activity + STILL)).clamp(threshold, MOST);
        let weights = activity.iter().map(|a| threshold / bound(a)).collect();
        Self { threshold, weights }
    }

    /// What a change has to reach where it counts in full, as ΔE2000.
    pub(super) const fn threshold(&self) -> f32 {
        self.threshold
    }

    /// A map of changes, each by what it counts.
    pub(super) fn weighed(&self, plane: &[f32]) -> Vec<f32> {
        let pairs = plane.iter().zip(&self.weights);
        pairs.map(|(change, weight)| change * weight).collect()
    }
}

/// From the level and the spread of the calmer part of the frame: the rest may be the edit. Between what people see and [`MOST`].
fn threshold(coarse: &[f32]) -> f32 {
    let mut numbers: Vec<f32> = coarse.iter().step_by(STEP).copied().collect();
    let level = quantile(&mut numbers, 0.3).unwrap_or(0.0);
    let least = quantile(&mut numbers, 0.05).unwrap_or(0.0);
    (level + DEVIATIONS * (level - least)).clamp(VISIBLE, MOST)
}

/// How much there is to see about each pixel: the standard deviation of L* over squares of 5 × 5.
fn activity(light: &[f32], size: Size) -> Vec<f32> {
    let squares: Vec<f32> = light.iter().map(|l| l * l).collect();
    let (means, squares) = (smoothed(light, size, 2), smoothed(&squares, size, 2));
    let deviation = |(mean, square): (f32, f32)| (square - mean * mean).max(0.0).sqrt();
    means.into_iter().zip(squares).map(deviation).collect()
}

/// The most that is usual of the change over what there is to see.
fn usual(coarse: &[f32], activity: &[f32]) -> f32 {
    let pairs = coarse.iter().zip(activity).step_by(STEP);
    let mut ratios: Vec<f32> = pairs.map(|(change, a)| change / (a + STILL)).collect();
    let level = quantile(&mut ratios, 0.5).unwrap_or(0.0);
    for ratio in &mut ratios {
        *ratio = (*ratio - level).abs();
    }
    let deviation = BY_MEDIAN * quantile(&mut ratios, 0.5).unwrap_or(0.0);
    level + DEVIATIONS * deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The left half is flat, the right half a board of two greys.
    fn halves(size: Size) -> Vec<f32> {
        let at = |i: usize| (i % size.0, i / size.0);
        let dark = |(x, y): (usize, usize)| x < size.0 / 2 || (x / 3 + y / 3) % 2 == 0;
        let light = |at| if dark(at) { 30.0 } else { 50.0 };
        (0..size.0 * size.1).map(|i| light(at(i))).collect()
    }

    #[test]
    fn a_change_counts_less_where_the_encoder_errs_more() {
        let size = (40, 20);
        let source = halves(size);
        let busy = |i: usize| i % size.0 >= size.0 / 2;
        let change: Vec<f32> = (0..source.len())
            .map(|i| if busy(i) { 4.0 } else { 0.4 })
            .collect();
        let noise = Noise::of(&change, &source, size);
        assert!((noise.threshold() - VISIBLE).abs() < 1e-6);
        let weighed = noise.weighed(&change);
        // Well inside the busy half no usual change reaches the threshold; in the flat one all counts in full.
        assert!(
            weighed[10 * size.0 + 30] < VISIBLE,
            "{}",
            weighed[10 * size.0 + 30]
        );
        assert!((weighed[10 * size.0 + 5] - 0.4).abs() < 1e-6);
    }

    #[test]
    fn bounds_are_never_above_what_is_no_noise() {
        let size = (40, 20);
        let source = halves(size);
        let noise = Noise::of(&vec![30.0; source.len()], &source, size);
        assert!(noise.threshold() <= MOST);
        assert!(
            noise
                .weighed(&vec![30.0; source.len()])
                .iter()
                .all(|v| *v >= MOST)
        );
    }
}
