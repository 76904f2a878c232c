//! What is written, that it is put in its place as a whole, and that what comes back is the same.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::data::images::fixtures::picture;
use crate::data::records;

/// Groups as files have them: ties, opposite axes, several annotators, votes, a rating, quotes and tags in text.
const GROUPS: &str = r#"{"id":"g1","source":"s1.png","instruction":"make it \"red\", <b>now</b>","category":"colour","split":"train","candidates":[{"id":"a","image":"a.png","editor":"flux","seed":7,"labels":[{"annotator":"x","if":4,"vq":3},{"annotator":"y","if":3,"vq":3}]},{"id":"b","image":"b.png","editor":"omni","labels":[{"annotator":"x","if":1,"vq":2}]},{"id":"c","image":"c.png","editor":"step","labels":[{"annotator":"x","if":2,"vq":1}]}]}
{"id":"g2","source":"s2.png","instruction":"blur it","split":"test","candidates":[{"id":"a","image":"d.png","editor":"omni"},{"id":"b","image":"e.png","editor":"flux"}],"votes":[{"annotator":"v","a":"b","b":"a","choice":"a","confidence":0.75}]}
{"id":"g3","source":"s1.png","instruction":"nothing is known","candidates":[{"id":"a","image":"missing.png"}]}"#;

struct Set {
    dir: tempfile::TempDir,
    workspace: Workspace,
}

impl Set {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, shade) in [
            ("s1", 10),
            ("s2", 20),
            ("a", 30),
            ("b", 40),
            ("c", 50),
            ("d", 60),
            ("e", 70),
        ] {
            let file = dir.path().join(format!("{name}.png"));
            fs::write(file, picture(shade)).unwrap();
        }
        let file = dir.path().join("groups.jsonl");
        fs::write(&file, GROUPS).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        Self { dir, workspace }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn export(&self, name: &str, format: &str, options: &ExportOptions) -> ExportReport {
        let file = self.path(name);
        let format = export_format(Some(format), &file).unwrap();
        self.workspace
            .export(&file, format, options, &mut |_, _| {})
            .unwrap()
    }

    fn text(&self, name: &str, format: &str, options: &ExportOptions) -> String {
        self.export(name, format, options);
        fs::read_to_string(self.path(name)).unwrap()
    }
}

#[test]
fn the_ending_tells_the_format_and_an_unknown_one_is_told_with_the_known() {
    let of = |name: &str| export_format(None, Path::new(name)).map(|f| f.name);
    assert_eq!(of("a.jsonl").unwrap(), "erw");
    assert_eq!(of("a.PARQUET").unwrap(), "editreward-data");
    assert_eq!(of("a.csv").unwrap(), "csv");
    let error = of("a.json").unwrap_err().to_string();
    assert!(
        error.contains("does not tell a format") && error.contains("pair-json"),
        "{error}"
    );
    assert!(export_format(Some("xlsx"), Path::new("a")).is_err());
}

#[test]
fn pairs_come_the_preferred_first_and_an_opposite_tie_twice() {
    let set = Set::new();
    let text = set.text("p.json", "pair-json", &ExportOptions::default());
    let pairs: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let told: Vec<_> = pairs
        .iter()
        .map(|p| {
            let name = |key: &str| p[key].as_str().unwrap_or("-").to_owned();
            (
                name("path1"),
                name("path2"),
                p["tie_case"].as_bool().unwrap(),
            )
        })
        .collect();
    let row = |a: &str, b: &str, tie| (a.to_owned(), b.to_owned(), tie);
    assert_eq!(
        told,
        [
            row("a.png", "b.png", false),
            row("a.png", "c.png", false),
            // b and c tie at 3 points: c follows the instruction better, b looks better.
            row("c.png", "b.png", true),
            row("b.png", "c.png", true),
            row("e.png", "d.png", false),
        ]
    );
    assert_eq!(pairs[0]["model1_dim1_score"], 3.5);
    assert_eq!(pairs[0]["model1_overall_score"], 6.5);
    assert_eq!(pairs[4]["model1_dim1_score"], serde_json::Value::Null);
    assert_eq!(pairs[4]["confidence"], 0.75);
    let report = set.export("p.json", "pair-json", &ExportOptions::default());
    assert_eq!((report.groups, report.records, report.left_out), (2, 5, 1));
}

#[test]
fn labels_that_a_program_made_are_told_where_the_format_cannot() {
    let set = Set::new();
    let file = set.path("groups.jsonl");
    let made = GROUPS.replace("\"vq\":3}", "\"vq\":3,\"simulated\":true}");
    fs::write(&file, made).unwrap();
    set.workspace.import_jsonl(&file).unwrap();
    let options = ExportOptions::default();
    assert_eq!(set.export("p.json", "pair-json", &options).simulated, 4);
    assert_eq!(set.export("o.jsonl", "erw", &options).simulated, 0);
    assert_eq!(set.export("r.csv", "csv", &options).simulated, 0);
    let csv = fs::read_to_string(set.path("r.csv")).unwrap();
    assert_eq!(csv.matches(",true\n").count(), 2);
    assert_eq!(csv.matches(",false\n").count(), 2);
}

#[test]
fn tuples_are_strict_and_their_letters_are_the_places_shown() {
    let set = Set::new();
    let options = ExportOptions {
        ways: vec![2, 3],
        per_group: 9,
        ..ExportOptions::default()
    };
    let text = set.text("t.json", "tuples-json", &options);
    let tuples: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    // a-b and a-c of the first group, e-d by vote; b and c tie, so there is no triple.
    assert_eq!(tuples.len(), 3);
    for tuple in &tuples {
        let ranking = tuple["human_vote"]["ranking"].as_str().unwrap();
        let best = usize::from(ranking.as_bytes()[0] - b'A');
        let path = tuple["paths_generated"][best].as_str().unwrap();
        assert!(["a.png", "e.png"].contains(&path), "{tuple}");
    }
    let one = ExportOptions {
        ways: vec![2],
        limit: Some(1),
        ..ExportOptions::default()
    };
    let text = set.text("t.json", "tuples-json", &one);
    let tuples: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(tuples.len(), 1);
    assert_ne!(tuples[0]["human_scores"], serde_json::Value::Null);
}

#[test]
fn a_table_has_a_row_for_each_annotator_and_reads_as_one() {
    let set = Set::new();
    let report = set.export("r.csv", "csv", &ExportOptions::default());
    assert_eq!((report.groups, report.records), (3, 7));
    let rows: Vec<_> = records::open(&set.path("r.csv"))
        .unwrap()
        .map(|r| r.unwrap())
        .collect();
    assert_eq!(
        rows[0].text("instruction").unwrap(),
        "make it \"red\", <b>now</b>"
    );
    assert_eq!(rows[1].number("if").unwrap(), 3.0);
    assert!(!rows[4].has("annotator"));
    let lines = set.text("r.jsonl", "jsonl", &ExportOptions::default());
    assert_eq!(lines.lines().count(), 7);
}

#[test]
fn parquet_has_the_images_in_it_and_the_columns_of_the_hub() {
    let set = Set::new();
    let report = set.export("d.parquet", "editreward-data", &ExportOptions::default());
    assert_eq!((report.records, report.missing), (4, 0));
    let file = set.path("d.parquet");
    let columns = records::columns(&file).unwrap();
    for name in [
        "key",
        "source_img",
        "left_output_image",
        "right_quality_aesthetic_score",
        "vote_type",
    ] {
        assert!(columns.iter().any(|c| c == name), "{columns:?}");
    }
    let rows: Vec<_> = records::open(&file).unwrap().map(|r| r.unwrap()).collect();
    let votes: Vec<&str> = rows.iter().map(|r| r.text("vote_type").unwrap()).collect();
    assert_eq!(votes, ["leftvote", "leftvote", "tie", "leftvote"]);
    let image = rows[0].image("left_output_image").unwrap();
    let bytes = crate::data::images::read(Path::new("/"), &image).unwrap();
    assert_eq!(bytes, fs::read(set.path("a.png")).unwrap());
    assert_eq!(rows[0].text("left_img_rel").unwrap(), "a.png");
    let paths = ExportOptions {
        embed: false,
        ..ExportOptions::default()
    };
    set.export("d.parquet", "editreward-data", &paths);
    let row = records::open(&file).unwrap().next().unwrap().unwrap();
    assert_eq!(row.image("source_img").unwrap().0, "s1.png");
}

#[test]
fn a_contact_sheet_shows_pictures_and_leaves_tags_in_text_as_text() {
    let set = Set::new();
    let options = ExportOptions {
        limit: Some(2),
        ..ExportOptions::default()
    };
    let html = set.text("c.html", "html", &options);
    assert!(html.contains("&lt;b&gt;now&lt;/b&gt;"));
    assert_eq!(html.matches("data:image/jpeg;base64,").count(), 7);
    assert!(html.contains("1 more groups are not shown"));
    let all = set.export("c.html", "html", &ExportOptions::default());
    assert_eq!(all.missing, 1);
    assert!(all.missing_images[0].starts_with("g3: "), "{all:?}");
}

#[test]
fn only_what_is_asked_for_is_written() {
    let set = Set::new();
    let split = ExportOptions {
        split: Some("test".into()),
        ..ExportOptions::default()
    };
    assert_eq!(set.export("o.jsonl", "erw", &split).groups, 1);
    let named = ExportOptions {
        groups: Some(HashSet::from(["g1".into(), "g3".into()])),
        ..ExportOptions::default()
    };
    assert_eq!(set.export("o.jsonl", "erw", &named).groups, 2);
    let edits = set.text("s.json", "sharegpt-4o-image", &split);
    let edits: Vec<serde_json::Value> = serde_json::from_str(&edits).unwrap();
    assert_eq!(
        (edits.len(), &edits[0]["input_image"]),
        (2, &"s2.png".into())
    );
}

#[test]
fn copied_images_are_there_once_and_the_paths_lead_to_them() {
    let set = Set::new();
    let options = ExportOptions {
        images: Some(set.path("copies")),
        ..ExportOptions::default()
    };
    let report = set.export("o.jsonl", "erw", &options);
    assert_eq!(report.missing, 1);
    assert_eq!(fs::read_dir(set.path("copies")).unwrap().count(), 7);
    let other = tempfile::tempdir().unwrap();
    fs::rename(set.path("o.jsonl"), other.path().join("o.jsonl")).unwrap();
    fs::rename(set.path("copies"), other.path().join("copies")).unwrap();
    let again = Workspace::create(other.path()).unwrap();
    let report = again.import_jsonl(&other.path().join("o.jsonl")).unwrap();
    assert_eq!(report.missing, 1);
}

#[test]
fn erws_own_format_loses_nothing() {
    let set = Set::new();
    let first = set.text("o.jsonl", "erw", &ExportOptions::default());
    let again = Workspace::create(&set.path("again")).unwrap();
    let report = again.import_jsonl(&set.path("o.jsonl")).unwrap();
    assert_eq!((report.groups, report.labels, report.votes), (3, 8, 1));
    let mut groups = Vec::new();
    again
        .each_group(|group| {
            groups.push(group);
            Ok(())
        })
        .unwrap();
    let mut there = Vec::new();
    set.workspace
        .each_group(|group| {
            there.push(group);
            Ok(())
        })
        .unwrap();
    let plain = |groups: Vec<Group>| -> Vec<String> {
        groups
            .into_iter()
            .map(|g| {
                format!(
                    "{:?} {:?} {:?}",
                    g.votes,
                    g.split,
                    g.candidates
                        .iter()
                        .map(|c| (&c.key, &c.labels, &c.ratings))
                        .collect::<Vec<_>>()
                )
            })
            .collect()
    };
    assert_eq!(plain(groups), plain(there));
    let report = set.workspace.import_jsonl(&set.path("o.jsonl")).unwrap();
    assert_eq!((report.unchanged, report.updated), (3, 0));
    assert_eq!(first, set.text("o.jsonl", "erw", &ExportOptions::default()));
}

#[test]
fn a_file_is_replaced_as_a_whole_and_a_failed_export_leaves_the_old_one() {
    let set = Set::new();
    fs::write(set.path("o.jsonl"), "old").unwrap();
    // What a killed export left behind.
    fs::write(set.path(".o.jsonl.erw-export"), "half a li").unwrap();
    let target = Target::new(&set.path("o.jsonl")).unwrap();
    let second = Target::new(&set.path("o.jsonl")).err().unwrap();
    assert!(second.to_string().contains("another export"), "{second}");
    assert_eq!(fs::read_to_string(set.path("o.jsonl")).unwrap(), "old");
    drop(target);
    assert!(!set.path(".o.jsonl.erw-export").exists());
    set.export("o.jsonl", "erw", &ExportOptions::default());
    assert!(
        fs::read_to_string(set.path("o.jsonl"))
            .unwrap()
            .starts_with("{\"id\":\"g1\"")
    );
    assert!(!set.path(".o.jsonl.erw-export").exists());
    let error = set.workspace.export(
        &set.path("no/such/o.jsonl"),
        &own::FORMAT,
        &ExportOptions::default(),
        &mut |_, _| {},
    );
    assert!(error.unwrap_err().to_string().contains("no/such"));
}
