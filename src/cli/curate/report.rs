//! `erw curate report`: a selection as a file for others.

use super::args::ReportArgs;
use super::tell::reckoned;
use crate::cli::data::opened;
use crate::cli::exit::Exit;
use crate::cli::print;
use crate::cli::stop::Stop;
use crate::curate::{CurateError, render, stored};

/// Writes it.
pub(super) fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let format = if args.json { "json" } else { &args.format };
    let format = format.parse().map_err(CurateError::Choice)?;
    let workspace = opened(args.workspace.as_deref())?;
    let stored = stored(&workspace, &args.name)?;
    let (pool, report) = reckoned(&workspace, &stored, &Stop::watch())?;
    let wanted = report.examples.all();
    let entries = pool.entries.iter();
    let places = entries
        .filter(|e| wanted.binary_search(&e.candidate).is_ok())
        .map(|e| (e.candidate, e.group))
        .collect();
    let name = stored.selection.full_name();
    let text = render(&report, &name, &workspace, &places, format)?;
    match &args.out {
        Some(path) => {
            print::file(path, &text)?;
            print::note(&format!("written to {}", path.display()));
        }
        None => print::out(&text)?,
    }
    Ok(Exit::Done)
}
