//! ImageReward's rankings of text-to-image results: no source image, a prompt, and a rank for each picture.
//!
//! | field | is |
//! |---|---|
//! | `prompt` | what was asked for |
//! | `generations` | the pictures, two or more |
//! | `ranking` | the rank of each, 1 for the best; equal ranks are ties. Kept as the rating `rank`, and as a vote between every two |
//! | `id` | the group's name; may be missing |
//!
//! (THUDM/ImageReward, `data/test.json`.) The groups have no source image: they are kept for their preferences.

use super::record::{CandidateRecord, GroupRecord};
use super::rows::{self, Judge};
use super::{Format, ImportError};
use crate::data::records::Record;
use crate::domain::{Choice, ImageRef};

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "imagereward",
    title: "ImageReward JSON, ranked text-to-image results",
    told_by: "prompt, generations, ranking",
    whole: false,
    fits: |look| look.has(&["prompt", "generations", "ranking"]),
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| ranked(record, &judge)))
    },
};

fn ranked(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let images = record.images("generations")?;
    let ranks = record.numbers("ranking")?;
    if ranks.len() != images.len() {
        let why = format!("has {} ranks for {} images", ranks.len(), images.len());
        return Err(record.wrong("ranking", why).into());
    }
    let mut votes = Vec::new();
    for a in 0..ranks.len() {
        for b in a + 1..ranks.len() {
            let choice = match ranks[a].total_cmp(&ranks[b]) {
                std::cmp::Ordering::Less => Choice::A,
                std::cmp::Ordering::Greater => Choice::B,
                std::cmp::Ordering::Equal => Choice::Tie,
            };
            votes.push(judge.vote(a, b, choice));
        }
    }
    let candidates = images
        .into_iter()
        .zip(ranks)
        .map(|(image, rank)| CandidateRecord {
            image: image.0,
            ratings: vec![judge.rating("rank", rank)],
            ..CandidateRecord::default()
        });
    Ok(GroupRecord {
        key: rows::name(record, "id")?.unwrap_or_default(),
        votes,
        ..GroupRecord::new(
            record.place().clone(),
            ImageRef::NONE,
            record.text("prompt")?,
            candidates.collect(),
        )
    })
}
