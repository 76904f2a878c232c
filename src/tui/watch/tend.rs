//! Seeing to what nobody else sees to: after a restart of the machine the queue goes on as soon as somebody looks, and what a
//! cluster ended without a word is found out by asking it. On a thread of its own, since a cluster may take its time.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::jobs::{JobError, Launchers};
use crate::runs::{Run, glance};

/// How often a cluster is asked, while it has runs: its controller serves many people.
const ASK: Duration = Duration::from_secs(20);

/// The thread's handle; dropping it ends the thread, though not in the midst of a question.
pub(crate) struct Tender {
    _end: Sender<()>,
}

impl Tender {
    /// Starts the thread on the runs below `root`; `complain` is called on it, once for each thing that is wrong.
    pub(crate) fn start(
        root: PathBuf,
        launchers: Launchers,
        complain: impl Fn(String) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (end, ended) = channel();
        std::thread::Builder::new()
            .name("erw-tend".into())
            .spawn(move || {
                let mut told = Vec::new();
                let mut say = |why: JobError| {
                    let why = why.to_string();
                    if !told.contains(&why) {
                        told.push(why.clone());
                        complain(why);
                    }
                };
                if let Err(why) = launchers.named("local").and_then(|local| local.wake()) {
                    say(why);
                }
                loop {
                    settle(&root, &launchers, &mut say);
                    if ended.recv_timeout(ASK) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        Ok(Self { _end: end })
    }
}

fn settle(root: &Path, launchers: &Launchers, say: &mut impl FnMut(JobError)) {
    // A folder that cannot be listed is the watcher's to complain about.
    let runs = Run::list(root).map(|listing| listing.runs);
    for run in runs.unwrap_or_default() {
        if run.manifest.launcher != "slurm" {
            continue;
        }
        let live = glance(&run.folder).is_ok_and(|(_, state)| state.is_live());
        if live && let Err(why) = launchers.of(&run).and_then(|slurm| slurm.settle(&run)) {
            say(why);
        }
    }
}
