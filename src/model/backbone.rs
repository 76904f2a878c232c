//! A backbone as one thing, whatever its kind: pictures to features, token sequences with features in them to hidden states.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;

use super::config::{BackboneKind, Config};
use super::manifest::Positions;
use super::names::{LANGUAGE, VISION};
use super::preprocess::{Grid, Patches};
use super::rope::{self, Table, TextRope};
use super::text::{Decoder, Pass, Span};
use super::tree::{Content, Row, Tree};
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
    /// The same, cut off from how they were computed.
    pub(super) fn detached(self) -> Self {
        Self {
            grid: self.grid,
            tokens: self.tokens.detach(),
            deepstack: self.deepstack.iter().map(Tensor::detach).collect(),
        }
    }

    /// The same in memory of their own.
    pub(super) fn copied(&self) -> Result<Self> {
        Ok(Self {
            grid: self.grid,
            tokens: self.tokens.copy()?,
            deepstack: self
                .deepstack
                .iter()
                .map(Tensor::copy)
                .collect::<Result<_>>()?,
        })
    }

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
    pub(super) wanted: Vec<usize>,
}

/// How much a pass of the language model has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Rows of all layers but the last.
    pub(super) rows: usize,
    /// Pairs of a row and a row that it sees.
    pub(super) pairs: usize,
    /// Rows of the last layer.
    pub(super) wanted: usize,
}

/// Sequences made ready for the language model.
#[derive(Debug)]
pub(super) struct Packed {
    /// What goes into the first layer, `(rows, hidden)`.
    pub(super) x: Tensor,
    rows: usize,
    rope: Table,
    spans: Vec<Span>,
    image_rows: Option<Tensor>,
    deepstack: Vec<Tensor>,
    wanted: Tensor,
    /// The same rows as numbers.
    asked: Vec<u32>,
    /// How many states each sequence wants.
    counts: Vec<usize>,
}

impl Packed {
    /// As the decoder takes it.
    pub(super) fn pass(&self) -> Pass<'_> {
        Pass {
            rope: &self.rope,
            spans: &self.spans,
            wanted: &self.wanted,
            asked: &self.asked,
        }
    }

    /// What there is to do, for counting it.
    pub(super) fn extent(&self) -> Extent {
        let pairs = |span: &Span| {
            let (own, context) = (
                span.rows.len(),
                span.context.iter().map(ExactSizeIterator::len),
            );
            own * context.sum::<usize>() + own * (own + 1) / 2
        };
        Extent {
            rows: self.rows,
            pairs: self.spans.iter().map(pairs).sum(),
            wanted: self.asked.len(),
        }
    }

    /// What goes on after layer `i` gave `x`: Qwen3-VL adds to the image rows after the first layers.
    pub(super) fn after(&self, i: usize, x: &Tensor) -> Result<Tensor> {
        match (&self.image_rows, self.deepstack.get(i)) {
            (Some(rows), Some(features)) => x.index_add(rows, features, 0),
            _ => Ok(x.clone()),
        }
    }

    /// For a loss whose slope along what goes on after layer `i` is `slope`: a number whose gradient is the share that goes
    /// through what was added there; `None` where nothing was, or nothing of it is tracked.
    pub(super) fn surrogate_of_added(&self, i: usize, slope: &Tensor) -> Result<Option<Tensor>> {
        match (&self.image_rows, self.deepstack.get(i)) {
            (Some(rows), Some(features)) if features.track_op() => {
                let slope = slope.index_select(rows, 0)?;
                (features * slope)?.sum_all().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The states of all sequences, one after the other, as those of each.
    pub(super) fn split(&self, states: &Tensor) -> Result<Vec<Tensor>> {
        let mut start = 0;
        self.counts
            .iter()
            .map(|&count| {
                start += count;
                states.narrow(0, start - count, count)
            })
            .collect()
    }
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

    /// Whether it computes on a CPU.
    pub(super) fn is_on_cpu(&self) -> bool {
        self.device.is_cpu()
    }

    /// Encodes one picture.
    pub(super) fn see(&self, patches: &Patches) -> Result<Features> {
        let mut seen = self.see_all(&[patches])?;
        seen.pop()
            .ok_or_else(|| candle_core::Error::Msg("a picture without features".into()))
    }

    /// Encodes pictures in one pass over the tower.
    pub(super) fn see_all(&self, pictures: &[&Patches]) -> Result<Vec<Features>> {
        let Some(columns) = pictures.first().map(|patches| patches.columns) else {
            return Ok(Vec::new());
        };
        let rows: Vec<f32> = match pictures {
            [one] => one.rows.clone(),
            many => many.iter().flat_map(|p| p.rows.iter().copied()).collect(),
        };
        let shape = (rows.len() / columns, columns);
        let rows = Tensor::from_vec(rows, shape, &self.device)?.to_dtype(self.dtype)?;
        let grids: Vec<Grid> = pictures.iter().map(|patches| patches.grid).collect();
        let (tokens, deepstack) = match &self.vision {
            Vision::Qwen2_5(tower) => (tower.forward(&rows, &grids)?, Vec::new()),
            Vision::Qwen3(tower) => tower.forward(&rows, &grids)?,
        };
        let mut start = 0;
        grids
            .into_iter()
            .map(|grid| {
                let count = grid.tokens();
                let own = |t: &Tensor| t.narrow(0, start, count);
                let features = Features {
                    grid,
                    tokens: own(&tokens)?,
                    deepstack: deepstack.iter().map(own).collect::<Result<_>>()?,
                };
                start += count;
                Ok(features)
            })
            .collect()
    }

    /// Reads sequences in one pass over the weights; the hidden states `(wanted, hidden)` of each.
    pub(super) fn read(&self, sequences: &[Sequence<'_>], share: bool) -> Result<Vec<Tensor>> {
        self.run(&self.pack(sequences, share)?)
    }

    /// The hidden states `(wanted, hidden)` of each packed sequence. Of the last layer only they are computed.
    pub(super) fn run(&self, packed: &Packed) -> Result<Vec<Tensor>> {
        let before = self.decoder.depth().saturating_sub(1);
        if packed.deepstack.len() > before {
            // What is added after the last layer is added to all of its rows.
            return self.run_whole(packed);
        }
        let mut x = packed.x.clone();
        for i in 0..before {
            x = packed.after(i, &self.decoder.layer(i, &x, &packed.pass())?)?;
        }
        packed.split(&self.decoder.last(&x, &packed.pass())?)
    }

    /// The same, by computing every row of every layer.
    pub(super) fn run_whole(&self, packed: &Packed) -> Result<Vec<Tensor>> {
        let mut x = packed.x.clone();
        for i in 0..self.decoder.depth() {
            x = packed.after(i, &self.decoder.layer(i, &x, &packed.pass())?)?;
        }
        packed.split(&self.decoder.finish(&x, &packed.pass())?)
    }

    /// How many rows sequences come to, once what they have in common from the start is one.
    pub(super) fn rows_of(&self, sequences: &[Sequence<'_>]) -> Result<usize> {
        let mut pictures: Vec<&Features> = Vec::new();
        let rows = sequences
            .iter()
            .map(|sequence| self.rows(sequence, &mut pictures))
            .collect::<Result<Vec<_>>>()?;
        Ok(Tree::new(&rows, true).rows.len())
    }

    /// The language model.
    pub(super) const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Puts sequences one after the other; with `share`, what several have in common from the start only once.
    pub(super) fn pack(&self, sequences: &[Sequence<'_>], share: bool) -> Result<Packed> {
        let mut pictures: Vec<&Features> = Vec::new();
        let rows = sequences
            .iter()
            .map(|sequence| self.rows(sequence, &mut pictures))
            .collect::<Result<Vec<_>>>()?;
        let tree = Tree::new(&rows, share);
        let positions: Vec<_> = tree.rows.iter().map(|row| row.position).collect();
        let asked: Vec<u32> = sequences
            .iter()
            .zip(&tree.places)
            .flat_map(|(sequence, places)| sequence.wanted.iter().map(|&i| places[i] as u32))
            .collect();
        let visual = |row: &Row| matches!(row.content, Content::Visual(..));
        let image_rows: Vec<u32> = (0..)
            .zip(&tree.rows)
            .filter(|(_, row)| visual(row))
            .map(|(i, _)| i)
            .collect();
        let layers = pictures.first().map_or(0, |first| first.deepstack.len());
        let deepstack = (0..layers)
            .map(|layer| {
                let of = |picture: &Features| picture.deepstack[layer].clone();
                self.gather(tree.rows.iter().filter(|row| visual(row)), &pictures, of)
            })
            .collect::<Result<_>>()?;
        Ok(Packed {
            x: self.gather(tree.rows.iter(), &pictures, |p| p.tokens.clone())?,
            rope: self.rope.table(&positions, self.dtype, &self.device)?,
            spans: tree.spans(),
            image_rows: (layers > 0).then(|| self.index(image_rows)).transpose()?,
            deepstack,
            wanted: self.index(asked.clone())?,
            asked,
            rows: tree.rows.len(),
            counts: sequences.iter().map(|s| s.wanted.len()).collect(),
        })
    }

    /// A sequence's tokens with their positions; `pictures` collects those not seen before.
    fn rows<'a>(
        &self,
        sequence: &Sequence<'a>,
        pictures: &mut Vec<&'a Features>,
    ) -> Result<Vec<Row>> {
        let grids: Vec<_> = sequence.pictures.iter().map(|p| p.grid.merged()).collect();
        let positions = rope::positions(self.positions, sequence.ids, self.image_pad, &grids);
        let mut own = sequence.pictures.iter();
        let mut current = (0, 0..0);
        let mut content = |&id: &u32| {
            if id != self.image_pad {
                return current.1.is_empty().then_some(Content::Text(id));
            }
            if current.1.is_empty() {
                let picture = *own.next()?;
                let known = pictures.iter().position(|p| std::ptr::eq(*p, picture));
                let number = known.unwrap_or_else(|| {
                    pictures.push(picture);
                    pictures.len() - 1
                });
                current = (number as u32, 0..picture.grid.tokens() as u32);
            }
            let place = current.1.next()?;
            Some(Content::Visual(current.0, place))
        };
        let contents: Option<Vec<Content>> = sequence.ids.iter().map(&mut content).collect();
        match contents {
            Some(contents) if current.1.is_empty() && own.next().is_none() => Ok(contents
                .into_iter()
                .zip(positions)
                .map(|(content, position)| Row { content, position })
                .collect()),
            _ => candle_core::bail!("there are more or fewer image tokens than visual tokens"),
        }
    }

    /// The numbers of `rows`: embeddings of text, and what `of` a picture its visual tokens are.
    fn gather<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        pictures: &[&Features],
        of: impl Fn(&Features) -> Tensor,
    ) -> Result<Tensor> {
        let mut starts = Vec::with_capacity(pictures.len());
        let mut count = 0;
        for picture in pictures {
            starts.push(count);
            count += picture.grid.tokens() as u32;
        }
        let mut ids = Vec::new();
        let order: Vec<u32> = rows
            .map(|row| match row.content {
                Content::Visual(picture, place) => starts[picture as usize] + place,
                Content::Text(id) => {
                    ids.push(id);
                    count + ids.len() as u32 - 1
                }
            })
            .collect();
        let mut parts: Vec<Tensor> = pictures.iter().map(|picture| of(picture)).collect();
        if !ids.is_empty() {
            parts.push(self.decoder.embed(&ids)?);
        }
        Tensor::cat(&parts, 0)?.index_select(&self.index(order)?, 0)
    }

    fn index(&self, rows: Vec<u32>) -> Result<Tensor> {
        let count = rows.len();
        Tensor::from_vec(rows, count, &self.device)
    }
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
            wanted: vec![ids.len() - 1],
        };
        let states = backbone.read(&[sequence], false).unwrap();
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
