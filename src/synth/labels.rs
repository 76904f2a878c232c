//! Simulated annotators, and how far they agree.
//!
//! The model, on each axis: an annotator sees a candidate's ideal score plus a personal bias (uniform in ±[`BIAS`], fixed by
//! the seed for all groups) plus a fresh normal error, and answers with the nearest whole number from 1 to 4. The error is
//! larger for visual quality, on which people agree less: the paper reports Krippendorff's alpha of 0.68 (instruction
//! following) and 0.57 (visual quality) on its training data. The errors here are set so that the sample data's
//! alphas come out near those.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::raster::grid::count;
use super::raster::noise::{Chance, between, chance, normal};

/// The largest personal bias, in points.
const BIAS: f32 = 0.25;
/// The standard deviation of one judgement's error in points: instruction following, visual quality.
const ERROR: [f32; 2] = [0.70, 0.71];

/// One simulated annotator's label, as a line of `groups.jsonl` carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SimulatedLabel {
    pub(crate) annotator: String,
    #[serde(rename = "if")]
    pub(crate) following: u8,
    #[serde(rename = "vq")]
    pub(crate) looks: u8,
    /// Always true here.
    pub(crate) simulated: bool,
}

/// Three annotators with their biases.
#[derive(Debug, Clone)]
pub(crate) struct Annotators {
    biases: Vec<[f32; 2]>,
    error: [f32; 2],
    /// How far answers spread about the middle of the scale, relative to ideal scores.
    stretch: f32,
}

/// How [`Annotators::of_different_strictness`] judge, for the README of what they judged.
pub(crate) const ANNOTATORS: &str = "\
Three made-up annotators, one strict, one lenient, one between, answer with the nearest whole number from 1 to 4 to the ideal score
plus their personal bias plus a fresh normal error. Each label says `\"simulated\": true`.";

/// Of annotators of different strictness: how far the strict one lies below the middle and the lenient one above, and how much that
/// differs by chance, in points.
const STRICTNESS: [f32; 2] = [0.83, 0.93];
const STRICTNESS_VARIES: f32 = 0.04;
/// Their error as [`ERROR`], and their stretch.
const STRICT_ERROR: [f32; 2] = [0.30, 0.40];
const STRICT_STRETCH: f32 = 1.15;

impl Annotators {
    pub(crate) fn new(seed: u64) -> Self {
        let biases = (1..=3)
            .map(|number| {
                let mut chance = chance(seed, &format!("annotator {number}"));
                [0; 2].map(|_| between(&mut chance, -BIAS, BIAS))
            })
            .collect();
        Self {
            biases,
            error: ERROR,
            stretch: 1.0,
        }
    }

    /// Three who disagree more by how strict they are than by chance, as people do who use a scale differently. The order that
    /// their mean puts candidates in is then far more certain than any one answer: agreement as low as among people, and still
    /// something to learn.
    pub(crate) fn of_different_strictness(seed: u64) -> Self {
        let biases = [-1.0, 0.0, 1.0]
            .into_iter()
            .zip(1..)
            .map(|(side, number)| {
                let mut chance = chance(seed, &format!("strictness of annotator {number}"));
                STRICTNESS.map(|far| {
                    side * far + between(&mut chance, -STRICTNESS_VARIES, STRICTNESS_VARIES)
                })
            })
            .collect();
        Self {
            biases,
            error: STRICT_ERROR,
            stretch: STRICT_STRETCH,
        }
    }

    /// Each annotator's scores for a candidate with these ideal scores.
    pub(crate) fn judge(&self, ideal: (f32, f32), chance: &mut Chance) -> Vec<SimulatedLabel> {
        self.biases
            .iter()
            .enumerate()
            .map(|(index, bias)| {
                let mut answer = |ideal: f32, axis: usize| {
                    let ideal = 2.5 + self.stretch * (ideal - 2.5);
                    let seen = ideal + bias[axis] + self.error[axis] * normal(chance);
                    match count(seen) {
                        0 | 1 => 1,
                        2 => 2,
                        3 => 3,
                        _ => 4,
                    }
                };
                SimulatedLabel {
                    annotator: format!("simulated-{}", index + 1),
                    following: answer(ideal.0, 0),
                    looks: answer(ideal.1, 1),
                    simulated: true,
                }
            })
            .collect()
    }
}

/// A seed for a candidate's record: what a person would type to repeat the edit.
pub(crate) fn edit_seed(chance: &mut Chance) -> u64 {
    chance.random_range(1..100_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::{Level, krippendorff_alpha};

    #[test]
    fn labels_are_on_the_scale_marked_simulated_and_follow_the_ideal() {
        let annotators = Annotators::new(7);
        let mut stream = chance(7, "labels");
        let mean = |ideal: f32, stream: &mut Chance| {
            let labels: Vec<SimulatedLabel> = (0..300)
                .flat_map(|_| annotators.judge((ideal, ideal), stream))
                .collect();
            assert!(
                labels
                    .iter()
                    .all(|l| l.simulated && (1..=4).contains(&l.following))
            );
            labels.iter().map(|l| f32::from(l.looks)).sum::<f32>() / labels.len() as f32
        };
        let means: Vec<f32> = [1.0, 2.0, 3.0, 4.0]
            .iter()
            .map(|ideal| mean(*ideal, &mut stream))
            .collect();
        assert!(means.windows(2).all(|w| w[1] > w[0] + 0.4), "{means:?}");
    }

    #[test]
    fn the_annotators_agree_about_as_far_as_people_do() {
        let annotators = Annotators::new(1);
        let mut stream = chance(1, "agreement");
        let units: Vec<Vec<f64>> = (0..600)
            .map(|i| {
                let ideal = [1.1, 2.5, 3.3, 3.9][i % 4];
                annotators
                    .judge((ideal, ideal), &mut stream)
                    .iter()
                    .map(|l| f64::from(l.following))
                    .collect()
            })
            .collect();
        let alpha = krippendorff_alpha(&units, Level::Ordinal).unwrap();
        assert!((0.55..0.85).contains(&alpha), "{alpha}");
    }
}
