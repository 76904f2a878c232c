//! Votes and ratings: what people said of candidates in other ways than the 1-4 scale. A vote compares two candidates; a rating
//! puts one on a scale of the data set's own.

use serde::{Deserialize, Serialize};

use super::Axis;

/// What a vote between two candidates says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The first is better.
    A,
    /// The second is better.
    B,
    /// Neither is better.
    Tie,
    /// Neither is better, and both are good.
    BothGood,
    /// Neither is better, and both are bad.
    BothBad,
}

impl Choice {
    /// Every choice.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::Tie, Self::BothGood, Self::BothBad];

    /// Its name in files and in the store.
    pub const fn key(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::Tie => "tie",
            Self::BothGood => "both-good",
            Self::BothBad => "both-bad",
        }
    }

    /// The choice of that name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.key() == key)
    }

    /// The same opinion with the two candidates named the other way round.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
            tie => tie,
        }
    }

    /// How far it prefers the first: 1, 0, or one half for a tie of any kind.
    pub const fn preference(self) -> f64 {
        match self {
            Self::A => 1.0,
            Self::B => 0.0,
            Self::Tie | Self::BothGood | Self::BothBad => 0.5,
        }
    }
}

/// One annotator's comparison of two candidates of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// The first candidate, as a position in its group.
    pub a: usize,
    /// The second.
    pub b: usize,
    /// Who said it.
    pub annotator: String,
    /// On which axis; `None` for overall.
    pub axis: Option<Axis>,
    /// What was said.
    pub choice: Choice,
    /// Where the data set counted votes instead of naming voters: how many were for the first, and for the second.
    pub counts: Option<[f64; 2]>,
    /// How sure the data set says it is, 0-1.
    pub confidence: Option<f64>,
    /// Made by a program, not by a person.
    pub simulated: bool,
}

impl Vote {
    /// The same vote with the two candidates named the other way round.
    #[must_use]
    pub fn turned(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
            choice: self.choice.turned(),
            counts: self.counts.map(|[a, b]| [b, a]),
            ..self
        }
    }
}

/// One annotator's judgement of one candidate on a scale of the data set's own, kept as published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// Who said it.
    pub annotator: String,
    /// What is rated, in the data set's word: "overall", "sc", "rank", …
    pub name: String,
    /// The rating; finite.
    pub value: f64,
    /// The ends of the scale, lowest first, where the data set tells them.
    pub scale: Option<[f64; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_turned_twice_is_the_same_and_once_prefers_the_other() {
        let vote = Vote {
            a: 0,
            b: 2,
            annotator: "x".into(),
            axis: None,
            choice: Choice::A,
            counts: Some([3.0, 1.0]),
            confidence: Some(0.75),
            simulated: false,
        };
        let turned = vote.clone().turned();
        assert_eq!((turned.a, turned.b, turned.choice), (2, 0, Choice::B));
        assert_eq!(turned.counts, Some([1.0, 3.0]));
        assert!((turned.choice.preference() + vote.choice.preference() - 1.0).abs() < 1e-15);
        assert_eq!(turned.turned(), vote);
    }

    #[test]
    fn every_choice_is_found_by_its_name() {
        for choice in Choice::ALL {
            assert_eq!(Choice::of_key(choice.key()), Some(choice));
            let written = serde_json::to_string(&choice).unwrap();
            assert_eq!(written, format!("\"{}\"", choice.key()));
        }
        assert_eq!(Choice::of_key("left"), None);
    }
}
