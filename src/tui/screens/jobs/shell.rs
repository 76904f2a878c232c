//! Words and lines as a shell has them: to show a command as one would type it, and to take one as it is typed.

/// A word as a shell takes it for one.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let is_safe = !word.contains(['"', '$', '`', '\\', '!']);
    if word.contains('\'') && is_safe {
        return format!("\"{word}\"");
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The words of a line as a shell splits them, without anything else that a shell does.
pub(super) fn shell_words(line: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word, mut chars) = (Vec::new(), None::<String>, line.chars());
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err("a quotation mark is not closed"),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => {
                            // Before anything else it stands for itself.
                            let escaped = chars.clone().next();
                            let escaped = escaped.filter(|c| r#"$`"\"#.contains(*c));
                            word.push(escaped.unwrap_or('\\'));
                            if escaped.is_some() {
                                chars.next();
                            }
                        }
                        Some(inner) => word.push(inner),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_comes_back_as_the_words_it_was() {
        let words = [
            "plain",
            "a b",
            "it's",
            "",
            "$HOME",
            "back\\slash",
            "\"q\"",
            "größe",
        ];
        let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        assert_eq!(shell_words(&line.join(" ")).unwrap(), words);
        assert_eq!(quoted("a b"), "'a b'");
        assert!(shell_words("a 'b").is_err());
    }

    #[test]
    fn within_double_quotes_a_backslash_stands_for_itself_unless_a_special_character_follows() {
        let line = r#"grep "\d+\.\n" "\$HOME \`\"\\" '\d'"#;
        let words = shell_words(line).unwrap();
        assert_eq!(words, ["grep", r"\d+\.\n", r#"$HOME `"\"#, r"\d"]);
        assert!(shell_words(r#""a\""#).is_err());
    }
}
