//! The agreement screen: how far people agree on each question, whose judgements differ from the rest, two by two, and the
//! groups on which people differ most, which open in Browse.

#[cfg(test)]
mod tests;
mod view;

use crate::annotate::agreement::{AgreementReport, Asked, Disputed};
use crate::tui::msg::Action;

pub(crate) use view::view;

/// What is known.
#[derive(Debug, Default)]
enum Phase {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It is being measured.
    Measuring,
    /// It was measured.
    Measured(Box<AgreementReport>),
    /// It cannot be.
    Failed(String),
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    phase: Phase,
    /// The question that pairs and disputed groups are shown of, as a place among those that were asked.
    question: usize,
    /// The marked group, as a place among the disputed of the question.
    at: usize,
    /// Whether the model counts as a rater.
    model: bool,
}

impl Agreement {
    /// Whether it has to be measured now, and if so whether with the model; asked once.
    pub(crate) fn wanted(&mut self) -> Option<bool> {
        if !matches!(self.phase, Phase::Unasked) {
            return None;
        }
        self.phase = Phase::Measuring;
        Some(self.model)
    }

    /// It was measured, or not.
    pub(crate) fn hear(&mut self, report: Result<Box<AgreementReport>, String>) {
        self.phase = match report {
            Ok(report) => Phase::Measured(report),
            Err(why) => Phase::Failed(why),
        };
        self.at = 0;
    }

    fn report(&self) -> Option<&AgreementReport> {
        match &self.phase {
            Phase::Measured(report) => Some(report),
            _ => None,
        }
    }

    /// The question that is looked at.
    fn asked(&self) -> Option<Asked> {
        let axes = &self.report()?.axes;
        Some(axes.get(self.question % axes.len().max(1))?.on)
    }

    /// The groups on which people differ most on the question; overall, on either axis.
    pub(crate) fn disputed(&self) -> Vec<&Disputed> {
        let asked = self.asked();
        let all = self.report().map_or(&[][..], |report| &report.disputed);
        let either = !matches!(asked, Some(Asked::If | Asked::Vq));
        all.iter()
            .filter(|d| either || Some(d.on) == asked)
            .collect()
    }

    /// The marked one of them.
    pub(crate) fn marked(&self) -> Option<&Disputed> {
        self.disputed().get(self.at).copied()
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        let last = self.disputed().len().saturating_sub(1);
        match action {
            Action::NextDisputed => self.at = (self.at + 1).min(last),
            Action::PreviousDisputed => self.at = self.at.saturating_sub(1),
            Action::NextQuestion => {
                self.question += 1;
                self.at = 0;
            }
            Action::ModelToo => {
                self.model = !self.model;
                self.phase = Phase::Unasked;
            }
            Action::Rescan => self.phase = Phase::Unasked,
            _ => return false,
        }
        true
    }
}
