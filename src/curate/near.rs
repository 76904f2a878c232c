//! Finding near hashes among many: two of 64 bits that differ in at most d differ in at most ⌊d / 4⌋ on one of their four quarters
//! (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012), so only what shares such a quarter
//! is compared.

use std::collections::HashMap;

const PARTS: usize = 4;
const BITS: u32 = 16;

/// Hashes that can be asked for near ones.
#[derive(Debug, Default)]
pub(super) struct Near {
    hashes: Vec<u64>,
    quarters: [HashMap<u16, Vec<u32>>; PARTS],
}

fn quarter(hash: u64, part: usize) -> u16 {
    (hash >> (BITS as usize * part)) as u16
}

impl Near {
    /// Adds a hash; its number, counted from 0.
    pub(super) fn add(&mut self, hash: u64) -> usize {
        let number = self.hashes.len();
        self.hashes.push(hash);
        for (part, known) in self.quarters.iter_mut().enumerate() {
            let numbers = known.entry(quarter(hash, part)).or_default();
            numbers.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
        number
    }

    /// The first hash added that differs in at most `distance` bits and that `fits`.
    pub(super) fn find(
        &self,
        hash: u64,
        distance: u32,
        fits: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let near = |number: usize| (self.hashes[number] ^ hash).count_ones() <= distance;
        // Few hashes, or a radius so large that every quarter would be asked for: one after the other.
        if self.hashes.len() < 64 || distance / PARTS as u32 > 3 {
            return (0..self.hashes.len()).find(|n| near(*n) && fits(*n));
        }
        let mut found: Option<usize> = None;
        for (part, known) in self.quarters.iter().enumerate() {
            within(quarter(hash, part), distance / PARTS as u32, &mut |key| {
                for number in known.get(&key).into_iter().flatten() {
                    let number = *number as usize;
                    if found.is_none_or(|f| number < f) && near(number) && fits(number) {
                        found = Some(number);
                    }
                }
            });
        }
        found
    }
}

/// Every number that differs from `key` in at most `distance` bits, once.
fn within(key: u16, distance: u32, each: &mut impl FnMut(u16)) {
    fn flip(key: u16, from: u32, left: u32, each: &mut impl FnMut(u16)) {
        each(key);
        if left == 0 {
            return;
        }
        for bit in from..BITS {
            flip(key ^ (1 << bit), bit + 1, left - 1, each);
        }
    }
    flip(key, 0, distance, each);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_hashes_are_those_of_comparing_all_with_all() {
        let mut state = 9_u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        let mut near = Near::default();
        let mut hashes: Vec<u64> = (0..200).map(|_| draw()).collect();
        // And some that are near each other, in any bits.
        for at in 0..100 {
            let flips = (0..at % 17).fold(0, |flips, _| flips | 1_u64 << (draw() % 64));
            hashes.push(hashes[at] ^ flips);
        }
        for hash in &hashes {
            near.add(*hash);
        }
        for distance in [0, 3, 4, 10, 12, 20] {
            for hash in &hashes {
                let first = |fits: &dyn Fn(usize) -> bool| {
                    (0..hashes.len())
                        .find(|n| (hashes[*n] ^ hash).count_ones() <= distance && fits(*n))
                };
                assert_eq!(near.find(*hash, distance, |_| true), first(&|_| true));
                let even = |n: usize| n % 2 == 1;
                assert_eq!(near.find(*hash, distance, even), first(&even));
            }
        }
    }
}
