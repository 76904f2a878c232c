//! Rotary positions: turning the pairs (`x[i]`, `x[i + half]`) of each head by its row's angles.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::{fill_rows, numbers};

struct Rotate {
    /// Turn the other way: what a gradient does.
    back: bool,
}

impl CustomOp3 for Rotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        cos: &CpuStorage,
        cos_layout: &Layout,
        sin: &CpuStorage,
        sin_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, heads, width) = x_layout.shape().dims3()?;
        let (x, half) = (numbers(x, x_layout)?, width / 2);
        let (cos, sin) = (numbers(cos, cos_layout)?, numbers(sin, sin_layout)?);
        let sign = if self.back { -1.0 } else { 1.0 };
        let out = fill_rows(
            x.len() / width,
            width,
            #[inline(always)]
            |i, row| {
                let x = &x[i * width..][..width];
                let (cos, sin) = (&cos[i / heads * half..], &sin[i / heads * half..]);
                let (low, high) = row.split_at_mut(half);
                for k in 0..half {
                    let (sin, cos) = (sign * sin[k], cos[k]);
                    low[k] = x[k] * cos - x[k + half] * sin;
                    high[k] = x[k] * sin + x[k + half] * cos;
                }
            },
        );
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        cos: &Tensor,
        sin: &Tensor,
        _out: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = Self { back: !self.back };
        let slope = slope.contiguous()?.apply_op3_no_bwd(cos, sin, &back)?;
        Ok((Some(slope), None, None))
    }
}

/// The heads of `x` `(rows, heads, width)` turned by the angles whose cosines and sines are `(rows, width / 2)`.
pub(in crate::model) fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op3(cos, sin, Rotate { back: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn turning_and_its_gradient_are_those_of_the_plain_formula() {
        let angles = noise(&[40, 3], 2);
        let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
        agree(
            &[noise(&[40, 2, 6], 1)],
            |t| rotate(&t[0], &cos, &sin),
            |t| {
                let (low, high) = (t[0].narrow(2, 0, 3)?, t[0].narrow(2, 3, 3)?);
                let (cos, sin) = (cos.unsqueeze(1)?, sin.unsqueeze(1)?);
                let turn = |a: &Tensor, b: &Tensor| a.broadcast_mul(b);
                Tensor::cat(
                    &[
                        (turn(&low, &cos)? - turn(&high, &sin)?)?,
                        (turn(&low, &sin)? + turn(&high, &cos)?)?,
                    ],
                    2,
                )
            },
        );
    }
}
