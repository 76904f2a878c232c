//! A manifest for a checkpoint of the published trainer, from a clone of its repository: the rubric texts and settings are
//! read where its code has them, since they are not ours to ship and a checkpoint is only right with the text it was trained
//! with. Python and YAML are read, never run.
//!
//! Each setting is taken as the published inference code takes it, which is not always as it is written; the file that
//! decides is named at each. Commit edb027e of <https://github.com/TIGER-AI-Lab/EditReward>.

mod python;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::config::{BackboneKind, Config};
use super::error::ModelError;
use super::manifest::{HeadKind, Manifest, Pixels, Positions, RewardToken, Rubrics};
use super::preprocess::Processor;
use crate::domain::Aggregate;
use settings::{Settings, candidates, names};

const PROMPTS: &str = "dataset/prompts.py";
const CLOSINGS: &str = "dataset/data_collator_qwen_edit.py";

/// A manifest made from a clone, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// For `reward.toml`.
    pub manifest: Manifest,
    /// The settings file that was followed: `model_config.json` of the checkpoint or a YAML of the clone.
    pub settings: PathBuf,
}

/// Makes the manifest of the checkpoint in `dir` from `repo`, a clone of the published repository.
///
/// Settings are those the trainer saved beside the checkpoint, else the one YAML of the clone that is for this backbone;
/// `config` names another (`EditReward-Qwen3-VL` or a path). It is an error if several fit and differ.
pub fn adopt(
    repo: &Path,
    dir: &Path,
    config: Option<&str>,
    name: Option<&str>,
) -> Result<Adopted, ModelError> {
    let package = package(repo)?;
    let backbone = Config::read(dir)?;
    let texts = Texts::read(&package)?;
    let candidates = candidates(&package, dir, &backbone, config)?;
    let mut adopted: Vec<Adopted> = Vec::new();
    for (settings, path) in candidates {
        let mut manifest = manifest(&settings, &texts, dir, backbone.kind)
            .map_err(|reason| ModelError::config(&path, reason))?;
        manifest.name = name.map_or_else(|| own_name(dir), str::to_owned);
        adopted.push(Adopted {
            manifest,
            settings: path,
        });
    }
    let differ = adopted
        .windows(2)
        .any(|pair| pair[0].manifest != pair[1].manifest);
    let names = names(adopted.iter().map(|adopted| &adopted.settings));
    let first = adopted.into_iter().next().filter(|_| !differ);
    first.ok_or_else(|| {
        ModelError::config(
            dir,
            format!("several settings of the clone may be this model's, and they differ; choose with --config: {names}"),
        )
    })
}

/// The Python package in a clone, which may also be given itself.
fn package(repo: &Path) -> Result<PathBuf, ModelError> {
    [repo.join("EditReward"), repo.to_owned()]
        .into_iter()
        .find(|package| package.join(PROMPTS).is_file())
        .ok_or_else(|| {
            ModelError::config(
                repo,
                format!(
                    "no EditReward/{PROMPTS} here; give a clone of https://github.com/TIGER-AI-Lab/EditReward"
                ),
            )
        })
}

/// The texts of the published code.
struct Texts {
    prompts: (PathBuf, BTreeMap<String, String>),
    closings: (PathBuf, BTreeMap<String, String>),
}

impl Texts {
    fn read(package: &Path) -> Result<Self, ModelError> {
        let constants = |file: &str| {
            let path = package.join(file);
            let source = fs::read_to_string(&path).map_err(ModelError::read(&path))?;
            Ok::<_, ModelError>((path, python::constants(&source)))
        };
        Ok(Self {
            prompts: constants(PROMPTS)?,
            closings: constants(CLOSINGS)?,
        })
    }

    fn prompt(&self, name: &str) -> Result<String, String> {
        find(&self.prompts, name)
    }

    fn closing(&self, name: &str) -> Result<String, String> {
        find(&self.closings, name)
    }
}

fn find(
    (path, constants): &(PathBuf, BTreeMap<String, String>),
    name: &str,
) -> Result<String, String> {
    constants.get(name).cloned().ok_or_else(|| {
        format!(
            "the text {name} is not in '{}' as a plain constant; use an unchanged clone",
            path.display()
        )
    })
}

fn manifest(
    settings: &Settings,
    texts: &Texts,
    dir: &Path,
    kind: BackboneKind,
) -> Result<Manifest, String> {
    let head = head(settings)?;
    let special = settings.truth("use_special_tokens");
    // `inference_edit.py` and both collators choose the closing text by use_special_tokens alone.
    let closing = texts.closing(if special {
        "prompt_with_special_token"
    } else {
        "prompt_without_special_token"
    })?;
    let rubric = Rubrics {
        // "dim1" and "dim2" of `prepare_batch` in `inference_edit.py`.
        instruction_following: texts.prompt("INSTRUCTION_EDIT_FOLLOWING")?,
        visual_quality: texts.prompt("INSTRUCTION_EDIT_QUALITY")?,
        overall: (head == HeadKind::Single)
            .then(|| overall(settings, texts))
            .transpose()?,
        closing,
    };
    let (positions, pixels) = match kind {
        // `inference_edit.py` sets both bounds itself, and the collator of training drops max_pixels and min_pixels of the
        // YAML on the way (`_build_batch` in `data_collator_qwen_edit.py`). The wrapper in `model/qwen2_5_vl_trainer.py` hands
        // the language model embeddings without ids or grids, so positions count up.
        BackboneKind::Qwen2_5Vl => (
            Positions::Sequential,
            Pixels {
                min: 256 * 28 * 28,
                max: 256 * 28 * 28,
            },
        ),
        // `inference_qwen3_vl_edit.py` leaves images to the processor, which does not look at the bounds in the messages; the
        // wrapper in `model/qwen3_vl_trainer.py` hands on ids and grids.
        BackboneKind::Qwen3Vl => (
            Positions::Mrope,
            Processor::own_budget(dir, kind).map_err(|error| error.to_string())?,
        ),
    };
    let mut manifest = Manifest::new("", positions, pixels, rubric);
    manifest.head = head;
    manifest.aggregate = aggregate(settings)?;
    manifest.outputs = outputs(settings)?;
    // The wrapper's __init__ overrides reward_token wherever a special token was added.
    manifest.reward_token = match settings.get("reward_token", "last") {
        _ if special => RewardToken::Special,
        Some("last") => RewardToken::Last,
        Some("mean") => RewardToken::Mean,
        other => {
            return Err(format!(
                "reward_token is '{}' without use_special_tokens",
                other.unwrap_or("null")
            ));
        }
    };
    // `special_tokens` in `create_model_and_processor` of `train_qwen2_5_edit.py`: the text that Manifest::new has.
    Ok(manifest)
}

/// `rm_head_type`, by the branches of `forward` in `model/qwen2_5_vl_trainer.py`; it has none for "default".
fn head(settings: &Settings) -> Result<HeadKind, String> {
    if settings
        .get("rm_head_kwargs", "")
        .is_some_and(|value| !value.is_empty())
    {
        return Err(
            "rm_head_kwargs asks for heads of another form than the published ones".to_owned(),
        );
    }
    match settings.get("rm_head_type", "default") {
        Some("ranknet") => Ok(HeadKind::Single),
        Some("ranknet_share_head") => Ok(HeadKind::Shared),
        Some("ranknet_multi_head" | "ranknet_multi_head_regression") => Ok(HeadKind::Multi),
        other => Err(format!(
            "rm_head_type is '{}'; known are ranknet, ranknet_share_head, ranknet_multi_head, ranknet_multi_head_regression",
            other.unwrap_or("null")
        )),
    }
}

/// `pooling_strategy`, likewise: whatever is neither "min" nor "sum" is the mean. Null would give no aggregate at all.
fn aggregate(settings: &Settings) -> Result<Aggregate, String> {
    match settings.get("pooling_strategy", "min") {
        Some("min") => Ok(Aggregate::Min),
        Some("sum") => Ok(Aggregate::Sum),
        Some(_) => Ok(Aggregate::Mean),
        None => Err(
            "pooling_strategy is null, so the model has no aggregate; write mean, min or sum"
                .to_owned(),
        ),
    }
}

fn outputs(settings: &Settings) -> Result<usize, String> {
    match settings.get("output_dim", "1") {
        Some("1") => Ok(1),
        Some("2") => Ok(2),
        other => Err(format!(
            "output_dim is '{}', not 1 or 2",
            other.unwrap_or("null")
        )),
    }
}

/// The one rubric of a single head: `reward_dim`, by `prepare_batch` in `inference_edit.py`.
fn overall(settings: &Settings, texts: &Texts) -> Result<String, String> {
    texts.prompt(match settings.get("reward_dim", "dim1") {
        Some("dim1") => "INSTRUCTION_EDIT_FOLLOWING",
        Some("dim2") => "INSTRUCTION_EDIT_QUALITY",
        Some("overall") => "INSTRUCTION_EDIT_OVERALL",
        Some("overall_detail") => "INSTRUCTION_EDIT_OVERALL_DETAILED",
        other => {
            return Err(format!(
                "reward_dim is '{}'; known are dim1, dim2, overall, overall_detail",
                other.unwrap_or("null")
            ));
        }
    })
}

/// The folder's name.
fn own_name(dir: &Path) -> String {
    let whole = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    whole
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
