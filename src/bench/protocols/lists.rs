//! VIEScore's own files: what a judge said of an editor's images, `SC.json` and `PQ.json`, each a list of scores from 0 to 10 by
//! input; and where a clone of its repository keeps them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::raters::viescore;
use super::sources::written;
use crate::bench::answer::Score;
use crate::bench::error::BenchError;
use crate::data::records::{self, Record, RecordError};

/// The two files of a judge on an editor.
const FILES: [&str; 2] = ["SC.json", "PQ.json"];
/// What a folder of a judge's answers begins with.
const JUDGE: &str = "results_";

/// Where the repository keeps `folder`, from its root and from its folder of the paper.
pub(in crate::bench) fn places(folder: &str) -> [String; 2] {
    [folder.to_owned(), format!("paper_implementation/{folder}")]
}

/// A judge of a clone, and the folders of the editors that it scored, by name.
pub(super) struct Judge {
    pub(super) name: String,
    pub(super) editors: Vec<(String, PathBuf)>,
}

/// The judges of a clone on a task ("Text-Guided_IE"), by name; none where `data` is no clone.
pub(super) fn judges(data: &Path, task: &str) -> Result<Vec<Judge>, BenchError> {
    let mut out = Vec::new();
    for place in places("_answers") {
        for (folder, path) in folders(&data.join(place))? {
            let Some(name) = folder.strip_prefix(JUDGE) else {
                continue;
            };
            let mut editors = folders(&path.join(format!("ImagenHub_{task}")))?;
            editors.retain(|(_, editor)| both(editor).is_some());
            if !editors.is_empty() {
                let name = name.to_owned();
                out.push(Judge { name, editors });
            }
        }
    }
    Ok(out)
}

/// The folders in one, by name; none where it is not there.
fn folders(place: &Path) -> Result<Vec<(String, PathBuf)>, BenchError> {
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(place).map_err(BenchError::files("read", place))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut out: Vec<(String, PathBuf)> = paths
        .filter(|path| path.is_dir())
        .filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)))
        .collect();
    out.sort();
    Ok(out)
}

/// The two files in a folder, if it has both.
pub(in crate::bench) fn both(folder: &Path) -> Option<[PathBuf; 2]> {
    let files = FILES.map(|name| folder.join(name));
    files.iter().all(|file| file.is_file()).then_some(files)
}

/// The scores of the inputs that both files have. Records that cannot be used are noted in `bad`.
pub(in crate::bench) fn scores(
    [sc, pq]: &[PathBuf; 2],
    bad: &mut Vec<String>,
) -> Result<Vec<(String, Score)>, BenchError> {
    let mut consistency = HashMap::new();
    each(sc, bad, |record| {
        consistency.insert(input(record)?, list(record)?);
        Ok(())
    })?;
    let mut out = Vec::new();
    each(pq, bad, |record| {
        let (input, list) = (input(record)?, list(record)?);
        if let Some(sc) = consistency.get(&input) {
            let score = viescore(sc, &list).map_err(|why| record.wrong("score", why))?;
            out.push((input, score));
        }
        Ok(())
    })?;
    Ok(out)
}

fn each(
    file: &Path,
    bad: &mut Vec<String>,
    mut take: impl FnMut(&Record) -> Result<(), RecordError>,
) -> Result<(), BenchError> {
    for record in records::open(file)? {
        match record.and_then(|record| take(&record)) {
            Ok(()) => {}
            Err(error) if error.ends() => return Err(error.into()),
            Err(error) => bad.push(error.to_string()),
        }
    }
    Ok(())
}

fn input(record: &Record) -> Result<String, RecordError> {
    match record.key() {
        Some(key) => Ok(key.to_owned()),
        None => written(record, "uid"),
    }
}

/// The scores; some judges' answers are one number instead of a list.
fn list(record: &Record) -> Result<Vec<f64>, RecordError> {
    match record.value("score") {
        Some(serde_json::Value::Number(_)) => Ok(vec![record.number("score")?]),
        _ => record.numbers("score"),
    }
}
