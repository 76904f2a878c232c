//! The process that works a queue off: it starts what can start, waits for it, notes the end of those that could not do so
//! themselves, and goes when nothing is left. Should it be killed, the jobs go on, and the next one takes them over.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::error::JobError;
use super::local::{command, hold};
use super::process::{exists, in_a_group};
use super::queue::{Launched, Queue, Waiting, startable};
use crate::domain::text::printable;
use crate::runs::{Ending, Fact, Folder, glance};

/// How often the queue is looked at while jobs run; the end of a job is heard at once.
const LOOK: Duration = Duration::from_millis(250);

/// How long a process may take from its start to taking its run up. It parses a command line and opens files; a machine that
/// swaps may need seconds.
const START: Duration = Duration::from_mins(1);

/// Works off the queue of this machine for the runs below `root`, starting each with `program`. Returns when nothing waits or
/// runs, or at once where another process does it.
pub fn drain(root: &Path, program: &Path) -> Result<(), JobError> {
    let queue = Queue::of(root);
    loop {
        let Some(lock) = hold(&queue)? else {
            return Ok(());
        };
        Drain::new(&queue, program).work()?;
        drop(lock);
        // One who put a run in just before the lock was let go found it held, and relies on this look.
        if queue.waiting()?.is_empty() {
            return Ok(());
        }
    }
}

struct Drain<'a> {
    queue: &'a Queue,
    program: &'a Path,
    /// Those that this process started and that have not ended.
    own: HashSet<String>,
    ended: Receiver<(String, Option<ExitStatus>)>,
    tell: Sender<(String, Option<ExitStatus>)>,
}

impl<'a> Drain<'a> {
    fn new(queue: &'a Queue, program: &'a Path) -> Self {
        let (tell, ended) = channel();
        Self {
            queue,
            program,
            own: HashSet::new(),
            ended,
            tell,
        }
    }

    fn work(&mut self) -> Result<(), JobError> {
        let mut over: Vec<(String, Option<ExitStatus>)> = Vec::new();
        loop {
            for (run, status) in over.drain(..) {
                self.own.remove(&run);
                self.settle(&run, status)?;
            }
            let launched = self.queue.launched()?;
            let (busy, gone): (Vec<_>, Vec<_>) = launched
                .into_iter()
                .partition(|l| self.own.contains(&l.run) || self.lives(l));
            for launched in &gone {
                self.settle(&launched.run, None)?;
            }
            let busy: Vec<String> = busy.into_iter().map(|l| l.device).collect();
            let waiting = self.queue.waiting()?;
            if waiting.is_empty() && busy.is_empty() {
                return Ok(());
            }
            for run in startable(&waiting, &busy) {
                self.start(run)?;
            }
            over.extend(self.ended.recv_timeout(LOOK));
            over.extend(self.ended.try_iter());
        }
    }

    /// Whether the process of a run that another one started is at work, or about to be.
    fn lives(&self, launched: &Launched) -> bool {
        let folder = self.queue.folder(&launched.run);
        if folder.vitals().held == Some(true) {
            return true;
        }
        let began = glance(&folder).is_ok_and(|(summary, _)| summary.is_taken_up());
        !began && launched.age < START && launched.pid.is_none_or(exists)
    }

    /// Starts a run. One that cannot be started has failed, and does not keep the others waiting.
    fn start(&mut self, waiting: &Waiting) -> Result<(), JobError> {
        if !self.queue.claim(&waiting.run)? {
            return Ok(());
        }
        let folder = self.queue.folder(&waiting.run);
        let child = command(self.program, &folder).and_then(|mut command| {
            let child = in_a_group(&mut command).spawn();
            child.map_err(JobError::files("start", self.program))
        });
        match child {
            Ok(mut child) => {
                self.queue.note(waiting, child.id())?;
                let (run, tell) = (waiting.run.clone(), self.tell.clone());
                self.own.insert(run.clone());
                let waiter = std::thread::Builder::new().name("erw-job".into());
                waiter
                    .spawn(move || {
                        let _ = tell.send((run, child.wait().ok()));
                    })
                    .map_err(JobError::files("start a thread for", folder.path()))?;
                Ok(())
            }
            Err(why) => {
                // A folder that was removed cannot be written to, and needs not.
                let _ = folder.add([failed(format!("could not be started: {why}"))]);
                self.queue.forget(&waiting.run)
            }
        }
    }

    /// Sees to it that the end of a run is noted, and forgets it.
    fn settle(&self, run: &str, status: Option<ExitStatus>) -> Result<(), JobError> {
        let folder = self.queue.folder(run);
        if folder.vitals().held == Some(true) {
            // Another process has it, and this one found that out.
            return Ok(());
        }
        if let Ok((summary, _)) = glance(&folder)
            && summary.ended.is_none()
            // Put in again in the meantime, it has not failed but waits.
            && !self.queue.waits(run)
        {
            let fact = if was_killed(status) && folder.stop_asked().is_some() {
                // Whoever did that notes it too, and may come later than this.
                killed()
            } else {
                failed(told(&folder, status))
            };
            let _ = folder.add([fact]);
        }
        self.queue.forget(run)
    }
}

/// That a run's process was ended at once, because somebody wanted that.
pub(super) fn killed() -> Fact {
    Fact::Ended {
        ending: Ending::Stopped,
        reason: "killed on request; what was not saved is lost".into(),
    }
}

/// Whether a process was ended by the signal that none survives.
#[cfg(unix)]
fn was_killed(status: Option<ExitStatus>) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.and_then(|status| status.signal()) == Some(9)
}

#[cfg(not(unix))]
fn was_killed(_: Option<ExitStatus>) -> bool {
    false
}

fn failed(reason: String) -> Fact {
    Fact::Ended {
        ending: Ending::Failed,
        reason,
    }
}

/// What is known of the end of a process that did not note it: how it ended and the last it said.
fn told(folder: &Folder, status: Option<ExitStatus>) -> String {
    let how = match status {
        Some(status) => format!("its process ended without a word ({status})"),
        None => "its process is gone without a word".into(),
    };
    match last_line(folder) {
        Some(line) => format!("{how}; the last line of its log: {line}"),
        None => how,
    }
}

fn last_line(folder: &Folder) -> Option<String> {
    const ENOUGH: u64 = 4096;
    let mut log = File::open(folder.log()).ok()?;
    let length = log.metadata().ok()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(ENOUGH)))
        .ok()?;
    let mut text = Vec::new();
    log.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|l| !l.trim().is_empty())?;
    Some(printable(line.trim()).chars().take(300).collect())
}
