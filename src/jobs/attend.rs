//! Another program as a run: it is started, what it prints is kept and searched for measurements, its own files are followed
//! where it writes some, and how it ended is noted. Its curves, progress and log then look like those of any run.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::error::JobError;
use super::process::{Signal, send};
use crate::domain::text::printable;
use crate::runs::foreign::{Foreign, Line};
use crate::runs::{Ending, Fact, Writer};

/// How often it is looked whether the program was asked to stop or has written something.
const LOOK: Duration = Duration::from_millis(200);

/// Progress bars repaint many times a second; so often is enough for whoever looks at the run.
const PROGRESS: Duration = Duration::from_secs(1);

/// How long to listen to a program that has ended already: what it said before that is in a pipe and read in no time.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The longest line that is kept whole.
const MAX_LINE: usize = 64 << 10;

/// What is started and where else to look.
#[derive(Debug, Clone)]
pub struct Attended {
    /// The program and its arguments; `{run}` in them is the run's folder, as is `ERW_RUN` in its environment.
    pub command: Vec<String>,
    /// The folder into which it writes TensorBoard event files or `trainer_state.json`, where it does.
    pub follow: Option<PathBuf>,
    /// What is added to its environment.
    pub environment: BTreeMap<String, String>,
}

/// A piece of output: a line, or what a progress bar shows for a moment.
#[derive(Debug, PartialEq)]
struct Said {
    text: String,
    passing: bool,
}

/// Runs the program to its end and notes that end. `said` gets each line that it prints; `stop` is asked now and then whether
/// to have it terminate, as is the run's own request to stop. An error where it cannot be started or the run not be written.
pub fn attend(
    writer: &Writer,
    task: &Attended,
    said: &mut dyn FnMut(&str),
    stop: &dyn Fn() -> bool,
) -> Result<Ending, JobError> {
    let run = writer.folder().clone().absolute();
    let path = run.path().display().to_string();
    let mut words = task.command.iter().map(|w| w.replace("{run}", &path));
    let program = words.next().unwrap_or_default();
    let mut child = Command::new(&program)
        .args(words)
        .envs(&task.environment)
        .env("ERW_RUN", &path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(JobError::files("start", Path::new(&program)))?;
    let pipes = listen(&mut child).map_err(JobError::files("listen to", Path::new(&program)));
    let mut watch = Watch {
        writer,
        foreign: task.follow.as_deref().map(Foreign::new),
        follow: task.follow.clone().unwrap_or_default(),
        anew: writer.again(),
        step: 0,
        progress: None,
        last: String::new(),
    };
    let result = pipes.and_then(|pipes| watch.until_the_end(&mut child, &pipes, said, stop));
    if result.is_err() {
        // Nobody would hear of it any more.
        send(child.id(), Signal::Terminate);
    }
    let (status, stopped) = result?;
    let (ending, reason) = match (status.success(), stopped) {
        (true, false) => (Ending::Done, "it ended well".to_owned()),
        (_, true) => (Ending::Stopped, format!("asked to stop ({status})")),
        (false, false) if watch.last.is_empty() => (Ending::Failed, status.to_string()),
        (false, false) => (Ending::Failed, format!("{status}: {}", watch.last)),
    };
    writer.end(ending, &reason)?;
    Ok(ending)
}

/// What is known of the program while it runs.
struct Watch<'a> {
    writer: &'a Writer,
    foreign: Option<Foreign>,
    follow: PathBuf,
    /// An earlier process measured something, and it is not known yet from where this one goes on.
    anew: bool,
    /// The last step that was named or counted.
    step: u64,
    progress: Option<Instant>,
    last: String,
}

impl Watch<'_> {
    fn until_the_end(
        &mut self,
        child: &mut Child,
        pipes: &Receiver<Said>,
        said: &mut dyn FnMut(&str),
        stop: &dyn Fn() -> bool,
    ) -> Result<(ExitStatus, bool), JobError> {
        let (mut stopping, mut open) = (false, true);
        loop {
            let heard = if open {
                pipes.recv_timeout(LOOK)
            } else {
                std::thread::sleep(LOOK / 10);
                Err(RecvTimeoutError::Timeout)
            };
            match heard {
                Ok(line) => self.hear(&line, said)?,
                Err(RecvTimeoutError::Disconnected) => open = false,
                Err(RecvTimeoutError::Timeout) => {
                    self.look()?;
                    // What it started may hold its pipes open for ever; its own end is what counts.
                    let status = child.try_wait();
                    let status =
                        status.map_err(JobError::files("wait for", Path::new("the program")))?;
                    if let Some(status) = status {
                        // Its last words may still be on their way. What it started and left behind may go on talking.
                        let deadline = Instant::now() + LAST_WORDS;
                        while Instant::now() < deadline
                            && let Ok(line) = pipes.recv_timeout(LOOK)
                        {
                            self.hear(&line, said)?;
                        }
                        self.look()?;
                        // A Ctrl-C reaches the program too, and may have ended it already.
                        return Ok((status, stopping || stop()));
                    }
                }
            }
            if !stopping && (stop() || self.writer.stop_asked()) {
                stopping = true;
                send(child.id(), Signal::Terminate);
            }
        }
    }

    /// Takes in what it printed.
    fn hear(&mut self, heard: &Said, said: &mut dyn FnMut(&str)) -> Result<(), JobError> {
        if !heard.passing {
            said(&heard.text);
            if !heard.text.trim().is_empty() {
                self.last = heard.text.trim().chars().take(300).collect();
            }
        }
        let Some(line) = Line::read(&heard.text) else {
            return Ok(());
        };
        if let Some(total) = line.total {
            let done = line.step.unwrap_or(self.step);
            if self.progress.is_none_or(|t| t.elapsed() >= PROGRESS) || done == total {
                self.progress = Some(Instant::now());
                self.writer.note(Fact::Progress {
                    done,
                    total: Some(total),
                    unit: "steps".into(),
                })?;
            }
        }
        // Values without a step are those of the step that was counted last, or else one after the other.
        let counted = self.progress.is_some() && self.step > 0;
        match line.step {
            Some(step) => self.step = step,
            None if !line.values.is_empty() && !counted => self.step += 1,
            None => {}
        }
        self.note(self.step, line.epoch.unwrap_or(f64::NAN), line.values)
    }

    fn note(
        &mut self,
        step: u64,
        epoch: f64,
        values: BTreeMap<String, f64>,
    ) -> Result<(), JobError> {
        if values.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.anew) {
            let step = step.saturating_sub(1);
            self.writer.note(Fact::Resumed { step })?;
        }
        self.writer.note(Fact::Metrics {
            step,
            epoch,
            values,
        })?;
        Ok(())
    }

    /// Takes in what it wrote into its own folder.
    fn look(&mut self) -> Result<(), JobError> {
        let Some(mut foreign) = self.foreign.take() else {
            return Ok(());
        };
        loop {
            let batch = foreign.poll(1000)?;
            for event in batch.events {
                match event.fact {
                    // Those are this process's to say.
                    Fact::Started { .. } | Fact::Ended { .. } | Fact::Queued { .. } => {}
                    Fact::Metrics {
                        step,
                        epoch,
                        values,
                    } => self.note(step, epoch, values)?,
                    Fact::Checkpoint { step, path, best } => {
                        let path = self.follow.join(path);
                        self.writer.note(Fact::Checkpoint { step, path, best })?;
                    }
                    other => self.writer.note(other)?,
                }
            }
            if !batch.more {
                break;
            }
        }
        self.foreign = Some(foreign);
        Ok(())
    }
}

/// Threads that cut what the program prints into lines.
fn listen(child: &mut Child) -> io::Result<Receiver<Said>> {
    // Bounded, so that a program that prints faster than it can be read waits, as it would at a terminal.
    let (tell, heard) = sync_channel(256);
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|p| Box::new(p) as _),
        child.stderr.take().map(|p| Box::new(p) as _),
    ];
    for pipe in pipes.into_iter().flatten() {
        let tell = tell.clone();
        std::thread::Builder::new()
            .name("erw-output".into())
            .spawn(move || cut(pipe, &tell))?;
    }
    Ok(heard)
}

/// Cuts at line breaks and at returns; what ends in a return is repainted at once and only passes.
fn cut(mut pipe: impl Read, tell: &SyncSender<Said>) {
    let mut block = [0; 4096];
    let mut line = Vec::new();
    let mut returned = false;
    let say = |line: &mut Vec<u8>, passing: bool| {
        let text = printable(&String::from_utf8_lossy(line)).into_owned();
        line.clear();
        tell.send(Said { text, passing }).is_ok()
    };
    loop {
        let n = match pipe.read(&mut block) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Ok(n) if n > 0 => n,
            _ => break,
        };
        for byte in &block[..n] {
            // A return before a line break is part of it.
            if std::mem::take(&mut returned) && *byte != b'\n' && !say(&mut line, true) {
                return;
            }
            match byte {
                b'\r' => returned = true,
                b'\n' if !say(&mut line, false) => return,
                b'\n' => {}
                _ if line.len() >= MAX_LINE => {
                    if !say(&mut line, false) {
                        return;
                    }
                    line.push(*byte);
                }
                _ => line.push(*byte),
            }
        }
    }
    if !line.is_empty() {
        say(&mut line, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_into_lines_and_what_is_painted_over_passes() {
        let (tell, heard) = sync_channel(99);
        cut("a\r\n 1%\r 2%\r\x1b[31mred\n\nrest".as_bytes(), &tell);
        drop(tell);
        let said: Vec<(String, bool)> = heard.iter().map(|s| (s.text, s.passing)).collect();
        let expected = [
            ("a", false),
            (" 1%", true),
            (" 2%", true),
            (" [31mred", false),
            ("", false),
            ("rest", false),
        ];
        let expected: Vec<_> = expected.map(|(t, p)| (t.to_owned(), p)).into();
        assert_eq!(said, expected);
    }
}
