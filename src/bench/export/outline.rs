//! What a written report says, before it is Markdown or HTML: the same words and numbers for both. Text from data is printable
//! here and not escaped yet.

use std::fmt::Write as _;

use super::number::{in_table, interval, written};
use crate::bench::leaderboard::{Leaderboard, Measured, Row as BoardRow};
use crate::bench::protocol::{Table, Unanswered, Unit};
use crate::bench::protocols;
use crate::bench::report::{Figure, Report};
use crate::domain::text::printable;

/// How many of the left-out records are named.
const NAMED: usize = 5;

/// A table.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) title: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

/// A column of a table; the first one names the rows.
#[derive(Debug)]
pub(super) struct Column {
    /// What it has in common with its neighbours.
    pub(super) group: Option<String>,
    pub(super) title: String,
    pub(super) numbers: bool,
}

/// A row of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// It was not measured here.
    pub(super) published: bool,
}

/// A cell of a table.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// What stands behind it and matters less.
    pub(super) aside: Option<String>,
}

/// Something to know of a run.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) term: &'static str,
    pub(super) text: String,
    /// Examples of it.
    pub(super) examples: Vec<String>,
}

/// What is said of a run.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) title: String,
    pub(super) facts: Vec<Fact>,
    pub(super) figures: Grid,
    pub(super) tables: Vec<Grid>,
    pub(super) report: &'a Report,
}

/// The leaderboard as a table, and what has to be known to read it.
pub(super) fn leaderboard(board: &Leaderboard) -> (Grid, Vec<String>) {
    let units: Vec<Unit> = board
        .columns
        .iter()
        .map(|column| protocols::find(&column.benchmark).map_or(Unit::Percent, |p| p.about().unit))
        .collect();
    let mut columns = vec![Column::words("scorer"), Column::words("kind")];
    columns.extend(board.columns.iter().map(|column| Column {
        group: Some(shown(&column.benchmark)),
        title: shown(&column.title),
        numbers: true,
    }));
    let rows = board
        .rows
        .iter()
        .filter(|row| row.cells.iter().any(Option::is_some));
    let grid = Grid {
        title: "Leaderboard".into(),
        columns,
        rows: rows.map(|row| board_row(row, &units)).collect(),
    };
    (grid, board_notes(board))
}

fn board_row(row: &BoardRow, units: &[Unit]) -> Row {
    let kind = Cell {
        text: shown(&row.kind),
        aside: row.source.as_ref().map(|s| format!("({})", shown(s))),
    };
    let mut cells = vec![Cell::from(shown(&row.scorer)), kind];
    for (cell, unit) in row.cells.iter().zip(units) {
        cells.push(match cell {
            None => Cell::from("-".to_owned()),
            Some(cell) => {
                let mark = if cell.other_data { "†" } else { "" };
                Cell {
                    text: format!("{}{mark}", written(Some(cell.value), *unit)),
                    aside: interval(cell.interval, *unit),
                }
            }
        });
    }
    Row {
        cells,
        published: row.source.is_some(),
    }
}

fn board_notes(board: &Leaderboard) -> Vec<String> {
    let mut notes = vec![
        "Shares and correlations in percent; below or behind them, in brackets, the central 95 % of a bootstrap over clusters of \
         cases. Published rows are as printed and come without."
            .to_owned(),
    ];
    let cells = || board.rows.iter().flat_map(|row| &row.cells).flatten();
    if cells().any(|cell| cell.other_data) {
        notes.push("† on data with another number of judgements than the published figures of that column.".into());
    }
    notes
}

impl<'a> Section<'a> {
    /// Of a run.
    pub(super) fn new(one: &'a Measured) -> Self {
        let report = &one.report;
        let title = match &report.scorer {
            Some(scorer) => format!("{}: {}", shown(&report.name), shown(&scorer.name)),
            None => shown(&report.name),
        };
        Self {
            title,
            facts: facts(&one.run, report),
            figures: figures(report),
            tables: report
                .tables
                .iter()
                .map(|t| table(t, report.unit))
                .collect(),
            report,
        }
    }
}

fn facts(run: &str, report: &Report) -> Vec<Fact> {
    let data = &report.data;
    let mut facts = vec![
        Fact::new("run", shown(run)),
        Fact::new(
            "benchmark",
            format!("{} ({})", shown(&report.name), shown(&report.benchmark)),
        ),
        Fact::new("publisher", shown(&report.publisher)),
        Fact::new("protocol", shown(&report.protocol)),
        Fact::new(
            "scorer",
            match &report.scorer {
                None => "nobody is asked: people against each other".into(),
                Some(scorer) => format!(
                    "{} ({}), fingerprint {}",
                    shown(&scorer.name),
                    shown(&scorer.kind),
                    shown(&scorer.fingerprint)
                ),
            },
        ),
        Fact::new(
            "data",
            format!(
                "{}, fingerprint {}",
                shown(&data.path),
                shown(&data.fingerprint)
            ),
        ),
        Fact::new("cases", data.cases.to_string()),
        Fact {
            term: "left out",
            text: counted(data.left_out, "record"),
            examples: examples(&data.bad, data.left_out),
        },
        Fact::new("unanswered", without_answer(&report.unanswered)),
        Fact {
            term: "edits without a score",
            text: counted(report.unscored.edits, "edit"),
            examples: examples(&report.unscored.first, report.unscored.edits),
        },
        Fact::new(
            "calibration error",
            match report.calibration_error {
                Some(error) => format!(
                    "{error:.4} (expected calibration error of P(A ≻ B); {} bins are filled)",
                    report.reliability.len()
                ),
                None => "- (the scorer gives no probabilities)".into(),
            },
        ),
        Fact::new("intervals", intervals(report)),
    ];
    if let Some(usage) = report.usage {
        facts.push(Fact::new(
            "cost",
            format!(
                "{} requests, {} tokens in, {} tokens out",
                usage.requests, usage.tokens_in, usage.tokens_out
            ),
        ));
    }
    facts
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn without_answer(unanswered: &Unanswered) -> String {
    let mut text = counted(unanswered.missing, "case");
    if unanswered.unparsed > 0 {
        let answers = counted(unanswered.unparsed, "answer");
        let _ = write!(text, "; not understood, and so wrong: {answers}");
    }
    if let Some(first) = &unanswered.first {
        let _ = write!(text, "; the first: {}", shown(first));
    }
    text
}

/// The first of so many things that were left out.
fn examples(first: &[String], of: usize) -> Vec<String> {
    let mut reasons: Vec<String> = first.iter().take(NAMED).map(|one| shown(one)).collect();
    let more = of.saturating_sub(reasons.len());
    if more > 0 && !reasons.is_empty() {
        reasons.push(format!("and {more} more"));
    }
    reasons
}

fn intervals(report: &Report) -> String {
    match report.resampling.resamples {
        0 => "none were made".into(),
        n => format!(
            "the central 95 % of a percentile bootstrap over {} clusters of cases, {n} resamples, seed {}",
            report.clusters, report.resampling.seed
        ),
    }
}

fn figures(report: &Report) -> Grid {
    let mut columns = vec![
        Column::words("figure"),
        Column::numbers(&in_unit("value", report.unit)),
        Column::numbers("95 % interval"),
        Column::numbers("n"),
        Column::words("floor"),
        Column::words("note"),
    ];
    let mut rows: Vec<Row> = report.figures.iter().map(|f| figure(f, report)).collect();
    let noted = |row: &Row| row.cells.last().is_some_and(|cell| !cell.text.is_empty());
    if !rows.iter().any(noted) {
        columns.pop();
        for row in &mut rows {
            row.cells.pop();
        }
    }
    Grid {
        title: "Figures".into(),
        columns,
        rows,
    }
}

fn figure(figure: &Figure, report: &Report) -> Row {
    let about = &figure.about;
    let floor = match &about.floor {
        Some((value, name)) => format!("{} {}", written(Some(*value), report.unit), shown(name)),
        None => "-".into(),
    };
    let mut notes = Vec::new();
    if let Some(why) = &figure.undefined {
        notes.push(format!("undefined: {}", shown(why)));
    }
    notes.extend(about.note.as_deref().map(shown));
    if figure.undefined_resamples > 0 {
        notes.push(format!(
            "undefined in {} of {} resamples",
            figure.undefined_resamples, report.resampling.resamples
        ));
    }
    let cells = [
        shown(&about.name),
        written(figure.value, report.unit),
        interval(figure.interval, report.unit).unwrap_or_else(|| "-".into()),
        about.of.to_string(),
        floor,
        notes.join("; "),
    ];
    Row::measured(cells)
}

fn table(table: &Table, unit: Unit) -> Grid {
    let columns = table.columns.iter().enumerate().map(|(i, title)| match i {
        0 => Column::words(&shown(title)),
        _ => Column::numbers(&shown(title)),
    });
    let rows = table.rows.iter().map(|(name, values)| {
        let values = values.iter().enumerate();
        let numbers = values.map(|(i, value)| in_table(table, i + 1, *value, unit));
        Row::measured(std::iter::once(shown(name)).chain(numbers))
    });
    Grid {
        title: in_unit(&shown(&table.title), unit),
        columns: columns.collect(),
        rows: rows.collect(),
    }
}

fn in_unit(title: &str, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{title} (%)"),
        Unit::Plain => title.to_owned(),
    }
}

fn shown(text: &str) -> String {
    printable(text).into_owned()
}

impl Column {
    fn words(title: &str) -> Self {
        Self {
            group: None,
            title: title.to_owned(),
            numbers: false,
        }
    }

    fn numbers(title: &str) -> Self {
        Self {
            numbers: true,
            ..Self::words(title)
        }
    }
}

impl Row {
    fn measured(cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            cells: cells.into_iter().map(Cell::from).collect(),
            published: false,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, aside: None }
    }
}

impl Fact {
    fn new(term: &'static str, text: String) -> Self {
        Self {
            term,
            text,
            examples: Vec::new(),
        }
    }
}
