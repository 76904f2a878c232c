//! A workspace that the first schema made, as people have them.

use rusqlite::Connection;

use super::super::super::{FILE, FOLDER};
use super::*;

const GROUPS: &str = r#"{"id":"g","source":"s.png","instruction":"x","category":"colour","candidates":[{"id":"a","image":"a.png","editor":"flux","seed":7,"labels":[{"annotator":"ann","if":4,"vq":3,"simulated":true}]},{"id":"b","image":"b.png","fault":"noise"}]}"#;

/// What the program of the first schema stored with that group. Computed by its rule outside of this program.
const DIGEST: &str = "de0de2a322e65d9c8905b85b83dc1382";

#[test]
fn it_is_brought_up_with_all_that_is_in_it_and_importing_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(FOLDER)).unwrap();
    let db = Connection::open(dir.path().join(FOLDER).join(FILE)).unwrap();
    db.execute_batch(include_str!("../../v1.sql")).unwrap();
    db.execute_batch(&format!(
        "PRAGMA user_version = 1;
         INSERT INTO images (id, path) VALUES (1, 's.png'), (2, 'a.png'), (3, 'b.png');
         INSERT INTO groups VALUES (1, 'g', 1, 'x', 'colour', 2, NULL, x'{DIGEST}');
         INSERT INTO candidates VALUES (1, 1, 0, 'a', 2, 'flux', 7, NULL), (2, 1, 1, 'b', 3, NULL, NULL, 'noise');
         INSERT INTO annotators VALUES (1, 'ann'), (2, 'bo');
         INSERT INTO labels VALUES (1, 1, 'if', 4, 1, 1), (1, 1, 'vq', 3, 1, 1), (2, 2, 'if', 2, 0, 0);"
    ))
    .unwrap();
    drop(db);
    let set = Set {
        workspace: Workspace::open(dir.path()).unwrap(),
        dir,
    };
    let group = &set.groups()[0];
    assert_eq!(
        (group.candidates.len(), &group.set, &group.split),
        (2, &None, &None)
    );
    assert_eq!(group.candidates[0].labels.len(), 2);
    let before = set.told();
    let report = set
        .workspace
        .import_jsonl(&set.file("groups.jsonl", GROUPS))
        .unwrap();
    assert_eq!((report.unchanged, report.updated), (1, 0));
    assert_eq!(set.told(), before);
    let said = crate::data::Said::Note { text: "old".into() };
    set.workspace
        .annotate("bo", "s", 1, group.id, &[said])
        .unwrap();
    assert_eq!(set.workspace.remarks(group.id).unwrap().len(), 1);
}
