//! Auxiliary heads: one linear layer for each attribute that a plan names, from the states that the reward heads read to the
//! attribute's classes. They give a model that begins at random weights more to learn from than which of two is better, and
//! are left behind on export.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::recipe::Auxiliary;
use crate::model::linear::Linear;
use crate::model::names::Expected;

/// What the heads' tensors are under.
const AT: &str = "auxiliary";

/// The heads, in the order of the recipe's attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct AuxiliaryHeads(Vec<Linear>);

impl AuxiliaryHeads {
    /// What they are made of; `hidden` is the width of a state.
    pub(super) fn expected(auxiliary: &Auxiliary, hidden: usize) -> Vec<Expected> {
        let tensors = auxiliary.classes.iter().enumerate().map(|(i, classes)| {
            let tensor = |kind: &str, shape| Expected {
                name: format!("{AT}.{i}.{kind}"),
                shape,
            };
            [
                tensor("weight", vec![*classes, hidden]),
                tensor("bias", vec![*classes]),
            ]
        });
        tensors.flatten().collect()
    }

    /// Whether a tensor is one of theirs.
    pub(super) fn has(name: &str) -> bool {
        name.split('.').next() == Some(AT)
    }

    pub(super) fn new(auxiliary: &Auxiliary, vb: &VarBuilder) -> Result<Self> {
        let head = |i: usize| {
            let vb = vb.pp(AT).pp(i);
            let weight = vb.get_unchecked("weight")?;
            Ok(Linear::from_weights(
                weight,
                Some(vb.get_unchecked("bias")?),
            ))
        };
        (0..auxiliary.classes.len())
            .map(head)
            .collect::<Result<_>>()
            .map(Self)
    }

    /// For each attribute the classes' logits, `(questions, classes)`, from the mean of the states of each question.
    pub(super) fn forward(&self, states: &[Tensor]) -> Result<Vec<Tensor>> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let means: Vec<Tensor> = states
            .iter()
            .map(|states| states.mean_keepdim(0))
            .collect::<Result<_>>()?;
        let means = Tensor::cat(&means, 0)?.to_dtype(candle_core::DType::F32)?;
        self.0.iter().map(|head| head.forward(&means)).collect()
    }
}

/// −log softmax at `class`, and its slopes along the logits.
pub(super) fn cross_entropy(logits: &[f32], class: usize) -> (f64, Vec<f64>) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let raised: Vec<f64> = logits.iter().map(|x| f64::from(x - most).exp()).collect();
    let sum: f64 = raised.iter().sum();
    let mut slopes: Vec<f64> = raised.iter().map(|x| x / sum).collect();
    let loss = sum.ln() - f64::from(logits[class] - most);
    slopes[class] -= 1.0;
    (loss, slopes)
}

#[cfg(test)]
mod tests {
    use super::super::recipe::{Auxiliary, Recipe};
    use super::super::tests::{everything, example, model, network, rates, recipe};
    use super::super::{Example, Learner as _};
    use super::*;
    use crate::model::manifest::Layout;

    fn told() -> Recipe {
        Recipe {
            from_scratch: true,
            auxiliary: Auxiliary {
                weight: 1.0,
                classes: vec![3, 2],
            },
            head_dropout: 0.0,
            ..recipe(everything())
        }
    }

    /// Each candidate of a class of its own; the second attribute is known of the first candidate alone.
    fn attributed() -> Example {
        Example {
            attributes: vec![
                vec![Some(2), Some(1)],
                vec![Some(0), None],
                vec![Some(1), None],
            ],
            ..example(1, 3)
        }
    }

    #[test]
    fn attributes_are_learned_on_the_way_and_no_part_of_the_model() {
        let dir = model(Layout::RubricFirst);
        let mut learner = network(dir.path(), &told());
        let example = attributed();
        let before = learner.measure(std::slice::from_ref(&example)).unwrap();
        assert_eq!(
            before.told.iter().map(|(_, of)| *of).collect::<Vec<_>>(),
            [3, 1]
        );
        for step in 0..60 {
            learner
                .accumulate(std::slice::from_ref(&example), 0.1, step)
                .unwrap();
            learner.update(&rates(1e-2), Some(1.0)).unwrap();
        }
        let after = learner.measure(std::slice::from_ref(&example)).unwrap();
        assert_eq!(after.told, [(3, 3), (1, 1)]);
        let out = tempfile::tempdir().unwrap();
        learner.export(out.path(), "m").unwrap();
        let weights = crate::model::weights::Weights::open(out.path()).unwrap();
        assert!(weights.check(&learner.expected).is_clean());
    }

    #[test]
    fn what_nobody_knows_pulls_at_nothing() {
        let dir = model(Layout::RubricFirst);
        let norms = |example: &Example, auxiliary: Auxiliary| {
            let recipe = Recipe {
                auxiliary,
                ..told()
            };
            let mut learner = network(dir.path(), &recipe);
            learner
                .accumulate(std::slice::from_ref(example), 1.0, 1)
                .unwrap();
            let names = learner
                .tensors
                .trained
                .keys()
                .filter(|name| !AuxiliaryHeads::has(name));
            names
                .map(|name| learner.gradient_of(name).unwrap())
                .collect::<Vec<_>>()
        };
        let silent = norms(&example(1, 3), told().auxiliary);
        assert_eq!(silent, norms(&example(1, 3), Auxiliary::default()));
        assert_ne!(silent, norms(&attributed(), told().auxiliary));
    }

    #[test]
    fn the_slopes_of_cross_entropy_are_those_of_finite_differences() {
        let logits = [0.3_f32, -1.2, 2.0, 0.0];
        let (loss, slopes) = cross_entropy(&logits, 1);
        let p = f64::exp(-1.2) / logits.iter().map(|x| f64::from(*x).exp()).sum::<f64>();
        assert!((loss + p.ln()).abs() < 1e-6);
        for (i, slope) in slopes.iter().enumerate() {
            let at = |by: f32| {
                let mut moved = logits;
                moved[i] += by;
                cross_entropy(&moved, 1).0
            };
            let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (slope - difference).abs() < 1e-4,
                "{i}: {slope} {difference}"
            );
        }
    }
}
