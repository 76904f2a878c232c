//! The response to a factor: what the model says at each step, and what that changes.

use std::ops::ControlFlow;

use super::ProbeError;
use super::factor::Factor;
use super::material::Variant;
use crate::domain::{Axis, Reward};
use crate::model::{Judge, Picture};

/// What the model says of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The step.
    pub step: f64,
    /// How much of what the factor changes there was in the picture: see [`Factor::dose`].
    pub dose: f64,
    /// The step in words.
    pub words: String,
    /// The reward, or why there is none.
    pub outcome: Result<Reward, String>,
}

/// A response curve while it grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    factor: Factor,
    points: Vec<Option<Point>>,
    steps: Vec<f64>,
    rivals: Vec<f64>,
}

impl Curve {
    /// Of a factor's steps (ascending, as [`Factor::steps`] gives them), without points; `rivals` are the aggregate means of the
    /// group's other candidates.
    pub fn new(factor: Factor, steps: Vec<f64>, rivals: Vec<f64>) -> Self {
        Self {
            factor,
            points: vec![None; steps.len()],
            steps,
            rivals,
        }
    }

    /// What is turned.
    pub const fn factor(&self) -> Factor {
        self.factor
    }

    /// The steps, ascending.
    pub fn steps(&self) -> &[f64] {
        &self.steps
    }

    /// Takes in the point at a step's place; one of another place is passed over.
    pub fn take(&mut self, place: usize, point: Point) {
        if let Some(slot) = self.points.get_mut(place) {
            *slot = Some(point);
        }
    }

    /// What is known at each step.
    pub fn points(&self) -> &[Option<Point>] {
        &self.points
    }

    /// How many steps are known, with a reward or without.
    pub fn known(&self) -> usize {
        self.points.iter().flatten().count()
    }

    /// The reward at a step's place.
    pub fn reward(&self, place: usize) -> Option<Reward> {
        let point = self.points.get(place)?.as_ref()?;
        point.outcome.clone().ok()
    }

    /// The reward of the candidate as it is.
    pub fn neutral(&self) -> Option<Reward> {
        let neutral = self.factor.about().neutral;
        self.reward(self.steps.iter().position(|step| *step == neutral)?)
    }

    /// By how much the mean score on an axis (`None`: the aggregate) differs from that of the candidate as it is.
    pub fn difference(&self, place: usize, axis: Option<Axis>) -> Option<f64> {
        let [here, neutral] = [self.reward(place)?, self.neutral()?].map(|r| mean(&r, axis));
        Some(here? - neutral?)
    }

    /// The candidate's place in its group by the aggregate at a step, from 1.
    pub fn rank(&self, place: usize) -> Option<usize> {
        Some(self.rank_of(self.reward(place)?))
    }

    /// Whether the step alone moves the candidate to another place in its group.
    pub fn reorders(&self, place: usize) -> Option<bool> {
        Some(self.rank(place)? != self.rank_of(self.neutral()?))
    }

    fn rank_of(&self, reward: Reward) -> usize {
        let above = |rival: &&f64| **rival > reward.aggregate.mean;
        1 + self.rivals.iter().filter(above).count()
    }
}

/// The mean score on an axis, or the aggregate's.
pub(super) fn mean(reward: &Reward, axis: Option<Axis>) -> Option<f64> {
    match axis {
        None => Some(reward.aggregate.mean),
        Some(axis) => reward.on(axis).map(|gaussian| gaussian.mean),
    }
}

/// Rates variants one after the other, as they are made; `on_point` hears of each with the place of its step, and may stop the
/// rest. One that cannot be made or rated is a point without a reward.
pub fn probe(
    judge: &mut (impl Judge + ?Sized),
    source: &Picture,
    variants: impl IntoIterator<Item = (usize, Result<Variant, ProbeError>)>,
    on_point: &mut dyn FnMut(usize, Result<Point, ProbeError>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for (place, variant) in variants {
        let point = variant.map(|variant| rated(judge, source, variant));
        on_point(place, point)?;
    }
    ControlFlow::Continue(())
}

/// One variant with what the model says of it.
pub(super) fn rated(
    judge: &mut (impl Judge + ?Sized),
    source: &Picture,
    variant: Variant,
) -> Point {
    Point {
        outcome: rate(judge, source, &variant.instruction, &variant.picture),
        step: variant.step,
        dose: variant.dose,
        words: variant.words,
    }
}

/// What the model says of one picture that passes by.
pub(in crate::failures) fn rate(
    judge: &mut (impl Judge + ?Sized),
    source: &Picture,
    instruction: &str,
    picture: &Picture,
) -> Result<Reward, String> {
    let mut said = None;
    judge.score_passing(
        source,
        instruction,
        std::slice::from_ref(picture),
        &mut |passed| {
            said = passed.into_iter().next().map(|(_, reward)| reward);
            ControlFlow::Break(())
        },
    )?;
    said.unwrap_or_else(|| Err("the model gave no answer".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::probe::Material;
    use crate::failures::probe::pictures::{file, photo, plain};
    use crate::failures::probe::planted::Planted;

    fn material() -> Material {
        let half = plain(8, 8, [200, 100, 150]);
        Material::new(file(&photo(8, 8, 1)), file(&half), "make it pink", 0).unwrap()
    }

    fn curve(judge: &mut Planted, rivals: Vec<f64>) -> Curve {
        let material = material();
        let steps = Factor::Saturation.steps(&[]).unwrap();
        let mut curve = Curve::new(Factor::Saturation, steps.clone(), rivals);
        let variants = material.variants(Factor::Saturation, &steps);
        let flow = probe(judge, material.source(), variants, &mut |place, point| {
            curve.take(place, point.unwrap());
            ControlFlow::Continue(())
        });
        assert!(flow.is_continue());
        curve
    }

    #[test]
    fn a_judge_that_adds_saturation_answers_with_its_slope() {
        let curve = curve(&mut Planted::saturation(0.8), Vec::new());
        assert_eq!(curve.known(), curve.steps().len());
        let neutral = curve.points()[4].as_ref().unwrap().dose;
        for place in 0..curve.steps().len() {
            let more = curve.points()[place].as_ref().unwrap().dose - neutral;
            let vq = curve.difference(place, Some(Axis::VisualQuality)).unwrap();
            assert!((vq - 0.8 * more).abs() < 1e-9, "{place}: {vq} {more}");
            assert_eq!(
                curve.difference(place, Some(Axis::InstructionFollowing)),
                Some(0.0)
            );
        }
    }

    #[test]
    fn a_step_that_lifts_a_candidate_over_another_reorders_the_group() {
        // On both axes together k · saturation / 2 is added: 0.2 as it is (a saturation of 0.5), 0.4 at twice as much.
        let curve = curve(&mut Planted::saturation(0.8), vec![0.3, 1.0]);
        assert_eq!((curve.rank(4), curve.reorders(4)), (Some(3), Some(false)));
        assert_eq!((curve.rank(8), curve.reorders(8)), (Some(2), Some(true)));
        assert_eq!(curve.rank(77), None);
    }

    #[test]
    fn a_probe_stops_between_two_points_and_goes_on_after_one_that_failed() {
        let material = material();
        let mut seen = Vec::new();
        let steps = [0.0, 1.0];
        let bad = material.variants(Factor::OtherEdit, &steps);
        let good = material.variants(Factor::NoOp, &steps);
        let flow = probe(
            &mut Planted::saturation(1.0),
            material.source(),
            bad.chain(good),
            &mut |place, point| {
                seen.push((place, point.is_ok()));
                if seen.len() == 3 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert!(flow.is_break());
        assert_eq!(seen, [(0, true), (1, false), (0, true)]);
    }
}
