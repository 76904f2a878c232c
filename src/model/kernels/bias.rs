//! Adding a bias to rows, whose gradient is a sum over them.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::{fill_rows, numbers, sum_rows};

struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, bias) = (numbers(x, x_layout)?, numbers(bias, bias_layout)?);
        let columns = bias.len();
        let out = fill_rows(x.len() / columns, columns, |i, row| {
            let x = &x[i * columns..][..columns];
            for ((row, x), bias) in row.iter_mut().zip(x).zip(bias) {
                *row = x + bias;
            }
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        _bias: &Tensor,
        _out: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sum = slope.contiguous()?.apply_op1_no_bwd(&SumRows)?;
        Ok((Some(slope.clone()), Some(sum)))
    }
}

struct SumRows;

impl CustomOp1 for SumRows {
    fn name(&self) -> &'static str {
        "sum-rows"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(x, layout)?;
        let columns = layout.dims().last().copied().unwrap_or(1);
        let out = sum_rows(x.len() / columns, columns, |i, sum| {
            for (sum, x) in sum.iter_mut().zip(&x[i * columns..]) {
                *sum += x;
            }
        });
        Ok((CpuStorage::F32(out), columns.into()))
    }
}

/// `x` `(…, columns)` plus `bias` `(columns)`.
pub(in crate::model) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(bias, AddBias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn a_bias_is_added_and_its_gradient_is_summed_over_the_rows() {
        agree(
            &[noise(&[700, 5], 1), noise(&[5], 2)],
            |t| add_bias(&t[0], &t[1]),
            |t| t[0].broadcast_add(&t[1]),
        );
    }
}
