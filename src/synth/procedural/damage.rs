//! Doing damage: artefacts and side effects, strong enough that someone who sees a thumbnail of 200 pixels sees them.
//!
//! Lengths are fractions of the longer side, so that an artefact looks the same at every size: a grain of one pixel would be
//! gone when the picture is reduced.

use rand::RngExt as _;

use super::filters::sharpened;
use super::order::{Family, Kind};
use super::outcome::{Artefact, Exclusivity, Grade};
use crate::synth::output::jpeg;
use crate::synth::raster::color::{Lab, decoded, encoded};
use crate::synth::raster::grid::{Grid, count, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::noise::{Chance, between, normal};
use crate::synth::raster::picture::{Picture, mix};

/// Whether an artefact can be told from an edit of this kind.
pub(super) fn distinct(artefact: Artefact, kind: Kind) -> bool {
    match artefact {
        Artefact::None | Artefact::Compression | Artefact::Noise => true,
        Artefact::Blocks => kind != Kind::Pixelate,
        Artefact::Blur => kind.family() != Family::Focus,
        Artefact::Halo => kind.family() != Family::Focus && kind != Kind::Contrast,
        Artefact::OverSaturated => !matches!(
            kind,
            Kind::Saturation | Kind::Greyscale | Kind::Temperature | Kind::Hue | Kind::Contrast
        ),
        Artefact::OverBright => kind.family() != Family::Light,
    }
}

/// The side effects that can be told from an edit of this kind.
pub(super) fn can_have(exclusivity: Exclusivity, kind: Kind) -> bool {
    match exclusivity {
        Exclusivity::Clean => true,
        Exclusivity::Tinted => kind.family() != Family::Color || (kind == Kind::Recolor),
        Exclusivity::Shifted => kind.family() != Family::Frame,
    }
}

/// Three strengths of one thing.
fn by_grade(grade: Grade, strengths: [f32; 3]) -> f32 {
    strengths[grade as usize]
}

/// Puts an artefact into a picture; `touched` is where the edit worked.
pub(super) fn spoilt(
    picture: &Picture,
    artefact: Artefact,
    grade: Grade,
    touched: &Mask,
    chance: &mut Chance,
) -> Result<Picture, String> {
    let long = picture.width.max(picture.height) as f32;
    let by = |strengths| by_grade(grade, strengths);
    Ok(match artefact {
        Artefact::None => picture.clone(),
        Artefact::Compression => compressed(picture, grade)?,
        Artefact::Noise => grainy(picture, by([0.07, 0.13, 0.24]), long * 0.004, chance),
        Artefact::Blocks => broken(picture, by([0.08, 0.17, 0.33]), long, chance),
        Artefact::Blur => picture.blurred(long * by([0.0065, 0.0115, 0.02])),
        Artefact::Halo => haloed(picture, grade, touched),
        Artefact::OverSaturated => garish(picture, by([1.6, 2.6, 5.0]), by([1.0, 1.15, 1.6])),
        Artefact::OverBright => {
            let gain = by([1.7, 2.7, 4.2]);
            let lift = by([0.02, 0.05, 0.1]);
            picture.map(|rgb| rgb.map(|v| (v + lift) * gain))
        }
    })
}

/// Written with a low quality and read again; for the worse grades from fewer pixels, so that the squares stay visible.
fn compressed(picture: &Picture, grade: Grade) -> Result<Picture, String> {
    let (quality, factor) = match grade {
        Grade::Mild => (10, 1.0),
        Grade::Clear => (6, 1.4),
        Grade::Severe => (4, 2.1),
    };
    let (w, h) = picture.size();
    let small = |len: f32| count(len / factor).max(8);
    let (width, height) = (small(w), small(h));
    let soft = picture.blurred((factor - 1.0) * 0.5);
    let few = Grid::from_fn(width, height, |x, y| {
        soft.at(
            (x as f32 + 0.5) / width as f32 * w,
            (y as f32 + 0.5) / height as f32 * h,
        )
    });
    let bytes = jpeg(&few.to_image(), quality)?;
    let read = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg)
        .map_err(|e| e.to_string())?;
    let read = Picture::of_image(&read.to_rgb8());
    Ok(picture.map_at(|x, y, _| {
        read.at(
            (x as f32 + 0.5) / w * width as f32,
            (y as f32 + 0.5) / h * height as f32,
        )
    }))
}

/// Grains of about `size` pixels, partly colored.
fn grainy(picture: &Picture, strength: f32, size: f32, chance: &mut Chance) -> Picture {
    let side = size.max(1.0);
    let across = count((picture.width as f32 / side).ceil()) + 2;
    let down = count((picture.height as f32 / side).ceil()) + 2;
    let grain = Grid::from_fn(across, down, |_, _| {
        let grey = normal(chance);
        [0.0_f32; 3].map(|_| 0.8 * grey + 0.6 * normal(chance))
    });
    picture.map_at(|x, y, rgb| {
        let grain = grain.get((x as f32 / side) as usize, (y as f32 / side) as usize);
        let mut out = rgb;
        for (value, grain) in out.iter_mut().zip(grain) {
            *value = decoded((encoded(*value) + strength * grain).clamp(0.0, 1.0));
        }
        out
    })
}

/// Code values driven away from grey and from the middle until they clip: unlike a chroma that gives way where a screen ends,
/// this gets worse without end, also on a vivid photo.
fn garish(picture: &Picture, factor: f32, harder: f32) -> Picture {
    picture.map(|rgb| {
        let code = rgb.map(encoded);
        let grey = 0.3 * code[0] + 0.6 * code[1] + 0.1 * code[2];
        code.map(|v| {
            let vivid = grey + factor * (v - grey);
            decoded((0.5 + harder * (vivid - 0.5)).clamp(0.0, 1.0))
        })
    })
}

/// Square patches, `share` of the picture's, moved, flattened or miscolored.
fn broken(picture: &Picture, share: f32, long: f32, chance: &mut Chance) -> Picture {
    let side = count(long * 0.05).max(4);
    let (across, down) = (picture.width.div_ceil(side), picture.height.div_ceil(side));
    let patches = Grid::from_fn(across, down, |_, _| {
        let hit = chance.random::<f32>() < share;
        let way = chance.random_range(0..3_u8);
        let (dx, dy) = (between(chance, -3.0, 3.0), between(chance, -3.0, 3.0));
        let tint = between(chance, 0.0, 360.0);
        hit.then_some((way, dx, dy, tint))
    });
    picture.map_at(|x, y, rgb| {
        let (px, py) = (x / side, y / side);
        let Some((way, dx, dy, tint)) = patches.get(px, py) else {
            return rgb;
        };
        let side = side as f32;
        let moved = picture.at(x as f32 + 0.5 + dx * side, y as f32 + 0.5 + dy * side);
        match way {
            0 => moved,
            1 => {
                let middle = picture.at((px as f32 + 0.5) * side, (py as f32 + 0.5) * side);
                mix(middle, moved, 0.15)
            }
            _ => {
                let tint = Lab::from_polar(0.0, 0.13, tint);
                let lab = Lab::of(moved);
                Lab {
                    l: lab.l * 0.9,
                    a: lab.a + tint.a,
                    b: lab.b + tint.b,
                }
                .rgb()
            }
        }
    })
}

/// A bright rim around the edited region; where the edit was everywhere, around every edge.
fn haloed(picture: &Picture, grade: Grade, touched: &Mask) -> Picture {
    let long = picture.width.max(picture.height) as f32;
    let local = (0.01..0.93).contains(&touched.share());
    if !local || (touched.width, touched.height) != (picture.width, picture.height) {
        let radius = long * by_grade(grade, [0.014, 0.018, 0.024]);
        return sharpened(picture, radius, by_grade(grade, [1.1, 2.2, 4.5]));
    }
    let width = long * by_grade(grade, [0.014, 0.022, 0.034]);
    let strength = by_grade(grade, [0.55, 0.8, 1.0]);
    let (out, within) = (touched.distance(), touched.inverted().distance());
    let glow = out.zip(&within, |out, within| {
        smoothstep(width, width * 0.25, out.max(within)) * strength
    });
    picture.zip(&glow, |rgb, t| mix(rgb, [1.0, 0.97, 0.85], t))
}

/// The side effect: `spared` is where the edit worked, which a tint leaves alone.
pub(super) fn spilled(
    picture: &Picture,
    exclusivity: Exclusivity,
    kind: Kind,
    spared: &Mask,
    chance: &mut Chance,
) -> Picture {
    match exclusivity {
        Exclusivity::Clean => picture.clone(),
        Exclusivity::Tinted => {
            let hue = [30.0, 145.0, 230.0, 300.0, 330.0][chance.random_range(0..5)];
            let tint = Lab::from_polar(0.0, between(chance, 0.075, 0.11), hue);
            let tinted = picture.map_lab(|lab| Lab {
                l: lab.l,
                a: lab.a * 0.6 + tint.a,
                b: lab.b * 0.6 + tint.b,
            });
            let shape = |m: &Mask| (m.width, m.height);
            if kind.is_local()
                && shape(spared) == (picture.width, picture.height)
                && spared.share() < 0.85
            {
                picture.mixed(&tinted, &spared.inverted())
            } else {
                tinted
            }
        }
        Exclusivity::Shifted => {
            let light = kind.family() == Family::Light;
            match chance.random_range(0..3_u8) {
                1 if !light => {
                    let power = between(chance, 1.7, 2.0);
                    picture.map(|rgb| rgb.map(|v| libm::powf(v.max(0.0), power)))
                }
                2 if !light => {
                    let power = between(chance, 0.5, 0.58);
                    picture.map(|rgb| rgb.map(|v| libm::powf(v.max(0.0), power)))
                }
                _ => {
                    let side = between(chance, 0.68, 0.78);
                    let room = 1.0 - side;
                    let corner = [(0.0, 0.0), (room, 0.0), (0.0, room), (room, room)];
                    let (left, top) = corner[chance.random_range(0..4)];
                    picture.zoomed(left, top, side, side)
                }
            }
        }
    }
}

/// The mean difference in code values (0..=1) of two pictures reduced to 200 pixels: what a thumbnail shows.
#[cfg(test)]
fn thumbnail_difference(one: &Picture, other: &Picture) -> f32 {
    let reduced = |picture: &Picture| {
        let factor = picture.width.max(picture.height) as f32 / 200.0;
        let side = |len: usize| count(len as f32 / factor).max(1);
        let soft = picture.blurred(0.5 * factor - 0.2);
        Grid::from_fn(side(picture.width), side(picture.height), |x, y| {
            soft.at((x as f32 + 0.5) * factor, (y as f32 + 0.5) * factor)
                .map(encoded)
        })
    };
    let (one, other) = (reduced(one), reduced(other));
    let sum = one
        .cells
        .iter()
        .zip(&other.cells)
        .map(|(a, b)| (0..3).map(|i| (a[i] - b[i]).abs()).sum::<f32>() / 3.0)
        .sum::<f32>();
    sum / one.cells.len() as f32
}

#[cfg(test)]
mod tests {
    use super::super::super::raster::noise::{chance, clouds};
    use super::*;

    /// Something like a photo: soft shapes, fine texture, a subject.
    fn photo() -> (Picture, Mask) {
        let mut stream = chance(4, "photo");
        let shapes = clouds(320, 213, 90.0, &mut stream);
        let texture = clouds(320, 213, 6.0, &mut stream);
        let subject = Grid::from_fn(320, 213, |x, y| {
            let (dx, dy) = (x as f32 - 140.0, y as f32 - 110.0);
            smoothstep(62.0, 58.0, (dx * dx + dy * dy).sqrt())
        });
        let picture = shapes.map_at(|x, y, v| {
            let fine = 0.25 * (texture.get(x, y) - 0.5);
            let base = Lab::from_polar(0.3 + 0.5 * v + fine, 0.06 + 0.05 * v, 120.0 + 90.0 * v);
            let thing = Lab::from_polar(0.6 + fine, 0.1, 40.0);
            base.toward(thing, subject.get(x, y)).rgb()
        });
        (picture, subject)
    }

    #[test]
    fn every_artefact_is_seen_in_a_thumbnail_and_worse_grades_more() {
        let (picture, touched) = photo();
        let everywhere = touched.map(|_| 1.0);
        for artefact in Artefact::ALL {
            for place in [&touched, &everywhere] {
                let seen = Grade::ALL.map(|grade| {
                    let mut stream = chance(1, artefact.name());
                    let bad = spoilt(&picture, artefact, grade, place, &mut stream).unwrap();
                    thumbnail_difference(&picture, &bad)
                });
                assert!(seen[0] > 0.008, "{artefact:?} {seen:?}");
                assert!(seen[1] > 1.3 * seen[0], "{artefact:?} {seen:?}");
                assert!(seen[2] > 1.3 * seen[1], "{artefact:?} {seen:?}");
            }
        }
    }

    #[test]
    fn a_tint_spares_the_edit_and_changes_the_rest() {
        let (picture, subject) = photo();
        let tinted = spilled(
            &picture,
            Exclusivity::Tinted,
            Kind::Recolor,
            &subject,
            &mut chance(1, "tint"),
        );
        let moved = |x, y| {
            let (a, b): ([f32; 3], [f32; 3]) = (picture.get(x, y), tinted.get(x, y));
            (0..3).map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max)
        };
        assert!(moved(140, 110) < 1e-4 && moved(20, 20) > 0.01);
    }
}
