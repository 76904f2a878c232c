//! Measuring a learner on validation groups, pass by pass, without a change to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Report;
use super::chance::Chance;
use super::error::TrainError;
use super::examples::{Load, Missed, passes};
use super::material::Material;
use super::meter::{Tally, Verdict};
use super::plan::Plan;
use crate::domain::{Axis, Gaussian, Reward};
use crate::model::ModelError;
use crate::model::learner::{Example, Learner};
use crate::runs::Fact;

/// Which validation groups are measured while the run goes on, and which are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// In ascending order; the followed ones among them.
    pub(super) measured: Vec<usize>,
    pub(super) followed: Vec<usize>,
}

impl Selection {
    pub(super) fn new(plan: &Plan, material: &Material) -> Self {
        let all = material.validation.len();
        let named = &plan.evaluation.followed;
        let followed: Vec<usize> = if named.is_empty() {
            (0..all.min(plan.evaluation.follow)).collect()
        } else {
            let place = |key: &String| material.validation.iter().position(|s| s.key == *key);
            named.iter().filter_map(place).collect()
        };
        let count = plan.evaluation.groups.unwrap_or(all);
        let mut measured = Chance::new(plan.seed, "evaluation", &[]).choose(count, all);
        measured.extend(&followed);
        measured.sort_unstable();
        measured.dedup();
        Self { measured, followed }
    }
}

/// What a measurement gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Measurement {
    pub(super) tally: Tally,
    /// By position among the validation groups.
    pub(super) verdicts: BTreeMap<usize, Verdict>,
    /// The rewards of the groups that are followed.
    pub(super) followed: Vec<(usize, Vec<Reward>)>,
    pub(super) missed: Vec<Missed>,
    /// How long it took.
    pub(super) took: Duration,
}

impl Measurement {
    /// Milliseconds for a candidate.
    pub(super) fn cost(&self) -> Option<f64> {
        let candidates = self.tally.candidates;
        (candidates > 0).then(|| 1e3 * self.took.as_secs_f64() / candidates as f64)
    }
}

/// Measures on the given groups; `None` when it was asked to stop.
pub(super) fn measure(
    plan: &Plan,
    material: &Arc<Material>,
    (groups, followed): (&[usize], &[usize]),
    learner: &mut dyn Learner,
    report: &dyn Report,
) -> Result<Option<Measurement>, TrainError> {
    let mut measurement = Measurement::default();
    let began = Instant::now();
    let mut ahead = passes(plan.compute.readers, material, groups, plan.batch.size);
    while let Some(mut load) = ahead.next() {
        if report.stop_asked() {
            return Ok(None);
        }
        let measured = with_readable(&mut load, learner, |learner, examples| {
            learner.measure(examples)
        })?;
        measurement.missed.append(&mut load.missed);
        let Some(measured) = measured else {
            continue;
        };
        measurement.tally.loss += measured.loss;
        measurement.tally.weight += measured.weight;
        measurement.tally.add_told(&measured.told);
        for ((number, truth), rewards) in
            load.subjects.iter().zip(&load.truth).zip(&measured.rewards)
        {
            let verdict = Verdict::new(truth, rewards);
            measurement.tally.add(&verdict);
            measurement.verdicts.insert(*number, verdict);
            if followed.contains(number) {
                measurement.followed.push((*number, rewards.clone()));
            }
        }
    }
    measurement.took = began.elapsed();
    Ok(Some(measurement))
}

/// Hands examples to the learner; where it cannot read one of them, that one is taken out and the rest tried again. `None`
/// when none is left.
pub(super) fn with_readable<T>(
    load: &mut Load,
    learner: &mut dyn Learner,
    mut work: impl FnMut(&mut dyn Learner, &[Example]) -> Result<T, ModelError>,
) -> Result<Option<T>, TrainError> {
    while !load.examples.is_empty() {
        let error = match work(learner, &load.examples) {
            Ok(result) => return Ok(Some(result)),
            Err(error) if is_of_data(&error) => error,
            Err(error) => return Err(error.into()),
        };
        // Measuring changes nothing, so each can be tried alone.
        let culprit = (0..load.examples.len()).find_map(|i| {
            let alone = learner.measure(&load.examples[i..=i]);
            alone.err().filter(is_of_data).map(|why| (i, why))
        });
        let Some((index, why)) = culprit else {
            return Err(error.into());
        };
        load.give_up(index, why.to_string());
    }
    Ok(None)
}

/// Whether the fault is that of a picture or a text, so that others may be better.
fn is_of_data(error: &ModelError) -> bool {
    matches!(error, ModelError::Image(_) | ModelError::Prompt(_))
}

/// What is noted of a group that is followed.
pub(super) fn followed(step: u64, key: &str, rewards: &[Reward]) -> Fact {
    let numbers = |g: Option<Gaussian>| g.map_or([f64::NAN; 2], |g| [g.mean, g.sigma()]);
    Fact::Followed {
        step,
        group: key.to_owned(),
        rewards: rewards
            .iter()
            .map(|r| {
                [
                    numbers(r.on(Axis::InstructionFollowing)),
                    numbers(r.on(Axis::VisualQuality)),
                    numbers(Some(r.aggregate)),
                ]
            })
            .collect(),
    }
}
