//! Root-mean-square normalisation, fused where no gradient is wanted and differentiable where one is.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::kernels;

/// x · w / √(mean(x²) + ε) over the last axis.
#[derive(Debug, Clone)]
pub(super) struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    pub(super) fn new(size: usize, eps: f64, vb: &VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get(size, "weight")?,
            eps,
        })
    }
}

impl Module for RmsNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if kernels::fits(x) {
            kernels::rms_norm(x, &self.weight, self.eps)
        } else if !kernels::tracked(&[x, &self.weight]) {
            candle_nn::ops::rms_norm(&x.contiguous()?, &self.weight, self.eps as f32)
        } else {
            candle_nn::ops::rms_norm_slow(&x.contiguous()?, &self.weight, self.eps as f32)
        }
    }
}

/// The mean and variance norm of Qwen3-VL's vision tower, likewise.
#[derive(Debug, Clone)]
pub(super) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    pub(super) fn new(size: usize, eps: f64, vb: &VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get(size, "weight")?,
            bias: vb.get(size, "bias")?,
            eps,
        })
    }
}

impl Module for LayerNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (x, eps) = (x.contiguous()?, self.eps as f32);
        if kernels::tracked(&[&x, &self.weight, &self.bias]) {
            candle_nn::ops::layer_norm_slow(&x, &self.weight, &self.bias, eps)
        } else {
            candle_nn::ops::layer_norm(&x, &self.weight, &self.bias, eps)
        }
    }
}
