//! The losses against recorded values and gradients, finite differences and their own symmetries.

use super::*;

const UNCERTAINTY: PairLoss = PairLoss::Uncertainty { margin: 0.0 };

fn recorded() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/losses/losses.json")).unwrap()
}

/// The draws of row `row`, 16-bit floats.
fn draws(row: usize) -> Vec<f64> {
    let bytes = include_bytes!("../../../tests/fixtures/losses/draws.f16");
    bytes[row * 2000..(row + 1) * 2000]
        .chunks(2)
        .map(|pair| {
            let bits = u16::from_le_bytes([pair[0], pair[1]]);
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            let size = match exponent {
                0 => fraction / 1024.0 * (-14.0_f64).exp2(),
                e => (1.0 + fraction / 1024.0) * f64::from(e - 15).exp2(),
            };
            if bits >> 15 == 1 { -size } else { size }
        })
        .collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    let one = |v: &serde_json::Value| match v.as_str() {
        Some(text) => text.parse().unwrap(),
        None => v.as_f64().unwrap(),
    };
    value
        .as_array()
        .map_or_else(|| vec![one(value)], |all| all.iter().map(one).collect())
}

/// The eight recorded pairs with the overall scores of both sides.
fn rows() -> Vec<(Gaussian, Gaussian, [f64; 2])> {
    recorded()["table"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .map(|r| {
            (
                Gaussian::new(r[0], r[1]),
                Gaussian::new(r[2], r[3]),
                [r[4], r[5]],
            )
        })
        .collect()
}

fn near(ours: f64, theirs: f64, tolerance: f64) -> bool {
    (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0)
}

/// Every pair's slopes in the recorded case, as the published code's batch makes them.
fn published(case: &serde_json::Value) -> Vec<Slope> {
    let columns = if case["output_dim"] == 2 {
        Columns::MeanAndLogSigma
    } else {
        Columns::Mean
    };
    let k = PUBLISHED_TIE_CONSTANT;
    let margin = PUBLISHED_MARGIN;
    let loss = match case["loss_type"].as_str().unwrap() {
        "uncertainty" => UNCERTAINTY,
        "uncertainty_with_margin" => PairLoss::Uncertainty { margin },
        "bt" => PairLoss::BradleyTerry {
            margin: 0.0,
            columns,
        },
        "constant_margin" => PairLoss::BradleyTerry { margin, columns },
        "btt" => PairLoss::BradleyTerryTies { k, columns },
        "hpsv2" => PairLoss::Hpsv2 { columns },
        "likelihood_displacement" => PairLoss::Displacement {
            tau: case["tau"].as_f64().unwrap(),
            columns,
        },
        other => panic!("an unknown loss, {other}"),
    };
    let tied: &[usize] = if case["note"].is_string() {
        &[2, 6]
    } else {
        &[]
    };
    rows()
        .into_iter()
        .enumerate()
        .map(|(i, (a, b, _))| {
            let preference = if tied.contains(&i) { 0.5 } else { 1.0 };
            loss.over_draws(a, b, preference, &draws(i))
        })
        .collect()
}

#[test]
fn the_published_losses_and_gradients_come_out_the_same() {
    let recorded = recorded();
    let mut seen = 0;
    for case in recorded["official"].as_array().unwrap() {
        if case["loss_type"] == "reg" {
            continue;
        }
        let batch = published(case);
        // The batch's mean; its sum for HPSv2.
        let share = if case["loss_type"] == "hpsv2" {
            1.0
        } else {
            0.125
        };
        let value: f64 = batch.iter().map(|s| s.value * share).sum();
        let what = format!("{} with {} outputs", case["loss_type"], case["output_dim"]);
        assert!(
            near(value, case["loss"].as_f64().unwrap(), 1e-6),
            "{what}: {value}"
        );
        for (i, slope) in batch.iter().enumerate() {
            for (ours, theirs) in [(slope.a, "grad_A"), (slope.b, "grad_B")] {
                let theirs = numbers(&case[theirs][i]);
                for (output, theirs) in theirs.iter().enumerate() {
                    let ours = ours[output] * share;
                    assert!(
                        near(ours, *theirs, 5e-7),
                        "{what}, row {i}: {ours}, not {theirs}"
                    );
                }
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn the_published_regression_comes_out_the_same() {
    let recorded = recorded();
    let case = recorded["official"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["loss_type"] == "reg")
        .unwrap();
    let mut value = 0.0;
    for (i, (a, b, overall)) in rows().into_iter().enumerate() {
        for (side, name, overall) in [(a, "grad_A", overall[0]), (b, "grad_B", overall[1])] {
            let (loss, slope) = regression(side, overall);
            value += loss / 16.0;
            let theirs = numbers(&case[name][i]);
            assert!(near(slope[0] / 16.0, theirs[0], 1e-6));
            assert_eq!(slope[1], 0.0);
        }
    }
    assert!(near(value, case["loss"].as_f64().unwrap(), 1e-6), "{value}");
}

#[test]
fn the_uncertainty_integral_is_exact() {
    let recorded = recorded();
    for (name, margin) in [
        ("uncertainty", 0.0),
        ("uncertainty_with_margin", PUBLISHED_MARGIN),
    ] {
        let case = &recorded["analytic"][name];
        let mut mean = 0.0;
        for (i, (a, b, _)) in rows().into_iter().enumerate() {
            let slope = PairLoss::Uncertainty { margin }.of(a, b, 1.0);
            mean += slope.value / 8.0;
            let row = &case["rows"][i];
            for (ours, theirs) in [
                (slope.value, "loss_row"),
                (slope.a[0], "d_muA"),
                (slope.a[1], "d_logsigA"),
                (slope.b[0], "d_muB"),
                (slope.b[1], "d_logsigB"),
            ] {
                let theirs = row[theirs].as_f64().unwrap();
                assert!(
                    near(ours, theirs, 1e-10),
                    "{name}, row {i}: {ours}, not {theirs}"
                );
            }
        }
        assert!(near(mean, case["loss"].as_f64().unwrap(), 1e-10));
    }
}

#[test]
fn the_integral_lies_where_four_hundred_thousand_draws_do() {
    let recorded = recorded();
    let drawn = numbers(&recorded["analytic"]["mc_rows_400k_fp16_eps"]);
    for ((a, b, _), drawn) in rows().into_iter().zip(drawn) {
        let exact = UNCERTAINTY.of(a, b, 1.0).value;
        assert!(
            (exact - drawn).abs() < 5e-3 * (1.0 + exact),
            "{exact} {drawn}"
        );
    }
}

#[test]
fn nothing_is_lost_at_the_edges_where_the_published_code_overflows() {
    let recorded = recorded();
    for case in recorded["uncertainty_edge_rows_repeated_8x"]
        .as_array()
        .unwrap()
    {
        let r = numbers(&case["row"]);
        let (a, b) = (Gaussian::new(r[0], r[1]), Gaussian::new(r[2], r[3]));
        let slope = UNCERTAINTY.of(a, b, 1.0);
        for number in [slope.value, slope.a[0], slope.a[1], slope.b[0], slope.b[1]] {
            assert!(number.is_finite(), "{r:?}: {slope:?}");
        }
        let theirs = numbers(&case["loss"])[0];
        if theirs.is_finite() {
            // Their draws are noisy where σ is large: 8000 of them, 5 % is three deviations.
            assert!(near(slope.value, theirs, 0.05), "{r:?}: {}", slope.value);
        }
    }
    let sure = Gaussian::new(0.0, f64::NEG_INFINITY);
    assert_eq!(UNCERTAINTY.of(sure, sure, 1.0).a, [-0.5, 0.0]);
    // E[ln(1 + e⁻ᶻ)] tends to σ/√(2π).
    let vague = Gaussian::new(0.0, 60.0);
    let value = UNCERTAINTY.of(vague, sure, 1.0).value;
    assert!(near(value / 60.0_f64.exp(), 0.398_942_280_401_432_7, 1e-12));
}

const MEAN: Columns = Columns::Mean;
const BOTH: Columns = Columns::MeanAndLogSigma;

fn every_loss() -> Vec<PairLoss> {
    let mut all = vec![UNCERTAINTY, PairLoss::Uncertainty { margin: 0.57 }];
    for columns in [MEAN, BOTH] {
        all.extend([
            PairLoss::BradleyTerry {
                margin: 0.3,
                columns,
            },
            PairLoss::BradleyTerryTies { k: 5.0, columns },
            PairLoss::Displacement { tau: 0.8, columns },
            PairLoss::Hpsv2 { columns },
        ]);
    }
    all
}

/// The derivative of `f` by each of four numbers, by central differences.
fn differences(at: [f64; 4], f: impl Fn([f64; 4]) -> f64) -> [f64; 4] {
    std::array::from_fn(|i| {
        let h = 1e-5;
        let shifted = |by: f64| {
            let mut x = at;
            x[i] += by;
            f(x)
        };
        (shifted(h) - shifted(-h)) / (2.0 * h)
    })
}

#[test]
fn slopes_are_what_finite_differences_say() {
    let sides = |x: [f64; 4]| (Gaussian::new(x[0], x[1]), Gaussian::new(x[2], x[3]));
    for loss in every_loss() {
        for preference in [1.0, 0.0, 0.5, 0.7] {
            for at in [
                [1.2, -0.5, 0.3, -0.2],
                [-0.4, 1.1, 0.9, -1.0],
                [2.0, 0.0, -3.0, 0.9],
            ] {
                let (a, b) = sides(at);
                let slope = loss.of(a, b, preference);
                let ours = [slope.a[0], slope.a[1], slope.b[0], slope.b[1]];
                let theirs = differences(at, |x| {
                    let (a, b) = sides(x);
                    loss.of(a, b, preference).value
                });
                for (ours, theirs) in ours.into_iter().zip(theirs) {
                    assert!(
                        (ours - theirs).abs() < 1e-8,
                        "{loss:?} at {at:?}, {preference}: {ours}, not {theirs}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_pair_told_the_other_way_round_is_the_same_pair() {
    let (a, b, _) = rows()[1];
    for loss in every_loss() {
        for preference in [1.0, 0.5, 0.2] {
            let there = loss.of(a, b, preference);
            let back = loss.of(b, a, 1.0 - preference);
            assert!((there.value - back.value).abs() < 1e-12, "{loss:?}");
            assert!((there.a[0] - back.b[0]).abs() < 1e-12, "{loss:?}");
            assert!((there.b[1] - back.a[1]).abs() < 1e-12, "{loss:?}");
        }
    }
}

#[test]
fn a_tie_pulls_scores_together_and_lies_flat_where_they_are_equal() {
    let at = |mean| Gaussian::new(mean, 0.0);
    for loss in every_loss() {
        if matches!(
            loss,
            PairLoss::Displacement { .. } | PairLoss::Hpsv2 { columns: BOTH }
        ) {
            continue;
        }
        let level = loss.of(at(0.7), at(0.7), 0.5);
        assert!(level.a[0].abs() < 1e-12, "{loss:?}");
        let apart = loss.of(at(1.0), at(0.0), 0.5);
        assert!(apart.a[0] > 0.0 && apart.value > level.value, "{loss:?}");
    }
}

#[test]
fn aggregates_carry_slopes_back_as_finite_differences_do() {
    let upstream = [0.7, -1.3];
    for rule in [Aggregate::Mean, Aggregate::Min, Aggregate::Sum] {
        for at in [[1.2, -0.5, 0.3, -0.2], [-0.4, 1.1, 0.9, -1.0]] {
            let of = |x: [f64; 4]| (Gaussian::new(x[0], x[1]), Gaussian::new(x[2], x[3]));
            let (first, second) = of(at);
            let [one, two] = rule.slopes(first, second, upstream);
            let theirs = differences(at, |x| {
                let (first, second) = of(x);
                let joined = rule.of(first, second);
                upstream[0] * joined.mean + upstream[1] * joined.log_sigma
            });
            for (ours, theirs) in [one[0], one[1], two[0], two[1]].into_iter().zip(theirs) {
                assert!(
                    (ours - theirs).abs() < 1e-8,
                    "{rule:?}: {ours}, not {theirs}"
                );
            }
        }
    }
}

#[test]
fn equal_axes_leave_the_minimums_slope_to_the_first() {
    let same = Gaussian::new(0.4, -0.1);
    assert_eq!(
        Aggregate::Min.slopes(same, same, [1.0, 2.0]),
        [[1.0, 2.0], [0.0, 0.0]]
    );
    let sure = Gaussian::new(0.0, f64::NEG_INFINITY);
    assert_eq!(
        Aggregate::Sum.slopes(sure, sure, [1.0, 2.0]),
        [[1.0, 0.0], [1.0, 0.0]]
    );
}

#[test]
fn a_loss_is_told_apart_by_its_kind_in_settings() {
    let loss: PairLoss =
        serde_json::from_str(r#"{"kind": "uncertainty", "margin": 0.57}"#).unwrap();
    assert_eq!(loss, PairLoss::Uncertainty { margin: 0.57 });
    for loss in every_loss() {
        let json = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<PairLoss>(&json).unwrap(), loss);
    }
}
