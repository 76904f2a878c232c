//! Pair JSON: two candidates a record, the preferred one first. What the published trainer and its benchmarks read.
//!
//! | field | is |
//! |---|---|
//! | `prompt`, `path_src` | the instruction, the source image |
//! | `path1`, `path2` | the two candidates; the first is the preferred one |
//! | `model1`, `model2` | their editors; may be missing |
//! | `model1_dim1_score`, `model1_dim2_score`, … | labels IF and VQ, 1-4; may be missing or null |
//! | `model1_overall_score`, … | kept as the rating `overall` where it is not the sum of the two |
//! | `tie_case` | true where neither is preferred: the vote is a tie, and the labels say more |
//! | `choice_dist`, `confidence` | how many chose each, and how sure the data set is (0-1); may be null |
//!
//! Every record is also a vote: for the first, or a tie. (TIGER-AI-Lab/EditReward, `data/dataset`.)

use super::record::CandidateRecord;
use super::rows::{self, Judge};
use super::{Format, GroupRecord, ImportError};
use crate::data::records::{Record, RecordError};
use crate::domain::{Choice, Vote};

/// Differences of sums below this are rounding.
const ROUNDING: f64 = 1e-9;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "pair-json",
    title: "pair JSON of EditReward, the preferred candidate first",
    told_by: "prompt, path_src, path1, path2",
    whole: false,
    fits: |look| look.has(&["prompt", "path_src", "path1", "path2"]),
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| pair(record, &judge)))
    },
};

fn pair(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let source = rows::image(record, "path_src")?;
    let candidates = vec![side(record, judge, 1)?, side(record, judge, 2)?];
    let tie = tie_case(record)?;
    let vote = Vote {
        a: 0,
        b: 1,
        annotator: judge.annotator.clone(),
        axis: None,
        choice: if tie { Choice::Tie } else { Choice::A },
        counts: counts(record)?,
        confidence: rows::number(record, "confidence")?,
        simulated: judge.simulated,
    };
    let instruction = record.text("prompt")?;
    Ok(GroupRecord {
        source_hash: source.1,
        votes: vec![vote],
        ..GroupRecord::new(record.place().clone(), source.0, instruction, candidates)
    })
}

/// A candidate: the first or the second.
fn side(record: &Record, judge: &Judge, number: u8) -> Result<CandidateRecord, RecordError> {
    let field = |what: &str| format!("model{number}_{what}_score");
    let (image, hash) = rows::image(record, &format!("path{number}"))?;
    let labels = judge.labels(record, [&field("dim1"), &field("dim2")])?;
    let overall = rows::number(record, &field("overall"))?;
    let sum: f64 = labels.iter().map(|label| label.score).sum();
    let own = overall.filter(|overall| labels.len() < 2 || (overall - sum).abs() > ROUNDING);
    Ok(CandidateRecord {
        image,
        hash,
        editor: rows::name(record, &format!("model{number}"))?,
        ratings: own
            .map(|overall| judge.rating("overall", overall))
            .into_iter()
            .collect(),
        labels,
        ..CandidateRecord::default()
    })
}

/// Whether the record says that neither is preferred.
fn tie_case(record: &Record) -> Result<bool, RecordError> {
    use serde_json::Value;
    let said = match record.value("tie_case") {
        None | Some(Value::Null) => return Ok(false),
        Some(Value::Bool(tie)) => return Ok(*tie),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::String(text)) => text.trim().to_lowercase(),
        Some(_) => String::new(),
    };
    match said.as_str() {
        "true" | "1" | "1.0" | "tie" => Ok(true),
        "false" | "0" | "0.0" | "none" | "" => Ok(false),
        other => Err(record.wrong(
            "tie_case",
            format!("is '{other}', which is neither true nor false"),
        )),
    }
}

fn counts(record: &Record) -> Result<Option<[f64; 2]>, RecordError> {
    if !record.has("choice_dist") {
        return Ok(None);
    }
    match record.numbers("choice_dist")?.as_slice() {
        [a, b] => Ok(Some([*a, *b])),
        other => Err(record.wrong(
            "choice_dist",
            format!("has {} numbers, not two", other.len()),
        )),
    }
}
