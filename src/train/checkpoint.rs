//! States that a run can go on from: which are kept, and how one is written so that it is there whole or not at all.
//!
//! A checkpoint is a folder `step-00000040` with what the learner saved and where the loop stood. It is written under another
//! name, synced file by file, and renamed; it goes the other way round. So every folder of that name is complete, at whatever
//! instant the process died.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::sampler::Place;
use super::schedule::Trend;
use crate::model::learner::Learner;

const FORMAT: u32 = 1;
const STATE: &str = "state.json";
const LEARNER: &str = "learner";
const PREFIX: &str = "step-";
/// Folders that are being written or removed; what is left of them after a kill is removed with the next checkpoint.
const UNFINISHED: &str = ".new-";

/// Where the loop stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Standing {
    /// Steps made.
    pub(super) step: u64,
    /// Where the sampler stands.
    pub(super) place: Place,
    /// The step after which the model was last measured.
    pub(super) evaluated: u64,
    /// The best measurement.
    pub(super) best: Option<Best>,
    /// How the loss goes.
    pub(super) trend: Trend,
    /// Groups that could not be taken, over all steps.
    pub(super) missed: u64,
}

/// The best measurement of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    /// After which step.
    pub(super) step: u64,
    /// Larger is better.
    #[serde(with = "super::exact")]
    pub(super) value: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format: u32,
    /// Of the data and the plan.
    fingerprint: String,
    standing: Standing,
}

/// The steps of which the state need not be kept any longer, given all that are kept.
pub(super) fn superfluous(
    kept: &[u64],
    best: Option<u64>,
    keep_last: usize,
    keep_best: bool,
) -> Vec<u64> {
    let mut sorted = kept.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted
        .into_iter()
        .skip(keep_last.max(1))
        .filter(|step| !(keep_best && Some(*step) == best))
        .collect()
}

/// A run's folder of checkpoints.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
    fingerprint: String,
}

impl Shelf {
    /// The shelf in `folder`, for states that belong to the data and plan of `fingerprint`.
    pub(super) fn new(folder: &Path, fingerprint: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }
    }

    /// Where the state after `step` is or would be.
    pub(super) fn path(&self, step: u64) -> PathBuf {
        self.folder.join(name(step))
    }

    /// The steps of which the state is there, in ascending order.
    pub(super) fn steps(&self) -> Result<Vec<u64>, TrainError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(TrainError::files("read", &self.folder)(e)),
        };
        let mut steps: Vec<u64> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                name.strip_prefix(PREFIX)?.parse().ok()
            })
            .collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Keeps the state; one of the same step that is there already is left as it is, since the same steps end in the same
    /// state.
    pub(super) fn save(
        &self,
        standing: &Standing,
        learner: &dyn Learner,
    ) -> Result<PathBuf, TrainError> {
        let (path, making) = (self.path(standing.step), self.unfinished(standing.step));
        if path.exists() {
            return Ok(path);
        }
        fs::create_dir_all(&self.folder).map_err(TrainError::files("create", &self.folder))?;
        self.clear()?;
        let write = || {
            let inner = making.join(LEARNER);
            fs::create_dir_all(&inner).map_err(TrainError::files("create", &inner))?;
            learner.save(&inner)?;
            let state = making.join(STATE);
            let text = serde_json::to_vec_pretty(&Saved {
                format: FORMAT,
                fingerprint: self.fingerprint.clone(),
                standing: *standing,
            })
            .map_err(|e| TrainError::files("write", &state)(e.into()))?;
            fs::write(&state, text).map_err(TrainError::files("write", &state))?;
            sync(&making)?;
            fs::rename(&making, &path).map_err(TrainError::files("write", &path))?;
            sync_folder(&self.folder)
        };
        write().inspect_err(|_| {
            // A full disk is no place for half a state.
            let _ = fs::remove_dir_all(&making);
        })?;
        Ok(path)
    }

    /// Removes the states of those steps.
    pub(super) fn remove(&self, steps: &[u64]) -> Result<(), TrainError> {
        for step in steps {
            let (path, leaving) = (self.path(*step), self.unfinished(*step));
            fs::rename(&path, &leaving).map_err(TrainError::files("remove", &path))?;
            fs::remove_dir_all(&leaving).map_err(TrainError::files("remove", &leaving))?;
        }
        Ok(())
    }

    /// Gives the learner the state after `step` back, and says where the loop stood.
    pub(super) fn restore(
        &self,
        step: u64,
        learner: &mut dyn Learner,
    ) -> Result<Standing, TrainError> {
        let path = self.path(step);
        let refuse = |reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason,
        };
        let state = path.join(STATE);
        let text = fs::read(&state).map_err(TrainError::files("read", &state))?;
        let file: Saved = serde_json::from_slice(&text)
            .map_err(|e| refuse(format!("its '{STATE}' cannot be understood: {e}")))?;
        if file.format != FORMAT {
            return Err(refuse(format!(
                "its format is {}, this version of erw reads {FORMAT}",
                file.format
            )));
        }
        if file.fingerprint != self.fingerprint {
            return Err(refuse(
                "it was made from other data: groups or labels of the workspace have changed since the run began, and going \
                 on would mix the two; start a new run (with model.base = this run's model, if it should build on it)"
                    .into(),
            ));
        }
        learner.restore(&path.join(LEARNER))?;
        Ok(file.standing)
    }

    fn unfinished(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{UNFINISHED}{}", name(step)))
    }

    /// Removes what a kill left half written or half removed.
    fn clear(&self) -> Result<(), TrainError> {
        let entries =
            fs::read_dir(&self.folder).map_err(TrainError::files("read", &self.folder))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(TrainError::files("remove", &path))?;
            }
        }
        Ok(())
    }
}

fn name(step: u64) -> String {
    format!("{PREFIX}{step:08}")
}

/// Forces a folder and everything in it to the disk.
pub(super) fn sync(folder: &Path) -> Result<(), TrainError> {
    let entries = fs::read_dir(folder).map_err(TrainError::files("read", folder))?;
    for entry in entries {
        let path = entry.map_err(TrainError::files("read", folder))?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(TrainError::files("sync", &path))?;
        }
    }
    sync_folder(folder)
}

/// Forces a folder's own entries to the disk. Where a folder cannot be opened as a file, the system does it in its own time.
pub(super) fn sync_folder(folder: &Path) -> Result<(), TrainError> {
    match File::open(folder) {
        Ok(handle) if cfg!(unix) => handle.sync_all().map_err(TrainError::files("sync", folder)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stay_and_the_best_with_them() {
        let kept = [10, 20, 30, 40];
        assert_eq!(superfluous(&kept, Some(20), 2, true), [10]);
        assert_eq!(superfluous(&kept, Some(20), 2, false), [20, 10]);
        assert_eq!(superfluous(&kept, Some(40), 1, true), [30, 20, 10]);
        assert!(superfluous(&kept, None, 9, true).is_empty());
        // Nothing to go on from would be left.
        assert_eq!(superfluous(&kept, None, 0, true), [30, 20, 10]);
    }

    #[test]
    fn where_the_loop_stood_comes_back_to_the_last_bit() {
        let mut standing = Standing {
            step: 40,
            best: Some(Best {
                step: 20,
                value: 0.1 + 0.2,
            }),
            ..Standing::default()
        };
        standing.trend.take(1.0 / 3.0);
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
    }
}
