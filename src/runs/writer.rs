//! Writing a run: facts go to the end of `events.jsonl`, one write call a line, so that a kill at any instant loses the last
//! line at most; whoever takes the run up afterwards cuts off what is left of that line, and nothing else.
//!
//! It notes what it is told and decides nothing about the run. How the run ended is always noted: by the verb, by
//! [`Writer::attend`] when work fails or panics, and at the latest when the writer is dropped.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::RunError;
use super::event::{Ending, Event, Fact};
use super::folder::Folder;
use super::host::host;
use super::pulse::Pulse;
use super::tensorboard::Board;

/// How often the `control` file is looked for at the most; a person who asks a run to stop does not notice the difference.
const LOOK: Duration = Duration::from_millis(200);

/// The process's hold on a run that it works on. It may be shared between threads.
#[derive(Debug)]
pub struct Writer {
    folder: Folder,
    again: bool,
    lines: Mutex<Lines>,
    board: Mutex<Dashboard>,
    log: Mutex<Option<File>>,
    ended: AtomicBool,
    began: Instant,
    /// When the `control` file was last looked for, in milliseconds after `began`, plus one.
    looked: AtomicU64,
    stop: AtomicBool,
    /// Last, so that the lock outlives the last line.
    _pulse: Pulse,
}

/// The event file for TensorBoard, made when there is something for it.
#[derive(Debug)]
enum Dashboard {
    Unopened,
    Open(Board),
    /// It could not be written. The run goes on without, for all that is in it is in `events.jsonl` too.
    Broken,
}

/// An open `events.jsonl` whose length is known.
#[derive(Debug)]
struct Lines {
    file: File,
    length: u64,
}

impl Lines {
    /// Opens the file and cuts off what follows the last line break.
    fn open(folder: &Folder) -> Result<Self, RunError> {
        let path = folder.events();
        let open = || {
            let mut file = OpenOptions::new()
                .create(true)
                .read(true)
                .append(true)
                .open(&path)?;
            let (length, whole) = (file.metadata()?.len(), whole_lines(&mut file)?);
            if whole < length {
                file.set_len(whole)?;
                file.sync_data()?;
            }
            Ok(Self {
                file,
                length: whole,
            })
        };
        open().map_err(RunError::files("open", &path))
    }

    /// Appends one line, or nothing.
    fn append(&mut self, line: &[u8], durable: bool) -> io::Result<()> {
        let written = match self.file.write(line) {
            Ok(n) if n == line.len() => Ok(()),
            Ok(_) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Err(e) => Err(e),
        };
        if written.is_err() {
            // Half a line in the middle would spoil the next one too.
            self.file.set_len(self.length)?;
            return written;
        }
        self.length += line.len() as u64;
        if durable {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Ends the last line of a file of lines that is appended to: a kill may have cut it short, and the next one must not be glued
/// to it. For files beside the run's own `events.jsonl`, whose end is mended when the run is taken up.
pub fn end_the_last_line(file: &mut File) -> io::Result<()> {
    if whole_lines(file)? == file.metadata()?.len() {
        return Ok(());
    }
    file.write_all(b"\n")
}

/// The length up to and with the last line break.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(i) = part.iter().rposition(|b| *b == b'\n') {
            return Ok(start + i as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

impl Folder {
    /// Takes the run up for this process: locks it, lets the heart beat, mends the end of `events.jsonl` after a kill, and
    /// notes [`Fact::Started`]. An error where another process has it, or where the folder cannot be written.
    pub fn take_up(&self) -> Result<Writer, RunError> {
        let pulse = Pulse::start(self)?;
        let lines = Lines::open(self)?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(RunError::files("open", &self.log()))?;
        let log = (!is_stderr(&log)).then_some(log);
        let writer = Writer {
            folder: self.clone(),
            again: lines.length > 0 && has_begun(self)?,
            lines: Mutex::new(lines),
            board: Mutex::new(Dashboard::Unopened),
            log: Mutex::new(log),
            ended: AtomicBool::new(false),
            began: Instant::now(),
            looked: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            _pulse: pulse,
        };
        writer.note(Fact::Started {
            pid: std::process::id(),
            host: host(),
        })?;
        Ok(writer)
    }

    /// Adds facts to a run that no process works on: that it waits in a queue, or that its process died and of what.
    pub fn add(&self, facts: impl IntoIterator<Item = Fact>) -> Result<(), RunError> {
        let _lock = self.hold()?;
        let mut lines = Lines::open(self)?;
        for fact in facts {
            lines
                .append(&self.line(&Event::now(fact))?, true)
                .map_err(RunError::files("write", &self.events()))?;
        }
        Ok(())
    }

    fn line(&self, event: &Event) -> Result<Vec<u8>, RunError> {
        let mut line = serde_json::to_vec(event).map_err(|e| self.unwritable("event", &e))?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Whether a process ever worked on the run. The first lines say so, for before that it can only have waited.
fn has_begun(folder: &Folder) -> Result<bool, RunError> {
    let path = folder.events();
    let file = File::open(&path).map_err(RunError::files("read", &path))?;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(RunError::files("read", &path))?;
        let event = serde_json::from_slice::<Event>(&line);
        if event.is_ok_and(|e| matches!(e.fact, Fact::Started { .. })) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether what this process prints for people goes to that file already, as a launcher arranges it.
#[cfg(unix)]
fn is_stderr(log: &File) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let both = || {
        let (a, b) = (stderr?.metadata()?, log.metadata()?);
        io::Result::Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
    };
    both().unwrap_or(false)
}

#[cfg(not(unix))]
fn is_stderr(_log: &File) -> bool {
    false
}

impl Writer {
    /// The run's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Whether a process worked on the run before this one, so that there may be something to go on from.
    pub fn again(&self) -> bool {
        self.again
    }

    /// Notes a fact. When this returns, the fact survives the death of the process; a checkpoint and an end also that of the
    /// machine. An error (a full disk) leaves the file as it was.
    pub fn note(&self, fact: Fact) -> Result<(), RunError> {
        let durable = matches!(
            fact,
            Fact::Ended { .. } | Fact::Checkpoint { .. } | Fact::Resumed { .. }
        );
        let event = Event::now(fact);
        let line = self.folder.line(&event)?;
        held(&self.lines)
            .append(&line, durable)
            .map_err(RunError::files("write", &self.folder.events()))?;
        // Handed over to a queue, it has not ended, and this process has nothing more to say of it.
        if matches!(event.fact, Fact::Ended { .. } | Fact::Queued { .. }) {
            self.ended.store(true, Ordering::Relaxed);
        }
        match self.show(&event) {
            Ok(()) => Ok(()),
            Err(why) => self.note(Fact::Note {
                text: format!("no TensorBoard files from here on: {why}"),
            }),
        }
    }

    /// Writes metrics once more, for other dashboards.
    fn show(&self, event: &Event) -> io::Result<()> {
        let (Fact::Metrics { step, .. } | Fact::Resumed { step }) = &event.fact else {
            return Ok(());
        };
        let mut board = held(&self.board);
        if matches!(*board, Dashboard::Broken) {
            return Ok(());
        }
        let mut write = || {
            if matches!(*board, Dashboard::Unopened) {
                let dir = self.folder.tensorboard();
                *board = Dashboard::Open(Board::create(&dir, event.time, &host())?);
            }
            match (&mut *board, &event.fact) {
                (Dashboard::Open(board), Fact::Metrics { values, .. }) => {
                    board.scalars((event.time, *step), values)
                }
                (Dashboard::Open(board), _) => board.restart(event.time, step + 1),
                _ => Ok(()),
            }
        };
        let written = write();
        if written.is_err() {
            *board = Dashboard::Broken;
        }
        written
    }

    /// Adds a line to `log.txt`, for people. Where the standard error of this process is that very file, as with runs that a
    /// queue started, it does nothing: what is printed there is in the log already.
    pub fn log(&self, line: &str) -> Result<(), RunError> {
        match &mut *held(&self.log) {
            Some(file) => file
                .write_all(format!("{line}\n").as_bytes())
                .map_err(RunError::files("write", &self.folder.log())),
            None => Ok(()),
        }
    }

    /// Whether somebody asked the run to stop. It may be asked at every step: it looks at the disk five times a second at the
    /// most.
    pub fn stop_asked(&self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.began.elapsed().as_millis() as u64 + 1;
        let looked = self.looked.load(Ordering::Relaxed);
        if looked != 0 && now - looked < LOOK.as_millis() as u64 {
            return false;
        }
        self.looked.store(now, Ordering::Relaxed);
        let asked = self.folder.stop_asked().is_some();
        self.stop.store(asked, Ordering::Relaxed);
        asked
    }

    /// Writes `report.json`, in one step.
    pub fn report(&self, report: &impl Serialize) -> Result<(), RunError> {
        self.folder.write_report(report)
    }

    /// Notes how the run ended.
    pub fn end(&self, ending: Ending, reason: &str) -> Result<(), RunError> {
        self.note(Fact::Ended {
            ending,
            reason: reason.to_owned(),
        })
    }

    /// Does the work of the run. Where it returns an error or panics, and no end was noted, the run ends as failed with the
    /// error's text, and the error or the panic goes on.
    pub fn attend<T, E: Display>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let failed = |reason: &str| {
            if !self.ended.load(Ordering::Relaxed) {
                // The work's own error is the one to report.
                let _ = self.end(Ending::Failed, reason);
            }
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => {
                if let Err(error) = &result {
                    failed(&format!("{error:#}"));
                }
                result
            }
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|s| (*s).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                let text = text.unwrap_or_else(|| "without a word".into());
                failed(&format!("a fault in the program: {text}"));
                resume_unwind(panic)
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Relaxed) {
            let reason = if std::thread::panicking() {
                "a fault in the program"
            } else {
                "left without saying why"
            };
            let _ = self.end(Ending::Failed, reason);
        }
    }
}

/// The content of a lock. A thread that panicked between two writes left nothing half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
