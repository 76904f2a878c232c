//! Scaled dot-product attention with grouped heads, plain and causal.
//!
//! Queries are taken in chunks, so that the scores of a long sequence (a native-resolution image, say) never exceed a fixed
//! size, and causal chunks leave out the keys that none of their queries may see. Scores and softmax are in f32 whatever the
//! precision, as fused attention kernels have it.

use candle_core::{D, DType, Device, Result, Tensor};

use super::kernels;

/// The most queries in a causal chunk: small enough to skip much of the half of the scores that is masked anyway.
const CAUSAL_ROWS: usize = 256;
/// The most scores held at a time; 256 MB in f32.
const SCORES: usize = 1 << 26;

/// softmax(q kᵀ / √head_dim) v.
///
/// `q` is `(heads, queries, head_dim)`, `k` and `v` are `(kv_heads, keys, head_dim)`, and heads share keys in equal groups.
/// With `causal`, the last query sees every key, the one before it one less, and so on: keys before the queries are context
/// that all of them see. Gives `(heads, queries, head_dim)`.
pub(super) fn attend(q: &Tensor, k: &Tensor, v: &Tensor, causal: bool) -> Result<Tensor> {
    let (heads, queries, head_dim) = q.dims3()?;
    let (groups, keys, _) = k.dims3()?;
    let scale = 1.0 / (head_dim as f64).sqrt();
    let q = (q * scale)?;
    let (k, v) = (k.contiguous()?, v.contiguous()?);
    let fitting = (SCORES / (heads * keys)).max(1);
    let rows = if causal {
        fitting.min(CAUSAL_ROWS)
    } else {
        fitting
    };
    let context = keys - queries.min(keys);
    let mut chunks = Vec::with_capacity(queries.div_ceil(rows));
    for start in (0..queries).step_by(rows) {
        let count = rows.min(queries - start);
        let visible = if causal {
            context + start + count
        } else {
            keys
        };
        let q = q.narrow(1, start, count)?.contiguous()?.reshape((
            groups,
            (heads / groups) * count,
            head_dim,
        ))?;
        let (k, v) = (k.narrow(1, 0, visible)?, v.narrow(1, 0, visible)?);
        let dtype = q.dtype();
        let scores = q.matmul(&k.t()?)?.to_dtype(DType::F32)?;
        let weights = softmax(&scores, causal.then_some(count))?.to_dtype(dtype)?;
        chunks.push(weights.matmul(&v)?.reshape((heads, count, head_dim))?);
    }
    match chunks.as_slice() {
        [whole] => Ok(whole.clone()),
        chunks => Tensor::cat(chunks, 1),
    }
}

/// `(rows, columns)`: 0 where a row may look, -∞ where it may not; the last row sees everything.
fn mask(rows: usize, columns: usize, device: &Device) -> Result<Tensor> {
    candle_transformers::utils::build_additive_causal_mask(
        rows,
        columns - rows,
        None,
        device,
        DType::F32,
    )?
    .reshape((rows, columns))
}

/// Over the last axis of `(groups, heads × queries, keys)`; with `causal`, every `queries` rows are masked. candle's fused
/// operation has no gradient.
fn softmax(scores: &Tensor, causal: Option<usize>) -> Result<Tensor> {
    if kernels::fits(scores) {
        return kernels::softmax(scores, causal);
    }
    let (groups, rows, columns) = scores.dims3()?;
    let mut scores = scores.clone();
    if let Some(queries) = causal.filter(|queries| *queries > 1) {
        let mask = mask(queries, columns, scores.device())?;
        scores = scores
            .reshape((groups * rows / queries, queries, columns))?
            .broadcast_add(&mask)?
            .reshape((groups, rows, columns))?;
    }
    if kernels::tracked(&[&scores]) {
        candle_nn::ops::softmax(&scores, D::Minus1)
    } else {
        candle_nn::ops::softmax_last_dim(&scores.contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern that a wrong index could hide behind.
    fn noise(shape: (usize, usize, usize), salt: u32) -> Tensor {
        let count = shape.0 * shape.1 * shape.2;
        let values: Vec<f32> = (0..count as u32)
            .map(|i| {
                let bits = (i + 1).wrapping_mul(2_654_435_761).wrapping_add(salt * 977);
                (bits >> 8) as f32 / (1 << 24) as f32 * 4.0 - 2.0
            })
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// The definition, one number at a time in f64.
    fn by_definition(q: &Tensor, k: &Tensor, v: &Tensor, causal: bool) -> Vec<f32> {
        let [q, k, v] = [q, k, v].map(|t| t.to_vec3::<f32>().unwrap());
        let mut out = Vec::new();
        for (h, head) in q.iter().enumerate() {
            let group = h * k.len() / q.len();
            for (i, query) in head.iter().enumerate() {
                let keys = &k[group];
                let visible = if causal {
                    keys.len() - head.len() + i + 1
                } else {
                    keys.len()
                };
                let weights: Vec<f64> = keys[..visible]
                    .iter()
                    .map(|key| {
                        let dot: f64 = key
                            .iter()
                            .zip(query)
                            .map(|(a, b)| f64::from(*a) * f64::from(*b))
                            .sum();
                        (dot / (query.len() as f64).sqrt()).exp()
                    })
                    .collect();
                let sum: f64 = weights.iter().sum();
                for d in 0..query.len() {
                    let value: f64 = weights
                        .iter()
                        .zip(&v[group])
                        .map(|(w, value)| w * f64::from(value[d]))
                        .sum();
                    out.push((value / sum) as f32);
                }
            }
        }
        out
    }

    #[test]
    fn attention_is_its_definition_with_groups_context_and_several_chunks() {
        for (queries, keys, causal) in [
            (5, 5, true),
            (3, 9, true),
            (7, 7, false),
            (CAUSAL_ROWS + 3, CAUSAL_ROWS + 10, true),
        ] {
            let (q, k, v) = (
                noise((4, queries, 8), 1),
                noise((2, keys, 8), 2),
                noise((2, keys, 8), 3),
            );
            let out = attend(&q, &k, &v, causal).unwrap();
            assert_eq!(out.dims(), [4, queries, 8]);
            let out = out.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let wanted = by_definition(&q, &k, &v, causal);
            let worst = out
                .iter()
                .zip(&wanted)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(worst < 2e-6, "{queries} {keys} {causal}: {worst}");
        }
    }
}
