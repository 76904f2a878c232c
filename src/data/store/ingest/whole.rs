//! Records that are all there is to know of their group: new groups are stored, known ones compared by a digest, changed ones
//! made what the file says. Their scores stay with the contents they belong to, and judgements given in the program stay with
//! the candidates that remain.

use std::collections::HashSet;

use rusqlite::params;

use super::super::error::Fault;
use super::super::groups::GroupReader;
use super::super::sql;
use super::digest::digest;
use super::take::Ingest;
use crate::data::import::GroupRecord;
use crate::domain::{Axis, GroupId, Label, agreement, agreement_of};

impl Ingest<'_> {
    pub(super) fn take_whole(&mut self, record: &GroupRecord) -> Result<(), Fault> {
        let digest = digest(record);
        match self.known(&record.key)? {
            None => self.add(record, &digest),
            Some((_, Some(old))) if old == digest => {
                self.memory.report.unchanged += 1;
                Ok(())
            }
            Some((id, _)) => self.update(id, record, &digest),
        }
    }

    fn add(&mut self, record: &GroupRecord, digest: &[u8]) -> Result<(), Fault> {
        let source = self.image(&record.source, record.source_hash.as_deref())?;
        self.add_group.execute(params![
            record.key,
            source,
            record.instruction,
            record.category,
            sql(record.candidates.len()),
            agreement_of(record.candidates.iter().map(|c| c.labels.as_slice())),
            digest,
            record.set,
            record.split
        ])?;
        let group = self.tx.last_insert_rowid();
        let mut ids = Vec::with_capacity(record.candidates.len());
        for (position, candidate) in record.candidates.iter().enumerate() {
            let id = self.insert_candidate(group, position, &candidate.key, candidate)?;
            self.memory.report.labels += self.insert_labels(id, &candidate.labels)?;
            ids.push(id);
        }
        self.memory.report.ratings += self.insert_ratings(record, &ids)?;
        self.memory.report.votes += self.insert_votes(record, &ids)?;
        self.memory.report.groups += 1;
        Ok(())
    }

    /// Makes a stored group what the record says. Candidates are the same if their names are.
    fn update(&mut self, group: i64, record: &GroupRecord, digest: &[u8]) -> Result<(), Fault> {
        let tx = self.tx;
        let stored = GroupReader::new(tx)?.candidates(GroupId(group))?;
        let source = self.image(&record.source, record.source_hash.as_deref())?;
        let gone = stored.iter().filter(|old| {
            let mut new = record.candidates.iter();
            new.all(|new| new.key != old.key)
        });
        for (further, old) in gone.enumerate() {
            tx.execute(
                "DELETE FROM candidates WHERE id = ?1 AND made = 0",
                [old.id.0],
            )?;
            // What was made here comes after what the record has.
            let position = sql(record.candidates.len() + further);
            tx.execute(
                "UPDATE candidates SET position = ?2 WHERE id = ?1",
                params![old.id.0, position],
            )?;
        }
        let had = self.judgements(group)?;
        for table in ["labels", "ratings"] {
            let sql = format!(
                "DELETE FROM {table} WHERE imported = 1 AND candidate IN (SELECT id FROM candidates WHERE group_id = ?1)"
            );
            tx.execute(&sql, [group])?;
        }
        tx.execute(
            "DELETE FROM votes WHERE imported = 1 AND a IN (SELECT id FROM candidates WHERE group_id = ?1)",
            [group],
        )?;
        let mut ids = Vec::with_capacity(record.candidates.len());
        for (position, new) in record.candidates.iter().enumerate() {
            let Some(old) = stored.iter().find(|old| old.key == new.key) else {
                let id = self.insert_candidate(group, position, &new.key, new)?;
                self.memory.report.labels += self.insert_labels(id, &new.labels)?;
                ids.push(id);
                continue;
            };
            let image = self.image(&new.image, new.hash.as_deref())?;
            tx.execute(
                "UPDATE candidates SET position = ?2, image = ?3, editor = ?4, seed = ?5, fault = ?6 WHERE id = ?1",
                params![old.id.0, sql(position), image, new.editor, new.seed.map(u64::cast_signed), new.fault],
            )?;
            self.insert_labels(old.id.0, &new.labels)?;
            let had: HashSet<(&str, Axis)> = old
                .labels
                .iter()
                .map(|l| (l.annotator.as_str(), l.axis))
                .collect();
            let fresh = |l: &&Label| !had.contains(&(l.annotator.as_str(), l.axis));
            self.memory.report.labels += new.labels.iter().filter(fresh).count();
            ids.push(old.id.0);
        }
        self.insert_ratings(record, &ids)?;
        self.insert_votes(record, &ids)?;
        let has = self.judgements(group)?;
        self.memory.report.ratings += has.0.saturating_sub(had.0);
        self.memory.report.votes += has.1.saturating_sub(had.1);
        // From what is stored now, since labels given in the program count too.
        let stored = GroupReader::new(tx)?.candidates(GroupId(group))?;
        tx.execute(
            "UPDATE groups SET source = ?2, instruction = ?3, category = ?4, candidates = ?5, agreement = ?6, digest = ?7,
             data_set = ?8, split = coalesce(?9, split) WHERE id = ?1",
            params![
                group,
                source,
                record.instruction,
                record.category,
                sql(stored.len()),
                agreement(&stored),
                digest,
                record.set,
                record.split
            ],
        )?;
        self.changed.insert(group);
        self.memory.report.updated += 1;
        Ok(())
    }

    fn insert_ratings(&mut self, record: &GroupRecord, ids: &[i64]) -> Result<usize, Fault> {
        let mut added = 0;
        for (candidate, &id) in record.candidates.iter().zip(ids) {
            for rating in &candidate.ratings {
                added += self.insert_rating(id, &rating.annotator, rating)?;
            }
        }
        Ok(added)
    }

    fn insert_votes(&mut self, record: &GroupRecord, ids: &[i64]) -> Result<usize, Fault> {
        let mut added = 0;
        for vote in &record.votes {
            added += self.insert_vote((ids[vote.a], ids[vote.b]), &vote.annotator, vote)?;
        }
        Ok(added)
    }

    /// How many ratings and votes a group has.
    fn judgements(&self, group: i64) -> Result<(usize, usize), Fault> {
        let count = |table: &str, of: &str| {
            let sql = format!(
                "SELECT count(*) FROM {table} WHERE {of} IN (SELECT id FROM candidates WHERE group_id = ?1)"
            );
            self.tx.query_row(&sql, [group], |row| row.get::<_, i64>(0))
        };
        Ok((
            super::super::count(count("ratings", "candidate")?),
            super::super::count(count("votes", "a")?),
        ))
    }
}
