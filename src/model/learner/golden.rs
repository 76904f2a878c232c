//! A training step against PyTorch's, recorded: loss, every gradient, and the loss after one step of AdamW. The golden set
//! lies beside the project; without it these tests say that they were skipped.

use std::collections::HashMap;
use std::fs;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::auxiliary::AuxiliaryHeads;
use super::criterion::Criterion;
use super::optimizer::Optimizer;
use super::pass::{Gradients, Pass, Readers};
use super::recipe::{AdamW, Auxiliary, Language, LowRank, Objective, Recipe, Trained};
use super::tensors::Tensors;
use super::{Example, Part};
use crate::domain::{Aggregate, Axis, Comparison, PairLoss};
use crate::model::Picture;
use crate::model::backbone::{Backbone, Reading};
use crate::model::config::Config;
use crate::model::golden::reference;
use crate::model::head::Heads;
use crate::model::manifest::{HeadKind, Pixels, Positions};
use crate::model::names::{self, Expected};
use crate::model::preprocess::{Patches, Processor};
use crate::model::questions::Question;
use crate::model::weights::Weights;

/// Of the values compared, relative to the largest of their tensor.
const TOLERANCE: f64 = 1e-3;

/// The recorded pair on the recorded checkpoint.
struct Bench {
    recorded: Value,
    gradients: HashMap<String, Tensor>,
    config: Config,
    expected: Vec<Expected>,
    tensors: Tensors,
    patches: Vec<Patches>,
    questions: Vec<Question>,
    example: Example,
}

fn recipe(objective: Objective) -> Recipe {
    Recipe {
        seed: 0,
        objective,
        head: None,
        fresh_heads: false,
        from_scratch: false,
        aggregate: None,
        layout: None,
        trained: Trained {
            embedding: true,
            language: Language::Whole,
            ..Trained::EVERYTHING
        },
        low_rank: LowRank {
            rank: 1,
            alpha: 1.0,
            dropout: 0.0,
            targets: [].into(),
        },
        head_dropout: 0.0,
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

fn list(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

impl Bench {
    fn new(recipe: &Recipe) -> Option<Self> {
        let golden = reference()?.join("golden");
        let dir = golden.join("checkpoints/tiny-bpe");
        let json = |path: &str| -> Value {
            serde_json::from_str(&fs::read_to_string(golden.join(path)).unwrap()).unwrap()
        };
        let cases = json("tiny-bpe/golden.json");
        let config = Config::read(&dir).unwrap();
        let weights = Weights::open(&dir).unwrap();
        let rows = weights.embedding_rows().unwrap();
        let expected = names::expected(&config, HeadKind::Multi, 2, rows);
        let tensors = Tensors::new(
            &expected,
            recipe,
            (None, None),
            (DType::F32, &Device::Cpu),
            |name, dtype| weights.tensor(name, dtype, &Device::Cpu),
        )
        .unwrap();
        let pixels = Pixels {
            min: 200_704,
            max: 200_704,
        };
        let processor = Processor::from_dir(&dir, config.kind, &pixels).unwrap();
        let (mut patches, mut questions, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for id in ["c0_china_a", "c7_china_b"] {
            let case = cases["cases"].as_array().unwrap();
            let case = case.iter().find(|case| case["id"] == id).unwrap();
            for image in ["src", "edit"] {
                let name = case[image].as_str().unwrap().to_owned();
                if names.contains(&name) {
                    continue;
                }
                let bytes = fs::read(golden.join("images").join(&name)).unwrap();
                patches.push(processor.patches(&bytes).unwrap());
                names.push(name);
            }
            for (i, axis) in Axis::ALL.into_iter().enumerate() {
                let reward = case["reward_index"][i].as_u64().unwrap() as usize;
                let mut ids = list(&case["input_ids"][i]);
                ids.truncate(reward + 1);
                questions.push(Question::of(ids, axis, reward));
            }
        }
        assert_eq!(names.len(), 3, "the pair shares its source");
        let picture = |name: &String| Picture {
            bytes: Vec::new().into(),
            hash: name.clone(),
        };
        Some(Self {
            recorded: json("train_step/train_step.json"),
            gradients: candle_core::safetensors::load(
                golden.join("train_step/grads_uncertainty.safetensors"),
                &Device::Cpu,
            )
            .unwrap(),
            config,
            expected,
            tensors,
            patches,
            questions,
            example: Example {
                key: "pair".into(),
                source: picture(&names[0]),
                instruction: String::new(),
                candidates: names[1..].iter().map(picture).collect(),
                comparisons: vec![Comparison::strict(0, 1, None)],
                scores: vec![Some(7.0), Some(4.0)],
                attributes: Vec::new(),
            },
        })
    }

    /// The loss per term and the gradients of a pass.
    fn pass(&self, objective: Objective, checkpointing: bool) -> (f64, Gradients) {
        let vb = self.tensors.builder(true);
        let reading = Reading {
            rows: self
                .expected
                .iter()
                .find(|t| t.name == names::EMBEDDING)
                .unwrap()
                .shape[0],
            image_pad: 1192,
            positions: Positions::Sequential,
        };
        let backbone = Backbone::new(&self.config, reading, &vb, &mut || ()).unwrap();
        let readers = Readers {
            heads: Heads::new(HeadKind::Multi, &vb).unwrap(),
            auxiliary: AuxiliaryHeads::default(),
        };
        let seen = backbone
            .see_all(&self.patches.iter().collect::<Vec<_>>())
            .unwrap();
        let owners = [(0, 0), (0, 0), (0, 1), (0, 1)];
        let sequences: Vec<_> = self
            .questions
            .iter()
            .zip(owners)
            .map(|(question, (_, c))| question.sequence(&seen[0], &seen[1 + c]))
            .collect();
        let questions: Vec<&Question> = self.questions.iter().collect();
        let packed = backbone.pack(&sequences, true).unwrap();
        let net = (&backbone, &readers);
        let pass = Pass::forward(net, packed, &questions, (None, 0.0), checkpointing).unwrap();
        let criterion = Criterion::new(objective, HeadKind::Multi, Aggregate::Mean);
        let examples = std::slice::from_ref(&self.example);
        let outcome = criterion
            .judge(examples, &owners, &pass.answers, None)
            .unwrap();
        let weight = outcome.measured.weight;
        let mut gradients = Gradients::new();
        let slopes = outcome.scaled(1.0 / weight);
        pass.backward(&backbone, &self.tensors, &slopes, false, &mut gradients)
            .unwrap();
        (outcome.measured.loss / weight, gradients)
    }
}

fn flat(t: &Tensor) -> Vec<f64> {
    let t = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    t.to_vec1().unwrap()
}

/// The largest difference, relative to the largest number.
fn off(ours: &Tensor, theirs: &Tensor) -> f64 {
    let (ours, theirs) = (flat(ours), flat(theirs));
    assert_eq!(ours.len(), theirs.len());
    let most = theirs.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = ours
        .iter()
        .zip(&theirs)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    worst / most.max(1e-6)
}

const UNCERTAINTY: Objective = Objective::Pairs {
    loss: PairLoss::Uncertainty { margin: 0.0 },
    draws: None,
};

/// Loss, gradients, one step and the loss after it, for one of the recorded losses.
fn one_step(objective: Objective, name: &str) {
    let recipe = recipe(objective);
    let Some(mut bench) = Bench::new(&recipe) else {
        return;
    };
    let recorded = bench.recorded["losses"][name].clone();
    let number = |key: &str| recorded[key].as_f64().unwrap();
    let (loss, gradients) = bench.pass(objective, false);
    assert!((loss - number("loss")).abs() < 2e-5, "{loss}");
    let list = recorded["grads"].as_object().unwrap();
    // The output projection gets no gradient there and is not loaded here.
    let list = || list.iter().filter(|(name, _)| *name != "lm_head.weight");
    assert_eq!(list().count(), gradients.len());
    for (name, entry) in list() {
        let values = flat(&gradients[name]);
        let l2 = values.iter().map(|x| x * x).sum::<f64>().sqrt();
        let most = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (key, ours) in [("l2", l2), ("absmax", most)] {
            let theirs = entry[key].as_f64().unwrap();
            let off = (ours - theirs).abs() / theirs.max(1e-6);
            assert!(off < TOLERANCE, "{name} {key}: {ours} {theirs}");
        }
        let first: Vec<f64> = serde_json::from_value(entry["first8"].clone()).unwrap();
        for (ours, theirs) in values.iter().zip(first) {
            assert!((ours - theirs).abs() < TOLERANCE * most.max(1e-6), "{name}");
        }
    }
    let rates = [
        Part::Vision,
        Part::Merger,
        Part::Language,
        Part::RewardToken,
        Part::Heads,
    ]
    .map(|part| (part, 1e-3))
    .into();
    // The recorded step decays the embedding too: it has two dimensions.
    for trainee in bench.tensors.trained.values_mut() {
        trainee.decays = trainee.var.rank() > 1;
    }
    let mut optimizer = Optimizer::new(recipe.optimizer);
    let norm = optimizer
        .step(&bench.tensors, &gradients, &rates, None)
        .unwrap();
    let total = number("grad_norm_total");
    assert!((norm - total).abs() < TOLERANCE * total, "{norm}");
    let after = recorded["after_step"].as_object().unwrap();
    for (name, entry) in after.iter().filter(|(name, _)| *name != "lm_head.weight") {
        let weight = flat(&bench.tensors.finished(name).unwrap());
        let l2 = weight.iter().map(|x| x * x).sum::<f64>().sqrt();
        let theirs = entry["l2"].as_f64().unwrap();
        assert!((l2 - theirs).abs() < 1e-4 * theirs.max(1e-2), "{name}");
    }
    let (after, _) = bench.pass(objective, false);
    assert!((after - number("loss_after_step")).abs() < 2e-3, "{after}");
}

#[test]
fn one_step_of_the_uncertainty_loss_is_pytorchs() {
    one_step(UNCERTAINTY, "uncertainty");
}

#[test]
fn one_step_of_the_regression_loss_is_pytorchs() {
    one_step(Objective::Scores, "reg");
}

#[test]
fn every_gradient_of_the_uncertainty_loss_is_pytorchs_number_by_number_with_and_without_checkpointing()
 {
    let Some(bench) = Bench::new(&recipe(UNCERTAINTY)) else {
        return;
    };
    for checkpointing in [false, true] {
        let (_, gradients) = bench.pass(UNCERTAINTY, checkpointing);
        for (name, theirs) in &bench.gradients {
            let off = off(&gradients[name], theirs);
            assert!(off < TOLERANCE, "{name}: {off:.1e}");
        }
    }
}
