//! Heads that begin by comparing the edited image with the source, place by place.
//!
//! Whether an edit was made shows in what differs between the two images at the same place. A language model that has learned
//! finds it anyway; one that begins at random weights first has to discover that the token so many positions back matters, and
//! that it is to be taken off, and until then it learns nothing of instructions. So the first heads of each layer begin with
//! biases of their queries and keys that, turned by the rotary positions, agree best at just that distance, whatever the
//! tokens hold; and those of the first layer take off what they see from what is there. They are free to leave.

use candle_core::{Device, Result, Tensor};

use super::tensors::drawn;
use crate::model::ModelError;
use crate::model::backbone::Reading;
use crate::model::config::Config;
use crate::model::names::Expected;
use crate::model::preprocess::{Grid, Processor};
use crate::model::questions::{Question, Questions};
use crate::model::rope::{frequencies, positions};

/// The size of a bias at each frequency: with 16 of them at a base of 10, the place looked at has all but a twentieth of the
/// weight.
const SIZE: f64 = 3.5;
/// What these heads make of the tokens' contents at first, against the usual.
const QUIET: f64 = 0.25;
/// The size of a visual token's numbers at first, before the layer's norm: so much of the normed one is taken off.
const LOUDNESS: f64 = 0.65;
/// Pictures, by their sides, whose distances the heads begin with: one head each.
const SIDES: [(usize, usize); 2] = [(1200, 1800), (1500, 1500)];

/// What the heads begin with.
#[derive(Debug, Clone)]
pub(super) struct LookBack {
    /// Positions from the source's token to the edited image's at the same place, for each head.
    distances: Vec<f64>,
    frequencies: Vec<f64>,
    /// Heads that share a head of keys and values.
    shared: usize,
}

impl LookBack {
    pub(super) fn new(
        (questions, processor): (&Questions, &Processor),
        config: &Config,
        reading: Reading,
    ) -> std::result::Result<Self, ModelError> {
        let text = &config.text;
        let distances = SIDES
            .into_iter()
            .map(|(height, width)| {
                let grid = processor.grid_of(height, width)?;
                let asked = questions.ask("", [grid; 2])?;
                let ids = asked.first().map(Question::ids);
                Ok(ids.and_then(|ids| distance(ids, grid, reading)))
            })
            .collect::<std::result::Result<Vec<Option<f64>>, ModelError>>()?;
        let heads = text.num_attention_heads;
        Ok(Self {
            distances: distances.into_iter().flatten().take(heads).collect(),
            frequencies: frequencies(text.rope_theta(), text.head_dim())
                .into_iter()
                .map(f64::from)
                .collect(),
            shared: (heads / text.num_key_value_heads).max(1),
        })
    }

    /// A fresh tensor of the language model with the heads in it.
    pub(super) fn set(&self, seed: u64, tensor: &Expected, value: Tensor) -> Result<Tensor> {
        let name = tensor.name.as_str();
        let (heads, head_dim) = (self.distances.len(), 2 * self.frequencies.len());
        let Some(matrix) = name.split(".self_attn.").nth(1) else {
            return Ok(value);
        };
        // Rows that belong to the heads: of their queries, or of the keys they share.
        let queries = heads * head_dim;
        let keys = heads.div_ceil(self.shared) * head_dim;
        match matrix {
            "q_proj.bias" => {
                let biases = self.distances.iter().flat_map(|d| self.turned(-d));
                first_rows(
                    &value,
                    Tensor::from_vec(biases.collect(), queries, &Device::Cpu)?,
                )
            }
            "k_proj.bias" => {
                let biases = (0..keys / head_dim).flat_map(|_| self.turned(0.0));
                first_rows(
                    &value,
                    Tensor::from_vec(biases.collect(), keys, &Device::Cpu)?,
                )
            }
            "q_proj.weight" => first_rows(&value, (value.narrow(0, 0, queries)? * QUIET)?),
            "k_proj.weight" => first_rows(&value, (value.narrow(0, 0, keys)? * QUIET)?),
            "o_proj.weight" if name.contains(".layers.0.") => {
                let hidden = value.dim(0)?;
                let of_values = name.replace("o_proj", "v_proj");
                let reach = (3.0 / hidden as f64).sqrt();
                let seen = drawn(seed, &of_values, &[keys, hidden], reach)?;
                let columns = (0..heads)
                    .map(|head| seen.narrow(0, head / self.shared * head_dim, head_dim))
                    .collect::<Result<Vec<_>>>()?;
                let columns = (Tensor::cat(&columns, 0)? * -LOUDNESS)?;
                first_rows(&value.t()?.contiguous()?, columns)?
                    .t()?
                    .contiguous()
            }
            _ => Ok(value),
        }
    }

    /// A bias turned as the rotary positions turn, halves against halves.
    fn turned(&self, by: f64) -> Vec<f32> {
        let part = |f: fn(f64) -> f64| {
            self.frequencies
                .iter()
                .map(move |frequency| (SIZE * f(frequency * by)) as f32)
        };
        part(f64::cos).chain(part(f64::sin)).collect()
    }
}

/// Positions from the source's first token to the edited image's.
fn distance(ids: &[u32], grid: Grid, reading: Reading) -> Option<f64> {
    let pad = reading.image_pad;
    let at = positions(reading.positions, ids, pad, &[grid.merged(), grid.merged()]);
    let first = ids.iter().position(|id| *id == pad)?;
    let after = first + grid.tokens();
    let second = after + ids.get(after..)?.iter().position(|id| *id == pad)?;
    Some(f64::from(at[second][0] - at[first][0]))
}

/// `value` with its first rows replaced.
fn first_rows(value: &Tensor, rows: Tensor) -> Result<Tensor> {
    let (count, all) = (rows.dim(0)?, value.dim(0)?);
    if count == all {
        return Ok(rows);
    }
    Tensor::cat(&[rows, value.narrow(0, count, all - count)?], 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> LookBack {
        LookBack {
            distances: vec![29.0, 30.0],
            frequencies: frequencies(10.0, 32).into_iter().map(f64::from).collect(),
            shared: 1,
        }
    }

    fn tensor(name: &str, shape: &[usize]) -> Expected {
        Expected {
            name: format!("model.language_model.layers.0.self_attn.{name}"),
            shape: shape.into(),
        }
    }

    #[test]
    fn a_query_agrees_best_with_the_key_so_many_positions_back() {
        let look = look();
        let bias = |name: &str| -> Vec<f32> {
            let zeros = Tensor::zeros(128, candle_core::DType::F32, &Device::Cpu).unwrap();
            let set = look.set(1, &tensor(name, &[128]), zeros).unwrap();
            set.to_vec1().unwrap()
        };
        let turn = |bias: &[f32], position: f64| -> Vec<f64> {
            let half = bias.len() / 2;
            let pair = |i: usize| (f64::from(bias[i]), f64::from(bias[i + half]));
            let angle = |i: usize| look.frequencies[i] * position;
            let first = (0..half).map(|i| pair(i).0 * angle(i).cos() - pair(i).1 * angle(i).sin());
            let last = (0..half).map(|i| pair(i).1 * angle(i).cos() + pair(i).0 * angle(i).sin());
            first.chain(last).collect()
        };
        for (head, wanted) in [(0, 41), (1, 40)] {
            let rows = head * 32..(head + 1) * 32;
            let query = turn(&bias("q_proj.bias")[rows.clone()], 70.0);
            let key = bias("k_proj.bias")[rows].to_vec();
            let score = |position: i32| -> f64 {
                let key = turn(&key, f64::from(position));
                query.iter().zip(key).map(|(q, k)| q * k).sum()
            };
            let best = (0..70).max_by(|a, b| score(*a).total_cmp(&score(*b)));
            assert_eq!(best, Some(wanted));
            assert!((score(wanted) - 16.0 * SIZE * SIZE).abs() < 1e-3);
        }
        assert_eq!(bias("q_proj.bias")[64..], [0.0; 64]);
    }

    #[test]
    fn what_the_first_layer_sees_is_taken_off() {
        let look = look();
        let shape = [128, 128];
        let seen = drawn(
            1,
            &tensor("v_proj.weight", &shape).name,
            &shape,
            (3.0_f64 / 128.0).sqrt(),
        )
        .unwrap();
        let zeros = Tensor::zeros((128, 128), candle_core::DType::F32, &Device::Cpu).unwrap();
        let out = look
            .set(1, &tensor("o_proj.weight", &shape), zeros)
            .unwrap();
        // What the first head makes of a state, against the state itself in what the head sees of it.
        let state = Tensor::arange(0_f32, 128.0, &Device::Cpu)
            .unwrap()
            .sin()
            .unwrap();
        let values = seen.narrow(0, 0, 32).unwrap();
        let heard = values.matmul(&state.reshape((128, 1)).unwrap()).unwrap();
        let made = out.narrow(1, 0, 32).unwrap().matmul(&heard).unwrap();
        let again = values.matmul(&made).unwrap();
        let dot = |a: &Tensor, b: &Tensor| -> f32 {
            (a * b).unwrap().sum_all().unwrap().to_scalar().unwrap()
        };
        let along = dot(&again, &heard) / dot(&heard, &heard);
        assert!((-1.1..-0.3).contains(&along), "{along}");
    }
}
