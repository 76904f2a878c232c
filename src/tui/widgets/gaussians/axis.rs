//! A common axis for several Gaussians: where it begins and ends, and where its numbers stand.

use crate::domain::Gaussian;
use crate::domain::curves::round_step;

/// A mean counts as out of all proportion when it is farther from the middle than this many times the usual distance.
const FAR: f64 = 12.0;

/// Beyond this, arithmetic on ends of the axis would overflow.
const LARGEST: f64 = 1e150;

/// The ends of an axis that several plots share: wide enough for every mean and the usual ±3σ, but not ruled by one value
/// out of all proportion (an untrained model's σ can be 700 next to 0.003). Always finite, and the first always below the
/// second; (-3, 3), the usual scale of scores, when there is nothing to show.
pub fn common_range(gaussians: impl IntoIterator<Item = Gaussian>) -> (f64, f64) {
    let finite: Vec<Gaussian> = gaussians
        .into_iter()
        .filter(|g| g.mean.abs() < LARGEST)
        .collect();
    if finite.is_empty() {
        return (-3.0, 3.0);
    }
    let means = sorted(finite.iter().map(|g| g.mean));
    let centre = means[means.len() / 2];
    let sigmas = sorted(finite.iter().map(Gaussian::sigma).filter(|s| *s < LARGEST));
    // The lower median: when half of the widths are wild, the other half decides.
    let usual_sigma = lower_median(&sigmas);
    let distances = sorted(means.iter().map(|m| (m - centre).abs()));
    let usual_distance = lower_median(&distances).max(usual_sigma);
    let near = |g: &&Gaussian| {
        means.len() < 4 || usual_distance == 0.0 || (g.mean - centre).abs() <= FAR * usual_distance
    };
    let kept: Vec<&Gaussian> = finite.iter().filter(near).collect();
    let (low, high) = kept.iter().fold((centre, centre), |(low, high), g| {
        (low.min(g.mean), high.max(g.mean))
    });
    let most = (3.0 * usual_sigma).max(high - low);
    let (mut low, mut high) = kept.iter().fold((low, high), |(low, high), g| {
        let reach = (3.0 * g.sigma()).min(most);
        (low.min(g.mean - reach), high.max(g.mean + reach))
    });
    let least = 1e-6_f64.max(centre.abs() * 1e-9);
    if high - low < least {
        let pad = 0.5_f64.max(centre.abs() * 1e-3);
        low -= pad;
        high += pad;
    }
    (low, high)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values; 0 of none.
fn lower_median(values: &[f64]) -> f64 {
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(0.0)
}

/// A range laid over columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    columns: u16,
}

impl Scale {
    /// `columns` is at least 1. A range that is none is replaced by the usual scale of scores.
    pub(super) fn new((low, high): (f64, f64), columns: u16) -> Self {
        let sound = low.is_finite() && high.is_finite() && high > low && (high - low).is_finite();
        let (low, high) = if sound { (low, high) } else { (-3.0, 3.0) };
        Self {
            low,
            high,
            columns: columns.max(1),
        }
    }

    pub(super) const fn span(&self) -> f64 {
        self.high - self.low
    }

    pub(super) const fn columns(&self) -> u16 {
        self.columns
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    pub(super) fn is_below(&self, value: f64) -> bool {
        value < self.low
    }

    /// The column of a value, held at the ends.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the columns"
    )]
    pub(super) fn column(&self, value: f64) -> u16 {
        let share = ((value - self.low) / self.span()).clamp(0.0, 1.0);
        ((share * f64::from(self.columns)) as u16).min(self.columns - 1)
    }

    /// The values at the left and right edge of one of `parts` equal parts of the axis.
    pub(super) fn part(&self, i: u32, parts: u32) -> (f64, f64) {
        let at = |i: u32| self.low + self.span() * f64::from(i) / f64::from(parts);
        (at(i), at(i + 1))
    }

    /// Numbers for the axis: the column of each value, and its text, at round steps and with room between them.
    pub(super) fn ticks(&self) -> Vec<(u16, String)> {
        for wanted in [9.0, 7.0, 5.0, 4.0, 3.0, 2.0, 1.0] {
            let step = round_step(self.span() / wanted);
            let ticks = self.ticks_every(step);
            let widest = ticks.iter().map(|(_, t)| t.len()).max().unwrap_or(0);
            let room = f64::from(self.columns) * step / self.span();
            if !ticks.is_empty() && room >= widest as f64 + 2.0 {
                return ticks;
            }
        }
        Vec::new()
    }

    fn ticks_every(&self, step: f64) -> Vec<(u16, String)> {
        let first = (self.low / step).ceil();
        (0_u8..=20)
            .map(|i| first + f64::from(i))
            .map(|k| k * step)
            .take_while(|value| *value <= self.high)
            .map(|value| (self.column(value), label(value, step)))
            .collect()
    }
}

/// With as many decimals as the step has.
fn label(value: f64, step: f64) -> String {
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let digits = -step.log10().floor();
    if value != 0.0 && (value.abs() >= 1e5 || digits > 4.0) {
        return format!("{value:.1e}");
    }
    let decimals = [1.0, 2.0, 3.0, 4.0]
        .iter()
        .filter(|d| **d <= digits)
        .count();
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn g(mean: f64, sigma: f64) -> Gaussian {
        Gaussian::new(mean, sigma.ln())
    }

    #[test]
    fn usual_scores_are_shown_with_three_sigmas() {
        let (low, high) = common_range([g(0.0, 0.5), g(1.0, 1.0)]);
        assert!(
            (low + 1.5).abs() < 1e-9 && (high - 2.5).abs() < 1e-9,
            "{low} {high}"
        );
    }

    #[test]
    fn one_wild_width_does_not_flatten_the_others() {
        let (low, high) = common_range([g(0.1, 0.3), g(0.4, 0.2), g(0.2, 700.0)]);
        assert!(low > -2.0 && high < 2.5, "{low} {high}");
        let (low, high) = common_range([g(0.1, 0.003), g(0.2, 700.0)]);
        assert!(low > -0.2 && high < 0.5, "{low} {high}");
    }

    #[test]
    fn one_wild_mean_does_not_squeeze_the_others() {
        let (low, high) = common_range([g(0.1, 0.3), g(0.4, 0.2), g(0.2, 0.3), g(5e6, 0.3)]);
        assert!(low > -2.0 && high < 2.5, "{low} {high}");
    }

    #[test]
    fn the_range_is_finite_and_open_whatever_comes() {
        let none = f64::NEG_INFINITY;
        for curves in [
            vec![],
            vec![Gaussian::new(f64::NAN, 0.0)],
            vec![Gaussian::new(f64::INFINITY, 0.0), g(1.0, 0.1)],
            vec![Gaussian::new(2.0, none)],
            vec![Gaussian::new(2.0, none), Gaussian::new(2.0, none)],
            vec![Gaussian::new(0.0, 800.0)],
            vec![Gaussian::new(0.0, f64::NAN)],
            vec![g(-1e149, 1.0), g(1e149, 1.0)],
            vec![Gaussian::new(1e12, none)],
        ] {
            let (low, high) = common_range(curves.clone());
            assert!(
                low.is_finite() && high.is_finite() && low < high && (high - low).is_finite(),
                "{curves:?}: {low} {high}"
            );
        }
    }

    #[test]
    fn ticks_stand_at_round_values_within_the_range_and_do_not_touch() {
        for (range, columns) in [
            ((-3.0, 3.0), 40),
            ((-0.013, 0.021), 30),
            ((1e6, 1.000_001e6), 50),
            ((-2100.0, 2100.0), 24),
            ((-1e149, 1e149), 60),
            ((0.2, 0.9), 12),
        ] {
            let scale = Scale::new(range, columns);
            let ticks = scale.ticks();
            assert!(!ticks.is_empty(), "{range:?}");
            for pair in ticks.windows(2) {
                assert!(
                    usize::from(pair[1].0 - pair[0].0) > pair[0].1.len(),
                    "{ticks:?}"
                );
            }
        }
        let texts: Vec<String> = Scale::new((-3.0, 3.0), 40)
            .ticks()
            .into_iter()
            .map(|(_, t)| t)
            .collect();
        assert_eq!(texts, ["-3", "-2", "-1", "0", "1", "2", "3"]);
    }

    #[test]
    fn columns_are_held_at_the_ends() {
        let scale = Scale::new((0.0, 1.0), 10);
        assert_eq!(
            [-5.0, 0.0, 0.55, 1.0, 9.0].map(|v| scale.column(v)),
            [0, 0, 5, 9, 9]
        );
        assert_eq!(Scale::new((f64::NAN, 0.0), 0).column(0.0), 0);
    }
}
