//! `erw data find` and `erw data fields`: the candidates for which a query holds, and what a query can ask for.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::args::{DataFieldsArgs, DataFindArgs};
use super::{opened, with_model};
use crate::cli::chosen::{self, WhereArgs};
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::table::{Side, Table};
use crate::data::{Match, Workspace};
use crate::domain::text::printable;
use crate::domain::{CandidateId, Group};

#[derive(Serialize)]
struct Answer {
    query: String,
    /// How many there are, whatever the limit.
    found: usize,
    candidates: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    group: String,
    candidate: String,
    editor: Option<String>,
    instruction: String,
    image: String,
    /// What the query orders by.
    value: Option<f64>,
}

/// Lists what a query finds.
pub(super) fn run(args: &DataFindArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let query = WhereArgs {
        query: Some(args.query.clone()),
    };
    let mut matches = query
        .matches(&workspace, &with_model(args.model.as_deref())?)?
        .unwrap_or_default();
    let found = matches.len();
    matches.truncate(args.limit.unwrap_or(usize::MAX));
    keep(args, &workspace, &matches)?;
    let answer = Answer {
        query: args.query.clone(),
        found,
        candidates: looked_up(&workspace, &matches)?,
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

/// Tags and saves what was found, as far as that was asked for.
fn keep(args: &DataFindArgs, workspace: &Workspace, matches: &[Match]) -> anyhow::Result<()> {
    if let Some(tag) = &args.tag {
        let mut new = 0;
        for found in matches {
            new += usize::from(workspace.tag(found.candidate, tag, true)?);
        }
        print::note(&format!(
            "'{}' is now also on {}",
            printable(tag),
            count(new, "candidate")
        ));
    }
    if let Some(name) = &args.save {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let candidates: Vec<CandidateId> = matches.iter().map(|found| found.candidate).collect();
        workspace.save_selection(name, &args.query, at, &candidates)?;
        print::note(&format!(
            "kept as the selection '{}': {}; find them by 'selection = \"{}\"'",
            printable(name),
            count(candidates.len(), "candidate"),
            printable(name)
        ));
    }
    Ok(())
}

/// The names of what was found; matches of one group beside each other cost one look.
fn looked_up(workspace: &Workspace, matches: &[Match]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::with_capacity(matches.len());
    let mut last: Option<Group> = None;
    for one in matches {
        if last.as_ref().is_none_or(|group| group.id != one.group) {
            last = workspace.group(one.group)?;
        }
        let candidate = last.as_ref().and_then(|group| {
            let candidate = group.candidates.iter().find(|c| c.id == one.candidate);
            candidate.map(|candidate| (group, candidate))
        });
        found.extend(candidate.map(|(group, candidate)| Found {
            group: group.key.clone(),
            candidate: candidate.key.clone(),
            editor: candidate.editor.clone(),
            instruction: group.instruction.clone(),
            image: candidate.image.0.clone(),
            value: one.value,
        }));
    }
    Ok(found)
}

fn told(answer: &Answer, style: Style) -> String {
    let ordered = answer.candidates.iter().any(|found| found.value.is_some());
    let mut head = vec![
        ("group", Side::Left),
        ("candidate", Side::Left),
        ("editor", Side::Left),
    ];
    if ordered {
        head.push(("value", Side::Right));
    }
    head.push(("instruction", Side::Left));
    let mut table = Table::new(&head);
    for found in &answer.candidates {
        let mut cells = vec![
            printable(&found.group).into_owned(),
            printable(&found.candidate).into_owned(),
            printable(found.editor.as_deref().unwrap_or("–")).into_owned(),
        ];
        if ordered {
            let value = found.value.map(|value| format!("{value:.3}"));
            cells.push(value.unwrap_or_else(|| "–".to_owned()));
        }
        let words: String = printable(&found.instruction).chars().take(60).collect();
        cells.push(words);
        table.row(cells, false);
    }
    let total = count(answer.found, "candidate");
    let shown = if answer.candidates.len() < answer.found {
        format!("the first {} of {total}", answer.candidates.len())
    } else {
        total
    };
    if answer.candidates.is_empty() {
        return shown;
    }
    format!("{}\n{shown}", table.render(style).trim_end())
}

#[derive(Serialize)]
struct FieldAnswer {
    name: &'static str,
    words: &'static str,
}

#[derive(Serialize)]
struct FieldsAnswer {
    fields: Vec<FieldAnswer>,
}

/// Lists what queries can ask for.
pub(super) fn fields(args: &DataFieldsArgs) -> anyhow::Result<Exit> {
    let fields = chosen::fields();
    if args.answer.json {
        let fields = fields.into_iter();
        print::json(&FieldsAnswer {
            fields: fields
                .map(|(name, words)| FieldAnswer { name, words })
                .collect(),
        })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[("field", Side::Left), ("what it is", Side::Left)]);
    for (name, words) in fields {
        table.row(vec![name.to_owned(), words.to_owned()], false);
    }
    print::out(table.render(Style::of_stdout()).trim_end())?;
    Ok(Exit::Done)
}
