//! People who judge: killed in the middle of it, and two at once in one workspace.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use erw::annotate::agreement::{AgreementOptions, agreement};
use erw::data::check::check;
use erw::data::{Said, Workspace};
use erw::domain::stats::{Level, krippendorff_alpha};
use erw::domain::{Axis, GroupId};
use rusqlite::Connection;

use super::Set;

const WHERE: &str = "ERW_TEST_SITTING";
const WHO: &str = "ERW_TEST_ANNOTATOR";
const GROUPS: usize = 50;

/// Groups of two candidates, all of pictures that are there.
fn set() -> Set {
    let set = Set::empty();
    for (name, shade) in [("s.bmp", 0), ("a.bmp", 40), ("b.bmp", 80)] {
        let file = set.dir.path().join(name);
        std::fs::write(file, super::kills::picture(shade)).unwrap();
    }
    let line = |g| {
        format!(
            r#"{{"id":"g{g}","source":"s.bmp","instruction":"make it {g}","candidates":[{{"id":"a","image":"a.bmp"}},{{"id":"b","image":"b.bmp"}}]}}"#
        )
    };
    let lines: Vec<String> = (0..GROUPS).map(line).collect();
    set.import(&lines.join("\n")).unwrap();
    set
}

/// What somebody says of a candidate: the same each time, and not the same for everybody.
fn opinion(who: &str, group: usize, candidate: usize, axis: usize) -> f64 {
    let bias = who.len() + usize::from(group.is_multiple_of(5));
    (1 + (group * 7 + candidate * 3 + axis + bias / 3) % 4) as f64
}

/// Judges all groups, one key after the other, beginning with what is not judged yet.
fn sit(workspace: &Workspace, who: &str) {
    for g in 0..GROUPS {
        let group = workspace.group(GroupId(g as i64 + 1)).unwrap().unwrap();
        for (c, candidate) in group.candidates.iter().enumerate() {
            for (x, axis) in Axis::ALL.into_iter().enumerate() {
                let mut labels = candidate.labels.iter();
                if labels.any(|l| l.annotator == who && l.axis == axis) {
                    continue;
                }
                let said = [Said::Label {
                    candidate: candidate.id,
                    axis,
                    score: opinion(who, g, c, x),
                }];
                workspace
                    .annotate(who, "sitting", 1, group.id, &said)
                    .unwrap();
            }
        }
    }
}

#[test]
#[ignore = "run as a child by the tests below"]
fn a_sitting() {
    let workspace = Workspace::open(Path::new(&std::env::var_os(WHERE).unwrap())).unwrap();
    sit(&workspace, &std::env::var(WHO).unwrap());
}

fn begun(dir: &Path, who: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "workspace::sittings::a_sitting", "--ignored"])
        .env(WHERE, dir)
        .env(WHO, who)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Labels and standing steps of somebody.
fn stored(set: &Set, who: &str) -> (i64, i64) {
    let db = Connection::open(set.dir.path().join(".erw/workspace.sqlite")).unwrap();
    let count = |sql: &str| db.query_row(sql, [who], |row| row.get(0)).unwrap();
    (
        count(
            "SELECT count(*) FROM labels l JOIN annotators a ON a.id = l.annotator WHERE a.name = ?1",
        ),
        count(
            "SELECT count(*) FROM steps s JOIN annotators a ON a.id = s.annotator WHERE a.name = ?1 AND s.undone = 0",
        ),
    )
}

#[test]
fn a_sitting_that_is_killed_loses_no_key_and_doubles_none() {
    let set = set();
    let mut before = 0;
    for kill in 0..20 {
        let mut child = begun(set.dir.path(), "ann");
        let began = Instant::now();
        // A few keys further each time, at an instant that nobody chose.
        while stored(&set, "ann").0 < before + 1 + kill {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            assert!(began.elapsed() < Duration::from_mins(3), "it hangs");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (labels, steps) = stored(&set, "ann");
        assert_eq!(
            labels, steps,
            "a label without its step, or the other way round"
        );
        assert!(labels >= before);
        before = labels;
    }
    let workspace = Workspace::open(set.dir.path()).unwrap();
    let report = check(&workspace, None, &mut |_, _| {}).unwrap();
    assert!(report.clean, "{:?}", report.problems);
    sit(&workspace, "ann");
    assert_eq!(stored(&set, "ann"), (GROUPS as i64 * 4, GROUPS as i64 * 4));
}

#[test]
fn two_people_at_once_lose_nothing_and_their_alpha_is_that_of_the_exported_table() {
    let set = set();
    let mut sittings = ["ann", "bertha"].map(|who| begun(set.dir.path(), who));
    for sitting in &mut sittings {
        assert!(sitting.wait().unwrap().success());
    }
    for who in ["ann", "bertha"] {
        assert_eq!(stored(&set, who), (GROUPS as i64 * 4, GROUPS as i64 * 4));
    }
    let file = set.dir.path().join("out.jsonl");
    set.workspace.export_jsonl(&file).unwrap();
    let options = AgreementOptions {
        resamples: 20,
        ..AgreementOptions::default()
    };
    let report = agreement(&set.workspace, &options, &mut |_, _| {}).unwrap();
    for (axis, of) in ["if", "vq"].into_iter().zip(&report.axes) {
        // The table as anyone would read it: a row a candidate, a column an annotator.
        let text = std::fs::read_to_string(&file).unwrap();
        let mut table: Vec<Vec<f64>> = Vec::new();
        for line in text.lines() {
            let group: serde_json::Value = serde_json::from_str(line).unwrap();
            for candidate in group["candidates"].as_array().unwrap() {
                let labels = candidate["labels"].as_array().unwrap();
                table.push(labels.iter().map(|l| l[axis].as_f64().unwrap()).collect());
            }
        }
        assert_eq!(table.len(), GROUPS * 2);
        let expected = krippendorff_alpha(&table, Level::Ordinal).unwrap();
        assert!((of.alpha.value.unwrap() - expected).abs() < 1e-12);
        assert!(expected < 1.0, "they would have to differ somewhere");
    }
}
