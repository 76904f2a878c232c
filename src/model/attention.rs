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

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// The last query sees every key, the one before it one less, and so on: keys before the queries are context that all of them
    /// see.
    Causal,
    /// Queries and keys lie in so many windows of as many rows each, and see all of their own.
    Windows(usize),
}

/// softmax(q kᵀ / √head_dim) v.
///
/// `q` is `(queries, heads, head_dim)`, `k` and `v` are `(keys, kv_heads, head_dim)`, and heads share keys in equal groups. Gives
/// `(queries, heads, head_dim)`.
pub(super) fn attend(q: &Tensor, k: &Tensor, v: &Tensor, sight: Sight) -> Result<Tensor> {
    let (windows, causal) = match sight {
        Sight::Causal => (1, true),
        Sight::Windows(count) => (count, false),
    };
    if let Some(out) = kernels::attend([q, k, v], windows, causal)? {
        return Ok(out);
    }
    if causal {
        let [q, k, v] = [q, k, v].map(|t| t.transpose(0, 1));
        return chunked(&q?, &k?, &v?, true)?.transpose(0, 1);
    }
    // (windows × rows, heads, head_dim) to (windows × heads, rows, head_dim) and back
    let split = |t: &Tensor| {
        let (rows, heads, head_dim) = t.dims3()?;
        t.contiguous()?
            .reshape((windows, rows / windows, heads, head_dim))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((windows * heads, rows / windows, head_dim))
    };
    let (rows, heads, head_dim) = q.dims3()?;
    chunked(&split(q)?, &split(k)?, &split(v)?, false)?
        .reshape((windows, heads, rows / windows, head_dim))?
        .transpose(1, 2)?
        .reshape((rows, heads, head_dim))
}

/// The same for `(heads, queries, head_dim)` and `(kv_heads, keys, head_dim)`, with other operations than our own.
fn chunked(q: &Tensor, k: &Tensor, v: &Tensor, causal: bool) -> Result<Tensor> {
    let (heads, queries, head_dim) = q.dims3()?;
    let (groups, keys, _) = k.dims3()?;
    let scale = 1.0 / (head_dim as f64).sqrt();
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
        let weights = softmax(scores, scale, causal.then_some(count))?.to_dtype(dtype)?;
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

/// Of `scale` times `(groups, heads × queries, keys)`, over the last axis; with `causal`, every `queries` rows are masked.
/// candle's fused operation has no gradient.
fn softmax(scores: Tensor, scale: f64, causal: Option<usize>) -> Result<Tensor> {
    if kernels::fits(&scores) {
        return kernels::softmax(scores, scale, causal);
    }
    let (groups, rows, columns) = scores.dims3()?;
    let mut scores = (scores * scale)?;
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

    fn apart(a: &[f32], b: &[f32]) -> f32 {
        let pairs = a.iter().zip(b);
        pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
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
            let wanted = by_definition(&q, &k, &v, causal);
            let rows_first = |t: &Tensor| t.transpose(0, 1).unwrap();
            let [q_rows, k_rows, v_rows] = [&q, &k, &v].map(rows_first);
            let sight = if causal {
                Sight::Causal
            } else {
                Sight::Windows(1)
            };
            let ours = attend(&q_rows, &k_rows, &v_rows, sight).unwrap();
            assert_eq!(ours.dims(), [queries, 4, 8]);
            let theirs = chunked(&q, &k, &v, causal).unwrap();
            for out in [rows_first(&ours), theirs] {
                let out = out.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let worst = apart(&out, &wanted);
                assert!(worst < 2e-6, "{queries} {keys} {causal}: {worst}");
            }
        }
    }

    #[test]
    fn windows_attend_among_themselves_on_either_path_and_parts_of_a_wider_tensor_do_too() {
        let all = noise((3 * 5, 4, 3 * 8), 1);
        let [q, k, v] = [0, 1, 2].map(|i| all.narrow(2, 8 * i, 8).unwrap());
        let out = attend(&q, &k, &v, Sight::Windows(3)).unwrap();
        let tracked = candle_core::Var::from_tensor(&q.contiguous().unwrap()).unwrap();
        let plain = attend(tracked.as_tensor(), &k, &v, Sight::Windows(3)).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(apart(&flat(&out), &flat(&plain)) < 2e-6);
        for window in 0..3 {
            let own = |t: &Tensor| {
                let rows = t.narrow(0, 5 * window, 5).unwrap();
                rows.transpose(0, 1).unwrap().contiguous().unwrap()
            };
            let wanted = by_definition(&own(&q), &own(&k), &own(&v), false);
            assert!(apart(&flat(&own(&out)), &wanted) < 2e-6);
        }
        assert!(attend(&q, &k.narrow(0, 0, 14).unwrap(), &v, Sight::Windows(3)).is_err());
    }
}
