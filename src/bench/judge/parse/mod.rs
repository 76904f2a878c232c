//! Understanding what a judge said, by tables: spellings of verdicts, the frames they come in, and where numbers stand.
//!
//! Nothing is guessed: an answer with two different verdicts, with numbers outside the scale, or with none, is not understood,
//! and the reason says why.

mod numbers;
mod verdict;

use super::super::case::Vote;
use super::prompts::Form;

/// What was heard, edits named as they were shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// A verdict on the first and the second edit.
    Vote(Vote),
    /// One or two numbers from 0 to 10.
    Numbers(Vec<f64>),
}

/// What an answer to a question says; the reason when it says nothing that can be used.
pub(super) fn parse(form: Form, text: &str) -> Result<Heard, String> {
    let text = answer(text);
    match form {
        Form::Pairwise => verdict::read(text).map(Heard::Vote),
        Form::Sc | Form::Pq => numbers::read(text).map(Heard::Numbers),
    }
}

/// Marks between which models think aloud; what stands there, or before a closing mark alone, is not the answer.
const THINKING: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("◁think▷", "◁/think▷"),
];

/// The answer without the thinking before it.
fn answer(text: &str) -> &str {
    let mut rest = text;
    for (open, close) in THINKING {
        if let Some(at) = rest.rfind(close) {
            rest = &rest[at + close.len()..];
        } else if rest.trim_start().starts_with(open) {
            rest = "";
        }
    }
    rest
}

/// What stands before a closing mark; before the end, where there is none to look for or a line may end with the text.
fn until<'a>(text: &'a str, close: &str) -> Option<&'a str> {
    match text.find(close) {
        _ if close.is_empty() => Some(text),
        Some(end) => Some(&text[..end]),
        None => (close == "\n").then_some(text),
    }
}

/// Says that something is not there, with the end of what is.
fn nothing(text: &str, what: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return "it says nothing".into();
    }
    let tail: Vec<char> = text.chars().rev().take(60).collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("no {what} can be found in it; it ends in '{tail}'")
}

#[cfg(test)]
pub(super) mod recorded {
    //! Where recorded answers of real judges are kept, beside the repository; they are not part of it.

    use std::path::PathBuf;

    /// The text of a file of recorded answers; `None`, and a word about it, where it is not there.
    pub(in super::super) fn file(name: &str) -> Option<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/benchdata");
        let path = PathBuf::from(folder).join(name);
        if !path.exists() {
            say(&format!(
                "skipped: {name} is not in a folder beside the repository"
            ));
            return None;
        }
        Some(std::fs::read_to_string(path).unwrap())
    }

    /// For whoever asks for what tests print.
    #[expect(
        clippy::print_stdout,
        reason = "a skipped test says so, and others their figures"
    )]
    pub(in super::super) fn say(text: &str) {
        println!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thought_aloud_is_not_the_answer() {
        let text = "<think>maybe [[A>B]], or score: [1, 2]</think>\n[[B>A]]";
        assert_eq!(parse(Form::Pairwise, text), Ok(Heard::Vote(Vote::Second)));
        let unopened = "could be [[A>B]] </think> [[A=B=Bad]]";
        assert_eq!(
            parse(Form::Pairwise, unopened),
            Ok(Heard::Vote(Vote::BothBad))
        );
        let unended = "<think>[[A>B]] is likely, but";
        assert_eq!(
            parse(Form::Pairwise, unended),
            Err("it says nothing".into())
        );
    }

    #[test]
    fn a_reason_shows_how_the_answer_ends() {
        let reason = parse(Form::Sc, "I am sorry, but I cannot help with that.").unwrap_err();
        assert_eq!(
            reason,
            "no score can be found in it; it ends in 'I am sorry, but I cannot help with that.'"
        );
    }
}
