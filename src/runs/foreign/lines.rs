//! Measurements in what other programs print: JSON objects, the dictionaries that Hugging Face's trainer prints, `key=value`,
//! and the counters of progress bars. Lines that hold none of that are just words.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a line says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// The step, where it is named.
    pub step: Option<u64>,
    /// The steps in all, where they are named.
    pub total: Option<u64>,
    /// Passes over the data, where they are named.
    pub epoch: Option<f64>,
    /// What was measured, by name: `loss` is `train.loss`, `eval_loss` is `val.loss`, `a/b` is `a.b`.
    pub values: BTreeMap<String, f64>,
}

const STEPS: &[&str] = &[
    "step",
    "global_step",
    "iter",
    "iteration",
    "train/global_step",
];

impl Line {
    /// Reads a line; `None` where it says nothing that can be drawn or counted.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut line = Self::default();
        if let Some(object) = text.starts_with('{').then(|| object(text)).flatten() {
            line.take_object("", &object);
        } else if let Some((done, total)) = counter(text) {
            (line.step, line.total) = (Some(done), Some(total));
        } else {
            text.split([' ', '\t', ',', ';'])
                .filter_map(|word| word.split_once('='))
                .filter(|(key, _)| key.starts_with(|c: char| c.is_alphabetic()))
                .for_each(|(key, value)| line.take_word(key, value));
        }
        let says = line.step.is_some() || line.epoch.is_some() || !line.values.is_empty();
        says.then_some(line)
    }

    /// The members of an object, those of objects within it with both names.
    pub(super) fn take_object(&mut self, above: &str, object: &Map<String, Value>) {
        for (key, value) in object {
            let name = if above.is_empty() {
                key.clone()
            } else {
                format!("{above}.{key}")
            };
            match value {
                Value::Object(inner) => self.take_object(&name, inner),
                Value::Number(number) => self.take(&name, number.as_f64().unwrap_or(f64::NAN)),
                // Later versions of Hugging Face's trainer print numbers as text.
                Value::String(text) => self.take_word(&name, text),
                _ => {}
            }
        }
    }

    fn take_word(&mut self, key: &str, value: &str) {
        let (number, total) = match value.split_once('/') {
            Some((number, total)) if STEPS.contains(&key) => (number, total.parse().ok()),
            _ => (value.trim_end_matches('%'), None),
        };
        if let Ok(number) = number.parse() {
            self.take(key, number);
            self.total = total.or(self.total);
        }
    }

    fn take(&mut self, key: &str, value: f64) {
        if STEPS.contains(&key) {
            if value >= 0.0 {
                self.step = Some(value as u64);
            }
        } else if matches!(key, "epoch" | "train/epoch") {
            self.epoch = Some(value);
        } else if matches!(key, "max_steps" | "total_steps") {
            self.total = Some(value as u64);
        } else {
            self.values.insert(name(key), value);
        }
    }
}

/// A metric's name as ours are: `train.loss`, `val.loss`.
pub(super) fn name(key: &str) -> String {
    let plain = key.replace('/', ".");
    match plain.strip_prefix("eval_").or(plain.strip_prefix("eval.")) {
        Some(rest) => format!("val.{rest}"),
        None if plain.contains('.') => plain,
        None => format!("train.{plain}"),
    }
}

/// An object in JSON, or as Python prints it.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    let json = with_words_quoted(text);
    let parsed = serde_json::from_str(&json);
    parsed
        .or_else(|_| serde_json::from_str(&json.replace('\'', "\"")))
        .ok()
}

/// Python writes numbers that are not finite, and truth values, as words that JSON does not know: they become text.
fn with_words_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if quote.is_none() && (c.is_alphabetic() || c == '-') {
            let end = rest[c.len_utf8()..]
                .find(|c: char| !c.is_alphanumeric())
                .map_or(rest.len(), |i| i + c.len_utf8());
            let word = &rest[..end];
            match word {
                "NaN" | "nan" | "inf" | "Infinity" | "-inf" | "-Infinity" | "True" | "False"
                | "None" => out.extend(["\"", word, "\""]),
                _ => out.push_str(word),
            }
            rest = &rest[end..];
            continue;
        }
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// `12/2000 [` in the line of a progress bar.
fn counter(text: &str) -> Option<(u64, u64)> {
    let words = text.split_once(" [")?.0;
    let (done, total) = words.rsplit([' ', '|']).next()?.split_once('/')?;
    Some((done.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Said = (Option<u64>, Option<u64>, Option<f64>, Vec<(String, f64)>);

    fn read(text: &str) -> Said {
        let line = Line::read(text).unwrap_or_default();
        let values = line.values.into_iter().collect();
        (line.step, line.total, line.epoch, values)
    }

    fn value(name: &str, value: f64) -> (String, f64) {
        (name.to_owned(), value)
    }

    #[test]
    fn measurements_are_found_in_the_usual_kinds_of_lines() {
        assert_eq!(
            read("{'loss': 0.69, 'learning_rate': 2e-06, 'epoch': 0.01}"),
            (
                None,
                None,
                Some(0.01),
                vec![
                    value("train.learning_rate", 2e-6),
                    value("train.loss", 0.69)
                ]
            )
        );
        assert_eq!(
            read("{'eval_loss': '0.5', 'epoch': '1'}"),
            (None, None, Some(1.0), vec![value("val.loss", 0.5)])
        );
        assert_eq!(
            read(r#"{"step": 7, "val": {"accuracy": {"if": 0.5}}, "who": "it's"}"#),
            (Some(7), None, None, vec![value("val.accuracy.if", 0.5)])
        );
        assert_eq!(
            read("step=10/200 loss=0.5, acc=75% lr=1e-4 note=warm"),
            (
                Some(10),
                Some(200),
                None,
                vec![
                    value("train.acc", 75.0),
                    value("train.loss", 0.5),
                    value("train.lr", 1e-4)
                ]
            )
        );
        assert_eq!(
            read("  1%|▏         | 12/2000 [00:12<33:08,  1.00s/it]"),
            (Some(12), Some(2000), None, vec![])
        );
    }

    #[test]
    fn a_loss_that_is_no_number_is_still_a_loss() {
        for text in [
            "{'loss': nan, 'grad_norm': -inf}",
            r#"{"loss": NaN, "grad_norm": -Infinity}"#,
            "loss=nan grad_norm=-inf",
        ] {
            let line = Line::read(text).unwrap();
            assert!(line.values["train.loss"].is_nan(), "{text}");
            assert_eq!(line.values["train.grad_norm"], f64::NEG_INFINITY, "{text}");
        }
    }

    #[test]
    fn words_are_just_words() {
        for text in [
            "",
            "loading the model",
            "{not json",
            "[1/2] building",
            "--lr=1e-4",
            "name=x",
            "{}",
            "{'a': None, 'b': True, 'nan': 'inf \\' nan'}",
            "é=1 = ==",
        ] {
            let line = Line::read(text);
            let values = line.map(|l| l.values).unwrap_or_default();
            assert!(values.keys().all(|k| k == "train.é"), "{text}: {values:?}");
        }
    }
}
