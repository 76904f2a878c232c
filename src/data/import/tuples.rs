//! Tuples with a ranking: EditReward-Bench (TIGER-Lab) as JSON, a tuple a record, and as the hub's Parquet, a comparison a row.
//!
//! | field of the JSON | is |
//! |---|---|
//! | `prompt`, `path_src` | the instruction, the source image |
//! | `paths_generated` | the candidates, two or more |
//! | `human_vote.ranking` | `A>B`, `A<B`, `A=B=Good`, `A=B=Bad`, `C>A>B`: a vote between every two |
//! | `models` | their editors; may be missing |
//! | `human_scores` | kept as the rating `overall`; may be missing |
//!
//! | column of the hub's table | is |
//! |---|---|
//! | `instruction`, `source_image`, `candidate_1`, `candidate_2` | as above |
//! | `ranking` | `A>B`, `B>A`, `A=B=Good`, … of these two |
//! | `model_1`, `model_2`, `score_1`, `score_2` | editors and ratings; may be missing |
//! | `id`, `dataset` | `dataset` and what stands before the last `_` of `id` name the group |

use super::record::CandidateRecord;
use super::rows::{self, Judge};
use super::{Format, GroupRecord, ImportError};
use crate::data::records::Record;
use crate::domain::{Ranking, Vote};

/// The row of the JSON form in the registry.
pub(super) const JSON: Format = Format {
    name: "tuples-json",
    title: "EditReward-Bench (TIGER-Lab) JSON, ranked tuples of candidates",
    told_by: "prompt, path_src, paths_generated, human_vote",
    whole: false,
    fits: |look| look.has(&["prompt", "path_src", "paths_generated", "human_vote"]),
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| tuple(record, &judge)))
    },
};

/// The row of the hub's form in the registry.
pub(super) const HUB: Format = Format {
    name: "tuples-parquet",
    title: "EditReward-Bench (TIGER-Lab) of the hub, a comparison a row",
    told_by: "instruction, source_image, candidate_1, candidate_2, ranking",
    whole: false,
    fits: |look| {
        look.has(&[
            "instruction",
            "source_image",
            "candidate_1",
            "candidate_2",
            "ranking",
        ])
    },
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| comparison(record, &judge)))
    },
};

fn tuple(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let source = rows::image(record, "path_src")?;
    let images = record.images("paths_generated")?;
    let count = images.len();
    let editors = if record.has("models") {
        Some(record.texts("models")?)
    } else {
        None
    };
    let scores = if record.has("human_scores") {
        Some(record.numbers("human_scores")?)
    } else {
        None
    };
    for (field, length) in [
        ("models", editors.as_ref().map(Vec::len)),
        ("human_scores", scores.as_ref().map(Vec::len)),
    ] {
        if length.is_some_and(|length| length != count) {
            let why = format!("has {} entries for {count} candidates", length.unwrap_or(0));
            return Err(record.wrong(field, why).into());
        }
    }
    let human = record.nested("human_vote")?;
    let ranking = human.text("ranking")?;
    let ranking = Ranking::parse(ranking, count).map_err(|why| human.wrong("ranking", why))?;
    let candidates = images
        .into_iter()
        .enumerate()
        .map(|(i, image)| CandidateRecord {
            image: image.0,
            editor: editors.as_ref().map(|editors| editors[i].clone()),
            ratings: scores
                .iter()
                .map(|scores| judge.rating("overall", scores[i]))
                .collect(),
            ..CandidateRecord::default()
        });
    let instruction = record.text("prompt")?;
    let candidates = candidates.collect();
    Ok(GroupRecord {
        source_hash: source.1,
        votes: votes_of(judge, &ranking),
        ..GroupRecord::new(record.place().clone(), source.0, instruction, candidates)
    })
}

fn votes_of(judge: &Judge, ranking: &Ranking) -> Vec<Vote> {
    let votes = ranking.votes().into_iter();
    votes
        .map(|(a, b, choice)| judge.vote(a, b, choice))
        .collect()
}

fn comparison(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let source = rows::image(record, "source_image")?;
    let mut candidates = Vec::with_capacity(2);
    for side in 1..=2 {
        let (image, hash) = rows::image(record, &format!("candidate_{side}"))?;
        let score = rows::number(record, &format!("score_{side}"))?;
        candidates.push(CandidateRecord {
            image,
            hash,
            editor: rows::name(record, &format!("model_{side}"))?,
            ratings: score
                .map(|score| judge.rating("overall", score))
                .into_iter()
                .collect(),
            ..CandidateRecord::default()
        });
    }
    let ranking = record.text("ranking")?;
    let letters = letters_of(record)?;
    let plain = in_two_letters(ranking, letters);
    let ranking = Ranking::parse(&plain, 2)
        .map_err(|_| record.wrong("ranking", format!("'{ranking}' ranks no two candidates")))?;
    let instruction = record.text("instruction")?;
    let mut group = GroupRecord {
        source_hash: source.1,
        votes: votes_of(judge, &ranking),
        ..GroupRecord::new(record.place().clone(), source.0, instruction, candidates)
    };
    if let Some(id) = rows::name(record, "id")? {
        let tuple = id.rsplit_once('_').map_or(id.as_str(), |(tuple, _)| tuple);
        let part = rows::name(record, "dataset")?;
        group.key = part.map_or_else(|| tuple.to_owned(), |part| format!("{part}/{tuple}"));
    }
    Ok(group)
}

/// Which two letters of the tuple a row compares: `BvsC`, where it says so.
fn letters_of(record: &Record) -> Result<Option<(char, char)>, ImportError> {
    let Some(kind) = rows::optional(record, "comparison_type")? else {
        return Ok(None);
    };
    let mut letters = kind.split("vs").map(|letter| {
        let mut chars = letter.trim().chars();
        chars
            .next()
            .filter(|c| c.is_ascii_uppercase() && chars.next().is_none())
    });
    match (
        letters.next().flatten(),
        letters.next().flatten(),
        letters.next(),
    ) {
        (Some(a), Some(b), None) if a != b => Ok(Some((a, b))),
        _ => {
            let why = format!("'{kind}' is not of the form AvsB");
            Err(record.wrong("comparison_type", why).into())
        }
    }
}

/// `C>B` of the row that compares B and C as `B>A`: the first of the two is A.
fn in_two_letters(ranking: &str, letters: Option<(char, char)>) -> String {
    let Some((first, second)) = letters else {
        return ranking.to_owned();
    };
    // The words Good and Bad have letters of their own.
    let (order, words) = match ranking.find("=Good").or_else(|| ranking.find("=Bad")) {
        Some(at) => ranking.split_at(at),
        None => (ranking, ""),
    };
    let place = |c: char| match c {
        c if c == first => 'A',
        c if c == second => 'B',
        other if other.is_ascii_uppercase() => '?',
        other => other,
    };
    order.chars().map(place).chain(words.chars()).collect()
}
