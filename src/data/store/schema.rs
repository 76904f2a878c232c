//! The schema and its history: one file a step, applied in order, each database saying in `user_version` how many it has had.
//!
//! A step is never edited after its release and never undone: an older program refuses what a newer one wrote.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::{Fault, WorkspaceError};

/// The steps from an empty database to the newest schema.
pub(super) const STEPS: &[&str] = &[
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
    include_str!("v4.sql"),
];

/// "erw1": marks the file as ours.
const APPLICATION: i64 = 0x6572_7731;

/// Refuses the databases of others and of newer programs, without changing them; tells how many steps this one has had.
pub(super) fn inspect(
    connection: &Connection,
    path: &Path,
    steps: &[&str],
) -> Result<usize, Fault> {
    let read = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = read("PRAGMA user_version")?;
    let ours = read("PRAGMA application_id")? == APPLICATION;
    let new = version == 0 && read("SELECT count(*) FROM sqlite_schema")? == 0;
    if !ours && !new {
        return Err(Fault::Ours(WorkspaceError::Foreign {
            path: path.to_path_buf(),
        }));
    }
    match usize::try_from(version) {
        Ok(done) if done <= steps.len() => Ok(done),
        _ => Err(Fault::Ours(WorkspaceError::Newer {
            path: path.to_path_buf(),
            found: version,
            known: i64::try_from(steps.len()).unwrap_or(i64::MAX),
        })),
    }
}

/// Brings the database to the newest schema, in one transaction: after a crash it is the old one or the new one.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<(), Fault> {
    if inspect(connection, path, steps)? == steps.len() {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Again, now that nobody else can write: another process may have been faster.
    let done = inspect(&tx, path, steps)?;
    for step in &steps[done..] {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(
        None,
        "user_version",
        i64::try_from(steps.len()).unwrap_or(i64::MAX),
    )?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str =
        "PRAGMA application_id = 0x65727731; CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (7);";
    const NEXT: &str = "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 1;";

    fn migrate_to(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
        migrate(connection, Path::new("x.sqlite"), steps)
    }

    fn version(connection: &Connection) -> i64 {
        connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn an_older_database_is_brought_up_and_keeps_its_rows() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_to(&mut db, &[OLD]).unwrap();
        assert_eq!(version(&db), 1);
        migrate_to(&mut db, &[OLD, NEXT]).unwrap();
        assert_eq!(version(&db), 2);
        let row = db.query_row("SELECT a, b FROM t", [], |r| Ok((r.get(0)?, r.get(1)?)));
        assert_eq!(row, Ok((7_i64, 1_i64)));
        migrate_to(&mut db, &[OLD, NEXT]).unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_the_older_database_as_it_was() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_to(&mut db, &[OLD]).unwrap();
        let broken = "DELETE FROM t; ALTER TABLE nowhere ADD COLUMN c;";
        assert!(migrate_to(&mut db, &[OLD, NEXT, broken]).is_err());
        assert_eq!(version(&db), 1);
        let count: i64 = db
            .query_row("SELECT count(*) FROM t", [], |r| r.get(0))
            .unwrap();
        assert_eq!(count, 1);
        assert!(db.prepare("SELECT b FROM t").is_err());
    }

    #[test]
    fn a_newer_database_is_refused_with_both_numbers() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_to(&mut db, &[OLD, NEXT]).unwrap();
        let error = migrate_to(&mut db, &[OLD]).unwrap_err();
        let text = error.at(Path::new("x.sqlite")).to_string();
        assert!(
            text.contains("schema is 2") && text.contains("up to 1"),
            "{text}"
        );
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE theirs (a)").unwrap();
        let error = migrate_to(&mut db, STEPS).unwrap_err();
        assert!(matches!(error, Fault::Ours(WorkspaceError::Foreign { .. })));
        assert_eq!(version(&db), 0);
    }
}
