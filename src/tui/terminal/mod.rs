//! The terminal itself: taking it over, giving it back in every way a program can end, stopping and coming back, and one
//! write per frame. Nothing here knows what is drawn.

mod examine;
#[cfg(unix)]
mod input;
mod keys;
mod notice;
mod probe;
mod screen;
mod signals;

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, queue, style};

use crate::tui::widgets::image::Farewell;

pub use examine::{Examined, examine};
pub(crate) use keys::forward_events;
pub(crate) use notice::notice;
pub(crate) use probe::probe;
pub(crate) use screen::{Release, screen};
pub(crate) use signals::forward_signals;

/// What was asked of the terminal, and whether it is ours at the moment.
#[derive(Debug)]
struct Modes {
    state: Mutex<State>,
    mouse: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Between entering and leaving.
    ours: bool,
    /// The probe is reading: reads are limited.
    asking: bool,
    /// What deletes our images.
    farewell: Option<Farewell>,
}

impl Modes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.ours {
            // Stopped by someone else: what the shell made of the modes is not known, so that they are set anew.
            let _ = disable_raw_mode();
        }
        enable_raw_mode()?;
        state.ours = true;
        if state.asking {
            input::limit_reads(true)?;
        }
        let mut out = io::stdout();
        queue!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            cursor::Hide
        )?;
        if self.mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    }

    /// Gives everything back, once. Errors are dropped: the terminal may be gone, and there is nobody left to tell.
    fn leave(&self) {
        let mut state = self.state();
        if !std::mem::take(&mut state.ours) {
            return;
        }
        let mut out = io::stdout();
        if let Some(farewell) = &state.farewell {
            let _ = out.write_all(&farewell.bytes());
        }
        let _ = queue!(out, EndSynchronizedUpdate, DisableMouseCapture);
        let _ = execute!(out, DisableFocusChange, DisableBracketedPaste);
        // The screen goes last: once the shell's is back, whoever sees it may type, and nothing of that may be dropped or be
        // read in raw mode.
        if self.mouse {
            input::discard();
        }
        let _ = disable_raw_mode();
        let _ = queue!(out, style::ResetColor, LeaveAlternateScreen);
        let _ = execute!(out, cursor::Show);
    }
}

/// The probe's share of the terminal: it may read only while the terminal is ours, and must say when it is done.
pub(crate) struct Hold(Arc<Modes>);

impl Hold {
    /// Writes a question and limits reads until [`Self::asked`]; false if the terminal is not ours, or cannot.
    fn ask(&self, question: &[u8]) -> bool {
        let mut state = self.0.state();
        if !state.ours || input::limit_reads(true).is_err() {
            return false;
        }
        state.asking = true;
        let mut out = io::stdout();
        out.write_all(question).and_then(|()| out.flush()).is_ok()
    }

    fn asked(&self) {
        let mut state = self.0.state();
        state.asking = false;
        if state.ours {
            let _ = input::limit_reads(false);
        }
    }
}

/// No such reads here: nothing is asked.
#[cfg(not(unix))]
mod input {
    pub(super) fn limit_reads(_on: bool) -> std::io::Result<()> {
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
    }
    pub(super) fn read(_bytes: &mut Vec<u8>) -> bool {
        false
    }
    pub(super) fn wait_until_gone() -> bool {
        false
    }
    pub(super) fn discard() {}
    pub(super) fn cell() -> Option<(u16, u16)> {
        None
    }
}

/// Holds the terminal while it lives; dropping it gives the terminal back, whichever way the program leaves.
pub(crate) struct Guard {
    modes: Arc<Modes>,
    previous_hook: Arc<PanicHook>,
}

type PanicHook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static>;

impl Guard {
    /// Takes the terminal over. `on_worker_panic` hears of panics on other threads: those must not touch the screen, which
    /// goes on being drawn.
    pub(crate) fn enter(
        mouse: bool,
        on_worker_panic: impl Fn(String) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(
            io::stdout().is_terminal(),
            "the workbench needs a terminal, and standard output is none: use a command such as 'erw score' in pipes"
        );
        let modes = Arc::new(Modes {
            state: Mutex::default(),
            mouse,
        });
        // NO_COLOR is answered by a theme without colour. Below it colour must stay on: Kitty's image numbers travel in it.
        style::force_color_output(true);
        let previous_hook: Arc<PanicHook> = Arc::new(panic::take_hook());
        let (chained, restored) = (Arc::clone(&previous_hook), Arc::clone(&modes));
        let screen_thread = std::thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == screen_thread {
                restored.leave();
                chained(info);
            } else if restored.state().ours {
                on_worker_panic(info.to_string());
            } else {
                chained(info);
            }
        }));
        let guard = Self {
            modes,
            previous_hook,
        };
        guard.modes.enter()?;
        Ok(guard)
    }

    /// The probe's share.
    pub(crate) fn hold(&self) -> Hold {
        Hold(Arc::clone(&self.modes))
    }

    /// Terminals keep images until they are deleted.
    pub(crate) fn delete_images_with(&self, farewell: Farewell) {
        self.modes.state().farewell = Some(farewell);
    }

    /// Whether frames may be written.
    pub(crate) fn is_ours(&self) -> bool {
        self.modes.state().ours
    }

    /// Gives the terminal back for good; what follows may print.
    pub(crate) fn leave(&self) {
        self.modes.leave();
    }

    /// After a pause: takes the terminal over again.
    pub(crate) fn enter_again(&self) -> io::Result<()> {
        self.modes.enter()
    }

    /// Gives the terminal back and stops the process group, as the terminal itself does on Ctrl-Z; returns when continued.
    /// Without a shell to come back from, nothing happens and the answer is false.
    #[cfg(unix)]
    pub(crate) fn suspend(&self) -> bool {
        use rustix::process::{Signal, kill_current_process_group};
        if leads_its_session() {
            return false;
        }
        self.modes.leave();
        // STOP and not TSTP: TSTP is ours, and its default cannot be had back without unsafe code.
        let _ = kill_current_process_group(Signal::STOP);
        true
    }

    /// No job control here.
    #[cfg(not(unix))]
    pub(crate) fn suspend(&self) -> bool {
        false
    }
}

/// Whether nobody is there that could let this process go on.
#[cfg(target_os = "linux")]
fn leads_its_session() -> bool {
    // The system is not asked by `getsid`, for which rustix has no answer where the session began outside of a container.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets, which may hold anything: state, parent, group, session.
    let session = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(3));
    session.is_some_and(|session| session == std::process::id().to_string())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn leads_its_session() -> bool {
    use rustix::process::{getpid, getsid};
    getsid(None).is_ok_and(|session| session == getpid())
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.modes.leave();
        if !std::thread::panicking() {
            let previous = Arc::clone(&self.previous_hook);
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}
