//! Reports of selections as files for others: Markdown, HTML with histograms and pictures, JSON.

mod html;
mod markdown;

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use super::CurateError;
use super::report::Report;
use crate::data::Workspace;
use crate::data::export::data_url;
use crate::domain::{CandidateId, GroupId};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people and repositories.
    Markdown,
    /// One file with histograms and pictures in it.
    Html,
    /// All of it, for programs.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "md" => Self::Markdown,
            "html" => Self::Html,
            "json" => Self::Json,
            _ => return Err(format!("'{text}' is none of md, html and json")),
        })
    }
}

/// A candidate as it is shown.
#[derive(Debug)]
struct Shown {
    instruction: String,
    editor: Option<String>,
    /// Source and edit as the addresses of themselves, or why there is none.
    pictures: [Result<String, String>; 2],
}

/// The longer side of a picture, in pixels.
const SIDE: u32 = 192;

/// The report of the selection `name` ("best@2"). Pictures of its examples are read for HTML, from `places` in the workspace.
///
/// # Errors
/// Where it cannot be written as JSON, or the workspace cannot be read.
pub fn render(
    report: &Report,
    name: &str,
    workspace: &Workspace,
    places: &BTreeMap<CandidateId, GroupId>,
    format: Format,
) -> Result<String, CurateError> {
    Ok(match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(report);
            let text = text.map_err(|e| CurateError::Choice(e.to_string()))?;
            text + "\n"
        }
        Format::Markdown => markdown::page(report, name),
        Format::Html => html::page(report, name, &shown(report, workspace, places)?),
    })
}

fn shown(
    report: &Report,
    workspace: &Workspace,
    places: &BTreeMap<CandidateId, GroupId>,
) -> Result<HashMap<i64, Shown>, CurateError> {
    let mut out = HashMap::new();
    for id in report.examples.all() {
        let Some(place) = places.get(&id) else {
            continue;
        };
        let Some(group) = workspace.group(*place)? else {
            continue;
        };
        let Some(candidate) = group.candidates.iter().find(|c| c.id == id) else {
            continue;
        };
        let picture = |image| data_url(workspace.root(), image, SIDE).map_err(|e| e.to_string());
        out.insert(
            id.0,
            Shown {
                pictures: [picture(&group.source), picture(&candidate.image)],
                editor: candidate.editor.clone(),
                instruction: group.instruction.clone(),
            },
        );
    }
    Ok(out)
}

/// A number as reports have it, or a dash.
fn amount(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:+.3}"))
}

fn percent(part: usize, of: usize) -> String {
    if of == 0 {
        return "–".into();
    }
    format!("{:.1} %", 100.0 * part as f64 / of as f64)
}

/// What the report says first, in facts.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let cost = &report.cost;
    let mut facts = vec![
        ("recipe", report.recipe.clone()),
        ("model", report.model.clone()),
        (
            "kept",
            format!(
                "{} of {} considered, of {} candidates",
                report.kept, report.considered, report.candidates
            ),
        ),
        ("at the cut", amount(report.at_cut)),
    ];
    if cost.mean.is_some() {
        facts.push((
            "mean",
            format!(
                "{} of those kept; {} had as many been taken from the top without regard to groups, quotas and duplicates; {} of the next tenth below",
                amount(cost.mean),
                amount(cost.unconstrained),
                amount(cost.next_tenth)
            ),
        ));
    }
    if cost.better_dropped > 0 {
        facts.push((
            "what that cost",
            format!(
                "{} that are better than the last one kept were dropped",
                cost.better_dropped
            ),
        ));
    }
    let sides = [
        ("kept", &report.checked.kept),
        ("dropped", &report.checked.dropped),
    ];
    for (side, agreed) in sides {
        if let Some([low, high]) = agreed.interval {
            facts.push((
                "spot check",
                format!(
                    "people agree with {} of {} {side}: {:.0} % [{:.0}, {:.0}] (Wilson, 95 %)",
                    agreed.right,
                    agreed.looked_at,
                    100.0 * agreed.right as f64 / agreed.looked_at.max(1) as f64,
                    100.0 * low,
                    100.0 * high
                ),
            ));
        }
    }
    facts
}
