//! What the terminal is and can do, asked once and outside the workbench: for `erw doctor`. It draws nothing, and what a
//! person types in that moment is dropped.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode, size};

use super::input;
use super::probe::tmux_passes_on;
use crate::tui::widgets::image::{Answer, Environment, Multiplexer, Probe, Protocol};

/// A person who asks what the terminal can do waits longer for the answer than one who wants to see pictures.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of the terminal.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What the environment says of it.
    pub environment: Environment,
    /// Columns and rows; `None` where standard output is no terminal.
    pub size: Option<(u16, u16)>,
    /// What it answered; `None` where there was nobody to ask.
    pub answer: Option<Answer>,
    /// How pictures will be drawn.
    pub protocol: Protocol,
    /// Why so, in words.
    pub why: &'static str,
}

/// Looks at the environment and, if input and output are a terminal, asks it; takes two seconds at most.
pub fn examine() -> Examined {
    let mut environment = Environment::from_env();
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    if interactive && environment.multiplexer == Some(Multiplexer::Tmux) {
        environment.passthrough = tmux_passes_on();
    }
    let answer = interactive.then(|| ask(&environment)).flatten();
    let (protocol, why) =
        Protocol::choose_because(&answer.clone().unwrap_or_default(), &environment);
    Examined {
        size: io::stdout().is_terminal().then(|| size().ok()).flatten(),
        environment,
        answer,
        protocol,
        why,
    }
}

/// Puts the terminal back as it was, however the asking ends.
struct Raw;

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = input::limit_reads(false);
        let _ = disable_raw_mode();
    }
}

fn ask(environment: &Environment) -> Option<Answer> {
    enable_raw_mode().ok()?;
    let _raw = Raw;
    input::limit_reads(true).ok()?;
    let probe = Probe::new(environment);
    let mut out = io::stdout();
    out.write_all(&probe.query_bytes())
        .and_then(|()| out.flush())
        .ok()?;
    let (start, mut bytes) = (Instant::now(), Vec::new());
    loop {
        let open = input::read(&mut bytes);
        let mut answer = probe.parse(&bytes);
        if answer.complete || !open || start.elapsed() >= PATIENCE {
            answer.cell = answer.cell.or_else(input::cell);
            return Some(answer);
        }
    }
}
