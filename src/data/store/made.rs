//! Candidates that were made here, by editors, and not imported: what groups lack, and adding what was made.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::{OptionalExtension, Transaction, params};

use super::Workspace;
use super::error::{Fault, WorkspaceError};
use super::places::Places;
use super::scores::refresh;
use crate::data::images::Stamp;
use crate::domain::{CandidateId, GroupId, ImageRef};

/// A group as whoever plans candidates looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOutline {
    /// Its number.
    pub id: GroupId,
    /// Its name.
    pub key: String,
    /// The data set that it came with, if known.
    pub set: Option<String>,
    /// The part of the data that it is in, if any.
    pub split: Option<String>,
    /// Whether there is an image to edit.
    pub has_source: bool,
    /// Editor and seed of each candidate of which both are known.
    pub made_by: Vec<(String, u64)>,
}

/// A candidate that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCandidate {
    /// What to call it within the group; numbered where the name is taken.
    pub key: String,
    /// Where its image is: an absolute path.
    pub image: PathBuf,
    /// Hex BLAKE3 of the image file.
    pub hash: String,
    /// What made it.
    pub editor: String,
    /// From which seed.
    pub seed: u64,
}

/// What became of a candidate that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    New(CandidateId),
    /// The group had one by this editor and seed already, which stays as it is.
    Known(CandidateId),
}

impl Workspace {
    /// Every group in id order, of one snapshot, without what people said.
    pub fn each_outline(&self, mut each: impl FnMut(GroupOutline)) -> Result<(), WorkspaceError> {
        self.read(|db| {
            let mut groups = db.prepare(
                "SELECT g.id, g.key, g.data_set, g.split, i.path FROM groups g JOIN images i ON i.id = g.source ORDER BY g.id",
            )?;
            let mut makers = db.prepare(
                "SELECT editor, seed FROM candidates
                 WHERE group_id = ?1 AND editor IS NOT NULL AND seed IS NOT NULL ORDER BY position",
            )?;
            let mut rows = groups.query([])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let made_by = makers.query_map([id], |row| {
                    Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
                })?;
                each(GroupOutline {
                    id: GroupId(id),
                    key: row.get(1)?,
                    set: row.get(2)?,
                    split: row.get(3)?,
                    has_source: !ImageRef(row.get(4)?).is_none(),
                    made_by: made_by.collect::<Result<_, _>>()?,
                });
            }
            Ok(())
        })
    }

    /// Adds candidates to a group, behind those that it has, in one transaction; what became of each. One by an editor and seed
    /// that the group has a candidate of is not added a second time. Importing the group's record again takes none of them
    /// away.
    pub fn add_candidates(
        &self,
        group: GroupId,
        made: &[NewCandidate],
    ) -> Result<Vec<Added>, WorkspaceError> {
        let images = made.iter().map(|candidate| {
            let path = self.path_to_store(candidate)?;
            // Looked at before the database is held up.
            let stamp = Stamp::at(self.root(), &ImageRef(path.clone()));
            Ok((path, stamp))
        });
        let images = images.collect::<Result<Vec<_>, WorkspaceError>>()?;
        self.write(|tx| {
            let count = "SELECT candidates FROM groups WHERE id = ?1";
            let before = tx.query_row(count, [group.0], |row| row.get::<_, i64>(0));
            if before.optional()?.is_none() {
                return Err(WorkspaceError::NoSuchGroup(group).into());
            }
            let mut added = Vec::with_capacity(made.len());
            for (candidate, (path, stamp)) in made.iter().zip(&images) {
                added.push(add(tx, group, candidate, (path, *stamp))?);
            }
            if added.iter().any(|added| matches!(added, Added::New(_))) {
                tx.execute(
                    "UPDATE groups SET candidates = (SELECT count(*) FROM candidates WHERE group_id = ?1) WHERE id = ?1",
                    [group.0],
                )?;
                refresh(tx, &BTreeSet::from([group.0]))?;
            }
            Ok(added)
        })
    }

    fn path_to_store(&self, candidate: &NewCandidate) -> Result<String, WorkspaceError> {
        let image = &candidate.image;
        let told = |why: String| WorkspaceError::Usage(format!("'{}': {why}", image.display()));
        let name = image.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| told("the file's name is not UTF-8".into()))?;
        Places::new(self.root(), image)
            .map_err(|why| told(why.to_string()))?
            .stored(name)
            .map_err(told)
    }
}

fn add(
    tx: &Transaction<'_>,
    group: GroupId,
    candidate: &NewCandidate,
    (path, stamp): (&str, Option<Stamp>),
) -> Result<Added, Fault> {
    let seed = candidate.seed.cast_signed();
    let known = tx
        .query_row(
            "SELECT id FROM candidates WHERE group_id = ?1 AND editor = ?2 AND seed = ?3",
            params![group.0, candidate.editor, seed],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(known) = known {
        return Ok(Added::Known(CandidateId(known)));
    }
    tx.execute("INSERT OR IGNORE INTO images (path) VALUES (?1)", [path])?;
    let image: i64 = tx.query_row("SELECT id FROM images WHERE path = ?1", [path], |row| {
        row.get(0)
    })?;
    if let Some(stamp) = stamp {
        tx.execute(
            "UPDATE images SET hash = ?2, size = ?3, mtime = ?4 WHERE id = ?1",
            params![image, candidate.hash, stamp.size, stamp.mtime],
        )?;
    }
    tx.execute(
        "INSERT INTO candidates (group_id, position, key, image, editor, seed, made)
         VALUES (?1, (SELECT coalesce(max(position) + 1, 0) FROM candidates WHERE group_id = ?1), ?2, ?3, ?4, ?5, 1)",
        params![group.0, free_key(tx, group, &candidate.key)?, image, candidate.editor, seed],
    )?;
    Ok(Added::New(CandidateId(tx.last_insert_rowid())))
}

/// The name, numbered where another candidate of the group has it.
fn free_key(tx: &Transaction<'_>, group: GroupId, key: &str) -> Result<String, Fault> {
    let mut taken = tx.prepare("SELECT 1 FROM candidates WHERE group_id = ?1 AND key = ?2")?;
    let mut name = key.to_owned();
    let mut number = 1;
    while taken.exists(params![group.0, name])? {
        number += 1;
        name = format!("{key}-{number}");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Said, images};
    use super::*;
    use crate::domain::{Axis, Gaussian, Reward};

    const GROUPS: &str = r#"{"id":"g","source":"s.png","instruction":"x","split":"test","candidates":[{"id":"a","image":"a.png","editor":"flux","seed":7,"labels":[{"annotator":"x","if":4}]},{"id":"flux-1","image":"b.png"}]}
{"id":"h","source":"s.png","instruction":"y","candidates":[{"id":"a","image":"a.png"}]}"#;

    struct Set {
        dir: tempfile::TempDir,
        workspace: Workspace,
    }

    impl Set {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for name in ["s", "a", "b"] {
                std::fs::write(dir.path().join(format!("{name}.png")), name).unwrap();
            }
            let workspace = Workspace::create(dir.path()).unwrap();
            let set = Self { dir, workspace };
            set.import(GROUPS);
            set
        }

        fn import(&self, groups: &str) {
            let file = self.dir.path().join("groups.jsonl");
            std::fs::write(&file, groups).unwrap();
            self.workspace.import_jsonl(&file).unwrap();
        }

        /// One whose image is there.
        fn made(&self, editor: &str, seed: u64) -> NewCandidate {
            let folder = self.dir.path().join("generated").join("g");
            std::fs::create_dir_all(&folder).unwrap();
            let image = folder.join(format!("{editor}-{seed}.png"));
            let content = format!("{editor} {seed}");
            std::fs::write(&image, &content).unwrap();
            NewCandidate {
                key: format!("{editor}-{seed}"),
                image,
                hash: images::content_hash(content.as_bytes()),
                editor: editor.into(),
                seed,
            }
        }

        fn keys(&self, group: i64) -> Vec<String> {
            let group = self.workspace.group(GroupId(group)).unwrap().unwrap();
            group.candidates.into_iter().map(|c| c.key).collect()
        }
    }

    #[test]
    fn what_was_made_comes_behind_what_is_there_and_nothing_twice() {
        let set = Set::new();
        let made = [
            set.made("flux", 1),
            set.made("qwen", u64::MAX),
            set.made("flux", 7),
        ];
        let added = set.workspace.add_candidates(GroupId(1), &made).unwrap();
        assert!(matches!(
            added[..],
            [Added::New(_), Added::New(_), Added::Known(CandidateId(1))]
        ));
        assert_eq!(
            set.keys(1),
            ["a", "flux-1", "flux-1-2", "qwen-18446744073709551615"]
        );
        let again = set
            .workspace
            .add_candidates(GroupId(1), &made[..2])
            .unwrap();
        assert!(again.iter().all(|a| matches!(a, Added::Known(_))));
        let group = set.workspace.group(GroupId(1)).unwrap().unwrap();
        let qwen = &group.candidates[3];
        assert_eq!(qwen.image.0, "generated/g/qwen-18446744073709551615.png");
        assert_eq!(
            (qwen.editor.as_deref(), qwen.seed),
            (Some("qwen"), Some(u64::MAX))
        );
        let summary = &set.workspace.summaries(None, 9, None).unwrap()[0];
        assert_eq!((summary.candidates, summary.agreement), (4, None));
        let hashes = set.workspace.hashes(GroupId(1)).unwrap();
        assert_eq!(hashes.candidates[3].1.as_ref(), Ok(&made[1].hash));
        let nowhere = set.workspace.add_candidates(GroupId(9), &made);
        assert!(matches!(nowhere, Err(WorkspaceError::NoSuchGroup(_))));
    }

    #[test]
    fn an_outline_says_by_whom_candidates_are_and_where_the_group_belongs() {
        let set = Set::new();
        set.workspace
            .add_candidates(GroupId(2), &[set.made("e", 2)])
            .unwrap();
        let mut outlines = Vec::new();
        set.workspace
            .each_outline(|group| outlines.push(group))
            .unwrap();
        let [g, h] = &outlines[..] else {
            panic!("{outlines:?}");
        };
        assert_eq!(g.made_by, [("flux".to_owned(), 7)]);
        assert_eq!(
            (g.key.as_str(), g.split.as_deref(), g.has_source),
            ("g", Some("test"), true)
        );
        assert_eq!(h.made_by, [("e".to_owned(), 2)]);
    }

    #[test]
    fn lists_show_scores_in_the_new_order_of_candidates() {
        let set = Set::new();
        let reward = |mean| Reward {
            instruction_following: None,
            visual_quality: None,
            aggregate: Gaussian::new(mean, 0.0),
        };
        let hashes = set.workspace.hashes(GroupId(1)).unwrap();
        let (id, hash) = &hashes.candidates[0];
        let scored = [(*id, hash.clone().unwrap(), reward(1.5))];
        let source = hashes.source.unwrap();
        set.workspace
            .save_scores(GroupId(1), "m", &source, &scored)
            .unwrap();
        set.workspace
            .add_candidates(GroupId(1), &[set.made("e", 1)])
            .unwrap();
        let summary = &set.workspace.summaries(None, 1, Some("m")).unwrap()[0];
        assert_eq!(summary.scores, [Some(1.5), None, None]);
    }

    #[test]
    fn an_import_of_the_group_leaves_what_was_made_with_its_judgements() {
        let set = Set::new();
        let added = set
            .workspace
            .add_candidates(GroupId(1), &[set.made("e", 1)])
            .unwrap();
        let Added::New(candidate) = added[0] else {
            panic!("{added:?}");
        };
        let (axis, score) = (Axis::VisualQuality, 3.0);
        let said = Said::Label {
            candidate,
            axis,
            score,
        };
        set.workspace
            .annotate("me", "s", 7, GroupId(1), &[said])
            .unwrap();
        set.import(GROUPS);
        assert_eq!(set.keys(1), ["a", "flux-1", "e-1"]);
        let changed = GROUPS.replace("\"instruction\":\"x\"", "\"instruction\":\"z\"");
        let changed = changed.replace(
            r#",{"id":"flux-1","image":"b.png"}"#,
            r#",{"id":"n","image":"b.png"}"#,
        );
        set.import(&changed);
        assert_eq!(set.keys(1), ["a", "n", "e-1"]);
        let group = set.workspace.group(GroupId(1)).unwrap().unwrap();
        assert_eq!(
            (group.instruction.as_str(), group.candidates[2].labels.len()),
            ("z", 1)
        );
        assert_eq!(
            set.workspace.summaries(None, 1, None).unwrap()[0].candidates,
            3
        );
    }
}
