//! The files a checkpoint may lie in, and their tables of contents, checked before anything is mapped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::tensor::Metadata;

use super::error::ModelError;

/// The longest header that is believed, as in the safetensors crate: 100 MB.
const MAX_HEADER: u64 = 100_000_000;

/// The weights files in `dir`: `model.pth` (as the published loader does, before all else), one `model.safetensors`, or
/// shards, with or without their index.
pub(super) fn find(dir: &Path) -> Result<Vec<PathBuf>, ModelError> {
    for name in ["model.pth", "model.safetensors"] {
        let path = dir.join(name);
        if path.is_file() {
            return Ok(vec![path]);
        }
    }
    let index = dir.join("model.safetensors.index.json");
    let names: Vec<String> = if index.is_file() {
        indexed(&index)?
    } else {
        // An index gets lost easily, and the shards say all that is needed.
        let entries = fs::read_dir(dir).map_err(ModelError::read(dir))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                let is_shard = Path::new(name)
                    .extension()
                    .is_some_and(|e| e == "safetensors");
                is_shard && name.starts_with("model-")
            })
            .collect();
        names.sort_unstable();
        names
    };
    let adapter = dir.join("adapter_model.safetensors");
    if names.is_empty() && adapter.is_file() {
        return Err(ModelError::Weights {
            path: adapter,
            reason: "it is an adapter, not a whole model; merge it into its base model first"
                .into(),
        });
    }
    if names.is_empty() {
        return Err(ModelError::NotAModel {
            dir: dir.to_owned(),
            missing: "weights ('model.safetensors', shards of it, or 'model.pth')",
        });
    }
    Ok(names.iter().map(|name| dir.join(name)).collect())
}

/// The distinct shards an index names, in order.
fn indexed(path: &Path) -> Result<Vec<String>, ModelError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = fs::read_to_string(path).map_err(ModelError::read(path))?;
    let index: Index =
        serde_json::from_str(&text).map_err(|e| ModelError::config(path, e.to_string()))?;
    let mut names: Vec<String> = index.weight_map.into_values().collect();
    names.sort_unstable();
    names.dedup();
    match names
        .iter()
        .find(|name| Path::new(name).file_name() != Some(name.as_ref()))
    {
        Some(name) => Err(ModelError::config(
            path,
            format!("'{name}' is not a plain file name"),
        )),
        None => Ok(names),
    }
}

/// A safetensors file's table of contents, checked against the file's length.
pub(super) fn read_header(path: &Path) -> Result<Metadata, ModelError> {
    let unreadable = |reason: String| ModelError::Weights {
        path: path.to_owned(),
        reason,
    };
    let mut file = File::open(path).map_err(ModelError::read(path))?;
    let found = file.metadata().map_err(ModelError::read(path))?.len();
    let mut length = [0; 8];
    if found < 8 {
        return Err(ModelError::Truncated {
            path: path.to_owned(),
            promised: 8,
            found,
        });
    }
    file.read_exact(&mut length)
        .map_err(ModelError::read(path))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(unreadable(
            "it does not begin like a safetensors file".into(),
        ));
    }
    if found < 8 + length {
        return Err(ModelError::Truncated {
            path: path.to_owned(),
            promised: 8 + length,
            found,
        });
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)
        .map_err(ModelError::read(path))?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| unreadable(error.to_string()))?;
    let promised = 8 + length + metadata.data_len() as u64;
    if promised != found {
        return Err(ModelError::Truncated {
            path: path.to_owned(),
            promised,
            found,
        });
    }
    Ok(metadata)
}

/// The length of a safetensors file's header, with the eight bytes in front of it.
pub(super) fn header_length(first: [u8; 8], file: u64) -> u64 {
    u64::from_le_bytes(first)
        .min(MAX_HEADER)
        .saturating_add(8)
        .min(file)
}
