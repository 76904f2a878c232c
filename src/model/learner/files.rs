//! A learner on disk: its whole state, to go on from to the last bit, and the model directory that comes of it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::ModelError;
use super::network::Network;
use super::optimizer::Moments;
use crate::model::manifest;
use crate::model::names;

/// Weights and moments of what is trained.
const STATE: &str = "learner.safetensors";
/// The optimizer's count.
const OPTIMIZER: &str = "optimizer.json";
/// Weights of one file at most, as the hub's larger models are cut.
const SHARD_BYTES: usize = 4_000_000_000;

#[derive(Debug, Serialize, Deserialize)]
struct OptimizerState {
    steps: u64,
}

impl Network {
    pub(super) fn write_state(&self, dir: &Path) -> Result<(), ModelError> {
        fs::create_dir_all(dir).map_err(ModelError::write(dir))?;
        let mut state = HashMap::new();
        for (name, trainee) in &self.tensors.trained {
            state.insert(format!("weight.{name}"), trainee.var.as_detached_tensor());
        }
        for (name, moments) in &self.optimizer.moments {
            state.insert(format!("mean.{name}"), moments.mean.clone());
            state.insert(format!("square.{name}"), moments.square.clone());
        }
        write_tensors(&dir.join(STATE), &state)?;
        let path = dir.join(OPTIMIZER);
        let steps = OptimizerState {
            steps: self.optimizer.steps,
        };
        let text = serde_json::to_string(&steps)
            .map_err(|error| ModelError::config(&path, error.to_string()))?;
        manifest::replace(&path, &text).map_err(ModelError::write(&path))
    }

    /// Nothing is changed where a file is missing or of another training.
    pub(super) fn read_state(&mut self, dir: &Path) -> Result<(), ModelError> {
        let path = dir.join(OPTIMIZER);
        let text = fs::read_to_string(&path).map_err(ModelError::read(&path))?;
        let steps: OptimizerState = serde_json::from_str(&text)
            .map_err(|error| ModelError::config(&path, error.to_string()))?;
        let path = dir.join(STATE);
        let mut state = candle_core::safetensors::load(&path, &Device::Cpu).map_err(|error| {
            ModelError::Weights {
                path: path.clone(),
                reason: error.to_string(),
            }
        })?;
        let mut weights = Vec::new();
        let mut moments = std::collections::BTreeMap::new();
        for (name, trainee) in &self.tensors.trained {
            let fits = |tensor: &Tensor| tensor.shape() == trainee.var.shape();
            let Some(weight) = state.remove(&format!("weight.{name}")).filter(fits) else {
                return Err(ModelError::Weights {
                    path,
                    reason: format!(
                        "it has no '{name}' of this shape, so it is the state of another training; resume with the plan it was made with"
                    ),
                });
            };
            let device = trainee.var.device();
            weights.push((trainee, weight.to_device(device)?));
            let mean = state.remove(&format!("mean.{name}")).filter(fits);
            let square = state.remove(&format!("square.{name}")).filter(fits);
            if let (Some(mean), Some(square)) = (mean, square) {
                let (mean, square) = (mean.to_device(device)?, square.to_device(device)?);
                moments.insert(name.clone(), Moments { mean, square });
            }
        }
        for (trainee, weight) in weights {
            trainee.var.set(&weight)?;
        }
        self.optimizer.moments = moments;
        self.optimizer.steps = steps.steps;
        Ok(())
    }

    /// The configuration last, so that a directory cut off half-way is no model.
    pub(super) fn write_model(&self, dir: &Path, name: &str) -> Result<(), ModelError> {
        fs::create_dir_all(dir).map_err(ModelError::write(dir))?;
        let last = "config.json";
        for entry in fs::read_dir(&self.dir).map_err(ModelError::read(&self.dir))? {
            let from = entry.map_err(ModelError::read(&self.dir))?.path();
            let Some(file) = from.file_name().map(ToOwned::to_owned) else {
                continue;
            };
            if from.is_file() && !is_weights(&file.to_string_lossy()) && file != last {
                let to = dir.join(file);
                fs::copy(&from, &to).map_err(ModelError::write(&to))?;
            }
        }
        let mut manifest = self.manifest.clone();
        name.clone_into(&mut manifest.name);
        manifest.trained = true;
        manifest.write(dir)?;
        self.write_weights(dir)?;
        let to = dir.join(last);
        let text = fs::read_to_string(self.dir.join(last)).map_err(ModelError::read(&self.dir))?;
        manifest::replace(&to, &text).map_err(ModelError::write(&to))
    }

    fn write_weights(&self, dir: &Path) -> Result<(), ModelError> {
        let size = |name: &str, numbers: usize| numbers * self.dtype_of(name).size_in_bytes();
        let mut shards: Vec<Vec<&str>> = vec![Vec::new()];
        let (mut bytes, mut total) = (0, 0);
        for tensor in &self.expected {
            let more = size(&tensor.name, tensor.shape.iter().product());
            if bytes + more > SHARD_BYTES && bytes > 0 {
                shards.push(Vec::new());
                bytes = 0;
            }
            bytes += more;
            total += more;
            if let Some(shard) = shards.last_mut() {
                shard.push(&tensor.name);
            }
        }
        let mut map = Map::new();
        for (i, shard) in shards.iter().enumerate() {
            let file = match shards.len() {
                1 => "model.safetensors".to_owned(),
                count => format!("model-{:05}-of-{count:05}.safetensors", i + 1),
            };
            let mut tensors = HashMap::new();
            for name in shard {
                let tensor = self.tensors.finished(name)?.to_dtype(self.dtype_of(name))?;
                tensors.insert((*name).to_owned(), tensor);
                map.insert((*name).to_owned(), json!(file));
            }
            write_tensors(&dir.join(file), &tensors)?;
        }
        if shards.len() > 1 {
            let path = dir.join("model.safetensors.index.json");
            let index = json!({"metadata": {"total_size": total}, "weight_map": map});
            manifest::replace(&path, &index.to_string()).map_err(ModelError::write(&path))?;
        }
        Ok(())
    }

    /// Heads are used in f32 and stay so; the rest is stored as it was.
    fn dtype_of(&self, name: &str) -> DType {
        if names::is_head(name) {
            DType::F32
        } else {
            self.stored
        }
    }
}

fn is_weights(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    [
        ".safetensors",
        ".safetensors.index.json",
        ".pth",
        ".bin",
        ".pt",
    ]
    .iter()
    .any(|end| file.ends_with(end))
}

/// Writes to a temporary name, syncs, renames.
fn write_tensors(path: &Path, tensors: &HashMap<String, Tensor>) -> Result<(), ModelError> {
    let partial = path.with_extension("partial");
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    let on_disk = |error: safetensors::SafeTensorError| match error {
        safetensors::SafeTensorError::IoError(error) => ModelError::write(path)(error),
        error => ModelError::Weights {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    };
    let contiguous = tensors
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), tensor.contiguous()?.to_device(&Device::Cpu)?)))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let views = contiguous.iter().map(|(name, tensor)| (name, tensor));
    safetensors::serialize_to_file(views, Some(metadata), &partial).map_err(on_disk)?;
    fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&partial, path))
        .map_err(ModelError::write(path))
}
