//! `erw import`: a data set into a workspace, which is made where there is none.

use anyhow::Context as _;
use serde::Serialize;

use super::args::ImportArgs;
use super::exit::Exit;
use super::print::{self, count};
use crate::data::Workspace;

#[derive(Serialize)]
struct Report {
    workspace: String,
    groups: usize,
    candidates: usize,
    labels: usize,
    unchanged: usize,
    updated: usize,
    /// All of them; the names below may be fewer.
    missing: usize,
    missing_images: Vec<String>,
}

/// Imports a file. Missing images are listed and do not stop it; the exit code says that there are some.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<Exit> {
    let here = std::env::current_dir().context("this folder is gone")?;
    let dir = args
        .workspace
        .as_ref()
        .map_or(here.clone(), |w| here.join(w));
    let workspace = Workspace::create(&dir)?;
    let done = workspace.import_jsonl(&args.file)?;
    let report = Report {
        workspace: dir.display().to_string(),
        groups: done.groups,
        candidates: done.candidates,
        labels: done.labels,
        unchanged: done.unchanged,
        updated: done.updated,
        missing: done.missing,
        missing_images: done.missing_images,
    };
    for missing in &report.missing_images {
        print::note(&format!("missing image: {missing}"));
    }
    if report.missing > report.missing_images.len() {
        print::note(&format!(
            "{} in all",
            count(report.missing, "missing image")
        ));
    }
    if args.answer.json {
        print::json(&report)?;
    } else {
        print::out(&format!(
            "{}, {} and {} are new in '{}'; {} changed, {} there already",
            count(report.groups, "group"),
            count(report.candidates, "candidate"),
            count(report.labels, "label"),
            report.workspace,
            count(report.updated, "group"),
            count(report.unchanged, "group"),
        ))?;
    }
    Ok(if report.missing == 0 {
        Exit::Done
    } else {
        Exit::LeftOut
    })
}
