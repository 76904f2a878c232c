//! Reward heads: from a hidden state to a mean and a log sigma.
//!
//! Three linear layers with ReLUs between (a dropout after the first is for training), in f32 whatever the backbone's
//! precision.

use candle_core::{DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::dropout;
use super::linear::Linear;
use super::manifest::HeadKind;
use super::names::{HEAD_LAYERS, head_prefixes};
use crate::domain::{Aggregate, Axis, Gaussian};

/// One head.
#[derive(Debug, Clone)]
struct Head {
    layers: [Linear; 3],
}

impl Head {
    fn new(vb: &VarBuilder) -> Result<Self> {
        let layer = |index: usize| {
            let vb = vb.pp(HEAD_LAYERS[index]);
            let weight = vb.get_unchecked_dtype("weight", DType::F32)?;
            let bias = vb.get_unchecked_dtype("bias", DType::F32)?;
            Ok::<_, candle_core::Error>(Linear::from_weights(weight, Some(bias)))
        };
        Ok(Self {
            layers: [layer(0)?, layer(1)?, layer(2)?],
        })
    }
}

impl Head {
    /// `x` `(rows, hidden)` to `(rows, outputs)`; a training pass drops a share of the first layer's values.
    fn forward(&self, x: &Tensor, share: f32) -> Result<Tensor> {
        let [first, second, third] = &self.layers;
        let x = first.forward(&x.to_dtype(DType::F32)?)?.relu()?;
        let x = dropout::drop(&x, share)?;
        third.forward(&second.forward(&x)?.relu()?)
    }
}

/// A model's head or heads.
#[derive(Debug, Clone)]
pub(super) struct Heads {
    kind: HeadKind,
    heads: Vec<Head>,
}

impl Heads {
    /// Loads from the root of a checkpoint; the shapes have been checked.
    pub(super) fn new(kind: HeadKind, vb: &VarBuilder) -> Result<Self> {
        let heads = head_prefixes(kind)
            .iter()
            .map(|prefix| Head::new(&vb.pp(prefix)))
            .collect::<Result<_>>()?;
        Ok(Self { kind, heads })
    }

    /// Hidden states `(tokens, hidden)` of one sequence to the head's numbers, averaged over the tokens. `axis` picks the head
    /// where each axis has its own.
    pub(super) fn read(&self, axis: Axis, hidden: &Tensor) -> Result<Gaussian> {
        // The reference applies the head to every token and averages its outputs, not the states.
        let out = self.forward(axis, hidden, 0.0)?.mean(0)?;
        Ok(gaussian(&out.to_vec1()?))
    }

    /// Hidden states `(rows, hidden)` to the numbers `(rows, outputs)` of `axis`'s head.
    pub(super) fn forward(&self, axis: Axis, hidden: &Tensor, share: f32) -> Result<Tensor> {
        let index = match (self.kind, axis) {
            (HeadKind::Multi, Axis::VisualQuality) => 1,
            _ => 0,
        };
        self.heads[index].forward(hidden, share)
    }
}

/// A head's row of numbers; a head with one output is certain.
pub(super) fn gaussian(out: &[f32]) -> Gaussian {
    Gaussian::new(
        f64::from(out[0]),
        out.get(1)
            .map_or(f64::NEG_INFINITY, |log_sigma| f64::from(*log_sigma)),
    )
}

/// The rule by which the published code really joins two axes: with one head for both, its "sum" is its "mean".
pub(super) fn effective_rule(kind: HeadKind, rule: Aggregate) -> Aggregate {
    match (kind, rule) {
        (HeadKind::Shared, Aggregate::Sum) => Aggregate::Mean,
        _ => rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_output_is_a_mean_without_uncertainty() {
        assert_eq!(gaussian(&[0.5, -1.0]), Gaussian::new(0.5, -1.0));
        assert_eq!(gaussian(&[0.5]).sigma(), 0.0);
    }

    #[test]
    fn the_sum_of_a_shared_head_is_a_mean() {
        let rule = |kind| effective_rule(kind, Aggregate::Sum);
        assert_eq!(rule(HeadKind::Shared), Aggregate::Mean);
        assert_eq!(rule(HeadKind::Multi), Aggregate::Sum);
        assert_eq!(
            effective_rule(HeadKind::Shared, Aggregate::Min),
            Aggregate::Min
        );
    }
}
