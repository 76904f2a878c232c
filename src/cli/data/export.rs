//! `erw export`: a workspace, or a part of it, in a format that others read.

use std::collections::HashSet;

use anyhow::Context as _;
use serde::Serialize;

use super::args::ExportArgs;
use super::{opened, with_model};
use crate::cli::exit::Exit;
use crate::cli::print::{self, count};
use crate::cli::progress::{Progress, Unit};
use crate::data::WorkspaceError;
use crate::data::export::{ExportOptions, ExportReport, export_format};
use crate::domain::text::printable;
use crate::domain::{Pairing, Ties};

#[derive(Serialize)]
struct Answer {
    file: String,
    #[serde(flatten)]
    report: ExportReport,
}

/// Writes a file; missing images are listed and do not stop it, and the exit code says that there are some.
pub(in crate::cli) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let mut options = options(args)?;
    let format = export_format(args.format.as_deref(), &args.file)?;
    let workspace = opened(args.workspace.as_deref())?;
    options.chosen = args
        .only
        .groups(&workspace, &with_model(args.model.as_deref())?)?
        .map(|groups| groups.into_iter().collect());
    if let Some(name) = &args.selection {
        let found = workspace.selected(name)?.ok_or_else(|| {
            WorkspaceError::Usage(format!(
                "there is no selection '{}'; 'erw curate list' lists them",
                printable(name)
            ))
        })?;
        options.candidates = Some(found.into_iter().map(|(_, id)| id).collect());
    }
    let mut bar = Progress::new("writing", Unit::Groups, 0);
    let report = workspace.export(&args.file, format, &options, &mut |done, total| {
        bar.set(done as u64, total as u64);
    })?;
    drop(bar);
    for missing in &report.missing_images {
        print::note(&format!("missing image: {}", printable(missing)));
    }
    if report.missing > report.missing_images.len() {
        print::note(&format!(
            "{} in all",
            count(report.missing, "missing image")
        ));
    }
    if report.simulated > 0 {
        print::note(&format!(
            "{} of what was written were made by programs, and this format cannot say so",
            count(report.simulated, "label")
        ));
    }
    let exit = if report.missing == 0 {
        Exit::Done
    } else {
        Exit::LeftOut
    };
    let answer = Answer {
        file: args.file.display().to_string(),
        report,
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer))?;
    }
    Ok(exit)
}

fn told(answer: &Answer) -> String {
    let report = &answer.report;
    let mut text = format!(
        "'{}': {} of {} as {}",
        printable(&answer.file),
        count(report.records, "record"),
        count(report.groups, "group"),
        report.format
    );
    if report.left_out > 0 {
        text += "; ";
        text += &count(report.left_out, "group");
        text += " left out, of which the format has nothing to say";
    }
    text
}

fn options(args: &ExportArgs) -> anyhow::Result<ExportOptions> {
    let usage = |text: String| anyhow::Error::from(WorkspaceError::Usage(text));
    let ties = match args.ties.as_str() {
        "disentangle" => Ties::Disentangle,
        "keep" => Ties::Keep,
        "drop" => Ties::Drop,
        other => {
            return Err(usage(format!(
                "--ties: '{other}' is none of disentangle, keep, drop"
            )));
        }
    };
    if !(0.0..=1.0).contains(&args.least_agreement) {
        return Err(usage("--least-agreement goes from 0 to 1".into()));
    }
    if args.ways.is_empty() || args.ways.iter().any(|k| !(2..=26).contains(k)) {
        return Err(usage("--ways: a tuple has 2 to 26 candidates".into()));
    }
    let groups = args.groups.as_ref().map(|file| {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read '{}'", file.display()))?;
        let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
        anyhow::Ok(names.map(str::to_owned).collect::<HashSet<_>>())
    });
    Ok(ExportOptions {
        split: args.split.clone(),
        set: args.set.clone(),
        groups: groups.transpose()?,
        chosen: None,
        candidates: None,
        pairing: Pairing {
            ties,
            least_agreement: args.least_agreement,
            ..Pairing::default()
        },
        ways: args.ways.clone(),
        per_group: args.per_group,
        limit: args.limit,
        seed: args.seed,
        embed: !args.no_image_bytes,
        images: args.images.clone(),
    })
}
