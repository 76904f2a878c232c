//! Data sets in the forms that they are published in, taken in whole, in parts, twice, and when something is wrong with them.

mod forms;
mod migrated;
mod published;
mod wrong;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::data::census::Census;
use crate::data::export::{ExportOptions, export_format};
use crate::data::images::fixtures::picture;
use crate::domain::{Choice, Group};

struct Set {
    dir: tempfile::TempDir,
    workspace: Workspace,
}

impl Set {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        Self { dir, workspace }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn picture(&self, name: &str, shade: u8) {
        fs::write(self.path(name), picture(shade)).unwrap();
    }

    fn take(&self, file: &Path, options: &ImportOptions) -> Result<ImportReport, WorkspaceError> {
        self.workspace
            .import(&[file.to_path_buf()], options, &mut |_| {})
    }

    fn import(&self, file: &Path) -> ImportReport {
        self.take(file, &ImportOptions::default()).unwrap()
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        let each = |group| {
            groups.push(group);
            Ok(())
        };
        self.workspace.each_group(each).unwrap();
        groups
    }

    /// All that is stored, but for numbers.
    fn told(&self) -> Vec<String> {
        let groups = self.groups().into_iter().map(|mut group| {
            group.id = crate::domain::GroupId(0);
            for candidate in &mut group.candidates {
                candidate.id = crate::domain::CandidateId(0);
            }
            format!("{group:?}")
        });
        groups.collect()
    }

    fn export(&self, name: &str, format: &str) -> Vec<u8> {
        let format = export_format(Some(format), Path::new(name)).unwrap();
        let options = ExportOptions::default();
        self.workspace
            .export(&self.path(name), format, &options, &mut |_, _| {})
            .unwrap();
        fs::read(self.path(name)).unwrap()
    }
}

/// A pair of the published training form: images by letter, scores on both axes of each.
fn pair(better: &str, worse: &str, [a1, a2, b1, b2]: [f64; 4]) -> String {
    format!(
        r#"{{"prompt":"make it red","path_src":"s.png","path1":"{better}.png","path2":"{worse}.png","model1":"model-{better}","model2":"model-{worse}","model1_dim1_score":{a1},"model1_dim2_score":{a2},"model1_overall_score":{},"model2_dim1_score":{b1},"model2_dim2_score":{b2},"model2_overall_score":{},"tie_case":false,"choice_dist":null,"confidence":0.9}}"#,
        a1 + a2,
        b1 + b2
    )
}

const THREE: [f64; 4] = [4.0, 3.0, 2.0, 2.0];

#[test]
fn pairs_of_one_source_and_instruction_become_one_group_and_each_image_one_candidate() {
    let set = Set::new();
    let pairs = [
        pair("b", "a", THREE),
        pair("b", "c", [4.0, 3.0, 1.0, 1.0]),
        pair("a", "c", [2.0, 2.0, 1.0, 1.0]),
    ];
    let file = set.file("set.json", &format!("[{}]", pairs.join(",")));
    let report = set.import(&file);
    assert_eq!(report.format, "pair-json");
    assert_eq!(
        (
            report.groups,
            report.candidates,
            report.labels,
            report.votes
        ),
        (1, 3, 6, 3)
    );
    assert_eq!((report.contradictions, report.missing), (0, 9));
    let group = &set.groups()[0];
    assert_eq!(group.set.as_deref(), Some("set"));
    // In an order that does not tell who is preferred.
    let keys: Vec<&str> = group.candidates.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["model-a", "model-b", "model-c"]);
    let first = &group.votes[0];
    assert_eq!((first.a, first.b, first.choice), (0, 1, Choice::B));
    assert_eq!(
        (first.annotator.as_str(), first.confidence),
        ("set", Some(0.9))
    );
    let again = set.import(&file);
    assert_eq!((again.groups, again.unchanged, again.updated), (0, 1, 0));
    assert_eq!((again.candidates, again.labels, again.votes), (0, 0, 0));
}

#[test]
fn contradictions_are_kept_beside_each_other_and_told() {
    let set = Set::new();
    let pairs = [
        pair("a", "b", THREE),
        pair("a", "b", [4.0, 2.0, 2.0, 2.0]),
        pair("b", "a", [2.0, 2.0, 4.0, 3.0]),
    ];
    let file = set.file("set.json", &format!("[{}]", pairs.join(",")));
    let report = set.import(&file);
    assert_eq!(report.contradictions, 2, "{:?}", report.contradicting);
    assert!(
        report.contradicting[0].contains("a.png: set gave 3 and 2 on vq"),
        "{:?}",
        report.contradicting
    );
    let group = &set.groups()[0];
    let said: Vec<_> = group.candidates[0]
        .labels
        .iter()
        .map(|l| (l.annotator.as_str(), l.axis.key(), l.score))
        .collect();
    assert_eq!(
        said,
        [("set", "if", 4.0), ("set", "vq", 3.0), ("set#2", "vq", 2.0)]
    );
    assert_eq!(group.votes.len(), 2);
    let again = set.import(&file);
    assert_eq!((again.labels, again.votes, again.unchanged), (0, 0, 1));
}

#[test]
fn shards_taken_in_one_by_one_are_as_those_taken_in_together() {
    let texts = [
        format!("[{}]", pair("b", "a", THREE)),
        format!("[{}]", pair("a", "c", [2.0, 2.0, 1.0, 1.0])),
    ];
    let names = ["train-0-of-2.json", "train-1-of-2.json"];
    let together = Set::new();
    let apart = Set::new();
    let mut paths = Vec::new();
    for (name, text) in names.iter().zip(&texts) {
        paths.push(together.file(name, text));
        apart.import(&apart.file(name, text));
    }
    let report = together
        .workspace
        .import(&paths, &ImportOptions::default(), &mut |_| {})
        .unwrap();
    assert_eq!((report.groups, report.candidates), (1, 3));
    assert_eq!(together.told(), apart.told());
}

#[test]
fn a_bad_record_stops_everything_or_is_left_out_and_counted() {
    let set = Set::new();
    let mut bad = pair("a", "b", THREE);
    bad = bad.replace("\"model1_dim1_score\":4", "\"model1_dim1_score\":7");
    let text = format!(
        "[{},\n{bad},\n{}]",
        pair("a", "b", THREE),
        r#"{"prompt":3}"#
    );
    let file = set.file("set.json", &text);
    let error = set.take(&file, &ImportOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("set.json:2: 'model1_dim1_score': is 7; scores go from 1 to 4"),
        "{error}"
    );
    assert!(error.contains("set.json:3: "), "{error}");
    assert!(error.contains("nothing was imported"), "{error}");
    assert_eq!(set.workspace.group_count().unwrap(), 0);
    let options = ImportOptions {
        skip_bad: true,
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!((report.groups, report.left_out), (1, 2));
    assert!(report.bad_records[0].contains(":2: "), "{report:?}");
}

#[test]
fn replaced_groups_are_what_the_file_says_and_keep_what_was_said_here() {
    let set = Set::new();
    set.import(&set.file("set.json", &format!("[{}]", pair("a", "b", THREE))));
    let mended = set.file("set.json", &format!("[{}]", pair("a", "c", THREE)));
    let options = ImportOptions {
        replace: true,
        ..ImportOptions::default()
    };
    let report = set.take(&mended, &options).unwrap();
    assert_eq!((report.updated, report.candidates), (1, 2));
    let group = &set.groups()[0];
    let keys: Vec<&str> = group.candidates.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["model-a", "model-c"]);
}

#[test]
fn roots_sets_splits_annotators_and_copies_are_as_asked_for() {
    let set = Set::new();
    let elsewhere = tempfile::tempdir().unwrap();
    for (name, shade) in [("s.png", 1), ("a.png", 2), ("b.png", 3)] {
        fs::write(elsewhere.path().join(name), picture(shade)).unwrap();
    }
    let file = set.file("set.json", &format!("[{}]", pair("a", "b", THREE)));
    let options = ImportOptions {
        root: Some(elsewhere.path().to_owned()),
        set: Some("mine".into()),
        split: Some("test".into()),
        annotator: Some("expert".into()),
        simulated: true,
        copy: true,
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!(report.missing, 0);
    drop(elsewhere);
    let group = &set.groups()[0];
    assert_eq!(group.set.as_deref(), Some("mine"));
    assert_eq!(group.split.as_deref(), Some("test"));
    let label = &group.candidates[0].labels[0];
    assert_eq!(
        (label.annotator.as_str(), label.simulated),
        ("expert", true)
    );
    assert!(
        group.source.0.starts_with(".erw/images/"),
        "{:?}",
        group.source
    );
    assert!(set.path(&group.source.0).is_file());
    let outside = format!("[{}]", pair("../../a", "b", THREE));
    let error = set
        .take(&set.file("out.json", &outside), &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("'path1'") && error.contains("leads out"),
        "{error}"
    );
}

#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    let set = Set::new();
    let lines: Vec<String> = (0..5)
        .map(|i| pair("a", "b", THREE).replace("make it red", &format!("do {i}")))
        .collect();
    let file = set.file("set.json", &format!("[{}]", lines.join(",\n")));
    let options = ImportOptions::default();
    let job = Job::new(set.workspace.root(), &file, None, &options).unwrap();
    let id = job.id().unwrap();
    set.workspace
        .write(|tx| {
            tx.execute("INSERT INTO imports (id, done) VALUES (?1, 3)", [id])?;
            Ok(())
        })
        .unwrap();
    assert_eq!(set.import(&file).groups, 2);
    // It is over now, so the next one begins at the beginning.
    assert_eq!(set.import(&file).groups, 3);
    assert_eq!(set.import(&file).unchanged, 5);
}

#[test]
fn every_published_form_is_known_by_its_fields() {
    let set = Set::new();
    for (text, format, groups, candidates, judgements) in [
        (
            r#"[{"prompt":"x","input":"s.png","gen":"a.png","score":0.5,"model":"m","filename":"f"},
                {"prompt":"x","input":"s.png","gen":"b.png","score":1,"model":"n","filename":"f"}]"#,
            "pointwise-json",
            1,
            2,
            2,
        ),
        (
            r#"[{"instruction":"x","input_path":"s.png","output_path":"a.png","score":0.5,"model":"m","ratings":[[0.5,1],[0,0.5]]}]"#,
            "pointwise-json",
            1,
            1,
            5,
        ),
        (
            r#"[{"prompt":"x","path_src":"s.png","paths_generated":["a.png","b.png","c.png"],"human_vote":{"ranking":"C>A>B"},"models":["m","n","o"],"human_scores":[3,2,4]}]"#,
            "tuples-json",
            1,
            3,
            6,
        ),
        (
            r#"[{"idx":0,"instruct_prompt":"x","human_vote":"tievote","path_src":"s.png","left_path":"a.png","right_path":"b.png","left_model":"m","right_model":"n"}]"#,
            "genai-bench",
            1,
            2,
            1,
        ),
    ] {
        let file = set.file(&format!("{format}-{judgements}.json"), text);
        let report = set.import(&file);
        let said = report.labels + report.votes + report.ratings;
        assert_eq!(report.format, format);
        assert_eq!(
            (report.groups, report.candidates, said),
            (groups, candidates, judgements),
            "{format}"
        );
    }
}

#[test]
fn rows_of_the_hubs_benchmark_become_tuples_again() {
    let set = Set::new();
    let rows = "id,dataset,instruction,source_image,candidate_1,candidate_2,ranking,comparison_type,score_1,score_2,model_1,model_2,num_candidates\n\
        t1_0,3pair,x,s.png,a.png,b.png,A>B,AvsB,5,4,m,n,3\n\
        t1_1,3pair,x,s.png,a.png,c.png,C>A,AvsC,5,6,m,o,3\n\
        t1_2,3pair,x,s.png,b.png,c.png,C>B,BvsC,4,6,n,o,3\n\
        t2_0,2pair,y,t.png,d.png,e.png,A=B=Bad,AvsB,,,m,n,2\n";
    let report = set.import(&set.file("hub.csv", rows));
    assert_eq!(report.format, "tuples-parquet");
    assert_eq!((report.groups, report.votes, report.ratings), (2, 4, 3));
    let groups = set.groups();
    assert_eq!(groups[0].key, "hub/3pair/t1");
    let tuples = crate::domain::tuples(&groups[0], 3);
    // c, a, b in the order of editors m, n, o.
    assert_eq!(tuples[0].order, [2, 0, 1]);
    assert_eq!(groups[1].votes[0].choice, Choice::BothBad);
}

#[test]
fn what_is_exported_and_imported_again_is_the_same() {
    let set = Set::new();
    for (name, shade) in [("s", 1), ("a", 2), ("b", 3), ("c", 4), ("t", 5)] {
        set.picture(&format!("{name}.png"), shade);
    }
    let groups = r#"{"id":"g","source":"s.png","instruction":"make it red","candidates":[{"id":"a","image":"a.png","editor":"m","labels":[{"annotator":"x","if":4,"vq":3},{"annotator":"y","if":3,"vq":3}]},{"id":"b","image":"b.png","editor":"n","labels":[{"annotator":"x","if":1,"vq":2}]},{"id":"c","image":"c.png","editor":"o","labels":[{"annotator":"x","if":2,"vq":1}]}]}
{"id":"h","source":"t.png","instruction":"blur it","candidates":[{"id":"a","image":"a.png","editor":"m"},{"id":"b","image":"b.png","editor":"n"}],"votes":[{"annotator":"v","a":"b","b":"a","choice":"a","confidence":0.75}]}"#;
    set.workspace
        .import_jsonl(&set.file("groups.jsonl", groups))
        .unwrap();
    for (format, name) in [
        ("pair-json", "set.json"),
        ("tuples-json", "set.json"),
        ("editreward-data", "set.parquet"),
        ("erw", "set.jsonl"),
    ] {
        let first = set.export(name, format);
        let again = Set::new();
        let folder = again.path("in");
        fs::create_dir(&folder).unwrap();
        for picture in ["s.png", "a.png", "b.png", "c.png", "t.png"] {
            fs::copy(set.path(picture), again.path(picture)).unwrap();
        }
        fs::write(again.path(name), &first).unwrap();
        let report = again.import(&again.path(name));
        assert_eq!((report.groups, report.missing), (2, 0), "{format}");
        let second = again.export(&format!("again-{name}"), format);
        if format == "editreward-data" {
            // Images are the cells of the first file now, so their names differ; all else is compared below.
            assert_eq!(said(&again), said_of_pairs(&set));
            continue;
        }
        assert!(
            first == second,
            "{format}:\n{}\n{}",
            String::from_utf8_lossy(&first),
            String::from_utf8_lossy(&second)
        );
    }
}

/// Editors, labels by axis and votes, as pairs have them.
fn said(set: &Set) -> Vec<String> {
    let groups = set.groups().into_iter().map(|group| {
        let human = crate::domain::human_scores(&group.candidates);
        let candidates = group.candidates.iter().zip(&human);
        let candidates: Vec<_> = candidates
            .map(|(c, human)| (c.editor.clone(), *human))
            .collect();
        let votes: Vec<_> = group.votes.iter().map(|v| (v.a, v.b, v.choice)).collect();
        format!("{} {candidates:?} {votes:?}", group.instruction)
    });
    groups.collect()
}

/// The same of a set that has not been through pairs: every labelled pair gets a vote by its overall scores.
fn said_of_pairs(set: &Set) -> Vec<String> {
    let mut all = said(set);
    all[0] = all[0].replace(" []", " [(0, 1, A), (0, 2, A), (1, 2, Tie)]");
    all
}

#[test]
fn pictures_in_a_file_are_told_by_content_and_stay_there() {
    use crate::data::records::fixtures::{Column, Layout, write_parquet};
    let set = Set::new();
    let (source, a, b, c) = (picture(1), picture(2), picture(3), picture(4));
    let score = |values: &[f64]| Column::numbers(values);
    let columns = [
        ("instruction", Column::text(&["x", "x", "y"])),
        ("source_img", Column::images(&[&source, &source, &source])),
        ("left_output_image", Column::images(&[&a, &c, &a])),
        ("right_output_image", Column::images(&[&b, &a, &b])),
        ("left_model", Column::text(&["m", "o", "m"])),
        ("right_model", Column::text(&["n", "m", "n"])),
        ("left_instruction_following_score", score(&[4.0, 1.0, 2.0])),
        ("left_quality_aesthetic_score", score(&[4.0, 1.0, 2.0])),
        ("left_overall_score", score(&[8.0, 2.0, 4.0])),
        ("right_instruction_following_score", score(&[2.0, 4.0, 2.0])),
        ("right_quality_aesthetic_score", score(&[2.0, 4.0, 2.0])),
        ("right_overall_score", score(&[4.0, 8.0, 4.0])),
        ("vote_type", Column::text(&["leftvote", "rightvote", "tie"])),
    ];
    let file = set.path("train-00000-of-00001.parquet");
    write_parquet(&file, &columns, Layout::default());
    let report = set.import(&file);
    assert_eq!(report.format, "editreward-data");
    assert_eq!(
        (
            report.groups,
            report.candidates,
            report.labels,
            report.votes
        ),
        (2, 5, 10, 3)
    );
    assert_eq!((report.contradictions, report.missing), (0, 0));
    let groups = set.groups();
    assert!(groups[0].key.starts_with("train/"), "{}", groups[0].key);
    let shown = crate::data::images::read(set.workspace.root(), &groups[0].candidates[2].image);
    assert_eq!(shown.unwrap(), c);
    assert_eq!(set.import(&file).unchanged, 2);
    // The hashes are known already: nothing is read again to tell what is the same.
    let known: i64 = set
        .workspace
        .read(|db| {
            Ok(db.query_row(
                "SELECT count(*) FROM images WHERE hash IS NOT NULL",
                [],
                |r| r.get(0),
            )?)
        })
        .unwrap();
    assert_eq!(known, 7);
}
