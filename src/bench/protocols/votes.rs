//! Votes between two edits in the published files: GenAI-Bench's results and Parquet, and pair JSON.

use std::collections::BTreeMap;
use std::path::Path;

use super::sources::{
    Gathered, files, first, has_ending, nothing, optional, root_of, unparsed, written,
};
use crate::bench::answer::Said;
use crate::bench::case::{Case, Dataset, Edit, Order, Truth, Vote};
use crate::bench::error::BenchError;
use crate::bench::protocol::About;
use crate::data::records::{Record, RecordError};
use crate::domain::ImageRef;

/// Votes between two edits: GenAI-Bench's results and Parquet, pair JSON.
pub(super) fn votes(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let places = ["genai_bench", "results/image_edition/gpt4o", "editreward"];
    let named = |name: &str| {
        [
            "image_edition_joined.json",
            "pairwise.json",
            "valid_dataset_1.json",
        ]
        .contains(&name)
            || has_ending(name, "parquet")
    };
    let files = files(data, &places, named);
    if files.is_empty() {
        return Err(nothing(data, about));
    }
    let mut all = Gathered::new(&root_of(data));
    for file in &files {
        let mut number = 0;
        all.file(file, |all, record| {
            let case = vote(record, number)?;
            number += 1;
            all.add(case, record, "idx")
        })?;
    }
    Ok(all.done())
}

/// A folder with a file of pairs for each category, or one file with a field for it.
pub(super) fn categories(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let files = files(data, &["ood"], |name| has_ending(name, "json"));
    if files.is_empty() {
        return Err(nothing(data, about));
    }
    let mut all = Gathered::new(&root_of(data));
    let single = files.len() == 1;
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let mut number = 0;
        all.file(file, |all, record| {
            let mut case = vote(record, number)?;
            number += 1;
            if !single {
                case.id = format!("{stem}-{}", case.id);
            }
            case.category = if record.has("category") {
                Some(record.text("category")?.to_owned())
            } else {
                Some(stem.clone().into_owned())
            };
            all.add(case, record, "idx")
        })?;
    }
    Ok(all.done())
}

/// A record of a vote between two edits, by whichever names its fields have.
fn vote(record: &Record, number: usize) -> Result<Case, RecordError> {
    let named = |field: &str| optional(record, field);
    let id = match first(record, &["idx", "id", "unique_key", "key"]) {
        Some(field) => written(record, field)?,
        None => number.to_string(),
    };
    let instruction = first(record, &["instruct_prompt", "prompt", "instruction"]);
    let images = [
        ["path_src", "source_image", "source_img"],
        ["left_path", "path1", "left_output_image"],
        ["right_path", "path2", "right_output_image"],
    ];
    let image = |fields: &[&str]| -> Result<Option<ImageRef>, RecordError> {
        first(record, fields).map(|f| record.image(f)).transpose()
    };
    let [source, left, right] = [image(&images[0])?, image(&images[1])?, image(&images[2])?];
    let truth = if let Some(field) = first(record, &["human_vote", "vote_type"]) {
        human_vote(record, field)?
    } else if record.has("path1") {
        match record
            .value("tie_case")
            .and_then(serde_json::Value::as_bool)
        {
            Some(true) => Order::Tie,
            _ => Order::Strict(vec![0, 1]),
        }
    } else {
        return Err(record.wrong("human_vote", "nothing says which edit is the better"));
    };
    let edit = |image, fields: [&str; 2]| {
        let editor = named(fields[0])?.or(named(fields[1])?);
        Ok::<_, RecordError>(Edit { editor, image })
    };
    let cluster = source.as_ref().map_or_else(|| id.clone(), |s| s.0.clone());
    Ok(Case {
        instruction: match instruction {
            Some(field) => record.text(field)?.to_owned(),
            None => String::new(),
        },
        source,
        edits: vec![
            edit(left, ["left_model", "model1"])?,
            edit(right, ["right_model", "model2"])?,
        ],
        category: None,
        truth: Truth::Order(truth),
        recorded: recorded_votes(record)?,
        unseen: None,
        cluster,
        id,
    })
}

fn human_vote(record: &Record, field: &str) -> Result<Order, RecordError> {
    let said = record.text(field)?;
    Ok(match said {
        "leftvote" => Order::Strict(vec![0, 1]),
        "rightvote" => Order::Strict(vec![1, 0]),
        "tievote" => Order::AllGood,
        "bothbad_vote" => Order::AllBad,
        "tie" => Order::Tie,
        other => {
            let reason = format!(
                "'{other}' is no vote: leftvote, rightvote, tievote, bothbad_vote and tie are"
            );
            return Err(record.wrong(field, reason));
        }
    })
}

/// A published verdict: `[[A>B]]`, with or without the brackets.
pub(in crate::bench) fn verdict(text: &str) -> Option<Vote> {
    Some(match text.trim().trim_matches(['[', ']']) {
        "A>B" => Vote::First,
        "B>A" | "A<B" => Vote::Second,
        "A=B=Good" => Vote::BothGood,
        "A=B=Bad" => Vote::BothBad,
        "A=B" | "B=A" => Vote::Tie,
        _ => return None,
    })
}

/// What other judges said of the same pair, where the record tells: fields named `<judge>_vote`.
fn recorded_votes(record: &Record) -> Result<BTreeMap<String, Said>, RecordError> {
    let mut recorded = BTreeMap::new();
    let fields: Vec<String> = record.fields().map(str::to_owned).collect();
    for field in fields {
        let Some(judge) = field.strip_suffix("_vote") else {
            continue;
        };
        if judge == "human" {
            continue;
        }
        let said = match optional(record, &field)? {
            None => unparsed("no verdict is recorded"),
            Some(text) => match verdict(&text) {
                Some(vote) => Said::Votes(vec![(0, 1, vote)]),
                None => unparsed(&format!("'{text}' is recorded, which is no verdict")),
            },
        };
        recorded.insert(judge.to_owned(), said);
    }
    Ok(recorded)
}
