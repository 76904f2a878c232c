//! The failures screen: what the model is suspected to fall for, by the newest analysis; of the marked suspicion its scatter, with
//! a part of it that can be chosen, and its worst cases with their pictures.

#[cfg(test)]
mod tests;
mod view;

use std::collections::HashSet;

use crate::domain::{CandidateId, GroupId};
use crate::failures::analysis::{Bias, Report, WorstCase};
use crate::runs::State;
use crate::tui::msg::Action;
use crate::tui::screens::train::Entry;

pub(crate) use view::{Layout, View, layout, view};

/// What a run of an analysis calls itself.
const VERB: &str = "failures analyse";
/// And one of the measures that it needs.
const MEASURE: &str = "failures measure";

/// What was read of an analysis.
#[derive(Debug)]
pub(crate) struct FailureNews {
    /// The run.
    pub(crate) run: String,
    /// Its report, or why it cannot be read.
    pub(crate) report: Result<Box<Report>, String>,
}

/// The newest finished analysis.
#[derive(Debug, Default, PartialEq, Eq)]
enum Newest {
    /// The list of runs was not read yet.
    #[default]
    Unread,
    None,
    Run(String),
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    newest: Newest,
    /// What is under way: measuring or analysing.
    live: Option<&'static str>,
    /// The run whose report was asked for.
    asked: Option<String>,
    report: Option<(String, Box<Report>)>,
    problem: Option<String>,
    /// The marked suspicion.
    at: usize,
    /// The marked case of it.
    case: usize,
    /// The chosen part of the measure, as quantiles of its points in twentieths: from and to.
    part: Option<(u8, u8)>,
}

/// Twentieths: the steps in which a part is chosen.
const STEPS: u8 = 20;

impl Failures {
    /// The list of runs was read; whether what is here changed by that.
    pub(crate) fn listed(&mut self, entries: &[Entry]) -> bool {
        let done = |entry: &&Entry| entry.manifest.verb == VERB && entry.state == State::Done;
        let newest = entries.iter().find(done);
        let newest = newest.map_or(Newest::None, |entry| Newest::Run(entry.name.clone()));
        let live = |verb: &str| {
            entries
                .iter()
                .any(|entry| entry.manifest.verb == verb && entry.state.is_live())
        };
        let live = [(MEASURE, "measuring…"), (VERB, "analysing…")]
            .into_iter()
            .find(|(verb, _)| live(verb))
            .map(|(_, words)| words);
        let changed = self.newest != newest || self.live != live;
        self.newest = newest;
        self.live = live;
        changed
    }

    /// The report that has to be read, if any; asked once.
    pub(crate) fn wanted(&mut self) -> Option<String> {
        match &self.newest {
            Newest::Run(run) if self.asked.as_ref() != Some(run) => {
                self.asked = Some(run.clone());
                self.asked.clone()
            }
            _ => None,
        }
    }

    /// A report was read.
    pub(crate) fn hear(&mut self, news: FailureNews) {
        if self.asked.as_ref() != Some(&news.run) {
            return;
        }
        match news.report {
            Ok(report) => {
                self.report = Some((news.run, report));
                self.problem = None;
                self.at = 0;
                self.case = 0;
                self.part = None;
            }
            Err(why) => self.problem = Some(why),
        }
    }

    /// Reads the newest report again.
    pub(crate) fn expire(&mut self) {
        self.asked = None;
    }

    /// The run of the report that shows.
    pub(crate) fn run(&self) -> Option<String> {
        self.report.as_ref().map(|(run, _)| run.clone())
    }

    fn report(&self) -> Option<&Report> {
        self.report.as_ref().map(|(_, report)| report.as_ref())
    }

    /// What is listed: suspicions, then what came near to being one.
    fn listed_all(&self) -> impl Iterator<Item = &Bias> {
        let report = self.report().into_iter();
        report.flat_map(|report| report.biases.iter().chain(&report.unproven))
    }

    /// How many lines the list has.
    pub(crate) fn count(&self) -> usize {
        self.listed_all().count()
    }

    /// The marked suspicion.
    pub(crate) fn marked(&self) -> Option<&Bias> {
        self.listed_all().nth(self.at)
    }

    /// Whether a line of the list stands correction.
    fn is_suspected(&self, at: usize) -> bool {
        self.report().is_some_and(|report| at < report.biases.len())
    }

    /// The cases of the marked suspicion.
    fn cases(&self) -> &[WorstCase] {
        self.marked().map_or(&[], |bias| &bias.cases)
    }

    /// The marked case.
    pub(crate) fn case(&self) -> Option<&WorstCase> {
        self.cases().get(self.case)
    }

    /// The group of the marked case, to have it read.
    pub(crate) fn group(&self) -> Option<GroupId> {
        self.case().map(|case| case.group)
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        let last = self.count().saturating_sub(1);
        let cases = self.cases().len().saturating_sub(1);
        match action {
            Action::NextBias => self.mark((self.at + 1).min(last)),
            Action::PreviousBias => self.mark(self.at.saturating_sub(1)),
            Action::NextCase => self.case = (self.case + 1).min(cases),
            Action::PreviousCase => self.case = self.case.saturating_sub(1),
            Action::LowEnd(up) => self.move_end(up, true),
            Action::HighEnd(up) => self.move_end(up, false),
            Action::WholeRange => self.part = None,
            _ => return false,
        }
        true
    }

    fn mark(&mut self, at: usize) {
        if self.at != at {
            self.at = at;
            self.case = 0;
            self.part = None;
        }
    }

    fn move_end(&mut self, up: bool, low: bool) {
        let (mut from, mut to) = self.part.unwrap_or((0, STEPS));
        let end = if low { &mut from } else { &mut to };
        *end = if up {
            (*end + 1).min(STEPS)
        } else {
            end.saturating_sub(1)
        };
        if from < to {
            self.part = ((from, to) != (0, STEPS)).then_some((from, to));
        }
    }

    /// The chosen part of the marked suspicion's measure, as its values.
    fn range(&self) -> Option<(f64, f64)> {
        let (from, to) = self.part?;
        let points = &self.marked()?.scatter.points;
        let mut values: Vec<f64> = points.iter().map(|point| point.measure).collect();
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |twentieths: u8| values[last * usize::from(twentieths) / usize::from(STEPS)];
        Some((at(from), at(to)))
    }

    /// The candidates that are chosen, with words that say how: those of the chosen part, else the cases.
    pub(crate) fn chosen(&self) -> Option<Chosen> {
        let bias = self.marked()?;
        let effect = &bias.effect;
        let name = effect.measure.name();
        let axis = effect.judged.key();
        let Some((low, high)) = self.range() else {
            let candidates = bias.cases.iter();
            return Some(Chosen {
                name: format!("{axis} cases of {name}"),
                origin: format!("the worst cases of {name} on {axis}"),
                candidates: candidates.map(|c| (c.group, c.candidate)).collect(),
            });
        };
        let within = bias.scatter.points.iter();
        let within = within.filter(|point| (low..=high).contains(&point.measure));
        Some(Chosen {
            name: format!("{axis} {name} {low:.3} to {high:.3}"),
            origin: format!("{name} >= {low:.6} and {name} <= {high:.6}"),
            candidates: within.map(|p| (p.group, p.candidate)).collect(),
        })
    }
}

/// Candidates chosen on this screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    /// What a selection of them is called.
    pub(crate) name: String,
    /// How they were chosen.
    pub(crate) origin: String,
    /// They, with their groups.
    pub(crate) candidates: Vec<(GroupId, CandidateId)>,
}

impl Chosen {
    /// Their groups.
    pub(crate) fn groups(&self) -> HashSet<GroupId> {
        self.candidates.iter().map(|(group, _)| *group).collect()
    }
}
