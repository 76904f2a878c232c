//! `erw data`: questions to a data set as a whole.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::args::{DataCheckArgs, DataVerb};
use super::exit::Exit;
use super::print::{self, Style, count};
use super::progress::{Progress, Unit};
use super::table::{Side, Table};
use crate::data::Workspace;
use crate::data::check::{CheckReport, check};
use crate::domain::text::printable;

/// Carries one of them out.
pub(super) fn run(verb: &DataVerb) -> anyhow::Result<Exit> {
    match verb {
        DataVerb::Check(args) => examine(args),
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

/// The workspace in a folder, else the one here or above.
fn opened(dir: Option<&Path>) -> anyhow::Result<Workspace> {
    if let Some(dir) = dir {
        return Ok(Workspace::open(dir)?);
    }
    let here = std::env::current_dir().context("this folder is gone")?;
    let dir = Workspace::find(&here).context(
        "there is no workspace here; name one, or make one with 'erw import groups.jsonl'",
    )?;
    Ok(Workspace::open(&dir)?)
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
