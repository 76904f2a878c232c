//! `erw bench`: benchmarks listed, run, reproduced, compared and written down.

pub(super) mod args;
mod model;
mod perceptual;
mod run;
mod scorers;
mod shards;
mod speed;
mod tables;

use serde::Serialize;

use super::exit::Exit;
use super::print::{self, Style, count};
use super::runs;
use crate::bench::leaderboard::{Measured, board};
use crate::bench::report::Resampling;
use crate::bench::run as bench_run;
use crate::bench::{BenchError, compare, export, protocols, reproduce};
use crate::domain::text::printable;
use crate::runs::{Run, State, glance};
use crate::workbench::Workbench;
use args::{BenchVerb, CompareArgs, ListArgs, ReportArgs, ReproduceArgs};

/// The verb of runs, in `run.toml`.
const VERB: &str = "bench run";

/// Carries one of them out.
pub(super) fn run(verb: &BenchVerb) -> anyhow::Result<Exit> {
    match verb {
        BenchVerb::List(args) => list(args),
        BenchVerb::Run(args) => run::run(args),
        BenchVerb::Reproduce(args) => reproduced(args),
        BenchVerb::Compare(args) => compared(args),
        BenchVerb::Report(args) => report(args),
        BenchVerb::Speed(args) => speed::run(args),
    }
}

/// A benchmark as `list --json` tells it.
#[derive(Serialize)]
struct Listed {
    benchmark: &'static str,
    name: &'static str,
    publisher: &'static str,
    protocol: &'static str,
    data: &'static str,
}

fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    let listed = |about: &crate::bench::protocol::About| Listed {
        benchmark: about.key,
        name: about.name,
        publisher: about.publisher,
        protocol: about.protocol,
        data: about.data,
    };
    let chosen = match &args.benchmark {
        Some(key) => vec![protocols::find(key)?.about()],
        None => protocols::ALL.iter().map(|p| p.about()).collect(),
    };
    if args.answer.json {
        let all: Vec<Listed> = chosen.into_iter().map(listed).collect();
        print::json(&serde_json::json!({ "benchmarks": all }))?;
    } else if args.benchmark.is_some() {
        print::out(&tables::described(chosen[0], Style::of_stdout()))?;
    } else {
        print::out(&tables::listed(&chosen, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn reproduced(args: &ReproduceArgs) -> anyhow::Result<Exit> {
    if !args.data.is_dir() {
        return Err(BenchError::Choice(format!(
            "there is no folder '{}'; --data names one with the published tables",
            args.data.display()
        ))
        .into());
    }
    let all = reproduce::reproduce(&args.data, args.published)?;
    let different = all.different();
    if args.answer.json {
        print::json(&all)?;
    } else {
        print::out(&tables::reproduction(
            &all,
            (args.differing, args.published),
            Style::of_stdout(),
        ))?;
    }
    for absent in &all.absent {
        print::note(&format!("not in this folder, so not recomputed: {absent}"));
    }
    Ok(if different == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn compared(args: &CompareArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let root = args.root.path(&bench)?;
    let [a, b] = [runs::find(&root, &args.a)?, runs::find(&root, &args.b)?];
    let resampling = Resampling {
        resamples: args.resamples,
        seed: args.seed,
    };
    let mut all = compare::compare([a.folder.path(), b.folder.path()], resampling)?;
    let flips = all.flips.len();
    all.flips.truncate(args.flips);
    if args.answer.json {
        print::json(&all)?;
    } else {
        print::out(&tables::comparison(&all, flips, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn report(args: &ReportArgs) -> anyhow::Result<Exit> {
    let format = if args.json { "json" } else { &args.format };
    let format = format.parse().map_err(BenchError::Choice)?;
    let bench = Workbench::new(args.place.choices())?;
    let root = args.root.path(&bench)?;
    let chosen: Vec<Run> = if args.named.is_empty() {
        Run::list(&root)?
            .runs
            .into_iter()
            .filter(|run| run.manifest.verb == VERB)
            .filter(|run| glance(&run.folder).is_ok_and(|(_, state)| state == State::Done))
            .collect()
    } else {
        let named = args.named.iter().map(|name| runs::find(&root, name));
        named.collect::<anyhow::Result<_>>()?
    };
    let mut measured = Vec::new();
    for run in chosen {
        measured.push(Measured {
            run: run.folder.name(),
            report: bench_run::read_report(run.folder.path())?,
        });
    }
    if measured.is_empty() {
        return Err(BenchError::Choice(format!(
            "'{}' has no finished benchmark; 'erw bench run' makes one",
            root.display()
        ))
        .into());
    }
    let text = export::render(format, &measured, &board(&measured));
    match &args.output {
        Some(path) => {
            print::file(path, &text)?;
            print::note(&format!(
                "{} in {}",
                count(measured.len(), "run"),
                printable(&path.display().to_string())
            ));
        }
        None => print::out(&text)?,
    }
    Ok(Exit::Done)
}
