//! Judged pairs laid out for resampling: sorted once, so that each of a thousand resamples of a million pairs is one pass.

use super::accuracy::{Calibrated, Judged, Share};
use super::undefined::Undefined;

/// A pair whose being right depends on the threshold, in four bytes, so that a million of them fit a processor's cache: its
/// group, and the two bits below. Pairs that are wrong at every threshold are not among them.
type Step = u32;
/// People say tie: wrong without ties, right from the threshold of the pair's own difference on. Without this bit it is the
/// other way round.
const TIE: Step = 1 << 31;
/// The last of those with the same absolute difference. Thresholds lie only here.
const LAST: Step = 1 << 30;
const GROUP: Step = LAST - 1;

/// Pairs in the order of their absolute differences, by the groups that they are drawn with.
#[derive(Debug, Clone)]
pub struct PairTable {
    steps: Vec<Step>,
    /// The absolute difference of each step; looked at once a pass.
    differences: Vec<f64>,
    groups: Vec<Counts>,
}

/// The pairs of one group.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: u32,
    told_apart: u32,
    right: u32,
}

impl PairTable {
    /// Lays out `pairs`, of which each is drawn together with those of the same number in `groups`: from 0, without large gaps
    /// (the table has a row for each number up to the largest).
    pub fn new(pairs: &[Judged], groups: &[u32]) -> Result<Self, Undefined> {
        if pairs.len() != groups.len() {
            return Err(Undefined::Unpaired {
                first: pairs.len(),
                second: groups.len(),
            });
        }
        if groups.iter().any(|group| *group > GROUP) {
            return Err(Undefined::TooManyGroups);
        }
        Ok(Self::laid_out(pairs, |i| groups[i]))
    }

    /// All of `pairs` in group 0.
    pub(super) fn of_one_group(pairs: &[Judged]) -> Self {
        Self::laid_out(pairs, |_| 0)
    }

    fn laid_out(pairs: &[Judged], group_of: impl Fn(usize) -> u32) -> Self {
        let rows = (0..pairs.len()).map(|i| group_of(i) as usize + 1).max();
        let mut groups = vec![Counts::default(); rows.unwrap_or(0)];
        let mut sorted: Vec<(f64, Step)> = Vec::with_capacity(pairs.len());
        for (i, pair) in pairs.iter().enumerate() {
            let group = group_of(i);
            let counts = &mut groups[group as usize];
            counts.all += 1;
            counts.told_apart += u32::from(!pair.is_tie());
            counts.right += u32::from(pair.is_right());
            if pair.is_right() || (pair.is_tie() && !pair.difference.is_nan()) {
                let tie = if pair.is_tie() { TIE } else { 0 };
                sorted.push((pair.difference.abs(), group | tie));
            }
        }
        // By group among equals: their order does not matter, and neighbours in memory are looked up faster.
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1 & GROUP).cmp(&(b.1 & GROUP))));
        for i in 0..sorted.len() {
            if sorted.get(i + 1).is_none_or(|next| next.0 != sorted[i].0) {
                sorted[i].1 |= LAST;
            }
        }
        let (differences, steps) = sorted.into_iter().unzip();
        Self {
            steps,
            differences,
            groups,
        }
    }

    /// How many groups there are, empty ones counted: the weights that a pass needs.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// [`strict`](super::strict) with each group counted as often as its weight says; groups without a weight do not count.
    pub fn strict(&self, weights: &[u8]) -> Share {
        let (mut right, mut of) = (0, 0);
        for (counts, weight) in self.groups.iter().zip(weights) {
            right += u64::from(counts.right) * u64::from(*weight);
            of += u64::from(counts.told_apart) * u64::from(*weight);
        }
        Share {
            right: right as f64,
            of: of as f64,
        }
    }

    /// [`calibrated`](super::calibrated) with each group counted as often as its weight says; groups without a weight do not
    /// count. The threshold is chosen anew, as it would be on the resampled pairs.
    pub fn calibrated(&self, weights: &[u8]) -> Calibrated {
        let (mut right, mut of) = (0_i64, 0_i64);
        for (counts, weight) in self.groups.iter().zip(weights) {
            right += i64::from(counts.right) * i64::from(*weight);
            of += i64::from(counts.all) * i64::from(*weight);
        }
        let (mut best, mut threshold) = (right, None);
        for (i, step) in self.steps.iter().enumerate() {
            let group = (step & GROUP) as usize;
            let weight = i64::from(weights.get(group).copied().unwrap_or(0));
            right += if step & TIE == 0 { -weight } else { weight };
            if right > best && step & LAST != 0 {
                (best, threshold) = (right, Some(i));
            }
        }
        Calibrated {
            right: best as f64,
            of: of as f64,
            epsilon: threshold.map(|i| self.differences[i]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{calibrated, draws, strict};
    use super::*;

    #[test]
    fn a_weight_counts_a_group_as_often_as_if_it_were_repeated() {
        for seed in 0..100 {
            let mut draw = draws(seed);
            let (mut pairs, mut groups) = (Vec::new(), Vec::new());
            for _ in 0..60 {
                let human = (draw() * 3.0) as i8 - 1;
                let difference = ((draw() - 0.5) * 9.0 + f64::from(human)).round() / 2.0;
                let missing = draw() < 0.05;
                pairs.push(Judged {
                    human,
                    difference: if missing { f64::NAN } else { difference },
                });
                groups.push((draw() * 8.0) as u32);
            }
            let weights: Vec<u8> = (0..8).map(|_| (draw() * 4.0) as u8).collect();
            let repeated: Vec<Judged> = pairs
                .iter()
                .zip(&groups)
                .flat_map(|(pair, group)| {
                    std::iter::repeat_n(*pair, usize::from(weights[*group as usize]))
                })
                .collect();
            let table = PairTable::new(&pairs, &groups).unwrap();
            assert_eq!(table.strict(&weights), strict(&repeated), "seed {seed}");
            assert_eq!(
                table.calibrated(&weights),
                calibrated(&repeated),
                "seed {seed}"
            );
            assert_eq!(
                table.calibrated(&vec![1; table.groups()]),
                calibrated(&pairs)
            );
        }
    }

    #[test]
    fn groups_that_do_not_fit_the_pairs_are_refused() {
        let pair = Judged {
            human: 1,
            difference: 1.0,
        };
        assert_eq!(
            PairTable::new(&[pair], &[]).err(),
            Some(Undefined::Unpaired {
                first: 1,
                second: 0
            })
        );
        assert_eq!(
            PairTable::new(&[pair], &[1 << 30]).err(),
            Some(Undefined::TooManyGroups)
        );
        let empty = PairTable::new(&[], &[]).unwrap();
        assert_eq!((empty.groups(), empty.calibrated(&[]).of), (0, 0.0));
    }
}
