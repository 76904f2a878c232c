//! ShareGPT-4o-Image's edits as JSON: what editors are trained on, one edit a record.
//!
//! | field | is |
//! |---|---|
//! | `input_prompt` | the instruction |
//! | `input_image` | the source image: a path, or a list of one |
//! | `output_image` | the edited image: a path, or a list of one |
//!
//! A record of several input images is an error of that record: a group has one source, and which it would be is not said.

use serde_json::Value;

use super::record::{CandidateRecord, GroupRecord};
use super::rows;
use super::{Format, ImportError};
use crate::data::records::{Record, RecordError};

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "sharegpt-4o-image",
    title: "ShareGPT-4o-Image JSON, an edit a record",
    told_by: "input_prompt, input_image, output_image",
    whole: false,
    fits: |look| look.has(&["input_prompt", "input_image", "output_image"]),
    open: |opening| rows::open(opening, Box::new(edit)),
};

fn edit(record: &Record) -> Result<GroupRecord, ImportError> {
    let (source, source_hash) = one_image(record, "input_image")?;
    let (image, hash) = one_image(record, "output_image")?;
    let candidate = CandidateRecord {
        image,
        hash,
        ..CandidateRecord::default()
    };
    let instruction = record.text("input_prompt")?;
    Ok(GroupRecord {
        source_hash,
        ..GroupRecord::new(record.place().clone(), source, instruction, vec![candidate])
    })
}

/// An image, or the only one of a list.
fn one_image(record: &Record, field: &str) -> Result<(String, Option<String>), RecordError> {
    if !matches!(record.value(field), Some(Value::Array(_))) {
        return rows::image(record, field);
    }
    let mut images = record.images(field)?;
    match (images.pop(), images.len()) {
        (Some(image), 0) => Ok((image.0, None)),
        (None, _) => Err(record.wrong(field, "is an empty list")),
        (Some(_), more) => {
            let why = format!("has {} images; a group has one", more + 1);
            Err(record.wrong(field, why))
        }
    }
}
