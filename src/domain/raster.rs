//! An image as modules hand it to each other that share no image library: sizes and borrowed pixels.

use super::color::Pixel;

/// An image in 8-bit sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raster<'a> {
    width: usize,
    height: usize,
    pixels: &'a [Pixel],
}

impl<'a> Raster<'a> {
    /// An image of so many columns and rows over its pixels, row by row; `None` if there are not `width` · `height` of them, or
    /// none at all.
    pub fn new(width: usize, height: usize, pixels: &'a [Pixel]) -> Option<Self> {
        let fits = width.checked_mul(height) == Some(pixels.len()) && !pixels.is_empty();
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// Columns, at least one.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows, at least one.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The pixels, row by row.
    pub const fn pixels(&self) -> &'a [Pixel] {
        self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_as_many_pixels_as_its_sides_say_and_at_least_one() {
        let pixels = [[1, 2, 3]; 6];
        let image = Raster::new(3, 2, &pixels).unwrap();
        assert_eq!((image.width(), image.height()), (3, 2));
        assert_eq!(image.pixels().len(), 6);
        assert!(Raster::new(2, 2, &pixels).is_none());
        assert!(Raster::new(usize::MAX, 2, &pixels).is_none());
        assert!(Raster::new(0, 6, &[]).is_none());
    }
}
