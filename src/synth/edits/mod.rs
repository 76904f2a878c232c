//! The edit operations that a recipe can name, each a plain data struct that knows how to work on a stage.
//!
//! They are chosen for looking right, not for generality: every one is a small, readable piece of picture craft. Nothing here
//! reads files or decides which edit a photo gets.

mod drawn;
mod layers;
mod shape;
mod style;
mod tone;
mod weather;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::raster::grid::Grid;
use super::raster::mask::Mask;
use super::raster::noise::Chance;
use super::raster::picture::Picture;
use super::raster::select::Selection;

/// What an edit works on, and what it leaves for the next.
pub(crate) struct Stage<'a> {
    /// The picture so far.
    pub(crate) picture: Picture,
    /// The photo's subject, where it has a usable mask.
    pub(crate) subject: Option<Mask>,
    /// Everywhere that an edit was meant to work so far.
    pub(crate) touched: Mask,
    /// Work on the complement of every selection: the fault "wrong region".
    pub(crate) swapped: bool,
    /// Photos that can stand behind a subject, by file name.
    pub(crate) scenes: &'a BTreeMap<String, Picture>,
    /// Where snowflakes fall and which patches fill a hole.
    pub(crate) chance: Chance,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        picture: Picture,
        subject: Option<Mask>,
        scenes: &'a BTreeMap<String, Picture>,
        chance: Chance,
    ) -> Self {
        let touched = Grid::filled(picture.width, picture.height, 0.0);
        Self {
            picture,
            subject,
            touched,
            swapped: false,
            scenes,
            chance,
        }
    }

    /// The mask of a selection here and now, taken as where the edit works.
    pub(crate) fn select(&mut self, selection: &Selection) -> Mask {
        let mask = self.found(selection);
        let mask = if self.swapped { mask.inverted() } else { mask };
        self.touched = self.touched.union(&mask);
        mask
    }

    /// The mask of a selection behind which everything will be replaced.
    pub(crate) fn select_behind(&mut self, selection: &Selection) -> Mask {
        let mask = self.found(selection);
        let mask = if self.swapped { mask.inverted() } else { mask };
        self.touched = self.touched.union(&mask.inverted());
        mask
    }

    /// The mask of a selection that the edit only looks at.
    pub(crate) fn found(&self, selection: &Selection) -> Mask {
        selection.mask(&self.picture, self.subject.as_ref())
    }

    /// Says that an edit worked on the whole picture.
    pub(crate) fn touch_all(&mut self) {
        self.touched = Grid::filled(self.picture.width, self.picture.height, 1.0);
    }

    /// A number of pixels in a picture whose longer side is 512, in this picture's pixels.
    pub(crate) fn pixels(&self, of_512: f32) -> f32 {
        of_512 * self.picture.width.max(self.picture.height) as f32 / 512.0
    }
}

/// How an edit's effect relates to the source, which decides the faults it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nature {
    /// Colors shift in place: it can be done by halves, or too much.
    Shift,
    /// Colors or sharpness change in place in a way that twice as much of makes no sense: it can be done by halves.
    Filter,
    /// Things come, go or are redrawn in place: it can be done faintly or on one side only.
    Content,
    /// Pixels move: it can be done on one side only.
    Shape,
}

/// One operation.
pub(crate) trait Edit {
    /// Does it.
    fn perform(&self, stage: &mut Stage);
    /// How its effect relates to the source.
    fn nature(&self) -> Nature;
    /// Where it works, if it can be told to.
    fn selection(&self) -> Option<&Selection> {
        None
    }
    /// Whether doing it to everything but its selection makes a picture that a careless editor might have made.
    fn can_swap(&self) -> bool {
        false
    }
    /// Another photo that it needs, by file name.
    fn scene(&self) -> Option<&str> {
        None
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:literal $variant:ident $module:ident),+ $(,)?) => {
        /// One operation with its settings, as a recipe writes it: `{ op = "blur", radius = 6, select = { part = "background" } }`.
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(tag = "op")]
        pub(crate) enum Step {
            $($(#[$doc])* #[serde(rename = $name)] $variant($module::$variant)),+
        }

        impl Step {
            /// The names that `op` can have.
            pub(crate) const NAMES: &[&str] = &[$($name),+];

            pub(crate) fn edit(&self) -> &dyn Edit {
                match self {
                    $(Self::$variant(edit) => edit),+
                }
            }
        }
    };
}

steps! {
    /// Exposure, contrast, saturation, warmth and more.
    "grade" Grade tone,
    /// Lightness mapped onto the way between two colors: black and white, sepia, blueprint.
    "duotone" Duotone tone,
    /// A selection takes on a color, keeping its shading.
    "recolor" Recolor tone,
    /// Colors turn on the color wheel.
    "hue" Hue tone,
    /// A negative.
    "invert" Invert tone,
    /// A soft glow around bright places.
    "glow" Glow tone,
    /// Out of focus.
    "blur" Blur style,
    /// Sharp in a band only, like a photo of a scale model.
    "tilt-shift" TiltShift style,
    /// Big square pixels.
    "pixelate" Pixelate style,
    /// A few flat shades.
    "posterize" Posterize style,
    /// A drawing in pencil.
    "sketch" Sketch style,
    /// A painting with broad strokes.
    "paint" Paint style,
    /// Dots of ink, like an old newspaper.
    "halftone" Halftone style,
    /// Left and right exchanged.
    "mirror" Mirror shape,
    /// Upside down.
    "flip" Flip shape,
    /// A part made to fill the picture.
    "zoom" Zoom shape,
    /// A border inside the edge.
    "frame" Frame shape,
    /// Falling snow.
    "snow" Snow weather,
    /// Rain.
    "rain" Rain weather,
    /// Fog, thicker far away.
    "fog" Fog weather,
    /// Another sky.
    "sky" Sky layers,
    /// A plain studio background.
    "backdrop" Backdrop layers,
    /// Another photo as the background.
    "scene" SceneBehind layers,
    /// The selection vanishes and its surroundings close over it.
    "remove" Remove layers,
    /// The selection again, elsewhere, larger, smaller or mirrored; or moved there.
    "copy" Copied layers,
    /// A line around the selection, like a sticker's.
    "outline" Outline layers,
    /// The moon.
    "moon" Moon drawn,
    /// Stars.
    "stars" Stars drawn,
    /// A rainbow.
    "rainbow" Rainbow drawn,
    /// A hot-air balloon.
    "balloon" Balloon drawn,
}

/// Performs the steps in order.
pub(crate) fn perform(steps: &[Step], stage: &mut Stage) {
    for step in steps {
        step.edit().perform(stage);
    }
}

/// The most drastic nature among the steps.
pub(crate) fn nature(steps: &[Step]) -> Nature {
    steps
        .iter()
        .map(|step| step.edit().nature())
        .max()
        .unwrap_or(Nature::Shift)
}

#[cfg(test)]
mod tests;
