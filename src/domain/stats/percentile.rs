//! Places within a sample: the percentile of a value, and the middle of what resampling gave.

/// The share of `sorted` (ascending) that lies below `value`, ties counted half, in 0..=100; `None` for an empty sample.
pub fn percentile_of(sorted: &[f64], value: f64) -> Option<f64> {
    if sorted.is_empty() {
        return None;
    }
    let below = sorted.partition_point(|v| *v < value);
    let not_above = sorted.partition_point(|v| *v <= value);
    Some(100.0 * (below + not_above) as f64 / 2.0 / sorted.len() as f64)
}

/// The ends of the central 95 % of `sorted` (ascending); `None` for an empty sample.
pub fn central_95(sorted: &[f64]) -> Option<[f64; 2]> {
    let at = |share: f64| {
        let last = sorted.len().checked_sub(1)?;
        sorted.get((share * last as f64).round() as usize).copied()
    };
    Some([at(0.025)?, at(0.975)?])
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
    central_95(&ratios)
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    #[test]
    fn percentiles_count_ties_half() {
        assert_eq!(percentile_of(&[1.0, 2.0, 2.0, 3.0], 2.0), Some(50.0));
        assert_eq!(percentile_of(&[1.0, 2.0], 9.0), Some(100.0));
        assert_eq!(percentile_of(&[], 9.0), None);
    }

    #[test]
    fn the_middle_leaves_a_fortieth_out_at_each_end() {
        let sorted: Vec<f64> = (0..=1000).map(f64::from).collect();
        assert_eq!(central_95(&sorted), Some([25.0, 975.0]));
        assert_eq!(central_95(&[]), None);
    }

    #[test]
    fn a_bootstrap_interval_is_as_wide_as_the_parts_differ() {
        let mut next = draws(1);
        let mut draw = |n: usize| (next() * n as f64) as usize;
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
}
