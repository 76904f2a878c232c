//! The learner on the small recorded checkpoint: what it promises the loop.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::recipe::{AdamW, Auxiliary, Language, LowRank, Objective, Recipe, Target, Trained};
use super::*;
use crate::domain::{Axis, PairLoss};
use crate::model::manifest::{self, Layout};
use crate::model::{LoadOptions, RewardModel};

const UNCERTAINTY: Objective = Objective::Pairs {
    loss: PairLoss::Uncertainty { margin: 0.0 },
    draws: None,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The recorded checkpoint with the smallest pixel budget, to be quick.
pub(super) fn model(layout: Layout) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("tiny-bpe")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut manifest = manifest::Manifest::read(dir.path()).unwrap();
    manifest.pixels.min = 28 * 28 * 6;
    manifest.pixels.max = 28 * 28 * 6;
    manifest.layout = layout;
    manifest.write(dir.path()).unwrap();
    dir
}

pub(super) fn recipe(trained: Trained) -> Recipe {
    Recipe {
        seed: 3,
        objective: UNCERTAINTY,
        head: None,
        fresh_heads: false,
        from_scratch: false,
        aggregate: None,
        layout: None,
        trained,
        low_rank: LowRank {
            rank: 2,
            alpha: 4.0,
            dropout: 0.1,
            targets: Target::ALL.into(),
        },
        head_dropout: 0.05,
        auxiliary: Auxiliary::default(),
        optimizer: AdamW {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
        },
        checkpointing: false,
    }
}

pub(super) fn network(dir: &Path, recipe: &Recipe) -> Network {
    Network::new(dir, recipe, &LoadOptions::default()).unwrap()
}

/// A picture with a pattern of its own.
fn picture(salt: u8) -> Picture {
    let (width, height) = (48_u32, 32_u32);
    let data = width * 3 * height;
    let mut bytes = b"BM".to_vec();
    bytes.extend((54 + data).to_le_bytes());
    for word in [
        0,
        54,
        40,
        width,
        height,
        1 | 24 << 16,
        0,
        data,
        2835,
        2835,
        0,
        0,
    ] {
        bytes.extend(word.to_le_bytes());
    }
    for pixel in 0..width * height {
        let (x, y) = ((pixel % width) as u8, (pixel / width) as u8);
        bytes.extend([
            salt.wrapping_mul(40).wrapping_add(x.wrapping_mul(5)),
            y.wrapping_mul(7).wrapping_mul(salt | 1),
            (x ^ y).wrapping_mul(salt.wrapping_add(3)),
        ]);
    }
    let hash = blake3::hash(&bytes).to_hex().to_string();
    Picture {
        bytes: bytes.into(),
        hash,
    }
}

pub(super) fn example(salt: u8, candidates: u8) -> Example {
    let pairs = (1..usize::from(candidates)).flat_map(|b| (0..b).map(move |a| (a, b)));
    let comparisons = pairs
        .flat_map(|(a, b)| {
            [
                None,
                Some(Axis::InstructionFollowing),
                Some(Axis::VisualQuality),
            ]
            .map(|axis| Comparison::strict(a, b, axis))
        })
        .collect();
    Example {
        key: format!("g{salt}"),
        source: picture(salt),
        instruction: format!("make it number {salt}"),
        candidates: (0..candidates).map(|c| picture(salt + c + 1)).collect(),
        comparisons,
        scores: (0..candidates).map(|c| Some(2.0 + f64::from(c))).collect(),
        attributes: Vec::new(),
    }
}

pub(super) fn rates(rate: f64) -> Rates {
    [
        Part::Vision,
        Part::Merger,
        Part::Language,
        Part::RewardToken,
        Part::Heads,
    ]
    .map(|part| (part, rate))
    .into()
}

fn low_rank() -> Trained {
    Trained {
        language: Language::LowRank,
        ..Trained::HEADS
    }
}

pub(super) fn everything() -> Trained {
    Trained {
        embedding: true,
        ..Trained::EVERYTHING
    }
}

fn gap(a: &Measured, b: &Measured) -> f64 {
    let numbers = |m: &Measured| -> Vec<f64> {
        m.rewards
            .iter()
            .flatten()
            .flat_map(|r| [r.aggregate.mean, r.aggregate.log_sigma])
            .collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn measuring_gives_the_rewards_of_the_scoring_engine_in_both_layouts() {
    for layout in [Layout::ImagesFirst, Layout::RubricFirst] {
        let dir = model(layout);
        let mut learner = network(dir.path(), &recipe(everything()));
        let examples = [example(1, 3), example(9, 2)];
        let measured = learner.measure(&examples).unwrap();
        let mut engine =
            RewardModel::load(dir.path(), &LoadOptions::default(), &mut |_| ()).unwrap();
        for (example, rewards) in examples.iter().zip(&measured.rewards) {
            let (source, candidates) = (&example.source, &example.candidates);
            let mut on_scored = |passed: Vec<(usize, Result<Reward, ModelError>)>| {
                for (i, reward) in passed {
                    let off = (reward.unwrap().aggregate.mean - rewards[i].aggregate.mean).abs();
                    assert!(off < 2e-5, "{layout:?} {i}: {off:.1e}");
                }
                std::ops::ControlFlow::Continue(())
            };
            engine
                .score_group(source, &example.instruction, candidates, &mut on_scored)
                .unwrap();
        }
    }
}

#[test]
fn every_trained_tensor_gets_a_gradient_and_no_other_is_touched() {
    let dir = model(Layout::ImagesFirst);
    let cases = [
        (Trained::HEADS, "rm_heads."),
        (low_rank(), ""),
        (
            Trained {
                vision: true,
                heads: false,
                ..Trained::HEADS
            },
            "model.visual.",
        ),
        (everything(), ""),
        (Trained::EVERYTHING, ""),
    ];
    for (trained, prefix) in cases {
        let mut learner = network(dir.path(), &recipe(trained));
        learner.accumulate(&[example(1, 3)], 1.0, 5).unwrap();
        let names: Vec<&String> = learner.tensors.trained.keys().collect();
        assert!(names.iter().all(|name| name.starts_with(prefix)));
        for name in names {
            // B of a fresh addition is zero, so nothing flows into its A yet; a key's bias shifts all scores of a query alike.
            let silent = name.ends_with("lora_A.weight") || name.ends_with("k_proj.bias");
            let flows = learner.gradient_of(name).is_some_and(|norm| norm > 0.0);
            assert!(flows || silent, "{name} in {trained:?}");
        }
        let weights = |learner: &Network| -> Vec<(String, Tensor)> {
            let copy = |name: &String| learner.tensors.finished(name).unwrap().copy().unwrap();
            let names = learner.expected.iter().map(|t| &t.name);
            names.map(|name| (name.clone(), copy(name))).collect()
        };
        let before = weights(&learner);
        learner.update(&rates(1e-3), Some(1.0)).unwrap();
        let mut moved = BTreeSet::new();
        for ((name, before), (_, after)) in before.iter().zip(weights(&learner)) {
            let off = (before - after).unwrap().abs().unwrap().sum_all().unwrap();
            if off.to_scalar::<f32>().unwrap() > 0.0 {
                moved.insert(tensors::part_of(name));
            }
        }
        assert_eq!(moved, trained.parts(), "{trained:?}");
    }
}

#[test]
fn a_batch_is_its_parts_whatever_is_shared_or_computed_twice() {
    let dir = model(Layout::RubricFirst);
    let examples = [example(1, 3), example(1, 2), example(20, 2)];
    let gradients = |learner: &mut Network, at_once: bool| {
        if at_once {
            learner.accumulate(&examples, 0.5, 1).unwrap();
        } else {
            for example in &examples {
                let one = std::slice::from_ref(example);
                learner.accumulate(one, 0.5, 1).unwrap();
            }
        }
        let names: Vec<String> = learner.tensors.trained.keys().cloned().collect();
        names
            .iter()
            .map(|name| learner.gradient_of(name).unwrap())
            .collect::<Vec<f64>>()
    };
    let mut plain = recipe(everything());
    plain.head_dropout = 0.0;
    let twice = Recipe {
        checkpointing: true,
        ..plain.clone()
    };
    let together = gradients(&mut network(dir.path(), &plain), true);
    for (recipe, at_once) in [(&plain, false), (&twice, true)] {
        let other = gradients(&mut network(dir.path(), recipe), at_once);
        for (a, b) in together.iter().zip(&other) {
            assert!((a - b).abs() <= 1e-3 * a.abs().max(1e-3), "{a} {b}");
        }
    }
}

#[test]
fn kept_states_change_nothing_when_only_the_heads_are_trained() {
    let dir = model(Layout::ImagesFirst);
    let nearly = Trained {
        reward_token: true,
        ..Trained::HEADS
    };
    let (mut kept, mut whole) = (
        network(dir.path(), &recipe(Trained::HEADS)),
        network(dir.path(), &recipe(nearly)),
    );
    let examples = [example(1, 3)];
    for step in 0..3 {
        for learner in [&mut kept, &mut whole] {
            learner.accumulate(&examples, 1.0, step).unwrap();
            let mut rates = rates(1e-3);
            rates.remove(&Part::RewardToken);
            learner.update(&rates, None).unwrap();
        }
    }
    let (a, b) = (kept.measure(&examples), whole.measure(&examples));
    assert!(gap(&a.unwrap(), &b.unwrap()) < 2e-3);
}

#[test]
fn a_state_taken_back_goes_on_to_the_last_bit() {
    let dir = model(Layout::RubricFirst);
    for trained in [everything(), low_rank(), Trained::EVERYTHING] {
        let recipe = recipe(trained);
        let step = |learner: &mut Network, n: u64| {
            let measured = learner.accumulate(&[example(n as u8, 3)], 1.0, n).unwrap();
            learner.update(&rates(1e-3), Some(1.0)).unwrap();
            measured.loss.to_bits()
        };
        let mut straight = network(dir.path(), &recipe);
        let all: Vec<u64> = (0..4).map(|n| step(&mut straight, n)).collect();
        let mut first = network(dir.path(), &recipe);
        (0..2).for_each(|n| assert_eq!(step(&mut first, n), all[n as usize]));
        let saved = tempfile::tempdir().unwrap();
        first.save(saved.path()).unwrap();
        let mut second = network(dir.path(), &recipe);
        second.restore(saved.path()).unwrap();
        (2..4).for_each(|n| assert_eq!(step(&mut second, n), all[n as usize], "step {n}"));
    }
}

#[test]
fn an_exported_model_scores_as_the_learner_measures_with_additions_merged() {
    for trained in [low_rank(), Trained::EVERYTHING] {
        let dir = model(Layout::ImagesFirst);
        let mut learner = network(dir.path(), &recipe(trained));
        let examples = [example(1, 3)];
        for n in 0..3 {
            learner.accumulate(&examples, 1.0, n).unwrap();
            learner.update(&rates(1e-2), Some(1.0)).unwrap();
        }
        let measured = learner.measure(&examples).unwrap();
        let out = tempfile::tempdir().unwrap();
        let out = out.path().join("model");
        learner.export(&out, "taught").unwrap();
        let mut engine = RewardModel::load(&out, &LoadOptions::default(), &mut |_| ()).unwrap();
        assert_eq!(engine.info().name, "taught");
        let mut worst: f64 = 0.0;
        let mut on_scored = |passed: Vec<(usize, Result<Reward, ModelError>)>| {
            for (i, reward) in passed {
                let off = reward.unwrap().aggregate.mean - measured.rewards[0][i].aggregate.mean;
                worst = worst.max(off.abs());
            }
            std::ops::ControlFlow::Continue(())
        };
        let (source, candidates) = (&examples[0].source, &examples[0].candidates);
        engine
            .score_group(source, &examples[0].instruction, candidates, &mut on_scored)
            .unwrap();
        assert!(worst < 1e-3, "{trained:?}: {worst:.1e}");
    }
}

#[test]
fn a_loss_goes_down_when_the_same_group_is_learnt_again_and_again() {
    let dir = model(Layout::RubricFirst);
    let mut learner = network(dir.path(), &recipe(everything()));
    let examples = [example(1, 4)];
    let before = learner.measure(&examples).unwrap().loss;
    for n in 0..12 {
        learner.accumulate(&examples, 1.0 / 18.0, n).unwrap();
        learner.update(&rates(2e-3), Some(1.0)).unwrap();
    }
    let after = learner.measure(&examples).unwrap().loss;
    assert!(after < 0.7 * before, "{before} {after}");
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing_and_a_foreign_state_is_refused() {
    let dir = model(Layout::ImagesFirst);
    let mut learner = network(dir.path(), &recipe(Trained::HEADS));
    let examples = [example(1, 2)];
    let before = learner.measure(&examples).unwrap();
    learner.accumulate(&examples, f64::INFINITY, 0).unwrap();
    let error = learner.update(&rates(1.0), None).unwrap_err();
    assert!(matches!(error, ModelError::Diverged), "{error}");
    assert_eq!(learner.measure(&examples).unwrap(), before);

    let saved = tempfile::tempdir().unwrap();
    learner.save(saved.path()).unwrap();
    let mut other = network(dir.path(), &recipe(low_rank()));
    let message = other.restore(saved.path()).unwrap_err().to_string();
    assert!(message.contains("another training"), "{message}");
}

#[test]
fn from_scratch_nothing_of_the_checkpoint_is_left_and_the_seed_decides_all() {
    let dir = model(Layout::RubricFirst);
    let weights = |recipe: &Recipe| -> Vec<Tensor> {
        let learner = network(dir.path(), recipe);
        let names = learner.expected.iter().map(|t| &t.name);
        let matrices = names.filter(|name| name.ends_with("proj.weight"));
        matrices
            .map(|name| learner.tensors.finished(name).unwrap())
            .collect()
    };
    let differ = |a: &[Tensor], b: &[Tensor]| {
        let off = |(a, b): (&Tensor, &Tensor)| {
            let off = (a - b).unwrap().abs().unwrap().sum_all().unwrap();
            off.to_scalar::<f32>().unwrap() > 0.0
        };
        a.iter().zip(b).filter(|pair| off(*pair)).count()
    };
    let kept = recipe(everything());
    let anew = Recipe {
        from_scratch: true,
        ..kept.clone()
    };
    let other = Recipe {
        seed: 4,
        ..anew.clone()
    };
    let [kept, first, again, other] = [&kept, &anew, &anew, &other].map(weights);
    assert_eq!(differ(&first, &again), 0);
    assert_eq!(differ(&kept, &first), kept.len());
    assert_eq!(differ(&first, &other), kept.len());
}
