//! Auxiliary attributes: what a data set knows of each candidate besides its labels, from a file beside the workspace, as
//! classes for a model to tell on the way.
//!
//! The file has one JSON object a line, for each group: `{"group": KEY, "candidates": [{"id": KEY, …}]}`, as the truth that
//! `erw synth` keeps of its own edits.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::error::TrainError;
use super::plan::AuxiliaryPlan;
use crate::domain::Group;

/// The class of what is not there: nothing done, no artefact.
const ABSENT: &str = "none";

/// The attributes' classes, in the order they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vocabulary {
    classes: Vec<Vec<String>>,
}

impl Vocabulary {
    pub(super) fn new(plan: &AuxiliaryPlan) -> Self {
        Self {
            classes: vec![Vec::new(); plan.attributes.len()],
        }
    }

    /// How many classes each attribute has.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.classes.iter().map(Vec::len).collect()
    }

    /// A word's number; `growing` gives a new word one.
    fn number(&mut self, attribute: usize, word: &str, growing: bool) -> Option<u32> {
        let classes = &mut self.classes[attribute];
        let place = classes.iter().position(|c| c == word);
        place.map(|p| p as u32).or_else(|| {
            growing.then(|| {
                classes.push(word.to_owned());
                classes.len() as u32 - 1
            })
        })
    }
}

#[derive(Deserialize)]
struct Line {
    group: String,
    candidates: Vec<Value>,
}

/// What one workspace's file says.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// By group and candidate, a word for each attribute.
    words: HashMap<String, HashMap<String, Vec<String>>>,
}

impl Attributes {
    /// Reads the plan's file under `root`; nothing where there is none, or no attribute is asked for.
    pub(super) fn read(plan: &AuxiliaryPlan, root: &Path) -> Result<Self, TrainError> {
        let path = root.join(&plan.file);
        if plan.attributes.is_empty() || !path.exists() {
            return Ok(Self::default());
        }
        let files = |why| TrainError::Files {
            what: "read",
            path: path.clone(),
            why,
        };
        let mut words = HashMap::new();
        for (i, line) in BufReader::new(File::open(&path).map_err(files)?)
            .lines()
            .enumerate()
        {
            let line = line.map_err(files)?;
            if line.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&line).map_err(|e| {
                TrainError::NoData(format!(
                    "{}:{}: not a group's attributes: {e}",
                    path.display(),
                    i + 1
                ))
            })?;
            let of = |candidate: &Value| {
                let id = candidate.get("id")?.as_str()?.to_owned();
                let words = plan.attributes.iter().map(|name| word(candidate, name));
                Some((id, words.collect()))
            };
            words.insert(line.group, line.candidates.iter().filter_map(of).collect());
        }
        Ok(Self { words })
    }

    /// For each of the group's candidates the class of each attribute, where it is known.
    pub(super) fn of(
        &self,
        group: &Group,
        vocabulary: &mut Vocabulary,
        growing: bool,
    ) -> Vec<Vec<Option<u32>>> {
        let known = self.words.get(&group.key);
        let mut classes = |words: Option<&Vec<String>>| {
            words.map_or_else(Vec::new, |words| {
                let number = |(i, word): (usize, &String)| vocabulary.number(i, word, growing);
                words.iter().enumerate().map(number).collect()
            })
        };
        let candidates = group.candidates.iter();
        candidates
            .map(|candidate| classes(known.and_then(|known| known.get(&candidate.key))))
            .collect()
    }
}

/// The value at a dotted path, as a word.
fn word(candidate: &Value, path: &str) -> String {
    match path.split('.').try_fold(candidate, |at, key| at.get(key)) {
        None | Some(Value::Null) => ABSENT.to_owned(),
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_word_is_found_by_its_path_and_what_is_not_there_is_a_class_too() {
        let candidate =
            json!({"artefact": "noise", "done": {"kind": "blur"}, "grade": null, "n": 2});
        let words = ["artefact", "done.kind", "grade", "done.op", "n"].map(|p| word(&candidate, p));
        assert_eq!(words, ["noise", "blur", "none", "none", "2"]);
    }

    #[test]
    fn classes_are_numbered_as_they_are_met_and_measuring_adds_none() {
        let plan = AuxiliaryPlan {
            attributes: vec!["artefact".into()],
            ..AuxiliaryPlan::default()
        };
        let mut vocabulary = Vocabulary::new(&plan);
        assert_eq!(vocabulary.number(0, "halo", true), Some(0));
        assert_eq!(vocabulary.number(0, "noise", true), Some(1));
        assert_eq!(vocabulary.number(0, "halo", true), Some(0));
        assert_eq!(vocabulary.number(0, "blocks", false), None);
        assert_eq!(vocabulary.sizes(), [2]);
    }

    #[test]
    fn a_broken_line_is_named_and_a_missing_file_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        let plan = AuxiliaryPlan {
            attributes: vec!["artefact".into()],
            ..AuxiliaryPlan::default()
        };
        assert!(
            Attributes::read(&plan, dir.path())
                .unwrap()
                .words
                .is_empty()
        );
        let good = r#"{"group": "g1", "candidates": [{"id": "a", "artefact": "halo"}]}"#;
        std::fs::write(dir.path().join("truth.jsonl"), format!("{good}\n\n{{}}\n")).unwrap();
        let error = Attributes::read(&plan, dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("truth.jsonl:3: not a group's attributes"),
            "{error}"
        );
    }
}
