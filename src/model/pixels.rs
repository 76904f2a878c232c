//! A picture's pixels as the model gets them, for those who change a picture to see what a score follows: decoded by any other
//! decoder, a JPEG would differ in its last bits, and the score with it, before anything was changed.

use super::ModelError;
use super::decode::{Exif, Rgb, decode};
use super::resize::{Library, bicubic};

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Columns, at least one.
    pub width: usize,
    /// Rows, at least one.
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    pub rgb: Vec<u8>,
    /// Whether the file notes an orientation, which some models follow and these pixels do not.
    pub turned: bool,
}

impl Pixels {
    /// Decodes an image file (its first picture, alpha dropped). An error in words for a damaged or foreign file.
    pub fn of(bytes: &[u8]) -> Result<Self, ModelError> {
        let image = decode(bytes, Exif::Ignore)?;
        let names = |mark: &[u8]| bytes.windows(mark.len()).any(|w| w == mark);
        // Most files have neither, and decoding a second time is dear.
        let may_turn =
            names(b"Exif") || names(b"eXIf") || names(b"EXIF") || names(b"tiff:Orientation");
        let turned = may_turn && decode(bytes, Exif::Apply)? != image;
        Ok(Self {
            width: image.width,
            height: image.height,
            rgb: image.pixels,
            turned,
        })
    }

    /// The picture at another size, at least one pixel each way, as Pillow's bicubic filter has it to the last byte.
    #[must_use]
    pub fn bicubic(&self, width: usize, height: usize) -> Self {
        let image = Rgb {
            width: self.width,
            height: self.height,
            pixels: self.rgb.clone(),
        };
        let image = bicubic(&image, width.max(1), height.max(1), Library::Pillow);
        Self {
            width: image.width,
            height: image.height,
            rgb: image.pixels,
            turned: self.turned,
        }
    }
}
