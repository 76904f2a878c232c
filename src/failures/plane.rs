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

/// Means over squares of 2 `radius` + 1 pixels; at the rim over what there is of them.
pub(super) fn smoothed(plane: &[f32], (width, height): Size, radius: usize) -> Vec<f32> {
    if radius == 0 {
        return plane.to_vec();
    }
    let mut across = vec![0.0; plane.len()];
    for (row, out) in plane
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        let mut sum: f32 = row[..radius.min(width)].iter().sum();
        for x in 0..width {
            if x + radius < width {
                sum += row[x + radius];
            }
            if x > radius {
                sum -= row[x - radius - 1];
            }
            let n = (x + radius).min(width - 1) - x.saturating_sub(radius) + 1;
            out[x] = sum / n as f32;
        }
    }
    let row = |y: usize| &across[y * width..(y + 1) * width];
    let mut sums = vec![0.0_f32; width];
    let add = |sums: &mut [f32], row: &[f32], sign: f32| {
        for (sum, v) in sums.iter_mut().zip(row) {
            *sum += sign * v;
        }
    };
    for y in 0..radius.min(height) {
        add(&mut sums, row(y), 1.0);
    }
    let mut out = vec![0.0; plane.len()];
    for (y, target) in out.chunks_exact_mut(width).enumerate() {
        if y + radius < height {
            add(&mut sums, row(y + radius), 1.0);
        }
        if y > radius {
            add(&mut sums, row(y - radius - 1), -1.0);
        }
        let n = (y + radius).min(height - 1) - y.saturating_sub(radius) + 1;
        for (target, sum) in target.iter_mut().zip(&sums) {
            // Running sums of numbers from 0 up may end a rounding below it.
            *target = (sum / n as f32).max(0.0);
        }
    }
    out
}

/// Everything within `radius` columns and rows of what is set. What is beyond the rim is not set.
pub(super) fn grown(mask: &[bool], size: Size, radius: usize) -> Vec<bool> {
    spread(mask, size, radius, true)
}

/// What has nothing unset within `radius` columns and rows. What is beyond the rim counts as set.
pub(super) fn shrunk(mask: &[bool], size: Size, radius: usize) -> Vec<bool> {
    spread(mask, size, radius, false)
}

/// `what` spread by `radius` columns and rows. Counts of it run along with the square, row by row.
fn spread(mask: &[bool], (width, height): Size, radius: usize, what: bool) -> Vec<bool> {
    let mut across = vec![0_u32; mask.len()];
    for (row, out) in mask.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        let is = |at: usize| u32::from(row[at] == what);
        let mut count: u32 = (0..radius.min(width)).map(is).sum();
        for (x, out) in out.iter_mut().enumerate() {
            if x + radius < width {
                count += is(x + radius);
            }
            if x > radius {
                count -= is(x - radius - 1);
            }
            *out = u32::from(count > 0);
        }
    }
    let row = |y: usize| &across[y * width..(y + 1) * width];
    let mut counts = vec![0_u32; width];
    let add = |counts: &mut [u32], row: &[u32]| {
        for (count, one) in counts.iter_mut().zip(row) {
            *count += one;
        }
    };
    for y in 0..radius.min(height) {
        add(&mut counts, row(y));
    }
    let mut out = vec![false; mask.len()];
    for (y, target) in out.chunks_exact_mut(width).enumerate() {
        if y + radius < height {
            add(&mut counts, row(y + radius));
        }
        if y > radius {
            for (count, one) in counts.iter_mut().zip(row(y - radius - 1)) {
                *count -= one;
            }
        }
        for (target, count) in target.iter_mut().zip(&counts) {
            *target = (*count > 0) == what;
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
