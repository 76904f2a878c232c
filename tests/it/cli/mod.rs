//! The program as a shell sees it: what it prints where, its exit codes, and what it makes of bad input. Each test has a home
//! and a data folder of its own; no network, no terminal.

mod curate;
mod failures;
mod images;
mod models;
mod shell;
mod workspaces;

use std::path::PathBuf;
use std::process::Output;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program;

/// A user with an empty home, in an empty folder.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn erw(&self, args: &[&str]) -> Outcome {
        let home = self.home.path();
        let mut command = program::erw(args, home, home, &self.path("data"));
        Outcome::of(&command.output().unwrap())
    }

    /// Three small pictures, two of them the same.
    fn pictures(&self) {
        self.write("a.png", png(64, 48, [200, 30, 30]));
        self.write("b.png", png(64, 48, [30, 200, 30]));
        self.write("c.png", png(64, 48, [30, 200, 30]));
    }

    /// Scores `b.png` and `c.png` as edits of `a.png` with the small model.
    fn score(&self, more: &[&str]) -> Outcome {
        let model = small_model();
        let mut args = vec!["score", "--source", "a.png", "--model"];
        args.push(model.to_str().unwrap());
        args.extend(more);
        self.erw(&args)
    }
}

/// How a run ended.
#[derive(Debug)]
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

impl Outcome {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let outcome = Self {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!outcome.err.contains("panicked"), "{outcome:?}");
        assert!(
            !outcome.out.contains('\u{1b}') && !outcome.err.contains('\u{1b}'),
            "an escape sequence off a terminal: {outcome:?}"
        );
        outcome
    }

    /// Of a run that ended with `code`.
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The one message says each of these.
    fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "no '{word}' in: {}", self.err);
        }
        assert!(self.err.len() < 2000, "too long: {}", self.err);
    }
}

/// A small model of random weights, as published in all but size.
pub(super) fn small_model() -> PathBuf {
    static MADE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let home = tempfile::tempdir().unwrap();
        let args = ["model", "random", "model", "--like", "small", "--seed", "1"];
        let made =
            program::erw(&args, home.path(), home.path(), &home.path().join("data")).output();
        assert!(made.unwrap().status.success());
        home
    });
    MADE.path().join("model")
}

/// A picture of one colour.
pub(super) fn png(width: u32, height: u32, rgb: [u8; 3]) -> Vec<u8> {
    let image = image::RgbImage::from_pixel(width, height, image::Rgb(rgb));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG of a few bytes whose header promises `width` × `height` pixels.
fn promising_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1, [0; 3]);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// The keys of an answer with the kind of each value: what programs rely on.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => {
            let mut kinds: Vec<Value> = Vec::new();
            for kind in items.iter().map(shape) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            Value::Array(kinds)
        }
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
    }
}

fn shape_of(outcome: &Outcome) -> String {
    serde_json::to_string_pretty(&shape(&outcome.json())).unwrap()
}

/// A copy of the small model.
fn copied_model(user: &User) -> PathBuf {
    let dir = user.path("model");
    std::fs::create_dir(&dir).unwrap();
    for file in std::fs::read_dir(small_model()).unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
    }
    dir
}

/// A data set of one group over the pictures.
const GROUPS: &str = r#"{"id": "g", "source": "a.png", "instruction": "make it green", "candidates": [{"id": "x", "image": "b.png"}, {"id": "y", "image": "c.png"}]}"#;
