//! Every format with one thing wrong at a time: the record is left out with its place and the field, and the good one after it
//! is taken in. What is wrong in no particular way is for the random files of the importers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::data::import::fuzz::GOOD;
use crate::data::import::{FORMATS, OWN};
use crate::data::records::{self, fixtures};
use fixtures::{Column, Layout, write_parquet};

/// The fields that a record of each format cannot be without.
const NEEDED: &[(&str, &[&str])] = &[
    ("erw", &["candidates", "id", "instruction", "source"]),
    ("pair-json", &["path1", "path2", "path_src", "prompt"]),
    (
        "pointwise-json",
        &["input_path", "instruction", "output_path", "score"],
    ),
    (
        "tuples-json",
        &["human_vote", "path_src", "paths_generated", "prompt"],
    ),
    (
        "tuples-parquet",
        &[
            "candidate_1",
            "candidate_2",
            "instruction",
            "ranking",
            "source_image",
        ],
    ),
    (
        "editreward-data",
        &[
            "instruction",
            "left_output_image",
            "right_output_image",
            "source_img",
        ],
    ),
    (
        "genai-bench",
        &[
            "human_vote",
            "instruct_prompt",
            "left_path",
            "path_src",
            "right_path",
        ],
    ),
    (
        "gedit",
        &[
            "input_image",
            "instruction",
            "instruction_language",
            "key",
            "task_type",
        ],
    ),
    ("imagereward", &["generations", "prompt", "ranking"]),
    (
        "sharegpt-4o-image",
        &["input_image", "input_prompt", "output_image"],
    ),
    ("table", &["edited", "instruction"]),
];

/// Values that few fields can have.
fn wrong_values() -> Vec<Value> {
    let deep = (0..100).fold(Value::Null, |inside, _| Value::Array(vec![inside]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!([]),
        json!({}),
        json!([1, "a", null]),
        json!({"path": 3}),
        json!("NaN"),
        json!("\u{0}"),
        json!("../../../etc/passwd"),
        json!("https://example.org/a.png"),
        Value::String("x".repeat(100_000)),
        deep,
    ]
}

/// The good file of a format in a folder of its own, and the first record of it.
fn good(set: &Set, format: &str) -> (PathBuf, Map<String, Value>) {
    let found = GOOD.iter().find(|(name, ..)| *name == format);
    let (_, name, text) = found.unwrap_or_else(|| panic!("there is no good file of {format}"));
    let folder = set.path(format);
    fs::create_dir_all(&folder).unwrap();
    // GEdit's edits are looked for beside it.
    let results = folder.join("m/fullset/t/en");
    fs::create_dir_all(&results).unwrap();
    fs::write(results.join("k.png"), picture(1)).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    let first = records::open(&path).unwrap().next().unwrap().unwrap();
    let fields: Vec<String> = first.fields().map(str::to_owned).collect();
    let value = |field: &String| {
        let value = first.value(field).unwrap().clone();
        let number = value.as_str().and_then(|text| text.parse::<f64>().ok());
        (field.clone(), number.map_or(value, |number| json!(number)))
    };
    (path, fields.iter().map(value).collect())
}

fn leaving_out(format: &str) -> ImportOptions {
    ImportOptions {
        format: Some(format.to_owned()),
        skip_bad: true,
        ..ImportOptions::default()
    }
}

/// Whether what follows the place in an error is a field in quotation marks, which may be another one than the one that was made
/// wrong: a length that does not fit is told of either, and a missing field by the other name that it may have. erw's own format
/// says what is not as it should be, which path, or which column of the line.
fn names_a_field(format: &str, after_place: &str, good: &Map<String, Value>) -> bool {
    if format == OWN.name {
        let thing = |field: &String| after_place.contains(field.trim_end_matches('s'));
        return after_place.contains("(column ")
            || after_place.starts_with(": the path '")
            || good.keys().any(thing);
    }
    // What all formats must hold to is said in words: "the confidence of a vote".
    let in_words = |field: &String| after_place.starts_with(&format!(": the {field} of "));
    let quoted = after_place.starts_with(": '") && after_place[3..].contains("': ");
    quoted || good.keys().any(in_words)
}

/// The formats whose good file is a list of records or can be written as one.
fn of_records() -> impl Iterator<Item = &'static str> {
    let names = FORMATS.iter().map(|format| format.name);
    names.filter(|name| !["imagenhub", "folder"].contains(name))
}

#[test]
fn every_format_tells_the_line_and_the_field_of_what_is_wrong_and_takes_the_rest() {
    let set = Set::new();
    for format in of_records() {
        let (path, good) = good(&set, format);
        let mut lines: Vec<(&str, Option<Value>)> = Vec::new();
        for field in good.keys() {
            lines.push((field, None));
            lines.extend(
                wrong_values()
                    .into_iter()
                    .map(|v| (field.as_str(), Some(v))),
            );
        }
        let mut text = String::new();
        for (number, (field, value)) in lines.iter().enumerate() {
            let mut record = good.clone();
            if format == OWN.name {
                record.insert("id".into(), json!(format!("g{number}")));
            }
            match value {
                Some(value) => record.insert((*field).to_owned(), value.clone()),
                None => record.remove(*field),
            };
            text += &Value::Object(record).to_string();
            text.push('\n');
        }
        text += &Value::Object(good.clone()).to_string();
        let file = path.with_file_name("wrong.jsonl");
        fs::write(&file, text).unwrap();
        let report = set
            .take(&file, &leaving_out(format))
            .unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(report.left_out, report.bad_records.len(), "{format}");
        let mut bad = BTreeSet::new();
        for told in &report.bad_records {
            let (_, place) = told.split_once("wrong.jsonl:").unwrap();
            let digits = place.find(':').unwrap();
            let line: usize = place[..digits].parse().unwrap();
            assert!(
                names_a_field(format, &place[digits..], &good),
                "{format}, {:?}: {told}",
                lines.get(line - 1)
            );
            assert!(told.len() < 2_000, "{format}: {} bytes", told.len());
            bad.insert(line);
        }
        assert!(!bad.contains(&(lines.len() + 1)), "{format}: {report:?}");
        let missing = lines
            .iter()
            .zip(1..)
            .filter(|((_, value), line)| value.is_none() && bad.contains(line));
        let missing: Vec<&str> = missing.map(|((field, _), _)| *field).collect();
        let needed = NEEDED.iter().find(|(name, _)| *name == format);
        assert_eq!(Some(missing.as_slice()), needed.map(|n| n.1), "{format}");
    }
}

#[test]
fn columns_of_every_wrong_type_are_told_with_their_file_in_every_format_that_parquet_comes_in() {
    let set = Set::new();
    let kinds = [
        Column::Int(vec![Some(1), None]),
        Column::Bool(vec![Some(true), None]),
        Column::numbers(&[f64::NAN, f64::NEG_INFINITY]),
        Column::Texts(vec![vec!["a".into()], vec![]]),
        Column::Numbers(vec![vec![f64::NAN], vec![]]),
        Column::Bytes(vec![Some(vec![0xff, 0xfe]), None]),
        Column::text(&["", "\u{0}"]),
        Column::Image(vec![(None, None), (Some(vec![0]), Some(String::new()))]),
    ];
    for format in of_records().filter(|name| *name != OWN.name) {
        let (path, good) = good(&set, format);
        let usual = |value: &Value| match value {
            Value::Number(n) => Column::numbers(&[n.as_f64().unwrap(); 2]),
            Value::Array(items) if items.iter().all(Value::is_number) => {
                let numbers: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
                Column::Numbers(vec![numbers; 2])
            }
            Value::Array(items) => {
                let texts = items.iter().map(|i| i.as_str().unwrap_or("x").to_owned());
                Column::Texts(vec![texts.collect(); 2])
            }
            Value::Bool(is) => Column::Bool(vec![Some(*is); 2]),
            other => Column::text(&[other.as_str().unwrap_or("x"); 2]),
        };
        let mut wrong = 0;
        for field in good.keys() {
            for (number, kind) in kinds.iter().enumerate() {
                let columns: Vec<(&str, Column)> = good
                    .iter()
                    .map(|(name, value)| {
                        let column = if name == field {
                            kind.clone()
                        } else {
                            usual(value)
                        };
                        (name.as_str(), column)
                    })
                    .collect();
                let name = format!("{field}-{number}.parquet");
                let file = path.with_file_name(&name);
                write_parquet(&file, &columns, Layout::default());
                let told = match set.take(&file, &leaving_out(format)) {
                    Ok(report) => report.bad_records,
                    Err(error) => vec![error.to_string()],
                };
                wrong += told.len();
                for told in told {
                    let (_, place) = told.split_once(&name).unwrap_or_else(|| panic!("{told}"));
                    let place = place.split_once("(counted from 0)").map(|(_, rest)| rest);
                    let named = place.is_some_and(|rest| names_a_field(format, rest, &good));
                    assert!(named, "{format}, {field}: {told}");
                }
            }
        }
        assert!(wrong > 0, "{format}");
    }
}

#[test]
fn cells_that_are_no_ratings_are_told_with_their_line_and_editor() {
    let set = Set::new();
    let huge = "x".repeat(100_000);
    let deep = "[".repeat(5_000);
    let cells = [
        "NaN",
        "[1]",
        "[0,1,0]",
        "[nan, 1]",
        "[2, 0]",
        "[-1, 0]",
        "['a', 1]",
        "{}",
        "[[0], 1]",
        "[1e999, 0]",
        &huge,
        &deep,
    ];
    let rows = cells.iter().zip(0..);
    let rows: Vec<String> = rows
        .map(|(cell, number)| format!("u{number}\t[0, 1]\t{cell}\n"))
        .collect();
    let mut text = format!("uid\tm\tn\n{}", rows.concat());
    text.push_str("good\t[0, 1]\t[0.5, 1]\n\t[0, 1]\t[0, 1]\n");
    let file = set.file("T_rater1.tsv", &text);
    let report = set.take(&file, &leaving_out("imagenhub")).unwrap();
    assert_eq!(report.left_out, cells.len() + 1, "{:?}", report.bad_records);
    for (told, line) in report.bad_records.iter().zip(2..) {
        let at = format!("T_rater1.tsv:{line}: 'n'");
        let no_name = line == cells.len() + 2;
        assert!(told.contains(&at) != no_name, "{at}: {told}");
        assert!(told.len() < 2_000, "{} bytes", told.len());
    }
    assert!(set.groups().iter().any(|group| group.key == "T/good"));
}

#[test]
fn folders_that_are_no_groups_are_told_by_name_and_the_others_are_taken_in() {
    let set = Set::new();
    let tree = set.path("tree");
    let group = |name: &str, instruction: &[u8], pictures: &[&str]| {
        let folder = tree.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("instruction.txt"), instruction).unwrap();
        for name in pictures {
            fs::write(folder.join(name), picture(1)).unwrap();
        }
    };
    group("good", b"x", &["source.png", "a.png"]);
    group("no-source", b"x", &["a.png"]);
    group("two-sources", b"x", &["source.png", "source.jpg", "a.png"]);
    group("not-utf8", b"\xff\xfe", &["source.png", "a.png"]);
    group("long", &vec![b'x'; (1 << 20) + 1], &["source.png", "a.png"]);
    group("no-candidate", b"x", &["source.png"]);
    group("folder-for-image", b"x", &["source.png"]);
    fs::create_dir(tree.join("folder-for-image/a.png")).unwrap();
    let wrong = [
        "folder-for-image",
        "long",
        "no-candidate",
        "no-source",
        "not-utf8",
        "two-sources",
    ];
    #[cfg(unix)]
    {
        // Neither a second time under the link's name, nor without end by a link to what it is in.
        std::os::unix::fs::symlink(tree.join("good"), tree.join("link")).unwrap();
        std::os::unix::fs::symlink(&tree, tree.join("good/loop")).unwrap();
    }
    let report = set.take(&tree, &leaving_out("folder")).unwrap();
    assert_eq!(report.left_out, wrong.len(), "{:?}", report.bad_records);
    for (told, name) in report.bad_records.iter().zip(wrong) {
        assert!(told.contains(name), "{name}: {told}");
    }
    let groups = set.groups();
    let keys: Vec<&str> = groups.iter().map(|group| group.key.as_str()).collect();
    assert_eq!(keys, ["tree/good"]);
}
