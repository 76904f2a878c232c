//! Intervals: groups are drawn anew, with all that was said of them, since what is said within a group hangs together.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::report::Measured;
use crate::domain::stats::{Statistic, central_95};

/// The most values that all draws of one figure look at together: some seconds on two cores. Larger data gets fewer draws.
const VALUES: usize = 400_000_000;
/// No fewer draws than this.
const FEWEST: usize = 100;

/// The draws of a report.
pub(super) struct Bootstrap {
    groups: usize,
    resamples: usize,
    seed: u64,
}

impl Bootstrap {
    pub(super) fn new(groups: usize, resamples: usize, seed: u64) -> Self {
        Self {
            groups,
            resamples,
            seed,
        }
    }

    pub(super) fn resamples(&self) -> usize {
        self.resamples
    }

    /// A figure of units (with their groups) and its interval. Draws that have no figure are left out of the interval, and
    /// where more than a twentieth has none there is no interval.
    pub(super) fn measure(
        &self,
        units: &[(u32, Vec<f64>)],
        figure: impl Fn(&[Vec<f64>]) -> Statistic + Sync,
    ) -> Measured {
        let all: Vec<Vec<f64>> = units.iter().map(|(_, values)| values.clone()).collect();
        let statistic = figure(&all);
        let mut measured = Measured::of(&statistic);
        if statistic.is_err() || self.resamples == 0 {
            return measured;
        }
        let values: usize = all.iter().map(Vec::len).sum();
        let fewest = FEWEST.min(self.resamples);
        let draws = (VALUES / values.max(1)).clamp(fewest, self.resamples);
        let mut by_group: Vec<Vec<usize>> = vec![Vec::new(); self.groups];
        for (at, (group, _)) in units.iter().enumerate() {
            by_group[*group as usize].push(at);
        }
        // Only groups that have anything to say are drawn.
        by_group.retain(|units| !units.is_empty());
        let mut figures: Vec<f64> = (0..draws)
            .into_par_iter()
            .filter_map(|draw| {
                let mut chance = ChaCha8Rng::seed_from_u64(self.seed);
                chance.set_stream(draw as u64 + 1);
                let mut drawn = Vec::with_capacity(all.len());
                for _ in 0..by_group.len() {
                    let group = &by_group[chance.random_range(0..by_group.len())];
                    drawn.extend(group.iter().map(|at| all[*at].clone()));
                }
                figure(&drawn).ok()
            })
            .collect();
        if figures.len() * 20 >= draws * 19 {
            figures.sort_by(f64::total_cmp);
            measured.interval = central_95(&figures);
        }
        measured
    }
}
