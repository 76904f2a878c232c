//! Runs in shards, whatever their verb: asking for them, working on one, and putting together what came of all of them. What is
//! planned, done and put together is the verb's.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::print;
use super::runs::RunArgs;
use super::stop::Stop;
use crate::data::WorkspaceError;
use crate::jobs::{Launchers, Slurm};
use crate::runs::shards::{MOST, Worked, check};
use crate::runs::{Ending, Folder, Run, RunError, SILENCE, State, Writer};
use crate::workbench::Workbench;

/// How long a process that died on another machine is taken for alive, with something to spare.
const PATIENCE: Duration = Duration::from_secs(SILENCE.as_secs() + 15);

/// How often to look whether it still is.
const LOOK: Duration = Duration::from_secs(3);

/// In how many shards a long verb runs, and which of their processes this one is.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ShardArgs {
    /// Have so many processes do the work, each on a part of its own, without the workspace's database; for --launcher slurm
    #[arg(long, value_name = "N")]
    pub(super) shards: Option<usize>,
    /// Work on a shard of the run; for the members of an array
    #[arg(
        long,
        value_name = "N",
        requires = "run",
        conflicts_with = "merge",
        hide = true
    )]
    pub(super) work_shard: Option<usize>,
    /// Put together what was done in shards of the run; for the job after an array
    #[arg(long, requires = "run", hide = true)]
    pub(super) merge: bool,
}

impl ShardArgs {
    /// Refuses a number of shards that cannot be, and one for a run that no array works on; `by_hand` says how the work is divided
    /// then, where it can be.
    pub(super) fn check(
        &self,
        run: &RunArgs,
        bench: &Workbench,
        by_hand: &str,
    ) -> anyhow::Result<()> {
        let Some(shards) = self.shards else {
            return Ok(());
        };
        if !(1..=MOST).contains(&shards) {
            return refuse(format!(
                "--shards: {shards} is not a number from 1 to {MOST}"
            ));
        }
        // A run that is taken up has its launcher already.
        if run.launcher(bench) != Some("slurm") && run.run.is_none() {
            return refuse(format!(
                "--shards is for runs that Slurm starts (--launcher slurm){by_hand}"
            ));
        }
        Ok(())
    }
}

/// What cannot be asked for.
pub(super) fn refuse<T>(what: String) -> anyhow::Result<T> {
    Err(WorkspaceError::Usage(what).into())
}

/// Says what was planned.
pub(super) fn planned(wanted: &str, shards: usize, known: usize) {
    let known = match known {
        0 => String::new(),
        known => format!("; {known} have scores already"),
    };
    print::note(&format!("{wanted} in {shards} shards{known}"));
}

/// The run that a process of it was started for.
fn folder(run: &RunArgs) -> anyhow::Result<Folder> {
    let run = run.run.as_ref().context(
        "--work-shard and --merge are for the processes of a run in shards, which is named with --run",
    )?;
    Ok(Folder::at(run).absolute())
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

/// Works on a shard of a run, as `work` does.
pub(super) fn member(
    (run, json): (&RunArgs, bool),
    shard: usize,
    work: impl FnOnce(&Folder, &Writer, &Stop) -> anyhow::Result<Worked>,
) -> anyhow::Result<Exit> {
    let folder = folder(run)?;
    let stop = Stop::watch();
    check(&folder, shard)?;
    let writer = taken_up(&folder.shard(shard), &stop)?;
    let worked = writer
        .attend(|| work(&folder, &writer, &stop))
        .with_context(|| format!("shard {shard} of run '{}'", folder.name()))?;
    let (state, exit) = match worked {
        Worked::Done => (State::Done, Exit::Done),
        Worked::Stopped(..) => (State::Stopped, Exit::Stopped),
    };
    if json {
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

/// How a verb puts together what was done in shards.
pub(super) trait Merge {
    /// What comes of its runs.
    type Report: Serialize;

    /// Takes in what is done, and is not taken in yet; with `parts`, also what there is of shards that are not done. The numbers of
    /// those.
    fn take_in(&mut self, writer: &Writer, parts: bool) -> anyhow::Result<Vec<usize>>;

    /// Makes the report of a run that is done, and notes its end. Whether nothing was left out; `None` where it was stopped.
    fn conclude(&mut self, writer: &Writer, stop: &Stop) -> anyhow::Result<Option<bool>>;

    /// The report, as far as there is one.
    fn report(&self) -> Option<&Self::Report>;

    /// The report for people.
    fn tell(&self) -> anyhow::Result<()>;
}

/// What a process answers that puts a run together.
#[derive(Serialize)]
struct MergeAnswer<'a, R> {
    run: String,
    state: &'static str,
    /// The shards that are not done to the end.
    missing: &'a [usize],
    report: Option<&'a R>,
}

/// Takes in what was done, has members that did not finish started once more, and ends the run.
pub(super) fn put_together<M: Merge>(
    (run, json): (&RunArgs, bool),
    bench: &Workbench,
    open: impl FnOnce(&Folder) -> anyhow::Result<M>,
) -> anyhow::Result<Exit> {
    let folder = folder(run)?;
    let stop = Stop::watch();
    let mut merge = open(&folder)?;
    let run = Run::open(folder.clone())?;
    let writer = taken_up(&folder, &stop)?;
    let (missing, state, whole) = writer
        .attend(|| {
            let missing = merge.take_in(&writer, false)?;
            if missing.is_empty() {
                let whole = merge.conclude(&writer, &stop)?;
                let state = whole.map_or(State::Stopped, |_| State::Done);
                return anyhow::Ok((missing, state, whole == Some(true)));
            }
            let state = again(&run, bench, &writer, &missing, &mut merge)?;
            Ok((missing, state, false))
        })
        .with_context(|| format!("run '{}'", folder.name()))?;
    if json {
        print::json(&MergeAnswer {
            run: folder.name(),
            state: state.word(),
            missing: &missing,
            report: merge.report(),
        })?;
    } else {
        merge.tell()?;
    }
    Ok(match state {
        State::Done if !whole => Exit::LeftOut,
        State::Done | State::Queued => Exit::Done,
        State::Stopped => Exit::Stopped,
        _ => Exit::Failed,
    })
}

/// Starts members that did not finish again, as often as is allowed; where it is not, notes how the run stands.
fn again(
    run: &Run,
    bench: &Workbench,
    writer: &Writer,
    missing: &[usize],
    merge: &mut impl Merge,
) -> anyhow::Result<State> {
    let names: Vec<String> = missing.iter().map(|shard| format!("{shard:03}")).collect();
    let names = names.join(", ");
    let asked = run.folder.stop_asked().is_some();
    if !asked && run.manifest.launcher == "slurm" {
        let root = run.folder.path().parent().unwrap_or(run.folder.path());
        let slurm = Launchers::new(root, &bench.config.slurm).slurm()?;
        let again = slurm.again(run, missing).with_context(|| {
            format!("shards {names} are not done to the end, and cannot be submitted again")
        })?;
        if let Some(attempt) = again {
            let line =
                format!("shards {names} were not done to the end: attempt {attempt} is submitted");
            print::note(&line);
            writer.log(&line)?;
            writer.note(Slurm::handed_over())?;
            return Ok(State::Queued);
        }
    }
    // What there is of them is not lost.
    merge.take_in(writer, true)?;
    let reason = format!("shards {names} are not done to the end");
    if asked {
        writer.end(Ending::Stopped, &reason)?;
        return Ok(State::Stopped);
    }
    let reason = format!(
        "{reason}, after as many attempts as the settings allow; the logs beside them in 'shards' say why, and 'erw jobs resume \
         {}' starts them again",
        run.folder.name()
    );
    writer.end(Ending::Failed, &reason)?;
    print::note(&reason);
    Ok(State::Failed)
}
