//! What a run measured, by name, ready to be drawn: a fold over its events. A step that was done again after a resume
//! counts once, with what was measured last.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::event::{Event, Fact};

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The optimizer step, from 1.
    pub step: u64,
    /// Passes over the training data.
    pub epoch: f64,
    /// Seconds since 1970.
    pub time: f64,
    /// Seconds of work until then: time at which no process had the run is left out.
    pub worked: f64,
    /// What was measured; not always finite.
    pub value: f64,
}

/// What the model said of a group after some step.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The step.
    pub step: u64,
    /// Each candidate's mean and sigma: instruction following, visual quality, aggregate.
    pub rewards: Vec<[[f64; 2]; 3]>,
}

/// A state that the run can go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The step after which it was saved.
    pub step: u64,
    /// Its folder, below the run's.
    pub path: PathBuf,
    /// Whether it was the best when it was saved.
    pub best: bool,
}

/// All that a run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    metrics: BTreeMap<String, Vec<Point>>,
    samples: BTreeMap<u64, Vec<Arc<str>>>,
    followed: BTreeMap<String, Vec<Opinion>>,
    saved: Vec<Saved>,
    /// Group keys, each held once: a run names the same few thousand at every epoch.
    keys: BTreeSet<Arc<str>>,
    /// When the process at work took the run up, and the seconds of work before that.
    since: f64,
    before: f64,
    latest: f64,
}

impl History {
    /// Takes an event in. Events come in the order of the file.
    pub fn apply(&mut self, event: &Event) {
        match &event.fact {
            Fact::Started { .. } => {
                self.before = self.worked(self.latest);
                self.since = event.time;
            }
            Fact::Resumed { step } => self.forget_after(*step),
            Fact::Metrics {
                step,
                epoch,
                values,
            } => {
                let worked = self.worked(event.time);
                for (name, value) in values {
                    let point = Point {
                        step: *step,
                        epoch: *epoch,
                        time: event.time,
                        worked,
                        value: *value,
                    };
                    match self.metrics.get_mut(name) {
                        Some(points) => put(points, point, |p| p.step),
                        None => drop(self.metrics.insert(name.clone(), vec![point])),
                    }
                }
            }
            Fact::Samples { step, groups } => {
                let groups = groups.iter().map(|key| self.key(key)).collect();
                self.samples.insert(*step, groups);
            }
            Fact::Followed {
                step,
                group,
                rewards,
            } => {
                let opinion = Opinion {
                    step: *step,
                    rewards: rewards.clone(),
                };
                let opinions = self.followed.entry(group.clone()).or_default();
                put(opinions, opinion, |o| o.step);
            }
            Fact::Checkpoint { step, path, best } => {
                let saved = Saved {
                    step: *step,
                    path: path.clone(),
                    best: *best,
                };
                put(&mut self.saved, saved, |s| s.step);
            }
            Fact::Queued { .. }
            | Fact::Phase { .. }
            | Fact::Progress { .. }
            | Fact::Note { .. }
            | Fact::Ended { .. } => {}
        }
        // Waiting in a queue is no work.
        if !matches!(event.fact, Fact::Queued { .. }) {
            self.latest = self.latest.max(event.time);
        }
    }

    fn worked(&self, time: f64) -> f64 {
        self.before + (time - self.since).max(0.0)
    }

    fn key(&mut self, key: &str) -> Arc<str> {
        if let Some(known) = self.keys.get(key) {
            return Arc::clone(known);
        }
        let key: Arc<str> = key.into();
        self.keys.insert(Arc::clone(&key));
        key
    }

    fn forget_after(&mut self, step: u64) {
        for points in self.metrics.values_mut() {
            points.truncate(points.partition_point(|p| p.step <= step));
        }
        for opinions in self.followed.values_mut() {
            opinions.truncate(opinions.partition_point(|o| o.step <= step));
        }
        self.metrics.retain(|_, points| !points.is_empty());
        self.followed.retain(|_, opinions| !opinions.is_empty());
        self.samples.split_off(&step.saturating_add(1));
        self.saved.retain(|s| s.step <= step);
    }

    /// The names of what was measured, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// A metric's values by rising step; empty for a name that is not known.
    pub fn metric(&self, name: &str) -> &[Point] {
        self.metrics.get(name).map_or(&[], Vec::as_slice)
    }

    /// The keys of the groups that a step was made of, where they were noted.
    pub fn groups_of(&self, step: u64) -> &[Arc<str>] {
        self.samples.get(&step).map_or(&[], Vec::as_slice)
    }

    /// The groups that are followed over time, each with what the model said of it, by rising step.
    pub fn followed(&self) -> impl Iterator<Item = (&str, &[Opinion])> {
        self.followed
            .iter()
            .map(|(key, opinions)| (key.as_str(), opinions.as_slice()))
    }

    /// The states that were saved, by rising step. Old ones may have been removed from the disk since.
    pub fn saved(&self) -> &[Saved] {
        &self.saved
    }
}

/// Keeps `items` sorted by step, one a step; nearly always `item` is the last.
fn put<T>(items: &mut Vec<T>, item: T, step: impl Fn(&T) -> u64) {
    let at = step(&item);
    if items.last().is_none_or(|last| step(last) < at) {
        items.push(item);
        return;
    }
    match items.binary_search_by_key(&at, step) {
        Ok(i) => items[i] = item,
        Err(i) => items.insert(i, item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: f64, fact: Fact) -> Event {
        Event { time, fact }
    }

    fn started(time: f64) -> Event {
        let host = "h".into();
        at(time, Fact::Started { pid: 1, host })
    }

    fn loss(time: f64, step: u64, value: f64) -> Event {
        let values = BTreeMap::from([("loss".to_owned(), value)]);
        let epoch = step as f64 / 10.0;
        at(
            time,
            Fact::Metrics {
                step,
                epoch,
                values,
            },
        )
    }

    fn history(events: &[Event]) -> History {
        let mut history = History::default();
        for event in events {
            history.apply(event);
        }
        history
    }

    fn values(history: &History) -> Vec<(u64, f64)> {
        let points = history.metric("loss").iter();
        points.map(|p| (p.step, p.value)).collect()
    }

    #[test]
    fn steps_beyond_the_state_that_was_gone_on_from_are_void() {
        let groups = |step| {
            let groups = vec![format!("g{step}")];
            at(0.0, Fact::Samples { step, groups })
        };
        let saved = |step| {
            let path = format!("checkpoints/{step}").into();
            let best = false;
            at(0.0, Fact::Checkpoint { step, path, best })
        };
        let mut events = vec![started(0.0)];
        for step in 1..=5 {
            events.extend([loss(0.0, step, step as f64), groups(step), saved(step)]);
        }
        events.extend([started(9.0), at(9.0, Fact::Resumed { step: 3 })]);
        let resumed = history(&events);
        assert_eq!(values(&resumed), [(1, 1.0), (2, 2.0), (3, 3.0)]);
        assert_eq!(resumed.groups_of(3), ["g3".into()]);
        assert_eq!(resumed.groups_of(4), []);
        assert_eq!(resumed.saved().last().unwrap().step, 3);
        events.push(loss(9.0, 4, 40.0));
        assert_eq!(values(&history(&events)).last(), Some(&(4, 40.0)));
        events.push(at(10.0, Fact::Resumed { step: 0 }));
        let anew = history(&events);
        assert_eq!((anew.names().count(), anew.saved().len()), (0, 0));
    }

    #[test]
    fn a_step_that_was_measured_twice_has_its_last_value() {
        let events = [
            loss(0.0, 1, 1.0),
            loss(0.0, 3, 3.0),
            loss(0.0, 3, 30.0),
            loss(0.0, 2, 2.0),
            loss(0.0, 1, f64::NAN),
        ];
        let read = values(&history(&events));
        assert!(read[0].1.is_nan());
        assert_eq!(read[1..], [(2, 2.0), (3, 30.0)]);
    }

    #[test]
    fn time_without_a_process_is_no_work() {
        let queued = Fact::Queued {
            device: "cpu".into(),
        };
        let events = [
            at(50.0, queued.clone()),
            started(100.0),
            loss(110.0, 1, 0.0),
            at(5000.0, queued),
            started(9000.0),
            loss(9005.0, 2, 0.0),
        ];
        let history = history(&events);
        let worked: Vec<f64> = history.metric("loss").iter().map(|p| p.worked).collect();
        assert_eq!(worked, [10.0, 15.0]);
    }
}
