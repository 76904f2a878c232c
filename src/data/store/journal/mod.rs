//! What annotators do in the program: every step is written with the judgement that it makes, in one transaction that is on the
//! disk when it returns, and can be taken back, also after a restart.

mod back;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::Workspace;
use super::error::{Fault, WorkspaceError};
use super::groups::GroupReader;
use crate::domain::{Axis, CandidateId, Choice, GroupId, agreement};

use back::take_back;

/// What an annotator says at once about a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A score from 1 to 4 of a candidate on an axis; it takes the place of an earlier one.
    Label {
        /// Of which.
        candidate: CandidateId,
        /// On what.
        axis: Axis,
        /// The score.
        score: f64,
    },
    /// The same, asked again to see whether the answer is the same: kept beside the first, as the annotator's next word.
    Repeat {
        /// Of which.
        candidate: CandidateId,
        /// On what.
        axis: Axis,
        /// The score.
        score: f64,
    },
    /// Which of two candidates is the better; it takes the place of an earlier vote.
    Vote {
        /// The first.
        a: CandidateId,
        /// The second.
        b: CandidateId,
        /// On what; `None` for overall.
        axis: Option<Axis>,
        /// Which.
        choice: Choice,
    },
    /// The group was passed over.
    Skip {
        /// Why.
        reason: String,
    },
    /// A remark on the group.
    Note {
        /// The remark.
        text: String,
    },
}

/// A step that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// The group that it was about.
    pub group: GroupId,
    /// What had been said.
    pub said: Vec<Said>,
}

/// A remark on a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Who made it.
    pub annotator: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The remark.
    pub text: String,
}

/// One thing said, and what was there before.
#[derive(Debug, Serialize, Deserialize)]
struct Change {
    said: Said,
    /// The name that it is kept under, where that is not the annotator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
}

/// A judgement that another took the place of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Before {
    Label {
        score: f64,
        simulated: bool,
        imported: bool,
    },
    Vote {
        choice: String,
        counts: [Option<f64>; 2],
        confidence: Option<f64>,
        simulated: bool,
        imported: bool,
    },
}

impl Workspace {
    /// Stores what an annotator says of a group, as one step; its number. It is on the disk when this returns.
    ///
    /// `session` names the sitting, `at` is in milliseconds since 1970. An error stores nothing: a score that is not from 1 to
    /// 4, a candidate that is not of the group, an annotator without a name.
    pub fn annotate(
        &self,
        annotator: &str,
        session: &str,
        at: i64,
        group: GroupId,
        said: &[Said],
    ) -> Result<i64, WorkspaceError> {
        check_name(annotator)?;
        self.write(|tx| {
            let who = annotator_id(tx, annotator)?;
            let mut changes = Vec::with_capacity(said.len());
            for said in said {
                changes.push(carry_out(tx, annotator, who, group, said)?);
            }
            let detail = serde_json::to_string(&changes)
                .map_err(|why| WorkspaceError::Usage(format!("this cannot be kept: {why}")))?;
            tx.execute(
                "INSERT INTO steps (at, annotator, session, group_id, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![at, who, session, group.0, detail],
            )?;
            let step = tx.last_insert_rowid();
            settle(tx, group)?;
            Ok(step)
        })
    }

    /// Takes back the annotator's last step that was not taken back yet; `None` if there is none. What an import took away since,
    /// with its candidate, stays away.
    pub fn undo(&self, annotator: &str) -> Result<Option<Undone>, WorkspaceError> {
        check_name(annotator)?;
        self.write(|tx| {
            let found = tx
                .query_row(
                    "SELECT s.id, s.group_id, s.detail, s.annotator FROM steps s JOIN annotators a ON a.id = s.annotator
                     WHERE a.name = ?1 AND s.undone = 0 ORDER BY s.id DESC LIMIT 1",
                    [annotator],
                    |row| {
                        Ok((
                            row.get::<_, i64>(0)?,
                            GroupId(row.get(1)?),
                            row.get::<_, String>(2)?,
                            row.get::<_, i64>(3)?,
                        ))
                    },
                )
                .optional()?;
            let Some((step, group, detail, who)) = found else {
                return Ok(None);
            };
            let changes = read(step, &detail)?;
            for change in changes.iter().rev() {
                take_back(tx, who, change)?;
            }
            tx.execute("UPDATE steps SET undone = 1 WHERE id = ?1", [step])?;
            settle(tx, group)?;
            Ok(Some(Undone {
                group,
                said: changes.into_iter().map(|change| change.said).collect(),
            }))
        })
    }

    /// How many steps of an annotator stand, since a time in milliseconds since 1970.
    pub fn steps_since(&self, annotator: &str, at: i64) -> Result<usize, WorkspaceError> {
        self.read(|db| {
            let steps = db.query_row(
                "SELECT count(*) FROM steps s JOIN annotators a ON a.id = s.annotator
                 WHERE a.name = ?1 AND s.undone = 0 AND s.at >= ?2",
                params![annotator, at],
                |row| row.get(0),
            )?;
            Ok(super::count(steps))
        })
    }

    /// The groups that an annotator passed over, with the last reason each.
    pub fn skips(&self, annotator: &str) -> Result<Vec<(GroupId, String)>, WorkspaceError> {
        let mut skips: Vec<(GroupId, String)> = Vec::new();
        self.each_step(Some(annotator), None, |_, group, _, said| {
            if let Said::Skip { reason } = said {
                skips.retain(|(known, _)| *known != group);
                skips.push((group, reason));
            }
        })?;
        Ok(skips)
    }

    /// The remarks on a group, the oldest first.
    pub fn remarks(&self, group: GroupId) -> Result<Vec<Remark>, WorkspaceError> {
        let mut remarks = Vec::new();
        self.each_step(None, Some(group), |annotator, _, at, said| {
            if let Said::Note { text } = said {
                remarks.push(Remark {
                    annotator: annotator.to_owned(),
                    at,
                    text,
                });
            }
        })?;
        Ok(remarks)
    }

    /// What was said in steps that stand, in order.
    fn each_step(
        &self,
        annotator: Option<&str>,
        group: Option<GroupId>,
        mut each: impl FnMut(&str, GroupId, i64, Said),
    ) -> Result<(), WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(
                "SELECT a.name, s.group_id, s.at, s.detail, s.id FROM steps s JOIN annotators a ON a.id = s.annotator
                 WHERE s.undone = 0 AND (?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR s.group_id = ?2) ORDER BY s.id",
            )?;
            let mut rows = select.query(params![annotator, group.map(|g| g.0)])?;
            while let Some(row) = rows.next()? {
                let detail: String = row.get(3)?;
                let changes = read(row.get(4)?, &detail)?;
                let (name, group, at): (String, i64, i64) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                for change in changes {
                    each(&name, GroupId(group), at, change.said);
                }
            }
            Ok(())
        })
    }
}

/// The changes of a step as they were written.
fn read(step: i64, detail: &str) -> Result<Vec<Change>, WorkspaceError> {
    serde_json::from_str(detail).map_err(|why| {
        WorkspaceError::Usage(format!("step {step} of the journal cannot be read: {why}"))
    })
}

fn check_name(annotator: &str) -> Result<(), WorkspaceError> {
    let wrong = annotator.trim().is_empty() || annotator.contains('#');
    if wrong {
        return Err(WorkspaceError::Usage(format!(
            "'{annotator}' is no name for an annotator: it must not be empty and have no '#', which marks repeated judgements"
        )));
    }
    Ok(())
}

fn annotator_id(tx: &Transaction<'_>, name: &str) -> Result<i64, Fault> {
    let add = "INSERT OR IGNORE INTO annotators (name) VALUES (?1)";
    tx.execute(add, [name])?;
    let find = "SELECT id FROM annotators WHERE name = ?1";
    Ok(tx.query_row(find, [name], |row| row.get(0))?)
}

/// Makes the judgement; what is to be known to take it back.
fn carry_out(
    tx: &Transaction<'_>,
    annotator: &str,
    who: i64,
    group: GroupId,
    said: &Said,
) -> Result<Change, Fault> {
    let mut change = Change {
        said: said.clone(),
        under: None,
        before: None,
    };
    match said {
        Said::Label {
            candidate,
            axis,
            score,
        } => {
            check_label(tx, group, *candidate, *score)?;
            change.before = label(tx, *candidate, who, *axis)?;
            put_label(tx, *candidate, who, *axis, (*score, false, false))?;
        }
        Said::Repeat {
            candidate,
            axis,
            score,
        } => {
            check_label(tx, group, *candidate, *score)?;
            let (name, id) = next_word(tx, annotator, *candidate, *axis)?;
            put_label(tx, *candidate, id, *axis, (*score, false, false))?;
            change.under = Some(name);
        }
        Said::Vote { a, b, axis, choice } => {
            check_candidate(tx, group, *a)?;
            check_candidate(tx, group, *b)?;
            if a == b {
                return Err(Fault::Ours(WorkspaceError::Usage(
                    "a candidate is neither better nor worse than itself".into(),
                )));
            }
            let choice = if a.0 < b.0 { *choice } else { choice.turned() };
            let pair = (a.0.min(b.0), a.0.max(b.0));
            change.before = vote(tx, pair, who, *axis)?;
            tx.execute(
                "INSERT OR REPLACE INTO votes (a, b, annotator, axis, choice, simulated, imported)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)",
                params![pair.0, pair.1, who, axis_key(*axis), choice.key()],
            )?;
        }
        Said::Skip { .. } | Said::Note { .. } => {
            let find = "SELECT 1 FROM groups WHERE id = ?1";
            let there = tx.query_row(find, [group.0], |_| Ok(())).optional()?;
            there.ok_or(Fault::Ours(WorkspaceError::NoSuchGroup(group)))?;
        }
    }
    Ok(change)
}

fn axis_key(axis: Option<Axis>) -> &'static str {
    axis.map_or("overall", |axis| axis.key())
}

fn check_candidate(db: &Connection, group: GroupId, candidate: CandidateId) -> Result<(), Fault> {
    let find = "SELECT 1 FROM candidates WHERE id = ?1 AND group_id = ?2";
    let found = db.query_row(find, [candidate.0, group.0], |_| Ok(()));
    found
        .optional()?
        .ok_or(Fault::Ours(WorkspaceError::NoSuchCandidate {
            group,
            candidate,
        }))
}

fn check_label(
    db: &Connection,
    group: GroupId,
    candidate: CandidateId,
    score: f64,
) -> Result<(), Fault> {
    if !(1.0..=4.0).contains(&score) {
        return Err(Fault::Ours(WorkspaceError::Usage(format!(
            "{score} is no score; they go from 1 to 4"
        ))));
    }
    check_candidate(db, group, candidate)
}

fn label(
    db: &Connection,
    candidate: CandidateId,
    who: i64,
    axis: Axis,
) -> Result<Option<Before>, Fault> {
    let found = db.query_row(
        "SELECT score, simulated, imported FROM labels WHERE candidate = ?1 AND annotator = ?2 AND axis = ?3",
        params![candidate.0, who, axis.key()],
        |row| {
            Ok(Before::Label {
                score: row.get(0)?,
                simulated: row.get(1)?,
                imported: row.get(2)?,
            })
        },
    );
    Ok(found.optional()?)
}

fn put_label(
    db: &Connection,
    candidate: CandidateId,
    who: i64,
    axis: Axis,
    (score, simulated, imported): (f64, bool, bool),
) -> Result<(), Fault> {
    db.execute(
        "INSERT OR REPLACE INTO labels (candidate, annotator, axis, score, simulated, imported)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![candidate.0, who, axis.key(), score, simulated, imported],
    )?;
    Ok(())
}

fn vote(
    db: &Connection,
    (a, b): (i64, i64),
    who: i64,
    axis: Option<Axis>,
) -> Result<Option<Before>, Fault> {
    let found = db.query_row(
        "SELECT choice, count_a, count_b, confidence, simulated, imported FROM votes
         WHERE a = ?1 AND b = ?2 AND annotator = ?3 AND axis = ?4",
        params![a, b, who, axis_key(axis)],
        |row| {
            Ok(Before::Vote {
                choice: row.get(0)?,
                counts: [row.get(1)?, row.get(2)?],
                confidence: row.get(3)?,
                simulated: row.get(4)?,
                imported: row.get(5)?,
            })
        },
    );
    Ok(found.optional()?)
}

/// The first name `ANNOTATOR#2`, `ANNOTATOR#3`, … under which nothing is said of the candidate on the axis.
fn next_word(
    tx: &Transaction<'_>,
    annotator: &str,
    candidate: CandidateId,
    axis: Axis,
) -> Result<(String, i64), Fault> {
    let mut nth = 2_u64;
    loop {
        let name = format!("{annotator}#{nth}");
        let id = annotator_id(tx, &name)?;
        if label(tx, candidate, id, axis)?.is_none() {
            return Ok((name, id));
        }
        nth += 1;
    }
}

/// Brings what lists show of the group in step.
fn settle(tx: &Transaction<'_>, group: GroupId) -> Result<(), Fault> {
    let candidates = GroupReader::new(tx)?.candidates(group)?;
    tx.execute(
        "UPDATE groups SET agreement = ?2 WHERE id = ?1",
        params![group.0, agreement(&candidates)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
