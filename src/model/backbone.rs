//! A backbone as one thing, whatever its kind: pictures to features, token sequences with features in them to hidden states.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::config::{BackboneKind, Config};
use super::manifest::Positions;
use super::names::{LANGUAGE, VISION};
use super::preprocess::{Grid, Patches};
use super::rope::{self, TextRope};
use super::text::{Decoder, Pass, Span};
use super::{vision, vision_qwen3};

/// What the language model needs of one picture.
#[derive(Debug, Clone)]
pub(super) struct Features {
    pub(super) grid: Grid,
    /// Visual tokens, `(grid.tokens(), hidden)`.
    pub(super) tokens: Tensor,
    /// Rows for the first layers, each like `tokens`; empty but for Qwen3-VL.
    pub(super) deepstack: Vec<Tensor>,
}

impl Features {
    /// Bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
        bytes(&self.tokens) + self.deepstack.iter().map(bytes).sum::<usize>()
    }
}

/// A token sequence, the pictures its image tokens stand for, and the tokens whose hidden state is wanted.
#[derive(Debug, Clone)]
pub(super) struct Sequence<'a> {
    pub(super) ids: &'a [u32],
    pub(super) pictures: Vec<&'a Features>,
    pub(super) wanted: std::ops::Range<usize>,
}

#[derive(Debug, Clone)]
enum Vision {
    Qwen2_5(vision::Tower),
    Qwen3(vision_qwen3::Tower),
}

/// A vision tower and a language model.
#[derive(Debug, Clone)]
pub(super) struct Backbone {
    vision: Vision,
    decoder: Decoder,
    rope: TextRope,
    positions: Positions,
    image_pad: u32,
    device: Device,
    dtype: DType,
}

/// What a backbone must be told besides its configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Rows of the embedding.
    pub(super) rows: usize,
    /// The token that stands for one visual token.
    pub(super) image_pad: u32,
    /// The position scheme.
    pub(super) positions: Positions,
}

impl Backbone {
    /// Loads from the root of a checkpoint; `tick` is called often on the way.
    pub(super) fn new(
        config: &Config,
        reading: Reading,
        vb: &VarBuilder,
        tick: &mut dyn FnMut(),
    ) -> Result<Self> {
        let at = vb.pp(VISION);
        let vision = match config.kind {
            BackboneKind::Qwen2_5Vl => {
                Vision::Qwen2_5(vision::Tower::new(&config.vision, &at, tick)?)
            }
            BackboneKind::Qwen3Vl => {
                Vision::Qwen3(vision_qwen3::Tower::new(&config.vision, &at, tick)?)
            }
        };
        Ok(Self {
            vision,
            decoder: Decoder::new(
                config.kind,
                &config.text,
                reading.rows,
                &vb.pp(LANGUAGE),
                tick,
            )?,
            rope: TextRope::new(config.kind, &config.text),
            positions: reading.positions,
            image_pad: reading.image_pad,
            device: vb.device().clone(),
            dtype: vb.dtype(),
        })
    }

    /// Encodes one picture.
    pub(super) fn see(&self, patches: &Patches) -> Result<Features> {
        let shape = (patches.rows.len() / patches.columns, patches.columns);
        let rows = Tensor::from_slice(&patches.rows, shape, &self.device)?.to_dtype(self.dtype)?;
        let grid = patches.grid;
        let (tokens, deepstack) = match &self.vision {
            Vision::Qwen2_5(tower) => (tower.forward(&rows, &[grid])?, Vec::new()),
            Vision::Qwen3(tower) => tower.forward(&rows, &[grid])?,
        };
        Ok(Features {
            grid,
            tokens,
            deepstack,
        })
    }

    /// Reads sequences in one pass over the weights; the hidden states `(wanted, hidden)` of each.
    pub(super) fn read(&self, sequences: &[Sequence<'_>]) -> Result<Vec<Tensor>> {
        let mut spans = Vec::with_capacity(sequences.len());
        let mut rows = Vec::new();
        let mut positions = Vec::new();
        let mut image_rows = Vec::new();
        let mut wanted: Vec<u32> = Vec::new();
        let mut start = 0;
        for sequence in sequences {
            rows.push(self.embed(sequence)?);
            let grids: Vec<_> = sequence.pictures.iter().map(|p| p.grid.merged()).collect();
            positions.extend(rope::positions(
                self.positions,
                sequence.ids,
                self.image_pad,
                &grids,
            ));
            let pads = sequence.ids.iter().enumerate();
            image_rows.extend(
                pads.filter(|(_, id)| **id == self.image_pad)
                    .map(|(i, _)| (start + i) as u32),
            );
            wanted.extend(sequence.wanted.clone().map(|i| (start + i) as u32));
            spans.push(Span {
                rows: start..start + sequence.ids.len(),
                context: Vec::new(),
            });
            start += sequence.ids.len();
        }
        let (deepstack, image_rows) = match &self.vision {
            Vision::Qwen2_5(_) => (Vec::new(), None),
            Vision::Qwen3(_) => (stacked(sequences)?, Some(self.index(image_rows)?)),
        };
        let states = self.decoder.forward(
            &Tensor::cat(&rows, 0)?,
            &Pass {
                rope: &self.rope.table(&positions, self.dtype, &self.device)?,
                spans: &spans,
                image_rows: image_rows.as_ref(),
                deepstack: &deepstack,
                wanted: &self.index(wanted)?,
            },
        )?;
        let mut start = 0;
        sequences
            .iter()
            .map(|sequence| {
                let count = sequence.wanted.len();
                start += count;
                states.narrow(0, start - count, count)
            })
            .collect()
    }

    /// The rows that go into the first layer: embeddings of text, visual tokens in the place of image tokens.
    fn embed(&self, sequence: &Sequence<'_>) -> Result<Tensor> {
        let ids = sequence.ids;
        let mut parts = Vec::new();
        let mut pictures = sequence.pictures.iter();
        let mut i = 0;
        while i < ids.len() {
            if ids[i] == self.image_pad {
                let Some(picture) = pictures.next() else {
                    candle_core::bail!("more image tokens than pictures have visual tokens");
                };
                let run = picture.grid.tokens();
                if ids.len() < i + run || ids[i..i + run].iter().any(|id| *id != self.image_pad) {
                    candle_core::bail!("a picture of {run} visual tokens has fewer image tokens");
                }
                parts.push(picture.tokens.clone());
                i += run;
            } else {
                let end = ids[i..]
                    .iter()
                    .position(|id| *id == self.image_pad)
                    .map_or(ids.len(), |run| i + run);
                parts.push(self.decoder.embed(&ids[i..end])?);
                i = end;
            }
        }
        Tensor::cat(&parts, 0)
    }

    fn index(&self, rows: Vec<u32>) -> Result<Tensor> {
        let count = rows.len();
        Tensor::from_vec(rows, count, &self.device)
    }
}

/// The deepstack rows of all pictures of all sequences, layer by layer.
fn stacked(sequences: &[Sequence<'_>]) -> Result<Vec<Tensor>> {
    let pictures: Vec<&Features> = sequences
        .iter()
        .flat_map(|sequence| sequence.pictures.iter().copied())
        .collect();
    let layers = pictures.first().map_or(0, |first| first.deepstack.len());
    (0..layers)
        .map(|layer| {
            let rows: Vec<&Tensor> = pictures.iter().map(|p| &p.deepstack[layer]).collect();
            Tensor::cat(&rows, 0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::Axis;
    use crate::model::head::Heads;
    use crate::model::manifest::HeadKind;
    use crate::model::names;
    use crate::model::random::write_weights;
    use crate::model::weights::Weights;

    const QWEN3: &str = r#"{"model_type": "qwen3_vl",
        "text_config": {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-6, "rope_theta": 5000000,
            "rope_scaling": {"mrope_section": [4, 2, 2]}},
        "vision_config": {"depth": 3, "hidden_size": 16, "intermediate_size": 24, "num_heads": 2, "out_hidden_size": 32,
            "patch_size": 16, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 2]}}"#;

    /// The numbers were recorded when this code equalled the reference on all recorded cases of Qwen3-VL.
    #[test]
    fn qwen3_vl_still_gives_the_numbers_it_gave_when_it_equalled_the_reference() {
        let config = Config::parse(QWEN3, Path::new("config.json")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let tensors = names::expected(&config, HeadKind::Multi, 2, 64);
        write_weights(dir.path(), &tensors, DType::F32, 3, &mut |_| ()).unwrap();
        let weights = Weights::open(dir.path()).unwrap();
        let (vb, _) = weights.builder(DType::F32, &Device::Cpu);
        let reading = Reading {
            rows: 64,
            image_pad: 63,
            positions: Positions::Mrope,
        };
        let backbone = Backbone::new(&config, reading, &vb, &mut || ()).unwrap();
        let heads = Heads::new(HeadKind::Multi, &vb).unwrap();
        let features: Vec<Features> = [(4, 6), (6, 2)]
            .into_iter()
            .map(|(height, width)| {
                let columns = config.vision.patch_columns();
                let count = height * width * columns;
                let value = |i: usize| ((i * 37 + i / columns * 11) % 255) as f32 / 127.5 - 1.0;
                let patches = Patches {
                    rows: (0..count).map(value).collect(),
                    columns,
                    grid: Grid { height, width },
                };
                backbone.see(&patches).unwrap()
            })
            .collect();
        let ids = [1, 2, 63, 63, 63, 63, 63, 63, 3, 63, 63, 63, 4, 5, 6, 7];
        let sequence = Sequence {
            ids: &ids,
            pictures: features.iter().collect(),
            wanted: ids.len() - 1..ids.len(),
        };
        let states = backbone.read(&[sequence]).unwrap();
        let read = Axis::ALL.map(|axis| heads.read(axis, &states[0]).unwrap());
        let read = [
            read[0].mean,
            read[0].log_sigma,
            read[1].mean,
            read[1].log_sigma,
        ];
        let recorded = [0.865_367_5, -2.064_419, 0.833_988_4, -0.791_099_7];
        for (a, b) in read.iter().zip(recorded) {
            assert!((a - b).abs() < 1e-5, "{read:?}");
        }
    }
}
