//! Scenes: a seeded crop of a photo with its subject, as a group's source; and the stock of photos they are cut from.
//!
//! With a few dozen photos a model would learn the photos by heart. So a source is never a whole photo as it lies in the
//! folder but a crop of 60 to 100 % of each side, near 3:2, 4:3 or 1:1, every other one mirrored.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use rand::RngExt as _;
use serde::Serialize;

use crate::synth::error::SynthError;
use crate::synth::output::jpeg;
use crate::synth::photos::PhotoFolder;
use crate::synth::raster::fill::filled;
use crate::synth::raster::grid::{Grid, count};
use crate::synth::raster::mask::{Extent, Mask};
use crate::synth::raster::noise::{Chance, between};
use crate::synth::raster::picture::{Picture, resized};

/// The smallest share of each side that a crop keeps.
const LEAST: f32 = 0.6;
/// Width to height of the sources; an upright photo gives upright ones.
const SHAPES: [f32; 3] = [1.5, 4.0 / 3.0, 1.0];
/// How many reduced photos are kept in memory: about 1 MB each at the usual size.
const KEPT: usize = 96;
/// What part of a picture a subject may cover to be worth a local edit.
const SUBJECT_SHARES: std::ops::Range<f32> = 0.025..0.6;
/// How much of the subject a crop must keep for the subject to be spoken of.
const SUBJECT_KEPT: f32 = 0.85;
/// How many crops are tried for one that shows the subject.
const CROPS: usize = 40;
/// The quality that pictures are written with: high, so that artefacts are the generator's and not the container's.
pub(crate) const QUALITY: u8 = 92;

/// A photo of the folder, reduced to what crops of it need.
#[derive(Debug)]
pub(crate) struct Photo {
    pub(crate) file: String,
    image: RgbImage,
    mask: Option<Mask>,
    name: String,
    background: String,
}

/// The photos that may be used.
pub(crate) struct Stock<'a> {
    folder: &'a PhotoFolder,
    /// Their file names, sorted.
    pub(crate) files: &'a [String],
    long_side: u32,
    kept: Mutex<BTreeMap<String, Arc<Photo>>>,
}

impl<'a> Stock<'a> {
    pub(crate) fn new(folder: &'a PhotoFolder, files: &'a [String], long_side: u32) -> Self {
        Self {
            folder,
            files,
            long_side,
            kept: Mutex::new(BTreeMap::new()),
        }
    }

    /// Whether a photo's subject can be cut out.
    pub(crate) fn has_subject(&self, file: &str) -> bool {
        self.folder.has_mask(file)
    }

    /// What a photo's mask covers, in words.
    pub(crate) fn subject_name(&self, file: &str) -> String {
        self.folder
            .subjects
            .get(file)
            .map_or_else(|| "the main subject".to_owned(), |s| s.name.clone())
    }

    /// What a photo shows as a place, in words: its surroundings where they have a name worth saying, with what stands there.
    pub(crate) fn view(&self, file: &str) -> Option<String> {
        let subject = self.folder.subjects.get(file)?;
        let vague = ["background", "room", "table"];
        let vague = vague.iter().any(|word| subject.background.ends_with(word));
        Some(if vague {
            format!("a photo of {}", subject.name)
        } else {
            format!("a view of {} with {}", subject.background, subject.name)
        })
    }

    /// A photo, from memory or from disk.
    pub(crate) fn photo(&self, file: &str) -> Result<Arc<Photo>, SynthError> {
        let kept = |stock: &Self| {
            let kept = stock.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(file).cloned()
        };
        if let Some(photo) = kept(self) {
            return Ok(photo);
        }
        // Large enough for the smallest crop to fill the long side.
        let side = count(self.long_side as f32 / LEAST);
        let image = self
            .folder
            .photo(file, u32::try_from(side).unwrap_or(u32::MAX))?;
        let mask = if self.folder.has_mask(file) {
            Some(self.folder.mask(file, image.dimensions())?)
        } else {
            None
        };
        let background = self.folder.subjects.get(file);
        let photo = Arc::new(Photo {
            file: file.to_owned(),
            image,
            mask,
            name: self.subject_name(file),
            background: background
                .map_or_else(|| "the background".to_owned(), |s| s.background.clone()),
        });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_first();
        }
        kept.insert(file.to_owned(), Arc::clone(&photo));
        Ok(photo)
    }

    /// A crop of a photo drawn by chance.
    pub(crate) fn scene(&self, chance: &mut Chance) -> Result<Scene, SynthError> {
        let file = &self.files[chance.random_range(0..self.files.len())];
        let photo = self.photo(file)?;
        Scene::cut(&photo, self.long_side, chance)
    }
}

impl Photo {
    /// Its picture and mask in full, for standing behind a subject or giving one.
    pub(crate) fn picture(&self) -> Picture {
        Picture::of_image(&self.image)
    }

    pub(crate) const fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }
}

/// What was cut out of a photo, as fractions of its sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Crop {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) mirrored: bool,
}

impl Crop {
    fn drawn(width: f32, height: f32, chance: &mut Chance) -> Self {
        let shape = SHAPES[chance.random_range(0..SHAPES.len())];
        let shape = if width < height { 1.0 / shape } else { shape };
        // The largest crop of that shape, a little off, then a part of it, but never less than the least of either side.
        let shape = shape * between(chance, 0.95, 1.05);
        let (w, h) = (width.min(height * shape), height.min(width / shape));
        let (w, h) = ((w / width).max(LEAST), (h / height).max(LEAST));
        let most = (LEAST / w.min(h)).min(1.0);
        let part = between(chance, most, 1.0);
        let (w, h) = (w * part, h * part);
        Self {
            left: between(chance, 0.0, 1.0 - w),
            top: between(chance, 0.0, 1.0 - h),
            width: w,
            height: h,
            mirrored: chance.random(),
        }
    }
}

/// The subject of a scene.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) mask: Mask,
    pub(crate) extent: Extent,
    /// What part of the picture it covers.
    pub(crate) share: f32,
}

/// One group's source.
pub(crate) struct Scene {
    pub(crate) file: String,
    pub(crate) crop: Crop,
    pub(crate) picture: Picture,
    /// The source as it is written.
    pub(crate) jpeg: Vec<u8>,
    /// Where the photo has a usable mask and the crop shows the subject.
    pub(crate) subject: Option<Subject>,
    /// What the subject is called, and what is around it.
    pub(crate) name: String,
    pub(crate) background: String,
    emptied: OnceCell<Picture>,
    /// Which patches fill a hole.
    fill: Chance,
}

impl Scene {
    fn cut(photo: &Photo, long_side: u32, chance: &mut Chance) -> Result<Self, SynthError> {
        let (width, height) = photo.image.dimensions();
        let (w, h) = (width as f32, height as f32);
        let mut crop = Crop::drawn(w, h, chance);
        // A crop that keeps the subject whole and of a good size is worth some tries.
        if let Some(mask) = &photo.mask {
            for _ in 0..CROPS {
                if shows(mask, crop) {
                    break;
                }
                crop = Crop::drawn(w, h, chance);
            }
        }
        let visible = photo.mask.as_ref().filter(|mask| shows(mask, crop));
        let pixels = |part: f32, of: u32| {
            u32::try_from(count(part * of as f32))
                .unwrap_or(0)
                .clamp(1, of)
        };
        let (cw, ch) = (pixels(crop.width, width), pixels(crop.height, height));
        let (x, y) = (
            pixels(crop.left, width).min(width - cw),
            pixels(crop.top, height).min(height - ch),
        );
        let scale = f64::from(long_side) / f64::from(cw.max(ch));
        let side = |v: u32| ((f64::from(v) * scale).round() as u32).max(1);
        let to = (side(cw), side(ch));
        let cut = image::imageops::crop_imm(&photo.image, x, y, cw, ch).to_image();
        let wrong = |problem: String| SynthError::Image {
            path: photo.file.clone().into(),
            problem,
        };
        let bytes = resized(
            cw,
            ch,
            cut.into_raw(),
            to,
            fast_image_resize::PixelType::U8x3,
        )
        .map_err(wrong)?;
        let mut image =
            RgbImage::from_raw(to.0, to.1, bytes).ok_or_else(|| wrong("lost pixels".to_owned()))?;
        if crop.mirrored {
            image::imageops::flip_horizontal_in_place(&mut image);
        }
        let jpeg = jpeg(&image, QUALITY).map_err(wrong)?;
        // An editor gets the file, not what it was made from.
        let shipped = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg)
            .map_err(|e| SynthError::image(photo.file.as_ref(), &e))?;
        let picture = Picture::of_image(&shipped.to_rgb8());
        let subject = visible.and_then(|mask| {
            let (sx, sy) = (
                cw as f32 / picture.width as f32,
                ch as f32 / picture.height as f32,
            );
            let last = picture.width - 1;
            let mask = Grid::from_fn(picture.width, picture.height, |px, py| {
                let px = if crop.mirrored { last - px } else { px };
                mask.at(
                    x as f32 + (px as f32 + 0.5) * sx,
                    y as f32 + (py as f32 + 0.5) * sy,
                )
            });
            Subject::of(mask)
        });
        Ok(Self {
            file: photo.file.clone(),
            crop,
            picture,
            jpeg,
            subject,
            name: photo.name.clone(),
            background: photo.background.clone(),
            emptied: OnceCell::new(),
            fill: chance.clone(),
        })
    }

    /// The source without its subject, filled once and kept: moving, shrinking and removing all need it.
    pub(crate) fn emptied(&self) -> &Picture {
        self.emptied.get_or_init(|| match &self.subject {
            None => self.picture.clone(),
            Some(subject) => self.without(&subject.mask),
        })
    }

    /// The source with what a mask covers filled in from around it.
    pub(crate) fn without(&self, mask: &Mask) -> Picture {
        let hole = mask
            .map(|v| f32::from(v > 0.2))
            .grown(self.pixels(0.011))
            .blurred(1.0);
        filled(&self.picture, &hole, None, &mut self.fill.clone())
    }

    /// A length that is a fraction of the longer side, in pixels.
    pub(crate) fn pixels(&self, part: f32) -> f32 {
        part * self.picture.width.max(self.picture.height) as f32
    }
}

impl Subject {
    fn of(mask: Mask) -> Option<Self> {
        let share = mask.share();
        let extent = mask.extent()?;
        SUBJECT_SHARES.contains(&share).then_some(Self {
            mask,
            extent,
            share,
        })
    }
}

/// Whether a crop keeps nearly all of what the mask covers, in a size worth editing.
fn shows(mask: &Mask, crop: Crop) -> bool {
    let (w, h) = mask.size();
    let inside = |v: usize, of: f32, from: f32, len: f32| {
        (from..from + len).contains(&((v as f32 + 0.5) / of))
    };
    let (mut all, mut kept) = (0.0_f32, 0.0_f32);
    // Every third row and column tell enough.
    for y in (0..mask.height).step_by(3) {
        for x in (0..mask.width).step_by(3) {
            let v = mask.get(x, y);
            all += v;
            if inside(x, w, crop.left, crop.width) && inside(y, h, crop.top, crop.height) {
                kept += v;
            }
        }
    }
    let share = 9.0 * kept / (w * h * crop.width * crop.height);
    kept > SUBJECT_KEPT * all && SUBJECT_SHARES.contains(&share)
}

#[cfg(test)]
mod tests {
    use super::super::super::raster::noise::chance;
    use super::*;

    #[test]
    fn crops_keep_six_tenths_of_each_side_and_stay_inside() {
        let mut stream = chance(1, "crops");
        for (w, h) in [
            (768.0, 512.0),
            (512.0, 768.0),
            (600.0, 600.0),
            (900.0, 300.0),
        ] {
            for _ in 0..300 {
                let crop = Crop::drawn(w, h, &mut stream);
                for (from, len) in [(crop.left, crop.width), (crop.top, crop.height)] {
                    assert!(len > 0.599 && from >= 0.0 && from + len < 1.001, "{crop:?}");
                }
            }
        }
    }

    #[test]
    fn crops_of_a_usual_photo_have_usual_shapes() {
        let mut stream = chance(2, "shapes");
        let mut off = 0;
        for _ in 0..300 {
            let crop = Crop::drawn(768.0, 512.0, &mut stream);
            let shape = crop.width * 768.0 / (crop.height * 512.0);
            off += usize::from(SHAPES.iter().all(|s| (shape / s - 1.0).abs() > 0.06));
        }
        assert!(off == 0, "{off} of 300");
    }

    #[test]
    fn a_crop_without_the_subject_does_not_show_it() {
        let mask = Grid::from_fn(90, 60, |x, y| f32::from(x < 25 && y < 30));
        let crop = |left: f32| Crop {
            left,
            top: 0.0,
            width: 0.6,
            height: 0.8,
            mirrored: false,
        };
        assert!(shows(&mask, crop(0.0)));
        assert!(!shows(&mask, crop(0.3)));
    }
}
