//! Text that stays text within HTML, SVG and Markdown.

use crate::domain::text::printable;

/// Text as HTML and SVG take it, between tags and between double quotes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text that means itself in Markdown.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '!'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            escaped("<b title='x'>\"a\" & b\u{1b}[0m</b>\n"),
            "&lt;b title=&#39;x&#39;&gt;&quot;a&quot; &amp; b [0m&lt;/b&gt; "
        );
    }
}
