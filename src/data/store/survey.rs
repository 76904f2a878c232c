//! Everything a check of the whole workspace looks at, in one snapshot: rows that point nowhere, labels off the scale, and which
//! images belong to what.

use rusqlite::Connection;

use super::Workspace;
use super::error::{Fault, WorkspaceError};
use super::hashes::Image;
use crate::data::images::{Stamp, content_hash, dimensions, dimensions_of, read_stamped};

/// What a workspace holds, as [`check`](crate::data::check) looks at it.
pub(in crate::data) struct Survey {
    /// Each group, in the order of import.
    pub groups: Vec<SurveyedGroup>,
    /// Images that groups and candidates use; the numbers of the rest of the survey count along this list.
    pub images: Vec<SurveyedImage>,
    /// Labels in all.
    pub labels: usize,
    /// Labels that are not between 1 and 4, in words.
    pub off_scale: Vec<String>,
    /// Rows that belong to no other or to one that is not there, in words.
    pub orphans: Vec<String>,
}

/// One group in a survey.
pub(in crate::data) struct SurveyedGroup {
    pub id: i64,
    pub key: String,
    pub split: Option<String>,
    pub instruction: String,
    /// Its source, as a place in [`Survey::images`].
    pub source: usize,
    /// Candidates in order: key, and image as a place in [`Survey::images`].
    pub candidates: Vec<(String, usize)>,
}

/// One image in a survey.
pub(in crate::data) struct SurveyedImage(Image);

impl SurveyedImage {
    /// Its path as the data has it.
    pub(in crate::data) fn path(&self) -> &str {
        &self.0.path.0
    }

    /// Its content hash, or what keeps it from being read or decoded, in words. Only a file that is new or has changed is read
    /// whole; of the rest the header is looked at.
    pub(in crate::data) fn examined(&self, workspace: &Workspace) -> Result<String, String> {
        let (root, path) = (workspace.root(), &self.0.path);
        let known = self
            .0
            .hash(root)
            .filter(|_| Stamp::at(root, path).is_some());
        // An error of the decoder does not say of which file it speaks.
        let named = |why: String| {
            if why.contains(self.path()) {
                why
            } else {
                format!("'{}': {why}", self.path())
            }
        };
        let examined = match known {
            Some(hash) => dimensions_of(root, path).map(|_| hash.to_owned()),
            None => read_stamped(root, path)
                .and_then(|(bytes, _)| dimensions(&bytes).map(|_| content_hash(&bytes))),
        };
        examined.map_err(|e| named(e.to_string()))
    }
}

impl Workspace {
    /// Reads what a check of the whole workspace looks at.
    pub(in crate::data) fn survey(&self) -> Result<Survey, WorkspaceError> {
        self.read(|db| {
            let (images, place) = images(db)?;
            let (groups, mut orphans) = groups(db, &place)?;
            orphans.extend(dangling(db)?);
            orphans.extend(astray(db)?);
            let labels: i64 = db.query_row("SELECT count(*) FROM labels", [], |row| row.get(0))?;
            Ok(Survey {
                groups,
                images,
                labels: super::count(labels),
                off_scale: off_scale(db)?,
                orphans,
            })
        })
    }
}

/// The images in use by their row numbers.
type Places = std::collections::HashMap<i64, usize>;

fn images(db: &Connection) -> Result<(Vec<SurveyedImage>, Places), Fault> {
    let images = db
        .prepare(
            "SELECT id, path, hash, size, mtime FROM images
             WHERE id IN (SELECT source FROM groups UNION SELECT image FROM candidates) ORDER BY id",
        )?
        .query_map([], |row| Image::of(row, 0).map(SurveyedImage))?
        .collect::<Result<Vec<_>, _>>()?;
    let place = images
        .iter()
        .enumerate()
        .map(|(at, image)| (image.0.id, at))
        .collect();
    Ok((images, place))
}

/// Groups with their candidates; those that lack a source or any candidate are orphans.
fn groups(db: &Connection, place: &Places) -> Result<(Vec<SurveyedGroup>, Vec<String>), Fault> {
    let mut candidates = std::collections::HashMap::<i64, Vec<(String, usize)>>::new();
    let mut select =
        db.prepare("SELECT group_id, key, image FROM candidates ORDER BY group_id, position")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        // One whose image is not there is told as a row that points nowhere.
        if let Some(&image) = place.get(&row.get::<_, i64>(2)?) {
            candidates
                .entry(row.get(0)?)
                .or_default()
                .push((row.get(1)?, image));
        }
    }
    let (mut groups, mut orphans) = (Vec::new(), Vec::new());
    let mut select =
        db.prepare("SELECT id, key, instruction, source, split FROM groups ORDER BY id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(1)?;
        let Some(candidates) = candidates.remove(&row.get(0)?) else {
            orphans.push(format!("group '{key}' has no candidates"));
            continue;
        };
        if let Some(&source) = place.get(&row.get(3)?) {
            groups.push(SurveyedGroup {
                id: row.get(0)?,
                key,
                split: row.get(4)?,
                instruction: row.get(2)?,
                source,
                candidates,
            });
        }
    }
    Ok((groups, orphans))
}

fn dangling(db: &Connection) -> Result<Vec<String>, Fault> {
    let rows = db
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| {
            let (table, id, parent): (String, Option<i64>, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let row = id.map_or_else(String::new, |id| format!(" number {id}"));
            Ok(format!(
                "a row of {table}{row} points to one of {parent} that is not there"
            ))
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Votes between candidates of two groups.
fn astray(db: &Connection) -> Result<Vec<String>, Fault> {
    let rows = db
        .prepare(
            "SELECT a.key, b.key FROM votes v JOIN candidates a ON a.id = v.a JOIN candidates b ON b.id = v.b
             WHERE a.group_id <> b.group_id",
        )?
        .query_map([], |row| {
            let (a, b): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(format!(
                "a vote between '{a}' and '{b}', which are of two groups"
            ))
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

fn off_scale(db: &Connection) -> Result<Vec<String>, Fault> {
    let rows = db
        .prepare(
            "SELECT g.key, c.key, a.name, l.axis, l.score
             FROM labels l JOIN candidates c ON c.id = l.candidate JOIN groups g ON g.id = c.group_id
             JOIN annotators a ON a.id = l.annotator
             WHERE NOT l.score BETWEEN 1 AND 4 ORDER BY g.id, c.position",
        )?
        .query_map([], |row| {
            let (group, candidate, by): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let (axis, score): (String, f64) = (row.get(3)?, row.get(4)?);
            Ok(format!(
                "group '{group}', candidate '{candidate}': {by} gave {score} on {axis}"
            ))
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::{FILE, FOLDER};
    use super::*;

    const GROUP: &str = r#"{"id": "g", "source": "s.png", "instruction": "x", "candidates": [{"id": "a", "image": "a.png",
        "labels": [{"annotator": "ann", "if": 4, "vq": 3}]}]}"#;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, GROUP.replace('\n', " ")).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        (dir, workspace)
    }

    /// What a program without our checks might do to the file.
    fn meddled(dir: &tempfile::TempDir, sql: &str) {
        let db = Connection::open(dir.path().join(FOLDER).join(FILE)).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
            .unwrap();
        db.execute_batch(sql).unwrap();
    }

    #[test]
    fn a_workspace_as_imported_has_no_orphans_and_no_label_off_the_scale() {
        let (_dir, workspace) = workspace();
        let survey = workspace.survey().unwrap();
        assert!(survey.orphans.is_empty() && survey.off_scale.is_empty());
        assert_eq!((survey.groups.len(), survey.images.len()), (1, 2));
        assert_eq!(survey.labels, 2);
    }

    #[test]
    fn a_label_off_the_scale_is_told_with_its_place() {
        let (dir, workspace) = workspace();
        meddled(&dir, "UPDATE labels SET score = 7 WHERE axis = 'if'");
        let survey = workspace.survey().unwrap();
        assert_eq!(
            survey.off_scale,
            ["group 'g', candidate 'a': ann gave 7 on if"]
        );
    }

    #[test]
    fn rows_that_point_nowhere_are_told() {
        let (dir, workspace) = workspace();
        meddled(&dir, "DELETE FROM images WHERE path = 'a.png'");
        let survey = workspace.survey().unwrap();
        assert!(
            survey.orphans.iter().any(|o| o.contains("candidates")),
            "{:?}",
            survey.orphans
        );
        let (dir, workspace) = self::workspace();
        meddled(&dir, "DELETE FROM candidates");
        let orphans = workspace.survey().unwrap().orphans;
        assert!(
            orphans.iter().any(|o| o.contains("'g' has no candidates")),
            "{orphans:?}"
        );
        assert!(orphans.iter().any(|o| o.contains("labels")), "{orphans:?}");
    }
}
