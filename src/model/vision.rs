//! The vision tower of Qwen2.5-VL: from patch rows to visual tokens.
//!
//! Most blocks attend within windows of 4 × 4 merged cells, ragged at the right and bottom edge of an image; a few attend over
//! the whole image; none across images. Rows are kept in window order from the first block to the merger, with windows of
//! equal size side by side, so that each size is one batched product.
//!
//! As in `transformers`, `models/qwen2_5_vl/modeling_qwen2_5_vl.py`.

use std::collections::BTreeMap;

use candle_core::{DType, Device, IndexOp, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::attention::{Sight, attend};
use super::config::VisionConfig;
use super::linear::Linear;
use super::mlp::GatedMlp;
use super::norm::RmsNorm;
use super::preprocess::Grid;
use super::rope::{Table, frequencies};

/// The base of the rotary frequencies of both towers.
pub(super) const THETA: f64 = 10_000.0;
/// The tower's norms do not take their epsilon from the configuration.
pub(super) const EPS: f64 = 1e-6;

/// Consecutive rows that attend among themselves: `count` pieces of `len` rows each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) count: usize,
    pub(super) len: usize,
}

/// Adds `count` pieces of `len` rows, to the last run if its pieces are as long: fewer and larger products.
pub(super) fn add_run(runs: &mut Vec<Run>, count: usize, len: usize) {
    match runs.last_mut() {
        Some(last) if last.len == len => last.count += count,
        _ => runs.push(Run { count, len }),
    }
}

/// Rotated self-attention within pieces; both towers have it.
#[derive(Debug, Clone)]
pub(super) struct Attention {
    qkv: Linear,
    proj: Linear,
    heads: usize,
}

impl Attention {
    pub(super) fn new(config: &VisionConfig, vb: &VarBuilder) -> Result<Self> {
        let hidden = config.hidden_size;
        Ok(Self {
            qkv: Linear::new(hidden, 3 * hidden, true, &vb.pp("qkv"))?,
            proj: Linear::new(hidden, hidden, true, &vb.pp("proj"))?,
            heads: config.num_heads,
        })
    }

    /// `x` and the result are `(rows, hidden)`; `rope` is in f32 and so is the rotation; `runs` cover the rows in order.
    pub(super) fn forward(&self, x: &Tensor, rope: &Table, runs: &[Run]) -> Result<Tensor> {
        let (rows, hidden) = x.dims2()?;
        let head_dim = hidden / self.heads;
        let qkv = self
            .qkv
            .forward(x)?
            .reshape((rows, 3, self.heads, head_dim))?;
        let turn = |part: Tensor| {
            rope.rotate(&part.to_dtype(DType::F32)?)?
                .to_dtype(x.dtype())
        };
        let q = turn(qkv.i((.., 0))?)?;
        let k = turn(qkv.i((.., 1))?)?;
        let v = qkv.i((.., 2))?;
        let mut start = 0;
        let mut pieces = Vec::with_capacity(runs.len());
        for &Run { count, len } in runs {
            let own = |t: &Tensor| t.narrow(0, start, count * len);
            let out = attend(&own(&q)?, &own(&k)?, &own(&v)?, Sight::Windows(count))?;
            pieces.push(out.reshape((count * len, hidden))?);
            start += count * len;
        }
        self.proj.forward(&Tensor::cat(&pieces, 0)?)
    }
}

#[derive(Debug, Clone)]
struct Block {
    norm1: RmsNorm,
    norm2: RmsNorm,
    attn: Attention,
    mlp: GatedMlp,
}

impl Block {
    fn new(config: &VisionConfig, vb: &VarBuilder) -> Result<Self> {
        Ok(Self {
            norm1: RmsNorm::new(config.hidden_size, EPS, &vb.pp("norm1"))?,
            norm2: RmsNorm::new(config.hidden_size, EPS, &vb.pp("norm2"))?,
            attn: Attention::new(config, &vb.pp("attn"))?,
            mlp: GatedMlp::new(
                config.hidden_size,
                config.intermediate_size,
                true,
                &vb.pp("mlp"),
            )?,
        })
    }

    fn forward(&self, x: &Tensor, rope: &Table, runs: &[Run]) -> Result<Tensor> {
        let x = (x + self.attn.forward(&self.norm1.forward(x)?, rope, runs)?)?;
        let inner = self.mlp.forward(&self.norm2.forward(&x)?)?;
        x + inner
    }
}

/// Joins the four patches of a cell into one visual token of the language model's width.
#[derive(Debug, Clone)]
struct Merger {
    ln_q: RmsNorm,
    first: Linear,
    second: Linear,
    merged: usize,
}

impl Merger {
    fn new(config: &VisionConfig, vb: &VarBuilder) -> Result<Self> {
        let merged = config.hidden_size * config.spatial_merge_size.pow(2);
        Ok(Self {
            ln_q: RmsNorm::new(config.hidden_size, EPS, &vb.pp("ln_q"))?,
            first: Linear::new(merged, merged, true, &vb.pp("mlp.0"))?,
            second: Linear::new(merged, config.out_hidden_size, true, &vb.pp("mlp.2"))?,
            merged,
        })
    }
}

impl Module for Merger {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.ln_q.forward(x)?.reshape(((), self.merged))?;
        self.second.forward(&self.first.forward(&x)?.gelu_erf()?)
    }
}

/// The patch embedding: a convolution whose kernel is its stride is one matrix product.
pub(super) fn patch_embed(config: &VisionConfig, bias: bool, vb: &VarBuilder) -> Result<Linear> {
    let (hidden, side) = (config.hidden_size, config.patch_size);
    let shape = (
        hidden,
        config.in_channels,
        config.temporal_patch_size,
        side,
        side,
    );
    let weight = vb.get(shape, "weight")?;
    let bias = bias.then(|| vb.get(hidden, "bias")).transpose()?;
    Ok(Linear::from_weights(
        weight.reshape((hidden, config.patch_columns()))?,
        bias,
    ))
}

/// The tower.
#[derive(Debug, Clone)]
pub(super) struct Tower {
    patch_embed: Linear,
    blocks: Vec<Block>,
    merger: Merger,
    config: VisionConfig,
}

impl Tower {
    /// Loads from `vb`; `tick` is called after each block.
    pub(super) fn new(
        config: &VisionConfig,
        vb: &VarBuilder,
        tick: &mut dyn FnMut(),
    ) -> Result<Self> {
        let patch_embed = patch_embed(config, false, &vb.pp("patch_embed.proj"))?;
        let blocks = (0..config.depth)
            .map(|i| {
                tick();
                Block::new(config, &vb.pp(format!("blocks.{i}")))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            patch_embed,
            blocks,
            merger: Merger::new(config, &vb.pp("merger"))?,
            config: config.clone(),
        })
    }

    /// `patches` `(patches, columns)` of one or more images, in 2 × 2-merge order, to visual tokens `(patches / 4, out)`.
    pub(super) fn forward(&self, patches: &Tensor, grids: &[Grid]) -> Result<Tensor> {
        let device = patches.device();
        let layout = Layout::new(grids, self.config.window_cells());
        let head_dim = self.config.hidden_size / self.config.num_heads;
        let rope = grid_table(grids, &layout.rows(), head_dim, device)?;
        let mut x = self
            .patch_embed
            .forward(patches)?
            .index_select(&index(layout.rows(), device)?, 0)?;
        for (i, block) in self.blocks.iter().enumerate() {
            let full = self.config.fullatt_block_indexes.contains(&i);
            let runs = if full {
                &layout.images
            } else {
                &layout.windows
            };
            x = block.forward(&x, &rope, runs)?;
        }
        self.merger
            .forward(&x)?
            .index_select(&index(layout.back(), device)?, 0)
    }
}

/// In which order rows are kept, and what attends to what.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Merged cells (of all images, counted in reading order) in the order in which they are kept.
    cells: Vec<u32>,
    /// Windows, in patches.
    windows: Vec<Run>,
    /// Whole images, in patches.
    images: Vec<Run>,
}

impl Layout {
    fn new(grids: &[Grid], side: usize) -> Self {
        let mut layout = Self {
            cells: Vec::new(),
            windows: Vec::new(),
            images: Vec::new(),
        };
        for grid in grids {
            let first = layout.cells.len() as u32;
            // Few sizes occur (inner, right edge, bottom edge, corner): group windows by size, keeping their order.
            let mut by_size: BTreeMap<usize, Vec<Vec<u32>>> = BTreeMap::new();
            for window in windows(grid, side) {
                by_size.entry(window.len()).or_default().push(window);
            }
            for (size, group) in by_size {
                add_run(&mut layout.windows, group.len(), 4 * size);
                layout
                    .cells
                    .extend(group.into_iter().flatten().map(|cell| first + cell));
            }
            add_run(&mut layout.images, 1, grid.height * grid.width);
        }
        layout
    }

    /// The patch rows in the order in which they are kept.
    fn rows(&self) -> Vec<u32> {
        self.cells
            .iter()
            .flat_map(|cell| (0..4).map(move |i| 4 * cell + i))
            .collect()
    }

    /// For each cell in reading order, where it is kept.
    fn back(&self) -> Vec<u32> {
        let mut back = vec![0; self.cells.len()];
        for (kept, &cell) in self.cells.iter().enumerate() {
            back[cell as usize] = kept as u32;
        }
        back
    }
}

/// The cells of each `side` × `side` window of one image, windows and cells in reading order.
pub(super) fn windows(grid: &Grid, side: usize) -> Vec<Vec<u32>> {
    let (height, width) = grid.merged();
    let mut windows = Vec::new();
    for top in (0..height).step_by(side) {
        for left in (0..width).step_by(side) {
            let cells = (top..height.min(top + side))
                .flat_map(|y| (left..width.min(left + side)).map(move |x| (y * width + x) as u32));
            windows.push(cells.collect());
        }
    }
    windows
}

/// Rows and columns of an image's patches in 2 × 2-merge order.
pub(super) fn patch_positions(grid: &Grid) -> impl Iterator<Item = [usize; 2]> {
    let (height, width) = grid.merged();
    (0..height).flat_map(move |y| {
        (0..width).flat_map(move |x| (0..4).map(move |i| [2 * y + i / 2, 2 * x + i % 2]))
    })
}

/// Rotary angles of patches: the first half of a head turns with the row, the second with the column. `order` picks rows
/// among the patches of all images.
pub(super) fn grid_table(
    grids: &[Grid],
    order: &[u32],
    head_dim: usize,
    device: &Device,
) -> Result<Table> {
    let frequencies = frequencies(THETA, head_dim / 2);
    let positions: Vec<[usize; 2]> = grids.iter().flat_map(patch_positions).collect();
    let angles: Vec<f32> = order
        .iter()
        .flat_map(|&row| positions[row as usize])
        .flat_map(|position| frequencies.iter().map(move |f| position as f32 * f))
        .collect();
    Table::new(&angles, head_dim / 2, DType::F32, device)
}

fn index(order: Vec<u32>, device: &Device) -> Result<Tensor> {
    let count = order.len();
    Tensor::from_vec(order, count, device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_ragged_at_the_right_and_bottom_edge() {
        // 26 × 38 patches are 13 × 19 cells: 3 × 4 full windows, one column and one row of narrow ones, a corner.
        let grid = Grid {
            height: 26,
            width: 38,
        };
        let sizes: Vec<usize> = windows(&grid, 4).iter().map(Vec::len).collect();
        assert_eq!(
            sizes,
            [
                16, 16, 16, 16, 12, 16, 16, 16, 16, 12, 16, 16, 16, 16, 12, 4, 4, 4, 4, 3
            ]
        );
        let layout = Layout::new(&[grid], 4);
        let runs: Vec<(usize, usize)> = layout.windows.iter().map(|r| (r.count, r.len)).collect();
        assert_eq!(runs, [(1, 12), (4, 16), (3, 48), (12, 64)]);
        assert_eq!(layout.images, [Run { count: 1, len: 988 }]);
    }

    #[test]
    fn every_cell_is_kept_once_and_comes_back_to_its_place() {
        let grids = [
            Grid {
                height: 10,
                width: 6,
            },
            Grid {
                height: 4,
                width: 18,
            },
        ];
        let layout = Layout::new(&grids, 4);
        let back = layout.back();
        for (cell, kept) in back.iter().enumerate() {
            assert_eq!(layout.cells[*kept as usize] as usize, cell);
        }
        let rows: usize = layout.windows.iter().map(|r| r.count * r.len).sum();
        assert_eq!(rows, 10 * 6 + 4 * 18);
    }

    #[test]
    fn patches_come_in_cells_of_two_by_two() {
        let grid = Grid {
            height: 2,
            width: 4,
        };
        let positions: Vec<[usize; 2]> = patch_positions(&grid).collect();
        assert_eq!(
            positions,
            [
                [0, 0],
                [0, 1],
                [1, 0],
                [1, 1],
                [0, 2],
                [0, 3],
                [1, 2],
                [1, 3]
            ]
        );
    }
}
