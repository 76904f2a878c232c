//! The vision tower of Qwen3-VL: full attention, a learned position grid, and features for the first layers of the language
//! model besides the visual tokens ("deepstack").
//!
//! As in `transformers`, `models/qwen3_vl/modeling_qwen3_vl.py`.

use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::config::VisionConfig;
use super::linear::Linear;
use super::norm::LayerNorm;
use super::preprocess::Grid;
use super::rope::Table;
use super::vision::{Attention, EPS, Run, add_run, grid_table, patch_embed, patch_positions};

#[derive(Debug, Clone)]
struct Block {
    norm1: LayerNorm,
    norm2: LayerNorm,
    attn: Attention,
    linear_fc1: Linear,
    linear_fc2: Linear,
}

impl Block {
    fn new(config: &VisionConfig, vb: &VarBuilder) -> Result<Self> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            norm1: LayerNorm::new(hidden, EPS, &vb.pp("norm1"))?,
            norm2: LayerNorm::new(hidden, EPS, &vb.pp("norm2"))?,
            attn: Attention::new(config, &vb.pp("attn"))?,
            linear_fc1: Linear::new(hidden, inner, true, &vb.pp("mlp.linear_fc1"))?,
            linear_fc2: Linear::new(inner, hidden, true, &vb.pp("mlp.linear_fc2"))?,
        })
    }

    fn forward(&self, x: &Tensor, rope: &Table, runs: &[Run]) -> Result<Tensor> {
        let x = (x + self.attn.forward(&self.norm1.forward(x)?, rope, runs)?)?;
        let inner = self.linear_fc1.forward(&self.norm2.forward(&x)?)?.gelu()?;
        x + self.linear_fc2.forward(&inner)?
    }
}

/// Joins the four patches of a cell into one row of the language model's width.
#[derive(Debug, Clone)]
struct Merger {
    norm: LayerNorm,
    linear_fc1: Linear,
    linear_fc2: Linear,
    /// Deepstack mergers normalise the joined patches, the last merger each patch.
    joined_norm: bool,
    merged: usize,
}

impl Merger {
    fn new(config: &VisionConfig, joined_norm: bool, vb: &VarBuilder) -> Result<Self> {
        let merged = config.hidden_size * config.spatial_merge_size.pow(2);
        let normed = if joined_norm {
            merged
        } else {
            config.hidden_size
        };
        Ok(Self {
            norm: LayerNorm::new(normed, EPS, &vb.pp("norm"))?,
            linear_fc1: Linear::new(merged, merged, true, &vb.pp("linear_fc1"))?,
            linear_fc2: Linear::new(merged, config.out_hidden_size, true, &vb.pp("linear_fc2"))?,
            joined_norm,
            merged,
        })
    }
}

impl Module for Merger {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let shape = ((), self.merged);
        let x = if self.joined_norm {
            self.norm.forward(&x.reshape(shape)?)?
        } else {
            self.norm.forward(x)?.reshape(shape)?
        };
        self.linear_fc2
            .forward(&self.linear_fc1.forward(&x)?.gelu_erf()?)
    }
}

/// The tower.
#[derive(Debug, Clone)]
pub(super) struct Tower {
    patch_embed: Linear,
    pos_embed: Tensor,
    blocks: Vec<Block>,
    merger: Merger,
    deepstack_merger_list: Vec<Merger>,
    config: VisionConfig,
}

impl Tower {
    /// Loads from `vb`; `tick` is called after each block.
    pub(super) fn new(
        config: &VisionConfig,
        vb: &VarBuilder,
        tick: &mut dyn FnMut(),
    ) -> Result<Self> {
        let blocks = (0..config.depth)
            .map(|i| {
                tick();
                Block::new(config, &vb.pp(format!("blocks.{i}")))
            })
            .collect::<Result<_>>()?;
        let list = vb.pp("deepstack_merger_list");
        Ok(Self {
            patch_embed: patch_embed(config, true, &vb.pp("patch_embed.proj"))?,
            pos_embed: vb.get(
                (config.num_position_embeddings, config.hidden_size),
                "pos_embed.weight",
            )?,
            blocks,
            merger: Merger::new(config, false, &vb.pp("merger"))?,
            deepstack_merger_list: (0..config.deepstack_visual_indexes.len())
                .map(|i| Merger::new(config, true, &list.pp(i)))
                .collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    /// `patches` `(patches, columns)` of one or more images, in 2 × 2-merge order, to visual tokens `(patches / 4, out)` and
    /// as many rows again for each of the first layers of the language model.
    pub(super) fn forward(
        &self,
        patches: &Tensor,
        grids: &[Grid],
    ) -> Result<(Tensor, Vec<Tensor>)> {
        let device = patches.device();
        let rows: Vec<u32> = (0..patches.dim(0)? as u32).collect();
        let head_dim = self.config.hidden_size / self.config.num_heads;
        let rope = grid_table(grids, &rows, head_dim, device)?;
        let mut runs = Vec::new();
        for grid in grids {
            add_run(&mut runs, 1, grid.height * grid.width);
        }
        let x = self.patch_embed.forward(patches)?;
        let mut x = (x + self.positions(grids, device)?)?;
        let mut stacked = vec![None; self.deepstack_merger_list.len()];
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, &rope, &runs)?;
            let indexes = &self.config.deepstack_visual_indexes;
            if let Some(place) = indexes.iter().position(|index| *index == i) {
                stacked[place] = Some(self.deepstack_merger_list[place].forward(&x)?);
            }
        }
        let deepstack = stacked.into_iter().flatten().collect();
        Ok((self.merger.forward(&x)?, deepstack))
    }

    /// The learned position grid, stretched over each image: `(patches, hidden)`.
    fn positions(&self, grids: &[Grid], device: &Device) -> Result<Tensor> {
        let side = self.config.position_side();
        let mut corners: [(Vec<u32>, Vec<f32>); 4] = Default::default();
        for grid in grids {
            let (ys, xs) = (stretch(side, grid.height), stretch(side, grid.width));
            for [y, x] in patch_positions(grid) {
                let (y, x) = (ys[y], xs[x]);
                let weights = [
                    (y.low, x.low, (1.0 - y.weight) * (1.0 - x.weight)),
                    (y.low, x.high, (1.0 - y.weight) * x.weight),
                    (y.high, x.low, y.weight * (1.0 - x.weight)),
                    (y.high, x.high, y.weight * x.weight),
                ];
                for (corner, (row, column, weight)) in corners.iter_mut().zip(weights) {
                    corner.0.push((row * side + column) as u32);
                    corner.1.push(weight);
                }
            }
        }
        let mut sum: Option<Tensor> = None;
        for (indexes, weights) in corners {
            let count = indexes.len();
            let rows = self
                .pos_embed
                .index_select(&Tensor::from_vec(indexes, count, device)?, 0)?;
            let weights = Tensor::from_vec(weights, (count, 1), device)?;
            let part = rows.to_dtype(DType::F32)?.broadcast_mul(&weights)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        sum.ok_or_else(|| candle_core::Error::Msg("an image without patches".into()))?
            .to_dtype(self.pos_embed.dtype())
    }
}

/// Between which two rows of the position grid a patch row lies, and how far towards the second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Between {
    low: usize,
    high: usize,
    weight: f32,
}

/// `count` equally spaced places from the first to the last of `side`, as `torch.linspace(0, side - 1, count)` has them in
/// f32: it steps from both ends towards the middle.
fn stretch(side: usize, count: usize) -> Vec<Between> {
    let end = (side - 1) as f32;
    let step = end / (count.max(2) - 1) as f32;
    (0..count)
        .map(|i| {
            let at = if i < count / 2 {
                step * i as f32
            } else {
                end - step * (count - 1 - i) as f32
            };
            // A single patch row lies at the start, not at the end.
            let at = if count == 1 { 0.0 } else { at };
            let low = at as usize;
            Between {
                low,
                high: (low + 1).min(side - 1),
                weight: at - low as f32,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_grid_touches_both_ends() {
        let places = stretch(8, 26);
        assert_eq!(
            places[0],
            Between {
                low: 0,
                high: 1,
                weight: 0.0
            }
        );
        assert_eq!(
            places[25],
            Between {
                low: 7,
                high: 7,
                weight: 0.0
            }
        );
        // torch.linspace(0, 7, 26)[13] is 3.6400001049041748
        assert_eq!(places[13].low, 3);
        assert!((places[13].weight - 0.64).abs() < 1e-6);
    }
}
