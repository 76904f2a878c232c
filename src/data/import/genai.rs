//! GenAI-Bench (TIGER-Lab), image editing: two candidates and a vote a record, as the hub's Parquet or as JSON.
//!
//! | field | is |
//! |---|---|
//! | `instruct_prompt` | the instruction (`source_prompt` and `target_prompt` describe the images and are left out) |
//! | `source_image` or `path_src` | the source image |
//! | `left_output_image` or `left_path`, `right_output_image` or `right_path` | the two candidates |
//! | `left_model`, `right_model` | their editors; may be missing |
//! | `vote_type` or `human_vote` | `leftvote`, `rightvote`, `tievote` (both good) or `bothbad_vote` |
//!
//! A record without images is an error of that record: there is nothing to look at.

use super::record::CandidateRecord;
use super::rows::{self, Judge};
use super::{Format, GroupRecord, ImportError};
use crate::data::records::Record;
use crate::domain::Choice;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "genai-bench",
    title: "GenAI-Bench (TIGER-Lab), image editing, two candidates and a vote a record",
    told_by: "instruct_prompt, left_model, right_model; vote_type or human_vote",
    whole: false,
    fits: |look| {
        look.has(&["instruct_prompt"]) && (look.has(&["vote_type"]) || look.has(&["human_vote"]))
    },
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| voted(record, &judge)))
    },
};

fn voted(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let either = |fields: [&'static str; 2]| {
        if record.has(fields[1]) {
            fields[1]
        } else {
            fields[0]
        }
    };
    let source = rows::image(record, either(["source_image", "path_src"]))?;
    let mut candidates = Vec::with_capacity(2);
    for (fields, model) in [
        (["left_output_image", "left_path"], "left_model"),
        (["right_output_image", "right_path"], "right_model"),
    ] {
        let (image, hash) = rows::image(record, either(fields))?;
        candidates.push(CandidateRecord {
            image,
            hash,
            editor: rows::name(record, model)?,
            ..CandidateRecord::default()
        });
    }
    let field = either(["vote_type", "human_vote"]);
    let choice = match record.text(field)? {
        "leftvote" => Choice::A,
        "rightvote" => Choice::B,
        "tievote" => Choice::BothGood,
        "bothbad_vote" => Choice::BothBad,
        other => {
            let why = format!("'{other}' is none of leftvote, rightvote, tievote, bothbad_vote");
            return Err(record.wrong(field, why).into());
        }
    };
    let instruction = record.text("instruct_prompt")?;
    Ok(GroupRecord {
        source_hash: source.1,
        votes: vec![judge.vote(0, 1, choice)],
        ..GroupRecord::new(record.place().clone(), source.0, instruction, candidates)
    })
}
