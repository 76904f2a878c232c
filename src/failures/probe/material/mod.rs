//! What a probe works on, and the variants it makes of it: pictures and instructions in which one factor is changed and nothing
//! else. Pictures are written without loss, so that no other change comes in by the way; the neutral step is the candidate's own
//! file, so that its score is the one that the candidate has anyway.

use std::sync::OnceLock;

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
    /// Holds `None` where the edit is everywhere. Found when it is first asked for, as it takes longer than a variant that needs
    /// none, and the candidate as it is comes first.
    background: OnceLock<Option<Background>>,
    /// Whether it may be asked for.
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
            background: OnceLock::new(),
            mapped: false,
            donors: Vec::new(),
            seed,
        })
    }

    /// Says where the edit is: a map of `width` · `height` pixels over the edit's frame, row by row.
    #[must_use]
    pub fn with_edited(mut self, width: usize, height: usize, edited: &[bool]) -> Self {
        let background = Background::new(self.pixels.dimensions(), (width, height), edited);
        self.background = OnceLock::from(background);
        self.mapped = edited.len() == width * height;
        self
    }

    /// Has it find out where the edit is, once a variant needs to know.
    #[must_use]
    pub fn mapped(mut self) -> Self {
        self.background = OnceLock::new();
        self.mapped = true;
        self
    }

    /// Says where the edit is.
    #[must_use]
    pub fn with_map(self, map: &EditMap) -> Self {
        self.with_edited(map.width(), map.height(), map.edited())
    }

    /// Gives it other groups to take from.
    #[must_use]
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
        if !self.mapped {
            return Err(ProbeError::NoMap(factor.name()));
        }
        let find = || {
            let (source, edit) = raster(&self.original).zip(raster(&self.pixels))?;
            let map = EditMap::between(source, edit);
            let size = (map.width(), map.height());
            Background::new(self.pixels.dimensions(), size, map.edited())
        };
        let background = self.background.get_or_init(find);
        background.as_ref().ok_or(ProbeError::NoBackground)
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
mod tests;
