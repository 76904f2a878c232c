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

/// The votes that a ranking of `count` candidates comes to, as benchmarks write it: letters in the order of places, the best
/// first, joined by `>` or `=` (`C>A>B`, `A>B=C`; `A<B` for two); `A=B=Good` and `A=B=Bad` for two that are both one. The error
/// says what is wrong.
pub fn votes_of_ranking(text: &str, count: usize) -> Result<Vec<(usize, usize, Choice)>, String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (plain, tie) = match plain.strip_suffix("=Good") {
        Some(rest) => (rest.to_owned(), Choice::BothGood),
        None => match plain.strip_suffix("=Bad") {
            Some(rest) => (rest.to_owned(), Choice::BothBad),
            None => (plain, Choice::Tie),
        },
    };
    let wrong = || {
        format!(
            "'{text}' is no ranking of {count} candidates: write A>B, C>A>B, A=B=Good or A=B=Bad"
        )
    };
    if plain.matches('<').count() == 1 && count == 2 {
        let turned: String = plain.split('<').rev().collect::<Vec<_>>().join(">");
        return votes_of_ranking(&turned, count).map_err(|_| wrong());
    }
    // The rank of each, 0 for the best.
    let mut ranks = vec![None; count];
    for (rank, equals) in plain.split('>').enumerate() {
        for letter in equals.split('=') {
            let mut letters = letter.bytes();
            let place = match (letters.next(), letters.next()) {
                (Some(letter @ b'A'..=b'Z'), None) => usize::from(letter - b'A'),
                _ => return Err(wrong()),
            };
            match ranks.get_mut(place) {
                Some(none @ None) => *none = Some(rank),
                _ => return Err(wrong()),
            }
        }
    }
    let ranks: Option<Vec<usize>> = ranks.into_iter().collect();
    let ranks = ranks.ok_or_else(wrong)?;
    let mut votes = Vec::new();
    for a in 0..count {
        for b in a + 1..count {
            votes.push((
                a,
                b,
                match ranks[a].cmp(&ranks[b]) {
                    std::cmp::Ordering::Less => Choice::A,
                    std::cmp::Ordering::Greater => Choice::B,
                    std::cmp::Ordering::Equal => tie,
                },
            ));
        }
    }
    Ok(votes)
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
    fn rankings_of_all_published_forms_become_votes() {
        use Choice::{A, B, BothBad, BothGood, Tie};
        assert_eq!(votes_of_ranking("A>B", 2), Ok(vec![(0, 1, A)]));
        assert_eq!(votes_of_ranking("A<B", 2), Ok(vec![(0, 1, B)]));
        assert_eq!(votes_of_ranking("A=B", 2), Ok(vec![(0, 1, Tie)]));
        assert_eq!(votes_of_ranking("A=B=Good", 2), Ok(vec![(0, 1, BothGood)]));
        assert_eq!(
            votes_of_ranking(" A = B = Bad", 2),
            Ok(vec![(0, 1, BothBad)])
        );
        let three = vec![(0, 1, A), (0, 2, B), (1, 2, B)];
        assert_eq!(votes_of_ranking("C>A>B", 3), Ok(three));
        let shared = vec![(0, 1, A), (0, 2, A), (1, 2, Tie)];
        assert_eq!(votes_of_ranking("A>B=C", 3), Ok(shared));
        for (text, count) in [
            ("C>A", 3),
            ("A>A>B", 3),
            ("A>B>C", 2),
            ("best", 2),
            ("", 2),
            ("A<B<C", 3),
            ("a>b", 2),
        ] {
            let error = votes_of_ranking(text, count).unwrap_err();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
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
