//! Files of every format with bytes changed, cut out and put in: nothing that they say may stop the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fixtures::{Column, Layout, write_parquet};
use super::{columns, open};
use crate::data::images;
use crate::domain::ImageRef;

/// Reads a file as far as it goes and asks every record for everything.
fn use_all(path: &Path) {
    let _ = columns(path);
    let Ok(records) = open(path) else { return };
    for (index, record) in records.enumerate() {
        // A few bytes can say that a file has very many empty rows.
        assert!(index < 1000 || path.extension().is_some_and(|e| e == "parquet"));
        if index > 1000 {
            return;
        }
        let Ok(record) = record else { continue };
        let _ = record.place().to_string();
        for field in record.fields() {
            let _ = (record.has(field), record.text(field), record.number(field));
            let _ = (record.texts(field), record.numbers(field));
            let _ = record.nested(field).map(|n| n.fields().count());
            let _ = record.image(field);
        }
    }
}

fn mutated(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => {
                bytes[at] = *b"\"{}[],:\\\n\r\t0"
                    .get(rng.random_range(0..12))
                    .unwrap_or(&0xff);
            }
            3 => bytes.insert(at, rng.random()),
            4 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn fuzz(ending: &str, original: &[u8], rounds: u64) {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..rounds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // A name of its own: some file systems make sure of the old content's replacement on the disk, which takes long.
        let name = format!("{seed}{ending}");
        let path = dir.path().join(&name);
        std::fs::write(&path, mutated(original, &mut rng)).unwrap();
        let whole = catch_unwind(AssertUnwindSafe(|| use_all(&path)));
        assert!(whole.is_ok(), "{ending}, seed {seed}");
        if ending == ".parquet" {
            let row = rng.random_range(0..6);
            let _ = images::read(dir.path(), &ImageRef(format!("{name}#{row}/img")));
        }
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn no_json_stops_the_program() {
    let text = r#"[{"a": 1, "b": "x\"\\é\u00e9", "c": [0.5, {"d": null}]},
{"a": -2e3, "b": "", "c": []}, {"h": {"r": "A>B"}, "t": true}]"#;
    fuzz(".json", text.as_bytes(), 800);
    let named = r#"{"k": {"a": 1}, "l\n": [1], "m": "x", "n": {"a": {"b": {}}}}"#;
    fuzz(".json", named.as_bytes(), 400);
    fuzz(".jsonl", text.replace(",\n", "\n").as_bytes(), 400);
}

#[test]
fn no_table_stops_the_program() {
    let text = "a,b,\"c\"\n1,\"x\"\"y\n z\",\"[0.5, 1]\"\r\n2,\"{'a': None}\",\n3,é,'['\n";
    fuzz(".csv", text.as_bytes(), 800);
    fuzz(".tsv", text.replace(',', "\t").as_bytes(), 400);
}

#[test]
fn no_parquet_stops_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("whole.parquet");
    let columns = [
        ("text", Column::text(&["a", "bb", "a", "", "ccc"])),
        (
            "int",
            Column::Int(vec![Some(1), None, Some(3), Some(-4), None]),
        ),
        (
            "list",
            Column::Texts(vec![
                vec!["x".into()],
                vec![],
                vec!["y".into(), "z".into()],
                vec![],
                vec![],
            ]),
        ),
        (
            "img",
            Column::Image(vec![
                (Some(vec![1; 30]), None),
                (None, Some("p".into())),
                (Some(vec![2; 9]), None),
                (None, None),
                (Some(vec![3]), None),
            ]),
        ),
        (
            "tie",
            Column::Bool(vec![Some(true), None, None, Some(false), Some(true)]),
        ),
    ];
    for layout in [
        Layout::default(),
        Layout {
            codec: parquet::basic::Compression::UNCOMPRESSED,
            ..Layout::default()
        },
    ] {
        write_parquet(&path, &columns, layout);
        fuzz(".parquet", &std::fs::read(&path).unwrap(), 600);
    }
}
