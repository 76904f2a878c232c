//! Text from data, made safe to show.

use std::borrow::Cow;

/// `text` with everything that could steer a terminal or break a line taken out: control characters (escape sequences lose
/// their introducer and so become harmless text) turn into one space per run, and bidirectional overrides, zero-width and
/// other invisible format characters go. Joiners inside emoji and variation selectors stay, since they only shape their neighbours.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_invisible(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Directional overrides and isolates, zero-width space and non-joiner, word joiner and its kin, byte-order mark, soft
/// hyphen, line and paragraph separators, tag characters. Not U+200D (joins emoji).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_teeth() {
        assert_eq!(
            printable("a\u{1b}[31mred\u{7}\r\nb\u{9b}2J"),
            "a [31mred b 2J"
        );
    }

    #[test]
    fn direction_overrides_vanish_and_emoji_joiners_stay() {
        assert_eq!(printable("a\u{202e}b"), "ab");
        assert_eq!(printable("🐈\u{200d}⬛"), "🐈\u{200d}⬛");
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(printable("make it a hot dog"), Cow::Borrowed(_)));
    }
}
