//! Softmax over the last axis, with the causal mask in it.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, InplaceOp1, Layout, Result, Shape, Tensor};

use super::{each_row, exp, fill_rows, in_place, numbers, numbers_mut};

struct Softmax {
    /// What numbers are multiplied with before.
    scale: f32,
    /// Rows come in heads of so many queries, of which the last sees every column, the one before one less, and so on.
    causal: Option<usize>,
}

impl Softmax {
    /// How many of `columns` the row `i` sees.
    fn visible(&self, i: usize, columns: usize) -> usize {
        self.causal
            .map_or(columns, |queries| columns - (queries - 1 - i % queries))
    }

    /// Rows of `columns` numbers become their softmax.
    fn apply(&self, rows: &mut [f32], columns: usize) {
        each_row(
            rows,
            columns,
            #[inline(always)]
            |i, row| {
                weigh(row, self.visible(i, columns), self.scale);
            },
        );
    }
}

/// A row becomes the softmax of `scale` times its first `visible` numbers; the others become 0.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it"
)]
pub(super) fn weigh(row: &mut [f32], visible: usize, scale: f32) {
    let (row, hidden) = row.split_at_mut(visible);
    let most = super::most(row);
    for x in row.iter_mut() {
        *x = exp((*x - most) * scale);
    }
    let part = 1.0 / super::sum_of(row, |x| x);
    for x in row {
        *x *= part;
    }
    hidden.fill(0.0);
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = numbers(x, layout)?.to_vec();
        self.apply(&mut out, columns_of(layout));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, out: &Tensor, slope: &Tensor) -> Result<Option<Tensor>> {
        let slope = out.apply_op2_no_bwd(&slope.contiguous()?, &Slope)?;
        Ok(Some((slope * f64::from(self.scale))?))
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.apply(numbers_mut(x, layout)?, columns_of(layout));
        Ok(())
    }
}

fn columns_of(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1)
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
        let columns = columns_of(y_layout);
        let out = fill_rows(
            y.len() / columns,
            columns,
            #[inline(always)]
            |i, row| {
                let y = &y[i * columns..][..columns];
                let slope = &slope[i * columns..][..columns];
                let mean: f32 = y.iter().zip(slope).map(|(y, slope)| y * slope).sum();
                for ((row, y), slope) in row.iter_mut().zip(y).zip(slope) {
                    *row = y * (slope - mean);
                }
            },
        );
        Ok((CpuStorage::F32(out), y_layout.shape().clone()))
    }
}

/// Softmax of `scale · x` for `x` `(…, columns)`, which is nobody else's, and a `scale` above 0. With `causal`, rows come in heads
/// of that many queries; the last query of a head sees every column, the one before it one less, and so on; what is not seen
/// becomes 0.
pub(in crate::model) fn softmax(x: Tensor, scale: f64, causal: Option<usize>) -> Result<Tensor> {
    let scale = scale as f32;
    let softmax = Softmax { scale, causal };
    if in_place(&x) {
        x.inplace_op1(&softmax)?;
        return Ok(x);
    }
    x.contiguous()?.apply_op1(softmax)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn softmax_and_its_gradient_are_those_of_the_plain_formula_with_and_without_a_mask() {
        let plain = |x: &Tensor| candle_nn::ops::softmax(&(x * 0.3)?, 2);
        agree(
            &[noise(&[2, 35, 9], 1)],
            |t| softmax(t[0].clone(), 0.3, None),
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
            |t| softmax(t[0].clone(), 0.3, Some(3)),
            |t| plain(&t[0].broadcast_add(&mask)?),
        );
    }

    #[test]
    fn in_place_it_gives_the_same_numbers() {
        let x = noise(&[2, 33, 40], 3);
        let kept = candle_core::Var::from_tensor(&x).unwrap();
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for causal in [None, Some(33)] {
            let own = x.force_contiguous().unwrap();
            let [own, apart] =
                [own, kept.as_tensor().clone()].map(|x| flat(softmax(x, 0.3, causal).unwrap()));
            assert_eq!(own, apart);
        }
        assert_eq!(flat(x), flat(kept.as_tensor().clone()));
    }
}
