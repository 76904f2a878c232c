//! Text constants of a Python source file, read without running it: `NAME = "…"` at the top level, with prefixes, triple
//! quotes, escapes, implicit joining and parentheses. Anything that would have to be computed is left out.

use std::collections::BTreeMap;

/// Name and value of each text constant; of several assignments to a name the last counts, as in Python.
pub(super) fn constants(source: &str) -> BTreeMap<String, String> {
    let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = Reader { rest: &source };
    let mut found = BTreeMap::new();
    let mut line_start = true;
    while !reader.rest.is_empty() {
        if line_start && let Some((name, after)) = assignment(reader.rest) {
            reader.rest = after;
            let value = reader.expression();
            match value {
                Some(value) => found.insert(name.to_owned(), value),
                None => found.remove(name),
            };
            line_start = false;
        } else {
            line_start = reader.skip_token();
        }
    }
    found
}

/// `NAME =` or `NAME: type =` at the beginning of `line`: the name and what follows the sign.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let end = line
        .find(|c: char| !(c == '_' || c.is_alphanumeric()))
        .filter(|end| *end > 0)?;
    let (name, mut rest) = line.split_at(end);
    rest = rest.trim_start_matches([' ', '\t']);
    if let Some(annotated) = rest.strip_prefix(':') {
        rest = annotated.trim_start_matches(|c: char| c.is_alphanumeric() || " \t._[]".contains(c));
    }
    let value = rest
        .strip_prefix('=')
        .filter(|value| !value.starts_with('='))?;
    Some((name, value))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Steps over one comment, text or character; whether a new line begins after it.
    fn skip_token(&mut self) -> bool {
        if self.rest.starts_with('#') {
            self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
            return false;
        }
        if self.rest.starts_with(['"', '\'']) && self.literal().is_some() {
            return false;
        }
        let mut chars = self.rest.chars();
        let newline = chars.next() == Some('\n');
        self.rest = chars.as_str();
        newline
    }

    /// Texts one after the other, or joined by `+`, in parentheses or not, up to the end of the statement.
    fn expression(&mut self) -> Option<String> {
        let mut value: Option<String> = None;
        let mut depth = 0_usize;
        loop {
            self.skip_blanks(depth > 0);
            if let Some(rest) = self.rest.strip_prefix('(') {
                (self.rest, depth) = (rest, depth + 1);
            } else if let Some(rest) = self.rest.strip_prefix(')') {
                (self.rest, depth) = (rest, depth.checked_sub(1)?);
            } else if let Some(rest) = self.rest.strip_prefix('+').filter(|_| value.is_some()) {
                self.rest = rest;
            } else if self.rest.is_empty() || self.rest.starts_with(['\n', ';', '#']) {
                return value.filter(|_| depth == 0);
            } else {
                let end = self.rest.find(['"', '\''])?;
                let prefix = self.rest[..end].to_ascii_lowercase();
                self.rest = &self.rest[end..];
                let literal = self.literal()?;
                let text = match prefix.as_str() {
                    "" | "u" => unescape(literal)?,
                    "r" => literal.to_owned(),
                    _ => return None,
                };
                value.get_or_insert_default().push_str(&text);
            }
        }
    }

    /// Steps over blanks and escaped line ends; inside parentheses over line ends and comments too.
    fn skip_blanks(&mut self, lines: bool) {
        loop {
            let before = self.rest;
            self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
            self.rest = self.rest.strip_prefix("\\\n").unwrap_or(self.rest);
            if lines {
                self.rest = self.rest.trim_start_matches('\n');
                if self.rest.starts_with('#') {
                    self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
                }
            }
            if self.rest.len() == before.len() {
                return;
            }
        }
    }

    /// What stands between the quotes that come next; `None` and nothing consumed if they never close.
    fn literal(&mut self) -> Option<&'a str> {
        let one = &self.rest[..1];
        let quote = [one.repeat(3), one.to_owned()]
            .into_iter()
            .find(|quote| self.rest.starts_with(quote.as_str()))?;
        let body = &self.rest[quote.len()..];
        let end = closing(body, &quote)?;
        self.rest = &body[end + quote.len()..];
        Some(&body[..end])
    }
}

/// Where `quote` closes the literal that `body` begins with.
fn closing(body: &str, quote: &str) -> Option<usize> {
    let mut at = 0;
    while !body[at..].starts_with(quote) {
        let mut chars = body[at..].chars();
        match chars.next()? {
            '\\' => at += 1 + chars.next()?.len_utf8(),
            '\n' if quote.len() == 1 => return None,
            c => at += c.len_utf8(),
        }
    }
    Some(at)
}

/// `literal` with its escapes resolved; Python leaves the ones it does not know as they are. `None` for `\N{…}`.
fn unescape(literal: &str) -> Option<String> {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        let kind = chars.next()?;
        rest = chars.as_str();
        match kind {
            '\n' => (),
            '\\' | '\'' | '"' => out.push(kind),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '0'..='7' => {
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                out.push(code(&escape[..=more], 8)?);
                rest = &rest[more..];
            }
            'x' | 'u' | 'U' => {
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                out.push(code(rest.get(..digits)?, 16)?);
                rest = &rest[digits..];
            }
            'N' => return None,
            other => out.extend(['\\', other]),
        }
    }
    out.push_str(rest);
    Some(out)
}

fn code(digits: &str, radix: u32) -> Option<char> {
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(source: &str) -> Option<String> {
        constants(&format!("X = {source}\n")).remove("X")
    }

    #[test]
    fn literals_read_as_python_reads_them() {
        for (source, expected) in [
            (r#""a""#, "a"),
            (r"'it''s'", "its"),
            (r#"'a' "b"  # comment"#, "ab"),
            ("(\n  'a'  # one\n  'b\\n'\n)", "ab\n"),
            ("'a' \\\n 'b'", "ab"),
            ("'a' + 'b'", "ab"),
            (
                "\"\"\"\nline  \n\n\"q\" 'r'\n\"\"\"",
                "\nline  \n\n\"q\" 'r'\n",
            ),
            (r"r'\n\d'", r"\n\d"),
            (r"'\x41\101\u00e9\U0001F600\d\\'", "A\u{41}é😀\\d\\"),
            ("'a\\\nb'", "ab"),
            ("u'é'", "é"),
        ] {
            assert_eq!(value(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn what_must_be_computed_is_left_out() {
        for source in [
            "f'{y}'",
            "b'a'",
            "'a'.upper()",
            "g('a')",
            "y",
            "'a' % y",
            "1",
            "('a'",
            "'a",
            "'\\N{DASH}'",
        ] {
            assert_eq!(value(source), None, "{source}");
        }
    }

    #[test]
    fn the_last_assignment_at_the_top_level_counts() {
        let source = "A = 'one'\nA = 'two'\nB: str = 'b'\nC = 'c'\nC = f(1)\n\ndef f():\n    D = 'd'\n# E = 'e'\nA == 'three'\n";
        let found = constants(source);
        assert_eq!(found.get("A").map(String::as_str), Some("two"));
        assert_eq!(found.get("B").map(String::as_str), Some("b"));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn assignments_inside_texts_and_comments_are_not_taken() {
        let source = "\"\"\"\nA = 'doc'\n\"\"\"\nB = '''\nA = \"in b\"\n'''\nx = f(\"\\\"\", '''\nA = 'in call'\n''')\n# it's \"\nC = 'c'\r\nD = 'd'";
        let found = constants(source);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["B", "C", "D"]);
        assert_eq!(found["C"], "c");
    }
}
