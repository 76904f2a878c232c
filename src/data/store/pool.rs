//! All candidates with what a model says of them, in one pass: what curation chooses from. A million scores are read once in the
//! order they are stored in and kept at hand, since looking each up by its key would take a minute.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

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
    ///
    /// Scores and candidates are read side by side, the candidates in ranges of groups, each on a connection of its own: what is
    /// written meanwhile may be seen by one and not by another.
    pub fn pool(
        &self,
        fingerprint: &str,
        each: &mut dyn FnMut(PoolRow<'_>) -> ControlFlow<()>,
    ) -> Result<(), WorkspaceError> {
        let ranges = self.read(ranges)?;
        let readers = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(4);
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let scores = scope.spawn(|| self.read(|db| Scores::read(db, fingerprint)));
            let (tell, hear) = sync_channel(WAITING);
            for _ in 0..readers {
                let (tell, ranges, next, stopped) = (tell.clone(), &ranges, &next, &stopped);
                scope.spawn(move || {
                    while let Some((at, range)) = take(ranges, next) {
                        let part = self.read(|db| Part::read(db, range));
                        // Nobody listens any more after a stop or an error.
                        if stopped.load(Ordering::Relaxed) || tell.send((at, part)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            let result = scores
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                .and_then(|scores| in_order(&hear, &scores, each));
            stopped.store(true, Ordering::Relaxed);
            // Whoever waits to tell something finds that nobody listens.
            drop(hear);
            result
        })
    }
}

/// Groups of a range, by their ids.
const GROUPS: i64 = 2048;
/// Ranges that wait to be taken at most: some 70 MB.
const WAITING: usize = 256;

/// The ranges that all groups are in, as first and last ids.
fn ranges(db: &Connection) -> Result<Vec<(i64, i64)>, Fault> {
    let ends: (Option<i64>, Option<i64>) =
        db.query_row("SELECT min(id), max(id) FROM groups", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let (Some(first), Some(last)) = ends else {
        return Ok(Vec::new());
    };
    let starts = (0..).map(|n| first.saturating_add(n * GROUPS));
    let starts = starts.take_while(|start| *start <= last);
    Ok(starts
        .map(|start| (start, start.saturating_add(GROUPS - 1)))
        .collect())
}

fn take(ranges: &[(i64, i64)], next: &AtomicUsize) -> Option<(usize, (i64, i64))> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    ranges.get(at).map(|range| (at, *range))
}

/// Hands over the candidates of ranges that come in any order in their own.
fn in_order(
    hear: &Receiver<(usize, Result<Part, WorkspaceError>)>,
    scores: &Scores,
    each: &mut dyn FnMut(PoolRow<'_>) -> ControlFlow<()>,
) -> Result<(), WorkspaceError> {
    let (mut early, mut due) = (BTreeMap::new(), 0);
    for (at, part) in hear {
        early.insert(at, part?);
        while let Some(part) = early.remove(&due) {
            due += 1;
            if part.hand_over(scores, each).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The candidates of a range of groups.
#[derive(Default)]
struct Part {
    rows: Vec<Keyed>,
    /// The categories and editors that occur.
    names: Vec<String>,
}

/// A candidate with the key that its score is under; category and editor are places among the names.
struct Keyed {
    candidate: i64,
    group: i64,
    category: Option<u32>,
    editor: Option<u32>,
    key: Option<[u8; 16]>,
}

impl Part {
    fn read(db: &Connection, (first, last): (i64, i64)) -> Result<Self, Fault> {
        let mut select = db.prepare(
            "SELECT c.id, c.group_id, g.category, c.editor, s.hash, e.hash, g.instruction
             FROM groups g JOIN images s ON s.id = g.source
             JOIN candidates c ON c.group_id = g.id JOIN images e ON e.id = c.image
             WHERE g.id BETWEEN ?1 AND ?2
             ORDER BY g.id, c.position",
        )?;
        let mut part = Self::default();
        let mut rows = select.query([first, last])?;
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
            let (category, editor) = (text(2)?, text(3)?);
            let row = Keyed {
                candidate: row.get(0)?,
                group: row.get(1)?,
                category: category.map(|name| part.place(name)),
                editor: editor.map(|name| part.place(name)),
                key,
            };
            part.rows.push(row);
        }
        Ok(part)
    }

    /// There are few names.
    fn place(&mut self, name: &str) -> u32 {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn hand_over(
        &self,
        scores: &Scores,
        each: &mut dyn FnMut(PoolRow<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let name = |place: Option<u32>| self.names.get(place? as usize).map(String::as_str);
        self.rows.iter().try_for_each(|row| {
            each(PoolRow {
                candidate: CandidateId(row.candidate),
                group: GroupId(row.group),
                category: name(row.category),
                editor: name(row.editor),
                reward: row.key.and_then(|key| scores.find(&key)),
            })
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
