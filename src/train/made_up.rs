//! A made-up learner for tests: linear heads over the numbers that its "images" are made of, with true gradients, dropout and
//! Adam, so that what the loop does to a learner shows in its weights to the last bit.

use std::fs;
use std::path::Path;

use crate::domain::{Aggregate, Axis, Comparison, Gaussian, PairLoss, Reward, regression};
use crate::model::learner::{Example, Judged, Learner, Measured, Objective, Part, Rates, Update};
use crate::model::{ModelError, Picture};

/// Numbers in an image file.
pub(super) const WIDTH: usize = 4;
/// Mean and log sigma of both axes.
const PARAMETERS: usize = 4 * WIDTH;

/// Hears what is done to the learner, in the midst of it.
pub(super) type Hook = Box<dyn Fn(&str) + Send + Sync>;

pub(super) struct MadeUp {
    objective: Objective,
    pub(super) weights: [f64; PARAMETERS],
    moments: [[f64; PARAMETERS]; 2],
    updates: i32,
    gradient: [f64; PARAMETERS],
    hook: Hook,
}

impl MadeUp {
    pub(super) fn new(objective: Objective) -> Self {
        Self {
            objective,
            weights: std::array::from_fn(|i| if i % 8 < 4 { 0.01 * i as f64 } else { 0.0 }),
            moments: [[0.0; PARAMETERS]; 2],
            updates: 0,
            gradient: [0.0; PARAMETERS],
            hook: Box::new(|_| {}),
        }
    }

    pub(super) fn heard_by(mut self, hook: Hook) -> Self {
        self.hook = hook;
        self
    }

    fn hear(&self, what: &str) {
        (self.hook)(what);
    }

    /// The numbers of an image, less those of the source; some are left out where there is a draw.
    fn features(
        example: &Example,
        index: usize,
        draw: Option<u64>,
    ) -> Result<[f64; WIDTH], ModelError> {
        let (source, edited) = (
            numbers(&example.source)?,
            numbers(&example.candidates[index])?,
        );
        Ok(std::array::from_fn(|i| {
            let bits = draw.map_or(1, |d| d.rotate_left(7 * (index * WIDTH + i) as u32) % 8);
            if bits == 0 {
                0.0
            } else {
                edited[i] - source[i]
            }
        }))
    }

    fn head(&self, axis: usize, x: &[f64; WIDTH]) -> Gaussian {
        let dot = |from: usize| -> f64 {
            let weights = &self.weights[from..from + WIDTH];
            weights.iter().zip(x).map(|(w, x)| w * x).sum()
        };
        Gaussian::new(dot(2 * WIDTH * axis), dot(2 * WIDTH * axis + WIDTH) - 1.0)
    }

    /// Forward, and backward into `gradient` where there is one.
    fn pass(
        &self,
        examples: &[Example],
        draw: Option<u64>,
        mut gradient: Option<(&mut [f64; PARAMETERS], f64)>,
    ) -> Result<Measured, ModelError> {
        let mut measured = Measured::default();
        for (number, example) in examples.iter().enumerate() {
            let features: Vec<[f64; WIDTH]> = (0..example.candidates.len())
                .map(|i| Self::features(example, i, draw))
                .collect::<Result<_, _>>()?;
            let rewards: Vec<Reward> = features
                .iter()
                .map(|x| Reward::of_axes(self.head(0, x), self.head(1, x), Aggregate::Mean))
                .collect();
            let mut push = |index: usize, axis: Option<Axis>, slope: [f64; 2]| {
                let Some((gradient, scale)) = &mut gradient else {
                    return;
                };
                let both = match axis {
                    Some(Axis::InstructionFollowing) => [slope, [0.0; 2]],
                    Some(Axis::VisualQuality) => [[0.0; 2], slope],
                    None => [slope.map(|s| s / 2.0); 2],
                };
                for (axis, slope) in both.iter().enumerate() {
                    for (output, slope) in slope.iter().enumerate() {
                        for (i, x) in features[index].iter().enumerate() {
                            gradient[2 * WIDTH * axis + WIDTH * output + i] += *scale * slope * x;
                        }
                    }
                }
            };
            match self.objective {
                Objective::Pairs { loss, .. } => {
                    for comparison in &example.comparisons {
                        let judged = judged(number, *comparison, &rewards);
                        let slope = loss.of(judged.a, judged.b, comparison.preference);
                        measured.loss += comparison.weight * slope.value;
                        measured.weight += comparison.weight;
                        let weighed = |s: [f64; 2]| s.map(|x| x * comparison.weight);
                        push(comparison.a, comparison.axis, weighed(slope.a));
                        push(comparison.b, comparison.axis, weighed(slope.b));
                        measured.judged.push(judged);
                    }
                }
                Objective::Scores => {
                    for (index, score) in example.scores.iter().enumerate() {
                        let Some(score) = score else {
                            continue;
                        };
                        let (value, slope) = regression(rewards[index].aggregate, *score);
                        measured.loss += value;
                        measured.weight += 1.0;
                        push(index, None, slope);
                    }
                }
            }
            measured.rewards.push(rewards);
        }
        Ok(measured)
    }
}

fn judged(example: usize, comparison: Comparison, rewards: &[Reward]) -> Judged {
    let on = |i: usize| {
        let reward = rewards[i];
        comparison
            .axis
            .map_or(reward.aggregate, |axis| reward.on(axis).unwrap())
    };
    Judged {
        example,
        comparison,
        a: on(comparison.a),
        b: on(comparison.b),
    }
}

fn numbers(picture: &Picture) -> Result<[f64; WIDTH], ModelError> {
    let text = String::from_utf8_lossy(&picture.bytes);
    let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    numbers
        .try_into()
        .map_err(|_| ModelError::Image("this is no picture".into()))
}

impl Learner for MadeUp {
    fn accumulate(
        &mut self,
        examples: &[Example],
        scale: f64,
        draw: u64,
    ) -> Result<Measured, ModelError> {
        self.hear("accumulate");
        let mut gradient = self.gradient;
        let measured = self.pass(examples, Some(draw), Some((&mut gradient, scale)))?;
        self.gradient = gradient;
        Ok(measured)
    }

    fn update(&mut self, rates: &Rates, clip: Option<f64>) -> Result<Update, ModelError> {
        self.hear("update");
        let norm = self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Err(ModelError::NotFinite { precision: "f64" });
        }
        let cut = clip.map_or(1.0, |clip| (clip / norm).min(1.0));
        self.updates += 1;
        let [first, second] = &mut self.moments;
        for i in 0..PARAMETERS {
            let gradient = self.gradient[i] * cut;
            first[i] = 0.9 * first[i] + 0.1 * gradient;
            second[i] = 0.999 * second[i] + 0.001 * gradient * gradient;
            let mean = first[i] / (1.0 - 0.9_f64.powi(self.updates));
            let square = second[i] / (1.0 - 0.999_f64.powi(self.updates));
            self.weights[i] -= rates[&Part::Heads] * mean / (square.sqrt() + 1e-8);
        }
        self.gradient = [0.0; PARAMETERS];
        self.hear("updated");
        Ok(Update {
            gradient_norm: norm,
        })
    }

    fn measure(&mut self, examples: &[Example]) -> Result<Measured, ModelError> {
        self.hear("measure");
        self.pass(examples, None, None)
    }

    fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let numbers: Vec<String> = self
            .weights
            .iter()
            .chain(self.moments.iter().flatten())
            .map(|x| format!("{x:?}"))
            .collect();
        let write = |name: &str, text: String| {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|source| ModelError::Write { path, source })
        };
        self.hear("save");
        write("updates", self.updates.to_string())?;
        self.hear("half saved");
        write("numbers", numbers.join(" "))?;
        self.hear("saved");
        Ok(())
    }

    fn restore(&mut self, dir: &Path) -> Result<(), ModelError> {
        let read = |name: &str| {
            let path = dir.join(name);
            fs::read_to_string(&path).map_err(|source| ModelError::Read { path, source })
        };
        let text = read("numbers")?;
        let numbers: Vec<f64> = text.split(' ').flat_map(str::parse).collect();
        if numbers.len() != 3 * PARAMETERS {
            return Err(ModelError::Inconsistent("numbers are missing".into()));
        }
        self.updates = read("updates")?.parse().unwrap();
        self.weights.copy_from_slice(&numbers[..PARAMETERS]);
        for (moment, from) in self.moments.iter_mut().zip([PARAMETERS, 2 * PARAMETERS]) {
            moment.copy_from_slice(&numbers[from..from + PARAMETERS]);
        }
        self.gradient = [0.0; PARAMETERS];
        Ok(())
    }

    fn export(&self, dir: &Path, name: &str) -> Result<(), ModelError> {
        self.hear("export");
        let path = dir.join("weights");
        let text = format!("{name} {:?}", self.weights);
        fs::write(&path, text).map_err(|source| ModelError::Write { path, source })
    }
}

/// A loss that needs no thought.
pub(super) const USUAL: Objective = Objective::Pairs {
    loss: PairLoss::Uncertainty { margin: 0.0 },
    draws: None,
};
