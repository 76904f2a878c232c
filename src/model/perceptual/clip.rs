//! CLIPScore (Hessel et al. 2021): 100 times the cosine between CLIP's embeddings of an image and of a text, at least 0, as
//! torchmetrics gives it. Hessel et al. multiply by 2.5 instead of 100, which orders edits alike, and put "A photo depicts" before
//! the text, which is not done here: an instruction is no caption.
//!
//! Reads a Hugging Face folder of a CLIP model. Images go the way of its image processor: Pillow's bicubic to the shortest side, the
//! middle cut out, normalised.

use std::path::Path;

use candle_core::{Device, IndexOp as _, Tensor};
use candle_nn::{Linear, Module as _, VarBuilder, linear_no_bias};
use candle_transformers::models::clip::text_model::{
    Activation, ClipTextConfig, ClipTextTransformer,
};
use candle_transformers::models::clip::vision_model::{ClipVisionConfig, ClipVisionTransformer};

use super::settings::{Config, Processor, Tower};
use super::{finite_number, tensor};
use crate::domain::raster::Raster;
use crate::model::DeviceChoice;
use crate::model::decode::Rgb;
use crate::model::device;
use crate::model::error::ModelError;
use crate::model::fingerprint::fingerprint;
use crate::model::names::Expected;
use crate::model::resize::{self, Library};
use crate::model::tokenizer::Vocabulary;
use crate::model::weights::Weights;

/// No image may be more than this many times longer than wide, or the reverse: nearly all of it would be cut off.
const LARGEST_RATIO: usize = 200;
/// Configurations from before CLIP's end token had its own id say 2, and mean the largest id of the text.
const LEGACY_END: u32 = 2;

/// The network with its weights.
pub struct Clip {
    text: ClipTextTransformer,
    vision: ClipVisionTransformer,
    text_projection: Linear,
    visual_projection: Linear,
    vocabulary: Vocabulary,
    processor: Processor,
    /// The id of the token that the text's embedding is read at.
    end: u32,
    /// The most tokens of a text, both marks included.
    positions: usize,
    device: Device,
    size: String,
    fingerprint: String,
}

/// A text's embedding, of unit length; made by [`Clip::text`].
#[derive(Debug, Clone, PartialEq)]
pub struct Text(Vec<f64>);

impl Clip {
    /// Reads `config.json`, `model.safetensors` (or its shards), `tokenizer.json` and, where it is there,
    /// `preprocessor_config.json` in `dir`.
    pub fn open(dir: &Path, choice: DeviceChoice) -> Result<Self, ModelError> {
        let config = Config::read(dir)?;
        let processor = Processor::read(dir, config.vision.image_size)?;
        let tokenizer = dir.join("tokenizer.json");
        if !tokenizer.is_file() {
            return Err(ModelError::NotAModel {
                dir: dir.to_owned(),
                missing: "'tokenizer.json'",
            });
        }
        let vocabulary = Vocabulary::from_dir(dir, None)?;
        if vocabulary.size() > config.text.vocab_size {
            let (has, rows) = (vocabulary.size(), config.text.vocab_size);
            let reason = format!("it has {has} tokens, and config.json an embedding of {rows}");
            return Err(ModelError::config(&tokenizer, reason));
        }
        let weights = Weights::open(dir)?;
        let mut report = weights.check(&expected(&config));
        // The temperature of training, and buffers that older files have.
        report.unexpected.clear();
        if !report.is_clean() {
            return Err(ModelError::Mismatch {
                dir: dir.to_owned(),
                report: Box::new(report),
            });
        }
        let fingerprint = fingerprint(dir, weights.files())?;
        let device = device::open(choice)?;
        let (vb, _) = weights.builder(candle_core::DType::F32, &device);
        let project = |from: &Tower, name: &str| {
            linear_no_bias(from.hidden_size, config.projection_dim, vb.pp(name))
        };
        Ok(Self {
            text: text_tower(&config, vb.pp("text_model"))?,
            vision: vision_tower(&config, vb.pp("vision_model"))?,
            text_projection: project(&config.text.tower, "text_projection")?,
            visual_projection: project(&config.vision.tower, "visual_projection")?,
            vocabulary,
            processor,
            end: config.text.eos_token_id,
            positions: config.text.max_position_embeddings,
            device,
            size: size(&config),
            fingerprint,
        })
    }

    /// Which of the published sizes it has, as in "b32" for ViT-B/32 and "l14-336" for ViT-L/14 on 336 pixels; the width of
    /// another.
    pub fn size(&self) -> &str {
        &self.size
    }

    /// Hex digest over weights, configuration and tokenizer: equal ones give equal scores.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A text's embedding. What is beyond the network's length (77 tokens in all published ones) is cut off before the end mark.
    pub fn text(&self, text: &str) -> Result<Text, ModelError> {
        let mut ids = self.vocabulary.encode(text)?;
        if ids.len() > self.positions
            && let Some(end) = ids.last().copied()
        {
            ids.truncate(self.positions - 1);
            ids.push(end);
        }
        let at = end_of(&ids, self.end).ok_or_else(|| {
            ModelError::Prompt(format!(
                "the tokenizer puts no end mark ({}) behind a text; is tokenizer.json this CLIP's?",
                self.end
            ))
        })?;
        let ids = Tensor::new(ids.as_slice(), &self.device)?.unsqueeze(0)?;
        let states = self.text.forward_with_mask(&ids, usize::MAX)?;
        let state = states.i((.., at, ..))?.contiguous()?;
        unit(&self.text_projection.forward(&state)?).map(Text)
    }

    /// 100 · cos(image, text), at least 0; higher is a better fit.
    pub fn score(&self, text: &Text, image: Raster<'_>) -> Result<f64, ModelError> {
        let cut = self.cut(image)?;
        let (pixels, _) = cut.pixels.as_chunks();
        let cut = Raster::new(cut.width, cut.height, pixels).ok_or_else(|| {
            ModelError::Image("the image has nothing left after cutting".to_owned())
        })?;
        let input = tensor(cut, &self.processor.tables, &self.device)?;
        let state = self.vision.forward(&input)?;
        let embedding = unit(&self.visual_projection.forward(&state)?)?;
        let cosine: f64 = embedding.iter().zip(&text.0).map(|(a, b)| a * b).sum();
        finite_number((100.0 * cosine).max(0.0))
    }

    /// The image at its shortest side's size, and of that the middle.
    fn cut(&self, image: Raster<'_>) -> Result<Rgb, ModelError> {
        let (width, height) = (image.width(), image.height());
        let (short, long) = (width.min(height), width.max(height));
        if long > LARGEST_RATIO * short {
            return Err(ModelError::Image(format!(
                "the image has {width} × {height} pixels; CLIP takes none that is more than {LARGEST_RATIO} times longer than \
                 it is wide: crop it"
            )));
        }
        let (side, crop) = (self.processor.side, self.processor.crop);
        let long = side * long / short;
        let (w, h) = if width <= height {
            (side, long)
        } else {
            (long, side)
        };
        let whole = Rgb {
            width,
            height,
            pixels: image.pixels().as_flattened().to_vec(),
        };
        let resized = resize::bicubic(&whole, w, h, Library::Pillow);
        let (left, top) = ((w - crop) / 2, (h - crop) / 2);
        let rows = resized.pixels.chunks_exact(3 * w).skip(top).take(crop);
        let rows = rows.flat_map(|row| &row[3 * left..3 * (left + crop)]);
        Ok(Rgb {
            width: crop,
            height: crop,
            pixels: rows.copied().collect(),
        })
    }
}

/// The size in short.
fn size(config: &Config) -> String {
    let vision = &config.vision;
    let width = match vision.tower.hidden_size {
        768 => "b".to_owned(),
        1024 => "l".to_owned(),
        1280 => "h".to_owned(),
        other => format!("{other}-"),
    };
    let pixels = match vision.image_size {
        224 => String::new(),
        other => format!("-{other}"),
    };
    format!("{width}{}{pixels}", vision.patch_size)
}

/// Where the text ends: at the first end mark, or by old configurations at the largest id.
fn end_of(ids: &[u32], end: u32) -> Option<usize> {
    if end == LEGACY_END {
        let largest = ids.iter().max()?;
        return ids.iter().position(|id| id == largest);
    }
    ids.iter().position(|id| *id == end)
}

/// A row, (1, n), at unit length.
fn unit(row: &Tensor) -> Result<Vec<f64>, ModelError> {
    let row = row.flatten_all()?.to_vec1::<f32>()?;
    let row: Vec<f64> = row.into_iter().map(f64::from).collect();
    let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
    finite_number(1.0 / length)?;
    Ok(row.into_iter().map(|v| v / length).collect())
}

fn text_tower(config: &Config, vb: VarBuilder<'_>) -> candle_core::Result<ClipTextTransformer> {
    let (text, tower) = (&config.text, &config.text.tower);
    let own = ClipTextConfig {
        vocab_size: text.vocab_size,
        embed_dim: tower.hidden_size,
        activation: Activation::QuickGelu,
        intermediate_size: tower.intermediate_size,
        max_position_embeddings: text.max_position_embeddings,
        pad_with: None,
        num_hidden_layers: tower.num_hidden_layers,
        num_attention_heads: tower.num_attention_heads,
        projection_dim: config.projection_dim,
    };
    ClipTextTransformer::new(vb, &own)
}

fn vision_tower(config: &Config, vb: VarBuilder<'_>) -> candle_core::Result<ClipVisionTransformer> {
    let (vision, tower) = (&config.vision, &config.vision.tower);
    let own = ClipVisionConfig {
        embed_dim: tower.hidden_size,
        activation: Activation::QuickGelu,
        intermediate_size: tower.intermediate_size,
        num_hidden_layers: tower.num_hidden_layers,
        num_attention_heads: tower.num_attention_heads,
        projection_dim: config.projection_dim,
        num_channels: 3,
        image_size: vision.image_size,
        patch_size: vision.patch_size,
    };
    ClipVisionTransformer::new(vb, &own)
}

/// Every tensor that the network is made of.
fn expected(config: &Config) -> Vec<Expected> {
    let mut out = Vec::new();
    let mut push = |name: String, shape: &[usize]| {
        out.push(Expected {
            name,
            shape: shape.to_vec(),
        });
    };
    let (text, vision) = (&config.text, &config.vision);
    let (wide, tall) = (text.tower.hidden_size, vision.tower.hidden_size);
    let at = "text_model.embeddings";
    push(
        format!("{at}.token_embedding.weight"),
        &[text.vocab_size, wide],
    );
    push(
        format!("{at}.position_embedding.weight"),
        &[text.max_position_embeddings, wide],
    );
    let at = "vision_model.embeddings";
    let (patch, places) = (vision.patch_size, vision.patches() + 1);
    push(format!("{at}.class_embedding"), &[tall]);
    push(
        format!("{at}.patch_embedding.weight"),
        &[tall, 3, patch, patch],
    );
    push(format!("{at}.position_embedding.weight"), &[places, tall]);
    let project = config.projection_dim;
    push("text_projection.weight".into(), &[project, wide]);
    push("visual_projection.weight".into(), &[project, tall]);
    let mut affine = |name: String, to: usize, from: Option<usize>| {
        let shape: Vec<usize> = std::iter::once(to).chain(from).collect();
        push(format!("{name}.weight"), &shape);
        push(format!("{name}.bias"), &[to]);
    };
    // The one misspelling is the published checkpoints'.
    for (name, size) in [
        ("text_model.final_layer_norm", wide),
        ("vision_model.pre_layrnorm", tall),
        ("vision_model.post_layernorm", tall),
    ] {
        affine(name.into(), size, None);
    }
    for (model, tower) in [("text_model", &text.tower), ("vision_model", &vision.tower)] {
        let (size, middle) = (tower.hidden_size, tower.intermediate_size);
        for layer in 0..tower.num_hidden_layers {
            let at = format!("{model}.encoder.layers.{layer}");
            for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                affine(format!("{at}.self_attn.{part}"), size, Some(size));
            }
            affine(format!("{at}.layer_norm1"), size, None);
            affine(format!("{at}.layer_norm2"), size, None);
            affine(format!("{at}.mlp.fc1"), middle, Some(size));
            affine(format!("{at}.mlp.fc2"), size, Some(middle));
        }
    }
    out
}

/// The tensors that the configuration in `dir` calls for.
#[cfg(test)]
pub(super) fn expected_of(dir: &Path) -> Vec<Expected> {
    expected(&Config::read(dir).unwrap())
}
