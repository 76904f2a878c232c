//! Tables: a row for each candidate and annotator, with the columns that a table is imported with again.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Serialize;

use super::{Export, ExportFormat, ExportReport, Failed, short_key};
use crate::domain::{Axis, Candidate};

pub(super) const CSV: ExportFormat = ExportFormat {
    name: "csv",
    title: "a table, a candidate and annotator a row",
    ending: "csv",
    says_simulated: true,
    write: |export, report, out| {
        let mut table = csv::Writer::from_writer(out);
        each(export, report, |row| {
            table
                .serialize(row)
                .map_err(|e| Failed::Write(std::io::Error::other(e)))
        })?;
        table
            .into_inner()
            .map_err(|e| Failed::Write(std::io::Error::other(e.to_string())))
    },
};

pub(super) const JSONL: ExportFormat = ExportFormat {
    name: "jsonl",
    title: "the same as JSON lines",
    ending: "",
    says_simulated: true,
    write,
};

/// A row. The names are those of the fields that `erw import --map` knows.
#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    instruction: &'a str,
    source: &'a str,
    edited: &'a str,
    editor: Option<&'a str>,
    seed: Option<u64>,
    category: Option<&'a str>,
    split: Option<&'a str>,
    annotator: Option<&'a str>,
    #[serde(rename = "if")]
    instruction_following: Option<f64>,
    vq: Option<f64>,
    simulated: Option<bool>,
}

fn write(
    export: &Export<'_>,
    report: &mut ExportReport,
    mut out: BufWriter<File>,
) -> Result<BufWriter<File>, Failed> {
    each(export, report, |row| {
        serde_json::to_writer(&mut out, row)?;
        Ok(out.write_all(b"\n")?)
    })?;
    Ok(out)
}

fn each(
    export: &Export<'_>,
    report: &mut ExportReport,
    mut each: impl FnMut(&Row<'_>) -> Result<(), Failed>,
) -> Result<(), Failed> {
    export.each(|group| {
        report.groups += 1;
        let source = export.path(&group.key, &group.source, report)?;
        for candidate in &group.candidates {
            let edited = export.path(&group.key, &candidate.image, report)?;
            for said in judgements(candidate) {
                each(&Row {
                    key: short_key(&group),
                    instruction: &group.instruction,
                    source: &source,
                    edited: &edited,
                    editor: candidate.editor.as_deref(),
                    seed: candidate.seed,
                    category: group.category.as_deref(),
                    split: group.split.as_deref(),
                    annotator: said.annotator,
                    instruction_following: said.scores[0],
                    vq: said.scores[1],
                    simulated: said.simulated,
                })?;
                report.records += 1;
            }
        }
        Ok(())
    })
}

/// What an annotator said of a candidate.
#[derive(Default)]
struct Judgement<'a> {
    annotator: Option<&'a str>,
    /// On instruction following and visual quality.
    scores: [Option<f64>; 2],
    simulated: Option<bool>,
}

/// What each annotator said; one row of nothing where nobody said anything.
fn judgements(candidate: &Candidate) -> Vec<Judgement<'_>> {
    let mut all: Vec<Judgement<'_>> = Vec::new();
    for label in &candidate.labels {
        let (who, simulated) = (Some(label.annotator.as_str()), Some(label.simulated));
        let same = |said: &Judgement<'_>| said.annotator == who && said.simulated == simulated;
        let at = all.iter().position(same).unwrap_or_else(|| {
            all.push(Judgement {
                annotator: who,
                scores: [None, None],
                simulated,
            });
            all.len() - 1
        });
        let place = usize::from(label.axis == Axis::VisualQuality);
        all[at].scores[place] = Some(label.score);
    }
    if all.is_empty() {
        all.push(Judgement::default());
    }
    all
}
