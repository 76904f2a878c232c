//! What a picture shows: an image, through a lens if one is held before it, and which part of it.

use image::RgbImage;

use crate::domain::ImageRef;
use crate::failures::overlay::Lens;

/// An image as it is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// The image.
    pub image: ImageRef,
    /// What it is seen through.
    pub seen: Option<Seen>,
    /// Which part of it.
    pub zoom: Zoom,
}

/// A lens, and the source that it may compare with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The lens.
    pub lens: Lens,
    /// The group's source image.
    pub source: ImageRef,
}

impl Shown {
    /// All of an image, as it is.
    pub fn plain(image: ImageRef) -> Self {
        Self {
            image,
            seen: None,
            zoom: Zoom::default(),
        }
    }

    /// The same picture, all of it.
    #[must_use]
    pub(super) fn whole(&self) -> Self {
        Self {
            zoom: Zoom::default(),
            ..self.clone()
        }
    }
}

/// A part of an image: how much larger it shows, and where its middle is. Linked between pictures of one group: the same part of
/// each, whatever their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zoom {
    /// Doublings in halves: 0 shows all, 2 half of each side, 4 a quarter.
    steps: u8,
    /// The middle, in thousandths of width and height.
    middle: (u16, u16),
}

impl Default for Zoom {
    fn default() -> Self {
        Self {
            steps: 0,
            middle: (500, 500),
        }
    }
}

/// An eighth of each side.
const CLOSEST: u8 = 6;

impl Zoom {
    /// Nearer, or farther, by half a doubling.
    #[must_use]
    pub fn by(self, nearer: bool) -> Self {
        let steps = if nearer {
            (self.steps + 1).min(CLOSEST)
        } else {
            self.steps.saturating_sub(1)
        };
        Self { steps, ..self }.kept()
    }

    /// Moved by parts of what shows: (0.25, 0.0) is a quarter of a view to the right.
    #[must_use]
    pub fn moved(self, (x, y): (f64, f64)) -> Self {
        let span = 1000.0 * self.share();
        let step = |at: u16, by: f64| (f64::from(at) + by * span).round().clamp(0.0, 1000.0) as u16;
        Self {
            middle: (step(self.middle.0, x), step(self.middle.1, y)),
            ..self
        }
        .kept()
    }

    /// Whether all of the image shows.
    pub const fn is_whole(self) -> bool {
        self.steps == 0
    }

    /// How many times larger than whole.
    pub fn times(self) -> f64 {
        1.0 / self.share()
    }

    /// The share of each side that shows.
    fn share(self) -> f64 {
        0.5_f64.powf(f64::from(self.steps) / 2.0)
    }

    /// Within the image.
    fn kept(self) -> Self {
        let half = (500.0 * self.share()).round() as u16;
        let within = |at: u16| at.clamp(half.min(500), (1000 - half).max(500));
        Self {
            middle: (within(self.middle.0), within(self.middle.1)),
            ..self
        }
    }

    /// The part of an image of that size: left, top, width and height in pixels, at least one each.
    pub(super) fn part(self, (width, height): (u32, u32)) -> [u32; 4] {
        let along = |of: u32, middle: u16| {
            let size = ((f64::from(of) * self.share()).round() as u32).clamp(1, of.max(1));
            let start = f64::from(of) * f64::from(middle) / 1000.0 - f64::from(size) / 2.0;
            let start = (start.round().max(0.0) as u32).min(of.saturating_sub(size));
            (start, size)
        };
        let (x, w) = along(width, self.middle.0);
        let (y, h) = along(height, self.middle.1);
        [x, y, w, h]
    }

    /// That part, cut out.
    pub(super) fn cut(self, image: &RgbImage) -> RgbImage {
        let [x, y, w, h] = self.part(image.dimensions());
        image::imageops::crop_imm(image, x, y, w, h).to_image()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_show_half_of_each_side_about_the_middle() {
        let zoom = Zoom::default().by(true).by(true);
        assert_eq!(zoom.part((400, 200)), [100, 50, 200, 100]);
        assert_eq!(zoom.by(false).by(false), Zoom::default());
        assert_eq!(Zoom::default().part((400, 200)), [0, 0, 400, 200]);
        assert!((zoom.times() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn moving_stops_at_the_edges_and_zooming_out_stays_within() {
        let close = Zoom::default().by(true).by(true);
        let corner = close.moved((9.0, -9.0));
        assert_eq!(corner.part((400, 200)), [200, 0, 200, 100]);
        assert_eq!(corner.by(false).by(false), Zoom::default());
        assert_eq!(Zoom::default().moved((1.0, 1.0)), Zoom::default());
    }

    #[test]
    fn every_part_lies_in_its_image_however_small() {
        for size in [(1, 1), (2, 1), (3, 7), (1000, 1)] {
            let mut zoom = Zoom::default();
            for step in 0..12 {
                zoom = zoom.by(true).moved((f64::from(step % 3) - 1.0, 0.4));
                let [x, y, w, h] = zoom.part(size);
                assert!(
                    w >= 1 && h >= 1 && x + w <= size.0 && y + h <= size.1,
                    "{size:?}"
                );
                let image = RgbImage::new(size.0, size.1);
                assert_eq!(zoom.cut(&image).dimensions(), (w, h));
            }
        }
    }
}
