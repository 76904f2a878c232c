//! What holds for every curve, over many made-up ones; no chance is taken, the numbers come from a fixed sequence.

use super::*;

/// Numbers in 0..1 that look like chance: a linear congruential generator with Knuth's constants (MMIX).
fn sequence(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A curve with irregular steps, `count` points, some of them no numbers.
fn curve(seed: u64, count: usize) -> (Vec<f64>, Vec<f64>) {
    let mut next = sequence(seed);
    let mut x = 0.0;
    (0..count)
        .map(|_| {
            x += if next() < 0.1 { next() * 40.0 } else { 1.0 };
            let y = match next() {
                v if v < 0.02 => f64::NAN,
                v if v < 0.03 => f64::INFINITY,
                _ => next() * 10.0 - 3.0,
            };
            (x, y)
        })
        .unzip()
}

/// An axis on which every finite value has a place.
fn even() -> Ruler {
    Ruler::new(-10.0, 10.0, false)
}

fn steps(count: usize) -> Vec<f64> {
    (1..=count).map(|i| i as f64).collect()
}

#[test]
fn a_constant_stays_what_it_is_to_the_last_bit() {
    for value in [0.1, -7.3, 1e300, 1e-300, 0.0] {
        let (x, _) = curve(3, 200);
        let y = vec![value; x.len()];
        assert!(
            smooth(&x, &y, 0.97, 1.0).iter().all(|s| *s == value),
            "{value}"
        );
    }
}

#[test]
fn one_or_two_points_are_left_alone() {
    assert_eq!(smooth(&[1.0], &[5.0], 0.99, 1.0), [5.0]);
    assert_eq!(smooth(&[1.0, 9.0], &[5.0, -1.0], 0.99, 1.0), [5.0, -1.0]);
    let lost = smooth(&[1.0, 2.0, 3.0], &[5.0, f64::NAN, -1.0], 0.99, 1.0);
    assert_eq!((lost[0], lost[2]), (5.0, -1.0));
    assert!(smooth(&[], &[], 0.5, 1.0).is_empty());
}

#[test]
fn regular_steps_give_the_debiased_average_of_the_adam_paper() {
    // m_t / (1 - w^t) with m_t = w m_{t-1} + (1 - w) y_t: Kingma & Ba (2015), section 3, as TensorBoard has it.
    let (_, y) = curve(11, 400);
    let y: Vec<f64> = y.into_iter().filter(|y| y.is_finite()).collect();
    let weight: f64 = 0.9;
    let ours = smooth(&steps(y.len()), &y, weight, 1.0);
    let mut m = 0.0;
    for (t, (y, s)) in (1_i32..).zip(y.iter().zip(&ours)) {
        m = weight * m + (1.0 - weight) * y;
        let expected = m / (1.0 - weight.powi(t));
        assert!((s - expected).abs() < 1e-9, "step {t}: {s} {expected}");
    }
}

#[test]
fn smoothing_stays_between_the_lowest_and_the_highest_and_begins_at_the_first() {
    for seed in 0..40 {
        let (x, y) = curve(seed, 150);
        let (low, high) = bounds(y.iter().copied()).unwrap();
        let first = y.iter().copied().find(|y| y.is_finite()).unwrap();
        for weight in [0.0, 0.3, 0.9, 0.999, 1.0] {
            let s = smooth(&x, &y, weight, 1.0);
            assert_eq!(s.len(), y.len());
            assert_eq!(s.iter().copied().find(|s| s.is_finite()), Some(first));
            let (from, to) = bounds(s.iter().copied()).unwrap();
            assert!(from >= low - 1e-9 && to <= high + 1e-9, "{seed} {weight}");
        }
    }
}

#[test]
fn what_is_no_number_stays_visible_and_changes_nothing_else() {
    for seed in 0..20 {
        let (x, y) = curve(seed, 200);
        let s = smooth(&x, &y, 0.9, 1.0);
        for (y, s) in y.iter().zip(&s) {
            assert_eq!(y.is_finite(), s.is_finite());
            assert!(y.is_finite() || y.to_bits() == s.to_bits());
        }
    }
    // Without that point at all, the rest is the same.
    let twin = smooth(
        &[1.0, 2.0, 3.0, 4.0, 5.0],
        &[1.0, f64::NAN, 4.0, 2.0, 3.0],
        0.5,
        1.0,
    );
    let without = smooth(&[1.0, 3.0, 4.0, 5.0], &[1.0, 4.0, 2.0, 3.0], 0.5, 1.0);
    assert_eq!([&twin[..1], &twin[2..]].concat(), without);
}

#[test]
fn a_gap_forgets_as_much_as_the_points_that_would_have_filled_it() {
    let y = [0.0, 0.0, 0.0, 8.0];
    let near = smooth(&[1.0, 2.0, 3.0, 4.0], &y, 0.5, 1.0)[3];
    let far = smooth(&[1.0, 2.0, 3.0, 30.0], &y, 0.5, 1.0)[3];
    assert!((near - 8.0 / 1.875).abs() < 1e-12, "{near}");
    assert!(far > 7.99, "{far}");
    let sparse: Vec<f64> = (0..9).map(|i| f64::from(i) * 100.0).collect();
    let every: Vec<f64> = (0..9).map(f64::from).collect();
    let y = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0];
    assert_eq!(
        smooth(&sparse, &y, 0.5, 100.0),
        smooth(&every, &y, 0.5, 1.0)
    );
}

#[test]
fn thinning_keeps_every_lowest_and_highest_value_in_its_column() {
    for seed in 0..30 {
        let (x, y) = curve(seed, 2000);
        let ruler = Ruler::new(x[100], x[1700], false);
        for columns in [1, 7, 160] {
            let thinned = thin(&x, &y, &ruler, &even(), columns);
            let inside = |c: &&Column| (0.0..columns as f64).contains(&c.at);
            let shown: Vec<&Column> = thinned.columns.iter().filter(inside).collect();
            assert!(shown.len() <= columns);
            assert!(thinned.columns.len() <= columns + 2);
            let within = x
                .iter()
                .zip(&y)
                .filter(|(x, y)| (ruler.low()..=ruler.high()).contains(*x) && y.is_finite());
            let expected = bounds(within.map(|(_, y)| *y));
            let found = bounds(shown.iter().flat_map(|c| [c.low, c.high]));
            assert_eq!(found, expected);
            assert!(shown.windows(2).all(|pair| pair[0].at < pair[1].at));
            for c in shown {
                assert!(c.low <= c.first.min(c.last) && c.high >= c.first.max(c.last));
            }
        }
    }
}

#[test]
fn a_line_comes_in_from_before_the_window_and_goes_out_behind_it() {
    let thinned = thin(
        &steps(100),
        &steps(100),
        &Ruler::new(40.5, 60.5, false),
        &even(),
        10,
    );
    let at: Vec<f64> = thinned.columns.iter().map(|c| c.at).collect();
    assert!(at[0] < 0.0 && at[at.len() - 1] > 10.0, "{at:?}");
    assert_eq!(thinned.columns[0].first, 40.0);
    assert_eq!(thinned.columns[thinned.columns.len() - 1].first, 61.0);
}

#[test]
fn what_is_no_number_is_reported_at_its_column() {
    let y = [1.0, f64::NAN, 2.0, f64::INFINITY];
    let across = Ruler::new(1.0, 4.0, false);
    let thinned = thin(&steps(4), &y, &across, &even(), 4);
    assert_eq!(thinned.columns.len(), 2);
    let columns: Vec<usize> = thinned.lost.iter().map(|(c, _)| *c).collect();
    assert_eq!(columns, [1, 3]);
    assert!(thinned.lost[0].1.is_nan() && thinned.lost[1].1 == f64::INFINITY);
    let log = Ruler::new(0.1, 4.0, true);
    let thinned = thin(&steps(4), &[1.0, -2.0, 0.0, 4.0], &across, &log, 4);
    assert_eq!(thinned.lost, [(1, -2.0), (2, 0.0)]);
}

#[test]
fn the_nearest_point_is_found_within_reach_only() {
    let x = [1.0, 10.0, 20.0];
    assert_eq!(nearest(&x, 14.0, 5.0), Some(1));
    assert_eq!(nearest(&x, 16.0, 5.0), Some(2));
    assert_eq!(nearest(&x, 99.0, 5.0), None);
    assert_eq!(nearest(&x, -3.0, f64::INFINITY), Some(0));
    assert_eq!(nearest(&[], 0.0, f64::INFINITY), None);
}

#[test]
fn a_ruler_is_a_range_whatever_it_is_made_of() {
    let ends = [
        f64::NAN,
        f64::NEG_INFINITY,
        f64::MIN,
        -1.0,
        0.0,
        1e-300,
        0.5,
        0.5 + 1e-16,
        7.0,
        f64::MAX,
        f64::INFINITY,
    ];
    for low in ends {
        for high in ends {
            for log in [false, true] {
                let ruler = Ruler::new(low, high, log);
                let (from, to) = (ruler.low(), ruler.high());
                assert!(
                    from < to && from.is_finite() && to.is_finite(),
                    "{low} {high} {log}: {ruler:?}"
                );
                assert!(!log || from > 0.0);
                for most in [1, 3, 9] {
                    assert!(ruler.ticks(most).len() <= most, "{ruler:?}");
                }
                let zoomed = ruler.zoomed(0.5, 0.5).zoomed(4.0, 0.1).panned(0.3);
                assert!(zoomed.low() < zoomed.high(), "{ruler:?}");
            }
        }
    }
}

#[test]
fn shares_and_values_are_each_others_inverse() {
    for (low, high, log) in [(0.0, 1.0, false), (-5.0, 1e4, false), (1e-6, 1e-2, true)] {
        let ruler = Ruler::new(low, high, log);
        for share in [0.0, 0.25, 0.5, 1.0, 1.5] {
            let back = ruler.share(ruler.value(share)).unwrap();
            assert!((back - share).abs() < 1e-9, "{ruler:?} {share} {back}");
        }
    }
    assert_eq!(Ruler::new(0.1, 1.0, true).share(-1.0), None);
    assert_eq!(Ruler::new(0.0, 1.0, false).share(f64::NAN), None);
}

#[test]
fn zooming_keeps_the_place_under_the_cursor() {
    for log in [false, true] {
        let ruler = Ruler::new(1.0, 1000.0, log);
        for share in [0.0, 0.3, 1.0] {
            let value = ruler.value(share);
            let zoomed = ruler.zoomed(0.5, share);
            assert!((zoomed.share(value).unwrap() - share).abs() < 1e-9);
        }
    }
}

#[test]
fn numbers_stand_at_round_places() {
    let texts = |low, high, log, most| -> Vec<String> {
        let ticks = Ruler::new(low, high, log).ticks(most);
        ticks.into_iter().map(|t| t.text).collect()
    };
    assert_eq!(texts(0.0, 3000.0, false, 4), ["0", "1k", "2k", "3k"]);
    assert_eq!(
        texts(0.0, 3000.0, false, 7),
        ["0", "500", "1.0k", "1.5k", "2.0k", "2.5k", "3.0k"]
    );
    assert_eq!(texts(0.42, 0.71, false, 4), ["0.5", "0.6", "0.7"]);
    assert_eq!(
        texts(1e-6, 1e-2, true, 5),
        ["1e-6", "1e-5", "0.0001", "0.001", "0.01"]
    );
    assert_eq!(texts(1e-6, 1e-2, true, 3), ["1e-6", "0.0001", "0.01"]);
    assert_eq!(texts(0.3, 0.9, true, 4), ["0.4", "0.6", "0.8"]);
    assert_eq!(texts(0.2, 6.0, true, 6), ["0.2", "0.5", "1", "2", "5"]);
    assert_eq!(texts(-0.4, 0.5, false, 3), ["0", "0.5"]);
}
