//! Which pixels an edit works on: the subject or its background, narrowed by hue, lightness or a box.

use serde::Deserialize;

use super::color::Lab;
use super::grid::{Grid, smoothstep};
use super::mask::Mask;
use super::picture::Picture;

/// The part of a photo that a recipe can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// Everything; needs no mask.
    #[default]
    All,
    /// What the photo's mask covers.
    Subject,
    /// What it does not.
    Background,
    /// The sky, found by growing from the upper border; the mask, where there is one, keeps the subject out.
    Sky,
}

/// A selection as a recipe writes it; every part given narrows it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Selection {
    /// The part of the photo.
    pub(crate) part: Part,
    /// OKLab hues from..to in degrees, upwards, through 0 if the second is smaller; the edges are 8° soft.
    pub(crate) hue: Option<[f32; 2]>,
    /// OKLab chroma from..to.
    pub(crate) chroma: Option<[f32; 2]>,
    /// OKLab lightness from..to.
    pub(crate) light: Option<[f32; 2]>,
    /// Left, top, right, bottom as fractions.
    #[serde(rename = "box")]
    pub(crate) area: Option<[f32; 4]>,
    /// An ellipse in place of the box: centre x, y and radii, as fractions.
    pub(crate) ellipse: Option<[f32; 4]>,
    /// An ellipse to leave out.
    pub(crate) except: Option<[f32; 4]>,
    /// For the sky: take in patches that the subject cuts off from the rest of it.
    pub(crate) gaps: bool,
    /// Only the largest connected part, before colors narrow it.
    pub(crate) largest: bool,
    /// Grow (or shrink) the outcome by so many pixels of a 512-pixel picture.
    pub(crate) grow: f32,
    /// Blur its edge by so many.
    pub(crate) feather: f32,
}

impl Selection {
    /// Whether a subject mask must be there.
    pub(crate) const fn needs_mask(&self) -> bool {
        matches!(self.part, Part::Subject | Part::Background)
    }

    /// Whether it is less than the whole picture.
    pub(crate) const fn is_local(&self) -> bool {
        !matches!(self.part, Part::All)
            || self.hue.is_some()
            || self.chroma.is_some()
            || self.light.is_some()
            || self.area.is_some()
            || self.ellipse.is_some()
    }

    /// The soft mask it stands for in a picture.
    pub(crate) fn mask(&self, picture: &Picture, subject: Option<&Mask>) -> Mask {
        let (width, height) = (picture.width, picture.height);
        let whole = || Grid::filled(width, height, 1.0_f32);
        let mut mask = match (self.part, subject) {
            (Part::Subject, Some(subject)) => subject.clone(),
            (Part::Background, Some(subject)) => subject.inverted(),
            (Part::Sky, _) => sky(picture, subject, self.gaps),
            (Part::All | Part::Subject | Part::Background, _) => whole(),
        };
        if let Some(area) = self.area {
            mask = mask.times_mask(&rectangle(&mask, area));
        }
        if let Some(ellipse) = self.ellipse {
            mask = mask.times_mask(&elliptic(&mask, ellipse));
        }
        if let Some(ellipse) = self.except {
            mask = mask.times_mask(&elliptic(&mask, ellipse).inverted());
        }
        if self.largest {
            mask = mask.largest_part();
        }
        if self.hue.is_some() || self.chroma.is_some() || self.light.is_some() {
            // A little blur first, or the colored noise of dark places speckles the selection.
            let calm = picture.blurred(0.7);
            mask = mask.zip(&calm, |v, rgb| v * self.color_weight(Lab::of(rgb)));
        }
        let unit = width.max(height) as f32 / 512.0;
        if self.grow != 0.0 {
            mask = mask.grown(self.grow * unit);
        }
        mask.blurred(self.feather * unit)
    }

    fn color_weight(&self, lab: Lab) -> f32 {
        let mut weight = 1.0;
        if let Some([from, to]) = self.hue {
            let span = (to - from).rem_euclid(360.0);
            let past = (lab.hue() - from).rem_euclid(360.0);
            let outside = (past - span).max(0.0).min(360.0 - past);
            weight *= smoothstep(8.0, 0.0, outside) * smoothstep(0.015, 0.045, lab.chroma());
        }
        if let Some([from, to]) = self.chroma {
            weight *= ramp(from, to, 0.02, lab.chroma());
        }
        if let Some([from, to]) = self.light {
            weight *= ramp(from, to, 0.06, lab.l);
        }
        weight
    }
}

/// 1 within from..to, soft for `edge` outside.
fn ramp(from: f32, to: f32, edge: f32, v: f32) -> f32 {
    smoothstep(from - edge, from, v) * smoothstep(to + edge, to, v)
}

fn rectangle(like: &Mask, [left, top, right, bottom]: [f32; 4]) -> Mask {
    let (w, h) = like.size();
    like.map_at(|x, y, _| {
        let (x, y) = ((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
        f32::from((left..right).contains(&x) && (top..bottom).contains(&y))
    })
}

/// A soft ellipse: centre and radii as fractions.
fn elliptic(like: &Mask, [cx, cy, rx, ry]: [f32; 4]) -> Mask {
    let (w, h) = like.size();
    like.map_at(|x, y, _| {
        let dx = ((x as f32 + 0.5) / w - cx) / rx;
        let dy = ((y as f32 + 0.5) / h - cy) / ry;
        smoothstep(1.08, 0.92, (dx * dx + dy * dy).sqrt())
    })
}

/// Grows from the upper border over what is smooth, and blue, grey or bright rather than earthy; then, if asked, takes in
/// patches of the same colors that the subject cuts off from it.
fn sky(picture: &Picture, subject: Option<&Mask>, gaps: bool) -> Mask {
    let calm = picture.blurred(1.0).map(Lab::of);
    let like_sky = calm.map_at(|x, y, lab| {
        let across = calm.near(x, y, 1, 0).l - calm.near(x, y, -1, 0).l;
        let down = calm.near(x, y, 0, 1).l - calm.near(x, y, 0, -1).l;
        let rough = (across * across + down * down).sqrt();
        let free = subject.is_none_or(|s| s.get(x, y) < 0.35);
        // Cyan is sky, green is not.
        let airy = lab.b < 0.03 && lab.a < 0.06 && lab.a > -0.05 - 0.5 * (-lab.b).clamp(0.0, 0.1);
        free && rough < 0.075 && airy
    });
    let mut reached = Grid::filled(picture.width, picture.height, 0.0_f32);
    let border: Vec<usize> = (0..picture.width).filter(|x| like_sky.cells[*x]).collect();
    let open = grown_over(&like_sky, &calm, border, &mut reached);
    // Every sixteenth pixel of the open sky stands for its colors.
    let palette: Vec<Lab> = open.iter().step_by(16).map(|at| calm.cells[*at]).collect();
    for start in (0..like_sky.cells.len()).filter(|_| gaps) {
        if !like_sky.cells[start] || reached.cells[start] != 0.0 || palette.is_empty() {
            continue;
        }
        let patch = grown_over(&like_sky, &calm, vec![start], &mut reached);
        let lowest = patch.iter().max().map_or(0, |at| at / picture.width);
        let known = |at: &usize| {
            palette
                .iter()
                .any(|sky| difference(*sky, calm.cells[*at]) < 0.04)
        };
        let alike = patch.iter().step_by(4).filter(|at| known(at)).count() * 4;
        if patch.len() < 24 || lowest + 3 > picture.height || alike * 3 < patch.len() * 2 {
            for at in patch {
                reached.cells[at] = -1.0;
            }
        }
    }
    // Closing takes in the bright rims of clouds and stops short of the skyline by the roughness test: one pixel back.
    let closed = reached.grown(4.0).grown(-3.0).blurred(0.8);
    subject.map_or_else(|| closed.clone(), |s| closed.times_mask(&s.inverted()))
}

/// Marks what can be reached from `open` in small steps over allowed cells; gives all of it.
fn grown_over(
    allowed: &Grid<bool>,
    colors: &Grid<Lab>,
    mut open: Vec<usize>,
    reached: &mut Mask,
) -> Vec<usize> {
    for at in &open {
        reached.cells[*at] = 1.0;
    }
    let mut all = open.clone();
    while let Some(at) = open.pop() {
        for near in reached.neighbours(at) {
            let step = (colors.cells[near].l - colors.cells[at].l).abs();
            if reached.cells[near] == 0.0 && allowed.cells[near] && step < 0.05 {
                reached.cells[near] = 1.0;
                open.push(near);
                all.push(near);
            }
        }
    }
    all
}

fn difference(one: Lab, other: Lab) -> f32 {
    let (l, a, b) = (one.l - other.l, one.a - other.a, one.b - other.b);
    (l * l + a * a + b * b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::color::Ink;
    use super::*;

    fn flag() -> Picture {
        let (red, blue) = (Ink::hex(0xc0_2020).0, Ink::hex(0x20_50c0).0);
        Grid::from_fn(32, 32, |x, _| if x < 16 { red } else { blue })
    }

    #[test]
    fn a_hue_range_picks_its_color_and_no_other() {
        let selection = Selection {
            hue: Some([10.0, 45.0]),
            ..Selection::default()
        };
        let mask = selection.mask(&flag(), None);
        assert!(mask.get(4, 16) > 0.95 && mask.get(28, 16) < 0.05);
    }

    #[test]
    fn background_is_what_the_subject_is_not() {
        let subject = Grid::from_fn(32, 32, |x, _| f32::from(x < 10));
        let pick = |part| {
            Selection {
                part,
                ..Selection::default()
            }
            .mask(&flag(), Some(&subject))
        };
        let both = pick(Part::Subject).zip(&pick(Part::Background), |a, b| a + b);
        assert!(both.cells.iter().all(|v| (v - 1.0).abs() < 1e-6));
    }

    #[test]
    fn the_sky_ends_at_the_ground() {
        let picture = Grid::from_fn(40, 40, |x, y| {
            if y < 20 {
                Ink::hex(0x80_b0e8).0
            } else if (x + y) % 2 == 0 {
                Ink::hex(0x50_4020).0
            } else {
                Ink::hex(0x30_5010).0
            }
        });
        let sky = Selection {
            part: Part::Sky,
            ..Selection::default()
        }
        .mask(&picture, None);
        assert!(sky.get(20, 5) > 0.9 && sky.get(20, 30) < 0.05);
    }
}
