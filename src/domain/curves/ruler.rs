//! One axis of a chart: which values it shows, linear or logarithmic, and where its numbers stand.

/// Zooming stops where neighbouring numbers would be hardly told apart.
const LEAST_SPAN: f64 = 1e-9;
/// Beyond these, arithmetic on the ends would overflow: of a value, and of one that is divided by another.
const LARGEST: f64 = 1e300;
const LARGEST_FACTOR: f64 = 1e150;

/// A range laid out evenly, or evenly by factors. Its ends are finite, the first below the second, and above 0 where it is
/// logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ruler {
    low: f64,
    high: f64,
    log: bool,
}

/// A number on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// As it is written.
    pub text: String,
}

impl Ruler {
    /// From `low` to `high`. Ends that are no range are mended: turned around, widened about a single value, replaced where
    /// they are no numbers; a logarithmic ruler begins above 0.
    pub fn new(low: f64, high: f64, log: bool) -> Self {
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) => (low.min(high), low.max(high)),
            (true, false) => (low, low),
            (false, true) => (high, high),
            (false, false) => (0.0, 1.0),
        };
        let [low, high] = [low, high].map(|end| end.clamp(-LARGEST, LARGEST));
        let mut ruler = Self { low, high, log };
        if log {
            let kept = |value: f64| value.clamp(1.0 / LARGEST_FACTOR, LARGEST_FACTOR);
            ruler.high = if high > 0.0 { kept(high) } else { 1.0 };
            ruler.low = if low > 0.0 {
                kept(low)
            } else {
                ruler.high / 1e3
            };
            if ruler.high / ruler.low < 1.0 + LEAST_SPAN {
                (ruler.low, ruler.high) = (ruler.low / 2.0, ruler.high * 2.0);
            }
        } else if high - low <= low.abs().max(high.abs()) * LEAST_SPAN {
            let pad = if low == 0.0 { 0.5 } else { low.abs() * 0.1 };
            (ruler.low, ruler.high) = (low - pad, high + pad);
        }
        ruler
    }

    /// The lowest value on it.
    pub const fn low(&self) -> f64 {
        self.low
    }

    /// The highest value on it.
    pub const fn high(&self) -> f64 {
        self.high
    }

    /// Whether it is laid out by factors.
    pub const fn is_log(&self) -> bool {
        self.log
    }

    /// Where a value is: 0 at the low end, 1 at the high one, beyond them outside. `None` for what has no place on it: no number,
    /// or not above 0 on a logarithmic one.
    pub fn share(&self, value: f64) -> Option<f64> {
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        (share.is_finite() && (!self.log || value > 0.0)).then_some(share)
    }

    /// The value at a share of the way.
    pub fn value(&self, share: f64) -> f64 {
        if self.log {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + (self.high - self.low) * share
        }
    }

    /// A little more at both ends, so that nothing is drawn on the edge.
    #[must_use]
    pub fn padded(&self, by: f64) -> Self {
        Self::new(self.value(-by), self.value(1.0 + by), self.log)
    }

    /// The part that is `factor` times as long, with the value at `share` staying where it is.
    #[must_use]
    pub fn zoomed(&self, factor: f64, share: f64) -> Self {
        let (low, high) = (
            self.value(share - share * factor),
            self.value(share + (1.0 - share) * factor),
        );
        let least = low.abs().max(high.abs()).max(1e-12) * LEAST_SPAN * 1e3;
        if high - low <= least {
            return *self;
        }
        Self::new(low, high, self.log)
    }

    /// The same length, `by` of it farther on.
    #[must_use]
    pub fn panned(&self, by: f64) -> Self {
        Self::new(self.value(by), self.value(1.0 + by), self.log)
    }

    /// Numbers at round places, at most `most`, at least one where that is possible.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        if most == 0 {
            return Vec::new();
        }
        if self.log {
            let ticks = self.log_ticks(most);
            if ticks.len() >= 2.min(most) {
                return ticks;
            }
        }
        self.even_ticks(most)
    }

    fn even_ticks(&self, most: usize) -> Vec<Tick> {
        let span = self.high - self.low;
        let mut step = round_step(span / most as f64);
        // A range may hold one number more than its length says.
        for _ in 0..3 {
            let first = (self.low / step).ceil();
            let ticks: Vec<Tick> = (0..=most)
                .map(|i| (first + i as f64) * step)
                .take_while(|value| *value <= self.high)
                .map(|value| tick(value, step))
                .collect();
            if ticks.len() <= most {
                return ticks;
            }
            step = round_step(step * 1.01);
        }
        Vec::new()
    }

    /// At 1, 2 and 5 of every power of ten, or at powers alone, as many as there may be.
    fn log_ticks(&self, most: usize) -> Vec<Tick> {
        let (from, to) = (self.low.log10().floor(), self.high.log10().ceil());
        let powers = (to - from).clamp(0.0, 640.0) as usize;
        let at = |power: usize, digit: f64| digit * 10_f64.powf(from + power as f64);
        let choose = |digits: &[f64], stride: usize| -> Vec<Tick> {
            (0..=powers)
                .step_by(stride)
                .flat_map(|power| digits.iter().map(move |digit| at(power, *digit)))
                .filter(|value| (self.low..=self.high).contains(value))
                .map(|value| tick(value, 10_f64.powf(value.log10().floor())))
                .collect()
        };
        let fine = choose(&[1.0, 2.0, 5.0], 1);
        if fine.len() <= most {
            return fine;
        }
        let strides = (1..=powers.max(1)).map(|stride| choose(&[1.0], stride));
        strides
            .into_iter()
            .find(|t| t.len() <= most)
            .unwrap_or_default()
    }
}

/// The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below `least`.
pub fn round_step(least: f64) -> f64 {
    let magnitude = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * magnitude)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * magnitude)
}

/// A number with as many decimals as its step has; thousands as `12k`, `3M`.
fn tick(value: f64, step: f64) -> Tick {
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    Tick {
        value,
        text: written(value, step),
    }
}

fn written(value: f64, step: f64) -> String {
    let size = value.abs();
    for (unit, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if size >= unit && size < 1e12 && step >= unit / 1e3 {
            let decimals = decimals(step / unit);
            return format!("{:.decimals$}{letter}", value / unit);
        }
    }
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.0e}");
    }
    let decimals = decimals(step);
    format!("{value:.decimals$}")
}

/// Decimals that a step needs, 6 at most.
fn decimals(step: f64) -> usize {
    (0..6)
        .find(|d| {
            let scaled = step * 10_f64.powi(*d);
            scaled >= 0.999 && (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .map_or(6, |d| d as usize)
}
