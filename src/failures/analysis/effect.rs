//! One measure against one score: the effect at a given human score, its interval, and the chance of it.

use rayon::prelude::*;

use super::moments::{Estimate, Moments, Total, weights};
use super::report::{Effect, EffectUnit, Figure, Scale};
use super::table::Columns;
use crate::domain::stats::{
    Isotonic, Line, Undefined, average_ranks, central_95, explained, pearson, spearman,
    student_two_sided,
};

/// A score with all that is needed to ask about its measures.
pub(super) struct Study<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) moments: Moments,
    pub(super) all: Total,
    /// The sums of each resample.
    resampled: Vec<Total>,
    /// How often each resample has each block.
    pub(super) weights: Vec<Vec<u16>>,
    /// The sums without each block.
    without: Vec<Total>,
    pub(super) scale: Scale,
    /// Model less people in the unit of effects, or the score from its mean.
    pub(super) residual: Vec<f64>,
}

/// A calibration slope this many standard errors above 0 is one.
const FOLLOWS: f64 = 3.0;

impl<'a> Study<'a> {
    /// `None` where too few candidates have the score.
    pub(super) fn new(columns: Columns<'a>, resamples: usize, seed: u64) -> Option<Self> {
        if columns.len() < super::table::LEAST || columns.groups < super::table::LEAST_GROUPS {
            return None;
        }
        let moments = Moments::new(&columns);
        let all = moments.total(|_| 1.0);
        let weights = weights(moments.blocks, resamples, seed);
        let resampled = weights
            .par_iter()
            .map(|drawn| moments.total(|b| f64::from(drawn[b])))
            .collect();
        let without: Vec<Total> = (0..moments.blocks)
            .into_par_iter()
            .map(|b| moments.without(&all, b))
            .collect();
        let mut study = Self {
            scale: scale(&columns),
            columns,
            moments,
            all,
            resampled,
            weights,
            without,
            residual: Vec::new(),
        };
        study.calibrate();
        Some(study)
    }

    /// Sets the unit of effects, the line and the residuals.
    fn calibrate(&mut self) {
        let (columns, score) = (&self.columns, mean(&self.columns.score));
        self.scale.reliability = self.moments.reliability(&self.all);
        let slope = |total: &Total| self.moments.calibration(total, &[], false);
        let exact = |total: &Total| self.moments.calibration(total, &[], true);
        let (sure, slope) = match slope(&self.all) {
            Some(value) => (self.deviation(slope), Some(value)),
            None => (self.deviation(exact), exact(&self.all)),
        };
        let slope = slope.filter(|_| columns.is_labelled());
        let follows = slope
            .zip(sure)
            .is_some_and(|(slope, sure)| slope > FOLLOWS * sure);
        let human = columns.human.as_slice();
        let unit = if follows {
            slope.unwrap_or(1.0)
        } else {
            self.scale.sd
        };
        self.residual = (0..columns.len())
            .map(|i| {
                let expected = slope.map_or(0.0, |slope| slope * (human[i] - mean(human)));
                (columns.score[i] - score - expected) / unit
            })
            .collect();
        self.scale.unit = if follows {
            EffectUnit::Points
        } else {
            EffectUnit::Deviations
        };
        self.scale.calibration = slope.map(|slope| Line {
            intercept: score - slope * mean(human),
            slope,
        });
        if columns.is_labelled() {
            let statistic = spearman(&columns.score, human);
            let interval = self.rank_interval(&columns.score, human, &|v| v.to_vec());
            self.scale.spearman = Figure::new(statistic, interval);
        }
    }

    /// What an effect on the model's scale is divided by.
    fn unit(&self, estimate: Estimate) -> f64 {
        match self.scale.unit {
            EffectUnit::Points => estimate.calibration,
            EffectUnit::Deviations => self.scale.sd,
        }
    }

    /// An effect in the unit of effects; `exact` takes people's labels to be without error.
    fn estimate(&self, total: &Total, what: (usize, &[usize]), exact: bool) -> Option<f64> {
        let estimate = self.moments.estimate(total, what, exact)?;
        let effect = estimate.effect / self.unit(estimate);
        effect.is_finite().then_some(effect)
    }

    /// The best guess: corrected for label error, where that leaves anything.
    fn best(&self, total: &Total, what: (usize, &[usize])) -> Option<f64> {
        let exact = || self.estimate(total, what, true);
        self.estimate(total, what, false).or_else(exact)
    }

    /// The central 95 % of an effect, from the lower end of both ways to take label error to the upper end of both: which of them
    /// is right depends on what the model has seen, and that is not known.
    fn ends(&self, which: usize) -> Option<[f64; 2]> {
        let of = |exact: bool| self.interval(|total| self.estimate(total, (which, &[]), exact));
        match (of(false), of(true)) {
            (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
            (one, other) => one.or(other),
        }
    }

    /// The effect of measure number `which` alone, with all that is said of it.
    pub(super) fn effect(&self, which: usize) -> Effect {
        let measured = &self.columns.measured[which];
        let value = self.best(&self.all, (which, &[]));
        let interval = self.ends(which);
        let per_sd = match value {
            Some(value) => Figure {
                value: Some(value),
                interval,
                undefined: None,
            },
            None => Figure::undefined("people's scores and what is held decide it"),
        };
        let per_unit = Figure {
            value: per_sd.value.map(|v| v / measured.sd),
            interval: per_sd.interval.map(|ends| ends.map(|v| v / measured.sd)),
            undefined: per_sd.undefined.clone(),
        };
        let exact = self.moments.estimate(&self.all, (which, &[]), true);
        let (residual, z) = self.defined(which);
        let held = |values: &[f64]| self.columns.held(&self.spread(which, values), true);
        let rank = |values: &[f64]| values.to_vec();
        let statistic = spearman(&residual, &z);
        let partial = {
            let (a, b) = (held(&average_ranks(&residual)), held(&average_ranks(&z)));
            let keep = |v: &[f64]| self.pick(which, v);
            pearson(&keep(&a), &keep(&b))
        };
        let of_partial = |values: &[f64]| self.pick(which, &held(values));
        let blocks = self.pick_blocks(which);
        Effect {
            measure: measured.measure,
            judged: self.columns.judged,
            n: measured.n,
            groups: self.groups_with(which),
            mean: measured.mean,
            sd: measured.sd,
            unit: self.scale.unit,
            per_sd,
            per_unit,
            exact_labels: exact
                .map(|e| e.effect / self.unit(e))
                .filter(|v| v.is_finite()),
            spearman: Figure::new(
                statistic,
                self.correlation_interval(&residual, &z, &rank, &blocks),
            ),
            partial: Figure::new(
                partial,
                self.correlation_interval(&residual, &z, &of_partial, &blocks),
            ),
            p: self.p(which, &[]),
            p_holm: 1.0,
            q: 1.0,
        }
    }

    /// The chance of an effect as far from 0 where there is none: the larger of the one that takes label error out and the one
    /// that does not; 1 where the two disagree on the sign. By Student's t, with the jackknife's standard error over blocks of
    /// groups, and as many degrees of freedom as blocks that the measure's spread comes from; 1
    /// where one of the two is undefined.
    pub(super) fn p(&self, which: usize, held: &[usize]) -> f64 {
        let degrees = self
            .moments
            .effective_blocks(which)
            .min(self.moments.blocks as f64)
            - 1.0;
        let mut worst = 0.0_f64;
        let mut sign = 0.0;
        for exact in [false, true] {
            let of =
                |total: &Total| Some(self.moments.estimate(total, (which, held), exact)?.effect);
            let (Some(effect), Some(deviation)) = (of(&self.all), self.deviation(of)) else {
                // Where label error leaves nothing to go by, nothing can be said.
                return 1.0;
            };
            if sign * effect < 0.0 {
                return 1.0;
            }
            sign = effect;
            let p = student_two_sided(effect / deviation, degrees.max(1.0));
            worst = worst.max(if p.is_nan() { 1.0 } else { p });
        }
        worst
    }

    /// The jackknife's standard error of an estimate; `None` where it is not defined without some block.
    pub(super) fn deviation(&self, of: impl Fn(&Total) -> Option<f64> + Sync) -> Option<f64> {
        let values: Vec<f64> = self.without.par_iter().map(&of).collect::<Option<_>>()?;
        let n = values.len() as f64;
        let middle = mean(&values);
        let squares: f64 = values.iter().map(|v| (v - middle) * (v - middle)).sum();
        Some((squares * (n - 1.0) / n * self.moments.inflation).sqrt())
    }

    /// The central 95 % of an estimate under resampling of groups.
    pub(super) fn interval(&self, of: impl Fn(&Total) -> Option<f64> + Sync) -> Option<[f64; 2]> {
        let mut values: Vec<f64> = self.resampled.par_iter().filter_map(&of).collect();
        // Where many resamples say nothing, the rest says too much.
        if values.len() * 10 < self.resampled.len() * 9 {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        central_95(&values)
    }

    /// Effects of a measure in each resample, in the unit of effects, in their order.
    pub(super) fn resampled_effects(&self, which: usize) -> Vec<Option<f64>> {
        let one = |total: &Total| self.best(total, (which, &[]));
        self.resampled.par_iter().map(one).collect()
    }

    /// Residuals and measures of the candidates that have the measure.
    fn defined(&self, which: usize) -> (Vec<f64>, Vec<f64>) {
        let z = &self.columns.measured[which].z;
        (self.pick(which, &self.residual), self.pick(which, z))
    }

    /// Of a column, the rows that have the measure.
    pub(super) fn pick(&self, which: usize, values: &[f64]) -> Vec<f64> {
        let z = &self.columns.measured[which].z;
        let both = values.iter().zip(z).filter(|(_, z)| z.is_finite());
        both.map(|(value, _)| *value).collect()
    }

    fn pick_blocks(&self, which: usize) -> Vec<usize> {
        let z = &self.columns.measured[which].z;
        let both = self
            .moments
            .block
            .iter()
            .zip(z)
            .filter(|(_, z)| z.is_finite());
        both.map(|(block, _)| *block).collect()
    }

    /// The inverse of [`pick`](Self::pick): NaN where the measure is not defined.
    fn spread(&self, which: usize, values: &[f64]) -> Vec<f64> {
        let mut values = values.iter();
        let z = self.columns.measured[which].z.iter();
        z.map(|z| {
            if z.is_finite() {
                values.next().copied()
            } else {
                None
            }
            .unwrap_or(f64::NAN)
        })
        .collect()
    }

    fn groups_with(&self, which: usize) -> usize {
        let z = &self.columns.measured[which].z;
        let mut groups: Vec<usize> = (0..z.len())
            .filter(|i| z[*i].is_finite())
            .map(|i| self.columns.group[i])
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    }

    fn rank_interval(
        &self,
        a: &[f64],
        b: &[f64],
        of: &dyn Fn(&[f64]) -> Vec<f64>,
    ) -> Option<[f64; 2]> {
        self.correlation_interval(a, b, of, &self.moments.block)
    }

    /// The central 95 % of a rank correlation under resampling of blocks. Ranks are those among all candidates: ranking each
    /// resample anew would cost a sort each and moves the ends by less than chance does.
    fn correlation_interval(
        &self,
        a: &[f64],
        b: &[f64],
        of: &dyn Fn(&[f64]) -> Vec<f64>,
        blocks: &[usize],
    ) -> Option<[f64; 2]> {
        let (a, b) = (of(&average_ranks(a)), of(&average_ranks(b)));
        let mut sums = vec![[0.0; 6]; self.moments.blocks];
        for ((a, b), block) in a.iter().zip(&b).zip(blocks) {
            let parts = [1.0, *a, *b, a * a, b * b, a * b];
            sums[*block]
                .iter_mut()
                .zip(parts)
                .for_each(|(to, part)| *to += part);
        }
        let mut values: Vec<f64> = self
            .weights
            .par_iter()
            .filter_map(|drawn| {
                let mut all = [0.0; 6];
                for (sums, times) in sums.iter().zip(drawn) {
                    let times = f64::from(*times);
                    all.iter_mut()
                        .zip(sums)
                        .for_each(|(to, part)| *to += times * part);
                }
                let [n, a, b, aa, bb, ab] = all;
                let r = (ab - a * b / n) / ((aa - a * a / n) * (bb - b * b / n)).sqrt();
                r.is_finite().then_some(r.clamp(-1.0, 1.0))
            })
            .collect();
        values.sort_unstable_by(f64::total_cmp);
        central_95(&values)
    }
}

fn scale(columns: &Columns<'_>) -> Scale {
    let score = &columns.score;
    let m = mean(score);
    let squares: f64 = score.iter().map(|s| (s - m) * (s - m)).sum();
    let sd = (squares / (score.len().max(2) - 1) as f64).sqrt();
    Scale {
        judged: columns.judged,
        n: columns.len(),
        groups: columns.groups,
        unit: EffectUnit::Deviations,
        spearman: Figure::undefined("there are no labels"),
        calibration: None,
        reliability: None,
        assumed_error: columns.assumed,
        bend: bend(columns).ok(),
        sd: if sd > 0.0 { sd } else { 1.0 },
    }
}

/// What a rising function explains of the model's score beyond a line.
fn bend(columns: &Columns<'_>) -> Result<f64, Undefined> {
    let (human, score) = (&columns.human, &columns.score);
    let line = Line::fit(human, score)?;
    let rising = Isotonic::fit(human, score)?;
    let of = |at: &dyn Fn(f64) -> f64| {
        let fitted: Vec<f64> = human.iter().map(|h| at(*h)).collect();
        explained(score, &fitted)
    };
    Ok((of(&|h| rising.at(h))? - of(&|h| line.at(h))?).max(0.0))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
