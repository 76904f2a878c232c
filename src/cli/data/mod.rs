//! `erw import`, `erw export`, and `erw data`: data sets in and out, and questions to one as a whole.

mod agreement;
pub(super) mod args;
mod census;
pub(super) mod export;
mod find;
pub(super) mod import;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::progress::{Progress, Unit};
use crate::cli::table::{Side, Table};
use crate::data::Workspace;
use crate::data::check::{CheckReport, check};
use crate::data::split::{SplitReport, parse_shares, split};
use crate::domain::text::printable;
use crate::workbench::{Choices, Workbench};
use args::{DataCheckArgs, DataSplitArgs, DataVerb};

/// Carries one of them out.
pub(super) fn run(verb: &DataVerb) -> anyhow::Result<Exit> {
    match verb {
        DataVerb::Check(args) => examine(args),
        DataVerb::Stats(args) => census::run(args),
        DataVerb::Agreement(args) => agreement::run(args),
        DataVerb::Split(args) => divide(args),
        DataVerb::Find(args) => find::run(args),
        DataVerb::Fields(args) => find::fields(args),
    }
}

#[derive(Serialize)]
struct Answer {
    workspace: PathBuf,
    /// The other one, where there is one.
    against: Option<PathBuf>,
    #[serde(flatten)]
    report: CheckReport,
}

/// Checks a workspace; fails if it is not clean.
fn examine(args: &DataCheckArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let against = args.against.as_deref();
    let against = against.map(|dir| opened(Some(dir))).transpose()?;
    let mut bar = Progress::new("looking at images", Unit::Images, 0);
    let report = check(&workspace, against.as_ref(), &mut |done, total| {
        bar.set(done as u64, total as u64);
    })?;
    drop(bar);
    let exit = if report.clean {
        Exit::Done
    } else {
        Exit::Failed
    };
    let answer = Answer {
        workspace: workspace.root().to_owned(),
        against: against.map(|w| w.root().to_owned()),
        report,
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(exit)
}

#[derive(Serialize)]
struct Divided {
    workspace: PathBuf,
    seed: u64,
    #[serde(flatten)]
    report: SplitReport,
}

/// Divides a workspace into parts.
fn divide(args: &DataSplitArgs) -> anyhow::Result<Exit> {
    let Ok(shares) =
        parse_shares(&args.parts).map_err(|why| print::note(&format!("--parts: {why}")))
    else {
        return Ok(Exit::Usage);
    };
    let workspace = own(args.workspace.as_deref())?;
    let mut bar = Progress::new("looking at sources", Unit::Groups, 0);
    let report = split(&workspace, &shares, args.seed, &mut |done, total| {
        bar.set(done as u64, total as u64);
    })?;
    drop(bar);
    if report.unreadable > 0 {
        print::note(&format!(
            "{} could not be read and told apart by path alone",
            count(report.unreadable, "source image")
        ));
    }
    if args.answer.json {
        print::json(&Divided {
            workspace: workspace.root().to_owned(),
            seed: args.seed,
            report,
        })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("part", Side::Left),
        ("pictures", Side::Right),
        ("groups", Side::Right),
        ("candidates", Side::Right),
    ]);
    for part in &report.parts {
        let numbers = [part.sources, part.groups, part.candidates].map(|n| n.to_string());
        let mut cells = vec![printable(&part.name).into_owned()];
        cells.extend(numbers);
        table.row(cells, false);
    }
    print::out(table.render(Style::of_stdout()).trim_end())?;
    if report.moved > 0 {
        print::note(&format!(
            "{} were in another part before",
            count(report.moved, "group")
        ));
    }
    Ok(Exit::Done)
}

/// The workspace in a folder, else the one here or above, else the one in the settings, else the demo, which is said.
pub(super) fn opened(dir: Option<&Path>) -> anyhow::Result<Workspace> {
    let workspace = bench(dir)?.workspace()?;
    if workspace.is_demo() {
        print::note("no workspace is named or here: this is the demo");
    }
    Ok(workspace)
}

/// The same, but no demo.
fn own(dir: Option<&Path>) -> anyhow::Result<Workspace> {
    bench(dir)?
        .named_workspace()?
        .context("there is no workspace here; name one, or make one with 'erw import groups.jsonl'")
}

/// The choice of a model whose stored scores are meant: a name or folder, else the one in the settings.
fn with_model(model: Option<&str>) -> anyhow::Result<Workbench> {
    Ok(Workbench::new(Choices {
        model: model.map(str::to_owned),
        ..Choices::default()
    })?)
}

fn bench(dir: Option<&Path>) -> anyhow::Result<Workbench> {
    Ok(Workbench::new(Choices {
        workspace: dir.map(Path::to_owned),
        ..Choices::default()
    })?)
}

fn told(answer: &Answer, style: Style) -> String {
    let report = &answer.report;
    let mut lines = vec![format!(
        "{}: {}, {}, {}, {}",
        printable(&answer.workspace.display().to_string()),
        count(report.groups, "group"),
        count(report.candidates, "candidate"),
        count(report.images, "image"),
        count(report.labels, "label"),
    )];
    if let Some(against) = &answer.against {
        let against = against.display().to_string();
        lines.push(format!("against {}", printable(&against)));
    }
    let mut table = Table::new(&[("problem", Side::Left), ("found", Side::Right)]);
    for found in &report.problems {
        let cells = vec![found.problem.words().to_owned(), found.count.to_string()];
        table.row(cells, found.count > 0);
    }
    lines.push(table.render(style).trim_end().to_owned());
    for found in report.problems.iter().filter(|f| f.count > 0) {
        lines.push(format!("\n{}:", found.problem.words()));
        let examples = found.examples.iter();
        lines.extend(examples.map(|example| format!("  {}", printable(example))));
        let more = found.count - found.examples.len();
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    lines.push(String::new());
    lines.push(if report.clean {
        style.good("clean")
    } else {
        style.bad("not clean")
    });
    lines.join("\n")
}
