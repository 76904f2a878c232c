//! Scoring a workspace in shards: planning them, working on one, and taking what came of them into the workspace.

use super::super::exit::Exit;
use super::super::print::{self, Style, count};
use super::super::progress::{Progress, Unit};
use super::super::shards::{self, Merge};
use super::super::stop::Stop;
use super::args::ScoreArgs;
use super::run::summed;
use crate::data::Workspace;
use crate::domain::GroupId;
use crate::model::LoadOptions;
use crate::runs::shards::{Worked, is_planned};
use crate::runs::{Ending, Folder, Writer};
use crate::score::run::{Heard, Report};
use crate::score::shards::{Merged, Plan, conclude, merge, plan, work};
use crate::workbench::Workbench;

/// Plans a run that is about to be submitted.
pub(super) fn prepare(
    folder: &Folder,
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
    model: (&std::path::Path, &str),
    shards: usize,
) -> anyhow::Result<()> {
    let plan = plan(folder, workspace, groups, model, shards)?;
    let wanted = format!("{} to score", count(plan.wanted, "candidate"));
    shards::planned(&wanted, shards, plan.known.stored);
    Ok(())
}

/// Works on a shard of a run. The workspace is not opened.
pub(super) fn member(args: &ScoreArgs, bench: &Workbench, shard: usize) -> anyhow::Result<Exit> {
    let options = args.load_options(bench)?;
    let call = (&args.run, args.answer.json);
    shards::member(call, shard, |folder, writer, stop| {
        scored(&options, (folder, shard), writer, stop)
    })
}

/// Scores a shard, for a run of whatever verb that was planned as one that scores.
pub(in crate::cli) fn scored(
    options: &LoadOptions,
    (folder, shard): (&Folder, usize),
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<Worked> {
    let mut bar = Progress::new("scoring", Unit::Candidates, 0);
    let load = |plan: &Plan| super::load(&plan.model, options);
    let stop = || stop.asked();
    work(folder, shard, load, writer, &stop, &mut |heard| {
        let Heard::Progress(done, of) = heard;
        bar.set(done as u64, of as u64);
    })
}

/// A workspace, and what was taken into it.
struct Intake {
    folder: Folder,
    workspace: Workspace,
    merged: Option<Merged>,
}

impl Merge for Intake {
    type Report = Report;

    fn take_in(&mut self, writer: &Writer, parts: bool) -> anyhow::Result<Vec<usize>> {
        let merged = merge(&self.folder, &self.workspace, writer, parts)?;
        Ok(self.merged.insert(merged).missing.clone())
    }

    fn conclude(&mut self, writer: &Writer, _: &Stop) -> anyhow::Result<Option<bool>> {
        let Some(merged) = &self.merged else {
            return Ok(None);
        };
        conclude(&self.folder, merged, writer)?;
        writer.end(Ending::Done, &merged.report.line())?;
        Ok(Some(merged.report.tally.left_out == 0))
    }

    fn report(&self) -> Option<&Report> {
        self.merged.as_ref().map(|merged| &merged.report)
    }

    fn tell(&self) -> anyhow::Result<()> {
        match self.report() {
            Some(report) => Ok(print::out(&summed(report, Style::of_stdout()))?),
            None => Ok(()),
        }
    }
}

/// Takes what was scored into the workspace, has members that did not finish started once more, and ends the run.
pub(super) fn put_together(args: &ScoreArgs, bench: &Workbench) -> anyhow::Result<Exit> {
    let call = (&args.run, args.answer.json);
    shards::put_together(call, bench, |folder| {
        Ok(Intake {
            workspace: Workspace::open(&Plan::read(folder)?.root)?,
            folder: folder.clone(),
            merged: None,
        })
    })
}

/// Takes what there is of all shards into the workspace, for a process that goes on alone.
pub(in crate::cli) fn gather(
    folder: &Folder,
    workspace: &Workspace,
    writer: &Writer,
) -> anyhow::Result<()> {
    if is_planned(folder) {
        merge(folder, workspace, writer, true)?;
    }
    Ok(())
}
