//! A cache bounded by bytes that forgets what was not looked at for longest. What is pinned stays, whatever it weighs.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A map of values with a weight each.
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Oldest use first.
    order: BTreeMap<u64, K>,
    clock: u64,
    bytes: usize,
    limit: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Hash + Eq + Clone, V> Lru<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            clock: 0,
            bytes: 0,
            limit,
        }
    }

    /// The bytes held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Looks without counting as a use.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|e| &e.value)
    }

    /// Looks, and counts as a use.
    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        let entry = self.entries.get_mut(key)?;
        self.order.remove(&entry.used);
        self.clock += 1;
        entry.used = self.clock;
        self.order.insert(self.clock, key.clone());
        Some(&entry.value)
    }

    /// Puts a value in, and returns what had to go for it: its predecessor, then the least recently used ones that are not
    /// `pinned`, until the limit holds.
    pub(super) fn insert(
        &mut self,
        key: K,
        value: V,
        bytes: usize,
        pinned: impl Fn(&K) -> bool,
    ) -> Vec<V> {
        let mut gone: Vec<V> = self.remove(&key).into_iter().collect();
        self.clock += 1;
        self.order.insert(self.clock, key.clone());
        self.bytes += bytes;
        self.entries.insert(
            key,
            Entry {
                value,
                bytes,
                used: self.clock,
            },
        );
        let newest = self.clock;
        let mut cursor = 0;
        while self.bytes > self.limit {
            let Some((&used, key)) = self.order.range(cursor..newest).next() else {
                break;
            };
            cursor = used + 1;
            if !pinned(key) {
                let key = key.clone();
                gone.extend(self.remove(&key));
            }
        }
        gone
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Everything held, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(k, e)| (k, &e.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free<K>(_: &K) -> bool {
        false
    }

    #[test]
    fn the_least_recently_used_goes_first_and_the_limit_holds() {
        let mut lru = Lru::new(100);
        assert!(lru.insert("a", 1, 40, free).is_empty());
        assert!(lru.insert("b", 2, 40, free).is_empty());
        assert_eq!(lru.get(&"a"), Some(&1));
        assert_eq!(lru.insert("c", 3, 40, free), [2]);
        assert_eq!(lru.bytes(), 80);
        assert_eq!((lru.peek(&"a"), lru.peek(&"b")), (Some(&1), None));
    }

    #[test]
    fn a_value_replaced_gives_its_bytes_back() {
        let mut lru = Lru::new(100);
        lru.insert("a", 1, 90, free);
        assert_eq!(lru.insert("a", 2, 30, free), [1]);
        assert_eq!(lru.bytes(), 30);
        assert_eq!(lru.remove(&"a"), Some(2));
        assert_eq!(lru.bytes(), 0);
    }

    #[test]
    fn the_pinned_and_the_newest_stay_even_over_the_limit() {
        let mut lru = Lru::new(10);
        lru.insert("pinned", 1, 8, free);
        lru.insert("loose", 2, 2, free);
        assert_eq!(lru.insert("big", 3, 50, |k| *k == "pinned"), [2]);
        assert_eq!(lru.bytes(), 58);
        assert_eq!(lru.insert("small", 4, 1, free), [1, 3]);
        assert_eq!(lru.bytes(), 1);
    }
}
