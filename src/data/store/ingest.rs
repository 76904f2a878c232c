//! Taking records in: new groups stored, known ones compared by a digest, changed ones brought up to date. All of a file in one
//! transaction, so that an error at its last line, or a crash at any instant, leaves the workspace as it was.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Statement, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::groups::GroupReader;
use super::places::Places;
use super::scores::{first_half, refresh};
use super::{Workspace, lock, sql};
use crate::data::images::locate;
use crate::data::import::{self, CandidateRecord, Format, ImportError, ImportReport, Record};
use crate::domain::{Candidate, CandidateId, GroupId, ImageRef, Label, agreement};

/// Page cache of the writer while it imports, in KiB: most of the inner pages of the indexes of a million images.
const IMPORT_CACHE_KIB: i64 = 96 << 10;
/// SQLite's own choice, for all else.
const USUAL_CACHE_KIB: i64 = 2 << 10;
/// Paths whose row and presence are remembered; a source is usually shared by neighbours, so few are enough.
const REMEMBERED: usize = 50_000;

impl Workspace {
    /// Takes in a file of any known format, told by its name; importing twice changes nothing. Relative paths start at the
    /// file's folder. Images that are missing are listed and hinder nothing.
    pub fn import(&self, file: &Path) -> Result<ImportReport, WorkspaceError> {
        self.import_as(import::format_of(file)?, file)
    }

    /// Takes in erw's own JSONL, whatever the file is called; importing twice changes nothing. Relative paths start at the
    /// file's folder.
    pub fn import_jsonl(&self, file: &Path) -> Result<ImportReport, WorkspaceError> {
        self.import_as(import::OWN, file)
    }

    /// Takes in a file of a given format. A group that is there already and differs is made what the file says: its scores
    /// stay with the contents they belong to, and labels given in the program stay with the candidates that remain.
    pub fn import_as(&self, format: &Format, file: &Path) -> Result<ImportReport, WorkspaceError> {
        let records = (format.open)(file)?;
        let places = Places::new(self.root(), file).map_err(|why| ImportError::Unreadable {
            file: file.to_path_buf(),
            why,
        })?;
        self.cache(IMPORT_CACHE_KIB);
        let report = self.write(|tx| {
            let mut ingest = Ingest::new(tx, self.root(), &places, file)?;
            for record in records {
                ingest.take(record?)?;
            }
            Ok(ingest.report)
        });
        self.cache(USUAL_CACHE_KIB);
        report
    }

    /// Sets the writer's page cache and gives back what is no longer in use: a matter of speed and room alone, so nothing is
    /// made of a failure.
    fn cache(&self, kib: i64) {
        let writer = lock(&self.inner.writer);
        let _ = writer.pragma_update(None, "cache_size", -kib);
        let _ = writer.execute_batch("PRAGMA shrink_memory");
    }
}

/// One import under way: its statements, prepared once, and what it remembers.
struct Ingest<'a> {
    tx: &'a Transaction<'a>,
    root: &'a Path,
    places: &'a Places,
    file: &'a Path,
    report: ImportReport,
    /// The keys met so far, hashed, with their lines.
    keys: HashMap<[u8; 16], usize>,
    present: HashMap<String, bool>,
    images: HashMap<String, i64>,
    annotators: HashMap<String, i64>,
    find_group: Statement<'a>,
    add_group: Statement<'a>,
    add_candidate: Statement<'a>,
    add_label: Statement<'a>,
    add_image: Statement<'a>,
    find_image: Statement<'a>,
}

impl<'a> Ingest<'a> {
    fn new(
        tx: &'a Transaction<'a>,
        root: &'a Path,
        places: &'a Places,
        file: &'a Path,
    ) -> Result<Self, Fault> {
        Ok(Self {
            tx,
            root,
            places,
            file,
            report: ImportReport::default(),
            keys: HashMap::new(),
            present: HashMap::new(),
            images: HashMap::new(),
            annotators: HashMap::new(),
            find_group: tx.prepare("SELECT id, digest FROM groups WHERE key = ?1")?,
            add_group: tx.prepare(
                "INSERT INTO groups (key, source, instruction, category, candidates, agreement, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            add_candidate: tx.prepare(
                "INSERT INTO candidates (group_id, position, key, image, editor, seed, fault)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            // A label given in the program under the same name stays: it is the annotator's later word.
            add_label: tx.prepare(
                "INSERT OR IGNORE INTO labels (candidate, annotator, axis, score, simulated, imported)
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            )?,
            add_image: tx.prepare("INSERT OR IGNORE INTO images (path) VALUES (?1)")?,
            find_image: tx.prepare("SELECT id FROM images WHERE path = ?1")?,
        })
    }

    fn take(&mut self, mut record: Record) -> Result<(), Fault> {
        let line = record.line;
        let wrong = |file: &Path, what| ImportError::Wrong {
            file: file.to_path_buf(),
            line,
            what,
        };
        let key = first_half(*blake3::hash(record.key.as_bytes()).as_bytes());
        if let Some(first) = self.keys.insert(key, line) {
            let what = format!("the id '{}' was used on line {first} already", record.key);
            return Err(wrong(self.file, what).into());
        }
        let places = self.places;
        let paths = record.candidates.iter_mut().map(|c| &mut c.image);
        for path in paths.chain([&mut record.source]) {
            *path = places.stored(path).map_err(|what| wrong(self.file, what))?;
        }
        self.look_for_images(&record);
        let digest = digest(&record);
        let known: Option<(i64, Option<Vec<u8>>)> = self
            .find_group
            .query_row([&record.key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match known {
            None => self.add(record, &digest),
            Some((_, Some(old))) if old == digest => {
                self.report.unchanged += 1;
                Ok(())
            }
            Some((id, _)) => self.update(id, &record, &digest),
        }
    }

    fn add(&mut self, record: Record, digest: &[u8]) -> Result<(), Fault> {
        let source = self.image(&record.source)?;
        let candidates: Vec<Candidate> = record.candidates.into_iter().map(candidate).collect();
        self.add_group.execute(params![
            record.key,
            source,
            record.instruction,
            record.category,
            sql(candidates.len()),
            agreement(&candidates),
            digest
        ])?;
        let group = self.tx.last_insert_rowid();
        for (position, candidate) in candidates.iter().enumerate() {
            let id = self.insert_candidate(group, position, candidate)?;
            self.report.labels += self.insert_labels(id, &candidate.labels)?;
        }
        self.report.groups += 1;
        Ok(())
    }

    /// Makes a stored group what the record says. Candidates are the same if their names are.
    fn update(&mut self, group: i64, record: &Record, digest: &[u8]) -> Result<(), Fault> {
        let tx = self.tx;
        let stored = GroupReader::new(tx)?.candidates(GroupId(group))?;
        let source = self.image(&record.source)?;
        for old in &stored {
            if record.candidates.iter().all(|new| new.key != old.key) {
                tx.execute("DELETE FROM candidates WHERE id = ?1", [old.id.0])?;
            }
        }
        for (position, new) in record.candidates.iter().enumerate() {
            let new = candidate(new.clone());
            let Some(old) = stored.iter().find(|old| old.key == new.key) else {
                let id = self.insert_candidate(group, position, &new)?;
                self.report.labels += self.insert_labels(id, &new.labels)?;
                continue;
            };
            let image = self.image(&new.image.0)?;
            tx.execute(
                "UPDATE candidates SET position = ?2, image = ?3, editor = ?4, seed = ?5, fault = ?6 WHERE id = ?1",
                params![old.id.0, sql(position), image, new.editor, new.seed.map(u64::cast_signed), new.fault],
            )?;
            tx.execute(
                "DELETE FROM labels WHERE candidate = ?1 AND imported = 1",
                [old.id.0],
            )?;
            self.insert_labels(old.id.0, &new.labels)?;
            let had: HashSet<_> = old.labels.iter().map(|l| (&l.annotator, l.axis)).collect();
            let fresh = |l: &&Label| !had.contains(&(&l.annotator, l.axis));
            self.report.labels += new.labels.iter().filter(fresh).count();
        }
        // From what is stored now, since labels given in the program count too.
        let agreement = agreement(&GroupReader::new(tx)?.candidates(GroupId(group))?);
        tx.execute(
            "UPDATE groups SET source = ?2, instruction = ?3, category = ?4, candidates = ?5, agreement = ?6, digest = ?7
             WHERE id = ?1",
            params![
                group,
                source,
                record.instruction,
                record.category,
                sql(record.candidates.len()),
                agreement,
                digest
            ],
        )?;
        refresh(tx, &BTreeSet::from([group]))?;
        self.report.updated += 1;
        Ok(())
    }

    fn insert_candidate(
        &mut self,
        group: i64,
        position: usize,
        candidate: &Candidate,
    ) -> Result<i64, Fault> {
        let image = self.image(&candidate.image.0)?;
        self.add_candidate.execute(params![
            group,
            sql(position),
            candidate.key,
            image,
            candidate.editor,
            candidate.seed.map(u64::cast_signed),
            candidate.fault
        ])?;
        self.report.candidates += 1;
        Ok(self.tx.last_insert_rowid())
    }

    /// How many were added.
    fn insert_labels(&mut self, candidate: i64, labels: &[Label]) -> Result<usize, Fault> {
        let mut added = 0;
        for label in labels {
            let annotator = self.annotator(&label.annotator)?;
            added += self.add_label.execute(params![
                candidate,
                annotator,
                label.axis.key(),
                label.score,
                label.simulated
            ])?;
        }
        Ok(added)
    }

    fn image(&mut self, path: &str) -> Result<i64, Fault> {
        if let Some(&id) = self.images.get(path) {
            return Ok(id);
        }
        let id = if self.add_image.execute([path])? == 1 {
            self.tx.last_insert_rowid()
        } else {
            self.find_image.query_row([path], |row| row.get(0))?
        };
        remember(&mut self.images, path, id);
        Ok(id)
    }

    fn annotator(&mut self, name: &str) -> Result<i64, Fault> {
        if let Some(&id) = self.annotators.get(name) {
            return Ok(id);
        }
        self.tx.execute(
            "INSERT OR IGNORE INTO annotators (name) VALUES (?1)",
            [name],
        )?;
        let id = self
            .tx
            .query_row("SELECT id FROM annotators WHERE name = ?1", [name], |row| {
                row.get(0)
            })?;
        remember(&mut self.annotators, name, id);
        Ok(id)
    }

    /// Counts the record's images that are not there.
    fn look_for_images(&mut self, record: &Record) {
        let candidates = record.candidates.iter().map(|c| &c.image);
        for path in [&record.source].into_iter().chain(candidates) {
            let present = self.present.get(path).copied().unwrap_or_else(|| {
                let at =
                    locate(self.root, &ImageRef(path.clone())).unwrap_or_else(|_| PathBuf::new());
                std::fs::metadata(at).is_ok_and(|m| m.is_file())
            });
            remember(&mut self.present, path, present);
            if !present {
                self.report.missing += 1;
                if self.report.missing_images.len() < ImportReport::MISSING_LISTED {
                    let missing = format!("{}: {path}", record.key);
                    self.report.missing_images.push(missing);
                }
            }
        }
    }
}

/// Remembers within bounds: when full, it starts afresh.
fn remember<T>(memory: &mut HashMap<String, T>, key: &str, value: T) {
    if memory.contains_key(key) {
        return;
    }
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(key.to_owned(), value);
}

fn candidate(record: CandidateRecord) -> Candidate {
    Candidate {
        id: CandidateId(0),
        key: record.key,
        image: ImageRef(record.image),
        editor: record.editor,
        seed: record.seed,
        fault: record.fault,
        labels: record.labels,
    }
}

/// Tells two records of a group apart, paths as stored. The order of labels makes no difference, since none is stored.
fn digest(record: &Record) -> [u8; 16] {
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
        let mut labels: Vec<&Label> = candidate.labels.iter().collect();
        labels.sort_by(|a, b| (&a.annotator, a.axis).cmp(&(&b.annotator, b.axis)));
        add(&(labels.len() as u64).to_le_bytes());
        for label in labels {
            add(label.annotator.as_bytes());
            add(label.axis.key().as_bytes());
            add(&label.score.to_le_bytes());
            add(&[u8::from(label.simulated)]);
        }
    }
    first_half(*hasher.finalize().as_bytes())
}
