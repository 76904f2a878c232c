//! The workspace store: one SQLite file in the folder `.erw`, beside images that stay where they are.
//!
//! One writer at a time, in transactions that are on the disk when they return; any number of readers, each on its own
//! connection and a snapshot of its own, which no writer holds up (write-ahead log). The log needs shared memory, so processes
//! on one machine can share a workspace, and machines over a network drive cannot write it at the same time.

mod error;
mod groups;
mod hashes;
mod ingest;
mod journal;
mod looks;
mod made;
mod matching;
mod measures;
mod places;
mod pool;
mod schema;
mod scores;
mod selections;
#[cfg(test)]
pub(crate) mod speed;
mod survey;
mod tags;
mod verdicts;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use error::WorkspaceError;
pub use hashes::GroupHashes;
pub use journal::{Remark, Said, Undone};
pub use looks::Look;
pub use made::{Added, GroupOutline, NewCandidate};
pub use matching::{Match, needs};
pub use pool::PoolRow;
pub use scores::{ScoredGroup, StoredModel};
pub use selections::{NewSelection, Selection, SpotCheck};
pub(super) use survey::{Survey, SurveyedGroup, SurveyedImage};
pub use verdicts::Verdict;

use error::Fault;

use super::demo::DemoFacts;

/// The folder in a workspace's root that is erw's own.
const FOLDER: &str = ".erw";
/// The database in it.
const FILE: &str = "workspace.sqlite";
/// How long a writer waits for another process: longer than the import of a million groups.
const PATIENCE: Duration = Duration::from_mins(5);
/// Idle read connections kept open; more are made when more threads read at once.
const IDLE_READERS: usize = 4;

/// An open workspace: cheap to clone, usable from every thread. One writer; readers never blocked (WAL).
#[derive(Debug, Clone)]
pub struct Workspace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    database: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    demo: Option<DemoFacts>,
}

impl Workspace {
    /// Opens the workspace in `dir` (the folder that holds `.erw/`).
    pub fn open(dir: &Path) -> Result<Self, WorkspaceError> {
        if !Self::is_here(dir) {
            return Err(WorkspaceError::NotHere {
                dir: dir.to_path_buf(),
            });
        }
        Self::connect(dir, None)
    }

    /// Makes an empty workspace in `dir` (and `dir`), or opens the one there.
    pub fn create(dir: &Path) -> Result<Self, WorkspaceError> {
        Self::create_as(dir, None)
    }

    /// Whether `dir` itself holds a workspace.
    pub fn is_here(dir: &Path) -> bool {
        dir.join(FOLDER).join(FILE).is_file()
    }

    /// The nearest folder that holds a workspace: `start` or one above it.
    pub fn find(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        start
            .ancestors()
            .find(|dir| Self::is_here(dir))
            .map(Path::to_path_buf)
    }

    /// The folder that relative image paths start from: absolute, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Whether this is the demo.
    pub fn is_demo(&self) -> bool {
        self.inner.demo.is_some()
    }

    /// What the user should know of the demo: that it could not be kept, and why. `None` when all is well.
    pub fn demo_notice(&self) -> Option<&str> {
        self.inner.demo.as_ref()?.notice.as_deref()
    }

    /// The model dir that came with the workspace (the demo's), if any.
    pub fn own_model(&self) -> Option<PathBuf> {
        self.inner.demo.as_ref()?;
        let dir = self.root().join("model");
        dir.is_dir().then_some(dir)
    }

    pub(super) fn create_as(dir: &Path, demo: Option<DemoFacts>) -> Result<Self, WorkspaceError> {
        let folder = dir.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|why| WorkspaceError::Files {
            what: "create",
            path: folder,
            why,
        })?;
        Self::connect(dir, demo)
    }

    fn connect(dir: &Path, demo: Option<DemoFacts>) -> Result<Self, WorkspaceError> {
        let root = dir.canonicalize().map_err(|why| WorkspaceError::Files {
            what: "open",
            path: dir.to_path_buf(),
            why,
        })?;
        let database = root.join(FOLDER).join(FILE);
        let writer = open_writer(&database).map_err(|fault| fault.at(&database))?;
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                database,
                readers: Mutex::default(),
                writer: Mutex::new(writer),
                demo,
            }),
        })
    }

    /// Runs `work` on one snapshot of the database, on a connection that no one else uses meanwhile.
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, WorkspaceError> {
        let idle = lock(&self.inner.readers).pop();
        let path = &self.inner.database;
        let run = || {
            let mut connection = match idle {
                Some(connection) => connection,
                None => open_reader(path)?,
            };
            let snapshot = connection.transaction()?;
            let result = work(&snapshot)?;
            snapshot.finish()?;
            let mut readers = lock(&self.inner.readers);
            if readers.len() < IDLE_READERS {
                readers.push(connection);
            }
            Ok(result)
        };
        run().map_err(|fault: Fault| fault.at(path))
    }

    /// Runs `work` in the one write transaction: all of it is stored, or on an error nothing.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, WorkspaceError> {
        let mut writer = lock(&self.inner.writer);
        let run = || {
            let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&tx)?;
            tx.commit()?;
            Ok(result)
        };
        run().map_err(|fault: Fault| fault.at(&self.inner.database))
    }
}

/// A panic elsewhere rolled its transaction back, so what a poisoned lock guards is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number of things as SQLite has it.
fn sql(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of things that SQLite counted.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn open_writer(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // Before anything is changed, the journal mode included.
    schema::inspect(&connection, path, schema::STEPS)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // FULL: a commit is on the disk when it returns, so that not even a power cut loses a label.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;",
    )?;
    schema::migrate(&mut connection, path, schema::STEPS)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Readers wait for nothing but the moment in which a log is restarted.
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192;")?;
    Ok(connection)
}
