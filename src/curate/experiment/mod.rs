//! Experiments on what selections are worth to whoever trains on them (paper, table 4): the same recipe cut in several ways, each
//! selection saved, exported, and handed to the same commands, whose measurements stand side by side at the end.
//!
//! ```text
//! <run>/arms/0/export.json     the selection as a file       {export}
//! <run>/arms/0/                what its commands may write    {arm}
//! <run>/arms/0.json            what is done of it: an experiment that was stopped or killed goes on from there
//! ```
//!
//! Each command is a run of its own beside the experiment's, with a log and curves like any other.

mod plan;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CurateError, NearBy, Pool, Recipe, choose, save};
use crate::data::Workspace;
use crate::data::export::{ExportFormat, ExportOptions};
use crate::domain::CandidateId;
use crate::jobs::{Attended, attend};
use crate::runs::{Ending, Fact, Folder, History, Manifest, Reader, Writer};

pub use plan::{ArmPlan, Plan, Step};

/// What is to be done.
pub struct Task<'a> {
    /// Where the candidates are, and where selections are saved.
    pub workspace: &'a Workspace,
    /// The model whose scores decide.
    pub fingerprint: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// The form of the files.
    pub format: &'a ExportFormat,
    /// Where the commands' runs are made.
    pub runs: &'a Path,
    /// Now, in milliseconds since 1970.
    pub now: fn() -> i64,
}

/// What came of an experiment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// What the table shows; all that was measured, where it is empty.
    pub metrics: Vec<String>,
    /// The arms, in the plan's order.
    pub arms: Vec<Arm>,
}

/// An arm, as far as it is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// What is kept, in words.
    pub words: String,
    /// The selection that it was saved as: "table-0@1".
    pub selection: String,
    /// How many candidates are in it.
    pub kept: usize,
    /// Their mean score.
    pub mean: Option<f64>,
    /// The file it was exported to.
    pub export: PathBuf,
    /// The runs of its commands, in the order of the steps; as many as are done.
    pub runs: Vec<String>,
    /// What was measured last under each name.
    pub metrics: BTreeMap<String, f64>,
}

/// How it ended.
#[derive(Debug)]
pub enum Outcome {
    /// All arms are done.
    Done(Box<Report>),
    /// Somebody asked it to stop: so many steps are done, of how many.
    Stopped(usize, usize),
}

/// Does what is left of an experiment. `said` hears what the commands print; `stop` is asked now and then.
///
/// # Errors
/// Where the workspace or a folder cannot be read or written, or a command fails: the message names its run. What was done stays.
pub fn run(
    task: &Task<'_>,
    (pool, near): (&Pool, &mut dyn NearBy),
    writer: &Writer,
    said: &mut dyn FnMut(&str),
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, CurateError> {
    let folder = writer.folder().clone().absolute();
    let arms = folder.path().join("arms");
    fs::create_dir_all(&arms).map_err(files("create", &arms))?;
    let steps = task.plan.steps.len();
    let all = steps * task.plan.arms.len();
    let mut report = Report {
        name: task.plan.name.clone(),
        metrics: task.plan.metrics.clone(),
        arms: Vec::new(),
    };
    for number in 0..task.plan.arms.len() {
        let state = arms.join(format!("{number}.json"));
        let mut arm = match read(&state)? {
            Some(arm) => arm,
            None => prepared(task, number, (pool, &mut *near), &folder)?,
        };
        keep(&folder, number, &arm)?;
        while arm.runs.len() < steps {
            let done = number * steps + arm.runs.len();
            writer.note(Fact::Progress {
                done: done as u64,
                total: Some(all as u64),
                unit: "steps".into(),
            })?;
            if stop() || writer.stop_asked() {
                return Ok(Outcome::Stopped(done, all));
            }
            let step = &task.plan.steps[arm.runs.len()];
            said(&format!("{}: {}", arm.words, step.name));
            match carried_out(task, step, &arm, &arms.join(number.to_string()), said, stop)? {
                Some((name, metrics)) => {
                    arm.runs.push(name);
                    arm.metrics.extend(metrics);
                    keep(&folder, number, &arm)?;
                }
                None => return Ok(Outcome::Stopped(done, all)),
            }
        }
        report.arms.push(arm);
    }
    Ok(Outcome::Done(Box::new(report)))
}

fn files(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CurateError {
    let path = path.display().to_string();
    move |why| CurateError::Failed(format!("cannot {what} '{path}': {why}"))
}

/// What is done of an arm; `None` where nothing is.
fn read(state: &Path) -> Result<Option<Arm>, CurateError> {
    match fs::read_to_string(state) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| {
            CurateError::Failed(format!("'{}' is not what erw wrote: {e}", state.display()))
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(files("read", state)(e)),
    }
}

fn keep(folder: &Folder, number: usize, arm: &Arm) -> Result<(), CurateError> {
    let text = serde_json::to_string_pretty(arm);
    let text = text.map_err(|e| CurateError::Failed(e.to_string()))?;
    folder.write_beside(&format!("arms/{number}.json"), &text)?;
    Ok(())
}

/// Chooses, saves and exports.
fn prepared(
    task: &Task<'_>,
    number: usize,
    (pool, near): (&Pool, &mut dyn NearBy),
    folder: &Folder,
) -> Result<Arm, CurateError> {
    let recipe: Recipe = task.plan.recipe_of(number);
    let choice = choose(pool, &recipe, near)?;
    if choice.kept.is_empty() {
        return Err(CurateError::Failed(format!(
            "{}: nothing is left to train on",
            recipe.words()
        )));
    }
    let name = format!("{}-{number}", task.plan.name.trim());
    let chosen = (pool, &choice);
    let model = task.fingerprint;
    let version = save(task.workspace, &name, chosen, &recipe, model, (task.now)())?;
    let place = folder.path().join("arms").join(number.to_string());
    fs::create_dir_all(&place).map_err(files("create", &place))?;
    let export = place.join("export.json");
    let entry = |at: &u32| &pool.entries[*at as usize];
    let kept: HashSet<CandidateId> = choice.kept.iter().map(|at| entry(at).candidate).collect();
    let sum: f64 = choice.kept.iter().map(|at| entry(at).means[0]).sum();
    let options = ExportOptions {
        candidates: Some(kept),
        ..ExportOptions::default()
    };
    task.workspace
        .export(&export, task.format, &options, &mut |_, _| {})?;
    Ok(Arm {
        words: recipe.words(),
        selection: format!("{name}@{version}"),
        kept: choice.kept.len(),
        mean: Some(sum / choice.kept.len() as f64),
        export,
        ..Arm::default()
    })
}

/// The name of a command's run, and what it measured last under each name.
type Carried = (String, BTreeMap<String, f64>);

/// Runs a command to its end: the name of its run and what it measured; `None` where it was asked to stop.
fn carried_out(
    task: &Task<'_>,
    step: &Step,
    arm: &Arm,
    place: &Path,
    said: &mut dyn FnMut(&str),
    stop: &dyn Fn() -> bool,
) -> Result<Option<Carried>, CurateError> {
    let filled = |text: &String| {
        text.replace("{export}", &arm.export.display().to_string())
            .replace("{selection}", &arm.selection)
            .replace("{arm}", &place.display().to_string())
    };
    let command: Vec<String> = step.command.iter().map(filled).collect();
    let follow = step.follow.as_ref().map(|text| PathBuf::from(filled(text)));
    let mut arguments: Vec<String> = Vec::new();
    if let Some(follow) = &follow {
        arguments.extend(["--follow".into(), follow.display().to_string()]);
    }
    arguments.push("--".into());
    arguments.extend(command.clone());
    let title = format!("{} {}", arm.selection, step.name);
    let folder = Folder::create(task.runs, &Manifest::new("jobs run", arguments, &title))?;
    let name = folder.name();
    let writer = folder.take_up()?;
    let attended = Attended {
        command,
        follow,
        environment: step
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), filled(value)))
            .collect(),
    };
    let mut heard = |line: &str| {
        said(line);
        let _ = writer.log(line);
    };
    let ending = writer.attend(|| attend(&writer, &attended, &mut heard, stop));
    match ending.map_err(|e| CurateError::Failed(format!("run '{name}': {e}")))? {
        Ending::Done => Ok(Some((name, last_measured(writer.folder())?))),
        Ending::Stopped => Ok(None),
        Ending::Failed => Err(CurateError::Failed(format!(
            "step '{}' of {} failed; 'erw jobs logs {name}' has its log, and 'erw resume' tries it again",
            step.name, arm.selection
        ))),
    }
}

/// The last finite value of each metric of a run.
fn last_measured(folder: &Folder) -> Result<BTreeMap<String, f64>, CurateError> {
    let (mut reader, mut history) = (Reader::new(folder), History::default());
    loop {
        let batch = reader.poll(usize::MAX, Duration::from_mins(1))?;
        for event in &batch.events {
            history.apply(event);
        }
        if !batch.more {
            break;
        }
    }
    let last = |name: &str| {
        let points = history.metric(name).iter().rev();
        let mut finite = points.filter(|point| point.value.is_finite());
        finite.next().map(|point| (name.to_owned(), point.value))
    };
    Ok(history.names().filter_map(last).collect())
}

/// Notes how it ended, with its report where it is done.
///
/// # Errors
/// Where the run's folder does not take it.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), CurateError> {
    match outcome {
        Outcome::Done(report) => {
            writer.report(report)?;
            let words = format!("{} arms", report.arms.len());
            writer.end(Ending::Done, &words)?;
        }
        Outcome::Stopped(done, of) => {
            writer.end(Ending::Stopped, &format!("{done} of {of} steps done"))?;
        }
    }
    Ok(())
}
