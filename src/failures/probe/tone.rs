//! Changes of a picture pixel by pixel: saturation, brightness, contrast, hue, and grain. Each leaves a picture exactly as it is
//! at its neutral step.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::domain::color::Pixel;

/// The pixels of a picture, row by row.
pub(super) fn pixels(picture: &RgbImage) -> &[Pixel] {
    picture.as_raw().as_chunks::<3>().0
}

/// A picture with each pixel changed.
pub(super) fn each(picture: &RgbImage, change: impl Fn(Pixel) -> Pixel) -> RgbImage {
    let mut changed = picture.clone();
    for pixel in changed.pixels_mut() {
        pixel.0 = change(pixel.0);
    }
    changed
}

/// The nearest 8-bit value.
pub(super) fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Saturation (HSV) times `times`, at most 1; hue and value stay. Of a pixel whose saturation is not cut off it is `times` what
/// it was, up to the rounding to 8 bits.
pub(super) fn saturated(picture: &RgbImage, times: f64) -> RgbImage {
    let times = times as f32;
    each(picture, |pixel| {
        let [max, min] = ends(pixel);
        let spread = f32::from(max - min);
        if spread == 0.0 {
            return pixel;
        }
        let max = f32::from(max);
        let times = times.min(max / spread);
        pixel.map(|v| byte(max - times * (max - f32::from(v))))
    })
}

/// All values times `times`.
pub(super) fn brightened(picture: &RgbImage, times: f64) -> RgbImage {
    by_table(picture, |value| value * times)
}

/// The distance from the picture's mean grey times `times`, as in Pillow's `ImageEnhance.Contrast`.
pub(super) fn contrasted(picture: &RgbImage, times: f64) -> RgbImage {
    let mean = luma(picture).0;
    by_table(picture, |value| mean + times * (value - mean))
}

/// All hues turned by an angle in degrees (HSV; saturation and value stay).
pub(super) fn turned(picture: &RgbImage, degrees: f64) -> RgbImage {
    let turn = (degrees / 60.0) as f32;
    if turn == 0.0 {
        return picture.clone();
    }
    each(picture, |pixel| {
        let [max, min] = ends(pixel);
        if max == min {
            return pixel;
        }
        let (low, spread) = (f32::from(min), f32::from(max - min));
        let [r, g, b] = pixel.map(f32::from);
        let sector = if pixel[0] == max {
            (g - b) / spread
        } else if pixel[1] == max {
            2.0 + (b - r) / spread
        } else {
            4.0 + (r - g) / spread
        };
        // How far each primary is from the hue, in sectors of 60°: up to one it is full, from two on it is nothing.
        let hue = sector + turn;
        [0.0, 2.0, 4.0].map(|primary: f32| {
            let away = (hue - primary).rem_euclid(6.0);
            let share = (2.0 - away.min(6.0 - away)).clamp(0.0, 1.0);
            byte(low + share * spread)
        })
    })
}

/// Gaussian grain of standard deviation `sigma` on every value. The grain of one seed is the same at every σ, only stronger.
pub(super) fn grained(picture: &RgbImage, sigma: f64, seed: u64) -> RgbImage {
    if sigma == 0.0 {
        return picture.clone();
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut changed = picture.clone();
    let sigma = sigma as f32;
    // Two normal numbers from two even ones (Box and Muller 1958).
    for pair in changed.as_flat_samples_mut().samples.chunks_mut(2) {
        let word = chance.next_u64();
        let radius = (-2.0 * (((word >> 40) + 1) as f32 / 16_777_217.0).ln()).sqrt();
        let (sin, cos) =
            ((word & 0xff_ffff) as f32 / 16_777_216.0 * std::f32::consts::TAU).sin_cos();
        for (value, normal) in pair.iter_mut().zip([radius * cos, radius * sin]) {
            *value = byte(f32::from(*value) + sigma * normal);
        }
    }
    changed
}

/// Mean and standard deviation of the grey of a picture's pixels (ITU-R BT.601), 0 to 255.
pub(super) fn luma(picture: &RgbImage) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for [r, g, b] in pixels(picture) {
        let grey = 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b);
        sum += grey;
        squares += grey * grey;
    }
    let n = f64::from(picture.width()) * f64::from(picture.height());
    let mean = sum / n.max(1.0);
    (mean, (squares / n.max(1.0) - mean * mean).max(0.0).sqrt())
}

fn ends([r, g, b]: Pixel) -> [u8; 2] {
    [r.max(g).max(b), r.min(g).min(b)]
}

fn by_table(picture: &RgbImage, change: impl Fn(f64) -> f64) -> RgbImage {
    let mut table = [0; 256];
    for (value, entry) in (0_u16..).zip(&mut table) {
        *entry = byte(change(f64::from(value)) as f32);
    }
    each(picture, |pixel| pixel.map(|v| table[usize::from(v)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::color::mean_saturation;
    use crate::failures::probe::pictures::{photo, plain};

    #[test]
    fn neutral_steps_leave_every_pixel_as_it_is() {
        let picture = photo(40, 30, 1);
        for (what, same) in [
            ("saturated", saturated(&picture, 1.0)),
            ("brightened", brightened(&picture, 1.0)),
            ("contrasted", contrasted(&picture, 1.0)),
            ("turned", turned(&picture, 0.0)),
            ("turned", turned(&picture, 360.0)),
            ("grained", grained(&picture, 0.0, 1)),
        ] {
            assert_eq!(same, picture, "{what}");
        }
    }

    #[test]
    fn twice_the_saturation_doubles_the_mean_saturation_of_pixels_that_are_not_cut_off() {
        let picture = RgbImage::from_fn(16, 16, |x, y| {
            image::Rgb([200, 120 + (x * 5) as u8, 110 + (y * 5) as u8])
        });
        let before = mean_saturation(pixels(&picture)).unwrap();
        for times in [0.5, 2.0] {
            let after = mean_saturation(pixels(&saturated(&picture, times))).unwrap();
            assert!(
                (after / before - times).abs() < 0.01,
                "{times}: {after} {before}"
            );
        }
        // One that would be cut off keeps its hue.
        let vivid = saturated(&plain(1, 1, [200, 50, 100]), 4.0);
        assert_eq!(vivid.get_pixel(0, 0).0, [200, 0, 67]);
        assert_eq!(
            saturated(&plain(1, 1, [9, 9, 9]), 2.0),
            plain(1, 1, [9, 9, 9])
        );
    }

    #[test]
    fn brightness_multiplies_values_and_contrast_their_distance_from_the_mean() {
        let picture =
            RgbImage::from_fn(2, 1, |x, _| image::Rgb([if x == 0 { 60 } else { 100 }; 3]));
        assert_eq!(
            brightened(&picture, 1.5).as_raw()[..],
            [90, 90, 90, 150, 150, 150]
        );
        assert_eq!(
            contrasted(&picture, 2.0).as_raw()[..],
            [40, 40, 40, 120, 120, 120]
        );
        assert_eq!(brightened(&picture, 4.0).as_raw()[3..], [255; 3]);
    }

    #[test]
    fn hues_turn_by_their_angle_and_come_back() {
        let red = plain(1, 1, [240, 40, 40]);
        assert_eq!(turned(&red, 120.0), plain(1, 1, [40, 240, 40]));
        assert_eq!(turned(&red, -120.0), plain(1, 1, [40, 40, 240]));
        assert_eq!(turned(&red, 60.0), plain(1, 1, [240, 240, 40]));
        let picture = photo(20, 20, 3);
        let back = turned(&turned(&picture, 45.0), -45.0);
        let most = picture
            .as_raw()
            .iter()
            .zip(back.as_raw())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(most <= Some(2), "{most:?}");
    }

    #[test]
    fn grain_has_its_sigma_and_is_the_same_for_the_same_seed() {
        let grey = plain(64, 64, [128; 3]);
        let noisy = grained(&grey, 10.0, 7);
        assert_eq!(noisy, grained(&grey, 10.0, 7));
        assert_ne!(noisy, grained(&grey, 10.0, 8));
        let deviations: Vec<f64> = noisy
            .as_raw()
            .iter()
            .map(|v| f64::from(*v) - 128.0)
            .collect();
        let n = deviations.len() as f64;
        let mean = deviations.iter().sum::<f64>() / n;
        let sigma = (deviations.iter().map(|d| d * d).sum::<f64>() / n).sqrt();
        assert!(
            mean.abs() < 0.5 && (sigma - 10.0).abs() < 0.5,
            "{mean} {sigma}"
        );
    }
}
