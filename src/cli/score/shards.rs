//! Scoring a workspace in shards: submitting them, working on one, and putting together what came of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::super::exit::Exit;
use super::super::print::{self, Style};
use super::super::progress::{Progress, Unit};
use super::super::stop::Stop;
use super::args::ScoreArgs;
use super::run::summed;
use crate::data::Workspace;
use crate::domain::GroupId;
use crate::jobs::{Launchers, Slurm};
use crate::runs::{Ending, Folder, Run, RunError, SILENCE, State, Writer};
use crate::score::run::{Heard, Report};
use crate::score::shards::{MOST, Merged, Plan, Worked, merge, plan, work};
use crate::workbench::Workbench;

/// How long a process that died on another machine is taken for alive, with something to spare.
const PATIENCE: Duration = Duration::from_secs(SILENCE.as_secs() + 15);

/// How often to look whether it still is.
const LOOK: Duration = Duration::from_secs(3);

/// Plans a run that is about to be submitted.
pub(super) fn prepare(
    folder: &Folder,
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
    model: (&std::path::Path, &str),
    shards: usize,
) -> anyhow::Result<()> {
    let plan = plan(folder, workspace, groups, model, shards)?;
    print::note(&format!(
        "{} to score in {shards} shards; {} have scores already",
        print::count(plan.wanted, "candidate"),
        plan.known.stored
    ));
    Ok(())
}

/// What is wrong with the number of shards.
pub(super) fn check(args: &ScoreArgs, bench: &Workbench) -> anyhow::Result<()> {
    let wrong = |what: String| Err(crate::data::WorkspaceError::Usage(what).into());
    let Some(shards) = args.shards else {
        return Ok(());
    };
    if !(1..=MOST).contains(&shards) {
        return wrong(format!(
            "--shards: {shards} is not a number from 1 to {MOST}"
        ));
    }
    // A run that is taken up has its launcher already.
    let by = args.run.launcher(bench);
    if by != Some("slurm") && args.run.run.is_none() {
        return wrong(
            "--shards is for runs that Slurm starts (--launcher slurm); to divide the work by hand, call each part with --shard I/N"
                .into(),
        );
    }
    Ok(())
}

/// Takes a run up. A process that died on another machine has it for a while yet, which is waited for.
fn taken_up(folder: &Folder, stop: &Stop) -> anyhow::Result<Writer> {
    let began = Instant::now();
    loop {
        match folder.take_up() {
            Err(RunError::Busy { .. }) if began.elapsed() < PATIENCE && !stop.asked() => {
                std::thread::sleep(LOOK);
            }
            other => return Ok(other?),
        }
    }
}

/// What a process answers that works on a shard.
#[derive(Serialize)]
struct MemberAnswer {
    run: String,
    shard: usize,
    state: &'static str,
}

/// Works on a shard of a run. The workspace is not opened.
pub(super) fn member(args: &ScoreArgs, bench: &Workbench, shard: usize) -> anyhow::Result<Exit> {
    let folder = run_folder(args)?;
    let stop = Stop::watch();
    let plan = Plan::read(&folder)?;
    if shard >= plan.shards {
        bail!(
            "run '{}' has the shards 0 to {}, and none of the number {shard}",
            folder.name(),
            plan.shards - 1
        );
    }
    let writer = taken_up(&folder.shard(shard), &stop)?;
    let options = bench.load_options()?;
    let mut bar = Progress::new("scoring", Unit::Candidates, 0);
    let worked = writer
        .attend(|| {
            let load = |plan: &Plan| super::load(&plan.model, &options);
            work(
                &folder,
                shard,
                load,
                &writer,
                &|| stop.asked(),
                &mut |heard| {
                    let Heard::Progress(done, of) = heard;
                    bar.set(done as u64, of as u64);
                },
            )
        })
        .with_context(|| format!("shard {shard} of run '{}'", folder.name()))?;
    drop(bar);
    let (state, exit) = match worked {
        Worked::Done => (State::Done, Exit::Done),
        Worked::Stopped(..) => (State::Stopped, Exit::Stopped),
    };
    if args.answer.json {
        print::json(&MemberAnswer {
            run: folder.name(),
            shard,
            state: state.word(),
        })?;
    } else {
        print::note(&format!("shard {shard}: {}", state.word()));
    }
    Ok(exit)
}

/// What a process answers that puts a run together.
#[derive(Serialize)]
struct MergeAnswer<'a> {
    run: String,
    state: &'static str,
    /// The shards that are not scored to the end.
    missing: &'a [usize],
    report: &'a Report,
}

/// Takes what was scored into the workspace, has members that did not finish started once more, and ends the run.
pub(super) fn put_together(args: &ScoreArgs, bench: &Workbench) -> anyhow::Result<Exit> {
    let folder = run_folder(args)?;
    let stop = Stop::watch();
    let plan = Plan::read(&folder)?;
    let workspace = Workspace::open(&plan.root)?;
    let run = Run::open(folder.clone())?;
    let writer = taken_up(&folder, &stop)?;
    let (merged, state) = writer
        .attend(|| {
            let merged = merge(&folder, &workspace, &writer, false)?;
            let (merged, state) = settle(&run, bench, &workspace, &writer, merged)?;
            anyhow::Ok((merged, state))
        })
        .with_context(|| format!("run '{}'", folder.name()))?;
    if args.answer.json {
        print::json(&MergeAnswer {
            run: folder.name(),
            state: state.word(),
            missing: &merged.missing,
            report: &merged.report,
        })?;
    } else {
        print::out(&summed(&merged.report, Style::of_stdout()))?;
    }
    Ok(match state {
        State::Done if merged.report.tally.left_out > 0 => Exit::LeftOut,
        State::Done | State::Queued => Exit::Done,
        State::Stopped => Exit::Stopped,
        _ => Exit::Failed,
    })
}

/// Notes how a run stands whose shards were merged; where some are missing, they are started again as often as is allowed.
fn settle(
    run: &Run,
    bench: &Workbench,
    workspace: &Workspace,
    writer: &Writer,
    merged: Merged,
) -> anyhow::Result<(Merged, State)> {
    if merged.missing.is_empty() {
        writer.end(Ending::Done, &merged.report.line())?;
        return Ok((merged, State::Done));
    }
    let missing: Vec<String> = merged
        .missing
        .iter()
        .map(|shard| format!("{shard:03}"))
        .collect();
    let missing = missing.join(", ");
    let asked = run.folder.stop_asked().is_some();
    if !asked && run.manifest.launcher == "slurm" {
        let root = run.folder.path().parent().unwrap_or(run.folder.path());
        let slurm = Launchers::new(root, &bench.config.slurm).slurm()?;
        let again = slurm.again(run, &merged.missing).with_context(|| {
            format!("shards {missing} are not scored to the end, and cannot be submitted again")
        })?;
        if let Some(attempt) = again {
            let line = format!(
                "shards {missing} were not scored to the end: attempt {attempt} is submitted"
            );
            print::note(&line);
            writer.log(&line)?;
            writer.note(Slurm::handed_over())?;
            return Ok((merged, State::Queued));
        }
    }
    // What there is of them is not lost.
    let merged = merge(&run.folder, workspace, writer, true)?;
    let reason = format!("shards {missing} are not scored to the end");
    if asked {
        writer.end(Ending::Stopped, &reason)?;
        return Ok((merged, State::Stopped));
    }
    let reason = format!(
        "{reason}, after as many attempts as the settings allow; the logs beside them in 'shards' say why, and 'erw jobs resume \
         {}' starts them again",
        run.folder.name()
    );
    writer.end(Ending::Failed, &reason)?;
    print::note(&reason);
    Ok((merged, State::Failed))
}

/// Takes what there is of all shards into the workspace, for a process that goes on alone.
pub(super) fn gather(
    folder: &Folder,
    workspace: &Workspace,
    writer: &Writer,
) -> anyhow::Result<()> {
    if Plan::is_there(folder) {
        merge(folder, workspace, writer, true)?;
    }
    Ok(())
}

fn run_folder(args: &ScoreArgs) -> anyhow::Result<Folder> {
    let run = args.run.run.as_ref().context(
        "--work-shard and --merge are for the processes of a run in shards, which is named with --run",
    )?;
    Ok(Folder::at(run).absolute())
}
