//! silu(a) · b, the gate of the feed-forward layers.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, InplaceOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{exp, in_place, numbers, numbers_mut, tracked};
use crate::model::wide::wide;

/// Numbers that one task takes.
const PIECE: usize = 1 << 13;

struct SiluMul;

/// `a` becomes silu(a) · b.
fn apply(a: &mut [f32], b: &[f32]) {
    a.par_chunks_mut(PIECE)
        .zip(b.par_chunks(PIECE))
        .for_each(|(a, b)| {
            wide(
                #[inline(always)]
                || {
                    for (a, b) in a.iter_mut().zip(b) {
                        *a = *a / (1.0 + exp(-*a)) * b;
                    }
                },
            );
        });
}

impl InplaceOp2 for SiluMul {
    fn name(&self) -> &'static str {
        "silu-mul"
    }

    fn cpu_fwd(
        &self,
        a: &mut CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<()> {
        apply(numbers_mut(a, a_layout)?, numbers(b, b_layout)?);
        Ok(())
    }
}

impl CustomOp2 for SiluMul {
    fn name(&self) -> &'static str {
        "silu-mul"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut out = numbers(a, a_layout)?.to_vec();
        apply(&mut out, numbers(b, b_layout)?);
        Ok((CpuStorage::F32(out), a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _out: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (a, b, slope) = (a.contiguous()?, b.contiguous()?, slope.contiguous()?);
        Ok((
            Some(a.apply_op3_no_bwd(&b, &slope, &GateSlope)?),
            Some(a.apply_op2_no_bwd(&slope, &SiluMul)?),
        ))
    }
}

/// The slope of silu(a) · b in a, times the slope that comes from above.
struct GateSlope;

impl CustomOp3 for GateSlope {
    fn name(&self) -> &'static str {
        "silu-mul-slope"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        slope: &CpuStorage,
        slope_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (numbers(a, a_layout)?, numbers(b, b_layout)?);
        let slope = numbers(slope, slope_layout)?;
        let mut out = vec![0.0; a.len()];
        out.par_chunks_mut(PIECE)
            .zip(a.par_chunks(PIECE).zip(b.par_chunks(PIECE)))
            .zip(slope.par_chunks(PIECE))
            .for_each(|((out, (a, b)), slope)| {
                wide(
                    #[inline(always)]
                    || {
                        for (((out, a), b), slope) in out.iter_mut().zip(a).zip(b).zip(slope) {
                            let sigmoid = 1.0 / (1.0 + exp(-a));
                            *out = slope * b * sigmoid * (1.0 + a * (1.0 - sigmoid));
                        }
                    },
                );
            });
        Ok((CpuStorage::F32(out), a_layout.shape().clone()))
    }
}

/// silu(a) · b, element by element; `a` is nobody else's.
pub(in crate::model) fn silu_mul(a: Tensor, b: &Tensor) -> Result<Tensor> {
    let b = b.contiguous()?;
    if in_place(&a) && !tracked(&[&b]) {
        a.inplace_op2(&b, &SiluMul)?;
        return Ok(a);
    }
    a.contiguous()?.apply_op2(&b, SiluMul)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::trial::{agree, noise};

    #[test]
    fn the_gate_and_its_gradients_are_those_of_its_parts() {
        agree(
            &[noise(&[40, 9], 1), noise(&[40, 9], 2)],
            |t| silu_mul(t[0].clone(), &t[1]),
            |t| t[0].silu()? * &t[1],
        );
    }

    #[test]
    fn in_place_it_gives_the_same_numbers() {
        let (a, b) = (noise(&[70, 9], 1), noise(&[70, 9], 2));
        let kept = candle_core::Var::from_tensor(&a).unwrap();
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let own = silu_mul(a.force_contiguous().unwrap(), &b).unwrap();
        let apart = silu_mul(kept.as_tensor().clone(), &b).unwrap();
        assert_eq!(flat(own), flat(apart));
        assert_eq!(flat(a), flat(kept.as_tensor().clone()));
    }
}
