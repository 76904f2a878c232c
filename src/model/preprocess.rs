//! From the bytes of an image file to the rows of patches that the vision tower reads, equal to the reference bit by bit:
//! decode, resize within the pixel budget, normalise, cut into patches.
//!
//! Qwen2.5-VL goes through two resizes, as in the published code: its own loader's (Pillow, to the budget of `reward.toml`)
//! and then the Hugging Face processor's (torchvision, to the budget of `preprocessor_config.json`), which nearly always
//! finds nothing left to do. Qwen3-VL goes through the second only.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::config::BackboneKind;
use super::decode::{self, Exif, Rgb};
use super::error::ModelError;
use super::manifest::Pixels;
use super::resize::{self, Library};

/// The image processor's settings, in a model dir.
pub(super) const FILE: &str = "preprocessor_config.json";

/// No picture may be more than this many times longer than wide, or the reverse.
const LARGEST_RATIO: f64 = 200.0;

/// How an image is cut: patches by patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Grid {
    /// Patches from top to bottom; a multiple of the merge size.
    pub(super) height: usize,
    /// Patches from left to right; likewise.
    pub(super) width: usize,
}

/// Patches that the vision tower merges into one token, along each side.
pub(super) const MERGE: usize = 2;

impl Grid {
    /// Tokens from top to bottom and from left to right.
    pub(super) const fn merged(&self) -> (usize, usize) {
        (self.height / MERGE, self.width / MERGE)
    }

    /// Tokens in all.
    pub(super) const fn tokens(&self) -> usize {
        let (height, width) = self.merged();
        height * width
    }
}

/// One image as the vision tower reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patches {
    /// (grid.height · grid.width, columns), row-major; rows in the order of 2 × 2 blocks, a row as (channel, time, y, x).
    pub(super) rows: Vec<f32>,
    /// channels · temporal patch · patch · patch.
    pub(super) columns: usize,
    /// How the image is cut.
    pub(super) grid: Grid,
}

/// Settings of the image processor, with the defaults of its class where the model dir is silent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Processor {
    kind: BackboneKind,
    /// The budget of `reward.toml`.
    budget: Pixels,
    /// The budget of `preprocessor_config.json`.
    own: Pixels,
    patch: usize,
    temporal: usize,
    /// Normalised value of each byte, by channel.
    values: [Vec<f32>; 3],
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    min_pixels: Option<u64>,
    max_pixels: Option<u64>,
    size: Option<Size>,
    patch_size: Option<usize>,
    temporal_patch_size: Option<usize>,
    merge_size: Option<usize>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
    resample: Option<u32>,
    rescale_factor: Option<f64>,
    do_resize: Option<bool>,
    do_rescale: Option<bool>,
    do_normalize: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Size {
    shortest_edge: Option<u64>,
    longest_edge: Option<u64>,
}

impl Processor {
    /// Reads `preprocessor_config.json` in `dir`; without one the defaults of `kind` hold. `pixels` is the budget of
    /// `reward.toml`.
    pub(super) fn from_dir(
        dir: &Path,
        kind: BackboneKind,
        pixels: &Pixels,
    ) -> Result<Self, ModelError> {
        let path = dir.join(FILE);
        let settings = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| ModelError::config(&path, error.to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Settings::default(),
            Err(error) => return Err(ModelError::read(&path)(error)),
        };
        Self::new(kind, *pixels, &settings).map_err(|reason| ModelError::config(&path, reason))
    }

    /// The budget that the image processor of `dir` would use by itself.
    pub(super) fn own_budget(dir: &Path, kind: BackboneKind) -> Result<Pixels, ModelError> {
        let any = Pixels { min: 1, max: 1 };
        Self::from_dir(dir, kind, &any).map(|processor| processor.own)
    }

    fn new(kind: BackboneKind, budget: Pixels, settings: &Settings) -> Result<Self, String> {
        settings.refuse_other_pipelines()?;
        let (patch, mean, std, own) = defaults(kind);
        let size = settings.size.as_ref();
        let own = Pixels {
            min: settings
                .min_pixels
                .or(size.and_then(|size| size.shortest_edge))
                .unwrap_or(own.min),
            max: settings
                .max_pixels
                .or(size.and_then(|size| size.longest_edge))
                .unwrap_or(own.max),
        };
        let (mean, std) = (
            settings.image_mean.unwrap_or(mean),
            settings.image_std.unwrap_or(std),
        );
        let patch = settings.patch_size.unwrap_or(patch);
        let temporal = settings.temporal_patch_size.unwrap_or(2);
        if patch == 0 || temporal == 0 || own.min > own.max || std.contains(&0.0) {
            return Err(
                "patch sizes and image_std must not be 0, min_pixels must not exceed max_pixels"
                    .to_owned(),
            );
        }
        // The reference folds the division by 255 into mean and deviation, in f32; then (x - mean) / std, in f32.
        let values = std::array::from_fn(|channel| {
            let (mean, std) = (mean[channel] * 255.0, std[channel] * 255.0);
            (0..=u8::MAX)
                .map(|value| (f32::from(value) - mean) / std)
                .collect()
        });
        Ok(Self {
            kind,
            budget,
            own,
            patch,
            temporal,
            values,
        })
    }

    /// Numbers in a patch: channels · temporal patch · patch · patch.
    pub(super) const fn patch_columns(&self) -> usize {
        3 * self.temporal * self.patch * self.patch
    }

    /// The budget and what it comes to, in words.
    pub(super) fn describe(&self) -> String {
        let Pixels { min, max } = self.budget;
        let range = if min == max {
            format!("about {max}")
        } else {
            format!("{min} to {max}")
        };
        let side = self.patch * MERGE;
        format!("{range} pixels an image, a token for each {side} × {side}")
    }

    /// Decodes, resizes, normalises and cuts the image file `bytes`.
    pub(super) fn patches(&self, bytes: &[u8]) -> Result<Patches, ModelError> {
        let image = self.resized(bytes)?;
        Ok(self.cut(&image))
    }

    /// The image file `bytes` as the pixels that are cut into patches.
    pub(super) fn resized(&self, bytes: &[u8]) -> Result<Rgb, ModelError> {
        match self.kind {
            BackboneKind::Qwen2_5Vl => {
                let image = decode::decode(bytes, Exif::Ignore)?;
                let image = self.step(&image, Rule::Loader, self.budget, Library::Pillow)?;
                self.step(&image, Rule::Processor, self.own, Library::Torch)
            }
            BackboneKind::Qwen3Vl => {
                let image = decode::decode(bytes, Exif::Apply)?;
                self.step(&image, Rule::Processor, self.budget, Library::Torch)
            }
        }
    }

    fn step(
        &self,
        image: &Rgb,
        rule: Rule,
        budget: Pixels,
        library: Library,
    ) -> Result<Rgb, ModelError> {
        let (height, width) = size_within(
            (image.height, image.width),
            self.patch * MERGE,
            budget,
            rule,
        )
        .map_err(ModelError::Image)?;
        Ok(resize::bicubic(image, width, height, library))
    }

    /// The patches of an image of so many pixels.
    pub(super) fn grid_of(&self, height: usize, width: usize) -> Result<Grid, ModelError> {
        let fit = |size, budget, rule| {
            size_within(size, self.patch * MERGE, budget, rule).map_err(ModelError::Image)
        };
        let size = match self.kind {
            BackboneKind::Qwen2_5Vl => fit((height, width), self.budget, Rule::Loader)
                .and_then(|size| fit(size, self.own, Rule::Processor)),
            BackboneKind::Qwen3Vl => fit((height, width), self.budget, Rule::Processor),
        };
        size.map(|(height, width)| Grid {
            height: height / self.patch,
            width: width / self.patch,
        })
    }

    /// Normalises and cuts pixels.
    pub(super) fn cut(&self, image: &Rgb) -> Patches {
        let patch = self.patch;
        let grid = Grid {
            height: image.height / patch,
            width: image.width / patch,
        };
        let (area, columns) = (patch * patch, self.patch_columns());
        let mut rows = Vec::with_capacity(grid.height * grid.width * columns);
        let (high, wide) = grid.merged();
        let cells = (0..high).flat_map(|y| (0..wide).map(move |x| (y * MERGE, x * MERGE)));
        let places = cells
            .flat_map(|(y, x)| (0..MERGE * MERGE).map(move |i| (y + i / MERGE, x + i % MERGE)));
        for (y, x) in places {
            for (channel, values) in self.values.iter().enumerate() {
                let begin = rows.len();
                for line in 0..patch {
                    let at = ((y * patch + line) * image.width + x * patch) * 3 + channel;
                    rows.extend((0..patch).map(|i| values[usize::from(image.pixels[at + i * 3])]));
                }
                for _ in 1..self.temporal {
                    rows.extend_from_within(begin..begin + area);
                }
            }
        }
        Patches {
            rows,
            columns,
            grid,
        }
    }
}

impl Settings {
    /// What the processor could be told to do that this one does not.
    fn refuse_other_pipelines(&self) -> Result<(), String> {
        if self.merge_size.is_some_and(|size| size != MERGE) {
            return Err(format!("merge_size must be {MERGE}"));
        }
        if self.resample.is_some_and(|filter| filter != 3) {
            return Err("resample must be 3 (bicubic)".to_owned());
        }
        if self
            .rescale_factor
            .is_some_and(|factor| (factor * 255.0 - 1.0).abs() > 1e-6)
        {
            return Err("rescale_factor must be 1/255".to_owned());
        }
        if [self.do_resize, self.do_rescale, self.do_normalize].contains(&Some(false)) {
            return Err("do_resize, do_rescale and do_normalize must be true".to_owned());
        }
        Ok(())
    }
}

/// Patch size, mean, deviation and budget of the processor class of each backbone.
const fn defaults(kind: BackboneKind) -> (usize, [f32; 3], [f32; 3], Pixels) {
    match kind {
        BackboneKind::Qwen2_5Vl => (
            14,
            [0.481_454_66, 0.457_827_5, 0.408_210_73],
            [0.268_629_55, 0.261_302_6, 0.275_777_1],
            Pixels {
                min: 3136,
                max: 12_845_056,
            },
        ),
        BackboneKind::Qwen3Vl => (
            16,
            [0.5; 3],
            [0.5; 3],
            Pixels {
                min: 65_536,
                max: 16_777_216,
            },
        ),
    }
}

/// The two versions of the resize rule, alike but for very long images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The published loader's (`EditReward/dataset/utils.py`): no side below one factor, unless shrinking makes it so.
    Loader,
    /// The Hugging Face processor's (`image_processing_qwen2_vl.py`): no side below one factor when shrinking.
    Processor,
}

/// (height, width) for an image of `size` (height, width), each a multiple of `factor`, with an area within `budget` and
/// about the same aspect ratio.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides of an image, not negative and far below 2⁵³"
)]
pub(super) fn size_within(
    (height, width): (usize, usize),
    factor: usize,
    budget: Pixels,
    rule: Rule,
) -> Result<(usize, usize), String> {
    let (h, w, f) = (height as f64, width as f64, factor as f64);
    let ratio = h.max(w) / h.min(w);
    if ratio > LARGEST_RATIO {
        return Err(format!(
            "the image is {ratio:.1} times longer than it is wide ({width} × {height} pixels); the model takes at most \
             {LARGEST_RATIO:.0}, so crop it"
        ));
    }
    let at_least = |least: f64, sides: [f64; 2]| sides.map(|side| (side * f).max(least));
    let least = if rule == Rule::Loader { f } else { 0.0 };
    // Halves go to the even number, as Python's round has it.
    let mut sides = at_least(least, [h, w].map(|side| (side / f).round_ties_even()));
    let area = sides[0] * sides[1];
    if area > budget.max as f64 {
        let shrink = (h * w / budget.max as f64).sqrt();
        let least = if rule == Rule::Loader { 0.0 } else { f };
        sides = at_least(least, [h, w].map(|side| (side / shrink / f).floor()));
    } else if area < budget.min as f64 {
        let grow = (budget.min as f64 / (h * w)).sqrt();
        sides = [h, w].map(|side| (side * grow / f).ceil() * f);
    }
    if sides.contains(&0.0) {
        return Err(format!(
            "an image of {width} × {height} pixels would shrink to nothing within {} pixels; crop it, or raise pixels.max \
             in reward.toml",
            budget.max
        ));
    }
    Ok((sides[0] as usize, sides[1] as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Pixels = Pixels {
        min: 200_704,
        max: 200_704,
    };

    #[test]
    fn the_published_budget_gives_the_published_sizes() {
        for ((height, width), expected) in [
            ((427, 640), (364, 532)),
            ((28, 28), (448, 448)),
            ((420, 476), (448, 504)),
            ((8000, 41), (6244, 28)),
            ((14, 14), (448, 448)),
        ] {
            assert_eq!(
                size_within((height, width), 28, BUDGET, Rule::Loader),
                Ok(expected)
            );
        }
    }

    #[test]
    fn halves_round_to_the_even_multiple() {
        let any = Pixels {
            min: 1,
            max: u64::MAX,
        };
        for (side, expected) in [(42, 56), (70, 56), (98, 112), (14, 28)] {
            let size = size_within((side, side), 28, any, Rule::Loader).unwrap();
            assert_eq!(size, (expected, expected), "{side}");
        }
    }

    #[test]
    fn an_image_two_hundred_times_longer_than_wide_is_the_limit() {
        assert!(size_within((200, 1), 28, BUDGET, Rule::Loader).is_ok());
        let reason = size_within((201, 1), 28, BUDGET, Rule::Loader).unwrap_err();
        assert!(reason.contains("201.0 times"), "{reason}");
    }

    #[test]
    fn normalisation_constants_are_the_references() {
        let processor =
            Processor::new(BackboneKind::Qwen2_5Vl, BUDGET, &Settings::default()).unwrap();
        let mean = [122.770_94_f32, 116.746_02, 104.093_735];
        let std = [68.500_534_f32, 66.632_164, 70.323_16];
        for channel in 0..3 {
            assert_eq!(
                processor.values[channel][0],
                (0.0 - mean[channel]) / std[channel]
            );
            assert_eq!(
                processor.values[channel][255],
                (255.0 - mean[channel]) / std[channel]
            );
        }
    }

    #[test]
    fn a_processor_that_does_something_else_is_refused() {
        for text in [
            r#"{"resample": 2}"#,
            r#"{"do_normalize": false}"#,
            r#"{"merge_size": 4}"#,
            r#"{"rescale_factor": 1.0}"#,
            r#"{"image_std": [0.0, 1.0, 1.0]}"#,
        ] {
            let settings = serde_json::from_str(text).unwrap();
            assert!(
                Processor::new(BackboneKind::Qwen3Vl, BUDGET, &settings).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn patches_come_in_blocks_of_four_with_both_time_slices_alike() {
        let settings = serde_json::from_str(
            r#"{"patch_size": 1, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}"#,
        )
        .unwrap();
        let processor = Processor::new(BackboneKind::Qwen3Vl, BUDGET, &settings).unwrap();
        let image = Rgb {
            width: 4,
            height: 2,
            pixels: (0..24).collect(),
        };
        let patches = processor.cut(&image);
        assert_eq!(
            patches.grid,
            Grid {
                height: 2,
                width: 4
            }
        );
        assert_eq!(patches.columns, 6);
        let firsts: Vec<f32> = patches
            .rows
            .chunks(6)
            .map(|row| (row[0] * 255.0).round())
            .collect();
        assert_eq!(firsts, [0.0, 3.0, 12.0, 15.0, 6.0, 9.0, 18.0, 21.0]);
        for row in patches.rows.chunks(6) {
            assert_eq!((row[0], row[2], row[4]), (row[1], row[3], row[5]));
        }
    }
}
