//! Carrying orders out on a scene. What the recipe's edits do beautifully for chosen photos, these do plainly for any photo.

use super::letters;
use super::order::{Action, Order, Paint, Place, Spot};
use super::scene::{Scene, Stock, Subject};
use crate::synth::error::SynthError;
use crate::synth::raster::color::{Lab, Rgb, encoded};
use crate::synth::raster::grid::{Grid, Sample, count, lerp, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::picture::{Picture, mix};

/// An order carried out.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) picture: Picture,
    /// Where it worked.
    pub(super) touched: Mask,
}

/// Carries an order out. A scene without a subject is whole where an order speaks of one.
pub(super) fn perform(order: &Order, scene: &Scene, stock: &Stock<'_>) -> Result<Done, SynthError> {
    let source = &scene.picture;
    let everywhere = || Grid::filled(source.width, source.height, 1.0_f32);
    let done = match &order.action {
        Action::Mirror { upside_down: true } => Done {
            picture: source.flipped(),
            touched: everywhere(),
        },
        Action::Mirror { upside_down: false } => Done {
            picture: source.mirrored(),
            touched: everywhere(),
        },
        Action::Turn { degrees } => {
            let picture = turned(source, *degrees);
            let touched = Grid::filled(picture.width, picture.height, 1.0);
            Done { picture, touched }
        }
        Action::Zoom { factor } => Done {
            picture: zoomed(source, *factor),
            touched: everywhere(),
        },
        Action::Remove => {
            let mask = region(order.place, scene);
            let picture = if order.place == Place::Subject {
                scene.emptied().clone()
            } else {
                scene.without(&mask)
            };
            let touched = mask.grown(scene.pixels(0.015));
            Done { picture, touched }
        }
        Action::Scale { factor } => match &scene.subject {
            Some(subject) => scaled(scene, subject, *factor),
            None => unchanged(scene),
        },
        Action::Move { dx } => match &scene.subject {
            Some(subject) => {
                let (cut, mask) = cut_out(scene, subject, *dx, 1.0);
                Done {
                    picture: scene.emptied().mixed(&cut, &mask),
                    touched: mask.union(&subject.mask).grown(2.0),
                }
            }
            None => unchanged(scene),
        },
        Action::Duplicate { dx } => match &scene.subject {
            Some(subject) => {
                let (cut, mask) = cut_out(scene, subject, *dx, 1.0);
                let both = source.mixed(&cut, &mask);
                Done {
                    picture: both.mixed(source, &tightened(&subject.mask)),
                    touched: mask.grown(2.0),
                }
            }
            None => unchanged(scene),
        },
        Action::Paste { file, x } => pasted(scene, stock, file, *x)?,
        Action::Text { word, at, color } => written(source, word, *at, *color),
        Action::Photo { file } => {
            let other = stock.photo(file)?.picture();
            replaced(order.place, scene, &covering(&other, source))
        }
        Action::Plain { color } => {
            let ink = color.ink().0;
            replaced(order.place, scene, &source.map(|_| ink))
        }
        Action::Gradient { top, bottom } => {
            let (top, bottom) = (top.ink().lab(), bottom.ink().lab());
            let h = source.height as f32;
            let wall = source.map_at(|_, y, _| top.toward(bottom, (y as f32 + 0.5) / h).rgb());
            replaced(order.place, scene, &wall)
        }
        action => {
            let mask = region(order.place, scene);
            let changed = whole(action, scene, &mask);
            Done {
                picture: if order.place == Place::All {
                    changed
                } else {
                    source.mixed(&changed, &mask)
                },
                touched: mask,
            }
        }
    };
    Ok(done)
}

fn unchanged(scene: &Scene) -> Done {
    Done {
        picture: scene.picture.clone(),
        touched: scene.picture.map(|_| 0.0),
    }
}

/// The soft mask of a place.
fn region(place: Place, scene: &Scene) -> Mask {
    let everywhere = || Grid::filled(scene.picture.width, scene.picture.height, 1.0_f32);
    match (&scene.subject, place) {
        (None, _) | (_, Place::All) => everywhere(),
        (Some(subject), Place::Subject) => subject.mask.clone(),
        (Some(subject), Place::Background) => subject.mask.inverted(),
        (Some(subject), Place::Beside) => {
            let extent = subject.extent;
            let wide = (extent.right - extent.left).max(0.15);
            let right = 1.0 - extent.right > extent.left;
            let dx = if right { 0.8 * wide } else { -0.8 * wide };
            shifted(&subject.mask, dx)
        }
    }
}

fn shifted(mask: &Mask, dx: f32) -> Mask {
    let (w, _) = mask.size();
    mask.map_at(|x, y, _| {
        let from = x as f32 + 0.5 - dx * w;
        if (0.0..w).contains(&from) {
            mask.at(from, y as f32 + 0.5)
        } else {
            0.0
        }
    })
}

/// Edits that leave every pixel where it is, done everywhere; what a color does depends on the mean lightness under the mask.
fn whole(action: &Action, scene: &Scene, mask: &Mask) -> Picture {
    let source = &scene.picture;
    match action {
        Action::Light { by } => {
            let power = libm::exp2f(-by);
            source.map(|rgb| rgb.map(|v| libm::powf(v.max(0.0), power)))
        }
        Action::Contrast { factor } => source.map_lab(|lab| {
            let chroma = lab.with_chroma_times(factor.sqrt());
            Lab {
                l: 0.55 + (lab.l - 0.55) * factor,
                ..chroma
            }
        }),
        Action::Saturation { factor } => source.map_lab(|lab| lab.with_chroma_times(*factor)),
        Action::Grey { amount } => source.map_lab(|lab| lab.with_chroma_times(1.0 - amount)),
        Action::Hue { degrees } => {
            let angle = degrees.to_radians();
            let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
            source.map_lab(|lab| Lab {
                l: lab.l,
                a: lab.a * cos - lab.b * sin,
                b: lab.a * sin + lab.b * cos,
            })
        }
        Action::Warmth { by } => source.map(|rgb| warmed(rgb, *by)),
        Action::Blur { radius } => source.blurred(scene.pixels(*radius)),
        Action::Sharpen { amount } => sharpened(source, scene.pixels(0.005), *amount),
        Action::Recolor { color, amount } => recolored(source, mask, *color, *amount),
        Action::Pixelate { size } => pixelated(source, scene.pixels(*size)),
        _ => source.clone(),
    }
}

fn warmed(rgb: Rgb, by: f32) -> Rgb {
    let gains = [1.0 + 0.45 * by, 1.0 + 0.04 * by, 1.0 - 0.55 * by];
    [rgb[0] * gains[0], rgb[1] * gains[1], rgb[2] * gains[2]]
}

/// Unsharp mask on code values, which is where eyes see edges.
pub(super) fn sharpened(source: &Picture, radius: f32, amount: f32) -> Picture {
    let soft = source.blurred(radius);
    source.zip(&soft, |sharp, soft| {
        let light = |rgb: Rgb| Lab::of(rgb).l;
        let lab = Lab::of(sharp);
        Lab {
            l: (lab.l + amount * (lab.l - light(soft))).clamp(0.0, 1.0),
            ..lab
        }
        .rgb()
    })
}

/// The color with the shading of what was there.
fn recolored(source: &Picture, mask: &Mask, color: Paint, amount: f32) -> Picture {
    let labs = source.map(Lab::of);
    let weight = mask.cells.iter().sum::<f32>().max(1e-3);
    let mean = labs
        .cells
        .iter()
        .zip(&mask.cells)
        .map(|(lab, m)| lab.l * m)
        .sum::<f32>()
        / weight;
    let ink = color.ink().lab();
    labs.map(|lab| {
        let l = ink.l + 0.8 * (lab.l - mean);
        // Highlights and deep shadows take less color, as they do on painted things.
        let room = 1.0 - 2.0 * (l - 0.5).abs();
        let chroma = smoothstep(-0.05, 0.35, room);
        let painted = Lab {
            l: lerp(lab.l, l, 0.85),
            a: ink.a * chroma,
            b: ink.b * chroma,
        };
        lab.toward(painted, amount).rgb()
    })
}

pub(super) fn pixelated(source: &Picture, size: f32) -> Picture {
    let side = count(size).max(2);
    let (across, down) = (source.width.div_ceil(side), source.height.div_ceil(side));
    let mut sums = Grid::filled(across, down, ([0.0_f32; 3], 0.0_f32));
    for y in 0..source.height {
        for x in 0..source.width {
            let (sum, n) = sums.get(x / side, y / side);
            sums.set(
                x / side,
                y / side,
                (sum.plus(source.get(x, y), 1.0), n + 1.0),
            );
        }
    }
    let means = sums.map(|(sum, n)| sum.times(1.0 / n.max(1.0)));
    source.map_at(|x, y, _| means.get(x / side, y / side))
}

/// Turned clockwise. A right angle turns the frame too; any other keeps the frame and enlarges until it is filled.
fn turned(source: &Picture, degrees: f32) -> Picture {
    let (width, height) = (source.width, source.height);
    match degrees.rem_euclid(360.0) {
        90.0 => Grid::from_fn(height, width, |x, y| source.get(y, height - 1 - x)),
        180.0 => source.flipped().mirrored(),
        270.0 => Grid::from_fn(height, width, |x, y| source.get(width - 1 - y, x)),
        _ => {
            let (w, h) = source.size();
            let angle = degrees.to_radians();
            let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
            let long = w.max(h) / w.min(h);
            let scale = 1.0 / (cos.abs() + long * sin.abs());
            source.map_at(|x, y, _| {
                let (dx, dy) = (
                    (x as f32 + 0.5 - w / 2.0) * scale,
                    (y as f32 + 0.5 - h / 2.0) * scale,
                );
                source.at(w / 2.0 + dx * cos + dy * sin, h / 2.0 - dx * sin + dy * cos)
            })
        }
    }
}

fn zoomed(source: &Picture, factor: f32) -> Picture {
    if factor >= 1.0 {
        let side = 1.0 / factor;
        let from = (1.0 - side) / 2.0;
        return source.zoomed(from, from, side, side);
    }
    let (w, h) = source.size();
    let soft = source.blurred(0.5 / factor - 0.5);
    let margin = (1.0 - factor) / 2.0;
    source.map_at(|x, y, _| {
        let (u, v) = (
            ((x as f32 + 0.5) / w - margin) / factor,
            ((y as f32 + 0.5) / h - margin) / factor,
        );
        if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
            soft.at(u * w, v * h)
        } else {
            [0.9; 3]
        }
    })
}

/// `mask` drawn in a little, so that no rim of the old background comes along.
fn tightened(mask: &Mask) -> Mask {
    mask.grown(-0.8).blurred(0.6)
}

/// A picture whose colors under the mask are carried outwards past its edge, so that a cut-out has no fringe.
fn unmixed(picture: &Picture, mask: &Mask) -> Picture {
    let core = mask.grown(-1.5).map(|v| f32::from(v > 0.95));
    if core.share() <= 0.0 {
        return picture.clone();
    }
    picture.spread(&core)
}

/// The subject moved by a fraction of the width and scaled about the middle of its lower edge: picture and mask.
fn cut_out(scene: &Scene, subject: &Subject, dx: f32, scale: f32) -> (Picture, Mask) {
    let (w, h) = scene.picture.size();
    let extent = subject.extent;
    let anchor = (extent.middle().0 * w, extent.bottom * h);
    let soft = (0.5 / scale - 0.5).max(0.0);
    let cut = unmixed(&scene.picture, &subject.mask).blurred(soft);
    let mask = tightened(&subject.mask).blurred(soft);
    laid(
        &cut,
        &mask,
        anchor,
        (anchor.0 + dx * w, anchor.1),
        scale,
        &scene.picture,
    )
}

/// A cut-out laid into a frame like `frame`: its point `from` comes to lie at `to`, `scale` times as large.
fn laid(
    cut: &Picture,
    mask: &Mask,
    from: (f32, f32),
    to: (f32, f32),
    scale: f32,
    frame: &Picture,
) -> (Picture, Mask) {
    let (w, h) = cut.size();
    let back = |x: usize, y: usize| {
        (
            from.0 + (x as f32 + 0.5 - to.0) / scale,
            from.1 + (y as f32 + 0.5 - to.1) / scale,
        )
    };
    let placed = frame.map_at(|x, y, _| {
        let (u, v) = back(x, y);
        cut.at(u, v)
    });
    let cover = frame.map_at(|x, y, _| {
        let (u, v) = back(x, y);
        if (0.0..w).contains(&u) && (0.0..h).contains(&v) {
            mask.at(u, v)
        } else {
            0.0
        }
    });
    (placed, cover)
}

fn scaled(scene: &Scene, subject: &Subject, factor: f32) -> Done {
    let (cut, mask) = cut_out(scene, subject, 0.0, factor);
    let below = if factor < 1.0 {
        scene.emptied()
    } else {
        &scene.picture
    };
    Done {
        picture: below.mixed(&cut, &mask),
        touched: mask.union(&subject.mask).grown(2.0),
    }
}

/// How high a pasted subject stands, as a fraction of the height, and how wide it may be at most, of the width.
const PASTED: (f32, f32) = (0.5, 0.42);

fn pasted(scene: &Scene, stock: &Stock<'_>, file: &str, x: f32) -> Result<Done, SynthError> {
    let other = stock.photo(file)?;
    let picture = other.picture();
    let found = other.mask().and_then(|m| Some((m, m.extent()?)));
    let Some((mask, extent)) = found else {
        return Ok(unchanged(scene));
    };
    let (pw, ph) = picture.size();
    let (w, h) = scene.picture.size();
    let (high, wide) = (
        (extent.bottom - extent.top) * ph,
        (extent.right - extent.left) * pw,
    );
    let scale = (PASTED.0 * h / high).min(PASTED.1 * w / wide);
    let soft = (0.5 / scale - 0.5).max(0.0);
    let cut = unmixed(&picture, mask).blurred(soft);
    let cover = tightened(mask).blurred(soft);
    let from = (extent.middle().0 * pw, extent.bottom * ph);
    // A subject that the photo's lower edge cuts off stands on this one's.
    let foot = if extent.bottom > 0.97 { h } else { 0.96 * h };
    let (cut, mask) = laid(&cut, &cover, from, (x * w, foot), scale, &scene.picture);
    Ok(Done {
        picture: scene.picture.mixed(&cut, &mask),
        touched: mask.grown(2.0),
    })
}

/// The middle of a picture, as large as needed to cover the frame of another.
fn covering(picture: &Picture, frame: &Picture) -> Picture {
    let (pw, ph) = picture.size();
    let (w, h) = frame.size();
    let scale = (pw / w).min(ph / h);
    let soft = picture.blurred((0.5 * scale - 0.5).max(0.0));
    frame.map_at(|x, y, _| {
        soft.at(
            pw / 2.0 + (x as f32 + 0.5 - w / 2.0) * scale,
            ph / 2.0 + (y as f32 + 0.5 - h / 2.0) * scale,
        )
    })
}

/// `wall` in place of the background (or, by mistake, of the subject).
fn replaced(place: Place, scene: &Scene, wall: &Picture) -> Done {
    let Some(subject) = &scene.subject else {
        return Done {
            picture: wall.clone(),
            touched: Grid::filled(wall.width, wall.height, 1.0),
        };
    };
    if place == Place::Subject {
        return Done {
            picture: scene.picture.mixed(wall, &subject.mask),
            touched: subject.mask.clone(),
        };
    }
    let cut = unmixed(&scene.picture, &subject.mask);
    Done {
        picture: wall.mixed(&cut, &tightened(&subject.mask)),
        touched: subject.mask.inverted(),
    }
}

/// A word in the picture, with a dark or light rim so that it can be read anywhere.
fn written(source: &Picture, word: &str, at: Spot, color: Paint) -> Done {
    let (w, h) = source.size();
    let letters = word.chars().count() as f32;
    let columns = letters * (letters::WIDE as f32 + 1.0) - 1.0;
    let size = (0.17 * h / letters::HIGH as f32).min(0.62 * w / columns);
    let (wide, high) = (columns * size, letters::HIGH as f32 * size);
    let margin = 0.05 * w.min(h);
    let left = margin + at.x * (w - 2.0 * margin - wide);
    let top = margin + at.y * (h - 2.0 * margin - high);
    let dots = source.map_at(|x, y, _| {
        let (u, v) = (
            (x as f32 + 0.5 - left) / size,
            (y as f32 + 0.5 - top) / size,
        );
        if u < 0.0 || v < 0.0 || u >= columns || v >= letters::HIGH as f32 {
            return 0.0;
        }
        let (column, row) = (u as usize, v as usize);
        let letter = word.chars().nth(column / (letters::WIDE + 1));
        let on = letter.is_some_and(|l| letters::dot(l, column % (letters::WIDE + 1), row));
        f32::from(on)
    });
    // Rounded: a blur, then its middle level sharpened again.
    let shape = dots.blurred(size * 0.35).map(|v| smoothstep(0.38, 0.62, v));
    let rim = shape.grown(size * 0.45).blurred(0.7);
    let ink = color.ink();
    let around: Rgb = if ink.lab().l > 0.55 {
        [0.01; 3]
    } else {
        [0.95; 3]
    };
    let rimmed = source.zip(&rim, |rgb, t| mix(rgb, around, t));
    let picture = rimmed.zip(&shape, |rgb, t| mix(rgb, ink.0, t));
    Done {
        picture,
        touched: rim,
    }
}

/// How plainly two pictures differ to someone who sees them small: the mean difference in code values (0..=1) of the 3 % of a
/// 72-pixel version's cells that differ most. Pictures of different shapes differ wholly.
pub(super) fn seen(one: &Picture, other: &Picture) -> f32 {
    let shape = |p: &Picture| (p.width, p.height);
    if shape(one) != shape(other) {
        return 1.0;
    }
    let size = one.width.max(one.height) as f32 / 72.0;
    let side = count(size).max(1);
    let across = one.width.div_ceil(side);
    let down = one.height.div_ceil(side);
    let mut cells = Grid::filled(across, down, ([0.0_f32; 3], [0.0_f32; 3], 0.0_f32));
    for y in 0..one.height {
        for x in 0..one.width {
            let (a, b, n) = cells.get(x / side, y / side);
            let (a, b) = (a.plus(one.get(x, y), 1.0), b.plus(other.get(x, y), 1.0));
            cells.set(x / side, y / side, (a, b, n + 1.0));
        }
    }
    let mut differences: Vec<f32> = cells
        .cells
        .iter()
        .map(|(a, b, n)| {
            let code = |sum: f32| encoded(sum / n.max(1.0));
            (0..3).map(|i| (code(a[i]) - code(b[i])).abs()).sum::<f32>() / 3.0
        })
        .collect();
    differences.sort_by(|a, b| b.total_cmp(a));
    let most = (differences.len() * 3 / 100).max(1);
    differences[..most].iter().sum::<f32>() / most as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Picture {
        Grid::from_fn(48, 30, |x, y| [x as f32 / 48.0, y as f32 / 30.0, 0.5])
    }

    #[test]
    fn turning_four_times_by_a_right_angle_is_no_turn() {
        let once = turned(&ramp(), 90.0);
        assert_eq!((once.width, once.height), (30, 48));
        // Clockwise: what was at the left edge is now at the top.
        assert_eq!(once.get(29, 0), ramp().get(0, 0));
        assert_eq!(turned(&once, 270.0), ramp());
        assert_eq!(turned(&turned(&ramp(), 180.0), -180.0), ramp());
    }

    #[test]
    fn a_word_is_written_where_it_should_be() {
        let picture = Grid::filled(120, 80, [0.2_f32; 3]);
        let done = written(&picture, "HELLO", Spot::ALL[0], Paint::ALL[0]);
        let extent = done.touched.extent().unwrap();
        assert!(extent.right < 0.75 && extent.bottom < 0.4, "{extent:?}");
        let below = written(&picture, "HELLO", Spot::ALL[5], Paint::ALL[0]);
        let extent = below.touched.extent().unwrap();
        assert!(extent.left > 0.25 && extent.top > 0.6, "{extent:?}");
    }

    #[test]
    fn small_changes_are_seen_less_than_large_ones() {
        let lighter = |by: f32| ramp().map(|rgb| rgb.map(|v| v + by));
        assert_eq!(seen(&ramp(), &ramp()), 0.0);
        assert!(seen(&ramp(), &lighter(0.3)) > 2.0 * seen(&ramp(), &lighter(0.05)));
        assert_eq!(seen(&ramp(), &turned(&ramp(), 90.0)), 1.0);
    }
}
