//! `erw train`: a plan becomes a run, and a run a model.
//!
//! What the plan leaves open is settled here, once, from flags and settings; from then on the plan in the run's folder is all
//! that counts, so that a run that is taken up again does not depend on where that is done.

pub(super) mod args;
mod handover;
mod report;
mod screen;
mod threads;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::args::Where;
use super::exit::Exit;
use super::print::{self, Style};
use super::stop::Stop;
use crate::data::Workspace;
use crate::model::learner::Network;
use crate::model::registry::Addition;
use crate::model::{LoadOptions, Precision};
use crate::runs::{Ending, Fact, Fingerprint, Folder, Manifest, Writer};
use crate::train::{Material, Outcome, Plan, PlanError, Report as _, TrainError, train};
use crate::workbench::{self, Workbench};
use args::{Engine, TrainArgs};
use report::{Check, Trained};
use screen::Screen;

const VERB: &str = "train";

/// Trains, or says what would be done.
pub(super) fn run(args: &TrainArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let plan = match &args.run.run {
        Some(folder) => kept_plan(&Folder::at(folder), args, &bench)?,
        None => settled_plan(args, &bench)?,
    };
    if args.check {
        return check(&plan, args);
    }
    // The queue's process would hand its environment on to jobs of every kind.
    if args.handover.engine == Engine::Erw && args.run.launcher(&bench).is_none() {
        threads::settle(load_options(&plan)?.device)?;
    }
    let text = plan.to_text()?;
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        seed: Some(plan.seed),
        plan: Some(text),
        device: plan.compute.device.clone().filter(|d| d != "auto"),
        ..Manifest::new(VERB, arguments, &plan.name)
    })?;
    let folder = begun.folder().clone().absolute();
    if begun.is_queued() {
        if args.answer.json {
            print::json(&Trained::queued(&folder))?;
        }
        return Ok(Exit::Done);
    }
    let stop = Stop::watch();
    let writer = folder.take_up()?;
    let (trained, exit) = writer
        .attend(|| match args.handover.engine {
            Engine::Erw => work(&plan, &writer, stop),
            Engine::Deepspeed => elsewhere(&plan, args, &writer, &stop),
        })
        .with_context(|| format!("run '{}'", folder.name()))?;
    if args.answer.json {
        print::json(&trained)?;
    } else {
        print::out(&trained.render(Style::of_stdout()))?;
    }
    Ok(exit)
}

/// The plan that the run began with. One that the workbench wrote may leave things open; they are settled at the first start.
fn kept_plan(folder: &Folder, args: &TrainArgs, bench: &Workbench) -> anyhow::Result<Plan> {
    let mut manifest = folder.manifest()?;
    let Some(text) = &manifest.plan else {
        // A run that something else made for a plan's file.
        return settled_plan(args, bench);
    };
    let file = folder.manifest_file();
    let plan = settled(Plan::parse(&file, text, &[])?, &file, &args.place, bench)?;
    let settled = plan.to_text()?;
    if *text != settled {
        manifest.plan = Some(settled);
        folder.describe(&manifest)?;
    }
    Ok(plan)
}

/// The plan as it was typed, with nothing left open.
fn settled_plan(args: &TrainArgs, bench: &Workbench) -> anyhow::Result<Plan> {
    let mut changes = args.changes.clone();
    changes.extend(args.steps.map(|steps| format!("length.steps={steps}")));
    settled(
        Plan::read(&args.plan, &changes)?,
        &args.plan,
        &args.place,
        bench,
    )
}

/// Fills in what `plan`, from `file`, leaves open.
pub(super) fn settled(
    mut plan: Plan,
    file: &Path,
    place: &Where,
    bench: &Workbench,
) -> anyhow::Result<Plan> {
    if place.workspace.is_some() || plan.data.workspaces.is_empty() {
        plan.data.workspaces = vec![bench.workspace()?.root().to_owned()];
    }
    let base = if place.model.is_some() || plan.model.base.is_empty() {
        let first = plan.data.workspaces.first();
        let workspace = first.map(|dir| Workspace::open(dir)).transpose()?;
        // The demo's own model is found only in the demo as it was opened.
        let workspace = bench.named_workspace()?.or(workspace);
        match bench.model_dir(workspace.as_ref()) {
            Err(workbench::SetupError::NoModel) => workbench::find_model(workbench::DEMO)?,
            other => other?,
        }
    } else {
        workbench::find_model(&plan.model.base)?
    };
    let base = std::path::absolute(&base).unwrap_or(base);
    plan.model.base = base.to_string_lossy().into_owned();
    let compute = &mut plan.compute;
    let settle = |flag: &Option<String>, plan: &mut Option<String>, setting: &Option<String>| {
        let value = flag
            .clone()
            .or_else(|| plan.take())
            .or_else(|| setting.clone());
        *plan = value;
    };
    settle(&place.device, &mut compute.device, &bench.config.device);
    settle(
        &place.precision,
        &mut compute.precision,
        &bench.config.precision,
    );
    // What came from flags and settings has to be right too.
    Ok(Plan::parse(file, &plan.to_text()?, &[])?)
}

fn load_options(plan: &Plan) -> anyhow::Result<LoadOptions> {
    let wrong = |reason| PlanError::Change {
        change: "compute".into(),
        reason,
    };
    let device = plan.compute.device.as_deref().unwrap_or("auto");
    let precision = plan.compute.precision.as_deref();
    let precision = precision.map(str::parse::<Precision>);
    Ok(LoadOptions {
        device: device.parse().map_err(wrong)?,
        precision: precision.transpose().map_err(wrong)?,
        ..LoadOptions::default()
    })
}

/// Says what the plan would do.
fn check(plan: &Plan, args: &TrainArgs) -> anyhow::Result<Exit> {
    let material = Material::gather(plan, None)?;
    let base = Path::new(&plan.model.base);
    let network = Network::new(base, &material.recipe(plan), &load_options(plan)?)?;
    let check = Check::new(plan, &material, &network);
    if args.answer.json {
        print::json(&check)?;
    } else {
        print::out(&check.render())?;
    }
    Ok(Exit::Done)
}

/// All of a run, from the data to the model.
fn work(plan: &Plan, writer: &Writer, stop: Stop) -> anyhow::Result<(Trained, Exit)> {
    let screen = Screen::new(writer, stop);
    let phase = |text: &str| {
        let text = text.to_owned();
        screen
            .note(Fact::Phase { text })
            .map_err(TrainError::Unnoted)
    };
    phase("reading the labels")?;
    let material = Arc::new(Material::gather(plan, None)?);
    let folder = writer.folder();
    remember(folder, plan, &material)?;
    phase("loading the model")?;
    let base = Path::new(&plan.model.base);
    let mut network = Network::new(base, &material.recipe(plan), &load_options(plan)?)?;
    screen.say(&format!(
        "{}: {} groups to learn from, {} to measure on; {} of {} parameters are trained, on {} in {}",
        plan.name,
        material.training.len(),
        material.validation.len(),
        network.trained_parameters(),
        network.info().parameters,
        network.info().device,
        network.info().precision,
    ));
    let outcome = train(plan, &material, &mut network, folder.path(), &screen)?;
    screen.leave();
    finish(plan, writer, &outcome)
}

/// The same by the published trainer.
fn elsewhere(
    plan: &Plan,
    args: &TrainArgs,
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<(Trained, Exit)> {
    let done = handover::run(plan, &args.handover, writer, stop)?;
    let exit = match done.ending {
        Ending::Stopped => Exit::Stopped,
        _ => Exit::Done,
    };
    Ok((Trained::elsewhere(writer.folder(), done), exit))
}

/// Writes into `run.toml` what is known now: the data and the model that the run depends on.
fn remember(folder: &Folder, plan: &Plan, material: &Material) -> anyhow::Result<()> {
    let mut manifest = folder.manifest()?;
    let names = plan.data.workspaces.iter().map(|w| w.display().to_string());
    manifest.data = Some(Fingerprint {
        name: names.collect::<Vec<_>>().join(", "),
        fingerprint: material.fingerprint.clone(),
    });
    folder.describe(&manifest)?;
    Ok(())
}

/// What is left when the steps are made: the report, the name, the end.
fn finish(plan: &Plan, writer: &Writer, outcome: &Outcome) -> anyhow::Result<(Trained, Exit)> {
    let name = writer.folder().name();
    let mut trained = Trained::new(writer.folder(), outcome);
    if outcome.ending == Ending::Stopped {
        writer.end(
            Ending::Stopped,
            &format!("after step {} of {}", outcome.step, outcome.steps),
        )?;
        print::note(&format!(
            "stopped after step {} of {}; 'erw resume {name}' goes on",
            outcome.step, outcome.steps
        ));
        return Ok((trained, Exit::Stopped));
    }
    if let Some(summary) = &outcome.summary {
        writer.report(summary)?;
    }
    if let (true, Some(model)) = (plan.register, &outcome.model) {
        let addition = Addition {
            name: Some(&plan.name),
            ..Addition::default()
        };
        match workbench::registry()?.add(model, addition) {
            Ok(added) => trained.registered = Some(added.entry.name),
            // The model is there; only its name is taken.
            Err(e) => print::note(&format!("the model is made, but not registered: {e}")),
        }
    }
    writer.end(
        Ending::Done,
        &format!("{} steps made, the model is in 'model'", outcome.step),
    )?;
    let exit = if outcome.missed > 0 {
        Exit::LeftOut
    } else {
        Exit::Done
    };
    Ok((trained, exit))
}
