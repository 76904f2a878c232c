//! The runs in the order of this screen: what runs or waits first, in the order in which it will be done, then what has run,
//! newest first; and those alone that a filter leaves.

use std::cmp::Reverse;

use tui_input::Input;

use crate::runs::State;
use crate::tui::screens::train::Entry;

/// The runs.
#[derive(Debug, Default)]
pub(crate) struct List {
    entries: Option<Vec<Entry>>,
    /// Those that show, as places in `entries`.
    rows: Vec<usize>,
    marked: Option<String>,
    top: usize,
    /// What they are filtered by.
    pub(crate) filter: Input,
    /// A run that was started here and is not in the list yet.
    expected: Option<String>,
}

impl List {
    /// The list was read.
    pub(crate) fn read(&mut self, entries: &[Entry]) {
        let mut entries = entries.to_vec();
        entries.sort_by_cached_key(|entry| {
            let place = match entry.state {
                State::Running => 0,
                State::Stalled => 1,
                State::Queued => 2,
                State::Done | State::Failed | State::Stopped => 3,
            };
            // As the queue has it: what waits longer comes first, unless it is less urgent. Of what is over, the newest.
            let waits = entry.state == State::Queued;
            let priority = if waits { entry.manifest.priority } else { 0 };
            let queued = entry.times.queued.filter(|_| waits);
            let age = queued.unwrap_or(entry.manifest.created);
            let age = age.max(0.0).to_bits();
            let age = if place < 3 { age } else { u64::MAX - age };
            (place, Reverse(priority), age)
        });
        let at = self.position();
        self.entries = Some(entries);
        self.arrange_at(at);
    }

    /// Which runs show follows from the filter: those that have all of its words anywhere.
    pub(crate) fn arrange(&mut self) {
        self.arrange_at(self.position());
    }

    /// The same, where the mark was at the place `at`.
    fn arrange_at(&mut self, at: usize) {
        let words = self.filter.value().to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let entries = self.entries.as_deref().unwrap_or_default();
        let shows = |entry: &Entry| {
            let has_all = |text: &str| words.iter().all(|word| text.contains(word));
            words.is_empty() || has_all(&described(entry))
        };
        self.rows = (0..entries.len()).filter(|i| shows(&entries[*i])).collect();
        let is_known = |name: &String| self.rows.iter().any(|i| entries[*i].name == *name);
        if let Some(name) = self.expected.take_if(|name| is_known(name)) {
            self.marked = Some(name);
        }
        if !self.marked.as_ref().is_some_and(is_known) {
            // Whatever is where the one before was.
            let last = self.rows.len().saturating_sub(1);
            let near = self.rows.get(at.min(last));
            self.marked = near.map(|i| entries[*i].name.clone());
        }
    }

    /// Whether the list was read at all.
    pub(crate) const fn is_read(&self) -> bool {
        self.entries.is_some()
    }

    /// All runs, whether they show or not.
    pub(crate) fn all(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// The runs that show.
    pub(crate) fn rows(&self) -> Vec<&Entry> {
        let entries = self.all();
        self.rows.iter().map(|i| &entries[*i]).collect()
    }

    /// The marked run.
    pub(crate) fn marked(&self) -> Option<&Entry> {
        let name = self.marked.as_ref()?;
        let mut rows = self.rows.iter().map(|i| &self.all()[*i]);
        rows.find(|entry| entry.name == *name)
    }

    /// The marked run's place among those that show.
    pub(crate) fn position(&self) -> usize {
        let entries = self.all();
        let is_marked = |i: &usize| {
            let entry = entries.get(*i);
            entry.map(|entry| &entry.name) == self.marked.as_ref()
        };
        self.rows.iter().position(is_marked).unwrap_or(0)
    }

    /// Marks the run at `position`, or the last.
    pub(crate) fn mark(&mut self, position: usize) {
        let last = self.rows.len().saturating_sub(1);
        let entry = self.rows.get(position.min(last));
        self.marked = entry.map(|i| self.all()[*i].name.clone());
    }

    /// Moves the mark, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        self.mark(self.position().saturating_add_signed(by));
    }

    /// Marks the run of that name as soon as it is in the list.
    pub(crate) fn wait_for(&mut self, name: String) {
        self.expected = Some(name);
        self.arrange();
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
            .min(self.rows.len().saturating_sub(height));
    }

    /// How many are in each of the states: at work, waiting, over.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let count = |states: &[State]| {
            let of = |entry: &&Entry| states.contains(&entry.state);
            self.all().iter().filter(of).count()
        };
        [
            count(&[State::Running, State::Stalled]),
            count(&[State::Queued]),
            count(&[State::Done, State::Failed, State::Stopped]),
        ]
    }
}

/// All that a filter looks at.
fn described(entry: &Entry) -> String {
    let manifest = &entry.manifest;
    let parts = [
        entry.state.word(),
        &manifest.verb,
        entry.title(),
        &entry.name,
        manifest.device.as_deref().unwrap_or_default(),
        &manifest.launcher,
        entry.job.as_deref().unwrap_or_default(),
        entry.reason.as_deref().unwrap_or_default(),
    ];
    parts.join(" ").to_lowercase()
}
