//! An analysis as a run: the stored scores, labels and measures of a workspace are read, analysed, and the report written.

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;

use super::{Case, DataFacts, ModelFacts, NO_LABELS, Report, Settings, TooFew, analyse};
use crate::data::Workspace;
use crate::domain::{CandidateId, Extent, Group, GroupId, Label, Measure, Measures, Scope};
use crate::failures::error::AnalysisError;
use crate::runs::{Ending, Fact, Writer};

/// How many groups are looked up at a time.
const PAGE: usize = 500;

/// Whose labels count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelChoice {
    /// Everybody's.
    #[default]
    All,
    /// People's.
    Real,
    /// Those that a program made.
    Simulated,
    /// Nobody's: the model's scores are held against measures alone.
    None,
}

impl LabelChoice {
    /// As it is typed.
    pub const fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Real => "real",
            Self::Simulated => "simulated",
            Self::None => NO_LABELS,
        }
    }

    fn takes(self, label: &Label) -> bool {
        match self {
            Self::All => true,
            Self::Real => !label.simulated,
            Self::Simulated => label.simulated,
            Self::None => false,
        }
    }
}

impl FromStr for LabelChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::All, Self::Real, Self::Simulated, Self::None]
            .into_iter()
            .find(|choice| choice.key() == text)
            .ok_or_else(|| format!("'{text}' is none of all, real, simulated and none"))
    }
}

/// What is to be done.
#[derive(Debug)]
pub struct Task<'a> {
    /// Where scores, labels and measures are.
    pub workspace: &'a Workspace,
    /// Whose scores.
    pub model: ModelFacts,
    /// Whose labels.
    pub labels: LabelChoice,
    /// Only the groups of this part of the data.
    pub split: Option<String>,
    /// Only the groups that came with this data set.
    pub set: Option<String>,
    /// Only these candidates.
    pub only: Option<HashSet<CandidateId>>,
    /// How; whether labels take part is decided by `labels`.
    pub settings: Settings,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// All was analysed.
    Done(Box<Report>),
    /// Somebody asked it to stop.
    Stopped {
        /// Groups that were read.
        done: usize,
        /// All groups.
        of: usize,
    },
}

/// Does the work of a run. `stop` is asked at every group, and `progress` hears how many groups of how many are read.
///
/// # Errors
///
/// Where the workspace or the run's folder fails, or too few candidates have scores, measures and labels.
pub fn run(
    task: &Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Outcome, AnalysisError> {
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    phase("reading scores, labels and measures")?;
    let stop = || stop() || writer.stop_asked();
    let (cases, data) = match cases(task, &stop, progress)? {
        Read::All(cases, data) => (cases, data),
        Read::Stopped { done, of } => return Ok(Outcome::Stopped { done, of }),
    };
    phase("analysing")?;
    let settings = Settings {
        labelled: task.labels != LabelChoice::None,
        ..task.settings
    };
    let counts = lacking(&data);
    let report = analyse(&cases, &settings, task.model.clone(), data)
        .map_err(|why: TooFew| AnalysisError::TooFew { why, counts })?;
    writer.report(&report)?;
    Ok(Outcome::Done(Box::new(report)))
}

/// Notes how a run ended.
///
/// # Errors
///
/// Where the run's folder cannot be written.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), AnalysisError> {
    let (ending, reason) = match outcome {
        Outcome::Done(report) => {
            let named: Vec<String> = report
                .biases
                .iter()
                .map(|b| format!("{} on {}", b.effect.measure.name(), b.effect.judged.name()))
                .collect();
            let named = if named.is_empty() {
                "nothing".into()
            } else {
                named.join(", ")
            };
            (
                Ending::Done,
                format!("{} candidates: {named}", report.data.analysed),
            )
        }
        Outcome::Stopped { done, of } => (Ending::Stopped, format!("{done} of {of} groups read")),
    };
    Ok(writer.end(ending, &reason)?)
}

/// The report of a finished run.
///
/// # Errors
///
/// Where there is none, or it is another verb's.
pub fn read_report(folder: &Path) -> Result<Report, AnalysisError> {
    let path = folder.join("report.json");
    let text = std::fs::read_to_string(&path).map_err(AnalysisError::read(&path))?;
    serde_json::from_str(&text).map_err(|e| AnalysisError::read(&path)(e.into()))
}

pub(super) enum Read {
    All(Vec<Case>, DataFacts),
    Stopped { done: usize, of: usize },
}

/// The candidates with a score and measures; what lacks one is counted. Those without labels stay in: an analysis with labels passes
/// them over.
pub(super) fn cases(
    task: &Task<'_>,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Read, AnalysisError> {
    let workspace = task.workspace;
    let of = workspace.group_count()?;
    let mut data = DataFacts {
        workspace: workspace.root().display().to_string(),
        labels: task.labels.key().into(),
        ..DataFacts::default()
    };
    let (mut cases, mut done, mut after) = (Vec::new(), 0, None);
    loop {
        let page = workspace.summaries(after, PAGE, None)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for summary in &page {
            if stop() {
                return Ok(Read::Stopped { done, of });
            }
            if let Some(group) = workspace.group(summary.id)? {
                let other =
                    |wanted: &Option<String>, is: &Option<String>| wanted.is_some() && wanted != is;
                if !other(&task.split, &group.split) && !other(&task.set, &group.set) {
                    take(task, group, &mut cases, &mut data)?;
                }
            }
            done += 1;
            progress(done, of);
        }
    }
    Ok(Read::All(cases, data))
}

fn take(
    task: &Task<'_>,
    group: Group,
    cases: &mut Vec<Case>,
    data: &mut DataFacts,
) -> Result<(), AnalysisError> {
    let id: GroupId = group.id;
    let mut scores = task.workspace.scores(id, &task.model.fingerprint)?;
    let measures = task.workspace.measures(id)?;
    let local = is_local(&group, &measures);
    let wanted = |id: &CandidateId| task.only.as_ref().is_none_or(|only| only.contains(id));
    for candidate in group.candidates {
        if !wanted(&candidate.id) {
            continue;
        }
        data.candidates += 1;
        let reward = scores.iter().position(|(of, _)| *of == candidate.id);
        let measured = measures.iter().find(|(of, _)| *of == candidate.id);
        data.unscored += usize::from(reward.is_none());
        data.unmeasured += usize::from(measured.is_none());
        let mut labels = candidate.labels;
        labels.retain(|label| task.labels.takes(label));
        data.unlabelled += usize::from(labels.is_empty());
        if let (Some(reward), Some((_, measures))) = (reward, measured) {
            cases.push(Case {
                group: id,
                candidate: candidate.id,
                category: group.category.clone(),
                editor: candidate.editor,
                labels,
                reward: scores.swap_remove(reward).1,
                measures: measures.clone(),
                local,
            });
        }
    }
    Ok(())
}

/// Whether edits of a group are local: by the words of the instruction, and where these leave it open, where most of its candidates
/// that changed anything are. The one that was over-edited does not decide for the others.
fn is_local(group: &Group, measures: &[(CandidateId, Measures)]) -> bool {
    if let Some(scope) = Scope::judge(None, &group.instruction) {
        return !scope.global;
    }
    let changed = measures
        .iter()
        .filter(|(_, m)| m.get(Measure::NoOp) != Some(1.0))
        .filter_map(|(_, m)| Extent::of(m));
    let (global, local): (Vec<bool>, Vec<bool>) = changed
        .map(|extent| Scope::measured(&extent).global)
        .partition(|global| *global);
    local.len() > global.len()
}

/// What is missing, and what mends it.
fn lacking(data: &DataFacts) -> String {
    let all = data.candidates;
    let mut parts = Vec::new();
    if data.unscored > 0 {
        parts.push(format!(
            "{} of {all} have no score of this model ('erw score')",
            data.unscored
        ));
    }
    if data.unmeasured > 0 {
        parts.push(format!(
            "{} of {all} are not measured ('erw failures measure')",
            data.unmeasured
        ));
    }
    if data.unlabelled > 0 && data.labels != NO_LABELS {
        let whose = if data.labels == "all" {
            String::new()
        } else {
            format!("{} ", data.labels)
        };
        parts.push(format!(
            "{} of {all} have no {whose}labels ('--labels none' looks at scores and measures alone)",
            data.unlabelled
        ));
    }
    if parts.is_empty() {
        format!("the data has {all} candidates")
    } else {
        parts.join(", ")
    }
}
