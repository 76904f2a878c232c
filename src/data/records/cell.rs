//! Lists and objects in the cells of a table: JSON, or what Python prints for the same (`['a', None]`), which is how data
//! frames are often saved.

use serde_json::Value;

use super::error::shown;

/// Parses a cell; the error says what it is not, as the end of a sentence about the field.
pub(super) fn literal(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    as_json(text)
        .and_then(|json| serde_json::from_str(&json).ok())
        .ok_or_else(|| {
            format!(
                "is {}, not a list or object as JSON or Python write them",
                shown(text)
            )
        })
}

/// Python's literals rewritten as JSON: strings in single quotation marks, `None`, `True`, `False`. What JSON refuses after
/// that is left for it to refuse.
fn as_json(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if matches!(letter, '\'' | '"') {
            rest = string(rest, letter, &mut json)?;
            continue;
        }
        let word = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(rest, |end| &rest[..end]);
        if word.is_empty() {
            json.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        }
        json.push_str(match word {
            "None" => "null",
            "True" => "true",
            "False" => "false",
            other => other,
        });
        rest = &rest[word.len()..];
    }
    Some(json)
}

/// Rewrites the string that `text` begins with; what follows it, or `None` if it is none.
fn string<'a>(text: &'a str, quote: char, json: &mut String) -> Option<&'a str> {
    json.push('"');
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => {
                json.push('"');
                return Some(&text[at + 1..]);
            }
            '"' => json.push_str("\\\""),
            '\\' => match letters.next()?.1 {
                '\'' => json.push('\''),
                'x' => {
                    let digits: String = letters.by_ref().take(2).map(|(_, c)| c).collect();
                    json.push_str("\\u00");
                    json.push_str(&digits);
                }
                // The rest of what Python escapes when it prints, JSON escapes alike.
                other => json.extend(['\\', other]),
            },
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            other => json.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_python_mean_the_same() {
        for (text, value) in [
            ("[0.5, 1]", json!([0.5, 1])),
            (" [0,0.5]\n", json!([0, 0.5])),
            (
                "['a', \"it's\", 'x\\'y', 'say \"a\"']",
                json!(["a", "it's", "x'y", "say \"a\""]),
            ),
            ("[None, True, False]", json!([null, true, false])),
            (
                "{'a': ['b\\\\c', 'd\\ne', '\\xe9', '\\u00e9']}",
                json!({"a": ["b\\c", "d\ne", "é", "é"]}),
            ),
            ("['NoneTrue']", json!(["NoneTrue"])),
            ("[\"None\"]", json!(["None"])),
        ] {
            assert_eq!(literal(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_said_to_be_neither() {
        for text in [
            "10;10", "[1, 2", "['a", "(1, 2)", "[nan]", "['a\\", "[1, 2,]", "", "['\\x']",
        ] {
            let error = literal(text).unwrap_err();
            assert!(
                error.ends_with("not a list or object as JSON or Python write them"),
                "{error}"
            );
        }
    }
}
