//! A linear layer y = x Wᵀ + b, which can carry a low-rank addition for training (LoRA, Hu et al. 2021): y += s · drop(x) Aᵀ Bᵀ.
//!
//! A loader that has `lora_A.weight` beside a weight gives the layer its addition; checkpoints never do, since exported models
//! are merged.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::held::Weight;
use super::{dropout, kernels};

/// Names of an addition's tensors beside `weight`, as in the PEFT library, and of its scale and dropout (one number each).
pub(super) const LORA_A: &str = "lora_A.weight";
/// The other factor.
pub(super) const LORA_B: &str = "lora_B.weight";
/// Scale and dropout of the addition.
pub(super) const LORA_SETTINGS: &str = "lora_settings";

/// The layer.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    weight: Weight,
    bias: Option<Tensor>,
    addition: Option<Addition>,
}

#[derive(Debug, Clone)]
struct Addition {
    /// `(rank, inputs)`
    a: Tensor,
    /// `(outputs, rank)`
    b: Tensor,
    scale: f64,
    dropout: f32,
}

impl Linear {
    /// From its tensors: `weight` `(outputs, inputs)`, `bias` `(outputs)`.
    pub(super) const fn from_weights(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self {
            weight: Weight::Plain(weight),
            bias,
            addition: None,
        }
    }

    /// Loads `weight`, with `bias` also `bias`, and a low-rank addition if `vb` has one.
    pub(super) fn new(inputs: usize, outputs: usize, bias: bool, vb: &VarBuilder) -> Result<Self> {
        let addition = vb
            .contains_tensor(LORA_A)
            .then(|| Addition::new(vb))
            .transpose()?;
        Ok(Self {
            weight: Weight::load((outputs, inputs), vb)?,
            bias: bias.then(|| vb.get(outputs, "bias")).transpose()?,
            addition,
        })
    }
}

impl Linear {
    /// The same layer with outputs that are always 0 after its own, up to so many. A layer whose weight is held otherwise than
    /// plainly, or has an addition, stays as it is.
    pub(super) fn with_outputs(self, outputs: usize) -> Result<Self> {
        self.padded(0, outputs)
    }

    /// The same layer for inputs that have others after its own, up to so many, which do not matter. See [`Self::with_outputs`].
    pub(super) fn with_inputs(self, inputs: usize) -> Result<Self> {
        self.padded(1, inputs)
    }

    fn padded(mut self, axis: usize, to: usize) -> Result<Self> {
        let (Weight::Plain(weight), None) = (&self.weight, &self.addition) else {
            return Ok(self);
        };
        let more = to.saturating_sub(weight.dim(axis)?);
        self.weight = Weight::Plain(weight.pad_with_zeros(axis, 0, more)?);
        if axis == 0 {
            let bias = self.bias.map(|bias| bias.pad_with_zeros(0, 0, more));
            self.bias = bias.transpose()?;
        }
        Ok(self)
    }

    /// Whether zeros can be put around its weight.
    pub(super) const fn is_plain(&self) -> bool {
        matches!((&self.weight, &self.addition), (Weight::Plain(_), None))
    }
}

impl Addition {
    fn new(vb: &VarBuilder) -> Result<Self> {
        let settings = vb.get_unchecked(LORA_SETTINGS)?;
        let settings: Vec<f64> = settings
            .to_dtype(candle_core::DType::F64)?
            .flatten_all()?
            .to_vec1()?;
        let [scale, dropout] = settings[..] else {
            candle_core::bail!("'{LORA_SETTINGS}' must be a scale and a dropout");
        };
        Ok(Self {
            a: vb.get_unchecked(LORA_A)?,
            b: vb.get_unchecked(LORA_B)?,
            scale,
            dropout: dropout as f32,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = dropout::drop(x, self.dropout)?;
        x.matmul(&self.a.t()?)?.matmul(&self.b.t()?)? * self.scale
    }
}

impl Module for Linear {
    /// `x` is `(rows, inputs)`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = self.weight.times(x)?;
        let mut y = match &self.bias {
            None => product,
            Some(bias) if kernels::fits(&product) => kernels::add_bias(product, bias)?,
            Some(bias) => product.broadcast_add(bias)?,
        };
        if let Some(addition) = &self.addition {
            y = (y + addition.forward(x)?)?;
        }
        Ok(y)
    }
}
