//! How far a command has come: a bar where stderr is a terminal, and where it is not a line now and then, for what takes long.
//!
//! It counts and shows; what is counted is the caller's business.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::print;

/// What is counted, which decides how the numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    /// Records of a file, whose bytes are the measure.
    Records,
    Groups,
    Images,
    Candidates,
    Cases,
    Steps,
}

/// Progress of one activity.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
    /// When something was last said, off a terminal, and how long to be silent after that.
    said: Instant,
    pause: Duration,
}

/// What is done within this time needs no line; after each line the silence is twice as long, up to a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

impl Progress {
    /// Nothing done yet of `total`.
    pub(super) fn new(what: &'static str, unit: Unit, total: u64) -> Self {
        let bar = print::stderr_is_terminal().then(|| {
            let template = match unit {
                Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes}",
                Unit::Records => "{msg} {wide_bar} {percent} % {prefix} ({eta} left)",
                Unit::Groups | Unit::Images | Unit::Cases => {
                    "{msg} {wide_bar} {pos}/{len} ({eta} left)"
                }
                Unit::Steps => "{msg} {wide_bar} {pos}/{len} {prefix}",
                Unit::Candidates => "{msg} {wide_bar} {pos}/{len} ({per_sec}, {eta} left)",
            };
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key(
                    "per_sec",
                    |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                        let _ = write!(w, "{:.2} candidates/s", state.per_sec());
                    },
                );
            let bar = ProgressBar::new(total).with_style(style).with_message(what);
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            what,
            bar,
            done: 0,
            total,
            said: Instant::now(),
            pause: FIRST_PAUSE,
        }
    }

    /// `done` of `total` (which may have changed) are done.
    pub(super) fn set(&mut self, done: u64, total: u64) {
        (self.done, self.total) = (done, total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        if self.said.elapsed() >= self.pause && total > 0 {
            self.said = Instant::now();
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
            let percent = 100 * done / total;
            print::note(&format!("{}: {percent} % ({done} of {total})", self.what));
        }
    }

    /// Shows a few words behind the bar (where the unit is steps).
    pub(super) fn aside(&self, text: String) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(text);
        }
    }

    /// Says a line for people, above the bar.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print::note(text)),
            None => print::note(text),
        }
    }

    /// So many more are done.
    pub(super) fn add(&mut self, more: u64) {
        self.set(self.done + more, self.total);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
