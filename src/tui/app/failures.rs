//! Routing for the failures screen: its keys, the reports read for it, the pictures of a case, and what it sends to Browse, keeps
//! or starts.

use ratatui::layout::Rect;

use super::pictures::want;
use super::{App, Screen};
use crate::tui::library::{Record, USUAL_ASPECT};
use crate::tui::msg::{Action, Effect, Look, Work};
use crate::tui::screens::failures::{self, FailureNews};
use crate::tui::screens::probe::Target;

impl App {
    /// Does what an action says on the failures screen; `None` if it is none of its own.
    pub(super) fn act_on_failures(&mut self, action: Action) -> Option<Vec<Effect>> {
        if self.screens.failures.act(action) || self.screens.sight.act(action) {
            return Some(Vec::new());
        }
        match action {
            Action::OpenCases => Some(self.open_cases()),
            Action::KeepChosen => Some(self.keep_chosen()),
            Action::TagCase => Some(self.tag_case()),
            Action::ExportReport => {
                let run = self.screens.failures.run();
                Some(run.map(Effect::ExportFailures).into_iter().collect())
            }
            Action::Analyse => {
                let model = self.place.model.clone();
                Some(vec![Effect::Work(Work::Analyse { model })])
            }
            Action::ToProbe => {
                self.probe_case();
                Some(Vec::new())
            }
            Action::Rescan => {
                self.screens.failures.expire();
                self.records.expire();
                Some(vec![self.reread()])
            }
            Action::Back => {
                if !self.screens.sight.back() {
                    self.screens.open = Screen::Browse;
                }
                Some(Vec::new())
            }
            _ => None,
        }
    }

    /// Shows the groups of what is chosen in Browse, at the marked case.
    fn open_cases(&mut self) -> Vec<Effect> {
        let Some(chosen) = self.screens.failures.chosen() else {
            return Vec::new();
        };
        let case = self.screens.failures.case().map(|c| (c.group, c.candidate));
        let index = case.and_then(|(group, candidate)| {
            let candidates = &self.records.get(group)?.group.candidates;
            candidates.iter().position(|c| c.id == candidate)
        });
        self.screens.open = Screen::Browse;
        self.screens.detail = None;
        self.screens.browse.candidate = index.unwrap_or(0);
        self.list.show_only(chosen.name.clone(), chosen.groups());
        let request = self.list.rank(false);
        if let Some((group, _)) = case {
            self.list.expect(group);
        }
        super::rank(request)
    }

    fn keep_chosen(&mut self) -> Vec<Effect> {
        let chosen = self.screens.failures.chosen();
        let keep = chosen.map(|chosen| Effect::Keep {
            name: chosen.name,
            origin: chosen.origin,
            candidates: chosen.candidates.into_iter().map(|(_, id)| id).collect(),
        });
        keep.into_iter().collect()
    }

    /// Tags the marked case with the name of what it is a case of.
    fn tag_case(&mut self) -> Vec<Effect> {
        let failures = &self.screens.failures;
        let both = failures.marked().zip(failures.case());
        let tag = both.map(|(bias, case)| Effect::Tag {
            candidate: case.candidate,
            tag: bias.effect.measure.name().to_owned(),
        });
        tag.into_iter().collect()
    }

    /// Opens the probe screen on the marked case.
    fn probe_case(&mut self) {
        let Some(case) = self.screens.failures.case().map(|c| (c.group, c.candidate)) else {
            return;
        };
        let index = self.records.get(case.0).and_then(|record| {
            let candidates = &record.group.candidates;
            candidates.iter().position(|c| c.id == case.1)
        });
        if let Some(index) = index {
            let group = case.0;
            self.screens.probe.open(Target { group, index });
            self.screens.open = Screen::Probe;
        }
    }

    /// The record of the marked case's group, if it is here.
    pub(super) fn case_record(&self) -> Option<&Record> {
        self.records.get(self.screens.failures.group()?)
    }

    /// Where things are on the failures screen.
    pub(super) fn failures_layout(&self, screen: Rect) -> failures::Layout {
        let aspect = self.case_record().map_or(USUAL_ASPECT, |r| r.aspect);
        failures::layout(screen, self.screens.failures.count(), aspect, self.cell())
    }

    /// The pictures of the marked case.
    pub(super) fn looking_at_failures(&self) -> Look {
        let mut look = Look {
            group: self.screens.failures.group(),
            ..Look::default()
        };
        let (Some(record), Some(case)) = (self.case_record(), self.screens.failures.case()) else {
            return look;
        };
        let layout = self.failures_layout(self.screen());
        let (sight, source) = (&self.screens.sight, &record.group.source);
        let candidate = record
            .group
            .candidates
            .iter()
            .find(|c| c.id == case.candidate);
        let shown = candidate.map(|c| sight.of(&c.image, source));
        want(&mut look.view, shown, layout.pictures[1]);
        want(
            &mut look.view,
            Some(sight.of_source(source)),
            layout.pictures[0],
        );
        look
    }

    /// A report was read.
    pub(super) fn hear_of_failures(&mut self, news: FailureNews) {
        self.screens.failures.hear(news);
        self.paint.due |= self.screens.open == Screen::Failures;
    }

    /// What the screen wants after a batch of messages.
    pub(super) fn settle_failures(&mut self) -> Vec<Effect> {
        if self.screens.open != Screen::Failures {
            return Vec::new();
        }
        let wanted = self.screens.failures.wanted();
        wanted.map(Effect::ReadFailures).into_iter().collect()
    }
}
