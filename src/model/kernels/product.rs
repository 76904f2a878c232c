//! Matrix products, tile by tile: each thread takes whole tiles, one after the other, where `gemm`'s own division has all threads
//! meet several times in every product.
//!
//! A number is summed in an order that hangs on the depth of the product alone as long as tiles are not tiny (see the test), so
//! that neither threads nor tiles change a bit.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{fits, numbers, tracked};

/// The least rows and columns of a tile: below, packing a tile costs more than sharing it saves.
const ROWS: usize = 128;
const COLUMNS: usize = 256;
/// Tiles that a thread takes: where one thread is held up, the others go on with the rest.
const EACH: usize = 4;

/// A matrix in memory: where its first number is, and how far it is to the next row and to the next column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<T> {
    pub(super) first: T,
    pub(super) row: usize,
    pub(super) column: usize,
}

/// `out = a · b`, of `rows × depth` and `depth × columns`, on this thread.
///
/// # Safety
///
/// `a` and `b` can be read and `out` can be written at all their rows and columns, and nobody else looks at what is written.
#[allow(unsafe_code, reason = "see Safety")]
pub(super) unsafe fn multiply(
    (rows, depth, columns): (usize, usize, usize),
    a: Placed<*const f32>,
    b: Placed<*const f32>,
    out: Placed<*mut f32>,
) {
    // SAFETY: as is asked of the caller. Strides are far below `isize::MAX`: they lie within slices of numbers.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            out.first,
            out.column as isize,
            out.row as isize,
            false,
            a.first,
            a.column as isize,
            a.row as isize,
            b.first,
            b.column as isize,
            b.row as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// A place that several threads write to, each to numbers of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared(pub(super) *mut f32);

// SAFETY: whoever writes through it sees to it that no number is written twice (`Times`, `attention::Attend`).
#[allow(unsafe_code, reason = "see above")]
unsafe impl Send for Shared {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "see above")]
unsafe impl Sync for Shared {}

impl Shared {
    /// The place `offset` numbers on.
    pub(super) fn at(self, offset: usize) -> *mut f32 {
        // `wrapping_add`: whether it lies within is asked where it is written to.
        self.0.wrapping_add(offset)
    }
}

/// x Wᵀ.
struct Times;

impl CustomOp2 for Times {
    fn name(&self) -> &'static str {
        "times"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, depth) = x_layout.shape().dims2()?;
        let (columns, inputs) = weight_layout.shape().dims2()?;
        if inputs != depth {
            candle_core::bail!("a product of {rows} × {depth} and {columns} × {inputs} transposed");
        }
        let (x, weight) = (numbers(x, x_layout)?, numbers(weight, weight_layout)?);
        let out = times(
            x,
            weight,
            (rows, depth, columns),
            rayon::current_num_threads(),
        );
        Ok((CpuStorage::F32(out), (rows, columns).into()))
    }
}

#[allow(
    unsafe_code,
    reason = "tiles of one matrix are written by several threads; see below"
)]
fn times(
    x: &[f32],
    weight: &[f32],
    (rows, depth, columns): (usize, usize, usize),
    threads: usize,
) -> Vec<f32> {
    assert!(x.len() == rows * depth && weight.len() == columns * depth);
    let mut out: Vec<f32> = Vec::with_capacity(rows * columns);
    let place = Shared(out.as_mut_ptr());
    let (down, across) = parts(rows, columns, EACH * threads);
    let tiles = tiles(rows, down)
        .flat_map(|rows| tiles(columns, across).map(move |columns| (rows.clone(), columns)));
    tiles
        .collect::<Vec<_>>()
        .into_par_iter()
        .for_each(|(tall, wide)| {
            let step = |first, row, column| Placed { first, row, column };
            // SAFETY: the tile lies within both matrices, whose lengths were held against their shapes, and within the capacity of
            // `out`; tiles do not overlap.
            unsafe {
                multiply(
                    (tall.len(), depth, wide.len()),
                    step(x[tall.start * depth..].as_ptr(), depth, 1),
                    step(weight[wide.start * depth..].as_ptr(), 1, depth),
                    Placed {
                        first: place.at(tall.start * columns + wide.start),
                        row: columns,
                        column: 1,
                    },
                );
            }
        });
    // SAFETY: the tiles cover all of it, and each was written whole.
    unsafe { out.set_len(rows * columns) };
    out
}

/// Into how many parts rows and columns are cut for `wanted` tiles, none of them tiny.
fn parts(rows: usize, columns: usize, wanted: usize) -> (usize, usize) {
    let (most_down, most_across) = ((rows / ROWS).max(1), (columns / COLUMNS).max(1));
    let across = most_across.min(4);
    let down = wanted.div_ceil(across).min(most_down);
    (down, wanted.div_ceil(down).min(most_across).max(across))
}

/// `0..count` in so many parts, of which none is shorter than another by more than one.
fn tiles(count: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..parts).map(move |part| part * count / parts..(part + 1) * count / parts)
}

/// `x` `(rows, inputs)` times `weight` `(outputs, inputs)` transposed, where this is the better way: on a CPU, of many rows, and
/// where no gradient is asked for.
pub(in crate::model) fn times_transposed(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let many = x.dims2()?.0 >= ROWS && weight.dims2()?.0 >= ROWS;
    if many && fits(x) && fits(weight) && !tracked(&[x, weight]) && weight.is_contiguous() {
        return x.contiguous()?.apply_op2_no_bwd(weight, &Times);
    }
    x.matmul(&weight.t()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernels::trial::noise;

    fn flat(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn neither_tiles_nor_threads_change_a_bit() {
        for (rows, depth, columns) in [(128, 40, 128), (300, 184, 1100), (517, 96, 640)] {
            let (x, weight) = (noise(&[rows, depth], 1), noise(&[columns, depth], 2));
            let plain = flat(&x.matmul(&weight.t().unwrap()).unwrap());
            assert_eq!(flat(&times_transposed(&x, &weight).unwrap()), plain);
            for threads in [1, 3, 64] {
                let shape = (rows, depth, columns);
                assert_eq!(times(&flat(&x), &flat(&weight), shape, threads), plain);
            }
        }
    }

    #[test]
    fn a_part_of_a_matrix_and_few_rows_are_multiplied_too() {
        let (x, weight) = (noise(&[400, 70], 1), noise(&[130, 70], 2));
        let wide = noise(&[400, 140], 3);
        let part = wide.narrow(1, 70, 70).unwrap();
        for x in [
            x.narrow(0, 5, 200).unwrap(),
            x.narrow(0, 0, 3).unwrap(),
            part,
        ] {
            let plain = x
                .contiguous()
                .unwrap()
                .matmul(&weight.t().unwrap())
                .unwrap();
            assert_eq!(flat(&times_transposed(&x, &weight).unwrap()), flat(&plain));
        }
        assert!(times_transposed(&x, &noise(&[130, 60], 2)).is_err());
    }

    #[test]
    fn tiles_cover_all_and_are_many_enough_for_the_threads() {
        for (rows, columns, threads) in [
            (918, 4864, 2),
            (918, 896, 16),
            (128, 128, 8),
            (7370, 896, 2),
            (7370, 896, 64),
        ] {
            let (down, across) = parts(rows, columns, EACH * threads);
            let [tall, wide] = [(rows, down), (columns, across)]
                .map(|(count, parts)| tiles(count, parts).collect::<Vec<_>>());
            for (tiles, count) in [(&tall, rows), (&wide, columns)] {
                assert_eq!(tiles.iter().map(std::ops::Range::len).sum::<usize>(), count);
                assert!(tiles.len() == 1 || tiles.iter().all(|tile| tile.len() >= ROWS));
            }
            let most = (rows / ROWS) * (columns / COLUMNS);
            assert!(
                tall.len() * wide.len() >= (2 * threads).min(most),
                "{rows} {columns} {threads}"
            );
        }
    }
}
