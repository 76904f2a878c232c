//! Features of pictures already seen, within a bound of bytes; what was used longest ago goes first.

use std::collections::HashMap;
use std::sync::Arc;

use super::backbone::Features;

/// A cache of features by picture hash.
#[derive(Debug)]
pub(super) struct FeatureCache {
    entries: HashMap<String, Entry>,
    bytes: usize,
    limit: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    features: Arc<Features>,
    used: u64,
}

impl FeatureCache {
    /// Holds at most `limit` bytes of features.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            limit,
            clock: 0,
        }
    }

    /// The features under `hash`, if they are still here.
    pub(super) fn get(&mut self, hash: &str) -> Option<Arc<Features>> {
        self.clock += 1;
        let entry = self.entries.get_mut(hash)?;
        entry.used = self.clock;
        Some(entry.features.clone())
    }

    /// Keeps `features`, unless they are larger than everything this cache may hold.
    pub(super) fn put(&mut self, hash: &str, features: Arc<Features>) {
        let bytes = features.bytes();
        if bytes > self.limit {
            return;
        }
        self.clock += 1;
        let entry = Entry {
            features,
            used: self.clock,
        };
        self.bytes += bytes;
        if let Some(old) = self.entries.insert(hash.to_owned(), entry) {
            self.bytes -= old.features.bytes();
        }
        while self.bytes > self.limit {
            // Entries are megabytes each, so there are few: looking at all of them costs nothing beside a pass.
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(hash) = oldest.map(|(hash, _)| hash.clone()) else {
                return;
            };
            if let Some(old) = self.entries.remove(&hash) {
                self.bytes -= old.features.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::model::preprocess::Grid;

    fn features(tokens: usize) -> Arc<Features> {
        Arc::new(Features {
            grid: Grid {
                height: 2,
                width: 2 * tokens,
            },
            tokens: Tensor::zeros((tokens, 25), DType::F32, &Device::Cpu).unwrap(),
            deepstack: Vec::new(),
        })
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = FeatureCache::new(350);
        for hash in ["a", "b", "c"] {
            cache.put(hash, features(1));
        }
        assert!(cache.get("a").is_some());
        cache.put("d", features(1));
        assert!(cache.get("b").is_none());
        assert!(["a", "c", "d"].iter().all(|hash| cache.get(hash).is_some()));
        assert_eq!(cache.bytes, 300);
    }

    #[test]
    fn a_replaced_entry_is_counted_once_and_a_giant_is_not_kept() {
        let mut cache = FeatureCache::new(350);
        cache.put("a", features(1));
        cache.put("a", features(2));
        assert_eq!(cache.bytes, 200);
        cache.put("b", features(4));
        assert!(cache.get("b").is_none() && cache.get("a").is_some());
    }
}
