//! Who may name whom, as a test: the layers of the module map in `src/lib.rs`, where outside crates may be named, and the
//! few rules of form that keep files small and findable. It reads the sources as text and compiles nothing, so it sees
//! test modules and disabled features too.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::sources::{Token, strip, tokens};

/// Each module of the crate and the modules that it may name.
#[rustfmt::skip]
const MODULES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("memory", &[]),
    ("config", &["domain"]),
    ("data", &["domain"]),
    ("model", &["domain"]),
    ("runs", &["domain"]),
    ("remote", &["domain"]),
    // A job is a process that writes a run folder.
    ("jobs", &["domain", "config", "runs"]),
    ("score", &["domain", "config", "data", "model", "runs"]),
    ("synth", &["domain", "config", "data", "model", "runs"]),
    ("train", &["domain", "config", "data", "model", "runs", "jobs"]),
    // What a model says comes to it through a trait of its own.
    ("bench", &["domain", "config", "data", "runs", "remote"]),
    ("annotate", &["domain", "config", "data"]),
    ("generate", &["domain", "config", "data", "runs", "jobs", "remote"]),
    ("failures", &["domain", "config", "data", "model", "runs"]),
    ("curate", &["domain", "config", "data", "runs", "jobs"]),
    ("workbench", &["domain", "config", "data", "model", "runs", "jobs", "score", "synth", "train", "bench"]),
    ("tui", &["domain", "config", "data", "model", "runs", "jobs", "score", "synth", "train", "bench", "annotate", "failures", "curate", "workbench"]),
    // The command without a verb opens the workbench, and `doctor` asks it about the terminal.
    ("cli", &["domain", "memory", "config", "data", "model", "runs", "jobs", "score", "synth", "train", "bench", "annotate", "generate", "failures", "curate", "workbench", "tui"]),
    ("main", &["cli"]),
];

/// Outside crates that are named in certain places only: modules by their path below `src/`, whether file or folder.
const CRATES: &[(&str, &[&str])] = &[
    ("candle_core", &["model"]),
    ("candle_nn", &["model"]),
    ("candle_transformers", &["model"]),
    ("tokenizers", &["model"]),
    ("safetensors", &["model"]),
    ("minijinja", &["model"]),
    ("yaml_rust2", &["model"]),
    ("mozjpeg", &["model/decode"]),
    ("ratatui", &["tui"]),
    ("ratatui_image", &["tui"]),
    ("tui_input", &["tui"]),
    ("nucleo_matcher", &["tui"]),
    // Only as `ratatui::crossterm`, so that there is one of it.
    ("crossterm", &[]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("rusqlite", &["data"]),
    ("parquet", &["data/export", "data/records"]),
    ("csv", &["data/export", "data/records"]),
    ("nvml_wrapper", &["jobs/resources"]),
    ("gemm", &["model"]),
    ("mimalloc", &["memory"]),
    ("libmimalloc_sys", &["memory"]),
    ("ureq", &["remote"]),
    ("base64", &["remote", "data/export"]),
    ("butteraugli", &["bench/baselines"]),
    ("fast_ssim2", &["bench/baselines"]),
    ("imgref", &["bench/baselines"]),
    (
        "image",
        &[
            "bench/baselines",
            "data/images",
            "failures",
            "model/decode",
            "model/preprocess",
            "synth",
            "tui/widgets/image",
        ],
    ),
    (
        "fast_image_resize",
        &["data/images", "failures", "synth", "tui/widgets/image"],
    ),
];

/// What formulas may not touch: `domain` is the same on every day and every machine.
const NOT_IN_DOMAIN: &[&str] = &[
    "fs", "env", "net", "process", "thread", "time", "rand", "tokio",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "base", "misc", "types",
];

const MAX_LINES: usize = 500;
const MAX_SCREEN_FIELDS: usize = 12;

/// All complaints about one file; `path` is relative to `src/`, with slashes.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut found = check_form(path, text);
    found.extend(check_names(path, text));
    if path.starts_with("tui/") {
        found.extend(check_fields(path, text));
    }
    found
}

fn check_form(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |line: usize, what: &str| found.push(format!("src/{path}:{line}: {what}"));
    if !text.starts_with("//! ") {
        say(1, "opens without '//!': say why the file exists");
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        say(
            lines,
            &format!("{lines} lines: split it, {MAX_LINES} is the most"),
        );
    }
    for name in path.trim_end_matches(".rs").split('/') {
        if EMPTY_NAMES.contains(&name) {
            say(
                1,
                &format!("'{name}' says nothing: name it after the thing in it"),
            );
        }
    }
    for (number, line) in text.lines().enumerate() {
        for mark in [
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("XX", "X"),
        ] {
            if line.contains(mark) {
                say(
                    number + 1,
                    &format!("'{mark}': do it, or put it in an issue"),
                );
            }
        }
    }
    found
}

/// The module that a file belongs to, as path segments: `model/rope.rs` is `[model, rope]`, `lib.rs` is the root.
fn module_of(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = path
        .trim_end_matches(".rs")
        .split('/')
        .map(String::from)
        .collect();
    if segments.last().is_some_and(|s| s == "mod" || s == "lib") {
        segments.pop();
    }
    segments
}

fn check_names(path: &str, text: &str) -> Vec<String> {
    let text = strip(text);
    let tokens = tokens(&text);
    let mut found = Vec::new();
    let mut seen = |line: usize, message: String| {
        let message = format!("src/{path}:{line}: {message}");
        if !found.contains(&message) {
            found.push(message);
        }
    };
    let module = module_of(path);
    let top = module.first().map(String::as_str);
    let word = |i: usize| tokens.get(i).map_or("", |t: &Token| t.text);
    let own_image = tokens
        .windows(2)
        .any(|w| w[0].text == "mod" && w[1].text == "image");
    let mut inner = Vec::new();
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        match token.text {
            "mod" if word(i + 2) == "{" => inner.push((depth, word(i + 1).to_owned())),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inner.pop_if(|(opened, _)| *opened == depth);
            }
            _ => {}
        }
        let after_path = i > 0 && word(i - 1) == "::";
        for name in named_modules(&tokens, i, &module, inner.len()) {
            if let Some(top) = top
                && let Some((_, below)) = MODULES.iter().find(|(m, _)| *m == top)
                && MODULES.iter().any(|(m, _)| *m == name)
                && name != top
                && !below.contains(&name)
            {
                seen(token.line, format!("{top} may not name {name}"));
            }
        }
        if word(i + 1) != "::" || after_path {
            continue;
        }
        if token.text == "std" && top == Some("domain") && NOT_IN_DOMAIN.contains(&word(i + 2)) {
            seen(
                token.line,
                format!("domain may not name std::{}", word(i + 2)),
            );
        }
        if NOT_IN_DOMAIN.contains(&token.text) && top == Some("domain") {
            seen(
                token.line,
                format!("domain may not name the crate {}", token.text),
            );
        }
        if let Some((name, places)) = CRATES.iter().find(|(c, _)| *c == token.text)
            && !(token.text == "image" && own_image)
            && !places.iter().any(|place| {
                path.strip_prefix(place)
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
        {
            let here = top.unwrap_or("the root");
            seen(token.line, format!("{here} may not name the crate {name}"));
        }
    }
    found
}

/// The modules at the top of the crate that the path or use tree starting at token `i` names.
fn named_modules<'a>(
    tokens: &[Token<'a>],
    i: usize,
    module: &[String],
    inner: usize,
) -> Vec<&'a str> {
    let word = |i: usize| tokens.get(i).map_or("", |t| t.text);
    if i > 0 && word(i - 1) == "::" {
        return Vec::new();
    }
    let mut at = i;
    match word(i) {
        // `main.rs` is a crate of its own and says `erw::` for what is `crate::` elsewhere.
        "crate" | "erw" => at += 1,
        "super" => {
            let mut ups = 0;
            while word(at) == "super" {
                ups += 1;
                at += if word(at + 1) == "::" { 2 } else { 1 };
            }
            if ups < module.len() + inner {
                return Vec::new();
            }
            at -= 1;
        }
        _ => return Vec::new(),
    }
    if word(at) != "::" {
        return Vec::new();
    }
    match word(at + 1) {
        "{" => {
            let (mut names, mut depth) = (Vec::new(), 0_usize);
            for j in at + 1..tokens.len() {
                match word(j) {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    name if depth == 1 && matches!(word(j - 1), "{" | ",") => names.push(name),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            names
        }
        name => vec![name],
    }
}

/// Structs with so many fields that they are several things at once; the disease of terminal programs.
fn check_fields(path: &str, text: &str) -> Vec<String> {
    let text = strip(text);
    let tokens = tokens(&text);
    let word = |i: usize| tokens.get(i).map_or("", |t: &Token| t.text);
    let mut found = Vec::new();
    for i in 0..tokens.len() {
        if word(i) != "struct" {
            continue;
        }
        let Some(open) = (i..tokens.len()).find(|&j| matches!(word(j), "{" | ";" | "(")) else {
            break;
        };
        if word(open) != "{" {
            continue;
        }
        let (mut depth, mut fields) = (0_usize, 0);
        for j in open..tokens.len() {
            match word(j) {
                "{" | "(" | "[" | "<" => depth += 1,
                "}" | ")" | "]" | ">" => depth = depth.saturating_sub(1),
                ":" if depth == 1 => fields += 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        if fields > MAX_SCREEN_FIELDS {
            found.push(format!(
                "src/{path}:{}: struct {} has {fields} fields: take it apart, {MAX_SCREEN_FIELDS} is the most",
                tokens[i].line,
                word(i + 1)
            ));
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn report(found: &[String]) -> String {
    found.iter().fold(String::from("\n"), |mut out, line| {
        let _ = writeln!(out, "{line}");
        out
    })
}

#[test]
fn every_module_names_only_what_lies_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 15, "found only {} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let path = file
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        found.extend(check(&path, &text));
    }
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn the_tests_keep_the_rules_of_form_too() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut found = Vec::new();
    for file in rust_files(&tests) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        found.extend(check_form(&format!("../tests/it/{name}"), &text));
        if tokens(&strip(&text)).iter().any(|t| t.text == "sleep") {
            found.push(format!(
                "tests/it/{name}: sleeps: wait for the thing itself"
            ));
        }
    }
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn every_module_has_its_row_in_the_table() {
    let map = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    for line in map.unwrap().lines() {
        if let Some(name) = line
            .trim_start_matches("pub ")
            .strip_prefix("mod ")
            .map(|n| n.trim_end_matches(';'))
        {
            assert!(
                MODULES.iter().any(|(m, _)| *m == name),
                "{name} has no layer yet"
            );
        }
    }
}

#[test]
fn a_violation_is_caught_with_its_file_and_line() {
    let at = |path: &str, text: &str| check(path, &format!("//! A file.\n{text}"));
    assert_eq!(
        at(
            "data/store.rs",
            "\nuse crate::{domain::Group, model::Reward};"
        ),
        ["src/data/store.rs:3: data may not name model"]
    );
    assert_eq!(
        at("score/live.rs", "fn f() { crate::synth::g() }"),
        ["src/score/live.rs:2: score may not name synth"]
    );
    assert_eq!(
        at(
            "domain/stats.rs",
            "mod tests { use super::super::super::data; }"
        ),
        ["src/domain/stats.rs:2: domain may not name data"]
    );
    assert_eq!(
        at("domain/mod.rs", "use std::time::Instant;"),
        ["src/domain/mod.rs:2: domain may not name std::time"]
    );
    assert_eq!(
        at("cli/print.rs", "use ratatui::style::Style;"),
        ["src/cli/print.rs:2: cli may not name the crate ratatui"]
    );
    assert_eq!(
        at("tui/app.rs", "use crossterm::event::Event;"),
        ["src/tui/app.rs:2: tui may not name the crate crossterm"]
    );
    assert_eq!(
        at("main.rs", "fn main() { erw::tui::run() }"),
        ["src/main.rs:2: main may not name tui"]
    );
    let fields = (0..13).fold(String::new(), |mut s, i| {
        let _ = write!(s, "f{i}: Vec<(u8, u8)>, ");
        s
    });
    assert_eq!(
        at("tui/app.rs", &format!("struct App {{ {fields} }}")).len(),
        1
    );
    assert_eq!(
        check("model/utils.rs", "fn f() {}\n"),
        [
            "src/model/utils.rs:1: opens without '//!': say why the file exists",
            "src/model/utils.rs:1: 'utils' says nothing: name it after the thing in it"
        ]
    );
    assert_eq!(at("model/head.rs", &"\n".repeat(500)).len(), 1);
}

#[test]
fn words_in_comments_and_strings_and_paths_of_others_are_not_violations() {
    for (path, text) in [
        (
            "data/store.rs",
            "/// See [`crate::model`].\n/* crate::tui /* nested */ */",
        ),
        (
            "data/store.rs",
            "const A: &str = \"use crate::model;\"; const B: &str = r#\"\"crate::tui\"\"#;",
        ),
        (
            "data/store.rs",
            "fn f<'a>(c: char) -> &'a str { if c == '\"' { crate::domain::g() } else { \"'\" } }",
        ),
        (
            "tui/app.rs",
            "use ratatui::crossterm::event::Event; use super::widgets::image::Still;",
        ),
        (
            "tui/widgets/mod.rs",
            "mod image; pub use image::Still; use super::super::domain::Group;",
        ),
        (
            "domain/reward.rs",
            "mod tests { use super::Axis; use super::super::Group; }",
        ),
        ("cli/mod.rs", "use crate::{tui, workbench::{self, Setup}};"),
    ] {
        assert_eq!(
            check(path, &format!("//! A file.\n{text}")),
            Vec::<String>::new()
        );
    }
}
