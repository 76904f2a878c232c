//! Every cut of one ranking, so that a line can be moved through a million and a half candidates: what is kept, its means and its
//! shares, at once for any number kept.

use std::collections::BTreeMap;

use super::CurateError;
use super::choose::{apportioned, mixed, ranked_for};
use super::pool::Pool;
use super::recipe::{By, Quotas, Recipe};
use crate::domain::CandidateId;

/// A ranking that can be cut anywhere. Everything is by rank, best first, so that a cut reads memory in one direction.
#[derive(Debug)]
pub struct Cuts {
    /// Entries of the pool.
    order: Vec<u32>,
    /// Rank of each entry of the pool; none where it was ruled out.
    ranks: Vec<u32>,
    values: Vec<f64>,
    means: Vec<[f32; 3]>,
    categories: Vec<u32>,
    editors: Vec<u32>,
    /// Of those considered, by category and by editor.
    before: [Vec<usize>; 2],
    before_means: [Option<f64>; 3],
    considered: usize,
    /// Ranks in an order drawn from the seed, for spot checks.
    drawn: Vec<u32>,
    mix: bool,
    by: By,
    histogram: Histogram,
    density: Density,
}

/// How many bins a histogram of a ranking has.
pub const BINS: usize = 128;
/// How many columns (IF) and rows (VQ) the joint density has.
pub const GRID: (usize, usize) = (64, 32);

/// All that may be kept by what they are ranked by, or overall where that is no amount.
#[derive(Debug)]
pub struct Histogram {
    /// Where the first bin begins, and where the last one ends. What lies beyond is in the outermost.
    pub ends: (f64, f64),
    /// Counts, lowest first.
    pub counts: Vec<usize>,
    bins: Vec<u8>,
}

/// All that may be kept by both axes.
#[derive(Debug)]
pub struct Density {
    /// The ends on IF, and those on VQ.
    pub ends: [(f64, f64); 2],
    /// Counts, row by row from the lowest VQ, in a row from the lowest IF. None where the model has not both axes.
    pub counts: Vec<usize>,
    cells: Vec<u16>,
}

/// What a cut keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// How many.
    pub count: usize,
    /// Means of those considered: overall, IF, VQ.
    pub before: [Option<f64>; 3],
    /// Means of those kept.
    pub after: [Option<f64>; 3],
    /// By category: considered and kept.
    pub categories: Vec<(usize, usize)>,
    /// By editor: considered and kept.
    pub editors: Vec<(usize, usize)>,
    /// What the last one that is kept was ranked by.
    pub at_cut: Option<f64>,
    /// Of each bin of the histogram, how many are kept.
    pub bins: Vec<usize>,
    /// Of each cell of the density.
    pub cells: Vec<usize>,
    /// Whether each rank is kept.
    ranks: Vec<bool>,
}

const NO_RANK: u32 = u32::MAX;

impl Cuts {
    /// Ranks by a recipe, whatever its cut. Near duplicates are not looked for here, since that takes the images.
    ///
    /// # Errors
    /// Where the recipe makes no sense.
    pub fn of(pool: &Pool, recipe: &Recipe) -> Result<Self, CurateError> {
        let (order, values) = ranked_for(pool, recipe)?;
        let entry = |at: &u32| &pool.entries[*at as usize];
        let mut ranks = vec![NO_RANK; pool.entries.len()];
        for (rank, at) in (0..).zip(&order) {
            ranks[*at as usize] = rank;
        }
        let mut before = [vec![0; pool.categories.len()], vec![0; pool.editors.len()]];
        let (mut sums, mut counts, mut considered) = ([0.0; 3], [0_usize; 3], 0);
        for entry in pool.considered() {
            considered += 1;
            before[0][entry.category as usize] += 1;
            before[1][entry.editor as usize] += 1;
            for part in (0..3).filter(|part| !entry.means[*part].is_nan()) {
                sums[part] += entry.means[part];
                counts[part] += 1;
            }
        }
        let mut drawn: Vec<(u64, u32)> = order
            .iter()
            .zip(0..)
            .map(|(at, rank)| {
                let id = entry(at).candidate.0.cast_unsigned();
                (mixed(!recipe.seed ^ id), rank)
            })
            .collect();
        drawn.sort_unstable();
        let means: Vec<[f32; 3]> = order
            .iter()
            .map(|at| entry(at).means.map(|m| m as f32))
            .collect();
        let amount = !matches!(recipe.by, By::Pareto | By::Random);
        let shown: Vec<f64> = if amount {
            order.iter().map(|at| values[*at as usize]).collect()
        } else {
            order.iter().map(|at| entry(at).means[0]).collect()
        };
        Ok(Self {
            histogram: Histogram::of(&shown),
            density: Density::of(&means),
            values: order.iter().map(|at| values[*at as usize]).collect(),
            means,
            categories: order.iter().map(|at| entry(at).category).collect(),
            editors: order.iter().map(|at| entry(at).editor).collect(),
            drawn: drawn.into_iter().map(|(_, rank)| rank).collect(),
            before_means: [0, 1, 2].map(|p| (counts[p] > 0).then(|| sums[p] / counts[p] as f64)),
            before,
            considered,
            mix: recipe.quotas == Quotas::Mix,
            by: recipe.by,
            order,
            ranks,
        })
    }

    /// How many can be kept at most.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing can be kept.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many were scored and the filter holds of.
    pub fn considered(&self) -> usize {
        self.considered
    }

    /// What is ranked by.
    pub fn by(&self) -> By {
        self.by
    }

    /// What they are ranked by, best first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All that may be kept, in bins.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// All that may be kept, by both axes.
    pub fn density(&self) -> &Density {
        &self.density
    }

    /// Keeps the best `n`, or in a mix as many of each category as its share; the same as choosing by the recipe does.
    pub fn kept(&self, n: usize) -> Kept {
        let n = n.min(self.len());
        let mut kept = vec![false; self.len()];
        if self.mix {
            let mut room = apportioned(&self.before[0], n);
            let mut left = n;
            for (kept, category) in kept.iter_mut().zip(&self.categories) {
                let room = &mut room[*category as usize];
                if *room > 0 {
                    *room -= 1;
                    left -= 1;
                    *kept = true;
                }
            }
            let passed = kept.iter_mut().filter(|kept| !**kept);
            passed.take(left).for_each(|kept| *kept = true);
        } else {
            kept[..n].fill(true);
        }
        self.told(kept)
    }

    fn told(&self, kept: Vec<bool>) -> Kept {
        let (mut sums, mut counts) = ([0.0; 3], [0_usize; 3]);
        let mut after = [vec![0; self.before[0].len()], vec![0; self.before[1].len()]];
        let (mut count, mut last) = (0, None);
        let (mut bins, mut cells) = (vec![0; BINS], vec![0; self.density.counts.len()]);
        for rank in (0..self.len()).filter(|rank| kept[*rank]) {
            count += 1;
            last = Some(self.values[rank]);
            bins[usize::from(self.histogram.bins[rank])] += 1;
            if let Some(cell) = self.density.cells.get(rank) {
                cells[usize::from(*cell)] += 1;
            }
            after[0][self.categories[rank] as usize] += 1;
            after[1][self.editors[rank] as usize] += 1;
            for (part, mean) in self.means[rank].into_iter().enumerate() {
                if !mean.is_nan() {
                    sums[part] += f64::from(mean);
                    counts[part] += 1;
                }
            }
        }
        let [categories, editors] = after;
        let beside = |before: &[usize], after: Vec<usize>| -> Vec<(usize, usize)> {
            before.iter().copied().zip(after).collect()
        };
        Kept {
            count,
            before: self.before_means,
            after: [0, 1, 2].map(|p| (counts[p] > 0).then(|| sums[p] / counts[p] as f64)),
            categories: beside(&self.before[0], categories),
            editors: beside(&self.before[1], editors),
            at_cut: last,
            bins,
            cells,
            ranks: kept,
        }
    }

    /// The first `n` entries of one side in the order drawn by the seed.
    pub fn sample(&self, cut: &Kept, kept: bool, n: usize) -> Vec<u32> {
        let side = self
            .drawn
            .iter()
            .filter(|rank| cut.ranks[**rank as usize] == kept);
        side.take(n)
            .map(|rank| self.order[*rank as usize])
            .collect()
    }

    /// Those nearest to the cut: the last `n` that are kept and the first `n` that are not, best first.
    pub fn borderline(&self, cut: &Kept, n: usize) -> Vec<u32> {
        let of = |kept: bool| (0..self.len()).filter(move |rank| cut.ranks[*rank] == kept);
        let mut ranks: Vec<usize> = of(true).rev().take(n).collect();
        ranks.reverse();
        ranks.extend(of(false).take(n));
        ranks.into_iter().map(|rank| self.order[rank]).collect()
    }

    /// Whether a cut keeps an entry; `None` where it was ruled out before.
    pub fn keeps(&self, cut: &Kept, entry: u32) -> Option<bool> {
        let rank = *self.ranks.get(entry as usize)?;
        cut.ranks.get(rank as usize).copied()
    }

    /// How often people agree with a side, as far as its sample was judged without a gap: how many they agree with, of how many. Who
    /// judges in the order that the seed drew has judged a random sample, wherever the cut is moved to afterwards.
    pub fn agreed(
        &self,
        cut: &Kept,
        kept: bool,
        pool: &Pool,
        good: &BTreeMap<CandidateId, bool>,
    ) -> (usize, usize) {
        let (mut agreed, mut n) = (0, 0);
        let side = self
            .drawn
            .iter()
            .filter(|rank| cut.ranks[**rank as usize] == kept);
        for rank in side {
            let candidate = pool.entries[self.order[*rank as usize] as usize].candidate;
            let Some(good) = good.get(&candidate) else {
                break;
            };
            n += 1;
            agreed += usize::from(*good == kept);
        }
        (agreed, n)
    }
}

/// The ends between which nearly all numbers lie: a few far out would squeeze the others together.
fn ends(mut values: Vec<f64>) -> (f64, f64) {
    let Some(last) = values.len().checked_sub(1) else {
        return (0.0, 1.0);
    };
    let mut at = |share: f64| {
        let place = (last as f64 * share).round() as usize;
        *values.select_nth_unstable_by(place, f64::total_cmp).1
    };
    let (low, high) = (at(0.002), at(0.998));
    if high - low > 1e-9 {
        (low, high)
    } else {
        (low - 0.5, high + 0.5)
    }
}

/// Which of `n` equal parts between the ends a number lies in; the outermost where it lies beyond.
fn part(value: f64, (low, high): (f64, f64), n: usize) -> usize {
    let at = (value - low) / (high - low) * n as f64;
    (at.clamp(0.0, n as f64) as usize).min(n - 1)
}

impl Histogram {
    fn of(values: &[f64]) -> Self {
        let ends = ends(values.to_vec());
        let bins: Vec<u8> = values.iter().map(|v| part(*v, ends, BINS) as u8).collect();
        let mut counts = vec![0; BINS];
        for bin in &bins {
            counts[usize::from(*bin)] += 1;
        }
        Self { ends, counts, bins }
    }
}

impl Density {
    fn of(means: &[[f32; 3]]) -> Self {
        if means.iter().any(|m| m[1].is_nan() || m[2].is_nan()) {
            return Self {
                ends: [(0.0, 1.0); 2],
                counts: Vec::new(),
                cells: Vec::new(),
            };
        }
        let of = |at: usize| ends(means.iter().map(|m| f64::from(m[at])).collect());
        let (across, up) = (of(1), of(2));
        let cell = |m: &[f32; 3]| {
            let column = part(f64::from(m[1]), across, GRID.0);
            (part(f64::from(m[2]), up, GRID.1) * GRID.0 + column) as u16
        };
        let cells: Vec<u16> = means.iter().map(cell).collect();
        let mut counts = vec![0; GRID.0 * GRID.1];
        for cell in &cells {
            counts[usize::from(*cell)] += 1;
        }
        Self {
            ends: [across, up],
            counts,
            cells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cut, NoLooks, choose};
    use super::*;
    use crate::domain::stats::draws;
    use crate::domain::{Gaussian, GroupId, Reward};

    fn pool(n: usize) -> Pool {
        let mut draw = draws(11);
        let entry = |at: usize| {
            let of = |mean: f64| Gaussian::new(mean, f64::ln(0.5));
            let (a, b) = (draw(), draw());
            let category = if draw() < 0.1 { 2 } else { 1 };
            let id = CandidateId(at as i64 + 1);
            super::super::Entry::new(id, GroupId(at as i64 / 4), category, 0).scored(&Reward {
                instruction_following: Some(of(a)),
                visual_quality: Some(of(b)),
                // The rare category is the better one by far.
                aggregate: of(f64::midpoint(a, b) + f64::from(category)),
            })
        };
        Pool {
            entries: (0..n).map(entry).collect(),
            categories: vec!["none".into(), "add".into(), "style".into()],
            editors: vec!["none".into()],
        }
    }

    #[test]
    fn a_cut_keeps_what_choosing_by_its_recipe_does() {
        let pool = pool(400);
        for (quotas, best_of_group) in [
            (Quotas::Free, None),
            (Quotas::Free, Some(2)),
            (Quotas::Mix, None),
            (Quotas::Mix, Some(1)),
        ] {
            for n in [1, 7, 50, 99, 300] {
                let recipe = Recipe {
                    cut: Cut::Top(n),
                    quotas: quotas.clone(),
                    best_of_group,
                    by: By::Overall,
                    ..Recipe::default()
                };
                let choice = choose(&pool, &recipe, &mut NoLooks).unwrap();
                let cuts = Cuts::of(&pool, &recipe).unwrap();
                let cut = cuts.kept(n);
                let kept: Vec<u32> = (0..400)
                    .filter(|at| cuts.keeps(&cut, *at) == Some(true))
                    .collect();
                let mut chosen = choice.kept.clone();
                chosen.sort_unstable();
                assert_eq!(kept, chosen, "{recipe:?}");
                assert_eq!(cut.count, chosen.len());
                let after: usize = cut.categories.iter().map(|(_, after)| after).sum();
                assert_eq!(after, cut.count);
                assert_eq!(cut.bins.iter().sum::<usize>(), cut.count);
                assert_eq!(cut.cells.iter().sum::<usize>(), cut.count);
                let within = |(kept, all): (&usize, &usize)| kept <= all;
                assert!(cut.bins.iter().zip(&cuts.histogram().counts).all(within));
                assert!(cut.cells.iter().zip(&cuts.density().counts).all(within));
            }
        }
    }

    #[test]
    fn samples_come_from_their_side_and_the_borderline_from_both() {
        let pool = pool(400);
        let cuts = Cuts::of(&pool, &Recipe::default()).unwrap();
        let cut = cuts.kept(100);
        let side = |entries: &[u32]| -> Vec<Option<bool>> {
            entries.iter().map(|at| cuts.keeps(&cut, *at)).collect()
        };
        assert_eq!(side(&cuts.sample(&cut, true, 20)), vec![Some(true); 20]);
        assert_eq!(side(&cuts.sample(&cut, false, 500)), vec![Some(false); 300]);
        let near = cuts.borderline(&cut, 3);
        assert_eq!(near, cuts.order[97..103]);
        assert_eq!(cuts.kept(9999).count, 400);
    }

    #[test]
    fn agreement_counts_as_far_as_the_sample_was_judged_without_a_gap() {
        let pool = pool(400);
        let cuts = Cuts::of(&pool, &Recipe::default()).unwrap();
        let cut = cuts.kept(100);
        let candidate = |at: &u32| pool.entries[*at as usize].candidate;
        let sample = cuts.sample(&cut, true, 5);
        let mut good: BTreeMap<CandidateId, bool> =
            sample[..3].iter().map(|at| (candidate(at), true)).collect();
        good.insert(candidate(&sample[1]), false);
        good.insert(candidate(&sample[4]), false);
        assert_eq!(cuts.agreed(&cut, true, &pool, &good), (2, 3));
        assert_eq!(cuts.agreed(&cut, false, &pool, &good), (0, 0));
        // What is dropped and not good was dropped rightly.
        let dropped = cuts.sample(&cut, false, 2);
        good.insert(candidate(&dropped[0]), false);
        assert_eq!(cuts.agreed(&cut, false, &pool, &good), (1, 1));
    }
}
