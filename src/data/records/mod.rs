//! Records: one reader for the tables and lists in which published data comes (JSON, JSON lines, CSV, TSV, Parquet), for the
//! benchmarks and the importers alike.
//!
//! A file is read from front to back, a record at a time, so that its size does not matter. What is wrong with one record is
//! that record's error, and the next one is read; what is wrong with the file ends it. Images in Parquet are not read along
//! with their rows: a record has a reference to each, and [`images::read`](super::images::read) follows it.
//!
//! | ending | is |
//! |---|---|
//! | `.json` | a list of objects, or an object whose members are the records, each with its name as [`Record::key`]; a member that is no object is a record with the one field `value` |
//! | `.jsonl`, `.ndjson` | an object a line |
//! | `.csv`, `.tsv` | a first line that names the columns, then a record a line |
//! | `.parquet` | a row a record |
//!
//! A `.json` file that holds an object a line is read as JSON lines. A key that is twice in a record is an error; names that two
//! records of a file share are not, since to notice would take all names in memory: whoever needs them unique sees to it.

mod cell;
mod columnar;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod fuzz;
mod json;
mod lines;
mod object;
mod record;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;

pub(in crate::data) use error::shortened;
pub use error::{Place, RecordError};
pub use record::Record;

pub(in crate::data) use columnar::{CellError, CellRef};

use columnar::Rows;
use json::Members;
use lines::Lines;
use source::Source;
use table::Table;

/// The records of a file, in its order. It never holds more than one of them.
#[derive(Debug)]
pub struct Records {
    format: Format,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Members(Members),
    Lines(Lines),
    Table(Box<Table>),
    Rows(Box<Rows>),
}

/// Opens a file by its ending and first bytes; the module's documentation has the formats.
pub fn open(path: &Path) -> Result<Records, RecordError> {
    Ok(Records {
        format: Format::open(path)?,
        ended: false,
    })
}

/// Opens a file whose images, where they are in the file itself, are read along with their records and hashed; and passes over
/// the first `skip` records, without reading images of theirs.
pub fn open_hashing(path: &Path, skip: u64) -> Result<Records, RecordError> {
    let mut records = open(path)?;
    if let Format::Rows(rows) = &mut records.format {
        rows.hash_images(true, skip);
    } else {
        for _ in 0..skip {
            records.next();
        }
    }
    Ok(records)
}

/// The names of a file's columns, in its order: of a table those that it names, of a list the fields of its first record, in
/// no particular order. Empty where there is no record.
pub fn columns(path: &Path) -> Result<Vec<String>, RecordError> {
    match Format::open(path)? {
        Format::Table(table) => Ok(table.columns().to_vec()),
        Format::Rows(rows) => Ok(rows.columns().to_vec()),
        mut other => match other.next() {
            Some(first) => Ok(first?.fields().map(str::to_owned).collect()),
            None => Ok(Vec::new()),
        },
    }
}

impl Records {
    /// How many records there are, where the file says so: Parquet does.
    pub fn total(&self) -> Option<u64> {
        match &self.format {
            Format::Rows(rows) => Some(rows.total()),
            _ => None,
        }
    }

    /// How much of the file lies behind, in bytes. Of Parquet, whose columns lie apart, its share by rows.
    pub fn bytes_read(&self) -> u64 {
        match &self.format {
            Format::Members(members) => members.source().behind(),
            Format::Lines(lines) => lines.source().behind(),
            Format::Table(table) => table.source().behind(),
            Format::Rows(rows) => rows.bytes_read(),
        }
    }

    /// The size of the file in bytes, when it was opened.
    pub fn bytes_total(&self) -> u64 {
        match &self.format {
            Format::Members(members) => members.source().total(),
            Format::Lines(lines) => lines.source().total(),
            Format::Table(table) => table.source().total(),
            Format::Rows(rows) => rows.bytes_total(),
        }
    }
}

/// After an error of one record comes the next record; after one that [ends](RecordError::ends) the file, nothing.
impl Iterator for Records {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.format.next();
        self.ended = match &next {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.ends(),
            None => true,
        };
        next
    }
}

impl Format {
    fn open(path: &Path) -> Result<Self, RecordError> {
        let unknown = |why: &str| {
            Err(RecordError::UnknownFormat {
                file: path.to_path_buf(),
                why: why.to_owned(),
            })
        };
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        let source = match ending.as_deref() {
            Some("parquet") => return Ok(Self::Rows(Box::new(Rows::open(path)?))),
            Some("json" | "jsonl" | "ndjson" | "csv" | "tsv") => Source::open(path)?,
            _ => return unknown("its name must end in .json, .jsonl, .csv, .tsv or .parquet"),
        };
        if source.window().starts_with(b"PAR1") {
            return unknown("it is Parquet; rename it to end in .parquet");
        }
        if source.window().starts_with(b"\x1f\x8b") {
            return unknown("it is compressed with gzip; unpack it first");
        }
        match ending.as_deref() {
            Some("csv") => Ok(Self::Table(Box::new(Table::new(source, b',')?))),
            Some("tsv") => Ok(Self::Table(Box::new(Table::new(source, b'\t')?))),
            Some("json") if !json::looks_like_lines(&source) => {
                Ok(Self::Members(Members::new(source)?))
            }
            _ => Ok(Self::Lines(Lines::new(source))),
        }
    }

    fn next(&mut self) -> Option<Result<Record, RecordError>> {
        match self {
            Self::Members(members) => members.next(),
            Self::Lines(lines) => lines.next(),
            Self::Table(table) => table.next(),
            Self::Rows(rows) => rows.next(),
        }
    }
}
