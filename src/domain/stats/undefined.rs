//! Why a statistic has no value, so that a table can say it instead of a made-up 0.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A finite number, or why there is none.
pub type Statistic = Result<f64, Undefined>;

/// Why a statistic has no value. It is written as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Undefined {
    /// There is nothing to take a share or a mean of.
    #[error("there are no judgements")]
    NoJudgements,
    /// A correlation needs two pairs of values at least.
    #[error("there are fewer than two values")]
    TooFew,
    /// What belongs together is not of the same number.
    #[error("there are {first} values on the one side and {second} on the other")]
    Unpaired {
        /// Values on the one side.
        first: usize,
        /// Values on the other.
        second: usize,
    },
    /// A value is infinite or not a number, or so large that the values have no finite sum.
    #[error("a value is not a finite number")]
    NotFinite,
    /// A side that does not vary cannot vary with the other.
    #[error("all values of the {0} side are the same")]
    Constant(Side),
    /// Where only one category was given, agreement by chance is certain and none beyond it can be seen.
    #[error("only one category was ever given")]
    OneCategory,
    /// No unit has two ratings, so nobody can agree with anybody.
    #[error("no unit has two ratings")]
    NothingPaired,
    /// Fleiss' kappa is of a fixed number of ratings a unit.
    #[error("one unit has {first} ratings and another {second}; all must have the same number")]
    UnevenRatings {
        /// Ratings of the first unit.
        first: usize,
        /// Ratings of the first that has another number.
        second: usize,
    },
    /// A rating that is not on the scale.
    #[error("a rating is not among the categories")]
    UnknownCategory,
    /// More groups than a table of pairs can number.
    #[error("a group's number is above the largest that a table of pairs holds (2^30 - 1)")]
    TooManyGroups,
}

/// One of the two things that are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first argument.
    First,
    /// The second.
    Second,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Second => "second",
        })
    }
}

impl Serialize for Undefined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_written_as_its_text() {
        let text = serde_json::to_string(&Undefined::Constant(Side::Second)).unwrap();
        assert_eq!(text, "\"all values of the second side are the same\"");
    }
}
