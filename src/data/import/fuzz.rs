//! Every format on files that are cut, bent and filled with nonsense: an error that names the file, or a record; never a panic,
//! and never a file that does not end.

use std::fs;
use std::path::Path;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::records::fixtures::{Column, Layout, write_parquet};

/// A good file of each text format: its format, its name, what is in it.
pub(in crate::data) const GOOD: &[(&str, &str, &str)] = &[
    (
        "erw",
        "a.jsonl",
        r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png","labels":[{"annotator":"x","if":4,"vq":3}],"ratings":[{"annotator":"x","name":"sc","value":0.5,"scale":[0,1]}]},{"id":"b","image":"b.png"}],"votes":[{"annotator":"x","a":"a","b":"b","choice":"tie","counts":[1,2],"confidence":0.5}]}"#,
    ),
    (
        "pair-json",
        "a.json",
        r#"[{"prompt":"x","path_src":"s.png","path1":"a.png","path2":"b.png","model1":"m","model2":"n","model1_dim1_score":4,"model1_dim2_score":3,"model1_overall_score":7,"model2_dim1_score":1,"model2_dim2_score":2,"model2_overall_score":3,"tie_case":false,"choice_dist":[3,1],"confidence":0.75}]"#,
    ),
    (
        "pointwise-json",
        "a.json",
        r#"[{"instruction":"x","input_path":"s.png","output_path":"a.png","score":0.5,"model":"m","ratings":[[0.5,1],[0,0]]}]"#,
    ),
    (
        "tuples-json",
        "a.json",
        r#"[{"prompt":"x","path_src":"s.png","paths_generated":["a.png","b.png","c.png"],"human_vote":{"ranking":"C>A>B"},"models":["m","n","o"],"human_scores":[1,2,3]}]"#,
    ),
    (
        "tuples-parquet",
        "a.csv",
        "id,dataset,instruction,source_image,candidate_1,candidate_2,ranking,comparison_type\nt_0,2pair,x,s.png,a.png,b.png,A>B,AvsB\n",
    ),
    (
        "editreward-data",
        "a.jsonl",
        r#"{"instruction":"x","source_img":"s.png","left_output_image":"a.png","right_output_image":"b.png","left_instruction_following_score":4,"left_quality_aesthetic_score":3,"left_overall_score":7,"vote_type":"leftvote"}"#,
    ),
    (
        "genai-bench",
        "a.json",
        r#"[{"instruct_prompt":"x","path_src":"s.png","left_path":"a.png","right_path":"b.png","left_model":"m","right_model":"n","human_vote":"bothbad_vote"}]"#,
    ),
    (
        "gedit",
        "a.json",
        r#"[{"task_type":"t","key":"k","instruction":"x","instruction_language":"en","input_image":"s.png"}]"#,
    ),
    (
        "imagenhub",
        "T_rater1.tsv",
        "uid\tm\tn\nu1\t[0.5, 1]\t[0,0]\n",
    ),
    (
        "imagereward",
        "a.json",
        r#"[{"id":"i","prompt":"x","generations":["a.png","b.png"],"ranking":[1,2]}]"#,
    ),
    (
        "sharegpt-4o-image",
        "a.json",
        r#"[{"input_prompt":"x","input_image":["s.png"],"output_image":"a.png"}]"#,
    ),
    (
        "table",
        "a.csv",
        "instruction,source,edited,seed,if,vq,annotator\nx,s.png,a.png,7,4,3,ann\n",
    ),
];

/// What is put in place of values.
const NONSENSE: &[&str] = &[
    "null",
    "-1",
    "1e999",
    "NaN",
    "\"\"",
    "[]",
    "{}",
    "[[[[[[[[]]]]]]]]",
    "\"../../../etc/passwd\"",
    "\"\\u0000\"",
    "true",
    "18446744073709551616",
    "\"a#b\"",
];

/// Reads all of a file; how many records and errors there were. Every error names the file.
fn read(format: &Format, file: &Path) -> (usize, usize) {
    let map = ColumnMap::default();
    let opening = Opening {
        path: file,
        set: "set",
        annotator: "ann",
        simulated: false,
        map: &map,
        hash: true,
        skip: 0,
    };
    let name = file.file_name().unwrap().to_str().unwrap();
    let named = |error: &ImportError| {
        let text = error.to_string();
        // A folder's own files are named by what is wrong with them.
        assert!(
            text.contains(name) || text.contains("rater"),
            "{}: {text}",
            format.name
        );
        assert!(text.len() < 5000, "{}: {} bytes", format.name, text.len());
    };
    let records = match (format.open)(&opening) {
        Ok(records) => records,
        Err(error) => {
            named(&error);
            return (0, 1);
        }
    };
    let (mut good, mut bad) = (0, 0);
    for record in records.take(10_000) {
        match record {
            Ok(record) => {
                // What is wrong with the record itself is told by its place as well.
                let _ = record.check(format.whole);
                good += 1;
            }
            Err(error) => {
                named(&error);
                bad += 1;
            }
        }
    }
    assert!(good + bad < 10_000, "{}: it does not end", format.name);
    (good, bad)
}

#[test]
fn every_text_format_is_here_and_its_good_file_is_read() {
    for format in FORMATS.iter().filter(|format| format.name != "folder") {
        let found = GOOD.iter().find(|(name, ..)| *name == format.name);
        let (name, file, text) = found.unwrap_or_else(|| panic!("no file of {}", format.name));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        fs::write(&path, text).unwrap();
        assert_eq!(format_of(&path).unwrap().name, *name);
        // GEdit's edits are looked for beside it.
        let expected = if *name == "gedit" { (0, 1) } else { (1, 0) };
        assert_eq!(read(format, &path), expected, "{name}");
    }
}

#[test]
fn bent_text_is_an_error_with_its_file_or_a_record_and_never_a_panic() {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let dir = tempfile::tempdir().unwrap();
    for (name, file, text) in GOOD {
        let format = format_named(name).unwrap();
        let path = dir.path().join(file);
        for _ in 0..150 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..chance.random_range(1..4) {
                bend(&mut bytes, &mut chance);
            }
            fs::write(&path, &bytes).unwrap();
            read(format, &path);
        }
        fs::remove_file(&path).unwrap();
    }
}

/// Cuts, flips, doubles, fills, or puts nonsense in the place of a value.
fn bend(bytes: &mut Vec<u8>, chance: &mut ChaCha8Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = chance.random_range(0..bytes.len());
    match chance.random_range(0..7) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << chance.random_range(0..8),
        2 => bytes[at] = 0xff,
        3 => {
            let part = bytes[at..].to_vec();
            bytes.extend(part);
        }
        4 => {
            let huge = vec![b'x'; 70_000];
            bytes.splice(at..at, huge);
        }
        5 => {
            let deep = vec![b'['; 5_000];
            bytes.splice(at..at, deep);
        }
        _ => {
            // From after a colon or comma to the next one.
            let from = bytes[at..].iter().position(|b| matches!(b, b':' | b','));
            let Some(from) = from.map(|more| at + more + 1) else {
                return;
            };
            let to = bytes[from..]
                .iter()
                .position(|b| matches!(b, b',' | b'}' | b']' | b'\n'));
            let to = to.map_or(bytes.len(), |more| from + more);
            let nonsense = NONSENSE[chance.random_range(0..NONSENSE.len())];
            bytes.splice(from..to, nonsense.bytes());
        }
    }
}

#[test]
fn columns_of_wrong_types_and_broken_parquet_are_errors_of_their_rows_or_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let names = [
        "instruction",
        "source_img",
        "left_output_image",
        "right_output_image",
    ];
    let kinds = [
        Column::Int(vec![Some(1), None]),
        Column::Bool(vec![Some(true), None]),
        Column::numbers(&[f64::NAN, f64::INFINITY]),
        Column::Texts(vec![vec!["a".into()], vec![]]),
        Column::Bytes(vec![Some(vec![1, 2, 3]), None]),
        Column::text(&["", "\u{0}"]),
        Column::Image(vec![(None, None), (Some(vec![0]), Some(String::new()))]),
    ];
    let format = format_named("editreward-data").unwrap();
    for kind in &kinds {
        for (place, _) in names.iter().enumerate() {
            let columns: Vec<(&str, Column)> = names
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    let usual = Column::text(&["x.png", "y.png"]);
                    (*name, if at == place { kind.clone() } else { usual })
                })
                .collect();
            write_parquet(&path, &columns, Layout::default());
            read(format, &path);
            let whole = fs::read(&path).unwrap();
            for cut in [whole.len() / 3, whole.len() - 9] {
                fs::write(&path, &whole[..cut]).unwrap();
                assert_eq!(read(format, &path).0, 0);
            }
        }
    }
}
