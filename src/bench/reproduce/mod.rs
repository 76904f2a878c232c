//! Published figures against what is recomputed from the published ratings, cell by cell.
//!
//! Where the folder has an `expected.json` (every figure at full precision) all of its cells are held against it; the figures
//! that papers print are held against them at the precision that they print.

mod cells;
mod normals;
mod printed;
mod raters;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::error::BenchError;
use printed::PRINTED;

/// How far a recomputed figure may be from one at full precision.
pub const TOLERANCE: f64 = 1e-9;

/// Cells by their paths; `None` where a figure is undefined.
type Cells = BTreeMap<String, Option<f64>>;

/// A figure, published and recomputed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Which.
    pub cell: String,
    /// What it is to be.
    pub published: Option<f64>,
    /// Where that is from: `expected.json`, or the paper that prints it.
    pub from: String,
    /// What it is; `None` where it is undefined or cannot be computed from the folder.
    pub recomputed: Option<f64>,
    /// Whether the two are the same, both undefined being the same.
    pub equal: bool,
    /// Why they are known to differ: the published data gives another figure than the one in print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<&'static str>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reproduction {
    /// All cells, by path.
    pub cells: Vec<Cell>,
    /// Parts of the folder that are not there, so that nothing of them was recomputed.
    pub absent: Vec<String>,
    /// The tie-calibrated accuracy of two votes of equal difference of which one is a tie: 0.5 over real thresholds, 1 by the
    /// published code, which finds a threshold between the two.
    pub example: f64,
}

impl Reproduction {
    /// How many cells differ though they should not.
    pub fn different(&self) -> usize {
        let differs = |cell: &&Cell| !cell.equal && cell.known.is_none();
        self.cells.iter().filter(differs).count()
    }

    /// How many differ for a known reason.
    pub fn known(&self) -> usize {
        let differs = |cell: &&Cell| !cell.equal && cell.known.is_some();
        self.cells.iter().filter(differs).count()
    }
}

/// Recomputes what the folder has the data of; `published` takes the published tie calibration for the example. An error where
/// the folder has nothing.
pub fn reproduce(data: &Path, published: bool) -> Result<Reproduction, BenchError> {
    let (recomputed, absent) = cells::recompute(data)?;
    if recomputed.is_empty() {
        return Err(BenchError::NoData {
            path: data.to_owned(),
            benchmark: "the published figures",
            wanted: format!("it reads {}", absent.join("; ")),
        });
    }
    let mut cells = Vec::new();
    for (cell, published) in expected(data)? {
        let recomputed = recomputed.get(&cell).copied();
        cells.push(Cell {
            equal: recomputed.is_some_and(|recomputed| same(published, recomputed)),
            recomputed: recomputed.flatten(),
            published,
            from: "expected.json".into(),
            known: None,
            cell,
        });
    }
    for printed in PRINTED {
        if let Some(recomputed) = recomputed.get(printed.cell).copied() {
            cells.push(printed.held_against(recomputed));
        }
    }
    let example = if published {
        "tie_calibration_defect_example/official_incremental"
    } else {
        "tie_calibration_defect_example/any_real_threshold[0]"
    };
    let example = recomputed.get(example).copied().flatten();
    Ok(Reproduction {
        cells,
        absent,
        example: example.unwrap_or(f64::NAN),
    })
}

fn same(published: Option<f64>, recomputed: Option<f64>) -> bool {
    match (published, recomputed) {
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE,
        (None, None) => true,
        _ => false,
    }
}

/// The cells of `expected.json`; none where the folder has no such file.
fn expected(data: &Path) -> Result<Cells, BenchError> {
    let path = data.join("expected.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Cells::new()),
        Err(e) => return Err(BenchError::files("read", &path)(e)),
    };
    let value: Value = serde_json::from_str(&without_nan(&text))
        .map_err(|e| BenchError::files("read", &path)(e.into()))?;
    let mut cells = Cells::new();
    flatten(String::new(), &value, &mut cells);
    Ok(cells)
}

/// Python writes undefined figures as NaN, which is no JSON: null instead, outside of strings.
fn without_nan(text: &str) -> String {
    let mut parts: Vec<String> = text.split('"').map(str::to_owned).collect();
    for part in parts.iter_mut().step_by(2) {
        *part = part.replace("NaN", "null");
    }
    parts.join("\"")
}

fn flatten(path: String, value: &Value, cells: &mut Cells) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}/{name}")
                };
                flatten(path, value, cells);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                flatten(format!("{path}[{i}]"), value, cells);
            }
        }
        Value::Number(number) => {
            cells.insert(path, number.as_f64());
        }
        Value::Null => {
            cells.insert(path, None);
        }
        // Inputs in words are no figures.
        Value::String(_) | Value::Bool(_) => {}
    }
}
