//! Why this score: what it would be if a region had not been edited. The source's patch is put in the place of the edit's, patch by
//! patch, and the model rates each such picture; where the score drops, the edit there had raised it.
//!
//! Coarse to fine: first the whole frame (the source itself), then halves each way, and so on. A patch is looked at more finely
//! only where something may be found there, and one in which edit and source are alike to the pixel costs nothing: its drop is 0.
//! A patch's border is soft unless a hard one is asked for, since a seam is a fault that the model would see; at the frame's own
//! edges there is no border.

use std::ops::ControlFlow;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::probe::{Material, ProbeError, encoded, rate};
use crate::domain::{Axis, Reward};
use crate::model::{Judge, Picture};

/// How to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Patches along each side, level by level; each a multiple of the one before.
    pub levels: Vec<usize>,
    /// A patch is looked at more finely where its drop, on any axis, is at least this part of the largest of its level. 0 looks
    /// everywhere.
    pub spare: f64,
    /// The width of a patch's soft border, as a part of its shorter side, from 0 (hard) to 0.5.
    pub border: f64,
}

impl Default for Plan {
    /// 1, 2, 4 and 8 patches a side, finer where a quarter of the largest drop is, with borders of an eighth: 86 pictures at the
    /// most, the edit itself among them.
    fn default() -> Self {
        Self {
            levels: vec![1, 2, 4, 8],
            spare: 0.25,
            border: 0.125,
        }
    }
}

/// A part of the frame: a cell of an even grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Patch {
    /// Cells along each side of the grid.
    pub of: usize,
    /// The cell's column, from 0.
    pub column: usize,
    /// Its row.
    pub row: usize,
}

impl Patch {
    /// Its pixels in a picture: left, top, right, bottom, the last two just outside. Without pixels where the picture has fewer
    /// than cells.
    pub fn pixels(self, width: u32, height: u32) -> [u32; 4] {
        let at = |cell: usize, side: u32| {
            let at = cell as u64 * u64::from(side) / self.of.max(1) as u64;
            u32::try_from(at).unwrap_or(side).min(side)
        };
        [
            at(self.column, width),
            at(self.row, height),
            at(self.column + 1, width),
            at(self.row + 1, height),
        ]
    }

    /// The cells of a finer grid that it is made of.
    fn parts(self, of: usize) -> impl Iterator<Item = Self> {
        let times = of / self.of.max(1);
        let first = (self.column * times, self.row * times);
        (0..times * times).map(move |i| Self {
            of,
            column: first.0 + i % times,
            row: first.1 + i / times,
        })
    }
}

/// By how much a score drops, on each axis, and in the model's aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Drops {
    /// Instruction following; `None` of a model with one score only.
    #[serde(rename = "if")]
    pub instruction_following: Option<f64>,
    /// Visual quality.
    #[serde(rename = "vq")]
    pub visual_quality: Option<f64>,
    /// The aggregate.
    pub aggregate: f64,
}

impl Drops {
    fn between(whole: &Reward, without: &Reward) -> Self {
        let on = |axis| Some(whole.on(axis)?.mean - without.on(axis)?.mean);
        Self {
            instruction_following: on(Axis::InstructionFollowing),
            visual_quality: on(Axis::VisualQuality),
            aggregate: whole.aggregate.mean - without.aggregate.mean,
        }
    }

    fn none(whole: &Reward) -> Self {
        Self::between(whole, whole)
    }

    /// On an axis, or (`None`) in the aggregate.
    pub const fn on(&self, axis: Option<Axis>) -> Option<f64> {
        match axis {
            None => Some(self.aggregate),
            Some(Axis::InstructionFollowing) => self.instruction_following,
            Some(Axis::VisualQuality) => self.visual_quality,
        }
    }

    /// The largest of them, up or down.
    fn size(&self) -> f64 {
        [
            Some(self.aggregate),
            self.instruction_following,
            self.visual_quality,
        ]
        .into_iter()
        .flatten()
        .fold(0.0, |most, drop| drop.abs().max(most))
    }
}

/// A patch that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Where.
    pub patch: Patch,
    /// By how much the scores drop without the edit there; or why that is not known.
    pub drops: Result<Drops, String>,
}

/// A grid over the frame, a number a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// Cells along each side.
    pub side: usize,
    /// The drop that falls to each cell, row by row; one that was only looked at as a part of a larger patch has its even share
    /// of that patch's. `None` where nothing is known.
    pub cells: Vec<Option<f64>>,
    /// Whether each cell was looked at by itself, or known to be as in the source.
    pub finest: Vec<bool>,
}

impl Heat {
    /// The drops of all cells together. It differs from the drop without any edit as far as regions work on the score together.
    pub fn sum(&self) -> f64 {
        self.cells.iter().flatten().sum()
    }

    /// The cell with the largest drop, as column and row.
    pub fn hottest(&self) -> Option<(usize, usize)> {
        let known = self.cells.iter().enumerate();
        let known = known.filter_map(|(i, drop)| Some((i, (*drop)?)));
        let (i, _) = known.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((i % self.side, i / self.side))
    }
}

/// An occlusion while it grows. It says which patches are to be looked at next and makes their pictures; whoever has the model
/// rates them and hands the rewards in, all of a level before the next is asked for.
#[derive(Debug, Clone)]
pub struct Occlusion {
    edit: RgbImage,
    source: RgbImage,
    instruction: String,
    plan: Plan,
    whole: Option<Reward>,
    seen: Vec<Seen>,
    /// Levels that were handed out.
    levels: usize,
}

impl Occlusion {
    /// Of a candidate. An error where the plan's levels are not multiples of each other.
    pub fn new(material: &Material, plan: Plan) -> Result<Self, ProbeError> {
        let finer = plan
            .levels
            .windows(2)
            .all(|w| w[1] > w[0] && w[1].is_multiple_of(w[0]));
        if plan.levels.is_empty() || plan.levels[0] == 0 || !finer {
            return Err(ProbeError::Choice(format!(
                "patches along each side must grow by multiples, as 1, 2, 4, 8; not {:?}",
                plan.levels
            )));
        }
        if !(0.0..=0.5).contains(&plan.border) || !(0.0..=1.0).contains(&plan.spare) {
            return Err(ProbeError::Choice(
                "a patch's border is from 0 to 0.5 of it, and what is spared from 0 to 1".into(),
            ));
        }
        Ok(Self {
            source: material.fitting(material.source_pixels()),
            edit: material.edit_pixels().clone(),
            instruction: material.instruction().to_owned(),
            plan,
            whole: None,
            seen: Vec::new(),
            levels: 0,
        })
    }

    /// What was asked for.
    pub fn instruction(&self) -> &str {
        &self.instruction
    }

    /// The reward of the edit as it is, which every drop is from: the first thing to be handed in.
    pub fn begin(&mut self, whole: Reward) {
        self.whole = Some(whole);
    }

    /// The patches of the next level that are to be looked at; empty when there is none left. Those that are as in the source are
    /// taken in by themselves.
    pub fn finer(&mut self) -> Vec<Patch> {
        let Some(whole) = self.whole else {
            return Vec::new();
        };
        while let Some(&of) = self.plan.levels.get(self.levels) {
            let level = self.levels;
            self.levels += 1;
            let wanted: Vec<Patch> = match level.checked_sub(1).map(|l| self.plan.levels[l]) {
                None => Patch {
                    of: 1,
                    column: 0,
                    row: 0,
                }
                .parts(of)
                .collect(),
                Some(above) => self
                    .worth(above)
                    .flat_map(|patch| patch.parts(of))
                    .collect(),
            };
            let (alike, open): (Vec<_>, Vec<_>) =
                wanted.into_iter().partition(|patch| self.is_alike(*patch));
            let drops = Ok(Drops::none(&whole));
            let alike = alike.into_iter().map(|patch| Seen {
                patch,
                drops: drops.clone(),
            });
            self.seen.extend(alike);
            if !open.is_empty() {
                return open;
            }
        }
        Vec::new()
    }

    /// The patches of a level in which something may be found.
    fn worth(&self, of: usize) -> impl Iterator<Item = Patch> {
        let level = || self.seen.iter().filter(move |seen| seen.patch.of == of);
        let size = |seen: &Seen| seen.drops.as_ref().map_or(f64::INFINITY, Drops::size);
        let finite = level().map(size).filter(|size| size.is_finite());
        let least = self.plan.spare * finite.fold(0.0, f64::max);
        // A drop of the whole frame says nothing of its parts, whose drops may cancel out.
        let patches: Vec<Patch> = level()
            .filter(|seen| of == 1 || size(seen) >= least)
            .map(|seen| seen.patch)
            .collect();
        patches.into_iter()
    }

    fn is_alike(&self, patch: Patch) -> bool {
        let [left, top, right, bottom] = patch.pixels(self.edit.width(), self.edit.height());
        (top..bottom).all(|y| {
            (left..right).all(|x| self.edit.get_pixel(x, y) == self.source.get_pixel(x, y))
        })
    }

    /// The edit with the source's patch in its place.
    pub fn picture(&self, patch: Patch) -> Result<Picture, ProbeError> {
        let mut picture = self.edit.clone();
        let (width, height) = picture.dimensions();
        let [left, top, right, bottom] = patch.pixels(width, height);
        let border = self.plan.border * f64::from((right - left).min(bottom - top));
        // From the patch's border, half a pixel in, up to full; away from the frame's own edges only.
        let ramp = |i: u32, low: u32, high: u32, side: u32| {
            let from = |distance: u32| (f64::from(distance) + 0.5) / border;
            let before = if low == 0 { 1.0 } else { from(i - low) };
            let after = if high == side {
                1.0
            } else {
                from(high - 1 - i)
            };
            before.min(after).min(1.0)
        };
        for y in top..bottom {
            let down = ramp(y, top, bottom, height);
            for x in left..right {
                let share = down.min(ramp(x, left, right, width));
                let new = self.source.get_pixel(x, y).0;
                for (value, new) in picture.get_pixel_mut(x, y).0.iter_mut().zip(new) {
                    let old = f64::from(*value);
                    *value = (old + share * (f64::from(new) - old)).round() as u8;
                }
            }
        }
        encoded(&picture)
    }

    /// Takes in what the model says of a patch's picture.
    pub fn take(&mut self, patch: Patch, result: Result<Reward, String>) {
        let Some(whole) = self.whole else { return };
        let drops = result.map(|without| Drops::between(&whole, &without));
        self.seen.push(Seen { patch, drops });
    }

    /// What was looked at, in that order.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// The drop without any edit, once it is known (of plans that begin with the whole frame).
    pub fn without_any(&self) -> Option<Drops> {
        let whole = self.seen.iter().find(|seen| seen.patch.of == 1)?;
        whole.drops.clone().ok()
    }

    /// The heat so far, at the finest level that was reached.
    pub fn heat(&self, axis: Option<Axis>) -> Heat {
        let side = self
            .seen
            .iter()
            .map(|seen| seen.patch.of)
            .max()
            .unwrap_or(1);
        let mut heat = Heat {
            side,
            cells: vec![None; side * side],
            finest: vec![false; side * side],
        };
        let mut by_level: Vec<&Seen> = self.seen.iter().collect();
        by_level.sort_by_key(|seen| seen.patch.of);
        for seen in by_level {
            let Some(drop) = seen.drops.as_ref().ok().and_then(|drops| drops.on(axis)) else {
                continue;
            };
            let times = side / seen.patch.of;
            let share = drop / (times * times) as f64;
            for part in seen.patch.parts(side) {
                let cell = part.row * side + part.column;
                heat.cells[cell] = Some(share);
                heat.finest[cell] = times == 1 || drop == 0.0 && self.is_alike(seen.patch);
            }
        }
        heat
    }

    /// The patch of the finest level reached with the largest drop.
    pub fn most_important(&self, axis: Option<Axis>) -> Option<(Patch, f64)> {
        let finest = self.seen.iter().map(|seen| seen.patch.of).max()?;
        self.seen
            .iter()
            .filter(|seen| seen.patch.of == finest)
            .filter_map(|seen| Some((seen.patch, seen.drops.as_ref().ok()?.on(axis)?)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Looks at a candidate patch by patch; `on_patch` hears after each, with all that is known so far, and may stop the rest. An error
/// where the edit itself gets no score.
pub fn occlude(
    judge: &mut (impl Judge + ?Sized),
    material: &Material,
    plan: Plan,
    on_patch: &mut dyn FnMut(&Occlusion) -> ControlFlow<()>,
) -> Result<Occlusion, ProbeError> {
    let mut occlusion = Occlusion::new(material, plan)?;
    let ask = |judge: &mut _, picture: &Picture| {
        rate(judge, material.source(), material.instruction(), picture)
    };
    let whole = ask(judge, &material.neutral()?).map_err(|why| ProbeError::Image {
        which: "the edit",
        why,
    })?;
    occlusion.begin(whole);
    loop {
        let patches = occlusion.finer();
        if patches.is_empty() {
            return Ok(occlusion);
        }
        for patch in patches {
            let result = ask(judge, &occlusion.picture(patch)?);
            occlusion.take(patch, result);
            if on_patch(&occlusion).is_break() {
                return Ok(occlusion);
            }
        }
    }
}

#[cfg(test)]
mod tests;
