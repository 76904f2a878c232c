//! Integrals of Gaussians against logistic and Gumbel noise.
//!
//! All by the trapezoidal rule on the whole line, which converges exponentially for analytic integrands that decay at both
//! ends: no tables of nodes, and errors near the rounding of `f64`. Which of two equal integrals is taken depends on the
//! width of the Gaussian, so that the narrow factor is never under-sampled.

use std::f64::consts::{SQRT_2, TAU};

/// The standard normal cumulative distribution.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

/// The logistic function, exact in both tails.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        x.exp() / (1.0 + x.exp())
    }
}

/// ∑ h·f(x) over the grid of step `h` on `[from, to]`.
fn trapezoid(from: f64, to: f64, step: f64, f: impl Fn(f64) -> f64) -> f64 {
    let count = ((to - from) / step).ceil() as usize;
    (0..=count).map(|i| f(from + i as f64 * step)).sum::<f64>() * step
}

/// E[sigmoid(z)] for z ~ N(`mean`, `sigma`²).
pub(super) fn expected_sigmoid(mean: f64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        sigmoid(mean)
    } else if sigma <= 1.0 {
        trapezoid(-9.0, 9.0, 0.25, |x| {
            normal_density(x) * sigmoid(mean + sigma * x)
        })
    } else {
        // The same number seen from the logistic side: P(logistic noise < z).
        trapezoid(-40.0, 40.0, 0.5, |x| {
            let s = sigmoid(x);
            s * (1.0 - s) * normal_cdf((mean - x) / sigma)
        })
    }
}

/// ln(1 + e⁻ᶻ), exact in both tails: the logistic loss of a margin `z`.
pub(super) fn logistic_loss(z: f64) -> f64 {
    (-z).max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The logistic loss under a Gaussian margin, and what its slopes are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogisticLoss {
    /// E[ln(1 + e⁻ᶻ)].
    pub value: f64,
    /// E[sigmoid(-z)]: minus the slope along the mean.
    pub wrong: f64,
    /// σ·E[sigmoid(z)·sigmoid(-z)]: the slope along σ, by Stein's identity.
    pub doubt: f64,
}

/// [`LogisticLoss`] for z ~ N(`mean`, `sigma`²).
///
/// For a wide Gaussian all three are seen from the logistic side, as in [`expected_sigmoid`]: with a logistic L,
/// ln(1 + e⁻ᶻ) is E[max(L - z, 0)], whose mean over z has a closed form.
pub(super) fn expected_logistic_loss(mean: f64, sigma: f64) -> LogisticLoss {
    if sigma == 0.0 {
        return LogisticLoss {
            value: logistic_loss(mean),
            wrong: sigmoid(-mean),
            doubt: 0.0,
        };
    }
    let [value, wrong, doubt] = if sigma <= 1.0 {
        fold(-9.0, 9.0, 0.25, |x| {
            let (z, weight) = (mean + sigma * x, normal_density(x));
            let wrong = sigmoid(-z);
            [
                weight * logistic_loss(z),
                weight * wrong,
                weight * wrong * sigmoid(z) * sigma,
            ]
        })
    } else {
        fold(-40.0, 40.0, 0.5, |x| {
            let s = sigmoid(x);
            let (weight, u) = (s * (1.0 - s), (x - mean) / sigma);
            let (below, density) = (normal_cdf(u), normal_density(u));
            [
                weight * ((x - mean) * below + sigma * density),
                weight * below,
                weight * density,
            ]
        })
    };
    LogisticLoss {
        value,
        wrong,
        doubt,
    }
}

/// Distribution and density at `x` of a N(`mean`, `sigma`²) score plus standard Gumbel noise.
pub(super) fn gumbel_sum(x: f64, mean: f64, sigma: f64) -> (f64, f64) {
    let gumbel = |y: f64| {
        let e = (-y).exp();
        ((-e).exp(), if e.is_finite() { e * (-e).exp() } else { 0.0 })
    };
    if sigma == 0.0 {
        gumbel(x - mean)
    } else if sigma <= 1.0 {
        let [cdf, density] = fold(-8.5, 8.5, 0.5, |u| {
            let (cdf, density) = gumbel(x - mean - sigma * u);
            let weight = normal_density(u);
            [weight * cdf, weight * density]
        });
        (cdf, density)
    } else {
        let [cdf, density] = fold(-4.0, 36.0, 0.4, |g| {
            let weight = gumbel(g).1;
            let z = (x - mean - g) / sigma;
            [weight * normal_cdf(z), weight * normal_density(z) / sigma]
        });
        (cdf, density)
    }
}

/// ∑ h·f(x) of several integrands at once.
fn fold<const N: usize>(from: f64, to: f64, step: f64, f: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let count = ((to - from) / step).ceil() as usize;
    let mut sums = [0.0; N];
    for i in 0..=count {
        for (sum, value) in sums.iter_mut().zip(f(from + i as f64 * step)) {
            *sum += value;
        }
    }
    sums.map(|sum| sum * step)
}
