//! `erw bench`: benchmarks listed, run, reproduced, compared and written down.

pub(super) mod args;
mod model;
mod perceptual;
mod scorers;
mod speed;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::exit::Exit;
use super::print::{self, Style, count};
use super::progress::{Progress, Unit};
use super::runs;
use super::stop::Stop;
use crate::bench::leaderboard::{Measured, board};
use crate::bench::report::{Report, Resampling};
use crate::bench::run::{self as bench_run, Outcome, Task};
use crate::bench::{BenchError, Scorer, compare, export, protocols, reproduce};
use crate::data::Workspace;
use crate::domain::text::printable;
use crate::runs::{Fact, Manifest, Run, State, Writer, glance};
use crate::workbench::Workbench;
use args::{BenchRunArgs, BenchVerb, CompareArgs, ListArgs, ReportArgs, ReproduceArgs};
use scorers::Spec;

const VERB: &str = "bench run";

/// The file of a model's folder that names the source images it has never seen.
const HELD_OUT: &str = "held-out.txt";

/// Carries one of them out.
pub(super) fn run(verb: &BenchVerb) -> anyhow::Result<Exit> {
    match verb {
        BenchVerb::List(args) => list(args),
        BenchVerb::Run(args) => measure(args),
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

/// What a benchmark run answers a program.
#[derive(Serialize)]
struct Answered<'a> {
    run: String,
    folder: PathBuf,
    state: &'static str,
    report: Option<&'a Report>,
}

fn measure(args: &BenchRunArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let protocol = protocols::find(&args.benchmark)?;
    let spec = Spec::parse(&args.scorer)?;
    let data = data(args, &bench)?;
    let who = if protocol.ask().is_some() {
        spec.title()
    } else {
        "people".into()
    };
    let title = format!("{} {who}", protocol.about().key);
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        seed: Some(args.seed),
        device: args.place.device.clone().filter(|d| d != "auto"),
        ..Manifest::new(VERB, arguments, &title)
    })?;
    let folder = begun.folder().clone().absolute();
    let answer = |state, report| Answered {
        run: folder.name(),
        folder: folder.path().to_owned(),
        state,
        report,
    };
    if begun.is_queued() {
        if args.answer.json {
            print::json(&answer(State::Queued.word(), None))?;
        }
        return Ok(Exit::Done);
    }
    let stop = Stop::watch();
    let writer = folder.take_up()?;
    let work = || work(args, &bench, (protocol, &spec), &data, &writer, &stop);
    let outcome = writer
        .attend(work)
        .with_context(|| format!("run '{}'", folder.name()))?;
    match &outcome {
        Outcome::Done(report) => {
            if args.answer.json {
                print::json(&answer(State::Done.word(), Some(report)))?;
            } else {
                print::out(&tables::report(report, args.published, Style::of_stdout()))?;
                print::note(&format!("kept in {}", folder.path().display()));
            }
            let left_out = report.data.left_out + report.unscored.edits;
            let whole = left_out == 0 && report.unanswered.missing == 0;
            Ok(if whole { Exit::Done } else { Exit::LeftOut })
        }
        Outcome::Stopped { answered, of } => {
            if args.answer.json {
                print::json(&answer(State::Stopped.word(), None))?;
            }
            let name = folder.name();
            print::note(&format!(
                "stopped after {answered} of {of} cases; 'erw resume {name}' goes on"
            ));
            Ok(Exit::Stopped)
        }
    }
}

/// Where the data is: as it was typed, else the workspace.
fn data(args: &BenchRunArgs, bench: &Workbench) -> anyhow::Result<PathBuf> {
    let path = match &args.data {
        Some(path) => path.clone(),
        None => bench.workspace()?.root().to_owned(),
    };
    if !path.exists() {
        return Err(BenchError::Choice(format!(
            "there is no '{}'; --data names the benchmark's file or folder",
            path.display()
        ))
        .into());
    }
    Ok(std::path::absolute(&path).unwrap_or(path))
}

fn work(
    args: &BenchRunArgs,
    bench: &Workbench,
    (protocol, spec): (&'static dyn crate::bench::protocol::Protocol, &Spec),
    data: &Path,
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<Outcome> {
    let own = protocol.about().key == "workspace";
    // The demo's own model is found only in the demo as it was opened.
    let workspace = match (own, &args.data) {
        (true, None) => Some(bench.workspace()?),
        (true, Some(dir)) => Some(Workspace::open(dir)?),
        (false, _) => None,
    };
    let mut scorer: Option<Box<dyn Scorer>> = match protocol.ask() {
        Some(_) => {
            writer.note(Fact::Phase {
                text: "loading the scorer".into(),
            })?;
            let place = workspace.as_ref();
            Some(scorers::scorer(
                spec,
                args,
                bench,
                place,
                writer.folder().path(),
            )?)
        }
        None => None,
    };
    let mut bar = Progress::new("asking", Unit::Cases, 0);
    let mut task = Task {
        protocol,
        data: data.to_owned(),
        images: args.images.clone(),
        scorer: scorer.as_mut().map(|s| s.as_mut() as &mut dyn Scorer),
        skip_bad: args.skip_bad,
        limit: args.limit,
        resampling: Resampling {
            resamples: args.resamples,
            seed: args.seed,
        },
        unseen: held_out(args, bench, spec, workspace.as_ref())?,
    };
    let mut progress = |done, of| bar.set(done as u64, of as u64);
    let outcome = bench_run::run(&mut task, writer, &|| stop.asked(), &mut progress)?;
    drop(bar);
    bench_run::end(writer, &outcome)?;
    Ok(outcome)
}

/// The names of the source images that the scorer has never seen.
fn held_out(
    args: &BenchRunArgs,
    bench: &Workbench,
    spec: &Spec,
    workspace: Option<&Workspace>,
) -> anyhow::Result<Vec<String>> {
    let path = match (&args.held_out, spec.model_dir(bench, workspace)?) {
        (Some(path), _) => path.clone(),
        (None, Some(dir)) if dir.join(HELD_OUT).is_file() => dir.join(HELD_OUT),
        (None, _) => return Ok(Vec::new()),
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read '{}'", path.display()))?;
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(names.map(str::to_owned).collect())
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
