//! A model's tensors in training: those that are trained, as variables in f32, and the rest, in the precision of the pass.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::auxiliary::AuxiliaryHeads;
use super::look_back::LookBack;
use super::patches::whitening;
use super::recipe::{Language, LowRank, Recipe, Target};
use super::{ModelError, Part};
use crate::model::linear::{LORA_A, LORA_B, LORA_SETTINGS};
use crate::model::names::{EMBEDDING, Expected, LANGUAGE, VISION};
use crate::model::text::{REWARD_ID, REWARD_ROW};
use crate::model::weights::shaped;

/// A tensor that is trained.
#[derive(Debug, Clone)]
pub(super) struct Trainee {
    pub(super) var: Var,
    pub(super) part: Part,
    /// Weight decay takes hold of it: a matrix, and no embedding.
    pub(super) decays: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Tensors {
    pub(super) trained: BTreeMap<String, Trainee>,
    frozen: Arc<HashMap<String, Tensor>>,
    low_rank: Option<LowRank>,
    dtype: DType,
    device: Device,
}

/// Which part a tensor belongs to, by its newer name.
pub(super) fn part_of(name: &str) -> Part {
    if name == EMBEDDING {
        Part::RewardToken
    } else if let Some(rest) = name.strip_prefix(VISION) {
        if rest.starts_with(".merger") || rest.starts_with(".deepstack_merger") {
            Part::Merger
        } else {
            Part::Vision
        }
    } else if name.starts_with(LANGUAGE) {
        Part::Language
    } else {
        Part::Heads
    }
}

/// Where the embedding's tensors are.
fn beside_embedding(name: &str) -> String {
    format!("{LANGUAGE}.embed_tokens.{name}")
}

/// A stream of chance of its own for each tensor.
fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// Numbers between -`reach` and `reach`.
pub(super) fn drawn(seed: u64, name: &str, shape: &[usize], reach: f64) -> Result<Tensor> {
    let mut rng = stream(seed, name);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| {
            let unit = f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0;
            (unit * reach) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// A new head's tensor. On a backbone that has learned, as torch draws a linear layer: within 1/√inputs. From `scratch`, as He
/// et al. 2015 would for its ReLUs: within √(6/inputs), biases at zero; the smaller ones shrink what differs between
/// candidates by three at each layer, and nothing below learns until they have grown.
fn fresh_head(seed: u64, tensor: &Expected, inputs: usize, scratch: bool) -> Result<Tensor> {
    let reach = match (scratch, tensor.shape.len()) {
        (false, _) => (1.0 / inputs as f64).sqrt(),
        (true, 1) => 0.0,
        (true, _) => (6.0 / inputs as f64).sqrt(),
    };
    drawn(seed, &tensor.name, &tensor.shape, reach)
}

/// A new tensor of the network below: norms at one, biases at zero, matrices with a deviation of 1/√inputs, less by √(2·depth)
/// where they add to the stream of states, so that its size does not depend on the depth (as GPT-2's were). The biases of
/// queries and keys are drawn: with both at zero, what a head makes of distances alone would have no slope to learn from.
fn fresh(seed: u64, tensor: &Expected, depth: usize) -> Result<Tensor> {
    let name = tensor.name.as_str();
    if name.ends_with(".patch_embed.proj.weight") {
        return whitening(&mut stream(seed, name), &tensor.shape);
    }
    let inputs = match tensor.shape.as_slice() {
        [_, inputs @ ..] if !inputs.is_empty() => inputs.iter().product::<usize>(),
        _ if [".q_proj.bias", ".k_proj.bias"]
            .iter()
            .any(|end| name.ends_with(end)) =>
        {
            return drawn(seed, name, &tensor.shape, 3.0_f64.sqrt());
        }
        _ => {
            let value: f32 = if name.ends_with("bias") { 0.0 } else { 1.0 };
            return Tensor::full(value, tensor.shape.as_slice(), &Device::Cpu);
        }
    };
    let mut deviation = if name == EMBEDDING {
        0.5
    } else {
        1.0 / (inputs as f64).sqrt()
    };
    let adds = [".down_proj.weight", ".o_proj.weight", ".attn.proj.weight"];
    if adds.iter().any(|end| name.ends_with(end)) {
        deviation /= (2.0 * depth as f64).sqrt();
    }
    drawn(seed, name, &tensor.shape, 3.0_f64.sqrt() * deviation)
}

/// How many blocks the tower has, or layers the language model: one more than the last that is named.
fn depth_of(expected: &[Expected], part: Part) -> usize {
    let number = |tensor: &Expected| {
        let mut words = tensor.name.split('.');
        words.find(|word| matches!(*word, "blocks" | "layers"))?;
        words.next()?.parse::<usize>().ok()
    };
    let own = expected.iter().filter(|t| part_of(&t.name) == part);
    own.filter_map(number).max().map_or(1, |last| last + 1)
}

impl Tensors {
    /// From a checkpoint: `load` gives a stored tensor by its newer name, `None` where it has none. `reward` is the reward
    /// token's id, `look` how a model from scratch begins to look at the source.
    pub(super) fn new(
        expected: &[Expected],
        recipe: &Recipe,
        (reward, look): (Option<u32>, Option<&LookBack>),
        (dtype, device): (DType, &Device),
        mut load: impl FnMut(&str, DType) -> Result<Option<Tensor>>,
    ) -> std::result::Result<Self, ModelError> {
        let parts = recipe.trained.parts();
        let mut trained = BTreeMap::new();
        let mut frozen = HashMap::new();
        let mut inputs = 1;
        let hidden = expected.iter().find(|tensor| tensor.name == EMBEDDING);
        let hidden = hidden.map_or(0, |embedding| embedding.shape[1]);
        let beside = AuxiliaryHeads::expected(&recipe.auxiliary, hidden);
        for tensor in expected.iter().chain(&beside) {
            let part = part_of(&tensor.name);
            if let [_, columns, ..] = tensor.shape[..] {
                inputs = columns;
            }
            let whole = match part {
                Part::RewardToken => recipe.trained.embedding,
                Part::Language => recipe.trained.language == Language::Whole,
                part => parts.contains(&part),
            };
            let wanted = if whole || part == Part::Heads {
                DType::F32
            } else {
                dtype
            };
            let anew = recipe.from_scratch
                || part == Part::Heads && (recipe.fresh_heads || beside.contains(tensor));
            let stored = if anew {
                None
            } else {
                load(&tensor.name, wanted)?
            };
            let value = match stored {
                Some(value) => value,
                None if recipe.from_scratch && part != Part::Heads => {
                    let drawn = fresh(recipe.seed, tensor, depth_of(expected, part))?;
                    let drawn = match look.filter(|_| part == Part::Language) {
                        Some(look) => look.set(recipe.seed, tensor, drawn)?,
                        None => drawn,
                    };
                    drawn.to_dtype(wanted)?.to_device(device)?
                }
                None if part == Part::Heads => {
                    fresh_head(recipe.seed, tensor, inputs, recipe.from_scratch)?
                        .to_device(device)?
                }
                None => {
                    return Err(ModelError::Inconsistent(format!(
                        "the checkpoint has no '{}'",
                        tensor.name
                    )));
                }
            };
            if whole {
                let trainee = Trainee {
                    var: Var::from_tensor(&value)?,
                    part,
                    decays: tensor.shape.len() > 1 && part != Part::RewardToken,
                };
                trained.insert(tensor.name.clone(), trainee);
            } else {
                frozen.insert(tensor.name.clone(), value);
            }
        }
        let mut tensors = Self {
            trained,
            frozen: Arc::default(),
            low_rank: None,
            dtype,
            device: device.clone(),
        };
        if recipe.trained.reward_token && !recipe.trained.embedding {
            tensors.set_row_apart(reward, &mut frozen)?;
        }
        if recipe.trained.language == Language::LowRank {
            tensors.add_low_rank(expected, recipe)?;
        }
        tensors.frozen = Arc::new(frozen);
        Ok(tensors)
    }

    fn set_row_apart(
        &mut self,
        reward: Option<u32>,
        frozen: &mut HashMap<String, Tensor>,
    ) -> std::result::Result<(), ModelError> {
        let (Some(id), Some(embedding)) = (reward, frozen.get(EMBEDDING)) else {
            return Err(ModelError::Inconsistent(
                "the reward token is to be trained, but the model reads at none; leave 'reward_token' out of what is trained"
                    .into(),
            ));
        };
        let row = embedding
            .narrow(0, id as usize, 1)?
            .to_dtype(DType::F32)?
            .copy()?;
        let trainee = Trainee {
            var: Var::from_tensor(&row)?,
            part: Part::RewardToken,
            decays: false,
        };
        self.trained.insert(beside_embedding(REWARD_ROW), trainee);
        let id = Tensor::new(&[id], &self.device)?;
        frozen.insert(beside_embedding(REWARD_ID), id);
        Ok(())
    }

    fn add_low_rank(
        &mut self,
        expected: &[Expected],
        recipe: &Recipe,
    ) -> std::result::Result<(), ModelError> {
        let rank = recipe.low_rank.rank;
        for tensor in expected {
            let Some(at) = low_rank_place(&tensor.name, &recipe.low_rank) else {
                continue;
            };
            let (outputs, inputs) = (tensor.shape[0], tensor.shape[1]);
            // As the PEFT library starts: A within 1/√inputs, B zero.
            let name = format!("{at}{LORA_A}");
            let a = drawn(
                recipe.seed,
                &name,
                &[rank, inputs],
                1.0 / (inputs as f64).sqrt(),
            )?;
            let b = Tensor::zeros((outputs, rank), DType::F32, &Device::Cpu)?;
            for (name, value) in [(name, a), (format!("{at}{LORA_B}"), b)] {
                let trainee = Trainee {
                    var: Var::from_tensor(&value.to_device(&self.device)?)?,
                    part: Part::Language,
                    decays: true,
                };
                self.trained.insert(name, trainee);
            }
        }
        self.low_rank = Some(recipe.low_rank.clone());
        Ok(())
    }

    /// A builder for the network of one pass. With `learning`, gradients are tracked.
    pub(super) fn builder(&self, learning: bool) -> VarBuilder<'static> {
        let trained = self
            .trained
            .iter()
            .map(|(name, trainee)| {
                let tensor = if learning {
                    trainee.var.as_tensor().clone()
                } else {
                    trainee.var.as_detached_tensor()
                };
                (name.clone(), tensor)
            })
            .collect();
        let source = Source {
            trained,
            frozen: self.frozen.clone(),
            settings: self
                .low_rank
                .as_ref()
                .map(|low_rank| [low_rank.alpha / low_rank.rank as f64, low_rank.dropout]),
        };
        VarBuilder::from_backend(Box::new(source), self.dtype, self.device.clone())
    }

    /// A published tensor as it is now: low-rank additions merged, the reward token's row in its place.
    pub(super) fn finished(&self, name: &str) -> Result<Tensor> {
        if let Some(trainee) = self.trained.get(name) {
            return Ok(trainee.var.as_detached_tensor());
        }
        let Some(value) = self.frozen.get(name) else {
            return Err(candle_core::Error::CannotFindTensor {
                path: name.to_owned(),
            });
        };
        if let (Some(row), Some(id)) = (
            self.trained.get(&beside_embedding(REWARD_ROW)),
            self.frozen.get(&beside_embedding(REWARD_ID)),
        ) && name == EMBEDDING
        {
            let id = id.to_vec1::<u32>()?[0] as usize;
            let row = row.var.as_detached_tensor().to_dtype(value.dtype())?;
            let after = value.dim(0)? - id - 1;
            return Tensor::cat(
                &[
                    value.narrow(0, 0, id)?,
                    row,
                    value.narrow(0, id + 1, after)?,
                ],
                0,
            );
        }
        let at = name.strip_suffix("weight").unwrap_or(name);
        if let (Some(a), Some(b), Some(low_rank)) = (
            self.trained.get(&format!("{at}{LORA_A}")),
            self.trained.get(&format!("{at}{LORA_B}")),
            &self.low_rank,
        ) {
            let (a, b) = (a.var.as_detached_tensor(), b.var.as_detached_tensor());
            let addition = (b.matmul(&a)? * (low_rank.alpha / low_rank.rank as f64))?;
            return (value.to_dtype(DType::F32)? + addition)?.to_dtype(value.dtype());
        }
        Ok(value.clone())
    }
}

/// What stands before `weight` in a tensor's name, if the tensor gets an addition.
fn low_rank_place<'a>(name: &'a str, low_rank: &LowRank) -> Option<&'a str> {
    let at = name.strip_suffix("weight")?;
    let matrix = at.strip_suffix('.')?.rsplit('.').next()?;
    let is_target = |target: &Target| target.name() == matrix;
    (name.starts_with(LANGUAGE) && low_rank.targets.iter().any(is_target)).then_some(at)
}

struct Source {
    trained: HashMap<String, Tensor>,
    frozen: Arc<HashMap<String, Tensor>>,
    /// Scale and dropout of the low-rank additions.
    settings: Option<[f64; 2]>,
}

impl SimpleBackend for Source {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        shaped(self.get_unchecked(name, dtype, device)?, &shape, name)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, _device: &Device) -> Result<Tensor> {
        if let (true, Some(settings)) = (name.ends_with(LORA_SETTINGS), self.settings) {
            return Tensor::new(&settings, &Device::Cpu);
        }
        self.trained
            .get(name)
            .or_else(|| self.frozen.get(name))
            .ok_or_else(|| candle_core::Error::CannotFindTensor {
                path: name.to_owned(),
            })?
            .to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.trained.contains_key(name) || self.frozen.contains_key(name)
    }
}
