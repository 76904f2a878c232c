//! EditReward-Bench's JSON: tuples of 2, 3 and 4 candidates with their ranking, the hardest first (paper, appendix A.3).
//!
//! Candidates stand in an order drawn by the seed and what they are, so that their places tell nothing.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Serialize;

use super::pairs::sorted;
use super::{Export, ExportFormat, ExportReport, Failed};
use crate::domain::{Group, GroupId, HumanScore, Tuple, human_scores, overall_score, tuples};

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "tuples-json",
    title: "EditReward-Bench (TIGER-Lab) tuples with their ranking, the hardest first",
    ending: "",
    says_simulated: false,
    write,
};

#[derive(Serialize)]
struct TupleLine<'a> {
    prompt: &'a str,
    path_src: &'a str,
    paths_generated: Vec<&'a str>,
    human_vote: HumanVote,
    models: Vec<Option<&'a str>>,
    human_scores: Option<Vec<f64>>,
}

#[derive(Serialize)]
struct HumanVote {
    ranking: String,
    preference: String,
}

/// A tuple that is written if it is among the hardest.
struct Found {
    group: GroupId,
    tuple: Tuple,
}

fn write(
    export: &Export<'_>,
    report: &mut ExportReport,
    mut out: BufWriter<File>,
) -> Result<BufWriter<File>, Failed> {
    let found = hardest(export)?;
    let mut begun = false;
    let mut last: Option<GroupId> = None;
    for one in &found {
        let Some(group) = export.workspace.group(one.group)? else {
            continue;
        };
        let group = sorted(group);
        let human = human_scores(&group.candidates);
        let order = shuffled(&one.tuple.order, export.options.seed, &group);
        let source = export.path(&group.key, &group.source, report)?;
        let mut paths = Vec::with_capacity(order.len());
        for &i in &order {
            paths.push(export.path(&group.key, &group.candidates[i].image, report)?);
        }
        let score = |i: usize, human: &HumanScore| overall_score(&group.candidates[i], human);
        let ranking = ranking(&one.tuple.order, &order);
        let line = TupleLine {
            prompt: &group.instruction,
            path_src: &source,
            paths_generated: paths.iter().map(String::as_str).collect(),
            human_vote: HumanVote {
                preference: ranking.clone(),
                ranking,
            },
            models: order
                .iter()
                .map(|i| group.candidates[*i].editor.as_deref())
                .collect(),
            human_scores: order.iter().map(|i| score(*i, &human[*i])).collect(),
        };
        out.write_all(if begun { b",\n" } else { b"[\n" })?;
        begun = true;
        serde_json::to_writer(&mut out, &line)?;
        report.records += 1;
        report.groups += usize::from(last.replace(one.group) != Some(one.group));
    }
    out.write_all(if begun { b"\n]\n" } else { b"[]\n" })?;
    Ok(out)
}

/// The tuples to write: of each group and size the hardest, of each size the hardest of all, by group and size.
fn hardest(export: &Export<'_>) -> Result<Vec<Found>, Failed> {
    let options = export.options;
    let mut all: Vec<Vec<Found>> = options.ways.iter().map(|_| Vec::new()).collect();
    export.each(|group| {
        let group = sorted(group);
        for (found, k) in all.iter_mut().zip(&options.ways) {
            let tuples = tuples(&group, *k).into_iter().take(options.per_group);
            found.extend(tuples.map(|tuple| Found {
                group: group.id,
                tuple,
            }));
        }
        Ok(())
    })?;
    if let Some(limit) = options.limit {
        for found in &mut all {
            // Stable: of equally hard ones, the first in the workspace.
            found.sort_by(|a, b| a.tuple.difference.total_cmp(&b.tuple.difference));
            found.truncate(limit);
        }
    }
    let mut all: Vec<Found> = all.into_iter().flatten().collect();
    all.sort_by_key(|found| (found.group, found.tuple.order.len()));
    Ok(all)
}

/// The candidates of a tuple in an order drawn by the seed and by what they are, whatever the workspace calls them.
fn shuffled(order: &[usize], seed: u64, group: &Group) -> Vec<usize> {
    let mut drawn: Vec<([u8; 32], usize)> = order
        .iter()
        .map(|&i| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&seed.to_le_bytes());
            let candidate = &group.candidates[i];
            let file = candidate.image.0.rsplit('/').next().unwrap_or_default();
            let editor = candidate.editor.as_deref().unwrap_or_default();
            for part in [group.instruction.as_str(), editor, file] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            (*hasher.finalize().as_bytes(), i)
        })
        .collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, i)| i).collect()
}

/// "C>A>B": the letters of places in `shown`, from the best to the worst.
fn ranking(best_first: &[usize], shown: &[usize]) -> String {
    let letters: Vec<String> = best_first
        .iter()
        .filter_map(|i| shown.iter().position(|s| s == i))
        .map(|place| char::from(b'A' + u8::try_from(place).unwrap_or(25)).to_string())
        .collect();
    letters.join(">")
}
