//! Measures of pairs of images: stored under the contents of source and candidate, so that nothing is measured twice, whatever
//! it is called and wherever it lies.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Statement, params};

use super::Workspace;
use super::error::{Fault, WorkspaceError};
use super::hashes::GroupImages;
use super::scores::first_half;
use crate::domain::{CandidateId, GroupId, Measure, Measures};

/// By a key and a version.
pub(super) const SELECT: &str =
    "SELECT numbers, reasons FROM measures WHERE key = ?1 AND version = ?2";

impl Workspace {
    /// Stored measures of a group's candidates, in candidate order; those whose images have changed since, or that were measured
    /// by other formulas, are left out. After [`hashes`](Self::hashes) these are all that need not be measured.
    pub fn measures(&self, group: GroupId) -> Result<Vec<(CandidateId, Measures)>, WorkspaceError> {
        self.read(|db| {
            let images = GroupImages::find(db, group)?;
            let Some(source) = images.source.hash(self.root()) else {
                return Ok(Vec::new());
            };
            let (mut found, mut select) = (Vec::new(), db.prepare(SELECT)?);
            for (id, image) in &images.candidates {
                if let Some(hash) = image.hash(self.root()) {
                    let measures = find(&mut select, source, hash)?;
                    found.extend(measures.map(|measures| (*id, measures)));
                }
            }
            Ok(found)
        })
    }

    /// Stores measures (one transaction), each under the content hashes of its source and its candidate.
    pub fn save_measures(&self, rows: &[(&str, &str, Measures)]) -> Result<(), WorkspaceError> {
        self.write(|tx| {
            let mut insert = tx.prepare(
                "INSERT OR REPLACE INTO measures (key, version, numbers, reasons) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (source, candidate, measures) in rows {
                let reasons = measures.undefined();
                let reasons = (!reasons.is_empty())
                    .then(|| serde_json::to_string(reasons))
                    .transpose()
                    .map_err(|why| {
                        WorkspaceError::Usage(format!("these measures cannot be kept: {why}"))
                    })?;
                insert.execute(params![
                    measures_key(source, candidate),
                    Measure::VERSION,
                    pack(measures),
                    reasons
                ])?;
            }
            Ok(())
        })
    }

    /// The stored measures of one source and one candidate by their content hashes.
    pub fn measures_of(
        &self,
        source: &str,
        candidate: &str,
    ) -> Result<Option<Measures>, WorkspaceError> {
        self.read(|db| find(&mut db.prepare(SELECT)?, source, candidate))
    }
}

/// What a pair of contents is stored under, in 16 bytes.
pub(super) fn measures_key(source: &str, candidate: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("erw measures key 1");
    for part in [source, candidate] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    first_half(*hasher.finalize().as_bytes())
}

pub(super) fn find(
    select: &mut Statement<'_>,
    source: &str,
    candidate: &str,
) -> Result<Option<Measures>, Fault> {
    let key = measures_key(source, candidate);
    Ok(select
        .query_row(params![key, Measure::VERSION], unpack)
        .optional()?)
}

fn pack(measures: &Measures) -> Vec<u8> {
    let number = |m: Measure| measures.get(m).unwrap_or(f64::NAN).to_le_bytes();
    Measure::ALL.into_iter().flat_map(number).collect()
}

fn unpack(row: &Row<'_>) -> rusqlite::Result<Measures> {
    let reasons: Option<String> = row.get(1)?;
    let reasons: BTreeMap<Measure, String> = reasons
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut measures = Measures::default();
    for (measure, why) in reasons {
        measures.forgo(measure, why);
    }
    let (eights, _) = row.get_ref(0)?.as_blob()?.as_chunks::<8>();
    for (measure, eight) in Measure::ALL.into_iter().zip(eights) {
        let number = f64::from_le_bytes(*eight);
        if number.is_finite() {
            measures.set(measure, number);
        }
    }
    Ok(measures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_come_back_with_their_reasons_and_follow_the_contents() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [("s.png", "source"), ("a.png", "one"), ("b.png", "one")] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let record = r#"{"id": "g", "source": "s.png", "instruction": "x", "candidates": [{"id": "a", "image": "a.png"}, {"id": "b", "image": "b.png"}]}"#;
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, record).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        let id = GroupId(1);
        let hashes = workspace.hashes(id).unwrap();
        assert!(workspace.measures(id).unwrap().is_empty());

        let mut measures = Measures::default();
        measures.set(Measure::SatDelta, -0.125);
        measures.forgo(Measure::SsimInside, "nothing was edited");
        let (source, one) = (
            hashes.source.unwrap(),
            hashes.candidates[0].1.clone().unwrap(),
        );
        workspace
            .save_measures(&[(&source, &one, measures.clone())])
            .unwrap();
        assert_eq!(
            workspace.measures_of(&source, &one).unwrap().as_ref(),
            Some(&measures)
        );
        // Both candidates are the same picture.
        let found = workspace.measures(id).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(_, found)| *found == measures));

        std::fs::write(dir.path().join("a.png"), "another").unwrap();
        assert_eq!(workspace.measures(id).unwrap().len(), 1);
    }
}
