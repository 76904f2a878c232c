//! Sums of products by block of groups. Every estimate of the analysis is a function of such sums, so leaving a block out or
//! drawing blocks again is adding sums up, and no candidate is looked at twice.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::table::Columns;

/// Groups are put together into so many blocks at the most: intervals of more would cost more and say the same.
const BLOCKS: usize = 1000;

/// A reliability below this leaves nothing to correct with.
const RELIABLE: f64 = 0.1;

/// Sums of products of columns, block by block. Column 0 is people's score, the last one the model's, between them measures and
/// then where measures are not defined.
pub(super) struct Moments {
    /// Of each measure, the number of the column, counted as measures are, that says where it is not defined.
    undefined: Vec<Option<usize>>,
    /// How many columns.
    width: usize,
    /// Which block each row belongs to.
    pub(super) block: Vec<usize>,
    /// How many blocks.
    pub(super) blocks: usize,
    /// With instruction categories held: what the calibration is of.
    whole: Vec<Sums>,
    /// With categories and editors held: what effects are of.
    within: Vec<Sums>,
    /// The variance that label error adds to people's score, block by block.
    error: Vec<f64>,
    /// Whether column 0 is there.
    labelled: bool,
    /// By what factor a variance over blocks is too small, as holding took degrees of freedom.
    pub(super) inflation: f64,
}

/// The upper half of a symmetric matrix, row by row.
type Sums = Vec<f64>;

/// Sums over some of the blocks.
pub(super) struct Total {
    whole: Sums,
    within: Sums,
    error: f64,
}

/// What is estimated of one measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// How much the model's score rises with the measure at a given human score, per standard deviation.
    pub(super) effect: f64,
    /// How much the model's score rises with people's, per point; 1 without labels.
    pub(super) calibration: f64,
}

impl Moments {
    pub(super) fn new(columns: &Columns<'_>) -> Self {
        let blocks = columns.groups.min(BLOCKS);
        let block: Vec<usize> = columns.group.iter().map(|g| g % blocks.max(1)).collect();
        let labelled = columns.is_labelled();
        let human = if labelled {
            columns.human.clone()
        } else {
            vec![0.0; columns.len()]
        };
        let (gaps, undefined) = gaps(columns);
        let all: Vec<&[f64]> = std::iter::once(human.as_slice())
            .chain(columns.measured.iter().map(|m| m.z.as_slice()))
            .chain(gaps.iter().map(Vec::as_slice))
            .chain([columns.score.as_slice()])
            .collect();
        let sums = |editors: bool| {
            let held: Vec<Vec<f64>> = all
                .par_iter()
                .map(|column| columns.held(column, editors))
                .collect();
            by_block(&held, &block, blocks)
        };
        let n = columns.len() as f64;
        let kept = n - columns.held_degrees(false) as f64;
        let per_row = columns.label_error * kept / n;
        let mut error = vec![0.0; blocks];
        for b in &block {
            error[*b] += per_row;
        }
        let free = (n - columns.held_degrees(true) as f64 - 2.0).max(1.0);
        Self {
            undefined,
            width: all.len(),
            whole: sums(false),
            within: sums(true),
            error,
            labelled,
            inflation: (n - 1.0) / free,
            block,
            blocks,
        }
    }

    /// The sums over all blocks, each as often as `weights` says.
    pub(super) fn total(&self, weights: impl Fn(usize) -> f64) -> Total {
        let size = self.width * (self.width + 1) / 2;
        let mut total = Total {
            whole: vec![0.0; size],
            within: vec![0.0; size],
            error: 0.0,
        };
        for b in 0..self.blocks {
            let weight = weights(b);
            if weight != 0.0 {
                add(&mut total.whole, &self.whole[b], weight);
                add(&mut total.within, &self.within[b], weight);
                total.error += weight * self.error[b];
            }
        }
        total
    }

    /// The sums over all blocks but one.
    pub(super) fn without(&self, total: &Total, block: usize) -> Total {
        let mut out = Total {
            whole: total.whole.clone(),
            within: total.within.clone(),
            error: total.error - self.error[block],
        };
        add(&mut out.whole, &self.whole[block], -1.0);
        add(&mut out.within, &self.within[block], -1.0);
        out
    }

    /// The effect of a measure at a given human score with other measures held; `exact` takes people's labels to be without error.
    /// `None` where the sums do not decide it.
    pub(super) fn estimate(
        &self,
        total: &Total,
        (measure, held): (usize, &[usize]),
        exact: bool,
    ) -> Option<Estimate> {
        let measures = self.columns(measure, held);
        let score = self.width - 1;
        let calibration = if self.labelled {
            self.calibration(total, &measures, exact)?
        } else {
            0.0
        };
        let (matrix, right) = self.system(&total.within, &measures, |m| {
            at(&total.within, self.width, m, score)
                - calibration * at(&total.within, self.width, m, 0)
        });
        let effect = solve(matrix, right)?[0];
        Some(Estimate {
            effect,
            calibration: if self.labelled { calibration } else { 1.0 },
        })
    }

    /// How much of the score's sum of squares a measure explains beside others, category and editor held; 0 where that is not decided.
    pub(super) fn explained(&self, total: &Total, (measure, held): (usize, &[usize])) -> f64 {
        let estimate = self
            .estimate(total, (measure, held), false)
            .or_else(|| self.estimate(total, (measure, held), true));
        let all = self.columns(measure, held);
        let (matrix, _) = self.system(&total.within, &all, |_| 0.0);
        let parts = estimate.zip(left_of_first(&matrix));
        parts.map_or(0.0, |(estimate, left)| {
            estimate.effect * estimate.effect * left
        })
    }

    /// How much the model's score rises with people's at given measures, per point. Editors are not held here: the candidates of
    /// one editor are alike in quality, and what differs within them is mostly label error.
    pub(super) fn calibration(
        &self,
        total: &Total,
        measures: &[usize],
        exact: bool,
    ) -> Option<f64> {
        let all: Vec<usize> = std::iter::once(0).chain(measures.iter().copied()).collect();
        let score = self.width - 1;
        let (mut matrix, right) = self.system(&total.whole, &all, |m| {
            at(&total.whole, self.width, m, score)
        });
        if !exact {
            let alone = left_of_first(&matrix)?;
            if alone - total.error < RELIABLE * alone {
                return None;
            }
            matrix[0][0] -= total.error;
        }
        Some(solve(matrix, right)?[0])
    }

    /// What share of the variance of people's mean scores is no label error, in 0..=1.
    pub(super) fn reliability(&self, total: &Total) -> Option<f64> {
        let all = at(&total.whole, self.width, 0, 0);
        (self.labelled && all > 0.0).then(|| (1.0 - total.error / all).clamp(0.0, 1.0))
    }

    /// Pearson's correlation of two measures, categories and editors held.
    pub(super) fn correlation(&self, total: &Total, one: usize, other: usize) -> f64 {
        let s = |i: usize, j: usize| at(&total.within, self.width, i + 1, j + 1);
        s(one, other) / (s(one, one) * s(other, other)).sqrt()
    }

    /// How many blocks a measure's spread comes from, as if each had the same share of it.
    pub(super) fn effective_blocks(&self, measure: usize) -> f64 {
        let spread: Vec<f64> = self
            .within
            .iter()
            .map(|sums| at(sums, self.width, measure + 1, measure + 1))
            .collect();
        let sum: f64 = spread.iter().sum();
        let squares: f64 = spread.iter().map(|s| s * s).sum();
        if squares > 0.0 {
            sum * sum / squares
        } else {
            0.0
        }
    }

    /// The columns of a measure, of others that are held, and of where those are not defined: a candidate without a background
    /// has not a usual one.
    fn columns(&self, measure: usize, held: &[usize]) -> Vec<usize> {
        let mut gaps: Vec<usize> = held.iter().filter_map(|m| self.undefined[*m]).collect();
        gaps.sort_unstable();
        gaps.dedup();
        std::iter::once(measure)
            .chain(held.iter().copied())
            .chain(gaps)
            .map(|m| m + 1)
            .collect()
    }

    fn system(
        &self,
        sums: &Sums,
        of: &[usize],
        right: impl Fn(usize) -> f64,
    ) -> (Vec<Vec<f64>>, Vec<f64>) {
        let row = |i: &usize| of.iter().map(|j| at(sums, self.width, *i, *j)).collect();
        (
            of.iter().map(row).collect(),
            of.iter().map(|m| right(*m)).collect(),
        )
    }
}

/// Columns that are 1 where a measure is not defined, each once, and which of them is whose, counted on from the measures. None for
/// a measure that is defined everywhere, or whose gaps instruction category and editor decide.
fn gaps(columns: &Columns<'_>) -> (Vec<Vec<f64>>, Vec<Option<usize>>) {
    let mut gaps: Vec<Vec<f64>> = Vec::new();
    let of = columns.measured.iter().map(|measured| {
        let here = measured.z.iter();
        let gap: Vec<f64> = here
            .map(|z| if z.is_finite() { 0.0 } else { 1.0 })
            .collect();
        let left = columns.held(&gap, true);
        if left.iter().map(|v| v * v).sum::<f64>() < 1e-6 * gap.len() as f64 {
            return None;
        }
        let known = gaps.iter().position(|other| *other == gap);
        let place = known.unwrap_or_else(|| {
            gaps.push(gap);
            gaps.len() - 1
        });
        Some(columns.measured.len() + place)
    });
    let of = of.collect();
    (gaps, of)
}

fn by_block(columns: &[Vec<f64>], block: &[usize], blocks: usize) -> Vec<Sums> {
    let width = columns.len();
    let mut sums = vec![vec![0.0; width * (width + 1) / 2]; blocks];
    for (row, b) in block.iter().enumerate() {
        let mut place = 0;
        for i in 0..width {
            let value = columns[i][row];
            for column in &columns[i..] {
                sums[*b][place] += value * column[row];
                place += 1;
            }
        }
    }
    sums
}

fn at(sums: &Sums, width: usize, i: usize, j: usize) -> f64 {
    let (i, j) = (i.min(j), i.max(j));
    sums[i * width - i * (i + 1) / 2 + j]
}

fn add(to: &mut Sums, sums: &Sums, weight: f64) {
    for (to, sum) in to.iter_mut().zip(sums) {
        *to += weight * sum;
    }
}

/// What is left of the first variable's square once the others are held.
fn left_of_first(matrix: &[Vec<f64>]) -> Option<f64> {
    let rest: Vec<Vec<f64>> = matrix[1..].iter().map(|row| row[1..].to_vec()).collect();
    let first = matrix[0][1..].to_vec();
    let weights = solve(rest, first.clone())?;
    let explained: f64 = weights.iter().zip(&first).map(|(w, f)| w * f).sum();
    Some(matrix[0][0] - explained).filter(|left| *left > 0.0)
}

/// The solution of a small system, by elimination with the largest pivot; `None` where there is none, or rounding decides it.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    let sizes: Vec<f64> = (0..n).map(|i| matrix[i][i].abs()).collect();
    for i in 0..n {
        let best = (i..n).max_by(|a, b| matrix[*a][i].abs().total_cmp(&matrix[*b][i].abs()))?;
        matrix.swap(i, best);
        right.swap(i, best);
        let pivot = matrix[i][i];
        if pivot.is_nan() || pivot.abs() <= 1e-9 * sizes[i] {
            return None;
        }
        let above = matrix[i].clone();
        for j in i + 1..n {
            let times = matrix[j][i] / pivot;
            for (to, part) in matrix[j].iter_mut().zip(&above).skip(i) {
                *to -= times * part;
            }
            right[j] -= times * right[i];
        }
    }
    let mut out = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| matrix[i][k] * out[k]).sum();
        out[i] = (right[i] - known) / matrix[i][i];
    }
    out.iter().all(|v| v.is_finite()).then_some(out)
}

/// How often each block is drawn, for each of many resamples with as many draws as there are blocks; the same for the same seed.
pub(super) fn weights(blocks: usize, resamples: usize, seed: u64) -> Vec<Vec<u16>> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    (0..resamples)
        .map(|_| {
            let mut drawn = vec![0_u16; blocks];
            for _ in 0..blocks {
                let which = &mut drawn[chance.random_range(0..blocks)];
                *which = which.saturating_add(1);
            }
            drawn
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved_and_a_singular_one_is_refused() {
        let x = solve(vec![vec![0.0, 2.0], vec![4.0, 1.0]], vec![2.0, 9.0]);
        // The pivot of the first row is nothing without a swap; its size is 0 as well.
        assert_eq!(x, Some(vec![2.0, 1.0]));
        assert_eq!(
            solve(vec![vec![1.0, 2.0], vec![2.0, 4.0]], vec![1.0, 2.0]),
            None
        );
        assert_eq!(left_of_first(&[vec![5.0, 2.0], vec![2.0, 4.0]]), Some(4.0));
    }

    #[test]
    fn packed_sums_are_those_of_the_matrix() {
        let columns = vec![
            vec![1.0, 2.0, 3.0],
            vec![4.0, 5.0, 6.0],
            vec![7.0, 8.0, 9.0],
        ];
        let sums = by_block(&columns, &[0, 1, 0], 2);
        for i in 0..3 {
            for j in 0..3 {
                let expected = columns[i][0] * columns[j][0] + columns[i][2] * columns[j][2];
                assert_eq!(at(&sums[0], 3, i, j), expected, "{i} {j}");
            }
        }
    }

    #[test]
    fn resamples_draw_as_often_as_there_are_blocks_and_follow_the_seed() {
        let drawn = weights(12, 30, 5);
        assert!(drawn.iter().all(|w| w.iter().sum::<u16>() == 12));
        assert_eq!(drawn, weights(12, 30, 5));
        assert_ne!(drawn, weights(12, 30, 6));
    }
}
