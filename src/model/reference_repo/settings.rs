//! The trainer's settings: YAML files of the clone, or what the trainer saved beside a checkpoint, and which of them a
//! checkpoint was made with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use yaml_rust2::{Yaml, YamlLoader};

use crate::model::config::{BackboneKind, Config};
use crate::model::error::ModelError;
use crate::model::tokenizer::json;

/// Where the clone keeps its settings.
pub(super) const FOLDER: &str = "config";

/// What the trainer saves beside a checkpoint: the settings it was really trained with.
pub(super) const SAVED: &str = "model_config.json";

/// Settings by name, from either kind of file.
#[derive(Debug, Default)]
pub(super) struct Settings(BTreeMap<String, Option<String>>);

impl Settings {
    fn from_yaml(path: &Path) -> Result<Self, ModelError> {
        let text = fs::read_to_string(path).map_err(ModelError::read(path))?;
        let documents = YamlLoader::load_from_str(&text)
            .map_err(|error| ModelError::config(path, error.to_string()))?;
        let scalar = |value: &Yaml| match value {
            Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
            Yaml::Integer(number) => Some(number.to_string()),
            Yaml::Boolean(truth) => Some(truth.to_string()),
            Yaml::Null | Yaml::BadValue | Yaml::Alias(_) => None,
            Yaml::Array(_) | Yaml::Hash(_) => Some("…".to_owned()),
        };
        let hash = documents.first().and_then(Yaml::as_hash);
        let entries = hash.into_iter().flatten();
        Ok(Self(
            entries
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), scalar(value))))
                .collect(),
        ))
    }

    /// `model_config.json`, which `save_configs_to_json` of `train_qwen2_5_edit.py` writes in sections.
    fn from_saved(saved: &Json) -> Self {
        let scalar = |value: &Json| match value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            Json::Array(_) | Json::Object(_) => Some("…".to_owned()),
            other => Some(other.to_string()),
        };
        let sections = ["data_config", "model_config"].map(|section| saved[section].as_object());
        let entries = sections.into_iter().flatten().flatten();
        Self(
            entries
                .map(|(key, value)| (key.clone(), scalar(value)))
                .collect(),
        )
    }

    /// A setting, or the default of `utils/parser.py` where it is not written; `None` where it is written as null.
    pub(super) fn get<'a>(&'a self, key: &str, default: &'a str) -> Option<&'a str> {
        self.0.get(key).map_or(Some(default), Option::as_deref)
    }

    pub(super) fn truth(&self, key: &str) -> bool {
        self.get(key, "false")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn base_model(&self) -> String {
        self.get("model_name_or_path", "")
            .unwrap_or_default()
            .to_lowercase()
    }
}

/// Settings that may be those of the checkpoint in `dir`, at least one.
pub(super) fn candidates(
    package: &Path,
    dir: &Path,
    backbone: &Config,
    config: Option<&str>,
) -> Result<Vec<(Settings, PathBuf)>, ModelError> {
    let folder = package.join(FOLDER);
    if let Some(config) = config {
        let path = named(&folder, config)?;
        return Ok(vec![(Settings::from_yaml(&path)?, path)]);
    }
    let path = dir.join(SAVED);
    if let Some(saved) = json::<Json>(&path)?
        && saved["model_config"].is_object()
    {
        return Ok(vec![(Settings::from_saved(&saved), path)]);
    }
    let all = yaml_files(&folder)?
        .into_iter()
        .map(|path| Ok((Settings::from_yaml(&path)?, path)))
        .collect::<Result<Vec<_>, ModelError>>()?;
    let known = names(all.iter().map(|(_, path)| path));
    let family = family(dir, backbone);
    let fitting: Vec<_> = all
        .into_iter()
        .filter(|(settings, _)| Family::of_name(&settings.base_model()) == family)
        .collect();
    if fitting.is_empty() {
        return Err(ModelError::config(
            &folder,
            format!(
                "no settings here are for {}; choose with --config: {known}",
                backbone.describe()
            ),
        ));
    }
    Ok(fitting)
}

/// The published repository's three lines of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Qwen2_5,
    MiMo,
    Qwen3,
}

impl Family {
    /// By a base model's name, as `is_qwen3_vl` of `model/qwen_vl_trainer.py` tells Qwen3-VL from the others.
    fn of_name(name: &str) -> Self {
        if name.contains("qwen3-vl") || name.contains("qwen3vl") {
            Self::Qwen3
        } else if name.contains("mimo") {
            Self::MiMo
        } else {
            Self::Qwen2_5
        }
    }
}

/// MiMo-VL-7B calls itself Qwen2.5-VL but has its own dimensions: 36 layers of 4096.
fn family(dir: &Path, backbone: &Config) -> Family {
    let mimo = (36, 4096);
    let named = dir
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let found = (backbone.text.num_hidden_layers, backbone.text.hidden_size);
    match backbone.kind {
        BackboneKind::Qwen3Vl => Family::Qwen3,
        BackboneKind::Qwen2_5Vl if found == mimo || named.contains("mimo") => Family::MiMo,
        BackboneKind::Qwen2_5Vl => Family::Qwen2_5,
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(ModelError::read(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml")
        })
        .collect();
    files.sort();
    Ok(files)
}

/// The settings file that `--config` means: a path, or a name in the clone's folder with or without its ending.
fn named(folder: &Path, config: &str) -> Result<PathBuf, ModelError> {
    let files = yaml_files(folder)?;
    let path = Path::new(config);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let known = names(&files);
    files
        .into_iter()
        .find(|file| [file.file_name(), file.file_stem()].contains(&Some(path.as_os_str())))
        .ok_or_else(|| {
            ModelError::config(
                folder,
                format!("no settings named '{config}' here; known are {known}"),
            )
        })
}

pub(super) fn names<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let names: Vec<_> = files
        .into_iter()
        .filter_map(|file| file.file_stem())
        .map(|stem| format!("'{}'", stem.to_string_lossy()))
        .collect();
    names.join(", ")
}
