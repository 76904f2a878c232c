//! Records that tell a part of their group: what is new is added, and nothing is taken away.
//!
//! A candidate is the same if its image is: the same path, or the same content where the file has the images in it. One
//! annotator may say different things of the same candidate in different pairs; each is kept, the second under the name
//! `annotator#2`, so that it counts as what it is, a repeated judgement, and shows in what the annotator agrees with themselves
//! on. It is reported as a contradiction.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};

use super::super::error::Fault;
use super::super::groups::GroupReader;
use super::super::sql;
use super::memory::Fate;
use super::take::{Ingest, vote_axis};
use crate::data::import::{CandidateRecord, GroupRecord};
use crate::domain::{GroupId, agreement};

/// A stored candidate.
struct Stored {
    id: i64,
    key: String,
    path: String,
    hash: Option<String>,
}

impl Ingest<'_> {
    pub(super) fn merge(&mut self, record: &GroupRecord) -> Result<(), Fault> {
        let group = self.group(record)?;
        let mut stored = self.stored(group)?;
        let mut ids = Vec::with_capacity(record.candidates.len());
        for candidate in &record.candidates {
            let known = stored.iter().find(|old| same(old, candidate));
            if let Some(old) = known {
                ids.push(old.id);
                continue;
            }
            let key = new_key(candidate, &stored);
            let id = self.insert_candidate(group, stored.len(), &key, candidate)?;
            stored.push(Stored {
                id,
                key,
                path: candidate.image.clone(),
                hash: candidate.hash.clone(),
            });
            ids.push(id);
            self.touch(group);
        }
        for (candidate, &id) in record.candidates.iter().zip(&ids) {
            self.merge_labels(group, id, &record.key, candidate)?;
            self.merge_ratings(group, id, &record.key, candidate)?;
        }
        self.merge_votes(group, &ids, record)
    }

    /// The group of a record, made where there is none; a stored one is emptied first where it is to be replaced.
    fn group(&mut self, record: &GroupRecord) -> Result<i64, Fault> {
        if let Some(id) = self.memory.groups.get(&record.key) {
            return Ok(id);
        }
        let mut key = record.key.clone();
        let mut found = self.known(&key)?;
        if let Some((id, _)) = found
            && !self.is_of(id, record)?
        {
            // A name of the data's own that it gives to another source or instruction as well: told apart by these.
            key = super::job::derived(&key, record);
            found = self.known(&key)?;
        }
        let id = if let Some((id, _)) = found {
            if self.memory.met.contains_key(&id) {
                return Ok(id);
            }
            self.memory.met.insert(id, Fate::Unchanged);
            if self.replace {
                self.empty(id)?;
            }
            id
        } else {
            let source = self.image(&record.source, record.source_hash.as_deref())?;
            self.add_group.execute(params![
                key,
                source,
                record.instruction,
                record.category,
                0,
                None::<f64>,
                None::<Vec<u8>>,
                record.set,
                record.split
            ])?;
            let id = self.tx.last_insert_rowid();
            self.memory.met.insert(id, Fate::New);
            id
        };
        if key == record.key {
            self.memory.groups.keep(&record.key, id);
        }
        Ok(id)
    }

    /// Whether a stored group has the record's source and instruction.
    fn is_of(&self, group: i64, record: &GroupRecord) -> Result<bool, Fault> {
        let found: (String, Option<String>, String) = self.tx.query_row(
            "SELECT i.path, i.hash, g.instruction FROM groups g JOIN images i ON i.id = g.source WHERE g.id = ?1",
            [group],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let (path, hash, instruction) = found;
        let same_source = path == record.source || (hash.is_some() && hash == record.source_hash);
        Ok(same_source && instruction.trim() == record.instruction.trim())
    }

    /// Takes away what files said of a group; candidates that were judged or made in the program stay.
    fn empty(&mut self, group: i64) -> Result<(), Fault> {
        for sql in [
            "DELETE FROM labels WHERE imported = 1 AND candidate IN (SELECT id FROM candidates WHERE group_id = ?1)",
            "DELETE FROM ratings WHERE imported = 1 AND candidate IN (SELECT id FROM candidates WHERE group_id = ?1)",
            "DELETE FROM votes WHERE imported = 1 AND a IN (SELECT id FROM candidates WHERE group_id = ?1)",
            "DELETE FROM candidates WHERE group_id = ?1 AND made = 0 AND id NOT IN (SELECT candidate FROM labels)
             AND id NOT IN (SELECT a FROM votes) AND id NOT IN (SELECT b FROM votes)",
        ] {
            self.tx.execute(sql, [group])?;
        }
        self.touch(group);
        Ok(())
    }

    fn stored(&mut self, group: i64) -> Result<Vec<Stored>, Fault> {
        let rows = self.candidates_of.query_map([group], |row| {
            Ok(Stored {
                id: row.get(0)?,
                key: row.get(1)?,
                path: row.get(3)?,
                hash: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn touch(&mut self, group: i64) {
        self.changed.insert(group);
        let fate = self.memory.met.entry(group).or_insert(Fate::Updated);
        if *fate == Fate::Unchanged {
            *fate = Fate::Updated;
        }
    }

    fn merge_labels(
        &mut self,
        group: i64,
        id: i64,
        key: &str,
        candidate: &CandidateRecord,
    ) -> Result<(), Fault> {
        for label in &candidate.labels {
            let axis = label.axis.key();
            let kept = self.kept(
                &label.annotator,
                |ingest, who| {
                    let query = params![id, who, axis];
                    let found = ingest.find_label.query_row(query, |row| row.get(0));
                    Ok(found.optional()?)
                },
                |score: &f64| score.to_bits() == label.score.to_bits(),
            )?;
            let Some((name, against)) = kept else {
                continue;
            };
            if let Some(score) = against {
                self.memory.contradicts(|| {
                    let (image, who) = (&candidate.image, &label.annotator);
                    format!(
                        "{key}, {image}: {who} gave {score} and {} on {axis}",
                        label.score
                    )
                });
            }
            self.memory.report.labels += self.insert_label(id, &name, label)?;
            self.touch(group);
        }
        Ok(())
    }

    fn merge_ratings(
        &mut self,
        group: i64,
        id: i64,
        key: &str,
        candidate: &CandidateRecord,
    ) -> Result<(), Fault> {
        for rating in &candidate.ratings {
            let kept = self.kept(
                &rating.annotator,
                |ingest, who| {
                    let query = params![id, who, rating.name];
                    let found = ingest.find_rating.query_row(query, |row| row.get(0));
                    Ok(found.optional()?)
                },
                |value: &f64| value.to_bits() == rating.value.to_bits(),
            )?;
            let Some((name, against)) = kept else {
                continue;
            };
            if let Some(value) = against {
                self.memory.contradicts(|| {
                    let (image, who) = (&candidate.image, &rating.annotator);
                    let (what, now) = (&rating.name, rating.value);
                    format!("{key}, {image}: {who} rated '{what}' {value} and {now}")
                });
            }
            self.memory.report.ratings += self.insert_rating(id, &name, rating)?;
            self.touch(group);
        }
        Ok(())
    }

    fn merge_votes(&mut self, group: i64, ids: &[i64], record: &GroupRecord) -> Result<(), Fault> {
        for vote in &record.votes {
            let (a, b) = (ids[vote.a], ids[vote.b]);
            // Two images of a pair that are one candidate: a picture is neither better nor worse than itself.
            if a == b {
                continue;
            }
            let forward = a < b;
            let choice = if forward {
                vote.choice
            } else {
                vote.choice.turned()
            };
            let kept = self.kept(
                &vote.annotator,
                |ingest, who| {
                    let query = params![a.min(b), a.max(b), who, vote_axis(vote)];
                    let found = ingest.find_vote.query_row(query, |row| row.get(0));
                    Ok(found.optional()?)
                },
                |said: &String| said == choice.key(),
            )?;
            let Some((name, against)) = kept else {
                continue;
            };
            if against.is_some() {
                self.memory.contradicts(|| {
                    let (key, who) = (&record.key, &vote.annotator);
                    format!("{key}: {who} voted differently on the same two candidates")
                });
            }
            self.memory.report.votes += self.insert_vote((a, b), &name, vote)?;
            self.touch(group);
        }
        Ok(())
    }

    /// The name under which a judgement is to be kept, and the first word of its annotator that it contradicts, if it does; `None`
    /// where the same is there already.
    fn kept<T>(
        &mut self,
        annotator: &str,
        mut find: impl FnMut(&mut Self, i64) -> Result<Option<T>, Fault>,
        same: impl Fn(&T) -> bool,
    ) -> Result<Option<(String, Option<T>)>, Fault> {
        let mut first = None;
        let mut name = annotator.to_owned();
        let mut nth = 1_u64;
        loop {
            let who = self.annotator(&name)?;
            match find(self, who)? {
                None => return Ok(Some((name, first))),
                Some(said) if same(&said) => return Ok(None),
                Some(said) => {
                    first.get_or_insert(said);
                }
            }
            nth += 1;
            name = format!("{annotator}#{nth}");
        }
    }

    /// Puts the candidates of changed groups in an order that tells nothing of who was preferred (files name the better one
    /// first), counts them, and sums up how far people agree.
    pub(super) fn settle(&mut self, groups: &BTreeSet<i64>) -> Result<(), Fault> {
        let mut reader = GroupReader::new(self.tx)?;
        let mut place = self
            .tx
            .prepare("UPDATE candidates SET position = ?2 WHERE id = ?1 AND position <> ?2")?;
        let mut group_row = self
            .tx
            .prepare("UPDATE groups SET candidates = ?2, agreement = ?3 WHERE id = ?1")?;
        for &group in groups {
            let mut candidates = reader.candidates(GroupId(group))?;
            candidates.sort_by(|a, b| (&a.editor, &a.image).cmp(&(&b.editor, &b.image)));
            for (position, candidate) in candidates.iter().enumerate() {
                place.execute(params![candidate.id.0, sql(position)])?;
            }
            group_row.execute(params![
                group,
                sql(candidates.len()),
                agreement(&candidates)
            ])?;
        }
        Ok(())
    }
}

fn same(old: &Stored, new: &CandidateRecord) -> bool {
    old.path == new.image || (new.hash.is_some() && old.hash == new.hash)
}

/// A name for a candidate: its own, else its editor's, else "edit"; numbered where that is taken.
fn new_key(candidate: &CandidateRecord, stored: &[Stored]) -> String {
    let own = Some(&candidate.key).filter(|key| !key.is_empty());
    let editor = candidate.editor.as_ref().filter(|name| !name.is_empty());
    let base = own.or(editor).map_or("edit", String::as_str);
    let taken = |key: &str| stored.iter().any(|s| s.key == key);
    let mut key = base.to_owned();
    let mut number = 2_u64;
    while taken(&key) {
        key = format!("{base}-{number}");
        number += 1;
    }
    key
}
