//! What a judge said, word for word, as lines of JSON that are written the moment it is heard: nothing that was asked and
//! paid for is lost, and nothing is asked again that was answered before.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::answer::Usage;
use super::parse::{Heard, parse};
use super::prompts::Form;
use crate::runs::end_the_last_line;

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The case's id.
    pub(super) case: String,
    /// Positions of the edits in the case, in the order in which they were shown.
    pub(super) shown: Vec<usize>,
    /// The question.
    pub(super) form: Form,
    /// Equal for the same question about the same images to the same judge.
    pub(super) asked: String,
    /// The answer's HTTP status; none when there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// What the judge said; what the server said, if it was no judgement.
    #[serde(default)]
    pub(super) text: String,
    /// Why this is no judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
    /// What it cost.
    #[serde(default)]
    pub(super) usage: Usage,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub(super) ms: u64,
}

/// What is known of a question from before.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Before {
    /// What was understood of the last answer that could be.
    pub(super) heard: Option<Heard>,
    /// What all its requests cost.
    pub(super) usage: Usage,
}

/// The file that all raw answers go to; or none, and then they go nowhere.
#[derive(Debug, Default)]
pub(super) struct Raw {
    file: Option<(PathBuf, Mutex<File>)>,
    before: Mutex<HashMap<String, Before>>,
}

impl Raw {
    /// Opens the file, which need not exist, and reads what is in it. Lines that a kill cut short are passed over; any other
    /// line that is not one of ours is an error.
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let failed = |what: &str, why: std::io::Error| {
            format!("cannot {what} the raw answers '{}': {why}", path.display())
        };
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|why| failed("open", why))?;
        let mut before = HashMap::new();
        for (number, line) in BufReader::new(&mut file).split(b'\n').enumerate() {
            let line = line.map_err(|why| failed("read", why))?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(line) => remember(&mut before, line),
                Err(e) if e.is_eof() => {}
                Err(e) => {
                    return Err(format!(
                        "{}:{}: this is no raw answer of a judge ({e}); name another file, or move this one away",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
        end_the_last_line(&mut file).map_err(|why| failed("write", why))?;
        Ok(Self {
            file: Some((path, Mutex::new(file))),
            before: Mutex::new(before),
        })
    }

    /// What is known of a question.
    pub(super) fn before(&self, asked: &str) -> Before {
        held(&self.before).get(asked).cloned().unwrap_or_default()
    }

    /// Appends a line with one call, so that a kill cannot lose a line that came before.
    pub(super) fn note(&self, line: Line) -> Result<(), String> {
        if let Some((path, file)) = &self.file {
            let failed = |why: &dyn std::fmt::Display| {
                format!("cannot write the raw answers '{}': {why}", path.display())
            };
            let mut text = serde_json::to_vec(&line).map_err(|e| failed(&e))?;
            text.push(b'\n');
            held(file).write_all(&text).map_err(|e| failed(&e))?;
        }
        remember(&mut held(&self.before), line);
        Ok(())
    }
}

fn remember(before: &mut HashMap<String, Before>, line: Line) {
    let known = before.entry(line.asked).or_default();
    known.usage = sum(known.usage, line.usage);
    if line.failed.is_none()
        && let Ok(heard) = parse(line.form, &line.text)
    {
        known.heard = Some(heard);
    }
}

/// The content of a lock. A thread that panicked between two writes left nothing half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both together.
pub(super) fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        requests: a.requests.saturating_add(b.requests),
        tokens_in: a.tokens_in.saturating_add(b.tokens_in),
        tokens_out: a.tokens_out.saturating_add(b.tokens_out),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::case::Vote;
    use super::*;

    fn line(asked: &str, text: &str) -> Line {
        Line {
            case: "c".into(),
            shown: vec![1, 0],
            form: Form::Pairwise,
            asked: asked.into(),
            status: Some(200),
            text: text.into(),
            failed: None,
            usage: Usage {
                requests: 1,
                tokens_in: 10,
                tokens_out: 2,
            },
            ms: 5,
        }
    }

    #[test]
    fn what_was_heard_is_known_again_with_all_it_cost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw.jsonl");
        let raw = Raw::open(path.clone()).unwrap();
        raw.note(line("q", "hm")).unwrap();
        assert_eq!(raw.before("q").heard, None);
        raw.note(line("q", "so\n[[A>B]]")).unwrap();
        let failed = Line {
            failed: Some("status 500".into()),
            ..line("r", "[[A>B]]")
        };
        raw.note(failed).unwrap();
        let again = Raw::open(path.clone()).unwrap();
        for raw in [&raw, &again] {
            let before = raw.before("q");
            assert_eq!(before.heard, Some(Heard::Vote(Vote::First)));
            assert_eq!((before.usage.requests, before.usage.tokens_in), (2, 20));
            assert_eq!(
                (raw.before("r").heard, raw.before("r").usage.requests),
                (None, 1)
            );
            assert_eq!(raw.before("s"), Before::default());
        }
        let first = std::fs::read_to_string(&path).unwrap();
        let keys =
            r#"{"case":"c","shown":[1,0],"form":"pairwise","asked":"q","status":200,"text":"hm","#;
        assert!(first.starts_with(keys), "{first}");
    }

    #[test]
    fn a_line_that_a_kill_cut_short_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("raw.jsonl");
        let whole = serde_json::to_string(&line("q", "[[A>B]]")).unwrap();
        std::fs::write(&path, format!("{whole}\n{}", &whole[..whole.len() / 2])).unwrap();
        Raw::open(path.clone())
            .unwrap()
            .note(line("r", "[[B>A]]"))
            .unwrap();
        let raw = Raw::open(path.clone()).unwrap();
        assert_eq!(raw.before("q").heard, Some(Heard::Vote(Vote::First)));
        assert_eq!(raw.before("r").heard, Some(Heard::Vote(Vote::Second)));
    }

    #[test]
    fn a_file_of_something_else_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other.jsonl");
        std::fs::write(&path, "\n{\"step\": 1}\n").unwrap();
        let error = Raw::open(path.clone()).unwrap_err();
        assert!(
            error.contains("other.jsonl:2: this is no raw answer"),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\n{\"step\": 1}\n");
    }
}
