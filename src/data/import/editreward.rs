//! EditReward-Data, the published preference set, as its Parquet on the hub: two candidates a row, the images in the file.
//!
//! | column | is |
//! |---|---|
//! | `instruction`, `source_img` | the instruction, the source image |
//! | `left_output_image`, `right_output_image` | the two candidates |
//! | `left_model`, `right_model` | their editors; may be missing |
//! | `left_instruction_following_score`, `left_quality_aesthetic_score`, `right_…` | labels IF and VQ, 1-4; may be null |
//! | `left_overall_score`, … | kept as the rating `overall` where it is not the sum of the two |
//! | `vote_type` | `leftvote`, `rightvote` or `tie`; may be null |
//! | `key`, `unique_key`, `pair_index`, `metadata_index`, `left_img_rel`, `right_img_rel` | not needed: groups are told by source and instruction, candidates by content |
//!
//! A candidate that is in several rows is one, by the content of its image; of scores that differ from row to row each is kept.

use super::record::CandidateRecord;
use super::rows::{self, Judge};
use super::{Format, GroupRecord, ImportError};
use crate::data::records::{Record, RecordError};
use crate::domain::Choice;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "editreward-data",
    title: "EditReward-Data (TIGER-Lab) of the hub, a pair a row",
    told_by: "instruction, source_img, left_output_image, right_output_image",
    whole: false,
    fits: |look| {
        look.has(&[
            "instruction",
            "source_img",
            "left_output_image",
            "right_output_image",
        ])
    },
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| pair(record, &judge)))
    },
};

fn pair(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let source = rows::image(record, "source_img")?;
    let candidates = vec![side(record, judge, "left")?, side(record, judge, "right")?];
    let choice = match rows::optional(record, "vote_type")?.as_deref() {
        None => None,
        Some("leftvote") => Some(Choice::A),
        Some("rightvote") => Some(Choice::B),
        Some("tie" | "tievote") => Some(Choice::Tie),
        Some(other) => {
            let why = format!("'{other}' is none of leftvote, rightvote, tie");
            return Err(record.wrong("vote_type", why).into());
        }
    };
    let vote = choice.map(|choice| judge.vote(0, 1, choice));
    let instruction = record.text("instruction")?;
    Ok(GroupRecord {
        source_hash: source.1,
        votes: vote.into_iter().collect(),
        ..GroupRecord::new(record.place().clone(), source.0, instruction, candidates)
    })
}

fn side(record: &Record, judge: &Judge, side: &str) -> Result<CandidateRecord, RecordError> {
    let score = |what: &str| format!("{side}_{what}_score");
    rows::Side {
        image: &format!("{side}_output_image"),
        editor: &format!("{side}_model"),
        following: &score("instruction_following"),
        looks: &score("quality_aesthetic"),
        overall: &score("overall"),
    }
    .read(record, judge)
}
