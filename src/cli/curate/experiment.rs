//! `erw curate experiment`: selections of several sizes through the same commands, as a run.

use std::path::Path;

use super::args::ExperimentArgs;
use super::select::{Looking, now, read_for};
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style};
use crate::cli::runs::{Ended, RunArgs, Saying};
use crate::cli::stop::Stop;
use crate::cli::table::{Side, Table};
use crate::curate::experiment::{Outcome, Plan, Report, Task, end, run as carry_out};
use crate::data::export::export_format;
use crate::domain::text::printable;
use crate::runs::{Fingerprint, Manifest, Writer};
use crate::workbench::Workbench;

const VERB: &str = "curate experiment";

/// Does what is left of it, and prints the table.
pub(super) fn run(args: &ExperimentArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let workspace = bench.workspace()?;
    let plan = Plan::read(&args.plan, &bench.config.commands)?;
    let format = export_format(Some(&plan.format), Path::new("export.json"))?;
    let (name, fingerprint) = args.scores.model(&bench, &workspace)?;
    let runs = root(&args.run, &bench)?;
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        model: Some(Fingerprint {
            name,
            fingerprint: fingerprint.clone(),
        }),
        plan: std::fs::read_to_string(&args.plan).ok(),
        ..Manifest::new(VERB, arguments, &plan.name)
    })?;
    let task = Task {
        workspace: &workspace,
        fingerprint: &fingerprint,
        plan: &plan,
        format,
        runs: &runs,
        now,
    };
    let saying = Saying {
        unit: "steps",
        resumed: "goes on",
        told,
        whole: |_| true,
        flat: false,
    };
    begun.carry(args.answer.json, &saying, |writer, stop| {
        work(&task, writer, stop)
    })
}

/// Where the runs of its commands are made: beside its own.
fn root(run: &RunArgs, bench: &Workbench) -> anyhow::Result<std::path::PathBuf> {
    match run.run.as_ref().and_then(|own| own.parent()) {
        Some(beside) => Ok(beside.to_owned()),
        None => run.root.path(bench),
    }
}

fn work(task: &Task<'_>, writer: &Writer, stop: &Stop) -> anyhow::Result<Ended<Report>> {
    let pool = read_for(task.workspace, &task.plan.recipe, task.fingerprint, stop)?;
    let mut near = Looking::at(task.workspace, stop);
    let mut said = |line: &str| {
        print::note(line);
        let _ = writer.log(line);
    };
    let outcome = carry_out(task, (&pool, &mut near), writer, &mut said, &|| {
        stop.asked()
    })?;
    end(writer, &outcome)?;
    Ok(match outcome {
        Outcome::Done(report) => Ended::Done(report),
        Outcome::Stopped(done, of) => Ended::Stopped {
            done,
            of,
            so_far: None,
        },
    })
}

/// A row for each arm, a column for each figure.
fn told(report: &Report, style: Style) -> String {
    let mut names: Vec<&str> = report.metrics.iter().map(String::as_str).collect();
    if names.is_empty() {
        names = report
            .arms
            .iter()
            .flat_map(|arm| arm.metrics.keys().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
    }
    let mut head = vec![
        ("selection", Side::Left),
        ("candidates", Side::Right),
        ("mean score", Side::Right),
    ];
    head.extend(names.iter().map(|name| (*name, Side::Right)));
    let mut table = Table::new(&head);
    for arm in &report.arms {
        let number = |value: Option<f64>| value.map_or_else(|| "–".into(), |v| format!("{v:.4}"));
        let mut cells = vec![
            printable(&arm.words).into_owned(),
            arm.kept.to_string(),
            number(arm.mean),
        ];
        cells.extend(
            names
                .iter()
                .map(|name| number(arm.metrics.get(*name).copied())),
        );
        table.row(cells, false);
    }
    table.render(style).trim_end().to_owned()
}
