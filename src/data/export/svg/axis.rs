//! From numbers to pixels, with round numbers at the ticks.

/// How many ticks an axis has at most, give or take one.
const TICKS: f64 = 6.0;

/// What stands at the ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// Percent of shares.
    Percent,
    /// The numbers themselves.
    Plain,
}

/// An axis of a plot. Percent are shown of shares.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    step: f64,
    scale: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// From a low number at the pixel `from` to a higher one at `to`.
    pub fn new((low, high): (f64, f64), (from, to): (f64, f64), unit: impl Into<Ticks>) -> Self {
        let scale = match unit.into() {
            Ticks::Percent => 100.0,
            Ticks::Plain => 1.0,
        };
        Self {
            low,
            high,
            step: step((high - low) * scale) / scale,
            scale,
            from,
            to,
        }
    }

    /// The shortest axis between round numbers that has room for all of these. `None` without a finite number.
    pub fn around(
        values: impl IntoIterator<Item = f64>,
        pixels: (f64, f64),
        unit: impl Into<Ticks>,
    ) -> Option<Self> {
        let unit = unit.into();
        let finite = values.into_iter().filter(|v| v.is_finite());
        let (mut low, mut high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        if low > high {
            return None;
        }
        let within = 0.0 <= low && high <= 1.0 && unit == Ticks::Percent;
        if high - low < 1e-9 * high.abs().max(1e-3) {
            let room = match unit {
                Ticks::Percent => 0.05,
                Ticks::Plain => (0.1 * high.abs()).max(0.1),
            };
            (low, high) = (low - room, high + room);
        }
        let step = Self::new((low, high), pixels, unit).step;
        // A share of the step keeps what lies on a tick off the border.
        low = ((low - 0.2 * step) / step).floor() * step;
        high = ((high + 0.2 * step) / step).ceil() * step;
        if within {
            (low, high) = (low.max(0.0), high.min(1.0));
        }
        Some(Self::new((low, high), pixels, unit))
    }

    /// The pixel of a number.
    pub fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The lowest number.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The highest number.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// The ticks: pixels and what stands beside them.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step - 1e-6).ceil();
        let last = (self.high / self.step + 1e-6).floor();
        let decimals = (-(self.step * self.scale).log10().floor()).max(0.0) as usize;
        (0..=(last - first) as usize)
            .map(|i| {
                let value = (first + i as f64) * self.step;
                // Zero is not negative.
                let text = format!("{:.decimals$}", value * self.scale + 0.0);
                (self.at(value), text)
            })
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, so that a range has about six steps.
fn step(range: f64) -> f64 {
    let rough = range / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|m| m * power >= rough * 0.999_999);
    round.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_where_they_belong() {
        let axis = Axis::new((0.5, 1.0), (0.0, 100.0), Ticks::Percent);
        assert_eq!(labels(&axis), ["50", "60", "70", "80", "90", "100"]);
        let at: Vec<f64> = axis.ticks().iter().map(|(x, _)| x.round()).collect();
        assert_eq!(at, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let upwards = Axis::new((-0.02, 0.04), (90.0, 0.0), Ticks::Plain);
        assert_eq!(
            labels(&upwards),
            ["-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03", "0.04"]
        );
        assert_eq!(upwards.at(0.01).round(), 45.0);
    }

    #[test]
    fn an_axis_has_room_for_all_numbers_and_shares_stay_between_0_and_100() {
        let axis = Axis::around([0.98, 0.995, f64::NAN], (0.0, 1.0), Ticks::Percent).unwrap();
        assert!(axis.low() < 0.98 && axis.high() <= 1.0 && axis.high() >= 0.995);
        let negative = Axis::around([-0.03, 0.4], (0.0, 1.0), Ticks::Percent).unwrap();
        assert!(negative.low() < -0.03);
        assert!(Axis::around([f64::NAN], (0.0, 1.0), Ticks::Plain).is_none());
    }

    #[test]
    fn a_single_number_lies_within() {
        for value in [0.0, 0.5, -3.0, 7.25] {
            let axis = Axis::around([value], (0.0, 100.0), Ticks::Plain).unwrap();
            let at = axis.at(value);
            assert!(at > 0.0 && at < 100.0, "{value} at {at}");
            assert!((2..=9).contains(&axis.ticks().len()));
        }
    }
}
