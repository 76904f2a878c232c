//! What an image was when it was last read: content hash, size, modification time. A hash is believed only while its file has
//! that size and time, so a changed image quietly loses its scores until it is read again; reading it brings them back if the
//! content is one that was scored before.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Statement, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::{Workspace, scores};
use crate::data::images::{ImageError, Stamp, content_hash, read_stamped};
use crate::domain::{CandidateId, GroupId, ImageRef};

/// The content hashes of a group's images, each as fresh as its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupHashes {
    /// The source's.
    pub source: Result<String, ImageError>,
    /// The candidates', in their order.
    pub candidates: Vec<(CandidateId, Result<String, ImageError>)>,
}

/// One row of images.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub id: i64,
    pub path: ImageRef,
    hash: Option<String>,
    stamp: Option<Stamp>,
}

impl Image {
    /// From the columns id, path, hash, size, mtime, beginning at `first`.
    pub(super) fn of(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let (size, mtime): (Option<i64>, Option<i64>) = (row.get(first + 3)?, row.get(first + 4)?);
        Ok(Self {
            id: row.get(first)?,
            path: ImageRef(row.get(first + 1)?),
            hash: row.get(first + 2)?,
            stamp: size.zip(mtime).map(|(size, mtime)| Stamp { size, mtime }),
        })
    }

    /// The hash, if it can be believed: the file is as it was, or cannot be looked at (what was said of it still holds).
    pub(super) fn hash(&self, root: &Path) -> Option<&str> {
        let hash = self.hash.as_deref()?;
        match Stamp::at(root, &self.path) {
            None => Some(hash),
            now => (now == self.stamp).then_some(hash),
        }
    }
}

/// A group's images.
pub(super) struct GroupImages {
    pub instruction: String,
    pub source: Image,
    pub candidates: Vec<(CandidateId, Image)>,
}

impl GroupImages {
    pub(super) fn find(db: &Connection, group: GroupId) -> Result<Self, Fault> {
        let head = db
            .query_row(
                "SELECT g.instruction, i.id, i.path, i.hash, i.size, i.mtime
                 FROM groups g JOIN images i ON i.id = g.source WHERE g.id = ?1",
                [group.0],
                |row| Ok((row.get(0)?, Image::of(row, 1)?)),
            )
            .optional()?;
        let (instruction, source) = head.ok_or(WorkspaceError::NoSuchGroup(group))?;
        let candidates = db
            .prepare(
                "SELECT c.id, i.id, i.path, i.hash, i.size, i.mtime
                 FROM candidates c JOIN images i ON i.id = c.image WHERE c.group_id = ?1 ORDER BY c.position",
            )?
            .query_map([group.0], |row| {
                Ok((CandidateId(row.get(0)?), Image::of(row, 1)?))
            })?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            instruction,
            source,
            candidates,
        })
    }
}

/// What an image turned out to be.
pub(super) struct Learned {
    pub image: i64,
    pub hash: String,
    /// `None` if the file could not be read and the hash is hearsay.
    pub stamp: Option<Stamp>,
}

impl Workspace {
    /// The content hashes of a group's images. Only files that are new or have changed are read; what is learnt is stored, and
    /// with it come back any scores of contents that were scored before, under whatever name.
    pub fn hashes(&self, group: GroupId) -> Result<GroupHashes, WorkspaceError> {
        let images = self.read(|db| GroupImages::find(db, group))?;
        let mut learned = Vec::new();
        let mut hash_of = |image: &Image| match image.hash(self.root()) {
            // A file that is missing is worth telling, even if it is known what it was.
            Some(hash) if Stamp::at(self.root(), &image.path).is_some() => Ok(hash.to_owned()),
            _ => {
                let (bytes, stamp) = read_stamped(self.root(), &image.path)?;
                let hash = content_hash(&bytes);
                learned.push(Learned {
                    image: image.id,
                    hash: hash.clone(),
                    stamp: Some(stamp),
                });
                Ok(hash)
            }
        };
        let hashes = GroupHashes {
            source: hash_of(&images.source),
            candidates: images
                .candidates
                .iter()
                .map(|(id, image)| (*id, hash_of(image)))
                .collect(),
        };
        if !learned.is_empty() {
            self.write(|tx| {
                let mut groups = BTreeSet::new();
                record(tx, &learned, &mut groups)?;
                scores::refresh(tx, &groups)
            })?;
        }
        Ok(hashes)
    }

    /// What tells the source image of a group from all others: the hash of its content where that is known, else its path. With
    /// `read`, a source that is new or has changed is read first, so that the path stands only for one that cannot be read.
    /// `None` where there is no such group.
    pub fn source_key(&self, group: GroupId, read: bool) -> Result<Option<String>, WorkspaceError> {
        let images = match self.read(|db| GroupImages::find(db, group)) {
            Ok(images) => images,
            Err(WorkspaceError::NoSuchGroup(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let source = &images.source;
        if let Some(hash) = source.hash(self.root()) {
            return Ok(Some(hash.to_owned()));
        }
        let Some(Ok((bytes, stamp))) = read.then(|| read_stamped(self.root(), &source.path)) else {
            return Ok(Some(source.path.0.clone()));
        };
        let learned = Learned {
            image: source.id,
            hash: content_hash(&bytes),
            stamp: Some(stamp),
        };
        let key = learned.hash.clone();
        self.write(|tx| {
            let mut groups = BTreeSet::new();
            record(tx, &[learned], &mut groups)?;
            scores::refresh(tx, &groups)
        })?;
        Ok(Some(key))
    }

    /// Looks at every image that was ever read and forgets the hashes of those that have changed, so that no list shows their
    /// scores; tells how many. For a thread of its own: it looks at hundreds of thousands of files a second at best.
    pub fn forget_changed_images(&self) -> Result<usize, WorkspaceError> {
        let (mut forgotten, mut after) = (0, i64::MIN);
        loop {
            let page = self.read(|db| {
                let mut select = db.prepare(
                    "SELECT id, path, hash, size, mtime FROM images
                     WHERE id > ?1 AND hash IS NOT NULL ORDER BY id LIMIT 10000",
                )?;
                let rows = select.query_map([after], |row| Image::of(row, 0))?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })?;
            let Some(last) = page.last() else {
                return Ok(forgotten);
            };
            after = last.id;
            let changed: Vec<i64> = page
                .iter()
                .filter(|image| image.hash(self.root()).is_none())
                .map(|image| image.id)
                .collect();
            if changed.is_empty() {
                continue;
            }
            forgotten += changed.len();
            self.write(|tx| {
                let mut groups = BTreeSet::new();
                let mut forget = tx.prepare(
                    "UPDATE images SET hash = NULL, size = NULL, mtime = NULL WHERE id = ?1",
                )?;
                for &image in &changed {
                    forget.execute([image])?;
                    users(tx, image, &mut groups)?;
                }
                scores::refresh(tx, &groups)
            })?;
        }
    }
}

/// Stores what was learnt, and adds the groups whose shown scores it may change.
pub(super) fn record(
    tx: &Transaction<'_>,
    learned: &[Learned],
    groups: &mut BTreeSet<i64>,
) -> Result<(), Fault> {
    for Learned { image, hash, stamp } in learned {
        let old: Option<String> =
            tx.query_row("SELECT hash FROM images WHERE id = ?1", [image], |row| {
                row.get(0)
            })?;
        tx.execute(
            "UPDATE images SET hash = ?2, size = ?3, mtime = ?4 WHERE id = ?1",
            params![image, hash, stamp.map(|s| s.size), stamp.map(|s| s.mtime)],
        )?;
        if old.as_ref() != Some(hash) {
            users(tx, *image, groups)?;
        }
    }
    Ok(())
}

/// Adds the groups that use an image.
fn users(db: &Connection, image: i64, groups: &mut BTreeSet<i64>) -> Result<(), Fault> {
    let mut select = db.prepare(
        "SELECT id FROM groups WHERE source = ?1 UNION SELECT group_id FROM candidates WHERE image = ?1",
    )?;
    for group in select.query_map([image], |row| row.get(0))? {
        groups.insert(group?);
    }
    Ok(())
}

/// The number of a model's fingerprint, if anything was ever stored under it.
pub(super) fn model_id(db: &Connection, fingerprint: &str) -> Result<Option<i64>, Fault> {
    Ok(db
        .query_row(
            "SELECT id FROM models WHERE fingerprint = ?1",
            [fingerprint],
            |row| row.get(0),
        )
        .optional()?)
}

/// Which of a group's images are what they were when they were scored.
pub(super) struct Unchanged {
    pub source: bool,
    pub candidates: Vec<bool>,
}

/// A look at the files of many groups, each file once, with an end to it: on a network drive each look may take a millisecond.
pub(super) struct FilesChecked<'a> {
    root: &'a Path,
    select: Statement<'a>,
    seen: HashMap<i64, bool>,
}

impl<'a> FilesChecked<'a> {
    /// The most files that are looked at: a page of 200 groups with nine candidates each.
    const MOST: usize = 2000;

    pub(super) fn new(root: &'a Path, db: &'a Connection) -> Result<Self, Fault> {
        let select = db.prepare(
            "SELECT -1 AS position, i.id, i.path, i.hash, i.size, i.mtime
             FROM groups g JOIN images i ON i.id = g.source WHERE g.id = ?1
             UNION ALL
             SELECT c.position, i.id, i.path, i.hash, i.size, i.mtime
             FROM candidates c JOIN images i ON i.id = c.image WHERE c.group_id = ?1
             ORDER BY position",
        )?;
        Ok(Self {
            root,
            select,
            seen: HashMap::new(),
        })
    }

    /// `None` once enough files have been looked at.
    pub(super) fn of_group(&mut self, group: GroupId) -> Result<Option<Unchanged>, Fault> {
        if self.seen.len() >= Self::MOST {
            return Ok(None);
        }
        let mut rows = self.select.query([group.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = row.get(1)?;
            let unchanged = match self.seen.get(&id) {
                Some(&unchanged) => unchanged,
                None => Image::of(row, 1)?.hash(self.root).is_some(),
            };
            self.seen.insert(id, unchanged);
            found.push(unchanged);
        }
        Ok((!found.is_empty()).then(|| Unchanged {
            source: found.remove(0),
            candidates: found,
        }))
    }
}
