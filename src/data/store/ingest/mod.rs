//! Taking data sets in.
//!
//! Every record is read and checked before the first is stored, so that a file with an error in its last line changes nothing.
//! Then they are stored some thousands at a time, each batch in one transaction that also notes how far the import is: a killed
//! import goes on where it was, and annotators at the same workspace never wait for long. What cannot be read twice (a pipe)
//! is stored in one transaction.

mod copies;
mod digest;
mod inputs;
mod job;
mod memory;
mod merge;
mod take;
#[cfg(test)]
mod tests;
mod whole;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, params};

use super::error::{Fault, WorkspaceError};
use super::{Workspace, lock};
use crate::data::import::{
    self, GroupRecord, GroupRecords, ImportError, ImportOptions, ImportProgress, ImportReport,
    Stage,
};

use job::Job;
use memory::Memory;
use take::Ingest;

/// Page cache of the writer while it imports, in KiB: most of the inner pages of the indexes of a million images.
const IMPORT_CACHE_KIB: i64 = 96 << 10;
/// SQLite's own choice, for all else.
const USUAL_CACHE_KIB: i64 = 2 << 10;
/// At most so many records are stored in one transaction …
const BATCH: usize = 5_000;
/// … and for no longer than this, so that others come to write.
const BATCH_TIME: Duration = Duration::from_secs(2);
/// So many wrong records are told in an error.
const TOLD: usize = 10;
/// How often progress is told, in records.
const TOLD_EVERY: u64 = 256;

/// Is told how far an import is.
type Listener<'a> = &'a mut dyn FnMut(ImportProgress);

impl Workspace {
    /// Takes in data sets; doing it twice changes nothing. Relative image paths start at `options.root`, else at the file's
    /// folder. Images that are missing are listed and hinder nothing.
    ///
    /// A record that is wrong is an error, and nothing is stored, unless they are to be left out.
    pub fn import(
        &self,
        paths: &[PathBuf],
        options: &ImportOptions,
        progress: Listener<'_>,
    ) -> Result<ImportReport, WorkspaceError> {
        let inputs = inputs::expanded(paths, options)?;
        let jobs = inputs
            .iter()
            .map(|input| Job::new(self.root(), &input.path, input.folder.as_deref(), options));
        let jobs = jobs.collect::<Result<Vec<_>, ImportError>>()?;
        let mut memory = Memory::default();
        if let Some(first) = jobs.first() {
            first.format.name.clone_into(&mut memory.report.format);
        }
        check(&jobs, &mut memory, progress)?;
        self.cache(IMPORT_CACHE_KIB);
        let mut told = Telling::new(Stage::Storing, progress);
        let mut jobs = jobs.iter();
        let stored = jobs.try_for_each(|job| self.store(job, &mut memory, &mut told));
        self.cache(USUAL_CACHE_KIB);
        stored.map(|()| memory.into_report())
    }

    /// Takes in erw's own JSONL, whatever the file is called. Relative paths start at its folder.
    pub fn import_jsonl(&self, file: &Path) -> Result<ImportReport, WorkspaceError> {
        let options = ImportOptions {
            format: Some(import::OWN.name.to_owned()),
            ..ImportOptions::default()
        };
        self.import(&[file.to_path_buf()], &options, &mut |_| {})
    }

    fn store(
        &self,
        job: &Job<'_>,
        memory: &mut Memory,
        told: &mut Telling<'_>,
    ) -> Result<(), WorkspaceError> {
        let id = job.id();
        let before = match &id {
            Some(id) => self.read(|db| {
                let mut select = db.prepare("SELECT done FROM imports WHERE id = ?1")?;
                let done = select
                    .query_row([id], |row| row.get::<_, i64>(0))
                    .optional()?;
                Ok(done.map_or(0, i64::cast_unsigned))
            })?,
            None => 0,
        };
        let mut records = job.open(before, true)?;
        let mut done = before;
        loop {
            let ended = self.write(|tx| {
                let mut ingest = Ingest::new(tx, self.root(), job, memory)?;
                let ended = batch(job, &mut records, &mut ingest, &mut done, told)?;
                ingest.finish()?;
                match &id {
                    Some(id) if ended => {
                        tx.execute("DELETE FROM imports WHERE id = ?1", [id])?;
                    }
                    Some(id) => {
                        tx.execute(
                            "INSERT OR REPLACE INTO imports (id, done) VALUES (?1, ?2)",
                            params![id, done.cast_signed()],
                        )?;
                    }
                    None => {}
                }
                Ok(ended)
            })?;
            if ended {
                told.passed(&records);
                return Ok(());
            }
        }
    }

    /// Sets the writer's page cache and gives back what is no longer in use: a matter of speed and room alone, so nothing is
    /// made of a failure.
    fn cache(&self, kib: i64) {
        let writer = lock(&self.inner.writer);
        let _ = writer.pragma_update(None, "cache_size", -kib);
        let _ = writer.execute_batch("PRAGMA shrink_memory");
    }
}

/// Reads every record of what can be read twice, and refuses all if any is wrong.
fn check(jobs: &[Job<'_>], memory: &mut Memory, progress: Listener<'_>) -> Result<(), ImportError> {
    let (mut wrong, mut more) = (Vec::new(), 0);
    let mut told = Telling::new(Stage::Checking, progress);
    for job in jobs.iter().filter(|job| job.rereadable) {
        let mut records = job.open(0, false)?;
        while let Some(record) = records.next() {
            told.tell(&records);
            let Err(error) = examined(job, record, memory) else {
                continue;
            };
            let text = error.to_string();
            if job.options.skip_bad && !error.ends() {
                memory.left_out(text);
            } else if wrong.len() < TOLD {
                wrong.push(text);
            } else {
                more += 1;
            }
        }
        told.passed(&records);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(ImportError::Refused { first: wrong, more })
}

/// A record that can be stored; in a whole format its name is its own.
fn examined(
    job: &Job<'_>,
    record: Result<GroupRecord, ImportError>,
    memory: &mut Memory,
) -> Result<GroupRecord, ImportError> {
    let record = job.examined(record)?;
    if job.format.whole {
        memory.unique(&record)?;
    }
    Ok(record)
}

/// Stores a batch; whether that was the last.
fn batch(
    job: &Job<'_>,
    records: &mut GroupRecords,
    ingest: &mut Ingest<'_>,
    done: &mut u64,
    told: &mut Telling<'_>,
) -> Result<bool, Fault> {
    let began = Instant::now();
    for taken in 0.. {
        if job.rereadable && (taken >= BATCH || began.elapsed() >= BATCH_TIME) {
            return Ok(false);
        }
        let Some(record) = records.next() else {
            break;
        };
        *done += 1;
        told.tell(records);
        match examined(job, record, ingest.memory) {
            Ok(record) => ingest.take(record)?,
            // Those of files were told when they were checked.
            Err(error) if job.options.skip_bad && !error.ends() => {
                if !job.rereadable {
                    ingest.memory.left_out(error.to_string());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Progress over several files, one stage of an import.
struct Telling<'a> {
    stage: Stage,
    /// The sizes of the files behind, and the records of them.
    before: u64,
    records: u64,
    progress: Listener<'a>,
}

impl<'a> Telling<'a> {
    fn new(stage: Stage, progress: Listener<'a>) -> Self {
        Self {
            stage,
            before: 0,
            records: 0,
            progress,
        }
    }

    /// One record more of the file at hand.
    fn tell(&mut self, records: &GroupRecords) {
        self.records += 1;
        if self.records.is_multiple_of(TOLD_EVERY) {
            // How large the files to come are is not known before they are opened.
            (self.progress)(ImportProgress {
                stage: self.stage,
                done: self.before + records.behind(),
                total: self.before + records.total(),
                records: self.records,
            });
        }
    }

    /// The file at hand is behind.
    fn passed(&mut self, records: &GroupRecords) {
        self.before += records.total();
    }
}
