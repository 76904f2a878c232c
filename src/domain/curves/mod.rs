//! Curves of a run as numbers: smoothing that does not lie, thinning to what a screen can show, and axes.
//!
//! Order matters: a curve is smoothed from all its points and thinned after that, by the lowest and the highest value of every
//! column. Thinning first would make the smoothed line depend on the width of the screen
//! ([tensorboard#6829](https://github.com/tensorflow/tensorboard/issues/6829)).

mod ruler;

pub use ruler::{Ruler, Tick, round_step};

/// An exponential moving average over `y` at the places `x` (ascending), which weighs a point `weight` (0..1) times as much as
/// one that is `unit` later. It starts without bias: the value is the weighted mean of what came before, with weights that sum
/// to one, so the first value is the first point, and a constant stays what it is.
///
/// Spacing counts: a gap of ten units forgets as much as ten points would, so that what is measured every hundred steps is
/// smoothed over the same stretch as what is measured at every step. Values that are not finite are passed through as they are,
/// for the eye, and count for nothing after them. With fewer than three finite points there is nothing to smooth, and they come
/// back unchanged, as they do for a weight of 0.
pub fn smooth(x: &[f64], y: &[f64], weight: f64, unit: f64) -> Vec<f64> {
    let finite = y.iter().filter(|y| y.is_finite()).take(3).count();
    if finite < 3 || weight <= 0.0 || weight.is_nan() {
        return y.to_vec();
    }
    let (weight, unit) = (weight.min(1.0), unit.max(f64::MIN_POSITIVE));
    // Most spacings are the same, so that their powers need not be taken again.
    let (mut spacing, mut decay) = (unit, weight);
    let (mut mean, mut mass, mut last) = (0.0, 0.0, f64::NAN);
    let points = x.iter().zip(y);
    points
        .map(|(&x, &y)| {
            if !y.is_finite() {
                return y;
            }
            let gap = (x - last).max(0.0);
            if gap != spacing && gap.is_finite() {
                spacing = gap;
                decay = weight.powf(gap / unit);
            }
            last = x;
            mass = decay * mass + 1.0;
            // As a correction, so that a constant has no rounding.
            mean += (y - mean) / mass;
            mean
        })
        .collect()
}

/// The points of one column of the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Where, counted in columns from the left edge, in the middle of the column. The neighbours of what shows have places
    /// outside, so that a line can come in and go out.
    pub at: f64,
    /// The value it comes in with.
    pub first: f64,
    /// The value it leaves with.
    pub last: f64,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

/// A curve thinned to columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thinned {
    /// Columns that hold points, left to right; at most one more at either side.
    pub columns: Vec<Column>,
    /// Columns with values that have no place (no numbers, infinite, not above 0 on a logarithmic axis), and one of them each.
    pub lost: Vec<(usize, f64)>,
}

/// Thins the curve through (`x`, `y`), `x` ascending, to `columns` columns over what `across` shows, as far as its values have a
/// place on `up`. No point within is lost: each is between the lowest and the highest of its column.
pub fn thin(x: &[f64], y: &[f64], across: &Ruler, up: &Ruler, columns: usize) -> Thinned {
    let mut out = Thinned::default();
    let count = x.len().min(y.len());
    if columns == 0 || count == 0 {
        return out;
    }
    let (x, y) = (&x[..count], &y[..count]);
    let start = x.partition_point(|x| *x < across.low());
    let end = x.partition_point(|x| *x <= across.high());
    let outside = |i: usize| {
        let at = across.share(x[i])? * columns as f64;
        let y = y[i];
        Some(Column {
            at,
            first: y,
            last: y,
            low: y,
            high: y,
        })
    };
    let before = (0..start).rev().find(|i| up.share(y[*i]).is_some());
    out.columns.extend(before.and_then(outside));
    let mut open: Option<usize> = None;
    for (&x, &y) in x[start..end.max(start)].iter().zip(&y[start..]) {
        let Some(share) = across.share(x) else {
            continue;
        };
        let column = ((share * columns as f64) as usize).min(columns - 1);
        if up.share(y).is_none() {
            if out.lost.last().is_none_or(|(last, _)| *last != column) {
                out.lost.push((column, y));
            }
            continue;
        }
        match out.columns.last_mut() {
            Some(last) if open == Some(column) => {
                last.last = y;
                last.low = last.low.min(y);
                last.high = last.high.max(y);
            }
            _ => {
                open = Some(column);
                out.columns.push(Column {
                    at: column as f64 + 0.5,
                    first: y,
                    last: y,
                    low: y,
                    high: y,
                });
            }
        }
    }
    let after = (end.max(start)..count).find(|i| up.share(y[*i]).is_some());
    out.columns.extend(after.and_then(outside));
    out
}

/// The place of the point nearest to `at` among `x` (ascending) that is no farther from it than `reach`.
pub fn nearest(x: &[f64], at: f64, reach: f64) -> Option<usize> {
    let right = x.partition_point(|x| *x < at);
    let distance = |i: usize| x.get(i).map(|x| (x - at).abs());
    let left = right.checked_sub(1);
    let nearer = match (left.and_then(distance), distance(right)) {
        (Some(l), Some(r)) if l <= r => left,
        (Some(_), None) => left,
        (_, Some(_)) => Some(right),
        (None, None) => None,
    };
    nearer.filter(|i| distance(*i).is_some_and(|d| d <= reach))
}

/// The lowest and the highest finite value.
pub fn bounds(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|v| v.is_finite());
    finite.fold(None, |so_far, v| {
        let (low, high) = so_far.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

#[cfg(test)]
mod tests;
