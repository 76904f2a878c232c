//! A CLIP folder's `config.json` and `preprocessor_config.json`, with the field names Hugging Face gives them and its defaults
//! where they are silent. Refuses what would be computed wrongly: other activations, other ways to cut an image.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::error::ModelError;
use crate::model::tokenizer::json;

/// The network.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// Size of both embeddings.
    pub(super) projection_dim: usize,
    pub(super) text: TextConfig,
    pub(super) vision: VisionConfig,
}

/// What both towers have.
#[derive(Debug, Clone)]
pub(super) struct Tower {
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
}

/// The tower of texts.
#[derive(Debug, Clone)]
pub(super) struct TextConfig {
    pub(super) tower: Tower,
    pub(super) vocab_size: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) eos_token_id: u32,
}

/// The tower of images.
#[derive(Debug, Clone)]
pub(super) struct VisionConfig {
    pub(super) tower: Tower,
    pub(super) image_size: usize,
    pub(super) patch_size: usize,
}

impl VisionConfig {
    /// Patches of an image.
    pub(super) const fn patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub(super) fn read(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join("config.json");
        let all: Map<String, Value> = json(&path)?.ok_or_else(|| ModelError::NotAModel {
            dir: dir.to_owned(),
            missing: "'config.json'",
        })?;
        let top = Fields {
            path,
            at: "",
            members: all,
        };
        if let Some(kind) = top.members.get("model_type").filter(|kind| *kind != "clip") {
            return Err(top.wrong("model_type", &format!("is {kind}; CLIPScore reads 'clip'")));
        }
        let (text, vision) = (top.nested("text_config")?, top.nested("vision_config")?);
        let channels = vision.count("num_channels", 3)?;
        if channels != 3 {
            return Err(vision.wrong("num_channels", &format!("is {channels}; images have 3")));
        }
        let vision = VisionConfig {
            tower: vision.tower([768, 3072, 12, 12])?,
            image_size: vision.count("image_size", 224)?,
            patch_size: vision.count("patch_size", 32)?,
        };
        Ok(Self {
            projection_dim: top.count("projection_dim", 512)?,
            text: TextConfig {
                tower: text.tower([512, 2048, 12, 8])?,
                vocab_size: text.count("vocab_size", 49_408)?,
                max_position_embeddings: text.count("max_position_embeddings", 77)?,
                eos_token_id: u32::try_from(text.count("eos_token_id", 49_407)?)
                    .map_err(|_| text.wrong("eos_token_id", "is no token's id"))?,
            },
            vision,
        })
    }
}

/// An object of the file, for messages that name the field.
struct Fields {
    path: PathBuf,
    at: &'static str,
    members: Map<String, Value>,
}

impl Fields {
    fn wrong(&self, field: &str, why: &str) -> ModelError {
        let dot = if self.at.is_empty() { "" } else { "." };
        ModelError::config(&self.path, format!("{}{dot}{field} {why}", self.at))
    }

    fn nested(&self, name: &'static str) -> Result<Self, ModelError> {
        let members = match self.members.get(name) {
            Some(Value::Object(members)) => members.clone(),
            Some(_) => return Err(self.wrong(name, "is no object")),
            None => Map::new(),
        };
        Ok(Self {
            path: self.path.clone(),
            at: name,
            members,
        })
    }

    /// A whole number of at least 1.
    fn count(&self, name: &str, default: usize) -> Result<usize, ModelError> {
        let Some(value) = self.members.get(name).filter(|value| !value.is_null()) else {
            return Ok(default);
        };
        let count = value.as_u64().filter(|n| *n > 0);
        count
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| self.wrong(name, &format!("is {value}, not a whole number above 0")))
    }

    fn tower(&self, [hidden, middle, layers, heads]: [usize; 4]) -> Result<Tower, ModelError> {
        if let Some(act) = self
            .members
            .get("hidden_act")
            .filter(|act| *act != "quick_gelu")
        {
            return Err(self.wrong(
                "hidden_act",
                &format!("is {act}; only 'quick_gelu' is here"),
            ));
        }
        if let Some(epsilon) = self.members.get("layer_norm_eps").and_then(Value::as_f64)
            && (epsilon - 1e-5).abs() > 1e-9
        {
            return Err(self.wrong(
                "layer_norm_eps",
                &format!("is {epsilon}; only 1e-5 is here"),
            ));
        }
        let tower = Tower {
            hidden_size: self.count("hidden_size", hidden)?,
            intermediate_size: self.count("intermediate_size", middle)?,
            num_hidden_layers: self.count("num_hidden_layers", layers)?,
            num_attention_heads: self.count("num_attention_heads", heads)?,
        };
        if !tower.hidden_size.is_multiple_of(tower.num_attention_heads) {
            return Err(self.wrong("hidden_size", "is no multiple of num_attention_heads"));
        }
        Ok(tower)
    }
}

/// How an image is made the network's input.
#[derive(Debug, Clone)]
pub(super) struct Processor {
    /// What the shortest side is resized to, in pixels.
    pub(super) side: usize,
    /// Side of the square that is cut out of the middle.
    pub(super) crop: usize,
    /// The input for each byte, by channel.
    pub(super) tables: [[f32; 256]; 3],
}

/// A size as files write it: one number, or by names.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Side(usize),
    Shortest { shortest_edge: usize },
    Both { height: usize, width: usize },
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    size: Option<Size>,
    crop_size: Option<Size>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
    resample: Option<u32>,
    rescale_factor: Option<f64>,
    do_resize: Option<bool>,
    do_center_crop: Option<bool>,
    do_rescale: Option<bool>,
    do_normalize: Option<bool>,
}

impl Processor {
    /// Reads `preprocessor_config.json` in `dir`, if it has one, for a network that reads squares of `image` pixels.
    pub(super) fn read(dir: &Path, image: usize) -> Result<Self, ModelError> {
        let path = dir.join("preprocessor_config.json");
        let settings: Settings = json(&path)?.unwrap_or_default();
        Self::new(&settings, image).map_err(|why| ModelError::config(&path, why))
    }

    fn new(settings: &Settings, image: usize) -> Result<Self, String> {
        let done = [
            settings.do_resize,
            settings.do_center_crop,
            settings.do_rescale,
            settings.do_normalize,
        ];
        if done.contains(&Some(false)) {
            return Err(
                "do_resize, do_center_crop, do_rescale and do_normalize must be true".to_owned(),
            );
        }
        if settings.resample.is_some_and(|filter| filter != 3) {
            return Err("resample must be 3 (bicubic)".to_owned());
        }
        let factor = settings.rescale_factor;
        if factor.is_some_and(|factor| (factor * 255.0 - 1.0).abs() > 1e-6) {
            return Err("rescale_factor must be 1/255".to_owned());
        }
        let side = match settings.size {
            None => image,
            Some(
                Size::Side(side)
                | Size::Shortest {
                    shortest_edge: side,
                },
            ) => side,
            Some(Size::Both { .. }) => {
                return Err("size must be of the shortest edge".to_owned());
            }
        };
        let crop = match settings.crop_size {
            None => image,
            Some(Size::Side(crop)) => crop,
            Some(Size::Both { height, width }) if height == width => height,
            Some(_) => return Err("crop_size must be a square".to_owned()),
        };
        if crop != image {
            return Err(format!(
                "crop_size is {crop}, and vision_config.image_size {image}"
            ));
        }
        if side < crop {
            return Err(format!("size is {side}, less than crop_size, {crop}"));
        }
        // OpenAI's, which the processor's class has as well.
        let mean = [0.481_454_66, 0.457_827_5, 0.408_210_73];
        let deviation = [0.268_629_54, 0.261_302_6, 0.275_777_1];
        let mean = settings.image_mean.unwrap_or(mean);
        let deviation = settings.image_std.unwrap_or(deviation);
        if deviation.contains(&0.0) {
            return Err("image_std must not be 0".to_owned());
        }
        let tables = std::array::from_fn(|channel| {
            std::array::from_fn(|byte| (byte as f32 / 255.0 - mean[channel]) / deviation[channel])
        });
        Ok(Self { side, crop, tables })
    }
}
