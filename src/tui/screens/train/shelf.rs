//! The runs: the list of them, newest first, which one is marked, which ones show in the charts and in which colour, which one
//! the others are compared with, and what each of those has told.

use std::collections::BTreeMap;

use super::told::Told;
use crate::runs::{Event, Manifest, Progress, State};
use crate::tui::screens::prose;
use crate::tui::widgets::meter::percent;

/// Colours and marks that tell runs apart.
const COLOURS: usize = 8;

/// A run as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its folder's name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) manifest: Manifest,
    /// What it does.
    pub(crate) state: State,
    /// How far it has come.
    pub(crate) progress: Option<Progress>,
    /// What it is busy with, where that is not its proper work.
    pub(crate) phase: Option<String>,
    /// Why it is where it is.
    pub(crate) reason: Option<String>,
    /// When things happened to it.
    pub(crate) times: Times,
    /// The number that a cluster knows it by.
    pub(crate) job: Option<String>,
    /// The process that took it up last, and its machine.
    pub(crate) process: Option<(u32, String)>,
}

/// When things happened to a run, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Times {
    /// It was put into a queue last.
    pub(crate) queued: Option<f64>,
    /// A process first took it up.
    pub(crate) started: Option<f64>,
    /// The last fact was noted.
    pub(crate) latest: Option<f64>,
}

impl Times {
    /// Seconds from the beginning to the last that was heard.
    pub(crate) fn span(self) -> Option<f64> {
        Some((self.latest? - self.started?).max(0.0))
    }
}

impl Entry {
    /// What a person calls it.
    pub(crate) fn title(&self) -> &str {
        if self.manifest.title.trim().is_empty() {
            &self.name
        } else {
            &self.manifest.title
        }
    }

    /// The share done, if known.
    pub(crate) fn share(&self) -> Option<f64> {
        let progress = self.progress.as_ref()?;
        let total = progress.total.filter(|total| *total > 0)?;
        Some(progress.done as f64 / total as f64)
    }
}

/// The runs.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    entries: Option<Vec<Entry>>,
    told: BTreeMap<String, Told>,
    marked: Option<String>,
    top: usize,
    shown: Vec<String>,
    colours: BTreeMap<String, usize>,
    /// The run that the others are compared with.
    pub(crate) baseline: Option<String>,
    /// A run that was started here and is not in the list yet.
    expected: Option<String>,
}

impl Shelf {
    /// The list was read.
    pub(crate) fn list(&mut self, entries: Vec<Entry>) {
        let known = |name: &String| entries.iter().any(|entry| entry.name == *name);
        self.shown.retain(known);
        self.told.retain(|name, _| known(name));
        self.colours.retain(|name, _| known(name));
        self.baseline.take_if(|name| !known(name));
        if let Some(name) = self.expected.take_if(|name| known(name)) {
            self.marked = Some(name);
        }
        if !self.marked.as_ref().is_some_and(known) {
            // Something to look at: the newest that was not only asked for.
            let begun = |entry: &&Entry| entry.state != State::Queued;
            let first = entries.iter().find(begun).or(entries.first());
            self.marked = first.map(|entry| entry.name.clone());
        }
        self.entries = Some(entries);
        self.colour();
    }

    /// A run told more; `anew`: what it told before is void. False if nobody wants to know.
    pub(crate) fn tell(&mut self, name: &str, events: &[Event], anew: bool, weight: f64) -> bool {
        if !self.visible().contains(&name) {
            return false;
        }
        let told = self.told.entry(name.to_owned()).or_default();
        if anew {
            *told = Told::default();
        }
        told.take(events);
        told.refresh(weight);
        true
    }

    /// Another strength of smoothing.
    pub(crate) fn refresh(&mut self, weight: f64) {
        for told in self.told.values_mut() {
            told.refresh(weight);
        }
    }

    /// All runs, newest first.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// Whether the list was read at all.
    pub(crate) const fn is_read(&self) -> bool {
        self.entries.is_some()
    }

    /// The run called `name`.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.name == name)
    }

    /// What a run has told.
    pub(crate) fn told(&self, name: &str) -> Option<&Told> {
        self.told.get(name)
    }

    /// The marked run.
    pub(crate) fn marked(&self) -> Option<&Entry> {
        self.entry(self.marked.as_ref()?)
    }

    /// What the marked run has told.
    pub(crate) fn marked_told(&self) -> Option<&Told> {
        self.told(self.marked.as_ref()?)
    }

    /// The marked run's place in the list.
    pub(crate) fn position(&self) -> usize {
        let marked = |entry: &Entry| Some(&entry.name) == self.marked.as_ref();
        self.entries().iter().position(marked).unwrap_or(0)
    }

    /// Marks the run at `position`, or the last.
    pub(crate) fn mark(&mut self, position: usize) {
        let last = self.entries().len().saturating_sub(1);
        let entry = self.entries().get(position.min(last));
        self.marked = entry.map(|entry| entry.name.clone());
        self.colour();
    }

    /// Marks the run of that name as soon as it is in the list.
    pub(crate) fn wait_for(&mut self, name: String) {
        if self.entry(&name).is_some() {
            self.marked = Some(name);
            self.colour();
        } else {
            self.expected = Some(name);
        }
    }

    /// Moves the mark, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        self.mark(self.position().saturating_add_signed(by));
    }

    /// The marked run shows even when another is marked, or does no longer.
    pub(crate) fn toggle(&mut self) {
        let Some(marked) = self.marked.clone() else {
            return;
        };
        if let Some(at) = self.shown.iter().position(|name| *name == marked) {
            self.shown.remove(at);
        } else {
            self.shown.push(marked);
        }
        self.colour();
    }

    /// The marked run is the one that others are compared with, or is no longer.
    pub(crate) fn pin(&mut self) {
        let marked = self.marked.clone();
        if self.baseline == marked {
            self.baseline = None;
        } else {
            self.baseline = marked;
        }
        self.colour();
    }

    /// Whether a run was chosen to show.
    pub(crate) fn is_shown(&self, name: &str) -> bool {
        self.shown.iter().any(|shown| shown == name)
    }

    /// The runs in the charts, the frontmost last.
    pub(crate) fn visible(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        let names = self.baseline.iter().chain(&self.shown);
        for name in names.filter(|name| Some(*name) != self.marked.as_ref()) {
            if !out.contains(&name.as_str()) {
                out.push(name);
            }
        }
        out.extend(self.marked.as_deref());
        out
    }

    /// A run's colour and mark, while it shows.
    pub(crate) fn series(&self, name: &str) -> Option<usize> {
        self.colours.get(name).copied()
    }

    /// Gives colours to what shows: each run keeps its own as long as it shows, by its place in time where that is free, so that
    /// it mostly has the same one again.
    fn colour(&mut self) {
        let visible: Vec<String> = self.visible().into_iter().map(str::to_owned).collect();
        self.colours.retain(|name, _| visible.contains(name));
        self.told.retain(|name, _| visible.contains(name));
        for name in visible {
            if self.colours.contains_key(&name) {
                continue;
            }
            let entries = self.entries();
            let Some(place) = entries.iter().position(|entry| entry.name == name) else {
                continue;
            };
            let age = entries.len() - 1 - place;
            let free = |colour: &usize| !self.colours.values().any(|used| used == colour);
            let wanted = (age..age + COLOURS)
                .map(|colour| colour % COLOURS)
                .find(free);
            let colour = wanted.unwrap_or(age % COLOURS);
            self.colours.insert(name, colour);
        }
    }

    /// The first run on screen.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// Scrolls so that the mark is within `height` rows.
    pub(crate) fn scroll(&mut self, height: usize) {
        let (height, at) = (height.max(1), self.position());
        self.top = self
            .top
            .min(at)
            .max((at + 1).saturating_sub(height))
            .min(self.entries().len().saturating_sub(height));
    }

    /// The live runs in a few words, for every screen.
    pub(crate) fn digest(&self) -> Option<String> {
        let live = |state| {
            let of = move |entry: &&Entry| entry.state == state;
            self.entries().iter().filter(of)
        };
        let mut words: Vec<String> = Vec::new();
        let running: Vec<&Entry> = live(State::Running).collect();
        match running.as_slice() {
            [] => {}
            [one] => {
                let mut parts = vec![format!("▶ {}", prose::line(one.title(), 16))];
                parts.extend(one.share().map(percent));
                let left = one.progress.as_ref().and_then(|p| p.seconds_left);
                parts.extend(left.map(|left| format!("{} left", prose::duration(left))));
                words.push(parts.join(" "));
            }
            several => {
                let shares: Vec<f64> = several.iter().filter_map(|run| run.share()).collect();
                let mut parts = vec![format!("▶ {} runs", several.len())];
                if shares.len() == several.len() {
                    parts.push(percent(shares.iter().sum::<f64>() / shares.len() as f64));
                }
                words.push(parts.join(" "));
            }
        }
        let (queued, stalled) = (live(State::Queued).count(), live(State::Stalled).count());
        if queued > 0 {
            words.push(format!("{queued} queued"));
        }
        if stalled > 0 {
            words.push(format!("{stalled} stalled"));
        }
        (!words.is_empty()).then(|| words.join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn names(shelf: &Shelf) -> Vec<&str> {
        shelf.visible()
    }

    #[test]
    fn the_newest_is_marked_first_and_the_mark_stays_with_its_run() {
        let mut shelf = Shelf::default();
        shelf.step(3);
        assert!(shelf.marked().is_none());
        shelf.list(sample::runs(3));
        assert_eq!(shelf.marked().unwrap().name, "run-3");
        shelf.step(1);
        assert_eq!(shelf.marked().unwrap().name, "run-2");
        shelf.list(sample::runs(5));
        assert_eq!((shelf.position(), names(&shelf)), (3, vec!["run-2"]));
        shelf.step(99);
        assert_eq!(shelf.marked().unwrap().name, "run-1");
    }

    #[test]
    fn the_marked_run_is_in_front_of_those_shown_and_of_the_baseline() {
        let mut shelf = Shelf::default();
        shelf.list(sample::runs(4));
        shelf.toggle();
        shelf.step(1);
        shelf.pin();
        shelf.step(1);
        assert_eq!(names(&shelf), ["run-3", "run-4", "run-2"]);
        shelf.step(-2);
        assert_eq!(names(&shelf), ["run-3", "run-4"]);
        shelf.toggle();
        shelf.step(1);
        shelf.pin();
        assert_eq!(names(&shelf), ["run-3"]);
    }

    #[test]
    fn no_two_runs_that_show_have_the_same_colour_and_none_changes_it() {
        let mut shelf = Shelf::default();
        shelf.list(sample::runs(30));
        let mut before: BTreeMap<String, usize> = BTreeMap::new();
        for step in [0_isize, 8, 8, 3, 1, 1] {
            shelf.step(step);
            shelf.toggle();
            let colours: BTreeMap<String, usize> = names(&shelf)
                .iter()
                .map(|name| ((*name).to_owned(), shelf.series(name).unwrap()))
                .collect();
            let mut distinct: Vec<&usize> = colours.values().collect();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), colours.len(), "{colours:?}");
            for (name, colour) in &before {
                assert!(colours.get(name).is_none_or(|now| now == colour));
            }
            before = colours;
        }
    }

    #[test]
    fn a_run_that_is_gone_is_forgotten() {
        let mut shelf = Shelf::default();
        shelf.list(sample::runs(3));
        shelf.toggle();
        shelf.pin();
        assert!(shelf.tell("run-3", &[], false, 0.0));
        assert!(!shelf.tell("run-1", &[], false, 0.0));
        shelf.list(sample::runs(2));
        assert_eq!(names(&shelf), ["run-2"]);
        assert!(shelf.baseline.is_none() && shelf.told("run-3").is_none());
    }

    #[test]
    fn the_digest_names_one_run_and_counts_several() {
        let mut shelf = Shelf::default();
        assert_eq!(shelf.digest(), None);
        let mut runs = sample::runs(3);
        shelf.list(runs.clone());
        assert_eq!(shelf.digest().unwrap(), "▶ run three 50% 25 min left");
        runs[1].state = State::Running;
        runs[2].state = State::Queued;
        shelf.list(runs);
        assert_eq!(shelf.digest().unwrap(), "▶ 2 runs 75% · 1 queued");
    }
}
