//! Words that people put on candidates.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::{Workspace, count};
use crate::domain::{CandidateId, GroupId};

/// The longest tag or name of a selection, in letters.
const LONGEST: usize = 100;

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

    /// The candidates that have a tag, in the order of their numbers.
    pub fn tagged(&self, tag: &str) -> Result<Vec<CandidateId>, WorkspaceError> {
        self.read(|db| {
            let mut select =
                db.prepare("SELECT candidate FROM tags WHERE tag = ?1 ORDER BY candidate")?;
            let rows = select.query_map([tag], |row| Ok(CandidateId(row.get(0)?)))?;
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
}

/// A name without the spaces around it, if it is one.
pub(super) fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, WorkspaceError> {
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

pub(super) fn exists(tx: &Transaction<'_>, candidate: CandidateId) -> Result<(), Fault> {
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
}
