//! Rankings as benchmarks write them: letters in the order of places, the best first, joined by `>` or `=`.

use std::cmp::Ordering;

use super::Choice;

/// A ranking of candidates, with ties where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// The rank of each candidate by its place, 0 for the best; equal for a tie.
    pub ranks: Vec<usize>,
    /// What a tie says: neither is better, both are good, or both are bad.
    pub tie: Choice,
}

impl Ranking {
    /// Reads a ranking of `count` candidates: `C>A>B`, `A>B=C`, `A=B=Good`, `A=B=Bad`, and for two `A<B` as well. The error says
    /// what is wrong.
    pub fn parse(text: &str, count: usize) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no ranking of {count} edits: write A>B, C>A>B, A=B=Good or A=B=Bad"
            )
        };
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let ties = [("=Good", Choice::BothGood), ("=Bad", Choice::BothBad)];
        let tie = ties.into_iter().find(|(end, _)| plain.ends_with(end));
        let (order, tie) = tie.map_or((plain.as_str(), Choice::Tie), |(end, tie)| {
            (&plain[..plain.len() - end.len()], tie)
        });
        let turned = order.split_once('<').filter(|_| count == 2);
        let order = turned.map_or(order.to_owned(), |(worse, better)| {
            format!("{better}>{worse}")
        });
        let mut ranks = vec![None; count];
        for (rank, equals) in order.split('>').enumerate() {
            for letter in equals.split('=') {
                let &[letter @ b'A'..=b'Z'] = letter.as_bytes() else {
                    return Err(wrong());
                };
                match ranks.get_mut(usize::from(letter - b'A')) {
                    Some(none @ None) => *none = Some(rank),
                    _ => return Err(wrong()),
                }
            }
        }
        let ranks: Option<Vec<usize>> = ranks.into_iter().collect();
        Ok(Self {
            ranks: ranks.ok_or_else(wrong)?,
            tie,
        })
    }

    /// What it says of every two candidates, by their places, the first before the second.
    pub fn votes(&self) -> Vec<(usize, usize, Choice)> {
        let mut votes = Vec::new();
        for a in 0..self.ranks.len() {
            for b in a + 1..self.ranks.len() {
                let choice = match self.ranks[a].cmp(&self.ranks[b]) {
                    Ordering::Less => Choice::A,
                    Ordering::Greater => Choice::B,
                    Ordering::Equal => self.tie,
                };
                votes.push((a, b, choice));
            }
        }
        votes
    }

    /// The places from the best to the worst; `None` where any two are equal.
    pub fn strict(&self) -> Option<Vec<usize>> {
        let mut best: Vec<usize> = (0..self.ranks.len()).collect();
        best.sort_by_key(|place| self.ranks[*place]);
        let apart = best
            .windows(2)
            .all(|two| self.ranks[two[0]] != self.ranks[two[1]]);
        apart.then_some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_of_all_published_forms_become_votes() {
        use Choice::{A, B, BothBad, BothGood, Tie};
        let votes = |text, count| Ranking::parse(text, count).map(|ranking| ranking.votes());
        assert_eq!(votes("A>B", 2), Ok(vec![(0, 1, A)]));
        assert_eq!(votes("A<B", 2), Ok(vec![(0, 1, B)]));
        assert_eq!(votes("A=B", 2), Ok(vec![(0, 1, Tie)]));
        assert_eq!(votes("A=B=Good", 2), Ok(vec![(0, 1, BothGood)]));
        assert_eq!(votes(" A = B = Bad", 2), Ok(vec![(0, 1, BothBad)]));
        let three = vec![(0, 1, A), (0, 2, B), (1, 2, B)];
        assert_eq!(votes("C>A>B", 3), Ok(three));
        let shared = vec![(0, 1, A), (0, 2, A), (1, 2, Tie)];
        assert_eq!(votes("A>B=C", 3), Ok(shared));
        for (text, count) in [
            ("C>A", 3),
            ("A>A>B", 3),
            ("A>B>C", 2),
            ("best", 2),
            ("", 2),
            ("A<B<C", 3),
            ("A<B<A", 2),
            ("a>b", 2),
            ("Good", 2),
        ] {
            let error = votes(text, count).unwrap_err();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }

    #[test]
    fn a_strict_order_has_no_equals() {
        let strict = |text, count| Ranking::parse(text, count).unwrap().strict();
        assert_eq!(strict("C>A>B", 3), Some(vec![2, 0, 1]));
        assert_eq!(strict("A<B", 2), Some(vec![1, 0]));
        assert_eq!(strict("A>B=C", 3), None);
        assert_eq!(strict("A=B=Good", 2), None);
    }
}
