//! Reports written down for others: the leaderboard and a section a run, as Markdown, as one HTML file, as CSV, as JSON.
//!
//! Everything here is text made of reports; nothing is read or written. Text from data goes through
//! [`printable`](crate::domain::text::printable) and is escaped as the format wants it. JSON escapes by itself, so there data
//! stays as it is.
//!
//! JSON is [`Export`]: one object whose keys are kept.
//!
//! * `leaderboard`: `columns[]` (`benchmark`, `figure`, `title`, `data`: the fingerprint, or null where only papers have
//!   figures) and `rows[]` (`scorer`, `kind`, `source` of a published row, `cells[]`: null, or `value`, `interval`, `run`,
//!   `other_data`).
//! * `runs[]`: `run`, and the keys of its `report.json`: `benchmark`, `name`, `publisher`, `protocol`, `unit` (`percent`,
//!   `plain`), `scorer` (`name`, `kind`, `fingerprint`, or null), `data` (`path`, `fingerprint`, `cases`, `left_out`, `bad[]`,
//!   `images`), `unanswered` (`missing`, `unparsed`, `first`), `unscored` (`edits`, `first[]`), `figures[]` (`key`, `name`, `of`, `floor`: value and name,
//!   `note`, `value`, `undefined`, `interval`, `undefined_resamples`), `tables[]` (`title`, `columns[]`, `rows[]`),
//!   `reliability[]` (`confidence`, `right`, `count`), `calibration_error`, `coverage[]` (share kept, accuracy), `usage`,
//!   `resampling` (`resamples`, `seed`), `clusters`.
//!
//! CSV has a row a figure: `run`, `benchmark`, `publisher`, `scorer`, `kind`, `figure` (its key), `value`, `low` and `high` (the
//! central 95 %), `n`, `floor`, `undefined` (why there is no value), `data` (a path), `fingerprint`.
//!
//! Shares and correlations are percent with two decimals in Markdown and HTML, and as they are and in full in CSV and JSON.

mod csv;
mod html;
mod markdown;
pub mod number;
mod outline;
mod svg;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use serde::Serialize;

use super::leaderboard::{Leaderboard, Measured};
use super::report::Report;

/// What a report can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown with tables, as GitHub shows it.
    Markdown,
    /// One HTML file that needs nothing beside it, with plots.
    Html,
    /// Comma-separated values, a row a figure.
    Csv,
    /// One JSON object.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Markdown, Self::Html, Self::Csv, Self::Json];

    /// What it is called on the command line, which is also how its files end.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    /// What to say to whoever named it.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.key() == text);
        found.ok_or_else(|| {
            let keys = Self::ALL.map(Self::key);
            format!("there is no format '{text}'; there are {}", keys.join(", "))
        })
    }
}

/// Leaderboard and runs in one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Export<'a> {
    /// Scorers against benchmarks.
    pub leaderboard: &'a Leaderboard,
    /// The runs.
    pub runs: Vec<ExportedRun<'a>>,
}

/// A run's name, among the keys of its report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportedRun<'a> {
    /// The run's name.
    pub run: &'a str,
    /// Its report.
    #[serde(flatten)]
    pub report: &'a Report,
}

impl<'a> Export<'a> {
    /// Of these runs and their leaderboard.
    pub fn new(measured: &'a [Measured], leaderboard: &'a Leaderboard) -> Self {
        Self {
            leaderboard,
            runs: measured
                .iter()
                .map(|one| ExportedRun {
                    run: &one.run,
                    report: &one.report,
                })
                .collect(),
        }
    }
}

/// The runs and their leaderboard as text of that format, with a line break at its end.
pub fn render(format: Format, measured: &[Measured], board: &Leaderboard) -> String {
    match format {
        Format::Markdown => markdown::page(measured, board),
        Format::Html => html::page(measured, board),
        Format::Csv => self::csv::table(measured),
        Format::Json => {
            // It can only fail on maps whose keys are no text; there are none in a report.
            let object = serde_json::to_string_pretty(&Export::new(measured, board));
            object.unwrap_or_else(|_| "null".into()) + "\n"
        }
    }
}
