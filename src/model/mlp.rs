//! The gated feed-forward layer that vision tower and language model share: down(silu(gate x) · up x).

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::kernels;
use super::linear::Linear;

/// What GPUs have fast products for in 16 bits are rows of a multiple of 16 bytes; the published vision tower's 3420 numbers are
/// none. Zeros after them change nothing: silu(0) · 0 = 0.
const ALIGNED: usize = 64;

/// Three linear layers, with biases in the vision tower and without in the language model.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names, reason = "as in the checkpoints")]
pub(super) struct GatedMlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl GatedMlp {
    pub(super) fn new(hidden: usize, inner: usize, bias: bool, vb: &VarBuilder) -> Result<Self> {
        let layers = Self {
            gate_proj: Linear::new(hidden, inner, bias, &vb.pp("gate_proj"))?,
            up_proj: Linear::new(hidden, inner, bias, &vb.pp("up_proj"))?,
            down_proj: Linear::new(inner, hidden, bias, &vb.pp("down_proj"))?,
        };
        if vb.device().is_cpu() || inner.is_multiple_of(8) {
            return Ok(layers);
        }
        layers.padded(inner.next_multiple_of(ALIGNED))
    }

    /// The same layers with more numbers between them, all 0.
    fn padded(self, inner: usize) -> Result<Self> {
        let all = [&self.gate_proj, &self.up_proj, &self.down_proj];
        if !all.into_iter().all(Linear::is_plain) {
            return Ok(self);
        }
        Ok(Self {
            gate_proj: self.gate_proj.with_outputs(inner)?,
            up_proj: self.up_proj.with_outputs(inner)?,
            down_proj: self.down_proj.with_inputs(inner)?,
        })
    }
}

impl Module for GatedMlp {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (gate, up) = (self.gate_proj.forward(x)?, self.up_proj.forward(x)?);
        let inner = if kernels::fits(&gate) {
            kernels::silu_mul(gate, &up)?
        } else {
            (gate.silu()? * up)?
        };
        self.down_proj.forward(&inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{DType, Device, Tensor};

    use super::*;

    #[test]
    fn zeros_between_the_layers_change_nothing() {
        let mut tensors = HashMap::new();
        for (name, shape) in [
            ("gate_proj", (12, 8)),
            ("up_proj", (12, 8)),
            ("down_proj", (8, 12)),
        ] {
            let numbers: Vec<f32> = (0..96).map(|i| (i * 37 % 41) as f32 / 20.0 - 1.0).collect();
            let weight = Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap();
            let bias = weight.narrow(1, 0, 1).unwrap().flatten_all().unwrap();
            tensors.insert(format!("{name}.weight"), weight);
            tensors.insert(format!("{name}.bias"), bias);
        }
        let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let layers = GatedMlp::new(8, 12, true, &vb).unwrap();
        let padded = layers.clone().padded(64).unwrap();
        let x = Tensor::arange(0_f32, 24.0, &Device::Cpu).unwrap();
        let x = (x.reshape((3, 8)).unwrap() / 12.0).unwrap();
        let [plain, padded] = [layers, padded].map(|layers| {
            let out = layers.forward(&x).unwrap();
            out.to_vec2::<f32>().unwrap()
        });
        let pairs = plain.iter().flatten().zip(padded.iter().flatten());
        assert!(
            pairs.clone().all(|(a, b)| (a - b).abs() < 1e-6),
            "{plain:?} {padded:?}"
        );
        assert!(pairs.count() == 24);
    }
}
