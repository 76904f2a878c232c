//! A command with blanks in it: words that are cut apart once, when the settings are read, and filled in one by one. What is
//! filled in stays within its word, and no shell reads any of it, so that no instruction can become a command.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A blank in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The path of the image before the edit.
    Source,
    /// What is asked for.
    Instruction,
    /// The seed, in digits.
    Seed,
    /// The path of the file to write.
    Out,
    /// The group's name.
    Group,
}

impl Slot {
    const ALL: [(&'static str, Self); 5] = [
        ("source", Self::Source),
        ("instruction", Self::Instruction),
        ("seed", Self::Seed),
        ("out", Self::Out),
        ("group", Self::Group),
    ];

    fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(n, _)| *n == name);
        found.map(|(_, slot)| *slot)
    }
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Blank(Slot),
}

/// A program and its arguments, with blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As they were written.
    words: Vec<String>,
    pieces: Vec<Vec<Piece>>,
}

/// What only a shell would understand, where it stands for itself.
const OPERATORS: &[&str] = &["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1"];

/// Programs that carry out a text, with the option before it.
const INTERPRETERS: &[&str] = &[
    "sh", "bash", "dash", "zsh", "ksh", "fish", "pwsh", "python", "python3", "perl", "ruby", "node",
];

impl Template {
    /// From a line, cut into words as a shell would: at blanks, but not within quotes; a backslash takes away the meaning of
    /// what follows it.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words = cut(line)?;
        let bare = words.iter().find(|word| {
            let bare = !word.quoted;
            bare && OPERATORS.contains(&word.text.as_str())
        });
        if let Some(word) = bare {
            return Err(format!(
                "'{}' would be an argument, for no shell reads this; put it in quotes if that is meant, else into a script",
                word.text
            ));
        }
        Self::new(words.into_iter().map(|word| word.text).collect())
    }

    /// From words that are cut apart already.
    pub fn new(words: Vec<String>) -> Result<Self, String> {
        if words.first().is_none_or(String::is_empty) {
            return Err("it names no program".into());
        }
        let pieces = words.iter().map(|word| pieces(word));
        let template = Self {
            pieces: pieces.collect::<Result<_, _>>()?,
            words,
        };
        for (name, slot) in [
            ("source", Slot::Source),
            ("instruction", Slot::Instruction),
            ("out", Slot::Out),
        ] {
            if !template.has(slot) {
                return Err(format!(
                    "it has no {{{name}}}; {{source}}, {{instruction}} and {{out}} have to be in it, {{seed}} and {{group}} may be"
                ));
            }
        }
        template.no_script()?;
        Ok(template)
    }

    /// The words as they were written.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether it has such a blank.
    pub fn has(&self, slot: Slot) -> bool {
        let mut all = self.pieces.iter().flatten();
        all.any(|piece| *piece == Piece::Blank(slot))
    }

    /// The words with all blanks filled in. Each keeps to its word whatever is in it.
    pub fn fill<'a>(&self, value: impl Fn(Slot) -> Cow<'a, OsStr>) -> Vec<OsString> {
        let fill = |pieces: &Vec<Piece>| {
            let mut word = OsString::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => word.push(text),
                    Piece::Blank(slot) => word.push(value(*slot)),
                }
            }
            word
        };
        self.pieces.iter().map(fill).collect()
    }

    /// Refuses blanks inside a text that a program carries out: there an instruction would be read as commands after all.
    fn no_script(&self) -> Result<(), String> {
        let is_interpreter = |word: &str| {
            let name = Path::new(word).file_stem().and_then(OsStr::to_str);
            name.is_some_and(|name| INTERPRETERS.contains(&name))
        };
        for (at, word) in self.words.iter().enumerate() {
            if !is_interpreter(word) {
                continue;
            }
            let options = self.words[at + 1..].iter();
            let options = options.take_while(|word| word.starts_with('-') && word.len() > 1);
            for (further, option) in options.enumerate() {
                let carries_out = !option.starts_with("--") && option.ends_with(['c', 'e']);
                let script = self.pieces.get(at + further + 2);
                let open =
                    |piece: &Piece| matches!(piece, Piece::Blank(slot) if *slot != Slot::Seed);
                if carries_out && script.is_some_and(|script| script.iter().any(open)) {
                    return Err(format!(
                        "a blank inside what {word} {option} carries out would be read as commands; give it as an argument of its \
                         own, as in sh -c 'edit \"$1\"' sh {{instruction}}"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

/// `{name}` is a blank, `{{name}}` that name in braces, and any other brace itself.
fn pieces(word: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), word);
    while let Some(at) = rest.find('{') {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if let Some(name) = name_in(&brace[1..])
            && brace.starts_with("{{")
            && brace[name.len() + 3..].starts_with('}')
        {
            text.push_str(&brace[1..name.len() + 3]);
            rest = &brace[name.len() + 4..];
        } else if let Some(name) = name_in(brace) {
            let slot = Slot::named(name).ok_or_else(|| {
                let known: Vec<String> = Slot::ALL.iter().map(|(n, _)| format!("{{{n}}}")).collect();
                format!(
                    "there is no {{{name}}}, only {}; the words '{{{name}}}' themselves are written {{{{{name}}}}}",
                    known.join(", ")
                )
            })?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Blank(slot));
            rest = &brace[name.len() + 2..];
        } else {
            text.push('{');
            rest = &brace[1..];
        }
    }
    text.push_str(rest);
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The name between the braces that the text begins with.
fn name_in(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    named.then_some(name)
}

/// A word of a line.
#[derive(Debug, Default)]
struct Word {
    text: String,
    /// Whether any of it was in quotes or behind a backslash.
    quoted: bool,
}

fn cut(line: &str) -> Result<Vec<Word>, String> {
    let (mut words, mut word) = (Vec::new(), None::<Word>);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        word.quoted |= matches!(c, '\'' | '"' | '\\');
        match c {
            '\'' => loop {
                match chars.next() {
                    Some('\'') => break,
                    Some(c) => word.text.push(c),
                    None => return Err("a quote (') is opened and not closed".into()),
                }
            },
            '"' => loop {
                match chars.next() {
                    Some('"') => break,
                    Some('\\') => match chars.next() {
                        Some(c @ ('"' | '\\' | '$' | '`')) => word.text.push(c),
                        Some(c) => word.text.extend(['\\', c]),
                        None => return Err("a quote (\") is opened and not closed".into()),
                    },
                    Some(c) => word.text.push(c),
                    None => return Err("a quote (\") is opened and not closed".into()),
                }
            },
            '\\' => match chars.next() {
                Some(c) => word.text.push(c),
                None => return Err("it ends in a backslash".into()),
            },
            c => word.text.push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Template;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line, or a list of words")
            }

            fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<Template, E> {
                Template::parse(line).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Template, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element::<String>()? {
                    words.push(word);
                }
                Template::new(words).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &Template, instruction: &str) -> Vec<String> {
        let words = template.fill(|slot| {
            Cow::Owned(OsString::from(match slot {
                Slot::Source => "/s.png",
                Slot::Instruction => instruction,
                Slot::Seed => "7",
                Slot::Out => "/o.png",
                Slot::Group => "g",
            }))
        });
        words
            .into_iter()
            .map(|w| w.into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_cut_as_a_shell_cuts_it_and_blanks_stay_within_their_words() {
        let line = r#"python 'my edit.py' --in={source} "--say \"{instruction}\"" --seed {seed} -o\ {out} '' {{out}} {"a": 1}"#;
        let template = Template::parse(line).unwrap();
        let evil = "a'; rm -rf \"$(HOME)\" {out}\n`b`";
        assert_eq!(
            filled(&template, evil),
            [
                "python",
                "my edit.py",
                "--in=/s.png",
                &format!("--say \"{evil}\""),
                "--seed",
                "7",
                "-o /o.png",
                "",
                "{out}",
                "{a:",
                "1}"
            ]
        );
        assert_eq!(template.words()[7..9], ["", "{{out}}"]);
        assert!(template.has(Slot::Seed) && !template.has(Slot::Group));
    }

    #[test]
    fn words_of_a_list_are_taken_as_they_are() {
        let words = [
            "e",
            "{source} {instruction}",
            "{out}",
            "a | b",
            "\"q\"",
            "{",
            "}}",
        ];
        let template = Template::new(words.map(str::to_owned).to_vec()).unwrap();
        assert_eq!(
            filled(&template, "x y"),
            ["e", "/s.png x y", "/o.png", "a | b", "\"q\"", "{", "}}"]
        );
    }

    #[test]
    fn a_command_that_cannot_be_right_is_refused_with_the_reason() {
        for (line, reason) in [
            ("", "names no program"),
            ("'' {source} {instruction} {out}", "names no program"),
            ("e {source} {instruction}", "it has no {out}"),
            (
                "e {source} {prompt} {out}",
                "there is no {prompt}, only {source}, {instruction}",
            ),
            (
                "e {source} {instruction} > {out}",
                "'>' would be an argument",
            ),
            ("e {source} 'instruction} {out}", "(') is opened"),
            ("e {source} \"{instruction} {out}", "(\") is opened"),
            ("e {source} {instruction} {out} \\", "ends in a backslash"),
            (
                "sh -c 'e {source} {instruction} {out}'",
                "would be read as commands",
            ),
            (
                "env A=1 /bin/bash -x -lc 'e {instruction}' {source} {out}",
                "bash -lc carries out",
            ),
            (
                "python -c 'edit(\"{instruction}\")' {source} {out}",
                "would be read as commands",
            ),
        ] {
            let error = Template::parse(line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
        for line in [
            "sh -c 'e \"$1\" \"$2\" >\"$3\"' sh {source} {instruction} {out}",
            "python edit.py -c {instruction} {source} {out}",
            "e {source} {instruction} '>' {out}",
        ] {
            Template::parse(line).unwrap();
        }
    }
}
