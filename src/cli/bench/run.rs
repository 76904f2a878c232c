//! `erw bench run`: a benchmark as a run, in this process, from the queue, or in shards.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;

use super::super::exit::Exit;
use super::super::print::{self, Style};
use super::super::progress::{Progress, Unit};
use super::super::stop::Stop;
use super::args::BenchRunArgs;
use super::scorers::{self, Spec};
use super::{VERB, shards, tables};
use crate::bench::protocol::Protocol;
use crate::bench::report::{Report, Resampling};
use crate::bench::run::{self as bench_run, Outcome, Task};
use crate::bench::{BenchError, Scorer, protocols};
use crate::data::Workspace;
use crate::runs::{Fact, Manifest, State, Writer};
use crate::workbench::Workbench;

/// The file of a model's folder that names the source images it has never seen.
const HELD_OUT: &str = "held-out.txt";

/// What a benchmark run answers a program.
#[derive(Serialize)]
struct Answered<'a> {
    run: String,
    folder: PathBuf,
    state: &'static str,
    report: Option<&'a Report>,
}

/// What is measured, and who answers.
pub(super) struct Asked<'a> {
    pub(super) args: &'a BenchRunArgs,
    pub(super) bench: &'a Workbench,
    pub(super) protocol: &'static dyn Protocol,
    pub(super) spec: Spec,
    pub(super) data: PathBuf,
}

/// Measures, or does what a process of a run in shards is there for.
pub(super) fn run(args: &BenchRunArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    if let Some(shard) = args.parts.work_shard {
        return shards::member(args, &bench, shard);
    }
    let asked = Asked {
        protocol: protocols::find(&args.benchmark)?,
        spec: Spec::parse(&args.scorer)?,
        data: data(args, &bench)?,
        args,
        bench: &bench,
    };
    if args.parts.merge {
        return shards::put_together(asked);
    }
    args.parts.check(&args.run, &bench, "")?;
    measure(&asked)
}

fn measure(asked: &Asked<'_>) -> anyhow::Result<Exit> {
    let (args, protocol) = (asked.args, asked.protocol);
    let planned = args.parts.shards.filter(|_| args.run.run.is_none());
    let planned = planned.map(|n| shards::draft(asked, n)).transpose()?;
    let who = if protocol.ask().is_some() {
        asked.spec.title()
    } else {
        "people".into()
    };
    let title = format!("{} {who}", protocol.about().key);
    let describe = |arguments| Manifest {
        seed: Some(args.seed),
        device: args.place.device.clone().filter(|d| d != "auto"),
        shards: args.parts.shards,
        ..Manifest::new(VERB, arguments, &title)
    };
    let begun = args.run.begin_with(asked.bench, VERB, describe, |folder| {
        planned.as_ref().map_or(Ok(()), |draft| draft.write(folder))
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
    let outcome = writer
        .attend(|| work(asked, &writer, &stop))
        .with_context(|| format!("run '{}'", folder.name()))?;
    match &outcome {
        Outcome::Done(report) => {
            if args.answer.json {
                print::json(&answer(State::Done.word(), Some(report)))?;
            } else {
                tell(args, report)?;
                print::note(&format!("kept in {}", folder.path().display()));
            }
            Ok(if whole(report) {
                Exit::Done
            } else {
                Exit::LeftOut
            })
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

/// The report for people.
pub(super) fn tell(args: &BenchRunArgs, report: &Report) -> anyhow::Result<()> {
    let text = tables::report(report, args.published, Style::of_stdout());
    Ok(print::out(&text)?)
}

/// Whether nothing was left out.
pub(super) fn whole(report: &Report) -> bool {
    report.data.left_out + report.unscored.edits == 0 && report.unanswered.missing == 0
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

impl Asked<'_> {
    /// The workspace whose groups the cases are, where they are.
    pub(super) fn workspace(&self) -> anyhow::Result<Option<Workspace>> {
        // The demo's own model is found only in the demo as it was opened.
        let own = self.protocol.about().key == "workspace";
        Ok(match (own, &self.args.data) {
            (true, None) => Some(self.bench.workspace()?),
            (true, Some(dir)) => Some(Workspace::open(dir)?),
            (false, _) => None,
        })
    }

    /// What is to be done, but for who answers.
    pub(super) fn task(&self, workspace: Option<&Workspace>) -> anyhow::Result<Task<'static>> {
        let args = self.args;
        Ok(Task {
            protocol: self.protocol,
            data: self.data.clone(),
            images: args.images.clone(),
            scorer: None,
            skip_bad: args.skip_bad,
            limit: args.limit,
            resampling: Resampling {
                resamples: args.resamples,
                seed: args.seed,
            },
            unseen: held_out(args, self.bench, &self.spec, workspace)?,
        })
    }

    /// Asks, measures, and notes how the run ended.
    pub(super) fn measured(
        &self,
        workspace: Option<&Workspace>,
        scorer: Option<&mut dyn Scorer>,
        writer: &Writer,
        stop: &Stop,
    ) -> anyhow::Result<Outcome> {
        let mut bar = Progress::new("asking", Unit::Cases, 0);
        let mut task = Task {
            scorer,
            ..self.task(workspace)?
        };
        let mut progress = |done, of| bar.set(done as u64, of as u64);
        let outcome = bench_run::run(&mut task, writer, &|| stop.asked(), &mut progress)?;
        drop(bar);
        bench_run::end(writer, &outcome)?;
        Ok(outcome)
    }
}

fn work(asked: &Asked<'_>, writer: &Writer, stop: &Stop) -> anyhow::Result<Outcome> {
    let workspace = asked.workspace()?;
    let place = workspace.as_ref();
    let mut scorer: Option<Box<dyn Scorer>> = None;
    if asked.protocol.ask().is_some() {
        let phase = "loading the scorer".into();
        writer.note(Fact::Phase { text: phase })?;
        let folder = writer.folder();
        let (spec, args, bench) = (&asked.spec, asked.args, asked.bench);
        let loaded = scorers::scorer(spec, args, bench, place, folder.path())?;
        scorer = Some(shards::knowing(loaded, folder, place, writer)?);
    }
    let scorer = scorer.as_mut().map(|s| s.as_mut() as &mut dyn Scorer);
    asked.measured(place, scorer, writer, stop)
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
