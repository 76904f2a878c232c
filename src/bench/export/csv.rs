//! Figures as comma-separated values (RFC 4180), a row each, for spreadsheets and data frames.
//!
//! Numbers are those of `report.json`, in full; an undefined one is an empty field, and `undefined` says why. Text that a
//! spreadsheet would take for a formula gets an apostrophe in front.

use crate::bench::leaderboard::Measured;
use crate::bench::report::Figure;
use crate::domain::text::printable;

/// The columns.
const HEAD: [&str; 14] = [
    "run",
    "benchmark",
    "publisher",
    "scorer",
    "kind",
    "figure",
    "value",
    "low",
    "high",
    "n",
    "floor",
    "undefined",
    "data",
    "fingerprint",
];

/// All figures of all runs.
pub(super) fn table(measured: &[Measured]) -> String {
    let mut out = HEAD.join(",");
    out.push_str("\r\n");
    for one in measured {
        for figure in &one.report.figures {
            out.push_str(&row(one, figure).join(","));
            out.push_str("\r\n");
        }
    }
    out
}

fn row(one: &Measured, figure: &Figure) -> [String; 14] {
    let report = &one.report;
    let scorer = report.scorer.as_ref();
    let [low, high] = match figure.interval {
        Some(bounds) => bounds.map(Some),
        None => [None, None],
    };
    [
        text(&one.run),
        text(&report.benchmark),
        text(&report.publisher),
        text(scorer.map_or("", |s| &s.name)),
        text(scorer.map_or("", |s| &s.kind)),
        text(&figure.about.key),
        number(figure.value),
        number(low),
        number(high),
        figure.about.of.to_string(),
        number(figure.about.floor.as_ref().map(|(value, _)| *value)),
        text(figure.undefined.as_deref().unwrap_or("")),
        text(&report.data.path),
        text(&report.data.fingerprint),
    ]
}

fn number(value: Option<f64>) -> String {
    let finite = value.filter(|v| v.is_finite());
    finite.map_or_else(String::new, |v| v.to_string())
}

/// A field; it is quoted where it has to be, with its quotes doubled.
fn text(text: &str) -> String {
    let mut text = printable(text).into_owned();
    // Spreadsheets calculate what begins so, even between quotes.
    if text.trim_start().starts_with(['=', '+', '-', '@']) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_have_to_be_and_calculate_nothing() {
        assert_eq!(text("plain text"), "plain text");
        assert_eq!(text("a, b"), "\"a, b\"");
        assert_eq!(text("the \"best\""), "\"the \"\"best\"\"\"");
        assert_eq!(text("two\r\nlines"), "two lines");
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("\t@SUM(A1,A2)"), "\"' @SUM(A1,A2)\"");
    }

    #[test]
    fn numbers_are_written_in_full_and_undefined_ones_left_empty() {
        assert_eq!(number(Some(0.1 + 0.2)), "0.30000000000000004");
        assert_eq!(number(Some(1e-7)), "0.0000001");
        assert_eq!(number(None), "");
        assert_eq!(number(Some(f64::INFINITY)), "");
    }
}
