//! One batch of an import under way: its statements, prepared once, and the rows that whole and adding formats both write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Statement, Transaction, params};

use super::super::error::Fault;
use super::super::scores::refresh;
use super::super::sql;
use super::copies;
use super::job::Job;
use super::memory::Memory;
use crate::data::images::{Stamp, locate};
use crate::data::import::{CandidateRecord, GroupRecord};
use crate::data::records::CellRef;
use crate::domain::{ImageRef, Label, Rating, Vote};

/// The number of a stored group, and the digest of the record that it was made of.
type Known = (i64, Option<Vec<u8>>);

/// One batch of an import.
pub(super) struct Ingest<'a> {
    pub(super) tx: &'a Transaction<'a>,
    root: &'a Path,
    whole: bool,
    pub(super) replace: bool,
    copy: bool,
    pub(super) memory: &'a mut Memory,
    /// Groups whose candidates or labels changed.
    pub(super) changed: BTreeSet<i64>,
    pub(super) find_group: Statement<'a>,
    pub(super) add_group: Statement<'a>,
    add_candidate: Statement<'a>,
    add_label: Statement<'a>,
    add_rating: Statement<'a>,
    add_vote: Statement<'a>,
    add_image: Statement<'a>,
    find_image: Statement<'a>,
    hash_image: Statement<'a>,
    pub(super) candidates_of: Statement<'a>,
    pub(super) find_label: Statement<'a>,
    pub(super) find_rating: Statement<'a>,
    pub(super) find_vote: Statement<'a>,
}

impl<'a> Ingest<'a> {
    pub(super) fn new(
        tx: &'a Transaction<'a>,
        root: &'a Path,
        job: &Job<'_>,
        memory: &'a mut Memory,
    ) -> Result<Self, Fault> {
        Ok(Self {
            tx,
            root,
            whole: job.format.whole,
            replace: job.options.replace,
            copy: job.options.copy,
            memory,
            changed: BTreeSet::new(),
            find_group: tx.prepare("SELECT id, digest FROM groups WHERE key = ?1")?,
            add_group: tx.prepare(
                "INSERT INTO groups (key, source, instruction, category, candidates, agreement, digest, data_set, split)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            add_candidate: tx.prepare(
                "INSERT INTO candidates (group_id, position, key, image, editor, seed, fault)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            // A judgement given in the program under the same name stays: it is the annotator's later word.
            add_label: tx.prepare(
                "INSERT OR IGNORE INTO labels (candidate, annotator, axis, score, simulated, imported)
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            )?,
            add_rating: tx.prepare(
                "INSERT OR IGNORE INTO ratings (candidate, annotator, name, value, low, high, imported)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
            )?,
            add_vote: tx.prepare(
                "INSERT OR IGNORE INTO votes
                 (a, b, annotator, axis, choice, count_a, count_b, confidence, simulated, imported)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
            )?,
            add_image: tx.prepare("INSERT OR IGNORE INTO images (path) VALUES (?1)")?,
            find_image: tx.prepare("SELECT id FROM images WHERE path = ?1")?,
            hash_image: tx.prepare(
                "UPDATE images SET hash = ?2, size = ?3, mtime = ?4 WHERE id = ?1",
            )?,
            candidates_of: tx.prepare(
                "SELECT c.id, c.key, c.editor, i.path, i.hash FROM candidates c JOIN images i ON i.id = c.image
                 WHERE c.group_id = ?1 ORDER BY c.position",
            )?,
            find_label: tx.prepare(
                "SELECT score FROM labels WHERE candidate = ?1 AND annotator = ?2 AND axis = ?3",
            )?,
            find_rating: tx.prepare(
                "SELECT value FROM ratings WHERE candidate = ?1 AND annotator = ?2 AND name = ?3",
            )?,
            find_vote: tx.prepare(
                "SELECT choice FROM votes WHERE a = ?1 AND b = ?2 AND annotator = ?3 AND axis = ?4",
            )?,
        })
    }

    /// Stores a record that was examined.
    pub(super) fn take(&mut self, mut record: GroupRecord) -> Result<(), Fault> {
        self.look_for_images(&record);
        if self.copy {
            self.take_images(&mut record);
        }
        if self.whole {
            self.take_whole(&record)
        } else {
            self.merge(&record)
        }
    }

    /// Brings what is derived from the batch in step with it.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let changed = std::mem::take(&mut self.changed);
        if !self.whole {
            self.settle(&changed)?;
        }
        refresh(self.tx, &changed)
    }

    pub(super) fn insert_candidate(
        &mut self,
        group: i64,
        position: usize,
        key: &str,
        candidate: &CandidateRecord,
    ) -> Result<i64, Fault> {
        let image = self.image(&candidate.image, candidate.hash.as_deref())?;
        self.add_candidate.execute(params![
            group,
            sql(position),
            key,
            image,
            candidate.editor,
            candidate.seed.map(u64::cast_signed),
            candidate.fault
        ])?;
        self.memory.report.candidates += 1;
        Ok(self.tx.last_insert_rowid())
    }

    /// How many were added.
    pub(super) fn insert_labels(
        &mut self,
        candidate: i64,
        labels: &[Label],
    ) -> Result<usize, Fault> {
        let mut added = 0;
        for label in labels {
            added += self.insert_label(candidate, &label.annotator, label)?;
        }
        Ok(added)
    }

    /// Under a name that need not be the label's own.
    pub(super) fn insert_label(
        &mut self,
        candidate: i64,
        annotator: &str,
        label: &Label,
    ) -> Result<usize, Fault> {
        let annotator = self.annotator(annotator)?;
        let (axis, score, simulated) = (label.axis.key(), label.score, label.simulated);
        Ok(self
            .add_label
            .execute(params![candidate, annotator, axis, score, simulated])?)
    }

    pub(super) fn insert_rating(
        &mut self,
        candidate: i64,
        annotator: &str,
        rating: &Rating,
    ) -> Result<usize, Fault> {
        let annotator = self.annotator(annotator)?;
        let (low, high) = (rating.scale.map(|s| s[0]), rating.scale.map(|s| s[1]));
        Ok(self.add_rating.execute(params![
            candidate,
            annotator,
            rating.name,
            rating.value,
            low,
            high
        ])?)
    }

    /// A vote between the candidates of these numbers.
    pub(super) fn insert_vote(
        &mut self,
        (a, b): (i64, i64),
        annotator: &str,
        vote: &Vote,
    ) -> Result<usize, Fault> {
        let annotator = self.annotator(annotator)?;
        let turned = vote.clone().turned();
        let (a, b, vote) = if a < b { (a, b, vote) } else { (b, a, &turned) };
        Ok(self.add_vote.execute(params![
            a,
            b,
            annotator,
            vote_axis(vote),
            vote.choice.key(),
            vote.counts.map(|c| c[0]),
            vote.counts.map(|c| c[1]),
            vote.confidence,
            vote.simulated
        ])?)
    }

    /// The row of an image; its hash is noted where the record has it.
    pub(super) fn image(&mut self, path: &str, hash: Option<&str>) -> Result<i64, Fault> {
        if let Some(id) = self.memory.images.get(path) {
            return Ok(id);
        }
        let id = if self.add_image.execute([path])? == 1 {
            self.tx.last_insert_rowid()
        } else {
            self.find_image.query_row([path], |row| row.get(0))?
        };
        if let Some(hash) = hash
            && let Some(stamp) = self.stamp(path)
        {
            self.hash_image
                .execute(params![id, hash, stamp.size, stamp.mtime])?;
        }
        self.memory.images.keep(path, id);
        Ok(id)
    }

    fn stamp(&mut self, path: &str) -> Option<Stamp> {
        let file = CellRef::parse(path).map_or(path, |cell| cell.file);
        if let Some(stamp) = self.memory.stamps.get(file) {
            return stamp;
        }
        let stamp = Stamp::at(self.root, &ImageRef(path.to_owned()));
        self.memory.stamps.keep(file, stamp);
        stamp
    }

    pub(super) fn annotator(&mut self, name: &str) -> Result<i64, Fault> {
        if let Some(id) = self.memory.annotators.get(name) {
            return Ok(id);
        }
        let add = "INSERT OR IGNORE INTO annotators (name) VALUES (?1)";
        self.tx.execute(add, [name])?;
        let find = "SELECT id FROM annotators WHERE name = ?1";
        let id = self.tx.query_row(find, [name], |row| row.get(0))?;
        self.memory.annotators.keep(name, id);
        Ok(id)
    }

    /// The number and digest of the group of that name.
    pub(super) fn known(&mut self, key: &str) -> Result<Option<Known>, Fault> {
        let found = self
            .find_group
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// Counts the record's images that are not there.
    fn look_for_images(&mut self, record: &GroupRecord) {
        let candidates = record.candidates.iter().map(|c| &c.image);
        for path in [&record.source].into_iter().chain(candidates) {
            if path == ImageRef::NONE {
                continue;
            }
            let file = CellRef::parse(path).map_or(path.as_str(), |cell| cell.file);
            let present = self.memory.present.get(file).unwrap_or_else(|| {
                let at =
                    locate(self.root, &ImageRef(path.clone())).unwrap_or_else(|_| PathBuf::new());
                std::fs::metadata(at).is_ok_and(|m| m.is_file())
            });
            self.memory.present.keep(file, present);
            if !present {
                self.memory.missing(&record.key, path);
            }
        }
    }

    /// Copies the record's images into the workspace; what cannot be read stays where it is said to be.
    fn take_images(&mut self, record: &mut GroupRecord) {
        let candidates = record
            .candidates
            .iter_mut()
            .map(|c| (&mut c.image, &mut c.hash));
        let source = (&mut record.source, &mut record.source_hash);
        for (path, hash) in candidates.chain([source]) {
            if let Ok((copy, content)) = copies::take(self.root, path) {
                *path = copy;
                *hash = Some(content);
            }
        }
    }
}

/// The name of a vote's axis in the store.
pub(super) fn vote_axis(vote: &Vote) -> &'static str {
    vote.axis.map_or("overall", |axis| axis.key())
}
