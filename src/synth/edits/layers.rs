//! Edits that take a picture apart into subject and background and put it together again.

use serde::Deserialize;

use super::{Edit, Nature, Stage};
use crate::synth::raster::color::{Ink, Lab};
use crate::synth::raster::fill::filled;
use crate::synth::raster::grid::{Grid, lerp, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::picture::{Picture, mix};
use crate::synth::raster::select::{Part, Selection};

/// The subject's own colors, carried outwards past its edge: what a cut-out needs to have no fringe.
fn unmixed(picture: &Picture, mask: &Mask) -> Picture {
    let core = mask.grown(-2.0).map(|v| f32::from(v > 0.95));
    if core.share() <= 0.0 {
        return picture.clone();
    }
    picture.spread(&core)
}

/// `mask` drawn in a little, so that no rim of the old background comes along.
fn tightened(mask: &Mask) -> Mask {
    mask.grown(-0.8).blurred(0.6)
}

/// A cut-out laid over another picture.
fn laid_over(below: &Picture, cut: &Picture, mask: &Mask) -> Picture {
    let tight = tightened(mask);
    below.mixed(&unmixed(cut, mask), &tight)
}

const fn subject() -> Selection {
    Selection {
        part: Part::Subject,
        hue: None,
        chroma: None,
        light: None,
        area: None,
        ellipse: None,
        except: None,
        gaps: false,
        largest: false,
        grow: 0.0,
        feather: 0.0,
    }
}

/// Another sky: a gradient that keeps the old clouds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sky {
    #[serde(default = "the_sky")]
    pub(crate) select: Selection,
    /// Its color at the top.
    pub(crate) top: Ink,
    /// Half-way down, if not the mean.
    #[serde(default)]
    pub(crate) middle: Option<Ink>,
    /// At its lower end.
    pub(crate) bottom: Ink,
    /// How much of the old sky's ups and downs in lightness stays, 0..=1.
    pub(crate) clouds: f32,
}

const fn the_sky() -> Selection {
    let mut selection = subject();
    selection.part = Part::Sky;
    selection
}

impl Edit for Sky {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let Some(extent) = mask.extent() else {
            return;
        };
        let (_, h) = stage.picture.size();
        let weights = mask.cells.iter().sum::<f32>().max(1e-6);
        let light = stage.picture.lightness();
        let mean = light
            .cells
            .iter()
            .zip(&mask.cells)
            .map(|(l, m)| l * m)
            .sum::<f32>()
            / weights;
        let (top, bottom) = (self.top.lab(), self.bottom.lab());
        let middle = self.middle.map_or(top.toward(bottom, 0.5), Ink::lab);
        let sky = light.map_at(|_, y, l| {
            let down = ((y as f32 + 0.5) / h - extent.top) / (extent.bottom - extent.top);
            let t = down.clamp(0.0, 1.0);
            let base = if t < 0.5 {
                top.toward(middle, t * 2.0)
            } else {
                middle.toward(bottom, t * 2.0 - 1.0)
            };
            let cloud = (l - mean) * self.clouds;
            let pale = 1.0 - 0.8 * cloud.max(0.0);
            Lab {
                l: base.l + cloud,
                a: base.a * pale,
                b: base.b * pale,
            }
            .rgb()
        });
        stage.picture = stage.picture.mixed(&sky, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Shift
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// A plain studio background behind the subject.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Backdrop {
    #[serde(default = "subject")]
    pub(crate) select: Selection,
    pub(crate) top: Ink,
    pub(crate) bottom: Ink,
    /// A soft pool of light behind the subject, 0..=1.
    #[serde(default)]
    pub(crate) light: f32,
    /// A soft shadow on the floor below it, 0..=1.
    #[serde(default)]
    pub(crate) shadow: f32,
}

impl Edit for Backdrop {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select_behind(&self.select);
        let Some(extent) = mask.extent() else {
            return;
        };
        let (w, h) = stage.picture.size();
        let (cx, cy) = extent.middle();
        let wide = (extent.right - extent.left) * 0.5;
        let wall = stage.picture.map_at(|x, y, _| {
            let (x, y) = ((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
            let lab = self
                .top
                .lab()
                .toward(self.bottom.lab(), smoothstep(0.0, 1.0, y));
            let (dx, dy) = ((x - cx) * w / h, y - cy);
            let pool = smoothstep(0.75, 0.0, (dx * dx + dy * dy).sqrt()) * self.light;
            let (sx, sy) = ((x - cx) / wide.max(0.05), (y - extent.bottom) / 0.07);
            let below = smoothstep(1.15, 0.1, (sx * sx + sy * sy).sqrt()) * self.shadow;
            Lab {
                l: (lab.l + 0.14 * pool) * (1.0 - 0.55 * below),
                ..lab
            }
            .rgb()
        });
        stage.picture = laid_over(&wall, &stage.picture, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        true
    }
}

/// Another photo as the background, out of focus as behind a near subject.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SceneBehind {
    #[serde(default = "subject")]
    pub(crate) select: Selection,
    /// The photo's file name.
    pub(crate) photo: String,
    /// In pixels of a 512-pixel picture.
    pub(crate) blur: f32,
    /// The part of it to show: left, top, right, bottom as fractions.
    #[serde(rename = "box", default = "everything")]
    pub(crate) area: [f32; 4],
}

const fn everything() -> [f32; 4] {
    [0.0, 0.0, 1.0, 1.0]
}

impl Edit for SceneBehind {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select_behind(&self.select);
        let Some(scene) = stage.scenes.get(&self.photo) else {
            return;
        };
        let (w, h) = stage.picture.size();
        let (sw, sh) = scene.size();
        let [left, top, right, bottom] = self.area;
        // Cover the frame without distortion, from the middle of the asked part.
        let (aw, ah) = ((right - left) * sw, (bottom - top) * sh);
        let scale = (aw / w).min(ah / h);
        let (cx, cy) = (
            f32::midpoint(left, right) * sw,
            f32::midpoint(top, bottom) * sh,
        );
        let behind = stage.picture.map_at(|x, y, _| {
            scene.at(
                cx + (x as f32 + 0.5 - w / 2.0) * scale,
                cy + (y as f32 + 0.5 - h / 2.0) * scale,
            )
        });
        let behind = behind.blurred(stage.pixels(self.blur));
        stage.picture = laid_over(&behind, &stage.picture, &mask);
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
    fn can_swap(&self) -> bool {
        true
    }
    fn scene(&self) -> Option<&str> {
        Some(&self.photo)
    }
}

/// The picture with the selection gone and its surroundings grown over it.
fn without(stage: &mut Stage, mask: &Mask, margin: f32) -> Picture {
    let hole = mask
        .map(|v| f32::from(v > 0.2))
        .grown(stage.pixels(margin))
        .blurred(1.2);
    let avoid = stage.subject.clone();
    filled(&stage.picture, &hole, avoid.as_ref(), &mut stage.chance)
}

/// The selection vanishes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Remove {
    #[serde(default = "subject")]
    pub(crate) select: Selection,
    /// How far around it to refill too, in pixels of a 512-pixel picture.
    #[serde(default = "some_pixels")]
    pub(crate) margin: f32,
}

const fn some_pixels() -> f32 {
    5.0
}

impl Edit for Remove {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        stage.touched = stage.touched.union(&mask.grown(stage.pixels(self.margin)));
        stage.picture = without(stage, &mask, self.margin);
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// The selection once more, elsewhere, or moved there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Copied {
    pub(crate) select: Selection,
    /// How far to the right and down, as fractions of width and height.
    pub(crate) dx: f32,
    pub(crate) dy: f32,
    /// Its size; the middle of its lower edge is what moves by (dx, dy).
    pub(crate) scale: f32,
    /// Left and right exchanged.
    pub(crate) mirror: bool,
    /// Leave the original where it is, in front.
    pub(crate) keep: bool,
    /// A soft shadow under the copy, 0..=1.
    pub(crate) shadow: f32,
    /// Anchor in the middle instead of the lower edge.
    pub(crate) centred: bool,
}

impl Default for Copied {
    fn default() -> Self {
        Self {
            select: subject(),
            dx: 0.0,
            dy: 0.0,
            scale: 1.0,
            mirror: false,
            keep: true,
            shadow: 0.0,
            centred: false,
        }
    }
}

impl Edit for Copied {
    fn perform(&self, stage: &mut Stage) {
        let mask = if self.keep {
            stage.found(&self.select)
        } else {
            stage.select(&self.select)
        };
        let Some(extent) = mask.extent() else {
            return;
        };
        let (w, h) = stage.picture.size();
        let (middle, centre) = extent.middle();
        let foot = if self.centred { centre } else { extent.bottom };
        let (ax, ay) = (middle * w, foot * h);
        let (tx, ty) = (ax + self.dx * w, ay + self.dy * h);
        // Shrinking without a blur first would alias.
        let soft = (0.5 / self.scale - 0.5).max(0.0);
        let cut = unmixed(&stage.picture, &mask).blurred(soft);
        let cut_mask = tightened(&mask).blurred(soft);
        let side = if self.mirror { -1.0 } else { 1.0 };
        let back = |x: usize, y: usize| {
            (
                ax + side * (x as f32 + 0.5 - tx) / self.scale,
                ay + (y as f32 + 0.5 - ty) / self.scale,
            )
        };
        let copy = cut.map_at(|x, y, _| {
            let (u, v) = back(x, y);
            cut.at(u, v)
        });
        let copy_mask = cut_mask.map_at(|x, y, _| {
            let (u, v) = back(x, y);
            let inside = (0.0..w).contains(&u) && (0.0..h).contains(&v);
            if inside { cut_mask.at(u, v) } else { 0.0 }
        });
        let below = if self.keep {
            stage.picture.clone()
        } else {
            without(stage, &mask, 8.0)
        };
        let wide = (extent.right - extent.left) * 0.5 * w * self.scale;
        let shaded = below.map_at(|x, y, rgb| {
            let sx = (x as f32 + 0.5 - tx) / wide;
            let sy = (y as f32 + 0.5 - ty) / (wide * 0.16);
            let shade = smoothstep(1.1, 0.2, (sx * sx + sy * sy).sqrt()) * self.shadow;
            mix(rgb, [0.0; 3], 0.6 * shade)
        });
        let with_copy = shaded.mixed(&copy, &copy_mask);
        stage.touched = stage.touched.union(&copy_mask.grown(2.0));
        stage.picture = if self.keep {
            with_copy.mixed(&stage.picture, &mask)
        } else {
            with_copy
        };
    }
    fn nature(&self) -> Nature {
        if self.keep {
            Nature::Content
        } else {
            Nature::Shape
        }
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// A line around the selection.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Outline {
    #[serde(default = "subject")]
    pub(crate) select: Selection,
    pub(crate) color: Ink,
    /// In pixels of a 512-pixel picture.
    pub(crate) width: f32,
}

impl Edit for Outline {
    fn perform(&self, stage: &mut Stage) {
        let mask = stage.select(&self.select);
        let wide = mask
            .blurred(stage.pixels(1.5))
            .grown(stage.pixels(self.width))
            .blurred(0.6);
        stage.touched = stage.touched.union(&wide);
        let line = wide.zip(&tightened(&mask), |outer, inner| {
            outer * lerp(1.0, 0.0, inner)
        });
        let ink = Grid::filled(stage.picture.width, stage.picture.height, self.color.0);
        stage.picture = stage.picture.mixed(&ink, &line);
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}
