//! Routing for the jobs screen: its keys and clicks, what is done to runs from there, news of them, and that one ended.

use ratatui::layout::{Position, Rect};

use super::{App, Screen};
use crate::runs::{State, Weight};
use crate::tui::keys::{Context, label_of};
use crate::tui::msg::{Action, Effect, Work};
use crate::tui::overlays;
use crate::tui::screens::jobs::{self, Ground, JobNews, Kind, Wanted};
use crate::tui::screens::prose;
use crate::tui::screens::train::{Entry, state_mark};

/// More ends than this at a time are told as a number.
const TOLD: usize = 3;

impl App {
    /// Where things are on the jobs screen.
    pub(super) fn jobs_layout(&self, screen: Rect) -> jobs::Layout {
        let jobs = &self.screens.jobs;
        jobs::layout(
            screen,
            jobs::Facts {
                runs: jobs.list.rows().len(),
                pane: jobs.pane,
                large: jobs.large,
            },
        )
    }

    /// Does what an action says on the jobs screen; `None` if it is none of its own.
    pub(super) fn act_on_jobs(&mut self, action: Action) -> Option<Vec<Effect>> {
        let layout = self.jobs_layout(self.screen());
        if self.screens.jobs.act(action, &layout) {
            return Some(Vec::new());
        }
        match action {
            Action::Back => {
                if !self.screens.jobs.back() {
                    self.screens.open = Screen::Browse;
                }
                Some(Vec::new())
            }
            Action::NewJob => {
                self.overlays.push(overlays::begin());
                Some(vec![Effect::Jobs(Wanted::Offers)])
            }
            // A training is written as a plan, on its own screen.
            Action::NewRun => {
                self.screens.open = Screen::Train;
                self.act_on_runs(action)
            }
            Action::StartJob => {
                let form = self.screens.jobs.form.as_mut()?;
                Some(form.start().map(Effect::Work).into_iter().collect())
            }
            Action::StopRun => Some(self.stop_job()),
            Action::ResumeRun => Some(self.resume_job()),
            Action::RetryRun => {
                let entry = self.screens.jobs.list.marked()?;
                let run = entry.name.clone();
                Some(vec![Effect::Work(Work::Retry { run })])
            }
            Action::RemoveRun => Some(self.weigh_job()),
            _ => None,
        }
    }

    fn stop_job(&mut self) -> Vec<Effect> {
        let Some(entry) = self.screens.jobs.list.marked() else {
            return Vec::new();
        };
        if entry.state.is_live() {
            let question = overlays::stop(&entry.name, entry.title(), entry.state);
            self.overlays.push(question);
        } else {
            let words = format!(
                "'{}' is over ({}): there is nothing to stop",
                entry.title(),
                entry.state.word()
            );
            self.tell(words);
        }
        Vec::new()
    }

    fn resume_job(&mut self) -> Vec<Effect> {
        let Some(entry) = self.screens.jobs.list.marked() else {
            return Vec::new();
        };
        let why = match entry.state {
            State::Done => {
                let again = label_of(&[Context::Jobs], Action::RetryRun).unwrap_or_default();
                format!("is done: nothing is left to do; {again} does all of it again")
            }
            State::Running | State::Stalled => "has a process that works on it".into(),
            State::Queued => "waits in the queue already".into(),
            State::Failed | State::Stopped => {
                let run = entry.name.clone();
                return vec![Effect::Work(Work::Resume { run })];
            }
        };
        let words = format!("'{}' {why}", entry.title());
        self.tell(words);
        Vec::new()
    }

    /// Finds out what would be lost with the marked run, before it is asked whether it is to be.
    fn weigh_job(&mut self) -> Vec<Effect> {
        let Some(entry) = self.screens.jobs.list.marked() else {
            return Vec::new();
        };
        if matches!(entry.state, State::Running | State::Stalled) {
            let words = format!(
                "'{}' is {}: stop it first",
                entry.title(),
                entry.state.word()
            );
            self.tell(words);
            return Vec::new();
        }
        let run = entry.name.clone();
        self.screens.jobs.weighed = Some(run.clone());
        vec![Effect::Jobs(Wanted::Weigh(run))]
    }

    fn ask_to_remove(&mut self, run: &str, weight: Weight) {
        let asked = self.screens.jobs.weighed.take();
        // Somebody who has gone elsewhere since is not asked.
        let here = self.screens.open == Screen::Jobs && self.overlays.is_empty();
        let marked = self.screens.jobs.list.marked();
        let entry = marked.filter(|entry| entry.name == run);
        if let Some(entry) = entry.filter(|_| here && asked.as_deref() == Some(run)) {
            let question = overlays::remove(run, entry.title(), weight);
            self.overlays.push(question);
        }
    }

    /// Opens the dialog of what is to be started.
    pub(super) fn begin_job(&mut self, kind: Kind) {
        let ground = Ground {
            workspace: self.place.folder.clone(),
            runs: self.place.runs.clone(),
            has_groups: self.list.total() > 0,
            model: self.place.model.clone(),
        };
        self.screens.open = Screen::Jobs;
        self.screens.jobs.begin(kind, ground);
    }

    /// News for the jobs screen.
    pub(super) fn hear_of_jobs(&mut self, news: JobNews) {
        match news {
            JobNews::Weighed(run, weight) => {
                self.ask_to_remove(&run, weight);
                self.paint.due = true;
            }
            JobNews::Launched { ticket, words, run } => {
                let jobs = &mut self.screens.jobs;
                let is_open = jobs.form_of(ticket).is_some();
                if is_open {
                    jobs.form = None;
                }
                // Somebody who has left the dialog since is elsewhere.
                if let Some(run) = run.filter(|_| is_open || ticket.is_none()) {
                    // What was filtered out would not be seen.
                    jobs.list.filter.reset();
                    jobs.list.wait_for(run);
                }
                self.tell(words);
            }
            JobNews::Refused { ticket, why } => match self.screens.jobs.form_of(ticket) {
                Some(form) => {
                    form.refused(why);
                    self.paint.due = true;
                }
                None => self.tell(why),
            },
            news => {
                let changed = self.screens.jobs.hear(news);
                self.paint.due |= changed && self.screens.open == Screen::Jobs;
            }
        }
    }

    /// Tells of the runs that have ended since the list was read last.
    pub(super) fn tell_of_ends(&mut self, entries: &[Entry]) -> Vec<Effect> {
        let shelf = &self.screens.train.shelf;
        if !shelf.is_read() {
            return Vec::new();
        }
        // One that is not known yet began and ended in between.
        let was_live = |name: &str| shelf.entry(name).is_none_or(|entry| entry.state.is_live());
        let ended: Vec<String> = entries
            .iter()
            .filter(|entry| !entry.state.is_live() && was_live(&entry.name))
            .map(told)
            .collect();
        let words = match ended.len() {
            0 => return Vec::new(),
            1..=TOLD => {
                for words in &ended {
                    self.tell(words.clone());
                }
                ended.join("; ")
            }
            many => {
                let words = format!("{many} runs have ended");
                self.tell(words.clone());
                words
            }
        };
        vec![Effect::Notify(words)]
    }

    pub(super) fn mouse_on_jobs(&mut self, turn: isize, at: Position) {
        if let Some(form) = &mut self.screens.jobs.form {
            form.step(turn.signum());
            return;
        }
        let layout = self.jobs_layout(self.screen());
        if turn == 0 {
            self.screens.jobs.click(at, &layout);
        } else {
            self.screens.jobs.wheel(turn, at, &layout);
        }
    }
}

/// How a run has ended.
fn told(entry: &Entry) -> String {
    let (mark, _) = state_mark(entry.state);
    let title = prose::line(entry.title(), 40);
    let reason = entry.reason.as_deref().unwrap_or_default();
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {}", prose::line(reason, 120))
    };
    let verb = &entry.manifest.verb;
    format!("{mark} {verb} '{title}' {}{reason}", entry.state.word())
}
