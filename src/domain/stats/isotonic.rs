//! Calibration of one scale to another: the rising steps and the straight line that lie closest.

use serde::{Deserialize, Serialize};

use super::undefined::{Side, Statistic, Undefined};

/// A function that never falls: steps, joined by straight lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Where it is known and what it is there, ascending in both.
    pub points: Vec<(f64, f64)>,
}

impl Isotonic {
    /// The rising function of `x` that is closest to `y` in squares, by pooling neighbours that fall (Ayer, Brunk, Ewing, Reid and
    /// Silverman 1955, "An Empirical Distribution Function for Sampling with Incomplete Information"). Equal `x` have one value.
    pub fn fit(x: &[f64], y: &[f64]) -> Result<Self, Undefined> {
        check(x, y)?;
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
        // Of each step: the first and the last x, the sum of y, and how many there are.
        let mut steps: Vec<(f64, f64, f64, f64)> = Vec::new();
        for equal in order.chunk_by(|&a, &b| x[a] == x[b]) {
            let sum = equal.iter().map(|&i| y[i]).sum();
            steps.push((x[equal[0]], x[equal[0]], sum, equal.len() as f64));
            while let [.., (first, _, a, n), (_, last, b, m)] = steps[..]
                && a / n >= b / m
            {
                steps.truncate(steps.len() - 2);
                steps.push((first, last, a + b, n + m));
            }
        }
        let ends = steps.iter().flat_map(|&(first, last, sum, n)| {
            let ends = if first == last { 1 } else { 2 };
            [(first, sum / n), (last, sum / n)].into_iter().take(ends)
        });
        Ok(Self {
            points: ends.collect(),
        })
    }

    /// Its value; beyond its ends that of the end. NaN only for a function without points, which a fit never is.
    pub fn at(&self, x: f64) -> f64 {
        let next = self.points.partition_point(|p| p.0 < x);
        match (
            next.checked_sub(1).map(|i| self.points[i]),
            self.points.get(next),
        ) {
            (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * ((x - x0) / (x1 - x0)),
            (Some((_, y)), None) | (None, Some(&(_, y))) => y,
            (None, None) => f64::NAN,
        }
    }
}

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its value at 0.
    pub intercept: f64,
    /// How much it rises for each 1.
    pub slope: f64,
}

impl Line {
    /// The line of `x` that is closest to `y` in squares (ordinary least squares).
    pub fn fit(x: &[f64], y: &[f64]) -> Result<Self, Undefined> {
        check(x, y)?;
        if x.iter().all(|v| *v == x[0]) {
            return Err(Undefined::Constant(Side::First));
        }
        let (mx, my) = (mean(x), mean(y));
        let over: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
        let under: f64 = x.iter().map(|x| (x - mx) * (x - mx)).sum();
        let slope = over / under;
        let intercept = my - slope * mx;
        if slope.is_finite() && intercept.is_finite() {
            Ok(Self { intercept, slope })
        } else {
            Err(Undefined::NotFinite)
        }
    }

    /// Its value.
    pub fn at(&self, x: f64) -> f64 {
        self.slope.mul_add(x, self.intercept)
    }
}

/// The share of the variance of `y` that `fitted` explains, 1 at the most; below 0 where the mean alone does better.
pub fn explained(y: &[f64], fitted: &[f64]) -> Statistic {
    check(y, fitted)?;
    let m = mean(y);
    let all: f64 = y.iter().map(|v| (v - m) * (v - m)).sum();
    let left: f64 = y.iter().zip(fitted).map(|(v, f)| (v - f) * (v - f)).sum();
    if y.iter().all(|v| *v == y[0]) {
        return Err(Undefined::Constant(Side::First));
    }
    Ok(1.0 - left / all)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn check(x: &[f64], y: &[f64]) -> Result<(), Undefined> {
    if x.len() != y.len() {
        return Err(Undefined::Unpaired {
            first: x.len(),
            second: y.len(),
        });
    }
    if x.len() < 2 {
        return Err(Undefined::TooFew);
    }
    if x.iter().chain(y).any(|v| !v.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    #[test]
    fn neighbours_that_fall_share_their_mean() {
        let fit = Isotonic::fit(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(fit.points, [(1.0, 1.0), (2.0, 2.5), (3.0, 2.5), (4.0, 4.0)]);
        assert_eq!([fit.at(0.0), fit.at(1.5), fit.at(9.0)], [1.0, 1.75, 4.0]);
        let ties = Isotonic::fit(&[2.0, 1.0, 2.0], &[5.0, 0.0, 1.0]).unwrap();
        assert_eq!(ties.points, [(1.0, 0.0), (2.0, 3.0)]);
        let falling = Isotonic::fit(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap();
        assert_eq!(falling.points, [(1.0, 2.0), (3.0, 2.0)]);
    }

    #[test]
    fn the_fit_rises_keeps_the_mean_and_no_rising_steps_are_closer() {
        for seed in 0..40 {
            let mut draw = draws(seed);
            let x: Vec<f64> = (0..30).map(|_| (draw() * 12.0).floor()).collect();
            let y: Vec<f64> = x.iter().map(|x| x * 0.2 + draw() * 3.0).collect();
            let fit = Isotonic::fit(&x, &y).unwrap();
            assert!(
                fit.points
                    .windows(2)
                    .all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1)
            );
            let fitted: Vec<f64> = x.iter().map(|x| fit.at(*x)).collect();
            assert!((mean(&fitted) - mean(&y)).abs() < 1e-9);
            let line = Line::fit(&x, &y).unwrap();
            if line.slope >= 0.0 {
                let straight: Vec<f64> = x.iter().map(|x| line.at(*x)).collect();
                assert!(
                    explained(&y, &fitted).unwrap() >= explained(&y, &straight).unwrap() - 1e-9
                );
            }
        }
    }

    #[test]
    fn a_line_is_found_again_and_needs_two_places() {
        let line = Line::fit(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]).unwrap();
        assert_eq!((line.intercept, line.slope), (1.0, 2.0));
        assert_eq!(
            Line::fit(&[1.0, 1.0], &[1.0, 2.0]),
            Err(Undefined::Constant(Side::First))
        );
        assert_eq!(Line::fit(&[1.0], &[1.0]), Err(Undefined::TooFew));
        assert_eq!(
            Isotonic::fit(&[1.0, f64::NAN], &[1.0, 1.0]),
            Err(Undefined::NotFinite)
        );
    }
}
