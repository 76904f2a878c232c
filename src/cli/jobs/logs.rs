//! `erw jobs logs`: what a run said, and with `-f` what it goes on to say.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use super::super::exit::Exit;
use super::super::print;
use super::super::stop::Stop;
use super::args::LogsArgs;
use super::named;
use crate::domain::text::printable;
use crate::jobs::Launcher;
use crate::runs::{Follower, Run};

/// How often a run that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How often it is asked whether the run has ended without a word.
const SETTLE: Duration = Duration::from_secs(10);

/// How much of a log is printed at a time.
const PIECE: u64 = 1 << 20;

/// A place in a log that may grow, or be cut.
struct Tail {
    path: std::path::PathBuf,
    /// What goes before each line.
    mark: String,
    offset: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

impl Tail {
    fn new(path: std::path::PathBuf, mark: &str) -> Self {
        Self {
            path,
            mark: mark.to_owned(),
            offset: 0,
            rest: Vec::new(),
        }
    }

    /// The finished lines that came since the last call, made printable; empty when there are none.
    fn lines(&mut self) -> anyhow::Result<Vec<String>> {
        let context = || format!("cannot read '{}'", self.path.display());
        let mut file = match File::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(context)?,
        };
        if file.metadata().with_context(context)?.len() < self.offset {
            (self.offset, self.rest) = (0, Vec::new());
        }
        file.seek(SeekFrom::Start(self.offset))
            .with_context(context)?;
        let mut text = std::mem::take(&mut self.rest);
        let before = text.len();
        file.take(PIECE)
            .read_to_end(&mut text)
            .with_context(context)?;
        self.offset += (text.len() - before) as u64;
        let end = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        self.rest = text.split_off(end);
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .map(|line| format!("{}{}", self.mark, printable(line)))
            .collect())
    }

    /// What is left without a line break.
    fn last(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        let line = String::from_utf8_lossy(&rest);
        (!rest.is_empty()).then(|| format!("{}{}", self.mark, printable(&line)))
    }
}

/// Prints the log.
pub(super) fn run(args: &LogsArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Log {
        run: String,
        lines: Vec<String>,
    }
    let (run, launcher) = named(&args.root, &args.run)?;
    let mut tails = tails(&run);
    if args.follow {
        return follow(&run, launcher.as_ref(), &mut tails);
    }
    let mut all = Vec::new();
    for tail in &mut tails {
        loop {
            let lines = tail.lines()?;
            if lines.is_empty() {
                break;
            }
            if args.answer.json {
                all.extend(lines);
            } else {
                print::out(&lines.join("\n"))?;
            }
        }
        let last = tail.last();
        if args.answer.json {
            all.extend(last);
        } else if let Some(last) = last {
            print::out(&last)?;
        }
    }
    if args.answer.json {
        let run = run.folder.name();
        print::json(&Log { run, lines: all })?;
    }
    Ok(Exit::Done)
}

/// The logs of those who work on shards of the run, and its own.
fn tails(run: &Run) -> Vec<Tail> {
    let shards = 0..run.manifest.shards.unwrap_or(0);
    let of_shard = |shard| {
        let path = run.folder.shard(shard).log();
        Tail::new(path, &format!("{shard:03}: "))
    };
    let own = Tail::new(run.folder.log(), "");
    shards.map(of_shard).chain([own]).collect()
}

/// Prints until the run has ended, and then how it did.
fn follow(run: &Run, launcher: &dyn Launcher, tails: &mut [Tail]) -> anyhow::Result<Exit> {
    let stop = Stop::watch();
    let mut follower = Follower::new(run.folder.clone());
    let mut settled = Instant::now();
    loop {
        if settled.elapsed() >= SETTLE {
            launcher.settle(run)?;
            settled = Instant::now();
        }
        // Before the log: what is said before the end is printed before it.
        follower.catch_up()?;
        let over = !follower.state().is_live();
        for tail in &mut *tails {
            loop {
                let lines = tail.lines()?;
                if lines.is_empty() {
                    break;
                }
                print::out(&lines.join("\n"))?;
            }
            if over && let Some(last) = tail.last() {
                print::out(&last)?;
            }
        }
        if over {
            let state = follower.state();
            let reason = follower.summary.reason(state);
            let reason = reason.map_or(String::new(), |r| format!(": {r}"));
            print::note(&format!("{}{reason}", state.word()));
            return Ok(Exit::Done);
        }
        if stop.asked() {
            return Ok(Exit::Stopped);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_once_and_whole_and_a_log_that_was_cut_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut tail = Tail::new(dir.path().join("log.txt"), "");
        assert!(tail.lines().unwrap().is_empty());
        std::fs::write(&tail.path, "one\ntw").unwrap();
        assert_eq!(tail.lines().unwrap(), ["one"]);
        assert!(tail.lines().unwrap().is_empty());
        std::fs::write(&tail.path, "one\ntwo\u{1b}[31m\r\nthree").unwrap();
        assert_eq!(tail.lines().unwrap(), ["two [31m"]);
        assert_eq!(tail.last().as_deref(), Some("three"));
        std::fs::write(&tail.path, "new\n").unwrap();
        assert_eq!(tail.lines().unwrap(), ["new"]);
    }
}
