//! The text of one record, parsed as JSON to the letter: a key that is there twice is an error and not a silent choice, and an
//! error says which field it lies in.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::error::{Place, RecordError, shown};
use super::source::line_ends;

/// What Python's `json` writes for numbers that are none, and no other reader takes.
///
/// The longer word comes before the one that it ends in.
const PYTHONS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];

/// Parses one value that begins on `line`. An error is the record's, which begins at `place`.
pub(super) fn parse(bytes: &[u8], place: &Place, line: u64) -> Result<Value, RecordError> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = line + line_ends(before);
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        place.clone().unparsable(format!(
            "byte {column} of line {line} is not UTF-8; save the file as UTF-8"
        ))
    })?;
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => Err(in_words(&error, text, place, line)),
    }
}

/// What the parser says, with the field and the place where it says it.
fn in_words(error: &serde_json::Error, text: &str, place: &Place, line: u64) -> RecordError {
    let offset = offset_of(text, error.line(), error.column());
    let said = error.to_string().replace('`', "'");
    let said = said
        .rsplit_once(" at line ")
        .map_or(said.as_str(), |(what, _)| what);
    let number = PYTHONS
        .iter()
        .find(|word| starts_near(text, offset, word) && error.is_syntax());
    let what = match (number, error.classify()) {
        (Some(word), _) => format!(
            "{word} is not JSON, though Python writes it; write null or leave the field out"
        ),
        (None, Category::Eof) => "it ends too early".to_owned(),
        (None, _) if said.starts_with("recursion limit") => {
            "it is nested too deeply, more than 127 levels".to_owned()
        }
        (None, _) => said.to_owned(),
    };
    let line = line + (error.line() as u64).saturating_sub(1);
    let what = format!("{what} (line {line}, column {})", error.column());
    match field_at(text, offset) {
        Some(field) => RecordError::Unparsable {
            place: place.clone(),
            what: format!("in {}: {what}", shown(&field)),
        },
        None => place.clone().unparsable(what),
    }
}

/// The byte that a line and column, both from 1, name.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// Whether `word` stands where the parser stopped, which may be one byte into it.
fn starts_near(text: &str, offset: usize, word: &str) -> bool {
    let bytes = text.as_bytes();
    [offset, offset.saturating_sub(1)]
        .iter()
        .any(|at| bytes[*at..].starts_with(word.as_bytes()))
}

/// The key, in the outermost object, of the member that the byte at `offset` lies in.
fn field_at(text: &str, offset: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut field) = (0_usize, 0, None);
    while at < bytes.len().min(offset + 1) {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(bytes, at);
                let after = bytes[end..].trim_ascii_start();
                if depth == 1 && after.first() == Some(&b':') {
                    field = serde_json::from_slice(&bytes[at..end]).ok();
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    field
}

/// One past the quotation mark that closes the string beginning at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A value in which no object has a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            match object.entry(key) {
                Entry::Occupied(twice) => {
                    let what = format!("the key {} is there twice", shown(twice.key()));
                    return Err(A::Error::custom(what));
                }
                Entry::Vacant(place) => {
                    place.insert(members.next_value::<Strict>()?.0);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn said(text: &str) -> String {
        let file: Arc<Path> = Arc::from(Path::new("v.json"));
        let place = Place::line(&file, 17);
        parse(text.as_bytes(), &place, 17).unwrap_err().to_string()
    }

    #[test]
    fn values_are_as_serde_json_has_them() {
        let text = r#"{"a": [1, -2, 0.5, 18446744073709551615, "é\n\ud83d\ude00", null, true], "b": {"c": {}}, "d": 1e400}"#;
        let file: Arc<Path> = Arc::from(Path::new("v.json"));
        let text = text.replace("1e400", "1e300");
        let value = parse(text.as_bytes(), &Place::line(&file, 1), 1).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_at_any_depth() {
        for text in [r#"{"a": 1, "a": 2}"#, r#"{"b": [{"a": 1, "a": 1}]}"#] {
            assert!(
                said(text).contains("the key \"a\" is there twice"),
                "{}",
                said(text)
            );
        }
    }

    #[test]
    fn pythons_words_for_no_number_are_named_with_their_field() {
        for word in PYTHONS {
            for text in [
                format!(r#"{{"x": {{"score": 1}}, "score": {word}}}"#),
                format!(r#"{{"score": [0.5, {word}]}}"#),
            ] {
                let error = said(&text);
                assert!(error.starts_with("v.json:17: in \"score\": "), "{error}");
                assert!(error.contains(&format!(": {word} is not JSON")), "{error}");
            }
        }
        // A word within text is text.
        assert!(!said(r#"{"a": "NaN" "b"}"#).contains("Python"));
    }

    #[test]
    fn an_error_names_field_line_and_column() {
        assert_eq!(
            said("{\"a\": 1,\n \"b\\n\": [1, 2,]\n}"),
            "v.json:17: in \"b \": trailing comma (line 18, column 15)"
        );
        assert!(said("{\"a\": 1,}").contains("trailing comma (line 17, column 9)"));
        assert!(said("{\"a\": 1e999}").contains("in \"a\": number out of range"));
        assert!(said("{\"a\": \"\\ud800\"}").contains("in \"a\": "));
        assert!(said("{\"a\": \"x\ny\"}").contains("control character"));
        assert!(said("{\"a\": [1").contains("in \"a\": it ends too early"));
        assert!(said("").contains("it ends too early"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(
            said(&deep).contains("in \"a\": it is nested too deeply"),
            "{}",
            said(&deep)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line() {
        let file: Arc<Path> = Arc::from(Path::new("v.json"));
        let error = parse(b"{\"a\":\n \"\xff\"}", &Place::line(&file, 17), 17).unwrap_err();
        assert_eq!(
            error.to_string(),
            "v.json:17: byte 3 of line 18 is not UTF-8; save the file as UTF-8"
        );
    }
}
