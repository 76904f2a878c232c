//! `erw doctor`: one look at everything that has to be right before the workbench is, and what to do about what is not.
//!
//! It changes nothing but what opening the workbench would change too (the demo may be unpacked), and goes on after a
//! finding, so that one run tells all of them.

use std::path::Path;

use serde::Serialize;

use super::args::DoctorArgs;
use super::exit::Exit;
use super::print::{self, Style, count};
use crate::config::Config;
use crate::data::Workspace;
use crate::domain::text::printable;
use crate::model;
use crate::model::check::Verdict;
use crate::tui::{self, Examined};
use crate::workbench::{SetupError, Workbench};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
struct Check {
    about: &'static str,
    state: State,
    says: String,
    /// What to do about it; null where nothing needs to be done.
    advice: Option<String>,
}

impl Check {
    fn new(about: &'static str, state: State, says: impl Into<String>) -> Self {
        Self {
            about,
            state,
            says: says.into(),
            advice: None,
        }
    }

    fn ok(about: &'static str, says: impl Into<String>) -> Self {
        Self::new(about, State::Ok, says)
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// A failure whose message says what to do.
    fn failed(about: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(about, State::Fail, error.to_string())
    }

    fn line(&self, style: Style) -> String {
        let mark = match self.state {
            State::Ok => style.good("ok  "),
            State::Warn => style.warning("warn"),
            State::Fail => style.bad("FAIL"),
        };
        let says = printable_lines(&self.says);
        let advice = self.advice.as_deref().map_or(String::new(), |advice| {
            format!("\n{:17}→ {}", "", printable_lines(advice))
        });
        format!("{mark}  {:<9}  {says}{advice}", self.about)
    }
}

/// Printable, with further lines set below the first.
fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join(&format!("\n{:17}", ""))
}

#[derive(Serialize)]
struct Report {
    version: &'static str,
    checks: Vec<Check>,
    /// How the worst check ended.
    state: State,
}

/// Looks at everything; the exit code is 1 if something has to be mended first.
pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let mut checks = vec![settings()];
    let examined = tui::examine();
    checks.extend(terminal(&examined));
    // Without settings there is nothing to look for; what is wrong with them is said above.
    if let Ok(bench) = Workbench::new(args.place.choices()) {
        checks.extend(resources(&bench));
    }
    checks.push(data_folder());
    let worst = checks.iter().map(|c| c.state).max().unwrap_or(State::Ok);
    if args.answer.json {
        print::json(&Report {
            version: env!("CARGO_PKG_VERSION"),
            checks,
            state: worst,
        })?;
    } else {
        let style = Style::of_stdout();
        let lines: Vec<String> = checks.iter().map(|c| c.line(style)).collect();
        print::out(&lines.join("\n"))?;
    }
    Ok(if worst == State::Fail {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn settings() -> Check {
    match Config::load() {
        Err(e) => Check::failed("settings", &e),
        Ok(config) => match (config.file(), Config::usual_file()) {
            (Some(file), _) => Check::ok("settings", format!("'{}'", file.display())),
            (None, Some(file)) => Check::ok(
                "settings",
                format!("none; they would be in '{}'", file.display()),
            ),
            (None, None) => Check::ok("settings", "none, and no home to keep them in"),
        },
    }
}

fn terminal(examined: &Examined) -> Vec<Check> {
    vec![
        window(examined),
        colors(examined),
        pictures(examined),
        Check::ok(
            "font",
            "these should be single, joined and none of them a box: ▀▄ ▁▂▃▄▅▆▇█ ⣀⣤⣶⣿ ≻ σ ±",
        )
        .advise(
            "if not, choose a font with block and braille characters, such as DejaVu Sans Mono",
        ),
    ]
}

fn window(examined: &Examined) -> Check {
    let term = match examined.environment.term.as_str() {
        "" => "TERM is not set".to_owned(),
        term => format!("TERM is '{term}'"),
    };
    match examined.size {
        None => Check::new(
            "terminal",
            State::Warn,
            format!("{term}; output is no terminal"),
        )
        .advise("run 'erw doctor' in the terminal that you will use"),
        Some((columns, rows)) if columns < 60 || rows < 20 => Check::new(
            "terminal",
            State::Warn,
            format!("{columns} × {rows} cells; {term}"),
        )
        .advise("it works, but pictures are tiny: 100 × 30 or more is comfortable"),
        Some((columns, rows)) => {
            let name = examined.answer.as_ref().and_then(|a| a.terminal.as_deref());
            let name = name.map(|n| format!("; it calls itself '{n}'"));
            let says = format!(
                "{columns} × {rows} cells; {term}{}",
                name.unwrap_or_default()
            );
            Check::ok("terminal", says)
        }
    }
}

fn colors(examined: &Examined) -> Check {
    let none = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    if none {
        Check::ok(
            "colors",
            "none but those of pictures, since NO_COLOR is set",
        )
    } else if examined.environment.true_color {
        Check::ok("colors", "24 bits")
    } else {
        Check::new("colors", State::Warn, "256, as far as the environment tells").advise(
            "if your terminal has 24-bit color, set COLORTERM=truecolor (over ssh: SendEnv COLORTERM)",
        )
    }
}

fn pictures(examined: &Examined) -> Check {
    use tui::widgets::image::{Multiplexer, Protocol};
    let key = examined.protocol.key();
    let says = format!("'{key}': {}", examined.why);
    if examined.answer.is_none() {
        return Check::new(
            "pictures",
            State::Warn,
            format!("{says} (it was not asked: this is no terminal)"),
        )
        .advise(FORCE);
    }
    let advice = match (examined.protocol, examined.environment.multiplexer) {
        (Protocol::Halfblocks, Some(Multiplexer::Tmux)) => {
            "in tmux: 'set -g allow-passthrough on', then start erw again; or run it outside tmux"
        }
        (Protocol::Halfblocks, Some(_)) => "run erw outside the multiplexer for finer pictures",
        (Protocol::Halfblocks, None) => {
            "for finer pictures use a terminal with Kitty graphics, sixel or iTerm2 images (kitty, Ghostty, WezTerm, foot, …)"
        }
        _ => FORCE,
    };
    Check::ok("pictures", says).advise(advice)
}

const FORCE: &str = "if that is wrong, force one: --image-protocol kitty, sixel, iterm2 or halfblocks, or image_protocol in the settings";

/// Device, workspace and model.
fn resources(bench: &Workbench) -> Vec<Check> {
    let mut checks = vec![device(bench)];
    let workspace = bench.workspace();
    checks.push(match &workspace {
        Ok(workspace) => describe(workspace),
        Err(e) => Check::failed("workspace", e),
    });
    match bench.model_dir(workspace.as_ref().ok()) {
        Ok(dir) => checks.extend(check_model(&dir)),
        Err(e @ SetupError::NoModel) => {
            checks.push(Check::new("model", State::Warn, e.to_string()));
        }
        Err(e) => checks.push(Check::failed("model", &e)),
    }
    checks
}

fn device(bench: &Workbench) -> Check {
    let features = match (cfg!(feature = "cuda"), cfg!(feature = "metal")) {
        (false, false) => "built for the CPU only",
        (true, false) => "built with cuda",
        (false, true) => "built with metal",
        (true, true) => "built with cuda and metal",
    };
    let options = match bench.load_options() {
        Ok(options) => options,
        Err(e) => return Check::failed("device", &e),
    };
    match model::device_in_words(options.device) {
        Err(e) => Check::failed("device", &e),
        Ok(words) => {
            let check = Check::ok("device", format!("{words} ({features})"));
            if words.starts_with("cpu") && features.ends_with("only") {
                check.advise(
                    "fine for the demo; a 7B model wants a GPU: 'cargo install --path . --features cuda' (or metal)",
                )
            } else {
                check
            }
        }
    }
}

fn describe(workspace: &Workspace) -> Check {
    let root = workspace.root().display();
    let what = if workspace.is_demo() {
        "the demo, "
    } else {
        ""
    };
    match workspace.group_count() {
        Err(e) => Check::failed("workspace", &e),
        Ok(0) => Check::new(
            "workspace",
            State::Warn,
            format!("{what}'{root}': no groups"),
        )
        .advise("'erw import FILE' takes groups in"),
        Ok(groups) => {
            let check = Check::ok(
                "workspace",
                format!("{what}'{root}': {}", count(groups, "group")),
            );
            match workspace.demo_notice() {
                Some(notice) => check.advise(notice),
                None => check,
            }
        }
    }
}

fn check_model(dir: &Path) -> Vec<Check> {
    let report = model::check::check(dir);
    let mut checks = vec![Check::new(
        "model",
        State::Ok,
        format!("'{}'", dir.display()),
    )];
    checks.extend(report.findings.iter().map(|finding| {
        let state = match finding.verdict {
            Verdict::Good => State::Ok,
            Verdict::Odd => State::Warn,
            Verdict::Bad => State::Fail,
        };
        Check::new(
            "model",
            state,
            format!("{}: {}", finding.part.name(), finding.text),
        )
    }));
    checks
}

/// Where the demo and the list of models are kept, and whether that can be written.
fn data_folder() -> Check {
    let Some(dir) = Config::data_dir() else {
        return Check::new("data", State::Warn, "no home to keep the demo in")
            .advise("set ERW_DATA_DIR to a folder that you can write");
    };
    let made = std::fs::create_dir_all(&dir).and_then(|()| tempfile::tempfile_in(&dir).map(drop));
    match made {
        Ok(()) => Check::ok("data", format!("'{}' can be written", dir.display())),
        Err(e) => Check::new("data", State::Warn, format!("'{}': {e}", dir.display()))
            .advise("set ERW_DATA_DIR to a folder that you can write"),
    }
}
