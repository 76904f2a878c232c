//! Making candidates as a run: what is missing is looked up, what was made before taken up, the rest made, and the report written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::answers::{answers, samples};
use super::command::Program;
use super::editor::{Editor, by};
use super::error::GenerateError;
use super::ledger::Ledger;
use super::plan::{Chosen, Counts, Keys, Missing, Plan, plan};
use super::pool::{Bench, News, Pool};
use super::report::{EditorReport, Report, Sampled};
use super::service::{Service, endpoint};
use super::work::Work;
use crate::config::{EditorKind, EditorSettings};
use crate::data::Workspace;
use crate::remote::{Clock, Key, Pace, RealClock, Shared, Stop};
use crate::runs::{Ending, Fact, Writer};

/// So many candidates in a row that came to nothing, and nothing more is asked of an editor: it is at fault, not the groups.
const IN_A_ROW: usize = 8;

/// How long requests in flight may still take once nothing more is wanted: they are paid for, and their images are kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether the run is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How the names of folders for what is not done yet begin, in the run's.
const SCRATCH: &str = "scratch-";

/// What is to be done.
#[derive(Debug)]
pub struct Task<'a> {
    /// The groups.
    pub workspace: &'a Workspace,
    /// Which of them.
    pub chosen: Chosen,
    /// What makes candidates.
    pub editors: Vec<EditorSettings>,
    /// The folder of the images: an absolute path.
    pub out: PathBuf,
    /// How many candidates of each group are kept; all without a number.
    pub sample: Option<usize>,
    /// What samples, and waits before another try, are drawn by.
    pub seed: u64,
}

/// What whoever watches hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// So many candidates of so many were made or failed.
    Progress(usize, usize),
    /// Words for people.
    Line(&'a str),
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is open any more.
    Done(Box<Report>),
    /// Somebody asked it to stop.
    Stopped {
        /// Candidates that were made or failed.
        done: usize,
        /// All candidates.
        of: usize,
    },
}

/// What would be done.
pub fn look(task: &Task<'_>) -> Result<Counts, GenerateError> {
    let known = Ledger::glance(&task.out)?;
    let (workspace, editors) = (task.workspace, &task.editors);
    let wanted = (&task.chosen, task.sample);
    Ok(plan(workspace, wanted, editors, &known, &Keys::new())?.counts)
}

/// Does the work of a run. `stop` is asked several times a second.
pub fn run(
    task: &Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<Outcome, GenerateError> {
    run_by((&RealClock::new(), PATIENCE), task, writer, stop, hear)
}

/// Notes how a run ended.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), GenerateError> {
    let (ending, reason) = match outcome {
        Outcome::Done(report) => {
            let parts = [(report.earlier, "from earlier"), (report.failed, "failed")];
            let parts = parts.into_iter().filter(|(number, _)| *number > 0);
            let mut reason = vec![format!("{} made", report.made)];
            reason.extend(parts.map(|(number, what)| format!("{number} {what}")));
            (Ending::Done, reason.join(", "))
        }
        Outcome::Stopped { done, of } => {
            (Ending::Stopped, format!("{done} of {of} candidates done"))
        }
    };
    Ok(writer.end(ending, &reason)?)
}

/// The same by another clock, and with another patience.
pub(super) fn run_by(
    time: (&dyn Clock, Duration),
    task: &Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<Outcome, GenerateError> {
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    let stop = || stop() || writer.stop_asked();
    let scratch = Scratch::new(writer)?;
    phase("looking for what is missing")?;
    let ledger = Ledger::open(&task.out)?;
    let (workspace, known) = (task.workspace, ledger.known());
    let folder = writer.folder().path();
    let answered = answers(folder)?.into_iter().filter(|a| a.image.is_some());
    let answered: Keys = answered.map(|a| (a.group, a.editor, a.seed)).collect();
    let wanted = (&task.chosen, task.sample);
    let plan = plan(workspace, wanted, &task.editors, known, &answered)?;
    let Plan {
        counts,
        on_disk,
        mut to_make,
        lacking,
        again,
    } = plan;
    let done = answered.len().saturating_sub(again);
    let of = done + on_disk.len() + counts.missing();
    let heard_of = (answered, done, of);
    let mut work = Work::new((task, writer), ledger, lacking, heard_of, hear)?;
    phase("taking up what was made before")?;
    for missing in on_disk {
        if stop() {
            return stopped(&mut work);
        }
        if !work.take_up(missing)? {
            to_make[missing.editor].push(missing);
        }
    }
    phase("making candidates")?;
    let given_up = make(time, task, &scratch, to_make, &mut work, &stop)?;
    work.note()?;
    let open = work.open();
    if open > 0 && (stop() || given_up.iter().all(Option::is_none)) {
        return stopped(&mut work);
    }
    let report = report(task, &counts, folder, &given_up)?;
    writer.report(&report)?;
    let why: Vec<String> = given_up.into_iter().flatten().collect();
    if !why.is_empty() {
        return Err(GenerateError::GivenUp {
            made: report.made,
            missing: open,
            why,
        });
    }
    Ok(Outcome::Done(Box::new(report)))
}

fn stopped(work: &mut Work<'_>) -> Result<Outcome, GenerateError> {
    work.note()?;
    let (done, of) = work.progress();
    Ok(Outcome::Stopped { done, of })
}

/// Makes what is to be made; why each editor was given up, where it was.
fn make(
    (clock, patience): (&dyn Clock, Duration),
    task: &Task<'_>,
    scratch: &Scratch,
    to_make: Vec<Vec<Missing>>,
    work: &mut Work<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Option<String>>, GenerateError> {
    let bell = Stop::default();
    let keys = task
        .editors
        .iter()
        .zip(&to_make)
        .map(|(settings, queue)| key(settings, queue));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let paces: Vec<Pace> = task.editors.iter().map(pace).collect();
    let mut benches = Vec::with_capacity(task.editors.len());
    for (((settings, queue), key), pace) in task.editors.iter().zip(to_make).zip(&keys).zip(&paces)
    {
        let shared = Shared {
            clock,
            stop: &bell,
            pace,
        };
        let editor = editor(settings, key.as_ref(), shared, scratch, task.seed)?;
        benches.push(Bench::new(settings, editor, queue));
    }
    let pool = Pool {
        workspace: task.workspace,
        benches: &benches,
        clock,
        stop: &bell,
    };
    std::thread::scope(|scope| {
        // Also when something here fails: the scope waits for its threads.
        let last = EndAll {
            pool: &pool,
            patience,
        };
        let heard = pool.start(scope).map_err(|why| {
            GenerateError::Choice(format!("cannot start a thread: {why}; set fewer workers"))
        })?;
        listen(&heard, &last, work, stop)
    })
}

/// Has all threads come to their end when it is dropped.
struct EndAll<'a> {
    pool: &'a Pool<'a>,
    patience: Duration,
}

impl EndAll<'_> {
    fn hang_up(&self) {
        for bench in self.pool.benches {
            bench.editor.hang_up();
        }
    }
}

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        self.pool.stop.ring();
        self.hang_up();
    }
}

/// Takes in what the threads tell, until all are done.
fn listen(
    heard: &Receiver<News>,
    all: &EndAll<'_>,
    work: &mut Work<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Option<String>>, GenerateError> {
    let pool = all.pool;
    let mut in_vain = vec![0; pool.benches.len()];
    let mut given_up = vec![None; pool.benches.len()];
    let mut hang_up_at: Option<Instant> = None;
    loop {
        match heard.recv_timeout(LOOK) {
            Ok(News::Done(done)) => {
                let (place, failed) = (done.missing.editor, done.outcome.is_err());
                let why = done.outcome.as_ref().err().cloned().unwrap_or_default();
                work.take(*done)?;
                in_vain[place] = if failed { in_vain[place] + 1 } else { 0 };
                let bench = &pool.benches[place];
                let most = IN_A_ROW.max(2 * bench.settings.workers.get());
                if in_vain[place] >= most && given_up[place].is_none() {
                    bench.give_up();
                    given_up[place] = Some(format!(
                        "editor '{}' failed {most} times in a row, so nothing more is asked of it; the last: {why}",
                        bench.settings.name
                    ));
                }
            }
            Ok(News::Setback(line)) => work.log(&line)?,
            Ok(News::Useless(place, why)) => {
                pool.benches[place].give_up();
                if given_up[place].is_none() {
                    work.say(&why)?;
                    given_up[place] = Some(why);
                }
            }
            Ok(News::Broken(error)) => return Err(error.into()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(given_up),
        }
        if !pool.stop.is_rung() && stop() {
            pool.stop.ring();
            hang_up_at = Some(Instant::now() + all.patience);
        }
        if hang_up_at.take_if(|time| Instant::now() >= *time).is_some() {
            all.hang_up();
        }
    }
}

/// The key of an editor that has one and something to do.
fn key(settings: &EditorSettings, queue: &[Missing]) -> Result<Option<Key>, GenerateError> {
    match &settings.kind {
        EditorKind::Service(service) if !queue.is_empty() => {
            let key = endpoint(settings, service).key_source().look_up();
            key.map_err(GenerateError::Choice)
        }
        _ => Ok(None),
    }
}

fn pace(settings: &EditorSettings) -> Pace {
    Pace::new(match &settings.kind {
        EditorKind::Service(service) => service.requests_per_minute.map(std::num::NonZeroU32::get),
        EditorKind::Command(_) => None,
    })
}

fn editor<'a>(
    settings: &'a EditorSettings,
    key: Option<&'a Key>,
    shared: Shared<'a>,
    scratch: &Scratch,
    seed: u64,
) -> Result<Box<dyn Editor + 'a>, GenerateError> {
    Ok(match &settings.kind {
        EditorKind::Command(command) => {
            let time = (shared.clock, shared.stop);
            Box::new(Program::new(settings, command, &scratch.path, time, seed))
        }
        EditorKind::Service(service) => {
            let service = Service::new(settings, service, key, shared, seed);
            Box::new(service.map_err(GenerateError::Choice)?)
        }
    })
}

fn report(
    task: &Task<'_>,
    counts: &Counts,
    folder: &Path,
    given_up: &[Option<String>],
) -> Result<Report, GenerateError> {
    let editors = task
        .editors
        .iter()
        .zip(given_up)
        .map(|(settings, given_up)| EditorReport {
            editor: settings.name.clone(),
            by: by(settings),
            made: 0,
            earlier: 0,
            failed: 0,
            given_up: given_up.clone(),
            seconds: None,
        });
    let sample = match task.sample {
        Some(most) => Some(Sampled::new(most, task.seed, &samples(folder)?)),
        None => None,
    };
    let mut report = Report {
        out: task.out.display().to_string(),
        groups: counts.groups,
        without_source: counts.without_source,
        made: 0,
        earlier: 0,
        failed: 0,
        sample,
        editors: editors.collect(),
        failures: Vec::new(),
    };
    report.add_up(answers(folder)?);
    Ok(report)
}

/// A folder of this process for what is not done yet.
struct Scratch {
    run: PathBuf,
    path: PathBuf,
}

impl Scratch {
    fn new(writer: &Writer) -> Result<Self, GenerateError> {
        let run = writer.folder().clone().absolute().path().to_owned();
        // What programs of a killed process still write into theirs comes to nothing.
        Self::clear(&run);
        let new = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&run);
        let new = new.map_err(GenerateError::files("create a folder in", &run))?;
        Ok(Self {
            path: new.keep(),
            run,
        })
    }

    /// Takes all of them away, as far as nobody writes there any more.
    fn clear(run: &Path) {
        for entry in fs::read_dir(run).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        Self::clear(&self.run);
    }
}
