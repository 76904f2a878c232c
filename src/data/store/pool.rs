//! All candidates with what a model says of them, in one pass: what curation chooses from. A million scores are read once in the
//! order they are stored in and kept at hand, since looking each up by its key would take a minute.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::error::{Fault, WorkspaceError};
use super::hashes::model_id;
use super::scores::score_key;
use super::{Workspace, count};
use crate::domain::{CandidateId, Gaussian, GroupId, Reward};

/// A candidate, as far as curation asks.
#[derive(Debug, Clone, Copy)]
pub struct PoolRow<'a> {
    /// Itself.
    pub candidate: CandidateId,
    /// Its group.
    pub group: GroupId,
    /// The kind of edit.
    pub category: Option<&'a str>,
    /// What made it.
    pub editor: Option<&'a str>,
    /// What the model says, if it was scored.
    pub reward: Option<Reward>,
}

impl Workspace {
    /// How many candidates there are.
    pub fn candidate_count(&self) -> Result<usize, WorkspaceError> {
        self.read(|db| {
            let n = db.query_row("SELECT count(*) FROM candidates", [], |row| row.get(0))?;
            Ok(count(n))
        })
    }

    /// Hands over every candidate in the order of import, with its score under the model. Images are taken for what they were when
    /// they were last read. `each` may stop it.
    pub fn pool(
        &self,
        fingerprint: &str,
        each: &mut dyn FnMut(PoolRow<'_>) -> ControlFlow<()>,
    ) -> Result<(), WorkspaceError> {
        self.read(|db| {
            let scores = Scores::read(db, fingerprint)?;
            let mut select = db.prepare(
                "SELECT c.id, c.group_id, g.category, c.editor, s.hash, e.hash, g.instruction
                 FROM groups g JOIN images s ON s.id = g.source
                 JOIN candidates c ON c.group_id = g.id JOIN images e ON e.id = c.image
                 ORDER BY g.id, c.position",
            )?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let text = |at: usize| {
                    Ok::<_, Fault>(
                        row.get_ref(at)?
                            .as_str_or_null()
                            .map_err(rusqlite::Error::from)?,
                    )
                };
                let key = match (text(4)?, text(5)?, text(6)?) {
                    (Some(source), Some(hash), Some(instruction)) => {
                        Some(score_key(source, hash, instruction))
                    }
                    _ => None,
                };
                let flow = each(PoolRow {
                    candidate: CandidateId(row.get(0)?),
                    group: GroupId(row.get(1)?),
                    category: text(2)?,
                    editor: text(3)?,
                    reward: key.and_then(|key| scores.find(&key)),
                });
                if flow.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// The scores of a model in the order of their keys, and where those begin that share their first two bytes.
struct Scores {
    rows: Vec<([u8; 16], Reward)>,
    starts: Vec<u32>,
}

impl Scores {
    fn read(db: &Connection, fingerprint: &str) -> Result<Self, Fault> {
        let mut rows = Vec::new();
        if let Some(model) = model_id(db, fingerprint)? {
            let mut select = db.prepare(
                "SELECT key, mean, log_sigma, if_mean, if_log_sigma, vq_mean, vq_log_sigma
                 FROM scores WHERE model = ?1 ORDER BY key",
            )?;
            let mut found = select.query([model])?;
            while let Some(row) = found.next()? {
                let axis = |at| -> rusqlite::Result<Option<Gaussian>> {
                    let (mean, log_sigma): (Option<f64>, Option<f64>) =
                        (row.get(at)?, row.get(at + 1)?);
                    Ok(mean.zip(log_sigma).map(|(m, s)| Gaussian::new(m, s)))
                };
                let reward = Reward {
                    instruction_following: axis(3)?,
                    visual_quality: axis(5)?,
                    aggregate: Gaussian::new(row.get(1)?, row.get(2)?),
                };
                rows.push((row.get(0)?, reward));
            }
        }
        let mut starts = vec![0_u32; (1 << 16) + 1];
        for (key, _) in &rows {
            starts[place(key) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Ok(Self { rows, starts })
    }

    fn find(&self, key: &[u8; 16]) -> Option<Reward> {
        let at = place(key);
        let rows = &self.rows[self.starts[at] as usize..self.starts[at + 1] as usize];
        let found = rows.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
        Some(rows[found].1)
    }
}

fn place(key: &[u8; 16]) -> usize {
    usize::from(u16::from_be_bytes([key[0], key[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_comes_once_with_what_was_scored() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["s", "a", "b"] {
            std::fs::write(dir.path().join(format!("{name}.png")), name).unwrap();
        }
        let record = r#"{"id": "g", "source": "s.png", "instruction": "x", "category": "add", "candidates": [{"id": "a", "image": "a.png", "editor": "flux"}, {"id": "b", "image": "b.png"}]}"#;
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, record).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        let hashes = workspace.hashes(GroupId(1)).unwrap();
        let reward = Reward {
            instruction_following: Some(Gaussian::new(1.5, -0.5)),
            visual_quality: None,
            aggregate: Gaussian::new(1.5, f64::NEG_INFINITY),
        };
        let (candidate, hash) = hashes.candidates[1].clone();
        let row = (candidate, hash.unwrap(), reward);
        let source = hashes.source.unwrap();
        workspace
            .save_scores(GroupId(1), "m", &source, &[row])
            .unwrap();
        let read = |model: &str| {
            let mut found = Vec::new();
            let mut each = |row: PoolRow<'_>| {
                let words = (
                    row.category.map(str::to_owned),
                    row.editor.map(str::to_owned),
                );
                found.push((row.candidate.0, words, row.reward));
                ControlFlow::Continue(())
            };
            workspace.pool(model, &mut each).unwrap();
            found
        };
        let add = Some("add".to_owned());
        let both = [
            (1, (add.clone(), Some("flux".to_owned())), None),
            (2, (add, None), Some(reward)),
        ];
        assert_eq!(read("m"), both);
        assert_eq!(read("other")[1].2, None);
        assert_eq!(workspace.candidate_count().unwrap(), 2);
    }
}
