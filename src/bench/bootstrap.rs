//! Intervals by resampling: how far a figure might lie from what it is, had other groups of the same kind been judged.
//!
//! Groups are drawn, not pairs: pairs of one source image are not independent, and intervals that take them for it are too
//! narrow. A resample is a weight for each group, how often it was drawn, so a figure is computed from weights over data that
//! stay where they are. Each resample has a stream of chance of its own, made of the seed and its number, so the same seed gives
//! the same intervals on any number of threads.

use rayon::prelude::*;
use serde::Serialize;

use crate::domain::stats::central_95;

/// The central 95 % of a figure under resampling (the percentile bootstrap).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The resamples in which the figure was defined; the ends are of these alone, so say so where they are not all.
    pub resamples: usize,
}

/// The central 95 % of a difference under resampling, and how likely luck alone makes it as large.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The two-sided bootstrap p value: twice the share of resamples on the rarer side of no difference, the sample itself
    /// counted as one of them, so that it is never 0 (Davison and Hinkley 1997, section 4.4).
    pub p: f64,
    /// The resamples in which the difference was defined.
    pub resamples: usize,
}

impl Interval {
    /// Of a figure's values in all resamples; `None` where it was never defined.
    pub(super) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let sorted = defined(values);
        let [low, high] = central_95(&sorted)?;
        Some(Self {
            low,
            high,
            resamples: sorted.len(),
        })
    }
}

impl Difference {
    /// Of a difference's values in all resamples; `None` where it was never defined.
    pub(super) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let sorted = defined(values);
        let [low, high] = central_95(&sorted)?;
        let not_above = sorted.partition_point(|v| *v <= 0.0);
        let not_below = sorted.len() - sorted.partition_point(|v| *v < 0.0);
        let rarer = (not_above.min(not_below) + 1) as f64;
        Some(Self {
            low,
            high,
            p: (2.0 * rarer / (sorted.len() + 1) as f64).min(1.0),
            resamples: sorted.len(),
        })
    }
}

fn defined(values: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values
        .into_iter()
        .flatten()
        .filter(|value| value.is_finite())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The 95 % interval of `figure`, which takes how often each of `groups` groups was drawn and gives `None` where it is
/// undefined. `None` with fewer than two groups, which cannot say how much groups differ, and where the figure is never
/// defined.
pub fn interval(
    groups: usize,
    resamples: usize,
    seed: u64,
    figure: impl Fn(&[u8]) -> Option<f64> + Sync,
) -> Option<Interval> {
    Interval::of(resampled(groups, resamples, seed, figure))
}

/// [`interval`] of several figures of the same resamples; `figures` gives as many each time. Empty with fewer than two groups.
pub fn intervals(
    groups: usize,
    resamples: usize,
    seed: u64,
    figures: impl Fn(&[u8]) -> Vec<Option<f64>> + Sync,
) -> Vec<Option<Interval>> {
    let rows = resampled(groups, resamples, seed, figures);
    let columns = rows.first().map_or(0, Vec::len);
    let column = |i: usize| rows.iter().map(move |row| row.get(i).copied().flatten());
    (0..columns).map(|i| Interval::of(column(i))).collect()
}

/// The 95 % interval and the p value of the difference between two figures, both taken from the same resample so that what
/// they have in common cancels. `figures` gives the one and the other.
pub fn difference(
    groups: usize,
    resamples: usize,
    seed: u64,
    figures: impl Fn(&[u8]) -> Option<[f64; 2]> + Sync,
) -> Option<Difference> {
    let less = |weights: &[u8]| figures(weights).map(|[one, other]| one - other);
    Difference::of(resampled(groups, resamples, seed, less))
}

/// What `figure` says of each of `resamples` resamples, in their order: each draws as many groups as there are, with
/// repetition, and hands over how often each was drawn. Nothing with fewer than two groups.
pub fn resampled<T: Send>(
    groups: usize,
    resamples: usize,
    seed: u64,
    figure: impl Fn(&[u8]) -> T + Sync,
) -> Vec<T> {
    let resamples = if groups < 2 { 0 } else { resamples };
    (0..resamples)
        .into_par_iter()
        .map_init(
            || vec![0; groups],
            |weights, i| {
                draw(weights, &mut SplitMix64::stream(seed, i as u64));
                figure(weights)
            },
        )
        .collect()
}

/// Draws as many groups as there are weights and counts them.
fn draw(weights: &mut [u8], chance: &mut SplitMix64) {
    weights.fill(0);
    let groups = weights.len() as u64;
    for _ in 0..groups {
        let weight = &mut weights[chance.below(groups) as usize];
        // A group is drawn once on average, and more than 255 times with a probability below 1e-500.
        *weight = weight.saturating_add(1);
    }
}

/// A generator of one addition and one mixing a number (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number
/// Generators"): a billion numbers are drawn for a thousand resamples of a million groups.
struct SplitMix64(u64);

impl SplitMix64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The stream of one resample. Streams are far-off parts of one sequence of 2⁶⁴ numbers; mixing twice puts the beginnings
    /// of neighbouring ones where chance would.
    fn stream(seed: u64, number: u64) -> Self {
        let seed = Self(seed).next();
        Self(mix(seed.wrapping_add(mix(number))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        mix(self.0)
    }

    /// A number below `bound`. Some are likelier than others by at most bound / 2⁶⁴.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

/// The generator's output function, one-to-one.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64], weights: &[u8]) -> f64 {
        let sum: f64 = values
            .iter()
            .zip(weights)
            .map(|(v, w)| v * f64::from(*w))
            .sum();
        sum / values.len() as f64
    }

    #[test]
    fn the_generator_gives_its_published_numbers() {
        // The first of seed 1234567, as other implementations give them.
        let mut chance = SplitMix64(1_234_567);
        assert_eq!(
            [chance.next(), chance.next(), chance.next()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_on_any_number_of_threads() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
        let run = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| resampled(50, 300, seed, |w| mean(&values, w)))
        };
        assert_eq!(run(1, 4), run(3, 4));
        assert_ne!(run(1, 4), run(1, 5));
    }

    #[test]
    fn a_resample_draws_as_many_groups_as_there_are_and_each_equally_often() {
        let drawn = resampled(40, 2000, 1, <[u8]>::to_vec);
        let mut times = [0_u32; 40];
        for weights in &drawn {
            assert_eq!(weights.iter().map(|w| u32::from(*w)).sum::<u32>(), 40);
            for (sum, weight) in times.iter_mut().zip(weights) {
                *sum += u32::from(*weight);
            }
        }
        // 2000 ± 5 standard deviations.
        assert!(times.iter().all(|n| (1777..2223).contains(n)), "{times:?}");
    }

    #[test]
    fn an_interval_covers_the_truth_about_as_often_as_it_says() {
        // Groups of pairs that share a difficulty, as pairs of one image do; a scorer that is right with probability 0.7.
        const GROUPS: usize = 80;
        let covered = (0..300_u64)
            .filter(|set| {
                let mut chance = SplitMix64::stream(99, *set);
                let mut uniform = || (chance.next() >> 11) as f64 / (1_u64 << 53) as f64;
                let parts: Vec<(f64, f64)> = (0..GROUPS)
                    .map(|_| {
                        let (pairs, easiness) =
                            (1 + (uniform() * 6.0) as u32, 0.4 + uniform() * 0.6);
                        let right = (0..pairs).filter(|_| uniform() < easiness).count();
                        (right as f64, f64::from(pairs))
                    })
                    .collect();
                let interval = interval(GROUPS, 400, *set, |weights| {
                    let (mut right, mut of) = (0.0, 0.0);
                    for ((r, n), weight) in parts.iter().zip(weights) {
                        right += r * f64::from(*weight);
                        of += n * f64::from(*weight);
                    }
                    Some(right / of)
                });
                interval.is_some_and(|i| i.low <= 0.7 && 0.7 <= i.high)
            })
            .count();
        let share = covered as f64 / 300.0;
        assert!((0.90..=0.98).contains(&share), "{share}");
    }

    #[test]
    fn undefined_resamples_are_left_out_and_counted() {
        let first_was_drawn = |weights: &[u8]| (weights[0] > 0).then_some(1.0);
        let found = interval(10, 500, 2, first_was_drawn).unwrap();
        assert_eq!((found.low, found.high), (1.0, 1.0));
        // Absent from a resample with probability 0.9¹⁰ = 0.35.
        assert!((275..375).contains(&found.resamples), "{found:?}");
        assert_eq!(interval(10, 50, 2, |_| None), None);
        assert_eq!(interval(10, 50, 2, |_| Some(f64::NAN)), None);
        assert_eq!(interval(1, 50, 2, |_| Some(1.0)), None);
        assert_eq!(interval(10, 0, 2, |_| Some(1.0)), None);
    }

    #[test]
    fn several_figures_have_the_intervals_that_they_have_alone() {
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        let figure = |w: &[u8]| Some(mean(&values, w));
        let both = intervals(30, 200, 8, |w| vec![figure(w), None]);
        assert_eq!(both, [interval(30, 200, 8, figure), None]);
        assert!(intervals(1, 200, 8, |_| vec![None]).is_empty());
    }

    #[test]
    fn a_paired_difference_is_clear_where_the_two_vary_together() {
        let one: Vec<f64> = (0..60).map(|i| f64::from(i % 10)).collect();
        let other: Vec<f64> = (0..60).map(|i| one[i] + [0.3, -0.1][i % 2]).collect();
        let paired = difference(60, 1000, 3, |w| Some([mean(&one, w), mean(&other, w)])).unwrap();
        assert!(paired.low < -0.1 && paired.high < 0.0, "{paired:?}");
        assert!((paired.p - 2.0 / 1001.0).abs() < 1e-12, "{paired:?}");
        let same = difference(60, 1000, 3, |w| Some([mean(&one, w); 2])).unwrap();
        assert_eq!((same.low, same.high, same.p), (0.0, 0.0, 1.0));
    }
}
