//! Attention head by head and a few queries at a time, so that their scores stay in a core's cache and each thread works by itself.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::product::{Placed, Shared, multiply};
use super::softmax::weigh;
use super::{fits, tracked};
use crate::model::wide::wide;

/// Scores that a task holds at a time: 512 KiB.
const SCORES: usize = 1 << 17;

struct Attend {
    /// Windows of as many queries as keys, which attend among themselves.
    windows: usize,
    /// Whether the last query sees every key of its window, the one before one less, and so on.
    causal: bool,
}

/// A tensor `(rows, heads, width)` in memory.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    numbers: &'a [f32],
    rows: usize,
    heads: usize,
    width: usize,
    row: usize,
    head: usize,
}

impl<'a> Tokens<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout) -> Result<Self> {
        let (rows, heads, width) = layout.shape().dims3()?;
        let [row, head, 1] = *layout.stride() else {
            candle_core::bail!("attention got heads whose numbers do not follow each other");
        };
        let numbers = &storage.as_slice::<f32>()?[layout.start_offset()..];
        let last = rows.saturating_sub(1) * row + heads.saturating_sub(1) * head + width;
        if numbers.len() < last {
            candle_core::bail!("attention got {} numbers of {last}", numbers.len());
        }
        Ok(Self {
            numbers,
            rows,
            heads,
            width,
            row,
            head,
        })
    }

    fn at(&self, row: usize, head: usize) -> *const f32 {
        self.numbers[row * self.row + head * self.head..].as_ptr()
    }
}

/// What one task does: some queries of one head of one window.
struct Task {
    head: usize,
    /// Among all queries.
    queries: Range<usize>,
    /// Those that the last of the queries sees, among all keys.
    keys: Range<usize>,
}

impl Attend {
    fn tasks(&self, q: &Tokens<'_>, k: &Tokens<'_>) -> Vec<Task> {
        let (queries, keys) = (q.rows / self.windows, k.rows / self.windows);
        let at_once = (SCORES / keys.max(1)).clamp(16, 128);
        let mut tasks = Vec::new();
        for window in 0..self.windows {
            for head in 0..q.heads {
                for start in (0..queries).step_by(at_once) {
                    let end = queries.min(start + at_once);
                    let seen = if self.causal {
                        keys - (queries - end)
                    } else {
                        keys
                    };
                    tasks.push(Task {
                        head,
                        queries: window * queries + start..window * queries + end,
                        keys: window * keys..window * keys + seen,
                    });
                }
            }
        }
        tasks
    }

    #[allow(
        unsafe_code,
        reason = "heads of one tensor are written by several threads; see below"
    )]
    fn run(&self, q: &Tokens<'_>, k: &Tokens<'_>, v: &Tokens<'_>) -> Vec<f32> {
        let scale = 1.0 / (q.width as f64).sqrt();
        let (width, stride) = (q.width, q.heads * q.width);
        let mut out: Vec<f32> = Vec::with_capacity(q.rows * stride);
        let place = Shared(out.as_mut_ptr());
        let shared = q.heads / k.heads;
        let task = |scores: &mut Vec<f32>, task: Task| {
            let (count, seen) = (task.queries.len(), task.keys.len());
            let group = task.head / shared;
            scores.resize(count * seen, 0.0);
            let held = Placed {
                first: scores.as_mut_ptr(),
                row: seen,
                column: 1,
            };
            // SAFETY: the rows and heads lie within the tensors, whose extent `Tokens::new` has checked; the scores are this task's.
            unsafe {
                multiply(
                    (count, width, seen),
                    Placed {
                        first: q.at(task.queries.start, task.head),
                        row: q.row,
                        column: 1,
                    },
                    Placed {
                        first: k.at(task.keys.start, group),
                        row: 1,
                        column: k.row,
                    },
                    held,
                );
            }
            wide(
                #[inline(always)]
                || {
                    for (i, row) in scores.chunks_exact_mut(seen).enumerate() {
                        let hidden = if self.causal { count - 1 - i } else { 0 };
                        weigh(row, seen - hidden, scale as f32);
                    }
                },
            );
            // SAFETY: as above; no two tasks have the same queries of the same head, and all of `out` is within its capacity.
            unsafe {
                multiply(
                    (count, seen, width),
                    Placed {
                        first: scores.as_ptr(),
                        row: seen,
                        column: 1,
                    },
                    Placed {
                        first: v.at(task.keys.start, group),
                        row: v.row,
                        column: 1,
                    },
                    Placed {
                        first: place.at(task.queries.start * stride + task.head * width),
                        row: stride,
                        column: 1,
                    },
                );
            }
        };
        self.tasks(q, k)
            .into_par_iter()
            .for_each_init(Vec::new, task);
        // SAFETY: the tasks cover every query of every head, and each was written whole.
        unsafe { out.set_len(q.rows * stride) };
        out
    }
}

impl CustomOp3 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let [q, k, v] = [(q, q_layout), (k, k_layout), (v, v_layout)]
            .map(|(storage, layout)| Tokens::new(storage, layout));
        let (q, k, v) = (q?, k?, v?);
        let alike = (k.rows, k.heads, k.width) == (v.rows, v.heads, v.width) && q.width == k.width;
        let fit = alike
            && k.heads > 0
            && q.heads.is_multiple_of(k.heads)
            && q.rows.is_multiple_of(self.windows)
            && k.rows.is_multiple_of(self.windows)
            && (!self.causal || q.rows <= k.rows);
        if !fit {
            candle_core::bail!("attention got tensors that do not belong together");
        }
        let out = self.run(&q, &k, &v);
        Ok((CpuStorage::F32(out), q_layout.shape().clone()))
    }
}

/// softmax(q kᵀ / √width) v for `q` `(queries, heads, width)`, `k` and `v` `(keys, groups, width)`, in as many windows as are
/// said, each of as many rows; heads share keys in equal groups. With `causal`, the last query of a window sees every key, the one
/// before it one less, and so on. Gives `(queries, heads, width)`; `None` where this is not the way: not on a CPU, not in f32, a
/// gradient is asked for, or numbers of a head that do not follow each other.
pub(in crate::model) fn attend(
    [q, k, v]: [&Tensor; 3],
    windows: usize,
    causal: bool,
) -> Result<Option<Tensor>> {
    let all = [q, k, v];
    let ours = all.iter().all(|t| fits(t) && t.stride().last() == Some(&1));
    if !ours || tracked(&all) {
        return Ok(None);
    }
    let attend = Attend { windows, causal };
    Ok(Some(q.apply_op3_no_bwd(k, v, &attend)?))
}
