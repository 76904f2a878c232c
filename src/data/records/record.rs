//! One record, whatever it was read from: fields by name, each asked for as what it must be, so that every error names its
//! place and field and the readers of a benchmark need no error handling of their own.

use std::path::Path;

use serde_json::{Map, Value};

use super::cell;
use super::columnar::Cells;
use super::error::{Place, RecordError, shortened, shown};
use crate::data::images::{ImageError, locate};
use crate::domain::ImageRef;

/// How many of a record's fields are named when one is missing.
const NAMED: usize = 12;

/// What a record was read from decides what its values mean.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Values are what they are.
    Json,
    /// Every value is the text of a cell.
    Table,
    /// Images are in the file itself.
    Columnar(Cells),
}

/// One record of a file. Field names are those of the file.
#[derive(Debug, Clone)]
pub struct Record {
    place: Place,
    key: Option<String>,
    /// What stands before a field's name in errors: "human_vote." inside of `human_vote`.
    within: String,
    fields: Map<String, Value>,
    origin: Origin,
}

impl Record {
    pub(super) fn new(
        place: Place,
        key: Option<String>,
        fields: Map<String, Value>,
        origin: Origin,
    ) -> Self {
        Self {
            place,
            key,
            within: String::new(),
            fields,
            origin,
        }
    }

    /// Where it is: file and line, or file and row.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its name, where the file is an object of named records.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether the field is there, and neither null nor an empty cell. Of an image in Parquet: whether there are bytes or a
    /// path of it.
    pub fn has(&self, field: &str) -> bool {
        match self.cells(field) {
            Some((_, true)) => true,
            Some((_, false)) => self.path_of(field).is_some(),
            None => self
                .fields
                .get(field)
                .is_some_and(|value| !self.is_empty(value)),
        }
    }

    /// The field's value as the file has it: the text of a cell, of an image in Parquet what stands beside its bytes.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// The names of the fields, in no particular order; [`columns`](super::columns) has that of the file.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let apart = match &self.origin {
            Origin::Columnar(cells) => cells.images(&self.within),
            Origin::Json | Origin::Table => Vec::new(),
        };
        let apart = apart
            .into_iter()
            .filter(|name| !self.fields.contains_key(*name));
        self.fields.keys().map(String::as_str).chain(apart)
    }

    /// Text. It may be empty, but not in a CSV file, where an empty cell is a missing one. Print it through
    /// [`printable`](crate::domain::text::printable).
    pub fn text(&self, field: &str) -> Result<&str, RecordError> {
        match self.needed(field)? {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(field, format!("is {}, not text", kind(other)))),
        }
    }

    /// A finite number; in a CSV file one as text.
    pub fn number(&self, field: &str) -> Result<f64, RecordError> {
        self.as_number(self.needed(field)?)
            .map_err(|reason| self.wrong(field, reason))
    }

    /// A list; in a CSV file one written as JSON or Python write it.
    pub fn list(&self, field: &str) -> Result<Vec<Value>, RecordError> {
        let value = self.needed(field)?;
        let parsed = match (&self.origin, value) {
            (Origin::Table, Value::String(text)) => {
                Some(cell::literal(text).map_err(|reason| self.wrong(field, reason))?)
            }
            _ => None,
        };
        match parsed.unwrap_or_else(|| value.clone()) {
            Value::Array(items) => Ok(items),
            other => Err(self.wrong(field, format!("is {}, not a list", kind(&other)))),
        }
    }

    /// A list of texts.
    pub fn texts(&self, field: &str) -> Result<Vec<String>, RecordError> {
        let mut texts = Vec::new();
        for (index, item) in self.list(field)?.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => {
                    let reason = format!("item {} is {}, not text", index + 1, kind(&other));
                    return Err(self.wrong(field, reason));
                }
            }
        }
        Ok(texts)
    }

    /// A list of finite numbers.
    pub fn numbers(&self, field: &str) -> Result<Vec<f64>, RecordError> {
        let mut numbers = Vec::new();
        for (index, item) in self.list(field)?.iter().enumerate() {
            let number = as_json_number(item)
                .map_err(|reason| self.wrong(field, format!("item {} {reason}", index + 1)))?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// An object inside, as a record at the same place; errors name its fields as `field.inner`.
    pub fn nested(&self, field: &str) -> Result<Self, RecordError> {
        let value = self.needed(field)?;
        let parsed = match (&self.origin, value) {
            (Origin::Table, Value::String(text)) => {
                Some(cell::literal(text).map_err(|reason| self.wrong(field, reason))?)
            }
            _ => None,
        };
        // What a cell of a table holds is JSON.
        let origin = match &self.origin {
            Origin::Table => Origin::Json,
            other => other.clone(),
        };
        match parsed.unwrap_or_else(|| value.clone()) {
            Value::Object(fields) => Ok(Self {
                place: self.place.clone(),
                key: None,
                within: format!("{}{field}.", self.within),
                fields,
                origin,
            }),
            other => Err(self.wrong(field, format!("is {}, not an object", kind(&other)))),
        }
    }

    /// An image: a path (alone, or as `path` of an object), as the file has it; in Parquet, where the bytes are in the file, a
    /// reference to their cell that [`images::read`](crate::data::images::read) follows.
    pub fn image(&self, field: &str) -> Result<ImageRef, RecordError> {
        if let Some((cells, true)) = self.cells(field) {
            let name = format!("{}{field}", self.within);
            return cells
                .reference(&name)
                .map_err(|reason| self.wrong(field, reason));
        }
        if let Some((_, false)) = self.cells(field) {
            return match self.path_of(field) {
                Some(path) => self.path(field, path),
                None => Err(self.wrong(field, "has neither bytes nor a path")),
            };
        }
        match self.needed(field)? {
            Value::String(path) => self.path(field, path),
            Value::Object(_) => match self.path_of(field) {
                Some(path) => self.path(field, path),
                None => Err(self.wrong(field, "is an object without a 'path'")),
            },
            other => {
                let reason = format!("is {}, not the path of an image", kind(other));
                Err(self.wrong(field, reason))
            }
        }
    }

    /// The content hash of an image that is in the file itself, where [images were read along](super::open_hashing).
    pub fn image_hash(&self, field: &str) -> Option<&str> {
        match &self.origin {
            Origin::Columnar(cells) => cells.hash(&format!("{}{field}", self.within)),
            Origin::Json | Origin::Table => None,
        }
    }

    /// Several images: a list of paths.
    pub fn images(&self, field: &str) -> Result<Vec<ImageRef>, RecordError> {
        let paths = self.texts(field)?;
        paths.iter().map(|path| self.path(field, path)).collect()
    }

    /// An error of this record: "votes.json:17: 'ranking': reason".
    pub fn wrong(&self, field: &str, reason: impl Into<String>) -> RecordError {
        RecordError::Field {
            place: self.place.clone(),
            field: shortened(format!("{}{field}", self.within)),
            reason: shortened(reason.into()),
        }
    }

    /// For an image inside of the file: its cells, and whether this row has bytes of it.
    fn cells(&self, field: &str) -> Option<(&Cells, bool)> {
        match &self.origin {
            Origin::Columnar(cells) => {
                let has = cells.has_bytes(&format!("{}{field}", self.within))?;
                Some((cells, has))
            }
            Origin::Json | Origin::Table => None,
        }
    }

    /// The path beside an image's bytes, or instead of them.
    fn path_of(&self, field: &str) -> Option<&str> {
        self.fields
            .get(field)?
            .get("path")?
            .as_str()
            .filter(|path| !path.is_empty())
    }

    fn path(&self, field: &str, path: &str) -> Result<ImageRef, RecordError> {
        let wrong = |reason: &str| Err(self.wrong(field, reason));
        if path.is_empty() {
            return wrong("is empty, not the path of an image");
        }
        if path.contains('\0') {
            return wrong("has a zero byte in it, which no path has");
        }
        if path.starts_with("http://") || path.starts_with("https://") {
            return wrong("is a web address; download the images and give their paths");
        }
        let image = ImageRef(path.to_owned());
        match locate(Path::new("."), &image) {
            Err(ImageError::Outside { .. }) => wrong(
                "leads out of the data's folder; write it as an absolute path if that is meant",
            ),
            _ => Ok(image),
        }
    }

    /// The field's value, which must be there.
    fn needed(&self, field: &str) -> Result<&Value, RecordError> {
        match self.fields.get(field) {
            Some(Value::Null) => Err(self.wrong(field, "is null")),
            Some(value) if self.is_empty(value) => Err(self.wrong(field, "is an empty cell")),
            Some(value) => Ok(value),
            None => Err(self.wrong(field, self.why_missing(field))),
        }
    }

    fn why_missing(&self, field: &str) -> String {
        if let Origin::Columnar(cells) = &self.origin
            && let Some(why) = cells.unread(&format!("{}{field}", self.within))
        {
            return format!("is a column that is not read: {why}");
        }
        let mut names: Vec<String> = self.fields().take(NAMED).map(shown).collect();
        let fields = self.fields().count();
        if fields > NAMED {
            names.push(format!("and {} more", fields - NAMED));
        }
        match names.len() {
            0 => "is missing; there are no fields at all".into(),
            _ => format!("is missing; there are {}", names.join(", ")),
        }
    }

    fn is_empty(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => matches!(self.origin, Origin::Table) && text.is_empty(),
            _ => false,
        }
    }

    fn as_number(&self, value: &Value) -> Result<f64, String> {
        match (&self.origin, value) {
            (Origin::Table, Value::String(text)) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                Ok(_) => Err(not_finite(text)),
                Err(_) => Err(format!("is {}, not a number", shown(text))),
            },
            _ => as_json_number(value),
        }
    }
}

/// How Parquet's numbers that are none are kept: JSON has no word for them.
pub(super) const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

fn as_json_number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => number
            .as_f64()
            .filter(|number| number.is_finite())
            .ok_or_else(|| format!("is {number}, which is out of range")),
        Value::String(text) if NOT_FINITE.contains(&text.as_str()) => Err(not_finite(text)),
        Value::String(text) if text.trim().parse::<f64>().is_ok() => Err(format!(
            "is the text {}, not a number; write it without quotation marks",
            shown(text)
        )),
        other => Err(format!("is {}, not a number", kind(other))),
    }
}

fn not_finite(text: &str) -> String {
    format!(
        "is {}, and only finite numbers mean something here; leave it out where there is none",
        shown(text)
    )
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", shown(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn record(fields: Value, origin: Origin) -> Record {
        let file: Arc<Path> = Arc::from(Path::new("votes.json"));
        let Value::Object(fields) = fields else {
            panic!("no object")
        };
        Record::new(Place::line(&file, 17), None, fields, origin)
    }

    fn said<T>(result: Result<T, RecordError>) -> String {
        let error = result.err().unwrap();
        assert!(!error.ends());
        error.to_string()
    }

    #[test]
    fn json_values_are_what_they_are() {
        let votes = json!({"s": "x", "e": "", "n": 4, "f": -0.5, "l": [1, 2.5], "t": ["a", "b"], "z": null, "o": {"r": "A>B"}});
        let record = record(votes, Origin::Json);
        assert_eq!(record.text("s"), Ok("x"));
        assert_eq!(record.text("e"), Ok(""));
        assert_eq!(
            (record.number("n"), record.number("f")),
            (Ok(4.0), Ok(-0.5))
        );
        assert_eq!(record.numbers("l"), Ok(vec![1.0, 2.5]));
        assert_eq!(record.texts("t"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(record.list("t").unwrap().len(), 2);
        assert!(record.has("s") && record.has("e") && !record.has("z") && !record.has("q"));
        assert_eq!(record.value("z"), Some(&Value::Null));
        assert_eq!(record.fields().count(), 8);
        let nested = record.nested("o").unwrap();
        assert_eq!(nested.text("r"), Ok("A>B"));
        assert_eq!(nested.place(), record.place());
        assert_eq!(
            said(nested.text("ranking")),
            "votes.json:17: 'o.ranking': is missing; there are \"r\""
        );
    }

    #[test]
    fn what_is_of_another_kind_is_named() {
        let votes = json!({"s": "4", "b": true, "l": [1, "x"], "z": null, "nan": "NaN", "o": {}});
        let record = record(votes, Origin::Json);
        for (error, says) in [
            (said(record.text("b")), "'b': is true, not text"),
            (said(record.number("b")), "'b': is true, not a number"),
            (
                said(record.number("s")),
                "'s': is the text \"4\", not a number; write it without quotation marks",
            ),
            (
                said(record.number("nan")),
                "'nan': is \"NaN\", and only finite numbers mean something here",
            ),
            (said(record.number("z")), "'z': is null"),
            (said(record.list("s")), "'s': is the text \"4\", not a list"),
            (
                said(record.numbers("l")),
                "'l': item 2 is the text \"x\", not a number",
            ),
            (
                said(record.texts("l")),
                "'l': item 1 is the number 1, not text",
            ),
            (said(record.nested("l")), "'l': is a list, not an object"),
            (
                said(record.image("l")),
                "'l': is a list, not the path of an image",
            ),
            (
                said(record.image("o")),
                "'o': is an object without a 'path'",
            ),
            (
                said(record.text("q")),
                "'q': is missing; there are \"b\", \"l\", \"nan\", \"o\", \"s\", \"z\"",
            ),
        ] {
            assert!(
                error.starts_with(&format!("votes.json:17: {says}")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_cells_of_a_table_are_parsed_when_they_are_asked_for() {
        let row = json!({"n": " 4.5 ", "inf": "inf", "nan": "nan", "x": "4 apples", "l": "[0.5, 1]", "p": "['a', 'b']", "o": "{'r': 'A>B'}", "e": ""});
        let record = record(row, Origin::Table);
        assert_eq!(record.number("n"), Ok(4.5));
        assert_eq!(record.numbers("l"), Ok(vec![0.5, 1.0]));
        assert_eq!(record.texts("p"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(record.nested("o").unwrap().text("r"), Ok("A>B"));
        assert!(!record.has("e"));
        for (error, says) in [
            (
                said(record.number("inf")),
                "'inf': is \"inf\", and only finite numbers",
            ),
            (
                said(record.number("nan")),
                "'nan': is \"nan\", and only finite numbers",
            ),
            (
                said(record.number("x")),
                "'x': is \"4 apples\", not a number",
            ),
            (
                said(record.list("x")),
                "'x': is \"4 apples\", not a list or object",
            ),
            (said(record.list("n")), "'n': is the number 4.5, not a list"),
            (said(record.text("e")), "'e': is an empty cell"),
        ] {
            assert!(
                error.starts_with(&format!("votes.json:17: {says}")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_image_is_a_path_alone_or_in_an_object() {
        let images = json!({"a": "x/a.png", "b": {"path": "b.png"}, "e": "", "w": "https://a.b/c.png", "z": "a\0"});
        let record = record(images, Origin::Json);
        assert_eq!(record.image("a"), Ok(ImageRef("x/a.png".into())));
        assert_eq!(record.image("b"), Ok(ImageRef("b.png".into())));
        assert!(said(record.image("e")).contains("is empty"));
        assert!(said(record.image("w")).contains("download the images"));
        assert!(said(record.image("z")).contains("a zero byte"));
    }
}
