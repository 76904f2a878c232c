//! How a fault is put into a picture: the right edit done by halves, overdone or with too much else, and the flaws.

use rand::RngExt as _;

use super::edits::Nature;
use super::fault::Flaw;
use super::raster::color::{Lab, byte, decoded, encoded};
use super::raster::grid::{Grid, count};
use super::raster::mask::Mask;
use super::raster::noise::{Chance, normal};
use super::raster::picture::Picture;

/// What a faulty candidate is made from.
pub(crate) struct Material<'a> {
    pub(crate) source: &'a Picture,
    /// The right edit.
    pub(crate) right: &'a Picture,
    /// Where the right edit works.
    pub(crate) touched: &'a Mask,
}

impl Material<'_> {
    /// Whether the edit leaves enough of the picture alone for "the rest" to mean something.
    pub(crate) fn is_local(&self) -> bool {
        (0.002..0.85).contains(&self.touched.share())
    }

    /// Less than half of the change.
    pub(crate) fn faint(&self, grade: f32) -> (Picture, String) {
        let part = 0.48 - 0.2 * grade;
        let words = format!("half done: about {:.0} % of the change", part * 100.0);
        (self.source.toward(self.right, part), words)
    }

    /// Far more than asked.
    pub(crate) fn overdone(&self, grade: f32) -> (Picture, String) {
        let part = 1.55 + 0.5 * grade;
        let words = format!("overdone: about {part:.1} times the change");
        (self.source.toward(self.right, part), words)
    }

    /// Only one side of what should have changed.
    pub(crate) fn partial(&self, nature: Nature, chance: &mut Chance) -> (Picture, String) {
        let side = ["left", "right", "upper", "lower"][chance.random_range(0..4)];
        let soft = if nature <= Nature::Filter {
            0.04
        } else {
            0.008
        };
        let mask = self.touched.half(side, soft);
        let words = format!("half done: only the {side} part");
        (self.source.mixed(self.right, &mask), words)
    }

    /// The right edit, and a change of everything else.
    pub(crate) fn rest_too(&self, grade: f32, chance: &mut Chance) -> (Picture, String) {
        let rest = self.touched.grown(1.5).blurred(1.5).inverted();
        let much = 0.7 + 0.5 * grade;
        let (words, change): (&str, Box<dyn Fn(Lab) -> Lab>) = match chance.random_range(0..5) {
            0 => (
                "everything else turned warm",
                Box::new(move |lab| shifted(lab, 0.02 * much, 0.06 * much, 0.0)),
            ),
            1 => (
                "everything else turned blue and dark",
                Box::new(move |lab| shifted(lab, -0.01 * much, -0.06 * much, -0.10 * much)),
            ),
            2 => (
                "everything else lost most of its color",
                Box::new(move |lab| lab.with_chroma_times(0.35 - 0.25 * grade)),
            ),
            3 => (
                "everything else turned pale and bright",
                Box::new(move |lab| shifted(lab.with_chroma_times(0.8), 0.0, 0.0, 0.14 * much)),
            ),
            _ => (
                "everything else changed its hue",
                Box::new(move |lab| {
                    Lab::from_polar(lab.l, lab.chroma() * 1.1, lab.hue() + 55.0 * much)
                }),
            ),
        };
        let changed = self.right.map_lab(change);
        (
            self.right.mixed(&changed, &rest),
            format!("right edit, but {words}"),
        )
    }
}

fn shifted(lab: Lab, a: f32, b: f32, l: f32) -> Lab {
    Lab {
        l: lab.l + l,
        a: lab.a + a,
        b: lab.b + b,
    }
}

/// Puts a flaw into a picture; says it in words, and the JPEG quality to write it with if that is the flaw.
pub(crate) fn flawed(
    picture: Picture,
    flaw: Flaw,
    grade: f32,
    chance: &mut Chance,
) -> (Picture, String, Option<u8>) {
    let unit = picture.width.max(picture.height) as f32 / 512.0;
    let (picture, words) = match flaw {
        Flaw::None => (picture, String::new()),
        Flaw::Compression => {
            let quality = byte((11.0 - 7.0 * grade) / 255.0);
            let words = format!("heavy JPEG compression (quality {quality})");
            return (picture, words, Some(quality));
        }
        Flaw::Blur => (
            picture.blurred(unit * (1.9 + 1.7 * grade)),
            "blurred".into(),
        ),
        Flaw::Noise => {
            let size = 0.055 + 0.06 * grade;
            let noisy = picture.map(|rgb| {
                let grey = normal(chance) * 0.7;
                rgb.map(|v| {
                    decoded((encoded(v) + size * (grey + 0.7 * normal(chance))).clamp(0.0, 1.0))
                })
            });
            (noisy, "noisy".into())
        }
        Flaw::LowResolution => (
            few_pixels(&picture, 3.6 + 2.4 * grade),
            "low resolution, enlarged".into(),
        ),
        Flaw::Shift => {
            let side = 0.90 - 0.10 * grade;
            let room = 1.0 - side;
            let corner = [(0.0, 0.0), (room, 0.0), (0.0, room), (room, room)];
            let (left, top) = corner[chance.random_range(0..4)];
            (
                picture.zoomed(left, top, side, side),
                "shifted and cropped".into(),
            )
        }
        Flaw::Cast => {
            let (name, hue) = [
                ("green", 145.0),
                ("magenta", 330.0),
                ("yellow", 100.0),
                ("blue", 260.0),
            ][chance.random_range(0..4)];
            let tint = Lab::from_polar(0.0, 0.055 + 0.035 * grade, hue);
            let cast = picture.map_lab(|lab| shifted(lab, tint.a, tint.b, 0.0));
            (cast, format!("{name} color cast"))
        }
        Flaw::Oversaturated => {
            let factor = 1.9 + 0.6 * grade;
            let strong = picture.map_lab(|lab| {
                let mut lab = lab.with_chroma_times(factor);
                lab.l = 0.5 + (lab.l - 0.5) * 1.18;
                lab
            });
            (strong, "over-saturated".into())
        }
    };
    (picture, words, None)
}

/// As if enlarged from a picture `factor` times smaller.
fn few_pixels(picture: &Picture, factor: f32) -> Picture {
    let (w, h) = picture.size();
    let small = |len: f32| count(len / factor).max(2);
    let (width, height) = (small(w), small(h));
    let soft = picture.blurred(factor * 0.4);
    let few = Grid::from_fn(width, height, |x, y| {
        soft.at(
            (x as f32 + 0.5) / width as f32 * w,
            (y as f32 + 0.5) / height as f32 * h,
        )
    });
    picture.map_at(|x, y, _| {
        few.at(
            (x as f32 + 0.5) / w * width as f32,
            (y as f32 + 0.5) / h * height as f32,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::raster::color::linear;
    use super::super::raster::noise::chance;
    use super::super::raster::picture::mix;
    use super::*;

    #[test]
    fn each_flaw_changes_the_picture_and_says_so() {
        let picture = Grid::from_fn(48, 32, |x, y| {
            [
                x as f32 / 48.0,
                y as f32 / 32.0,
                f32::from((x / 4 + y / 4) % 2 == 0),
            ]
            .map(linear_of)
        });
        for (flaw, name) in Flaw::ALL {
            let (changed, words, quality) =
                flawed(picture.clone(), flaw, 0.5, &mut chance(1, name));
            assert!(!words.is_empty());
            if flaw == Flaw::Compression {
                assert!(quality.is_some_and(|q| q < 15));
            } else {
                assert_ne!(changed, picture, "{name}");
            }
        }
    }

    fn linear_of(v: f32) -> f32 {
        linear(byte(v))
    }

    #[test]
    fn a_partial_edit_changes_one_side_and_the_rest_fault_spares_the_edit() {
        let source = Grid::filled(40, 30, [0.2_f32, 0.3, 0.1]);
        let touched = Grid::from_fn(40, 30, |x, _| f32::from((10..30).contains(&x)));
        let right = touched.map(|m| mix([0.2, 0.3, 0.1], [0.6, 0.1, 0.1], m));
        let material = Material {
            source: &source,
            right: &right,
            touched: &touched,
        };
        let (partial, words) = material.partial(Nature::Content, &mut chance(5, "partial"));
        let same =
            |a: &Picture, b: &Picture| a.cells.iter().zip(&b.cells).filter(|(a, b)| a == b).count();
        assert!(
            same(&partial, &right) > 300 && same(&partial, &source) > 300,
            "{words}"
        );
        let (rest, _) = material.rest_too(0.5, &mut chance(5, "rest"));
        let moved = |x: usize| {
            let (a, b) = (rest.get(x, 15), right.get(x, 15));
            (0..3).map(|i| (a[i] - b[i]).abs()).fold(0.0, f32::max)
        };
        assert!(moved(20) < 1e-5 && moved(2) > 1e-3);
    }
}
