//! The weights on disk: opening them, checking them against what must be there, handing them to the network.
//!
//! Everything is verified from the headers before a single weight is read. Safetensors files are mapped, so that loading to a
//! GPU copies each byte once; the published trainer's `model.pth` is read tensor by tensor. Nothing here knows what a tensor
//! is for.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use super::error::ModelError;
use super::files;
use super::held::Holding;
use super::names::{self, EMBEDDING, Expected, Generation, LANGUAGE};
use super::report::{CheckReport, Misshapen};

/// One stored tensor.
#[derive(Debug, Clone)]
struct Entry {
    stored: String,
    shape: Vec<usize>,
    /// `None`: a format that candle has no name for.
    dtype: Option<DType>,
    format: String,
}

enum Store {
    Mapped(MmapedSafetensors),
    Pickled(PthTensors),
}

/// A checkpoint whose headers have been read.
pub(super) struct Weights {
    files: Vec<PathBuf>,
    generation: Option<Generation>,
    entries: BTreeMap<String, Entry>,
    store: Store,
}

impl Weights {
    /// Finds and opens the weights in `dir`, whatever files they are in.
    pub(super) fn open(dir: &Path) -> Result<Self, ModelError> {
        Self::of_files(files::find(dir)?)
    }

    /// Opens the weights in these files: safetensors, or one `.pth`.
    pub(super) fn of_files(files: Vec<PathBuf>) -> Result<Self, ModelError> {
        let (store, list) = match files.as_slice() {
            [pickle] if pickle.extension().is_some_and(|e| e == "pth") => open_pickle(pickle)?,
            files => open_safetensors(files)?,
        };
        let mut generation = None;
        let mut entries = BTreeMap::new();
        for entry in list {
            let (name, telling) = names::canonical(&entry.stored);
            generation = generation.or(telling);
            entries.insert(name, entry);
        }
        Ok(Self {
            files,
            generation,
            entries,
            store,
        })
    }

    /// The files the weights are in.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The shape of a tensor by its newer name, if it is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Rows of the stored embedding, if there is one.
    pub(super) fn embedding_rows(&self) -> Option<usize> {
        self.shape(EMBEDDING)?.first().copied()
    }

    /// The format that a tensor is stored in, by its newer name.
    pub(super) fn dtype(&self, name: &str) -> Option<DType> {
        self.entries.get(name)?.dtype
    }

    /// One tensor by its newer name, if it is there.
    pub(super) fn tensor(
        &self,
        name: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Option<Tensor>> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        self.load(entry, device)?.to_dtype(dtype).map(Some)
    }

    /// Compares with what is `expected`.
    pub(super) fn check(&self, expected: &[Expected]) -> CheckReport {
        let mut report = CheckReport {
            files: self.files.clone(),
            generation: self.generation,
            expected: expected.len(),
            parameters: 0,
            missing: Vec::new(),
            unexpected: Vec::new(),
            misshapen: Vec::new(),
        };
        let mut wanted = HashSet::new();
        for tensor in expected {
            wanted.insert(tensor.name.as_str());
            let Some(entry) = self.entries.get(&tensor.name) else {
                let generation = self.generation.unwrap_or(Generation::New);
                report.missing.push(generation.of(&tensor.name));
                continue;
            };
            let fault = if entry.shape != tensor.shape {
                let but = if tensor.name == EMBEDDING {
                    ", for as many tokens as the tokenizer has with the reward token"
                } else {
                    ""
                };
                format!("{:?} instead of {:?}{but}", entry.shape, tensor.shape)
            } else if !entry.is_float() {
                format!("stored as {}; convert it to F32, F16 or BF16", entry.format)
            } else {
                report.parameters += tensor.shape.iter().product::<usize>() as u64;
                continue;
            };
            report.misshapen.push(Misshapen {
                name: entry.stored.clone(),
                reason: fault,
            });
        }
        report.unexpected = self
            .entries
            .iter()
            .filter(|(name, _)| !wanted.contains(name.as_str()) && !names::is_superfluous(name))
            .map(|(_, entry)| entry.stored.clone())
            .collect();
        report
    }

    /// Bytes of the stored form of the `expected` tensors: what loading them reads.
    pub(super) fn bytes(&self, expected: &[Expected]) -> u64 {
        expected
            .iter()
            .filter_map(|tensor| self.entries.get(&tensor.name))
            .map(Entry::bytes)
            .sum()
    }

    /// A builder over the tensors by their newer names, in `dtype` on `device`, and the count of bytes it has taken so far.
    pub(super) fn builder(
        self,
        dtype: DType,
        device: &Device,
    ) -> (VarBuilder<'static>, Arc<AtomicU64>) {
        self.held_builder(dtype, device, Holding::default())
    }

    /// The same of weights that are held as `holding` says.
    pub(super) fn held_builder(
        self,
        dtype: DType,
        device: &Device,
        holding: Holding,
    ) -> (VarBuilder<'static>, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        let source = Source {
            weights: self,
            holding,
            taken: taken.clone(),
        };
        (
            VarBuilder::from_backend(Box::new(source), dtype, device.clone()),
            taken,
        )
    }

    fn load(&self, entry: &Entry, device: &Device) -> candle_core::Result<Tensor> {
        match &self.store {
            Store::Mapped(mapped) => mapped.load(&entry.stored, device),
            Store::Pickled(pickle) => pickle
                .get(&entry.stored)?
                .ok_or_else(|| candle_core::Error::CannotFindTensor {
                    path: entry.stored.clone(),
                })?
                .to_device(device),
        }
    }
}

impl Entry {
    fn is_float(&self) -> bool {
        matches!(
            self.dtype,
            Some(DType::F32 | DType::F16 | DType::BF16 | DType::F64)
        )
    }

    fn bytes(&self) -> u64 {
        let size = self.dtype.map_or(0, |dtype| dtype.size_in_bytes());
        (self.shape.iter().product::<usize>() * size) as u64
    }
}

/// `tensor`, if it has the `shape` that a layer asks for.
pub(super) fn shaped(tensor: Tensor, shape: &Shape, name: &str) -> candle_core::Result<Tensor> {
    if tensor.shape() != shape {
        candle_core::bail!(
            "tensor '{name}' has shape {:?}, not {shape:?}",
            tensor.shape()
        );
    }
    Ok(tensor)
}

/// Gives candle's builder tensors by their newer names, and counts.
struct Source {
    weights: Weights,
    holding: Holding,
    taken: Arc<AtomicU64>,
}

impl SimpleBackend for Source {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        shaped(self.get_unchecked(name, dtype, device)?, &shape, name)
    }

    fn get_unchecked(
        &self,
        name: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let entry =
            self.weights
                .entries
                .get(name)
                .ok_or_else(|| candle_core::Error::CannotFindTensor {
                    path: name.to_owned(),
                })?;
        let tensor = self.weights.load(entry, device)?.to_dtype(dtype)?;
        self.taken.fetch_add(entry.bytes(), Ordering::Relaxed);
        Ok(tensor)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        let Some((weight, mark)) = Holding::marked(name) else {
            return self.weights.entries.contains_key(name);
        };
        let of_layer = weight.strip_prefix(LANGUAGE);
        let of_layer = of_layer.is_some_and(|rest| rest.starts_with(".layers."));
        let stored = self.weights.dtype(&weight);
        stored.is_some() && self.holding.has(mark, of_layer, stored)
    }
}

#[allow(
    unsafe_code,
    reason = "mapping is what makes 16 GB load at disk speed; a file that another process rewrites while it is mapped can \
              give wrong weights or a bus error, as with every program that maps checkpoints"
)]
fn open_safetensors(files: &[PathBuf]) -> Result<(Store, Vec<Entry>), ModelError> {
    let mut list = Vec::new();
    for path in files {
        let header = files::read_header(path)?;
        for (stored, info) in header.tensors() {
            list.push(Entry {
                stored,
                shape: info.shape.clone(),
                dtype: DType::try_from(info.dtype).ok(),
                format: format!("{:?}", info.dtype),
            });
        }
    }
    // SAFETY: nothing here writes to these files, and `read_header` has checked their lengths; see the reason above.
    let mapped =
        unsafe { MmapedSafetensors::multi(files) }.map_err(|error| ModelError::Weights {
            path: files[0].clone(),
            reason: error.to_string(),
        })?;
    Ok((Store::Mapped(mapped), list))
}

fn open_pickle(path: &Path) -> Result<(Store, Vec<Entry>), ModelError> {
    let open = |key| {
        PthTensors::new(path, key).map_err(|error| ModelError::Weights {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    };
    let mut pickle = open(None)?;
    if pickle.tensor_infos().is_empty() {
        // Some trainers wrap the tensors as {"model": …}, and the published loader unwraps them.
        pickle = open(Some("model")).map_err(|_| ModelError::Weights {
            path: path.to_owned(),
            reason: "there are no tensors in it".into(),
        })?;
    }
    let list = pickle
        .tensor_infos()
        .iter()
        .map(|(name, info)| Entry {
            stored: name.clone(),
            shape: info.layout.dims().to_vec(),
            dtype: Some(info.dtype),
            format: info.dtype.as_str().to_uppercase(),
        })
        .collect();
    Ok((Store::Pickled(pickle), list))
}
