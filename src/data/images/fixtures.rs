//! Pictures for the tests of this layer.

use image::{Rgb, RgbImage};

use super::png;

/// A small picture of one grey, as PNG.
pub(in crate::data) fn picture(shade: u8) -> Vec<u8> {
    png(&RgbImage::from_pixel(4, 3, Rgb([shade; 3]))).unwrap()
}
