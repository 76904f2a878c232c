//! Structural similarity, as it was published: on brightness alone, in one scale.

use image::RgbImage;

/// The side of the window, in pixels; smaller images have no SSIM.
pub(super) const WINDOW: usize = 11;
/// The window's standard deviation, in pixels.
const SIGMA: f64 = 1.5;
/// (K₁ L)² and (K₂ L)² with K₁ = 0.01, K₂ = 0.03, L = 255.
const C1: f64 = 0.01 * 255.0 * 0.01 * 255.0;
const C2: f64 = 0.03 * 255.0 * 0.03 * 255.0;

/// The brightness of an image, row by row: Y' of BT.601 in code values, 0..=255, not rounded.
pub(super) struct Luma {
    width: usize,
    values: Vec<f64>,
}

impl Luma {
    pub(super) fn of(image: &RgbImage) -> Self {
        let luma =
            |[r, g, b]: [u8; 3]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        Self {
            width: image.width() as usize,
            values: image.pixels().map(|pixel| luma(pixel.0)).collect(),
        }
    }
}

/// The mean structural similarity of two images of one size (Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment:
/// from error visibility to structural similarity", IEEE Transactions on Image Processing 13(4), 2004, equations 13 to 17),
/// over all places where the whole window fits; no downscaling before. -1 to 1, and 1 for equal images alone. `None` where
/// the window fits nowhere, or when the sizes differ.
pub(super) fn ssim(x: &Luma, y: &Luma) -> Option<f64> {
    let width = x.width;
    let height = x.values.len().checked_div(width)?;
    if width < WINDOW || height < WINDOW || y.width != width || y.values.len() != x.values.len() {
        return None;
    }
    let weights = weights();
    // The window is a product of two lines: first down the columns, then along the row. Of each place: x, y, x² + y², xy.
    let mut columns = vec![[0.0_f64; 4]; width];
    let (mut sum, mut places) = (0.0, 0_usize);
    for top in 0..=height - WINDOW {
        columns.fill([0.0; 4]);
        for (row, weight) in weights.iter().enumerate() {
            let start = (top + row) * width;
            let (x, y) = (&x.values[start..][..width], &y.values[start..][..width]);
            for ((column, &x), &y) in columns.iter_mut().zip(x).zip(y) {
                for (into, value) in column.iter_mut().zip([x, y, x * x + y * y, x * y]) {
                    *into += weight * value;
                }
            }
        }
        for window in columns.windows(WINDOW) {
            let mut means = [0.0; 4];
            for (column, weight) in window.iter().zip(&weights) {
                for (into, value) in means.iter_mut().zip(column) {
                    *into += weight * value;
                }
            }
            sum += local(means);
            places += 1;
        }
    }
    Some(sum / places as f64)
}

/// The similarity at one place (equation 13) from the weighted means of x, y, x² + y² and xy.
fn local([x, y, squares, product]: [f64; 4]) -> f64 {
    let (both, mixed) = (x * x + y * y, x * y);
    let (variances, covariance) = (squares - both, product - mixed);
    (2.0 * mixed + C1) * (2.0 * covariance + C2) / ((both + C1) * (variances + C2))
}

/// The window along one axis; its weights add up to 1.
fn weights() -> [f64; WINDOW] {
    let mut weights = [0.0; WINDOW];
    for (i, weight) in weights.iter_mut().enumerate() {
        let away = i as f64 - (WINDOW / 2) as f64;
        *weight = (-away * away / (2.0 * SIGMA * SIGMA)).exp();
    }
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, value: impl Fn(u32, u32) -> u32) -> Luma {
        Luma {
            width: width as usize,
            values: (0..width * height)
                .map(|i| f64::from(value(i % width, i / width)))
                .collect(),
        }
    }

    fn pattern(x: u32, y: u32) -> u32 {
        (7 * x + 13 * y + x * y) % 256
    }

    fn shifted(x: u32, y: u32) -> u32 {
        (7 * x + 13 * y + x * y + (x * x + 3 * y) % 41) % 256
    }

    fn duller(x: u32, y: u32) -> u32 {
        (3 * pattern(x, y) + 40) / 4
    }

    /// Equation 13 at every place from the definitions of weighted mean, variance and covariance, in two dimensions at once.
    fn by_definition(x: &Luma, y: &Luma) -> f64 {
        let side = WINDOW as isize / 2;
        let (width, height) = (x.width as isize, (x.values.len() / x.width) as isize);
        let mut locals = Vec::new();
        for row in side..height - side {
            for column in side..width - side {
                let mut window = Vec::new();
                for dy in -side..=side {
                    for dx in -side..=side {
                        let weight = (-((dx * dx + dy * dy) as f64) / 4.5).exp();
                        let at = ((row + dy) * width + column + dx) as usize;
                        window.push((weight, x.values[at], y.values[at]));
                    }
                }
                let total: f64 = window.iter().map(|w| w.0).sum();
                let mean = |of: &dyn Fn(f64, f64) -> f64| {
                    window.iter().map(|w| w.0 * of(w.1, w.2)).sum::<f64>() / total
                };
                let (mx, my) = (mean(&|x, _| x), mean(&|_, y| y));
                let (vx, vy) = (
                    mean(&|x, _| (x - mx).powi(2)),
                    mean(&|_, y| (y - my).powi(2)),
                );
                let both = mean(&|x, y| (x - mx) * (y - my));
                locals.push(
                    (2.0 * mx * my + 6.5025) * (2.0 * both + 58.5225)
                        / ((mx * mx + my * my + 6.5025) * (vx + vy + 58.5225)),
                );
            }
        }
        locals.iter().sum::<f64>() / locals.len() as f64
    }

    #[test]
    fn an_image_is_exactly_like_itself() {
        let image = grey(20, 17, pattern);
        assert_eq!(ssim(&image, &image), Some(1.0));
    }

    #[test]
    fn of_two_flat_images_only_the_brightness_differs() {
        // (2·100·120 + 6.5025) / (100² + 120² + 6.5025); contrast and structure are both 1.
        let found = ssim(&grey(13, 12, |_, _| 100), &grey(13, 12, |_, _| 120)).unwrap();
        assert!(
            (found - 24_006.502_5 / 24_406.502_5).abs() < 1e-9,
            "{found}"
        );
    }

    #[test]
    fn two_passes_over_lines_are_the_window_of_the_definition() {
        let image = grey(19, 14, pattern);
        for other in [grey(19, 14, shifted), grey(19, 14, duller)] {
            let (fast, plain) = (ssim(&image, &other).unwrap(), by_definition(&image, &other));
            assert!((fast - plain).abs() < 1e-10, "{fast} {plain}");
        }
    }

    #[test]
    fn it_is_what_scikit_image_computes() {
        // skimage.metrics.structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        // data_range=255), scikit-image 0.26.
        let image = grey(32, 24, pattern);
        for (other, known) in [
            (grey(32, 24, shifted), 0.551_496_003_623_114_4),
            (grey(32, 24, duller), 0.943_207_764_803_452),
        ] {
            let found = ssim(&image, &other).unwrap();
            assert!((found - known).abs() < 1e-10, "{found} {known}");
        }
    }

    #[test]
    fn the_window_must_fit_and_the_sizes_be_the_same() {
        let image = |w, h| grey(w, h, pattern);
        assert!(ssim(&image(11, 11), &image(11, 11)).is_some());
        assert_eq!(ssim(&image(10, 30), &image(10, 30)), None);
        assert_eq!(ssim(&image(30, 10), &image(30, 10)), None);
        assert_eq!(ssim(&image(20, 30), &image(30, 20)), None);
    }

    #[test]
    fn brightness_is_weighed_as_the_eye_does() {
        let image = RgbImage::from_fn(3, 1, |x, _| {
            let mut pixel = [0; 3];
            pixel[x as usize] = 200;
            image::Rgb(pixel)
        });
        let luma = Luma::of(&image).values;
        for (found, known) in luma.iter().zip([59.8, 117.4, 22.8]) {
            assert!((found - known).abs() < 1e-9, "{luma:?}");
        }
    }
}
