//! `erw` without a verb: the workbench on the workspace named, here, or else the demo.

use super::annotate::{self, HowArgs};
use super::args::OpenArgs;
use super::exit::Exit;
use super::print;
use crate::tui::theme::Theme;
use crate::tui::widgets::image::Protocol;
use crate::tui::{self, TuiOptions};
use crate::workbench::{SetupError, Workbench};

/// Opens the workbench. Without a model it still opens, and says why there is none.
pub(super) fn run(args: &OpenArgs) -> anyhow::Result<Exit> {
    opened(args, None)
}

/// The same, at the screen where people judge if it is told how.
pub(super) fn opened(args: &OpenArgs, how: Option<&HowArgs>) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let settings = &bench.config;
    let flag = args.image_protocol.as_deref();
    let image_protocol = bench.choose(
        "image-protocol",
        (flag, settings.image_protocol.as_deref()),
        protocol,
    )?;
    let theme = args.theme.as_deref().or(settings.theme.as_deref());
    if let Some(theme) = theme {
        // Here rather than in the workbench, so that a wrong setting is told by its line.
        bench.choose("theme", (args.theme.as_deref(), Some(theme)), |name| {
            Theme::load(name).map_err(|e| e.to_string())
        })?;
    }
    let annotate = match annotate::settings(how, settings) {
        Ok(annotate) => annotate,
        Err(why) => {
            print::note(&why);
            return Ok(Exit::Usage);
        }
    };
    let options = bench.load_options()?;
    let workspace = bench.workspace()?;
    let (model, model_missing) = match bench.model_dir(Some(&workspace)) {
        Ok(dir) => (Some((dir, options)), None),
        Err(why @ SetupError::NoModel) => (None, Some(why.to_string())),
        Err(wrong) => return Err(wrong.into()),
    };
    tui::run(TuiOptions {
        runs: bench.runs_root(None)?,
        slurm: bench.config.slurm.clone(),
        workspace,
        model,
        model_missing,
        theme: theme.map(str::to_owned),
        image_protocol: image_protocol.flatten(),
        annotate,
        at_annotate: how.is_some(),
        notify: settings.notify,
        mouse: !args.no_mouse && settings.mouse.unwrap_or(true),
    })?;
    Ok(Exit::Done)
}

/// `auto` is to ask the terminal.
fn protocol(name: &str) -> Result<Option<Protocol>, String> {
    if name == "auto" {
        return Ok(None);
    }
    name.parse()
        .map(Some)
        .map_err(|e: tui::widgets::image::UnknownProtocol| e.to_string())
}
