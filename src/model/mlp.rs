//! The gated feed-forward layer that vision tower and language model share: down(silu(gate x) · up x).

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::kernels;
use super::linear::Linear;

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
        Ok(Self {
            gate_proj: Linear::new(hidden, inner, bias, &vb.pp("gate_proj"))?,
            up_proj: Linear::new(hidden, inner, bias, &vb.pp("up_proj"))?,
            down_proj: Linear::new(inner, hidden, bias, &vb.pp("down_proj"))?,
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
