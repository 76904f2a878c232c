//! `erw failures probe`: probes of a selection, as a run.

use super::super::exit::Exit;
use super::super::print::{self, Style, count};
use super::super::progress::{Progress, Unit};
use super::super::runs::{Ended, Saying};
use super::super::score::{UNTRAINED, load};
use super::super::stop::Stop;
use super::super::table::{Side, Table};
use super::args::ProbeArgs;
use super::shards;
use crate::data::Workspace;
use crate::domain::text::printable;
use crate::failures::probe::run::{self as probe_run, Outcome, Task};
use crate::failures::probe::{Chosen, Factor, FactorReport, Flips, Report};
use crate::runs::{Fact, Manifest, Writer};
use crate::workbench::{SetupError, Workbench};

pub(super) const VERB: &str = "failures probe";

/// So many reasons of what was left out are told.
const TOLD: usize = 3;

/// Probes; with steps that got no score the exit code says that some were left out.
pub(super) fn run(args: &ProbeArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let factors = factors(args)?;
    if let Some(shard) = args.parts.work_shard {
        return shards::member(args, &bench, &factors, shard);
    }
    args.parts.check(&args.run, &bench, "")?;
    let workspace = bench.workspace()?;
    let names: Vec<&str> = factors.iter().map(|(factor, _)| factor.name()).collect();
    let title = names.join(" ");
    // Before there is a run: a mistake in the query leaves none behind.
    let groups = args.only.groups(&workspace, &bench)?;
    let task = Task {
        workspace: &workspace,
        chosen: Chosen {
            groups: groups.map(|groups| groups.into_iter().collect()),
            limit: args.limit,
            which: args.candidates.into(),
            seed: args.seed,
        },
        factors,
        resamples: args.resamples,
    };
    if args.parts.merge {
        return shards::put_together(args, &bench, &task);
    }
    let describe = |arguments| Manifest {
        seed: Some(args.seed),
        device: args.place.device.clone().filter(|d| d != "auto"),
        shards: args.parts.shards,
        ..Manifest::new(VERB, arguments, &title)
    };
    let begun = args.run.begin_with(&bench, VERB, describe, |folder| {
        let Some(n) = args.parts.shards else {
            return Ok(());
        };
        let model = bench.model_dir(Some(&workspace))?;
        shards::prepare(folder, &task, (&bench, model), n)
    })?;
    let saying = Saying {
        unit: "points",
        resumed: "goes on",
        told,
        whole,
        flat: false,
    };
    begun.carry(args.answer.json, &saying, |writer, stop| {
        shards::gather(writer.folder(), &task)?;
        work(&bench, &workspace, &task, writer, stop)
    })
}

/// Whether nothing was left out.
pub(super) fn whole(report: &Report) -> bool {
    report.failed == 0
}

/// The factors that are asked for, each once, with their steps.
fn factors(args: &ProbeArgs) -> Result<Vec<(Factor, Vec<f64>)>, SetupError> {
    let mut factors: Vec<(Factor, Vec<f64>)> = Vec::new();
    for factor in &args.factors {
        if factors.iter().any(|(known, _)| known == factor) {
            continue;
        }
        let steps = factor.steps(&args.steps).map_err(|why| SetupError::Flag {
            flag: "steps",
            reason: why.to_string(),
        })?;
        factors.push((*factor, steps));
    }
    Ok(factors)
}

fn work(
    bench: &Workbench,
    workspace: &Workspace,
    task: &Task<'_>,
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<Ended<Report>> {
    writer.note(Fact::Phase {
        text: "loading the model".into(),
    })?;
    let mut model = load(&bench.model_dir(Some(workspace))?, &bench.load_options()?)?;
    let mut bar = Progress::new("probing", Unit::Cases, 0);
    let mut progress = |done, of| bar.set(done as u64, of as u64);
    let outcome = probe_run::run(&mut model, task, writer, &|| stop.asked(), &mut progress)?;
    drop(bar);
    probe_run::end(writer, &outcome)?;
    Ok(match outcome {
        Outcome::Done(report) => {
            left_out(&report);
            Ended::Done(report)
        }
        Outcome::Stopped { done, of } => Ended::Stopped {
            done,
            of,
            so_far: None,
        },
    })
}

/// Says what got no score, and that numbers of random weights mean nothing.
pub(super) fn left_out(report: &Report) {
    if !report.trained {
        print::note(UNTRAINED);
    }
    if report.failed == 0 {
        return;
    }
    print::note(&format!(
        "without a score: {}",
        count(report.failed, "point")
    ));
    let mut told: Vec<&str> = Vec::new();
    for failure in &report.failures {
        if !told.contains(&failure.why.as_str()) && told.len() < TOLD {
            told.push(&failure.why);
            print::note(&format!(
                "  {}, {} ({}): {}",
                failure.group, failure.candidate, failure.factor, failure.why
            ));
        }
    }
}

pub(super) fn told(report: &Report, style: Style) -> String {
    let candidates = count(report.candidates, "candidate");
    let mut lines = vec![format!(
        "{candidates} of {}, by {}",
        count(report.groups, "group"),
        printable(&report.model)
    )];
    for factor in &report.factors {
        lines.push(String::new());
        lines.extend(told_of(factor, style));
    }
    lines.join("\n")
}

fn told_of(factor: &FactorReport, style: Style) -> Vec<String> {
    let mut lines = vec![
        style.strong(&factor.words),
        style.faint(&format!("{}. Faithful: {}", factor.step, factor.faithful)),
    ];
    let mut table = Table::new(&[
        ("step", Side::Left),
        ("IF", Side::Right),
        ("VQ", Side::Right),
        ("overall", Side::Right),
        ("candidates", Side::Right),
    ]);
    for step in &factor.steps {
        let mut cells = vec![step.words.clone()];
        cells.extend(step.response.in_words());
        cells.push(step.candidates.to_string());
        table.row(cells, false);
    }
    lines.push(table.render(style).trim_end().to_owned());
    lines.push(factor.slope_in_words());
    for verdict in &factor.verdicts {
        let words = verdict.marked();
        lines.push(match verdict.as_expected {
            Some(false) => style.bad(&words),
            _ => words,
        });
    }
    lines.extend(factor.flips.as_ref().map(Flips::in_words));
    if factor.left_out > 0 {
        lines.push(style.warning(&format!(
            "{} without a curve",
            count(factor.left_out, "candidate")
        )));
    }
    lines
}
