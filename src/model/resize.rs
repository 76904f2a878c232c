//! Bicubic resampling of 8-bit images, to the last bit as the reference's two libraries do it: Pillow (`Resample.c`) and
//! torch's 8-bit kernel (`UpSampleKernelAVXAntialias.h`), which torchvision calls.
//!
//! Both convolve with Keys' cubic (a = -0.5), widened when shrinking, along one axis and then the other with bytes in between,
//! in fixed point. They differ in how finely the weights are rounded and in which axis comes first. Nothing here is meant for
//! screens: previews want speed, the model wants these very bytes.

use super::decode::Rgb;
use super::wide::wide;

/// Whose bytes to produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    /// Weights of 22 fractional bits; rows before columns, unless the height shrinks by more than twice what the width does
    /// (since Pillow 13; earlier versions always begin with the rows, which differs by a level or two in such pictures).
    Pillow,
    /// As many fractional bits as keep the largest weight within 16 signed bits; rows before columns.
    Torch,
}

impl Library {
    /// Whether the widths are resampled before the heights.
    #[expect(
        clippy::cast_possible_wrap,
        reason = "sides of an image, far below 2⁶³"
    )]
    const fn rows_first(self, from: (usize, usize), to: (usize, usize)) -> bool {
        match self {
            Self::Pillow => {
                let (narrower, lower) = (from.0 as i64 - to.0 as i64, from.1 as i64 - to.1 as i64);
                lower <= 0 || lower <= narrower * 2
            }
            Self::Torch => true,
        }
    }
}

/// `image` at `width` × `height`, both at least 1. A side that keeps its length is not filtered.
pub(super) fn bicubic(image: &Rgb, width: usize, height: usize, library: Library) -> Rgb {
    let widths = |image: &Rgb| horizontal(image, width, &Taps::new(image.width, width, library));
    let heights = |image: &Rgb| vertical(image, height, &Taps::new(image.height, height, library));
    match (image.width != width, image.height != height) {
        (false, false) => image.clone(),
        (true, false) => widths(image),
        (false, true) => heights(image),
        (true, true) if library.rows_first((image.width, image.height), (width, height)) => {
            heights(&widths(image))
        }
        (true, true) => widths(&heights(image)),
    }
}

/// For each output position its run of inputs and their weights.
struct Taps {
    /// First input of each run, and the end of its weights; they begin where the previous ones end.
    runs: Vec<(usize, usize)>,
    /// Weights of all runs in fixed point.
    weights: Vec<i32>,
    /// Fractional bits of a weight.
    shift: u32,
}

impl Taps {
    fn new(input: usize, output: usize, library: Library) -> Self {
        let scale = input as f64 / output as f64;
        let stretch = scale.max(1.0);
        let (support, inverse) = (2.0 * stretch, 1.0 / stretch);
        let (mut runs, mut exact, mut largest) = (Vec::with_capacity(output), Vec::new(), 0.0_f64);
        for position in 0..output {
            let centre = (position as f64 + 0.5) * scale;
            let first = floor(centre - support + 0.5);
            let last = floor(centre + support + 0.5).min(input);
            let begin = exact.len();
            exact.extend((first..last).map(|i| cubic((i as f64 - centre + 0.5) * inverse)));
            let total = exact[begin..].iter().fold(0.0, |sum, weight| sum + weight);
            for weight in &mut exact[begin..] {
                if total != 0.0 {
                    *weight /= total;
                }
                largest = largest.max(*weight);
            }
            runs.push((first, exact.len()));
        }
        let shift = match library {
            Library::Pillow => 22,
            Library::Torch => torch_shift(largest),
        };
        let unit = f64::from(1_u32 << shift);
        Self {
            runs,
            weights: exact.iter().map(|weight| nearest(weight * unit)).collect(),
            shift,
        }
    }

    /// (first input, its weights) for each output position.
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut begin = 0;
        self.runs.iter().map(move |&(first, end)| {
            let weights = &self.weights[begin..end];
            begin = end;
            (first, weights)
        })
    }

    const fn half(&self) -> i32 {
        1 << (self.shift - 1)
    }
}

/// Fractional bits such that the largest weight, one bit finer, would not fit 16 signed bits; at most 22.
fn torch_shift(largest: f64) -> u32 {
    (0..22)
        .find(|shift| 0.5 + largest * f64::from(1_u32 << (shift + 1)) >= f64::from(1 << 15))
        .unwrap_or(22)
}

/// Keys' cubic with a = -0.5, in the order of operations of both libraries.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    } else {
        0.0
    }
}

/// `x` cut to an integer, 0 when negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions within an image; a negative one is meant to become 0"
)]
const fn floor(x: f64) -> usize {
    x as usize
}

/// The nearest integer, halves away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a weight in fixed point is below 2²⁴"
)]
fn nearest(x: f64) -> i32 {
    (x + 0.5_f64.copysign(x)) as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte before"
)]
const fn byte(sum: i32, shift: u32) -> u8 {
    let value = sum >> shift;
    if value < 0 {
        0
    } else if value > 255 {
        255
    } else {
        value as u8
    }
}

/// Rows that are resampled side by side: each weight then serves many numbers at once.
const ROWS: usize = 32;
const LANES: usize = 3 * ROWS;

fn horizontal(image: &Rgb, width: usize, taps: &Taps) -> Rgb {
    let mut pixels = vec![0; width * 3 * image.height];
    wide(
        #[inline(always)]
        || across(image, taps, (width, &mut pixels)),
    );
    Rgb {
        width,
        height: image.height,
        pixels,
    }
}

fn vertical(image: &Rgb, height: usize, taps: &Taps) -> Rgb {
    let mut pixels = vec![0; image.width * 3 * height];
    wide(
        #[inline(always)]
        || down(image, taps, &mut pixels),
    );
    Rgb {
        width: image.width,
        height,
        pixels,
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it, for the same machine"
)]
fn across(image: &Rgb, taps: &Taps, (width, pixels): (usize, &mut [u8])) {
    let (from, to) = (image.width * 3, width * 3);
    let sources = image.pixels.chunks(from * ROWS);
    // The pixels of a column, row by row.
    let mut columns = vec![[0_u8; LANES]; image.width];
    for (source, target) in sources.zip(pixels.chunks_mut(to * ROWS)) {
        for (row, line) in source.chunks_exact(from).enumerate() {
            for (column, pixel) in columns.iter_mut().zip(line.as_chunks::<3>().0) {
                column[3 * row..3 * row + 3].copy_from_slice(pixel);
            }
        }
        for (place, (first, weights)) in taps.iter().enumerate() {
            let mut sums = [taps.half(); LANES];
            for (weight, column) in weights.iter().zip(&columns[first..]) {
                for (sum, value) in sums.iter_mut().zip(column) {
                    *sum += weight * i32::from(*value);
                }
            }
            // Not `map` of arrays, which is compiled by itself where the whole program is not optimised as one.
            let mut bytes = [0; LANES];
            for (out, sum) in bytes.iter_mut().zip(&sums) {
                *out = byte(*sum, taps.shift);
            }
            for (line, pixel) in target.chunks_exact_mut(to).zip(bytes.as_chunks::<3>().0) {
                line[3 * place..3 * place + 3].copy_from_slice(pixel);
            }
        }
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it, for the same machine"
)]
fn down(image: &Rgb, taps: &Taps, pixels: &mut [u8]) {
    let stride = image.width * 3;
    let mut sums = vec![0; stride];
    for ((first, weights), out) in taps.iter().zip(pixels.chunks_exact_mut(stride)) {
        sums.fill(taps.half());
        let rows = image.pixels[first * stride..].chunks_exact(stride);
        for (&weight, row) in weights.iter().zip(rows) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(value);
            }
        }
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = byte(*sum, taps.shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(width: usize, height: usize, value: u8) -> Rgb {
        Rgb {
            width,
            height,
            pixels: vec![value; width * height * 3],
        }
    }

    #[test]
    fn a_flat_image_stays_flat_at_any_size() {
        for library in [Library::Pillow, Library::Torch] {
            for value in [0, 1, 127, 254, 255] {
                for (width, height) in [(1, 1), (3, 40), (28, 28), (91, 5)] {
                    let resized = bicubic(&flat(17, 23, value), width, height, library);
                    assert_eq!(resized, flat(width, height, value));
                }
            }
        }
    }

    #[test]
    fn the_same_size_is_the_same_image() {
        let pixels = (0..5 * 7 * 3).map(|i| (i * 37 % 256) as u8).collect();
        let image = Rgb {
            width: 5,
            height: 7,
            pixels,
        };
        assert_eq!(bicubic(&image, 5, 7, Library::Torch), image);
    }

    #[test]
    fn torch_weights_use_the_bits_that_sixteen_leave() {
        assert_eq!(torch_shift(1.0), 14);
        assert_eq!(torch_shift(0.9), 15);
        assert_eq!(torch_shift(0.1), 18);
        assert_eq!(torch_shift(0.0), 22);
    }

    /// `tests/fixtures/resized/make.py` says how they were recorded.
    #[test]
    fn pictures_of_240_pairs_of_sizes_are_pillows_to_the_last_byte() {
        let recorded = include_str!("../../tests/fixtures/resized/pillow.csv");
        let mut state;
        for (line, seed) in recorded.lines().zip(1_u32..) {
            let (sizes, hash) = line.rsplit_once(',').unwrap();
            let sizes: Vec<usize> = sizes.split(',').map(|n| n.parse().unwrap()).collect();
            state = seed;
            let pixels = (0..sizes[0] * sizes[1] * 3).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            });
            let image = Rgb {
                width: sizes[0],
                height: sizes[1],
                pixels: pixels.collect(),
            };
            let resized = bicubic(&image, sizes[2], sizes[3], Library::Pillow);
            // FNV-1a
            let found = resized
                .pixels
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                    (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
                });
            assert_eq!(format!("{found:016x}"), hash, "{line}");
        }
        assert_eq!(recorded.lines().count(), 240);
    }
}
