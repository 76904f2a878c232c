//! Filling a hole with what surrounds it, so that a removed thing is not missed.
//!
//! Exemplar completion from coarse to fine (Wexler, Shechtman, Irani 2007) with random-search correspondence (Barnes et al.
//! 2009): every patch in the hole is made to look like some patch outside. It knows textures, not things: what stood behind
//! a large object is invented as more of its surroundings.

use rand::RngExt as _;

use super::color::{Rgb, encoded};
use super::grid::{Grid, Sample, smoothstep};
use super::mask::Mask;
use super::noise::Chance;
use super::picture::Picture;

/// Patches are (2 · `REACH` + 1)² pixels.
const REACH: isize = 3;

/// How much worse a patch is for being a whole picture's width away.
const FAR: f32 = 1.5;

/// The picture with what `hole` covers filled in. Nothing is copied from where `hole` or `avoid` is set.
pub(crate) fn filled(
    picture: &Picture,
    hole: &Mask,
    avoid: Option<&Mask>,
    chance: &mut Chance,
) -> Picture {
    let hard = hole.map(|v| f32::from(v > 0.04));
    if hard.share() <= 0.0 {
        return picture.clone();
    }
    let barred = avoid.map_or_else(
        || hard.clone(),
        |a| hard.union(&a.map(|v| f32::from(v > 0.1))),
    );
    // Compared and averaged as code values: equal steps there look equal.
    let codes = picture.map(|rgb| rgb.map(encoded));
    let mut levels = vec![Level::new(codes, hard, barred)];
    while let Some(coarser) = levels.last().and_then(Level::halved) {
        levels.push(coarser);
    }
    let mut solved: Option<(Picture, Matches)> = None;
    for (depth, level) in levels.iter().enumerate().rev() {
        if level.sources.is_empty() {
            continue;
        }
        let below = solved.as_ref().map(|(_, matches)| matches);
        let rounds = if below.is_none() {
            14
        } else {
            2 + 2 * depth.min(3)
        };
        solved = Some(level.solved(below, rounds, chance));
    }
    let Some((solution, _)) = solved else {
        return picture.clone();
    };
    let light = solution.map(|rgb| rgb.map(super::color::decoded));
    let seam = hole.map(|v| smoothstep(0.0, 0.35, v));
    picture.mixed(&light, &seam)
}

/// For each pixel, the index of the source pixel whose surroundings its own should look like, and how far they differ.
type Matches = Grid<(usize, f32)>;

/// One scale of the pyramid.
struct Level {
    codes: Picture,
    hole: Mask,
    barred: Mask,
    /// Indices of pixels whose whole patch lies inside the picture and touches nothing barred.
    sources: Vec<usize>,
    is_source: Grid<bool>,
    /// Indices of pixels whose patch touches the hole.
    targets: Vec<usize>,
}

impl Level {
    fn new(codes: Picture, hole: Mask, barred: Mask) -> Self {
        let (width, height) = (codes.width, codes.height);
        let margin = REACH.unsigned_abs();
        let inside = |x: usize, y: usize| {
            x >= margin && y >= margin && x + margin < width && y + margin < height
        };
        let near_barred = spread_by(&barred, REACH);
        let near_hole = spread_by(&hole, REACH);
        let is_source = near_barred.map_at(|x, y, b| !b && inside(x, y));
        let indices = |grid: &Grid<bool>| {
            (0..grid.cells.len())
                .filter(|i| grid.cells[*i])
                .collect::<Vec<_>>()
        };
        Self {
            sources: indices(&is_source),
            targets: indices(&near_hole),
            codes,
            hole,
            barred,
            is_source,
        }
    }

    /// Half the size; `None` once the hole is about as small as a patch or the picture would be too small to copy from.
    fn halved(&self) -> Option<Self> {
        let wide = self.hole.inverted().distance();
        let deepest = wide.cells.iter().copied().fold(0.0, f32::max);
        if deepest < 2.0 || self.codes.width.min(self.codes.height) < 40 {
            return None;
        }
        let known = self.hole.inverted();
        let (codes, known_share) = self.codes.halved(&known);
        let hole = known_share.map(|v| f32::from(v < 0.6));
        let ones = Grid::filled(self.barred.width, self.barred.height, 1.0);
        let barred = self.barred.halved(&ones).0.map(|v| f32::from(v > 0.3));
        let level = Self::new(codes, hole.clone(), barred.union(&hole));
        (level.sources.len() > 200).then_some(level)
    }

    fn solved(
        &self,
        below: Option<&Matches>,
        rounds: usize,
        chance: &mut Chance,
    ) -> (Picture, Matches) {
        let mut matches = self.first_matches(below, chance);
        // At first every pixel is what its chance match says: a smooth start would stay smooth.
        let mut guess = self.with_hole_from(|x, y| self.codes.cells[matches.get(x, y).0]);
        for round in 0..rounds {
            self.rate(&guess, &mut matches);
            for sweep in 0..2 {
                self.improve(&guess, &mut matches, (round + sweep) % 2 == 1, chance);
            }
            let softness = if below.is_none() && round * 2 < rounds {
                0.5
            } else {
                0.06
            };
            guess = self.voted(&matches, &guess, softness);
        }
        (guess, matches)
    }

    fn with_hole_from(&self, mut value: impl FnMut(usize, usize) -> Rgb) -> Picture {
        self.codes.map_at(|x, y, known| {
            if self.hole.get(x, y) > 0.5 {
                value(x, y)
            } else {
                known
            }
        })
    }

    fn first_matches(&self, coarse: Option<&Matches>, chance: &mut Chance) -> Matches {
        let width = self.codes.width;
        let mut matches = Grid::filled(width, self.codes.height, (0, f32::MAX));
        for &at in &self.targets {
            let (x, y) = (at % width, at / width);
            let finer = coarse.and_then(|coarse| {
                let half = coarse.get(x / 2, y / 2).0;
                let (sx, sy) = (
                    half % coarse.width * 2 + x % 2,
                    half / coarse.width * 2 + y % 2,
                );
                let known = half != 0 && sx < width && sy < self.codes.height;
                (known && self.is_source.get(sx, sy)).then(|| sy * width + sx)
            });
            let source =
                finer.unwrap_or_else(|| self.sources[chance.random_range(0..self.sources.len())]);
            matches.cells[at] = (source, f32::MAX);
        }
        matches
    }

    fn rate(&self, guess: &Picture, matches: &mut Matches) {
        for &at in &self.targets {
            let source = matches.cells[at].0;
            matches.cells[at].1 = self.difference(guess, at, source, f32::MAX);
        }
    }

    /// Sum of squared differences of the two patches, more for far ones: what is near has the same light and focus. Stops
    /// counting once above `limit`.
    fn difference(&self, guess: &Picture, target: usize, source: usize, limit: f32) -> f32 {
        let width = self.codes.width;
        let (tx, ty) = (target % width, target / width);
        let down = (source / width).abs_diff(ty) as f32 / self.codes.height as f32;
        let across = (source % width).abs_diff(tx) as f32 / width as f32;
        let far = 1.0 + FAR * (2.0 * down + across);
        let limit = limit / far;
        let mut sum = 0.0;
        for dy in -REACH..=REACH {
            let row = source.saturating_add_signed(dy * width.cast_signed());
            for dx in -REACH..=REACH {
                let a = guess.near(tx, ty, dx, dy);
                let b = self.codes.cells[row.saturating_add_signed(dx)];
                let off = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2);
                // What is known counts more than what is being guessed.
                sum += off * (2.0 - self.hole.near(tx, ty, dx, dy));
            }
            if sum > limit {
                break;
            }
        }
        sum * far
    }

    /// One sweep: tries what the neighbours found, moved along, and random places in shrinking circles.
    fn improve(&self, guess: &Picture, matches: &mut Matches, back: bool, chance: &mut Chance) {
        let (width, height) = (self.codes.width, self.codes.height);
        let step: isize = if back { 1 } else { -1 };
        for i in 0..self.targets.len() {
            let at = self.targets[if back { self.targets.len() - 1 - i } else { i }];
            let mut best = matches.cells[at];
            let consider = |source: usize, best: &mut (usize, f32)| {
                if source < self.is_source.cells.len()
                    && source != best.0
                    && self.is_source.cells[source]
                {
                    let difference = self.difference(guess, at, source, best.1);
                    if difference < best.1 {
                        *best = (source, difference);
                    }
                }
            };
            for stride in [1, width.cast_signed()] {
                let beside = at.saturating_add_signed(step * stride);
                if let Some((source, _)) = matches.cells.get(beside).filter(|m| m.0 != 0) {
                    consider(source.saturating_add_signed(-step * stride), &mut best);
                }
            }
            let mut radius = width.max(height) as f32;
            while radius >= 1.0 {
                let (sx, sy) = (best.0 % width, best.0 / width);
                let x = sx as f32 + radius * (2.0 * chance.random::<f32>() - 1.0);
                let y = sy as f32 + radius * (2.0 * chance.random::<f32>() - 1.0);
                let source = super::grid::cell(y, height) * width + super::grid::cell(x, width);
                consider(source, &mut best);
                radius *= 0.5;
            }
            matches.cells[at] = best;
        }
    }

    /// Every hole pixel becomes the mean of what the patches over it propose; the worse a patch fits than the best of them,
    /// the less it counts, and the less the smaller `softness` is.
    fn voted(&self, matches: &Matches, guess: &Picture, softness: f32) -> Picture {
        let (width, height) = (self.codes.width, self.codes.height);
        let mut differences: Vec<f32> =
            self.targets.iter().map(|at| matches.cells[*at].1).collect();
        differences.sort_by(f32::total_cmp);
        let width_of_vote = softness * differences[differences.len() / 2].max(1e-4);
        let mut best = Grid::filled(width, height, f32::MAX);
        self.each_vote(matches, |at, _, difference| {
            best.cells[at] = best.cells[at].min(difference);
        });
        let mut sums = Grid::filled(width, height, ([0.0_f32; 3], 0.0_f32));
        self.each_vote(matches, |at, from, difference| {
            let weight = libm::expf((best.cells[at] - difference) / width_of_vote);
            let (sum, total) = sums.cells[at];
            sums.cells[at] = (sum.plus(self.codes.cells[from], weight), total + weight);
        });
        guess.zip(&sums, |old, (sum, total)| {
            if total > 0.0 {
                sum.times(1.0 / total)
            } else {
                old
            }
        })
    }

    /// Calls `vote` with every hole pixel, the pixel that a patch over it proposes, and how badly that patch fits.
    fn each_vote(&self, matches: &Matches, mut vote: impl FnMut(usize, usize, f32)) {
        let (width, height) = (self.codes.width, self.codes.height);
        for &at in &self.targets {
            let (source, difference) = matches.cells[at];
            let (x, y) = (at % width, at / width);
            for dy in -REACH..=REACH {
                for dx in -REACH..=REACH {
                    let (Some(px), Some(py)) = (x.checked_add_signed(dx), y.checked_add_signed(dy))
                    else {
                        continue;
                    };
                    if px < width && py < height && self.hole.get(px, py) > 0.5 {
                        let from = source.saturating_add_signed(dy * width.cast_signed() + dx);
                        vote(py * width + px, from, difference);
                    }
                }
            }
        }
    }
}

/// Where a set cell lies within `reach` in both directions.
fn spread_by(mask: &Mask, reach: isize) -> Grid<bool> {
    let across = mask.map_at(|x, y, _| (-reach..=reach).any(|d| mask.near(x, y, d, 0) > 0.5));
    across.map_at(|x, y, _| (-reach..=reach).any(|d| across.near(x, y, 0, d)))
}

#[cfg(test)]
mod tests {
    use super::super::noise::chance;
    use super::*;

    /// Vertical stripes with a red square on them.
    fn striped() -> (Picture, Mask) {
        let hole = Grid::from_fn(64, 48, |x, y| {
            f32::from((24..38).contains(&x) && (18..32).contains(&y))
        });
        let picture = hole.map_at(|x, _, h| {
            let stripe = if x % 8 < 4 { 0.1 } else { 0.7 };
            if h > 0.5 {
                [0.9, 0.0, 0.0]
            } else {
                [stripe; 3]
            }
        });
        (picture, hole)
    }

    #[test]
    fn stripes_go_on_through_the_hole() {
        let (picture, hole) = striped();
        let filled = filled(&picture, &hole, None, &mut chance(1, "fill"));
        let wrong = (24..38)
            .flat_map(|x| (18..32).map(move |y| (x, y)))
            .filter(|&(x, y)| {
                let stripe = if x % 8 < 4 { 0.1 } else { 0.7 };
                (filled.get(x, y)[1] - stripe).abs() > 0.15
            })
            .count();
        assert!(wrong < 20, "{wrong} of 196 pixels break the pattern");
    }

    #[test]
    fn outside_the_hole_nothing_changes() {
        let (picture, hole) = striped();
        let filled = filled(&picture, &hole, None, &mut chance(1, "fill"));
        for (i, h) in hole.cells.iter().enumerate() {
            if *h == 0.0 {
                assert_eq!(filled.cells[i], picture.cells[i]);
            }
        }
    }

    #[test]
    fn no_hole_is_no_work() {
        let (picture, _) = striped();
        let none = Grid::filled(64, 48, 0.0);
        assert_eq!(
            filled(&picture, &none, None, &mut chance(1, "fill")),
            picture
        );
    }
}
