//! A model directory's fingerprint: what stored scores belong to.
//!
//! BLAKE3 over the small files whole and over a sample of the weights: each weights file's size and first bytes (a safetensors
//! header among them, and so every name, shape and format), then 64 KiB blocks at equal distances. A checkpoint of 16 GB is
//! known in a moment that way; what a sample can miss is a change of single weights by hand, never another training step.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::ModelError;
use super::files::header_length;
use super::held::Quantization;
use super::weights::Weights;

/// To be raised whenever a change of this program makes the same files give other scores.
const SCHEME: &str = "erw scores 1";
/// Files that decide scores, where a model has them.
const SMALL: [&str; 11] = [
    "reward.toml",
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    "chat_template.json",
    "chat_template.jinja",
];
const BLOCK: u64 = 64 * 1024;
const BLOCKS: u64 = 32;

/// The fingerprint of the model in `dir` with these weights files, in hex.
pub(super) fn fingerprint(dir: &Path, weights: &[PathBuf]) -> Result<String, ModelError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(SCHEME.as_bytes());
    for name in SMALL {
        let path = dir.join(name);
        match fs::read(&path) {
            Ok(bytes) => part(&mut hasher, name, &bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(ModelError::read(&path)(error)),
        }
    }
    for path in weights {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = sample(path).map_err(ModelError::read(path))?;
        part(&mut hasher, &name, &bytes);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The fingerprint of the model in `dir`, held in this format, under which its scores are stored; nothing is loaded.
pub fn fingerprint_of(dir: &Path, quantize: Option<Quantization>) -> Result<String, ModelError> {
    let own = fingerprint(dir, Weights::open(dir)?.files())?;
    Ok(quantize.map_or_else(|| own.clone(), |format| format.fingerprint(&own)))
}

/// The fingerprint of one file of weights, in hex.
pub(super) fn file_fingerprint(path: &Path) -> Result<String, ModelError> {
    let bytes = sample(path).map_err(ModelError::read(path))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Names and lengths go in with the contents, so that no two different directories read as the same bytes.
fn part(hasher: &mut blake3::Hasher, name: &str, bytes: &[u8]) {
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn sample(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = size.to_le_bytes().to_vec();
    if size <= BLOCK * BLOCKS {
        file.read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let mut first = [0; 8];
    file.read_exact(&mut first)?;
    file.rewind()?;
    let header = if path.extension().is_some_and(|e| e == "safetensors") {
        header_length(first, size)
    } else {
        BLOCK
    };
    file.by_ref().take(header).read_to_end(&mut bytes)?;
    for block in 0..BLOCKS {
        let start = (size - BLOCK) * block / (BLOCKS - 1);
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(BLOCK).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn every_file_that_decides_scores_changes_the_fingerprint_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let weights = [write(dir.path(), "model.safetensors", b"12345678")];
        let of = || fingerprint(dir.path(), &weights).unwrap();
        let mut seen = vec![of()];
        for name in SMALL {
            write(dir.path(), name, b"x");
            seen.push(of());
        }
        write(dir.path(), "model.safetensors", b"12345679");
        seen.push(of());
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
        let last = of();
        write(dir.path(), "README.md", b"x");
        assert_eq!(of(), last);
        assert_eq!(last.len(), 64);
    }

    #[test]
    fn large_weights_are_sampled_to_their_last_byte_and_by_their_size() {
        let dir = tempfile::tempdir().unwrap();
        let size = (BLOCK * BLOCKS * 2) as usize;
        let mut bytes = vec![0; size];
        bytes[0] = 16;
        let of = |bytes: &[u8]| {
            let weights = [write(dir.path(), "model.safetensors", bytes)];
            fingerprint(dir.path(), &weights).unwrap()
        };
        let mut seen = vec![of(&bytes)];
        bytes[size - 1] = 1;
        seen.push(of(&bytes));
        bytes[20] = 1;
        seen.push(of(&bytes));
        bytes.push(0);
        seen.push(of(&bytes));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}
