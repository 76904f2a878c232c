//! A picture in linear light, and how it comes from and goes to 8-bit sRGB.

use fast_image_resize as fir;
use image::RgbImage;

use super::color::{Lab, Rgb, byte, encoded, linear};
use super::grid::{Grid, Sample, lerp};
use super::mask::Mask;

/// Linear-light RGB.
pub(crate) type Picture = Grid<Rgb>;

impl Grid<Rgb> {
    pub(crate) fn of_image(image: &RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            cells: image.pixels().map(|p| p.0.map(linear)).collect(),
        }
    }

    /// Clips what no screen can show.
    pub(crate) fn to_image(&self) -> RgbImage {
        let mut image = RgbImage::new(pixels(self.width), pixels(self.height));
        for (pixel, rgb) in image.pixels_mut().zip(&self.cells) {
            pixel.0 = rgb.map(|v| byte(encoded(v)));
        }
        image
    }

    pub(crate) fn map_lab(&self, mut change: impl FnMut(Lab) -> Lab) -> Self {
        self.map(|rgb| change(Lab::of(rgb)).rgb())
    }

    pub(crate) fn lightness(&self) -> Grid<f32> {
        self.map(|rgb| Lab::of(rgb).l)
    }

    /// `other` where the mask is 1, this where it is 0, mixed as light between.
    pub(crate) fn mixed(&self, other: &Self, mask: &Mask) -> Self {
        Self {
            width: self.width,
            height: self.height,
            cells: self
                .cells
                .iter()
                .zip(&other.cells)
                .zip(&mask.cells)
                .map(|((from, to), t)| mix(*from, *to, *t))
                .collect(),
        }
    }

    /// The way from this picture to `other`, gone to `t` in OKLab; beyond 1 it overshoots.
    pub(crate) fn toward(&self, other: &Self, t: f32) -> Self {
        self.zip(other, |from, to| Lab::of(from).toward(Lab::of(to), t).rgb())
    }

    /// The part from (`left`, `top`) of size `width` × `height`, all as fractions, brought back to this picture's size.
    pub(crate) fn zoomed(&self, left: f32, top: f32, width: f32, height: f32) -> Self {
        let (w, h) = self.size();
        Self::from_fn(self.width, self.height, |x, y| {
            self.at(
                (left + width * (x as f32 + 0.5) / w) * w,
                (top + height * (y as f32 + 0.5) / h) * h,
            )
        })
    }
}

/// From one color to another as light.
pub(crate) fn mix(from: Rgb, to: Rgb, t: f32) -> Rgb {
    [
        lerp(from[0], to[0], t),
        lerp(from[1], to[1], t),
        lerp(from[2], to[2], t),
    ]
}

/// `top` shining on `below`, as two exposures of one film.
pub(crate) fn screened(below: Rgb, top: Rgb, amount: f32) -> Rgb {
    below.plus(top, amount)
}

fn pixels(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// `image` resized with Lanczos so that its longer side is at most `long_side`; smaller ones stay as they are.
pub(crate) fn fitted(image: RgbImage, long_side: u32) -> Result<RgbImage, String> {
    let longest = image.width().max(image.height());
    if longest <= long_side {
        return Ok(image);
    }
    let scaled = |side: u32| {
        let (side, long, longest) = (u64::from(side), u64::from(long_side), u64::from(longest));
        u32::try_from((side * long + longest / 2) / longest)
            .unwrap_or(1)
            .max(1)
    };
    let (width, height) = (scaled(image.width()), scaled(image.height()));
    resized(
        image.width(),
        image.height(),
        image.into_raw(),
        (width, height),
        fir::PixelType::U8x3,
    )
    .and_then(|bytes| {
        RgbImage::from_raw(width, height, bytes).ok_or_else(|| "lost pixels".to_owned())
    })
}

/// Raw pixels resized with Lanczos.
pub(crate) fn resized(
    width: u32,
    height: u32,
    bytes: Vec<u8>,
    to: (u32, u32),
    kind: fir::PixelType,
) -> Result<Vec<u8>, String> {
    let source =
        fir::images::Image::from_vec_u8(width, height, bytes, kind).map_err(|e| e.to_string())?;
    let mut target = fir::images::Image::new(to.0, to.1, kind);
    fir::Resizer::new()
        .resize(&source, &mut target, None)
        .map_err(|e| e.to_string())?;
    Ok(target.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_survives_linear_light() {
        let image = RgbImage::from_fn(5, 3, |x, y| {
            image::Rgb([(x * 50) as u8, (y * 100) as u8, 200])
        });
        assert_eq!(Picture::of_image(&image).to_image(), image);
    }

    #[test]
    fn fitting_keeps_the_shape_and_never_enlarges() {
        let big = fitted(RgbImage::new(300, 200), 150).unwrap();
        assert_eq!(big.dimensions(), (150, 100));
        assert_eq!(
            fitted(RgbImage::new(30, 20), 150).unwrap().dimensions(),
            (30, 20)
        );
    }
}
