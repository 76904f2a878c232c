//! What every way of starting jobs can do, and what is the same for all of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::JobError;
use super::local::Local;
use super::slurm::Slurm;
use crate::config::SlurmSettings;
use crate::runs::{Fact, Folder, Manifest, Run, State, glance, host, now};

/// A way of having runs worked on by processes of their own.
pub trait Launcher {
    /// Its word in `run.toml`.
    fn name(&self) -> &'static str;

    /// Has the run taken up as soon as there is room, for the first time or to go on. An error where a process has it, where
    /// it waits already, or where it is done.
    fn submit(&self, run: &Run) -> Result<(), JobError>;

    /// Takes a run that waits out of the queue and notes that; false where it does not wait (any more).
    fn take_out(&self, run: &Run) -> Result<bool, JobError>;

    /// Makes the run stop, with so much force. An error where it is over, or where force cannot reach it.
    fn stop(&self, run: &Run, force: Force) -> Result<StopOutcome, JobError>;

    /// Whether the run waits, or is with a process whose end was not taken note of.
    fn has(&self, run: &Run) -> Result<bool, JobError>;

    /// Notes the end of a run that could not do so itself, where that can be told only by asking; cheap where there is nothing to
    /// ask.
    fn settle(&self, _run: &Run) -> Result<(), JobError> {
        Ok(())
    }

    /// Sees to it that runs that wait are started, should whoever does that be gone; cheap where there is nothing to do.
    fn wake(&self) -> Result<(), JobError>;
}

/// The launchers there are, for the runs of a folder: the one place that knows which word in `run.toml` means which.
#[derive(Debug, Clone)]
pub struct Launchers {
    root: PathBuf,
    slurm: SlurmSettings,
}

impl Launchers {
    /// For the runs below `root`, with how jobs are put to Slurm.
    pub fn new(root: &Path, slurm: &SlurmSettings) -> Self {
        Self {
            root: root.to_owned(),
            slurm: slurm.clone(),
        }
    }

    /// The launcher of that name.
    pub fn named(&self, word: &str) -> Result<Box<dyn Launcher>, JobError> {
        match word {
            // One that was typed into a terminal goes on in the queue of its machine.
            "here" | "local" => Ok(Box::new(Local::of_this_program(&self.root)?)),
            "slurm" => Ok(Box::new(self.slurm()?)),
            other => Err(JobError::NoSuchLauncher(other.to_owned())),
        }
    }

    /// The one that a run belongs to.
    pub fn of(&self, run: &Run) -> Result<Box<dyn Launcher>, JobError> {
        self.named(&run.manifest.launcher)
    }

    /// Slurm.
    pub fn slurm(&self) -> Result<Slurm, JobError> {
        Slurm::new(self.slurm.clone())
    }
}

/// How hard a run is made to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It is asked to, and saves what it has at the next safe point.
    Ask,
    /// Its process is told to terminate as well; a verb of erw's saves what it has, another program does what it does.
    Terminate,
    /// Its process is ended at once; what was not saved is lost.
    Kill,
}

/// What came of making a run stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopOutcome {
    /// It waited, and was taken out of the queue.
    Dequeued,
    /// It was asked to stop, and will.
    Asked,
    /// Its process was told to terminate.
    Terminated,
    /// Its process was ended.
    Killed,
}

/// Makes a new run that does the same as `run` from the beginning, and submits it.
pub fn retry(launcher: &dyn Launcher, run: &Run) -> Result<Run, JobError> {
    let root = run.folder.path().parent().unwrap_or(run.folder.path());
    let manifest = Manifest {
        created: now(),
        host: host(),
        launcher: launcher.name().into(),
        erw: env!("CARGO_PKG_VERSION").into(),
        ..run.manifest.clone()
    };
    let folder = Folder::create(root, &manifest)?;
    let run = Run { folder, manifest };
    launcher.submit(&run)?;
    Ok(run)
}

/// Removes a run that nobody works on, with all that is in its folder; one that waits is taken out of the queue.
pub fn remove(launcher: &dyn Launcher, run: &Run) -> Result<(), JobError> {
    let (_, state) = glance(&run.folder)?;
    match state {
        State::Running | State::Stalled => {
            return Err(JobError::State {
                name: run.folder.name(),
                state,
                advice: "stop it first ('erw jobs stop')",
            });
        }
        State::Queued if launcher.take_out(run)? || !launcher.has(run)? => {}
        State::Queued => {
            return Err(JobError::State {
                name: run.folder.name(),
                state,
                advice: "it is about to start; stop it first ('erw jobs stop')",
            });
        }
        State::Done | State::Failed | State::Stopped => {}
    }
    // Should a process have taken it up just now, this says so.
    run.folder.add(std::iter::empty::<Fact>())?;
    let path = run.folder.path();
    // Under another name first, so that no list ever shows half of it.
    let gone = path.with_file_name(format!(".gone-{}", run.folder.name()));
    fs::rename(path, &gone).map_err(JobError::files("remove", path))?;
    fs::remove_dir_all(&gone).map_err(JobError::files("remove", &gone))
}
