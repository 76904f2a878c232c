//! The weights on disk: opening them, checking them against what must be there, handing them to the network.
//!
//! Everything is verified from the headers before a single weight is read. Safetensors files are mapped, so that loading to a
//! GPU copies each byte once; the published trainer's `model.pth` is read tensor by tensor. Nothing here knows what a tensor
//! is for.

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
use super::names::{self, EMBEDDING, Expected, Generation};
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
        let files = files::find(dir)?;
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

    /// Rows of the stored embedding, if there is one.
    pub(super) fn embedding_rows(&self) -> Option<usize> {
        self.entries.get(EMBEDDING)?.shape.first().copied()
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
        let taken = Arc::new(AtomicU64::new(0));
        let source = Source {
            weights: self,
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
        self.weights.entries.contains_key(name)
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use super::*;

    fn tensors(list: &[(&str, &[usize])]) -> HashMap<String, Tensor> {
        list.iter()
            .map(|(name, shape)| {
                let count = shape.iter().product::<usize>() as u32;
                let values = Tensor::arange(0, count, &Device::Cpu).unwrap();
                let values = values.to_dtype(DType::F32).unwrap();
                ((*name).to_owned(), values.reshape(*shape).unwrap())
            })
            .collect()
    }

    fn save(dir: &Path, file: &str, list: &[(&str, &[usize])]) {
        candle_core::safetensors::save(&tensors(list), dir.join(file)).unwrap();
    }

    fn expected(list: &[(&str, &[usize])]) -> Vec<Expected> {
        list.iter()
            .map(|(name, shape)| Expected {
                name: (*name).to_owned(),
                shape: shape.to_vec(),
            })
            .collect()
    }

    const NORM: &str = "model.language_model.norm.weight";
    const BIAS: &str = "model.visual.merger.mlp.2.bias";

    #[test]
    fn the_report_says_what_is_missing_unexpected_and_misshapen_in_the_files_own_names() {
        let dir = tempfile::tempdir().unwrap();
        save(
            dir.path(),
            "model.safetensors",
            &[
                ("module.model.norm.weight", &[3]),
                ("module.model.layers.9.mlp.up_proj.weight", &[2, 2]),
                ("module.lm_head.weight", &[2, 2]),
            ],
        );
        let weights = Weights::open(dir.path()).unwrap();
        let report = weights.check(&expected(&[(NORM, &[4]), (BIAS, &[2])]));
        assert_eq!(report.generation, Some(Generation::Old));
        assert_eq!(report.missing, ["visual.merger.mlp.2.bias"]);
        assert_eq!(
            report.unexpected,
            ["module.model.layers.9.mlp.up_proj.weight"]
        );
        assert_eq!(report.misshapen.len(), 1);
        let text = report.to_string();
        for line in [
            "1 missing",
            "1 unexpected",
            "[3] instead of [4]",
            "of 2 needed",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_long_report_shows_the_first_names_and_counts_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "model.safetensors", &[(NORM, &[4])]);
        let names: Vec<String> = (0..100).map(|i| format!("rm_head.{i}.bias")).collect();
        let list: Vec<(&str, &[usize])> = names.iter().map(|n| (n.as_str(), &[1][..])).collect();
        let report = Weights::open(dir.path()).unwrap().check(&expected(&list));
        let text = report.to_string();
        assert!(
            text.contains("… and 92 more") && text.lines().count() < 20,
            "{text}"
        );
    }

    #[test]
    fn shards_are_read_through_their_index_and_without_it() {
        let dir = tempfile::tempdir().unwrap();
        save(
            dir.path(),
            "model-00001-of-00002.safetensors",
            &[(NORM, &[4])],
        );
        save(
            dir.path(),
            "model-00002-of-00002.safetensors",
            &[(BIAS, &[2])],
        );
        let list = expected(&[(NORM, &[4]), (BIAS, &[2])]);
        let index = dir.path().join("model.safetensors.index.json");
        for text in [
            None,
            Some(format!(
                r#"{{"weight_map": {{"{NORM}": "model-00001-of-00002.safetensors", "{BIAS}": "model-00002-of-00002.safetensors"}}}}"#
            )),
        ] {
            if let Some(text) = text {
                fs::write(&index, text).unwrap();
            }
            let weights = Weights::open(dir.path()).unwrap();
            assert!(weights.check(&list).is_clean());
            assert_eq!(weights.files().len(), 2);
            assert_eq!(weights.bytes(&list), 24);
            let (vb, taken) = weights.builder(DType::F32, &Device::Cpu);
            let norm = vb.pp("model.language_model").get(4, "norm.weight").unwrap();
            assert_eq!(norm.to_vec1::<f32>().unwrap(), [0.0, 1.0, 2.0, 3.0]);
            assert_eq!(taken.load(Ordering::Relaxed), 16);
        }
    }

    #[test]
    fn an_index_may_not_point_out_of_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("model.safetensors.index.json");
        fs::write(&index, r#"{"weight_map": {"a": "../other.safetensors"}}"#).unwrap();
        let error = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("'../other.safetensors'"), "{error}");
    }

    #[test]
    fn a_truncated_file_is_named_with_what_it_promised() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "model.safetensors", &[(NORM, &[4])]);
        let path = dir.path().join("model.safetensors");
        let whole = fs::read(&path).unwrap();
        for keep in [0, 5, 12, whole.len() - 1] {
            fs::write(&path, &whole[..keep]).unwrap();
            let error = Weights::open(dir.path()).err().unwrap();
            let text = error.to_string();
            assert!(matches!(error, ModelError::Truncated { .. }), "{text}");
            assert!(text.contains("model.safetensors' is cut short"), "{text}");
        }
        fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
        let text = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(text.contains("too long"), "{text}");
    }

    #[test]
    fn what_is_no_weights_file_is_named_too() {
        let dir = tempfile::tempdir().unwrap();
        let text = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(text.contains("it has no weights"), "{text}");
        fs::write(dir.path().join("adapter_model.safetensors"), []).unwrap();
        let text = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(text.contains("merge it into its base"), "{text}");
        fs::write(dir.path().join("model.safetensors"), [b'x'; 100]).unwrap();
        let text = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(text.contains("does not begin like"), "{text}");
        fs::write(dir.path().join("model.pth"), b"no zip at all").unwrap();
        let text = Weights::open(dir.path()).err().unwrap().to_string();
        assert!(text.contains("model.pth' is not a readable"), "{text}");
    }

    /// The files were pickled by hand (`tests/fixtures/pickled/make.py`) as torch does it.
    #[test]
    fn what_torch_saves_is_read_plain_and_wrapped() {
        let fixtures = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/pickled"
        ));
        for name in ["plain.pth", "wrapped.pth"] {
            let dir = tempfile::tempdir().unwrap();
            fs::copy(fixtures.join(name), dir.path().join("model.pth")).unwrap();
            let weights = Weights::open(dir.path()).unwrap();
            let list = expected(&[(NORM, &[4]), (BIAS, &[2]), ("rm_head.5.weight", &[2, 3])]);
            let report = weights.check(&list);
            assert!(report.is_clean(), "{name}: {report}");
            assert_eq!(report.generation, Some(Generation::New));
            let (vb, _) = weights.builder(DType::F32, &Device::Cpu);
            let norm = vb.get(4, NORM).unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(norm, [0.5, 1.5, -2.0, 4.0]);
            let bias = vb.get(2, BIAS).unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(bias, [1.0, -3.0]);
            let head = vb.get((2, 3), "rm_head.5.weight").unwrap();
            let head = head.to_vec2::<f32>().unwrap();
            assert_eq!(head, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
        }
    }

    #[test]
    fn quantised_weights_are_refused_by_name_and_format() {
        let dir = tempfile::tempdir().unwrap();
        let packed = Tensor::zeros(4, DType::U8, &Device::Cpu).unwrap();
        let list = HashMap::from([(NORM.to_owned(), packed)]);
        candle_core::safetensors::save(&list, dir.path().join("model.safetensors")).unwrap();
        let weights = Weights::open(dir.path()).unwrap();
        let text = weights.check(&expected(&[(NORM, &[4])])).to_string();
        assert!(
            text.contains("stored as U8") && text.contains(NORM),
            "{text}"
        );
    }
}
