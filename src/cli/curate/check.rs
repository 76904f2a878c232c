//! `erw curate check`: what a selection is worth by people's labels.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::CheckArgs;
use super::select::{Looking, again};
use crate::cli::data::opened;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::stop::Stop;
use crate::cli::table::{Side, Table};
use crate::curate::{Truth, stored, truth};
use crate::data::WorkspaceError;
use crate::domain::query::Query;
use crate::domain::text::printable;

#[derive(Serialize)]
struct Answer {
    selection: String,
    /// Whether the labels were made by programs: null where that is not known.
    simulated: Option<bool>,
    #[serde(flatten)]
    truth: Truth,
}

/// Holds it against labels.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let stored = stored(&workspace, &args.name)?;
    let stop = Stop::watch();
    let pool = again(&workspace, &stored, &stop)?;
    let labelled =
        Query::parse("sort by human").map_err(|e| WorkspaceError::Usage(e.to_string()))?;
    let found = workspace.matching(&labelled, None, &|| stop.asked())?;
    let found = found.unwrap_or_default().into_iter();
    let human: BTreeMap<_, _> = found
        .filter_map(|one| Some((one.candidate, one.value?)))
        .collect();
    let mut near = Looking::at(&workspace, &stop);
    let (recipe, resamples) = (&stored.recipe, args.resamples);
    let truth = truth(&pool, recipe, &args.sigmas, &human, &mut near, resamples)?;
    let answer = Answer {
        selection: stored.selection.full_name(),
        simulated: workspace.labels_are_simulated()?,
        truth,
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn told(answer: &Answer, style: Style) -> String {
    let truth = &answer.truth;
    let whose = match answer.simulated {
        Some(true) => "simulated scores",
        _ => "people's scores",
    };
    let mut table = Table::new(&[
        ("selection", Side::Left),
        ("labelled", Side::Right),
        ("mean of IF + VQ", Side::Right),
        ("above all", Side::Right),
    ]);
    let number = |value: Option<f64>, interval: Option<[f64; 2]>, signed: bool| {
        let one = |v: f64| {
            if signed {
                format!("{v:+.2}")
            } else {
                format!("{v:.2}")
            }
        };
        match (value, interval) {
            (Some(v), Some([low, high])) => format!("{} [{}, {}]", one(v), one(low), one(high)),
            (Some(v), None) => one(v),
            _ => "–".into(),
        }
    };
    for arm in &truth.arms {
        let cells = vec![
            printable(&arm.name).into_owned(),
            arm.labelled.to_string(),
            number(arm.mean, arm.interval, false),
            number(arm.above_all, arm.above_all_interval, true),
        ];
        table.row(cells, false);
    }
    format!(
        "{}\n{}\n{}",
        style.strong(&printable(&answer.selection)),
        table.render(style).trim_end(),
        style.faint(&format!(
            "{whose}, 2 to 8; 95 % intervals over {}",
            count(truth.groups, "group")
        ))
    )
}
