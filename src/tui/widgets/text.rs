//! Text cut to columns: what fits is shown, what does not ends in "…". Everything passes `printable` on the way.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::printable;

/// Columns that `text` takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// `text`, made printable, in at most `columns`; what was cut is marked by "…".
pub fn shorten(text: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    let text = printable(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > columns - 1 {
            break;
        }
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// `text`, made printable, cut wherever a row of `columns` is full: white space stays as it is.
pub fn break_at(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns);
    if columns == 0 {
        return Vec::new();
    }
    let mut rows = Vec::new();
    let (mut row, mut used) = (String::new(), 0);
    for grapheme in printable(text).graphemes(true) {
        let width = grapheme.width();
        if used + width > columns && !row.is_empty() {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        row.push_str(grapheme);
        used += width;
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

/// `text`, made printable, broken at spaces into lines of at most `columns`; words longer than a line are cut within.
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns);
    if columns == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in printable(text).split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for grapheme in word.graphemes(true) {
            if line.width() + grapheme.width() > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number in few characters and three significant digits: `1.23`, `-0.04`, `12.3`, `700`, `1.2e6`, `∞`; `—` when it is none.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "—".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.into();
    }
    let magnitude = value.abs();
    match magnitude {
        m if m >= 99_999.5 => format!("{value:.1e}"),
        m if m >= 99.95 => format!("{value:.0}"),
        m if m >= 9.995 => format!("{value:.1}"),
        m if m >= 0.0995 => format!("{value:.2}"),
        m if m < 5e-5 => "0.00".into(),
        m if m >= 0.000_95 => format!("{value:.3}"),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_and_what_does_not_is_marked() {
        assert_eq!(shorten("make it red", 11), "make it red");
        assert_eq!(shorten("make it red", 8), "make it…");
        assert_eq!(shorten("make it red", 1), "…");
        assert_eq!(shorten("make it red", 0), "");
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(shorten("\u{1b}[2Jx", 9), " [2Jx");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_within() {
        assert_eq!(
            wrap("no such file: a/b/c.png", 10),
            ["no such", "file:", "a/b/c.png"]
        );
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert!(wrap("anything", 0).is_empty());
        assert!(wrap("  ", 5).is_empty());
    }

    #[test]
    fn rows_that_break_anywhere_keep_their_white_space() {
        assert_eq!(
            break_at("    raise  X(日本)", 10),
            ["    raise ", " X(日本)"]
        );
        assert_eq!(break_at("日本語", 3), ["日", "本", "語"]);
        assert_eq!(break_at("  ", 5), ["  "]);
        assert!(break_at("anything", 0).is_empty() && break_at("", 5).is_empty());
    }

    #[test]
    fn numbers_keep_three_digits_at_every_size() {
        for (value, expected) in [
            (1.234, "1.23"),
            (-0.0432, "-0.043"),
            (0.003, "0.003"),
            (12.34, "12.3"),
            (700.4, "700"),
            (-1_234_567.0, "-1.2e6"),
            (0.0, "0.00"),
            (-0.000_01, "0.00"),
            (0.000_2, "2e-4"),
            (9.996, "10.0"),
            (f64::NAN, "—"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "-∞"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
