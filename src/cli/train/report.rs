//! What training has to say when it is over, or before it begins: tables for people, one object for programs.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::print::Style;
use super::super::table::{Side, Table};
use super::handover::HandedOver;
use crate::domain::text::printable;
use crate::model::learner::Network;
use crate::runs::{Ending, Folder};
use crate::train::handover::Handover;
use crate::train::schedule::Course;
use crate::train::{Interval, Material, Outcome, Plan, Row, Summary};

/// The object that `erw train --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Trained {
    /// The run's name.
    run: String,
    /// Its folder.
    path: String,
    /// done, stopped or queued.
    outcome: &'static str,
    /// Steps made, by all processes together.
    step: u64,
    /// Steps of the plan.
    steps: u64,
    /// How often a group could not be read.
    missed: u64,
    /// The model dir, once it is made.
    model: Option<String>,
    /// The name that the model was registered under.
    pub(super) registered: Option<String>,
    /// `report.json`.
    report: Option<Summary>,
    /// What was written for the published trainer.
    #[serde(skip_serializing_if = "Option::is_none")]
    handover: Option<Handover>,
}

impl Trained {
    pub(super) fn queued(folder: &Folder) -> Self {
        Self {
            run: folder.name(),
            path: folder.path().display().to_string(),
            outcome: "queued",
            step: 0,
            steps: 0,
            missed: 0,
            model: None,
            registered: None,
            report: None,
            handover: None,
        }
    }

    pub(super) fn elsewhere(folder: &Folder, done: HandedOver) -> Self {
        let (model, registered) = done.model.unzip();
        Self {
            outcome: outcome(done.ending),
            model: model.map(|dir| dir.display().to_string()),
            registered: registered.flatten(),
            handover: Some(done.files),
            ..Self::queued(folder)
        }
    }

    pub(super) fn new(folder: &Folder, outcome: &Outcome) -> Self {
        Self {
            outcome: self::outcome(outcome.ending),
            step: outcome.step,
            steps: outcome.steps,
            missed: outcome.missed,
            model: outcome.model.as_ref().map(|m| m.display().to_string()),
            report: outcome.summary.clone(),
            ..Self::queued(folder)
        }
    }

    /// For people.
    pub(super) fn render(&self, style: Style) -> String {
        let mut out = String::new();
        if let Some(summary) = &self.report {
            if summary.validation_groups > 0 {
                out += &table(summary, style);
                out.push('\n');
            }
            if summary.step != summary.steps {
                let _ = writeln!(out, "weights of step {}, the best measured", summary.step);
            }
        }
        if self.missed > 0 {
            let _ = writeln!(
                out,
                "left out for want of an image: {} times a group",
                self.missed
            );
        }
        if let Some(model) = &self.model {
            let _ = writeln!(out, "model: {model}");
        }
        if let Some(name) = &self.registered {
            let _ = writeln!(out, "registered as '{}'", printable(name));
        }
        let _ = writeln!(out, "run: {} ({})", self.run, self.outcome);
        out
    }
}

fn outcome(ending: Ending) -> &'static str {
    match ending {
        Ending::Done => "done",
        Ending::Failed => "failed",
        Ending::Stopped => "stopped",
    }
}

/// Accuracies in percent with their 95 % intervals, all groups first, then by kind of edit.
fn table(summary: &Summary, style: Style) -> String {
    let mut table = Table::new(&[
        ("edits", Side::Left),
        ("groups", Side::Right),
        ("overall %", Side::Left),
        ("IF %", Side::Left),
        ("VQ %", Side::Left),
        ("K=3 %", Side::Left),
        ("calibration", Side::Right),
    ]);
    let mut add = |name: &str, row: &Row, strong| {
        table.row(
            vec![
                name.to_owned(),
                row.groups.to_string(),
                percent(row.accuracy.as_ref()),
                percent(row.accuracy_if.as_ref()),
                percent(row.accuracy_vq.as_ref()),
                percent(row.triples.as_ref()),
                row.calibration.map_or("-".into(), |c| format!("{c:.3}")),
            ],
            strong,
        );
    };
    add("all", &summary.total, true);
    if summary.categories.len() > 1 {
        for (name, row) in &summary.categories {
            add(&printable(name), row, false);
        }
    }
    table.render(style)
}

/// "81.2 [78.0, 84.1]".
fn percent(interval: Option<&Interval>) -> String {
    let Some(interval) = interval else {
        return "-".into();
    };
    let value = format!("{:.1}", 100.0 * interval.value);
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{value} [{:.1}, {:.1}]", 100.0 * low, 100.0 * high),
        _ => value,
    }
}

/// What `erw train --check` says.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// What the model will be called.
    name: String,
    /// Where it begins.
    base: String,
    /// The base's backbone.
    backbone: String,
    device: String,
    precision: String,
    /// Parameters in all.
    parameters: u64,
    /// Those that are trained.
    trained_parameters: u64,
    /// The highest rate of each part that is trained.
    rates: BTreeMap<&'static str, f64>,
    training_groups: usize,
    comparisons: usize,
    validation_groups: usize,
    /// Groups that say nothing.
    silent_groups: usize,
    /// Groups or pairs in an epoch.
    items: usize,
    /// Groups or pairs in a step.
    step_size: usize,
    steps: u64,
    steps_per_epoch: u64,
    evaluate_every: u64,
    save_every: u64,
    /// The plan with everything written out, as TOML.
    plan: String,
}

impl Check {
    pub(super) fn new(plan: &Plan, material: &Material, network: &Network) -> Self {
        let info = network.info();
        let course = Course::new(plan, material.items.len());
        Self {
            name: plan.name.clone(),
            base: plan.model.base.clone(),
            backbone: info.backbone,
            device: info.device,
            precision: info.precision.to_owned(),
            parameters: info.parameters,
            trained_parameters: network.trained_parameters(),
            rates: plan
                .peak_rates()
                .into_iter()
                .map(|(part, rate)| (part.key(), rate))
                .collect(),
            training_groups: material.training.len(),
            comparisons: material.comparisons(),
            validation_groups: material.validation.len(),
            silent_groups: material.silent,
            items: material.items.len(),
            step_size: plan.step_size(),
            steps: course.steps,
            steps_per_epoch: course.steps_per_epoch,
            evaluate_every: course.evaluate_every,
            save_every: course.save_every,
            plan: plan.to_text().unwrap_or_default(),
        }
    }

    /// For people.
    pub(super) fn render(&self) -> String {
        let rates: Vec<String> = self
            .rates
            .iter()
            .map(|(part, rate)| format!("{part} {rate:e}"))
            .collect();
        format!(
            "model   {} from '{}' ({}), on {} in {}\n\
             trains  {} of {} parameters; highest rates: {}\n\
             data    {} groups with {} comparisons to learn from, {} groups to measure on, {} that say nothing\n\
             steps   {} of {}, {} an epoch; measured every {}, kept every {}\n\
             \n{}",
            printable(&self.name),
            printable(&self.base),
            self.backbone,
            self.device,
            self.precision,
            self.trained_parameters,
            self.parameters,
            rates.join(", "),
            self.training_groups,
            self.comparisons,
            self.validation_groups,
            self.silent_groups,
            self.steps,
            self.step_size,
            self.steps_per_epoch,
            self.evaluate_every,
            self.save_every,
            self.plan
        )
    }
}
