//! JSON files that are one list of records, or one object of them, read member by member: a scanner finds where each ends,
//! without looking at what is in it, and the parser sees one at a time. So a mistake within a record stays within it wherever
//! its end can still be told.

use serde_json::{Map, Value};

use super::error::{Place, RecordError, shown};
use super::object;
use super::record::{Origin, Record, kind};
use super::source::{Source, is_space};

/// The field that holds a member of an object which is itself none.
pub(super) const VALUE: &str = "value";

/// A list or object whose members are records.
#[derive(Debug)]
pub(super) struct Members {
    source: Source,
    /// `]` or `}`.
    close: u8,
    named: bool,
    first: bool,
}

impl Members {
    /// From before the opening bracket.
    pub(super) fn new(mut source: Source) -> Result<Self, RecordError> {
        let named = match source.skip_space()? {
            Some(b'[') => false,
            Some(b'{') => true,
            Some(_) => {
                return Err(source.broken(
                    "this is not JSON of records: expected '[' (a list) or '{' (named records)",
                ));
            }
            None => return Err(source.broken("the file is empty")),
        };
        source.advance(1);
        Ok(Self {
            source,
            close: if named { b'}' } else { b']' },
            named,
            first: true,
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The next record; `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Record, RecordError>> {
        self.step().transpose()
    }

    fn step(&mut self) -> Result<Option<Record>, RecordError> {
        if self.at_end()? {
            return Ok(None);
        }
        let place = self.source.place();
        let key = if self.named { Some(self.key()?) } else { None };
        let line = self.source.line();
        let length = self.value_length(&place)?;
        let bytes = self.source.window().get(..length).unwrap_or_default();
        let value = object::parse(bytes, &place, line);
        self.source.advance(length);
        let fields = match value? {
            Value::Object(fields) => fields,
            other if self.named => Map::from_iter([(VALUE.to_owned(), other)]),
            other => {
                let what = format!(
                    "the record is {}; a record is an object, {{\"field\": …}}",
                    kind(&other)
                );
                return Err(place.unparsable(what));
            }
        };
        Ok(Some(Record::new(place, key, fields, Origin::Json)))
    }

    /// Goes to the first byte of the next member; true if there is none and the file ends as it should.
    fn at_end(&mut self) -> Result<bool, RecordError> {
        let first = std::mem::replace(&mut self.first, false);
        let mut next = self.source.skip_space()?;
        let mut comma = false;
        if !first && next == Some(b',') {
            comma = true;
            self.source.advance(1);
            next = self.source.skip_space()?;
        }
        let close = char::from(self.close);
        match next {
            None => Err(self
                .source
                .broken(format!("the file is cut short: '{close}' is missing"))),
            Some(byte) if byte == self.close => {
                if comma {
                    let what = format!("there is a comma before the last '{close}'; remove it");
                    return Err(self.source.broken(what));
                }
                self.source.advance(1);
                match self.source.skip_space()? {
                    None => Ok(true),
                    Some(_) => Err(self.source.broken(format!(
                        "something follows the last '{close}'; is this JSON lines? Then name it .jsonl"
                    ))),
                }
            }
            Some(_) if first || comma => Ok(false),
            Some(_) => Err(self
                .source
                .broken(format!("expected ',' or '{close}' after the record"))),
        }
    }

    /// The name of a member; the window then begins at its value.
    fn key(&mut self) -> Result<String, RecordError> {
        let place = self.source.place();
        if self.source.window().first() != Some(&b'"') {
            return Err(place.broken("expected the name of a record, in quotation marks"));
        }
        let length = self.value_length(&place)?;
        let bytes = self.source.window().get(..length).unwrap_or_default();
        let key: String = serde_json::from_slice(bytes).map_err(|_| {
            let name = String::from_utf8_lossy(bytes);
            place
                .clone()
                .broken(format!("{} is no name in JSON", shown(&name)))
        })?;
        self.source.advance(length);
        if self.source.skip_space()? != Some(b':') {
            return Err(place.broken(format!("expected ':' after the name {}", shown(&key))));
        }
        self.source.advance(1);
        if self.source.skip_space()?.is_none() {
            return Err(place.broken(CUT_SHORT));
        }
        Ok(key)
    }

    /// The length in bytes of the value that the window begins with, all of which is then in the window.
    fn value_length(&mut self, place: &Place) -> Result<usize, RecordError> {
        let mut scan = Scan::default();
        loop {
            if let Some(length) = scan.run(self.source.window()) {
                // What is no value at all (a stray comma) must not be taken for an empty one.
                if length == 0 {
                    return Err(place.clone().broken("expected a record here"));
                }
                return Ok(length);
            }
            if !self.source.more()? {
                return Err(place.clone().broken(CUT_SHORT));
            }
        }
    }
}

const CUT_SHORT: &str = "the file is cut short: it ends within this record";

/// Looks for the end of a value and can go on when there is more of it.
#[derive(Default)]
struct Scan {
    at: usize,
    /// The brackets that are open.
    open: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// Where the present string, or the last one, begins.
    string: usize,
    /// Up to here quotation marks mean nothing.
    raw: usize,
    /// A number or a word: it has no end of its own.
    bare: bool,
}

impl Scan {
    /// The length of the value that `bytes` begins with; `None` if they end before it. Called again with more bytes of the
    /// same, it goes on where it was.
    fn run(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            // Most bytes mean nothing here.
            let mut rest = bytes.get(self.at..)?.iter();
            let dull = if self.bare {
                rest.position(|b| is_space(*b) || b"\"{}[],:".contains(b))
            } else if self.in_string {
                let escaped = self.escaped;
                rest.position(|b| escaped || matches!(b, b'"' | b'\\' | b'\n'))
            } else if self.open.is_empty() {
                Some(0)
            } else {
                rest.position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']'))
            };
            self.at = dull.map_or(bytes.len(), |dull| self.at + dull);
            let byte = *bytes.get(self.at)?;
            match byte {
                _ if self.bare => return Some(self.at),
                byte if self.in_string => {
                    self.step_string(byte);
                    if !self.in_string && self.open.is_empty() {
                        return Some(self.at);
                    }
                    continue;
                }
                b'"' if self.at < self.raw => {}
                b'"' => (self.in_string, self.string) = (true, self.at),
                b'{' | b'[' => self.open.push(byte),
                b'}' | b']' if !self.open.is_empty() => {
                    self.close(byte);
                    if self.open.is_empty() {
                        return Some(self.at + 1);
                    }
                }
                _ if !self.open.is_empty() => {}
                b'}' | b']' | b',' | b':' => return Some(self.at),
                _ => self.bare = true,
            }
            self.at += 1;
        }
    }

    fn step_string(&mut self, byte: u8) {
        self.at += 1;
        if byte == b'\n' {
            // A line ends within no string: this one was never closed. To go on would turn text and structure around for the
            // rest of the file, so the line is looked at again as if the string had not been opened. What is wrong with it, the
            // parser finds.
            self.in_string = false;
            if !self.open.is_empty() {
                self.raw = self.at;
                self.at = self.string + 1;
            }
        } else if byte == b'"' && !self.escaped {
            self.in_string = false;
        }
        self.escaped = byte == b'\\' && !self.escaped && self.in_string;
    }

    /// Closes the innermost bracket of the kind, and with it what was left open inside; a bracket that closes nothing is let
    /// pass. Both are mistakes that the parser will name; here they must not move the record's end.
    fn close(&mut self, byte: u8) {
        let wanted = if byte == b'}' { b'{' } else { b'[' };
        if let Some(at) = self.open.iter().rposition(|open| *open == wanted) {
            self.open.truncate(at);
        }
    }
}

/// Whether the window begins with an object on a line of its own and another one after it: JSON lines, whatever the file is
/// called.
pub(super) fn looks_like_lines(source: &Source) -> bool {
    let window = source.window().trim_ascii_start();
    let Some(end) = window.iter().position(|b| *b == b'\n') else {
        return false;
    };
    let (line, rest) = window.split_at(end);
    rest.trim_ascii_start().starts_with(b"{")
        && matches!(serde_json::from_slice(line), Ok(Value::Object(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same from the whole as from pieces of any size.
    fn length(text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let whole = Scan::default().run(bytes);
        for step in 1..5 {
            let mut scan = Scan::default();
            let found = (0..=bytes.len())
                .step_by(step)
                .chain([bytes.len()])
                .find_map(|end| scan.run(&bytes[..end]));
            assert_eq!(found, whole, "{text} by {step}");
        }
        whole
    }

    #[test]
    fn the_end_of_a_value_is_found_whatever_is_in_it() {
        for value in [
            r#"{"a": "}]\"\\", "b": [1, {"c": []}]}"#,
            "[[], [[]]]",
            r#""a, \" b""#,
            "-1.5e3",
            "null",
            "NaN",
        ] {
            for after in [",", " ,", "]", "}", "\n]"] {
                let text = format!("{value}{after}");
                assert_eq!(length(&text), Some(value.len()), "{text}");
            }
        }
        assert_eq!(length(r#"{"a": [1, 2"#), None);
        assert_eq!(length(r#""open"#), None);
        assert_eq!(length(","), Some(0));
    }

    #[test]
    fn mistakes_inside_do_not_move_the_end() {
        for value in [
            r#"{"a": [1, 2}"#,
            r#"{"a": 1]}"#,
            "{\"a\": \"never closed,\n \"b\": 1}",
            "{\"a\": \"one\" too many\",\n \"b\": 1}",
            "{\"a\": \"never closed}",
            "{\"a\": [\"never closed, \\\"\\\"]}",
        ] {
            assert_eq!(
                length(&format!("{value},\n{{}}]")),
                Some(value.len()),
                "{value}"
            );
        }
    }

    #[test]
    fn the_stack_is_only_as_deep_as_the_brackets() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Scan::default().run(deep.as_bytes()), Some(200_000));
    }
}
