//! Edits of color and light that leave every pixel where it is.

use serde::Deserialize;

use super::{Edit, Nature, Stage};
use crate::synth::raster::color::{Ink, Lab, Rgb};
use crate::synth::raster::grid::{Sample, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::picture::{Picture, mix};
use crate::synth::raster::select::Selection;

/// Exposure and color grading.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Grade {
    pub(crate) select: Selection,
    /// Exposure in stops; highlights roll off.
    pub(crate) stops: f32,
    /// 1 keeps it; around middle lightness.
    pub(crate) contrast: f32,
    /// 1 keeps it.
    pub(crate) saturation: f32,
    /// −1 (blue light) ..= 1 (candle light).
    pub(crate) warmth: f32,
    /// −1 (green) ..= 1 (magenta).
    pub(crate) tint: f32,
    /// Lifts the blacks like faded film, 0..=1.
    pub(crate) fade: f32,
    /// Darkens the corners, 0..=1.
    pub(crate) vignette: f32,
    /// A filter in front of the lens.
    pub(crate) filter: Option<Ink>,
}

impl Default for Grade {
    fn default() -> Self {
        Self {
            select: Selection::default(),
            stops: 0.0,
            contrast: 1.0,
            saturation: 1.0,
            warmth: 0.0,
            tint: 0.0,
            fade: 0.0,
            vignette: 0.0,
            filter: None,
        }
    }
}

impl Grade {
    /// The graded picture, everywhere.
    pub(crate) fn over(&self, picture: &Picture) -> Picture {
        let (w, h) = picture.size();
        let white = 2.0_f32.powf(self.stops.abs());
        let gains: Rgb = [
            1.0 + 0.30 * self.warmth + 0.12 * self.tint,
            1.0 + 0.02 * self.warmth - 0.12 * self.tint,
            1.0 - 0.42 * self.warmth + 0.12 * self.tint,
        ];
        let filter = self.filter.map_or([1.0; 3], |ink| ink.0);
        picture.map_at(|x, y, rgb| {
            let mut rgb = [0, 1, 2].map(|i| {
                let lit = rgb[i] * filter[i] * gains[i].max(0.05);
                if self.stops > 0.0 {
                    shouldered(lit * white)
                } else {
                    lit / white
                }
            });
            if self.vignette > 0.0 {
                let (dx, dy) = ((x as f32 + 0.5) / w - 0.5, (y as f32 + 0.5) / h - 0.5);
                let corner = smoothstep(0.25, 0.78, (dx * dx + dy * dy).sqrt());
                rgb = rgb.times(1.0 - 0.9 * self.vignette * corner);
            }
            let mut lab = Lab::of(rgb).with_chroma_times(self.saturation);
            lab.l = 0.52 + (lab.l - 0.52) * self.contrast;
            lab.l += (1.0 - lab.l.clamp(0.0, 1.0)) * 0.28 * self.fade;
            lab.rgb()
        })
    }
}

/// Light as film takes it: straight up to the middle, then ever less towards white.
fn shouldered(light: f32) -> f32 {
    if light < 0.5 {
        light
    } else {
        0.5 + 0.5 * (1.0 - libm::expf(-(light - 0.5) / 0.5))
    }
}

impl Edit for Grade {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        stage.picture = stage.picture.mixed(&self.over(&stage.picture), &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Shift
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        self.select.is_local()
    }
}

/// Lightness mapped onto the way from one color to another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Duotone {
    pub(crate) select: Selection,
    /// The color of black.
    pub(crate) dark: Ink,
    /// The color of white.
    pub(crate) light: Ink,
    /// 1 keeps the contrast.
    pub(crate) contrast: f32,
}

impl Default for Duotone {
    fn default() -> Self {
        Self {
            select: Selection::default(),
            dark: Ink::hex(0x00_0000),
            light: Ink::hex(0xff_ffff),
            contrast: 1.05,
        }
    }
}

impl Edit for Duotone {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let (dark, light) = (self.dark.lab(), self.light.lab());
        let toned = stage.picture.map_lab(|lab| {
            let t = 0.5 + (lab.l - 0.5) * self.contrast;
            dark.toward(light, t.clamp(0.0, 1.0))
        });
        stage.picture = stage.picture.mixed(&toned, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Filter
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        self.select.is_local()
    }
}

/// A selection takes on a color and keeps its shading, highlights and texture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Recolor {
    #[serde(default)]
    pub(crate) select: Selection,
    /// The color it should have on average.
    pub(crate) to: Ink,
    /// How far the lightness follows the new color's, 0..=1.
    #[serde(default = "half")]
    pub(crate) lightness: f32,
    /// How much of the selection's own contrast in lightness stays.
    #[serde(default = "one")]
    pub(crate) shading: f32,
    /// How far the chroma follows the old one's ups and downs (1: vivid parts stay more vivid), 0..=1.
    #[serde(default = "half")]
    pub(crate) texture: f32,
}

const fn half() -> f32 {
    0.5
}

const fn one() -> f32 {
    1.0
}

impl Recolor {
    /// The picture as if all of it were what the mask covers.
    pub(crate) fn over(&self, picture: &Picture, mask: &Mask) -> Picture {
        let (mut light, mut chroma, mut weight) = (0.0, 0.0, 1e-6_f32);
        for (rgb, covered) in picture.cells.iter().zip(&mask.cells) {
            let lab = Lab::of(*rgb);
            light += lab.l * covered;
            chroma += lab.chroma() * covered;
            weight += covered;
        }
        let (light, chroma) = (light / weight, chroma / weight);
        let to = self.to.lab();
        let middle = light + (to.l - light) * self.lightness;
        picture.map_lab(|lab| {
            let own = if chroma > 0.02 {
                (lab.chroma() / chroma).clamp(0.1, 1.6)
            } else {
                1.0
            };
            let vivid = to.chroma() * (1.0 + (own - 1.0) * self.texture);
            // Highlights stay white and deep shadows black.
            let l = middle + (lab.l - light) * self.shading;
            let room = smoothstep(1.02, 0.86, l) * smoothstep(0.02, 0.25, l);
            Lab::from_polar(l, vivid * room, to.hue())
        })
    }
}

impl Edit for Recolor {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let over = self.over(&stage.picture, &mask);
        stage.picture = stage.picture.mixed(&over, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Shift
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        self.select.is_local()
    }
}

/// Colors turn on the color wheel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Hue {
    #[serde(default)]
    pub(crate) select: Selection,
    /// In OKLab hue; 180 gives the opposite color.
    pub(crate) degrees: f32,
    /// Chroma is multiplied by this.
    #[serde(default = "one")]
    pub(crate) saturation: f32,
    /// Added to the lightness.
    #[serde(default)]
    pub(crate) lighter: f32,
}

impl Edit for Hue {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let turned = stage.picture.map_lab(|lab| {
            Lab::from_polar(
                lab.l + self.lighter,
                lab.chroma() * self.saturation,
                lab.hue() + self.degrees,
            )
        });
        stage.picture = stage.picture.mixed(&turned, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Shift
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        self.select.is_local()
    }
}

/// A photographic negative.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Invert {
    pub(crate) select: Selection,
}

impl Edit for Invert {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let negative = stage.picture.map_lab(|lab| Lab {
            l: 1.0 - lab.l,
            a: -lab.a,
            b: -lab.b,
        });
        stage.picture = stage.picture.mixed(&negative, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Filter
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// Bright places bleed light into their surroundings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Glow {
    /// How far, in pixels of a 512-pixel picture.
    pub(crate) radius: f32,
    /// How much, 0..=1.
    pub(crate) amount: f32,
    /// The color of the light.
    pub(crate) color: Ink,
    /// Only places at least this light glow.
    pub(crate) above: f32,
}

impl Default for Glow {
    fn default() -> Self {
        Self {
            radius: 14.0,
            amount: 0.5,
            color: Ink::hex(0xff_f2dc),
            above: 0.6,
        }
    }
}

impl Edit for Glow {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let bright = stage.picture.map(|rgb| {
            let l = Lab::of(rgb).l;
            mix([0.0; 3], rgb, smoothstep(self.above, self.above + 0.25, l))
        });
        let light = bright.blurred(stage.pixels(self.radius));
        stage.picture = stage.picture.zip(&light, |rgb, light| {
            [0, 1, 2].map(|i| {
                let shine = (light[i] * self.color.0[i] * self.amount).min(1.0);
                1.0 - (1.0 - rgb[i].min(1.0)) * (1.0 - shine)
            })
        });
    }
    fn nature(&self) -> Nature {
        Nature::Shift
    }
}
