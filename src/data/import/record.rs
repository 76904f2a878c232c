//! A group as a file has it, and what every format has to hold to.

use crate::data::records::Place;
use crate::domain::{Axis, Label, Rating, Vote};

/// A group, or, in a format that tells of a group in many records, what one record says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    /// Where it is in the file.
    pub place: Place,
    /// Its name, unique in the data set. Empty where the format has none: the store then makes one from source and instruction.
    pub key: String,
    /// The image before the edit: a path as written in the file; [`ImageRef::NONE`](crate::domain::ImageRef::NONE) where
    /// there is none.
    pub source: String,
    /// The content hash of the source, where the file has the image in it.
    pub source_hash: Option<String>,
    /// What was asked for.
    pub instruction: String,
    /// The kind of edit, if known.
    pub category: Option<String>,
    /// The data set that it belongs to, if the file says so.
    pub set: Option<String>,
    /// The part of the data that it is in, if the file says so.
    pub split: Option<String>,
    /// The edited images, one or more.
    pub candidates: Vec<CandidateRecord>,
    /// Votes between two of them, by position.
    pub votes: Vec<Vote>,
}

/// A candidate as a file has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CandidateRecord {
    /// Its name within the group. Empty where the format has none: the store then makes one from the editor's name.
    pub key: String,
    /// The edited image: a path as written in the file.
    pub image: String,
    /// Its content hash, where the file has the image in it.
    pub hash: Option<String>,
    /// The editor model that made it, if known.
    pub editor: Option<String>,
    /// The seed it was made with, if known.
    pub seed: Option<u64>,
    /// The fault that was put in, if any.
    pub fault: Option<String>,
    /// What people said of it, no two of one annotator on one axis.
    pub labels: Vec<Label>,
    /// What people said of it on other scales, no two of one annotator of one name.
    pub ratings: Vec<Rating>,
}

impl GroupRecord {
    /// Source, instruction and candidates, and no more.
    pub fn new(
        place: Place,
        source: impl Into<String>,
        instruction: impl Into<String>,
        candidates: Vec<CandidateRecord>,
    ) -> Self {
        Self {
            place,
            key: String::new(),
            source: source.into(),
            source_hash: None,
            instruction: instruction.into(),
            category: None,
            set: None,
            split: None,
            candidates,
            votes: Vec::new(),
        }
    }

    /// Checks what all formats must hold to, in one place; the text says what does not. In a format that gives no names they
    /// may be empty.
    pub(in crate::data) fn check(&self, named: bool) -> Result<(), String> {
        if named && self.key.is_empty() {
            return Err("the 'id' of the group is empty".into());
        }
        if named && self.source.is_empty() {
            return Err("'source' is empty".into());
        }
        if self.candidates.is_empty() {
            return Err(format!("group '{}' has no candidates", self.key));
        }
        for (index, candidate) in self.candidates.iter().enumerate() {
            let key = &candidate.key;
            if named && key.is_empty() {
                return Err("the 'id' of a candidate is empty".into());
            }
            if candidate.image.is_empty() {
                return Err(format!("'image' of candidate '{key}' is empty"));
            }
            let before = &self.candidates[..index];
            if !key.is_empty() && before.iter().any(|c| c.key == *key) {
                return Err(format!(
                    "two candidates of group '{}' have the id '{key}'",
                    self.key
                ));
            }
            candidate.check_labels()?;
            candidate.check_ratings()?;
        }
        self.check_votes()
    }

    fn check_votes(&self) -> Result<(), String> {
        let ordered = |vote: &Vote| (vote.a.min(vote.b), vote.a.max(vote.b), vote.axis);
        for (index, vote) in self.votes.iter().enumerate() {
            let annotator = &vote.annotator;
            if annotator.is_empty() {
                return Err("a vote has an empty 'annotator'".into());
            }
            if vote.a == vote.b || vote.a.max(vote.b) >= self.candidates.len() {
                return Err(format!(
                    "a vote by '{annotator}' is not between two candidates of the group"
                ));
            }
            if let Some(confidence) = vote.confidence
                && !(0.0..=1.0).contains(&confidence)
            {
                return Err(format!(
                    "the confidence of a vote by '{annotator}' is {confidence}; it goes from 0 to 1"
                ));
            }
            if let Some(counts) = vote.counts
                && !counts.iter().all(|n| n.is_finite() && *n >= 0.0)
            {
                return Err(format!(
                    "the counts of a vote by '{annotator}' are not numbers from 0"
                ));
            }
            let same = |v: &Vote| v.annotator == *annotator && ordered(v) == ordered(vote);
            if self.votes[..index].iter().any(same) {
                return Err(format!(
                    "'{annotator}' voted twice on the same two candidates"
                ));
            }
        }
        Ok(())
    }
}

impl CandidateRecord {
    fn check_labels(&self) -> Result<(), String> {
        let key = &self.key;
        for (index, label) in self.labels.iter().enumerate() {
            let (annotator, axis) = (&label.annotator, label.axis);
            if annotator.is_empty() {
                return Err(format!(
                    "a label of candidate '{key}' has an empty 'annotator'"
                ));
            }
            if !(1.0..=4.0).contains(&label.score) {
                return Err(format!(
                    "'{}' of candidate '{key}' by '{annotator}' is {}; scores go from 1 to 4",
                    axis.key(),
                    label.score
                ));
            }
            let same = |l: &Label| l.axis == axis && l.annotator == *annotator;
            if self.labels[..index].iter().any(same) {
                return Err(format!(
                    "'{annotator}' scored '{}' of candidate '{key}' twice",
                    axis.key()
                ));
            }
        }
        Ok(())
    }

    fn check_ratings(&self) -> Result<(), String> {
        let key = &self.key;
        for (index, rating) in self.ratings.iter().enumerate() {
            let (annotator, name) = (&rating.annotator, &rating.name);
            if annotator.is_empty() || name.is_empty() {
                return Err(format!(
                    "a rating of candidate '{key}' has an empty 'annotator' or 'name'"
                ));
            }
            let ends = rating.scale.unwrap_or([f64::MIN, f64::MAX]);
            if !rating.value.is_finite() || !(ends[0]..=ends[1]).contains(&rating.value) {
                return Err(format!(
                    "the rating '{name}' of candidate '{key}' by '{annotator}' is {}, which is off its scale",
                    rating.value
                ));
            }
            let same = |r: &Rating| r.name == *name && r.annotator == *annotator;
            if self.ratings[..index].iter().any(same) {
                return Err(format!(
                    "'{annotator}' rated '{name}' of candidate '{key}' twice"
                ));
            }
        }
        Ok(())
    }
}

/// Both axes of one judgement as labels.
pub(super) fn labels_of(
    annotator: &str,
    scores: [(Axis, Option<f64>); 2],
    simulated: bool,
) -> impl Iterator<Item = Label> {
    scores.into_iter().filter_map(move |(axis, score)| {
        Some(Label {
            annotator: annotator.to_owned(),
            axis,
            score: score?,
            simulated,
        })
    })
}
