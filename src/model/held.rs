//! How the weights of a linear layer are held in memory: in the format that is computed in, as they are stored and widened when
//! they are used, or quantised.
//!
//! Widening is exact, and is a pass over a weight, where a product is one for every row; it takes half of the memory or less.
//! Quantised weights are rounded, once, as the model is loaded: blocks of numbers share a scale
//! (GGML's formats, by candle's kernels). On a CPU they are widened too, so that what is computed with them does not depend on how
//! many rows there are; GPUs have kernels that take them as they are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::kernels::times_transposed;

/// A format of quantised weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// 8 bits a weight and a scale for 32 of them.
    Q8_0,
    /// 4 bits a weight, and scales and offsets in 256 of them. Layers whose inputs are no multiple of 256 are held as
    /// [`Quantization::Q8_0`].
    Q4K,
}

impl Quantization {
    const ALL: [Self; 2] = [Self::Q8_0, Self::Q4K];

    /// The name in flags, settings and reports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Q8_0 => "q8_0",
            Self::Q4K => "q4k",
        }
    }

    /// Quantised, a model is another one: its scores are stored under a fingerprint of their own.
    pub fn fingerprint(self, of_model: &str) -> String {
        let text = format!("{of_model} {}", self.key());
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// What a model is called that is held so.
    pub fn name(self, of_model: &str) -> String {
        format!("{of_model} ({})", self.key())
    }

    /// What a loader has beside a weight that is to be held so.
    const fn mark(self) -> &'static str {
        match self {
            Self::Q8_0 => "weight@q8_0",
            Self::Q4K => "weight@q4k",
        }
    }

    /// The format for rows of so many numbers; `None` where there is none and they stay as they are.
    const fn of_rows(self, columns: usize) -> Option<GgmlDType> {
        match self {
            Self::Q4K if columns.is_multiple_of(256) => Some(GgmlDType::Q4K),
            _ if columns.is_multiple_of(32) => Some(GgmlDType::Q8_0),
            _ => None,
        }
    }
}

impl FromStr for Quantization {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.key() == text)
            .ok_or_else(|| format!("'{text}' is no format of weights; use 'q8_0' or 'q4k'"))
    }
}

impl fmt::Display for Quantization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// What a loader is told of how to hold weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// The linear layers of the language model are quantised.
    pub(super) quantize: Option<Quantization>,
    /// What is stored in fewer bits than are computed in is held so.
    pub(super) as_stored: bool,
}

impl Holding {
    /// Formats that are widened.
    const NARROW: [(DType, &'static str); 2] =
        [(DType::BF16, "weight@bf16"), (DType::F16, "weight@f16")];

    /// Whether `mark` says how the weight beside it is held; `quantised` are those that may be, and `stored` is its format.
    pub(super) fn has(self, mark: &str, quantised: bool, stored: Option<DType>) -> bool {
        match self.quantize {
            Some(format) if quantised => mark == format.mark(),
            _ if self.as_stored => Self::NARROW
                .into_iter()
                .any(|(dtype, own)| stored == Some(dtype) && mark == own),
            _ => false,
        }
    }

    /// The name of the weight that `name` would be a mark of, and the mark.
    pub(super) fn marked(name: &str) -> Option<(String, &str)> {
        let (stem, format) = name.rsplit_once('@')?;
        Some((
            stem.to_owned(),
            &name[name.len() - format.len() - "weight@".len()..],
        ))
    }
}

/// A weight, `(outputs, inputs)`.
#[derive(Debug, Clone)]
pub(super) enum Weight {
    /// In the format that is computed in.
    Plain(Tensor),
    /// In fewer bits; widened when it is used.
    Narrow(Tensor),
    /// In blocks.
    Quantised(Arc<QTensor>),
}

impl Weight {
    /// Loads `weight` as `vb` says that it is held.
    pub(super) fn load(shape: (usize, usize), vb: &VarBuilder) -> Result<Self> {
        let mut formats = Quantization::ALL.into_iter();
        if let Some(format) = formats.find(|format| vb.contains_tensor(format.mark()))
            && let Some(format) = format.of_rows(shape.1)
        {
            let weight =
                vb.get_with_hints_dtype(shape, "weight", candle_nn::Init::Const(0.0), DType::F32)?;
            return Ok(Self::Quantised(Arc::new(quantised(&weight, format)?)));
        }
        for (dtype, mark) in Holding::NARROW {
            if vb.contains_tensor(mark) {
                let hints = candle_nn::Init::Const(0.0);
                return Ok(Self::Narrow(
                    vb.get_with_hints_dtype(shape, "weight", hints, dtype)?,
                ));
            }
        }
        Ok(Self::Plain(vb.get(shape, "weight")?))
    }

    /// `x` `(rows, inputs)` times this weight, `(rows, outputs)`.
    pub(super) fn times(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain(weight) => times_transposed(x, weight),
            Self::Narrow(weight) => times_transposed(x, &weight.to_dtype(x.dtype())?),
            Self::Quantised(weight) if x.device().is_cpu() => {
                let weight = weight.dequantize(x.device())?.to_dtype(x.dtype())?;
                times_transposed(x, &weight)
            }
            Self::Quantised(weight) => {
                let product =
                    QMatMul::from_arc(weight.clone())?.forward(&x.to_dtype(DType::F32)?)?;
                product.to_dtype(x.dtype())
            }
        }
    }

    /// Some of its rows, in the format that is computed in.
    pub(super) fn rows(&self, indexes: &Tensor, dtype: DType) -> Result<Tensor> {
        match self {
            Self::Plain(weight) | Self::Narrow(weight) => {
                weight.index_select(indexes, 0)?.to_dtype(dtype)
            }
            Self::Quantised(weight) => weight.embedding(indexes)?.to_dtype(dtype),
        }
    }

    /// Where it is.
    pub(super) fn device(&self) -> Device {
        match self {
            Self::Plain(weight) | Self::Narrow(weight) => weight.device().clone(),
            Self::Quantised(weight) => weight.device(),
        }
    }
}

/// Rows that one thread quantises at a time.
const ROWS: usize = 64;

/// `weight` in blocks, on the device that it was on.
fn quantised(weight: &Tensor, format: GgmlDType) -> Result<QTensor> {
    let device = weight.device().clone();
    let weight = weight.to_device(&Device::Cpu)?;
    let (outputs, _) = weight.dims2()?;
    // Blocks lie within rows, so that each part can be made by itself.
    let parts: Vec<Vec<u8>> = (0..outputs.div_ceil(ROWS))
        .into_par_iter()
        .map(|part| {
            let first = part * ROWS;
            let rows = weight.narrow(0, first, ROWS.min(outputs - first))?;
            let made = QTensor::quantize(&rows.force_contiguous()?, format)?;
            Ok(made.data()?.into_owned())
        })
        .collect::<Result<_>>()?;
    let storage = QStorage::from_data(Cow::Owned(parts.concat()), &device, format)?;
    QTensor::new(storage, weight.shape().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(shape: (usize, usize)) -> Tensor {
        let numbers: Vec<f32> = (0..shape.0 * shape.1)
            .map(|i| ((i * 7_919 % 2_003) as f32 / 1_001.5 - 1.0) * 0.1)
            .collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }

    fn apart(a: &Tensor, b: &Tensor) -> f32 {
        let largest = |t: &Tensor| {
            t.abs()
                .unwrap()
                .max_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        largest(&(a - b).unwrap()) / largest(b)
    }

    #[test]
    fn parts_quantised_side_by_side_are_the_whole_quantised_at_once() {
        let weight = noise((200, 256));
        for format in [GgmlDType::Q8_0, GgmlDType::Q4K] {
            let whole = QTensor::quantize(&weight, format).unwrap();
            let parts = quantised(&weight, format).unwrap();
            assert_eq!(parts.data().unwrap(), whole.data().unwrap());
        }
    }

    #[test]
    fn quantised_weights_give_nearly_the_products_of_the_weights_themselves() {
        let (x, weight) = (noise((5, 256)), noise((96, 256)));
        let exact = Weight::Plain(weight.clone()).times(&x).unwrap();
        for (format, most) in [(GgmlDType::Q8_0, 0.01), (GgmlDType::Q4K, 0.1)] {
            let held = Weight::Quantised(Arc::new(quantised(&weight, format).unwrap()));
            let error = apart(&held.times(&x).unwrap(), &exact);
            assert!(error > 0.0 && error < most, "{format:?}: {error}");
        }
    }

    #[test]
    fn what_is_held_as_stored_is_widened_exactly() {
        let weight = noise((96, 32)).to_dtype(DType::BF16).unwrap();
        let wide = Weight::Plain(weight.to_dtype(DType::F32).unwrap());
        let held = Weight::Narrow(weight);
        let x = noise((5, 32));
        assert_eq!(
            apart(&held.times(&x).unwrap(), &wide.times(&x).unwrap()),
            0.0
        );
        let some = Tensor::new(&[3_u32, 95], &Device::Cpu).unwrap();
        let rows = [&held, &wide].map(|weight| weight.rows(&some, DType::F32).unwrap());
        assert_eq!(apart(&rows[0], &rows[1]), 0.0);
    }

    #[test]
    fn rows_that_no_block_divides_are_held_in_smaller_blocks_or_as_they_are() {
        let of_rows = |columns| Quantization::Q4K.of_rows(columns);
        assert_eq!(of_rows(3584), Some(GgmlDType::Q4K));
        assert_eq!(of_rows(896), Some(GgmlDType::Q8_0));
        assert_eq!(of_rows(40), None);
    }

    #[test]
    fn a_mark_is_beside_the_weight_that_it_speaks_of() {
        let (weight, mark) = Holding::marked("a.mlp.weight@q8_0").unwrap();
        assert_eq!((weight.as_str(), mark), ("a.mlp.weight", "weight@q8_0"));
        assert_eq!(Holding::marked("a.mlp.weight"), None);
        let both = Holding {
            quantize: Some(Quantization::Q8_0),
            as_stored: true,
        };
        assert!(both.has(mark, true, Some(DType::BF16)));
        assert!(!both.has(mark, false, Some(DType::BF16)));
        assert!(both.has("weight@bf16", false, Some(DType::BF16)));
        assert!(!both.has("weight@bf16", false, Some(DType::F32)));
        assert!(!Holding::default().has("weight@bf16", false, Some(DType::BF16)));
    }

    #[test]
    fn the_names_of_formats_are_read_and_others_refused() {
        for format in Quantization::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("q2k".parse::<Quantization>().unwrap_err().contains("q8_0"));
    }
}
