//! Records of a table or list as the records of a data set: what most formats are.

use super::{GroupRecord, GroupRecords, GroupSource, ImportError, Opening};
use crate::data::records::{self, Record, RecordError, Records};
use crate::domain::{Axis, Choice, Label, Rating, Vote};

use super::record::{CandidateRecord, labels_of};

/// Who said it where the file names nobody.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    pub(super) annotator: String,
    pub(super) simulated: bool,
}

impl Judge {
    pub(super) fn of(opening: &Opening<'_>) -> Self {
        Self {
            annotator: opening.annotator.to_owned(),
            simulated: opening.simulated,
        }
    }

    /// The labels in two fields; either may be missing.
    pub(super) fn labels(
        &self,
        record: &Record,
        [following, looks]: [&str; 2],
    ) -> Result<Vec<Label>, RecordError> {
        let scores = [
            (Axis::InstructionFollowing, likert(record, following)?),
            (Axis::VisualQuality, likert(record, looks)?),
        ];
        Ok(labels_of(&self.annotator, scores, self.simulated).collect())
    }

    /// A vote overall between two candidates by position.
    pub(super) fn vote(&self, a: usize, b: usize, choice: Choice) -> Vote {
        Vote {
            a,
            b,
            annotator: self.annotator.clone(),
            axis: None,
            choice,
            counts: None,
            confidence: None,
            simulated: self.simulated,
        }
    }

    pub(super) fn rating(&self, name: &str, value: f64) -> Rating {
        Rating {
            annotator: self.annotator.clone(),
            name: name.to_owned(),
            value,
            scale: None,
        }
    }
}

/// A number where the field has one.
pub(super) fn number(record: &Record, field: &str) -> Result<Option<f64>, RecordError> {
    if record.has(field) {
        record.number(field).map(Some)
    } else {
        Ok(None)
    }
}

/// A score from 1 to 4 where the field has one.
pub(super) fn likert(record: &Record, field: &str) -> Result<Option<f64>, RecordError> {
    match number(record, field)? {
        Some(score) if !(1.0..=4.0).contains(&score) => {
            Err(record.wrong(field, format!("is {score}; scores go from 1 to 4")))
        }
        score => Ok(score),
    }
}

/// A text where the field has one that is not empty.
pub(super) fn optional(record: &Record, field: &str) -> Result<Option<String>, RecordError> {
    if record.has(field) {
        let text = record.text(field)?.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    } else {
        Ok(None)
    }
}

/// A text, or a whole number as text, where the field has one.
pub(super) fn name(record: &Record, field: &str) -> Result<Option<String>, RecordError> {
    match record.value(field) {
        Some(serde_json::Value::Number(n)) => Ok(Some(n.to_string())),
        _ => optional(record, field),
    }
}

/// Whether a field says yes, in the words of JSON, of data frames, and of pairs that are a tie.
pub(super) fn truth(record: &Record, field: &str) -> Result<bool, RecordError> {
    let said = match record.value(field) {
        Some(serde_json::Value::Bool(said)) => return Ok(*said),
        Some(serde_json::Value::Number(n)) => n.to_string(),
        _ => record.text(field)?.trim().to_lowercase(),
    };
    match said.as_str() {
        "true" | "1" | "1.0" | "tie" => Ok(true),
        "false" | "0" | "0.0" | "none" | "" => Ok(false),
        other => Err(record.wrong(
            field,
            format!("is '{other}', which is neither true nor false"),
        )),
    }
}

/// An image's path or reference, and its content hash where the image is in the file and was read.
pub(super) fn image(record: &Record, field: &str) -> Result<(String, Option<String>), RecordError> {
    let image = record.image(field)?;
    Ok((image.0, record.image_hash(field).map(str::to_owned)))
}

/// The fields of one side of a pair with scores on both axes.
pub(super) struct Side<'a> {
    pub(super) image: &'a str,
    pub(super) editor: &'a str,
    pub(super) following: &'a str,
    pub(super) looks: &'a str,
    pub(super) overall: &'a str,
}

/// Differences of sums below this are rounding.
const ROUNDING: f64 = 1e-9;

impl Side<'_> {
    /// The candidate. An overall score that is the sum of the axes says nothing new; any other is kept as a rating.
    pub(super) fn read(
        &self,
        record: &Record,
        judge: &Judge,
    ) -> Result<CandidateRecord, RecordError> {
        let (image, hash) = image(record, self.image)?;
        let labels = judge.labels(record, [self.following, self.looks])?;
        let sum: f64 = labels.iter().map(|label| label.score).sum();
        let own = number(record, self.overall)?
            .filter(|overall| labels.len() < 2 || (overall - sum).abs() > ROUNDING);
        let ratings = own.map(|overall| judge.rating("overall", overall));
        Ok(CandidateRecord {
            image,
            hash,
            editor: name(record, self.editor)?,
            ratings: ratings.into_iter().collect(),
            labels,
            ..CandidateRecord::default()
        })
    }
}

/// What makes a record of a data set of one of a file.
pub(super) type Read = Box<dyn Fn(&Record) -> Result<GroupRecord, ImportError>>;

/// Opens a file each of whose records is one of the data set.
pub(super) fn open(opening: &Opening<'_>, read: Read) -> Result<GroupRecords, ImportError> {
    let records = match (opening.hash, opening.skip) {
        (false, 0) => records::open(opening.path)?,
        (_, skip) => records::open_hashing(opening.path, skip)?,
    };
    Ok(Box::new(Rows { records, read }))
}

struct Rows {
    records: Records,
    read: Read,
}

impl Iterator for Rows {
    type Item = Result<GroupRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.records.next()? {
            Ok(record) => (self.read)(&record),
            Err(error) => Err(error.into()),
        };
        Some(record)
    }
}

impl GroupSource for Rows {
    fn behind(&self) -> u64 {
        self.records.bytes_read()
    }

    fn total(&self) -> u64 {
        self.records.bytes_total()
    }
}
