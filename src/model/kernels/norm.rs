//! Root-mean-square normalisation: x · w / √(mean(x²) + ε) over the last axis.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::{fill_rows, numbers, sum_rows};

struct RmsNorm {
    eps: f32,
}

/// 1 / √(mean(x²) + ε).
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it"
)]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let squares = super::sum_of(x, |x| x * x);
    1.0 / (squares / x.len() as f32 + eps).sqrt()
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (numbers(x, x_layout)?, numbers(weight, weight_layout)?);
        let columns = weight.len();
        let out = fill_rows(
            x.len() / columns,
            columns,
            #[inline(always)]
            |i, row| {
                let x = &x[i * columns..][..columns];
                let inverse = inverse_rms(x, self.eps);
                for ((row, x), weight) in row.iter_mut().zip(x).zip(weight) {
                    *row = x * inverse * weight;
                }
            },
        );
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _out: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (x, slope) = (x.contiguous()?, slope.contiguous()?);
        let of_input = InputSlope { eps: self.eps };
        let of_weight = WeightSlope { eps: self.eps };
        Ok((
            Some(x.apply_op3_no_bwd(weight, &slope, &of_input)?),
            Some(x.apply_op2_no_bwd(&slope, &of_weight)?),
        ))
    }
}

struct InputSlope {
    eps: f32,
}

impl CustomOp3 for InputSlope {
    fn name(&self) -> &'static str {
        "rms-norm-input-slope"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        slope: &CpuStorage,
        slope_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (numbers(x, x_layout)?, numbers(weight, weight_layout)?);
        let slope = numbers(slope, slope_layout)?;
        let columns = weight.len();
        let out = fill_rows(
            x.len() / columns,
            columns,
            #[inline(always)]
            |i, row| {
                let x = &x[i * columns..][..columns];
                let slope = &slope[i * columns..][..columns];
                let inverse = inverse_rms(x, self.eps);
                let along: f32 = x
                    .iter()
                    .zip(weight)
                    .zip(slope)
                    .map(|((x, weight), slope)| x * weight * slope)
                    .sum();
                let back = along * inverse * inverse / columns as f32;
                for (((row, x), weight), slope) in row.iter_mut().zip(x).zip(weight).zip(slope) {
                    *row = inverse * (weight * slope - x * back);
                }
            },
        );
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct WeightSlope {
    eps: f32,
}

impl CustomOp2 for WeightSlope {
    fn name(&self) -> &'static str {
        "rms-norm-weight-slope"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        slope: &CpuStorage,
        slope_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, slope) = (numbers(x, x_layout)?, numbers(slope, slope_layout)?);
        let columns = x_layout.dims().last().copied().unwrap_or(1);
        let out = sum_rows(x.len() / columns, columns, |i, sum| {
            let x = &x[i * columns..][..columns];
            let inverse = inverse_rms(x, self.eps);
            for ((sum, x), slope) in sum.iter_mut().zip(x).zip(&slope[i * columns..]) {
                *sum += x * inverse * slope;
            }
        });
        Ok((CpuStorage::F32(out), columns.into()))
    }
}

/// `x` `(…, columns)` normalised and scaled by `weight` `(columns)`.
pub(in crate::model) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    x.contiguous()?
        .apply_op2(weight, RmsNorm { eps: eps as f32 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn the_norm_and_its_gradients_are_those_of_the_plain_formula() {
        agree(
            &[noise(&[70, 2, 6], 1), noise(&[6], 2)],
            |t| rms_norm(&t[0], &t[1], 1e-6),
            |t| {
                let mean = t[0].sqr()?.mean_keepdim(2)?;
                t[0].broadcast_div(&(mean + 1e-6)?.sqrt()?)?
                    .broadcast_mul(&t[1])
            },
        );
    }
}
