//! Jobs on this machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::drain::killed;
use super::error::JobError;
use super::launcher::{Force, Launcher, StopOutcome};
use super::process::{Signal, send};
use super::queue::{Queue, device_of};
use crate::runs::{Ending, Fact, Folder, Run, State, Summary, glance, host};

/// How long to wait for a process that was ended to be gone: the system takes milliseconds, unless a disk hangs.
const GONE: Duration = Duration::from_secs(10);

/// How long to wait for the queue's process to have left the terminal and taken the queue. It parses a command line and opens a file.
const AWAY: Duration = Duration::from_secs(5);

/// Jobs on this machine: a queue beside the runs, and a process without a terminal that starts what waits.
#[derive(Debug, Clone)]
pub struct Local {
    root: PathBuf,
    program: PathBuf,
    queue: Queue,
}

impl Local {
    /// For the runs below `root`, with `program` (an `erw`) to start them.
    pub fn new(root: &Path, program: PathBuf) -> Self {
        // Processes are started in directories of their own.
        let root = std::path::absolute(root).unwrap_or(root.to_owned());
        Self {
            queue: Queue::of(&root),
            root,
            program,
        }
    }

    /// With the program that this process is.
    pub fn of_this_program(root: &Path) -> Result<Self, JobError> {
        let program = std::env::current_exe();
        let program = program.map_err(JobError::files("find", Path::new("the running program")))?;
        Ok(Self::new(root, program))
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    fn refuse(run: &Run, state: State, advice: &'static str) -> JobError {
        JobError::State {
            name: run.folder.name(),
            state,
            advice,
        }
    }

    /// Ends the run's process by force and notes that it was on request.
    fn kill(run: &Run, summary: &Summary) -> Result<StopOutcome, JobError> {
        let pid = Self::process(run, summary)?;
        send(pid, Signal::Kill);
        let deadline = Instant::now() + GONE;
        while run.folder.vitals().held == Some(true) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        run.folder.add([killed()])?;
        Ok(StopOutcome::Killed)
    }

    /// The process that works on the run, if a signal can reach it.
    fn process(run: &Run, summary: &Summary) -> Result<u32, JobError> {
        if let Some(pid) = run.folder.process() {
            return Ok(pid);
        }
        match &summary.process {
            Some((_, there)) if *there != host() => Err(JobError::Elsewhere {
                name: run.folder.name(),
                host: there.clone(),
            }),
            _ => Err(Self::refuse(
                run,
                State::Queued,
                "its process has not taken it up yet; it was asked to stop and will at once",
            )),
        }
    }
}

impl Launcher for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn submit(&self, run: &Run) -> Result<(), JobError> {
        let name = run.folder.name();
        let (_, state) = glance(&run.folder)?;
        if self.queue.waits(&name) || (state == State::Queued && self.queue.is_started(&name)) {
            self.wake()?;
            return Err(JobError::Waits { name });
        }
        match state {
            State::Done => {
                let advice = "nothing is left to do; 'erw jobs retry' does it all again";
                return Err(Self::refuse(run, state, advice));
            }
            State::Running | State::Stalled => {
                let advice = "a process has it; 'erw jobs logs -f' follows it";
                return Err(Self::refuse(run, state, advice));
            }
            State::Queued | State::Failed | State::Stopped => {}
        }
        run.folder.take_back_stop()?;
        run.folder.add([Fact::Queued {
            device: device_of(run),
        }])?;
        self.queue.push(run)?;
        self.wake()
    }

    fn take_out(&self, run: &Run) -> Result<bool, JobError> {
        let pulled = self.queue.pull(&run.folder.name())?;
        if pulled {
            run.folder.add([Fact::Ended {
                ending: Ending::Stopped,
                reason: "taken out of the queue".into(),
            }])?;
        }
        Ok(pulled)
    }

    fn stop(&self, run: &Run, force: Force) -> Result<StopOutcome, JobError> {
        if self.take_out(run)? {
            return Ok(StopOutcome::Dequeued);
        }
        let (summary, state) = glance(&run.folder)?;
        if !state.is_live() {
            return Err(Self::refuse(run, state, "there is nothing to stop"));
        }
        run.folder
            .ask_to_stop(&format!("process {} on {}", std::process::id(), host()))?;
        match force {
            Force::Ask => Ok(StopOutcome::Asked),
            Force::Terminate => {
                send(Self::process(run, &summary)?, Signal::Terminate);
                Ok(StopOutcome::Terminated)
            }
            Force::Kill => Self::kill(run, &summary),
        }
    }

    fn has(&self, run: &Run) -> Result<bool, JobError> {
        Ok(self.queue.has(&run.folder.name()))
    }

    fn wake(&self) -> Result<(), JobError> {
        if self.queue.waiting()?.is_empty() && self.queue.launched()?.is_empty() {
            return Ok(());
        }
        if is_held(&self.queue.lock_file()) {
            return Ok(());
        }
        let mut child = Command::new(&self.program)
            .args(["jobs", "drain", "--runs"])
            .arg(&self.root)
            // Whatever folder the asker is in may be removed or unmounted while the queue lives.
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(JobError::files("start", &self.program))?;
        // Until it has left the terminal, it would go with it.
        let deadline = Instant::now() + AWAY;
        while !is_held(&self.queue.lock_file())
            && Instant::now() < deadline
            && matches!(child.try_wait(), Ok(None))
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Where the asker lives longer than the queue, somebody has to take note of its end.
        let waiter = std::thread::Builder::new().name("erw-queue".into());
        let _ = waiter.spawn(move || child.wait());
        Ok(())
    }
}

/// Whether a process holds the queue. A lock that was free a moment ago may be taken now; whoever is started then finds out.
fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|f| matches!(f.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Takes the lock on the queue, if it is free.
pub(super) fn hold(queue: &Queue) -> Result<Option<File>, JobError> {
    queue.make()?;
    let path = queue.lock_file();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(JobError::files("open", &path))?;
    // Somebody who only looks whether it is held has it for a moment.
    let deadline = Instant::now() + Duration::from_millis(200);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(JobError::files("lock", &path)(e)),
        }
    }
}

/// The process of a run: the program with the run's command line, in its directory, without a terminal, writing to its log.
pub(super) fn command(program: &Path, folder: &Folder) -> Result<Command, JobError> {
    let folder = folder.clone().absolute();
    let manifest = folder.manifest()?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.log())
        .and_then(|log| Ok((log.try_clone()?, log)));
    let (out, err) = log.map_err(JobError::files("open", &folder.log()))?;
    let mut command = Command::new(program);
    command
        .args(manifest.command_line(&folder))
        .current_dir(&manifest.directory)
        .envs(&manifest.environment)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err);
    Ok(command)
}
