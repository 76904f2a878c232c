//! What tells two records of a group apart.

use super::super::scores::first_half;
use crate::data::import::{CandidateRecord, GroupRecord};

/// A digest of all that is stored of a record, paths as stored. The order of labels, ratings and votes makes no difference,
/// since none is stored. What came with the second schema is added only where it is there, so that records of before have
/// the digests of before.
pub(super) fn digest(record: &GroupRecord) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    let optional =
        |text: &Option<String>| text.as_ref().map(|t| format!("={t}")).unwrap_or_default();
    add(record.source.as_bytes());
    add(record.instruction.as_bytes());
    add(optional(&record.category).as_bytes());
    for candidate in &record.candidates {
        add(candidate.key.as_bytes());
        add(candidate.image.as_bytes());
        add(optional(&candidate.editor).as_bytes());
        add(optional(&candidate.seed.map(|seed| seed.to_string())).as_bytes());
        add(optional(&candidate.fault).as_bytes());
        labels(candidate, &mut add);
    }
    for text in judgements(record) {
        add(text.as_bytes());
    }
    first_half(*hasher.finalize().as_bytes())
}

fn labels(candidate: &CandidateRecord, add: &mut impl FnMut(&[u8])) {
    let mut labels: Vec<_> = candidate.labels.iter().collect();
    labels.sort_by(|a, b| (&a.annotator, a.axis).cmp(&(&b.annotator, b.axis)));
    add(&(labels.len() as u64).to_le_bytes());
    for label in labels {
        add(label.annotator.as_bytes());
        add(label.axis.key().as_bytes());
        add(&label.score.to_le_bytes());
        add(&[u8::from(label.simulated)]);
    }
}

/// Ratings, votes, set and split in words, in an order of their own.
fn judgements(record: &GroupRecord) -> Vec<String> {
    let mut texts = Vec::new();
    for candidate in &record.candidates {
        let ratings = candidate.ratings.iter();
        texts.extend(ratings.map(|rating| format!("rating {} {rating:?}", candidate.key)));
    }
    for vote in &record.votes {
        let forward = vote.a < vote.b;
        let vote = if forward {
            vote.clone()
        } else {
            vote.clone().turned()
        };
        texts.push(format!("vote {vote:?}"));
    }
    texts.sort();
    texts.extend(record.set.iter().map(|set| format!("set {set}")));
    texts.extend(record.split.iter().map(|split| format!("split {split}")));
    texts
}
