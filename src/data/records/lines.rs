//! JSON lines: an object a line, empty lines allowed. A line that is broken is that line's error.

use serde_json::Value;

use super::error::RecordError;
use super::object;
use super::record::{Origin, Record, kind};
use super::source::Source;

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines {
    source: Source,
}

impl Lines {
    pub(super) fn new(source: Source) -> Self {
        Self { source }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The next record; `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Record, RecordError>> {
        self.step().transpose()
    }

    fn step(&mut self) -> Result<Option<Record>, RecordError> {
        if self.source.skip_space()?.is_none() {
            return Ok(None);
        }
        let length = self.line_length()?;
        let (place, line) = (self.source.place(), self.source.line());
        let bytes = self.source.window().get(..length).unwrap_or_default();
        let value = object::parse(bytes.trim_ascii_end(), &place, line);
        self.source.advance(length);
        match value? {
            Value::Object(fields) => Ok(Some(Record::new(place, None, fields, Origin::Json))),
            Value::Array(_) => Err(place.unparsable(
                "the line is a list, not an object; if the whole file is one list, name it .json",
            )),
            other => Err(place.unparsable(format!("the line is {}, not an object", kind(&other)))),
        }
    }

    /// The length in bytes of the line that the window begins with, all of which is then in the window.
    fn line_length(&mut self) -> Result<usize, RecordError> {
        let mut looked = 0;
        loop {
            let window = self.source.window();
            if let Some(end) = window[looked..].iter().position(|b| *b == b'\n') {
                return Ok(looked + end);
            }
            looked = window.len();
            if !self.source.more()? {
                return Ok(looked);
            }
        }
    }
}
