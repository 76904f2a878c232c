//! ImagenHub's human ratings: one table a rater, `<Task>_rater1.tsv`, `<Task>_rater2.tsv`, …, with a row an input and a column an
//! editor, each cell `[SC, PQ]`, 0 to 1. Naming one of a task's tables takes them all in.
//!
//! The tables name images and no paths; they are those of the published results, `ImagenHub_<Task>/input/<uid>` for the source and
//! `ImagenHub_<Task>/<Editor>/<uid>` for the edits, from the tables' folder or `--root`. Instructions are in no table: they are
//! read from `imagenhub_<task>_instructions.json` (the task in lower case, `_` for `-`) or `instructions.json` beside the
//! tables, an object from uid to instruction; without it they are empty.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::record::{CandidateRecord, GroupRecord};
use super::{Format, GroupRecords, GroupSource, ImportError, Opening};
use crate::data::records::{self, Record};
use crate::domain::Rating;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "imagenhub",
    title: "ImagenHub raters' tables, <Task>_rater<N>.tsv",
    told_by: "its name; uid, and a column an editor",
    whole: true,
    fits: |look| look.ending == "tsv" && look.has(&["uid"]) && task_of(&look.path).is_some(),
    open: |opening| Ok(Box::new(Task::read(opening)?) as GroupRecords),
};

/// The task in a table's name: `Text-Guided_IE` of `Text-Guided_IE_rater1.tsv`.
fn task_of(path: &Path) -> Option<&str> {
    let (task, rater) = path.file_stem()?.to_str()?.rsplit_once("_rater")?;
    let digits = !rater.is_empty() && rater.bytes().all(|b| b.is_ascii_digit());
    (digits && !task.is_empty()).then_some(task)
}

/// All tables of a task, put together: some thousands of cells.
struct Task {
    records: std::vec::IntoIter<Result<GroupRecord, ImportError>>,
    done: u64,
    total: u64,
}

impl Task {
    fn read(opening: &Opening<'_>) -> Result<Self, ImportError> {
        let path = opening.path;
        let task = task_of(path).ok_or_else(|| {
            ImportError::Usage(format!(
                "'{}' is not named <Task>_rater<N>.tsv, as ImagenHub's tables are",
                path.display()
            ))
        })?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let instructions = instructions(folder, task)?;
        let mut groups: BTreeMap<String, GroupRecord> = BTreeMap::new();
        let mut order = Vec::new();
        let mut wrong = Vec::new();
        for (rater, table) in tables(folder, task)? {
            let columns = records::columns(&table)?;
            let editors: Vec<&String> = columns.iter().filter(|name| *name != "uid").collect();
            for record in records::open(&table)? {
                let read = record.map_err(ImportError::from).and_then(|record| {
                    let uid = record.text("uid")?.to_owned();
                    let group = groups.entry(uid.clone()).or_insert_with(|| {
                        order.push(uid.clone());
                        empty(&record, opening.set, task, &uid, &editors, &instructions)
                    });
                    rate(&record, rater, &editors, group)
                });
                wrong.extend(read.err());
            }
        }
        let mut records: Vec<Result<GroupRecord, ImportError>> = Vec::new();
        records.extend(order.iter().filter_map(|uid| groups.remove(uid)).map(Ok));
        records.extend(wrong.into_iter().map(Err));
        let total = records.len() as u64;
        let mut task = Self {
            records: records.into_iter(),
            done: 0,
            total,
        };
        for _ in 0..opening.skip {
            task.next();
        }
        Ok(task)
    }
}

impl Iterator for Task {
    type Item = Result<GroupRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.done += 1;
        self.records.next()
    }
}

impl GroupSource for Task {
    fn behind(&self) -> u64 {
        self.done.min(self.total)
    }

    fn total(&self) -> u64 {
        self.total
    }
}

/// The tables of a task with their raters' numbers, in their order.
fn tables(folder: &Path, task: &str) -> Result<Vec<(u32, PathBuf)>, ImportError> {
    let unreadable = |why| ImportError::Unreadable {
        file: folder.to_path_buf(),
        why,
    };
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let rater = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(task)?.strip_prefix("_rater"))
            .and_then(|rest| rest.strip_suffix(".tsv")?.parse().ok());
        tables.extend(rater.map(|rater: u32| (rater, path)));
    }
    tables.sort();
    Ok(tables)
}

fn instructions(folder: &Path, task: &str) -> Result<BTreeMap<String, String>, ImportError> {
    let own = format!(
        "imagenhub_{}_instructions.json",
        task.to_lowercase().replace('-', "_")
    );
    let found = [own.as_str(), "instructions.json"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file());
    let Some(file) = found else {
        return Ok(BTreeMap::new());
    };
    let text = std::fs::read_to_string(&file).map_err(|why| ImportError::Unreadable {
        file: file.clone(),
        why,
    })?;
    serde_json::from_str(&text).map_err(|why| {
        ImportError::Usage(format!(
            "'{}' is no object from uid to instruction: {why}",
            file.display()
        ))
    })
}

/// A group without ratings.
fn empty(
    record: &Record,
    set: &str,
    task: &str,
    uid: &str,
    editors: &[&String],
    instructions: &BTreeMap<String, String>,
) -> GroupRecord {
    let place = |folder: &str| format!("ImagenHub_{task}/{folder}/{uid}");
    let candidates = editors.iter().map(|editor| CandidateRecord {
        key: (*editor).clone(),
        image: place(editor),
        editor: Some((*editor).clone()),
        ..CandidateRecord::default()
    });
    let instruction = instructions.get(uid).cloned().unwrap_or_default();
    // Tasks share inputs: where a set holds several, the task is part of the name.
    let key = if set == task {
        format!("{set}/{uid}")
    } else {
        format!("{set}/{task}/{uid}")
    };
    GroupRecord {
        key,
        category: Some(task.to_owned()),
        ..GroupRecord::new(
            record.place().clone(),
            place("input"),
            instruction,
            candidates.collect(),
        )
    }
}

/// Adds one rater's cells; an empty one is no rating.
fn rate(
    record: &Record,
    rater: u32,
    editors: &[&String],
    group: &mut GroupRecord,
) -> Result<(), ImportError> {
    for editor in editors {
        if !record.has(editor) {
            continue;
        }
        let numbers = record.numbers(editor)?;
        let both: [f64; 2] = numbers.as_slice().try_into().map_err(|_| {
            let why = format!("has {} numbers, not [SC, PQ]", numbers.len());
            record.wrong(editor, why)
        })?;
        let candidate = group.candidates.iter_mut().find(|c| c.key == **editor);
        let Some(candidate) = candidate else {
            let why = "is an editor that the first rater's table does not have";
            return Err(record.wrong(editor, why).into());
        };
        for (name, value) in ["sc", "pq"].into_iter().zip(both) {
            if !(0.0..=1.0).contains(&value) {
                let why = format!("has {value} for {name}; ratings go from 0 to 1");
                return Err(record.wrong(editor, why).into());
            }
            candidate.ratings.push(Rating {
                annotator: format!("rater-{rater}"),
                name: name.to_owned(),
                value,
                scale: Some([0.0, 1.0]),
            });
        }
    }
    Ok(())
}
