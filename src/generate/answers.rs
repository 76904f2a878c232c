//! `answers.jsonl` and `samples.jsonl` in the run's folder: what became of each candidate, a line the moment it is known, and which
//! of a group's candidates were kept.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::GenerateError;
use crate::runs::end_the_last_line;

/// What became of each candidate.
pub const ANSWERS: &str = "answers.jsonl";
/// Which candidates of each group were kept.
pub const SAMPLES: &str = "samples.jsonl";

/// What became of a candidate that was missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The group's name.
    pub group: String,
    /// The editor's.
    pub editor: String,
    /// The seed.
    pub seed: u64,
    /// Where the image is, below the folder of images; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Whether it was there from an earlier run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// After how many tries; 0 where none was made.
    #[serde(default)]
    pub tries: u32,
    /// How long it took, waits counted, in milliseconds.
    #[serde(default)]
    pub ms: u64,
}

/// Which candidates of a group were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The group's name.
    pub group: String,
    /// Those that went into the workspace, as paths below the folder of images.
    pub taken: Vec<String>,
    /// Those that stayed files.
    pub left: Vec<String>,
    /// How many of the wanted were in the workspace before.
    pub present: usize,
}

/// A file of lines that is added to.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Opens a file; what a kill left of its last line is ended, so that the next is not glued to it.
    pub(super) fn open(path: PathBuf) -> Result<Self, GenerateError> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(GenerateError::files("open", &path))?;
        end_the_last_line(&mut file).map_err(GenerateError::files("write", &path))?;
        Ok(Self { path, file })
    }

    /// Adds a line with one call, so that a kill cannot lose a line that came before.
    pub(super) fn add(&mut self, line: &impl Serialize) -> Result<(), GenerateError> {
        let failed = GenerateError::files("write", &self.path);
        let write = |file: &mut File| {
            let mut line = serde_json::to_vec(line)?;
            line.push(b'\n');
            file.write_all(&line)
        };
        write(&mut self.file).map_err(failed)
    }
}

/// The lines of a file, without one that a kill cut short; none where there is no file.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, GenerateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(GenerateError::files("open", path)(e)),
    };
    let mut lines = Vec::new();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(GenerateError::files("read", path))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(line) => lines.push(line),
            Err(e) if e.is_eof() => {}
            Err(e) => {
                return Err(GenerateError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    why: e.to_string(),
                });
            }
        }
    }
    Ok(lines)
}

/// What became of each candidate in the end, in the order in which they were first heard of.
pub fn answers(folder: &Path) -> Result<Vec<Answer>, GenerateError> {
    let mut places = HashMap::new();
    let mut last = Vec::new();
    for answer in read::<Answer>(&folder.join(ANSWERS))? {
        let key = (answer.group.clone(), answer.editor.clone(), answer.seed);
        if let Some(&place) = places.get(&key) {
            last[place] = answer;
        } else {
            places.insert(key, last.len());
            last.push(answer);
        }
    }
    Ok(last)
}

/// Which candidates of each group were kept. A group that was sampled again, since a candidate that had failed was made after all,
/// has what was taken then and before.
pub fn samples(folder: &Path) -> Result<Vec<Sample>, GenerateError> {
    let mut places = HashMap::new();
    let mut all: Vec<Sample> = Vec::new();
    for sample in read::<Sample>(&folder.join(SAMPLES))? {
        let Some(&place) = places.get(&sample.group) else {
            places.insert(sample.group.clone(), all.len());
            all.push(sample);
            continue;
        };
        let before: &mut Sample = &mut all[place];
        for image in sample.taken {
            if !before.taken.contains(&image) {
                before.taken.push(image);
            }
        }
        before.left = sample.left;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(seed: u64, image: Option<&str>) -> Answer {
        Answer {
            group: "g".into(),
            editor: "e".into(),
            seed,
            image: image.map(str::to_owned),
            earlier: false,
            failed: image.is_none().then(|| "no".to_owned()),
            tries: 1,
            ms: 5,
        }
    }

    #[test]
    fn the_last_word_on_a_candidate_counts_and_half_a_line_does_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(answers(dir.path()).unwrap(), []);
        let path = dir.path().join(ANSWERS);
        let mut lines = Lines::open(path.clone()).unwrap();
        let all = [answer(1, None), answer(2, Some("b")), answer(1, Some("a"))];
        for answer in &all {
            lines.add(answer).unwrap();
        }
        drop(lines);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{}", &text[..20])).unwrap();
        Lines::open(path.clone())
            .unwrap()
            .add(&answer(3, None))
            .unwrap();
        let expected = [answer(1, Some("a")), answer(2, Some("b")), answer(3, None)];
        assert_eq!(answers(dir.path()).unwrap(), expected);
        std::fs::write(&path, "\n{\"x\": 1}\n").unwrap();
        let error = answers(dir.path()).unwrap_err().to_string();
        assert!(error.contains("answers.jsonl:2: "), "{error}");
    }

    #[test]
    fn a_group_that_was_sampled_twice_has_what_was_taken_both_times() {
        let dir = tempfile::tempdir().unwrap();
        let sample = |taken: &[&str], left: &[&str], present| Sample {
            group: "g".into(),
            taken: taken.iter().map(|t| (*t).to_owned()).collect(),
            left: left.iter().map(|t| (*t).to_owned()).collect(),
            present,
        };
        let mut lines = Lines::open(dir.path().join(SAMPLES)).unwrap();
        for line in [
            sample(&["a"], &[], 0),
            sample(&["a"], &[], 0),
            sample(&["b"], &["c"], 1),
        ] {
            lines.add(&line).unwrap();
        }
        assert_eq!(
            samples(dir.path()).unwrap(),
            [sample(&["a", "b"], &["c"], 0)]
        );
    }
}
