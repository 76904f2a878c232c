//! Softmax over the last axis, with the causal mask in it.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::{exp, fill_rows, numbers};

struct Softmax {
    /// Rows come in heads of so many queries, of which the last sees every column, the one before one less, and so on.
    causal: Option<usize>,
}

impl Softmax {
    /// How many of `columns` the row `i` sees.
    fn visible(&self, i: usize, columns: usize) -> usize {
        self.causal
            .map_or(columns, |queries| columns - (queries - 1 - i % queries))
    }
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(x, layout)?;
        let columns = layout.dims().last().copied().unwrap_or(1);
        let out = fill_rows(x.len() / columns, columns, |i, row| {
            let visible = self.visible(i, columns);
            let (row, x) = (&mut row[..visible], &x[i * columns..][..visible]);
            let most = super::most(x);
            for (row, x) in row.iter_mut().zip(x) {
                *row = exp(x - most);
            }
            let scale = 1.0 / super::sum_of(row, |x| x);
            for row in row {
                *row *= scale;
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, out: &Tensor, slope: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(out.apply_op2_no_bwd(&slope.contiguous()?, &Slope)?))
    }
}

/// y · (s - Σ y s); what is masked has y = 0.
struct Slope;

impl CustomOp2 for Slope {
    fn name(&self) -> &'static str {
        "softmax-slope"
    }

    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        y_layout: &Layout,
        slope: &CpuStorage,
        slope_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (y, slope) = (numbers(y, y_layout)?, numbers(slope, slope_layout)?);
        let columns = y_layout.dims().last().copied().unwrap_or(1);
        let out = fill_rows(y.len() / columns, columns, |i, row| {
            let y = &y[i * columns..][..columns];
            let slope = &slope[i * columns..][..columns];
            let mean: f32 = y.iter().zip(slope).map(|(y, slope)| y * slope).sum();
            for ((row, y), slope) in row.iter_mut().zip(y).zip(slope) {
                *row = y * (slope - mean);
            }
        });
        Ok((CpuStorage::F32(out), y_layout.shape().clone()))
    }
}

/// Softmax of `x` `(…, columns)`. With `causal`, rows come in heads of that many queries; the last query of a head sees every
/// column, the one before it one less, and so on; what is not seen becomes 0.
pub(in crate::model) fn softmax(x: &Tensor, causal: Option<usize>) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Softmax { causal })
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn softmax_and_its_gradient_are_those_of_the_plain_formula_with_and_without_a_mask() {
        let plain = |x: &Tensor| candle_nn::ops::softmax(x, 2);
        agree(
            &[noise(&[2, 35, 9], 1)],
            |t| softmax(&t[0], None),
            |t| plain(&t[0]),
        );
        let mask: Vec<f32> = (0..2 * 3 * 9)
            .map(|i| {
                let (query, column) = (i / 9 % 3, i % 9);
                if column > 6 + query {
                    f32::NEG_INFINITY
                } else {
                    0.0
                }
            })
            .collect();
        let mask = Tensor::from_vec(mask, (1, 6, 9), &Device::Cpu).unwrap();
        agree(
            &[noise(&[4, 6, 9], 2)],
            |t| softmax(&t[0], Some(3)),
            |t| plain(&t[0].broadcast_add(&mask)?),
        );
    }
}
