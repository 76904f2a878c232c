//! Reports of analyses as files for others: Markdown, HTML with plots and pictures, CSV and JSON.

mod curves;
mod html;
mod markdown;
mod plot;
pub mod probes;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::AnalysisError;
use super::analysis::run::read_report;
use super::analysis::{Report, TurnedPair};
use crate::data::Workspace;
use crate::data::export::data_url;
use crate::domain::{CandidateId, GroupId, ImageRef};
use crate::runs::Folder;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people and repositories.
    Markdown,
    /// One file with plots and pictures in it.
    Html,
    /// A row for each test.
    Csv,
    /// All of it, as the run has it.
    Json,
    /// As one picture: the scatter of the first finding, or the curves of a probe.
    Svg,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "md" => Self::Markdown,
            "html" => Self::Html,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "svg" => Self::Svg,
            _ => return Err(format!("'{text}' is none of md, html, csv, json and svg")),
        })
    }
}

/// What is shown of the cases of a report, looked up once: names, and in HTML pictures.
#[derive(Debug, Default)]
pub struct Shown {
    groups: BTreeMap<GroupId, ShownGroup>,
    candidates: BTreeMap<CandidateId, ShownCandidate>,
}

#[derive(Debug)]
struct ShownGroup {
    key: String,
    instruction: String,
    source: Option<Picture>,
}

#[derive(Debug)]
struct ShownCandidate {
    key: String,
    editor: Option<String>,
    picture: Option<Picture>,
}

/// A picture as the address of itself, or why there is none.
type Picture = Result<String, String>;

/// The longer side of a picture, in pixels.
const SIDE: u32 = 224;
/// So many cases of each bias have pictures.
const CASES: usize = 8;
/// So many pairs.
const PAIRS: usize = 4;

impl Shown {
    /// Looks up what `report` tells of; what is no longer in the workspace is told by its number, and a picture that cannot be read
    /// by the reason. Pictures are read for [`Format::Html`] alone.
    pub fn of(report: &Report, workspace: Option<&Workspace>, format: Format) -> Self {
        let mut shown = Self::default();
        let (Some(workspace), Format::Html | Format::Markdown) = (workspace, format) else {
            return shown;
        };
        for (group, candidates) in told(report) {
            let Ok(Some(found)) = workspace.group(group) else {
                continue;
            };
            let picture = |image: &ImageRef| {
                let read = || data_url(workspace.root(), image, SIDE).map_err(|e| e.to_string());
                (format == Format::Html && !image.is_none()).then(read)
            };
            shown.groups.insert(
                group,
                ShownGroup {
                    key: found.key,
                    instruction: found.instruction,
                    source: picture(&found.source),
                },
            );
            for candidate in found.candidates {
                if candidates.contains(&candidate.id) {
                    let known = ShownCandidate {
                        picture: picture(&candidate.image),
                        key: candidate.key,
                        editor: candidate.editor,
                    };
                    shown.candidates.insert(candidate.id, known);
                }
            }
        }
        shown
    }

    fn name(&self, group: GroupId, candidate: CandidateId) -> String {
        let group = match self.groups.get(&group) {
            Some(known) => known.key.clone(),
            None => format!("group {}", group.0),
        };
        match self.candidates.get(&candidate) {
            Some(known) => format!("{group} · {}", known.key),
            None => format!("{group} · candidate {}", candidate.0),
        }
    }
}

/// The candidates that a report tells of, by group.
fn told(report: &Report) -> BTreeMap<GroupId, Vec<CandidateId>> {
    let mut told: BTreeMap<GroupId, Vec<CandidateId>> = BTreeMap::new();
    for bias in &report.biases {
        for case in bias.cases.iter().take(CASES) {
            told.entry(case.group).or_default().push(case.candidate);
        }
    }
    for pair in pairs(report) {
        told.entry(pair.group)
            .or_default()
            .extend([pair.more, pair.less]);
    }
    told
}

/// The pairs of over-edited candidates that are shown.
fn pairs(report: &Report) -> impl Iterator<Item = &TurnedPair> {
    let over = report.over_editing.iter().flat_map(|over| &over.pairs);
    over.flat_map(|turned| turned.pairs.iter().take(PAIRS))
}

/// The whole report.
///
/// # Errors
///
/// Where it cannot be written as JSON, or there is nothing to draw.
pub fn render(report: &Report, shown: &Shown, format: Format) -> Result<String, AnalysisError> {
    Ok(match format {
        Format::Markdown => markdown::page(report, shown),
        Format::Html => html::page(report, shown),
        Format::Csv => rows::table(report),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(report)?;
            text.push('\n');
            text
        }
        Format::Svg => {
            let biases = report.biases.iter().chain(&report.unproven);
            let plots =
                biases.filter_map(|bias| plot::scatter(bias, "plot", report.is_labelled(), true));
            plots.into_iter().next().ok_or_else(|| {
                AnalysisError::Choice("the report has nothing that could be drawn".into())
            })?
        }
    })
}

/// Writes the report of a finished analysis for people, beside what the run has: `report.html` with plots and pictures, and
/// `report.md`. What was there under these names is replaced, each in one step. Without the workspace that was analysed the cases
/// have numbers for names, and no pictures.
///
/// # Errors
///
/// Where the run has no report, or its folder cannot be written to.
pub fn write_beside(run: &Folder) -> Result<Vec<PathBuf>, AnalysisError> {
    let report = read_report(run.path())?;
    let workspace = Workspace::open(Path::new(&report.data.workspace)).ok();
    let write = |(name, format)| {
        let shown = Shown::of(&report, workspace.as_ref(), format);
        let text = render(&report, &shown, format)?;
        Ok(run.write_beside(name, &text)?)
    };
    let files = [
        ("report.html", Format::Html),
        ("report.md", Format::Markdown),
    ];
    files.into_iter().map(write).collect()
}

/// What the report is of, in facts.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let data = &report.data;
    let settings = &report.settings;
    let mut facts = vec![
        ("model", report.model.name.clone()),
        (
            "data",
            format!(
                "{} candidates of {} groups in {}, {} of them local edits; labels: {}",
                data.analysed, data.groups, data.workspace, data.local, data.labels
            ),
        ),
        (
            "tests",
            format!(
                "{} tests, named at {} after Holm's correction and from {} on; {} resamples of groups, seed {}",
                settings.tests, settings.level, settings.least, settings.resamples, settings.seed
            ),
        ),
    ];
    for scale in &report.scales {
        if let (Some(line), Some(reliability)) = (scale.calibration, scale.reliability) {
            facts.push((
                scale.judged.name(),
                format!(
                    "model = {:.2} + {:.2} · people, corrected for label error (reliability {:.2}); rank correlation {}",
                    line.intercept,
                    line.slope,
                    reliability,
                    super::analysis::with_interval(&scale.spearman, false)
                ),
            ));
        }
    }
    facts
}

/// A p value as tables have it.
fn probability(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".into()
    } else {
        format!("{p:.4}")
    }
}

/// A number of a measure, with as many digits as it has room for.
fn amount(value: f64) -> String {
    let digits = if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}
