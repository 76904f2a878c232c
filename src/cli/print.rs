//! The only place that prints: results on stdout, everything else on stderr.
//!
//! Nothing is decided here but colour: where stdout is a terminal and `NO_COLOR` is unset. Text that came from data or from
//! an error about data is made [`printable`] before it leaves; what callers pass as lines
//! may hold line breaks, which stay.

use std::path::Path;

use anyhow::Context as _;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::domain::text::printable;

/// Writes a file, whole or not at all.
pub(super) fn file(path: &Path, text: &str) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".new-{name}"));
    let write = || {
        let mut file = std::fs::File::create(&partial)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().with_context(|| format!("cannot write '{}'", path.display()))
}

/// Writes lines to stdout. An error is worth ending the command for: nobody reads on.
pub(super) fn out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Writes one JSON object to stdout.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(out(&serde_json::to_string_pretty(value)?)?)
}

/// Writes lines to stderr, for people.
pub(super) fn note(text: &str) {
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        // Nowhere is left to report that stderr is closed.
        let _ = writeln!(stderr, "{}", printable(line));
    }
}

/// An error and its causes in one line. Many errors name their cause in their own words, so a cause that was told already is
/// not told again.
fn told(error: &anyhow::Error) -> String {
    let mut out = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if out.is_empty() {
            out = cause;
        } else if !out.contains(&cause) {
            out.push_str(": ");
            out.push_str(&cause);
        }
    }
    out
}

/// Says on stderr what went wrong.
pub(super) fn error(error: &anyhow::Error) {
    note(&format!("erw: {}", told(error)));
}

/// Lets clap say what it has to: help and version on stdout, usage errors on stderr.
pub(super) fn clap(error: &clap::Error) {
    let _ = error.print();
}

/// "1 group", "2 groups".
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Whether lines on stderr can be redrawn in place.
pub(super) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// How stdout may look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    color: bool,
}

impl Style {
    /// As stdout allows.
    pub(super) fn of_stdout() -> Self {
        let unset = |name| std::env::var_os(name).is_none_or(|v| v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        Self {
            color: io::stdout().is_terminal() && unset("NO_COLOR") && !dumb,
        }
    }

    /// No colours and no weights.
    #[cfg(test)]
    pub(super) const fn plain() -> Self {
        Self { color: false }
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// What the eye is to find first.
    pub(super) fn strong(self, text: &str) -> String {
        self.sgr("1", text)
    }

    /// What may be overlooked.
    pub(super) fn faint(self, text: &str) -> String {
        self.sgr("2", text)
    }

    /// Good news.
    pub(super) fn good(self, text: &str) -> String {
        self.sgr("32", text)
    }

    /// A warning.
    pub(super) fn warning(self, text: &str) -> String {
        self.sgr("33", text)
    }

    /// Bad news.
    pub(super) fn bad(self, text: &str) -> String {
        self.sgr("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_its_error_names_is_told_once() {
        let inner = std::io::Error::other("disk on fire");
        let outer = anyhow::Error::new(inner).context("cannot read 'a': disk on fire");
        assert_eq!(told(&outer), "cannot read 'a': disk on fire");
        assert_eq!(
            told(&outer.context("start")),
            "start: cannot read 'a': disk on fire"
        );
    }
}
