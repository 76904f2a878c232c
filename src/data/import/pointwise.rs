//! Pointwise JSON: one candidate and its rating a record, as AURORA-Bench's and ImagenHub's evaluation files have it.
//!
//! | field | is |
//! |---|---|
//! | `prompt` or `instruction` | the instruction |
//! | `input` or `input_path` | the source image |
//! | `gen` or `output_path` | the candidate |
//! | `score` | kept as the rating `overall`, on the data set's own scale |
//! | `model` | its editor; may be missing |
//! | `ratings` | raters' `[SC, PQ]`, 0-1 each, kept as the ratings `sc` and `pq` of `rater-1`, `rater-2`, …; may be missing |
//!
//! Other fields, such as what models predicted, are left out: they are nobody's judgement.

use serde_json::Value;

use super::record::CandidateRecord;
use super::rows::{self, Judge};
use super::{Format, GroupRecord, ImportError};
use crate::data::records::{Record, RecordError};
use crate::domain::Rating;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "pointwise-json",
    title: "pointwise JSON of AURORA-Bench or ImagenHub, a rated candidate a record",
    told_by: "prompt, input, gen, score; or instruction, input_path, output_path, score",
    whole: false,
    fits: |look| FORMS.iter().any(|form| look.has(form)),
    open: |opening| {
        let judge = Judge::of(opening);
        rows::open(opening, Box::new(move |record| rated(record, &judge)))
    },
};

/// AURORA's names and ImagenHub's: instruction, source, candidate, rating.
const FORMS: [[&str; 4]; 2] = [
    ["prompt", "input", "gen", "score"],
    ["instruction", "input_path", "output_path", "score"],
];

fn rated(record: &Record, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let has = |form: &&[&str; 4]| record.has(form[1]) || record.has(form[2]);
    let [instruction, source, edited, score] = FORMS.iter().find(has).unwrap_or(&FORMS[0]);
    let (source, source_hash) = rows::image(record, source)?;
    let (image, hash) = rows::image(record, edited)?;
    let mut ratings = vec![judge.rating("overall", record.number(score)?)];
    if record.has("ratings") {
        ratings.extend(raters(record)?);
    }
    let candidate = CandidateRecord {
        image,
        hash,
        editor: rows::name(record, "model")?,
        ratings,
        ..CandidateRecord::default()
    };
    let instruction = record.text(instruction)?;
    Ok(GroupRecord {
        source_hash,
        ..GroupRecord::new(record.place().clone(), source, instruction, vec![candidate])
    })
}

/// Each rater's two numbers.
fn raters(record: &Record) -> Result<Vec<Rating>, RecordError> {
    let mut ratings = Vec::new();
    for (rater, said) in (1..).zip(record.list("ratings")?) {
        let numbers: Option<Vec<f64>> = match &said {
            Value::Array(both) => both.iter().map(Value::as_f64).collect(),
            _ => None,
        };
        let Some([sc, pq]) = numbers.as_deref() else {
            let why = "has an entry that is not the two numbers [SC, PQ] of a rater";
            return Err(record.wrong("ratings", why));
        };
        for (name, value) in [("sc", *sc), ("pq", *pq)] {
            if !(0.0..=1.0).contains(&value) {
                let why = format!("has {value} for {name}; ImagenHub's ratings go from 0 to 1");
                return Err(record.wrong("ratings", why));
            }
            ratings.push(Rating {
                annotator: format!("rater-{rater}"),
                name: name.to_owned(),
                value,
                scale: Some([0.0, 1.0]),
            });
        }
    }
    Ok(ratings)
}
