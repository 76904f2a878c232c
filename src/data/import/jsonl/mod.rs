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
//! | `ratings` | of a candidate on other scales, may be left out: `{"annotator": "x", "name": "overall", "value": 0.5, "scale": [0, 1]}`, of which `scale` may be left out |
//! | `votes` | of the group, may be left out: `{"annotator": "x", "a": "flux", "b": "omni", "choice": "a"}` between two candidates by id; `choice` is a, b, tie, both-good or both-bad; `axis` (`if` or `vq`, overall when left out), `counts`, `confidence` (0 to 1) and `simulated` may be left out |
//! | `set`, `split` | the data set it came with, and the part of the data it is in; may be left out |
//!
//! A field that is none of these is an error, since a misspelt one would otherwise vanish without a word.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::record::labels_of;
use super::{
    CandidateRecord, Format, GroupRecord, GroupRecords, GroupSource, ImportError, Opening,
};
use crate::data::records::Place;
use crate::domain::{Axis, Candidate, Choice, Group, Label, Rating, Vote};

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "erw",
    title: "erw's own JSONL",
    told_by: "id, source, instruction, candidates; a group a line",
    whole: true,
    fits: |look| {
        let lines = matches!(look.ending.as_str(), "jsonl" | "ndjson");
        lines && (look.columns.is_empty() || look.has(&["source", "instruction", "candidates"]))
    },
    open: |opening| Ok(Box::new(Lines::open(opening)?) as GroupRecords),
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    candidates: Vec<CandidateLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    votes: Vec<VoteLine>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ratings: Vec<RatingLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingLine {
    annotator: String,
    name: String,
    value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<[f64; 2]>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoteLine {
    annotator: String,
    a: String,
    b: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    axis: Option<String>,
    choice: Choice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counts: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    simulated: bool,
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
    file: Arc<Path>,
    reader: BufReader<File>,
    line: u64,
    behind: u64,
    total: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    fn open(opening: &Opening<'_>) -> Result<Self, ImportError> {
        let file = opening.path;
        let unreadable = |why| ImportError::Unreadable {
            file: file.to_path_buf(),
            why,
        };
        if file.is_dir() {
            return Err(unreadable(std::io::Error::other("it is a folder")));
        }
        let opened = File::open(file).map_err(unreadable)?;
        let total = opened.metadata().map_or(0, |m| m.len());
        let mut lines = Self {
            file: file.into(),
            reader: BufReader::with_capacity(1 << 16, opened),
            line: 0,
            behind: 0,
            total,
            buffer: Vec::new(),
            ended: false,
        };
        for _ in 0..opening.skip {
            lines.advance()?;
        }
        Ok(lines)
    }

    fn place(&self) -> Place {
        Place::line(&self.file, self.line)
    }

    fn wrong(&self, what: String) -> ImportError {
        ImportError::wrong(&self.place(), what)
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
                    file: self.file.to_path_buf(),
                    why,
                })?;
            self.behind += read as u64;
            if read == 0 {
                return Ok(false);
            }
            if read as u64 == LONGEST_LINE && !self.buffer.ends_with(b"\n") {
                let what = format!(
                    "the line is longer than {} MiB; is this one group a line?",
                    LONGEST_LINE >> 20
                );
                return Err(ImportError::Record(self.place().broken(what)));
            }
            if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn parse(&self) -> Result<GroupRecord, ImportError> {
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|e| self.wrong(format!("byte {} is not UTF-8", e.valid_up_to() + 1)))?;
        let group: GroupLine =
            serde_json::from_str(text.trim_end()).map_err(|e| self.wrong(in_words(&e)))?;
        let wrong = |what| self.wrong(what);
        let mut candidates = Vec::with_capacity(group.candidates.len());
        for candidate in group.candidates {
            candidates.push(CandidateRecord {
                labels: labels(&candidate).map_err(wrong)?,
                ratings: candidate.ratings.into_iter().map(rating).collect(),
                key: candidate.id,
                image: candidate.image,
                hash: None,
                editor: candidate.editor,
                seed: candidate.seed,
                fault: candidate.fault,
            });
        }
        let votes = group.votes.into_iter().map(|line| vote(line, &candidates));
        let votes = votes.collect::<Result<_, _>>().map_err(wrong)?;
        let record = GroupRecord {
            key: group.id,
            category: group.category,
            set: group.set,
            split: group.split,
            votes,
            ..GroupRecord::new(self.place(), group.source, group.instruction, candidates)
        };
        record.check(true).map_err(wrong)?;
        Ok(record)
    }
}

impl Iterator for Lines {
    type Item = Result<GroupRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match self.advance() {
            Ok(true) => Some(self.parse()),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        self.ended = match &next {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.ends(),
            None => true,
        };
        next
    }
}

impl GroupSource for Lines {
    fn behind(&self) -> u64 {
        self.behind
    }

    fn total(&self) -> u64 {
        self.total
    }
}

fn rating(line: RatingLine) -> Rating {
    Rating {
        annotator: line.annotator,
        name: line.name,
        value: line.value,
        scale: line.scale,
    }
}

fn vote(line: VoteLine, candidates: &[CandidateRecord]) -> Result<Vote, String> {
    let position = |key: &str| {
        let found = candidates.iter().position(|c| c.key == key);
        found.ok_or_else(|| {
            format!(
                "a vote by '{}' names the candidate '{key}', which is none of the group",
                line.annotator
            )
        })
    };
    let axis = line.axis.as_deref().map(|key| {
        let axis = Axis::ALL.into_iter().find(|axis| axis.key() == key);
        axis.ok_or_else(|| format!("a vote has the axis '{key}'; it is 'if' or 'vq'"))
    });
    Ok(Vote {
        a: position(&line.a)?,
        b: position(&line.b)?,
        axis: axis.transpose()?,
        choice: line.choice,
        counts: line.counts,
        confidence: line.confidence,
        simulated: line.simulated,
        annotator: line.annotator,
    })
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
    mut path: impl FnMut(String) -> std::io::Result<String>,
) -> std::io::Result<()> {
    let votes = vote_lines(group.votes, &group.candidates);
    let mut candidates = Vec::with_capacity(group.candidates.len());
    for candidate in group.candidates {
        candidates.push(CandidateLine {
            id: candidate.key,
            image: path(candidate.image.0)?,
            editor: candidate.editor,
            seed: candidate.seed,
            fault: candidate.fault,
            labels: lines(candidate.labels),
            ratings: candidate.ratings.into_iter().map(rating_line).collect(),
        });
    }
    let line = GroupLine {
        id: group.key,
        source: path(group.source.0)?,
        instruction: group.instruction,
        category: group.category,
        set: group.set,
        split: group.split,
        candidates,
        votes,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn rating_line(rating: Rating) -> RatingLine {
    RatingLine {
        annotator: rating.annotator,
        name: rating.name,
        value: rating.value,
        scale: rating.scale,
    }
}

fn vote_lines(votes: Vec<Vote>, candidates: &[Candidate]) -> Vec<VoteLine> {
    let key = |position: usize| candidates.get(position).map(|c| c.key.clone());
    let line = |vote: Vote| {
        Some(VoteLine {
            a: key(vote.a)?,
            b: key(vote.b)?,
            axis: vote.axis.map(|axis| axis.key().to_owned()),
            choice: vote.choice,
            counts: vote.counts,
            confidence: vote.confidence,
            simulated: vote.simulated,
            annotator: vote.annotator,
        })
    };
    votes.into_iter().filter_map(line).collect()
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
mod tests;
