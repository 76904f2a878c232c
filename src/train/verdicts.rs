//! What a trained model got right, group by group: `validation.jsonl` of a run, so that two models can be held against each
//! other on the same groups.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::evaluation::Measurement;
use super::material::Material;

/// The file's name in a run's folder.
pub(super) const FILE: &str = "validation.jsonl";

/// One group: how many judgements were right, of how many; equal scores count half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) group: String,
    /// Pairs overall, on instruction following, on visual quality.
    pub(super) pairs: [(f64, f64); 3],
    /// Strictly ordered triples.
    pub(super) triples: (f64, f64),
}

/// Writes the file in a run's `folder`, whole or not at all.
pub(super) fn write(
    folder: &Path,
    material: &Material,
    measurement: &Measurement,
) -> Result<(), TrainError> {
    let path = folder.join(FILE);
    let partial = folder.join(format!(".new-{FILE}"));
    let write = || {
        let mut file = fs::File::create(&partial)?;
        for (number, verdict) in &measurement.verdicts {
            let line = Line {
                group: material.validation[*number].key.clone(),
                pairs: verdict.pairs.map(|hits| (hits.right, hits.of)),
                triples: (verdict.triples.right, verdict.triples.of),
            };
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        fs::rename(&partial, &path)
    };
    write().map_err(TrainError::files("write", &path))
}

/// Reads it back.
pub(super) fn read(folder: &Path) -> Result<Vec<Line>, TrainError> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).map_err(TrainError::files("read", &path))?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|e| TrainError::files("read", &path)(e.into()))
        })
        .collect()
}
