//! How the filters of a patch embedding begin.
//!
//! In natural images the amplitude of a frequency falls as its inverse (Field 1987), so filters drawn as noise see little but
//! a patch's mean colour; what noise, blur and compression change is a few percent of their output, and learning to see it
//! takes long. Filters that are cosines over the patch, each louder as its frequency is rarer, begin with all of it at the
//! same size: whitening, as fast image classifiers start (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds").

use candle_core::{Device, Result, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

/// The amplitude of the luminance's frequency 1 (half a wave over the patch) in pixels of unit variance, with an orthonormal
/// cosine transform of 14 × 14 pixels; measured on photographs it is 1.5 to 3.
const AMPLITUDE: f64 = 2.0;
/// Chrominance against luminance.
const CHROMA: f64 = 0.4;
/// What is taken for noise, so that the highest frequencies are not all that is heard.
const FLOOR: f64 = 0.25;
/// Luminance and two opponent colours, orthonormal over red, green, blue.
const COLOURS: [[f64; 3]; 3] = [
    [0.577_350_3, 0.577_350_3, 0.577_350_3],
    [
        std::f64::consts::FRAC_1_SQRT_2,
        0.0,
        -std::f64::consts::FRAC_1_SQRT_2,
    ],
    [0.408_248_3, -0.816_496_6, 0.408_248_3],
];

/// One cosine in one colour.
#[derive(Debug, Clone, Copy)]
struct Wave {
    colour: usize,
    across: usize,
    down: usize,
    gain: f64,
}

impl Wave {
    /// Its frequency, in half waves over a patch.
    fn frequency(&self) -> f64 {
        ((self.across * self.across + self.down * self.down) as f64).sqrt()
    }
}

/// All waves of a patch of `size` pixels a side, the lowest first.
fn waves(size: usize) -> Vec<Wave> {
    let mut waves = Vec::with_capacity(3 * size * size);
    for colour in 0..3 {
        for down in 0..size {
            for across in 0..size {
                let mut wave = Wave {
                    colour,
                    across,
                    down,
                    gain: 0.0,
                };
                // The mean of a patch, in this transform, is the side times as large as the mean of its pixels.
                let amplitude = match wave.frequency() {
                    0.0 => size as f64,
                    frequency => AMPLITUDE / frequency,
                };
                let share = if colour == 0 { 1.0 } else { CHROMA };
                wave.gain = 1.0 / (share * amplitude + FLOOR);
                waves.push(wave);
            }
        }
    }
    // Colours are coarser to the eye than luminance, and in compressed images: at the same place in the order they stand at
    // half the frequency.
    let key = |wave: &Wave| wave.frequency() * if wave.colour == 0 { 1.0 } else { 2.0 };
    waves.sort_by(|a, b| key(a).total_cmp(&key(b)));
    waves
}

/// The filters `(filters, 3, frames, size, size)`: the lowest waves one by one in the first three fifths, and in the rest sums
/// of all others with chance signs. Frames show the same picture, so that each gets its share.
pub(super) fn whitening(rng: &mut ChaCha8Rng, shape: &[usize]) -> Result<Tensor> {
    let &[filters, 3, frames, size, across] = shape else {
        candle_core::bail!("a patch embedding of shape {shape:?}");
    };
    debug_assert_eq!(size, across);
    let waves = waves(size);
    let single = (filters * 3 / 5).min(waves.len());
    let (ones, rest) = waves.split_at(single);
    let share = 1.0 / (rest.len().max(1) as f64).sqrt();
    let mut values = Vec::with_capacity(shape.iter().product());
    for filter in 0..filters {
        let mut pixels = vec![0.0; 3 * size * size];
        if let Some(wave) = ones.get(filter) {
            paint(&mut pixels, size, *wave, wave.gain);
        } else {
            for wave in rest {
                let sign = if rng.next_u32() & 1 == 0 {
                    share
                } else {
                    -share
                };
                paint(&mut pixels, size, *wave, wave.gain * sign);
            }
        }
        for plane in pixels.chunks(size * size) {
            for _ in 0..frames {
                values.extend(plane.iter().map(|x| (x / frames as f64) as f32));
            }
        }
    }
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// Adds `gain` times a wave, of unit norm, to the planes of red, green, blue.
fn paint(pixels: &mut [f64], size: usize, wave: Wave, gain: f64) {
    let n = size as f64;
    let cosine = |frequency: usize, at: usize| {
        let norm = if frequency == 0 { 1.0 / n } else { 2.0 / n };
        norm.sqrt() * (std::f64::consts::PI * frequency as f64 * (at as f64 + 0.5) / n).cos()
    };
    let [across, down] = [wave.across, wave.down].map(|frequency| {
        (0..size)
            .map(|at| cosine(frequency, at))
            .collect::<Vec<f64>>()
    });
    for (plane, weight) in pixels.chunks_mut(size * size).zip(COLOURS[wave.colour]) {
        for (row, down) in plane.chunks_mut(size).zip(&down) {
            for (pixel, across) in row.iter_mut().zip(&across) {
                *pixel += gain * weight * down * across;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn filters_are_a_grey_mean_first_and_frames_share_their_weight() {
        let shape = [20, 3, 2, 4, 4];
        let filters = whitening(&mut ChaCha8Rng::seed_from_u64(1), &shape).unwrap();
        let flat = filters.reshape((20, 96)).unwrap().to_vec2::<f32>().unwrap();
        let first = &flat[0];
        assert!(
            first
                .iter()
                .all(|x| (x - first[0]).abs() < 1e-6 && *x > 0.0)
        );
        for filter in &flat {
            for colour in filter.chunks(32) {
                assert_eq!(colour[..16], colour[16..]);
            }
        }
    }

    #[test]
    fn the_first_filters_do_not_overlap_and_rare_waves_are_louder() {
        let shape = [20, 3, 1, 4, 4];
        let filters = whitening(&mut ChaCha8Rng::seed_from_u64(1), &shape).unwrap();
        let flat = filters.reshape((20, 48)).unwrap().to_vec2::<f32>().unwrap();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        for a in 0..12 {
            for b in 0..a {
                assert!(dot(&flat[a], &flat[b]).abs() < 1e-5, "{a} {b}");
            }
        }
        let waves = waves(4);
        assert!(waves[0].gain < waves[5].gain && waves[5].gain < waves[47].gain);
    }
}
