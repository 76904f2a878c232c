//! Small constructed pictures for the tests of probes.

use image::RgbImage;

use crate::data::images;
use crate::model::Picture;

/// One colour.
pub(in crate::failures) fn plain(width: u32, height: u32, color: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, image::Rgb(color))
}

/// Soft shades of many hues, others for each salt.
pub(in crate::failures) fn photo(width: u32, height: u32, salt: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |k: u32| {
            let angle = (x * (k + 1) + y * (3 - k)) as f32 * 0.11 + (salt * (k + 1)) as f32;
            (128.0 + 80.0 * angle.sin()) as u8
        };
        image::Rgb([wave(0), wave(1), wave(2)])
    })
}

/// As a file.
pub(in crate::failures) fn file(picture: &RgbImage) -> Picture {
    let bytes = images::png(picture).unwrap();
    Picture {
        hash: images::content_hash(&bytes),
        bytes: bytes.into(),
    }
}

/// A picture with a rectangle (left, top, width, height) of another.
pub(in crate::failures) fn pasted(
    below: &RgbImage,
    above: &RgbImage,
    [left, top, width, height]: [u32; 4],
) -> RgbImage {
    let mut picture = below.clone();
    for y in top..top + height {
        for x in left..left + width {
            picture.put_pixel(x, y, *above.get_pixel(x, y));
        }
    }
    picture
}
