//! How close an edit is to its source, by the usual measures; none of them knows what was asked for.

use butteraugli::{
    ButteraugliParams, ButteraugliReference, HALO_ROWS_DEFAULT, RGB8, butteraugli_strip,
};
use fast_ssim2::Ssimulacra2Reference;
use image::RgbImage;
use imgref::Img;

use super::ssim::{self, Luma, ssim};
use crate::data::images;
use crate::domain::color::{Pixel, mean_delta_e_2000};

/// A measure of closeness between two images; all are turned so that higher is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Peak signal-to-noise ratio over all RGB code values, in dB: 10 log₁₀ (255² / mean square error), at most
    /// [`MOST_DECIBELS`]. Equal images have no noise and would be infinitely far above it, which no statistic can take; the
    /// bound also stands for differences of less than one code value in every 153 000 or so.
    Psnr,
    /// Mean structural similarity of the brightness (Wang et al. 2004: Gaussian window of 11 × 11, σ = 1.5), -1 to 1.
    Ssim,
    /// The mean color difference ΔE₀₀ over all pixels (CIEDE2000), negated: 0 for equal images, -100 for black against white.
    DeltaE,
    /// SSIMULACRA 2.1 as `fast_ssim2` computes it: 100 for equal images, 90 where no difference can be seen, below 50 where
    /// much is damaged; without a lower bound.
    Ssimulacra2,
    /// The Butteraugli distance (the largest over all places, on a display of 80 cd/m²) as `butteraugli` computes it from
    /// libjxl's definition, negated: 0 for equal images, above -1 where no difference can be seen, below -2 where it can.
    Butteraugli,
}

/// Butteraugli takes images of more pixels than this in strips: the same distance, and 0.8 GB instead of 3.9 GB for a pair of
/// 4096 × 4096. Smaller ones are taken whole, which spares the second edit of a source half of the work.
const WHOLE: u64 = 1 << 22;
/// Pixels of a strip with the rows around it that its blurs reach into.
const STRIP: usize = 3 << 19;

/// The most that [`Measure::Psnr`] gives, in dB.
pub const MOST_DECIBELS: f64 = 100.0;

impl Measure {
    /// The least width and height that it is defined for, in pixels.
    pub const fn least_side(self) -> u32 {
        match self {
            Self::Psnr | Self::DeltaE => 1,
            Self::Ssim => ssim::WINDOW as u32,
            Self::Ssimulacra2 | Self::Butteraugli => 8,
        }
    }

    /// The most bytes that a pair of so many pixels takes while it is measured: from resident memory, measured on 4096 × 4096
    /// (0.15 GB by PSNR and ΔE, 0.3 GB by SSIM, 2.3 GB by SSIMULACRA 2, 0.8 GB by Butteraugli) and, taken whole, 2048 × 2048.
    pub(super) const fn memory(self, pixels: u64) -> u64 {
        match self {
            Self::Psnr | Self::DeltaE => 12 * pixels,
            Self::Ssim => 24 * pixels,
            Self::Ssimulacra2 => 144 * pixels,
            Self::Butteraugli if pixels <= WHOLE => 240 * pixels,
            Self::Butteraugli => 40 * pixels + 240 * STRIP as u64,
        }
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Psnr => "psnr",
            Self::Ssim => "ssim",
            Self::DeltaE => "delta-e",
            Self::Ssimulacra2 => "ssimulacra2",
            Self::Butteraugli => "butteraugli",
        }
    }
}

/// A source image, with what a measure computes of it once for all of its edits.
pub(super) struct Source {
    measure: Measure,
    width: u32,
    height: u32,
    prepared: Prepared,
}

enum Prepared {
    Plain(RgbImage),
    Luma(Luma),
    Ssimulacra2(Box<Ssimulacra2Reference>),
    Butteraugli(Box<ButteraugliReference>),
}

impl Source {
    /// Prepares the source for a measure; an error says why it cannot be measured against.
    pub(super) fn new(measure: Measure, image: RgbImage) -> Result<Self, String> {
        let (width, height) = image.dimensions();
        let least = measure.least_side();
        if width < least || height < least {
            return Err(format!(
                "the source has {width} × {height} pixels, and {} needs at least {least} × {least}",
                measure.name()
            ));
        }
        let (columns, rows) = (width as usize, height as usize);
        let prepared = match measure {
            Measure::Psnr | Measure::DeltaE => Prepared::Plain(image),
            Measure::Butteraugli if u64::from(width) * u64::from(height) > WHOLE => {
                Prepared::Plain(image)
            }
            Measure::Ssim => Prepared::Luma(Luma::of(&image)),
            Measure::Ssimulacra2 => {
                Ssimulacra2Reference::new(Img::new(pixels(&image), columns, rows))
                    .map(|reference| Prepared::Ssimulacra2(Box::new(reference)))
                    .map_err(|e| failed(measure, &e))?
            }
            Measure::Butteraugli => {
                let params = ButteraugliParams::default();
                ButteraugliReference::new(image.as_raw(), columns, rows, params)
                    .map(|reference| Prepared::Butteraugli(Box::new(reference)))
                    .map_err(|e| failed(measure, &e))?
            }
        };
        Ok(Self {
            measure,
            width,
            height,
            prepared,
        })
    }

    /// How close an edit is, higher is closer; always finite. An edit of another size is brought to the source's size first,
    /// its proportions given up.
    pub(super) fn closeness(&self, edit: &RgbImage) -> Result<f64, String> {
        if edit.dimensions() != (self.width, self.height) {
            let edit = images::resize(edit, self.width, self.height);
            return self.of_same_size(&edit);
        }
        self.of_same_size(edit)
    }

    fn of_same_size(&self, edit: &RgbImage) -> Result<f64, String> {
        let undefined = || failed(self.measure, &"it is not defined for this image");
        let value = match &self.prepared {
            Prepared::Plain(source) if self.measure == Measure::Psnr => psnr(source, edit),
            // Taken from 0, since a negated 0 would print as -0.
            Prepared::Plain(source) if self.measure == Measure::Butteraugli => {
                let strip = (STRIP / self.width as usize).saturating_sub(2 * HALO_ROWS_DEFAULT);
                let distance = in_strips(source, edit, strip.max(2 * HALO_ROWS_DEFAULT));
                0.0 - distance.map_err(|e| failed(self.measure, &e))?
            }
            Prepared::Plain(source) => mean_delta_e_2000(pixels(source), pixels(edit))
                .map(|difference| 0.0 - difference)
                .ok_or_else(undefined)?,
            Prepared::Luma(source) => ssim(source, &Luma::of(edit)).ok_or_else(undefined)?,
            Prepared::Ssimulacra2(source) => {
                let (columns, rows) = (self.width as usize, self.height as usize);
                source
                    .compare(Img::new(pixels(edit), columns, rows))
                    .map_err(|e| failed(self.measure, &e))?
            }
            Prepared::Butteraugli(source) => source
                .compare(edit.as_raw())
                .map(|distance| 0.0 - distance.score)
                .map_err(|e| failed(self.measure, &e))?,
        };
        if value.is_finite() {
            Ok(value)
        } else {
            Err(failed(self.measure, &format!("it gave {value}")))
        }
    }
}

fn failed(measure: Measure, why: &dyn std::fmt::Display) -> String {
    format!("{} could not be computed: {why}", measure.name())
}

fn pixels(image: &RgbImage) -> &[Pixel] {
    image.as_raw().as_chunks().0
}

/// The Butteraugli distance of two images of one size, strips of so many rows at a time.
fn in_strips(
    source: &RgbImage,
    edit: &RgbImage,
    rows: usize,
) -> Result<f64, butteraugli::ButteraugliError> {
    let (width, height) = (source.width() as usize, source.height() as usize);
    let [source, edit] = [source, edit].map(|image| {
        let pixels = pixels(image).iter().map(|[r, g, b]| RGB8::new(*r, *g, *b));
        Img::new(pixels.collect::<Vec<_>>(), width, height)
    });
    let params = ButteraugliParams::default();
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    butteraugli_strip(source.as_ref(), edit.as_ref(), &params, rows).map(|found| found.score)
}

/// [`Measure::Psnr`] of two images of one size.
fn psnr(source: &RgbImage, edit: &RgbImage) -> f64 {
    let bytes = source.as_raw().iter().zip(edit.as_raw());
    let squares: u64 = bytes.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    let error = squares as f64 / source.as_raw().len() as f64;
    (10.0 * (255.0 * 255.0 / error).log10()).min(MOST_DECIBELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([
                (7 * x + 13 * y + x * y) as u8,
                (3 * x + 90) as u8,
                (y * y / 4) as u8,
            ])
        })
    }

    fn duller(image: &RgbImage) -> RgbImage {
        let mut image = image.clone();
        for byte in image.iter_mut() {
            *byte = ((u32::from(*byte) * 3 + 40) / 4) as u8;
        }
        image
    }

    fn between(measure: Measure, source: &RgbImage, edit: &RgbImage) -> f64 {
        let source = Source::new(measure, source.clone()).unwrap();
        source.closeness(edit).unwrap()
    }

    #[test]
    fn decibels_are_of_the_mean_square_error_and_end_at_a_hundred() {
        let flat = |value| RgbImage::from_pixel(4, 4, image::Rgb([value; 3]));
        let of = |a, b| between(Measure::Psnr, &flat(a), &flat(b));
        // An error of 51 = 255/5 everywhere: 20 log₁₀ 5.
        assert!((of(51, 102) - 13.979_400_086_720_376).abs() < 1e-12);
        assert_eq!(of(0, 255), 0.0);
        assert_eq!(of(9, 9), 100.0);
    }

    #[test]
    fn a_difference_in_color_counts_from_zero_down() {
        let flat = |pixel| RgbImage::from_pixel(2, 1, image::Rgb(pixel));
        let of = |a, b| between(Measure::DeltaE, &flat(a), &flat(b));
        assert!((of([0; 3], [255; 3]) + 100.0).abs() < 1e-9);
        let same = of([1, 2, 3], [1, 2, 3]);
        assert!(same == 0.0 && same.is_sign_positive());
    }

    #[test]
    fn a_source_that_is_prepared_once_gives_what_its_crate_gives_for_a_pair() {
        let (source, edit) = (picture(61, 43), duller(&picture(61, 43)));
        let pair = |image| Img::new(pixels(image), 61, 43);
        let whole = fast_ssim2::compute_ssimulacra2(pair(&source), pair(&edit)).unwrap();
        let found = between(Measure::Ssimulacra2, &source, &edit);
        assert!((found - whole).abs() < 1e-6, "{found} {whole}");

        let pair = |image: &RgbImage| {
            let pixels = image.pixels().map(|p| RGB8::new(p[0], p[1], p[2]));
            Img::new(pixels.collect::<Vec<_>>(), 61, 43)
        };
        let params = ButteraugliParams::default();
        let whole = butteraugli::butteraugli(pair(&source).as_ref(), pair(&edit).as_ref(), &params);
        let whole = whole.unwrap().score;
        let found = between(Measure::Butteraugli, &source, &edit);
        assert!((found + whole).abs() < 1e-4, "{found} {whole}");
    }

    #[test]
    fn butteraugli_in_strips_is_butteraugli() {
        let (source, edit) = (picture(96, 700), duller(&picture(96, 700)));
        let mut edit = edit;
        // The largest difference away from any border of strips, then on one.
        for y in [301, 384] {
            for x in 20..60 {
                edit.put_pixel(x, y, image::Rgb([255, 0, (4 * x) as u8]));
            }
            let whole = -between(Measure::Butteraugli, &source, &edit);
            for rows in [64, 128, 384] {
                let found = in_strips(&source, &edit, rows).unwrap();
                assert!(
                    (found - whole).abs() < 1e-4 * whole,
                    "{rows}: {found} {whole}"
                );
            }
        }
    }

    #[test]
    fn the_crates_keep_to_the_ranges_they_document() {
        let source = picture(64, 48);
        assert!((between(Measure::Ssimulacra2, &source, &source) - 100.0).abs() < 1e-6);
        assert!(between(Measure::Butteraugli, &source, &source).abs() < 0.01);
        let mut nearly = source.clone();
        for pixel in nearly.pixels_mut().step_by(97) {
            pixel[1] ^= 1;
        }
        let unseen = between(Measure::Ssimulacra2, &source, &nearly);
        assert!((90.0..100.0).contains(&unseen), "{unseen}");
        let unseen = between(Measure::Butteraugli, &source, &nearly);
        assert!(unseen > -1.0 && unseen < 0.0, "{unseen}");
        let inverted = RgbImage::from_fn(64, 48, |x, y| {
            image::Rgb(source.get_pixel(x, y).0.map(|v| 255 - v))
        });
        assert!(between(Measure::Ssimulacra2, &source, &inverted) < 50.0);
        assert!(between(Measure::Butteraugli, &source, &inverted) < -2.0);
    }

    #[test]
    fn a_source_may_be_too_small_and_an_edit_may_not() {
        for (measure, least) in [
            (Measure::Psnr, 1),
            (Measure::Ssim, 11),
            (Measure::DeltaE, 1),
            (Measure::Ssimulacra2, 8),
            (Measure::Butteraugli, 8),
        ] {
            let source = Source::new(measure, picture(least, least)).unwrap();
            assert!(source.closeness(&picture(1, 1)).unwrap().is_finite());
            assert!(source.closeness(&picture(40, 3)).unwrap().is_finite());
            let Some(error) = Source::new(measure, picture(40, least - 1)).err() else {
                panic!("{measure:?} took a source of {} rows", least - 1);
            };
            let size = format!("40 × {} pixels", least - 1);
            let needed = format!("{} needs at least {least} × {least}", measure.name());
            assert!(error.contains(&size) && error.contains(&needed), "{error}");
        }
    }

    #[test]
    fn an_edit_of_another_size_is_brought_to_the_source_and_loses_little() {
        let source = RgbImage::from_fn(48, 32, |x, y| {
            image::Rgb([(40 + 4 * x) as u8, (200 - 5 * y) as u8, 90])
        });
        let larger = images::resize(&source, 96, 64);
        let far = duller(&source);
        for measure in [
            Measure::Psnr,
            Measure::Ssim,
            Measure::DeltaE,
            Measure::Ssimulacra2,
            Measure::Butteraugli,
        ] {
            let of = |edit| between(measure, &source, edit);
            assert!(
                of(&source) > of(&larger) && of(&larger) > of(&far),
                "{measure:?}: {} {} {}",
                of(&source),
                of(&larger),
                of(&far)
            );
        }
    }
}
