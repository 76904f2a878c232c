//! Groups and labels, from a file into the workspace and out again.

use std::fs;
use std::path::Path;

use erw::data::Workspace;
use erw::domain::{Axis, GroupId, agreement};
use rusqlite::Connection;

use super::{Set, TWO_GROUPS, lines};

#[test]
fn a_group_comes_back_as_it_was_in_the_file() {
    let set = Set::of_two_groups();
    let group = set.group("bison");
    assert_eq!(group.source.0, "bison.jpg");
    assert_eq!(group.category.as_deref(), Some("colour"));
    let [a, b] = &group.candidates[..] else {
        panic!("two candidates");
    };
    assert_eq!((a.key.as_str(), a.seed), ("a", Some(u64::MAX)));
    assert_eq!(
        (a.editor.as_deref(), a.fault.as_deref()),
        (Some("e1"), Some("none"))
    );
    assert_eq!((&b.editor, b.seed, &b.fault), (&None, None, &None));
    let labels: Vec<_> = a
        .labels
        .iter()
        .map(|l| (l.annotator.as_str(), l.axis, l.score, l.simulated))
        .collect();
    let (axis_if, axis_vq) = (Axis::InstructionFollowing, Axis::VisualQuality);
    assert_eq!(
        labels,
        [
            ("x", axis_if, 4.0, false),
            ("x", axis_vq, 3.0, false),
            ("y", axis_if, 2.0, false),
            ("y", axis_vq, 3.5, false)
        ]
    );
    assert!(b.labels[0].simulated);
}

#[test]
fn the_list_knows_how_far_annotators_agree() {
    let set = Set::of_two_groups();
    let list = set.workspace.summaries(None, 10, None).unwrap();
    let expected = agreement(&set.group("bison").candidates);
    assert_eq!(expected, Some(1.0 - 2.5 / 2.0 / 3.0));
    assert_eq!(list[0].agreement, expected);
    assert_eq!(list[1].agreement, None);
    assert_eq!((list[0].candidates, list[1].candidates), (2, 1));
}

#[test]
fn importing_twice_changes_nothing() {
    let set = Set::of_two_groups();
    let before = set.group("bison");
    // Another order of labels, and the two axes apart, say the same.
    let shuffled = lines(TWO_GROUPS).replace(
        r#"{"annotator":"x","if":4,"vq":3},{"annotator":"y","if":2,"vq":3.5}"#,
        r#"{"annotator":"y","vq":3.5},{"annotator":"x","if":4,"vq":3},{"annotator":"y","if":2}"#,
    );
    let report = set.import(&shuffled).unwrap();
    assert_eq!((report.groups, report.updated, report.unchanged), (0, 0, 2));
    assert_eq!((report.candidates, report.labels), (0, 0));
    assert_eq!(set.group("bison"), before);
}

#[test]
fn a_changed_record_updates_its_group_and_candidates_keep_their_numbers() {
    let set = Set::of_two_groups();
    let before = set.group("bison");
    let changed = r#"{"id":"bison","source":"bison.jpg","instruction":"make it black","candidates":[
 {"id":"c","image":"cat-a.jpg"},
 {"id":"a","image":"bison-a.jpg","labels":[{"annotator":"z","vq":1}]}]}"#;
    let report = set.import(&lines(changed)).unwrap();
    assert_eq!((report.groups, report.updated, report.unchanged), (0, 1, 0));
    assert_eq!((report.candidates, report.labels), (1, 1));
    let after = set.group("bison");
    assert_eq!(
        (after.id, after.instruction.as_str()),
        (before.id, "make it black")
    );
    let keys: Vec<_> = after.candidates.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["c", "a"]);
    assert_eq!(after.candidates[1].id, before.candidates[0].id);
    assert_eq!(after.candidates[1].editor, None);
    assert_eq!(after.candidates[1].labels.len(), 1);
    let list = set.workspace.summaries(None, 1, None).unwrap();
    assert_eq!((list[0].agreement, list[0].candidates), (None, 2));
}

#[test]
fn labels_given_in_the_program_outlive_a_changed_import() {
    let set = Set::of_two_groups();
    let b = set.group("bison").candidates[1].id;
    Connection::open(set.database())
        .unwrap()
        .execute(
            "INSERT INTO labels VALUES (?1, (SELECT id FROM annotators WHERE name = 'y'), 'if', 3, 0, 0)",
            [b.0],
        )
        .unwrap();
    let changed = lines(TWO_GROUPS).replace(r#""if":1,"#, r#""if":2,"#);
    assert_eq!(set.import(&changed).unwrap().updated, 1);
    let group = set.group("bison");
    let scores: Vec<_> = group.candidates[1].labels.iter().map(|l| l.score).collect();
    assert_eq!(scores, [2.0, 3.0]);
    let list = set.workspace.summaries(None, 1, None).unwrap();
    assert_eq!(list[0].agreement, agreement(&group.candidates));
}

#[test]
fn an_error_on_the_last_line_leaves_nothing_of_the_file() {
    let set = Set::empty();
    for (last, says) in [
        ("{\"id\":\"x\"}", "missing field"),
        (
            r#"{"id":"bison","source":"s","instruction":"","candidates":[{"id":"a","image":"i"}]}"#,
            "the id 'bison' was used on line 1 already",
        ),
        (
            r#"{"id":"n","source":"../../../s","instruction":"","candidates":[{"id":"a","image":"i"}]}"#,
            "'../../../s' leads out",
        ),
    ] {
        let error = set
            .import(&(lines(TWO_GROUPS) + last))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("groups.jsonl:3: ") && error.contains(says),
            "{error}"
        );
        assert_eq!(set.workspace.group_count().unwrap(), 0);
    }
}

#[test]
fn missing_images_are_listed_and_hinder_nothing() {
    let set = Set::empty();
    set.put("bison.jpg", "bison");
    let report = set.import(&lines(TWO_GROUPS)).unwrap();
    assert_eq!((report.groups, report.missing), (2, 4));
    assert_eq!(
        report.missing_images,
        [
            "bison: bison-a.jpg",
            "bison: bison-b.jpg",
            "cat: cat.jpg",
            "cat: cat-a.jpg"
        ]
    );
}

#[test]
fn an_export_imports_again_without_loss() {
    let set = Set::of_two_groups();
    let out = set.dir.path().join("out.jsonl");
    assert_eq!(set.workspace.export_jsonl(&out).unwrap(), 2);
    assert_eq!(set.workspace.import_jsonl(&out).unwrap().unchanged, 2);
    // From elsewhere, paths are absolute and mean the same.
    let other = tempfile::tempdir().unwrap();
    let far = other.path().join("far.jsonl");
    set.workspace.export_jsonl(&far).unwrap();
    assert_eq!(set.workspace.import_jsonl(&far).unwrap().unchanged, 2);
    let copy = Workspace::create(&other.path().join("copy")).unwrap();
    let report = copy.import_jsonl(&far).unwrap();
    assert_eq!((report.groups, report.missing), (2, 0));
    let group = copy.group(GroupId(1)).unwrap().unwrap();
    assert_eq!(
        group.candidates[0].labels,
        set.group("bison").candidates[0].labels
    );
    assert!(Path::new(&group.source.0).is_absolute());
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains(r#"{"annotator":"y","if":2,"vq":3.5}"#),
        "{text}"
    );
}

#[test]
fn text_that_would_harm_elsewhere_is_stored_to_the_letter() {
    let set = Set::empty();
    let text = "'); DROP TABLE groups; --\u{1b}[2J\u{202e}\0\r\n\"%s\" ' \u{fffd} 🐈";
    let group = serde_json::json!({
        "id": text, "source": "a'; --.png", "instruction": text, "category": text,
        "candidates": [{"id": text, "image": "b.png", "editor": text, "fault": text,
            "labels": [{"annotator": text, "if": 1}]}]
    });
    set.import(&group.to_string()).unwrap();
    let stored = set.group(text);
    assert_eq!(
        (stored.instruction.as_str(), stored.source.0.as_str()),
        (text, "a'; --.png")
    );
    assert_eq!(stored.category.as_deref(), Some(text));
    let candidate = &stored.candidates[0];
    assert_eq!(
        (candidate.key.as_str(), candidate.editor.as_deref()),
        (text, Some(text))
    );
    assert_eq!(candidate.labels[0].annotator, text);
    assert!(set.workspace.fingerprints().unwrap().is_empty());
    assert!(set.workspace.scores(stored.id, text).unwrap().is_empty());
}
