//! Operations for a CPU in f32, each one pass over memory and with a gradient: candle's fused ones have none, and its plain ones
//! take several passes. Elsewhere candle's are used.
//!
//! Sums run in an order that does not depend on the number of threads, so that a training run can be repeated to the last bit.

mod attention;
mod bias;
mod gate;
mod norm;
mod product;
mod rotary;
mod softmax;

use candle_core::{CpuStorage, DType, Layout, Result, Tensor};
use rayon::prelude::*;

use super::wide::wide;

pub(super) use attention::attend;
pub(super) use bias::add_bias;
pub(super) use gate::silu_mul;
pub(super) use norm::rms_norm;
pub(super) use product::times_transposed;
pub(super) use rotary::rotate;
pub(super) use softmax::softmax;

/// Rows that one task takes: enough to be worth a task, few enough to share the work.
const ROWS: usize = 32;

/// Whether these kernels can be used on `x`.
pub(super) fn fits(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Whether a gradient may be asked for through `tensors`.
pub(super) fn tracked(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|tensor| tensor.track_op())
}

/// The numbers of a contiguous f32 tensor.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("an operation of erw's got numbers that are not in one piece");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// The numbers of a contiguous f32 tensor, to be changed where they are.
fn numbers_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&mut numbers[start..end]),
        _ => candle_core::bail!("an operation of erw's got numbers that it cannot change in place"),
    }
}

/// Whether `tensor`, which is nobody else's, can be changed in place: what a gradient goes through cannot. Saves as much memory
/// as it has, and filling that with zeros first.
fn in_place(tensor: &Tensor) -> bool {
    !tracked(&[tensor]) && tensor.is_contiguous()
}

/// Rows of `columns` numbers made anew; `fill` as in [`each_row`].
fn fill_rows(count: usize, columns: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut out = vec![0.0; count * columns];
    each_row(&mut out, columns, fill);
    out
}

/// Goes through rows of `columns` numbers, many at a time; `fill` gets a row's index and its numbers, and runs [`wide`].
fn each_row(rows: &mut [f32], columns: usize, fill: impl Fn(usize, &mut [f32]) + Sync) {
    if columns == 0 {
        return;
    }
    rows.par_chunks_mut(ROWS * columns)
        .enumerate()
        .for_each(|(task, rows)| {
            wide(
                #[inline(always)]
                || {
                    for (i, row) in rows.chunks_exact_mut(columns).enumerate() {
                        fill(task * ROWS + i, row);
                    }
                },
            );
        });
}

/// Sums of `columns` numbers over `count` rows; `add` adds a row's share.
fn sum_rows(count: usize, columns: usize, add: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let tasks = count.div_ceil(8 * ROWS);
    let parts: Vec<Vec<f32>> = (0..tasks)
        .into_par_iter()
        .map(|task| {
            let mut sum = vec![0.0; columns];
            for row in task * 8 * ROWS..count.min((task + 1) * 8 * ROWS) {
                add(row, &mut sum);
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; columns];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total
}

/// Numbers that are taken side by side, so that a sum of many is not one long wait.
const LANES: usize = 16;

/// The sum of what becomes of numbers.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it"
)]
fn sum_of(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, number) in lanes.iter_mut().zip(block) {
            *lane += of(*number);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|number| of(*number)).sum::<f32>()
}

/// The largest of numbers, none of which is a NaN.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what runs wide has to be compiled with what runs it"
)]
fn most(numbers: &[f32]) -> f32 {
    // Unlike `f32::max`, this is one instruction on most machines.
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, number) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, *number);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, larger)
}

/// e^x to about an ulp and a half, in a form that compilers vectorise. Below the least normal number it is 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, the first with few enough digits that its multiples are exact (Cody and Waite).
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding and taking away 1.5 · 2²³ rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let n = (clamped * LOG2_E + ROUND) - ROUND;
    let r = clamped - n * LN_2_HIGH - n * LN_2_LOW;
    // Cephes' polynomial for (e^r - 1 - r) / r².
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let scale = f32::from_bits((((n as i32) + 127) as u32) << 23);
    if x < -87.0 { 0.0 } else { y * scale }
}

/// What tests of these kernels share: numbers without a pattern, and gradients to compare.
#[cfg(test)]
mod trial {
    use candle_core::{Device, Result, Tensor, Var};

    /// Numbers between -2 and 2 without a pattern that a wrong index could hide behind.
    pub(super) fn noise(shape: &[usize], salt: u32) -> Tensor {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count as u32)
            .map(|i| {
                let bits = (i + 1).wrapping_mul(2_654_435_761).wrapping_add(salt * 977);
                (bits >> 8) as f32 / (1 << 24) as f32 * 4.0 - 2.0
            })
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// The values of two functions and their gradients with respect to each input agree.
    pub(super) fn agree(
        inputs: &[Tensor],
        ours: impl Fn(&[Tensor]) -> Result<Tensor>,
        theirs: impl Fn(&[Tensor]) -> Result<Tensor>,
    ) {
        let run = |f: &dyn Fn(&[Tensor]) -> Result<Tensor>| {
            let vars: Vec<Var> = inputs
                .iter()
                .map(|t| Var::from_tensor(t).unwrap())
                .collect();
            let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
            let out = f(&tensors).unwrap();
            let weights = noise(out.dims(), 99);
            let grads = (&out * weights)
                .unwrap()
                .sum_all()
                .unwrap()
                .backward()
                .unwrap();
            let mut all = vec![flat(&out)];
            all.extend(vars.iter().map(|v| flat(grads.get(v).unwrap())));
            all
        };
        for (i, (a, b)) in run(&ours).iter().zip(run(&theirs)).enumerate() {
            let worst = a
                .iter()
                .zip(&b)
                .map(|(a, b)| (a - b).abs() / (1.0 + b.abs()))
                .fold(0.0, f32::max);
            assert!(a.len() == b.len() && worst < 2e-5, "output {i}: {worst}");
        }
    }

    fn flat(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_a_few_ulps_over_its_range() {
        for i in -8_800..8_800 {
            let x = i as f32 / 100.0 + 0.003;
            let (ours, right) = (exp(x), f64::from(x).exp());
            let error = (f64::from(ours) - right).abs() / right;
            assert!(error < 2.5e-7 || right < 2e-38, "{x}: {ours} {right}");
        }
        assert_eq!(
            (exp(0.0), exp(-200.0), exp(f32::NEG_INFINITY)),
            (1.0, 0.0, 0.0)
        );
    }

    #[test]
    fn sums_over_rows_do_not_depend_on_the_number_of_threads() {
        let sum = || {
            sum_rows(1000, 3, |row, sum| {
                for (i, s) in sum.iter_mut().enumerate() {
                    *s += 1.0 / (1 + row * 3 + i) as f32;
                }
            })
        };
        let alone = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        assert_eq!(alone.install(sum), sum());
    }
}
