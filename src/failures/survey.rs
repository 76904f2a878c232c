//! Measuring a workspace as a run: every candidate that has no measures yet against its source, on all cores, each image decoded
//! once for its group.
//!
//! What is measured is kept under the contents of both images, some hundreds at a time, so that a run that was stopped or killed
//! goes on from where it was, and nothing is measured twice under whatever name. A broken image is told and leaves the rest alone.

use std::collections::{BTreeMap, HashSet};

use image::RgbImage;
use rayon::prelude::{IntoParallelIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use super::{measure, raster};
use crate::data::images::{content_hash, decode, read};
use crate::data::{Workspace, WorkspaceError};
use crate::domain::{Group, GroupId, ImageRef, Measure, Measures};
use crate::runs::{Ending, Fact, RunError, Writer};

/// So many groups are looked at before progress is told, and a stop heeded.
const BATCH: usize = 16;
/// So many pairs are stored at a time.
const STORED: usize = 300;
/// How many groups a page of the list has.
const PAGE: usize = 1000;
/// How many failures are told in full.
const TOLD: usize = 100;

/// What can end the measuring of a workspace.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The workspace cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The run's folder does not take what is to be noted.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// What is to be done.
#[derive(Debug)]
pub struct Task<'a> {
    /// The groups and their images.
    pub workspace: &'a Workspace,
    /// Which groups; all without a list.
    pub groups: Option<Vec<GroupId>>,
}

/// What whoever watches hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// So many candidates of so many are done.
    Progress(usize, usize),
    /// Words for people.
    Line(&'a str),
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// All that can be measured is.
    Done(Box<Report>),
    /// Somebody asked it to stop.
    Stopped {
        /// Candidates done.
        done: usize,
        /// All candidates.
        of: usize,
    },
}

/// What came of a run, as `report.json` has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Chosen groups.
    pub groups: usize,
    /// Of these, how many have no source image, so that nothing can be measured.
    pub without_source: usize,
    /// Candidates of groups with a source.
    pub candidates: usize,
    /// Candidates that this run measured.
    pub measured: usize,
    /// Candidates whose images were measured before.
    pub known: usize,
    /// Candidates that could not be measured.
    pub failed: usize,
    /// The numbers, over all candidates that have them, by the measure's name.
    pub measures: BTreeMap<String, Spread>,
    /// The first failures.
    pub failures: Vec<Failure>,
}

/// How the numbers of one measure lie.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// How many candidates have one.
    pub defined: usize,
    /// How many have none, by reason.
    pub undefined: BTreeMap<String, usize>,
    /// The least, the 5th, 25th, 50th, 75th and 95th percentile and the most; `None` without numbers.
    pub quantiles: Option<[f64; 7]>,
}

/// An image that could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The group's name.
    pub group: String,
    /// The candidate's name; none where it is the source, so that no candidate could be measured.
    pub candidate: Option<String>,
    /// Where the image is.
    pub image: String,
    /// What is wrong with it.
    pub why: String,
}

/// Does the work of a run. `stop` is asked after every few groups.
pub fn run(
    task: &Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<Outcome, SurveyError> {
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    phase("looking for groups")?;
    let groups = groups(task)?;
    let of: usize = groups.iter().map(|(_, candidates)| candidates).sum();
    let mut report = Report {
        groups: groups.len(),
        ..Report::default()
    };
    phase("measuring")?;
    let (mut done, mut waiting) = (0, Vec::new());
    for batch in groups.chunks(BATCH) {
        let looked: Vec<_> = batch
            .into_par_iter()
            .map(|(id, _)| look(task.workspace, *id))
            .collect();
        for looked in looked {
            let looked = looked?;
            waiting.extend(looked.rows);
            report.without_source += usize::from(looked.without_source);
            report.candidates += looked.candidates;
            report.known += looked.known;
            report.measured += looked.measured;
            report.failed += looked.candidates - looked.known - looked.measured;
            for failure in looked.failures {
                let line = failure.line();
                writer.log(&line)?;
                hear(Heard::Line(&line));
                if report.failures.len() < TOLD {
                    report.failures.push(failure);
                }
            }
        }
        done += batch
            .iter()
            .map(|(_, candidates)| candidates)
            .sum::<usize>();
        let stopping = stop() || writer.stop_asked();
        if waiting.len() >= STORED || stopping || done == of {
            store(task.workspace, &mut waiting)?;
            writer.note(Fact::Progress {
                done: done as u64,
                total: Some(of as u64),
                unit: "candidates".into(),
            })?;
        }
        hear(Heard::Progress(done, of));
        if stopping && done < of {
            return Ok(Outcome::Stopped { done, of });
        }
    }
    store(task.workspace, &mut waiting)?;
    phase("adding up")?;
    report.measures = spreads(task.workspace, &groups)?;
    writer.report(&report)?;
    Ok(Outcome::Done(Box::new(report)))
}

/// Notes how a run ended.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), SurveyError> {
    let (ending, reason) = match outcome {
        Outcome::Done(report) => {
            let mut reason = format!("{} measured, {} known", report.measured, report.known);
            if report.failed > 0 {
                reason = format!("{reason}, {} failed", report.failed);
            }
            (Ending::Done, reason)
        }
        Outcome::Stopped { done, of } => {
            (Ending::Stopped, format!("{done} of {of} candidates done"))
        }
    };
    Ok(writer.end(ending, &reason)?)
}

impl Failure {
    /// A line for people.
    fn line(&self) -> String {
        let of = match &self.candidate {
            Some(candidate) => format!("candidate '{candidate}' of group '{}'", self.group),
            None => format!("the source of group '{}'", self.group),
        };
        format!("{of} cannot be measured: {}", self.why)
    }
}

/// The chosen groups and how many candidates each has.
fn groups(task: &Task<'_>) -> Result<Vec<(GroupId, usize)>, WorkspaceError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = task.workspace.summaries(after, PAGE, None)?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        found.extend(page.iter().map(|group| (group.id, group.candidates)));
    }
    if let Some(chosen) = &task.groups {
        let chosen: HashSet<_> = chosen.iter().collect();
        found.retain(|(id, _)| chosen.contains(id));
    }
    Ok(found)
}

/// Contents of source and candidate, and what was measured on them.
type Row = (String, String, Measures);

/// What came of one group.
#[derive(Default)]
struct Looked {
    without_source: bool,
    candidates: usize,
    known: usize,
    measured: usize,
    rows: Vec<Row>,
    failures: Vec<Failure>,
}

/// Measures the candidates of one group that have no measures yet.
fn look(workspace: &Workspace, id: GroupId) -> Result<Looked, WorkspaceError> {
    let mut looked = Looked::default();
    let Some(group) = workspace.group(id)? else {
        return Ok(looked);
    };
    if group.source.is_none() {
        looked.without_source = true;
        return Ok(looked);
    }
    looked.candidates = group.candidates.len();
    // Reads what is new or has changed, and notes what it is, so that its measures are found by it.
    workspace.hashes(id)?;
    let known = workspace.measures(id)?;
    let is_known = |candidate| known.iter().any(|(id, _)| *id == candidate);
    looked.known = known.len();
    if known.len() == group.candidates.len() {
        return Ok(looked);
    }
    let source = match image(workspace, &group.source) {
        Ok(source) => source,
        Err(why) => {
            looked
                .failures
                .push(failure(&group, None, &group.source, why));
            return Ok(looked);
        }
    };
    let mut contents = HashSet::new();
    for candidate in group.candidates.iter().filter(|c| !is_known(c.id)) {
        let measured = image(workspace, &candidate.image).and_then(|(hash, edit)| {
            if !contents.insert(hash.clone()) {
                return Ok(None);
            }
            let (Some(source), Some(edit)) = (raster(&source.1), raster(&edit)) else {
                return Err("the image has no pixels".into());
            };
            Ok(Some((hash, measure(source, edit))))
        });
        match measured {
            Ok(row) => {
                looked.measured += 1;
                looked
                    .rows
                    .extend(row.map(|(hash, m)| (source.0.clone(), hash, m)));
            }
            Err(why) => {
                let name = Some(candidate.key.clone());
                looked
                    .failures
                    .push(failure(&group, name, &candidate.image, why));
            }
        }
    }
    Ok(looked)
}

fn failure(group: &Group, candidate: Option<String>, image: &ImageRef, why: String) -> Failure {
    Failure {
        group: group.key.clone(),
        candidate,
        image: image.0.clone(),
        why,
    }
}

/// The content hash of an image, and its pixels.
fn image(workspace: &Workspace, image: &ImageRef) -> Result<(String, RgbImage), String> {
    let bytes = read(workspace.root(), image).map_err(|why| why.to_string())?;
    let pixels = decode(&bytes).map_err(|why| why.to_string())?;
    Ok((content_hash(&bytes), pixels))
}

fn store(workspace: &Workspace, waiting: &mut Vec<Row>) -> Result<(), WorkspaceError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let rows: Vec<(&str, &str, Measures)> = waiting
        .iter()
        .map(|(source, edit, measures)| (source.as_str(), edit.as_str(), measures.clone()))
        .collect();
    workspace.save_measures(&rows)?;
    waiting.clear();
    Ok(())
}

/// How the numbers of all measures lie.
fn spreads(
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
) -> Result<BTreeMap<String, Spread>, WorkspaceError> {
    let mut numbers: Vec<Vec<f64>> = vec![Vec::new(); Measure::ALL.len()];
    let mut spreads: Vec<Spread> = vec![Spread::default(); Measure::ALL.len()];
    for (id, _) in groups {
        for (_, measures) in workspace.measures(*id)? {
            for (at, measure) in Measure::ALL.into_iter().enumerate() {
                if let Some(number) = measures.get(measure) {
                    numbers[at].push(number);
                } else if let Some(why) = measures.why_not(measure) {
                    *spreads[at].undefined.entry(why.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    for (spread, numbers) in spreads.iter_mut().zip(&mut numbers) {
        numbers.sort_by(f64::total_cmp);
        spread.defined = numbers.len();
        spread.quantiles = numbers.len().checked_sub(1).map(|last| {
            [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]
                .map(|share: f64| numbers[(share * last as f64).round() as usize])
        });
    }
    let names = Measure::ALL.map(|measure| measure.name().to_owned());
    Ok(names.into_iter().zip(spreads).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::images::png;
    use crate::runs::{Folder, Manifest};

    /// Two groups of three candidates each; one candidate is no image, and one source is missing.
    fn workspace(dir: &std::path::Path) -> Workspace {
        let picture = |tint: u8| {
            let image =
                RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 12, tint]));
            png(&image).unwrap()
        };
        for (name, tint) in [("s.png", 10), ("a.png", 10), ("b.png", 200)] {
            std::fs::write(dir.join(name), picture(tint)).unwrap();
        }
        std::fs::write(dir.join("c.png"), "no image").unwrap();
        let group = |id: &str, source: &str| {
            format!(
                r#"{{"id": "{id}", "source": "{source}", "instruction": "x", "candidates": [{{"id": "a", "image": "a.png"}}, {{"id": "b", "image": "b.png"}}, {{"id": "c", "image": "c.png"}}]}}"#
            )
        };
        let file = dir.join("groups.jsonl");
        let lines = [group("g", "s.png"), group("h", "missing.png")].join("\n");
        std::fs::write(&file, lines).unwrap();
        let workspace = Workspace::create(dir).unwrap();
        workspace.import_jsonl(&file).unwrap();
        workspace
    }

    fn measured(
        workspace: &Workspace,
        runs: &std::path::Path,
        stop: bool,
    ) -> (Outcome, Vec<String>) {
        let manifest = Manifest::new("failures measure", Vec::new(), "here");
        let writer = Folder::create(runs, &manifest).unwrap().take_up().unwrap();
        let task = Task {
            workspace,
            groups: None,
        };
        let mut lines = Vec::new();
        let mut hear = |heard: Heard<'_>| {
            if let Heard::Line(line) = heard {
                lines.push(line.to_owned());
            }
        };
        let outcome = run(&task, &writer, &|| stop, &mut hear).unwrap();
        end(&writer, &outcome).unwrap();
        (outcome, lines)
    }

    #[test]
    fn what_can_be_measured_is_once_and_what_cannot_is_told() {
        let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let workspace = workspace(dir.path());
        let (outcome, lines) = measured(&workspace, runs.path(), false);
        let Outcome::Done(report) = outcome else {
            panic!("it was not stopped");
        };
        assert_eq!((report.groups, report.candidates), (2, 6));
        assert_eq!((report.measured, report.known, report.failed), (2, 0, 4));
        assert_eq!(report.failures.len(), 2);
        assert!(
            lines.iter().any(|line| line.contains("'c' of group 'g'")),
            "{lines:?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.contains("source of group 'h'")),
            "{lines:?}"
        );
        let returned = &report.measures["no_op"];
        assert_eq!(returned.defined, 2);
        assert_eq!(returned.quantiles.unwrap()[6], 1.0);
        assert_eq!(report.measures["edit_strength"].undefined.len(), 1);
        assert_eq!(workspace.measures(GroupId(1)).unwrap().len(), 2);

        let (outcome, _) = measured(&workspace, runs.path(), false);
        let Outcome::Done(again) = outcome else {
            panic!("it was not stopped");
        };
        assert_eq!((again.measured, again.known, again.failed), (0, 2, 4));
        assert_eq!(again.measures, report.measures);
    }
}
