//! A run being followed: its events as they come, what they add up to, and its state.

use std::time::{Duration, Instant};

use super::error::RunError;
use super::event::Event;
use super::folder::Folder;
use super::host::host;
use super::pulse::Vitals;
use super::series::History;
use super::source::Source;
use super::summary::{State, Summary};
use super::team;

/// How often those who work on shards are looked at: there may be hundreds.
const LOOK: Duration = Duration::from_millis(500);

/// A run being followed.
#[derive(Debug, Clone)]
pub struct Follower {
    folder: Folder,
    source: Source,
    here: String,
    state: State,
    /// When those who work on shards were last looked at.
    looked: Option<Instant>,
    /// How it stands.
    pub summary: Summary,
    /// What it measured.
    pub history: History,
}

/// What a look at a run gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// The facts, oldest first; they are taken in already.
    pub events: Vec<Event>,
    /// Whether the state is another one than before.
    pub state_changed: bool,
    /// What was shown of the run before is void: its file was replaced.
    pub anew: bool,
    /// There are more; look again at once.
    pub more: bool,
}

impl Follower {
    /// Begins to follow a run of ours, or of another program where the folder is one of those.
    pub fn new(folder: Folder) -> Self {
        Self {
            source: Source::of(&folder),
            folder,
            here: host(),
            state: State::Queued,
            looked: None,
            summary: Summary::default(),
            history: History::default(),
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What the run did at the last look.
    pub fn state(&self) -> State {
        self.state
    }

    /// How many lines could not be understood.
    pub fn unreadable(&self) -> u64 {
        self.source.unreadable()
    }

    fn vitals(&self) -> Vitals {
        self.source.vitals(&self.folder)
    }

    /// Looks at the run, at no more than `max_records` events and for about `max_time`.
    pub fn poll(&mut self, max_records: usize, max_time: Duration) -> Result<News, RunError> {
        // Before the events: a process that ends in between has noted its end, and is not taken for one that vanished.
        let vitals = self.vitals();
        let batch = self.source.poll(max_records, max_time)?;
        if batch.anew {
            self.summary = Summary::default();
            self.looked = None;
            self.history = History::default();
        }
        for event in &batch.events {
            self.summary.apply(event);
            self.history.apply(event);
        }
        if self.looked.is_none_or(|t| t.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.summary
                .look_at(team::members(&self.folder, &self.here));
        }
        let mut state = self.summary.state(vitals, &self.here);
        if state == State::Failed && self.summary.ended.is_none() {
            // A process that took the run up in between is not one that vanished either.
            state = self.summary.state(self.vitals(), &self.here);
        }
        // While there is more to read, the events do not say yet where the run is.
        let state_changed = !batch.more && state != self.state;
        if state_changed {
            self.state = state;
        }
        Ok(News {
            events: batch.events,
            state_changed,
            anew: batch.anew,
            more: batch.more,
        })
    }

    /// Reads all there is.
    pub fn catch_up(&mut self) -> Result<(), RunError> {
        while self.poll(usize::MAX, Duration::from_secs(1))?.more {}
        Ok(())
    }
}

/// What a run does, by a [glance](Summary::glance) at it, for lists of many.
pub fn glance(folder: &Folder) -> Result<(Summary, State), RunError> {
    if folder.is_foreign() {
        let mut follower = Follower::new(folder.clone());
        follower.catch_up()?;
        let state = follower.state();
        return Ok((follower.summary, state));
    }
    let here = host();
    let vitals = folder.vitals();
    let mut summary = Summary::glance(folder)?;
    summary.look_at(team::members(folder, &here));
    let mut state = summary.state(vitals, &here);
    if state == State::Failed && summary.ended.is_none() {
        state = summary.state(folder.vitals(), &here);
    }
    Ok((summary, state))
}
