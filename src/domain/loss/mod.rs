//! What training makes small: the losses on pairs and on single candidates, each with its slope along every number that the
//! heads emit, so that a learner needs only to carry the slopes back through its network.
//!
//! The formulas are those of the paper and of its code (REFERENCE: section 8), which recorded values and gradients hold them
//! to. An expectation over Gaussians is an integral here, exact to the rounding of `f64` and without noise; where the published
//! code's 1000 draws are to be matched, the caller brings the draws.

use serde::{Deserialize, Serialize};

use super::quadrature::{LogisticLoss, expected_logistic_loss, logistic_loss, sigmoid};
use super::reward::log_sigma_of_sum;
use super::{Aggregate, Gaussian};

/// The margin of the published code's "constant margin" losses, in logits.
pub const PUBLISHED_MARGIN: f64 = 0.57;
/// The published code's tie constant: how strongly Bradley-Terry with ties expects a tie.
pub const PUBLISHED_TIE_CONSTANT: f64 = 5.0;

/// A loss of two candidates of one group. Each is written for "A is the better"; [`of`](Self::of) weighs both directions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PairLoss {
    /// E[-log sigmoid(z - margin)], z ~ N(μA - μB, σA² + σB²): the paper's uncertainty-aware ranking.
    Uncertainty {
        /// In logits; 0 in the paper's main result.
        margin: f64,
    },
    /// -log sigmoid(d - margin), d = A - B.
    BradleyTerry {
        /// In logits; 0 is the plain model.
        margin: f64,
        /// What a difference is taken of.
        columns: Columns,
    },
    /// -log sigmoid(d - ln k), and for a tie -log sigmoid(d - ln k) - log sigmoid(-d - ln k) - ln(k² - 1).
    BradleyTerryTies {
        /// The tie constant, above 1.
        k: f64,
        /// What a difference is taken of.
        columns: Columns,
    },
    /// -log sigmoid(A - τ·B): what the published code calls likelihood displacement.
    Displacement {
        /// How much of the worse candidate's score counts.
        tau: f64,
        /// What a difference is taken of.
        columns: Columns,
    },
    /// `HPSv2`'s: the cross-entropy of the softmax over the two **probabilities** (softmax of the two scores), so that a pair
    /// counts for at most ln(1 + 1/e) when it is right. The published code sums it over a batch, where the others take the mean.
    Hpsv2 {
        /// What the softmax is taken over.
        columns: Columns,
    },
}

/// Which of a head's two outputs the losses without uncertainty act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// The mean alone, as the formulas say.
    #[default]
    Mean,
    /// The published code's slip with two outputs: the log sigma is ranked like a second score and the two losses are
    /// averaged; `Hpsv2` takes its softmax over all four numbers and then compares A's mean with A's log sigma.
    MeanAndLogSigma,
}

/// A loss and its slopes along (mean, log σ) of both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The loss.
    pub value: f64,
    /// Its derivatives by A's mean and log σ.
    pub a: [f64; 2],
    /// The same of B.
    pub b: [f64; 2],
}

impl Slope {
    const ZERO: Self = Self {
        value: 0.0,
        a: [0.0; 2],
        b: [0.0; 2],
    };

    /// A loss of d = a - b, given its value and its derivative by d, in the given output.
    fn of_difference(value: f64, by_difference: f64, output: usize) -> Self {
        let mut slope = Self {
            value,
            ..Self::ZERO
        };
        slope.a[output] = by_difference;
        slope.b[output] = -by_difference;
        slope
    }

    fn swapped(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
            ..self
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            a: self.a.map(|x| x * factor),
            b: self.b.map(|x| x * factor),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            a: [self.a[0] + other.a[0], self.a[1] + other.a[1]],
            b: [self.b[0] + other.b[0], self.b[1] + other.b[1]],
        }
    }
}

impl PairLoss {
    /// The loss of a pair where A is the better with probability `preference` (1, 0, 0.5 for a tie, or between):
    /// `preference`·L(A ≻ B) + (1 - `preference`)·L(B ≻ A). Bradley-Terry with ties has a term of its own for a tie.
    pub fn of(&self, a: Gaussian, b: Gaussian, preference: f64) -> Slope {
        self.weighed(a, b, preference, |loss, a, b| {
            loss.forward(a, b, expected_logistic_loss)
        })
    }

    /// The same with the expectation taken over the given standard normal draws, as the published code does with 1000 of them
    /// rounded to 16-bit floats. Losses without an expectation are as in [`of`](Self::of), and so is any loss without draws.
    pub fn over_draws(&self, a: Gaussian, b: Gaussian, preference: f64, draws: &[f64]) -> Slope {
        if draws.is_empty() {
            return self.of(a, b, preference);
        }
        self.weighed(a, b, preference, |loss, a, b| {
            loss.forward(a, b, |mean, sigma| averaged(mean, sigma, draws))
        })
    }

    fn weighed(
        &self,
        a: Gaussian,
        b: Gaussian,
        preference: f64,
        forward: impl Fn(&Self, Gaussian, Gaussian) -> Slope,
    ) -> Slope {
        if let Self::BradleyTerryTies { k, columns } = *self
            && preference == 0.5
        {
            return tie(a, b, k, columns);
        }
        // Either direction alone where there is no doubt: zero times infinity would be no number.
        let mut slope = Slope::ZERO;
        if preference > 0.0 {
            slope = slope.plus(forward(self, a, b).times(preference));
        }
        if preference < 1.0 {
            slope = slope.plus(forward(self, b, a).swapped().times(1.0 - preference));
        }
        slope
    }

    /// L(A ≻ B), with `expect` for the logistic loss under a Gaussian margin of the given mean and deviation.
    fn forward(
        &self,
        a: Gaussian,
        b: Gaussian,
        expect: impl Fn(f64, f64) -> LogisticLoss,
    ) -> Slope {
        match *self {
            Self::Uncertainty { margin } => {
                let log_sigma = log_sigma_of_sum(a.log_sigma, b.log_sigma);
                let loss = expect(a.mean - b.mean - margin, log_sigma.exp());
                // ∂σ/∂ln σA = σA²/σ, which is σ times A's share of the variance.
                let along = |side: f64| match variance_share(side, log_sigma) {
                    0.0 => 0.0,
                    share => loss.doubt * log_sigma.exp() * share,
                };
                Slope {
                    value: loss.value,
                    a: [-loss.wrong, along(a.log_sigma)],
                    b: [loss.wrong, along(b.log_sigma)],
                }
            }
            Self::BradleyTerry { margin, columns } => over(columns, a, b, |a, b, output| {
                let z = a - b - margin;
                Slope::of_difference(logistic_loss(z), -sigmoid(-z), output)
            }),
            Self::BradleyTerryTies { k, columns } => over(columns, a, b, |a, b, output| {
                let z = a - b - k.ln();
                Slope::of_difference(logistic_loss(z), -sigmoid(-z), output)
            }),
            Self::Displacement { tau, columns } => over(columns, a, b, |a, b, output| {
                let z = a - tau * b;
                let mut slope = Slope::of_difference(logistic_loss(z), -sigmoid(-z), output);
                slope.b[output] *= tau;
                slope
            }),
            Self::Hpsv2 { columns } => hpsv2(a, b, columns),
        }
    }
}

/// The mean of `loss` over the outputs that count: a's and b's number in an output, and which output it is.
fn over(
    columns: Columns,
    a: Gaussian,
    b: Gaussian,
    loss: impl Fn(f64, f64, usize) -> Slope,
) -> Slope {
    let mean = loss(a.mean, b.mean, 0);
    match columns {
        Columns::Mean => mean,
        Columns::MeanAndLogSigma => mean.plus(loss(a.log_sigma, b.log_sigma, 1)).times(0.5),
    }
}

/// Bradley-Terry's term for a tie, even in the difference: smallest, and flat, where both scores are equal.
fn tie(a: Gaussian, b: Gaussian, k: f64, columns: Columns) -> Slope {
    over(columns, a, b, |a, b, output| {
        let (up, down) = (a - b - k.ln(), b - a - k.ln());
        Slope::of_difference(
            logistic_loss(up) + logistic_loss(down) - (k * k - 1.0).ln(),
            sigmoid(-down) - sigmoid(-up),
            output,
        )
    })
}

fn hpsv2(a: Gaussian, b: Gaussian, columns: Columns) -> Slope {
    let scores = match columns {
        Columns::Mean => vec![a.mean, b.mean],
        Columns::MeanAndLogSigma => vec![a.mean, a.log_sigma, b.mean, b.log_sigma],
    };
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
    let sum: f64 = exps.iter().sum();
    let p: Vec<f64> = exps.iter().map(|e| e / sum).collect();
    let z = p[0] - p[1];
    let wrong = sigmoid(-z);
    // Back through the softmax: ∂p₀/∂sᵢ = p₀(δ₀ᵢ - pᵢ).
    let by: Vec<f64> = (0..p.len())
        .map(|i| {
            let own = |j: usize| if i == j { 1.0 } else { 0.0 };
            -wrong * (p[0] * (own(0) - p[i]) - p[1] * (own(1) - p[i]))
        })
        .collect();
    let value = logistic_loss(z);
    match columns {
        Columns::Mean => Slope {
            value,
            a: [by[0], 0.0],
            b: [by[1], 0.0],
        },
        Columns::MeanAndLogSigma => Slope {
            value,
            a: [by[0], by[1]],
            b: [by[2], by[3]],
        },
    }
}

/// The logistic loss over draws of the margin.
fn averaged(mean: f64, sigma: f64, draws: &[f64]) -> LogisticLoss {
    let (mut value, mut wrong, mut doubt) = (0.0, 0.0, 0.0);
    for draw in draws {
        let z = mean + sigma * draw;
        let w = sigmoid(-z);
        value += logistic_loss(z);
        wrong += w;
        doubt -= w * draw;
    }
    let n = draws.len() as f64;
    LogisticLoss {
        value: value / n,
        wrong: wrong / n,
        doubt: doubt / n,
    }
}

/// σᵢ²/σ² from the two logarithms; 0 where there is no variance at all.
fn variance_share(log_sigma: f64, log_total: f64) -> f64 {
    if log_sigma == f64::NEG_INFINITY {
        0.0
    } else {
        (2.0 * (log_sigma - log_total)).exp()
    }
}

/// The squared error of a single candidate: its mean against `overall` (the sum of both axes' labels, 2 to 8) less 4.5. Value
/// and slopes along (mean, log σ).
pub fn regression(x: Gaussian, overall: f64) -> (f64, [f64; 2]) {
    let error = x.mean - (overall - 4.5);
    (error * error, [2.0 * error, 0.0])
}

impl Aggregate {
    /// Carries slopes along the aggregate's (mean, log σ) back to both axes': `[[by mean, by log σ] of IF, the same of VQ]`.
    ///
    /// Where both axes are equal, the minimum's slope belongs to the first, as torch has it.
    pub fn slopes(
        self,
        instruction_following: Gaussian,
        visual_quality: Gaussian,
        upstream: [f64; 2],
    ) -> [[f64; 2]; 2] {
        let (first, second) = (instruction_following, visual_quality);
        let [mean, log_sigma] = upstream;
        match self {
            Self::Mean => [[mean / 2.0, log_sigma / 2.0]; 2],
            Self::Min => {
                let split = |slope: f64, first: f64, second: f64| {
                    if second < first {
                        (0.0, slope)
                    } else {
                        (slope, 0.0)
                    }
                };
                let (mean_1, mean_2) = split(mean, first.mean, second.mean);
                let (log_1, log_2) = split(log_sigma, first.log_sigma, second.log_sigma);
                [[mean_1, log_1], [mean_2, log_2]]
            }
            Self::Sum => {
                let total = log_sigma_of_sum(first.log_sigma, second.log_sigma);
                [first, second]
                    .map(|axis| [mean, log_sigma * variance_share(axis.log_sigma, total)])
            }
        }
    }
}

#[cfg(test)]
mod tests;
