//! Seeded chance: each use has a stream of its own, which depends on the seed and on the name of the use alone, so that a run
//! that is taken up again draws what it would have drawn.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A stream of chance.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream for one use: a name and numbers that tell it from others of the kind.
    pub(super) fn new(seed: u64, name: &str, numbers: &[u64]) -> Self {
        Self(ChaCha8Rng::from_seed(digest(seed, name, numbers)))
    }

    /// A number below `bound`, each as likely as the others.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = (bound as u64).max(1);
        // Numbers past the last whole multiple would make the small ones likelier.
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.0.next_u64();
            if number < limit {
                return (number % bound) as usize;
            }
        }
    }

    /// Puts the values in a random order (Fisher-Yates).
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }

    /// `count` of the numbers below `of`, in ascending order.
    pub(super) fn choose(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..of).collect();
        self.shuffle(&mut all);
        all.truncate(count);
        all.sort_unstable();
        all
    }
}

/// One number that depends on the seed and the use.
pub(super) fn number(seed: u64, name: &str, numbers: &[u64]) -> u64 {
    let bytes = digest(seed, name, numbers);
    u64::from_le_bytes([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
    ])
}

fn digest(seed: u64, name: &str, numbers: &[u64]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_name_and_numbers_alone() {
        let first = |seed, name, n| Chance::new(seed, name, &[n]).below(1 << 40);
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
        for other in [first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)] {
            assert_ne!(other, first(1, "a", 0));
        }
        assert_eq!(number(1, "a", &[2]), number(1, "a", &[2]));
    }

    #[test]
    fn a_shuffle_loses_nothing_and_reaches_every_place() {
        let mut places = [0; 5];
        for round in 0..500 {
            let mut values = [0, 1, 2, 3, 4];
            Chance::new(round, "shuffle", &[]).shuffle(&mut values);
            places[values.iter().position(|v| *v == 0).unwrap()] += 1;
            values.sort_unstable();
            assert_eq!(values, [0, 1, 2, 3, 4]);
        }
        assert!(places.iter().all(|n| (60..140).contains(n)), "{places:?}");
    }

    #[test]
    fn a_choice_is_in_order_without_repeats_and_no_larger_than_what_there_is() {
        let chosen = Chance::new(3, "choose", &[]).choose(4, 9);
        assert!(chosen.windows(2).all(|w| w[0] < w[1]) && chosen.len() == 4);
        assert_eq!(Chance::new(3, "choose", &[]).choose(9, 2), [0, 1]);
    }
}
