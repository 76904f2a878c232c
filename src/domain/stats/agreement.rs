//! How far people who rated the same things agree, beyond what chance would give.

use super::correlation::average_ranks;
use super::undefined::{Statistic, Undefined};

/// What the numbers of a scale mean, and with it how far two ratings are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Names: two ratings are the same or not.
    Nominal,
    /// An order: two ratings are apart by the number of given ratings that lie between them.
    Ordinal,
    /// A measure: two ratings are apart by their difference.
    Interval,
}

/// Krippendorff's alpha: 1 minus observed over expected disagreement (Krippendorff 2011, "Computing Krippendorff's
/// Alpha-Reliability"); at most 1, and 0 where people agree as chance would.
///
/// `units` holds each rated thing's ratings, whoever gave them: a missing cell makes a unit shorter, and units with fewer than
/// two ratings count for nothing.
///
/// No table of coincidences is made. The ordinal distance of two ratings, the squared number of ratings from the middle of the
/// one's to the middle of the other's, is the squared difference of their average ranks; and sums of squared differences are
/// sums of squared deviations from a mean. So it takes O(n log n), however many different values there are.
pub fn krippendorff_alpha(units: &[Vec<f64>], level: Level) -> Statistic {
    let paired: Vec<&[f64]> = units
        .iter()
        .filter(|unit| unit.len() > 1)
        .map(Vec::as_slice)
        .collect();
    let values: Vec<f64> = paired.concat();
    check(&values)?;
    let places = average_ranks(&values);
    let at = match level {
        Level::Nominal | Level::Ordinal => &places,
        Level::Interval => &values,
    };
    // The sum of the distances over all ordered pairs of `ratings`.
    let apart = |ratings: &[f64]| match level {
        Level::Nominal => differing(ratings),
        Level::Ordinal | Level::Interval => squared_differences(ratings),
    };
    let (mut observed, mut start) = (0.0, 0);
    for unit in &paired {
        let end = start + unit.len();
        observed += apart(&at[start..end]) / (unit.len() - 1) as f64;
        start = end;
    }
    let expected = apart(at);
    finite(1.0 - (values.len() - 1) as f64 * observed / expected)
}

/// Fleiss' kappa: the agreement of two ratings of a unit beyond that of two ratings at random, over the most it could be
/// (Fleiss 1971, "Measuring nominal scale agreement among many raters"). Ratings are names, equal or not.
///
/// Every unit must have the same number of ratings, two at least.
pub fn fleiss_kappa(units: &[Vec<f64>]) -> Statistic {
    let ratings = units.first().ok_or(Undefined::NoJudgements)?.len();
    if let Some(other) = units.iter().find(|unit| unit.len() != ratings) {
        return Err(Undefined::UnevenRatings {
            first: ratings,
            second: other.len(),
        });
    }
    if ratings < 2 {
        return Err(Undefined::NothingPaired);
    }
    let values: Vec<f64> = units.concat();
    check(&values)?;
    let pairs = (ratings * (ratings - 1)) as f64;
    let differing_pairs: f64 = units.iter().map(|unit| differing(unit)).sum();
    let observed = differing_pairs / (pairs * units.len() as f64);
    // With repetition: two ratings at random may be the same one.
    let expected = differing(&values) / (values.len() as f64).powi(2);
    finite(1.0 - observed / expected)
}

/// Cohen's kappa of two raters with quadratic weights: two ratings are apart by the squared number of steps between their
/// places in `categories`, the scale in its order (Cohen 1968, "Weighted kappa").
pub fn cohen_quadratic_kappa(a: &[f64], b: &[f64], categories: &[f64]) -> Statistic {
    if a.len() != b.len() {
        return Err(Undefined::Unpaired {
            first: a.len(),
            second: b.len(),
        });
    }
    let place = |rating: &f64| {
        let found = categories.iter().position(|c| c == rating);
        found.map(|i| i as f64).ok_or(Undefined::UnknownCategory)
    };
    let a: Vec<f64> = a.iter().map(place).collect::<Result<_, _>>()?;
    let b: Vec<f64> = b.iter().map(place).collect::<Result<_, _>>()?;
    check(&[a.as_slice(), b.as_slice()].concat())?;
    let n = a.len() as f64;
    let observed: f64 = a.iter().zip(&b).map(|(x, y)| (x - y).powi(2)).sum();
    // Σᵢⱼ (aᵢ - bⱼ)² = n Σ aᵢ² + n Σ bⱼ² - 2 Σ aᵢ Σ bⱼ, exact in whole steps.
    let sum = |v: &[f64]| v.iter().sum::<f64>();
    let squares = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
    let expected = (squares(&a) + squares(&b)) - 2.0 * sum(&a) * sum(&b) / n;
    finite(1.0 - observed / expected)
}

/// Whether ratings can show agreement at all.
fn check(values: &[f64]) -> Result<(), Undefined> {
    let first = values.first().ok_or(Undefined::NothingPaired)?;
    if values.iter().any(|v| !v.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    if values.iter().all(|v| v == first) {
        return Err(Undefined::OneCategory);
    }
    Ok(())
}

fn finite(value: f64) -> Statistic {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Undefined::NotFinite)
    }
}

/// Ordered pairs of different values.
fn differing(values: &[f64]) -> f64 {
    // Adding zero makes -0 a 0, which the total order would tell apart.
    let mut sorted: Vec<f64> = values.iter().map(|v| v + 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let same: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|run| (run.len() as f64).powi(2))
        .sum();
    (values.len() as f64).powi(2) - same
}

/// The sum of (x - y)² over all ordered pairs: 2n times the squared deviations from the mean.
fn squared_differences(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    2.0 * n * values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    const LEVELS: [Level; 3] = [Level::Nominal, Level::Ordinal, Level::Interval];

    fn krippendorffs_example() -> Vec<Vec<f64>> {
        // His four observers and twelve units (2011, section C), each unit's scores in one row.
        [
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
        .to_vec()
    }

    #[test]
    fn krippendorffs_own_example_has_his_alphas() {
        let units = krippendorffs_example();
        for (level, published) in LEVELS.into_iter().zip([0.743, 0.815, 0.849]) {
            let alpha = krippendorff_alpha(&units, level).unwrap();
            assert!((alpha - published).abs() < 5e-4, "{level:?} {alpha}");
        }
    }

    #[test]
    fn alpha_is_what_the_table_of_coincidences_gives() {
        let mut draw = draws(9);
        for _ in 0..60 {
            let units: Vec<Vec<f64>> = (0..12)
                .map(|_| {
                    let (size, quality) = ((draw() * 5.0) as usize, draw() * 3.0);
                    (0..size)
                        .map(|_| (quality + draw() * 3.0).floor() * 0.3)
                        .collect()
                })
                .collect();
            for level in LEVELS {
                let (alpha, expected) =
                    (krippendorff_alpha(&units, level), by_table(&units, level));
                match alpha {
                    Ok(alpha) => assert!((alpha - expected).abs() < 1e-9, "{level:?} {units:?}"),
                    Err(_) => assert!(expected.is_nan(), "{level:?} {units:?}"),
                }
            }
        }
    }

    /// Alpha as it is written down: a coincidence matrix and a distance for each two values.
    fn by_table(units: &[Vec<f64>], level: Level) -> f64 {
        let paired: Vec<&Vec<f64>> = units.iter().filter(|unit| unit.len() > 1).collect();
        let mut values: Vec<f64> = paired.iter().copied().flatten().copied().collect();
        values.sort_by(f64::total_cmp);
        let total = values.len() as f64;
        values.dedup();
        let place = |rating: f64| values.iter().position(|v| *v == rating).unwrap();
        let mut together = vec![vec![0.0; values.len()]; values.len()];
        for unit in paired {
            for (i, a) in unit.iter().enumerate() {
                for (_, b) in unit.iter().enumerate().filter(|&(j, _)| j != i) {
                    together[place(*a)][place(*b)] += 1.0 / (unit.len() - 1) as f64;
                }
            }
        }
        let counts: Vec<f64> = together.iter().map(|row| row.iter().sum()).collect();
        let (mut observed, mut expected) = (0.0, 0.0);
        for low in 0..values.len() {
            for high in low + 1..values.len() {
                let between: f64 = counts[low..=high].iter().sum();
                let distance = match level {
                    Level::Nominal => 1.0,
                    Level::Ordinal => between - f64::midpoint(counts[low], counts[high]),
                    Level::Interval => values[high] - values[low],
                };
                observed += together[low][high] * distance.powi(2);
                expected += counts[low] * counts[high] * distance.powi(2);
            }
        }
        1.0 - (total - 1.0) * observed / expected
    }

    #[test]
    fn raters_who_say_the_same_agree_wholly() {
        let mut draw = draws(1);
        for _ in 0..40 {
            let units: Vec<Vec<f64>> = (0..15)
                .map(|i| vec![(draw() * 4.0).floor() / 3.0 + f64::from(i % 2); 3])
                .collect();
            for level in LEVELS {
                let alpha = krippendorff_alpha(&units, level).unwrap();
                assert!((alpha - 1.0).abs() < 1e-12, "{level:?} {alpha}");
            }
            assert_eq!(fleiss_kappa(&units), Ok(1.0));
        }
    }

    #[test]
    fn kappas_of_small_tables_by_hand() {
        // Two raters, categories x and y: xx, yy, xy, xx. They agree on 3 of 4; of 8 ratings 5 are x, so that two at random
        // agree in (25 + 9) / 64, and (3/4 - 34/64) / (30/64) = 7/15.
        let units = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]].map(|u| u.to_vec());
        assert!((fleiss_kappa(&units).unwrap() - 7.0 / 15.0).abs() < 1e-15);
        // (1, 1), (2, 2), (3, 1), (2, 3): squared steps 0 + 0 + 4 + 1 = 5. All 16 pairs of a rating of the one and one of the
        // other: 1 is 0 + 1 + 0 + 4 = 5 away from the others, 2 is 3 away, twice, 3 is 9 away: 20 in all, 5 for every four.
        let (a, b) = ([1.0, 2.0, 3.0, 2.0], [1.0, 2.0, 1.0, 3.0]);
        let kappa = cohen_quadratic_kappa(&a, &b, &[1.0, 2.0, 3.0]).unwrap();
        assert!(kappa.abs() < 1e-15, "{kappa}");
        let better = cohen_quadratic_kappa(&a, &[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).unwrap();
        assert!((better - 0.5).abs() < 1e-15, "{better}");
        assert_eq!(cohen_quadratic_kappa(&a, &a, &[1.0, 2.0, 3.0]), Ok(1.0));
    }

    #[test]
    fn agreement_without_pairs_or_without_variation_is_undefined() {
        for level in LEVELS {
            let alpha = |units: &[Vec<f64>]| krippendorff_alpha(units, level);
            assert_eq!(
                alpha(&[vec![1.0], vec![2.0]]),
                Err(Undefined::NothingPaired)
            );
            assert_eq!(
                alpha(&[vec![0.1; 3], vec![4.0]]),
                Err(Undefined::OneCategory)
            );
            assert_eq!(alpha(&[vec![1.0, f64::NAN]]), Err(Undefined::NotFinite));
        }
        assert_eq!(fleiss_kappa(&[]), Err(Undefined::NoJudgements));
        assert_eq!(fleiss_kappa(&[vec![1.0]]), Err(Undefined::NothingPaired));
        assert_eq!(fleiss_kappa(&[vec![1.0, 1.0]]), Err(Undefined::OneCategory));
        assert_eq!(
            fleiss_kappa(&[vec![1.0, 2.0], vec![1.0]]),
            Err(Undefined::UnevenRatings {
                first: 2,
                second: 1
            })
        );
        let cohen = |a: &[f64], b: &[f64]| cohen_quadratic_kappa(a, b, &[1.0, 2.0]);
        assert_eq!(cohen(&[1.0], &[1.0]), Err(Undefined::OneCategory));
        assert_eq!(cohen(&[1.0], &[7.0]), Err(Undefined::UnknownCategory));
        assert_eq!(cohen(&[], &[]), Err(Undefined::NothingPaired));
    }
}
