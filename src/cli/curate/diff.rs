//! `erw curate diff`: two selections beside each other.

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::DiffArgs;
use super::select::read;
use super::tell::shares_of;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style};
use crate::cli::stop::Stop;
use crate::cli::table::{Side, Table};
use crate::curate::{CurateError, Diff, diff};
use crate::data::{Selection, Workspace};
use crate::domain::CandidateId;
use crate::domain::text::printable;
use crate::workbench::Workbench;

#[derive(Serialize)]
struct Answer {
    first: String,
    second: String,
    model: String,
    #[serde(flatten)]
    diff: Diff,
}

/// Compares; scores are those of the model that the second was chosen by, unless one is named.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let workspace = bench.workspace()?;
    let (first, a) = members(&workspace, &args.first)?;
    let (second, b) = members(&workspace, &args.second)?;
    let named = args.place.model.is_some() || args.scores.is_given();
    let known = second.model.as_ref().or(first.model.as_ref());
    let fingerprint = match known {
        Some(known) if !named => known.clone(),
        _ => args.scores.model(&bench, &workspace)?.1,
    };
    let pool = read(&workspace, &fingerprint, None, &Stop::watch())?;
    let answer = Answer {
        first: first.full_name(),
        second: second.full_name(),
        model: fingerprint,
        diff: diff(&pool, &a, &b),
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn members(
    workspace: &Workspace,
    name: &str,
) -> Result<(Selection, BTreeSet<CandidateId>), CurateError> {
    let selection = workspace.selection(name)?;
    let found = workspace.selected(name)?;
    let (Some(selection), Some(found)) = (selection, found) else {
        return Err(CurateError::Choice(format!(
            "there is no selection '{}'; 'erw curate list' lists them",
            printable(name)
        )));
    };
    Ok((selection, found.into_iter().map(|(_, id)| id).collect()))
}

fn told(answer: &Answer, style: Style) -> String {
    let diff = &answer.diff;
    let (first, second) = (printable(&answer.first), printable(&answer.second));
    let overlap = diff
        .overlap
        .map_or_else(|| "–".into(), |share| format!("{:.1} %", 100.0 * share));
    let mut lines = vec![format!(
        "{} in both, {} only in {first}, {} only in {second}: overlap {overlap}",
        diff.both, diff.only_first, diff.only_second
    )];
    let amount = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:+.3}"));
    let only = [format!("only {first}"), format!("only {second}")];
    let mut scores = Table::new(&[
        ("mean", Side::Left),
        (&first, Side::Right),
        (&second, Side::Right),
        (&only[0], Side::Right),
        (&only[1], Side::Right),
    ]);
    for shift in &diff.scores {
        let cells = [
            shift.first,
            shift.second,
            shift.only_first,
            shift.only_second,
        ];
        let cells = std::iter::once(shift.score.to_owned()).chain(cells.map(amount));
        scores.row(cells.collect(), false);
    }
    for table in [
        scores,
        shares_of("category", &diff.categories),
        shares_of("editor", &diff.editors),
    ] {
        lines.push(String::new());
        lines.push(table.render(style).trim_end().to_owned());
    }
    lines.join("\n")
}
