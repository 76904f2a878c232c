//! All measures of a source and an edit of it, from their pixels: what [`Measure`] lists, each by a published formula.
//!
//! Change, colors and similarity are taken at the size of the [`EditMap`], where both images are in one frame. Clipped pixels and
//! blocks are taken at each image's own size, because resizing hides both. Sharpness and noise are taken at the images' own size
//! where they have the same, else at the map's: a picture of other pixels is neither sharper nor noisier for that.
//!
//! A measure that has no value here says why: there is no background where the whole frame was edited, and no sharpness in an
//! image of two pixels.

mod similarity;
mod texture;

use std::borrow::Cow;

use super::edit_map::{EditMap, Pair};
use super::plane::quantile;
use crate::domain::color::{Pixel, colorfulness, saturation};
use crate::domain::raster::Raster;
use crate::domain::{Measure, Measures};
use similarity::similarity;
use texture::{Luma, Texture};

const NOTHING: &str = "nothing was edited";
const NO_BACKGROUND: &str = "the whole frame was edited, so there is no background";
const NO_WINDOW: &str = "no window of 8 × 8 pixels lies there";

/// Means of blocks of this side tell an edit from the noise of encoding, which has none.
const BLOCK: usize = 8;
/// So far the means of all but a hundredth of the blocks of a returned source may be apart, in ΔE: what people just see.
const RETURNED: f32 = 2.3;
/// And so far the means of the farthest block: colors at hard edges lose that much where an encoder halves their resolution.
const FARTHEST: f32 = 6.0;
/// Encoding leaves specks that look like edits on at most this share of the frame.
const SPECKS: f64 = 0.01;
/// So similar a returned source has to be at least: less is a picture that lost its detail.
const SIMILAR: f64 = 0.8;
/// A returned source has the source's shape to within this share.
const SHAPE: f64 = 0.02;

/// Measures an edit against its source. Both are given as they are, at their true sizes. `benches/failures.rs` says what
/// it costs.
pub fn measure(source: Raster<'_>, edit: Raster<'_>) -> Measures {
    measure_with_map(source, edit).1
}

/// The measures and the map that they come from.
pub fn measure_with_map(source: Raster<'_>, edit: Raster<'_>) -> (EditMap, Measures) {
    let pair = Pair::new(source, edit);
    let map = EditMap::of(&pair);
    let mut out = Measures::default();
    sizes(&mut out, source, edit);
    let lumas = [0, 1].map(|side: usize| Luma::of(pair.size, &pair.pixels[side]));
    let similar = changes(&mut out, &lumas, &map);
    colors(&mut out, &pair);
    let own = [source, edit].map(|image| clipped_share(image.pixels()));
    out.set(Measure::ClippedDelta, own[1] - own[0]);
    textures(&mut out, &lumas, [source, edit]);
    let same = source == edit;
    out.set(
        Measure::NoOp,
        f64::from(u8::from(same || returned(&out, &pair, &map, similar))),
    );
    (map, out)
}

fn sizes(out: &mut Measures, source: Raster<'_>, edit: Raster<'_>) {
    let sides = |image: Raster<'_>| (image.width() as f64, image.height() as f64);
    let ((w, h), (ew, eh)) = (sides(source), sides(edit));
    out.set(Measure::SizeRatio, ew * eh / (w * h));
    out.set(Measure::AspectRatio, (ew / eh) / (w / h));
}

/// What the map says, and the similarity inside and outside; the similarity of the whole frame, if there is one.
fn changes(out: &mut Measures, lumas: &[Luma; 2], map: &EditMap) -> Option<f64> {
    let (mut sums, mut counts) = ([0.0_f64; 2], [0_usize; 2]);
    for (change, edited) in map.change().iter().zip(map.edited()) {
        let side = usize::from(*edited);
        sums[side] += f64::from(*change);
        counts[side] += 1;
    }
    let inside = sums[1] / counts[1] as f64;
    let (mut outside, mut beyond) = (0.0, 0_usize);
    for (change, _) in map
        .change()
        .iter()
        .zip(map.background())
        .filter(|(_, b)| *b)
    {
        outside += f64::from(*change);
        beyond += 1;
    }
    let outside = outside / beyond as f64;
    out.set(
        Measure::Change,
        (sums[0] + sums[1]) / map.change().len() as f64,
    );
    out.set(Measure::EditShare, map.share());
    out.set(Measure::EditRegions, map.regions().len() as f64);
    out.set(Measure::EditSpread, map.spread());
    let mut either = |measure, value: f64, none: bool, why| {
        if none {
            out.forgo(measure, why);
        } else {
            out.set(measure, value);
        }
    };
    either(Measure::EditStrength, inside, counts[1] == 0, NOTHING);
    either(
        Measure::BackgroundChange,
        outside,
        beyond == 0,
        NO_BACKGROUND,
    );
    let found = similarity(lumas, map.edited());
    let why = |none: bool, why| if none { why } else { NO_WINDOW };
    let ssim = found.inside.unwrap_or(f64::NAN);
    let none = found.inside.is_none();
    either(
        Measure::SsimInside,
        ssim,
        none,
        why(counts[1] == 0, NOTHING),
    );
    let ssim = found.outside.unwrap_or(f64::NAN);
    let none = found.outside.is_none();
    either(
        Measure::SsimOutside,
        ssim,
        none,
        why(counts[0] == 0, NO_BACKGROUND),
    );
    found.all
}

/// How vivid both are.
fn colors(out: &mut Measures, pair: &Pair) {
    let [source, edit] =
        [0, 1].map(|side: usize| Colors::of(&pair.pixels[side], &pair.labs[side].light));
    out.set(Measure::SatDelta, edit.saturation - source.saturation);
    out.set(
        Measure::SatP95Delta,
        edit.most_saturation - source.most_saturation,
    );
    out.set(Measure::LumDelta, edit.lightness - source.lightness);
    out.set(Measure::ContrastDelta, edit.contrast - source.contrast);
    out.set(
        Measure::ColorfulnessDelta,
        edit.colorfulness - source.colorfulness,
    );
}

/// What is measured on one image's colors.
struct Colors {
    saturation: f64,
    /// The 95th percentile.
    most_saturation: f64,
    lightness: f64,
    /// The standard deviation of the lightness.
    contrast: f64,
    colorfulness: f64,
}

impl Colors {
    fn of(pixels: &[Pixel], light: &[f32]) -> Self {
        const BINS: usize = 2000;
        let n = pixels.len() as f64;
        let (mut counts, mut sum) = (vec![0_usize; BINS + 1], 0.0);
        for (saturation, count) in saturations(pixels) {
            sum += saturation * count as f64;
            counts[(saturation * BINS as f64 + 0.5) as usize] += count;
        }
        let wanted = (0.95 * n).ceil() as usize;
        let mut below = 0;
        let bin = counts.iter().position(|count| {
            below += count;
            below >= wanted
        });
        let lightness = sum_of(light, |l| l) / n;
        let square = |l: f64| (l - lightness) * (l - lightness);
        Self {
            saturation: sum / n,
            most_saturation: bin.unwrap_or(BINS) as f64 / BINS as f64,
            lightness,
            contrast: (sum_of(light, square) / n).sqrt(),
            colorfulness: colorfulness(pixels).unwrap_or(0.0),
        }
    }
}

/// The saturations of pixels, and of how many each is. There are far fewer than pixels: one for each largest and smallest
/// component.
fn saturations(pixels: &[Pixel]) -> impl Iterator<Item = (f64, usize)> {
    let mut counts = vec![0_u32; 256 * 256];
    for &[r, g, b] in pixels {
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        counts[usize::from(most) * 256 + usize::from(least)] += 1;
    }
    let found = counts.into_iter().enumerate().filter(|(_, n)| *n > 0);
    found.map(|(at, n)| {
        let (most, least) = ((at / 256) as u8, (at % 256) as u8);
        (saturation([most, least, least]), n as usize)
    })
}

/// The sum of what becomes of numbers, in several lanes.
fn sum_of(numbers: &[f32], of: impl Fn(f64) -> f64) -> f64 {
    let (blocks, rest) = numbers.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for block in blocks {
        for (lane, number) in lanes.iter_mut().zip(block) {
            *lane += of(f64::from(*number));
        }
    }
    let rest: f64 = rest.iter().map(|number| of(f64::from(*number))).sum();
    lanes.iter().sum::<f64>() + rest
}

/// The share of pixels of which a component is at an end of the scale.
fn clipped_share(pixels: &[Pixel]) -> f64 {
    // 0 and 255 are the ends of the scale that runs on from 255 to 0.
    let clipped = |v: u8| v.wrapping_add(1) < 2;
    let share = |[r, g, b]: &Pixel| usize::from(clipped(*r) | clipped(*g) | clipped(*b));
    pixels.iter().map(share).sum::<usize>() as f64 / pixels.len() as f64
}

/// `lumas` are those of the frame of the map.
fn textures(out: &mut Measures, lumas: &[Luma; 2], images: [Raster<'_>; 2]) {
    let sizes = images.map(|image| (image.width(), image.height()));
    let own = [0, 1].map(|side: usize| {
        if sizes[side] == lumas[side].size {
            Cow::Borrowed(&lumas[side])
        } else {
            Cow::Owned(Luma::of(sizes[side], images[side].pixels()))
        }
    });
    let blocks = [0, 1].map(|side: usize| own[side].blockiness());
    match blocks {
        [Some(source), Some(edit)] => out.set(Measure::BlockinessDelta, edit - source),
        _ => out.forgo(
            Measure::BlockinessDelta,
            "an image has no two blocks of 8 × 8 pixels each way",
        ),
    }
    let textures = if sizes[0] == sizes[1] {
        own.map(|luma| luma.texture())
    } else {
        [0, 1].map(|side: usize| lumas[side].texture())
    };
    let [Some(source), Some(edit)] = textures else {
        for measure in [Measure::SharpnessDelta, Measure::NoiseDelta] {
            out.forgo(measure, "an image has fewer than 3 × 3 pixels");
        }
        return;
    };
    out.set(Measure::NoiseDelta, edit.noise - source.noise);
    let sharp = |texture: &Texture| texture.sharpness > 1e-6;
    if sharp(&source) && sharp(&edit) {
        let ratio = edit.sharpness / source.sharpness;
        out.set(Measure::SharpnessDelta, ratio.ln());
    } else {
        out.forgo(Measure::SharpnessDelta, "an image has no detail at all");
    }
}

/// Whether the edit is the source again, up to encoding: the same shape, no edited region but specks, no tint, means of blocks that are the
/// same to the eye, and the detail still there. JPEG of quality 75 and better passes; blur, tints and edits that can be seen do not.
fn returned(out: &Measures, pair: &Pair, map: &EditMap, similar: Option<f64>) -> bool {
    let same_shape = out
        .get(Measure::AspectRatio)
        .is_some_and(|ratio| (ratio - 1.0).abs() <= SHAPE);
    same_shape
        && map.share() <= SPECKS
        && map.tint() == 0.0
        && similar.is_none_or(|similar| similar >= SIMILAR)
        && blocks_agree(pair)
}

/// Whether the means of nearly all blocks look the same, and those of none look much different.
fn blocks_agree(pair: &Pair) -> bool {
    let (width, height) = pair.size;
    let mean = |side: usize, left: usize, top: usize| {
        let (right, bottom) = ((left + BLOCK).min(width), (top + BLOCK).min(height));
        pair.labs[side].mean(width, left..right, top..bottom)
    };
    let tops = (0..height).step_by(BLOCK);
    let places = tops.flat_map(|top| (0..width).step_by(BLOCK).map(move |left| (left, top)));
    let mut apart: Vec<f32> = places
        .map(|(left, top)| super::lab::delta_e(mean(0, left, top), mean(1, left, top)))
        .collect();
    let most = quantile(&mut apart, 0.99).unwrap_or(0.0);
    let farthest = quantile(&mut apart, 1.0).unwrap_or(0.0);
    most <= RETURNED && farthest <= FARTHEST
}

#[cfg(test)]
mod tests;
