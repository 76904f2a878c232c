//! Columns of the leaderboard: which ones are the same when it is built anew, and what it has beyond that of reports, so that each
//! report can be opened: a column for every benchmark that ranks no scorers, and the runs behind figures that have no value.

use std::collections::BTreeMap;

use crate::bench::leaderboard::{Cell, Column, Leaderboard, Measured, Row};
use crate::bench::protocol::Unit;
use crate::bench::protocols;
use crate::bench::report::Report;

/// The row of reports for which nobody was asked.
const PEOPLE: (&str, &str) = ("people", "labels");

/// Titles change when another set of data comes; what a column is does not. A column that had no data takes the first that comes.
pub(super) fn is_same(a: &Column, b: &Column) -> bool {
    let data = a.data == b.data || a.data.is_none() || b.data.is_none();
    (&a.benchmark, &a.figure) == (&b.benchmark, &b.figure) && data
}

pub(super) fn unit(column: &Column, measured: &[Measured]) -> Unit {
    let known = protocols::find(&column.benchmark).map(|p| p.about().unit);
    known.unwrap_or_else(|_| {
        let of = |m: &&Measured| m.report.benchmark == column.benchmark;
        measured
            .iter()
            .find(of)
            .map_or(Unit::Percent, |m| m.report.unit)
    })
}

/// Whether a benchmark has no columns of its own in a leaderboard.
fn is_other(report: &Report) -> bool {
    report.scorer.is_none()
        || protocols::find(&report.benchmark).map_or(true, |p| p.about().columns.is_empty())
}

/// The last name of a path.
fn last_name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Adds a column for every benchmark that has none in leaderboards, with its first figure, so that every report can be opened.
pub(super) fn add_others(table: &mut Leaderboard, measured: &[Measured]) {
    for one in measured.iter().filter(|one| is_other(&one.report)) {
        let report = &one.report;
        let Some(figure) = report.figures.first() else {
            continue;
        };
        let data = Some(report.data.fingerprint.clone());
        let mut like = measured
            .iter()
            .filter(|m| m.report.benchmark == report.benchmark);
        let several = like.any(|m| m.report.data.fingerprint != report.data.fingerprint);
        let title = if several {
            format!("{} ({})", report.benchmark, last_name(&report.data.path))
        } else {
            report.benchmark.clone()
        };
        let same = |c: &Column| c.benchmark == report.benchmark && c.data == data;
        let column = table.columns.iter().position(same).unwrap_or_else(|| {
            table.columns.push(Column {
                benchmark: report.benchmark.clone(),
                figure: figure.about.key.clone(),
                title,
                data: data.clone(),
            });
            for row in &mut table.rows {
                row.cells.push(None);
            }
            table.columns.len() - 1
        });
        let scorer = report.scorer.as_ref();
        let who = scorer.map_or(PEOPLE, |s| (s.name.as_str(), s.kind.as_str()));
        let row = row_of(table, who);
        let cell = &mut table.rows[row].cells[column];
        if let (None, Some(value)) = (&cell, figure.value) {
            *cell = Some(Cell {
                value,
                interval: figure.interval,
                run: Some(one.run.clone()),
                other_data: false,
            });
        }
    }
}

/// The row of a scorer, which is added before the published ones where it is not there.
fn row_of(table: &mut Leaderboard, (scorer, kind): (&str, &str)) -> usize {
    let same = |r: &Row| r.scorer == scorer && r.kind == kind;
    if let Some(found) = table.rows.iter().position(same) {
        return found;
    }
    let published = table.rows.iter().position(|row| row.source.is_some());
    let at = published.unwrap_or(table.rows.len());
    let row = Row {
        scorer: scorer.to_owned(),
        kind: kind.to_owned(),
        source: None,
        cells: vec![None; table.columns.len()],
    };
    table.rows.insert(at, row);
    at
}

/// The runs of a row's scorer that have a column's figure on its data, newest first.
pub(super) fn runs<'a>(row: &Row, column: &Column, measured: &'a [Measured]) -> Vec<&'a str> {
    let of = |one: &&Measured| {
        let report = &one.report;
        let scorer = report.scorer.as_ref();
        let who = scorer.map_or(PEOPLE, |s| (s.name.as_str(), s.kind.as_str()));
        let data = column.data.as_ref() == Some(&report.data.fingerprint);
        let here = data && report.benchmark == column.benchmark;
        here && who == (&row.scorer, &row.kind) && report.figure(&column.figure).is_some()
    };
    let runs = measured.iter().filter(of);
    runs.map(|one| one.run.as_str()).collect()
}

/// The newest runs of cells without a value, where the scorer was measured on the data of the column.
pub(super) fn undefined(
    table: &Leaderboard,
    measured: &[Measured],
) -> BTreeMap<(String, String, usize), String> {
    let mut out = BTreeMap::new();
    for (number, column) in table.columns.iter().enumerate() {
        for one in measured {
            let report = &one.report;
            let data = Some(&report.data.fingerprint);
            // A figure that the scorer cannot have, as labels of one that only scores, is none; one without a value is undefined.
            let none = report.figure(&column.figure).is_none();
            if none || report.benchmark != column.benchmark || data != column.data.as_ref() {
                continue;
            }
            let scorer = report.scorer.as_ref();
            let (name, kind) = scorer.map_or(PEOPLE, |s| (s.name.as_str(), s.kind.as_str()));
            let place = (name.to_owned(), kind.to_owned(), number);
            out.entry(place).or_insert_with(|| one.run.clone());
        }
    }
    out
}
