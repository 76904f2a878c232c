//! The probe screen: one factor of a candidate turned step by step, the scores of each step as they come, and the picture at the
//! cursor.

#[cfg(test)]
mod tests;
mod view;

use crate::domain::{Axis, GroupId, ImageRef};
use crate::failures::probe::{Curve, Factor, Point};
use crate::tui::msg::Action;
use crate::tui::probing::ProbeNews;

pub(crate) use view::{Layout, View, layout, view};

/// The candidate that is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its group.
    pub(crate) group: GroupId,
    /// Its place in the group.
    pub(crate) index: usize,
}

/// What is known of a step before the model has rated it.
#[derive(Debug, Clone, PartialEq)]
struct Made {
    image: ImageRef,
    dose: f64,
    words: String,
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// The candidate.
    target: Option<Target>,
    /// The factor, as a place among all.
    factor: usize,
    /// The job that was asked for last.
    job: u64,
    /// Whether the factor has to be turned anew.
    due: bool,
    curve: Option<Curve>,
    made: Vec<Option<Made>>,
    cursor: usize,
    problem: Option<String>,
}

impl Probe {
    /// Opens the screen on a candidate.
    pub(crate) fn open(&mut self, target: Target) {
        if self.target != Some(target) {
            self.target = Some(target);
            self.due = true;
        }
    }

    /// The candidate.
    pub(crate) const fn target(&self) -> Option<Target> {
        self.target
    }

    /// The factor.
    pub(crate) fn factor(&self) -> Factor {
        Factor::ALL[self.factor % Factor::ALL.len()]
    }

    /// Whether something has to be found out; it then is under way under `job`, beside the means of the group's other candidates.
    pub(crate) fn begin(&mut self, job: u64, rivals: Vec<f64>) -> Option<Factor> {
        if !std::mem::take(&mut self.due) {
            return None;
        }
        let factor = self.factor();
        // A factor's own steps are never refused.
        let steps = factor.steps(&[]).unwrap_or_default();
        self.cursor = neutral(factor, &steps);
        self.made = vec![None; steps.len()];
        self.curve = Some(Curve::new(factor, steps, rivals));
        self.problem = None;
        self.job = job;
        Some(factor)
    }

    /// Whether there is something to find out.
    pub(crate) const fn is_due(&self) -> bool {
        self.due && self.target.is_some()
    }

    /// Takes news in; false if they are of another job.
    pub(crate) fn hear(&mut self, news: ProbeNews) -> bool {
        match news {
            ProbeNews::Variant {
                job,
                place,
                image,
                dose,
                words,
            } if job == self.job => {
                if let Some(slot) = self.made.get_mut(place) {
                    *slot = Some(Made { image, dose, words });
                }
            }
            ProbeNews::NoVariant { job, place, why } if job == self.job => {
                self.point(place, Err(why));
            }
            ProbeNews::Failed { job, why } if job == self.job => self.problem = Some(why),
            _ => return false,
        }
        true
    }

    /// Takes in what the model says of a step; false if it is of another job.
    pub(crate) fn rated(
        &mut self,
        job: u64,
        place: usize,
        outcome: Result<crate::domain::Reward, String>,
    ) -> bool {
        if job != self.job {
            return false;
        }
        self.point(place, outcome);
        true
    }

    fn point(&mut self, place: usize, outcome: Result<crate::domain::Reward, String>) {
        let made = self.made.get(place).and_then(Option::as_ref);
        let Some(curve) = &mut self.curve else { return };
        let Some(&step) = curve.steps().get(place) else {
            return;
        };
        let point = Point {
            step,
            dose: made.map_or(step, |made| made.dose),
            words: made.map_or_else(
                || curve.factor().step_in_words(step),
                |made| made.words.clone(),
            ),
            outcome,
        };
        curve.take(place, point);
    }

    /// Whether every step was rated, or could not be.
    pub(crate) fn is_done(&self) -> bool {
        let curve = self.curve.as_ref();
        self.problem.is_some() || curve.is_some_and(|curve| curve.known() == curve.steps().len())
    }

    /// The picture at the cursor, once it was made; `None` for the candidate as it is, which has a file of its own.
    pub(crate) fn image(&self) -> Option<&ImageRef> {
        let curve = self.curve.as_ref()?;
        if self.cursor == neutral(curve.factor(), curve.steps()) {
            return None;
        }
        let made = self.made.get(self.cursor)?.as_ref()?;
        Some(&made.image)
    }

    /// The pictures one step away, for decoding them ahead.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &ImageRef> {
        let places = [self.cursor.checked_sub(1), Some(self.cursor + 1)];
        let made = places.into_iter().flatten();
        made.filter_map(|place| Some(&self.made.get(place)?.as_ref()?.image))
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        let last = self.made.len().saturating_sub(1);
        let factors = Factor::ALL.len();
        match action {
            Action::NextFactor => self.turn_to((self.factor + 1) % factors),
            Action::PreviousFactor => self.turn_to((self.factor + factors - 1) % factors),
            Action::NextStep => self.cursor = (self.cursor + 1).min(last),
            Action::PreviousStep => self.cursor = self.cursor.saturating_sub(1),
            Action::FirstStep => self.cursor = 0,
            Action::LastStep => self.cursor = last,
            Action::NeutralStep => {
                if let Some(curve) = &self.curve {
                    self.cursor = neutral(curve.factor(), curve.steps());
                }
            }
            Action::ProbeAgain => self.due = true,
            _ => return false,
        }
        true
    }

    fn turn_to(&mut self, factor: usize) {
        self.factor = factor;
        self.due = true;
    }

    /// The means on an axis (`None`: the aggregate) over the steps, with their standard deviations: what is known so far.
    fn response(&self, axis: Option<Axis>) -> Vec<(f64, f64, f64)> {
        let Some(curve) = &self.curve else {
            return Vec::new();
        };
        let point = |place: usize| {
            let reward = curve.reward(place)?;
            let gaussian = match axis {
                Some(axis) => reward.on(axis)?,
                None => reward.aggregate,
            };
            Some((curve.steps()[place], gaussian.mean, gaussian.sigma()))
        };
        (0..curve.steps().len()).filter_map(point).collect()
    }
}

/// The place of the step that leaves all as it is.
fn neutral(factor: Factor, steps: &[f64]) -> usize {
    let neutral = factor.about().neutral;
    steps.iter().position(|step| *step == neutral).unwrap_or(0)
}
