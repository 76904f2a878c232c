//! `erw failures report`: a finished analysis or probe as a file for others.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{analyse, probe};
use crate::cli::args::Where;
use crate::cli::exit::Exit;
use crate::cli::print;
use crate::cli::runs::{self, Root};
use crate::data::Workspace;
use crate::failures::AnalysisError;
use crate::failures::analysis::run::read_report;
use crate::failures::export::{Format, Shown, probes, render};
use crate::failures::probe::run::read_report as probe_report;
use crate::workbench::Workbench;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The run of 'erw failures analyse' or 'erw failures probe'
    run: String,
    /// md, html, csv, json, or svg: the first finding's scatter, or the curves of a probe
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    format: String,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    place: Where,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Writes it.
pub(super) fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let format = if args.json { "json" } else { &args.format };
    let format = format.parse().map_err(AnalysisError::Choice)?;
    let bench = Workbench::new(args.place.choices())?;
    let run = runs::find(&args.root.path(&bench)?, &args.run)?;
    let text = match run.manifest.verb.as_str() {
        analyse::VERB => analysis(run.folder.path(), format)?,
        probe::VERB => probes::render(&probe_report(run.folder.path())?, format)?,
        verb => {
            let name = run.folder.name();
            return Err(AnalysisError::Choice(format!(
                "'{name}' is a run of 'erw {verb}', and neither an analysis nor a probe"
            ))
            .into());
        }
    };
    match &args.out {
        Some(path) => {
            print::file(path, &text)?;
            print::note(&format!("written to {}", path.display()));
        }
        None => print::out(&text)?,
    }
    Ok(Exit::Done)
}

fn analysis(folder: &Path, format: Format) -> anyhow::Result<String> {
    let report = read_report(folder)?;
    // Pictures are where they were; without the workspace the numbers still tell.
    let workspace = Workspace::open(Path::new(&report.data.workspace));
    if let Err(why) = &workspace {
        print::note(&format!("without names and pictures of cases: {why}"));
    }
    let shown = Shown::of(&report, workspace.as_ref().ok(), format);
    Ok(render(&report, &shown, format)?)
}
