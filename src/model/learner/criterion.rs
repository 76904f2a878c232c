//! From the heads' numbers to the loss, and to its slopes along each of them. All of it in f64.

use candle_core::{DType, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::auxiliary::cross_entropy;
use super::pass::Answers;
use super::recipe::Objective;
use super::{Example, Judged, Measured};
use crate::domain::{Aggregate, Axis, Comparison, Gaussian, Reward, regression};
use crate::model::head::gaussian;
use crate::model::manifest::HeadKind;

/// What is made small, for one kind of head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Criterion {
    objective: Objective,
    head: HeadKind,
    rule: Aggregate,
    /// What an auxiliary attribute counts.
    auxiliary: f64,
}

/// Slopes of a loss along all that was answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Slopes {
    /// Along each answer's (mean, log sigma): by axis, in the order of the answers.
    pub(super) axes: Vec<Vec<[f64; 2]>>,
    /// Along the logits of each auxiliary attribute, row by row.
    pub(super) attributes: Vec<Vec<f64>>,
}

/// What a pass came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) measured: Measured,
    slopes: Slopes,
}

impl Outcome {
    /// The slopes times `scale`.
    pub(super) fn scaled(&self, scale: f64) -> Slopes {
        let times = |s: &[f64; 2]| s.map(|x| x * scale);
        let axes = self.slopes.axes.iter();
        let attributes = self.slopes.attributes.iter();
        Slopes {
            axes: axes.map(|a| a.iter().map(times).collect()).collect(),
            attributes: attributes
                .map(|a| a.iter().map(|x| x * scale).collect())
                .collect(),
        }
    }
}

/// One candidate's Gaussians, and where they stand among the answers.
#[derive(Debug, Clone, Default)]
struct Spoken {
    /// By axis (or the one overall): place among the answers' axes, row, Gaussian.
    axes: Vec<(usize, usize, Gaussian)>,
}

impl Criterion {
    pub(super) const fn new(objective: Objective, head: HeadKind, rule: Aggregate) -> Self {
        Self {
            objective,
            head,
            rule,
            auxiliary: 0.0,
        }
    }

    /// The same with auxiliary attributes that count `weight` each.
    pub(super) const fn beside(mut self, weight: f64) -> Self {
        self.auxiliary = weight;
        self
    }

    /// Rewards, loss and slopes; `owners` names example and candidate of each question. `draw` seeds the sampled loss.
    pub(super) fn judge(
        &self,
        examples: &[Example],
        owners: &[(usize, usize)],
        answers: &Answers,
        draw: Option<u64>,
    ) -> Result<Outcome> {
        let mut spoken: Vec<Vec<Spoken>> = examples
            .iter()
            .map(|example| vec![Spoken::default(); example.candidates.len()])
            .collect();
        let mut slopes = Vec::new();
        for (place, (_, numbers, questions)) in answers.by_axis.iter().enumerate() {
            let rows = numbers.to_dtype(DType::F32)?.to_vec2::<f32>()?;
            slopes.push(vec![[0.0; 2]; rows.len()]);
            for (row, (numbers, question)) in rows.iter().zip(questions).enumerate() {
                let (example, candidate) = owners[*question];
                spoken[example][candidate]
                    .axes
                    .push((place, row, gaussian(numbers)));
            }
        }
        let mut outcome = Outcome {
            measured: Measured {
                rewards: spoken
                    .iter()
                    .map(|candidates| candidates.iter().map(|c| self.reward(c)).collect())
                    .collect(),
                ..Measured::default()
            },
            slopes: Slopes {
                axes: slopes,
                attributes: Vec::new(),
            },
        };
        self.tell(&mut outcome, examples, owners, answers)?;
        let draws = self.draws(draw);
        for (e, example) in examples.iter().enumerate() {
            for comparison in &example.comparisons {
                self.compare(&mut outcome, (e, &spoken[e]), comparison, &draws);
            }
            if self.objective == Objective::Scores {
                for (candidate, score) in spoken[e].iter().zip(&example.scores) {
                    let Some(score) = score else { continue };
                    let (value, slope) = regression(self.reward(candidate).aggregate, *score);
                    outcome.measured.loss += value;
                    outcome.measured.weight += 1.0;
                    self.pull(&mut outcome.slopes.axes, candidate, None, slope);
                }
            }
        }
        Ok(outcome)
    }

    /// The auxiliary attributes: an example's candidates count together what its terms of the loss do.
    fn tell(
        &self,
        outcome: &mut Outcome,
        examples: &[Example],
        owners: &[(usize, usize)],
        answers: &Answers,
    ) -> Result<()> {
        for (attribute, logits) in answers.attributes.iter().enumerate() {
            let class = |(e, c): (usize, usize)| {
                let classes = examples[e].attributes.get(c)?;
                classes.get(attribute).copied().flatten()
            };
            let mut known = vec![0_usize; examples.len()];
            for owner in owners.iter().filter(|owner| class(**owner).is_some()) {
                known[owner.0] += 1;
            }
            let rows = logits.to_dtype(DType::F32)?.to_vec2::<f32>()?;
            let (mut slopes, mut told) = (Vec::new(), (0, 0));
            for (row, owner) in rows.iter().zip(owners) {
                let Some(class) = class(*owner) else {
                    slopes.extend(row.iter().map(|_| 0.0));
                    continue;
                };
                let (_, own) = cross_entropy(row, class as usize);
                // The class' own slope is the lowest; it is the likeliest where no other's logit is higher.
                let best = row.iter().all(|x| *x <= row[class as usize]);
                told = (told.0 + usize::from(best), told.1 + 1);
                let weight = self.auxiliary * self.objective.weight(&examples[owner.0])
                    / known[owner.0] as f64;
                slopes.extend(own.into_iter().map(|x| x * weight));
            }
            outcome.slopes.attributes.push(slopes);
            outcome.measured.told.push(told);
        }
        Ok(())
    }

    fn reward(&self, candidate: &Spoken) -> Reward {
        match candidate.axes[..] {
            [(_, _, a), (_, _, b)] => Reward::of_axes(a, b, self.rule),
            [(_, _, one), ..] => Reward::overall(one),
            [] => Reward::overall(Gaussian::new(f64::NAN, f64::NAN)),
        }
    }

    /// What is compared: an axis's Gaussian where there is one, else the aggregate.
    fn on(&self, candidate: &Spoken, axis: Option<Axis>) -> Gaussian {
        let reward = self.reward(candidate);
        axis.and_then(|axis| reward.on(axis))
            .unwrap_or(reward.aggregate)
    }

    fn compare(
        &self,
        outcome: &mut Outcome,
        (example, spoken): (usize, &[Spoken]),
        comparison: &Comparison,
        draws: &[f64],
    ) {
        let axis = comparison.axis.filter(|_| self.head != HeadKind::Single);
        let (a, b) = (&spoken[comparison.a], &spoken[comparison.b]);
        let judged = Judged {
            example,
            comparison: *comparison,
            a: self.on(a, axis),
            b: self.on(b, axis),
        };
        outcome.measured.judged.push(judged);
        let Objective::Pairs { loss, .. } = self.objective else {
            return;
        };
        let slope = loss.over_draws(judged.a, judged.b, comparison.preference, draws);
        let weight = comparison.weight;
        outcome.measured.loss += weight * slope.value;
        outcome.measured.weight += weight;
        self.pull(
            &mut outcome.slopes.axes,
            a,
            axis,
            slope.a.map(|x| x * weight),
        );
        self.pull(
            &mut outcome.slopes.axes,
            b,
            axis,
            slope.b.map(|x| x * weight),
        );
    }

    /// Adds a slope along a candidate's axis, or its aggregate, to those of the answers.
    fn pull(
        &self,
        slopes: &mut [Vec<[f64; 2]>],
        candidate: &Spoken,
        axis: Option<Axis>,
        slope: [f64; 2],
    ) {
        let mut add = |&(place, row, _): &(usize, usize, Gaussian), slope: [f64; 2]| {
            for (sum, part) in slopes[place][row].iter_mut().zip(slope) {
                *sum += part;
            }
        };
        match (&candidate.axes[..], axis) {
            ([first, second], None) => {
                let [a, b] = self.rule.slopes(first.2, second.2, slope);
                add(first, a);
                add(second, b);
            }
            ([first, _], Some(Axis::InstructionFollowing)) | ([first], _) => add(first, slope),
            ([_, second], Some(Axis::VisualQuality)) => add(second, slope),
            _ => (),
        }
    }

    /// Standard normal draws rounded to 16-bit floats, if the loss is sampled.
    fn draws(&self, seed: Option<u64>) -> Vec<f64> {
        let (
            Objective::Pairs {
                draws: Some(count), ..
            },
            Some(seed),
        ) = (self.objective, seed)
        else {
            return Vec::new();
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6472_6177);
        let mut unit = || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
        // Box and Muller, a draw from each pair.
        (0..count)
            .map(|_| {
                let (radius, angle) = ((-2.0 * unit().ln()).sqrt(), std::f64::consts::TAU * unit());
                half::f16::from_f64(radius * angle.cos()).to_f64()
            })
            .collect()
    }
}
