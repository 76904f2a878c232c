//! AdamW (Loshchilov and Hutter 2019), step by step as torch computes it, with a rate for each part of the model and the
//! gradient clipped by its norm over everything.

use std::collections::BTreeMap;

use candle_core::{DType, Result, Tensor};

use super::pass::Gradients;
use super::recipe::AdamW;
use super::tensors::Tensors;
use super::{ModelError, Rates};

/// A tensor's memory: the gradient's running mean and that of its square.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) mean: Tensor,
    pub(super) square: Tensor,
}

/// The optimizer's state.
#[derive(Debug)]
pub(super) struct Optimizer {
    settings: AdamW,
    /// Steps made.
    pub(super) steps: u64,
    pub(super) moments: BTreeMap<String, Moments>,
}

impl Optimizer {
    pub(super) const fn new(settings: AdamW) -> Self {
        Self {
            settings,
            steps: 0,
            moments: BTreeMap::new(),
        }
    }

    /// One step with `gradients`; their norm before clipping to `clip`. Nothing is changed where that is not finite.
    pub(super) fn step(
        &mut self,
        tensors: &Tensors,
        gradients: &Gradients,
        rates: &Rates,
        clip: Option<f64>,
    ) -> std::result::Result<f64, ModelError> {
        let rated: Vec<_> = tensors
            .trained
            .iter()
            .filter_map(|(name, trainee)| {
                Some((
                    name,
                    trainee,
                    gradients.get(name)?,
                    *rates.get(&trainee.part)?,
                ))
            })
            .collect();
        let mut squares = 0.0;
        for (_, _, gradient, _) in &rated {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Err(ModelError::Diverged);
        }
        // As torch's clip_grad_norm_.
        let scale = clip.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
        self.steps += 1;
        for (name, trainee, gradient, rate) in rated {
            let gradient = if scale < 1.0 {
                (gradient * scale)?
            } else {
                gradient.clone()
            };
            let decay = if trainee.decays {
                rate * self.settings.weight_decay
            } else {
                0.0
            };
            let weight = self.stepped(name, trainee.var.as_tensor(), &gradient, (rate, decay))?;
            trainee.var.set(&weight)?;
        }
        Ok(norm)
    }

    /// A weight after the step.
    fn stepped(
        &mut self,
        name: &str,
        weight: &Tensor,
        gradient: &Tensor,
        (rate, decay): (f64, f64),
    ) -> Result<Tensor> {
        let AdamW {
            beta1, beta2, eps, ..
        } = self.settings;
        let (mean, square) = match self.moments.get(name) {
            Some(moments) => (
                (&moments.mean + ((gradient - &moments.mean)? * (1.0 - beta1))?)?,
                ((&moments.square * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?,
            ),
            None => (
                (gradient * (1.0 - beta1))?,
                (gradient.sqr()? * (1.0 - beta2))?,
            ),
        };
        let steps = self.steps as f64;
        let (bias1, bias2) = (1.0 - beta1.powf(steps), 1.0 - beta2.powf(steps));
        let weight = (weight.detach() * (1.0 - decay))?;
        let deviation = ((square.sqrt()? / bias2.sqrt())? + eps)?;
        let weight = (weight - ((&mean / deviation)? * (rate / bias1))?)?;
        debug_assert_eq!(weight.dtype(), DType::F32);
        let moments = Moments { mean, square };
        self.moments.insert(name.to_owned(), moments);
        Ok(weight)
    }
}
