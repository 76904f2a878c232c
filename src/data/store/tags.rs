//! Words that people put on candidates, and selections of candidates that they want to come back to.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::{Workspace, count};
use crate::domain::{CandidateId, GroupId};

/// The longest tag or name of a selection, in letters.
const LONGEST: usize = 100;

/// Candidates that somebody put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Its name.
    pub name: String,
    /// How it came about, in words: a filter, a range of a plot.
    pub origin: String,
    /// When it was saved, in milliseconds since 1970.
    pub at: i64,
    /// How many candidates it has.
    pub candidates: usize,
}

impl Workspace {
    /// Puts a tag on a candidate, or takes it off; whether that changed anything.
    pub fn tag(&self, candidate: CandidateId, tag: &str, on: bool) -> Result<bool, WorkspaceError> {
        let tag = checked("a tag", tag)?;
        self.write(|tx| {
            if !on {
                let sql = "DELETE FROM tags WHERE candidate = ?1 AND tag = ?2";
                return Ok(tx.execute(sql, params![candidate.0, tag])? > 0);
            }
            exists(tx, candidate)?;
            let sql = "INSERT OR IGNORE INTO tags (candidate, tag) VALUES (?1, ?2)";
            Ok(tx.execute(sql, params![candidate.0, tag])? > 0)
        })
    }

    /// The tags of a group's candidates, by candidate in their order, then alphabetically.
    pub fn tags(&self, group: GroupId) -> Result<Vec<(CandidateId, String)>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(
                "SELECT t.candidate, t.tag FROM candidates c JOIN tags t ON t.candidate = c.id
                 WHERE c.group_id = ?1 ORDER BY c.position, t.tag",
            )?;
            let rows =
                select.query_map([group.0], |row| Ok((CandidateId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All tags, alphabetically, each with how many candidates have it.
    pub fn all_tags(&self) -> Result<Vec<(String, usize)>, WorkspaceError> {
        self.read(|db| {
            let mut select =
                db.prepare("SELECT tag, count(*) FROM tags GROUP BY tag ORDER BY tag")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Saves candidates under a name, in place of what had it; `at` is in milliseconds since 1970.
    pub fn save_selection(
        &self,
        name: &str,
        origin: &str,
        at: i64,
        candidates: &[CandidateId],
    ) -> Result<(), WorkspaceError> {
        let name = checked("a selection's name", name)?;
        self.write(|tx| {
            tx.execute("DELETE FROM selections WHERE name = ?1", [name])?;
            tx.execute(
                "INSERT INTO selections (name, origin, at) VALUES (?1, ?2, ?3)",
                params![name, origin, at],
            )?;
            let id = tx.last_insert_rowid();
            let mut insert = tx
                .prepare("INSERT OR IGNORE INTO selected (selection, candidate) VALUES (?1, ?2)")?;
            for candidate in candidates {
                exists(tx, *candidate)?;
                insert.execute([id, candidate.0])?;
            }
            Ok(())
        })
    }

    /// All selections, the newest first.
    pub fn selections(&self) -> Result<Vec<Selection>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(
                "SELECT s.name, s.origin, s.at, (SELECT count(*) FROM selected d WHERE d.selection = s.id)
                 FROM selections s ORDER BY s.at DESC, s.id DESC",
            )?;
            let rows = select.query_map([], |row| {
                Ok(Selection {
                    name: row.get(0)?,
                    origin: row.get(1)?,
                    at: row.get(2)?,
                    candidates: count(row.get(3)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The candidates of a selection with their groups, in the order of import; `None` if there is none of that name.
    pub fn selected(
        &self,
        name: &str,
    ) -> Result<Option<Vec<(GroupId, CandidateId)>>, WorkspaceError> {
        self.read(|db| {
            let id: Option<i64> = db
                .query_row("SELECT id FROM selections WHERE name = ?1", [name], |row| {
                    row.get(0)
                })
                .optional()?;
            let Some(id) = id else { return Ok(None) };
            let mut select = db.prepare(
                "SELECT c.group_id, c.id FROM selected s JOIN candidates c ON c.id = s.candidate
                 WHERE s.selection = ?1 ORDER BY c.group_id, c.position",
            )?;
            let rows = select.query_map([id], |row| {
                Ok((GroupId(row.get(0)?), CandidateId(row.get(1)?)))
            })?;
            Ok(Some(rows.collect::<Result<_, _>>()?))
        })
    }

    /// Forgets a selection; whether there was one. Its candidates stay.
    pub fn remove_selection(&self, name: &str) -> Result<bool, WorkspaceError> {
        self.write(|tx| Ok(tx.execute("DELETE FROM selections WHERE name = ?1", [name])? > 0))
    }
}

/// A name without the spaces around it, if it is one.
fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, WorkspaceError> {
    let name = name.trim();
    let wrong = if name.is_empty() {
        "is empty".to_owned()
    } else if name.chars().count() > LONGEST {
        format!("has more than {LONGEST} letters")
    } else if name.chars().any(char::is_control) {
        "has control characters in it".to_owned()
    } else {
        return Ok(name);
    };
    Err(WorkspaceError::Usage(format!("{what} {wrong}")))
}

fn exists(tx: &Transaction<'_>, candidate: CandidateId) -> Result<(), Fault> {
    let sql = "SELECT 1 FROM candidates WHERE id = ?1";
    let found = tx.query_row(sql, [candidate.0], |_| Ok(())).optional()?;
    found.ok_or_else(|| {
        WorkspaceError::Usage(format!(
            "there is no candidate number {} any more",
            candidate.0
        ))
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let record = r#"{"id": "g", "source": "s.png", "instruction": "x", "candidates": [{"id": "a", "image": "a.png"}, {"id": "b", "image": "b.png"}]}"#;
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, record).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        (dir, workspace)
    }

    #[test]
    fn a_tag_is_put_on_once_and_taken_off_again() {
        let (_dir, workspace) = workspace();
        let a = CandidateId(1);
        assert!(workspace.tag(a, " too vivid ", true).unwrap());
        assert!(!workspace.tag(a, "too vivid", true).unwrap());
        assert_eq!(
            workspace.tags(GroupId(1)).unwrap(),
            [(a, "too vivid".to_owned())]
        );
        assert_eq!(workspace.all_tags().unwrap(), [("too vivid".to_owned(), 1)]);
        assert!(workspace.tag(a, "too vivid", false).unwrap());
        assert!(workspace.all_tags().unwrap().is_empty());
        assert!(workspace.tag(a, "  ", true).is_err());
        assert!(workspace.tag(a, "a\u{1b}b", true).is_err());
        let gone = workspace.tag(CandidateId(77), "x", true).unwrap_err();
        assert!(gone.to_string().contains("77"), "{gone}");
    }

    #[test]
    fn a_selection_is_saved_whole_replaced_whole_and_forgotten() {
        let (_dir, workspace) = workspace();
        let (a, b) = (CandidateId(1), CandidateId(2));
        workspace
            .save_selection("vivid", "sat_delta > 0.1", 5, &[b, a, b])
            .unwrap();
        let found = workspace.selected("vivid").unwrap().unwrap();
        assert_eq!(found, [(GroupId(1), a), (GroupId(1), b)]);
        assert!(
            workspace
                .save_selection("vivid", "x", 6, &[b, CandidateId(9)])
                .is_err()
        );
        assert_eq!(workspace.selected("vivid").unwrap().unwrap().len(), 2);
        workspace.save_selection("vivid", "x", 6, &[b]).unwrap();
        let all = workspace.selections().unwrap();
        assert_eq!(
            (all.len(), all[0].candidates, all[0].origin.as_str()),
            (1, 1, "x")
        );
        assert!(workspace.remove_selection("vivid").unwrap());
        assert_eq!(workspace.selected("vivid").unwrap(), None);
        assert!(!workspace.remove_selection("vivid").unwrap());
    }
}
