//! What it costs to take in data sets of the published size and shape. Not timed by a harness: one import is minutes long and
//! happens once. Prints seconds, rate and the most memory that was ever resident.
//!
//! ```text
//! cargo bench --bench data              # 200,000 pairs as JSON, and as 1,500,000 rows of JSON lines
//! cargo bench --bench data -- parquet   # and 9 GB of EditReward-Data's Parquet with the images in it, which takes disk
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what fails here fails the measurement"
)]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use erw::data::Workspace;
use erw::data::export::{ExportOptions, export_format};
use erw::data::import::{ColumnMap, ImportOptions};
use erw::domain::ImageRef;

const PAIRS: usize = 200_000;
const ROWS: usize = 1_500_000;
/// Candidates of a group, as in the published set.
const SIDES: usize = 7;

fn main() {
    // `cargo test` builds benchmarks too and runs them with this flag: nothing is measured then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    pairs(dir.path());
    rows(dir.path());
    if std::env::args().any(|a| a == "parquet") {
        parquet(dir.path());
    }
}

/// A number that looks drawn, the same each time.
fn mixed(n: usize) -> usize {
    (n as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23) as usize
}

/// The published training form: 21 pairs a group of seven candidates.
fn pairs(dir: &Path) {
    let file = dir.join("pairs.json");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    let mut written = 0;
    'groups: for group in 0.. {
        for a in 0..SIDES {
            for b in a + 1..SIDES {
                let before = if written == 0 { "[" } else { "," };
                let score =
                    |side: usize, axis: usize| 1 + (mixed(group * 100 + side * 10 + axis) >> 7) % 4;
                writeln!(
                    out,
                    r#"{before}{{"prompt":"replace object number {group} with something else and keep the rest of the picture as it is","path_src":"images/source/{group:07}.jpg","path1":"images/edited/{group:07}-{a}.png","path2":"images/edited/{group:07}-{b}.png","model1":"editor-{a}","model2":"editor-{b}","model1_dim1_score":{},"model1_dim2_score":{},"model1_overall_score":{},"model2_dim1_score":{},"model2_dim2_score":{},"model2_overall_score":{},"tie_case":false,"choice_dist":null,"confidence":null}}"#,
                    score(a, 1),
                    score(a, 2),
                    score(a, 1) + score(a, 2),
                    score(b, 1),
                    score(b, 2),
                    score(b, 1) + score(b, 2),
                )
                .unwrap();
                written += 1;
                if written == PAIRS {
                    break 'groups;
                }
            }
        }
    }
    out.write_all(b"]").unwrap();
    out.into_inner().unwrap();
    measure("200,000 pairs, JSON", dir, &file, &ImportOptions::default());
}

/// A table of single edits, as curation sets come.
fn rows(dir: &Path) {
    let file = dir.join("rows.jsonl");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    for row in 0..ROWS {
        writeln!(
            out,
            r#"{{"prompt":"replace object number {row} with something else","src":"images/source/{row:07}.jpg","out":"images/edited/{row:07}.png","model":"editor-{}","kind":"replace"}}"#,
            row % 9
        )
        .unwrap();
    }
    out.into_inner().unwrap();
    let map = "instruction=prompt,source=src,edited=out,editor=model,category=kind";
    let options = ImportOptions {
        map: ColumnMap::parse(map).unwrap(),
        ..ImportOptions::default()
    };
    measure("1,500,000 rows, JSON lines", dir, &file, &options);
}

/// EditReward-Data's shape: pictures that do not compress, three a row, written by our own export.
fn parquet(dir: &Path) {
    const GROUPS: usize = 700;
    const BYTES: usize = 200_000;
    let from = dir.join("from");
    std::fs::create_dir(&from).unwrap();
    let mut text = String::new();
    for group in 0..GROUPS {
        for side in 0..=SIDES {
            picture(
                &from.join(format!("{group}-{side}.bmp")),
                group * 10 + side,
                BYTES,
            );
        }
        let candidates: Vec<String> = (1..=SIDES)
            .map(|side| {
                let score = 1 + (mixed(group * 31 + side) >> 5) % 4;
                format!(
                    r#"{{"id":"{side}","image":"{group}-{side}.bmp","editor":"editor-{side}","labels":[{{"annotator":"x","if":{score},"vq":{}}}]}}"#,
                    1 + (group + side) % 4
                )
            })
            .collect();
        let _ = std::fmt::Write::write_fmt(
            &mut text,
            format_args!(
                "{{\"id\":\"g{group}\",\"source\":\"{group}-0.bmp\",\"instruction\":\"do {group}\",\"candidates\":[{}]}}\n",
                candidates.join(",")
            ),
        );
    }
    let groups = from.join("groups.jsonl");
    std::fs::write(&groups, text).unwrap();
    let workspace = Workspace::create(&from).unwrap();
    workspace.import_jsonl(&groups).unwrap();
    let file = dir.join("train-00000-of-00001.parquet");
    let format = export_format(None, &file).unwrap();
    let began = Instant::now();
    workspace
        .export(&file, format, &ExportOptions::default(), &mut |_, _| {})
        .unwrap();
    println!("written in {:.1} s", began.elapsed().as_secs_f64());
    let set = measure("Parquet with images", dir, &file, &ImportOptions::default());
    let mut images: Vec<ImageRef> = Vec::new();
    let each = |group: erw::domain::Group| {
        images.extend(group.candidates.into_iter().map(|c| c.image));
        Ok(())
    };
    set.each_group(each).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|i| {
            let image = &images[mixed(i) % images.len()];
            let began = Instant::now();
            erw::data::images::read(set.root(), image).unwrap();
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "one of its images read: median {:.2} ms, slowest of 200 {:.2} ms",
        times[100], times[199]
    );
}

/// A bitmap of noise with about so many bytes.
fn picture(file: &Path, seed: usize, bytes: usize) {
    let side = ((bytes / 3) as f64).sqrt() as u32 / 4 * 4;
    let data = side * side * 3;
    let mut out = b"BM".to_vec();
    for word in [
        54 + data,
        0,
        54,
        40,
        side,
        side,
        1 | 24 << 16,
        0,
        data,
        2835,
        2835,
        0,
        0,
    ] {
        out.extend(word.to_le_bytes());
    }
    let mut state = mixed(seed + 1) as u64;
    out.extend((0..data).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    }));
    std::fs::write(file, out).unwrap();
}

fn measure(what: &str, dir: &Path, file: &Path, options: &ImportOptions) -> Workspace {
    let here = dir.join(format!("workspace of {what}"));
    let workspace = Workspace::create(&here).unwrap();
    let size = std::fs::metadata(file).unwrap().len() as f64 / 1e6;
    let began = Instant::now();
    let report = workspace
        .import(&[file.to_path_buf()], options, &mut |_| {})
        .unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{what}: {size:.0} MB in {seconds:.1} s ({:.0} MB/s), {} groups, {} candidates, {} labels, {} votes; at most {} resident",
        size / seconds,
        report.groups,
        report.candidates,
        report.labels,
        report.votes,
        resident()
    );
    let began = Instant::now();
    let again = workspace
        .import(&[file.to_path_buf()], options, &mut |_| {})
        .unwrap();
    println!(
        "  again: {:.1} s, {} groups unchanged",
        began.elapsed().as_secs_f64(),
        again.unchanged
    );
    workspace
}

/// The most memory that was ever resident, where the system tells.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "?".into(), |peak| peak.trim().to_owned())
}
