//! What came of a run: the model dir, and the table of what it is worth, with intervals.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::chance::Chance;
use super::checkpoint::{sync, sync_folder};
use super::error::TrainError;
use super::evaluation::Measurement;
use super::material::Material;
use super::meter::{Hits, Tally, Verdict};
use super::plan::Plan;
use crate::domain::stats::bootstrap_ratio;
use crate::model::learner::Learner;

/// `report.json` of a training run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What the model is called.
    pub name: String,
    /// The step that its weights are of.
    pub step: u64,
    /// Steps that were made.
    pub steps: u64,
    /// Groups learned from.
    pub training_groups: usize,
    /// Their comparisons.
    pub comparisons: usize,
    /// Groups measured on.
    pub validation_groups: usize,
    /// Groups without two candidates that people told apart; they count for nothing.
    pub silent_groups: usize,
    /// How often a group could not be read while training.
    pub missed: u64,
    /// The fingerprint of plan and data.
    pub fingerprint: String,
    /// Milliseconds that measuring took for a candidate, reading its image included where that was not done ahead.
    pub cost: Option<f64>,
    /// All validation groups.
    pub total: Row,
    /// By kind of edit; "unknown" where the data does not say.
    pub categories: BTreeMap<String, Row>,
}

/// What a model is worth on some groups. Shares are from 0 to 1; what cannot be said is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Groups.
    pub groups: usize,
    /// The share of overall pairs that the model orders as people do; pairs that they do not tell apart do not count.
    pub accuracy: Option<Interval>,
    /// The same on instruction following.
    #[serde(rename = "accuracy.if")]
    pub accuracy_if: Option<Interval>,
    /// The same on visual quality.
    #[serde(rename = "accuracy.vq")]
    pub accuracy_vq: Option<Interval>,
    /// The share of strictly ordered triples that are wholly right.
    pub triples: Option<Interval>,
    /// The expected calibration error of P(A ≻ B) on overall pairs.
    pub calibration: Option<f64>,
    /// The loss per comparison; only for all groups.
    pub loss: Option<f64>,
}

/// A share with the central 95 % of it under resampling of groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The share.
    pub value: f64,
    /// The lower end; unknown with fewer than two groups.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Of how many pairs or triples.
    pub of: u64,
}

/// Resamples of a bootstrap: ends of a 95 % interval are then off by about a hundredth of its width.
const RESAMPLES: usize = 2000;

impl Summary {
    pub(super) fn new(
        plan: &Plan,
        material: &Material,
        (step, steps): (u64, u64),
        measurement: &Measurement,
        missed: u64,
    ) -> Self {
        let all: Vec<&Verdict> = measurement.verdicts.values().collect();
        let mut by_category: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
        for (number, verdict) in &measurement.verdicts {
            let category = material.validation[*number].category.clone();
            by_category
                .entry(category.unwrap_or_else(|| "unknown".into()))
                .or_default()
                .push(verdict);
        }
        let mut total = Row::new(plan.seed, &all);
        total.loss = measurement.tally.mean_loss();
        Self {
            name: plan.name.clone(),
            step,
            steps,
            training_groups: material.training.len(),
            comparisons: material.comparisons(),
            validation_groups: measurement.verdicts.len(),
            silent_groups: material.silent,
            missed,
            fingerprint: material.fingerprint.clone(),
            cost: measurement.cost(),
            total,
            categories: by_category
                .into_iter()
                .map(|(name, verdicts)| (name, Row::new(plan.seed, &verdicts)))
                .collect(),
        }
    }
}

impl Row {
    fn new(seed: u64, verdicts: &[&Verdict]) -> Self {
        let tally = Tally::of(verdicts.iter().copied());
        let share = |name: &str, hits: &dyn Fn(&Verdict) -> Hits| {
            let parts: Vec<(f64, f64)> = verdicts
                .iter()
                .map(|v| hits(v))
                .map(|h| (h.right, h.of))
                .filter(|(_, of)| *of > 0.0)
                .collect();
            Interval::new(seed, name, &parts)
        };
        Self {
            groups: verdicts.len(),
            accuracy: share("overall", &|v| v.pairs[0]),
            accuracy_if: share("if", &|v| v.pairs[1]),
            accuracy_vq: share("vq", &|v| v.pairs[2]),
            triples: share("triples", &|v| v.triples),
            calibration: tally.calibration(),
            loss: None,
        }
    }
}

impl Interval {
    fn new(seed: u64, name: &str, parts: &[(f64, f64)]) -> Option<Self> {
        let mut chance = Chance::new(seed, &format!("bootstrap {name}"), &[]);
        let ends = bootstrap_ratio(parts, RESAMPLES, &mut |n| chance.below(n))?;
        let ends = Some(ends).filter(|_| parts.len() > 1);
        let (right, of) = parts
            .iter()
            .fold((0.0, 0.0), |(a, b), (right, of)| (a + right, b + of));
        Some(Self {
            value: right / of,
            low: ends.map(|[low, _]| low),
            high: ends.map(|[_, high]| high),
            of: of as u64,
        })
    }
}

/// Writes the model dir `model` in the run's folder, whole or not at all, and says where it is.
pub(super) fn export(
    learner: &dyn Learner,
    folder: &Path,
    name: &str,
) -> Result<PathBuf, TrainError> {
    let (path, making) = (folder.join("model"), folder.join(".new-model"));
    let remove = |path: &Path| match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainError::files("remove", path)(e))
        }
        _ => Ok(()),
    };
    remove(&making)?;
    fs::create_dir_all(&making).map_err(TrainError::files("create", &making))?;
    let write = || {
        learner.export(&making, name)?;
        sync(&making)?;
        // An earlier process may have written it and died before it said so.
        remove(&path)?;
        fs::rename(&making, &path).map_err(TrainError::files("write", &path))?;
        sync_folder(folder)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_dir_all(&making);
    })?;
    Ok(path)
}
