//! Adding a bias to rows, whose gradient is a sum over them.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, InplaceOp2, Layout, Result, Shape, Tensor};

use super::{each_row, in_place, numbers, numbers_mut, sum_rows, tracked};

struct AddBias;

/// `bias` is added to every row.
fn apply(rows: &mut [f32], bias: &[f32]) {
    each_row(
        rows,
        bias.len(),
        #[inline(always)]
        |_, row| {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x += bias;
            }
        },
    );
}

impl InplaceOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        apply(numbers_mut(x, x_layout)?, numbers(bias, bias_layout)?);
        Ok(())
    }
}

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
        let mut out = numbers(x, x_layout)?.to_vec();
        apply(&mut out, numbers(bias, bias_layout)?);
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

/// `x` `(…, columns)`, which is nobody else's, plus `bias` `(columns)`.
pub(in crate::model) fn add_bias(x: Tensor, bias: &Tensor) -> Result<Tensor> {
    if in_place(&x) && !tracked(&[bias]) {
        x.inplace_op2(bias, &AddBias)?;
        return Ok(x);
    }
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
            |t| add_bias(t[0].clone(), &t[1]),
            |t| t[0].broadcast_add(&t[1]),
        );
    }

    #[test]
    fn in_place_it_gives_the_same_numbers() {
        let (x, bias) = (noise(&[70, 9], 1), noise(&[9], 2));
        let kept = candle_core::Var::from_tensor(&x).unwrap();
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let own = add_bias(x.force_contiguous().unwrap(), &bias).unwrap();
        let apart = add_bias(kept.as_tensor().clone(), &bias).unwrap();
        assert_eq!(flat(own), flat(apart));
        assert_eq!(flat(x), flat(kept.as_tensor().clone()));
    }
}
