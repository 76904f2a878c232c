//! Which part of the groups is meant: one of several, by source image, so that all groups of a source are in one part.

use std::fmt;
use std::str::FromStr;

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 0.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// The part, of so many, that a source belongs to. `key` is what tells it from all others; equal keys are in one part on
    /// every machine and in every version.
    pub fn of_source(key: &str, of: usize) -> usize {
        let hash = blake3::Hasher::new_derive_key("erw shard 1")
            .update(key.as_bytes())
            .finalize();
        let mut eight = [0; 8];
        eight.copy_from_slice(&hash.as_bytes()[..8]);
        (u64::from_le_bytes(eight) % of.max(1) as u64) as usize
    }

    /// Whether a source is in this part.
    pub fn has(&self, key: &str) -> bool {
        Self::of_source(key, self.of) == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err(format!(
                "'{text}' is no part: I/N, I from 0 to N-1, as in 0/8 for the first of eight"
            )),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_in_one_part_and_always_in_the_same() {
        for n in [1, 2, 7] {
            let mut sizes = vec![0_usize; n];
            for key in 0..700 {
                let key = format!("{key}.png");
                let within: Vec<usize> = (0..n)
                    .filter(|&index| Shard { index, of: n }.has(&key))
                    .collect();
                assert_eq!(within.len(), 1);
                sizes[within[0]] += 1;
            }
            let fair = 700 / n;
            assert!(sizes.iter().all(|s| s.abs_diff(fair) < 60), "{sizes:?}");
        }
        // A change of these would have a resumed job score twice.
        let of = |key| Shard::of_source(key, 1000);
        assert_eq!([of("a.png"), of("")], [471, 433]);
    }

    #[test]
    fn a_part_that_cannot_be_is_refused() {
        assert_eq!("0/8".parse(), Ok(Shard { index: 0, of: 8 }));
        for wrong in ["8/8", "1", "", "-1/2", "a/b", "0/0"] {
            let error = wrong.parse::<Shard>().unwrap_err();
            assert!(error.contains("I/N"), "{error}");
        }
    }
}
