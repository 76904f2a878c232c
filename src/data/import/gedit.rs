//! GEdit-Bench, the instructions as the hub's Parquet, and the edits beside it as its evaluation expects them.
//!
//! | column | is |
//! |---|---|
//! | `instruction`, `instruction_language` | the instruction, `en` or `cn` |
//! | `input_image` | the source image, in the file (`input_image_raw` is the same before it was resized) |
//! | `task_type` | the kind of edit |
//! | `key` | names the item |
//! | `Intersection_exist` | whether it is one of those that every published editor answered; not needed |
//!
//! The table has no edits. They are looked for in the file's folder, as `<editor>/fullset/<task_type>/<language>/<key>.png`
//! (or `.jpg`, `.webp`); an item without any is an error of its row.

use std::path::{Path, PathBuf};

use super::record::{CandidateRecord, GroupRecord};
use super::rows;
use super::{Format, ImportError};
use crate::data::records::Record;

/// The format's row in the registry.
pub(super) const FORMAT: Format = Format {
    name: "gedit",
    title: "GEdit-Bench of the hub, with editors' results in folders beside it",
    told_by: "task_type, key, instruction, instruction_language, input_image",
    whole: false,
    fits: |look| {
        look.has(&[
            "task_type",
            "key",
            "instruction",
            "instruction_language",
            "input_image",
        ])
    },
    open: |opening| {
        let path = std::path::absolute(opening.path).map_err(|why| ImportError::Unreadable {
            file: opening.path.to_path_buf(),
            why,
        })?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let editors = editors(&folder);
        rows::open(opening, Box::new(move |record| item(record, &editors)))
    },
};

/// The folders of results, by editor.
fn editors(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut editors: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.path().join("fullset"))
        .filter(|path| path.is_dir())
        .filter_map(|path| {
            let name = path.parent()?.file_name()?.to_str()?.to_owned();
            Some((name, path))
        })
        .collect();
    editors.sort();
    editors
}

fn item(record: &Record, editors: &[(String, PathBuf)]) -> Result<GroupRecord, ImportError> {
    let (source, source_hash) = rows::image(record, "input_image")?;
    let part = |field: &str| {
        let text = rows::name(record, field)?.unwrap_or_default();
        // It becomes part of a path: nothing may lead out of the folder.
        if text.is_empty() || text.starts_with('.') || text.contains(['/', '\\', '\0']) {
            return Err(record.wrong(field, format!("'{text}' is no name")));
        }
        Ok(text)
    };
    let (task, language, key) = (
        part("task_type")?,
        part("instruction_language")?,
        part("key")?,
    );
    let mut candidates = Vec::new();
    for (editor, folder) in editors {
        let stem = folder.join(&task).join(&language);
        let endings = ["png", "jpg", "jpeg", "webp"].into_iter();
        let found = endings
            .map(|ending| stem.join(format!("{key}.{ending}")))
            .find(|path| path.is_file());
        if let Some(image) = found.as_deref().and_then(Path::to_str) {
            candidates.push(CandidateRecord {
                image: image.to_owned(),
                editor: Some(editor.clone()),
                ..CandidateRecord::default()
            });
        }
    }
    if candidates.is_empty() {
        let why = format!(
            "no editor has '{key}': put results beside the file, as EDITOR/fullset/{task}/{language}/{key}.png"
        );
        return Err(record.wrong("key", why).into());
    }
    Ok(GroupRecord {
        key: format!("{language}/{key}"),
        source_hash,
        category: Some(task),
        ..GroupRecord::new(
            record.place().clone(),
            source,
            record.text("instruction")?,
            candidates,
        )
    })
}
