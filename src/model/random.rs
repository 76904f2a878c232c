//! Models of random weights: a whole model directory, for the sample data, for speed measurements and for tests.
//!
//! The same preset, seed and tokenizer give the same bytes on every machine: all numbers are ChaCha words, scaled. Tensors
//! are written as they are drawn, shard by shard, so that a model of 65 GB needs a few megabytes of memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Map, Value, json};

use super::LoadProgress;
use super::config::{BackboneKind, Config};
use super::error::ModelError;
use super::manifest::{Manifest, Pixels, Positions, Rubrics};
use super::names::{self, Expected};
use super::preprocess::{Grid, Processor};
use super::presets::{Like, SpecialTokens};
use super::prompt::{Prompter, Rubric};

/// The published budget of an image.
const PUBLISHED_PIXELS: Pixels = Pixels {
    min: 200_704,
    max: 200_704,
};
/// Weights of one file at most, as the hub's larger models are cut.
const SHARD_BYTES: u64 = 4_000_000_000;
/// Weights drawn at a time.
const CHUNK: usize = 1 << 18;

/// A tokenizer's files, of which only `tokenizer.json` (or the two it is made of) must be there.
const TOKENIZER_FILES: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "chat_template.json",
    "chat_template.jinja",
];

/// What all have in common: the texts, the published layout.
const MANIFEST: &str = include_str!("random.toml");
/// The sample model's tokenizer.
const TOKENIZER: [(&str, &str); 2] = [
    (
        "tokenizer.json",
        include_str!("../../sample-data/model/tokenizer.json"),
    ),
    (
        "tokenizer_config.json",
        include_str!("../../sample-data/model/tokenizer_config.json"),
    ),
];

/// Writes a model directory of random weights and says how many bytes of weights it has. `tokenizer` is a directory to take
/// the tokenizer from (the sample model's is used without one). A directory that has a model already is refused.
pub fn random(
    dir: &Path,
    like: Like,
    seed: u64,
    tokenizer: Option<&Path>,
    progress: &mut dyn FnMut(LoadProgress),
) -> Result<u64, ModelError> {
    if dir.join("config.json").exists() {
        return Err(ModelError::config(
            dir,
            "there is a model here already; choose a new directory",
        ));
    }
    fs::create_dir_all(dir).map_err(ModelError::write(dir))?;
    copy_tokenizer(dir, tokenizer)?;
    write_json(&dir.join("preprocessor_config.json"), &like.preprocessor())?;
    let mut manifest = manifest(dir, like)?;
    let mut prompter = Prompter::from_dir(dir, like.kind(), &manifest)?;
    if like != Like::Small {
        manifest.rubric = filler(&mut prompter, &manifest)?;
    }
    manifest.write(dir)?;
    // Real presets keep the spare rows of the published embedding, unless the tokenizer needs more.
    let rows = match like {
        Like::Medium | Like::Small => prompter.vocabulary(),
        _ => like.vocabulary().max(prompter.vocabulary()),
    };
    let tokens = SpecialTokens {
        image_pad: prompter.image_pad(),
        vision_start: prompter.vision_start(),
    };
    let text = pretty(&like.config(rows, tokens));
    let path = dir.join("config.json");
    let config = Config::parse(&text, &path)?;
    let tensors = names::expected(&config, manifest.head, manifest.outputs, rows);
    let total = write_weights(dir, &tensors, like.dtype(), seed, progress)?;
    // Last, so that a directory cut off half-way is no model and may be written again.
    fs::write(&path, text).map_err(ModelError::write(&path))?;
    Ok(total)
}

/// The manifest with what differs for `like`.
fn manifest(dir: &Path, like: Like) -> Result<Manifest, ModelError> {
    let mut manifest = Manifest::parse(MANIFEST).map_err(ModelError::Inconsistent)?;
    if like == Like::Small {
        return Ok(manifest);
    }
    manifest.name = format!("{like} (random weights)");
    match like.kind() {
        BackboneKind::Qwen2_5Vl => manifest.pixels = PUBLISHED_PIXELS,
        BackboneKind::Qwen3Vl => {
            manifest.positions = Positions::Mrope;
            manifest.pixels = Processor::own_budget(dir, like.kind())?;
        }
    }
    Ok(manifest)
}

/// Rubrics that say nothing and cost what the published ones cost: as many tokens from the images to the reward token under an
/// instruction of seven, of which both have the first ones in common (counted with the real tokenizer).
fn filler(prompter: &mut Prompter, manifest: &Manifest) -> Result<Rubrics, ModelError> {
    const COMMON: usize = 21;
    const TOKENS: [(Rubric, &str, usize); 2] = [
        (Rubric::InstructionFollowing, "b", 400),
        (Rubric::VisualQuality, "c", 377),
    ];
    let instruction = "make the sandwich a hot dog";
    let grid = Grid {
        height: 2,
        width: 2,
    };
    // What ends an image follows its one token.
    let length = |prompter: &Prompter, rubric| {
        let prompt = prompter.encode(rubric, instruction, &[grid; 2])?;
        let end = prompt.rewards.first().map_or(0, |at| at + 1);
        Ok::<_, ModelError>(end.saturating_sub(prompt.edited + 2))
    };
    let mut rubrics = manifest.rubric.clone();
    for (rubric, word, wanted) in TOKENS {
        let mut own = wanted - COMMON;
        // A word may be one token or several; a few looks suffice.
        for _ in 0..4 {
            let text = format!(
                "{}{}: {{text_prompt}}",
                "a ".repeat(COMMON),
                format!("{word} ").repeat(own)
            );
            match rubric {
                Rubric::InstructionFollowing => rubrics.instruction_following = text,
                _ => rubrics.visual_quality = text,
            }
            prompter.reword(rubrics.clone());
            let found = length(prompter, rubric)?;
            own = (own + wanted).saturating_sub(found);
        }
    }
    Ok(rubrics)
}

fn copy_tokenizer(dir: &Path, from: Option<&Path>) -> Result<(), ModelError> {
    let Some(from) = from else {
        for (name, text) in TOKENIZER {
            let path = dir.join(name);
            fs::write(&path, text).map_err(ModelError::write(&path))?;
        }
        return Ok(());
    };
    for name in TOKENIZER_FILES {
        let (source, target) = (from.join(name), dir.join(name));
        if source.is_file() {
            fs::copy(&source, &target).map_err(ModelError::write(&target))?;
        }
    }
    Ok(())
}

/// Draws and writes `tensors`, one file or shards; the bytes of them all.
pub(super) fn write_weights(
    dir: &Path,
    tensors: &[Expected],
    dtype: DType,
    seed: u64,
    progress: &mut dyn FnMut(LoadProgress),
) -> Result<u64, ModelError> {
    let shards = shards(tensors, dtype);
    let total: u64 = tensors.iter().map(|t| bytes(t, dtype)).sum();
    let mut map = Map::new();
    let mut done = 0;
    for (i, shard) in shards.iter().enumerate() {
        let name = match shards.len() {
            1 => "model.safetensors".to_owned(),
            count => format!("model-{:05}-of-{count:05}.safetensors", i + 1),
        };
        map.extend(shard.iter().map(|t| (t.name.clone(), json!(name))));
        let path = dir.join(name);
        let mut advance = |bytes| {
            done += bytes;
            progress(LoadProgress { done, total });
        };
        write_shard(&path, shard, dtype, seed, &mut advance)?;
    }
    if shards.len() > 1 {
        write_json(
            &dir.join("model.safetensors.index.json"),
            &json!({"metadata": {"total_size": total}, "weight_map": map}),
        )?;
    }
    Ok(total)
}

fn bytes(tensor: &Expected, dtype: DType) -> u64 {
    (tensor.shape.iter().product::<usize>() * dtype.size_in_bytes()) as u64
}

/// Consecutive tensors of at most [`SHARD_BYTES`] together.
fn shards(tensors: &[Expected], dtype: DType) -> Vec<&[Expected]> {
    let mut shards = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (i, tensor) in tensors.iter().enumerate() {
        let more = bytes(tensor, dtype);
        if size + more > SHARD_BYTES && i > start {
            shards.push(&tensors[start..i]);
            (start, size) = (i, 0);
        }
        size += more;
    }
    shards.push(&tensors[start..]);
    shards
}

fn write_shard(
    path: &Path,
    tensors: &[Expected],
    dtype: DType,
    seed: u64,
    advance: &mut dyn FnMut(u64),
) -> Result<(), ModelError> {
    let header = header(tensors, dtype).map_err(|reason| ModelError::Weights {
        path: path.to_owned(),
        reason,
    })?;
    let mut file = BufWriter::new(File::create(path).map_err(ModelError::write(path))?);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(ModelError::write(path));
    put(&(header.len() as u64).to_le_bytes())?;
    put(&header)?;
    let mut raw = Vec::new();
    for tensor in tensors {
        let mut source = Draw::new(tensor, seed);
        let mut left = tensor.shape.iter().product::<usize>();
        while left > 0 {
            let count = left.min(CHUNK);
            let values: Vec<f32> = (0..count).map(|_| source.next()).collect();
            raw.clear();
            Tensor::from_vec(values, count, &Device::Cpu)?
                .to_dtype(dtype)?
                .write_bytes(&mut raw)?;
            put(&raw)?;
            advance(raw.len() as u64);
            left -= count;
        }
    }
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(ModelError::write(path))
}

/// A safetensors header, padded with spaces so that the weights are aligned.
fn header(tensors: &[Expected], dtype: DType) -> Result<Vec<u8>, String> {
    let mut offset = 0;
    let entries = tensors
        .iter()
        .map(|tensor| {
            let start = offset;
            offset += bytes(tensor, dtype) as usize;
            let info = TensorInfo {
                dtype: dtype.into(),
                shape: tensor.shape.clone(),
                data_offsets: (start, offset),
            };
            (tensor.name.clone(), info)
        })
        .collect();
    let format = [("format".to_owned(), "pt".to_owned())].into();
    let metadata = Metadata::new(Some(format), entries).map_err(|e| e.to_string())?;
    let mut header = serde_json::to_vec(&metadata).map_err(|e| e.to_string())?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// One tensor's weights: uniform around a centre, with a deviation that keeps every layer's output near one.
struct Draw {
    rng: ChaCha8Rng,
    centre: f32,
    /// Half the width of the interval: √3 deviations.
    reach: f32,
    /// The half of a random word that is left over; 16 bits are plenty for a weight of 8 or 11.
    spare: Option<u16>,
}

impl Draw {
    fn new(tensor: &Expected, seed: u64) -> Self {
        // Every tensor has its own stream, so that its weights depend on nothing but its name and the seed.
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(tensor.name.as_bytes());
        let (centre, deviation) = distribution(tensor);
        Self {
            rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()),
            centre,
            reach: deviation * 3.0_f32.sqrt(),
            spare: None,
        }
    }

    fn next(&mut self) -> f32 {
        let bits = self.spare.take().unwrap_or_else(|| {
            let word = self.rng.next_u32();
            self.spare = Some((word >> 16) as u16);
            word as u16
        });
        let unit = (f32::from(bits) + 0.5) / 32_768.0 - 1.0;
        self.centre + self.reach * unit
    }
}

/// Centre and deviation of a tensor's weights.
fn distribution(tensor: &Expected) -> (f32, f32) {
    let name = tensor.name.as_str();
    if name.rsplit('.').next() == Some("bias") {
        return (0.0, 0.1);
    }
    let [_, inputs @ ..] = tensor.shape.as_slice() else {
        return (0.0, 0.0);
    };
    if inputs.is_empty() {
        // Weights of norms.
        return (1.0, 0.1);
    }
    if name.ends_with("embed_tokens.weight") {
        return (0.0, 1.0);
    }
    if name.ends_with("pos_embed.weight") {
        return (0.0, 0.3);
    }
    let fan_in = inputs.iter().product::<usize>() as f32;
    let gain = if name.ends_with("q_proj.weight") || name.ends_with("k_proj.weight") {
        // Attention that prefers some tokens over others.
        1.6
    } else if name.starts_with("rm_head") && !name.ends_with(".5.weight") {
        // Through a ReLU.
        1.4
    } else {
        1.0
    };
    (0.0, gain / fan_in.sqrt())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn write_json(path: &Path, value: &Value) -> Result<(), ModelError> {
    fs::write(path, pretty(value)).map_err(ModelError::write(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::Weights;

    fn write(dir: &Path, seed: u64) -> u64 {
        random(dir, Like::Small, seed, None, &mut |_| ()).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| dir.path().join(name));
        assert_eq!(write(&a, 1), write(&b, 1));
        write(&c, 2);
        let read = |dir: &Path| fs::read(dir.join("model.safetensors")).unwrap();
        assert_eq!(read(&a), read(&b));
        assert_ne!(read(&a), read(&c));
        // On every machine, in every version: people measure with these models.
        assert_eq!(
            blake3::hash(&read(&a)).to_hex().as_str(),
            "43892c0f29572b9c870f2485c04f3df2e13171bc901a3b85fb57e0b618583204"
        );
    }

    #[test]
    fn a_directory_with_a_model_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 1);
        let error = random(dir.path(), Like::Small, 2, None, &mut |_| ());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("a model here already"), "{text}");
    }

    #[test]
    fn weights_spread_as_meant_and_progress_ends_at_the_total() {
        let dir = tempfile::tempdir().unwrap();
        let mut last = None;
        let total = random(dir.path(), Like::Small, 1, None, &mut |p| last = Some(p)).unwrap();
        assert_eq!(last, Some(LoadProgress { done: total, total }));
        let (vb, _) = Weights::open(dir.path())
            .unwrap()
            .builder(DType::F32, &Device::Cpu);
        let embedding = vb.get((1203, 96), names::EMBEDDING).unwrap();
        let mean = embedding.mean_all().unwrap().to_scalar::<f32>().unwrap();
        let square = embedding.sqr().unwrap().mean_all().unwrap();
        let square = square.to_scalar::<f32>().unwrap();
        assert!(
            mean.abs() < 0.01 && (square - 1.0).abs() < 0.01,
            "{mean} {square}"
        );
    }

    #[test]
    fn large_models_are_cut_into_shards_that_no_tensor_crosses() {
        let tensors: Vec<Expected> = (0..5)
            .map(|i| Expected {
                name: format!("t{i}"),
                shape: vec![1_500, 1_000_000],
            })
            .collect();
        let shards = shards(&tensors, DType::BF16);
        assert_eq!(shards.iter().map(|s| s.len()).collect::<Vec<_>>(), [1; 5]);
        let shards = super::shards(&tensors[..2], DType::U8);
        assert_eq!(shards.len(), 1);
    }

    #[test]
    fn every_preset_is_a_valid_configuration() {
        let tokens = SpecialTokens {
            image_pad: 1,
            vision_start: 2,
        };
        for like in Like::ALL {
            let text = like.config(like.vocabulary(), tokens).to_string();
            let config = Config::parse(&text, Path::new(like.key())).unwrap();
            assert_eq!(config.kind, like.kind());
            assert!(config.text.mrope_section().is_some());
            assert_eq!(like.to_string().parse(), Ok(like));
        }
        assert!("gpt".parse::<Like>().unwrap_err().contains("'mimo-vl-7b'"));
    }
}
