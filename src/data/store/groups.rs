//! Reading groups: one with everything, or many in short, page by page.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use super::error::{Fault, WorkspaceError};
use super::hashes::{FilesChecked, model_id};
use super::scores::unpack;
use super::{Workspace, count, sql};
use crate::domain::{
    Axis, Candidate, CandidateId, Choice, Group, GroupId, GroupSummary, ImageRef, Label, Rating,
    Vote,
};

impl Workspace {
    /// How many groups there are.
    pub fn group_count(&self) -> Result<usize, WorkspaceError> {
        self.read(|db| {
            let groups = db.query_row("SELECT count(*) FROM groups", [], |row| row.get(0))?;
            Ok(count(groups))
        })
    }

    /// How many groups each part of the data has; `None` for those in none.
    pub fn splits(&self) -> Result<BTreeMap<Option<String>, usize>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare("SELECT split, count(*) FROM groups GROUP BY split")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Stores in which part of the data groups are.
    pub(in crate::data) fn set_splits(&self, rows: &[(i64, &str)]) -> Result<(), WorkspaceError> {
        self.write(|tx| {
            let sql = "UPDATE groups SET split = ?2 WHERE id = ?1 AND split IS NOT ?2";
            let mut update = tx.prepare(sql)?;
            for (id, part) in rows {
                update.execute(params![id, part])?;
            }
            Ok(())
        })
    }

    /// How many source images there are, by path.
    pub(in crate::data) fn source_count(&self) -> Result<usize, WorkspaceError> {
        self.read(|db| {
            let sql = "SELECT count(DISTINCT source) FROM groups g JOIN images i ON i.id = g.source WHERE i.path <> ''";
            Ok(count(db.query_row(sql, [], |row| row.get(0))?))
        })
    }

    /// Up to `limit` summaries after group `after` (or from the first), in id order, with stored aggregate means under `fingerprint`.
    ///
    /// The files behind stored scores are looked at, so that a score whose image has changed does not show: up to 2,000 files a
    /// call, which is every one on a page of 200 groups. In longer stretches of a wholly scored workspace the rest is
    /// taken as stored, until its group is looked up or [`forget_changed_images`](Self::forget_changed_images) has gone over it.
    pub fn summaries(
        &self,
        after: Option<GroupId>,
        limit: usize,
        fingerprint: Option<&str>,
    ) -> Result<Vec<GroupSummary>, WorkspaceError> {
        self.read(|db| {
            let model = match fingerprint {
                Some(fingerprint) => model_id(db, fingerprint)?,
                None => None,
            };
            let mut select = db.prepare(
                "SELECT g.id, g.key, g.instruction, g.category, g.candidates, g.agreement, s.means
                 FROM groups g LEFT JOIN shown s ON s.model = ?1 AND s.group_id = g.id
                 WHERE g.id > ?2 ORDER BY g.id LIMIT ?3",
            )?;
            let (after, limit) = (after.map_or(i64::MIN, |id| id.0), sql(limit));
            let mut page = select
                .query_map(params![model, after, limit], summary)?
                .collect::<Result<Vec<_>, _>>()?;
            hide_changed(self, db, &mut page)?;
            Ok(page)
        })
    }

    /// One group with its candidates and labels; `None` if there is none of that number.
    pub fn group(&self, id: GroupId) -> Result<Option<Group>, WorkspaceError> {
        self.read(|db| GroupReader::new(db)?.find(id))
    }

    /// The group that a candidate is in.
    pub fn group_of(&self, candidate: CandidateId) -> Result<Option<Group>, WorkspaceError> {
        self.read(|db| {
            let sql = "SELECT group_id FROM candidates WHERE id = ?1";
            let id = db.query_row(sql, [candidate.0], |row| row.get(0));
            match id.optional()? {
                Some(id) => GroupReader::new(db)?.find(GroupId(id)),
                None => Ok(None),
            }
        })
    }

    /// Whether the scores that candidates have were made by programs, all of them or none; `None` where some were, or there are
    /// none.
    pub fn labels_are_simulated(&self) -> Result<Option<bool>, WorkspaceError> {
        self.read(|db| {
            let has = |simulated: bool| {
                let sql = "SELECT EXISTS (SELECT 1 FROM labels WHERE simulated = ?1)";
                db.query_row(sql, [simulated], |row| row.get::<_, bool>(0))
            };
            Ok(match (has(true)?, has(false)?) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => None,
            })
        })
    }

    /// The numbers of the groups with these keys, in the same order; `None` for a key that there is no group of.
    pub fn groups_by_key(&self, keys: &[String]) -> Result<Vec<Option<GroupId>>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare("SELECT id FROM groups WHERE key = ?1")?;
            let mut find = |key: &String| {
                let id = select.query_row([key], |row| row.get(0)).optional()?;
                Ok(id.map(GroupId))
            };
            keys.iter().map(&mut find).collect()
        })
    }

    /// Every group in id order, of one snapshot, one in memory at a time.
    pub fn each_group(
        &self,
        mut each: impl FnMut(Group) -> Result<(), WorkspaceError>,
    ) -> Result<(), WorkspaceError> {
        self.read(|db| {
            let mut reader = GroupReader::new(db)?;
            let mut ids = db.prepare("SELECT id FROM groups ORDER BY id")?;
            for id in ids.query_map([], |row| row.get(0))? {
                if let Some(group) = reader.find(GroupId(id?))? {
                    each(group)?;
                }
            }
            Ok(())
        })
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<GroupSummary> {
    let candidates = count(row.get(4)?);
    Ok(GroupSummary {
        id: GroupId(row.get(0)?),
        key: row.get(1)?,
        instruction: row.get(2)?,
        category: row.get(3)?,
        candidates,
        agreement: row.get(5)?,
        scores: unpack(row.get_ref(6)?.as_blob_or_null()?, candidates),
    })
}

/// Takes out the scores of images that are no longer what was scored, as far as [`FilesChecked`] allows.
fn hide_changed(
    workspace: &Workspace,
    db: &Connection,
    page: &mut [GroupSummary],
) -> Result<(), Fault> {
    let mut files = FilesChecked::new(workspace.root(), db)?;
    for summary in page {
        if summary.scores.iter().all(Option::is_none) {
            continue;
        }
        let Some(current) = files.of_group(summary.id)? else {
            return Ok(());
        };
        for (position, score) in summary.scores.iter_mut().enumerate() {
            if !current.source || current.candidates.get(position) != Some(&true) {
                *score = None;
            }
        }
    }
    Ok(())
}

/// Reads groups as stored, one by one, with statements that are prepared once.
pub(super) struct GroupReader<'a> {
    head: Statement<'a>,
    candidates: Statement<'a>,
    labels: Statement<'a>,
    ratings: Statement<'a>,
    votes: Statement<'a>,
}

impl<'a> GroupReader<'a> {
    pub(super) fn new(db: &'a Connection) -> Result<Self, Fault> {
        Ok(Self {
            head: db.prepare(
                "SELECT g.key, i.path, g.instruction, g.category, g.data_set, g.split
                 FROM groups g JOIN images i ON i.id = g.source WHERE g.id = ?1",
            )?,
            candidates: db.prepare(
                "SELECT c.id, c.key, i.path, c.editor, c.seed, c.fault
                 FROM candidates c JOIN images i ON i.id = c.image WHERE c.group_id = ?1 ORDER BY c.position",
            )?,
            labels: db.prepare(
                "SELECT l.candidate, a.name, l.axis, l.score, l.simulated
                 FROM candidates c JOIN labels l ON l.candidate = c.id JOIN annotators a ON a.id = l.annotator
                 WHERE c.group_id = ?1 ORDER BY l.candidate, l.annotator, l.axis",
            )?,
            ratings: db.prepare(
                "SELECT r.candidate, a.name, r.name, r.value, r.low, r.high
                 FROM candidates c JOIN ratings r ON r.candidate = c.id JOIN annotators a ON a.id = r.annotator
                 WHERE c.group_id = ?1 ORDER BY r.candidate, r.annotator, r.name",
            )?,
            votes: db.prepare(
                "SELECT v.a, v.b, n.name, v.axis, v.choice, v.count_a, v.count_b, v.confidence, v.simulated
                 FROM candidates c JOIN votes v ON v.a = c.id JOIN annotators n ON n.id = v.annotator
                 WHERE c.group_id = ?1 ORDER BY v.a, v.b, v.annotator, v.axis",
            )?,
        })
    }

    /// One group; `None` if there is none of that number.
    pub(super) fn find(&mut self, id: GroupId) -> Result<Option<Group>, Fault> {
        let head = self.head.query_row([id.0], |row| {
            Ok(Group {
                id,
                key: row.get(0)?,
                source: ImageRef(row.get(1)?),
                instruction: row.get(2)?,
                category: row.get(3)?,
                set: row.get(4)?,
                split: row.get(5)?,
                candidates: Vec::new(),
                votes: Vec::new(),
            })
        });
        let Some(mut group) = head.optional()? else {
            return Ok(None);
        };
        group.candidates = self.candidates(id)?;
        group.votes = self.votes(id, &group.candidates)?;
        Ok(Some(group))
    }

    /// The votes between a group's candidates, each with the one that comes first as the first.
    fn votes(&mut self, group: GroupId, candidates: &[Candidate]) -> Result<Vec<Vote>, Fault> {
        let position = |id: i64| candidates.iter().position(|c| c.id.0 == id);
        let (mut votes, mut rows) = (Vec::new(), self.votes.query([group.0])?);
        while let Some(row) = rows.next()? {
            // A vote across groups is nobody's; none is ever stored.
            let (Some(a), Some(b)) = (position(row.get(0)?), position(row.get(1)?)) else {
                continue;
            };
            let counts: (Option<f64>, Option<f64>) = (row.get(5)?, row.get(6)?);
            let vote = Vote {
                a,
                b,
                annotator: row.get(2)?,
                axis: axis(row.get_ref(3)?.as_str()?),
                choice: Choice::of_key(row.get_ref(4)?.as_str()?).unwrap_or(Choice::Tie),
                counts: counts.0.zip(counts.1).map(|(a, b)| [a, b]),
                confidence: row.get(7)?,
                simulated: row.get(8)?,
            };
            votes.push(if a < b { vote } else { vote.turned() });
        }
        Ok(votes)
    }

    /// A group's candidates in their order, with labels by annotator (in the order these were first met) and axis.
    pub(super) fn candidates(&mut self, group: GroupId) -> Result<Vec<Candidate>, Fault> {
        let rows = self.candidates.query_map([group.0], |row| {
            Ok(Candidate {
                id: CandidateId(row.get(0)?),
                key: row.get(1)?,
                image: ImageRef(row.get(2)?),
                editor: row.get(3)?,
                seed: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
                fault: row.get(5)?,
                labels: Vec::new(),
                ratings: Vec::new(),
            })
        })?;
        let mut candidates = rows.collect::<Result<Vec<Candidate>, _>>()?;
        let mut rows = self.labels.query([group.0])?;
        while let Some(row) = rows.next()? {
            let of = CandidateId(row.get(0)?);
            let label = Label {
                annotator: row.get(1)?,
                axis: match row.get_ref(2)?.as_str()? {
                    "if" => Axis::InstructionFollowing,
                    _ => Axis::VisualQuality,
                },
                score: row.get(3)?,
                simulated: row.get(4)?,
            };
            if let Some(candidate) = candidates.iter_mut().find(|c| c.id == of) {
                candidate.labels.push(label);
            }
        }
        let mut rows = self.ratings.query([group.0])?;
        while let Some(row) = rows.next()? {
            let of = CandidateId(row.get(0)?);
            let ends: (Option<f64>, Option<f64>) = (row.get(4)?, row.get(5)?);
            let rating = Rating {
                annotator: row.get(1)?,
                name: row.get(2)?,
                value: row.get(3)?,
                scale: ends.0.zip(ends.1).map(|(low, high)| [low, high]),
            };
            if let Some(candidate) = candidates.iter_mut().find(|c| c.id == of) {
                candidate.ratings.push(rating);
            }
        }
        Ok(candidates)
    }
}

/// The axis of that name; `None` for overall.
fn axis(key: &str) -> Option<Axis> {
    Axis::ALL.into_iter().find(|axis| axis.key() == key)
}
