//! How fast a run goes, by the clock. None of it decides anything.

use std::time::{Duration, Instant};

/// How often progress is noted at the most; metrics are noted every step.
const PROGRESS: Duration = Duration::from_millis(500);

/// How fast a run goes.
#[derive(Debug, Default)]
pub(super) struct Pace {
    seconds: f64,
    samples: f64,
    told: Option<Instant>,
}

impl Pace {
    /// A step took so long, for so many groups or pairs; the average forgets half in about seven steps.
    pub(super) fn step(&mut self, took: Duration, samples: usize) {
        let share = if self.seconds == 0.0 { 1.0 } else { 0.1 };
        self.seconds += share * (took.as_secs_f64() - self.seconds);
        self.samples += share * (samples as f64 - self.samples);
    }

    pub(super) fn samples_per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            self.samples / self.seconds
        } else {
            0.0
        }
    }

    pub(super) fn seconds(&self, steps: u64) -> f64 {
        self.seconds * steps as f64
    }

    pub(super) fn progress_is_due(&mut self) -> bool {
        let due = self.told.is_none_or(|told| told.elapsed() >= PROGRESS);
        if due {
            self.told = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_sets_the_pace_and_later_ones_change_it_slowly() {
        let mut pace = Pace::default();
        pace.step(Duration::from_secs(2), 4);
        assert_eq!((pace.samples_per_second(), pace.seconds(10)), (2.0, 20.0));
        pace.step(Duration::from_secs(1), 4);
        assert!((pace.seconds(1) - 1.9).abs() < 1e-12);
    }

    #[test]
    fn progress_is_due_at_once_and_then_not_for_a_while() {
        let mut pace = Pace::default();
        assert!(pace.progress_is_due());
        assert!(!pace.progress_is_due());
    }
}
