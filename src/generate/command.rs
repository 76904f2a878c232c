//! Programs as editors: one process for each candidate, in a process group of its own, which is ended as a whole when it takes too
//! long or nothing more is wanted. What it writes counts once it has ended well and the image can be decoded.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::editor::{Editor, Order, Picture, checked};
use crate::config::{CommandSettings, EditorSettings, Slot};
use crate::data::images;
use crate::domain::ImageRef;
use crate::domain::text::printable;
use crate::jobs::{end_group, in_a_group};
use crate::remote::{Clock, Failure, Stop, backoff};

/// How long a program that was told to end may take to do so.
const GRACE: Duration = Duration::from_secs(2);

/// How long to listen to a program that has ended already: what it said before that is in a pipe and read in no time.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The longest pause between two looks at a program.
const PAUSE: Duration = Duration::from_millis(50);

/// So many bytes of the end of what a program says are kept.
const TAIL: usize = 4_000;

/// So many characters of that go into a reason.
const REASON: usize = 400;

/// Parts of names of variables whose values are not for others to read.
const SECRET: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// The shortest value that is a secret; a shorter one is in too many words.
const SHORTEST_SECRET: usize = 8;

/// A program that makes candidates.
pub(super) struct Program<'a> {
    settings: &'a EditorSettings,
    command: &'a CommandSettings,
    /// A folder for what programs write before it counts.
    scratch: PathBuf,
    clock: &'a dyn Clock,
    stop: &'a Stop,
    seed: u64,
    timeout: Duration,
    secrets: Vec<String>,
    started: AtomicU64,
}

/// How a process ended.
enum End {
    Itself(ExitStatus),
    TooLate,
    Stopped,
}

/// Why a try came to nothing, and whether another may do better.
enum Setback {
    Try(String),
    For(Failure),
}

impl<'a> Program<'a> {
    pub(super) fn new(
        settings: &'a EditorSettings,
        command: &'a CommandSettings,
        scratch: &Path,
        (clock, stop): (&'a dyn Clock, &'a Stop),
        seed: u64,
    ) -> Self {
        let inherited = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let added = command.env.iter().map(|(n, v)| (n.clone(), v.clone()));
        let secrets = inherited.chain(added).filter(|(name, value)| {
            let name = name.to_uppercase();
            value.len() >= SHORTEST_SECRET && SECRET.iter().any(|part| name.contains(part))
        });
        Self {
            settings,
            command,
            scratch: scratch.to_owned(),
            clock,
            stop,
            seed,
            timeout: Duration::try_from_secs_f64(settings.timeout_s).unwrap_or(Duration::MAX),
            secrets: secrets.map(|(_, value)| value).collect(),
            started: AtomicU64::new(0),
        }
    }

    fn name(&self) -> &str {
        &self.settings.name
    }

    /// The path of the source, as a program can open it.
    fn source(&self, order: &Order<'_>) -> Result<PathBuf, String> {
        let told = |why: images::ImageError| match why.to_string() {
            why if why.contains(&order.source.0) => why,
            why => format!("'{}': {why}", order.source.0),
        };
        if images::is_cell(order.source) {
            let folder = self.scratch.join("sources");
            return images::copy_into(order.root, order.source, &folder).map_err(told);
        }
        images::dimensions_of(order.root, order.source).map_err(told)?;
        images::locate(order.root, order.source).map_err(told)
    }

    /// One process.
    fn once(&self, order: &Order<'_>, source: &Path) -> Result<Picture, Setback> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let folder = Scratch(
            self.scratch
                .join(format!("{}-{number}", super::place::component(self.name()))),
        );
        fs::create_dir_all(&folder.0).map_err(|why| {
            Setback::For(Failure::All(format!(
                "cannot create '{}': {why}",
                folder.0.display()
            )))
        })?;
        let out = folder.0.join(format!("out.{}", self.command.ending));
        let words = self.command.command.fill(|slot| match slot {
            Slot::Source => Cow::Borrowed(source.as_os_str()),
            Slot::Instruction => Cow::Borrowed(OsStr::new(order.instruction)),
            Slot::Seed => Cow::Owned(OsString::from(order.seed.to_string())),
            Slot::Out => Cow::Borrowed(out.as_os_str()),
            Slot::Group => Cow::Borrowed(OsStr::new(order.group)),
        });
        let (end, said) = self.carried_out(&words)?;
        let said = |what: String| match self.shortened(&said) {
            said if said.is_empty() => what,
            said => format!("{what}: {said}"),
        };
        match end {
            End::Stopped => Err(Setback::For(Failure::Stopped)),
            End::TooLate => Err(Setback::Try(said(format!(
                "it was not done within {} s (timeout_s)",
                self.settings.timeout_s
            )))),
            End::Itself(status) if !status.success() => Err(Setback::Try(said(status.to_string()))),
            End::Itself(_) => {
                if !out.exists() {
                    return Err(Setback::Try(said(
                        "it ended well and wrote no image to {out}".to_owned(),
                    )));
                }
                let image = ImageRef(out.display().to_string());
                let bytes = images::read(Path::new("/"), &image).map_err(|why| why.to_string());
                bytes
                    .and_then(checked)
                    .map_err(|why| Setback::Try(said(format!("what it wrote is of no use: {why}"))))
            }
        }
    }

    /// Runs a program to its end; how it ended, and the end of what it said.
    fn carried_out(&self, words: &[OsString]) -> Result<(End, String), Setback> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(Setback::For(Failure::All("it names no program".into())));
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&self.command.env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(directory) = &self.command.directory {
            command.current_dir(directory);
        }
        let mut child = in_a_group(&mut command)
            .spawn()
            .map_err(|why| not_started(program, &why))?;
        let said = Said::listen(&mut child);
        let end = self.watched(&mut child).map_err(|why| {
            ended(&mut child);
            Setback::Try(format!("cannot wait for it: {why}"))
        })?;
        Ok((end, said.last_words()))
    }

    fn watched(&self, child: &mut Child) -> io::Result<End> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(End::Itself(status));
            }
            let left = self.timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                ended(child);
                return Ok(End::TooLate);
            }
            if self.stop.wait(pause.min(left)) {
                ended(child);
                return Ok(End::Stopped);
            }
            pause = PAUSE.min(pause * 2);
        }
    }

    /// The end of what a program said, in one line, without anything secret.
    fn shortened(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for secret in &self.secrets {
            said = said.replace(secret, "(secret)");
        }
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let said = lines.collect::<Vec<_>>().join(" | ");
        let said = printable(&said);
        match said.chars().count().checked_sub(REASON) {
            None | Some(0) => said.into_owned(),
            Some(more) => ['…'].into_iter().chain(said.chars().skip(more)).collect(),
        }
    }
}

impl Editor for Program<'_> {
    fn make(&self, order: &Order<'_>, told: &dyn Fn(&str)) -> Result<Picture, Failure> {
        let named = |why: String| format!("editor '{}': {why}", self.name());
        let source = self
            .source(order)
            .map_err(|why| Failure::Question(named(why)))?;
        let id = format!("{} {} {}", order.group, self.name(), order.seed);
        let mut tries = 0;
        loop {
            if self.stop.is_rung() {
                return Err(Failure::Stopped);
            }
            let setback = self.once(order, &source);
            tries += 1;
            let why = match setback {
                Ok(picture) => return Ok(picture),
                Err(Setback::For(Failure::All(why))) => return Err(Failure::All(named(why))),
                Err(Setback::For(Failure::Question(why))) => {
                    return Err(Failure::Question(named(why)));
                }
                Err(Setback::For(Failure::Stopped)) => return Err(Failure::Stopped),
                Err(Setback::Try(why)) => named(why),
            };
            told(&why);
            if tries > self.settings.retries {
                let tried = if tries == 1 {
                    String::new()
                } else {
                    format!("; tried {tries} times")
                };
                return Err(Failure::Question(format!("{why}{tried}")));
            }
            self.clock.wait(backoff(self.seed, &id, tries), self.stop);
        }
    }
}

/// Why a program could not be started, and what that spoils.
fn not_started(program: &OsStr, why: &io::Error) -> Setback {
    let told = format!("cannot start '{}': {why}", program.display());
    // A program that is not there is there for no candidate; an argument that it cannot have is one candidate's.
    match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Setback::For(Failure::All(
            format!("{told}; look at command and directory"),
        )),
        io::ErrorKind::InvalidInput | io::ErrorKind::ArgumentListTooLong => {
            Setback::For(Failure::Question(told))
        }
        _ => Setback::Try(told),
    }
}

/// Ends a program with all that it started: politely first.
fn ended(child: &mut Child) {
    end_group(child.id(), false);
    let until = Instant::now() + GRACE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Also what it started and left behind.
    end_group(child.id(), true);
    let _ = child.kill();
    let _ = child.wait();
}

/// A folder that goes with whoever holds it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is taken away when the run ends.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a program says on its standard error: only the end is kept.
struct Said {
    tail: Arc<Mutex<VecDeque<u8>>>,
    over: Receiver<()>,
}

impl Said {
    fn listen(child: &mut Child) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (open, over) = channel();
        if let Some(pipe) = child.stderr.take() {
            let tail = Arc::clone(&tail);
            // What it started may hold the pipe open for ever, so nobody waits for this thread.
            let listener = std::thread::Builder::new().name("erw-editor".into());
            let _ = listener.spawn(move || {
                keep_the_end(pipe, &tail);
                drop(open);
            });
        }
        Self { tail, over }
    }

    fn last_words(self) -> String {
        // Nothing is ever sent: it ends when the pipe does.
        let _ = self.over.recv_timeout(LAST_WORDS);
        let tail: Vec<u8> = held(&self.tail).iter().copied().collect();
        String::from_utf8_lossy(&tail).into_owned()
    }
}

fn keep_the_end(mut pipe: impl Read, tail: &Mutex<VecDeque<u8>>) {
    let mut block = [0; 4096];
    loop {
        let n = match pipe.read(&mut block) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Ok(n) if n > 0 => n,
            _ => return,
        };
        let mut tail = held(tail);
        tail.extend(&block[..n]);
        let more = tail.len().saturating_sub(TAIL);
        tail.drain(..more);
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
