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
    let tie = record.has("tie_case") && rows::truth(record, "tie_case")?;
    let choice = if tie { Choice::Tie } else { Choice::A };
    let vote = Vote {
        counts: counts(record)?,
        confidence: rows::number(record, "confidence")?,
        ..judge.vote(0, 1, choice)
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
    let score = |what: &str| format!("model{number}_{what}_score");
    rows::Side {
        image: &format!("path{number}"),
        editor: &format!("model{number}"),
        following: &score("dim1"),
        looks: &score("dim2"),
        overall: &score("overall"),
    }
    .read(record, judge)
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
