//! Edits that move pixels, and the border around them.

use serde::Deserialize;

use super::{Edit, Nature, Stage};
use crate::synth::raster::color::Ink;
use crate::synth::raster::grid::Grid;
use crate::synth::raster::picture::mix;

/// Left and right exchanged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Mirror {}

impl Edit for Mirror {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        stage.picture = stage.picture.mirrored();
        stage.subject = stage.subject.as_ref().map(Grid::mirrored);
    }
    fn nature(&self) -> Nature {
        Nature::Shape
    }
}

/// Upside down.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Flip {}

impl Edit for Flip {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        stage.picture = stage.picture.flipped();
        stage.subject = stage.subject.as_ref().map(Grid::flipped);
    }
    fn nature(&self) -> Nature {
        Nature::Shape
    }
}

/// A part made to fill the picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zoom {
    /// The middle of the part, as fractions.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// How many times larger.
    pub(crate) factor: f32,
}

impl Edit for Zoom {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let side = 1.0 / self.factor;
        let from = |middle: f32| (middle - side / 2.0).clamp(0.0, 1.0 - side);
        stage.picture = stage.picture.zoomed(from(self.x), from(self.y), side, side);
        stage.subject = None;
    }
    fn nature(&self) -> Nature {
        Nature::Shape
    }
}

/// A border inside the edge, with a thin line at its inner side.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Frame {
    pub(crate) color: Ink,
    /// In pixels of a 512-pixel picture.
    pub(crate) width: f32,
    /// The border at the bottom, if it differs (an instant photo's is thicker).
    #[serde(default)]
    pub(crate) bottom: Option<f32>,
    /// The thin line, if any.
    #[serde(default)]
    pub(crate) line: Option<Ink>,
}

impl Edit for Frame {
    fn perform(&self, stage: &mut Stage) {
        let (w, h) = stage.picture.size();
        let side = stage.pixels(self.width);
        let bottom = stage.pixels(self.bottom.unwrap_or(self.width));
        let line = stage.pixels(2.5);
        let depth = |x: usize, y: usize| {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            (x - side)
                .min(w - side - x)
                .min(y - side)
                .min(h - bottom - y)
        };
        stage.touched = stage
            .touched
            .map_at(|x, y, v| v.max(f32::from(depth(x, y) < line)));
        stage.picture = stage.picture.map_at(|x, y, rgb| {
            let depth = depth(x, y);
            let inside = match self.line {
                Some(ink) => mix(ink.0, rgb, (depth - line + 0.5).clamp(0.0, 1.0)),
                None => rgb,
            };
            mix(self.color.0, inside, (depth + 0.5).clamp(0.0, 1.0))
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}
