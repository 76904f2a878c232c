//! `erw import`: data sets into a workspace, which is made where there is none.

use std::time::Instant;

use anyhow::Context as _;
use serde::Serialize;

use super::args::ImportArgs;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::progress::{Progress, Unit};
use crate::cli::table::{Side, Table};
use crate::data::import::{ColumnMap, FORMATS, ImportOptions, ImportReport, Stage};
use crate::data::{ImportError, Workspace};
use crate::domain::text::printable;

#[derive(Serialize)]
struct Report {
    workspace: String,
    format: String,
    groups: usize,
    candidates: usize,
    labels: usize,
    votes: usize,
    ratings: usize,
    unchanged: usize,
    updated: usize,
    /// All of them; the names below may be fewer.
    missing: usize,
    missing_images: Vec<String>,
    contradictions: usize,
    contradicting: Vec<String>,
    left_out: usize,
    bad_records: Vec<String>,
}

/// Imports files and folders. Missing images are listed and do not stop it; the exit code says that there are some, or that
/// records were left out.
pub(in crate::cli) fn run(args: &ImportArgs) -> anyhow::Result<Exit> {
    if args.formats {
        return formats(args.answer.json);
    }
    let here = std::env::current_dir().context("this folder is gone")?;
    let dir = args
        .workspace
        .as_ref()
        .map_or(here.clone(), |w| here.join(w));
    let options = options(args)?;
    // Before a workspace is made: one that was made for nothing would be in the way.
    for path in &args.paths {
        std::fs::metadata(path).map_err(|why| ImportError::Unreadable {
            file: path.clone(),
            why,
        })?;
    }
    let workspace = Workspace::create(&dir)?;
    let report = imported(&workspace, args, &options)?;
    let report = Report {
        workspace: dir.display().to_string(),
        format: report.format,
        groups: report.groups,
        candidates: report.candidates,
        labels: report.labels,
        votes: report.votes,
        ratings: report.ratings,
        unchanged: report.unchanged,
        updated: report.updated,
        missing: report.missing,
        missing_images: report.missing_images,
        contradictions: report.contradictions,
        contradicting: report.contradicting,
        left_out: report.left_out,
        bad_records: report.bad_records,
    };
    list("missing image", &report.missing_images, report.missing);
    list(
        "contradiction",
        &report.contradicting,
        report.contradictions,
    );
    list("left out", &report.bad_records, report.left_out);
    if args.answer.json {
        print::json(&report)?;
    } else {
        print::out(&summary(&report))?;
    }
    Ok(if report.missing == 0 && report.left_out == 0 {
        Exit::Done
    } else {
        Exit::LeftOut
    })
}

fn options(args: &ImportArgs) -> Result<ImportOptions, ImportError> {
    Ok(ImportOptions {
        format: args.format.clone(),
        root: args.root.clone(),
        set: args.set.clone(),
        split: args.split.clone(),
        annotator: args.annotator.clone(),
        simulated: args.simulated,
        map: ColumnMap::parse(args.map.as_deref().unwrap_or(""))?,
        copy: args.copy,
        replace: args.replace,
        skip_bad: args.skip_bad,
    })
}

/// Imports behind two bars: one while records are checked, one while they are stored.
fn imported(
    workspace: &Workspace,
    args: &ImportArgs,
    options: &ImportOptions,
) -> anyhow::Result<ImportReport> {
    let mut bar = Progress::new("reading", Unit::Records, 0);
    let (mut stage, mut began) = (Stage::Checking, Instant::now());
    let report = workspace.import(&args.paths, options, &mut |at| {
        if at.stage != stage {
            (stage, began) = (at.stage, Instant::now());
            bar = Progress::new("storing", Unit::Records, 0);
        }
        let seconds = began.elapsed().as_secs_f64().max(1e-3);
        bar.aside(format!(
            "{}, {:.0}/s",
            count(usize::try_from(at.records).unwrap_or(usize::MAX), "record"),
            at.records as f64 / seconds
        ));
        bar.set(at.done, at.total);
    });
    drop(bar);
    Ok(report?)
}

fn list(what: &str, named: &[String], all: usize) {
    for name in named {
        print::note(&format!("{what}: {}", printable(name)));
    }
    if all > named.len() {
        print::note(&format!("{all} in all"));
    }
}

fn summary(report: &Report) -> String {
    let mut new = vec![
        count(report.groups, "group"),
        count(report.candidates, "candidate"),
    ];
    for (number, what) in [
        (report.labels, "label"),
        (report.votes, "vote"),
        (report.ratings, "rating"),
    ] {
        if number > 0 || what == "label" {
            new.push(count(number, what));
        }
    }
    let last = new.pop().unwrap_or_default();
    let mut text = format!(
        "{} and {last} are new in '{}'; {} changed, {} there already",
        new.join(", "),
        report.workspace,
        count(report.updated, "group"),
        count(report.unchanged, "group"),
    );
    if report.contradictions > 0 {
        text += "; ";
        text += &count(report.contradictions, "judgement");
        text += " kept beside what they contradict";
    }
    if report.left_out > 0 {
        text += "; ";
        text += &count(report.left_out, "record");
        text += " left out";
    }
    text
}

#[derive(Serialize)]
struct Known {
    name: &'static str,
    title: &'static str,
    told_by: &'static str,
}

fn formats(json: bool) -> anyhow::Result<Exit> {
    if json {
        let all: Vec<Known> = FORMATS
            .iter()
            .map(|format| Known {
                name: format.name,
                title: format.title,
                told_by: format.told_by,
            })
            .collect();
        print::json(&all)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("format", Side::Left),
        ("is", Side::Left),
        ("told by", Side::Left),
    ]);
    for format in FORMATS {
        let cells = [format.name, format.title, format.told_by];
        table.row(cells.map(str::to_owned).to_vec(), false);
    }
    print::out(&table.render(Style::of_stdout()))?;
    Ok(Exit::Done)
}
