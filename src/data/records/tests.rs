//! Every text format read round, the published schemas, and files with something wrong in them.

use std::path::{Path, PathBuf};

use super::*;
use crate::domain::ImageRef;

/// The records and errors of a file with this name and content, with its folder cut from the errors.
fn read(name: &str, content: impl AsRef<[u8]>) -> Vec<Result<Record, String>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    let folder = format!("{}/", dir.path().display());
    let plain = |e: RecordError| e.to_string().replace(&folder, "");
    match open(&path) {
        Ok(records) => records.map(|r| r.map_err(plain)).collect(),
        Err(error) => vec![Err(plain(error))],
    }
}

fn good(name: &str, content: impl AsRef<[u8]>) -> Vec<Record> {
    read(name, content)
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// "a" and "line" of a good record, the text of an error.
fn outline(records: &[Result<Record, String>]) -> Vec<String> {
    records
        .iter()
        .map(|r| match r {
            Ok(record) => format!(
                "{} {}",
                record.place().to_string().rsplit(':').next().unwrap(),
                record.number("a").unwrap()
            ),
            Err(error) => error.clone(),
        })
        .collect()
}

#[test]
fn the_published_schemas_are_read() {
    let pairs = r#"[{"prompt": "p", "path_src": "s.jpg", "path1": "a.jpg", "path2": "b.jpg", "model1": "M", "model2": "N",
        "model1_dim1_score": 4, "model1_dim2_score": 3.5, "model1_overall_score": 7.5, "tie_case": null, "choice_dist": null}]"#;
    let pair = &good("pairs.json", pairs)[0];
    assert_eq!(pair.image("path1"), Ok(ImageRef("a.jpg".into())));
    assert_eq!(pair.number("model1_overall_score"), Ok(7.5));
    assert!(!pair.has("tie_case"));

    let bench = "[\n{\"prompt\": \"p\", \"path_src\": \"s\", \"paths_generated\": [\"a\", \"b\", \"c\"],\n\"human_vote\": {\"ranking\": \"C>A>B\"}}\n]";
    let group = &good("bench.json", bench)[0];
    assert_eq!(group.texts("paths_generated").unwrap(), ["a", "b", "c"]);
    assert_eq!(
        group.nested("human_vote").unwrap().text("ranking"),
        Ok("C>A>B")
    );

    let points = "instruction\tinput_path\tscore\nadd a dog\tin.jpg\t0.5\n";
    let point = &good("points.tsv", points)[0];
    assert_eq!(
        (point.text("instruction"), point.number("score")),
        (Ok("add a dog"), Ok(0.5))
    );

    let raters = "uid\tDiffEdit\tSDEdit\nsample_1.jpg\t[0, 0.5]\t[1,1]\n";
    assert_eq!(
        good("rater1.tsv", raters)[0].numbers("DiffEdit"),
        Ok(vec![0.0, 0.5])
    );

    let named = "{\"coco_1\": {\"image_path\": \"c.jpg\", \"human_avg\": 5.0},\n\"coco_2\": {\"human_avg\": 1}}";
    let records = good("tifa.json", named);
    let keys: Vec<_> = records
        .iter()
        .map(|r| (r.key().unwrap(), r.place().to_string()))
        .collect();
    assert_eq!((keys[0].0, keys[1].0), ("coco_1", "coco_2"));
    assert!(keys[1].1.ends_with("tifa.json:2"));

    let instructions = good("instructions.json", r#"{"a.jpg": "let it be red"}"#);
    assert_eq!(instructions[0].key(), Some("a.jpg"));
    assert_eq!(instructions[0].text("value"), Ok("let it be red"));
}

#[test]
fn every_text_format_gives_the_same_records_with_their_lines() {
    for (name, text) in [
        (
            "a.json",
            "[\n  {\"a\": 1},\n\n  {\"a\":\n 2}, {\"a\": 3}\n]\n",
        ),
        ("a.jsonl", "\n{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}"),
        ("a.json", "\n{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}"),
        ("a.csv", "a,b\n1,x\n\n2,\"x\ny\"\n3,\n"),
        ("a.TSV", "b\ta\nx\t1\n\n\"x\"\"\ty\"\t2\n\t3"),
    ] {
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
        ] {
            let lines = match name {
                "a.json" if text.contains('[') => [2, 4, 5],
                "a.csv" => [2, 4, 6],
                _ => [2, 4, 5],
            };
            let expected: Vec<_> = (0..3).map(|i| format!("{} {}", lines[i], i + 1)).collect();
            assert_eq!(outline(&read(name, &text)), expected, "{name}: {text:?}");
        }
    }
}

#[test]
fn a_bad_record_does_not_keep_the_next_ones_from_being_read() {
    let records = [
        "{\"a\": 1}",
        "{\"a\": NaN}",
        "{\"a\": 3, \"a\": 4}",
        "[5]",
        "{\"a\": [6}",
        "{\"a\": \"7}",
        "{\"a\": 8,}",
        "{\"a\": 9}",
    ];
    let says = [
        "in \"a\": NaN is not JSON, though Python writes it; write null or leave the field out (line 2",
        "in \"a\": the key \"a\" is there twice (line 3",
        " is a list",
        "in \"a\": expected ',' or ']' (line 5",
        "in \"a\": ",
        "in \"a\": trailing comma (line 7",
    ];
    for (name, text) in [
        ("v.json", format!("[{}]", records.join(",\n"))),
        ("v.jsonl", records.join("\n")),
    ] {
        let read = outline(&read(name, text));
        assert_eq!(
            (read[0].as_str(), read[7].as_str()),
            ("1 1", "8 9"),
            "{read:?}"
        );
        for (index, says) in says.iter().enumerate() {
            let error = &read[index + 1];
            let place = format!("{name}:{}: ", index + 2);
            assert!(error.starts_with(&place) && error.contains(says), "{error}");
        }
        assert_eq!(read.len(), 8);
    }
}

/// How many records there are before the one error with which the file ends, and the error.
fn broken(name: &str, content: impl AsRef<[u8]>) -> (usize, String) {
    let mut read = read(name, content);
    let error = read.pop().unwrap().err().unwrap();
    assert!(read.iter().all(Result::is_ok));
    (read.len(), error)
}

#[test]
fn where_structure_is_lost_the_file_ends_with_an_error_that_says_so() {
    for (text, says) in [
        (
            "\n{\"a\": 2",
            "2: the file is cut short: it ends within this record; nothing after",
        ),
        ("\n", "2: the file is cut short: ']' is missing"),
        ("\n]", "2: there is a comma before the last ']'; remove it"),
        (", {\"a\": 2}]", "1: expected a record here"),
        (":]", "1: expected a record here"),
    ] {
        let (good, error) = broken("v.json", format!("[{{\"a\": 1}},{text}"));
        assert_eq!(good, 1);
        assert!(error.starts_with(&format!("v.json:{says}")), "{error}");
    }
    for (text, says) in [
        (
            "[{\"a\": 1} {\"a\": 2}]",
            "1: expected ',' or ']' after the record",
        ),
        ("[{\"a\": 1}}]", "1: expected ',' or ']' after the record"),
        (
            "[{\"a\": 1}]\n{\"a\": 2}",
            "2: something follows the last ']'",
        ),
        (
            "{\"x\": {\"a\": 1}, y: 2}",
            "1: expected the name of a record, in quotation marks",
        ),
        (
            "{\"x\": {\"a\": 1}, \"y\" 2}",
            "1: expected ':' after the name \"y\"",
        ),
        ("{\"x\": {\"a\": 1}, \"y\":", "1: the file is cut short"),
        (
            "{\"x\": {\"a\": 1}, \"\\q\": 1}",
            "1: \"\"\\q\"\" is no name in JSON",
        ),
    ] {
        let (good, error) = broken("v.json", text);
        assert_eq!(good, 1);
        assert!(error.starts_with(&format!("v.json:{says}")), "{error}");
    }
    let (good, error) = broken("v.csv", "a,b\n1,2\n3,\"4\n5,6\n");
    assert_eq!(good, 1);
    assert!(error.starts_with("v.csv:3: a quotation mark opened in this row is never closed"));
}

#[test]
fn a_file_that_is_something_else_is_named_for_what_it_is() {
    for (name, text, says) in [
        ("v.json", &b" \n"[..], "v.json:2: the file is empty"),
        ("v.json", b"hello", "v.json:1: this is not JSON of records"),
        (
            "v.jsonl",
            b"[{\"a\": 1}]",
            "v.jsonl:1: the line is a list, not an object; if the whole file is one list, name it .json",
        ),
        (
            "v.csv",
            b"",
            "v.csv:1: the file is empty; its first line must name the columns",
        ),
        (
            "v.csv",
            b"a,b,a\n1,2,3\n",
            "v.csv:1: two columns are called \"a\"; rename one",
        ),
        (
            "v.csv",
            b"a,\xff\n1,2\n",
            "v.csv:1: the name of a column is not UTF-8",
        ),
        (
            "v.csv",
            b"PAR1....",
            "it is Parquet; rename it to end in .parquet",
        ),
        (
            "v.json",
            b"\x1f\x8b\x08",
            "it is compressed with gzip; unpack it first",
        ),
        (
            "v.json",
            b"\xff\xfe[\0]\0",
            "v.json:1: it is UTF-16; save it as UTF-8",
        ),
        (
            "v.txt",
            b"a",
            "'v.txt' is no table or list that can be read: its name must end in .json",
        ),
    ] {
        let (good, error) = broken(name, text);
        assert_eq!(good, 0);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_ragged_row_and_a_cell_that_is_no_text_are_that_rows_error() {
    let read = read("v.csv", b"a,b\n1,x\n2\n3,y,z\n4,\xff\n5,w\n");
    let outline = outline(&read);
    assert_eq!((outline[0].as_str(), outline[4].as_str()), ("2 1", "6 5"));
    assert!(
        outline[1].starts_with("v.csv:3: the row has 1 cells where the first line names 2 columns"),
        "{outline:?}"
    );
    assert!(
        outline[2].starts_with("v.csv:4: the row has 3 cells"),
        "{outline:?}"
    );
    assert_eq!(
        outline[3],
        "v.csv:5: 'b': is not UTF-8; save the file as UTF-8"
    );
}

#[test]
fn bytes_that_are_no_text_are_that_records_error() {
    for (name, text) in [
        (
            "v.json",
            &b"[{\"a\": 1},\n{\"b\":\n\"\xff\"},\n{\"a\": 2}]"[..],
        ),
        ("v.jsonl", b"{\"a\": 1}\n\n{\"\xff\": 1}\n{\"a\": 2}"),
    ] {
        let outline = outline(&read(name, text));
        assert_eq!((outline[0].as_str(), outline[2].as_str()), ("1 1", "4 2"));
        assert!(
            outline[1].contains(" of line 3 is not UTF-8; save the file as UTF-8"),
            "{outline:?}"
        );
    }
}

#[test]
fn records_of_any_size_cross_the_blocks_in_which_a_file_is_read() {
    let long = "x,\\\"é".repeat(100_000);
    let texts: Vec<String> = (0..30)
        .map(|i| {
            long[..(i * 7919) % 500_000 / 8 * 6]
                .trim_end_matches('\\')
                .to_owned()
        })
        .collect();
    let objects: Vec<String> = texts
        .iter()
        .map(|t| serde_json::json!({"a": 1, "t": t}).to_string())
        .collect();
    let rows: Vec<String> = texts
        .iter()
        .map(|t| format!("1,\"{}\"", t.replace('"', "\"\"")))
        .collect();
    for (name, text) in [
        ("v.json", format!("[{}]", objects.join(",\n"))),
        ("v.jsonl", objects.join("\n")),
        ("v.csv", format!("a,t\n{}", rows.join("\r\n"))),
    ] {
        let read = good(name, text);
        let found: Vec<_> = read
            .iter()
            .map(|r| r.text("t").unwrap_or_default())
            .collect();
        assert_eq!(found.len(), 30);
        assert!(found.iter().zip(&texts).all(|(a, b)| a == b), "{name}");
    }
}

#[test]
fn a_record_that_never_ends_does_not_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let opened = |name: &str, head: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, head).unwrap();
        // A hole, which takes no room on the disk.
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(200 << 20).unwrap();
        Source::open_up_to(&path, 2 << 20).unwrap()
    };
    let json = Members::new(opened("v.json", "[{\"a\": \""))
        .unwrap()
        .next();
    let lines = Lines::new(opened("v.jsonl", "{\"a\": \"")).next();
    let table = Table::new(opened("v.csv", "a\n\""), b',').unwrap().next();
    for error in [json, lines, table] {
        let error = error.unwrap().unwrap_err();
        assert!(error.ends());
        let error = error.to_string();
        assert!(error.contains("has not ended after 2 MiB"), "{error}");
    }
}

#[test]
fn deep_nesting_is_one_records_error() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let read = outline(&read(
        "v.json",
        format!("[{{\"a\": {deep}}}, {{\"a\": 2}}]"),
    ));
    assert!(read[0].contains("it is nested too deeply"), "{read:?}");
    assert_eq!(read[1], "1 2");
}

#[test]
fn progress_goes_from_nothing_to_the_files_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.csv");
    std::fs::write(&path, "a\n1\n22\n").unwrap();
    let mut records = open(&path).unwrap();
    let mut read = Vec::new();
    while records.next().is_some() {
        read.push(records.bytes_read());
    }
    assert_eq!(
        (read, records.bytes_total(), records.total()),
        (vec![4, 7], 7, None)
    );
}

#[test]
fn columns_are_those_of_the_table_or_of_the_first_record() {
    let dir = tempfile::tempdir().unwrap();
    let columns_of = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        columns(&path)
    };
    assert_eq!(columns_of("v.csv", "b,a\n").unwrap(), ["b", "a"]);
    assert_eq!(
        columns_of("v.json", "[{\"b\": 1, \"a\": 2}, {}]").unwrap(),
        ["a", "b"]
    );
    assert!(columns_of("v.json", "[]").unwrap().is_empty());
    assert!(columns_of("v.jsonl", "{\"a\"}").is_err());
}

/// The real tables, where they are at hand; they are not this project's to keep.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn the_published_tables_are_read_without_an_error() {
    let root = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/benchdata"
    ));
    if !root.is_dir() {
        eprintln!(
            "skipped: there are no published tables at {}",
            root.display()
        );
        return;
    }
    let (mut folders, mut files) = (vec![root], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|e| e.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if ending.is_some_and(|e| ["json", "jsonl", "csv", "tsv"].contains(&e)) {
                assert!(read_all(&path) > 0, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 30, "{files}");
}

/// The number of records.
fn read_all(path: &Path) -> usize {
    let mut records = open(path).unwrap();
    // Written by Python from these tables: one of its correlations is undefined.
    let pythons = path.ends_with("expected.json");
    let count = records
        .by_ref()
        .inspect(|record| match record {
            Ok(_) => {}
            Err(error) => assert!(pythons && error.to_string().contains("NaN"), "{error}"),
        })
        .count();
    let (read, total) = (records.bytes_read(), records.bytes_total());
    assert_eq!(read, total, "{}", path.display());
    count
}
