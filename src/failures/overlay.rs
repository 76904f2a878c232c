//! Images as one looks at them for failures: where the edit is, how far each pixel moved, the background alone, saturation, the
//! source on one side of a line, what the score hangs on. Pictures for eyes: the numbers are in [`Measures`](crate::domain::Measures).

use std::sync::Arc;

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use super::{EditMap, raster};
use crate::domain::color::saturation;

/// What an image is looked at through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lens {
    /// The edited regions in color within their outline, the rest in grey.
    Edits,
    /// How far each pixel is from the source's, as heat: white is [`HOTTEST`] and more.
    Change,
    /// The edited regions blotted out.
    Background,
    /// Saturation as heat.
    Saturation,
    /// The source left of a line at so many percent of the width.
    Wipe(u8),
    /// What the score hangs on.
    Occlusion(Arc<Heat>),
}

impl Lens {
    /// What it shows, in a word or two.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Edits => "edit map",
            Self::Change => "heat of change",
            Self::Background => "background only",
            Self::Saturation => "saturation",
            Self::Wipe(_) => "wipe",
            Self::Occlusion(_) => "what the score hangs on",
        }
    }

    /// Whether it shows an image against its source.
    pub const fn needs_source(&self) -> bool {
        !matches!(self, Self::Saturation | Self::Occlusion(_))
    }
}

/// The ΔE2000 that heat shows as white.
pub const HOTTEST: f32 = 40.0;

/// A grid of signed heat over an image, row by row: 127 is the most that pulls the score up, -127 the most that pulls it down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Heat {
    columns: usize,
    cells: Vec<i8>,
}

impl Heat {
    /// From a grid of differences, scaled by the largest; `None` without cells, or if they are not whole rows of `columns`.
    pub fn of(columns: usize, differences: &[f64]) -> Option<Self> {
        if columns == 0 || differences.is_empty() || !differences.len().is_multiple_of(columns) {
            return None;
        }
        let most = differences
            .iter()
            .fold(0.0_f64, |most, d| most.max(d.abs()));
        let scale = if most > 0.0 { 127.0 / most } else { 0.0 };
        let cells = differences
            .iter()
            .map(|d| (d * scale).round() as i8)
            .collect();
        Some(Self { columns, cells })
    }

    /// The heat at a place in the unit square, between cells in proportion, -1 to 1.
    fn at(&self, x: f64, y: f64) -> f64 {
        let rows = self.cells.len() / self.columns;
        let cell = |column: usize, row: usize| f64::from(self.cells[row * self.columns + column]);
        let (x, y) = (x * self.columns as f64 - 0.5, y * rows as f64 - 0.5);
        let (x, y) = (x.max(0.0), y.max(0.0));
        let (left, top) = (x as usize, y as usize);
        let (left, top) = (left.min(self.columns - 1), top.min(rows - 1));
        let (right, bottom) = ((left + 1).min(self.columns - 1), (top + 1).min(rows - 1));
        let (u, v) = ((x - left as f64).min(1.0), (y - top as f64).min(1.0));
        let above = cell(left, top) * (1.0 - u) + cell(right, top) * u;
        let below = cell(left, bottom) * (1.0 - u) + cell(right, bottom) * u;
        (above * (1.0 - v) + below * v) / 127.0
    }
}

/// The outline of edited regions, and the line of a wipe.
const LINE: Rgb<u8> = Rgb([255, 64, 200]);

/// `image` through a lens, at its own size. Without the source, lenses that need it show the image as it is.
pub fn through(lens: &Lens, source: Option<&RgbImage>, image: &RgbImage) -> RgbImage {
    match (lens, source) {
        (Lens::Saturation, _) => map(image, |_, _, pixel| heat(saturation(pixel.0))),
        (Lens::Occlusion(grid), _) => occlusion(grid, image),
        (_, None) => image.clone(),
        (Lens::Wipe(percent), Some(source)) => wipe(*percent, source, image),
        (Lens::Edits, Some(source)) => edits(source, image),
        (Lens::Change, Some(source)) => {
            let Some(seen) = Seen::between(source, image) else {
                return image.clone();
            };
            map(image, |x, y, _| {
                heat(f64::from(seen.change(x, y) / HOTTEST))
            })
        }
        (Lens::Background, Some(source)) => {
            let Some(seen) = Seen::between(source, image) else {
                return image.clone();
            };
            map(image, |x, y, pixel| {
                if seen.is_edited(x, y) {
                    // Squares, so that it is not taken for a grey of the picture.
                    let light = (x / 8 + y / 8).is_multiple_of(2);
                    Rgb(if light { [120; 3] } else { [96; 3] })
                } else {
                    *pixel
                }
            })
        }
    }
}

fn map(image: &RgbImage, pixel: impl Fn(u32, u32, &Rgb<u8>) -> Rgb<u8>) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        pixel(x, y, image.get_pixel(x, y))
    })
}

/// An edit map over an image of another size.
struct Seen {
    map: EditMap,
    width: u32,
    height: u32,
}

impl Seen {
    fn between(source: &RgbImage, image: &RgbImage) -> Option<Self> {
        Some(Self {
            map: EditMap::between(raster(source)?, raster(image)?),
            width: image.width(),
            height: image.height(),
        })
    }

    fn place(&self, x: u32, y: u32) -> usize {
        let scaled = |v: u32, of: u32, to: usize| {
            ((u64::from(v) * to as u64 / u64::from(of.max(1))) as usize).min(to.saturating_sub(1))
        };
        let (width, height) = (self.map.width(), self.map.height());
        scaled(y, self.height, height) * width + scaled(x, self.width, width)
    }

    fn change(&self, x: u32, y: u32) -> f32 {
        let change = self.map.change().get(self.place(x, y));
        change.copied().unwrap_or(0.0)
    }

    fn is_edited(&self, x: u32, y: u32) -> bool {
        let edited = self.map.edited().get(self.place(x, y));
        edited.copied().unwrap_or(false)
    }
}

fn edits(source: &RgbImage, image: &RgbImage) -> RgbImage {
    let Some(seen) = Seen::between(source, image) else {
        return image.clone();
    };
    // A line that shows also where the image is made small for the terminal.
    let reach = (image.width().max(image.height()) / 200).max(1);
    map(image, |x, y, pixel| {
        if !seen.is_edited(x, y) {
            return dimmed(*pixel);
        }
        let edge = [
            (x.checked_sub(reach), Some(y)),
            (Some(x + reach).filter(|x| *x < image.width()), Some(y)),
            (Some(x), y.checked_sub(reach)),
            (Some(x), Some(y + reach).filter(|y| *y < image.height())),
        ];
        let outside = |(x, y): &(Option<u32>, Option<u32>)| match (x, y) {
            (Some(x), Some(y)) => !seen.is_edited(*x, *y),
            _ => false,
        };
        if edge.iter().any(outside) {
            LINE
        } else {
            *pixel
        }
    })
}

fn wipe(percent: u8, source: &RgbImage, image: &RgbImage) -> RgbImage {
    let size = (image.width(), image.height());
    let fitted;
    let source = if source.dimensions() == size {
        source
    } else {
        fitted = resize(source, size.0, size.1, FilterType::Triangle);
        &fitted
    };
    let line = u64::from(size.0) * u64::from(percent.min(100)) / 100;
    let thick = u64::from((size.0 / 200).max(1));
    map(image, |x, y, pixel| {
        let at = u64::from(x);
        if (1..100).contains(&percent) && at.abs_diff(line) < thick {
            LINE
        } else if at < line {
            *source.get_pixel(x, y)
        } else {
            *pixel
        }
    })
}

/// What pulls the score up in orange, what pulls it down in blue.
fn occlusion(grid: &Heat, image: &RgbImage) -> RgbImage {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    map(image, |x, y, pixel| {
        let heat = grid.at((f64::from(x) + 0.5) / width, (f64::from(y) + 0.5) / height);
        let tint = if heat > 0.0 {
            [255.0, 140.0, 0.0]
        } else {
            [40.0, 120.0, 255.0]
        };
        let grey = f64::from(luma(*pixel)) * 0.7;
        let share = 0.85 * heat.abs();
        Rgb(tint.map(|t| (grey * (1.0 - share) + t * share) as u8))
    })
}

fn luma(Rgb([r, g, b]): Rgb<u8>) -> u8 {
    ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000) as u8
}

fn dimmed(pixel: Rgb<u8>) -> Rgb<u8> {
    Rgb([luma(pixel) / 2 + 16; 3])
}

/// Black over violet, red and yellow to white; grows evenly lighter, so that it reads without its colors too.
fn heat(share: f64) -> Rgb<u8> {
    const STOPS: [[f64; 3]; 6] = [
        [0.0, 0.0, 0.0],
        [66.0, 10.0, 104.0],
        [160.0, 40.0, 95.0],
        [228.0, 90.0, 45.0],
        [250.0, 180.0, 40.0],
        [255.0, 255.0, 240.0],
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let below = (at as usize).min(STOPS.len() - 2);
    let part = at - below as f64;
    let mix = |channel: usize| {
        let (a, b) = (STOPS[below][channel], STOPS[below + 1][channel]);
        (a + (b - a) * part).round() as u8
    };
    Rgb([mix(0), mix(1), mix(2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| Rgb([(x * 3) as u8, (y * 4) as u8, 90]))
    }

    /// The source with a red square in it.
    fn edit() -> RgbImage {
        let mut image = source();
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if (20..44).contains(&x) && (12..36).contains(&y) {
                *pixel = Rgb([230, 20, 20]);
            }
        }
        image
    }

    fn seen(lens: &Lens) -> RgbImage {
        through(lens, Some(&source()), &edit())
    }

    #[test]
    fn the_edit_map_keeps_the_edit_and_greys_the_rest() {
        let seen = seen(&Lens::Edits);
        assert_eq!(seen.get_pixel(32, 24), &Rgb([230, 20, 20]));
        let Rgb([r, g, b]) = *seen.get_pixel(4, 40);
        assert!(r == g && g == b);
        assert!(seen.pixels().any(|pixel| *pixel == LINE));
    }

    #[test]
    fn heat_is_dark_where_nothing_changed_and_light_where_much_did() {
        let seen = seen(&Lens::Change);
        assert!(luma(*seen.get_pixel(4, 40)) < 20);
        assert!(luma(*seen.get_pixel(32, 24)) > 150);
    }

    #[test]
    fn the_background_alone_has_the_edit_blotted_out() {
        let seen = seen(&Lens::Background);
        assert_eq!(seen.get_pixel(4, 40), edit().get_pixel(4, 40));
        let Rgb([r, g, b]) = *seen.get_pixel(32, 24);
        assert!(r == g && g == b);
    }

    #[test]
    fn a_wipe_shows_the_source_left_of_its_line_also_at_another_size() {
        let small = resize(&source(), 32, 24, FilterType::Triangle);
        for source in [&source(), &small] {
            let seen = through(&Lens::Wipe(50), Some(source), &edit());
            assert_eq!(seen.dimensions(), (64, 48));
            assert!(seen.get_pixel(24, 24).0[0] < 150);
            assert_eq!(seen.get_pixel(40, 24), &Rgb([230, 20, 20]));
        }
        assert_eq!(through(&Lens::Wipe(0), Some(&source()), &edit()), edit());
        assert_eq!(
            through(&Lens::Wipe(100), Some(&source()), &edit()),
            source()
        );
    }

    #[test]
    fn saturation_is_lightest_where_the_color_is_purest() {
        let seen = through(&Lens::Saturation, None, &edit());
        assert!(luma(*seen.get_pixel(32, 24)) > luma(*seen.get_pixel(30, 40)));
    }

    #[test]
    fn what_pulls_up_is_orange_and_what_pulls_down_is_blue() {
        assert_eq!(Heat::of(0, &[1.0]), None);
        assert_eq!(Heat::of(2, &[1.0]), None);
        let grid = Heat::of(2, &[0.4, -0.2, 0.0, 0.0]).unwrap();
        let seen = through(&Lens::Occlusion(Arc::new(grid)), None, &edit());
        let Rgb([r, _, b]) = *seen.get_pixel(2, 2);
        assert!(r > b);
        let Rgb([r, _, b]) = *seen.get_pixel(61, 2);
        assert!(b > r);
    }

    #[test]
    fn an_image_without_its_source_shows_as_it_is_and_the_smallest_one_too() {
        assert_eq!(through(&Lens::Edits, None, &edit()), edit());
        let dot = RgbImage::from_pixel(1, 1, Rgb([9, 9, 9]));
        for lens in [
            Lens::Edits,
            Lens::Change,
            Lens::Background,
            Lens::Wipe(40),
            Lens::Saturation,
        ] {
            assert_eq!(through(&lens, Some(&dot), &dot).dimensions(), (1, 1));
        }
    }
}
