//! The jobs screen: the queue and what has run, one run in full with its log, its curves and what it takes of the machine, and
//! the dialogs that start one.

mod detail;
mod dialog;
mod form;
mod form_view;
mod layout;
mod list;
mod log;
mod log_view;
mod shell;
mod table;
#[cfg(test)]
mod tests;
mod verbs;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ratatui::layout::Position;
use tui_input::Input;

use crate::jobs::resources::{Gpu, Usage};
use crate::runs::{Event, Weight};
use crate::tui::msg::Action;
use crate::tui::screens::train::{Entry, Told};

pub(crate) use detail::bytes;
pub(crate) use dialog::{Kind, Offers};
pub(crate) use form::{Form, Ground};
pub(crate) use form_view::area as form_area;
pub(crate) use layout::{Facts, Layout, layout};
pub(crate) use list::List;
pub(crate) use log::{LogPane, LogWish, Page, Window};
pub(crate) use view::{View, view};

/// So many looks at what a run takes are kept: two minutes.
const KEPT: usize = 120;

/// News for this screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JobNews {
    /// The run that is looked at told more.
    Told {
        /// Which.
        run: String,
        /// What, oldest first.
        events: Vec<Event>,
        /// What it told before is void.
        anew: bool,
    },
    /// A window of a log.
    Log(Page),
    /// What the live runs on this machine take, and how its graphics processors are.
    Taken(Vec<(String, Taken)>, Vec<Gpu>),
    /// What would be lost with a run.
    Weighed(String, Weight),
    /// What can be chosen in the dialogs.
    Offers(Offers),
    /// A run was put into a queue.
    Launched {
        /// The dialog that asked for it, if one did.
        ticket: Option<Ticket>,
        /// What to say of it.
        words: String,
        /// Its name.
        run: Option<String>,
    },
    /// It was not.
    Refused {
        /// The dialog that asked for it, if one did.
        ticket: Option<Ticket>,
        /// Why.
        why: String,
    },
}

/// The number of a dialog: an answer may come when it is closed and another one is open.
pub(crate) type Ticket = u64;

/// What a run takes of the machine.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Taken {
    /// Processors and memory.
    pub(crate) usage: Usage,
    /// Its part of each graphics processor's memory, in bytes.
    pub(crate) own: Vec<u64>,
}

/// What to look at for this screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobWatch {
    /// The marked run.
    pub(crate) run: String,
    /// How often the screen forgot what it knew: whoever tells it has to begin anew with another number, also on the same run.
    pub(crate) turn: u64,
    /// What shows of its log.
    pub(crate) log: LogWish,
}

/// Something to be found out for this screen, away from the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What can be chosen in the dialogs.
    Offers,
    /// What would be lost with this run.
    Weigh(String),
}

/// What is beside the list, or under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    /// The log.
    #[default]
    Log,
    /// The curves.
    Curves,
    /// What is known of the run; where there is room, that stands beside the others anyway.
    Facts,
}

/// What has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Focus {
    /// The list.
    #[default]
    List,
    /// The log.
    Log,
    /// What the list is filtered by.
    Filter,
    /// What is searched for in the log.
    Search,
}

/// What runs take, over the last minutes.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    of: BTreeMap<String, VecDeque<Taken>>,
    gpus: VecDeque<Vec<Gpu>>,
}

impl Gauges {
    fn take(&mut self, taken: Vec<(String, Taken)>, gpus: Vec<Gpu>) {
        // What a process took that is gone is not what it takes.
        let lives = |name: &str| taken.iter().any(|(other, _)| other == name);
        self.of.retain(|name, _| lives(name));
        for (name, taken) in taken {
            let kept = self.of.entry(name).or_default();
            kept.push_back(taken);
            kept.drain(..kept.len().saturating_sub(KEPT));
        }
        self.gpus.push_back(gpus);
        self.gpus.drain(..self.gpus.len().saturating_sub(KEPT));
    }

    /// What a run took, oldest first.
    pub(crate) fn of(&self, name: &str) -> Option<&VecDeque<Taken>> {
        self.of.get(name).filter(|taken| !taken.is_empty())
    }

    /// How the graphics processors were, oldest first.
    pub(crate) const fn gpus(&self) -> &VecDeque<Vec<Gpu>> {
        &self.gpus
    }
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    /// The runs.
    pub(crate) list: List,
    /// What the marked one has told.
    told: Option<(String, Told)>,
    /// What runs take.
    pub(crate) gauges: Gauges,
    /// The marked one's log.
    pub(crate) log: LogPane,
    /// What shows.
    pub(crate) pane: Pane,
    /// It fills the screen.
    pub(crate) large: bool,
    /// What has the keyboard.
    pub(crate) focus: Focus,
    /// What is about to be started.
    pub(crate) form: Option<Form>,
    /// How many dialogs there were.
    opened: Ticket,
    /// What can be chosen there, once read.
    pub(crate) offers: Option<Offers>,
    /// What waits for figures before a question is asked: the run that may be removed.
    pub(crate) weighed: Option<String>,
}

impl Jobs {
    /// The list was read.
    pub(crate) fn listed(&mut self, entries: &[Entry]) {
        self.list.read(entries);
        let known = |name: &str| entries.iter().any(|entry| entry.name == name);
        self.gauges.of.retain(|name, _| known(name));
        self.mark_moved();
    }

    /// Another run may be marked: what is known of the one before is of no use.
    fn mark_moved(&mut self) {
        let marked = self.list.marked().map(|entry| entry.name.as_str());
        if self.told.as_ref().map(|(name, _)| name.as_str()) != marked {
            self.told = None;
        }
        self.log.show(marked);
    }

    /// Takes in news of the marked run and of what runs take; false if nothing that shows changed.
    pub(crate) fn hear(&mut self, news: JobNews) -> bool {
        match news {
            JobNews::Told { run, events, anew } => {
                let marked = self.list.marked().map(|entry| entry.name.as_str());
                if marked != Some(run.as_str()) {
                    return false;
                }
                let (name, told) = self.told.get_or_insert_with(Default::default);
                if anew {
                    *told = Told::default();
                }
                *name = run;
                told.take(&events);
                told.refresh(0.0);
                true
            }
            JobNews::Log(page) => self.log.hear(page),
            JobNews::Taken(taken, gpus) => {
                self.gauges.take(taken, gpus);
                true
            }
            JobNews::Offers(offers) => {
                if let Some(form) = &mut self.form {
                    form.offer(&offers);
                }
                self.offers = Some(offers);
                self.form.is_some()
            }
            // The app's.
            JobNews::Weighed(..) | JobNews::Launched { .. } | JobNews::Refused { .. } => false,
        }
    }

    /// What the marked run has told.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref().map(|(_, told)| told)
    }

    /// What is to be watched while the screen is open, on a screen laid out like this.
    pub(crate) fn watch(&self, layout: &Layout) -> Option<JobWatch> {
        let marked = self.list.marked()?;
        Some(JobWatch {
            run: marked.name.clone(),
            turn: self.log.turn(),
            log: self.log.wish(layout.log_rows()),
        })
    }

    /// Whether words are being typed.
    pub(crate) const fn is_typing(&self) -> bool {
        matches!(self.focus, Focus::Filter | Focus::Search)
    }

    /// Whether the log has the keyboard.
    pub(crate) fn is_in_log(&self) -> bool {
        self.focus == Focus::Log
    }

    /// What is typed changes.
    pub(crate) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        if let Some(form) = &mut self.form {
            form.type_into(change);
            return;
        }
        match self.focus {
            Focus::Filter => {
                change(&mut self.list.filter);
                self.list.arrange();
                self.mark_moved();
            }
            Focus::Search => self.log.type_into(change),
            Focus::List | Focus::Log => {}
        }
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action, layout: &Layout) -> bool {
        if self.form.is_some() {
            return self.act_on_form(action);
        }
        let rows = isize::try_from(layout.rows.height.max(2)).unwrap_or(2);
        match action {
            Action::NextRun => self.list.step(1),
            Action::PreviousRun => self.list.step(-1),
            Action::RunsDown => self.list.step(rows - 1),
            Action::RunsUp => self.list.step(1 - rows),
            Action::NewestRun => self.list.mark(0),
            Action::OldestRun => self.list.mark(usize::MAX),
            Action::FilterRuns => self.focus = Focus::Filter,
            Action::NextJobPane => {
                self.pane = match (self.pane, layout.is_wide()) {
                    (Pane::Log, _) => Pane::Curves,
                    (Pane::Curves, false) => Pane::Facts,
                    (Pane::Curves | Pane::Facts, _) => Pane::Log,
                }
            }
            Action::JobLarge => self.large = !self.large,
            Action::IntoLog => (self.focus, self.pane) = (Focus::Log, Pane::Log),
            Action::OutOfLog => (self.focus, self.large) = (Focus::List, false),
            Action::NextPart(forward) => {
                let shards = self.list.marked().and_then(|entry| entry.manifest.shards);
                self.log.turn_part(forward, shards.unwrap_or(0));
            }
            Action::SearchLog => {
                (self.focus, self.pane) = (Focus::Search, Pane::Log);
                self.log.begin_search();
            }
            Action::TakeJobWords | Action::DropJobWords => self.end_typing(action),
            action => return self.log.act(action, layout.log_rows()),
        }
        self.mark_moved();
        true
    }

    fn end_typing(&mut self, action: Action) {
        let keep = action == Action::TakeJobWords;
        if self.focus == Focus::Filter {
            if !keep {
                self.list.filter.reset();
                self.list.arrange();
            }
            self.focus = Focus::List;
        } else {
            self.log.end_search(keep);
            self.focus = Focus::Log;
        }
    }

    fn act_on_form(&mut self, action: Action) -> bool {
        let Some(form) = &mut self.form else {
            return false;
        };
        match action {
            Action::NextField => form.step(1),
            Action::PreviousField => form.step(-1),
            Action::NextOffer => form.turn(1),
            Action::PreviousOffer => form.turn(-1),
            Action::LeaveForm => self.form = None,
            _ => return false,
        }
        true
    }

    /// One layer out; false if there is none.
    pub(crate) fn back(&mut self) -> bool {
        if self.large {
            self.large = false;
        } else if self.focus == Focus::Log {
            if !self.log.drop_search() {
                self.focus = Focus::List;
            }
        } else if !self.list.filter.value().is_empty() {
            self.list.filter.reset();
            self.list.arrange();
            self.mark_moved();
        } else {
            return false;
        }
        true
    }

    /// Opens the dialog of a verb.
    pub(crate) fn begin(&mut self, kind: Kind, ground: Ground) {
        self.opened += 1;
        let form = Form::new(kind, ground, self.offers.as_ref());
        self.form = Some(form.numbered(self.opened));
    }

    /// The open dialog, if it is the one of this number.
    pub(crate) fn form_of(&mut self, ticket: Option<Ticket>) -> Option<&mut Form> {
        let form = self.form.as_mut();
        form.filter(|form| ticket == Some(form.ticket()))
    }

    /// A click: marks a run, or gives the keyboard to what is under it.
    pub(crate) fn click(&mut self, at: Position, layout: &Layout) {
        if layout.rows.contains(at) {
            self.focus = Focus::List;
            let row = self.list.top() + usize::from(at.y - layout.rows.y);
            if row < self.list.rows().len() {
                self.list.mark(row);
            }
        } else if layout.pane.contains(at) && self.pane == Pane::Log {
            self.focus = Focus::Log;
        }
        self.mark_moved();
    }

    /// A turn of the wheel.
    pub(crate) fn wheel(&mut self, turn: isize, at: Position, layout: &Layout) {
        if layout.pane.contains(at) && self.pane == Pane::Log {
            self.log.scroll(turn, layout.log_rows());
        } else {
            self.list.step(turn.signum());
        }
        self.mark_moved();
    }

    /// Scrolls the list so that its mark shows; called after every batch of changes.
    pub(crate) fn settle(&mut self, layout: &Layout) {
        self.list.scroll(usize::from(layout.rows.height));
        // A window may have become wide, where facts have their own place.
        if layout.is_wide() && self.pane == Pane::Facts {
            self.pane = Pane::Log;
        }
    }
}

/// Places in a log that are shared with whoever searched it.
pub(crate) type Hits = Arc<[usize]>;
