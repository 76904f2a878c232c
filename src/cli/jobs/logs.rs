//! `erw jobs logs`: what a run said, and with `-f` what it goes on to say.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::super::exit::Exit;
use super::super::print;
use super::super::stop::Stop;
use super::args::LogsArgs;
use super::named;
use crate::domain::text::printable;
use crate::runs::{Follower, Run};

/// How often a run that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How much of a log is printed at a time.
const PIECE: u64 = 1 << 20;

/// A place in a log that may grow, or be cut.
struct Tail {
    path: std::path::PathBuf,
    offset: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

impl Tail {
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
            .map(|line| printable(line).into_owned())
            .collect())
    }

    /// What is left without a line break.
    fn last(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| printable(&String::from_utf8_lossy(&rest)).into_owned())
    }
}

/// Prints the log.
pub(super) fn run(args: &LogsArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Log {
        run: String,
        lines: Vec<String>,
    }
    let (run, _) = named(&args.root, &args.run)?;
    let mut tail = Tail {
        path: run.folder.log(),
        offset: 0,
        rest: Vec::new(),
    };
    if args.follow {
        return follow(run, tail);
    }
    let mut all = Vec::new();
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
        let run = run.folder.name();
        print::json(&Log { run, lines: all })?;
    } else if let Some(last) = last {
        print::out(&last)?;
    }
    Ok(Exit::Done)
}

/// Prints until the run has ended, and then how it did.
fn follow(run: Run, mut tail: Tail) -> anyhow::Result<Exit> {
    let stop = Stop::watch();
    let mut follower = Follower::new(run.folder);
    loop {
        // Before the log: what is said before the end is printed before it.
        follower.catch_up()?;
        let over = !follower.state().is_live();
        loop {
            let lines = tail.lines()?;
            if lines.is_empty() {
                break;
            }
            print::out(&lines.join("\n"))?;
        }
        if over {
            if let Some(last) = tail.last() {
                print::out(&last)?;
            }
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
        let mut tail = Tail {
            path: dir.path().join("log.txt"),
            offset: 0,
            rest: Vec::new(),
        };
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
