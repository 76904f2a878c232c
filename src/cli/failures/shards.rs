//! A probe in shards: planning them, probing one, and making the report of what came of all of them.

use std::path::PathBuf;

use super::super::exit::Exit;
use super::super::print::{self, Style, count};
use super::super::progress::{Progress, Unit};
use super::super::score::load;
use super::super::shards::{self, Merge};
use super::super::stop::Stop;
use super::args::ProbeArgs;
use super::probe::{left_out, told, whole};
use crate::failures::probe::run::{Outcome, Task, end};
use crate::failures::probe::shards::{Plan, Turned, conclude, gather as collect, plan, work};
use crate::failures::probe::{Factor, Rater, Report};
use crate::model::Manifest;
use crate::runs::shards::{is_planned, left};
use crate::runs::{Folder, Writer};
use crate::workbench::Workbench;

/// Plans a run that is about to be submitted.
pub(super) fn prepare(
    folder: &Folder,
    task: &Task<'_>,
    (bench, model): (&Workbench, PathBuf),
    shards: usize,
) -> anyhow::Result<()> {
    let (name, fingerprint) = bench.identity(&model)?;
    let rater = Rater {
        fingerprint,
        name,
        trained: Manifest::read(&model)?.trained,
    };
    let plan = plan(folder, task, (model, rater), shards)?;
    shards::planned(&count(plan.points, "point"), shards, 0);
    Ok(())
}

/// Probes a shard of a run. The workspace is not opened.
pub(super) fn member(
    args: &ProbeArgs,
    bench: &Workbench,
    factors: &[(Factor, Vec<f64>)],
    shard: usize,
) -> anyhow::Result<Exit> {
    let options = bench.load_options()?;
    let turned = Turned {
        factors,
        seed: args.seed,
    };
    let call = (&args.run, args.answer.json);
    shards::member(call, shard, |folder, writer, stop| {
        let mut bar = Progress::new("probing", Unit::Cases, 0);
        let load = |plan: &Plan| load(&plan.model, &options);
        let mut progress = |done, of| bar.set(done as u64, of as u64);
        let stop = || stop.asked();
        work((folder, shard), turned, load, writer, &stop, &mut progress)
    })
}

/// A probe whose points are in the files of its shards.
struct Points<'a> {
    task: &'a Task<'a>,
    folder: Folder,
    plan: Plan,
    report: Option<Box<Report>>,
}

impl Merge for Points<'_> {
    type Report = Report;

    fn take_in(&mut self, _: &Writer, _: bool) -> anyhow::Result<Vec<usize>> {
        // They are kept where they are until all of them are there.
        Ok(left(&self.folder, self.plan.shards))
    }

    fn conclude(&mut self, writer: &Writer, _: &Stop) -> anyhow::Result<Option<bool>> {
        let outcome = Outcome::Done(conclude(self.task, writer)?);
        end(writer, &outcome)?;
        let Outcome::Done(report) = outcome else {
            return Ok(None);
        };
        left_out(&report);
        Ok(Some(whole(self.report.insert(report))))
    }

    fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    fn tell(&self) -> anyhow::Result<()> {
        match self.report() {
            Some(report) => Ok(print::out(&told(report, Style::of_stdout()))?),
            None => Ok(()),
        }
    }
}

/// Makes the report, has members that did not finish started once more, and ends the run.
pub(super) fn put_together(
    args: &ProbeArgs,
    bench: &Workbench,
    task: &Task<'_>,
) -> anyhow::Result<Exit> {
    let call = (&args.run, args.answer.json);
    shards::put_together(call, bench, |folder| {
        Ok(Points {
            task,
            plan: Plan::read(folder)?,
            folder: folder.clone(),
            report: None,
        })
    })
}

/// Takes over what members did, for a process that goes on alone.
pub(super) fn gather(folder: &Folder, task: &Task<'_>) -> anyhow::Result<()> {
    if is_planned(folder) {
        collect(folder, &task.factors)?;
    }
    Ok(())
}
