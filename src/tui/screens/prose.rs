//! Words and numbers as the screens write them. Text of a data set reaches the screen only through here or through the
//! widgets, made safe, and no more of it is looked at than can show.

use crate::tui::widgets::text;

/// `text` made safe and cut to `width` columns.
pub(crate) fn line(text: &str, width: u16) -> String {
    let head = clip(text, usize::from(width));
    let line = text::shorten(head.trim(), width);
    if head.len() < text.len() && !line.ends_with('…') {
        return text::shorten(&format!("{line}…………………………………………"), width);
    }
    line
}

/// `text` made safe and wrapped at words into at most `lines` lines of `width` columns; what does not fit ends in an ellipsis.
pub(crate) fn wrap(text: &str, width: u16, lines: u16) -> Vec<String> {
    let head = clip(text, usize::from(width) * (usize::from(lines) + 1));
    let mut out = text::wrap(head, width);
    let cut = out.len() > usize::from(lines) || head.len() < text.len();
    out.truncate(usize::from(lines));
    if cut && let Some(last) = out.last_mut() {
        last.push('…');
        if text::width(last) > width {
            last.truncate(last.len() - '…'.len_utf8());
            last.push_str("  ");
            *last = text::shorten(last, width);
        }
    }
    out
}

/// The beginning of `text` that may show in so many columns: ten thousand characters are not looked at for a line of eighty.
/// Eight bytes a column is ample; what clusters more marks than that is cut short.
fn clip(text: &str, columns: usize) -> &str {
    let most = columns.saturating_mul(8).max(64);
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A score with its sign: `+0.53`, `-1.20`.
pub(crate) fn signed(value: f64) -> String {
    let rounded = format!("{:.2}", value.abs());
    let zero = rounded.bytes().all(|b| matches!(b, b'0' | b'.'));
    let sign = if value < 0.0 && !zero { '-' } else { '+' };
    format!("{sign}{rounded}")
}

/// A probability in percent without places: `41%`; never 0 or 100 unless it is.
pub(crate) fn percent(p: f64) -> String {
    match p * 100.0 {
        x if p > 0.0 && x < 0.5 => "<1%".into(),
        x if p < 1.0 && x >= 99.5 => ">99%".into(),
        x => format!("{x:.0}%"),
    }
}

/// A length of time, roughly: `12 s`, `25 min`, `3 h 05`, `2 d 4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 99.5 => format!("{seconds:.0} s"),
        0..=99 => format!("{minutes} min"),
        100..=2879 => format!("{} h {:02}", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes / 60 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_never_carries_an_escape() {
        assert_eq!(line("a short one", 20), "a short one");
        assert_eq!(line("日本語のテキスト", 7), "日本語…");
        assert_eq!(line("red \u{1b}[31m text", 40), "red [31m text");
        assert_eq!(line("anything", 0), "");
        assert_eq!(text::width(&line(&"x".repeat(10_000), 10)), 10);
    }

    #[test]
    fn text_wraps_at_words_and_says_when_it_goes_on() {
        assert_eq!(wrap("make the sky blue", 9, 5), ["make the", "sky blue"]);
        assert_eq!(
            wrap("make the sky blue and red", 9, 2),
            ["make the", "sky blue…"]
        );
        assert_eq!(
            wrap("make the sky blues and red", 9, 2),
            ["make the", "sky blue…"]
        );
        assert!(wrap("anything", 0, 3).is_empty());
        for lines in wrap(&"many words of a data set ".repeat(400), 17, 4) {
            assert!(text::width(&lines) <= 17);
        }
    }

    #[test]
    fn time_is_told_as_roughly_as_it_is_known() {
        for (seconds, expected) in [
            (0.4, "0 s"),
            (99.0, "99 s"),
            (100.0, "2 min"),
            (5_990.0, "1 h 40"),
            (11_100.0, "3 h 05"),
            (187_000.0, "2 d 3 h"),
            (f64::NAN, "–"),
            (-1.0, "–"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn numbers_read_the_same_everywhere() {
        assert_eq!(signed(-0.004), "+0.00");
        assert_eq!(signed(-1.2), "-1.20");
        assert_eq!(signed(0.534), "+0.53");
        assert_eq!(percent(0.001), "<1%");
        assert_eq!(percent(0.999), ">99%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.414), "41%");
    }
}
