//! The training loop: draw, learn, note, measure, keep; stop when asked, halt when the numbers go wrong, and go on from the
//! last state as if nothing had happened.
//!
//! Everything that decides a number is in the plan, the data, the learner's state and [`Standing`]; clocks only tell how fast
//! it goes. So a run that was stopped or killed at any instant and taken up again ends in the same weights.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::Report;
use super::ahead::Ahead;
use super::chance::number;
use super::checkpoint::{Best, Shelf, Standing, superfluous};
use super::error::TrainError;
use super::evaluation::{Measurement, Selection, followed, measure, with_readable};
use super::examples::{Load, Missed, steps};
use super::material::Material;
use super::meter::{Tally, Verdict};
use super::pace::Pace;
use super::plan::{BestBy, Plan};
use super::schedule::{Course, rates};
use super::summary::{self, Summary};
use super::verdicts;
use crate::model::ModelError;
use crate::model::learner::{Learner, Rates};
use crate::runs::{Ending, Fact};

/// How a session ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Done or stopped.
    pub ending: Ending,
    /// Steps made, by this and earlier processes.
    pub step: u64,
    /// Steps of the plan.
    pub steps: u64,
    /// Groups that could not be taken, over all steps.
    pub missed: u64,
    /// What came of it, when all was done.
    pub summary: Option<Summary>,
    /// The model dir, when all was done.
    pub model: Option<PathBuf>,
}

/// So many groups that cannot be taken are named, the others counted.
const NAMED: usize = 20;

/// Trains `learner` by `plan` on `material`, in the run's `folder`, from its newest checkpoint on if it has one.
pub fn train(
    plan: &Plan,
    material: &Arc<Material>,
    learner: &mut dyn Learner,
    folder: &Path,
    report: &dyn Report,
) -> Result<Outcome, TrainError> {
    let course = Course::new(plan, material.items.len());
    let mut session = Session {
        plan,
        material,
        course,
        peak: plan.peak_rates(),
        selection: Selection::new(plan, material),
        shelf: Shelf::new(&folder.join("checkpoints"), &material.fingerprint),
        folder,
        report,
        standing: Standing::default(),
        saved: None,
        latest: None,
        named: HashSet::new(),
        empty: 0,
        pace: Pace::default(),
    };
    session.begin(learner)?;
    session.run(learner)
}

struct Session<'a> {
    plan: &'a Plan,
    material: &'a Arc<Material>,
    course: Course,
    peak: Rates,
    selection: Selection,
    shelf: Shelf,
    folder: &'a Path,
    report: &'a dyn Report,
    standing: Standing,
    /// The last step of which the state is kept.
    saved: Option<u64>,
    /// The last measurement, and after which step.
    latest: Option<(u64, Measurement)>,
    /// Groups that were named as missing.
    named: HashSet<String>,
    /// Groups in a row that could not be taken.
    empty: usize,
    pace: Pace,
}

impl Session<'_> {
    fn note(&self, fact: Fact) -> Result<(), TrainError> {
        self.report.note(fact).map_err(TrainError::Unnoted)
    }

    fn say(&self, text: String) -> Result<(), TrainError> {
        self.note(Fact::Note { text })
    }

    /// Goes back to the newest state that is whole.
    fn begin(&mut self, learner: &mut dyn Learner) -> Result<(), TrainError> {
        let kept = self.shelf.steps()?;
        let (mut fault, mut unreadable) = (None, Vec::new());
        for step in kept.iter().rev() {
            match self.shelf.restore(*step, learner) {
                Ok(standing) => {
                    self.standing = standing;
                    self.saved = Some(*step);
                    fault = None;
                    break;
                }
                Err(TrainError::Model(e)) => {
                    self.say(format!("the state after step {step} cannot be read: {e}"))?;
                    fault = Some(TrainError::Model(e));
                    unreadable.push(*step);
                }
                Err(other) => return Err(other),
            }
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        // They are made again on the way.
        self.shelf.remove(&unreadable)?;
        if self.report.again() {
            let step = self.standing.step;
            self.note(Fact::Resumed { step })?;
        }
        Ok(())
    }

    fn run(&mut self, learner: &mut dyn Learner) -> Result<Outcome, TrainError> {
        self.note(Fact::Phase {
            text: "training".into(),
        })?;
        let mut ahead = steps(self.plan, self.material, self.standing.place);
        loop {
            let step = self.standing.step;
            if self.course.evaluates(step)
                && self.standing.evaluated != step
                && !self.evaluate(learner)?
            {
                return self.stop(learner);
            }
            if self.course.saves(step) {
                self.save(learner)?;
            }
            if step >= self.course.steps {
                break;
            }
            if self.report.stop_asked() {
                return self.stop(learner);
            }
            self.step(&mut ahead, learner)?;
        }
        drop(ahead);
        self.finish(learner)
    }

    /// Keeps the state and leaves.
    fn stop(&mut self, learner: &mut dyn Learner) -> Result<Outcome, TrainError> {
        self.save(learner)?;
        Ok(self.outcome(Ending::Stopped))
    }

    fn outcome(&self, ending: Ending) -> Outcome {
        Outcome {
            ending,
            step: self.standing.step,
            steps: self.course.steps,
            missed: self.standing.missed,
            summary: None,
            model: None,
        }
    }

    /// One step of the optimizer.
    fn step(
        &mut self,
        ahead: &mut Ahead<Load>,
        learner: &mut dyn Learner,
    ) -> Result<(), TrainError> {
        let began = Instant::now();
        let step = self.standing.step + 1;
        let load = ahead.next().ok_or_else(|| {
            TrainError::NoData("reading images ahead has failed; see the log".into())
        })?;
        let (place, epoch) = (load.place, load.epoch);
        let keys: Vec<String> = load.examples.iter().map(|e| e.key.clone()).collect();
        let halted = |what: String| self.halted((step, true), what, keys.clone());
        let objective = self.plan.objective();
        let total: f64 = load.examples.iter().map(|e| objective.weight(e)).sum();
        let drawn = load.examples.len() + load.missed.len();
        let (mut tally, mut missed) = (Tally::default(), Vec::new());
        for (pass, mut load) in load
            .into_passes(self.plan.batch.size)
            .into_iter()
            .enumerate()
        {
            let draw = number(self.plan.seed, "draw", &[step, pass as u64]);
            let measured = with_readable(&mut load, learner, |learner, examples| {
                learner.accumulate(examples, 1.0 / total, draw)
            });
            let measured = match measured {
                Err(TrainError::Model(e)) => {
                    let numbers = matches!(e, ModelError::NotFinite { .. });
                    return Err(self.halted((step, numbers), e.to_string(), keys));
                }
                other => other?,
            };
            missed.append(&mut load.missed);
            let Some(measured) = measured else {
                continue;
            };
            tally.loss += measured.loss;
            tally.weight += measured.weight;
            tally.add_told(&measured.told);
            for (truth, rewards) in load.truth.iter().zip(&measured.rewards) {
                tally.add(&Verdict::new(truth, rewards));
            }
        }
        let taken = drawn - missed.len();
        let rates = rates(&self.peak, &self.plan.schedule, step, self.course.steps);
        let mut gradient = None;
        let mut trend = self.standing.trend;
        if let Some(loss) = tally.mean_loss() {
            if !loss.is_finite() {
                return Err(halted(format!("the loss is {loss}")));
            }
            if trend.take(loss) && self.plan.length.stop_on_divergence {
                let what = "the loss has climbed out of hand (length.stop_on_divergence = false goes on regardless)";
                return Err(halted(format!("{what}; it is {loss:.4}")));
            }
            let update = learner.update(&rates, self.plan.clip());
            let update = update.map_err(|e| halted(e.to_string()))?;
            if !update.gradient_norm.is_finite() {
                return Err(halted(format!(
                    "the gradient's norm is {}",
                    update.gradient_norm
                )));
            }
            gradient = Some(update.gradient_norm);
        }
        self.tell_missed(missed, taken)?;
        self.standing.step = step;
        self.standing.place = place;
        self.standing.trend = trend;
        self.pace.step(began.elapsed(), taken);
        self.note_step(&tally, &rates, gradient, self.epoch(epoch))?;
        self.note(Fact::Samples { step, groups: keys })?;
        self.progress()
    }

    fn halted(
        &self,
        (step, numbers): (u64, bool),
        what: String,
        groups: Vec<String>,
    ) -> TrainError {
        TrainError::Halted {
            step,
            what,
            groups,
            checkpoint: self.saved.map(|step| self.shelf.path(step)),
            numbers,
        }
    }

    /// Passes over the data so far.
    fn epoch(&self, epoch: u64) -> f64 {
        epoch as f64 + self.standing.place.drawn as f64 / self.material.items.len() as f64
    }

    /// Names groups that could not be taken, and ends the run when none could for an epoch.
    fn tell_missed(&mut self, missed: Vec<Missed>, taken: usize) -> Result<(), TrainError> {
        self.standing.missed += missed.len() as u64;
        self.empty = if taken > 0 {
            0
        } else {
            self.empty + missed.len()
        };
        if self.empty >= self.material.items.len()
            && let Some(last) = missed.last()
        {
            return Err(TrainError::NoData(format!(
                "none of the {} groups can be read; group '{}': {}",
                self.material.training.len(),
                last.key,
                last.reason
            )));
        }
        for Missed { key, reason } in missed {
            if self.named.len() < NAMED && self.named.insert(key.clone()) {
                let more = if self.named.len() == NAMED {
                    "; further ones are only counted"
                } else {
                    ""
                };
                self.say(format!("group '{key}' is left out: {reason}{more}"))?;
            }
        }
        Ok(())
    }

    fn note_step(
        &self,
        tally: &Tally,
        rates: &Rates,
        gradient: Option<f64>,
        epoch: f64,
    ) -> Result<(), TrainError> {
        let mut values: BTreeMap<String, f64> = tally.values("train").into_iter().collect();
        // On a handful of pairs it says nothing.
        values.remove("train.calibration");
        values.extend(tally.told("train", &self.plan.auxiliary.attributes));
        values.extend(gradient.map(|norm| ("gradient.norm".to_owned(), norm)));
        for (part, rate) in rates {
            values.insert(format!("rate.{}", part.key()), *rate);
        }
        let left = self.course.steps - self.standing.step;
        values.insert("samples.per_second".into(), self.pace.samples_per_second());
        values.insert("seconds.left".into(), self.pace.seconds(left));
        self.note(Fact::Metrics {
            step: self.standing.step,
            epoch,
            values,
        })
    }

    fn progress(&mut self) -> Result<(), TrainError> {
        let (done, total) = (self.standing.step, self.course.steps);
        if done == total || self.pace.progress_is_due() {
            self.note(Fact::Progress {
                done,
                total: Some(total),
                unit: "steps".into(),
            })?;
        }
        Ok(())
    }

    /// Measures the model; false when it was asked to stop meanwhile.
    fn evaluate(&mut self, learner: &mut dyn Learner) -> Result<bool, TrainError> {
        let step = self.standing.step;
        if self.selection.measured.is_empty() {
            self.standing.evaluated = step;
            return Ok(true);
        }
        let groups = (&*self.selection.measured, &*self.selection.followed);
        let Some(measurement) = measure(self.plan, self.material, groups, learner, self.report)?
        else {
            return Ok(false);
        };
        let mut values: BTreeMap<String, f64> =
            measurement.tally.values("val").into_iter().collect();
        let names = &self.plan.auxiliary.attributes;
        values.extend(measurement.tally.told("val", names));
        let best = match self.plan.evaluation.best_by {
            BestBy::Accuracy => values.get("val.accuracy").copied(),
            BestBy::Loss => values.get("val.loss").map(|loss| -loss),
        };
        self.note(Fact::Metrics {
            step,
            epoch: self.epoch(self.standing.place.epoch),
            values,
        })?;
        for (number, rewards) in &measurement.followed {
            self.note(followed(
                step,
                &self.material.validation[*number].key,
                rewards,
            ))?;
        }
        for Missed { key, reason } in &measurement.missed {
            if self.named.len() < NAMED && self.named.insert(key.clone()) {
                self.say(format!("validation group '{key}' is left out: {reason}"))?;
            }
        }
        self.standing.evaluated = step;
        self.latest = Some((step, measurement));
        if let Some(value) = best.filter(|value| value.is_finite())
            && self.standing.best.is_none_or(|b| value > b.value)
        {
            self.standing.best = Some(Best { step, value });
            if self.plan.checkpoints.keep_best {
                self.save(learner)?;
            }
        }
        Ok(true)
    }

    /// Keeps the state, unless it is kept already, and lets go of older ones.
    fn save(&mut self, learner: &dyn Learner) -> Result<(), TrainError> {
        let step = self.standing.step;
        if self.saved == Some(step) {
            return Ok(());
        }
        let path = self.shelf.save(&self.standing, learner)?;
        self.saved = Some(step);
        let best = self.standing.best.map(|best| best.step);
        let path = path.strip_prefix(self.folder).map(Path::to_owned);
        self.note(Fact::Checkpoint {
            step,
            path: path.unwrap_or_else(|_| self.shelf.path(step)),
            best: best == Some(step),
        })?;
        let keep = &self.plan.checkpoints;
        let kept = self.shelf.steps()?;
        let old = superfluous(&kept, best, keep.keep_last, keep.keep_best);
        self.shelf.remove(&old)
    }

    /// Everything after the last step: the weights that are wanted, their worth, the model dir.
    fn finish(&mut self, learner: &mut dyn Learner) -> Result<Outcome, TrainError> {
        let mut step = self.standing.step;
        if self.plan.export == super::plan::Export::Best
            && let Some(best) = self.standing.best
            && best.step != step
        {
            self.shelf.restore(best.step, learner)?;
            step = best.step;
            self.say(format!(
                "the model is that of the best evaluation, after step {step}"
            ))?;
        }
        let all: Vec<usize> = (0..self.material.validation.len()).collect();
        let known = self
            .latest
            .take()
            .filter(|(of, m)| *of == step && m.verdicts.len() + m.missed.len() == all.len());
        let measurement = if let Some((_, measurement)) = known {
            measurement
        } else {
            self.note(Fact::Phase {
                text: format!("measuring on all {} validation groups", all.len()),
            })?;
            let parts = (&all[..], &[][..]);
            let Some(measurement) = measure(self.plan, self.material, parts, learner, self.report)?
            else {
                // The state after the last step is kept; resuming begins here.
                return Ok(self.outcome(Ending::Stopped));
            };
            measurement
        };
        self.note(Fact::Phase {
            text: "writing the model".into(),
        })?;
        let model = summary::export(learner, self.folder, &self.plan.name)?;
        verdicts::write(self.folder, self.material, &measurement)?;
        let mut outcome = self.outcome(Ending::Done);
        outcome.summary = Some(Summary::new(
            self.plan,
            self.material,
            (step, self.course.steps),
            &measurement,
            self.standing.missed,
        ));
        outcome.model = Some(model);
        Ok(outcome)
    }
}
