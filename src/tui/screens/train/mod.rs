//! The train screen: the runs, live and finished alike, their curves over each other, the groups that are followed through a
//! training, and what a run says of itself.

mod draft;
mod form;
mod form_view;
pub(crate) mod layout;
mod lens;
pub(crate) mod metrics;
pub(crate) mod panes;
mod shelf;
mod told;
mod view;

use std::collections::HashMap;

use layout::Layout;
use lens::Lens;
use ratatui::layout::{Position, Rect};

use crate::domain::GroupId;
use crate::domain::curves::{Ruler, nearest};
use crate::runs::Event;
use crate::tui::msg::Action;
use crate::tui::screens::jobs::{JobNews, JobWatch};
use crate::tui::widgets::chart::Chart;

pub(crate) use draft::Draft;
pub(crate) use form_view::area as form_area;
pub(crate) use shelf::{Entry, Shelf, Times};
pub(crate) use told::{Across, Told};
pub(crate) use view::{View, state_mark, thousands, view};

/// What is under the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    /// More charts.
    #[default]
    Charts,
    /// A group that the run follows: its pictures and scores.
    Followed,
    /// The end of the run's log.
    Log,
}

/// News of runs, from whoever watches their folders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunNews {
    /// The list was read, newest first.
    Listed(Vec<Entry>),
    /// A run told more.
    Told {
        /// Which.
        run: String,
        /// What, oldest first.
        events: Vec<Event>,
        /// What it told before is void.
        anew: bool,
    },
    /// The end of a run's log.
    Log {
        /// Which.
        run: String,
        /// Its last lines, oldest first.
        lines: Vec<String>,
    },
    /// For the jobs screen.
    Job(JobNews),
}

/// What to watch: newest wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Watch {
    /// The screen is open: look often.
    pub(crate) open: bool,
    /// The runs to follow in full.
    pub(crate) follow: Vec<String>,
    /// The run whose log shows.
    pub(crate) log: Option<String>,
    /// What is looked at on the jobs screen, while that is open.
    pub(crate) job: Option<JobWatch>,
}

impl Watch {
    /// Whether somebody looks at runs.
    pub(crate) const fn is_looked_at(&self) -> bool {
        self.open || self.job.is_some()
    }
}

/// The followed groups of the marked run, and which of them shows.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    at: usize,
    /// Where they are in the workspace, once looked up; `None` for those it does not have.
    places: HashMap<String, Option<GroupId>>,
    asked: Vec<String>,
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Train {
    /// The runs.
    pub(crate) shelf: Shelf,
    /// How their curves are looked at.
    pub(crate) lens: Lens,
    /// What is under the charts.
    pub(crate) pane: Pane,
    followed: Followed,
    log: (String, Vec<String>),
    /// The plan of a run that is about to be.
    pub(crate) draft: Draft,
    /// One chart fills the room.
    pub(crate) large: bool,
    /// The first row of charts.
    top: usize,
    /// What is being watched for it.
    pub(crate) watch: Option<Watch>,
}

impl Train {
    /// Takes news in; false if nothing on this screen changed.
    pub(crate) fn hear(&mut self, news: RunNews) -> bool {
        match news {
            RunNews::Listed(entries) => {
                self.shelf.list(entries);
                true
            }
            RunNews::Told { run, events, anew } => {
                let weight = self.lens.weight();
                self.shelf.tell(&run, &events, anew, weight)
            }
            RunNews::Log { run, lines } => {
                self.log = (run, lines);
                self.pane == Pane::Log
            }
            RunNews::Job(_) => false,
        }
    }

    /// What must be watched for this screen; `open`: whether it is looked at.
    pub(crate) fn watch(&self, open: bool) -> Watch {
        let marked = self.shelf.marked().map(|entry| entry.name.clone());
        Watch {
            open,
            follow: self
                .shelf
                .visible()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            log: marked.filter(|_| open && self.pane == Pane::Log),
            job: None,
        }
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action, layout: &Layout) -> bool {
        if self.draft.act(action) {
            return true;
        }
        let weight = self.lens.weight();
        let rows = isize::try_from(layout.rows.height.max(2)).unwrap_or(2);
        match action {
            Action::NextRun => self.shelf.step(1),
            Action::PreviousRun => self.shelf.step(-1),
            Action::RunsDown => self.shelf.step(rows - 1),
            Action::RunsUp => self.shelf.step(1 - rows),
            Action::NewestRun => self.shelf.mark(0),
            Action::OldestRun => self.shelf.mark(usize::MAX),
            Action::ShowRun => self.shelf.toggle(),
            Action::PinRun => self.shelf.pin(),
            Action::EnlargeChart => self.large = !self.large,
            Action::NextChart => self.step_chart(1),
            Action::PreviousChart => self.step_chart(-1),
            Action::CursorLeft => self.move_cursor(-1.0, layout),
            Action::CursorRight => self.move_cursor(1.0, layout),
            Action::CursorFarLeft => self.move_cursor(-10.0, layout),
            Action::CursorFarRight => self.move_cursor(10.0, layout),
            Action::NextAcross => self.turn(),
            Action::FilterMetrics => self.lens.typing = true,
            Action::KeepMetrics => self.lens.typing = false,
            Action::DropMetrics => {
                self.lens.typing = false;
                self.lens.filter.reset();
            }
            Action::NextTrainPane => {
                self.pane = match self.pane {
                    Pane::Charts => Pane::Followed,
                    Pane::Followed => Pane::Log,
                    Pane::Log => Pane::Charts,
                }
            }
            Action::NextFollowed => self.step_followed(1),
            Action::PreviousFollowed => self.step_followed(-1),
            action => {
                let reach = self.reach();
                if !self.lens.act(action, reach) {
                    return false;
                }
            }
        }
        if self.lens.weight() != weight {
            self.shelf.refresh(self.lens.weight());
        }
        true
    }

    /// One layer out: the cursor, the large chart, the filter, the window; false if there is none.
    pub(crate) fn back(&mut self) -> bool {
        let reach = self.reach();
        if self.lens.cursor.take().is_some() {
            return true;
        }
        if self.large {
            self.large = false;
        } else if !self.lens.query().is_empty() {
            self.lens.filter.reset();
        } else if !self.lens.shows_all() {
            self.lens.act(Action::ShowAll, reach);
        } else {
            return false;
        }
        true
    }

    /// The metrics that show, in the order of their charts.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        let visible = self.shelf.visible();
        let told = visible.iter().filter_map(|name| self.shelf.told(name));
        let names = told.flat_map(|told| told.lines.keys().map(String::as_str));
        let query = self.lens.query();
        metrics::ordered(names.filter(|name| metrics::matches(name, query)))
    }

    /// The metric that has the keyboard, and its place.
    pub(crate) fn focus(&self) -> usize {
        let metrics = self.metrics();
        let at = metrics.iter().position(|name| *name == self.lens.metric);
        at.unwrap_or(0)
    }

    fn step_chart(&mut self, by: isize) {
        let metrics = self.metrics();
        let at = self.focus().saturating_add_signed(by);
        if let Some(name) = metrics.get(at.min(metrics.len().saturating_sub(1))) {
            self.lens.metric = (*name).to_owned();
        }
    }

    /// How far the curves reach.
    pub(crate) fn reach(&self) -> (f64, f64) {
        let visible = self.shelf.visible();
        let told = visible.iter().filter_map(|name| self.shelf.told(name));
        let lines = told.flat_map(|told| told.lines.values());
        let ends = lines.flat_map(|line| {
            let x = line.across(self.lens.across);
            [x.first(), x.last()].into_iter().flatten().copied()
        });
        crate::domain::curves::bounds(ends).unwrap_or((0.0, 1.0))
    }

    /// The part of the horizontal axis that shows.
    pub(crate) fn ruler(&self) -> Ruler {
        self.lens.ruler(self.reach())
    }

    /// The marked run's line that the cursor moves along: the metric that has the keyboard, else any.
    fn track(&self) -> Option<&told::MetricLine> {
        let told = self.shelf.marked_told()?;
        let metrics = self.metrics();
        let focused = metrics
            .get(self.focus())
            .and_then(|name| told.lines.get(*name));
        focused.or_else(|| told.lines.values().next())
    }

    /// Moves the cursor by so many columns, but by one point at least, onto a point.
    fn move_cursor(&mut self, by: f64, layout: &Layout) {
        let ruler = self.ruler();
        let Some(x) = self
            .track()
            .map(|line| line.across(self.lens.across).to_vec())
        else {
            return;
        };
        let Some(last) = x.len().checked_sub(1) else {
            return;
        };
        let at = match self.lens.cursor {
            // It comes in at the end, or at the edge of the window nearest to it.
            None => nearest(&x, ruler.high(), f64::INFINITY).unwrap_or(last),
            Some(cursor) => {
                let here = nearest(&x, cursor, f64::INFINITY).unwrap_or(last);
                let width = layout.charts.first().map_or(80, |c| Chart::field(*c).width);
                let column = by / f64::from(width.max(1));
                let there = ruler
                    .share(x[here])
                    .map_or(x[here], |s| ruler.value(s + column));
                let there = nearest(&x, there, f64::INFINITY).unwrap_or(here);
                match there {
                    same if same == here && by < 0.0 => here.saturating_sub(1),
                    same if same == here => (here + 1).min(last),
                    other => other,
                }
            }
        };
        let reach = self.reach();
        self.lens.cursor = Some(x[at]);
        self.lens.reveal(x[at], reach);
    }

    /// Puts the cursor onto the point nearest to a share of the window.
    fn point_at(&mut self, share: f64) {
        let at = self.ruler().value(share);
        let across = self.lens.across;
        let x = self.track().map(|line| line.across(across));
        let point = x.and_then(|x| Some(x[nearest(x, at, f64::INFINITY)?]));
        self.lens.cursor = point.or(self.lens.cursor);
    }

    /// Another axis; the cursor stays on its point.
    fn turn(&mut self) {
        let (across, cursor) = (self.lens.across, self.lens.cursor);
        let there = self.track().and_then(|line| {
            let at = nearest(line.across(across), cursor?, f64::INFINITY)?;
            line.across(across.next()).get(at).copied()
        });
        self.lens.turn(there);
    }

    /// The marked run's step at the cursor, or its last.
    pub(crate) fn step_at_cursor(&self) -> Option<u64> {
        let line = self.track()?;
        let x = line.across(self.lens.across);
        let at = match self.lens.cursor {
            Some(cursor) => nearest(x, cursor, f64::INFINITY)?,
            None => x.len().checked_sub(1)?,
        };
        line.step(at)
    }

    /// The step and the keys of the groups that it was made of, at the cursor.
    pub(crate) fn samples(&self) -> Option<(u64, Vec<String>)> {
        self.shelf.marked_told()?.samples(self.step_at_cursor()?)
    }

    /// Scrolls list and charts so that what is marked shows; called after every batch of changes.
    pub(crate) fn scroll(&mut self, layout: &Layout) {
        self.shelf.scroll(usize::from(layout.rows.height));
        let (columns, shown) = (layout.columns.max(1), layout.charts.len().max(1));
        let rows = shown.div_ceil(columns);
        let row = self.focus() / columns;
        let all = self.metrics().len().div_ceil(columns);
        self.top = if self.large {
            self.focus()
        } else {
            self.top
                .min(row)
                .max((row + 1).saturating_sub(rows))
                .min(all.saturating_sub(rows))
        };
    }

    /// The first chart on screen.
    pub(crate) fn first_chart(&self, layout: &Layout) -> usize {
        if self.large {
            self.focus()
        } else {
            self.top * layout.columns.max(1)
        }
    }

    /// A click: marks a run, or puts the cursor into a chart.
    pub(crate) fn click(&mut self, at: Position, layout: &Layout) {
        if layout.rows.contains(at) {
            let row = self.shelf.top() + usize::from(at.y - layout.rows.y);
            if row < self.shelf.entries().len() {
                self.shelf.mark(row);
            }
        } else if let Some((chart, share)) = self.chart_at(at, layout) {
            let metric = self.metrics().get(chart).map(|name| (*name).to_owned());
            self.lens.metric = metric.unwrap_or_default();
            self.point_at(share);
        }
    }

    /// A turn of the wheel: moves the mark, or zooms about the pointer.
    pub(crate) fn wheel(&mut self, down: bool, at: Position, layout: &Layout) {
        if layout.list.contains(at) {
            self.shelf.step(if down { 1 } else { -1 });
        } else if let Some((_, share)) = self.chart_at(at, layout) {
            let reach = self.reach();
            let factor = if down { 1.25 } else { 0.8 };
            self.lens.zoom(factor, share, reach);
        }
    }

    /// The chart under the pointer, and how far along its axis that is.
    fn chart_at(&self, at: Position, layout: &Layout) -> Option<(usize, f64)> {
        let found = layout.charts.iter().position(|area| area.contains(at))?;
        let field: Rect = Chart::field(*layout.charts.get(found)?);
        let across = f64::from(at.x.saturating_sub(field.x)) + 0.5;
        let share = (across / f64::from(field.width.max(1))).clamp(0.0, 1.0);
        Some((self.first_chart(layout) + found, share))
    }

    fn step_followed(&mut self, by: isize) {
        let count = self
            .shelf
            .marked_told()
            .map_or(0, |told| told.followed().len());
        let at = self.followed.at.saturating_add_signed(by);
        self.followed.at = at.min(count.saturating_sub(1));
    }

    /// The key of the followed group that shows, its place among them, and how many there are.
    pub(crate) fn followed_key(&self) -> Option<(&str, usize, usize)> {
        let keys = self.shelf.marked_told()?.followed();
        let at = self.followed.at.min(keys.len().checked_sub(1)?);
        Some((keys[at], at, keys.len()))
    }

    /// The followed group that shows, if the workspace has it.
    pub(crate) fn followed_group(&self) -> Option<GroupId> {
        let (key, ..) = self.followed_key()?;
        self.followed.places.get(key).copied().flatten()
    }

    /// Keys of followed groups that must be looked up; remembers that they were asked for.
    pub(crate) fn unplaced(&mut self) -> Vec<String> {
        if self.pane != Pane::Followed {
            return Vec::new();
        }
        let keys = self.shelf.marked_told().map_or(Vec::new(), Told::followed);
        let unknown = keys.into_iter().filter(|key| {
            let known = self.followed.places.contains_key(*key);
            !known && !self.followed.asked.iter().any(|asked| asked == key)
        });
        let unknown: Vec<String> = unknown.map(str::to_owned).collect();
        self.followed.asked.extend(unknown.iter().cloned());
        unknown
    }

    /// Where followed groups are.
    pub(crate) fn place(&mut self, places: Vec<(String, Option<GroupId>)>) {
        self.followed.places.extend(places);
    }

    /// The places of followed groups are to be looked up anew: the workspace has changed.
    pub(crate) fn forget_places(&mut self) {
        self.followed = Followed {
            at: self.followed.at,
            ..Followed::default()
        };
    }

    /// The end of the marked run's log.
    pub(crate) fn log(&self) -> &[String] {
        let marked = self.shelf.marked().map(|entry| entry.name.as_str());
        if marked == Some(self.log.0.as_str()) {
            &self.log.1
        } else {
            &[]
        }
    }
}

#[cfg(test)]
mod tests;
