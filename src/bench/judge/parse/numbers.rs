//! The numbers of VIEScore's questions: as JSON, as a list behind a name, or bare.

use serde_json::Value;

use super::{nothing, until};

/// Names that the numbers go by.
const NAMES: &[&str] = &["score", "scores", "rating", "ratings"];

/// Where numbers stand in an answer that holds no JSON with one of the names.
struct Place {
    before: Before,
    open: &'static str,
    close: &'static str,
    /// Fewer numbers than that are something else: `[1]` may be a footnote.
    least: usize,
}

/// What comes before numbers.
#[derive(Clone, Copy)]
enum Before {
    /// One of [`NAMES`], between quotes or not, and a colon or an equals sign.
    Name,
    /// Whatever it is.
    Anything,
    /// The answer is the numbers and nothing else.
    Nothing,
}

/// The surest place first: only the first that holds numbers is believed.
#[rustfmt::skip]
const PLACES: &[Place] = &[
    Place { before: Before::Name, open: "[", close: "]", least: 1 },
    Place { before: Before::Name, open: "(", close: ")", least: 1 },
    Place { before: Before::Name, open: "", close: "\n", least: 1 },
    Place { before: Before::Anything, open: "[", close: "]", least: 2 },
    Place { before: Before::Nothing, open: "", close: "", least: 1 },
];

/// What stands around a number and says nothing.
const AROUND: &[char] = &['*', '"', '\'', '`', '}', '.', ' ', '\t', '\r', '\n'];

/// What stands behind a number to name its scale.
const OF_TEN: &[&str] = &["/10", "/ 10", "out of 10"];

/// The scale.
const SCALE: std::ops::RangeInclusive<f64> = 0.0..=10.0;

/// The most numbers that were asked for. Judges that fold both into one give one, and the least of one is that one.
const ASKED: usize = 2;

/// The one or two numbers from 0 to 10 that an answer gives; different ones in different places are none.
pub(super) fn read(text: &str) -> Result<Vec<f64>, String> {
    let mut found = in_objects(text);
    let mut places = PLACES.iter();
    while found.is_empty()
        && let Some(place) = places.next()
    {
        found = starts(text, place)
            .into_iter()
            .filter_map(|rest| listed(until(rest, place.close)?))
            .filter(|list| list.len() >= place.least)
            .map(Ok)
            .collect();
    }
    let mut distinct: Vec<Result<Vec<f64>, String>> = Vec::new();
    for list in found {
        if !distinct.contains(&list) {
            distinct.push(list);
        }
    }
    match distinct.len() {
        0 => Err(nothing(text, "score")),
        1 => checked(distinct.remove(0)?),
        n => Err(format!("it gives {n} different scores")),
    }
}

fn checked(list: Vec<f64>) -> Result<Vec<f64>, String> {
    if list.is_empty() || list.len() > ASKED {
        return Err(format!(
            "it gives {} numbers where {ASKED} were asked for",
            list.len()
        ));
    }
    match list.iter().find(|n| !SCALE.contains(n)) {
        Some(n) => Err(format!("the score {n} is outside the scale from 0 to 10")),
        None => Ok(list),
    }
}

/// The numbers of each JSON object in the text that has one of the names; an error for one that has something else there.
fn in_objects(text: &str) -> Vec<Result<Vec<f64>, String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = text[at..].find('{') {
        at += open;
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let object = values.next().and_then(Result::ok);
        let fields = object.iter().filter_map(Value::as_object).flatten();
        let before = found.len();
        for (_, value) in fields.filter(|(k, _)| NAMES.contains(&k.to_lowercase().as_str())) {
            found.push(in_value(value).ok_or_else(|| {
                let value: String = value.to_string().chars().take(60).collect();
                format!("its score is no list of numbers: {value}")
            }));
        }
        // What is inside an object that has the name is not looked at again; what is inside another may have it.
        at += if found.len() > before {
            values.byte_offset()
        } else {
            1
        };
    }
    found
}

fn in_value(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|v| v.as_f64().or_else(|| number(v.as_str()?)))
            .collect(),
        Value::String(text) => listed(text.trim().trim_matches(['[', ']'])),
        single => single.as_f64().map(|n| vec![n]),
    }
}

/// The texts behind the opening mark of a place, wherever it opens.
fn starts<'a>(text: &'a str, place: &Place) -> Vec<&'a str> {
    match place.before {
        Before::Nothing => vec![text],
        Before::Anything => text
            .match_indices(place.open)
            .map(|(at, open)| &text[at + open.len()..])
            .collect(),
        Before::Name => {
            let small = text.to_ascii_lowercase();
            let behind = |at: usize| {
                let rest = text[at..].trim_start_matches(AROUND);
                let rest = rest.strip_prefix([':', '='])?.trim_start_matches(AROUND);
                rest.strip_prefix(place.open)
            };
            NAMES
                .iter()
                .flat_map(|name| small.match_indices(name).map(|(at, n)| at + n.len()))
                .filter_map(behind)
                .collect()
        }
    }
}

/// All numbers of a text that consists of numbers.
fn listed(text: &str) -> Option<Vec<f64>> {
    let mut words: Vec<&str> = text.split([',', ';']).collect();
    if words.len() > 1 {
        words.pop_if(|last| last.trim_matches(AROUND).is_empty());
    }
    words.into_iter().map(number).collect()
}

/// A number, with or without the scale behind it.
fn number(word: &str) -> Option<f64> {
    let word = word.trim_matches(AROUND);
    let bare = OF_TEN.iter().find_map(|of| word.strip_suffix(of));
    bare.unwrap_or(word).trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::recorded;
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_wrapped() {
        for (text, numbers) in [
            (r#"{"reasoning": "fine", "score": [8, 9]}"#, vec![8.0, 9.0]),
            (
                "```json\n{\n \"reasoning\": \"a {b}\",\n \"score\": [4, 5.5]\n}\n```",
                vec![4.0, 5.5],
            ),
            (r#"Here: {"Score": ["7", "10"]} as asked."#, vec![7.0, 10.0]),
            (r#"{"output": {"score": [1, 2]}}"#, vec![1.0, 2.0]),
            (
                r#"{"reasoning": "score: [1, 1] at first", "score": [3, 2]}"#,
                vec![3.0, 2.0],
            ),
            (r#"{"score": 7}"#, vec![7.0]),
            (r#"{"score": "[7, 8]"}"#, vec![7.0, 8.0]),
            (
                r#"{"reasoning": "the "sky" is odd", "score": [6, 7]}"#,
                vec![6.0, 7.0],
            ),
            (r#"{"score": [6, 7,]}"#, vec![6.0, 7.0]),
            ("score: [0, 10]", vec![0.0, 10.0]),
            ("**Score:** [2, 3]", vec![2.0, 3.0]),
            ("scores = (2, 3)", vec![2.0, 3.0]),
            ("Rating: 7/10\nbecause", vec![7.0]),
            ("score: 8 out of 10.", vec![8.0]),
            ("I would say [5, 6].", vec![5.0, 6.0]),
            ("[5, 6]", vec![5.0, 6.0]),
            ("8, 9", vec![8.0, 9.0]),
            (" 8.5\n", vec![8.5]),
        ] {
            assert_eq!(read(text), Ok(numbers), "{text}");
        }
    }

    #[test]
    fn what_is_off_the_scale_or_not_clear_is_refused_with_the_reason() {
        for (text, reason) in [
            (
                r#"{"score": [11, 3]}"#,
                "the score 11 is outside the scale from 0 to 10",
            ),
            (
                "score: [-1, 3]",
                "the score -1 is outside the scale from 0 to 10",
            ),
            (
                "score: [nan, 3]",
                "the score NaN is outside the scale from 0 to 10",
            ),
            (
                r#"{"score": [1, 2, 3]}"#,
                "it gives 3 numbers where 2 were asked for",
            ),
            (
                r#"{"score": []}"#,
                "it gives 0 numbers where 2 were asked for",
            ),
            (
                r#"{"score": "high"}"#,
                "its score is no list of numbers: \"high\"",
            ),
            (
                "score: [1, 2]\nno, score: [2, 2]",
                "it gives 2 different scores",
            ),
            (
                r#"{"reasoning": "cut", "score": [1"#,
                "no score can be found in it; it ends in '{\"reasoning\": \"cut\", \"score\": [1'",
            ),
            (
                "as said in [1], it is good",
                "no score can be found in it; it ends in 'as said in [1], it is good'",
            ),
            (" \n", "it says nothing"),
        ] {
            assert_eq!(read(text), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn recorded_reasons_do_not_disturb_the_numbers_behind_them() {
        let Some(text) = recorded::file("viescore/gpt4o_0shot_text_guided_ie.jsonl") else {
            return;
        };
        let mut read_back = 0;
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            for (list, reasoning) in [("sc", "sc_reasoning"), ("pq", "pq_reasoning")] {
                let (list, reasoning) = (&record[list], &record[reasoning]);
                let numbers: Vec<f64> = serde_json::from_value(list.clone()).unwrap();
                let object = json!({"reasoning": reasoning, "score": list}).to_string();
                let reasoning = reasoning.as_str().unwrap();
                for answer in [
                    format!("```json\n{object}\n```"),
                    format!("{{\"reasoning\": \"{reasoning}\", \"score\": {list}}}"),
                    format!("{reasoning}\n\nscore: {list}"),
                ] {
                    assert_eq!(read(&answer), Ok(numbers.clone()), "{answer}");
                    read_back += 1;
                }
            }
        }
        recorded::say(&format!("{read_back} lists are read back"));
        assert_eq!(read_back, 1432 * 2 * 3);
    }
}
