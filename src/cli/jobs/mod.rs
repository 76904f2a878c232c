//! `erw jobs` and `erw resume`: the runs there are, what they do, and having them stop and go on.

pub(super) mod args;
mod command;
mod logs;
mod show;

use std::ffi::OsString;
use std::io::{BufRead as _, IsTerminal as _};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::exit::Exit;
use super::print;
use super::runs::{Root, find};
use crate::jobs::{self, Force, JobError, Launcher, Launchers, StopOutcome};
use crate::runs::{Run, State, glance};
use crate::workbench::{Choices, Workbench};
use args::{DrainArgs, JobsVerb, NameArgs, ResumeArgs, RmArgs, StopArgs};

/// Carries out one of the verbs on runs.
pub(super) fn run(verb: &JobsVerb) -> anyhow::Result<Exit> {
    match verb {
        JobsVerb::List(args) => show::list(args),
        JobsVerb::Show(args) => show::show(args),
        JobsVerb::Logs(args) => logs::run(args),
        JobsVerb::Stop(args) => stop(args),
        JobsVerb::Resume(args) => queue_again(&args.run, &args.root, args.answer.json),
        JobsVerb::Retry(args) => retry(args),
        JobsVerb::Rm(args) => remove(args),
        JobsVerb::Run(args) => command::run(args),
        JobsVerb::Drain(args) => drain(args),
    }
}

/// A run by its name, and what starts it.
fn named(root: &Root, name: &str) -> anyhow::Result<(Run, Box<dyn Launcher>)> {
    let bench = Workbench::new(Choices::default())?;
    let run = find(&root.path(&bench)?, name)?;
    // The queue that a run belongs to is the one beside it, also where it was named by its path.
    let beside = run.folder.path().parent().unwrap_or(run.folder.path());
    let launcher = Launchers::new(beside, &bench.config.slurm).of(&run)?;
    launcher.settle(&run)?;
    Ok((run, launcher))
}

#[derive(Serialize)]
struct Done<'a> {
    run: String,
    path: String,
    outcome: &'a str,
}

fn answer(run: &Run, outcome: &str, words: &str, json: bool) -> anyhow::Result<Exit> {
    let name = run.folder.name();
    if json {
        print::json(&Done {
            run: name,
            path: run.folder.path().display().to_string(),
            outcome,
        })?;
    } else {
        print::out(&format!("{name} {words}"))?;
    }
    Ok(Exit::Done)
}

fn stop(args: &StopArgs) -> anyhow::Result<Exit> {
    let (run, launcher) = named(&args.root, &args.run)?;
    let force = match args.force {
        0 => Force::Ask,
        1 => Force::Terminate,
        _ => Force::Kill,
    };
    let (outcome, words) = match launcher.stop(&run, force)? {
        StopOutcome::Dequeued => ("dequeued", "was taken out of the queue"),
        StopOutcome::Asked => (
            "asked",
            "was asked to stop, and will at the next safe point",
        ),
        StopOutcome::Terminated => ("terminated", "was told to terminate"),
        StopOutcome::Killed => ("killed", "was ended; what was not saved is lost"),
    };
    answer(&run, outcome, words, args.answer.json)
}

fn queue_again(name: &str, root: &Root, json: bool) -> anyhow::Result<Exit> {
    let (run, launcher) = named(root, name)?;
    launcher.submit(&run)?;
    answer(&run, "queued", "is in the queue", json)
}

fn retry(args: &NameArgs) -> anyhow::Result<Exit> {
    let (run, launcher) = named(&args.root, &args.run)?;
    if run.manifest.shards.is_some() {
        // It is planned anew, which the verb itself does.
        return start_again(&run, args.answer.json);
    }
    let again = jobs::retry(launcher.as_ref(), &run)?;
    answer(&again, "queued", "is in the queue", args.answer.json)
}

fn remove(args: &RmArgs) -> anyhow::Result<Exit> {
    let (run, launcher) = named(&args.root, &args.run)?;
    let name = run.folder.name();
    if !args.yes {
        if args.answer.json || !std::io::stdin().is_terminal() {
            bail!("'{name}' was not removed: nobody can be asked; say --yes to remove it");
        }
        print::note(&format!(
            "remove '{}' with its checkpoints? [y/N]",
            run.folder.path().display()
        ));
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        if !matches!(line.trim(), "y" | "Y" | "yes") {
            return answer(&run, "kept", "was kept", false);
        }
    }
    jobs::remove(launcher.as_ref(), &run)?;
    answer(&run, "removed", "was removed", args.answer.json)
}

/// This process becomes the command that made a run in shards, for a new run.
fn start_again(run: &Run, json: bool) -> anyhow::Result<Exit> {
    let manifest = &run.manifest;
    let root = run.folder.path().parent().unwrap_or(run.folder.path());
    let verb = manifest.verb.split_whitespace().map(OsString::from);
    let mut words: Vec<OsString> = verb.collect();
    words.extend(["--launcher".into(), manifest.launcher.clone().into()]);
    words.extend(["--runs".into(), root.into()]);
    words.extend(json.then(|| "--json".into()));
    words.extend(manifest.arguments.iter().map(OsString::from));
    become_command(run, words)
}

/// This process becomes another erw, in the directory of the run.
fn become_command(run: &Run, words: Vec<OsString>) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("cannot find the running program")?;
    let manifest = &run.manifest;
    let mut command = Command::new(&program);
    command
        .args(words)
        .current_dir(&manifest.directory)
        .envs(&manifest.environment);
    let why = jobs::replace_with(command);
    Err(why).with_context(|| {
        format!(
            "cannot start '{}' in '{}'",
            program.display(),
            manifest.directory.display()
        )
    })
}

/// The process of the queue: nobody reads what it prints, so it prints nothing.
fn drain(args: &DrainArgs) -> anyhow::Result<Exit> {
    jobs::leave_terminal();
    let program = std::env::current_exe().context("cannot find the running program")?;
    jobs::drain(&args.runs, &program)?;
    Ok(Exit::Done)
}

/// `erw resume`: this process becomes the run's, with the arguments that it was started with.
pub(super) fn resume(args: &ResumeArgs) -> anyhow::Result<Exit> {
    if args.queue {
        return queue_again(&args.run, &args.root, args.answer.json);
    }
    let (run, launcher) = named(&args.root, &args.run)?;
    let (_, state) = glance(&run.folder)?;
    let advice = match state {
        State::Failed | State::Stopped => None,
        State::Done => Some("nothing is left to do; 'erw jobs retry' does it all again"),
        State::Running | State::Stalled => Some("a process has it; 'erw jobs logs -f' follows it"),
        // To be worked on here and now, a run that waits leaves the queue; one that is just being started does not. One that
        // never got there was made by a process that died at once.
        State::Queued if launcher.take_out(&run)? => None,
        State::Queued if !launcher.has(&run)? => None,
        State::Queued => Some("it is about to start; 'erw jobs logs -f' follows it"),
    };
    if let Some(advice) = advice {
        let name = run.folder.name();
        return Err(JobError::State {
            name,
            state,
            advice,
        }
        .into());
    }
    run.folder.take_back_stop()?;
    let mut words = run.manifest.command_line(&run.folder);
    if args.answer.json {
        let at = run.manifest.verb.split_whitespace().count();
        words.insert(at, "--json".into());
    }
    become_command(&run, words)
}
