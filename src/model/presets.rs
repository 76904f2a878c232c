//! The dimensions of well-known backbones, and of a small one.
//!
//! For models of random weights and for tests; a model directory always brings its own `config.json`.

use std::fmt;
use std::str::FromStr;

use candle_core::DType;
use serde_json::{Value, json};

use super::config::BackboneKind;

/// A backbone to take the dimensions of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// Qwen2.5-VL-3B.
    Qwen2_5Vl3b,
    /// Qwen2.5-VL-7B.
    Qwen2_5Vl7b,
    /// Qwen2.5-VL-32B.
    Qwen2_5Vl32b,
    /// MiMo-VL-7B, its vision tower not checked against the release: to measure with, not to compare with.
    MimoVl7b,
    /// Qwen3-VL-8B.
    Qwen3Vl8b,
    /// Qwen2.5-VL at a quarter of the width and some of the depth, to measure CPUs with.
    Medium,
    /// Qwen2.5-VL at a hundredth of the width, to try things with.
    Small,
}

/// Ids of special tokens that a configuration names.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpecialTokens {
    pub(super) image_pad: u32,
    pub(super) vision_start: u32,
}

/// (hidden, layers, heads, key/value heads, inner) of a Qwen2.5 language model, the inner size of its vision tower, its
/// rotary base.
struct Qwen2_5 {
    text: [usize; 5],
    vision_inner: usize,
    theta: f64,
}

impl Like {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Qwen2_5Vl3b,
        Self::Qwen2_5Vl7b,
        Self::Qwen2_5Vl32b,
        Self::MimoVl7b,
        Self::Qwen3Vl8b,
        Self::Medium,
        Self::Small,
    ];

    /// The name in flags.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Qwen2_5Vl3b => "qwen2.5-vl-3b",
            Self::Qwen2_5Vl7b => "qwen2.5-vl-7b",
            Self::Qwen2_5Vl32b => "qwen2.5-vl-32b",
            Self::MimoVl7b => "mimo-vl-7b",
            Self::Qwen3Vl8b => "qwen3-vl-8b",
            Self::Medium => "medium",
            Self::Small => "small",
        }
    }

    pub(super) const fn kind(self) -> BackboneKind {
        match self {
            Self::Qwen3Vl8b => BackboneKind::Qwen3Vl,
            _ => BackboneKind::Qwen2_5Vl,
        }
    }

    /// The format its weights are written in; small models are read on CPUs, where f16 loses less than bf16.
    pub(super) const fn dtype(self) -> DType {
        match self {
            Self::Medium | Self::Small => DType::F16,
            _ => DType::BF16,
        }
    }

    /// Rows of the published embedding, before a trainer resizes it.
    pub(super) const fn vocabulary(self) -> usize {
        match self {
            Self::Qwen2_5Vl3b | Self::Qwen3Vl8b => 151_936,
            Self::Qwen2_5Vl7b | Self::Qwen2_5Vl32b => 152_064,
            Self::MimoVl7b => 151_680,
            Self::Medium | Self::Small => 1203,
        }
    }

    /// `config.json`, as the hub's files are laid out.
    pub(super) fn config(self, vocabulary: usize, tokens: SpecialTokens) -> Value {
        let mut config = match self {
            Self::Qwen2_5Vl3b => qwen2_5(&Qwen2_5 {
                text: [2048, 36, 16, 2, 11_008],
                vision_inner: 3420,
                theta: 1e6,
            }),
            Self::Qwen2_5Vl7b => qwen2_5(&Qwen2_5 {
                text: [3584, 28, 28, 4, 18_944],
                vision_inner: 3420,
                theta: 1e6,
            }),
            Self::Qwen2_5Vl32b => qwen2_5(&Qwen2_5 {
                text: [5120, 64, 40, 8, 27_648],
                vision_inner: 3456,
                theta: 1e6,
            }),
            Self::MimoVl7b => qwen2_5(&Qwen2_5 {
                text: [4096, 36, 32, 8, 11_008],
                vision_inner: 3456,
                theta: 640_000.0,
            }),
            Self::Qwen3Vl8b => qwen3_8b(),
            Self::Medium => medium(),
            Self::Small => small(),
        };
        let text = match self.kind() {
            BackboneKind::Qwen2_5Vl => &mut config,
            BackboneKind::Qwen3Vl => &mut config["text_config"],
        };
        text["vocab_size"] = vocabulary.into();
        config["image_token_id"] = tokens.image_pad.into();
        config["vision_start_token_id"] = tokens.vision_start.into();
        config
    }

    /// `preprocessor_config.json`.
    pub(super) fn preprocessor(self) -> Value {
        match self.kind() {
            BackboneKind::Qwen2_5Vl => json!({
                "image_processor_type": "Qwen2VLImageProcessor",
                "min_pixels": 3136, "max_pixels": 12_845_056,
                "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
                "image_mean": [0.481_454_66, 0.457_827_5, 0.408_210_73],
                "image_std": [0.268_629_54, 0.261_302_58, 0.275_777_11],
            }),
            BackboneKind::Qwen3Vl => json!({
                "image_processor_type": "Qwen2VLImageProcessorFast",
                "size": {"shortest_edge": 65_536, "longest_edge": 16_777_216},
                "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2,
                "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
            }),
        }
    }
}

impl FromStr for Like {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|like| like.key() == text)
            .ok_or_else(|| {
                let known: Vec<String> = Self::ALL.iter().map(|l| format!("'{l}'")).collect();
                format!("'{text}' is not known; use one of {}", known.join(", "))
            })
    }
}

impl fmt::Display for Like {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

fn qwen2_5(sizes: &Qwen2_5) -> Value {
    let [hidden, layers, heads, kv_heads, inner] = sizes.text;
    json!({
        "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
        "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "intermediate_size": inner, "hidden_act": "silu",
        "rms_norm_eps": 1e-6, "rope_theta": sizes.theta, "max_position_embeddings": 128_000,
        "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
        "use_sliding_window": false, "tie_word_embeddings": false,
        "vision_config": {
            "depth": 32, "hidden_size": 1280, "intermediate_size": sizes.vision_inner, "num_heads": 16,
            "in_chans": 3, "out_hidden_size": hidden, "patch_size": 14, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31],
            "hidden_act": "silu",
        },
    })
}

fn qwen3_8b() -> Value {
    json!({
        "architectures": ["Qwen3VLForConditionalGeneration"], "model_type": "qwen3_vl", "tie_word_embeddings": false,
        "text_config": {
            "model_type": "qwen3_vl_text", "hidden_size": 4096, "num_hidden_layers": 36,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12_288,
            "hidden_act": "silu", "attention_bias": false, "rms_norm_eps": 1e-6, "rope_theta": 5_000_000,
            "max_position_embeddings": 262_144,
            "rope_scaling": {"mrope_interleaved": true, "mrope_section": [24, 20, 20], "rope_type": "default"},
        },
        "vision_config": {
            "model_type": "qwen3_vl", "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16,
            "in_channels": 3, "out_hidden_size": 4096, "patch_size": 16, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24],
            "hidden_act": "gelu_pytorch_tanh",
        },
    })
}

fn medium() -> Value {
    let mut config = qwen2_5(&Qwen2_5 {
        text: [896, 12, 14, 2, 4864],
        vision_inner: 1712,
        theta: 1e6,
    });
    config["rope_scaling"]["mrope_section"] = json!([8, 12, 12]);
    let vision = [
        ("depth", json!(8)),
        ("hidden_size", json!(640)),
        ("num_heads", json!(8)),
        ("fullatt_block_indexes", json!([3, 7])),
    ];
    for (key, value) in vision {
        config["vision_config"][key] = value;
    }
    config
}

fn small() -> Value {
    json!({
        "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
        "hidden_size": 96, "num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 184, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1e6,
        "max_position_embeddings": 4096, "rope_scaling": {"type": "mrope", "mrope_section": [4, 4, 4]},
        "use_sliding_window": false, "tie_word_embeddings": false,
        "vision_config": {
            "depth": 6, "hidden_size": 64, "intermediate_size": 120, "num_heads": 4, "in_chans": 3,
            "out_hidden_size": 96, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "window_size": 112, "fullatt_block_indexes": [2, 5], "hidden_act": "silu",
        },
    })
}
