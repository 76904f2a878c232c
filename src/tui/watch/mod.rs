//! Watching run folders off the loop: one thread lists the runs now and then, follows those that show, in bounded pieces, and
//! reads the end of one log. It speaks only when something changed, and sleeps longer while nobody looks.

mod job;
mod tend;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::jobs::job_number;
use crate::runs::log::Log;
use crate::runs::{Folder, Follower, History, Run, Source, State, Summary, glance};

use super::screens::train::{Entry, RunNews, Times, Watch};
use job::{Eye, Gauge};
pub(crate) use tend::Tender;

/// Between two looks at the runs that are followed: often enough to be called live, and four wake-ups a second.
const LOOK: Duration = Duration::from_millis(250);
/// Between two looks at the list, while the screen is open and while it is not.
const LIST: Duration = Duration::from_secs(1);
const LIST_UNSEEN: Duration = Duration::from_secs(3);
/// A piece of a run's events: so many, or as many as this time gives. The loop draws in between.
const EVENTS: usize = 2000;
const TIME: Duration = Duration::from_millis(50);
const BREATH: Duration = Duration::from_millis(4);
/// How many lines of a log's end are kept.
const LOG_LINES: usize = 200;

/// The thread's handle; dropping it ends the thread.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    wake: Condvar,
}

#[derive(Default)]
struct Slot {
    watch: Watch,
    fresh: bool,
    closed: bool,
}

impl Watcher {
    /// Starts the thread on the runs below `root`; `answer` is called on it.
    pub(crate) fn start(
        root: PathBuf,
        answer: impl Fn(Result<RunNews, String>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("erw-watch".into())
            .spawn(move || {
                let mut rounds = Rounds::new(root);
                let mut pause = Duration::ZERO;
                while let Some(watch) = worker.wait(pause) {
                    let more = rounds.round(&watch, Instant::now(), &answer);
                    pause = match (more, watch.is_looked_at()) {
                        (true, _) => BREATH,
                        (false, true) => LOOK,
                        (false, false) => LIST_UNSEEN,
                    };
                }
            })?;
        Ok(Self { shared })
    }

    /// Watches this from now on.
    pub(crate) fn watch(&self, watch: Watch) {
        let mut slot = self.shared.slot();
        slot.watch = watch;
        slot.fresh = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.slot().closed = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to watch, after `pause` or as soon as it is something else; `None` at the end.
    fn wait(&self, pause: Duration) -> Option<Watch> {
        let slot = self.slot();
        let waiting = |slot: &mut Slot| !slot.fresh && !slot.closed;
        let (mut slot, _) = self
            .wake
            .wait_timeout_while(slot, pause, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        slot.fresh = false;
        (!slot.closed).then(|| slot.watch.clone())
    }
}

/// A file as it was: its length and when it was changed.
type Stamp = Option<(u64, SystemTime)>;

/// What was read so far, so that nothing is read or told twice.
pub(crate) struct Rounds {
    root: PathBuf,
    listed: Option<Instant>,
    entries: Option<Vec<Entry>>,
    glances: HashMap<String, (Stamp, Entry)>,
    /// The runs of other programs: there is no glance at one, it must be read in full.
    theirs: HashMap<String, Follower>,
    readers: BTreeMap<String, Source>,
    log: Option<(String, Stamp)>,
    eye: Option<Eye>,
    gauge: Gauge,
    troubles: Vec<String>,
}

impl Rounds {
    /// Nothing is read yet.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            listed: None,
            entries: None,
            glances: HashMap::new(),
            theirs: HashMap::new(),
            readers: BTreeMap::new(),
            log: None,
            eye: None,
            gauge: Gauge::default(),
            troubles: Vec::new(),
        }
    }

    /// One round at the time `now`; true if there is more to read at once.
    pub(crate) fn round(
        &mut self,
        watch: &Watch,
        now: Instant,
        answer: &impl Fn(Result<RunNews, String>),
    ) -> bool {
        let pause = if watch.is_looked_at() {
            LIST
        } else {
            LIST_UNSEEN
        };
        if self.listed.is_none_or(|at| now - at >= pause) {
            self.listed = Some(now);
            self.list(answer);
        }
        self.readers.retain(|name, _| watch.follow.contains(name));
        let mut more = false;
        if watch.open {
            for name in &watch.follow {
                more |= self.follow(name, answer);
            }
        }
        self.read_log(watch.log.as_deref(), answer);
        more | self.look_at_job(watch, now, answer)
    }

    /// Reads on in the run that is looked at on the jobs screen, and what the live ones take; true if there is more.
    fn look_at_job(
        &mut self,
        watch: &Watch,
        now: Instant,
        answer: &impl Fn(Result<RunNews, String>),
    ) -> bool {
        let Some(job) = &watch.job else {
            self.eye = None;
            return false;
        };
        let live = self.entries.as_deref().unwrap_or_default();
        if let Some(news) = self.gauge.look(&self.root, live, now) {
            answer(Ok(RunNews::Job(news)));
        }
        if self.eye.as_ref().is_none_or(|eye| !eye.is_on(job)) {
            self.eye = Some(Eye::on(&self.root, job));
        }
        let Some(eye) = &mut self.eye else {
            return false;
        };
        let (more, wrong) = eye.look(job, (EVENTS, TIME), &|news| answer(Ok(RunNews::Job(news))));
        for why in wrong {
            self.complain(why, answer);
        }
        more
    }

    fn list(&mut self, answer: &impl Fn(Result<RunNews, String>)) {
        let listing = match Run::list(&self.root) {
            Ok(listing) => listing,
            Err(why) => return self.complain(why.to_string(), answer),
        };
        for broken in &listing.broken {
            self.complain(broken.to_string(), answer);
        }
        let (mut entries, mut glances) = (Vec::new(), HashMap::new());
        for run in listing.runs {
            let name = run.folder.name();
            let stamp = stamp(&run.folder.events());
            let known = self.glances.remove(&name).filter(|(before, entry)| {
                *before == stamp
                    && !entry.state.is_live()
                    && entry.manifest == run.manifest
                    // The stamp says nothing of those.
                    && !self.theirs.contains_key(&name)
            });
            let entry = match known {
                Some((_, entry)) => entry,
                None => match self.look(run) {
                    Ok(entry) => entry,
                    Err(why) => {
                        self.complain(why, answer);
                        continue;
                    }
                },
            };
            glances.insert(name, (stamp, entry.clone()));
            entries.push(entry);
        }
        self.theirs.retain(|name, _| glances.contains_key(name));
        self.glances = glances;
        if self.entries.as_ref() != Some(&entries) {
            self.entries = Some(entries.clone());
            answer(Ok(RunNews::Listed(entries)));
        }
    }

    /// How a run stands.
    fn look(&mut self, run: Run) -> Result<Entry, String> {
        let name = run.folder.name();
        if !run.folder.is_foreign() {
            self.theirs.remove(&name);
            let (summary, state) = glance(&run.folder).map_err(|why| why.to_string())?;
            return Ok(entry(run, summary, state));
        }
        let follower = self
            .theirs
            .entry(name.clone())
            .or_insert_with(|| Follower::new(run.folder.clone()));
        if let Err(why) = follower.catch_up() {
            // A file of it may be gone: the next look begins anew.
            self.theirs.remove(&name);
            return Err(why.to_string());
        }
        // The list shows no curves.
        follower.history = History::default();
        let (summary, state) = (follower.summary.clone(), follower.state());
        Ok(entry(run, summary, state))
    }

    /// Reads on in a run; true if there is more.
    fn follow(&mut self, name: &str, answer: &impl Fn(Result<RunNews, String>)) -> bool {
        let fresh = !self.readers.contains_key(name);
        let folder = Folder::at(self.root.join(name));
        let reader = self
            .readers
            .entry(name.to_owned())
            .or_insert_with(|| Source::of(&folder));
        match reader.poll(EVENTS, TIME) {
            Ok(batch) => {
                if fresh || batch.anew || !batch.events.is_empty() {
                    answer(Ok(RunNews::Told {
                        run: name.to_owned(),
                        events: batch.events,
                        anew: batch.anew || fresh,
                    }));
                }
                batch.more
            }
            Err(why) => {
                self.complain(why.to_string(), answer);
                false
            }
        }
    }

    fn read_log(&mut self, name: Option<&str>, answer: &impl Fn(Result<RunNews, String>)) {
        let Some(name) = name else {
            self.log = None;
            return;
        };
        let path = Folder::at(self.root.join(name)).log();
        let now = Some((name.to_owned(), stamp(&path)));
        if self.log == now {
            return;
        }
        self.log = now;
        let lines = Log::new(&path).end(LOG_LINES).unwrap_or_else(|why| {
            let why = format!("cannot read '{}': {why}", path.display());
            self.complain(why.clone(), answer);
            // It is not to look like an empty one.
            vec![why]
        });
        answer(Ok(RunNews::Log {
            run: name.to_owned(),
            lines,
        }));
    }

    /// Says what is wrong, once.
    fn complain(&mut self, why: String, answer: &impl Fn(Result<RunNews, String>)) {
        if !self.troubles.contains(&why) {
            self.troubles.push(why.clone());
            answer(Err(why));
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// A run as the list shows it.
fn entry(run: Run, summary: Summary, state: State) -> Entry {
    Entry {
        name: run.folder.name(),
        progress: summary.progress(),
        phase: summary.phase.clone().filter(|_| state == State::Running),
        reason: summary.reason(state),
        times: Times {
            queued: summary.queued,
            started: summary.started,
            latest: summary.latest,
        },
        job: (run.manifest.launcher == "slurm")
            .then(|| job_number(&run.folder))
            .flatten(),
        process: summary.process,
        manifest: run.manifest,
        state,
    }
}

#[cfg(test)]
mod tests;
