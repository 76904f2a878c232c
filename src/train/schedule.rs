//! What happens at which step: how high the rates are, when to measure, when to keep the state, and when the loss is out of
//! hand. Decided from numbers alone; nothing is carried out here.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::plan::{Decay, Plan, Schedule};
use crate::model::learner::Rates;

/// The steps of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Steps in all.
    pub steps: u64,
    /// Steps that make an epoch, the last of which may be smaller.
    pub steps_per_epoch: u64,
    /// Measures every so many steps.
    pub evaluate_every: u64,
    /// Keeps the state every so many steps.
    pub save_every: u64,
}

impl Course {
    /// The plan's, for `items` groups or pairs an epoch.
    pub fn new(plan: &Plan, items: usize) -> Self {
        let steps_per_epoch = (items.div_ceil(plan.step_size()) as u64).max(1);
        let epochs = (plan.length.epochs * steps_per_epoch as f64).round() as u64;
        let steps = plan.length.steps.unwrap_or(epochs).max(1);
        let evaluate_every = plan.evaluation.every.unwrap_or((steps / 10).max(1));
        Self {
            steps,
            steps_per_epoch,
            evaluate_every,
            save_every: plan.checkpoints.every.unwrap_or(evaluate_every),
        }
    }

    /// Whether to measure after `step`.
    pub fn evaluates(&self, step: u64) -> bool {
        self.due(step, self.evaluate_every)
    }

    /// Whether to keep the state after `step`.
    pub fn saves(&self, step: u64) -> bool {
        self.due(step, self.save_every)
    }

    fn due(&self, step: u64, every: u64) -> bool {
        step > 0 && (step.is_multiple_of(every) || step == self.steps)
    }
}

/// What the highest rates are multiplied by in `step` (from 1) of `steps`: a line up to 1 over the warm-up, which reaches it
/// with its last step, and then the decay, which would reach the floor one step after the last.
pub fn factor(schedule: &Schedule, step: u64, steps: u64) -> f64 {
    let warm = (schedule.warmup * steps as f64).ceil() as u64;
    if step <= warm {
        return step as f64 / warm as f64;
    }
    let done = (step - warm - 1) as f64 / (steps - warm) as f64;
    let fallen = match schedule.kind {
        Decay::Constant => return 1.0,
        Decay::Linear => 1.0 - done,
        Decay::Cosine => 0.5 * (1.0 + (PI * done).cos()),
    };
    schedule.floor + (1.0 - schedule.floor) * fallen
}

/// The rates in `step`.
pub fn rates(peak: &Rates, schedule: &Schedule, step: u64, steps: u64) -> Rates {
    let factor = factor(schedule, step, steps);
    peak.iter()
        .map(|(part, rate)| (*part, rate * factor))
        .collect()
}

/// How the loss goes, to tell when it is out of hand: its running average (over about 50 steps) is above four times the lowest
/// that it ever had plus one, for which it has had 100 steps to settle. A loss that is merely noisy stays far below that; the
/// pair losses begin near 0.7.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Trend {
    steps: u64,
    #[serde(with = "super::exact")]
    average: f64,
    #[serde(with = "super::exact")]
    lowest: f64,
}

impl Trend {
    const MEMORY: f64 = 1.0 / 50.0;
    const SETTLING: u64 = 100;

    /// Takes in a step's loss; true when it is out of hand.
    pub fn take(&mut self, loss: f64) -> bool {
        self.steps += 1;
        // An average from the start on, so that the first steps do not weigh on it for long.
        let share = Self::MEMORY.max(1.0 / self.steps as f64);
        self.average += share * (loss - self.average);
        if self.steps < Self::SETTLING {
            self.lowest = self.average;
            return false;
        }
        self.lowest = self.lowest.min(self.average);
        self.average > 4.0 * self.lowest + 1.0
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn plan(text: &str) -> Plan {
        Plan::parse(Path::new("plan.toml"), text, &[]).unwrap()
    }

    #[test]
    fn steps_follow_from_epochs_and_the_size_of_a_step() {
        let course = Course::new(&plan("batch.size = 4\nbatch.accumulate = 1"), 10);
        assert_eq!((course.steps_per_epoch, course.steps), (3, 6));
        let course = Course::new(&plan("length.steps = 95"), 10);
        assert_eq!(
            (course.steps, course.evaluate_every, course.save_every),
            (95, 9, 9)
        );
        let course = Course::new(&plan("length.epochs = 0.5\nbatch.accumulate = 1"), 100);
        assert_eq!(course.steps, 25);
    }

    #[test]
    fn measuring_and_keeping_happen_at_their_steps_and_after_the_last() {
        let text = "length.steps = 10\nevaluation.every = 4\ncheckpoints.every = 5";
        let course = Course::new(&plan(text), 10);
        let at =
            |f: fn(&Course, u64) -> bool| (0..=10).filter(|s| f(&course, *s)).collect::<Vec<_>>();
        assert_eq!(at(Course::evaluates), [4, 8, 10]);
        assert_eq!(at(Course::saves), [5, 10]);
    }

    #[test]
    fn rates_rise_over_the_warm_up_and_fall_along_the_decay() {
        let of = |kind, floor| {
            let schedule = Schedule {
                kind,
                warmup: 0.2,
                floor,
            };
            (1..=10)
                .map(|s| factor(&schedule, s, 10))
                .collect::<Vec<_>>()
        };
        let near = |ours: &[f64], theirs: &[f64]| {
            assert!(
                ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-12),
                "{ours:?}"
            );
        };
        near(
            &of(Decay::Constant, 0.0),
            &[0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        );
        near(
            &of(Decay::Linear, 0.0),
            &[0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125],
        );
        let cosine = of(Decay::Cosine, 0.1);
        assert!((cosine[2] - 1.0).abs() < 1e-12 && (cosine[6] - 0.55).abs() < 1e-12);
        assert!(cosine[9] > 0.1);
    }

    #[test]
    fn without_a_warm_up_the_first_step_has_the_highest_rate() {
        let schedule = Schedule {
            warmup: 0.0,
            ..Schedule::default()
        };
        assert_eq!(factor(&schedule, 1, 1), 1.0);
        let all_warm = Schedule {
            warmup: 1.0,
            ..Schedule::default()
        };
        assert_eq!(factor(&all_warm, 3, 3), 1.0);
    }

    #[test]
    fn a_loss_is_out_of_hand_when_it_climbs_and_not_when_it_is_noisy() {
        let mut trend = Trend::default();
        let noisy = (0..400).map(|i| 0.7 + if i % 7 == 0 { 2.5 } else { 0.0 });
        assert!(!noisy.into_iter().any(|loss| trend.take(loss)));
        assert!((0..200).any(|i| trend.take(f64::from(i))));
    }
}
