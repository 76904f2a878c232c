//! `erw data stats`: what a data set consists of, as tables.

use std::path::PathBuf;

use serde::Serialize;

use super::args::DataStatsArgs;
use super::opened;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::table::{Side, Table};
use crate::data::census::{Census, Part};
use crate::domain::text::printable;

#[derive(Serialize)]
struct Answer {
    workspace: PathBuf,
    #[serde(flatten)]
    census: Census,
}

/// Prints the tables.
pub(in crate::cli) fn run(args: &DataStatsArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let answer = Answer {
        workspace: workspace.root().to_owned(),
        census: workspace.census()?,
    };
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn told(answer: &Answer, style: Style) -> String {
    let census = &answer.census;
    let mut lines = vec![format!(
        "{}: {}, {}, {}",
        printable(&answer.workspace.display().to_string()),
        count(census.groups, "group"),
        count(census.candidates, "candidate"),
        count(census.sources, "source image"),
    )];
    let mut said = vec![count(census.labels, "label")];
    if census.simulated_labels > 0 {
        said.push(format!("{} of them simulated", census.simulated_labels));
    }
    said.push(count(census.votes, "vote"));
    said.push(count(census.ratings, "rating"));
    lines.push(said.join(", "));
    let sizes = census.sizes.iter();
    let sizes: Vec<String> = sizes
        .map(|(size, groups)| format!("{groups} of {size}"))
        .collect();
    if !sizes.is_empty() {
        lines.push(format!("groups by candidates: {}", sizes.join(", ")));
    }
    let tables = [
        parts("data set", &census.sets, style),
        parts("split", &census.splits, style),
        parts("category", &census.categories, style),
        editors(census, style),
        labels(census, style),
        pairs(census, style),
        votes(census, style),
        ratings(census, style),
        annotators(census, style),
    ];
    for table in tables.into_iter().flatten() {
        lines.push(String::new());
        lines.push(table.trim_end().to_owned());
    }
    lines.join("\n")
}

fn name(name: Option<&String>) -> String {
    name.map_or_else(|| "(none)".into(), |name| printable(name).into_owned())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.2}"))
}

/// `None` where there is one part and it has no name.
fn parts(what: &str, parts: &[Part], style: Style) -> Option<String> {
    if parts.iter().all(|part| part.name.is_none()) {
        return None;
    }
    let mut table = Table::new(&[
        (what, Side::Left),
        ("groups", Side::Right),
        ("candidates", Side::Right),
        ("preferences", Side::Right),
    ]);
    for part in parts {
        let numbers = [part.groups, part.candidates, part.preferences];
        let mut cells = vec![name(part.name.as_ref())];
        cells.extend(numbers.map(|n| n.to_string()));
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn editors(census: &Census, style: Style) -> Option<String> {
    if census.editors.iter().all(|editor| editor.name.is_none()) {
        return None;
    }
    let mut table = Table::new(&[
        ("editor", Side::Left),
        ("candidates", Side::Right),
        ("mean IF", Side::Right),
        ("mean VQ", Side::Right),
    ]);
    for editor in &census.editors {
        let cells = vec![
            name(editor.name.as_ref()),
            editor.candidates.to_string(),
            number(editor.instruction_following),
            number(editor.visual_quality),
        ];
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn labels(census: &Census, style: Style) -> Option<String> {
    if census.labels == 0 {
        return None;
    }
    let mut table = Table::new(&[
        ("labels", Side::Left),
        ("1", Side::Right),
        ("2", Side::Right),
        ("3", Side::Right),
        ("4", Side::Right),
        ("between", Side::Right),
        ("mean", Side::Right),
    ]);
    for axis in &census.axes {
        let all = axis.counts.iter().sum::<usize>() + axis.between;
        let share = |n: usize| format!("{n} ({:.0} %)", 100.0 * n as f64 / all.max(1) as f64);
        let mut cells = vec![axis.axis.to_uppercase()];
        cells.extend(axis.counts.iter().map(|n| share(*n)));
        cells.push(axis.between.to_string());
        cells.push(number(axis.mean));
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn pairs(census: &Census, style: Style) -> Option<String> {
    if census.pairs.iter().all(|p| p.clear + p.tied == 0) {
        return None;
    }
    let mut table = Table::new(&[
        ("labelled pairs", Side::Left),
        ("clear", Side::Right),
        ("tied", Side::Right),
        ("ties with opposite axes", Side::Right),
    ]);
    for pairs in &census.pairs {
        let opposite = match pairs.on {
            "overall" => census.opposite_ties.to_string(),
            _ => String::new(),
        };
        let numbers = [pairs.clear, pairs.tied].map(|n| n.to_string());
        let mut cells = vec![axis(pairs.on)];
        cells.extend(numbers);
        cells.push(opposite);
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn axis(key: &str) -> String {
    match key {
        "overall" => key.into(),
        axis => axis.to_uppercase(),
    }
}

fn votes(census: &Census, style: Style) -> Option<String> {
    if census.voted.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("votes", Side::Left),
        ("clear", Side::Right),
        ("tie", Side::Right),
        ("both good", Side::Right),
        ("both bad", Side::Right),
    ]);
    for voted in &census.voted {
        let numbers = [voted.clear, voted.tie, voted.both_good, voted.both_bad];
        let mut cells = vec![axis(voted.on)];
        cells.extend(numbers.map(|n| n.to_string()));
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn ratings(census: &Census, style: Style) -> Option<String> {
    if census.rated.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("ratings", Side::Left),
        ("count", Side::Right),
        ("lowest", Side::Right),
        ("mean", Side::Right),
        ("highest", Side::Right),
    ]);
    for rated in &census.rated {
        let numbers = [rated.lowest, rated.mean, rated.highest];
        let mut cells = vec![printable(&rated.name).into_owned(), rated.count.to_string()];
        cells.extend(numbers.map(|n| format!("{n:.3}")));
        table.row(cells, false);
    }
    Some(table.render(style))
}

fn annotators(census: &Census, style: Style) -> Option<String> {
    if census.annotators.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("annotator", Side::Left),
        ("judgements", Side::Right),
        ("simulated", Side::Right),
    ]);
    for annotator in &census.annotators {
        let numbers = [annotator.judgements, annotator.simulated];
        let mut cells = vec![printable(&annotator.name).into_owned()];
        cells.extend(numbers.map(|n| n.to_string()));
        table.row(cells, false);
    }
    Some(table.render(style))
}
