//! The queue of a machine: files beside the runs, so that it survives every process and can be looked at by any.
//!
//! ```text
//! <runs>/.queue/<host>/
//!   <run>.toml     waits: its device, its priority, since when
//!   <run>.started  was given to a process, whose id it holds
//!   lock           held by the process that starts one after the other
//! ```
//!
//! To start a run is to rename its file, and to take it out of the queue is to remove that file: of two who want to do
//! either at the same time, one finds it gone.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::JobError;
use crate::runs::{Folder, Run, host, now};

/// The device of runs that leave the choice to the program. It may turn out to be any, so it excludes all.
pub(super) const ANY_DEVICE: &str = "auto";

/// The queue of this machine below a folder of runs.
#[derive(Debug, Clone)]
pub struct Queue {
    root: PathBuf,
    dir: PathBuf,
}

/// A run that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The run's name.
    pub run: String,
    /// The device that it is to have for itself.
    pub device: String,
    /// Higher is sooner.
    pub priority: i32,
    /// Since when it waits, in seconds since 1970.
    pub since: f64,
}

/// A run that was given to a process.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Launched {
    pub(super) run: String,
    pub(super) device: String,
    /// `None` for the moment between the decision and the start.
    pub(super) pid: Option<u32>,
    pub(super) age: Duration,
}

/// What the files hold.
#[derive(Debug, Serialize, Deserialize)]
struct Slip {
    device: String,
    priority: i32,
    since: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
}

impl Queue {
    /// The queue of this machine for the runs below `root`. Nothing is made or read yet.
    pub fn of(root: &Path) -> Self {
        let host = host().replace(['/', '\\'], "_");
        Self {
            dir: root.join(".queue").join(host),
            root: root.to_owned(),
        }
    }

    /// The folder of a run in this queue.
    pub(super) fn folder(&self, run: &str) -> Folder {
        Folder::at(self.root.join(run))
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.dir.join("lock")
    }

    fn slip(&self, run: &str) -> PathBuf {
        self.dir.join(format!("{run}.toml"))
    }

    fn started(&self, run: &str) -> PathBuf {
        self.dir.join(format!("{run}.started"))
    }

    /// Makes the queue's folder.
    pub(super) fn make(&self) -> Result<(), JobError> {
        fs::create_dir_all(&self.dir).map_err(JobError::files("create", &self.dir))
    }

    /// Whether the run waits.
    pub fn waits(&self, run: &str) -> bool {
        self.slip(run).exists()
    }

    /// Whether the run waits, or was given to a process whose end was not taken note of.
    pub fn has(&self, run: &str) -> bool {
        self.waits(run) || self.is_started(run)
    }

    /// Whether the run was given to a process, and that process's end was not taken note of.
    pub(super) fn is_started(&self, run: &str) -> bool {
        self.started(run).exists()
    }

    /// Puts a run at the end of those of its priority.
    pub(super) fn push(&self, run: &Run) -> Result<(), JobError> {
        self.make()?;
        let name = run.folder.name();
        let slip = Slip {
            device: device_of(run),
            priority: run.manifest.priority,
            since: now(),
            pid: None,
        };
        let path = self.slip(&name);
        write(&path, &slip).map_err(JobError::files("write", &path))
    }

    /// Takes a run out of the queue; false where it does not wait there (any more).
    pub(super) fn pull(&self, run: &str) -> Result<bool, JobError> {
        let path = self.slip(run);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(JobError::files("remove", &path)(e)),
        }
    }

    /// Takes a run for starting it; false where it was taken out in between.
    pub(super) fn claim(&self, run: &str) -> Result<bool, JobError> {
        let path = self.slip(run);
        match fs::rename(&path, self.started(run)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(JobError::files("rename", &path)(e)),
        }
    }

    /// Notes which process has a run that was claimed.
    pub(super) fn note(&self, waiting: &Waiting, pid: u32) -> Result<(), JobError> {
        let slip = Slip {
            device: waiting.device.clone(),
            priority: waiting.priority,
            since: waiting.since,
            pid: Some(pid),
        };
        let path = self.started(&waiting.run);
        write(&path, &slip).map_err(JobError::files("write", &path))
    }

    /// Forgets a run that was given to a process.
    pub(super) fn forget(&self, run: &str) -> Result<(), JobError> {
        let path = self.started(run);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(JobError::files("remove", &path)(e)),
            _ => Ok(()),
        }
    }

    /// The runs that wait, in the order in which they would start if there was one device.
    pub fn waiting(&self) -> Result<Vec<Waiting>, JobError> {
        let mut waiting: Vec<Waiting> = self
            .slips("toml")?
            .into_iter()
            .map(|(run, slip, _)| Waiting {
                run,
                device: slip.device,
                priority: slip.priority,
                since: slip.since,
            })
            .collect();
        waiting.sort_by(|a, b| {
            let priority = b.priority.cmp(&a.priority);
            let since = a.since.total_cmp(&b.since);
            priority.then(since).then_with(|| a.run.cmp(&b.run))
        });
        Ok(waiting)
    }

    pub(super) fn launched(&self) -> Result<Vec<Launched>, JobError> {
        let slips = self.slips("started")?.into_iter();
        Ok(slips
            .map(|(run, slip, age)| Launched {
                run,
                device: slip.device,
                pid: slip.pid,
                age,
            })
            .collect())
    }

    /// The readable files with that ending. One that vanished or cannot be understood is passed over: another process is at
    /// it, or a person was, and the run itself is not affected.
    fn slips(&self, ending: &str) -> Result<Vec<(String, Slip, Duration)>, JobError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(JobError::files("read", &self.dir)(e)),
        };
        let read = |path: &Path| {
            let run = path.file_stem()?.to_str()?.to_owned();
            let slip = toml::from_str(&fs::read_to_string(path).ok()?).ok()?;
            let since = path.metadata().ok()?.modified().ok()?;
            let age = SystemTime::now().duration_since(since).unwrap_or_default();
            Some((run, slip, age))
        };
        Ok(entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == ending))
            .filter_map(|path| read(&path))
            .collect())
    }
}

pub(super) fn device_of(run: &Run) -> String {
    run.manifest.device.clone().unwrap_or(ANY_DEVICE.into())
}

fn write(path: &Path, slip: &Slip) -> io::Result<()> {
    let text = toml::to_string(slip).map_err(io::Error::other)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// Which of the waiting runs can start beside those that are on the devices `busy`. One that has to wait keeps its device from
/// those behind it, so that none waits for ever; a run for a free device overtakes.
pub(super) fn startable<'a>(waiting: &'a [Waiting], busy: &[String]) -> Vec<&'a Waiting> {
    let mut taken: Vec<&str> = busy.iter().map(String::as_str).collect();
    let mut startable = Vec::new();
    for run in waiting {
        let clash =
            |other: &&str| *other == run.device || [*other, &run.device].contains(&ANY_DEVICE);
        if !taken.iter().any(clash) {
            startable.push(run);
        }
        taken.push(&run.device);
    }
    startable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Manifest;

    fn run(root: &Path, title: &str, priority: i32) -> Run {
        let mut manifest = Manifest::new("train", vec![], title);
        (manifest.priority, manifest.created) = (priority, 0.0);
        manifest.device = Some("cpu".into());
        Run::open(Folder::create(root, &manifest).unwrap()).unwrap()
    }

    #[test]
    fn a_device_runs_one_and_a_free_one_does_not_wait() {
        let waiting = |devices: &[&str]| -> Vec<Waiting> {
            let each = devices.iter().enumerate().map(|(i, device)| Waiting {
                run: i.to_string(),
                device: (*device).to_owned(),
                priority: 0,
                since: 0.0,
            });
            each.collect()
        };
        for (queue, busy, expected) in [
            (&["cpu", "cpu"][..], &[][..], &["0"][..]),
            (&["cpu", "cuda:0"], &[], &["0", "1"]),
            (&["cpu", "cuda:0"], &["cpu"], &["1"]),
            (&["cpu", "cuda:0", "cpu", "cuda:0"], &["cuda:0"], &["0"]),
            (&["auto", "cpu"], &[], &["0"]),
            (&["auto", "cpu"], &["cuda:0"], &[]),
            (&["cpu", "auto", "cuda:0"], &[], &["0"]),
            (&["cpu"], &["auto"], &[]),
            (&[], &[], &[]),
        ] {
            let waiting = waiting(queue);
            let busy: Vec<String> = busy.iter().map(|s: &&str| (*s).to_owned()).collect();
            let start: Vec<&str> = startable(&waiting, &busy).iter().map(|w| &*w.run).collect();
            assert_eq!(start, expected, "{queue:?} beside {busy:?}");
        }
    }

    #[test]
    fn priority_goes_before_age_and_a_run_is_taken_once() {
        let root = tempfile::tempdir().unwrap();
        let queue = Queue::of(root.path());
        assert!(queue.waiting().unwrap().is_empty());
        for (title, priority) in [("a", 0), ("b", 5), ("c", 0)] {
            queue.push(&run(root.path(), title, priority)).unwrap();
        }
        fs::write(queue.slip("torn"), "device = ").unwrap();
        let order: Vec<String> = queue
            .waiting()
            .unwrap()
            .into_iter()
            .map(|w| w.run)
            .collect();
        let name = |title: &str| format!("19700101-000000-train-{title}");
        assert_eq!(order, [name("b"), name("a"), name("c")]);
        assert!(queue.claim(&name("a")).unwrap());
        assert!(!queue.claim(&name("a")).unwrap() && !queue.pull(&name("a")).unwrap());
        assert!(queue.pull(&name("b")).unwrap() && !queue.pull(&name("b")).unwrap());
        assert!(queue.is_started(&name("a")) && queue.waits(&name("c")));
        assert_eq!(queue.waiting().unwrap().len(), 1);
        assert_eq!(queue.launched().unwrap()[0].pid, None);
        queue.forget(&name("a")).unwrap();
        assert!(!queue.is_started(&name("a")));
    }
}
