//! Edits that redraw a picture in another manner: blurs, drawings, prints.

use serde::Deserialize;

use super::{Edit, Nature, Stage};
use crate::synth::raster::color::{Ink, Lab};
use crate::synth::raster::grid::{Sample, cell, count, lerp, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::noise::normal;
use crate::synth::raster::picture::{Picture, mix};
use crate::synth::raster::select::Selection;

/// A blur of what the mask covers that takes nothing from outside it, so that no color bleeds over the edge.
pub(crate) fn blurred_within(picture: &Picture, mask: &Mask, sigma: f32) -> Picture {
    let weighted = picture.zip(mask, Sample::times).blurred(sigma);
    let weights = mask.blurred(sigma);
    weighted.zip(&weights, |sum, weight| sum.times(1.0 / weight.max(1e-3)))
}

/// Out of focus.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Blur {
    #[serde(default)]
    pub(crate) select: Selection,
    /// In pixels of a 512-pixel picture.
    pub(crate) radius: f32,
}

impl Edit for Blur {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        // The sharp subject's own fringe must not feed the blur.
        let clean = mask.grown(stage.pixels(-2.5));
        let soft = blurred_within(&stage.picture, &clean, stage.pixels(self.radius));
        stage.picture = stage.picture.mixed(&soft, &mask);
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

/// Sharp in a horizontal band only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TiltShift {
    /// The middle of the sharp band, as a fraction of the height.
    pub(crate) middle: f32,
    /// Half its height.
    pub(crate) band: f32,
    /// The blur far away from it, in pixels of a 512-pixel picture.
    pub(crate) radius: f32,
    /// Models are painted in strong colors.
    pub(crate) saturation: f32,
}

impl Edit for TiltShift {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let picture = stage
            .picture
            .map_lab(|lab| lab.with_chroma_times(self.saturation));
        let near = picture.blurred(stage.pixels(self.radius * 0.45));
        let far = picture.blurred(stage.pixels(self.radius));
        let (_, h) = picture.size();
        stage.picture = picture.map_at(|x, y, rgb| {
            let off = ((y as f32 + 0.5) / h - self.middle).abs() - self.band;
            let first = mix(rgb, near.get(x, y), smoothstep(0.0, 0.10, off));
            mix(first, far.get(x, y), smoothstep(0.08, 0.28, off))
        });
    }
    fn nature(&self) -> Nature {
        Nature::Filter
    }
}

/// Big square pixels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Pixelate {
    #[serde(default)]
    pub(crate) select: Selection,
    /// The side of a square, in pixels of a 512-pixel picture.
    pub(crate) size: f32,
}

impl Edit for Pixelate {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let side = stage.pixels(self.size).max(2.0);
        let square = |v: usize| (v as f32 / side).floor() * side + side / 2.0;
        let means = stage.picture.blurred(side / 3.0);
        let covered = mask.blurred(side / 3.0);
        let blocks = means.map_at(|x, y, _| means.at(square(x), square(y)));
        let edge = covered.map_at(|x, y, _| f32::from(covered.at(square(x), square(y)) > 0.5));
        stage.picture = stage.picture.mixed(&blocks, &edge);
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        self.select.is_local()
    }
}

/// A few flat shades with strong colors, like a screen print.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Posterize {
    /// Shades from black to white.
    pub(crate) levels: f32,
    /// Chroma is multiplied by this.
    pub(crate) saturation: f32,
}

impl Edit for Posterize {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let calm = brushed(&stage.picture, stage.pixels(3.0));
        let stepped = |v: f32, size: f32| {
            let (whole, part) = ((v / size).floor(), (v / size).rem_euclid(1.0));
            (whole + smoothstep(0.42, 0.58, part)) * size
        };
        stage.picture = calm.map_lab(|lab| {
            let l = stepped(lab.l, 1.0 / (self.levels - 1.0));
            let chroma = stepped(lab.chroma() * self.saturation, 0.055);
            let hue = stepped(lab.hue(), 20.0);
            Lab::from_polar(l, chroma, hue)
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// A drawing in pencil on paper.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sketch {
    /// Thicker strokes with more, in pixels of a 512-pixel picture.
    pub(crate) stroke: f32,
    /// How much of the photo's color washes over the drawing, 0..=1.
    pub(crate) color: f32,
    /// The paper.
    pub(crate) paper: Ink,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            stroke: 5.0,
            color: 0.0,
            paper: Ink::hex(0xfa_f8f2),
        }
    }
}

impl Edit for Sketch {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let light = stage.picture.lightness().blurred(stage.pixels(0.7));
        let negative = light.inverted().blurred(stage.pixels(self.stroke));
        let lines = light.zip(&negative, |l, n| (l / (1.0 - n).max(0.02)).min(1.0));
        let paper = self.paper.lab();
        let drawing = lines.zip(&light, |line, l| {
            let shade = 0.80 + 0.20 * smoothstep(0.08, 0.5, l);
            let stroke = libm::powf(line, 3.2);
            (0.16 + 0.84 * stroke) * shade
        });
        let chance = &mut stage.chance;
        stage.picture = stage.picture.zip(&drawing, |rgb, tone| {
            let grain = 0.03 * normal(chance) * (1.25 - tone);
            let own = Lab::of(rgb);
            Lab {
                l: (paper.l * tone + grain).clamp(0.0, 1.0),
                a: lerp(paper.a, own.a * 1.2, self.color),
                b: lerp(paper.b, own.b * 1.2, self.color),
            }
            .rgb()
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// Every pixel takes the colors of the calmest of eight sectors around it (generalised Kuwahara, Papari et al. 2007): flat
/// strokes with crisp borders.
pub(crate) fn brushed(picture: &Picture, radius: f32) -> Picture {
    const SECTORS: usize = 8;
    let reach = count(radius.ceil()).max(1).cast_signed();
    let mut offsets = Vec::new();
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (x, y) = (dx as f32, dy as f32);
            let away = (x * x + y * y).sqrt();
            if away > radius + 0.3 {
                continue;
            }
            let weight = libm::expf(-1.2 * (away / radius) * (away / radius));
            let turn = libm::atan2f(y, x) / std::f32::consts::TAU * SECTORS as f32;
            let sector = (away > 0.5).then(|| cell(turn.rem_euclid(SECTORS as f32), SECTORS));
            offsets.push((dx, dy, weight, sector));
        }
    }
    let labs = picture.map(Lab::of);
    picture.map_at(|x, y, _| {
        // Per sector: weight, L, a, b, L².
        let mut sums = [[0.0_f32; 5]; SECTORS];
        for &(dx, dy, weight, sector) in &offsets {
            let lab = labs.near(x, y, dx, dy);
            let adds = [1.0, lab.l, lab.a, lab.b, lab.l * lab.l];
            // The middle belongs to all.
            let (from, to) = sector.map_or((0, SECTORS), |s| (s, s + 1));
            for sum in &mut sums[from..to] {
                for (s, add) in sum.iter_mut().zip(adds) {
                    *s += weight * add;
                }
            }
        }
        let (mut mixed, mut total) = ([0.0_f32; 3], 0.0);
        for [weight, l, a, b, ll] in sums {
            let mean = [l / weight, a / weight, b / weight];
            let unrest = (ll / weight - mean[0] * mean[0]).max(0.0);
            // A hard choice of the calmest would flicker in smooth places.
            let vote = 1.0 / (unrest + 3e-5).powi(3);
            mixed = mixed.plus(mean, vote);
            total += vote;
        }
        let [l, a, b] = mixed.times(1.0 / total);
        Lab { l, a, b }.rgb()
    })
}

/// A painting with broad strokes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Paint {
    /// The width of a stroke, in pixels of a 512-pixel picture.
    pub(crate) stroke: f32,
    /// Chroma is multiplied by this.
    pub(crate) saturation: f32,
}

impl Edit for Paint {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let stroke = stage.pixels(self.stroke);
        let broad = brushed(&brushed(&stage.picture, stroke), stroke * 0.7);
        stage.picture = broad.map_lab(|lab| {
            let mut lab = lab.with_chroma_times(self.saturation);
            lab.l = 0.5 + (lab.l - 0.5) * 1.06;
            lab
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// Dots of ink on paper.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Halftone {
    /// The distance of the dots, in pixels of a 512-pixel picture.
    pub(crate) pitch: f32,
    pub(crate) ink: Ink,
    pub(crate) paper: Ink,
}

impl Edit for Halftone {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let pitch = stage.pixels(self.pitch);
        let light = stage.picture.lightness().blurred(pitch * 0.3);
        let turn = std::f32::consts::TAU / pitch;
        let (cos, sin) = (libm::cosf(0.785), libm::sinf(0.785));
        stage.picture = light.map_at(|x, y, l| {
            let (x, y) = (x as f32, y as f32);
            let (u, v) = ((x * cos - y * sin) * turn, (x * sin + y * cos) * turn);
            let screen = 0.5 + 0.25 * (libm::cosf(u) + libm::cosf(v));
            let contrasted = (0.5 + (l - 0.55) * 1.35).clamp(0.02, 0.98);
            mix(
                self.ink.0,
                self.paper.0,
                smoothstep(-0.09, 0.09, contrasted - screen),
            )
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}
