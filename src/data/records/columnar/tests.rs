//! Parquet read back: the hub's schemas, images one at a time, and files that lie.

use std::path::Path;

use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use tempfile::TempDir;

use crate::data::images;
use crate::data::records::fixtures::{Column, Layout, write_parquet};
use crate::data::records::{Record, RecordError, columns, open};
use crate::domain::ImageRef;

fn written(columns: &[(&str, Column)], layout: Layout) -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.parquet");
    write_parquet(&path, columns, layout);
    (dir, path)
}

fn read(path: &Path) -> Result<Vec<Record>, RecordError> {
    open(path)?.collect()
}

fn said(path: &Path) -> String {
    let error = read(path).unwrap_err();
    assert!(error.ends(), "{error}");
    error.to_string()
}

fn five() -> Vec<(&'static str, Column)> {
    vec![
        ("instruction", Column::text(&["a", "b", "c", "d", "e"])),
        (
            "key",
            Column::Int(vec![Some(0), Some(-1), None, Some(3), Some(i64::MAX)]),
        ),
        (
            "score",
            Column::numbers(&[0.5, f64::NAN, 2.0, f64::NEG_INFINITY, 4.0]),
        ),
        (
            "tie",
            Column::Bool([true, false, true, false, true].map(Some).to_vec()),
        ),
        (
            "paths",
            Column::Texts(vec![
                vec!["x".into(), "y".into()],
                vec![],
                vec!["z".into()],
                vec![],
                vec!["w".into()],
            ]),
        ),
        (
            "ratings",
            Column::Numbers(vec![
                vec![0.5, 1.0],
                vec![1.0],
                vec![],
                vec![0.0, 0.0, 0.5],
                vec![1.0],
            ]),
        ),
    ]
}

#[test]
fn every_kind_of_value_comes_back_over_row_groups_and_codecs() {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for codec in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd] {
        let layout = Layout {
            codec,
            ..Layout::default()
        };
        let (_dir, path) = written(&five(), layout);
        let mut records = open(&path).unwrap();
        assert_eq!(records.total(), Some(5));
        assert_eq!(records.bytes_read(), 0);
        let rows: Vec<Record> = records.by_ref().map(Result::unwrap).collect();
        assert_eq!(records.bytes_read(), records.bytes_total());
        let names: Vec<_> = rows
            .iter()
            .map(|r| r.text("instruction").unwrap())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(rows[1].number("key"), Ok(-1.0));
        assert!(!rows[2].has("key") && rows[2].value("key").is_some());
        assert_eq!(rows[4].number("score"), Ok(4.0));
        assert_eq!(rows[0].value("tie"), Some(&serde_json::Value::Bool(true)));
        assert_eq!(rows[0].texts("paths").unwrap(), ["x", "y"]);
        assert!(rows[1].texts("paths").unwrap().is_empty());
        assert_eq!(rows[3].numbers("ratings").unwrap(), [0.0, 0.0, 0.5]);
    }
}

#[test]
fn errors_name_file_row_and_column() {
    let (_dir, path) = written(&five(), Layout::default());
    let rows = read(&path).unwrap();
    for (error, says) in [
        (
            rows[1].number("score").unwrap_err(),
            "row 1 (counted from 0): 'score': is \"NaN\", and only finite",
        ),
        (
            rows[3].number("score").unwrap_err(),
            "row 3 (counted from 0): 'score': is \"-Infinity\", and only",
        ),
        (
            rows[2].number("key").unwrap_err(),
            "row 2 (counted from 0): 'key': is null",
        ),
        (
            rows[0].number("tie").unwrap_err(),
            "row 0 (counted from 0): 'tie': is true, not a number",
        ),
        (
            rows[4].text("key").unwrap_err(),
            "row 4 (counted from 0): 'key': is the number 9223372036854775807, not text",
        ),
        (
            rows[0].image("left").unwrap_err(),
            "'left': is missing; there are \"instruction\"",
        ),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("test.parquet") && error.contains(says),
            "{error}"
        );
    }
}

/// Section 8: the training set of EditReward as it lies on the hub.
#[test]
fn a_file_of_pairs_from_the_hub_is_read_with_its_images() {
    let scores = |name| (name, Column::numbers(&[4.0, 2.0, 3.0]));
    let (_dir, path) = written(
        &[
            ("key", Column::Int(vec![Some(0), Some(1), Some(2)])),
            ("instruction", Column::text(&["make it red", "x", "y"])),
            ("source_img", Column::images(&[b"src0", b"src1", b"src2"])),
            (
                "left_output_image",
                Column::Image(vec![
                    (Some(b"left0".to_vec()), Some("l0.png".into())),
                    (None, Some("edits/l1.png".into())),
                    (None, None),
                ]),
            ),
            (
                "right_output_image",
                Column::Bytes(vec![
                    Some(b"right0".to_vec()),
                    None,
                    Some(b"right2".to_vec()),
                ]),
            ),
            scores("left_instruction_following_score"),
            scores("left_quality_aesthetic_score"),
            ("vote_type", Column::text(&["leftvote", "rightvote", "tie"])),
        ],
        Layout::default(),
    );
    assert_eq!(
        columns(&path).unwrap()[2..4],
        ["source_img", "left_output_image"]
    );
    let rows = read(&path).unwrap();
    let bytes = |row: usize, field: &str| {
        images::read(Path::new("/"), &rows[row].image(field).unwrap()).unwrap()
    };
    assert_eq!(bytes(0, "source_img"), b"src0");
    assert_eq!(bytes(2, "source_img"), b"src2");
    assert_eq!(bytes(0, "left_output_image"), b"left0");
    assert_eq!(bytes(0, "right_output_image"), b"right0");
    assert_eq!(bytes(2, "right_output_image"), b"right2");
    assert_eq!(
        rows[1].image("left_output_image"),
        Ok(ImageRef("edits/l1.png".into()))
    );
    let error = rows[2].image("left_output_image").unwrap_err().to_string();
    assert!(error.ends_with("has neither bytes nor a path"), "{error}");
    let has = |row: usize| ["left_output_image", "right_output_image"].map(|f| rows[row].has(f));
    assert_eq!(
        [has(0), has(1), has(2)],
        [[true, true], [true, false], [false, true]]
    );
    assert_eq!(rows[0].number("left_instruction_following_score"), Ok(4.0));
    assert_eq!(rows[1].text("vote_type"), Ok("rightvote"));
    assert_eq!(rows[0].fields().count(), 8);
}

#[test]
fn listing_rows_reads_no_image() {
    let all: Vec<Vec<u8>> = (0..8_u8).map(|i| vec![100 + i; 1 << 16]).collect();
    let views: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let (_dir, path) = written(
        &[
            ("key", Column::Int((0..8).map(Some).collect())),
            ("img", Column::images(&views)),
        ],
        Layout {
            codec: Compression::UNCOMPRESSED,
            ..Layout::default()
        },
    );
    // Where the images are, with their lengths, nothing is left that could be read.
    let mut bytes = std::fs::read(&path).unwrap();
    for image in &all {
        let at = bytes.windows(99).position(|w| w == &image[..99]).unwrap();
        bytes[at - 4..at + image.len()].fill(0xff);
    }
    let ruined = path.with_file_name("ruined.parquet");
    std::fs::write(&ruined, bytes).unwrap();
    let rows = read(&ruined).unwrap();
    assert_eq!(rows.len(), 8);
    let reference = rows[3].image("img").unwrap();
    assert!(images::read(Path::new("/"), &reference).is_err());
    let whole = ImageRef(reference.0.replace("ruined", "test"));
    assert_eq!(images::read(Path::new("/"), &whole).as_ref(), Ok(&all[3]));
}

#[test]
fn any_image_of_many_pages_and_row_groups_is_found() {
    let all: Vec<Vec<u8>> = (0..40_u8)
        .map(|i| vec![i; 10 + usize::from(i) * 7])
        .collect();
    let views: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let layout = Layout {
        rows_a_group: 15,
        bytes_a_page: 300,
        ..Layout::default()
    };
    let (dir, _) = written(&[("i", Column::images(&views))], layout);
    for (row, image) in all.iter().enumerate() {
        let reference = ImageRef(format!("./test.parquet#{row}/i"));
        assert_eq!(images::read(dir.path(), &reference).as_ref(), Ok(image));
    }
    let stamp = images::Stamp::at(dir.path(), &ImageRef("test.parquet#3/i".into()));
    let size = std::fs::metadata(dir.path().join("test.parquet"))
        .unwrap()
        .len();
    assert_eq!(stamp.map(|s| s.size), i64::try_from(size).ok());
}

#[test]
fn references_that_lead_nowhere_say_so() {
    let (dir, path) = written(
        &[
            ("k", Column::text(&["a"])),
            ("i", Column::Bytes(vec![None])),
        ],
        Layout::default(),
    );
    std::fs::write(dir.path().join("no.parquet"), "hello, I am no table").unwrap();
    let root = dir.path().join("ws");
    for (reference, says) in [
        (
            "../test.parquet#0/i".to_owned(),
            "leads out of the workspace",
        ),
        (
            "gone.parquet#0/i".to_owned(),
            "the image 'gone.parquet#0/i' is missing",
        ),
        (
            format!("{}#1/i", path.display()),
            "there is no row 1: the file has 1, counted from 0",
        ),
        (
            format!("{}#0/k", path.display()),
            "there is no column of images 'k'",
        ),
        (
            format!("{}#0/i", path.display()),
            "row 0 has no bytes in 'i'",
        ),
        (
            format!("{}#0/i", path.with_file_name("no.parquet").display()),
            "does not begin as a Parquet file does",
        ),
    ] {
        let error = images::read(&root, &ImageRef(reference.clone()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(says) && error.contains(&reference),
            "{error}"
        );
    }
}

#[test]
fn an_image_over_the_limit_is_not_copied() {
    let (_dir, path) = written(&[("i", Column::images(&[&[7; 1000]]))], Layout::default());
    let reference = format!("{}#0/i", path.display());
    let cell = super::CellRef::parse(&reference).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    assert_eq!(cell.read(&file, 999), Err(super::CellError::TooLarge(1000)));
    assert_eq!(cell.read(&file, 1000), Ok(vec![7; 1000]));
}

#[test]
fn a_path_alone_is_the_image_even_where_there_is_a_place_for_bytes() {
    let paths = ["a.png", "b.png", "c.png"].map(|p| (None, Some(p.to_owned())));
    let (_dir, path) = written(
        &[
            ("i", Column::Image(paths.to_vec())),
            ("p", Column::text(&["x", "y", "z"])),
        ],
        Layout::default(),
    );
    let rows = read(&path).unwrap();
    assert_eq!(rows[2].image("i"), Ok(ImageRef("c.png".into())));
    assert_eq!(rows[2].image("p"), Ok(ImageRef("z".into())));
}

#[test]
fn files_that_are_no_parquet_or_not_whole_are_named() {
    let (dir, path) = written(&five(), Layout::default());
    let bytes = std::fs::read(&path).unwrap();
    let other = dir.path().join("other.parquet");
    for (content, says) in [
        (&b"PAR1"[..], "too short"),
        (
            b"[{\"a\": 1}, {\"a\": 2}]",
            "does not begin as a Parquet file does",
        ),
        (
            &bytes[..bytes.len() / 2],
            "cut short: the end of a Parquet file is missing",
        ),
        (&[&bytes[..4], &bytes[300..]].concat(), "other.parquet"),
        (b"PARE\0\0\0\0\0\0\0\0PARE", "encrypted"),
        (
            b"PAR1\0\0\0\0\xff\xff\0\0PAR1",
            "its footer is larger than it can be",
        ),
    ] {
        std::fs::write(&other, content).unwrap();
        let error = said(&other);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_codec_that_is_not_built_in_is_named() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let error = super::check_codec(gzip, "key").unwrap_err();
    assert!(
        error.contains("column 'key' is compressed with GZIP"),
        "{error}"
    );
    assert!(error.contains("snappy and zstd are read"), "{error}");
}
