//! How fast a model trains here; run by hand: `cargo test --lib model::learner::speed -- --ignored --nocapture`. `ERW_SPEED_MODEL`
//! names a model dir, else the sample model's is taken.

use std::path::PathBuf;
use std::time::Instant;

use super::recipe::{Recipe, Trained};
use super::tests::{everything, example, rates, recipe};
use super::{Example, Learner as _, Network};
use crate::model::LoadOptions;

#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::print_stderr, reason = "a measurement is printed")]
fn a_training_step_on_this_machine() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/model");
    let dir = std::env::var_os("ERW_SPEED_MODEL").map_or_else(|| here.into(), PathBuf::from);
    let recipe = Recipe {
        trained: Trained {
            reward_token: false,
            ..everything()
        },
        ..recipe(everything())
    };
    let mut learner = Network::new(&dir, &recipe, &LoadOptions::default()).unwrap();
    let groups = 4;
    let batch =
        |n: u8| -> Vec<Example> { (0..groups).map(|g| example(n * 40 + g * 8, 5)).collect() };
    let mut times = Vec::new();
    for n in 0..6 {
        let batch = batch(n % 3);
        let start = Instant::now();
        learner.accumulate(&batch, 0.01, u64::from(n)).unwrap();
        let passed = start.elapsed();
        learner.update(&rates(1e-4), Some(1.0)).unwrap();
        times.push((start.elapsed(), passed));
    }
    times.sort();
    let (step, pass) = times[times.len() / 2];
    eprintln!(
        "{} trained numbers; {groups} groups of 5 a step: {:.0} ms, of which {:.0} ms the passes; {:.2} groups/s",
        learner.trained_parameters(),
        step.as_secs_f64() * 1e3,
        pass.as_secs_f64() * 1e3,
        f64::from(groups) / step.as_secs_f64()
    );
}
