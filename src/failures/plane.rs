//! Arithmetic on planes of numbers and of yes and no: bringing to a size, smoothing, growing and shrinking.

use std::borrow::Cow;

use fast_image_resize as fir;

use crate::domain::color::Pixel;
use crate::domain::raster::Raster;

/// Columns and rows.
pub(super) type Size = (usize, usize);

/// The pixels of an image stretched to a size: means of what a pixel covers where it gets smaller, lines in between where it
/// gets larger.
pub(super) fn at_size(image: Raster<'_>, (width, height): Size) -> Cow<'_, [Pixel]> {
    if (image.width(), image.height()) == (width, height) {
        return Cow::Borrowed(image.pixels());
    }
    let quick = || {
        let side = |n: usize| u32::try_from(n).ok();
        let bytes = image.pixels().as_flattened();
        let (kind, from) = (fir::PixelType::U8x3, (image.width(), image.height()));
        let from = fir::images::ImageRef::new(side(from.0)?, side(from.1)?, bytes, kind).ok()?;
        let mut to = fir::images::Image::new(side(width)?, side(height)?, kind);
        let way = fir::ResizeAlg::Convolution(fir::FilterType::Bilinear);
        let options = fir::ResizeOptions::new().resize_alg(way);
        fir::Resizer::new().resize(&from, &mut to, &options).ok()?;
        let (pixels, _) = to.buffer().as_chunks::<3>();
        Some(pixels.to_vec())
    };
    // The types have checked the sizes; were one refused after all, the nearest pixels would do.
    Cow::Owned(quick().unwrap_or_else(|| nearest(image, (width, height))))
}

fn nearest(image: Raster<'_>, (width, height): Size) -> Vec<Pixel> {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels
        .map(|(x, y)| {
            let (x, y) = (x * image.width() / width, y * image.height() / height);
            image.pixels()[y * image.width() + x]
        })
        .collect()
}

/// Means over squares of 2 `radius` + 1 pixels; at the rim over what there is of them. For small radii: each neighbour is
/// added anew, which many at a time is quicker than a sum that runs along.
pub(super) fn smoothed(plane: &[f32], (width, height): Size, radius: usize) -> Vec<f32> {
    if radius == 0 {
        return plane.to_vec();
    }
    // What one over the number of neighbours is, along a side of that length.
    let shares = |side: usize| -> Vec<f32> {
        let count = |at: usize| (at + radius).min(side - 1) - at.saturating_sub(radius) + 1;
        (0..side).map(|at| 1.0 / count(at) as f32).collect()
    };
    let (columns, rows) = (shares(width), shares(height));
    let mut across = plane.to_vec();
    let lines = plane.chunks_exact(width);
    for (row, out) in lines.zip(across.chunks_exact_mut(width)) {
        for by in 1..=radius.min(width - 1) {
            add(&mut out[by..], &row[..width - by]);
            add(&mut out[..width - by], &row[by..]);
        }
        for (out, share) in out.iter_mut().zip(&columns) {
            *out *= share;
        }
    }
    let mut out = across.clone();
    for (y, target) in out.chunks_exact_mut(width).enumerate() {
        let near = y.saturating_sub(radius)..(y + radius + 1).min(height);
        for other in near.filter(|other| *other != y) {
            add(target, &across[other * width..(other + 1) * width]);
        }
        for out in target {
            *out *= rows[y];
        }
    }
    out
}

fn add(sums: &mut [f32], numbers: &[f32]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
    }
}

/// Everything within `radius` columns and rows of what is set. What is beyond the rim is not set.
pub(super) fn grown(mask: &[bool], size: Size, radius: usize) -> Vec<bool> {
    spread(mask, size, radius, true)
}

/// What has nothing unset within `radius` columns and rows. What is beyond the rim counts as set.
pub(super) fn shrunk(mask: &[bool], size: Size, radius: usize) -> Vec<bool> {
    spread(mask, size, radius, false)
}

/// `what` spread by `radius` columns and rows. Windows of twice the length are two windows, so that a wide one takes few steps.
fn spread(mask: &[bool], (width, height): Size, radius: usize, what: bool) -> Vec<bool> {
    // A rim of what does not count on all sides, so that every window is whole.
    let (long, window) = (width + 2 * radius, 2 * radius + 1);
    let mut from = vec![false; long * (height + 2 * radius)];
    let lines = from.chunks_exact_mut(long).skip(radius);
    for (padded, line) in lines.zip(mask.chunks_exact(width)) {
        for (padded, set) in padded[radius..].iter_mut().zip(line) {
            *padded = *set == what;
        }
    }
    // Rows lie one after the other, so a window across is a window over all; what leaves a row's end falls into the rim.
    let mut to = from.clone();
    for step in [1, long] {
        let mut reach = 1;
        while reach < window {
            let by = reach.min(window - reach);
            let pairs = from.iter().zip(&from[by * step..]);
            for (to, (near, far)) in to.iter_mut().zip(pairs) {
                *to = near | far;
            }
            reach += by;
            std::mem::swap(&mut from, &mut to);
        }
    }
    let mut out = vec![false; mask.len()];
    for (line, found) in out.chunks_exact_mut(width).zip(from.chunks_exact(long)) {
        for (out, found) in line.iter_mut().zip(found) {
            *out = *found == what;
        }
    }
    out
}

/// The value that a share of the numbers does not exceed; `None` of none. The numbers are put into another order.
pub(super) fn quantile(numbers: &mut [f32], share: f64) -> Option<f32> {
    let last = numbers.len().checked_sub(1)?;
    let at = (last as f64 * share).round() as usize;
    let (_, found, _) = numbers.select_nth_unstable_by(at.min(last), f32::total_cmp);
    Some(*found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smoothed_plane_has_the_means_of_squares_also_at_its_rim() {
        let size = (7, 5);
        let plane: Vec<f32> = (0..35).map(|i| ((i * 37) % 11) as f32).collect();
        for radius in [0, 1, 2, 9] {
            let found = smoothed(&plane, size, radius);
            for (i, found) in found.iter().enumerate() {
                let (x, y) = (i % 7, i / 7);
                let near = |a: usize, b: usize| a.abs_diff(b) <= radius;
                let all: Vec<f32> = (0..35)
                    .filter(|j| near(j % 7, x) && near(j / 7, y))
                    .map(|j| plane[j])
                    .collect();
                let mean = all.iter().sum::<f32>() / all.len() as f32;
                assert!((found - mean).abs() < 1e-4, "{x} {y} {radius}");
            }
        }
    }

    #[test]
    fn masks_grow_to_squares_and_shrink_back() {
        let size = (9, 7);
        let mut mask = vec![false; 63];
        mask[3 * 9 + 4] = true;
        let more = grown(&mask, size, 2);
        assert_eq!(more.iter().filter(|set| **set).count(), 25);
        assert!(more[9 + 2] && !more[4]);
        assert_eq!(shrunk(&more, size, 2), mask);
        assert_eq!(shrunk(&[true; 63], size, 3), [true; 63]);
    }

    #[test]
    fn an_image_keeps_its_mean_at_another_size() {
        let pixels: Vec<Pixel> = (0..64)
            .map(|i| [if i % 2 == 0 { 200 } else { 100 }; 3])
            .collect();
        let image = Raster::new(8, 8, &pixels).unwrap();
        assert!(
            at_size(image, (4, 4))
                .iter()
                .all(|p| p[0].abs_diff(150) < 8)
        );
        assert_eq!(at_size(image, (20, 30)).len(), 600);
        assert_eq!(nearest(image, (1, 1)), [[200; 3]]);
    }
}
