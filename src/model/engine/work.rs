//! What scoring has computed, counted: rows, and the floating-point operations that they cost.
//!
//! A multiply-add counts as two. Counted are matrix products, those of attention over the pairs of rows that see each other and no
//! others; norms, activations and rotations are left out (about a hundredth). Held against a
//! device's measured matrix product they say how much of it scoring uses.

use std::ops::Sub;

use crate::model::backbone::Extent;
use crate::model::config::Config;
use crate::model::preprocess::Grid;
use crate::model::vision::windows;

/// Counts of what was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Pictures that went through the vision tower.
    pub pictures: u64,
    /// Their patches.
    pub patches: u64,
    /// Candidates that were read.
    pub candidates: u64,
    /// Passes over the language model.
    pub passes: u64,
    /// Rows (tokens) of those passes, what is shared counted once.
    pub rows: u64,
    /// Floating-point operations of the vision tower.
    pub vision_flops: u64,
    /// Floating-point operations of the language model and the heads.
    pub language_flops: u64,
}

impl Work {
    /// Floating-point operations in all.
    pub const fn flops(&self) -> u64 {
        self.vision_flops + self.language_flops
    }

    pub(super) fn add_seen(&mut self, costs: &Costs, grids: &[Grid]) {
        for grid in grids {
            let patches = (grid.height * grid.width) as u64;
            self.pictures += 1;
            self.patches += patches;
            self.vision_flops += costs.of_picture(grid, patches);
        }
    }

    pub(super) fn add_read(&mut self, costs: &Costs, extent: Extent, candidates: usize) {
        self.candidates += candidates as u64;
        self.passes += 1;
        self.rows += extent.rows as u64;
        self.language_flops += costs.of_pass(extent);
    }
}

impl Work {
    /// A pass that computed every row of every layer.
    pub(super) fn add_whole(&mut self, costs: &Costs, extent: Extent) {
        self.passes += 1;
        self.rows += extent.rows as u64;
        let rows = extent.rows as u64;
        let layer = rows * (costs.keys + costs.rest) + extent.pairs as u64 * costs.pair;
        self.language_flops += costs.layers * layer;
    }
}

impl Sub for Work {
    type Output = Self;

    /// What was computed since `other`.
    fn sub(self, other: Self) -> Self {
        Self {
            pictures: self.pictures - other.pictures,
            patches: self.patches - other.patches,
            candidates: self.candidates - other.candidates,
            passes: self.passes - other.passes,
            rows: self.rows - other.rows,
            vision_flops: self.vision_flops - other.vision_flops,
            language_flops: self.language_flops - other.language_flops,
        }
    }
}

/// What a row, a pair of rows and a patch cost in one backbone, in floating-point operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Costs {
    /// Layers of the language model.
    layers: u64,
    /// Keys and values of a row in one layer.
    keys: u64,
    /// All else of a row in one layer.
    rest: u64,
    /// A pair of rows that see each other, in one layer.
    pair: u64,
    /// A patch in the whole tower but for attention.
    patch: u64,
    /// The merger, of the four patches of a cell.
    cell: u64,
    /// A pair of patches, in one block.
    patch_pair: u64,
    blocks: u64,
    /// Blocks that look at the whole image; the others at windows of so many cells.
    full: u64,
    window: usize,
}

impl Costs {
    pub(super) fn new(config: &Config) -> Self {
        let product = |inputs: usize, outputs: usize| 2 * (inputs * outputs) as u64;
        let (text, vision) = (&config.text, &config.vision);
        let hidden = text.hidden_size;
        let queries = text.num_attention_heads * text.head_dim();
        let keys = text.num_key_value_heads * text.head_dim();
        let width = vision.hidden_size;
        let merged = width * vision.spatial_merge_size.pow(2);
        let gated = if vision.deepstack_visual_indexes.is_empty() {
            3
        } else {
            2
        };
        let block = product(width, 4 * width) + gated * product(width, vision.intermediate_size);
        let full = if vision.deepstack_visual_indexes.is_empty() {
            vision.fullatt_block_indexes.len()
        } else {
            vision.depth
        };
        let mergers = 1 + vision.deepstack_visual_indexes.len() as u64;
        Self {
            layers: text.num_hidden_layers as u64,
            keys: product(hidden, 2 * keys),
            rest: 2 * product(hidden, queries) + 3 * product(hidden, text.intermediate_size),
            pair: 2 * product(1, queries),
            patch: product(vision.patch_columns(), width) + vision.depth as u64 * block,
            cell: mergers * (product(merged, merged) + product(merged, vision.out_hidden_size)),
            patch_pair: 2 * product(1, width),
            blocks: vision.depth as u64,
            full: full as u64,
            window: vision.window_cells(),
        }
    }

    /// Of the last layer only the keys and values of all rows and the rest of the wanted ones are computed; its attention is
    /// too little to count.
    fn of_pass(&self, extent: Extent) -> u64 {
        let (rows, wanted) = (extent.rows as u64, extent.wanted as u64);
        let whole = self.layers.saturating_sub(1);
        whole * (rows * (self.keys + self.rest) + extent.pairs as u64 * self.pair)
            + rows * self.keys
            + wanted * self.rest
    }

    fn of_picture(&self, grid: &Grid, patches: u64) -> u64 {
        let squares = |windows: Vec<Vec<u32>>| -> u64 {
            let patches = windows.iter().map(|cells| 4 * cells.len() as u64);
            patches.map(|n| n * n).sum()
        };
        let local = self.blocks - self.full.min(self.blocks);
        let seen = if local == 0 {
            0
        } else {
            squares(windows(grid, self.window))
        };
        patches * self.patch
            + patches / 4 * self.cell
            + self.patch_pair * (self.full * patches * patches + local * seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Like;

    /// Section 1.2 of the published architecture's arithmetic: 13.05 GFLOP a token, 1.347 TFLOP a picture of 26 × 38 patches, and
    /// 15.05 TFLOP a candidate at seven candidates of one source.
    #[test]
    fn the_costs_of_the_published_backbone_are_those_that_its_dimensions_come_to() {
        let tokens = crate::model::presets::SpecialTokens {
            image_pad: 151_655,
            vision_start: 151_652,
        };
        let text = Like::Qwen2_5Vl7b.config(152_064, tokens).to_string();
        let config = Config::parse(&text, std::path::Path::new("config.json")).unwrap();
        let costs = Costs::new(&config);
        let token = costs.layers * (costs.keys + costs.rest);
        assert!((token as f64 / 13.05e9 - 1.0).abs() < 1e-3, "{token}");
        let grid = Grid {
            height: 32,
            width: 32,
        };
        let picture = costs.of_picture(&grid, 1024);
        assert!((picture as f64 / 1.347e12 - 1.0).abs() < 5e-3, "{picture}");
        // 272 rows of the source, then 258 + 21 + 379 + 356 a candidate.
        let (rows, levels) = (
            272 + 7 * 1014,
            [(272, 0), (258, 272), (21, 530), (379, 551), (356, 551)],
        );
        let pairs: usize = levels
            .iter()
            .enumerate()
            .map(|(level, (own, before))| {
                let count = if level == 0 { 1 } else { 7 };
                count * (own * before + own * (own + 1) / 2)
            })
            .sum();
        let extent = Extent {
            rows,
            pairs,
            wanted: 14,
        };
        let candidate = (costs.of_pass(extent) + 8 * picture) as f64 / 7.0;
        assert!((candidate / 15.05e12 - 1.0).abs() < 5e-3, "{candidate}");
    }
}
