//! Reading a plan: from the file, with changes from the command line on top, to something that can be carried out. What is
//! wrong is told with its line and what would be right.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;

use super::{Extent, LossKind, Plan};
use crate::model::learner::Language;
use crate::model::{DeviceChoice, Precision};

/// What is wrong with a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan '{}': {reason}", file.display())]
    Unreadable {
        /// The plan.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something in it cannot be.
    #[error("{}:{line}: {reason}", file.display())]
    Invalid {
        /// The plan.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there, naming the key.
        reason: String,
    },
    /// A change from the command line cannot be.
    #[error("--set {change}: {reason}")]
    Change {
        /// What was typed.
        change: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is wrong with a value: its table (empty at the top), its key, and why.
struct Fault {
    table: &'static str,
    key: &'static str,
    reason: String,
}

fn fault(table: &'static str, key: &'static str, reason: impl Into<String>) -> Fault {
    Fault {
        table,
        key,
        reason: reason.into(),
    }
}

impl Plan {
    /// Reads the plan at `file` and makes the changes, each "key=value" with a dotted key ("loss.margin=0.57"). Relative paths
    /// start at the plan's folder afterwards.
    pub fn read(file: &Path, changes: &[String]) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(file).map_err(|e| PlanError::Unreadable {
            file: file.to_owned(),
            reason: e.to_string(),
        })?;
        let mut plan = Self::parse(file, &text, changes)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let workspaces = &mut plan.data.workspaces;
        for path in workspaces
            .iter_mut()
            .chain(&mut plan.data.validation_workspaces)
        {
            *path =
                std::path::absolute(folder.join(&*path)).unwrap_or_else(|_| folder.join(&*path));
        }
        // A registered name looks like a path; it is one only where something lies there.
        let beside = folder.join(&plan.model.base);
        if !plan.model.base.is_empty() && beside.is_dir() {
            let beside = std::path::absolute(&beside).unwrap_or(beside);
            plan.model.base = beside.to_string_lossy().into_owned();
        }
        if plan.name.is_empty() {
            let stem = file.file_stem().unwrap_or_default();
            plan.name = stem.to_string_lossy().into_owned();
        }
        Ok(plan)
    }

    /// From a plan's text; `file` is for messages.
    pub fn parse(file: &Path, text: &str, changes: &[String]) -> Result<Self, PlanError> {
        let mut plan: Self = toml::from_str(text).map_err(|e| {
            let start = e.span().map_or(0, |s| s.start.min(text.len()));
            PlanError::Invalid {
                file: file.to_owned(),
                line: 1 + text[..start].matches('\n').count(),
                reason: complaint(text, start, e.message()),
            }
        })?;
        if !changes.is_empty() {
            let mut table: toml::Table =
                toml::from_str(text).map_err(|e| PlanError::Unreadable {
                    file: file.to_owned(),
                    reason: e.to_string(),
                })?;
            for change in changes {
                plan = changed(&mut table, change).map_err(|reason| PlanError::Change {
                    change: change.clone(),
                    reason,
                })?;
            }
        }
        plan.check().map_err(|fault| {
            let key = match fault.table {
                "" => fault.key.to_owned(),
                table => format!("{table}.{}", fault.key),
            };
            let set = |change: &&String| change.split('=').next().is_some_and(|k| k.trim() == key);
            match changes.iter().rev().find(set) {
                Some(change) => PlanError::Change {
                    change: change.clone(),
                    reason: fault.reason,
                },
                None => PlanError::Invalid {
                    file: file.to_owned(),
                    line: line_of(text, fault.table, fault.key),
                    reason: format!("{key}: {}", fault.reason),
                },
            }
        })?;
        Ok(plan)
    }

    /// The plan with everything written out, so that it means the same for later versions and from any folder.
    pub fn to_text(&self) -> Result<String, PlanError> {
        toml::to_string(self).map_err(|e| PlanError::Unreadable {
            file: PathBuf::from(&self.name),
            reason: e.to_string(),
        })
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_data()?;
        self.check_model()?;
        self.check_loss()?;
        self.check_optimizer()?;
        self.check_times()
    }

    fn check_data(&self) -> Result<(), Fault> {
        let (data, pairs) = (&self.data, &self.pairs);
        if !(0.0..1.0).contains(&data.validation) {
            return Err(fault(
                "data",
                "validation",
                format!("{} is no share; it is from 0 to below 1", data.validation),
            ));
        }
        at_least("data", "groups", data.groups, &1)?;
        if !pairs.least_difference.is_finite() || pairs.least_difference < 0.0 {
            return Err(fault(
                "pairs",
                "least_difference",
                "is a number of points, 0 or more",
            ));
        }
        share("pairs", "least_agreement", pairs.least_agreement, true)?;
        if self.loss.kind == LossKind::Regression && self.batch.unit == super::Unit::Pairs {
            return Err(fault(
                "batch",
                "unit",
                "'pairs' has no meaning for the regression loss, which takes candidates one by one; use 'groups'",
            ));
        }
        at_least("batch", "size", Some(self.batch.size), &1)?;
        at_least("batch", "accumulate", Some(self.batch.accumulate), &1)?;
        at_least("batch", "candidates", self.batch.candidates, &2)
    }

    fn check_model(&self) -> Result<(), Fault> {
        share("model", "head_dropout", self.model.head_dropout, false)?;
        let low = &self.low_rank;
        at_least("low_rank", "rank", Some(low.rank), &1)?;
        share("low_rank", "dropout", low.dropout, false)?;
        let trained = self.trained();
        if trained.language == Language::LowRank && low.targets.is_empty() {
            return Err(fault(
                "low_rank",
                "targets",
                "names no matrix; leave it out for all seven of a layer",
            ));
        }
        if trained.parts().is_empty() {
            return Err(fault("parts", "heads", "nothing is left to train"));
        }
        if let Some(precision) = &self.compute.precision {
            precision
                .parse::<Precision>()
                .map_err(|reason| fault("compute", "precision", reason))?;
        }
        if let Some(device) = &self.compute.device {
            device
                .parse::<DeviceChoice>()
                .map_err(|reason| fault("compute", "device", reason))?;
        }
        at_least("compute", "readers", Some(self.compute.readers), &1)
    }

    fn check_loss(&self) -> Result<(), Fault> {
        use LossKind::{
            BradleyTerry, BradleyTerryTies, BradleyTerryWithMargin, Displacement, Hpsv2,
            Uncertainty, UncertaintyWithMargin,
        };
        let loss = &self.loss;
        let only = |key, given: bool, kinds: &[LossKind]| {
            if given && !kinds.contains(&loss.kind) {
                let reason = "does not belong to this kind of loss; leave it out";
                return Err(fault("loss", key, reason));
            }
            Ok(())
        };
        let margins = [
            Uncertainty,
            UncertaintyWithMargin,
            BradleyTerry,
            BradleyTerryWithMargin,
        ];
        let plain = [
            BradleyTerry,
            BradleyTerryWithMargin,
            BradleyTerryTies,
            Displacement,
            Hpsv2,
        ];
        only("margin", loss.margin.is_some(), &margins)?;
        only("k", loss.k.is_some(), &[BradleyTerryTies])?;
        only("tau", loss.tau.is_some(), &[Displacement])?;
        only("draws", loss.draws.is_some(), &margins[..2])?;
        only("log_sigma_too", loss.log_sigma_too, &plain)?;
        at_least("loss", "draws", loss.draws, &1)?;
        if loss.k.is_some_and(|k| !k.is_finite() || k <= 1.0) {
            return Err(fault("loss", "k", "is above 1; 5 in the published code"));
        }
        for (key, value) in [("margin", loss.margin), ("tau", loss.tau)] {
            if value.is_some_and(|v| !v.is_finite()) {
                return Err(fault("loss", key, "is a finite number"));
            }
        }
        Ok(())
    }

    fn check_optimizer(&self) -> Result<(), Fault> {
        let optimizer = &self.optimizer;
        share("optimizer", "beta1", optimizer.beta1, false)?;
        share("optimizer", "beta2", optimizer.beta2, false)?;
        share("schedule", "warmup", self.schedule.warmup, true)?;
        share("schedule", "floor", self.schedule.floor, true)?;
        let positive = |table, key, value: f64, zero: bool| {
            if value.is_finite() && (value > 0.0 || zero && value == 0.0) {
                Ok(())
            } else {
                let reason = if zero { "is 0 or more" } else { "is above 0" };
                Err(fault(
                    table,
                    key,
                    format!("{value} is out of range: it {reason}"),
                ))
            }
        };
        positive("optimizer", "eps", optimizer.eps, false)?;
        positive("optimizer", "weight_decay", optimizer.weight_decay, true)?;
        positive("optimizer", "clip", optimizer.clip, true)?;
        let rates = &self.rates;
        positive("rates", "all", rates.all, false)?;
        let trained = self.trained();
        for (key, rate, is_trained) in [
            ("vision", rates.vision, trained.vision),
            ("merger", rates.merger, trained.merger),
            (
                "language",
                rates.language,
                trained.language != Language::Frozen,
            ),
            (
                "reward_token",
                rates.reward_token,
                trained.reward_token || trained.embedding,
            ),
            ("heads", rates.heads, trained.heads),
        ] {
            let Some(rate) = rate else {
                continue;
            };
            positive("rates", key, rate, false)?;
            if !is_trained {
                let how = match self.train {
                    Extent::Everything => "see [parts]".to_owned(),
                    _ => format!("add it to [parts], as '{key} = …'"),
                };
                return Err(fault(
                    "rates",
                    key,
                    format!("this part is not trained; {how}"),
                ));
            }
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), Fault> {
        let length = &self.length;
        if length.steps.is_none() && !(length.epochs > 0.0 && length.epochs.is_finite()) {
            return Err(fault("length", "epochs", "is above 0"));
        }
        at_least("length", "steps", length.steps, &1)?;
        at_least("evaluation", "every", self.evaluation.every, &1)?;
        at_least("evaluation", "groups", self.evaluation.groups, &1)?;
        at_least("checkpoints", "every", self.checkpoints.every, &1)?;
        at_least(
            "checkpoints",
            "keep_last",
            Some(self.checkpoints.keep_last),
            &1,
        )?;
        if self.export == super::Export::Best && !self.checkpoints.keep_best {
            let reason = "has to be true for export = \"best\"";
            return Err(fault("checkpoints", "keep_best", reason));
        }
        Ok(())
    }
}

fn at_least<T: PartialOrd + Copy + std::fmt::Display>(
    table: &'static str,
    key: &'static str,
    value: Option<T>,
    least: &T,
) -> Result<(), Fault> {
    match value {
        Some(value) if value < *least => Err(fault(
            table,
            key,
            format!("{value} is too few; at least {least}"),
        )),
        _ => Ok(()),
    }
}

/// A number from 0 to 1, `one` itself included or not.
fn share(table: &'static str, key: &'static str, value: f64, one: bool) -> Result<(), Fault> {
    if (0.0..1.0).contains(&value) || one && value == 1.0 {
        return Ok(());
    }
    let upto = if one { "to 1" } else { "to below 1" };
    Err(fault(
        table,
        key,
        format!("{value} is out of range: it is from 0 {upto}"),
    ))
}

/// Makes one change in the table and reads the plan from it again.
fn changed(table: &mut toml::Table, change: &str) -> Result<Plan, String> {
    let (key, value) = change
        .split_once('=')
        .ok_or("write it as key=value, such as length.steps=100")?;
    let (key, value) = (key.trim(), value.trim());
    // What is no value of TOML by itself is a word, so that no shell needs quotes in quotes.
    let value = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut at = &mut *table;
    let mut words = key.split('.').peekable();
    while let Some(word) = words.next() {
        if words.peek().is_none() {
            at.insert(word.to_owned(), value);
            break;
        }
        at = at
            .entry(word)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| format!("'{word}' is no table"))?;
    }
    Plan::deserialize(table.clone()).map_err(|e| e.message().replace('`', "'"))
}

/// The parser's message with the key that its position belongs to, unless it names it already.
fn complaint(text: &str, position: usize, message: &str) -> String {
    let message = message.replace('`', "'");
    let line_start = text[..position].rfind('\n').map_or(0, |i| i + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) if !message.contains(key.trim()) => format!("{}: {message}", key.trim()),
        _ => message,
    }
}

/// The line of a key in a table, else of the table, else the first.
fn line_of(text: &str, table: &str, key: &str) -> usize {
    let (mut at, mut header, mut found) = (String::new(), None, None);
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            name.trim().clone_into(&mut at);
            if at == table {
                header = Some(i + 1);
            }
        } else if let Some((name, _)) = line.split_once('=') {
            let name = name.trim();
            let dotted = format!("{table}.{key}");
            if (at == table && name == key) || (at.is_empty() && name == dotted) {
                found = Some(i + 1);
            }
        }
    }
    found.or(header).unwrap_or(1)
}
