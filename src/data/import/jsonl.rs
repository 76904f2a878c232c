//! erw's own format: JSON lines, UTF-8, one group a line, empty lines allowed. Read here and written here.
//!
//! ```json
//! {"id": "bison-01", "source": "photos/bison.jpg", "instruction": "make the bison white", "category": "colour",
//!  "candidates": [
//!    {"id": "a", "image": "edits/bison-01-a.jpg", "editor": "synthetic/right", "seed": 7, "fault": "none",
//!     "labels": [{"annotator": "sim-1", "if": 4, "vq": 3, "simulated": true}]}]}
//! ```
//!
//! (Broken into lines here for reading; in a file it is one.)
//!
//! | field | is |
//! |---|---|
//! | `id` | the group's name, unique in the file; importing the same name again updates that group |
//! | `source`, `image` | paths: absolute, or relative to the folder of this file |
//! | `instruction` | what was asked for, any text |
//! | `category` | the kind of edit; may be left out |
//! | `candidates` | one or more, in the order they are shown; `id` unique in the group |
//! | `editor`, `seed`, `fault` | what made the image, with which seed (a whole number from 0), which fault was put in; may be left out |
//! | `labels` | may be left out; `if` and `vq` from 1 to 4, either may be left out; `simulated` is false when left out |
//!
//! A field that is none of these is an error, since a misspelt one would otherwise vanish without a word.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use super::{CandidateRecord, Format, ImportError, Record, Records, check, labels_of};
use crate::domain::{Axis, Group, Label};

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "erw's JSONL",
    endings: &["jsonl", "ndjson"],
    open: |file| Ok(Box::new(Lines::open(file)?) as Records),
};

/// The longest line that is read, in bytes: a file without line ends must not fill the memory.
const LONGEST_LINE: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupLine {
    id: String,
    source: String,
    instruction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    candidates: Vec<CandidateLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CandidateLine {
    id: String,
    image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    editor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelLine {
    annotator: String,
    #[serde(
        default,
        rename = "if",
        skip_serializing_if = "Option::is_none",
        serialize_with = "score"
    )]
    instruction_following: Option<f64>,
    #[serde(
        default,
        rename = "vq",
        skip_serializing_if = "Option::is_none",
        serialize_with = "score"
    )]
    visual_quality: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    simulated: bool,
}

/// Whole scores as people write them: 4, not 4.0.
#[allow(clippy::ref_option, reason = "serde asks for this signature")]
fn score<S: Serializer>(score: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match score {
        Some(whole) if whole.fract() == 0.0 => serializer.serialize_i64(*whole as i64),
        Some(score) => serializer.serialize_f64(*score),
        None => serializer.serialize_none(),
    }
}

struct Lines {
    file: PathBuf,
    reader: BufReader<File>,
    line: usize,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    fn open(file: &Path) -> Result<Self, ImportError> {
        let unreadable = |why| ImportError::Unreadable {
            file: file.to_path_buf(),
            why,
        };
        if file.is_dir() {
            return Err(unreadable(std::io::Error::other("it is a folder")));
        }
        Ok(Self {
            file: file.to_path_buf(),
            reader: BufReader::with_capacity(1 << 16, File::open(file).map_err(unreadable)?),
            line: 0,
            buffer: Vec::new(),
            ended: false,
        })
    }

    fn wrong(&self, what: String) -> ImportError {
        ImportError::Wrong {
            file: self.file.clone(),
            line: self.line,
            what,
        }
    }

    /// The next line that is not empty, in the buffer; false at the end.
    fn advance(&mut self) -> Result<bool, ImportError> {
        loop {
            self.buffer.clear();
            self.line += 1;
            let read = (&mut self.reader)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|why| ImportError::Unreadable {
                    file: self.file.clone(),
                    why,
                })?;
            if read == 0 {
                return Ok(false);
            }
            if read as u64 == LONGEST_LINE && !self.buffer.ends_with(b"\n") {
                return Err(self.wrong(format!(
                    "the line is longer than {} MiB; is this one group a line?",
                    LONGEST_LINE >> 20
                )));
            }
            if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn parse(&self) -> Result<Record, ImportError> {
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|e| self.wrong(format!("byte {} is not UTF-8", e.valid_up_to() + 1)))?;
        let group: GroupLine =
            serde_json::from_str(text.trim_end()).map_err(|e| self.wrong(in_words(&e)))?;
        let mut candidates = Vec::with_capacity(group.candidates.len());
        for candidate in group.candidates {
            candidates.push(CandidateRecord {
                labels: labels(&candidate).map_err(|what| self.wrong(what))?,
                key: candidate.id,
                image: candidate.image,
                editor: candidate.editor,
                seed: candidate.seed,
                fault: candidate.fault,
            });
        }
        let record = Record {
            line: self.line,
            key: group.id,
            source: group.source,
            instruction: group.instruction,
            category: group.category,
            candidates,
        };
        check(&record).map_err(|what| self.wrong(what))?;
        Ok(record)
    }
}

impl Iterator for Lines {
    type Item = Result<Record, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match self.advance() {
            Ok(true) => Some(self.parse()),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn labels(candidate: &CandidateLine) -> Result<Vec<Label>, String> {
    let mut labels = Vec::with_capacity(2 * candidate.labels.len());
    for line in &candidate.labels {
        let scores = [
            (Axis::InstructionFollowing, line.instruction_following),
            (Axis::VisualQuality, line.visual_quality),
        ];
        if scores.iter().all(|(_, score)| score.is_none()) {
            return Err(format!(
                "the label of candidate '{}' by '{}' has neither 'if' nor 'vq'",
                candidate.id, line.annotator
            ));
        }
        labels.extend(labels_of(&line.annotator, scores, line.simulated));
    }
    Ok(labels)
}

/// What the parser says, with its place within the line and values in single quotes, without its own line number (always 1).
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string().replace('`', "'");
    match text.rsplit_once(" at line ") {
        Some((what, _)) => format!("{what} (column {})", error.column()),
        None => text,
    }
}

/// Writes a group as one line; `path` turns stored image paths into those of the file.
pub(in crate::data) fn write_group(
    group: Group,
    out: &mut impl Write,
    path: impl Fn(String) -> std::io::Result<String>,
) -> std::io::Result<()> {
    let mut candidates = Vec::with_capacity(group.candidates.len());
    for candidate in group.candidates {
        candidates.push(CandidateLine {
            id: candidate.key,
            image: path(candidate.image.0)?,
            editor: candidate.editor,
            seed: candidate.seed,
            fault: candidate.fault,
            labels: lines(candidate.labels),
        });
    }
    let line = GroupLine {
        id: group.key,
        source: path(group.source.0)?,
        instruction: group.instruction,
        category: group.category,
        candidates,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// Labels with the two axes of an annotator joined again, in the order of first mention.
fn lines(labels: Vec<Label>) -> Vec<LabelLine> {
    let mut lines: Vec<LabelLine> = Vec::new();
    for label in labels {
        let same = |line: &LabelLine| {
            line.annotator == label.annotator && line.simulated == label.simulated
        };
        let index = lines.iter().position(same).unwrap_or_else(|| {
            lines.push(LabelLine {
                annotator: label.annotator.clone(),
                instruction_following: None,
                visual_quality: None,
                simulated: label.simulated,
            });
            lines.len() - 1
        });
        let line = &mut lines[index];
        match label.axis {
            Axis::InstructionFollowing => line.instruction_following = Some(label.score),
            Axis::VisualQuality => line.visual_quality = Some(label.score),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png"}]}"#;

    fn read(text: &[u8]) -> Result<Vec<Record>, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, text).unwrap();
        let result: Result<Vec<_>, _> = (FORMAT.open)(&file).unwrap().collect();
        result.map_err(|e| e.to_string().replace(dir.path().to_str().unwrap(), ""))
    }

    fn with(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        read(GOOD.replace(from, to).as_bytes()).unwrap_err()
    }

    #[test]
    fn the_example_in_the_documentation_is_read() {
        let docs: String = include_str!("jsonl.rs")
            .lines()
            .skip_while(|line| !line.contains("```json"))
            .skip(1)
            .take_while(|line| !line.contains("```"))
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        let records = read(docs.as_bytes()).unwrap();
        let candidate = &records[0].candidates[0];
        assert_eq!(records[0].category.as_deref(), Some("colour"));
        assert_eq!(candidate.seed, Some(7));
        assert_eq!(candidate.labels.len(), 2);
        assert!(candidate.labels.iter().all(|l| l.simulated));
    }

    #[test]
    fn empty_lines_a_byte_order_mark_and_dos_line_ends_do_no_harm() {
        let text = format!(
            "\u{feff}{GOOD}\r\n\r\n  \n{}",
            GOOD.replace("\"g\"", "\"h\"")
        );
        let records = read(text.as_bytes()).unwrap();
        let found: Vec<_> = records.iter().map(|r| (r.line, r.key.as_str())).collect();
        assert_eq!(found, [(1, "g"), (4, "h")]);
    }

    #[test]
    fn an_unknown_field_is_named_with_file_and_line() {
        let text = format!("{GOOD}\n{}", GOOD.replace("\"image\"", "\"img\""));
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            error
                .starts_with("/groups.jsonl:2: unknown field 'img', expected one of 'id', 'image'"),
            "{error}"
        );
        assert!(error.contains("(column "), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let labelled = |label: &str| with("\"a.png\"", &format!("\"a.png\",\"labels\":[{label}]"));
        let two = r#"{"id":"a","image":"a.png"},{"id":"a","image":"b.png"}"#;
        let both = r#"{"annotator":"x","if":1},{"annotator":"x","if":2}"#;
        for (error, says) in [
            (with("\"g\"", "\"\""), "the 'id' of the group is empty"),
            (with("\"s.png\"", "\"\""), "'source' is empty"),
            (
                with("\"a.png\"", "\"\""),
                "'image' of candidate 'a' is empty",
            ),
            (
                with("\"g\"", "3"),
                "invalid type: integer '3', expected a string",
            ),
            (
                with("\"instruction\":\"x\",", ""),
                "missing field 'instruction'",
            ),
            (
                with("{\"id\":\"a\",\"image\":\"a.png\"}", two),
                "have the id 'a'",
            ),
            (
                with("{\"id\":\"a\",\"image\":\"a.png\"}", ""),
                "group 'g' has no candidates",
            ),
            (with("}]}", "}]"), "EOF while parsing"),
            (
                with("\"a.png\"", "\"a.png\",\"seed\":-1"),
                "invalid value: integer '-1'",
            ),
            (
                labelled(r#"{"annotator":"x","if":4.5}"#),
                "'if' of candidate 'a' by 'x' is 4.5; scores go from 1 to 4",
            ),
            (
                labelled(r#"{"annotator":"x","vq":0}"#),
                "'vq' of candidate 'a' by 'x' is 0; scores go",
            ),
            (
                labelled(r#"{"annotator":"x"}"#),
                "by 'x' has neither 'if' nor 'vq'",
            ),
            (labelled(r#"{"annotator":"","if":1}"#), "empty 'annotator'"),
            (labelled(both), "'x' scored 'if' of candidate 'a' twice"),
        ] {
            assert!(error.contains(says), "{error}");
            assert!(error.contains("groups.jsonl:1: "), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_line() {
        let error = read(b"\n{\"id\":\"\xff\"}").unwrap_err();
        assert!(error.contains(":2: byte 8 is not UTF-8"), "{error}");
    }

    #[test]
    fn a_missing_file_and_a_folder_are_named() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().join("no.jsonl"), dir.path().to_path_buf()] {
            let error = (FORMAT.open)(&path).err().unwrap().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
