//! Changes of a picture that look at a pixel's neighbours: blur and sharpening. Lengths are those of an image 512 pixels wide or
//! high and grow with the image, so that a step means the same to the eye at every size.

use image::{RgbImage, imageops};

use super::tone::byte;

/// The longer side of an image whose lengths are taken as they are.
const AT: f32 = 512.0;

/// σ of the blur that an unsharp mask subtracts, in pixels of an image 512 wide or high: the finest edges.
const MASK: f64 = 1.0;

/// How many pixels a length has in a picture.
fn length(picture: &RgbImage, at_512: f64) -> f32 {
    at_512 as f32 * picture.width().max(picture.height()) as f32 / AT
}

/// Blurred by a Gaussian.
pub(super) fn blurred(picture: &RgbImage, sigma: f64) -> RgbImage {
    let sigma = length(picture, sigma);
    // A narrower one than this weighs a pixel's neighbours with less than half an 8-bit step.
    if sigma < 0.25 {
        return picture.clone();
    }
    imageops::blur(picture, sigma)
}

/// Sharpened by an unsharp mask of an amount.
pub(super) fn sharpened(picture: &RgbImage, amount: f64) -> RgbImage {
    if amount == 0.0 {
        return picture.clone();
    }
    let soft = imageops::blur(picture, length(picture, MASK).max(0.5));
    let mut sharp = picture.clone();
    let amount = amount as f32;
    let values = sharp.as_flat_samples_mut().samples.iter_mut();
    for (value, soft) in values.zip(soft.as_raw()) {
        let old = f32::from(*value);
        *value = byte(old + amount * (old - f32::from(*soft)));
    }
    sharp
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::probe::pictures::{photo, plain};

    /// Mean difference between neighbours, left and right.
    fn steepness(picture: &RgbImage) -> f64 {
        let mut sum = 0.0;
        for y in 0..picture.height() {
            for x in 1..picture.width() {
                let [a, b] = [x - 1, x].map(|x| f64::from(picture.get_pixel(x, y).0[0]));
                sum += (a - b).abs();
            }
        }
        sum
    }

    #[test]
    fn neutral_steps_leave_every_pixel_as_it_is() {
        let picture = photo(40, 30, 2);
        assert_eq!(blurred(&picture, 0.0), picture);
        assert_eq!(sharpened(&picture, 0.0), picture);
    }

    #[test]
    fn blur_softens_and_sharpening_steepens_and_both_leave_an_even_picture() {
        let edge = RgbImage::from_fn(64, 16, |x, _| {
            image::Rgb([if x < 32 { 80 } else { 160 }; 3])
        });
        let at = |picture: &RgbImage, x| picture.get_pixel(x, 8).0[0];
        let soft = blurred(&edge, 16.0);
        assert!(
            at(&soft, 31) > 90 && at(&soft, 32) < 150,
            "{} {}",
            at(&soft, 31),
            at(&soft, 32)
        );
        let sharp = sharpened(&edge, 2.0);
        assert!(at(&sharp, 31) < 80 && at(&sharp, 32) > 160);
        assert_eq!(at(&sharp, 2), 80);
        let grey = plain(20, 20, [90, 100, 110]);
        assert_eq!(
            (blurred(&grey, 40.0), sharpened(&grey, 3.0)),
            (grey.clone(), grey)
        );
        let picture = photo(64, 64, 5);
        assert!(steepness(&blurred(&picture, 16.0)) < steepness(&picture));
        assert!(steepness(&picture) < steepness(&sharpened(&picture, 3.0)));
    }

    #[test]
    fn one_pixel_can_be_blurred_and_sharpened() {
        let one = plain(1, 1, [7, 8, 9]);
        assert_eq!(
            (blurred(&one, 64.0), sharpened(&one, 10.0)),
            (one.clone(), one)
        );
    }
}
