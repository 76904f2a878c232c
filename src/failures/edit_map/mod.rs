//! Where and how much an edit changed its source.
//!
//! Both images are brought to the source's frame (an edit of another shape is stretched to it; nothing is registered), at most
//! 512 pixels long and no finer than the coarser of the two, so that what is compared is what both can show. Each pixel gets its
//! ΔE2000. What the whole background did alike, a tint or another tone, is found first (`background`) and taken away; what is
//! left, smoothed, is held against what encoding alone does to such a place (`noise`), and the pixels above that are cleaned to
//! regions (`regions`). So a local edit stands out over noise of encoding and over a tinted background alike. Where the change is one
//! of the whole frame there is no background, and the whole frame is one region.

mod background;
mod noise;
mod regions;

use std::borrow::Cow;

use super::lab::{Labs, delta_es};
use super::plane::{Size, at_size, grown, smoothed};
use crate::domain::Extent;
use crate::domain::color::Pixel;
use crate::domain::raster::Raster;

use noise::Noise;

pub use regions::Region;

/// The longest side of a map, in pixels.
pub const LONG_SIDE: usize = 512;

/// The shortest long side that an edit of few pixels brings a map down to.
const LEAST_SIDE: f64 = 64.0;

/// ΔE2000 of 2.3 is a difference that half of all people see where they look for it.
const VISIBLE: f32 = 2.3;

/// A region is begun by what is so many times the threshold.
const BEGIN: f32 = 1.7;

/// From so much of the frame on the rest is no background to speak of.
const WHOLE: f64 = 0.97;

/// A tone of the whole frame of such a strength is an edit by itself, unless something in it changed more.
const STRONG_TONE: f32 = 8.0;

/// What lies within this share of the long side of a region is no background.
const RIM: f64 = 0.012;

/// Where and how much an edit changed its source.
#[derive(Debug, Clone, PartialEq)]
pub struct EditMap {
    size: Size,
    change: Vec<f32>,
    edited: Vec<bool>,
    regions: Vec<Region>,
    threshold: f32,
    tint: f32,
    whole: bool,
}

impl EditMap {
    /// Finds where `edit` differs from `source`. `benches/failures.rs` says what it costs.
    pub fn between(source: Raster<'_>, edit: Raster<'_>) -> Self {
        Self::of(&Pair::new(source, edit))
    }

    pub(super) fn of(pair: &Pair) -> Self {
        let size = pair.size;
        let tone = background::Tone::of(pair);
        let left = match &tone {
            background::Tone::None => None,
            tone => Some(pair.left_by(tone)),
        };
        let left = left.as_deref().unwrap_or(&pair.change);
        let fine = smoothed(left, size, 1);
        let coarse = smoothed(&fine, size, 2);
        let noise = Noise::of(&coarse, &pair.labs[0].light, size);
        let threshold = noise.threshold();
        let cuts = (threshold, BEGIN * threshold);
        let [raw, fine, coarse] = [left, &fine, &coarse].map(|plane| noise.weighed(plane));
        let found = regions::found([&raw, &fine, &coarse], size, cuts);
        let tint = tone.strength(pair);
        let mut map = Self {
            size,
            change: pair.change.clone(),
            edited: found.edited,
            regions: found.regions,
            threshold,
            tint,
            whole: false,
        };
        let (mut inside, mut n) = (0.0, 0_usize);
        for (_, left) in map.edited.iter().zip(left).filter(|(edited, _)| **edited) {
            inside += left;
            n += 1;
        }
        let stands_out = n > 0 && inside / n as f32 > tint;
        if map.share() >= WHOLE || (tint >= STRONG_TONE && !stands_out) {
            map.take_all();
        }
        map
    }

    /// Takes the whole frame as one region.
    fn take_all(&mut self) {
        let (width, height) = self.size;
        self.edited.fill(true);
        self.whole = true;
        self.regions = vec![Region {
            x: 0,
            y: 0,
            width,
            height,
            pixels: width * height,
        }];
    }

    /// Columns, 1 to [`LONG_SIDE`].
    pub const fn width(&self) -> usize {
        self.size.0
    }

    /// Rows, 1 to [`LONG_SIDE`].
    pub const fn height(&self) -> usize {
        self.size.1
    }

    /// How far each pixel of the edit is from the source's, as ΔE2000 (0 to about 100), row by row, not smoothed, with whatever
    /// tint the background has.
    pub fn change(&self) -> &[f32] {
        &self.change
    }

    /// Whether each pixel is in an edited region, row by row.
    pub fn edited(&self) -> &[bool] {
        &self.edited
    }

    /// The edited regions, largest first.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The share of the frame in edited regions, 0 to 1.
    pub fn share(&self) -> f64 {
        let edited: usize = self.regions.iter().map(|region| region.pixels).sum();
        edited as f64 / self.edited.len() as f64
    }

    /// What a smoothed change has to reach to be in a region where the source is calm, as ΔE2000, beyond what the whole background
    /// did; up to 6 where it is busy.
    pub const fn threshold(&self) -> f32 {
        self.threshold
    }

    /// How far the background as a whole was tinted or toned, as the median ΔE2000 of that; 0 where it was left as it is.
    pub const fn tint(&self) -> f32 {
        self.tint
    }

    /// The pixels well outside the edited regions, row by row: an edit's edge is soft, and encoding carries it further. None where
    /// the whole frame was edited.
    pub fn background(&self) -> Vec<bool> {
        let long = self.size.0.max(self.size.1) as f64;
        let rim = (long * RIM).ceil() as usize;
        let near = grown(&self.edited, self.size, rim);
        near.into_iter().map(|near| !near).collect()
    }

    /// Whether the whole frame was edited, so that there is no background.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// How far it reaches.
    pub fn extent(&self) -> Extent {
        Extent {
            share: self.share(),
            spread: self.spread(),
            regions: self.regions.len(),
            whole: self.whole,
            tint: Some(f64::from(self.tint)),
        }
    }

    /// The share of the cells of a grid of 4 × 4 in which at least a tenth of the pixels is in edited regions, 0 to 1.
    pub fn spread(&self) -> f64 {
        const CELLS: usize = 4;
        let (width, height) = self.size;
        let mut counts = [[0_usize; 2]; CELLS * CELLS];
        for (y, row) in self.edited.chunks_exact(width).enumerate() {
            for (x, edited) in row.iter().enumerate() {
                let cell = &mut counts[y * CELLS / height * CELLS + x * CELLS / width];
                cell[0] += usize::from(*edited);
                cell[1] += 1;
            }
        }
        // An image of fewer pixels than cells leaves cells empty.
        let there = counts.iter().filter(|[_, all]| *all > 0).count();
        let touched = counts.iter().filter(|[n, all]| *n > 0 && n * 10 >= *all);
        touched.count() as f64 / there as f64
    }
}

/// A source and its edit at the size of their map.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) size: Size,
    pub(super) pixels: [Cow<'a, [Pixel]>; 2],
    pub(super) labs: [Labs; 2],
    pub(super) change: Vec<f32>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(source: Raster<'a>, edit: Raster<'a>) -> Self {
        let size = size_of(source, edit);
        let pixels = [source, edit].map(|image| at_size(image, size));
        let labs = [0, 1].map(|side: usize| Labs::of(&pixels[side]));
        let change = delta_es(&labs[0], &labs[1]);
        Self {
            size,
            pixels,
            labs,
            change,
        }
    }

    /// How far each pixel of the edit is from what a tone makes of the source's.
    fn left_by(&self, tone: &background::Tone) -> Vec<f32> {
        delta_es(&self.labs[0].mapped(|color| tone.on(color)), &self.labs[1])
    }
}

/// The size of the map: the source's shape, at most [`LONG_SIDE`] long, and no finer than the edit, if that has fewer pixels.
fn size_of(source: Raster<'_>, edit: Raster<'_>) -> Size {
    let (w, h) = (source.width() as f64, source.height() as f64);
    let long = w.max(h);
    let coarser = (edit.width() as f64 / w).max(edit.height() as f64 / h);
    let scale = (LONG_SIDE as f64 / long)
        .min(coarser.max(LEAST_SIDE / long))
        .min(1.0);
    let side = |n: f64| ((n * scale).round() as usize).clamp(1, LONG_SIDE);
    (side(w), side(h))
}

#[cfg(test)]
mod tests;
