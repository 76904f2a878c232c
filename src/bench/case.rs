//! A benchmark's cases: what was shown to people, and what they said of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::answer::Said;
use crate::domain::{HumanScore, ImageRef};

/// One source image, one instruction, the edits of it that are held against each other, and what people said of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name in the benchmark; no two cases share one.
    pub id: String,
    /// What was asked for. Text from data: print it through [`printable`](crate::domain::text::printable).
    pub instruction: String,
    /// The image before the edit, where the data names one.
    pub source: Option<ImageRef>,
    /// The edits, in the order of the data.
    pub edits: Vec<Edit>,
    /// What the benchmark's tables are split by (the kind of edit, the editor, the language), where they are.
    pub category: Option<String>,
    /// What people said.
    pub truth: Truth,
    /// What the data itself records of other judges, by their names.
    pub recorded: BTreeMap<String, Said>,
    /// Whether the scorer has never seen the source, where that is known.
    pub unseen: Option<bool>,
    /// The groups that a bootstrap draws by: cases with the same name are drawn together.
    pub cluster: String,
}

/// One edited image of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// The editor that made it, if known.
    pub editor: Option<String>,
    /// The image, where the data names one.
    pub image: Option<ImageRef>,
}

/// What people said of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// How the edits rank.
    Order(Order),
    /// A rating each, higher is better.
    Ratings(Vec<f64>),
    /// Likert scores each, on both axes.
    Axes(Vec<HumanScore>),
    /// Nothing: the benchmark compares editors by what the scorer says.
    Unknown,
}

/// How the edits of a case rank, as people said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Positions of the edits, best first.
    Strict(Vec<usize>),
    /// None is the better; all are good.
    AllGood,
    /// None is the better; all are bad.
    AllBad,
    /// None is the better, and nothing more is known.
    Tie,
}

/// A vote between two edits, the first shown left or called A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// The first is the better.
    First,
    /// The second is the better.
    Second,
    /// Neither, and both are good.
    BothGood,
    /// Neither, and both are bad.
    BothBad,
    /// Neither, and nothing more is said.
    Tie,
}

impl Vote {
    /// The vote of someone who gives the first a score so much higher than the second; what is not a number is a tie.
    pub fn of(difference: f64) -> Self {
        if difference > 0.0 {
            Self::First
        } else if difference < 0.0 {
            Self::Second
        } else {
            Self::Tie
        }
    }

    /// 1 for the first, -1 for the second, 0 for any tie.
    pub const fn sign(self) -> i8 {
        match self {
            Self::First => 1,
            Self::Second => -1,
            Self::BothGood | Self::BothBad | Self::Tie => 0,
        }
    }

    /// The same vote with the two edits the other way round.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            tie => tie,
        }
    }
}

impl Vote {
    /// "A ≻ B", "A = B (both good)": between two edits, by their positions.
    pub fn in_words(self, (a, b): (usize, usize)) -> String {
        let (a, b) = (letter(a), letter(b));
        match self {
            Self::First => format!("{a} ≻ {b}"),
            Self::Second => format!("{b} ≻ {a}"),
            Self::Tie => format!("{a} = {b}"),
            Self::BothGood => format!("{a} = {b} (both good)"),
            Self::BothBad => format!("{a} = {b} (both bad)"),
        }
    }
}

/// What an edit is called by its position: A, B, …
pub fn letter(position: usize) -> String {
    match u8::try_from(position) {
        Ok(n) if n < 26 => char::from(b'A' + n).to_string(),
        _ => format!("#{}", position + 1),
    }
}

impl Order {
    /// The order of two edits as a vote; `None` for more than two.
    pub fn vote(&self) -> Option<Vote> {
        match self {
            Self::Strict(best) if best.len() == 2 => Some(if best[0] == 0 {
                Vote::First
            } else {
                Vote::Second
            }),
            Self::Strict(_) => None,
            Self::AllGood => Some(Vote::BothGood),
            Self::AllBad => Some(Vote::BothBad),
            Self::Tie => Some(Vote::Tie),
        }
    }
}

/// The cases of a benchmark, as they were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// The folder that relative image paths start from.
    pub root: PathBuf,
    /// The cases, in the order of the data.
    pub cases: Vec<Case>,
    /// Records that could not be used, each with its file, line and field.
    pub bad: Vec<String>,
    /// Equal for equal contents of the files that were read.
    pub fingerprint: String,
}
