//! CSV and TSV. The first line names the columns. Where a record ends is found here, so that it has the line that it begins on
//! and an open quotation mark cannot swallow the memory; what is in it is read by the `csv` crate.

use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::error::{Place, RecordError, shown};
use super::record::{Origin, Record};
use super::source::Source;

/// The rows of a file below the line that names its columns.
#[derive(Debug)]
pub(super) struct Table {
    reader: Reader<Rows>,
    columns: Vec<String>,
    cells: ByteRecord,
}

impl Table {
    /// Reads the names of the columns.
    pub(super) fn new(source: Source, delimiter: u8) -> Result<Self, RecordError> {
        let mut table = Self {
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .from_reader(Rows::new(source, delimiter)),
            columns: Vec::new(),
            cells: ByteRecord::new(),
        };
        let Some(place) = table.read_row()? else {
            return Err(table
                .source()
                .broken("the file is empty; its first line must name the columns"));
        };
        for cell in &table.cells {
            let name = std::str::from_utf8(cell)
                .map_err(|_| {
                    let what = "the name of a column is not UTF-8; save the file as UTF-8";
                    place.clone().broken(what)
                })?
                .to_owned();
            if table.columns.contains(&name) {
                let what = format!("two columns are called {}; rename one", shown(&name));
                return Err(place.broken(what));
            }
            table.columns.push(name);
        }
        Ok(table)
    }

    pub(super) fn source(&self) -> &Source {
        &self.reader.get_ref().source
    }

    /// The names of the columns, in their order.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next record; `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Record, RecordError>> {
        self.step().transpose()
    }

    fn step(&mut self) -> Result<Option<Record>, RecordError> {
        let Some(place) = self.read_row()? else {
            return Ok(None);
        };
        if self.cells.len() != self.columns.len() {
            return Err(place.unparsable(format!(
                "the row has {} cells where the first line names {} columns; is a separator or a quotation mark missing?",
                self.cells.len(),
                self.columns.len()
            )));
        }
        let mut fields = Map::new();
        for (name, cell) in self.columns.iter().zip(&self.cells) {
            let Ok(text) = std::str::from_utf8(cell) else {
                return Err(RecordError::Field {
                    place,
                    field: name.clone(),
                    reason: "is not UTF-8; save the file as UTF-8".into(),
                });
            };
            fields.insert(name.clone(), Value::String(text.to_owned()));
        }
        Ok(Some(Record::new(place, None, fields, Origin::Table)))
    }

    /// Reads the next row that is not empty into the cells; where it begins, or `None` after the last one.
    fn read_row(&mut self) -> Result<Option<Place>, RecordError> {
        let read = self.reader.read_byte_record(&mut self.cells);
        let rows = self.reader.get_ref();
        match (read, &rows.failed) {
            (_, Some(error)) => Err(error.clone()),
            (Ok(true), None) => Ok(Some(rows.place.clone())),
            (Ok(false), None) => Ok(None),
            (Err(e), None) => Err(rows.place.clone().broken(e.to_string())),
        }
    }
}

/// Hands a file to the `csv` crate one row at a time: it asks for more when it has none, and so never for what lies beyond the
/// row that it is reading.
#[derive(Debug)]
struct Rows {
    source: Source,
    delimiter: u8,
    /// Where the present row begins.
    place: Place,
    /// What of the present row is still to be handed out, and how long the line end after it is; `None` between rows.
    left: Option<(usize, usize)>,
    /// What could not be read: the crate only knows errors of its own.
    failed: Option<RecordError>,
}

impl Rows {
    fn new(source: Source, delimiter: u8) -> Self {
        Self {
            place: source.place(),
            source,
            delimiter,
            left: None,
            failed: None,
        }
    }

    /// The row that the window begins with, past empty ones: its length and that of the line end after it, in bytes. All of it
    /// is then in the window. `None` at the end of the file.
    fn begin(&mut self) -> Result<Option<(usize, usize)>, RecordError> {
        loop {
            match self.lengths()? {
                (0, 0) => return Ok(None),
                (0, end) => self.source.advance(end),
                row => {
                    self.place = self.source.place();
                    return Ok(Some(row));
                }
            }
        }
    }

    /// The lengths in bytes of the row that the window begins with and of the line end after it; both are then in the window.
    /// Both are 0 at the end of the file.
    fn lengths(&mut self) -> Result<(usize, usize), RecordError> {
        let (mut at, mut cell) = (0, Cell::Begins);
        loop {
            let window = self.source.window();
            let Some(dull) = cell.dull(window.get(at..).unwrap_or_default(), self.delimiter) else {
                at = window.len();
                if self.source.more()? {
                    continue;
                }
                if matches!(cell, Cell::Quoted) {
                    return Err(self
                        .source
                        .broken("a quotation mark opened in this row is never closed"));
                }
                return Ok((at, 0));
            };
            at += dull;
            let byte = window[at];
            if !matches!(cell, Cell::Quoted) && matches!(byte, b'\n' | b'\r') {
                if window.len() == at + 1 {
                    self.source.more()?;
                }
                let dos = self.source.window()[at..].starts_with(b"\r\n");
                return Ok((at, if dos { 2 } else { 1 }));
            }
            cell = cell.after(byte, self.delimiter);
            at += 1;
        }
    }
}

impl Read for Rows {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let (length, end) = match self.left {
            Some(left) => left,
            None => match self.begin() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(0),
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::ErrorKind::InvalidData.into());
                }
            },
        };
        let bytes = self.source.window().get(..length).unwrap_or_default();
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.source.advance(taken);
        // Every row ends with the same line end, also the last one of a file without.
        if let Some(after) = room.get_mut(taken) {
            *after = b'\n';
            self.source.advance(end);
            self.left = None;
            return Ok(taken + 1);
        }
        self.left = Some((length - taken, end));
        Ok(taken)
    }
}

/// Where in a cell a byte stands, as the `csv` crate sees it: quotation marks mean something only where they begin one.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Begins,
    Plain,
    Quoted,
    /// After a quotation mark in a quoted cell: it ends it, unless another one follows.
    MayEnd,
}

impl Cell {
    /// How many of the bytes lie before the first one that can end the cell or change what it is.
    fn dull(self, bytes: &[u8], delimiter: u8) -> Option<usize> {
        match self {
            Self::Quoted => bytes.iter().position(|b| *b == b'"'),
            Self::Plain => bytes
                .iter()
                .position(|b| *b == delimiter || matches!(b, b'\n' | b'\r')),
            Self::Begins | Self::MayEnd => (!bytes.is_empty()).then_some(0),
        }
    }

    fn after(self, byte: u8, delimiter: u8) -> Self {
        match self {
            Self::Begins | Self::MayEnd if byte == b'"' => Self::Quoted,
            Self::Quoted if byte == b'"' => Self::MayEnd,
            Self::Quoted => Self::Quoted,
            _ if byte == delimiter => Self::Begins,
            _ => Self::Plain,
        }
    }
}
