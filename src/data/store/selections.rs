//! Selections: candidates under a name, in versions. What somebody put together by hand, and what was curated by a recipe, with a
//! reason for every candidate and what people thought of it when they looked.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error::{Fault, WorkspaceError};
use super::tags::{checked, exists};
use super::verdicts::{Verdict, packed, unpacked};
use super::{Workspace, count, sql};
use crate::domain::{CandidateId, GroupId};

/// A version of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Its name.
    pub name: String,
    /// Which of that name, from 1.
    pub version: usize,
    /// Whether it is the newest of its name.
    pub newest: bool,
    /// How it came about, in words: a filter, a range of a plot, a recipe.
    pub origin: String,
    /// When it was saved, in milliseconds since 1970.
    pub at: i64,
    /// How many candidates it has.
    pub candidates: usize,
    /// The recipe it was curated by, as JSON.
    pub recipe: Option<String>,
    /// The fingerprint of the model whose scores decided.
    pub model: Option<String>,
    id: i64,
}

/// A selection that is to be saved.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewSelection<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it came about, in words.
    pub origin: &'a str,
    /// Now, in milliseconds since 1970.
    pub at: i64,
    /// The recipe it was curated by, as JSON.
    pub recipe: Option<&'a str>,
    /// The fingerprint of the model whose scores decided.
    pub model: Option<&'a str>,
    /// What is in it.
    pub candidates: &'a [CandidateId],
    /// What became of all that were considered, in order of the candidates.
    pub verdicts: &'a [Verdict],
}

/// What somebody thought of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotCheck {
    /// The candidate.
    pub candidate: CandidateId,
    /// Whether the recipe kept it.
    pub kept: bool,
    /// Whether they agreed.
    pub agrees: bool,
}

const COLUMNS: &str = "s.name, s.version, s.version = (SELECT max(version) FROM selections t WHERE t.name = s.name), s.origin, s.at,
    (SELECT count(*) FROM selected d WHERE d.selection = s.id), s.recipe, s.model, s.id";

fn selection_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Selection> {
    Ok(Selection {
        name: row.get(0)?,
        version: count(row.get(1)?),
        newest: row.get(2)?,
        origin: row.get(3)?,
        at: row.get(4)?,
        candidates: count(row.get(5)?),
        recipe: row.get(6)?,
        model: row.get(7)?,
        id: row.get(8)?,
    })
}

impl Selection {
    /// What names this version and no other: "best@2".
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl Workspace {
    /// Saves candidates under a name, as the next version of it; which that is. `at` is in milliseconds since 1970.
    pub fn save_selection(
        &self,
        name: &str,
        origin: &str,
        at: i64,
        candidates: &[CandidateId],
    ) -> Result<usize, WorkspaceError> {
        self.save_curated(&NewSelection {
            name,
            origin,
            at,
            candidates,
            ..NewSelection::default()
        })
    }

    /// Saves a selection as the next version of its name; which that is. Older versions stay.
    ///
    /// # Errors
    /// Where the name is none, has an `@` in it, or a candidate is no longer there; nothing is saved then.
    pub fn save_curated(&self, new: &NewSelection<'_>) -> Result<usize, WorkspaceError> {
        let name = checked("a selection's name", new.name)?;
        if name.contains('@') {
            return Err(WorkspaceError::Usage(format!(
                "a selection's name has no '@' in it, since '{name}' would name a version"
            )));
        }
        self.write(|tx| {
            let version: i64 = tx.query_row(
                "SELECT 1 + coalesce(max(version), 0) FROM selections WHERE name = ?1",
                [name],
                |row| row.get(0),
            )?;
            tx.execute(
                "INSERT INTO selections (name, version, origin, at, recipe, model) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![name, version, new.origin, new.at, new.recipe, new.model],
            )?;
            let id = tx.last_insert_rowid();
            let mut insert =
                tx.prepare("INSERT OR IGNORE INTO selected (selection, candidate) VALUES (?1, ?2)")?;
            for candidate in new.candidates {
                exists(tx, *candidate)?;
                insert.execute([id, candidate.0])?;
            }
            let mut insert =
                tx.prepare("INSERT INTO verdicts (selection, first, codes) VALUES (?1, ?2, ?3)")?;
            for (first, codes) in packed(new.verdicts) {
                insert.execute(params![id, first, codes])?;
            }
            Ok(count(version))
        })
    }

    /// All versions of all selections, the newest first.
    pub fn selections(&self) -> Result<Vec<Selection>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(&format!(
                "SELECT {COLUMNS} FROM selections s ORDER BY s.at DESC, s.id DESC"
            ))?;
            let rows = select.query_map([], selection_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest version of a name, or the one that "name@2" says.
    pub fn selection(&self, name: &str) -> Result<Option<Selection>, WorkspaceError> {
        self.read(|db| found(db, name))
    }

    /// The candidates of a selection with their groups, in the order of import; `None` if there is none of that name.
    pub fn selected(
        &self,
        name: &str,
    ) -> Result<Option<Vec<(GroupId, CandidateId)>>, WorkspaceError> {
        self.read(|db| {
            let Some(selection) = found(db, name)? else {
                return Ok(None);
            };
            let mut select = db.prepare(
                "SELECT c.group_id, c.id FROM selected s JOIN candidates c ON c.id = s.candidate
                 WHERE s.selection = ?1 ORDER BY c.group_id, c.position",
            )?;
            let rows = select.query_map([selection.id], |row| {
                Ok((GroupId(row.get(0)?), CandidateId(row.get(1)?)))
            })?;
            Ok(Some(rows.collect::<Result<_, _>>()?))
        })
    }

    /// What became of every candidate that was considered for a selection, in order of the candidates; none where it was put
    /// together by hand.
    pub fn verdicts(&self, selection: &Selection) -> Result<Vec<Verdict>, WorkspaceError> {
        self.read(|db| {
            let mut select = db
                .prepare("SELECT first, codes FROM verdicts WHERE selection = ?1 ORDER BY first")?;
            let (mut rows, mut out) = (select.query([selection.id])?, Vec::new());
            while let Some(row) = rows.next()? {
                out.extend(unpacked(row.get(0)?, row.get_ref(1)?.as_blob()?));
            }
            Ok(out)
        })
    }

    /// What became of one candidate in a selection.
    pub fn verdict(
        &self,
        selection: &Selection,
        candidate: CandidateId,
    ) -> Result<Option<Verdict>, WorkspaceError> {
        self.read(|db| Ok(verdict_in(db, selection, candidate)?))
    }

    /// Forgets a selection, or with "name@2" one version of it; whether there was one. Its candidates stay.
    pub fn remove_selection(&self, name: &str) -> Result<bool, WorkspaceError> {
        self.write(|tx| {
            let n = match split(name) {
                (name, None) => tx.execute("DELETE FROM selections WHERE name = ?1", [name])?,
                (name, Some(version)) => tx.execute(
                    "DELETE FROM selections WHERE name = ?1 AND version = ?2",
                    params![name, sql(version)],
                )?,
            };
            Ok(n > 0)
        })
    }

    /// Notes what somebody thinks of the decision on a candidate. Where they do not agree, the candidate is taken out of the
    /// selection, or into it; agreeing again puts it back. `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// Where the selection has no verdict on that candidate.
    pub fn spot_check(
        &self,
        selection: &Selection,
        candidate: CandidateId,
        agrees: bool,
        at: i64,
    ) -> Result<(), WorkspaceError> {
        self.write(|tx| {
            exists(tx, candidate)?;
            let decided = kept_by_recipe(tx, selection, candidate)?;
            tx.execute(
                "INSERT OR REPLACE INTO spot_checks (selection, candidate, kept, agrees, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![selection.id, candidate.0, decided, agrees, at],
            )?;
            let change = if decided == agrees {
                "INSERT OR IGNORE INTO selected (selection, candidate) VALUES (?1, ?2)"
            } else {
                "DELETE FROM selected WHERE selection = ?1 AND candidate = ?2"
            };
            tx.execute(change, [selection.id, candidate.0])?;
            Ok(())
        })
    }

    /// What people thought of decisions, in order of the candidates.
    pub fn spot_checks(&self, selection: &Selection) -> Result<Vec<SpotCheck>, WorkspaceError> {
        self.read(|db| {
            let mut select = db.prepare(
                "SELECT candidate, kept, agrees FROM spot_checks WHERE selection = ?1 ORDER BY candidate",
            )?;
            let rows = select.query_map([selection.id], |row| {
                Ok(SpotCheck {
                    candidate: CandidateId(row.get(0)?),
                    kept: row.get(1)?,
                    agrees: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Whether the recipe kept a candidate, whatever people made of it since.
fn kept_by_recipe(
    tx: &Transaction<'_>,
    selection: &Selection,
    candidate: CandidateId,
) -> Result<bool, Fault> {
    let known = "SELECT kept FROM spot_checks WHERE selection = ?1 AND candidate = ?2";
    let before = tx
        .query_row(known, [selection.id, candidate.0], |row| row.get(0))
        .optional()?;
    if let Some(kept) = before {
        return Ok(kept);
    }
    if verdict_in(tx, selection, candidate)?.is_none() {
        return Err(WorkspaceError::Usage(format!(
            "'{}' has no verdict on candidate number {}",
            selection.full_name(),
            candidate.0
        ))
        .into());
    }
    let there = "SELECT 1 FROM selected WHERE selection = ?1 AND candidate = ?2";
    let kept = tx.query_row(there, [selection.id, candidate.0], |_| Ok(()));
    Ok(kept.optional()?.is_some())
}

fn verdict_in(
    db: &Connection,
    selection: &Selection,
    candidate: CandidateId,
) -> rusqlite::Result<Option<Verdict>> {
    let row = db
        .query_row(
            "SELECT first, codes FROM verdicts WHERE selection = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
            [selection.id, candidate.0],
            |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)),
        )
        .optional()?;
    Ok(row.and_then(|(first, codes)| {
        let mut all = unpacked(first, &codes).into_iter();
        all.find(|verdict| verdict.candidate == candidate)
    }))
}

/// "name@2" as name and version.
fn split(name: &str) -> (&str, Option<usize>) {
    let name = name.trim();
    match name.rsplit_once('@') {
        Some((before, version)) => match version.parse() {
            Ok(version) => (before, Some(version)),
            Err(_) => (name, None),
        },
        None => (name, None),
    }
}

fn found(db: &Connection, name: &str) -> Result<Option<Selection>, Fault> {
    let (name, version) = split(name);
    let select = format!(
        "SELECT {COLUMNS} FROM selections s WHERE s.name = ?1 AND (?2 IS NULL OR s.version = ?2)
         ORDER BY s.version DESC LIMIT 1"
    );
    let version = version.map(super::sql);
    Ok(db
        .query_row(&select, params![name, version], selection_of)
        .optional()?)
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

    const A: CandidateId = CandidateId(1);
    const B: CandidateId = CandidateId(2);

    #[test]
    fn a_selection_is_saved_whole_as_the_next_version_and_forgotten() {
        let (_dir, workspace) = workspace();
        let save = |origin, candidates: &[CandidateId]| {
            workspace.save_selection("vivid", origin, 5, candidates)
        };
        assert_eq!(save("sat_delta > 0.1", &[B, A, B]).unwrap(), 1);
        let both = [(GroupId(1), A), (GroupId(1), B)];
        assert_eq!(workspace.selected("vivid").unwrap().unwrap(), both);
        assert!(save("x", &[B, CandidateId(9)]).is_err());
        assert_eq!(workspace.selections().unwrap().len(), 1);
        assert_eq!(save("x", &[B]).unwrap(), 2);
        let newest = workspace.selection("vivid").unwrap().unwrap();
        assert_eq!((newest.version, newest.candidates), (2, 1));
        assert_eq!(workspace.selected("vivid@1").unwrap().unwrap(), both);
        assert_eq!(workspace.selected("vivid@7").unwrap(), None);
        assert!(workspace.remove_selection("vivid@2").unwrap());
        assert_eq!(workspace.selection("vivid").unwrap().unwrap().version, 1);
        assert!(workspace.remove_selection("vivid").unwrap());
        assert_eq!(workspace.selected("vivid").unwrap(), None);
        assert!(!workspace.remove_selection("vivid").unwrap());
        for name in ["", "a@1", "a\u{1b}"] {
            assert!(workspace.save_selection(name, "x", 5, &[]).is_err());
        }
    }

    #[test]
    fn who_does_not_agree_changes_the_selection_and_not_the_verdict() {
        let (_dir, workspace) = workspace();
        let verdict = |candidate, code| Verdict {
            candidate,
            code,
            other: None,
        };
        let verdicts = [verdict(A, 0), verdict(B, 9)];
        let new = NewSelection {
            name: "best",
            origin: "top 1",
            recipe: Some("{}"),
            model: Some("f0"),
            candidates: &[A],
            verdicts: &verdicts,
            at: 5,
        };
        workspace.save_curated(&new).unwrap();
        let best = workspace.selection("best").unwrap().unwrap();
        assert_eq!(best.recipe.as_deref(), Some("{}"));
        assert_eq!(workspace.verdicts(&best).unwrap(), verdicts);
        assert_eq!(workspace.verdict(&best, B).unwrap(), Some(verdicts[1]));
        let members = || {
            let found = workspace.selected("best").unwrap().unwrap();
            found.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        };
        workspace.spot_check(&best, A, false, 6).unwrap();
        assert_eq!(members(), []);
        workspace.spot_check(&best, B, false, 7).unwrap();
        assert_eq!(members(), [B]);
        workspace.spot_check(&best, A, true, 8).unwrap();
        assert_eq!(members(), [A, B]);
        let checks = workspace.spot_checks(&best).unwrap();
        let told: Vec<_> = checks.iter().map(|c| (c.kept, c.agrees)).collect();
        assert_eq!(told, [(true, true), (false, false)]);
        let by_hand = workspace.save_selection("mine", "x", 9, &[A]);
        by_hand.unwrap();
        let mine = workspace.selection("mine").unwrap().unwrap();
        assert!(workspace.spot_check(&mine, A, true, 9).is_err());
    }
}
