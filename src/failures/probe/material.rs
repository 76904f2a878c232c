//! What a probe works on, and the variants it makes of it: pictures and instructions in which one factor is changed and nothing
//! else. Pictures are written without loss, so that no other change comes in by the way; the neutral step is the candidate's own
//! file, so that its score is the one that the candidate has anyway.

use image::RgbImage;

use super::ProbeError;
use super::background::Background;
use super::factor::{Factor, order};
use super::texture::{blurred, sharpened};
use super::tone;
use crate::data::images;
use crate::domain::color::mean_saturation;
use crate::failures::{EditMap, raster};
use crate::model::{Picture, Pixels};

/// The colour that backgrounds are tinted with: orange.
const TINT: [u8; 3] = [255, 140, 0];

/// Something of another group.
#[derive(Debug, Clone)]
pub struct Donor {
    /// The group's name, for words.
    pub key: String,
    /// What was asked for there.
    pub instruction: String,
    /// Its source.
    pub source: Picture,
    /// One of its edits.
    pub edit: Option<Picture>,
}

/// A candidate with all that a probe needs of it.
#[derive(Debug, Clone)]
pub struct Material {
    source: Picture,
    original: RgbImage,
    /// The candidate's own file, where it shows the same pixels to every model.
    edit: Option<Picture>,
    pixels: RgbImage,
    instruction: String,
    /// `None` where nobody said where the edit is, or it is everywhere.
    background: Option<Background>,
    mapped: bool,
    donors: Vec<Donor>,
    seed: u64,
}

/// A candidate with one factor changed.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What was changed.
    pub factor: Factor,
    /// How far.
    pub step: f64,
    /// How much of what the factor changes there is in the picture: see [`Factor::dose`].
    pub dose: f64,
    /// The picture.
    pub picture: Picture,
    /// What was asked for.
    pub instruction: String,
    /// The step in words.
    pub words: String,
}

impl Factor {
    /// What a [`Variant::dose`] is of: the measure that the factor turns where there is one, else the step itself.
    pub const fn dose(self) -> &'static str {
        match self {
            Self::Saturation => "mean saturation (HSV), 0 to 1",
            Self::Brightness => "mean grey (BT.601), 0 to 1",
            Self::Contrast => "standard deviation of grey (BT.601), 0 to 1",
            _ => "step",
        }
    }

    fn dose_of(self, picture: &RgbImage, step: f64) -> f64 {
        match self {
            Self::Saturation => mean_saturation(tone::pixels(picture)).unwrap_or(0.0),
            Self::Brightness => tone::luma(picture).0 / 255.0,
            Self::Contrast => tone::luma(picture).1 / 255.0,
            _ => step,
        }
    }
}

impl Material {
    /// Decodes source and edit; `seed` is what grain is drawn by. What needs to know where the edit is, or needs other groups,
    /// can be probed once that was said.
    pub fn new(
        source: Picture,
        edit: Picture,
        instruction: impl Into<String>,
        seed: u64,
    ) -> Result<Self, ProbeError> {
        let (original, _) = decoded("the source", &source)?;
        let (pixels, turned) = decoded("the edit", &edit)?;
        Ok(Self {
            source,
            original,
            edit: (!turned).then_some(edit),
            pixels,
            instruction: instruction.into(),
            background: None,
            mapped: false,
            donors: Vec::new(),
            seed,
        })
    }

    /// Says where the edit is: a map of `width` · `height` pixels over the edit's frame, row by row.
    pub fn with_edited(mut self, width: usize, height: usize, edited: &[bool]) -> Self {
        self.background = Background::new(self.pixels.dimensions(), (width, height), edited);
        self.mapped = edited.len() == width * height;
        self
    }

    /// Finds out where the edit is.
    pub fn mapped(self) -> Self {
        let both = raster(&self.original).zip(raster(&self.pixels));
        match both.map(|(source, edit)| EditMap::between(source, edit)) {
            Some(map) => self.with_map(&map),
            None => self,
        }
    }

    /// Says where the edit is.
    pub fn with_map(self, map: &EditMap) -> Self {
        self.with_edited(map.width(), map.height(), map.edited())
    }

    /// Gives it other groups to take from.
    pub fn with_donors(mut self, donors: Vec<Donor>) -> Self {
        self.donors = donors;
        self
    }

    /// The source's file.
    pub fn source(&self) -> &Picture {
        &self.source
    }

    /// The source's pixels.
    pub fn source_pixels(&self) -> &RgbImage {
        &self.original
    }

    /// The edit's pixels.
    pub fn edit_pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// What was asked for.
    pub fn instruction(&self) -> &str {
        &self.instruction
    }

    /// The candidate with a factor changed by one step.
    pub fn variant(&self, factor: Factor, step: f64) -> Result<Variant, ProbeError> {
        let words = factor.step_in_words(step);
        let instruction = self.instruction.clone();
        let of = |picture, dose| Variant {
            factor,
            step,
            dose,
            picture,
            instruction,
            words,
        };
        if step == factor.about().neutral {
            let dose = factor.dose_of(&self.pixels, step);
            return Ok(of(self.neutral()?, dose));
        }
        if let Some((picture, words)) = self.whole(factor, step)? {
            return Ok(Variant {
                words,
                ..of(picture, step)
            });
        }
        if factor.is_of_instruction() {
            let (instruction, words) = self.reworded(factor, step)?;
            return Ok(Variant {
                instruction,
                words,
                ..of(self.neutral()?, step)
            });
        }
        let changed = self.changed(factor, step)?;
        Ok(of(encoded(&changed)?, factor.dose_of(&changed, step)))
    }

    /// The variants of a factor's steps, in the order in which they are best tried, each with the place of its step among those
    /// given (ascending). Each is made when it is asked for.
    pub fn variants<'a>(
        &'a self,
        factor: Factor,
        steps: &'a [f64],
    ) -> impl Iterator<Item = (usize, Result<Variant, ProbeError>)> + 'a {
        order(steps, factor.about().neutral)
            .into_iter()
            .map(move |place| (place, self.variant(factor, steps[place])))
    }

    /// The candidate as it is: its own file, or where that would be seen turned by some models, its pixels in another.
    pub fn neutral(&self) -> Result<Picture, ProbeError> {
        match &self.edit {
            Some(edit) => Ok(edit.clone()),
            None => encoded(&self.pixels),
        }
    }

    /// The step of a factor that takes a whole file, with its words.
    fn whole(&self, factor: Factor, step: f64) -> Result<Option<(Picture, String)>, ProbeError> {
        Ok(match factor {
            Factor::NoOp => Some((self.source.clone(), factor.step_in_words(step))),
            Factor::OtherEdit => {
                let donor = self.donor(factor, step)?;
                let edit = donor.edit.clone().ok_or(self.lacking(factor, step))?;
                Some((edit, format!("edit of '{}'", donor.key)))
            }
            Factor::Jpeg => {
                let bytes = images::jpeg(&self.pixels, step as u8)?;
                Some((picture_of(bytes), factor.step_in_words(step)))
            }
            _ => None,
        })
    }

    fn reworded(&self, factor: Factor, step: f64) -> Result<(String, String), ProbeError> {
        Ok(match factor {
            Factor::InstructionReplaced => {
                let donor = self.donor(factor, step)?;
                let words = format!("instruction of '{}'", donor.key);
                (donor.instruction.clone(), words)
            }
            Factor::InstructionNegated => (negated(&self.instruction), factor.step_in_words(step)),
            _ => (String::new(), factor.step_in_words(step)),
        })
    }

    fn changed(&self, factor: Factor, step: f64) -> Result<RgbImage, ProbeError> {
        let edit = &self.pixels;
        Ok(match factor {
            Factor::Saturation => tone::saturated(edit, step),
            Factor::Brightness => tone::brightened(edit, step),
            Factor::Contrast => tone::contrasted(edit, step),
            Factor::Hue => tone::turned(edit, step),
            Factor::Sharpening => sharpened(edit, step),
            Factor::Blur => blurred(edit, step),
            Factor::Noise => tone::grained(edit, step, self.seed),
            Factor::Strength => self.blended(step),
            Factor::BackgroundRestored => {
                let background = self.background(factor)?;
                background.replaced(edit, &self.fitting(&self.original), step)
            }
            Factor::BackgroundTinted => {
                let tint = RgbImage::from_pixel(edit.width(), edit.height(), image::Rgb(TINT));
                self.background(factor)?.replaced(edit, &tint, step)
            }
            Factor::BackgroundBlurred => {
                let background = self.background(factor)?;
                background.replaced(edit, &blurred(edit, step), 1.0)
            }
            Factor::BackgroundReplaced => {
                let background = self.background(factor)?;
                let (other, _) = decoded("the other source", &self.donor(factor, step)?.source)?;
                background.replaced(edit, &self.fitting(&other), 1.0)
            }
            // Whole files and words, which were taken before.
            Factor::Jpeg
            | Factor::NoOp
            | Factor::OtherEdit
            | Factor::InstructionReplaced
            | Factor::InstructionNegated
            | Factor::InstructionEmptied => edit.clone(),
        })
    }

    /// From the source (0) to the edit (1), and on.
    fn blended(&self, share: f64) -> RgbImage {
        let share = share as f32;
        let mut blend = self.fitting(&self.original);
        let values = blend.as_flat_samples_mut().samples.iter_mut();
        for (value, edit) in values.zip(self.pixels.as_raw()) {
            let old = f32::from(*value);
            *value = tone::byte(old + share * (f32::from(*edit) - old));
        }
        blend
    }

    /// Another picture, stretched to the edit's frame.
    pub(in crate::failures) fn fitting(&self, picture: &RgbImage) -> RgbImage {
        images::resize(picture, self.pixels.width(), self.pixels.height())
    }

    fn background(&self, factor: Factor) -> Result<&Background, ProbeError> {
        self.background.as_ref().ok_or(if self.mapped {
            ProbeError::NoBackground
        } else {
            ProbeError::NoMap(factor.name())
        })
    }

    fn donor(&self, factor: Factor, step: f64) -> Result<&Donor, ProbeError> {
        let place = (step as usize).checked_sub(1);
        place
            .and_then(|place| self.donors.get(place))
            .ok_or(self.lacking(factor, step))
    }

    fn lacking(&self, factor: Factor, step: f64) -> ProbeError {
        ProbeError::NoDonor {
            factor: factor.name(),
            number: step as usize,
            there: self.donors.len(),
        }
    }
}

/// A picture's pixels as the model gets them, and whether some models would get it turned.
fn decoded(which: &'static str, picture: &Picture) -> Result<(RgbImage, bool), ProbeError> {
    let failed = |why: String| ProbeError::Image { which, why };
    let pixels = Pixels::of(&picture.bytes).map_err(|why| failed(why.to_string()))?;
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let image = RgbImage::from_raw(width, height, pixels.rgb);
    let image = image.ok_or_else(|| failed("it has no pixels".into()))?;
    Ok((image, pixels.turned))
}

/// A picture as a file, without loss.
pub(in crate::failures) fn encoded(picture: &RgbImage) -> Result<Picture, ProbeError> {
    Ok(picture_of(images::png(picture)?))
}

fn picture_of(bytes: Vec<u8>) -> Picture {
    Picture {
        hash: images::content_hash(&bytes),
        bytes: bytes.into(),
    }
}

/// An instruction's opposite: "Make it blue." becomes "Do not make it blue.", and that "Make it blue." again.
fn negated(instruction: &str) -> String {
    const NOT: &str = "Do not ";
    let text = instruction.trim();
    let begins = |start: &str| {
        text.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let recased = |text: &str, upper: bool| {
        let mut letters = text.chars();
        let Some(first) = letters.next() else {
            return String::new();
        };
        let rest = letters.as_str();
        // "HDR" and "I" stay as they are.
        if !upper
            && rest
                .chars()
                .next()
                .is_none_or(|second| !second.is_lowercase())
        {
            return text.to_owned();
        }
        let first = if upper {
            first.to_uppercase().to_string()
        } else {
            first.to_lowercase().to_string()
        };
        first + rest
    };
    match [NOT, "Don't ", "Don’t "]
        .into_iter()
        .find(|start| begins(start))
    {
        Some(start) => recased(text[start.len()..].trim_start(), true),
        None => format!("{NOT}{}", recased(text, false))
            .trim_end()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::probe::pictures::{file, pasted, photo, plain};

    const SIDE: u32 = 48;
    const MIDDLE: [u32; 4] = [16, 16, 16, 16];

    /// A photo whose middle was edited, on a background that the editor made brighter.
    fn material() -> Material {
        let source = photo(SIDE, SIDE, 1);
        let brighter = tone::brightened(&source, 1.2);
        let edit = pasted(&brighter, &plain(SIDE, SIDE, [200, 40, 90]), MIDDLE);
        let edited: Vec<bool> = (0..SIDE * SIDE)
            .map(|i| (16..32).contains(&(i % SIDE)) && (16..32).contains(&(i / SIDE)))
            .collect();
        let donor = |salt: u32| Donor {
            key: format!("g{salt}"),
            instruction: format!("do {salt}"),
            source: file(&photo(30, 20, salt)),
            edit: Some(file(&plain(9, 9, [salt as u8; 3]))),
        };
        Material::new(file(&source), file(&edit), "Make it pink.", 3)
            .unwrap()
            .with_edited(SIDE as usize, SIDE as usize, &edited)
            .with_donors(vec![donor(7), donor(8), donor(9)])
    }

    fn pixels(variant: &Variant) -> RgbImage {
        decoded("it", &variant.picture).unwrap().0
    }

    #[test]
    fn the_neutral_step_of_every_factor_is_the_candidate_to_the_pixel() {
        let material = material();
        for factor in Factor::ALL {
            let neutral = material.variant(factor, factor.about().neutral).unwrap();
            assert_eq!(&pixels(&neutral), material.edit_pixels(), "{factor}");
            assert_eq!(neutral.instruction, "Make it pink.");
            assert_eq!(neutral.words, "as it is");
        }
    }

    #[test]
    fn every_other_step_changes_the_picture_or_the_instruction_and_not_both() {
        let material = material();
        for factor in Factor::ALL {
            let steps = factor.about().steps;
            let made: Vec<_> = material.variants(factor, steps).collect();
            assert_eq!(made.len(), steps.len());
            assert_eq!(steps[made[0].0], factor.about().neutral);
            for (place, variant) in made.into_iter().skip(1) {
                let variant = variant.unwrap();
                assert_eq!(variant.step, steps[place]);
                let words = variant.instruction != "Make it pink.";
                // In so small a picture the narrowest blurs are less than a pixel's.
                let blur = matches!(factor, Factor::Blur | Factor::BackgroundBlurred);
                if blur && variant.step < 4.0 {
                    continue;
                }
                let picture = pixels(&variant)
                    != pixels(&material.variant(factor, factor.about().neutral).unwrap());
                assert_eq!(
                    (words, picture),
                    (factor.is_of_instruction(), !factor.is_of_instruction()),
                    "{factor} {}",
                    variant.step
                );
                if !matches!(factor, Factor::NoOp | Factor::OtherEdit) {
                    assert_eq!(pixels(&variant).dimensions(), (SIDE, SIDE));
                }
            }
        }
    }

    #[test]
    fn a_restored_background_is_the_sources_away_from_the_edit_and_the_edit_is_as_it_was() {
        let material = material();
        let restored = pixels(&material.variant(Factor::BackgroundRestored, 1.0).unwrap());
        let at = |picture: &RgbImage, x, y| picture.get_pixel(x, y).0;
        for (x, y) in [(0, 0), (5, 24), (40, 40)] {
            assert_eq!(at(&restored, x, y), at(material.source_pixels(), x, y));
            assert_ne!(at(&restored, x, y), at(material.edit_pixels(), x, y));
        }
        for (x, y) in [(16, 16), (24, 24), (31, 31)] {
            assert_eq!(at(&restored, x, y), at(material.edit_pixels(), x, y));
        }
        for factor in [
            Factor::BackgroundTinted,
            Factor::BackgroundBlurred,
            Factor::BackgroundReplaced,
        ] {
            let most = *factor.about().steps.last().unwrap();
            let changed = pixels(&material.variant(factor, most).unwrap());
            assert_eq!(at(&changed, 24, 24), [200, 40, 90], "{factor}");
            assert_ne!(
                at(&changed, 3, 3),
                at(material.edit_pixels(), 3, 3),
                "{factor}"
            );
        }
    }

    #[test]
    fn the_strength_of_an_edit_goes_from_the_source_through_the_edit_and_beyond() {
        let material = material();
        let at = |step| pixels(&material.variant(Factor::Strength, step).unwrap());
        assert_eq!(&at(0.0), material.source_pixels());
        let (half, beyond) = (at(0.5), at(1.5));
        for (x, y) in [(2, 2), (20, 20)] {
            let get = |picture: &RgbImage| f64::from(picture.get_pixel(x, y).0[0]);
            let (s, e) = (get(material.source_pixels()), get(material.edit_pixels()));
            assert!((get(&half) - f64::midpoint(s, e)).abs() <= 0.5);
            assert!((get(&beyond) - (s + 1.5 * (e - s)).clamp(0.0, 255.0)).abs() <= 0.5);
        }
    }

    #[test]
    fn the_dose_of_a_saturation_step_is_the_pictures_mean_saturation() {
        let grey = plain(8, 8, [100, 100, 100]);
        let half = plain(8, 8, [200, 100, 150]);
        let material = Material::new(file(&grey), file(&half), "x", 0).unwrap();
        let dose = |step| material.variant(Factor::Saturation, step).unwrap().dose;
        assert!((dose(1.0) - 0.5).abs() < 1e-9 && (dose(1.5) - 0.75).abs() < 1e-9);
        assert_eq!(material.variant(Factor::Blur, 2.0).unwrap().dose, 2.0);
    }

    #[test]
    fn what_is_not_known_or_not_there_is_said() {
        let source = photo(8, 8, 1);
        let bare = Material::new(file(&source), file(&source), "x", 0).unwrap();
        let why =
            |material: &Material, factor| material.variant(factor, 1.0).unwrap_err().to_string();
        assert!(why(&bare, Factor::BackgroundTinted).contains("not known"));
        assert!(why(&bare, Factor::OtherEdit).contains("there are 0"));
        let everywhere = bare.with_edited(2, 2, &[true; 4]);
        assert!(why(&everywhere, Factor::BackgroundTinted).contains("whole frame"));
        let broken = Picture {
            bytes: b"nothing".to_vec().into(),
            hash: "h".into(),
        };
        let error = Material::new(file(&source), broken, "x", 0).unwrap_err();
        assert!(
            error.to_string().starts_with("the edit cannot be used"),
            "{error}"
        );
    }

    #[test]
    fn sources_of_other_sizes_and_single_pixels_are_probed_too() {
        let (one, large) = (plain(1, 1, [9, 90, 200]), photo(37, 11, 2));
        for (source, edit) in [(&one, &large), (&large, &one), (&one, &one)] {
            let material = Material::new(file(source), file(edit), "x", 0)
                .unwrap()
                .with_edited(1, 1, &[false])
                .with_donors(vec![Donor {
                    key: "g".into(),
                    instruction: "y".into(),
                    source: file(&large),
                    edit: Some(file(&one)),
                }]);
            for factor in Factor::ALL {
                for step in factor
                    .about()
                    .steps
                    .iter()
                    .filter(|s| !factor.needs_donors() || **s <= 1.0)
                {
                    material.variant(factor, *step).unwrap();
                }
            }
        }
    }

    #[test]
    fn an_instruction_is_negated_and_back() {
        for (text, opposite) in [
            ("Make it blue.", "Do not make it blue."),
            ("do not touch the dog", "Touch the dog"),
            ("Don't move", "Move"),
            ("HDR look", "Do not HDR look"),
            ("  ", "Do not"),
            ("É", "Do not É"),
        ] {
            assert_eq!(negated(text), opposite);
        }
    }
}
