//! Pair JSON, as the published trainer reads it: a list of pairs, the preferred candidate first.
//!
//! Scores are mean labels, null where there are none. A pair that ties overall and whose axes disagree is in it twice, once
//! each way round, with `tie_case` true; so is a tie that is kept.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Serialize;

use super::{Export, ExportFormat, ExportReport, Failed, in_order};
use crate::domain::{Axis, Candidate, Comparison, Group, HumanScore, Vote, human_scores};

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "pair-json",
    title: "pair JSON of the published trainer, the preferred first",
    ending: "",
    says_simulated: false,
    write,
};

#[derive(Serialize)]
struct PairLine<'a> {
    prompt: &'a str,
    path_src: &'a str,
    path1: &'a str,
    path2: &'a str,
    model1: Option<&'a str>,
    model2: Option<&'a str>,
    model1_dim1_score: Option<f64>,
    model1_dim2_score: Option<f64>,
    model1_overall_score: Option<f64>,
    model2_dim1_score: Option<f64>,
    model2_dim2_score: Option<f64>,
    model2_overall_score: Option<f64>,
    tie_case: bool,
    choice_dist: Option<[f64; 2]>,
    confidence: Option<f64>,
}

fn write(
    export: &Export<'_>,
    report: &mut ExportReport,
    mut out: BufWriter<File>,
) -> Result<BufWriter<File>, Failed> {
    let mut first = true;
    export.each(|group| {
        let group = sorted(group);
        let human = human_scores(&group.candidates);
        let comparisons = export.options.pairing.of_group(&group);
        if comparisons.is_empty() {
            report.left_out += 1;
            return Ok(());
        }
        report.groups += 1;
        let source = export.path(&group.key, &group.source, report)?;
        let mut paths = Vec::with_capacity(group.candidates.len());
        for candidate in &group.candidates {
            paths.push(export.path(&group.key, &candidate.image, report)?);
        }
        for comparison in &comparisons {
            for (better, worse) in ways_round(comparison) {
                out.write_all(if first { b"[\n" } else { b",\n" })?;
                first = false;
                let line = line(&group, &human, comparison, (better, worse), &source, &paths);
                serde_json::to_writer(&mut out, &line)?;
                report.records += 1;
            }
        }
        Ok(())
    })?;
    out.write_all(if first { b"[]\n" } else { b"\n]\n" })?;
    Ok(out)
}

/// Which way round a comparison is written: the preferred first, a tie both ways.
fn ways_round(comparison: &Comparison) -> Vec<(usize, usize)> {
    let (a, b) = (comparison.a, comparison.b);
    match comparison.preference {
        p if p > 0.5 => vec![(a, b)],
        p if p < 0.5 => vec![(b, a)],
        _ => vec![(a, b), (b, a)],
    }
}

fn line<'a>(
    group: &'a Group,
    human: &[HumanScore],
    comparison: &Comparison,
    (better, worse): (usize, usize),
    source: &'a str,
    paths: &'a [String],
) -> PairLine<'a> {
    let on = |i: usize, axis| human[i].on(axis);
    let (following, looks) = (Axis::InstructionFollowing, Axis::VisualQuality);
    let vote = published(&group.votes, better, worse);
    PairLine {
        prompt: &group.instruction,
        path_src: source,
        path1: &paths[better],
        path2: &paths[worse],
        model1: group.candidates[better].editor.as_deref(),
        model2: group.candidates[worse].editor.as_deref(),
        model1_dim1_score: on(better, following),
        model1_dim2_score: on(better, looks),
        model1_overall_score: rated(&group.candidates[better], &human[better]),
        model2_dim1_score: on(worse, following),
        model2_dim2_score: on(worse, looks),
        model2_overall_score: rated(&group.candidates[worse], &human[worse]),
        tie_case: comparison.is_tie() || comparison.axis.is_some(),
        choice_dist: vote.as_ref().and_then(|vote| vote.counts),
        confidence: vote.and_then(|vote| vote.confidence),
    }
}

/// The overall score: as the data set had it, else the sum of the axes.
fn rated(candidate: &Candidate, human: &HumanScore) -> Option<f64> {
    let own = candidate.ratings.iter().find(|r| r.name == "overall");
    own.map(|rating| rating.value).or(human.overall())
}

/// The vote on a pair that came with counts or a confidence, the better one first.
fn published(votes: &[Vote], better: usize, worse: usize) -> Option<Vote> {
    let told = |v: &&Vote| v.axis.is_none() && (v.counts.is_some() || v.confidence.is_some());
    votes.iter().filter(told).find_map(|vote| {
        let vote = vote.clone();
        match (vote.a, vote.b) {
            (a, b) if (a, b) == (better, worse) => Some(vote),
            (a, b) if (a, b) == (worse, better) => Some(vote.turned()),
            _ => None,
        }
    })
}

/// The group with its candidates in the order in which pairs come back.
pub(super) fn sorted(mut group: Group) -> Group {
    let order = in_order(&group.candidates);
    let mut place = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    for vote in &mut group.votes {
        (vote.a, vote.b) = (place[vote.a], place[vote.b]);
        if vote.a > vote.b {
            *vote = vote.clone().turned();
        }
    }
    group.candidates = order
        .into_iter()
        .map(|old| group.candidates[old].clone())
        .collect();
    group
}
