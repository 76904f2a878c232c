//! What a run has told so far, in the shape that charts and panes need: its summary, its history, and every metric as a line,
//! smoothed. Built from the run's events as they come; knows no files and no clock.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::curves::smooth;
use crate::runs::{Event, Fact, History, Point, Summary};

/// Notes kept, the newest; a run may write them for months.
const NOTES: usize = 100;

/// What lies on the horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Across {
    /// Optimizer steps.
    #[default]
    Step,
    /// Passes over the data.
    Epoch,
    /// Hours that the run was at work.
    Hours,
}

impl Across {
    /// The next in the cycle.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Step => Self::Epoch,
            Self::Epoch => Self::Hours,
            Self::Hours => Self::Step,
        }
    }

    /// Its name.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Step => "steps",
            Self::Epoch => "epochs",
            Self::Hours => "hours",
        }
    }
}

/// One metric over the run; all of the same length.
#[derive(Debug, Clone, Default)]
pub(crate) struct MetricLine {
    steps: Vec<f64>,
    epochs: Vec<f64>,
    hours: Vec<f64>,
    /// As measured.
    pub(crate) raw: Vec<f64>,
    /// Smoothed over steps.
    pub(crate) smooth: Vec<f64>,
    /// Of the smoothing: how much, over what.
    weight: f64,
    unit: f64,
}

impl MetricLine {
    /// Where the values lie.
    pub(crate) fn across(&self, across: Across) -> &[f64] {
        match across {
            Across::Step => &self.steps,
            Across::Epoch => &self.epochs,
            Across::Hours => &self.hours,
        }
    }

    /// The step of the value at `index`.
    pub(crate) fn step(&self, index: usize) -> Option<u64> {
        self.steps.get(index).map(|step| *step as u64)
    }

    /// Takes over what `points` has more or other than at the last time; nearly always that is a few at the end.
    fn follow(&mut self, points: &[Point]) {
        let known = self.raw.len();
        let grown = known <= points.len()
            && known.checked_sub(1).is_none_or(|last| {
                points[last].step as f64 == self.steps[last]
                    && points[last].value.to_bits() == self.raw[last].to_bits()
                    && points[last].worked / 3600.0 == self.hours[last]
            });
        if !grown {
            *self = Self::default();
        }
        let more = &points[self.raw.len()..];
        self.steps.extend(more.iter().map(|p| p.step as f64));
        self.epochs.extend(more.iter().map(|p| p.epoch));
        self.hours.extend(more.iter().map(|p| p.worked / 3600.0));
        self.raw.extend(more.iter().map(|p| p.value));
    }

    /// Steps between two values; endless where there is no second one.
    fn spacing(&self) -> f64 {
        match self.steps.as_slice() {
            [first, .., last] if last > first => (last - first) / (self.steps.len() - 1) as f64,
            _ => f64::INFINITY,
        }
    }

    fn smoothen(&mut self, weight: f64, unit: f64) {
        let same = self.weight == weight && self.unit == unit;
        if !same || self.smooth.len() != self.raw.len() {
            (self.weight, self.unit) = (weight, unit);
            self.smooth = smooth(&self.steps, &self.raw, weight, unit);
        }
    }
}

/// What a run has told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// How it stands.
    pub(crate) summary: Summary,
    /// What it measured.
    pub(crate) history: History,
    /// The metrics by name.
    pub(crate) lines: BTreeMap<String, MetricLine>,
    /// What a person should know, oldest first.
    pub(crate) notes: VecDeque<String>,
    sampled: Vec<u64>,
}

impl Told {
    /// Takes events in, in the order they were written.
    pub(crate) fn take(&mut self, events: &[Event]) {
        for event in events {
            self.summary.apply(event);
            self.history.apply(event);
            match &event.fact {
                Fact::Note { text } => {
                    self.notes.push_back(text.clone());
                    if self.notes.len() > NOTES {
                        self.notes.pop_front();
                    }
                }
                Fact::Samples { step, .. } => {
                    self.sampled
                        .truncate(self.sampled.partition_point(|known| known < step));
                    self.sampled.push(*step);
                }
                Fact::Resumed { step } => {
                    let kept = self.sampled.partition_point(|known| known <= step);
                    self.sampled.truncate(kept);
                }
                _ => {}
            }
        }
    }

    /// Brings every line up to date. All are smoothed over the same stretch: `weight` is that of one value earlier of the metric
    /// that is measured most often.
    pub(crate) fn refresh(&mut self, weight: f64) {
        let history = &self.history;
        let known: Vec<&str> = history.names().collect();
        self.lines
            .retain(|name, _| known.binary_search(&name.as_str()).is_ok());
        for name in known {
            if let Some(line) = self.lines.get_mut(name) {
                line.follow(history.metric(name));
            } else {
                let mut line = MetricLine::default();
                line.follow(history.metric(name));
                self.lines.insert(name.to_owned(), line);
            }
        }
        let spacings = self.lines.values().map(MetricLine::spacing);
        let least = spacings.fold(f64::INFINITY, f64::min);
        let unit = if least.is_finite() { least } else { 1.0 };
        for line in self.lines.values_mut() {
            line.smoothen(weight, unit);
        }
    }

    /// The last step up to `step` of which the groups are known, and their keys.
    pub(crate) fn samples(&self, step: u64) -> Option<(u64, Vec<String>)> {
        let last = self.sampled.partition_point(|known| *known <= step);
        let step = *self.sampled.get(last.checked_sub(1)?)?;
        let keys = self.history.groups_of(step);
        Some((step, keys.iter().map(ToString::to_string).collect()))
    }

    /// The groups that are followed over time.
    pub(crate) fn followed(&self) -> Vec<&str> {
        self.history.followed().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: f64, fact: Fact) -> Event {
        Event { time, fact }
    }

    fn metric(step: u64, value: f64) -> Event {
        let fact = Fact::Metrics {
            step,
            epoch: step as f64 / 10.0,
            values: BTreeMap::from([("train.loss".into(), value)]),
        };
        at(step as f64 * 36.0, fact)
    }

    fn of(told: &mut Told, weight: f64) -> &MetricLine {
        told.refresh(weight);
        &told.lines["train.loss"]
    }

    #[test]
    fn lines_grow_with_the_history_and_shrink_with_a_resume() {
        let mut told = Told::default();
        told.take(&[at(
            0.0,
            Fact::Started {
                pid: 1,
                host: "h".into(),
            },
        )]);
        told.take(&(1..=9).map(|step| metric(step, 1.0)).collect::<Vec<_>>());
        let line = of(&mut told, 0.0);
        assert_eq!(line.across(Across::Hours)[8], 0.09);
        assert_eq!(line.across(Across::Epoch)[8], 0.9);
        told.take(&[at(400.0, Fact::Resumed { step: 5 })]);
        told.take(&[metric(6, 2.0), metric(7, 2.0)]);
        let line = of(&mut told, 0.0);
        assert_eq!(
            line.across(Across::Step),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        );
        assert_eq!(line.raw, [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
        told.take(&[at(500.0, Fact::Resumed { step: 0 })]);
        told.refresh(0.0);
        assert!(told.lines.is_empty());
    }

    #[test]
    fn smoothing_follows_new_points_and_a_new_strength() {
        let mut told = Told::default();
        let events: Vec<Event> = (1..=50)
            .map(|step| metric(step, (step % 2) as f64))
            .collect();
        told.take(&events);
        let last = of(&mut told, 0.9).smooth[49];
        assert!((0.4..0.6).contains(&last), "{last}");
        assert_eq!(of(&mut told, 0.0).smooth[49], 0.0);
        told.take(&[metric(51, 7.0)]);
        assert_eq!(of(&mut told, 0.9).smooth.len(), 51);
    }

    #[test]
    fn the_groups_of_a_step_are_those_last_told_of() {
        let mut told = Told::default();
        let samples = |step, groups: &[&str]| {
            let groups = groups.iter().map(|key| (*key).to_owned()).collect();
            at(0.0, Fact::Samples { step, groups })
        };
        told.take(&[samples(3, &["a", "b"]), samples(5, &["b", "c"])]);
        assert_eq!(told.samples(2), None);
        let of = |step| told.samples(step).unwrap();
        assert_eq!(of(4), (3, vec!["a".into(), "b".into()]));
        assert_eq!(of(90), (5, vec!["b".into(), "c".into()]));
    }
}
