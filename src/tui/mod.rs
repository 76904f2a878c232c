//! The workbench on a terminal: groups with their pictures, and what the reward model thinks of each, live.
//!
//! One loop (`event_loop`) awaits one message, drains the rest, updates the state and draws once. The state (`app`) is pure:
//! messages in, effects out (`msg`); `effects` carries them out on other threads and answers with messages. Screens and
//! overlays hold their part of the state and draw it with `widgets` in the roles of a `theme`; every key is a row of `keys`.

mod action;
mod app;
mod curating;
mod effects;
mod event_loop;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod frames_of_annotation;
#[cfg(test)]
mod frames_of_benchmarks;
#[cfg(test)]
mod frames_of_jobs;
#[cfg(test)]
mod frames_of_runs;
mod judgement;
mod keys;
mod library;
mod msg;
mod overlays;
mod probing;
mod rank;
mod records;
mod reports;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_of_benchmarks;
#[cfg(test)]
mod sample_of_jobs;
mod screens;
mod sight;
mod status;
mod terminal;
pub mod theme;
mod turns;
mod watch;
pub mod widgets;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::Event;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::config::{Notify, SlurmSettings};
use crate::data::Workspace;
use crate::model::LoadOptions;
use crate::score::LiveScorer;

use app::{App, Paint, Place};
use effects::{Runner, StartScoring};
use event_loop::{EventLoop, Stage};
use msg::Msg;
use terminal::{Guard, Hold, Release};
use theme::{Depth, Theme};
use widgets::image::{Environment, Pictures, Protocol};

pub use keys::markdown_table;
pub use terminal::{Examined, examine};

/// What the workbench opens with.
pub struct TuiOptions {
    /// The workspace.
    pub workspace: Workspace,
    /// Where runs are.
    pub runs: PathBuf,
    /// How jobs are put to Slurm.
    pub slurm: SlurmSettings,
    /// The model dir and how to load it.
    pub model: Option<(PathBuf, LoadOptions)>,
    /// Without a model: why there is none and what to do about it.
    pub model_missing: Option<String>,
    /// A theme's name, or the path of a theme file; `None` goes by the terminal's background (and `NO_COLOR`).
    pub theme: Option<String>,
    /// Draw pictures this way, whatever the terminal says.
    pub image_protocol: Option<Protocol>,
    /// Take mouse input.
    pub mouse: bool,
    /// How the end of a run is told, beside the message on the screen.
    pub notify: Notify,
    /// How people judge, and the name of the sitting.
    pub annotate: (crate::annotate::Settings, String),
    /// Open where people judge.
    pub at_annotate: bool,
}

/// Runs the workbench until the person quits.
///
/// # Errors
/// An unknown or faulty theme, standard output that is no terminal, a terminal that went away. The terminal is given back
/// before this returns, whatever happens.
pub fn run(options: TuiOptions) -> anyhow::Result<()> {
    let paint = paint(options.theme.as_deref())?;
    let place = place(&options.workspace, &options.runs);
    let no_model = options.model.is_none().then(|| {
        let why = options.model_missing.clone();
        why.unwrap_or_else(|| "no model: scores that are stored show, nothing is computed".into())
    });
    let mut app = App::new(place, paint, no_model);
    app.explain_model();
    let (settings, session) = options.annotate;
    app.annotate(settings, session, options.at_annotate);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (inbox, messages) = unbounded_channel();
    let panics = inbox.clone();
    let guard = Guard::enter(options.mouse, move |what| {
        let _ = panics.send(Msg::Failed(format!("a worker stopped: {what}")));
    })?;
    let outcome = runtime.block_on(async {
        terminal::forward_signals(&inbox)?;
        let forced = options.image_protocol;
        let ears = listen(guard.hold(), forced, inbox.clone());
        tokio::spawn(ears);
        let start = start_scoring(options.model, options.workspace.clone());
        let runner = Runner::new(
            Arc::new(options.workspace),
            (options.runs, options.slurm),
            inbox,
            start,
        )?;
        let (screen, release) = terminal::screen();
        let mut event_loop = EventLoop {
            terminal: Terminal::new(CrosstermBackend::new(screen))?,
            stage: RealStage {
                guard: &guard,
                release,
                notify: options.notify,
                pending: Vec::new(),
            },
            app,
            runner,
            inbox: messages,
            early: event_loop::Early::default(),
            frames: 0,
        };
        let outcome = event_loop.run().await;
        // Before anything else is dropped: the model may take a moment to let go.
        guard.leave();
        outcome
    });
    guard.leave();
    // Blocking reads and the terminal's reader must not hold the shell up.
    runtime.shutdown_background();
    outcome
}

fn paint(theme: Option<&str>) -> anyhow::Result<Paint> {
    let depth = if Environment::from_env().true_color {
        Depth::True
    } else {
        Depth::Indexed
    };
    let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let chosen = theme.is_some() || colourless;
    let theme = match theme {
        Some(name) => Theme::load(name)?,
        None if colourless => Theme::mono(),
        None => Theme::for_background(None),
    };
    Ok(Paint {
        theme: theme.at_depth(depth),
        chosen,
        depth,
        graphics: None,
        due: true,
    })
}

fn place(workspace: &Workspace, runs: &Path) -> Place {
    let root = workspace.root();
    let name = if workspace.is_demo() {
        "demo".into()
    } else {
        let name = root.file_name().unwrap_or(root.as_os_str());
        screens::prose::line(&name.to_string_lossy(), 24)
    };
    Place {
        name,
        folder: root.display().to_string(),
        runs: runs.display().to_string(),
        model: if workspace.is_demo() {
            crate::workbench::DEMO.to_owned()
        } else {
            String::new()
        },
    }
}

fn start_scoring(
    model: Option<(PathBuf, LoadOptions)>,
    workspace: Workspace,
) -> Option<StartScoring> {
    let (dir, options) = model?;
    Some(Box::new(move |inbox: UnboundedSender<Msg>| {
        Arc::new(LiveScorer::start(dir, options, workspace, move |event| {
            let _ = inbox.send(Msg::Model(event));
        }))
    }))
}

/// Asks the terminal what it can do, then has its events forwarded until it is gone.
async fn listen(hold: Hold, forced: Option<Protocol>, inbox: UnboundedSender<Msg>) {
    let answers = inbox.clone();
    let asked = tokio::task::spawn_blocking(move || terminal::probe(&hold, forced, &answers));
    let _ = asked.await;
    // What happened to the window meanwhile was not heard of.
    if let Ok((width, height)) = ratatui::crossterm::terminal::size() {
        let _ = inbox.send(Msg::Input(Event::Resize(width, height)));
    }
    if terminal::forward_events(&inbox).is_err() {
        let _ = inbox.send(Msg::Quit);
    }
}

/// The real terminal.
struct RealStage<'a> {
    guard: &'a Guard,
    release: Release,
    notify: Notify,
    /// What goes out with the next frame.
    pending: Vec<u8>,
}

impl Stage for RealStage<'_> {
    fn is_open(&self) -> bool {
        self.guard.is_ours()
    }
    fn show(&mut self, before: &[u8]) -> std::io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.release.frame(&[&pending, before].concat())?;
        Ok(())
    }
    fn notify(&mut self, words: &str) {
        self.pending.extend(terminal::notice(self.notify, words));
    }
    fn pictures_begin(&mut self, pictures: &Pictures) {
        self.guard.delete_images_with(pictures.farewell());
    }
    fn suspend(&mut self) -> bool {
        self.guard.suspend()
    }
    fn enter_again(&mut self) -> std::io::Result<()> {
        self.guard.enter_again()
    }
}
