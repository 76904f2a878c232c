//! Rewards: what the model says of a candidate, a Gaussian per axis and their aggregate.

use serde::{Deserialize, Serialize};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Axis {
    /// IF, "dim1" in the published code: was the instruction carried out, and nothing else changed?
    #[serde(rename = "if")]
    InstructionFollowing,
    /// VQ, "dim2" in the published code: does the result look right?
    #[serde(rename = "vq")]
    VisualQuality,
}

impl Axis {
    /// Both axes, in the order of the published code.
    pub const ALL: [Self; 2] = [Self::InstructionFollowing, Self::VisualQuality];

    /// The short name on screens and in JSON keys: `if` or `vq`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InstructionFollowing => "if",
            Self::VisualQuality => "vq",
        }
    }

    /// The name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstructionFollowing => "instruction following",
            Self::VisualQuality => "visual quality",
        }
    }
}

/// A score with its uncertainty, as a head emits it: a mean (a logit: typically -3 to 3, negative is normal) and the natural
/// logarithm of the standard deviation. A model without uncertainty has `log_sigma` = -∞, so `sigma()` is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// The expected score.
    pub mean: f64,
    /// ln σ.
    pub log_sigma: f64,
}

impl Gaussian {
    /// From the two numbers of a head.
    pub const fn new(mean: f64, log_sigma: f64) -> Self {
        Self { mean, log_sigma }
    }

    /// The standard deviation.
    pub fn sigma(&self) -> f64 {
        self.log_sigma.exp()
    }

    /// The variance.
    pub fn variance(&self) -> f64 {
        (2.0 * self.log_sigma).exp()
    }

    /// The density at `x`.
    pub fn density(&self, x: f64) -> f64 {
        let z = (x - self.mean) / self.sigma();
        (-0.5 * z * z).exp() / (self.sigma() * std::f64::consts::TAU.sqrt())
    }
}

#[derive(Serialize, Deserialize)]
struct GaussianFields {
    mean: f64,
    #[serde(default)]
    sigma: Option<f64>,
    #[serde(default)]
    log_sigma: Option<f64>,
}

impl Serialize for Gaussian {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let log_sigma = self.log_sigma.is_finite().then_some(self.log_sigma);
        GaussianFields {
            mean: self.mean,
            sigma: Some(self.sigma()),
            log_sigma,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Gaussian {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = GaussianFields::deserialize(deserializer)?;
        let log_sigma = fields
            .log_sigma
            .or(fields.sigma.map(f64::ln))
            .unwrap_or(f64::NEG_INFINITY);
        Ok(Self {
            mean: fields.mean,
            log_sigma,
        })
    }
}

/// How two axes become one number (the published code's `pooling_strategy`; REFERENCE: section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// Mean of the means, mean of the log sigmas.
    #[default]
    Mean,
    /// Element-wise minimum: mean and log sigma may come from different axes.
    Min,
    /// Sum of the means, standard deviation of a sum of independent Gaussians.
    Sum,
}

impl Aggregate {
    /// Joins the two axes' Gaussians.
    pub fn of(self, a: Gaussian, b: Gaussian) -> Gaussian {
        match self {
            Self::Mean => Gaussian::new(
                f64::midpoint(a.mean, b.mean),
                f64::midpoint(a.log_sigma, b.log_sigma),
            ),
            Self::Min => Gaussian::new(a.mean.min(b.mean), a.log_sigma.min(b.log_sigma)),
            Self::Sum => Gaussian::new(a.mean + b.mean, log_sigma_of_sum(a.log_sigma, b.log_sigma)),
        }
    }

    /// The rule's name in settings and reports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Sum => "sum",
        }
    }
}

/// ln √(σ₁² + σ₂²) from the two log sigmas, without overflow.
pub(super) fn log_sigma_of_sum(a: f64, b: f64) -> f64 {
    let (large, small) = (a.max(b), a.min(b));
    if small == f64::NEG_INFINITY {
        large
    } else {
        large + 0.5 * (2.0 * (small - large)).exp().ln_1p()
    }
}

/// What the model says of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reward {
    /// Instruction following; `None` for single-head models, which emit only an overall score.
    #[serde(rename = "if")]
    pub instruction_following: Option<Gaussian>,
    /// Visual quality; `None` for single-head models.
    #[serde(rename = "vq")]
    pub visual_quality: Option<Gaussian>,
    /// Both axes joined by the model's rule, or a single head's only output.
    pub aggregate: Gaussian,
}

impl Reward {
    /// From both axes' Gaussians, joined by `rule`.
    pub fn of_axes(
        instruction_following: Gaussian,
        visual_quality: Gaussian,
        rule: Aggregate,
    ) -> Self {
        Self {
            instruction_following: Some(instruction_following),
            visual_quality: Some(visual_quality),
            aggregate: rule.of(instruction_following, visual_quality),
        }
    }

    /// From a single head's output.
    pub const fn overall(aggregate: Gaussian) -> Self {
        Self {
            instruction_following: None,
            visual_quality: None,
            aggregate,
        }
    }

    /// The Gaussian of one axis.
    pub const fn on(&self, axis: Axis) -> Option<Gaussian> {
        match axis {
            Axis::InstructionFollowing => self.instruction_following,
            Axis::VisualQuality => self.visual_quality,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Gaussian = Gaussian::new(-0.213_092_744_350_433_35, -0.253_325_462_341_308_6);
    const B: Gaussian = Gaussian::new(-0.374_795_347_452_163_7, 0.961_918_413_639_068_6);

    fn close(a: Gaussian, mean: f64, log_sigma: f64) -> bool {
        (a.mean - mean).abs() < 1e-6 && (a.log_sigma - log_sigma).abs() < 1e-6
    }

    #[test]
    fn aggregates_equal_the_published_codes_on_a_recorded_case() {
        assert!(close(
            Aggregate::Mean.of(A, B),
            -0.293_944_060_802_459_7,
            0.354_296_475_648_88
        ));
        assert!(close(
            Aggregate::Min.of(A, B),
            -0.374_795_347_452_163_7,
            -0.253_325_462_341_308_6
        ));
        assert!(close(
            Aggregate::Sum.of(A, B),
            -0.587_888_121_604_919_2,
            1.004_086_256_027_221_7
        ));
    }

    #[test]
    fn a_sum_of_huge_sigmas_does_not_overflow() {
        let huge = Gaussian::new(0.0, 700.0);
        assert!(
            (Aggregate::Sum.of(huge, huge).log_sigma - (700.0 + 0.5 * 2.0_f64.ln())).abs() < 1e-9
        );
    }

    #[test]
    fn a_gaussian_survives_json_and_one_without_uncertainty_too() {
        for gaussian in [A, Gaussian::new(1.5, f64::NEG_INFINITY)] {
            let json = serde_json::to_string(&gaussian).unwrap();
            assert_eq!(serde_json::from_str::<Gaussian>(&json).unwrap(), gaussian);
        }
    }
}
