//! What a benchmark is: the data that it reads, what it asks of a scorer, and the figures that it makes of the answers.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use super::answer::Said;
use super::case::{Case, Dataset, Vote};
use super::error::BenchError;
use super::scorer::Ask;
use crate::domain::stats::Statistic;

/// A benchmark's protocol. Everything that a table says of it comes from here.
pub trait Protocol: Sync {
    /// What it is, for people.
    fn about(&self) -> &'static About;

    /// Reads its data from a file or folder. Records that cannot be used are in [`Dataset::bad`]; an error is what keeps all
    /// of it from being read.
    fn read(&self, data: &Path) -> Result<Dataset, BenchError>;

    /// What it asks of a scorer; `None` for one that needs none.
    fn ask(&self) -> Option<Ask>;

    /// Takes the answers in.
    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a>;
}

/// A benchmark in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What it is called on the command line.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Who published it: two benchmarks bear the name EditReward-Bench, and two GenAI-Bench.
    pub publisher: &'static str,
    /// How its figures come about.
    pub protocol: &'static str,
    /// The files that it reads.
    pub data: &'static str,
    /// The figures that a leaderboard shows: key and title.
    pub columns: &'static [(&'static str, &'static str)],
    /// How its figures are written.
    pub unit: Unit,
}

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A share or a correlation, written in percent as papers do.
    Percent,
    /// A number on a scale of its own.
    Plain,
}

/// A case and what a scorer said of it.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The case.
    pub case: &'a Case,
    /// The answer.
    pub said: &'a Said,
}

/// Figures as a function of how often each cluster counts.
pub type Measure<'a> = Box<dyn Fn(&[u8]) -> Vec<Statistic> + Send + Sync + 'a>;

/// Answers, taken in and ready to be measured, on all clusters or on a resample of them.
pub struct Prepared<'a> {
    /// What each figure is.
    pub figures: Vec<FigureAbout>,
    /// How many clusters there are to draw from.
    pub clusters: usize,
    /// The figures when cluster `i` counts `weights[i]` times.
    pub measure: Measure<'a>,
    /// Figures that have no meaning on a resample.
    pub fixed: Vec<(FigureAbout, Statistic)>,
    /// Tables by editor, by category, …
    pub tables: Vec<Table>,
    /// What it got right and wrong.
    pub verdicts: Vec<Verdict>,
    /// P(A ≻ B) and whether A is the better, for pairs on which the scorer gives Gaussians.
    pub judged: Vec<(f64, bool)>,
    /// Cases without a usable answer, and why the first of them has none.
    pub unanswered: Unanswered,
}

/// Cases that the scorer has no usable answer to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Without any answer: missing images, failed requests, nothing recorded.
    pub missing: usize,
    /// With an answer that could not be understood.
    pub unparsed: usize,
    /// The first one's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl Unanswered {
    /// Counts what was said, if it is nothing.
    pub fn count(&mut self, said: &Said) {
        if let Said::Nothing { reason, unparsed } = said {
            if *unparsed {
                self.unparsed += 1;
            } else {
                self.missing += 1;
            }
            self.first.get_or_insert_with(|| reason.clone());
        }
    }

    /// Counts the answers that are nothing.
    pub fn among(answered: &[Answered<'_>]) -> Self {
        let mut counted = Self::default();
        for one in answered {
            counted.count(one.said);
        }
        counted
    }
}

/// What a figure is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureAbout {
    /// What it is called in JSON and in [`About::columns`].
    pub key: String,
    /// What it is called on screen.
    pub name: String,
    /// How many judgements it is made of.
    pub of: usize,
    /// What one gets for nothing: the figure of a trivial scorer, and its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<(f64, String)>,
    /// More to know: a threshold, a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl FigureAbout {
    /// A figure without floor and note.
    pub fn new(key: &str, name: &str, of: usize) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            of,
            floor: None,
            note: None,
        }
    }
}

/// A table of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The titles of its columns; the first names the rows.
    pub columns: Vec<String>,
    /// The rows: a name and a number a column, `None` where it is undefined or there is none.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

/// What a scorer got right or wrong, for looking at the reason; a line of a run's `verdicts.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The case.
    pub case: String,
    /// The edits that were judged, by their positions.
    pub edits: Vec<usize>,
    /// What people said.
    pub truth: String,
    /// What the scorer said.
    pub said: String,
    /// What people and what the scorer said of a pair, in that order; `None` of anything but a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<[Vote; 2]>,
    /// How right it was: 1 right, 0 wrong.
    pub right: f64,
    /// How sure it was, or how far off: what lists of mistakes are sorted by. Not a number where it gave no answer.
    #[serde(deserialize_with = "number_or_null")]
    pub weight: f64,
    /// What the tables are split by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The keys of the figures that it counts for; none for all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<String>,
}

/// JSON has no word for what is not a number but `null`.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
