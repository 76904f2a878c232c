//! Tables of any columns, in any form that tables come in: CSV, TSV, JSON, JSON lines, Parquet. A row is a candidate, or a pair
//! of them; what a column holds is told by its name, or by `--map field=column,…`.
//!
//! | field | is |
//! |---|---|
//! | `instruction` | the instruction; needed |
//! | `source` | the source image; may be missing in text-to-image data |
//! | `edited` | the candidate; or `edited_a` and `edited_b`, two of them |
//! | `editor`, `editor_a`, `editor_b` | who made it |
//! | `key` | the group's name; without it source and instruction tell it |
//! | `candidate`, `seed`, `category`, `split` | the candidate's name, its seed, the kind of edit, the part of the data |
//! | `if`, `vq`, `if_a`, `vq_a`, `if_b`, `vq_b` | labels, 1-4 |
//! | `annotator`, `simulated` | whose they are (without it the data set's), and whether a program made them |
//! | `vote` | of a pair: `a`, `b`, `tie`, `both-good`, `both-bad`; also `left`, `right`, `leftvote`, `rightvote`, `1`, `2` |
//!
//! One candidate may have several rows, one an annotator. `erw export --format csv` and `jsonl` write this.

use super::record::{CandidateRecord, GroupRecord};
use super::rows::{self, Judge};
use super::{ColumnMap, Format, ImportError, Look};
use crate::data::records::{Record, RecordError};
use crate::domain::{Choice, ImageRef, Vote};

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: super::TABLE,
    title: "a table of any columns, told with --map",
    told_by: "instruction, source, edited; or --map",
    whole: false,
    fits: |look| look.has(&["instruction", "source", "edited"]),
    open: |opening| {
        let columns = Columns::new(opening.map, &Look::at(opening.path)?)?;
        let judge = Judge::of(opening);
        let read = move |record: &Record| row(record, &columns, &judge);
        rows::open(opening, Box::new(read))
    },
};

/// Every field there is.
const FIELDS: [&str; 21] = [
    "instruction",
    "source",
    "edited",
    "edited_a",
    "edited_b",
    "editor",
    "editor_a",
    "editor_b",
    "key",
    "candidate",
    "seed",
    "category",
    "split",
    "if",
    "vq",
    "if_a",
    "vq_a",
    "if_b",
    "vq_b",
    "annotator",
    "simulated",
];
const VOTE: &str = "vote";

/// Which column holds which field: those of a map, and those that bear a field's name.
struct Columns(Vec<(String, String)>);

impl Columns {
    fn new(map: &ColumnMap, look: &Look) -> Result<Self, ImportError> {
        let known = || FIELDS.into_iter().chain([VOTE]);
        for field in map.fields() {
            if !known().any(|name| name == field) {
                let names: Vec<&str> = known().collect();
                return Err(ImportError::Usage(format!(
                    "--map: there is no field '{field}'; the fields are {}",
                    names.join(", ")
                )));
            }
            let column = map.column(field).unwrap_or_default();
            if !look.has(&[column]) {
                return Err(ImportError::Usage(format!(
                    "--map: '{}' has no column '{column}'; its columns are {}",
                    look.path.display(),
                    look.columns.join(", ")
                )));
            }
        }
        let column = |field: &str| {
            let mapped = map.column(field);
            mapped
                .or_else(|| {
                    look.has(&[field])
                        .then_some(field)
                        .filter(|f| !taken(map, f))
                })
                .map(str::to_owned)
        };
        let found = known().filter_map(|field| Some((field.to_owned(), column(field)?)));
        let columns = Self(found.collect());
        let pair = columns.of("edited_a").is_some() && columns.of("edited_b").is_some();
        if columns.of("instruction").is_none() || !(pair || columns.of("edited").is_some()) {
            return Err(ImportError::Usage(format!(
                "'{}' needs columns for 'instruction' and 'edited' (or 'edited_a' and 'edited_b'): say which with --map, such as \
                 --map instruction=prompt,source=src,edited=out; its columns are {}",
                look.path.display(),
                look.columns.join(", ")
            )));
        }
        Ok(columns)
    }

    fn of(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, column)| column.as_str())
    }

    /// The column of a field, where the row has something in it.
    fn filled(&self, record: &Record, field: &str) -> Option<&str> {
        self.of(field).filter(|column| record.has(column))
    }
}

/// Whether a column is given to another field than the one of its name.
fn taken(map: &ColumnMap, column: &str) -> bool {
    map.fields().any(|field| map.column(field) == Some(column))
}

fn row(record: &Record, columns: &Columns, judge: &Judge) -> Result<GroupRecord, ImportError> {
    let (source, source_hash) = match columns.filled(record, "source") {
        Some(column) => rows::image(record, column)?,
        None => (ImageRef::NONE.to_owned(), None),
    };
    let name = |field: &str| match columns.filled(record, field) {
        Some(column) => rows::name(record, column),
        None => Ok(None),
    };
    let judge = Judge {
        annotator: name("annotator")?.unwrap_or_else(|| judge.annotator.clone()),
        simulated: match columns.filled(record, "simulated") {
            Some(column) => rows::truth(record, column)?,
            None => judge.simulated,
        },
    };
    let (candidates, votes) = if columns.filled(record, "edited_a").is_some() {
        let both = vec![
            side(record, columns, &judge, "_a")?,
            side(record, columns, &judge, "_b")?,
        ];
        (both, vote(record, columns, &judge)?.into_iter().collect())
    } else {
        (vec![side(record, columns, &judge, "")?], Vec::new())
    };
    let instruction = columns.of("instruction").unwrap_or("instruction");
    Ok(GroupRecord {
        key: name("key")?.unwrap_or_default(),
        source_hash,
        category: name("category")?,
        split: name("split")?,
        votes,
        ..GroupRecord::new(
            record.place().clone(),
            source,
            record.text(instruction)?,
            candidates,
        )
    })
}

/// A candidate: the only one, or the one of `_a` or `_b`.
fn side(
    record: &Record,
    columns: &Columns,
    judge: &Judge,
    suffix: &str,
) -> Result<CandidateRecord, ImportError> {
    let field = |name: &str| format!("{name}{suffix}");
    let column = field("edited");
    let (image, hash) = rows::image(record, columns.of(&column).unwrap_or(&column))?;
    let name = |field: &str| match columns.filled(record, field) {
        Some(column) => rows::name(record, column),
        None => Ok(None),
    };
    let scores = [field("if"), field("vq")];
    let [following, looks] = [0, 1].map(|i| columns.of(&scores[i]).unwrap_or(&scores[i]));
    Ok(CandidateRecord {
        key: if suffix.is_empty() {
            name("candidate")?.unwrap_or_default()
        } else {
            String::new()
        },
        image,
        hash,
        editor: name(&field("editor"))?,
        seed: seed(record, columns)?,
        labels: judge.labels(record, [following, looks])?,
        ..CandidateRecord::default()
    })
}

fn seed(record: &Record, columns: &Columns) -> Result<Option<u64>, RecordError> {
    let Some(column) = columns.filled(record, "seed") else {
        return Ok(None);
    };
    let text = rows::name(record, column)?.unwrap_or_default();
    // Data frames turn whole numbers into 7.0 where one is missing.
    let whole = text.strip_suffix(".0").unwrap_or(&text);
    whole
        .parse()
        .map(Some)
        .map_err(|_| record.wrong(column, format!("'{text}' is no whole number from 0")))
}

fn vote(record: &Record, columns: &Columns, judge: &Judge) -> Result<Option<Vote>, RecordError> {
    let Some(column) = columns.filled(record, VOTE) else {
        return Ok(None);
    };
    let said = rows::name(record, column)?.unwrap_or_default();
    let choice = match said.to_lowercase().as_str() {
        "a" | "left" | "leftvote" | "1" => Choice::A,
        "b" | "right" | "rightvote" | "2" => Choice::B,
        "tie" | "0" => Choice::Tie,
        "both-good" | "tievote" => Choice::BothGood,
        "both-bad" | "bothbad_vote" => Choice::BothBad,
        _ => {
            let why = format!("'{said}' is none of a, b, tie, both-good, both-bad");
            return Err(record.wrong(column, why));
        }
    };
    Ok(Some(judge.vote(0, 1, choice)))
}
