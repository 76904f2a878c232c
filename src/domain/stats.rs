//! Statistics over scores and labels.

/// Ranks from 1 (smallest), ties sharing their average rank.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        for &index in &order[start..end] {
            ranks[index] = (start + 1 + end) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// Pearson's correlation; `None` when it is undefined (fewer than two values, or one side constant).
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a).powi(2);
        bb += (y - mean_b).powi(2);
    }
    (aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
}

/// Spearman's rank correlation with average ranks; `None` when undefined.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&average_ranks(a), &average_ranks(b))
}

/// The share of `sorted` (ascending) that lies below `value`, ties counted half, in 0..=100; `None` for an empty sample.
pub fn percentile_of(sorted: &[f64], value: f64) -> Option<f64> {
    if sorted.is_empty() {
        return None;
    }
    let below = sorted.partition_point(|v| *v < value);
    let not_above = sorted.partition_point(|v| *v <= value);
    Some(100.0 * (below + not_above) as f64 / 2.0 / sorted.len() as f64)
}

/// The expected calibration error of a two-way choice: how far the confidence in the likelier side, max(p, 1 - p), is from how
/// often that side is right, averaged over ten equal bins of confidence by how many judgements fall in (Guo et al. 2017).
///
/// `judged` holds each P(A ≻ B) and whether A is the better. `None` without judgements.
pub fn calibration_error(judged: impl IntoIterator<Item = (f64, bool)>) -> Option<f64> {
    const BINS: usize = 10;
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for (p, a_is_better) in judged {
        let confidence = p.max(1.0 - p);
        let right = if p == 0.5 {
            0.5
        } else if (p > 0.5) == a_is_better {
            1.0
        } else {
            0.0
        };
        let bin = ((confidence - 0.5) * 2.0 * BINS as f64) as usize;
        let (count, sure, hits) = &mut bins[bin.min(BINS - 1)];
        *count += 1.0;
        *sure += confidence;
        *hits += right;
    }
    let total: f64 = bins.iter().map(|(count, ..)| count).sum();
    let error: f64 = bins.iter().map(|(_, sure, hits)| (sure - hits).abs()).sum();
    (total > 0.0).then(|| error / total)
}

/// The central 95 % of a ratio under resampling of its parts (the percentile bootstrap): each part is (numerator, denominator)
/// of one independent unit, and `draw` gives a random index below its argument. `None` without parts, or where all of a
/// resample's denominators are zero.
pub fn bootstrap_ratio(
    parts: &[(f64, f64)],
    resamples: usize,
    draw: &mut dyn FnMut(usize) -> usize,
) -> Option<[f64; 2]> {
    if parts.is_empty() || resamples == 0 {
        return None;
    }
    let mut ratios = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let (mut over, mut under) = (0.0, 0.0);
        for _ in 0..parts.len() {
            let (a, b) = parts[draw(parts.len())];
            over += a;
            under += b;
        }
        if under > 0.0 {
            ratios.push(over / under);
        }
    }
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = ratios.len().checked_sub(1)?;
        ratios.get((share * last as f64).round() as usize).copied()
    };
    Some([at(0.025)?, at(0.975)?])
}

/// Krippendorff's alpha for ordinal scores: 1 minus observed over expected disagreement, where two scores disagree by the
/// squared number of given scores that lie between them (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
///
/// `units` holds each judged thing's scores, whoever gave them; units with fewer than two count for nothing. `None` when
/// nothing is paired or every paired score is the same.
pub fn krippendorff_ordinal(units: &[Vec<f64>]) -> Option<f64> {
    let paired: Vec<&Vec<f64>> = units.iter().filter(|unit| unit.len() > 1).collect();
    let mut values: Vec<f64> = paired
        .iter()
        .flat_map(|unit| unit.iter().copied())
        .collect();
    values.sort_by(f64::total_cmp);
    let total = values.len() as f64;
    values.dedup();
    let place = |score: f64| values.partition_point(|v| *v < score);

    let size = values.len();
    let mut together = vec![0.0; size * size];
    for unit in &paired {
        for (i, a) in unit.iter().enumerate() {
            for (_, b) in unit.iter().enumerate().filter(|&(j, _)| j != i) {
                together[place(*a) * size + place(*b)] += 1.0 / (unit.len() - 1) as f64;
            }
        }
    }
    let counts: Vec<f64> = together
        .chunks(size.max(1))
        .map(|row| row.iter().sum())
        .collect();
    let (mut observed, mut expected) = (0.0, 0.0);
    for low in 0..size {
        for high in low + 1..size {
            let between: f64 = counts[low..=high].iter().sum();
            let distance = (between - f64::midpoint(counts[low], counts[high])).powi(2);
            observed += together[low * size + high] * distance;
            expected += counts[low] * counts[high] * distance;
        }
    }
    (expected > 0.0).then(|| 1.0 - (total - 1.0) * observed / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_average_rank() {
        assert_eq!(
            average_ranks(&[10.0, 20.0, 10.0, 5.0]),
            [2.5, 4.0, 2.5, 1.0]
        );
    }

    #[test]
    fn spearman_of_a_worked_example_with_ties() {
        // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4]).statistic
        let rho = spearman(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((rho - 0.948_683_298_050_513_8).abs() < 1e-12);
    }

    #[test]
    fn a_constant_side_has_no_correlation() {
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn percentiles_count_ties_half() {
        assert_eq!(percentile_of(&[1.0, 2.0, 2.0, 3.0], 2.0), Some(50.0));
        assert_eq!(percentile_of(&[1.0, 2.0], 9.0), Some(100.0));
        assert_eq!(percentile_of(&[], 9.0), None);
    }

    #[test]
    fn krippendorffs_own_example_has_his_ordinal_alpha() {
        // His four observers and twelve units (2011, section C), each unit's scores in one row; ordinal alpha 0.815.
        let units: Vec<Vec<f64>> = [
            &[1.0, 1.0, 1.0][..],
            &[2.0, 2.0, 3.0, 2.0],
            &[3.0, 3.0, 3.0, 3.0],
            &[3.0, 3.0, 3.0, 3.0],
            &[2.0, 2.0, 2.0, 2.0],
            &[1.0, 2.0, 3.0, 4.0],
            &[4.0, 4.0, 4.0, 4.0],
            &[1.0, 1.0, 2.0, 1.0],
            &[2.0, 2.0, 2.0, 2.0],
            &[5.0, 5.0, 5.0],
            &[1.0, 1.0],
            &[3.0],
        ]
        .map(<[f64]>::to_vec)
        .to_vec();
        let alpha = krippendorff_ordinal(&units).unwrap();
        assert!((alpha - 0.815).abs() < 5e-4, "{alpha}");
    }

    #[test]
    fn calibration_is_how_far_confidence_is_from_being_right() {
        // Ten times 0.8 and right eight times; four times 0.1 and right that it is the other, thrice.
        let first = (0..10).map(|i| (0.8, i < 8));
        assert!(calibration_error(first).unwrap() < 1e-12);
        let second = (0..4).map(|i| (0.1, i == 0));
        assert!((calibration_error(second).unwrap() - 0.15).abs() < 1e-12);
        assert!((calibration_error([(1.0, false)]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(calibration_error([]), None);
    }

    #[test]
    fn a_bootstrap_interval_is_as_wide_as_the_parts_differ() {
        let mut state = 1_u64;
        let mut draw = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let same = vec![(1.0, 2.0); 40];
        assert_eq!(bootstrap_ratio(&same, 200, &mut draw), Some([0.5, 0.5]));
        // A fair coin a hundred times: 0.5 ± 1.96·0.05.
        let coin: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i % 2), 1.0)).collect();
        let [low, high] = bootstrap_ratio(&coin, 2000, &mut draw).unwrap();
        assert!(
            (low - 0.402).abs() < 0.03 && (high - 0.598).abs() < 0.03,
            "{low} {high}"
        );
        assert_eq!(bootstrap_ratio(&[], 10, &mut draw), None);
        assert_eq!(bootstrap_ratio(&[(0.0, 0.0)], 10, &mut draw), None);
    }

    #[test]
    fn agreement_without_pairs_or_without_variation_is_undefined() {
        assert_eq!(krippendorff_ordinal(&[vec![1.0], vec![2.0]]), None);
        assert_eq!(krippendorff_ordinal(&[vec![2.0, 2.0]]), None);
    }
}
