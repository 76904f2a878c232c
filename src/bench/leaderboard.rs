//! Scorers against benchmarks: the newest report of each, beside the rows that papers print.

use serde::{Deserialize, Serialize};

use super::protocols;
use super::report::Report;

/// A column: a figure of a benchmark on a set of data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// The benchmark's key.
    pub benchmark: String,
    /// The figure's key.
    pub figure: String,
    /// What stands above it.
    pub title: String,
    /// The data's fingerprint; `None` for a column of published rows alone.
    pub data: Option<String>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The scorer.
    pub scorer: String,
    /// "published", or the scorer's kind.
    pub kind: String,
    /// Where a published row is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A cell a column.
    pub cells: Vec<Option<Cell>>,
}

/// A figure of a scorer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// A share or a correlation.
    pub value: f64,
    /// The central 95 %; published figures come without.
    pub interval: Option<[f64; 2]>,
    /// The run it is from; `None` where it is published.
    pub run: Option<String>,
    /// The data is another than the published figures of the column are on: it has another number of judgements.
    pub other_data: bool,
}

/// The whole table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaderboard {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, measured ones first, in the order of their first report; then the published ones.
    pub rows: Vec<Row>,
}

/// The benchmarks' columns of the paper's table 3, with how many judgements each is made of (0: not documented).
const PUBLISHED_COLUMNS: [(&str, &str, usize); 8] = [
    ("genai-edit", "four-label", 919),
    ("genai-edit", "calibrated", 919),
    ("aurora-pairwise", "calibrated", 0),
    ("imagenhub", "published", 1432),
    ("editreward-bench", "k2", 186),
    ("editreward-bench", "k3", 150),
    ("editreward-bench", "k4", 148),
    ("editreward-bench", "overall", 484),
];

/// Where [`PUBLISHED`] is from.
const TABLE_3: &str = "EditReward, table 3";

/// A row of the paper's table 3, in percent: GenAI-Bench, AURORA-Bench, ImagenHub, K = 2, 3, 4 and overall. Its GenAI-Bench
/// column is of two protocols, and so two columns here: judges' rows are 4-label, rows of scalar scorers 3-class.
pub struct Published {
    /// The scorer.
    pub scorer: &'static str,
    figures: [Option<f64>; 8],
}

const fn row(scorer: &'static str, figures: [f64; 8]) -> Published {
    let mut known = [None; 8];
    let mut i = 0;
    while i < 8 {
        if !figures[i].is_nan() {
            known[i] = Some(figures[i]);
        }
        i += 1;
    }
    Published {
        scorer,
        figures: known,
    }
}

const NONE: f64 = f64::NAN;

/// The rows in print.
pub const PUBLISHED: [Published; 13] = [
    row(
        "random",
        [25.90, NONE, 33.43, NONE, 25.81, 11.33, 1.35, 13.84],
    ),
    row(
        "human-to-human",
        [NONE, NONE, NONE, 41.84, NONE, NONE, NONE, NONE],
    ),
    row(
        "GPT-4o",
        [53.54, NONE, 50.81, 38.21, 45.69, 27.33, 7.31, 28.31],
    ),
    row(
        "GPT-5",
        [59.61, NONE, 47.27, 40.85, 57.53, 38.51, 12.84, 37.81],
    ),
    row(
        "Gemini-2.0-Flash",
        [53.32, NONE, 44.31, 23.69, 52.43, 33.33, 13.51, 33.47],
    ),
    row(
        "Gemini-2.5-Flash",
        [57.01, NONE, 47.63, 41.62, 58.61, 39.86, 12.16, 38.02],
    ),
    row(
        "Qwen2.5-VL-3B-Inst",
        [42.76, NONE, 30.69, -2.54, 51.07, 20.27, 2.71, 26.86],
    ),
    row(
        "Qwen2.5-VL-7B-Inst",
        [40.48, NONE, 38.62, 18.59, 52.69, 24.67, 3.38, 29.75],
    ),
    row(
        "Qwen2.5-VL-32B-Inst",
        [39.28, NONE, 37.06, 26.87, 50.54, 25.27, 4.05, 28.72],
    ),
    row(
        "MiMo-VL-7B-SFT-2508",
        [57.89, NONE, 30.43, 22.14, 49.46, 30.41, 9.46, 31.19],
    ),
    row("ADIEE", [NONE, 59.96, 55.56, 34.50, NONE, NONE, NONE, NONE]),
    row(
        "EditReward (Qwen2.5-VL-7B)",
        [NONE, 63.97, 59.50, 36.18, 56.99, 36.00, 10.81, 36.78],
    ),
    row(
        "EditReward (MiMo-VL-7B-SFT)",
        [NONE, 65.72, 63.62, 35.20, 56.45, 42.67, 11.49, 38.42],
    ),
];

/// What a leaderboard needs of a finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The run's name.
    pub run: String,
    /// Its report.
    pub report: Report,
}

/// The table of these runs, newest first, and the published rows.
pub fn board(measured: &[Measured]) -> Leaderboard {
    let mut columns: Vec<Column> = Vec::new();
    for protocol in protocols::ALL {
        let about = protocol.about();
        let of_this = || measured.iter().filter(|m| m.report.benchmark == about.key);
        let mut sets: Vec<(&str, &str)> = of_this()
            .map(|m| {
                (
                    m.report.data.fingerprint.as_str(),
                    m.report.data.path.as_str(),
                )
            })
            .collect();
        sets.sort_unstable();
        sets.dedup_by_key(|(fingerprint, _)| *fingerprint);
        let published = |figure| {
            PUBLISHED_COLUMNS
                .iter()
                .any(|(b, f, _)| (*b, *f) == (about.key, figure))
        };
        for (figure, title) in about.columns {
            if sets.is_empty() && published(figure) {
                columns.push(Column {
                    benchmark: about.key.into(),
                    figure: (*figure).into(),
                    title: (*title).into(),
                    data: None,
                });
            }
            for (fingerprint, path) in &sets {
                let title = if sets.len() > 1 {
                    format!("{title} ({})", last(path))
                } else {
                    (*title).to_owned()
                };
                columns.push(Column {
                    benchmark: about.key.into(),
                    figure: (*figure).into(),
                    title,
                    data: Some((*fingerprint).to_owned()),
                });
            }
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for one in measured {
        let Some(scorer) = &one.report.scorer else {
            continue;
        };
        let same = |row: &Row| row.scorer == scorer.name && row.kind == scorer.kind;
        let at = if let Some(at) = rows.iter().position(same) {
            at
        } else {
            rows.push(Row {
                scorer: scorer.name.clone(),
                kind: scorer.kind.clone(),
                source: None,
                cells: vec![None; columns.len()],
            });
            rows.len() - 1
        };
        for (column, cell) in columns.iter().zip(&mut rows[at].cells) {
            if cell.is_none() {
                *cell = measured_cell(column, one);
            }
        }
    }
    rows.extend(PUBLISHED.iter().map(|row| published_row(row, &columns)));
    Leaderboard { columns, rows }
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

fn measured_cell(column: &Column, one: &Measured) -> Option<Cell> {
    let report = &one.report;
    let data = Some(&report.data.fingerprint);
    if report.benchmark != column.benchmark || column.data.as_ref() != data {
        return None;
    }
    let figure = report.figure(&column.figure)?;
    let documented = PUBLISHED_COLUMNS
        .iter()
        .find(|(b, f, _)| *b == column.benchmark && *f == column.figure);
    let unanswered = report.unanswered.missing;
    Some(Cell {
        value: figure.value?,
        interval: figure.interval,
        run: Some(one.run.clone()),
        other_data: documented.is_some_and(|(.., of)| {
            *of > 0 && !(of.saturating_sub(unanswered)..=*of).contains(&figure.about.of)
        }),
    })
}

fn published_row(row: &Published, columns: &[Column]) -> Row {
    let cells = columns
        .iter()
        .map(|column| {
            let at = PUBLISHED_COLUMNS
                .iter()
                .position(|(b, f, _)| *b == column.benchmark && *f == column.figure)?;
            Some(Cell {
                value: row.figures[at]? / 100.0,
                interval: None,
                run: None,
                other_data: false,
            })
        })
        .collect();
    Row {
        scorer: row.scorer.into(),
        kind: "published".into(),
        source: Some(TABLE_3.into()),
        cells,
    }
}

impl Leaderboard {
    /// Sorts the rows by a column, best first (or last), rows without a cell at the end.
    pub fn sort(&mut self, column: usize, best_first: bool) {
        self.rows.sort_by(|a, b| {
            let value = |row: &Row| {
                row.cells
                    .get(column)
                    .and_then(|c| c.as_ref())
                    .map(|c| c.value)
            };
            match (value(a), value(b)) {
                (Some(x), Some(y)) if best_first => y.total_cmp(&x),
                (Some(x), Some(y)) => x.total_cmp(&y),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => std::cmp::Ordering::Equal,
            }
        });
    }
}
