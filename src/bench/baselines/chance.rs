//! Chance as a judge: what it says of a case depends on the seed and the case alone.
//!
//! Each draw is a hash of what it is for, so that neither the order of the cases nor which others are asked changes any.

use crate::bench::{Said, Score, Vote};

/// A score for each of `edits` edits, uniform in 0..1.
pub(super) fn scores(seed: u64, case: &str, edits: usize) -> Said {
    let score = |position: usize| {
        // The 53 bits that a double holds.
        let bits = draw(seed, "score", case, [position, 0]) >> 11;
        Some(Score::plain(bits as f64 / (1_u64 << 53) as f64))
    };
    Said::Scores((0..edits).map(score).collect())
}

/// A vote for each pair of `edits` edits, each of the four verdicts of GenAI-Bench equally likely.
pub(super) fn votes(seed: u64, case: &str, edits: usize) -> Said {
    let pairs = (0..edits).flat_map(|first| (first + 1..edits).map(move |second| (first, second)));
    let vote = |(first, second)| {
        let vote = match draw(seed, "vote", case, [first, second]) % 4 {
            0 => Vote::First,
            1 => Vote::Second,
            2 => Vote::BothGood,
            _ => Vote::BothBad,
        };
        (first, second, vote)
    };
    Said::Votes(pairs.map(vote).collect())
}

fn draw(seed: u64, what: &str, case: &str, positions: [usize; 2]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for position in positions {
        hasher.update(&(position as u64).to_le_bytes());
    }
    // Neither contains a zero byte that could be taken for this one: a use is a word of ours, and the case comes last.
    hasher.update(what.as_bytes()).update(&[0]);
    hasher.update(case.as_bytes());
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(seed: u64, case: &str, edits: usize) -> Vec<f64> {
        let Said::Scores(scores) = scores(seed, case, edits) else {
            panic!("not scores");
        };
        scores
            .into_iter()
            .map(|score| score.unwrap().value)
            .collect()
    }

    #[test]
    fn scores_are_spread_evenly_over_the_unit_interval() {
        let drawn = values(1, "a case", 4_000);
        assert!(drawn.iter().all(|v| (0.0..1.0).contains(v)));
        for tenth in 0..10 {
            let inside = drawn
                .iter()
                .filter(|v| (**v * 10.0) as usize == tenth)
                .count();
            // 400 expected, standard deviation 19.
            assert!((310..490).contains(&inside), "{tenth}: {inside}");
        }
    }

    #[test]
    fn a_draw_depends_on_seed_case_and_place() {
        let drawn = values(1, "a", 2);
        assert_ne!(drawn[0], drawn[1]);
        assert_eq!(drawn, values(1, "a", 3)[..2]);
        assert_ne!(drawn, values(2, "a", 2));
        assert_ne!(drawn, values(1, "b", 2));
    }

    #[test]
    fn all_four_verdicts_come_equally_often_and_a_plain_tie_never() {
        let mut counts = [0; 4];
        for case in 0..4_000 {
            let Said::Votes(votes) = votes(7, &case.to_string(), 2) else {
                panic!("not votes");
            };
            assert_eq!((votes.len(), votes[0].0, votes[0].1), (1, 0, 1));
            let order = [Vote::First, Vote::Second, Vote::BothGood, Vote::BothBad];
            counts[order.iter().position(|v| *v == votes[0].2).unwrap()] += 1;
        }
        // 1000 expected, standard deviation 27.
        assert!(
            counts.iter().all(|n| (870..1_130).contains(n)),
            "{counts:?}"
        );
    }

    #[test]
    fn larger_cases_have_a_vote_for_each_pair() {
        let Said::Votes(votes) = votes(7, "a", 4) else {
            panic!("not votes");
        };
        let pairs: Vec<_> = votes.iter().map(|(a, b, _)| (*a, *b)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
    }
}
