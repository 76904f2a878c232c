//! The tensors a checkpoint must have: their exact names and shapes, from a configuration and a kind of head.
//!
//! Two generations of names are in use. This code speaks the newer one (transformers from 4.52: `model.visual.…`,
//! `model.language_model.…`) and translates the older (`visual.…`, `model.…`) and what training wrappers put in front.

use super::config::{BackboneKind, Config, TextConfig, VisionConfig};
use super::manifest::HeadKind;

/// Where the vision tower's tensors are.
pub(super) const VISION: &str = "model.visual";
/// Where the language model's tensors are.
pub(super) const LANGUAGE: &str = "model.language_model";
/// The token embedding, whose number of rows follows the tokenizer and not the configuration.
pub(super) const EMBEDDING: &str = "model.language_model.embed_tokens.weight";
/// The output projection of a generating model: allowed, never loaded.
const LM_HEAD: &str = "lm_head.weight";
/// Hidden sizes of a reward head.
const HEAD_SIZES: [usize; 2] = [1024, 16];
/// The linear layers of a head within its `Sequential`; the others are ReLUs and a dropout.
pub(super) const HEAD_LAYERS: [usize; 3] = [0, 3, 5];

/// What transformers called things when a checkpoint was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `model.visual.…`, `model.language_model.…`.
    New,
    /// `visual.…`, `model.…`.
    Old,
}

impl Generation {
    /// A tensor's name in this generation, from its newer name.
    pub(super) fn of(self, name: &str) -> String {
        if self == Self::Old {
            if let Some(rest) = name.strip_prefix("model.visual.") {
                return format!("visual.{rest}");
            }
            if let Some(rest) = name.strip_prefix("model.language_model.") {
                return format!("model.{rest}");
            }
        }
        name.to_owned()
    }

    /// The generation in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::New => "model.visual / model.language_model",
            Self::Old => "visual / model",
        }
    }
}

/// A tensor that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
}

/// Every tensor of the newer generation that `config` with this head calls for, and no other. `rows`: of the embedding.
pub(super) fn expected(
    config: &Config,
    head: HeadKind,
    outputs: usize,
    rows: usize,
) -> Vec<Expected> {
    let mut list = List(Vec::new());
    match config.kind {
        BackboneKind::Qwen2_5Vl => vision(&mut list, &config.vision),
        BackboneKind::Qwen3Vl => vision_qwen3(&mut list, &config.vision),
    }
    text(&mut list, config.kind, &config.text, rows);
    for prefix in head_prefixes(head) {
        let mut from = config.text.hidden_size;
        for (layer, to) in HEAD_LAYERS
            .into_iter()
            .zip([HEAD_SIZES[0], HEAD_SIZES[1], outputs])
        {
            list.linear(&format!("{prefix}.{layer}"), from, to, true);
            from = to;
        }
    }
    list.0
}

/// Where the heads are, in the order of the axes.
pub(super) fn head_prefixes(head: HeadKind) -> &'static [&'static str] {
    match head {
        HeadKind::Single | HeadKind::Shared => &["rm_head"],
        HeadKind::Multi => &["rm_heads.head_0", "rm_heads.head_1"],
    }
}

/// Whether a tensor is a reward head's.
pub(super) fn is_head(name: &str) -> bool {
    name.starts_with("rm_head")
}

/// A stored name as this code knows it, and the generation it betrays.
pub(super) fn canonical(stored: &str) -> (String, Option<Generation>) {
    let mut name = stored;
    // What data-parallel wrappers, `torch.compile` and (merged) adapters put in front.
    while let Some(rest) = ["module.", "_orig_mod.", "base_model.model."]
        .iter()
        .find_map(|wrapper| name.strip_prefix(wrapper))
    {
        name = rest;
    }
    if name.starts_with("model.visual.") || name.starts_with("model.language_model.") {
        return (name.to_owned(), Some(Generation::New));
    }
    if let Some(rest) = name.strip_prefix("visual.") {
        return (format!("{VISION}.{rest}"), Some(Generation::Old));
    }
    if let Some(rest) = name.strip_prefix("model.")
        && ["embed_tokens.", "layers.", "norm."]
            .iter()
            .any(|part| rest.starts_with(part))
    {
        return (format!("{LANGUAGE}.{rest}"), Some(Generation::Old));
    }
    (name.to_owned(), None)
}

/// Tensors that some checkpoints carry and no reward needs.
pub(super) fn is_superfluous(canonical: &str) -> bool {
    canonical == LM_HEAD || canonical.ends_with("rotary_emb.inv_freq")
}

struct List(Vec<Expected>);

impl List {
    fn push(&mut self, name: String, shape: &[usize]) {
        self.0.push(Expected {
            name,
            shape: shape.to_vec(),
        });
    }

    fn linear(&mut self, at: &str, from: usize, to: usize, bias: bool) {
        self.push(format!("{at}.weight"), &[to, from]);
        if bias {
            self.push(format!("{at}.bias"), &[to]);
        }
    }

    fn layer_norm(&mut self, at: &str, size: usize) {
        self.push(format!("{at}.weight"), &[size]);
        self.push(format!("{at}.bias"), &[size]);
    }
}

fn patch_embed(list: &mut List, vision: &VisionConfig) {
    list.push(
        format!("{VISION}.patch_embed.proj.weight"),
        &[
            vision.hidden_size,
            vision.in_channels,
            vision.temporal_patch_size,
            vision.patch_size,
            vision.patch_size,
        ],
    );
}

fn vision(list: &mut List, vision: &VisionConfig) {
    let (hidden, inner) = (vision.hidden_size, vision.intermediate_size);
    patch_embed(list, vision);
    for block in 0..vision.depth {
        let at = format!("{VISION}.blocks.{block}");
        list.push(format!("{at}.norm1.weight"), &[hidden]);
        list.push(format!("{at}.norm2.weight"), &[hidden]);
        list.linear(&format!("{at}.attn.qkv"), hidden, 3 * hidden, true);
        list.linear(&format!("{at}.attn.proj"), hidden, hidden, true);
        list.linear(&format!("{at}.mlp.gate_proj"), hidden, inner, true);
        list.linear(&format!("{at}.mlp.up_proj"), hidden, inner, true);
        list.linear(&format!("{at}.mlp.down_proj"), inner, hidden, true);
    }
    let merged = merged(vision);
    list.push(format!("{VISION}.merger.ln_q.weight"), &[hidden]);
    list.linear(&format!("{VISION}.merger.mlp.0"), merged, merged, true);
    let out = vision.out_hidden_size;
    list.linear(&format!("{VISION}.merger.mlp.2"), merged, out, true);
}

fn vision_qwen3(list: &mut List, vision: &VisionConfig) {
    let (hidden, inner) = (vision.hidden_size, vision.intermediate_size);
    patch_embed(list, vision);
    list.push(format!("{VISION}.patch_embed.proj.bias"), &[hidden]);
    list.push(
        format!("{VISION}.pos_embed.weight"),
        &[vision.num_position_embeddings, hidden],
    );
    for block in 0..vision.depth {
        let at = format!("{VISION}.blocks.{block}");
        list.layer_norm(&format!("{at}.norm1"), hidden);
        list.layer_norm(&format!("{at}.norm2"), hidden);
        list.linear(&format!("{at}.attn.qkv"), hidden, 3 * hidden, true);
        list.linear(&format!("{at}.attn.proj"), hidden, hidden, true);
        list.linear(&format!("{at}.mlp.linear_fc1"), hidden, inner, true);
        list.linear(&format!("{at}.mlp.linear_fc2"), inner, hidden, true);
    }
    let merged = merged(vision);
    let mut merger = |at: String, norm: usize| {
        list.layer_norm(&format!("{at}.norm"), norm);
        list.linear(&format!("{at}.linear_fc1"), merged, merged, true);
        list.linear(
            &format!("{at}.linear_fc2"),
            merged,
            vision.out_hidden_size,
            true,
        );
    };
    merger(format!("{VISION}.merger"), hidden);
    for index in 0..vision.deepstack_visual_indexes.len() {
        merger(format!("{VISION}.deepstack_merger_list.{index}"), merged);
    }
}

/// Features of the four patches that one visual token joins.
fn merged(vision: &VisionConfig) -> usize {
    vision.hidden_size * vision.spatial_merge_size * vision.spatial_merge_size
}

fn text(list: &mut List, kind: BackboneKind, text: &TextConfig, rows: usize) {
    let (hidden, inner, head) = (text.hidden_size, text.intermediate_size, text.head_dim());
    let (queries, keys) = (
        text.num_attention_heads * head,
        text.num_key_value_heads * head,
    );
    let bias = kind == BackboneKind::Qwen2_5Vl;
    list.push(EMBEDDING.to_owned(), &[rows, hidden]);
    for layer in 0..text.num_hidden_layers {
        let at = format!("{LANGUAGE}.layers.{layer}");
        list.linear(&format!("{at}.self_attn.q_proj"), hidden, queries, bias);
        list.linear(&format!("{at}.self_attn.k_proj"), hidden, keys, bias);
        list.linear(&format!("{at}.self_attn.v_proj"), hidden, keys, bias);
        list.linear(&format!("{at}.self_attn.o_proj"), queries, hidden, false);
        if kind == BackboneKind::Qwen3Vl {
            list.push(format!("{at}.self_attn.q_norm.weight"), &[head]);
            list.push(format!("{at}.self_attn.k_norm.weight"), &[head]);
        }
        list.linear(&format!("{at}.mlp.gate_proj"), hidden, inner, false);
        list.linear(&format!("{at}.mlp.up_proj"), hidden, inner, false);
        list.linear(&format!("{at}.mlp.down_proj"), inner, hidden, false);
        list.push(format!("{at}.input_layernorm.weight"), &[hidden]);
        list.push(format!("{at}.post_attention_layernorm.weight"), &[hidden]);
    }
    list.push(format!("{LANGUAGE}.norm.weight"), &[hidden]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::model::golden::reference;
    use crate::model::presets::{Like, SpecialTokens};

    const TOKENS: SpecialTokens = SpecialTokens {
        image_pad: 151_655,
        vision_start: 151_652,
    };

    fn names(like: Like, rows: usize) -> BTreeMap<String, Vec<usize>> {
        let text = like.config(rows, TOKENS).to_string();
        let config = Config::parse(&text, Path::new("config.json")).unwrap();
        let list = expected(&config, HeadKind::Multi, 2, rows);
        let count = list.len();
        let mut map: BTreeMap<_, _> = list.into_iter().map(|t| (t.name, t.shape)).collect();
        assert_eq!(map.len(), count, "a name occurs twice");
        map.insert(LM_HEAD.to_owned(), vec![rows, config.text.hidden_size]);
        map
    }

    fn parameters(names: &BTreeMap<String, Vec<usize>>) -> usize {
        names
            .values()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }

    /// With the rows that a tokenizer of 151,665 tokens and a reward token needs.
    #[test]
    fn the_7b_model_has_741_tensors_and_8_296_688_740_parameters() {
        let names = names(Like::Qwen2_5Vl7b, 151_666);
        assert_eq!(names.len(), 741);
        assert_eq!(parameters(&names), 8_296_688_740);
        assert_eq!(names["rm_heads.head_1.5.weight"], [2, 16]);
        assert_eq!(
            names["model.language_model.layers.27.self_attn.k_proj.bias"],
            [512]
        );
    }

    /// Names and shapes as a trained checkpoint of the published code lists them, in both generations.
    #[test]
    fn the_7b_names_and_shapes_are_the_recorded_ones_in_both_generations() {
        let Some(folder) = reference() else { return };
        let path = folder.join("golden/tensors_qwen2.5-vl-7b_reward.json");
        let text = std::fs::read_to_string(path).unwrap();
        let recorded: BTreeMap<String, Vec<usize>> = serde_json::from_str(&text).unwrap();
        let own = names(Like::Qwen2_5Vl7b, 151_666);
        assert!(own.keys().eq(recorded.keys()));
        for (name, shape) in &own {
            assert_eq!(shape, &recorded[name], "{name}");
            for generation in [Generation::New, Generation::Old] {
                let (back, telling) = canonical(&generation.of(name));
                assert_eq!(&back, name);
                assert!(telling.is_none_or(|found| found == generation), "{name}");
            }
        }
    }

    #[test]
    fn the_older_names_lack_the_wrappers_of_the_newer() {
        for (new, old) in [
            (
                "model.visual.merger.ln_q.weight",
                "visual.merger.ln_q.weight",
            ),
            (EMBEDDING, "model.embed_tokens.weight"),
            ("model.language_model.norm.weight", "model.norm.weight"),
            ("rm_heads.head_0.0.bias", "rm_heads.head_0.0.bias"),
        ] {
            assert_eq!(Generation::Old.of(new), old);
            assert_eq!(canonical(old).0, new);
            assert_eq!(canonical(&format!("module.{old}")).0, new);
            assert_eq!(canonical(&format!("base_model.model.{new}")).0, new);
        }
    }

    #[test]
    fn a_single_or_shared_head_has_no_number() {
        let text = Like::Small.config(1203, TOKENS).to_string();
        let config = Config::parse(&text, Path::new("config.json")).unwrap();
        for head in [HeadKind::Single, HeadKind::Shared] {
            let list = expected(&config, head, 1, 1203);
            let heads: Vec<&Expected> = list
                .iter()
                .filter(|t| t.name.starts_with("rm_head"))
                .collect();
            assert_eq!(heads.len(), 6);
            assert_eq!(heads[4].name, "rm_head.5.weight");
            assert_eq!(heads[4].shape, [1, 16]);
        }
    }
}
