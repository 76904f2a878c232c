//! Watching run folders off the loop: one thread lists the runs now and then, follows those that show, in bounded pieces, and
//! reads the end of one log. It speaks only when something changed, and sleeps longer while nobody looks.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::runs::{Folder, Reader, Run, State, glance};

use super::screens::train::{Entry, RunNews, Watch};

/// Between two looks at the runs that are followed: often enough to be called live, and four wake-ups a second.
const LOOK: Duration = Duration::from_millis(250);
/// Between two looks at the list, while the screen is open and while it is not.
const LIST: Duration = Duration::from_secs(1);
const LIST_UNSEEN: Duration = Duration::from_secs(3);
/// A piece of a run's events: so many, or as many as this time gives. The loop draws in between.
const EVENTS: usize = 2000;
const TIME: Duration = Duration::from_millis(50);
const BREATH: Duration = Duration::from_millis(4);
/// How much of a log's end is read, and how many lines of it are kept.
const LOG_BYTES: u64 = 64 << 10;
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
                    pause = match (more, watch.open) {
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
    readers: BTreeMap<String, Reader>,
    log: Option<(String, Stamp)>,
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
            readers: BTreeMap::new(),
            log: None,
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
        let pause = if watch.open { LIST } else { LIST_UNSEEN };
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
        let mut entries = Vec::new();
        for run in listing.runs {
            let name = run.folder.name();
            let stamp = stamp(&run.folder.events());
            let known = self.glances.get(&name).filter(|(before, entry)| {
                *before == stamp && !entry.state.is_live() && entry.manifest == run.manifest
            });
            let entry = match known {
                Some((_, entry)) => entry.clone(),
                None => match look(run) {
                    Ok(entry) => entry,
                    Err(why) => {
                        self.complain(why, answer);
                        continue;
                    }
                },
            };
            self.glances.insert(name, (stamp, entry.clone()));
            entries.push(entry);
        }
        self.glances
            .retain(|name, _| entries.iter().any(|entry| entry.name == *name));
        if self.entries.as_ref() != Some(&entries) {
            self.entries = Some(entries.clone());
            answer(Ok(RunNews::Listed(entries)));
        }
    }

    /// Reads on in a run; true if there is more.
    fn follow(&mut self, name: &str, answer: &impl Fn(Result<RunNews, String>)) -> bool {
        let fresh = !self.readers.contains_key(name);
        let folder = Folder::at(self.root.join(name));
        let reader = self
            .readers
            .entry(name.to_owned())
            .or_insert_with(|| Reader::new(&folder));
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
        answer(Ok(RunNews::Log {
            run: name.to_owned(),
            lines: tail(&path).unwrap_or_default(),
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
fn look(run: Run) -> Result<Entry, String> {
    let (summary, state) = glance(&run.folder).map_err(|why| why.to_string())?;
    Ok(Entry {
        name: run.folder.name(),
        progress: summary.progress(),
        phase: summary.phase.clone().filter(|_| state == State::Running),
        reason: summary.reason(state),
        manifest: run.manifest,
        state,
    })
}

/// The last lines of a file; of a line that is rewritten in place (a progress bar) what one would see of it.
fn tail(path: &Path) -> std::io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.rsplit('\r')
                .find(|part| !part.is_empty())
                .unwrap_or("")
        })
        .map(str::to_owned)
        .collect();
    if length > LOG_BYTES && !lines.is_empty() {
        // It begins within a line.
        lines.remove(0);
    }
    lines.drain(..lines.len().saturating_sub(LOG_LINES));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::runs::{Ending, Event, Fact, Manifest};

    struct Place {
        root: tempfile::TempDir,
        rounds: Rounds,
        now: Instant,
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let rounds = Rounds::new(root.path().to_owned());
        let now = Instant::now();
        Place { root, rounds, now }
    }

    impl Place {
        fn run(&self, title: &str) -> Folder {
            let manifest = Manifest::new("train", Vec::new(), title);
            Folder::create(self.root.path(), &manifest).unwrap()
        }

        /// A round some seconds later: its news, and whether there is more.
        fn round(&mut self, watch: &Watch) -> (Vec<Result<RunNews, String>>, bool) {
            self.now += LIST_UNSEEN;
            let news = RefCell::new(Vec::new());
            let more = self
                .rounds
                .round(watch, self.now, &|n| news.borrow_mut().push(n));
            (news.into_inner(), more)
        }
    }

    fn write(folder: &Folder, facts: impl IntoIterator<Item = Fact>) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.events())
            .unwrap();
        for (i, fact) in facts.into_iter().enumerate() {
            let time = i as f64;
            let event = Event { time, fact };
            writeln!(file, "{}", serde_json::to_string(&event).unwrap()).unwrap();
        }
    }

    fn metric(step: u64) -> Fact {
        Fact::Metrics {
            step,
            epoch: 0.0,
            values: BTreeMap::from([("train.loss".into(), 0.5)]),
        }
    }

    fn watch(name: &str) -> Watch {
        Watch {
            open: true,
            follow: vec![name.to_owned()],
            log: None,
        }
    }

    #[test]
    fn nothing_is_said_while_nothing_changes() {
        let mut place = place();
        let (news, _) = place.round(&Watch::default());
        assert_eq!(news, [Ok(RunNews::Listed(Vec::new()))]);
        assert!(place.round(&Watch::default()).0.is_empty());
        let folder = place.run("a");
        let ended = Fact::Ended {
            ending: Ending::Done,
            reason: "all steps done".into(),
        };
        write(&folder, [metric(1), ended]);
        let (news, _) = place.round(&Watch::default());
        let Ok(RunNews::Listed(entries)) = &news[0] else {
            panic!("{news:?}");
        };
        assert_eq!((entries[0].title(), entries[0].state), ("a", State::Done));
        assert_eq!(entries[0].reason.as_deref(), Some("all steps done"));
        assert!(place.round(&Watch::default()).0.is_empty());
    }

    #[test]
    fn a_long_run_comes_in_pieces_and_then_only_what_is_new() {
        let mut place = place();
        let folder = place.run("a");
        write(&folder, (1..=EVENTS as u64 + 10).map(metric));
        let watch = watch(&folder.name());
        let told = |news: &[Result<RunNews, String>]| {
            let count = |n: &Result<RunNews, String>| match n {
                Ok(RunNews::Told { events, anew, .. }) => Some((events.len(), *anew)),
                _ => None,
            };
            news.iter().find_map(count)
        };
        let (news, more) = place.round(&watch);
        let (first, anew) = told(&news).unwrap();
        assert!(anew && more && first <= EVENTS);
        let (mut rest, mut again) = (first, true);
        while again {
            let (news, more) = place.round(&watch);
            rest += told(&news).map_or(0, |(count, _)| count);
            again = more;
        }
        assert_eq!(rest, EVENTS + 10);
        write(&folder, [metric(9999)]);
        assert_eq!(told(&place.round(&watch).0), Some((1, false)));
        // Looked at again after something else: from the beginning.
        place.round(&Watch::default());
        assert!(told(&place.round(&watch).0).unwrap().1);
    }

    #[test]
    fn the_end_of_a_log_is_read_when_it_has_changed() {
        let mut place = place();
        let folder = place.run("a");
        let watch = Watch {
            log: Some(folder.name()),
            ..watch(&folder.name())
        };
        place.round(&watch);
        assert!(place.round(&watch).0.is_empty());
        let text = format!("{}loading 1%\rloading 2%\nready\n", "old\n".repeat(30_000));
        std::fs::write(folder.log(), text).unwrap();
        let (news, _) = place.round(&watch);
        let Ok(RunNews::Log { lines, .. }) = &news[0] else {
            panic!("{news:?}");
        };
        assert_eq!(lines.len(), LOG_LINES);
        assert_eq!(lines[LOG_LINES - 2..], ["loading 2%", "ready"]);
    }

    #[test]
    fn what_is_wrong_is_said_once() {
        let mut place = place();
        std::fs::create_dir(place.root.path().join("torn")).unwrap();
        std::fs::write(place.root.path().join("torn/run.toml"), "verb = 3").unwrap();
        let (news, _) = place.round(&Watch::default());
        assert!(news[0].as_ref().unwrap_err().contains("torn"), "{news:?}");
        assert!(place.round(&Watch::default()).0.is_empty());
    }

    #[test]
    fn the_thread_ends_with_its_handle_and_answers_at_once_to_something_else() {
        let place = place();
        let folder = place.run("a");
        let (tx, rx) = std::sync::mpsc::channel();
        let watcher = Watcher::start(place.root.path().to_owned(), move |news| {
            let _ = tx.send(news);
        })
        .unwrap();
        let next = || rx.recv_timeout(Duration::from_secs(20));
        assert!(matches!(next(), Ok(Ok(RunNews::Listed(_)))));
        watcher.watch(watch(&folder.name()));
        assert!(matches!(next(), Ok(Ok(RunNews::Told { .. }))));
        drop(watcher);
        assert!(next().is_err(), "nobody is left to speak");
    }
}
