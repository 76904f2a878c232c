//! `config.json`: the dimensions of a backbone, with the field names Hugging Face gives them.
//!
//! Two layouts are in use: flat (the hub's files for Qwen2.5-VL, text fields at the top) and nested (`text_config`, written by
//! newer versions of transformers, which may leave stale values at the top). A nested value always wins. Refuses what this
//! code would compute wrongly: other activations, sliding windows, other merge sizes.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ModelError;

/// Which family of vision-language model a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackboneKind {
    /// Qwen2.5-VL, and MiMo-VL, which is the same architecture with its own dimensions.
    Qwen2_5Vl,
    /// Qwen3-VL.
    Qwen3Vl,
}

impl BackboneKind {
    /// The family's name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qwen2_5Vl => "Qwen2.5-VL",
            Self::Qwen3Vl => "Qwen3-VL",
        }
    }

    /// `model_type` in `config.json`.
    pub const fn model_type(self) -> &'static str {
        match self {
            Self::Qwen2_5Vl => "qwen2_5_vl",
            Self::Qwen3Vl => "qwen3_vl",
        }
    }
}

/// A backbone's configuration.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) kind: BackboneKind,
    pub(super) text: TextConfig,
    pub(super) vision: VisionConfig,
}

/// The language model.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TextConfig {
    /// Rows of the embedding as configured; the weights may have another number after a resize, and theirs counts.
    pub(super) vocab_size: usize,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) num_key_value_heads: usize,
    head_dim: Option<usize>,
    pub(super) rms_norm_eps: f64,
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default)]
    attention_bias: bool,
    rope_theta: Option<f64>,
    rope_scaling: Option<RopeScaling>,
    /// Where transformers 5 keeps what used to be `rope_theta` and `rope_scaling`.
    rope_parameters: Option<RopeScaling>,
}

/// How the rotary angles are shared among the three position axes.
#[derive(Debug, Clone, Deserialize)]
struct RopeScaling {
    rope_theta: Option<f64>,
    mrope_section: Option<Vec<usize>>,
}

/// The vision tower. Fields of one family only are `Option`al or defaulted; [`Config::read`] checks that they are there.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct VisionConfig {
    pub(super) depth: usize,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_heads: usize,
    pub(super) out_hidden_size: usize,
    #[serde(default = "three")]
    pub(super) in_channels: usize,
    pub(super) patch_size: usize,
    #[serde(default = "two")]
    pub(super) temporal_patch_size: usize,
    #[serde(default = "two")]
    pub(super) spatial_merge_size: usize,
    hidden_act: Option<String>,
    /// Qwen2.5-VL: the side of an attention window, in pixels.
    #[serde(default)]
    pub(super) window_size: usize,
    /// Qwen2.5-VL: the blocks that attend over the whole image.
    #[serde(default)]
    pub(super) fullatt_block_indexes: Vec<usize>,
    /// Qwen3-VL: the size of the learned position grid (a square number).
    #[serde(default)]
    pub(super) num_position_embeddings: usize,
    /// Qwen3-VL: the blocks whose output also goes to the first layers of the language model.
    #[serde(default)]
    pub(super) deepstack_visual_indexes: Vec<usize>,
}

fn silu() -> String {
    "silu".into()
}

const fn two() -> usize {
    2
}

const fn three() -> usize {
    3
}

impl Config {
    /// Reads `config.json` in `dir`.
    pub(super) fn read(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join("config.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && dir.is_dir() => {
                return Err(ModelError::NotAModel {
                    dir: dir.to_owned(),
                    missing: "config.json",
                });
            }
            Err(error) => return Err(ModelError::read(&path)(error)),
        };
        Self::parse(&text, &path)
    }

    /// From the text of a configuration; `path` is for messages.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ModelError> {
        let fault = |reason: String| ModelError::config(path, reason);
        let Value::Object(top) =
            serde_json::from_str(text).map_err(|e| fault(format!("not valid JSON: {e}")))?
        else {
            return Err(fault("not a JSON object".into()));
        };
        let kind = match top.get("model_type").and_then(Value::as_str) {
            Some("qwen2_5_vl") => BackboneKind::Qwen2_5Vl,
            Some("qwen3_vl") => BackboneKind::Qwen3Vl,
            other => {
                return Err(ModelError::UnsupportedModel {
                    path: path.to_owned(),
                    found: other.unwrap_or_default().to_owned(),
                });
            }
        };
        let config = Self {
            kind,
            text: section(&overlay(&top, "text_config"), "text_config").map_err(fault)?,
            vision: section(
                top.get("vision_config")
                    .and_then(Value::as_object)
                    .ok_or_else(|| fault("there is no 'vision_config'".into()))?,
                "vision_config",
            )
            .map_err(fault)?,
        };
        config.validate().map_err(fault)?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), String> {
        self.text.validate(self.kind)?;
        self.vision.validate(self.kind)?;
        let (out, hidden) = (self.vision.out_hidden_size, self.text.hidden_size);
        ensure(out == hidden, || {
            format!(
                "vision_config: out_hidden_size is {out}, but the language model's hidden_size is {hidden}"
            )
        })?;
        let (stacked, layers) = (
            self.vision.deepstack_visual_indexes.len(),
            self.text.num_hidden_layers,
        );
        ensure(stacked <= layers, || {
            format!("vision_config: {stacked} deepstack_visual_indexes for {layers} layers")
        })
    }

    /// The backbone in words, "Qwen2.5-VL, 28 × 3584".
    pub(super) fn describe(&self) -> String {
        format!(
            "{}, {} × {}",
            self.kind.name(),
            self.text.num_hidden_layers,
            self.text.hidden_size
        )
    }
}

impl TextConfig {
    /// Features of one attention head.
    pub(super) fn head_dim(&self) -> usize {
        self.head_dim
            .unwrap_or(self.hidden_size / self.num_attention_heads)
    }

    /// The base of the rotary frequencies.
    pub(super) fn rope_theta(&self) -> f64 {
        let nested = self.rope_parameters.as_ref().and_then(|p| p.rope_theta);
        // 10,000 is what transformers' configuration classes assume.
        self.rope_theta.or(nested).unwrap_or(10_000.0)
    }

    /// How many rotary frequencies follow each axis (time, height, width), if positions may be three-dimensional.
    pub(super) fn mrope_section(&self) -> Option<&[usize]> {
        [&self.rope_parameters, &self.rope_scaling]
            .into_iter()
            .flatten()
            .find_map(|scaling| scaling.mrope_section.as_deref())
    }

    fn validate(&self, kind: BackboneKind) -> Result<(), String> {
        let at = |reason: String| Err(format!("text_config: {reason}"));
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return at(format!("{name} is 0"));
        }
        let (heads, groups, head_dim) = (
            self.num_attention_heads,
            self.num_key_value_heads,
            self.head_dim(),
        );
        if !heads.is_multiple_of(groups) {
            return at(format!(
                "num_attention_heads {heads} is not a multiple of num_key_value_heads {groups}"
            ));
        }
        if head_dim == 0 || head_dim % 2 != 0 {
            return at(format!("a head of {head_dim} features cannot be rotated"));
        }
        if kind == BackboneKind::Qwen2_5Vl && heads * head_dim != self.hidden_size {
            return at(format!(
                "{heads} heads of {head_dim} features are not hidden_size {}",
                self.hidden_size
            ));
        }
        if self.hidden_act != "silu" {
            return at(format!("hidden_act '{}' is not supported", self.hidden_act));
        }
        if self.use_sliding_window {
            return at("use_sliding_window is not supported".into());
        }
        if self.attention_bias && kind == BackboneKind::Qwen3Vl {
            return at("attention_bias is not supported".into());
        }
        match self.mrope_section() {
            Some(section)
                if section.len() != 3 || section.iter().sum::<usize>() * 2 != head_dim =>
            {
                at(format!(
                    "mrope_section {section:?} does not divide the {} frequencies of a head among three axes",
                    head_dim / 2
                ))
            }
            _ => Ok(()),
        }
    }
}

impl VisionConfig {
    /// Numbers in one patch row: (channel, time, y, x).
    pub(super) fn patch_columns(&self) -> usize {
        self.in_channels * self.temporal_patch_size * self.patch_size * self.patch_size
    }

    /// Side of an attention window in merged cells.
    pub(super) fn window_cells(&self) -> usize {
        self.window_size / self.spatial_merge_size / self.patch_size
    }

    /// Side of the learned position grid.
    pub(super) fn position_side(&self) -> usize {
        self.num_position_embeddings.isqrt()
    }

    fn validate(&self, kind: BackboneKind) -> Result<(), String> {
        let at = |reason: String| Err(format!("vision_config: {reason}"));
        let sizes = [
            ("depth", self.depth),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_heads", self.num_heads),
            ("patch_size", self.patch_size),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return at(format!("{name} is 0"));
        }
        // The rotary embedding gives each head four equal parts: two axes, two halves.
        if !self.hidden_size.is_multiple_of(self.num_heads * 4) {
            return at(format!(
                "hidden_size {} does not divide into {} heads of a multiple of 4 features",
                self.hidden_size, self.num_heads
            ));
        }
        for (name, value, wanted) in [
            ("spatial_merge_size", self.spatial_merge_size, 2),
            ("temporal_patch_size", self.temporal_patch_size, 2),
            ("in_channels", self.in_channels, 3),
        ] {
            if value != wanted {
                return at(format!("{name} {value} is not supported (only {wanted})"));
            }
        }
        let indexes = match kind {
            BackboneKind::Qwen2_5Vl => &self.fullatt_block_indexes,
            BackboneKind::Qwen3Vl => &self.deepstack_visual_indexes,
        };
        if let Some(index) = indexes.iter().find(|index| **index >= self.depth) {
            return at(format!(
                "there is no block {index} in a tower of {} blocks",
                self.depth
            ));
        }
        let (act, side) = (self.hidden_act.as_deref(), self.position_side());
        match kind {
            BackboneKind::Qwen2_5Vl if self.window_cells() == 0 => at(format!(
                "window_size {} is less than one merged patch",
                self.window_size
            )),
            BackboneKind::Qwen2_5Vl if !matches!(act, None | Some("silu")) => {
                at(format!("hidden_act {act:?} is not supported"))
            }
            BackboneKind::Qwen3Vl if !matches!(act, None | Some("gelu_pytorch_tanh")) => {
                at(format!("hidden_act {act:?} is not supported"))
            }
            BackboneKind::Qwen3Vl if side < 2 || side * side != self.num_position_embeddings => {
                at(format!(
                    "num_position_embeddings {} is not a square grid",
                    self.num_position_embeddings
                ))
            }
            _ => Ok(()),
        }
    }
}

fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

/// The top level with the fields of `name`, where there is such a section, laid over it.
fn overlay(top: &Map<String, Value>, name: &str) -> Map<String, Value> {
    let mut fields = top.clone();
    if let Some(Value::Object(nested)) = top.get(name) {
        fields.extend(nested.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    fields
}

fn section<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields.clone())).map_err(|e| format!("{name}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: &str = r#"{"model_type": "qwen2_5_vl", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
        "num_hidden_layers": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "vocab_size": 1280,
        "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        "vision_config": {"depth": 4, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "in_chans": 3,
            "out_hidden_size": 64, "patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1, 3]}}"#;

    fn parse(text: &str) -> Result<Config, ModelError> {
        Config::parse(text, Path::new("config.json"))
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_flat_configuration_is_read() {
        let config = parse(FLAT).unwrap();
        assert_eq!(config.kind, BackboneKind::Qwen2_5Vl);
        assert_eq!(config.text.head_dim(), 16);
        assert_eq!(config.text.mrope_section(), Some([2, 3, 3].as_slice()));
        assert_eq!(config.vision.window_cells(), 4);
        assert_eq!(config.describe(), "Qwen2.5-VL, 4 × 64");
    }

    #[test]
    fn nested_values_win_over_stale_ones_at_the_top() {
        let mut value: Value = serde_json::from_str(FLAT).unwrap();
        value["text_config"] = serde_json::json!({"vocab_size": 1203, "rms_norm_eps": 1e-5});
        let config = parse(&value.to_string()).unwrap();
        assert_eq!(config.text.vocab_size, 1203);
        assert!((config.text.rms_norm_eps - 1e-5).abs() < 1e-12);
        assert_eq!(config.text.hidden_size, 64);
    }

    #[test]
    fn the_rope_parameters_of_transformers_5_are_read() {
        let mut value: Value = serde_json::from_str(FLAT).unwrap();
        value["rope_theta"] = Value::Null;
        value["rope_scaling"] = Value::Null;
        value["rope_parameters"] = serde_json::json!({"rope_type": "default", "rope_theta": 5e6, "mrope_section": [4, 2, 2]});
        let config = parse(&value.to_string()).unwrap();
        assert_eq!(config.text.rope_theta(), 5e6);
        assert_eq!(config.text.mrope_section(), Some([4, 2, 2].as_slice()));
    }

    #[test]
    fn an_unknown_model_type_is_told_what_is_supported() {
        let text = message(&FLAT.replace("qwen2_5_vl", "llava"));
        assert!(
            text.contains("'llava'") && text.contains("'qwen3_vl'"),
            "{text}"
        );
    }

    #[test]
    fn faults_name_the_section_and_the_field() {
        for (from, to, wanted) in [
            (
                "\"hidden_size\": 64,",
                "",
                "text_config: missing field `hidden_size`",
            ),
            ("\"depth\": 4,", "", "vision_config: missing field `depth`"),
            (
                "\"depth\": 4,",
                "\"depth\": \"four\",",
                "vision_config: invalid type",
            ),
            ("[2, 3, 3]", "[2, 3, 4]", "mrope_section [2, 3, 4]"),
            ("[1, 3]", "[1, 4]", "no block 4"),
            (
                "\"out_hidden_size\": 64",
                "\"out_hidden_size\": 32",
                "out_hidden_size is 32",
            ),
            (
                "\"num_key_value_heads\": 2",
                "\"num_key_value_heads\": 3",
                "not a multiple",
            ),
            (
                "\"rms_norm_eps\"",
                "\"use_sliding_window\": true, \"rms_norm_eps\"",
                "use_sliding_window",
            ),
        ] {
            let text = message(&FLAT.replace(from, to));
            assert!(text.contains(wanted), "{text}");
        }
    }
}
