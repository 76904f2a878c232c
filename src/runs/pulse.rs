//! Signs of life. A process that works on a run holds the operating system's lock on the file `lock`, which the system lets
//! go the moment that the process dies, however it dies; and it touches `heartbeat`, for observers on other machines, whose
//! file system may not know of locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::error::RunError;
use super::folder::Folder;
use super::host::host;

/// How often a process says that it lives. One small metadata write in five seconds is nothing for a disk, and little for a
/// shared file system even when hundreds of processes of a job array do it.
const BEAT: Duration = Duration::from_secs(5);

/// Silence longer than this is a bad sign. NFS clients show a file's times up to 60 s late (`acregmax`), to which a few
/// missed beats and clocks that differ a little are added.
pub const SILENCE: Duration = Duration::from_secs(90);

/// How long to try for a lock that somebody holds for a moment only, to see whether it is held.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an observer can tell of the process behind a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vitals {
    /// Whether a process holds the run's lock; `None` where the file system knows of no locks.
    pub held: Option<bool>,
    /// How long ago the heart beat; `None` where it never did.
    pub silent: Option<Duration>,
}

/// The lock and the heartbeat of the process that works on a run.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Holds the lock until it is closed.
    lock: File,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Folder {
    /// Looks for signs of life.
    pub fn vitals(&self) -> Vitals {
        let held = match File::open(self.lock()) {
            // Nobody ever took it.
            Err(_) => Some(false),
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Some(false),
                Err(TryLockError::WouldBlock) => Some(true),
                Err(TryLockError::Error(_)) => None,
            },
        };
        let beat = std::fs::metadata(self.heartbeat()).and_then(|m| m.modified());
        // A beat from the future is one of a clock that goes ahead.
        let silent = |beat| SystemTime::now().duration_since(beat).unwrap_or_default();
        Vitals {
            held,
            silent: beat.ok().map(silent),
        }
    }

    /// Takes the lock, for as long as the file stays open.
    pub(super) fn hold(&self) -> Result<File, RunError> {
        let path = self.lock();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(RunError::files("open", &path))?;
        let busy = |owner: String| RunError::Busy {
            name: self.name(),
            owner,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                // Without locks, the heartbeat has to do.
                Ok(()) | Err(TryLockError::Error(_)) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let owner = self.owner().map_or("another process".into(), Owner::told);
                    return Err(busy(owner));
                }
            }
        }
        // Some file systems lock for their own machine only: somebody elsewhere whose heart beats has it nonetheless.
        match self.owner() {
            Some(owner)
                if owner.host != host() && self.vitals().silent.is_some_and(|s| s < SILENCE) =>
            {
                Err(busy(owner.told()))
            }
            _ => Ok(file),
        }
    }

    /// Who took the lock last and did not leave in order.
    fn owner(&self) -> Option<Owner> {
        let text = std::fs::read_to_string(self.lock()).ok()?;
        let (pid, host) = text.trim().split_once(' ')?;
        Some(Owner {
            pid: pid.parse().ok()?,
            host: host.to_owned(),
        })
    }

    /// The process that works on the run, where it is on this machine and alive: the one to send signals to.
    pub fn process(&self) -> Option<u32> {
        let owner = self.owner()?;
        (self.vitals().held == Some(true) && owner.host == host()).then_some(owner.pid)
    }
}

/// A process.
#[derive(Debug)]
struct Owner {
    pid: u32,
    host: String,
}

impl Owner {
    fn told(self) -> String {
        format!("process {} on {}", self.pid, self.host)
    }
}

impl Pulse {
    /// Takes the run for this process and lets its heart beat until the value is dropped.
    pub(super) fn start(folder: &Folder) -> Result<Self, RunError> {
        let mut lock = folder.hold()?;
        let path = folder.lock();
        let sign = format!("{} {}\n", std::process::id(), host());
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| lock.write_all(sign.as_bytes()))
            .map_err(RunError::files("write", &path))?;
        let path = folder.heartbeat();
        let heart = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)
            .map_err(RunError::files("create", &path))?;
        // Setting the time takes no space, so that a full disk does not look like death.
        let beat = move || {
            let _ = heart.set_modified(SystemTime::now());
        };
        beat();
        let (end, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("erw-heartbeat".into())
            .spawn(move || {
                while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    beat();
                }
                beat();
            })
            .map_err(RunError::files("start a thread for", &path))?;
        Ok(Self {
            lock,
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Left in order; the lock itself goes with the file.
        let _ = self.lock.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Manifest;

    fn folder(root: &tempfile::TempDir) -> Folder {
        Folder::create(root.path(), &Manifest::new("train", vec![], "a")).unwrap()
    }

    #[test]
    fn one_process_at_a_time_and_the_next_when_it_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(&root);
        assert_eq!(
            folder.vitals(),
            Vitals {
                held: Some(false),
                silent: None
            }
        );
        let pulse = Pulse::start(&folder).unwrap();
        let vitals = folder.vitals();
        assert_eq!(vitals.held, Some(true));
        assert!(vitals.silent.unwrap() < SILENCE);
        assert_eq!(folder.process(), Some(std::process::id()));
        let busy = Pulse::start(&folder).unwrap_err().to_string();
        let owner = format!("process {} on {}", std::process::id(), host());
        assert!(busy.contains(&owner), "{busy}");
        drop(pulse);
        assert_eq!(folder.vitals().held, Some(false));
        assert_eq!(folder.process(), None);
        Pulse::start(&folder).unwrap();
    }

    #[test]
    fn looking_does_not_get_in_the_way_of_taking() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(&root);
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    folder.vitals();
                }
            });
            for _ in 0..50 {
                drop(Pulse::start(&folder).unwrap());
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[test]
    fn a_rest_of_a_dead_process_is_no_obstacle_unless_a_heart_beats_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(&root);
        std::fs::write(folder.lock(), format!("999999999 {}\n", host())).unwrap();
        std::fs::write(folder.heartbeat(), "").unwrap();
        drop(Pulse::start(&folder).unwrap());
        std::fs::write(folder.lock(), "12 elsewhere\n").unwrap();
        let busy = Pulse::start(&folder).unwrap_err().to_string();
        assert!(busy.contains("process 12 on elsewhere"), "{busy}");
        let heart = File::options()
            .write(true)
            .open(folder.heartbeat())
            .unwrap();
        heart
            .set_modified(SystemTime::now() - SILENCE - BEAT)
            .unwrap();
        Pulse::start(&folder).unwrap();
    }
}
