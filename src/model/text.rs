//! The language model: the decoder layers of Qwen2 and Qwen3, over packed rows.
//!
//! Rows of any number of sequences lie one after the other, `(tokens, hidden)`, without padding; [`Span`]s say which rows
//! attend to which. A span may have context, rows of other spans that all of its rows see, so that a prefix common to several
//! sequences can be computed once.
//!
//! As in `transformers`, `models/qwen2/modeling_qwen2.py` and `models/qwen3_vl/modeling_qwen3_vl.py`.

use std::ops::Range;

use candle_core::{DType, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::attention::{Sight, attend};
use super::config::{BackboneKind, TextConfig};
use super::held::Weight;
use super::linear::Linear;
use super::mlp::GatedMlp;
use super::norm::RmsNorm;
use super::rope::Table;

/// Rows that attend to themselves causally, and to all of their context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) rows: Range<usize>,
    /// Earlier rows that every row of this span sees, in the order of their positions.
    pub(super) context: Vec<Range<usize>>,
}

/// One pass over packed rows.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) rope: &'a Table,
    pub(super) spans: &'a [Span],
    /// The rows whose final state is wanted, as [`Pass::asked`] has them.
    pub(super) wanted: &'a Tensor,
    /// The same rows, in any order, each as often as it is wanted.
    pub(super) asked: &'a [u32],
}

/// Rows of one span that lie side by side and are wanted.
#[derive(Debug, PartialEq, Eq)]
struct Stretch<'a> {
    rows: Range<usize>,
    span: &'a Span,
}

impl Pass<'_> {
    /// The wanted rows, each once, in ascending order, by the spans that they are in.
    fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut rows = self.asked.to_vec();
        rows.sort_unstable();
        rows.dedup();
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        let mut spans = self.spans.iter();
        let mut span = spans.next();
        for row in rows.into_iter().map(|row| row as usize) {
            while span.is_some_and(|span| span.rows.end <= row) {
                span = spans.next();
            }
            match (stretches.last_mut(), span) {
                (Some(last), Some(span)) if last.rows.end == row && last.span == span => {
                    last.rows.end += 1;
                }
                (_, Some(span)) => stretches.push(Stretch {
                    rows: row..row + 1,
                    span,
                }),
                (_, None) => {}
            }
        }
        stretches
    }
}

#[derive(Debug, Clone)]
struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    /// Qwen3 normalises each head's queries and keys.
    norms: Option<(RmsNorm, RmsNorm)>,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl Attention {
    fn new(kind: BackboneKind, config: &TextConfig, vb: &VarBuilder) -> Result<Self> {
        let (hidden, head_dim) = (config.hidden_size, config.head_dim());
        let (heads, kv_heads) = (config.num_attention_heads, config.num_key_value_heads);
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        let bias = kind == BackboneKind::Qwen2_5Vl;
        let norm = |name| RmsNorm::new(head_dim, config.rms_norm_eps, &vb.pp(name));
        Ok(Self {
            q_proj: Linear::new(hidden, queries, bias, &vb.pp("q_proj"))?,
            k_proj: Linear::new(hidden, keys, bias, &vb.pp("k_proj"))?,
            v_proj: Linear::new(hidden, keys, bias, &vb.pp("v_proj"))?,
            o_proj: Linear::new(queries, hidden, false, &vb.pp("o_proj"))?,
            norms: match kind {
                BackboneKind::Qwen2_5Vl => None,
                BackboneKind::Qwen3Vl => Some((norm("q_norm")?, norm("k_norm")?)),
            },
            heads,
            kv_heads,
            head_dim,
        })
    }

    /// Of all rows, `(tokens, hidden)`.
    fn forward(&self, x: &Tensor, rope: &Table, spans: &[Span]) -> Result<Tensor> {
        let q = self.queries(x, rope)?;
        let (k, v) = self.keys_and_values(x, rope)?;
        let outs = spans
            .iter()
            .map(|span| {
                let own = span.rows.clone();
                let q = q.narrow(0, own.start, own.len())?;
                let (k, v) = (seen(&k, span, own.end)?, seen(&v, span, own.end)?);
                attend(&q, &k, &v, Sight::Causal)
            })
            .collect::<Result<Vec<_>>>()?;
        self.joined(&outs)
    }

    /// Of the rows of `stretches` alone, one after the other; `x` and `rope` are those of all rows, `own` and `own_rope` those
    /// of the wanted ones.
    fn forward_of(
        &self,
        (x, rope): (&Tensor, &Table),
        (own, own_rope): (&Tensor, &Table),
        stretches: &[Stretch<'_>],
    ) -> Result<Tensor> {
        let q = self.queries(own, own_rope)?;
        let (k, v) = self.keys_and_values(x, rope)?;
        let mut start = 0;
        let outs = stretches
            .iter()
            .map(|Stretch { rows, span }| {
                let q = q.narrow(0, start, rows.len())?;
                start += rows.len();
                let (k, v) = (seen(&k, span, rows.end)?, seen(&v, span, rows.end)?);
                attend(&q, &k, &v, Sight::Causal)
            })
            .collect::<Result<Vec<_>>>()?;
        self.joined(&outs)
    }

    /// `(tokens, heads, head_dim)`
    fn queries(&self, x: &Tensor, rope: &Table) -> Result<Tensor> {
        let q = self.split(&self.q_proj, x, self.heads)?;
        let q = match &self.norms {
            Some((norm, _)) => norm.forward(&q)?,
            None => q,
        };
        rope.rotate(&q)
    }

    /// `(tokens, kv_heads, head_dim)` each
    fn keys_and_values(&self, x: &Tensor, rope: &Table) -> Result<(Tensor, Tensor)> {
        let k = self.split(&self.k_proj, x, self.kv_heads)?;
        let k = match &self.norms {
            Some((_, norm)) => norm.forward(&k)?,
            None => k,
        };
        let v = self.split(&self.v_proj, x, self.kv_heads)?;
        Ok((rope.rotate(&k)?, v))
    }

    /// `(tokens, heads, head_dim)`
    fn split(&self, projection: &Linear, x: &Tensor, heads: usize) -> Result<Tensor> {
        let out = projection.forward(x)?;
        out.reshape((x.dim(0)?, heads, self.head_dim))
    }

    /// What pieces `(tokens, heads, head_dim)` come to, `(all tokens, hidden)`.
    fn joined(&self, outs: &[Tensor]) -> Result<Tensor> {
        let out = Tensor::cat(outs, 0)?;
        let out = out.reshape(((), self.heads * self.head_dim))?;
        self.o_proj.forward(&out)
    }
}

/// What rows of `span` up to `end` see of `(tokens, heads, head_dim)`: its context, and the span up to there.
fn seen(t: &Tensor, span: &Span, end: usize) -> Result<Tensor> {
    let own = span.rows.start..end;
    let parts = span
        .context
        .iter()
        .chain([&own])
        .map(|rows| t.narrow(0, rows.start, rows.len()))
        .collect::<Result<Vec<_>>>()?;
    match parts.as_slice() {
        [own] => Ok(own.clone()),
        parts => Tensor::cat(parts, 0),
    }
}

#[derive(Debug, Clone)]
struct Layer {
    self_attn: Attention,
    mlp: GatedMlp,
    input_layernorm: RmsNorm,
    post_attention_layernorm: RmsNorm,
}

impl Layer {
    fn new(kind: BackboneKind, config: &TextConfig, vb: &VarBuilder) -> Result<Self> {
        let norm = |name| RmsNorm::new(config.hidden_size, config.rms_norm_eps, &vb.pp(name));
        Ok(Self {
            self_attn: Attention::new(kind, config, &vb.pp("self_attn"))?,
            mlp: GatedMlp::new(
                config.hidden_size,
                config.intermediate_size,
                false,
                &vb.pp("mlp"),
            )?,
            input_layernorm: norm("input_layernorm")?,
            post_attention_layernorm: norm("post_attention_layernorm")?,
        })
    }

    fn forward(&self, x: &Tensor, rope: &Table, spans: &[Span]) -> Result<Tensor> {
        let normed = self.input_layernorm.forward(x)?;
        self.fed_forward(&(x + self.self_attn.forward(&normed, rope, spans)?)?)
    }

    /// The same of the wanted rows alone, in the order in which they are wanted: of the others only keys and values matter.
    fn forward_wanted(&self, x: &Tensor, pass: &Pass<'_>) -> Result<Tensor> {
        let stretches = pass.stretches();
        let kept: Vec<u32> = stretches
            .iter()
            .flat_map(|stretch| stretch.rows.clone())
            .map(|row| row as u32)
            .collect();
        let place = |row: &u32| kept.binary_search(row).unwrap_or(0) as u32;
        let order: Vec<u32> = pass.asked.iter().map(place).collect();
        let kept = Tensor::new(kept, x.device())?;
        let own_rope = pass.rope.of(&kept)?;
        let normed = self.input_layernorm.forward(x)?;
        let own = normed.index_select(&kept, 0)?;
        let seen =
            self.self_attn
                .forward_of((&normed, pass.rope), (&own, &own_rope), &stretches)?;
        let out = self.fed_forward(&(x.index_select(&kept, 0)? + seen)?)?;
        out.index_select(&Tensor::new(order, x.device())?, 0)
    }

    fn fed_forward(&self, x: &Tensor) -> Result<Tensor> {
        x + self
            .mlp
            .forward(&self.post_attention_layernorm.forward(x)?)?
    }
}

/// Names, in a training set-up, of the one row of a frozen embedding that is trained, and of the token it is for.
pub(super) const REWARD_ROW: &str = "reward_row";
/// The token's id.
pub(super) const REWARD_ID: &str = "reward_id";

/// The token embedding.
#[derive(Debug, Clone)]
struct Embedding {
    weight: Weight,
    /// What its rows are computed with.
    dtype: DType,
    /// A token whose row is kept apart, since it is trained and the others are not.
    apart: Option<(u32, Tensor)>,
}

impl Embedding {
    fn new(rows: usize, hidden: usize, vb: &VarBuilder) -> Result<Self> {
        let apart = vb
            .contains_tensor(REWARD_ROW)
            .then(|| {
                let id = vb.get_unchecked_dtype(REWARD_ID, DType::U32)?;
                Ok::<_, candle_core::Error>((id.to_vec1()?[0], vb.get((1, hidden), REWARD_ROW)?))
            })
            .transpose()?;
        Ok(Self {
            weight: Weight::load((rows, hidden), vb)?,
            dtype: vb.dtype(),
            apart,
        })
    }

    fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        let device = &self.weight.device();
        let rows = self.weight.rows(&Tensor::new(ids, device)?, self.dtype)?;
        let Some((apart, row)) = &self.apart else {
            return Ok(rows);
        };
        let flags: Vec<f32> = ids.iter().map(|id| f32::from(id == apart)).collect();
        let here = Tensor::from_vec(flags, (ids.len(), 1), device)?.to_dtype(rows.dtype())?;
        rows.broadcast_mul(&(1.0 - &here)?)? + here.matmul(row)?
    }
}

/// The decoder.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    embed_tokens: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
}

impl Decoder {
    /// Loads from `vb` with an embedding of `rows` rows; `tick` is called after the embedding and each layer.
    pub(super) fn new(
        kind: BackboneKind,
        config: &TextConfig,
        rows: usize,
        vb: &VarBuilder,
        tick: &mut dyn FnMut(),
    ) -> Result<Self> {
        let embed_tokens = Embedding::new(rows, config.hidden_size, &vb.pp("embed_tokens"))?;
        tick();
        let layers = (0..config.num_hidden_layers)
            .map(|i| {
                let layer = Layer::new(kind, config, &vb.pp(format!("layers.{i}")));
                tick();
                layer
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            embed_tokens,
            layers,
            norm: RmsNorm::new(config.hidden_size, config.rms_norm_eps, &vb.pp("norm"))?,
        })
    }

    /// The embedding of `ids`, `(tokens, hidden)`.
    pub(super) fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        self.embed_tokens.forward(ids)
    }

    /// How many layers there are.
    pub(super) const fn depth(&self) -> usize {
        self.layers.len()
    }

    /// One layer.
    pub(super) fn layer(&self, i: usize, x: &Tensor, pass: &Pass<'_>) -> Result<Tensor> {
        self.layers[i].forward(x, pass.rope, pass.spans)
    }

    /// The last layer and the norm, of the wanted rows alone, from what the layer before it gave.
    pub(super) fn last(&self, x: &Tensor, pass: &Pass<'_>) -> Result<Tensor> {
        match self.layers.last() {
            Some(layer) => self.norm.forward(&layer.forward_wanted(x, pass)?),
            None => self.finish(x, pass),
        }
    }

    /// The normed states of the wanted rows of what the last layer gave.
    pub(super) fn finish(&self, x: &Tensor, pass: &Pass<'_>) -> Result<Tensor> {
        self.norm.forward(&x.index_select(pass.wanted, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use candle_core::Device;

    use super::*;
    use crate::model::config::Config;
    use crate::model::manifest::Positions;
    use crate::model::names::LANGUAGE;
    use crate::model::rope::{TextRope, positions};
    use crate::model::weights::Weights;

    fn states(
        decoder: &Decoder,
        rope: &TextRope,
        ids: &[u32],
        at: &[[u32; 3]],
        spans: &[Span],
    ) -> Vec<Vec<f32>> {
        let asked: Vec<u32> = (0..ids.len() as u32).collect();
        let wanted = Tensor::new(asked.clone(), &Device::Cpu).unwrap();
        let mut alone: Vec<Vec<f32>> = Vec::new();
        let pass = Pass {
            rope: &rope.table(at, DType::F32, &Device::Cpu).unwrap(),
            spans,
            wanted: &wanted,
            asked: &asked,
        };
        let mut x = decoder.embed(ids).unwrap();
        for i in 0..decoder.depth() {
            let last = i + 1 == decoder.depth();
            let some: [u32; 4] = [ids.len() as u32 - 1, 3, ids.len() as u32 - 1, 2];
            if last {
                let of = Pass {
                    wanted: &Tensor::new(&some, &Device::Cpu).unwrap(),
                    asked: &some,
                    ..pass
                };
                alone = decoder.last(&x, &of).unwrap().to_vec2().unwrap();
            }
            x = decoder.layer(i, &x, &pass).unwrap();
            if last {
                // Wanted alone, in any order and more than once, rows are what they are among all.
                let all = decoder.finish(&x, &pass).unwrap().to_vec2::<f32>().unwrap();
                for (row, found) in some.iter().zip(&alone) {
                    let wanted = &all[*row as usize];
                    let off = |(a, b): (&f32, &f32)| (a - b).abs();
                    assert!(wanted.iter().zip(found).map(off).fold(0.0, f32::max) < 1e-5);
                }
            }
        }
        decoder.finish(&x, &pass).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn a_prefix_read_once_gives_every_branch_what_reading_it_whole_gives() {
        let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/model"));
        let config = Config::read(dir).unwrap();
        let weights = Weights::open(dir).unwrap();
        let rows = weights.embedding_rows().unwrap();
        let (vb, _) = weights.builder(DType::F32, &Device::Cpu);
        let vb = vb.pp(LANGUAGE);
        let decoder = Decoder::new(config.kind, &config.text, rows, &vb, &mut || ()).unwrap();
        let rope = TextRope::new(config.kind, &config.text);

        let prefix: Vec<u32> = (0..300).map(|i| i * 7 % 1000).collect();
        let branches: [Vec<u32>; 2] = [(0..40).collect(), (500..555).collect()];
        let whole = |branch: &Vec<u32>| {
            let ids = [prefix.as_slice(), branch].concat();
            let at = positions(Positions::Sequential, &ids, u32::MAX, &[]);
            let span = Span {
                rows: 0..ids.len(),
                context: Vec::new(),
            };
            states(&decoder, &rope, &ids, &at, &[span]).split_off(prefix.len())
        };
        let wanted = [whole(&branches[0]), whole(&branches[1])].concat();

        let ids = [prefix.as_slice(), &branches[0], &branches[1]].concat();
        let mut at = positions(Positions::Sequential, &ids[..340], u32::MAX, &[]);
        at.extend((300..355).map(|i| [i; 3]));
        let span = |rows: Range<usize>, context: Option<Range<usize>>| Span {
            rows,
            context: Vec::from_iter(context),
        };
        let spans = [
            span(0..300, None),
            span(300..340, Some(0..300)),
            span(340..395, Some(0..300)),
        ];
        let tree = states(&decoder, &rope, &ids, &at, &spans).split_off(prefix.len());
        let worst = tree
            .concat()
            .iter()
            .zip(wanted.concat())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }
}
