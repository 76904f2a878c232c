//! The pictures of a training set: resized once and kept as bytes, so that later epochs decode nothing; and what the vision
//! tower makes of them, kept where that does not change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Example, ModelError};
use crate::model::Picture;
use crate::model::backbone::{Backbone, Features};
use crate::model::cache::FeatureCache;
use crate::model::decode::Rgb;
use crate::model::preprocess::{Patches, Processor};

/// Memory for resized pictures: 20,000 of 200 × 140 pixels.
const PIXEL_BYTES: usize = 2 << 30;
/// Memory for features.
const FEATURE_BYTES: usize = 1 << 30;

/// Features by the content of their pictures.
pub(super) type Seen = HashMap<String, Arc<Features>>;

/// Keeps pictures.
#[derive(Debug)]
pub(super) struct Pictures {
    processor: Processor,
    resized: HashMap<String, Arc<Rgb>>,
    bytes: usize,
    features: FeatureCache,
}

impl Pictures {
    pub(super) fn new(processor: Processor) -> Self {
        Self {
            processor,
            resized: HashMap::new(),
            bytes: 0,
            features: FeatureCache::new(FEATURE_BYTES),
        }
    }

    /// The features of all pictures in `examples` from a tower that does not change, computed once and kept.
    pub(super) fn see(
        &mut self,
        backbone: &Backbone,
        examples: &[Example],
    ) -> Result<Seen, ModelError> {
        let mut seen = Seen::new();
        let mut new: Vec<&Picture> = Vec::new();
        for picture in distinct(examples) {
            match self.features.get(&picture.hash) {
                Some(features) => {
                    seen.insert(picture.hash.clone(), features);
                }
                None => new.push(picture),
            }
        }
        for (hash, patches) in self.patches(&new)? {
            // One by one: products of other sizes round otherwise, and what is kept must not depend on its company, or a
            // resumed run would not be the same to the last bit.
            let features = Arc::new(backbone.see(&patches)?.detached());
            self.features.put(&hash, features.clone());
            seen.insert(hash, features);
        }
        Ok(seen)
    }

    /// The patches of the pictures in `examples` that are not `known`.
    pub(super) fn cut(&mut self, examples: &[Example], known: &Seen) -> Result<Cut, ModelError> {
        let new: Vec<&Picture> = distinct(examples)
            .into_iter()
            .filter(|picture| !known.contains_key(&picture.hash))
            .collect();
        Ok(Cut(self.patches(&new)?.into_iter().collect()))
    }

    /// The patches of `pictures`, from kept pixels or decoded now.
    fn patches(&mut self, pictures: &[&Picture]) -> Result<Vec<(String, Patches)>, ModelError> {
        let ready = pictures
            .par_iter()
            .map(|picture| {
                let pixels = match self.resized.get(&picture.hash) {
                    Some(pixels) => pixels.clone(),
                    None => Arc::new(self.processor.resized(&picture.bytes)?),
                };
                let patches = self.processor.cut(&pixels);
                Ok((picture.hash.clone(), pixels, patches))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let mut out = Vec::with_capacity(ready.len());
        for (hash, pixels, patches) in ready {
            let size = pixels.pixels.len();
            if self.bytes + size <= PIXEL_BYTES && !self.resized.contains_key(&hash) {
                self.bytes += size;
                self.resized.insert(hash.clone(), pixels);
            }
            out.push((hash, patches));
        }
        Ok(out)
    }
}

/// Pictures cut into patches, by content.
#[derive(Debug)]
pub(super) struct Cut(HashMap<String, Patches>);

impl Cut {
    /// What `backbone` makes of those pictures of `examples` that are here, in one pass.
    pub(super) fn see(
        &self,
        backbone: &Backbone,
        examples: &[Example],
    ) -> Result<Seen, ModelError> {
        let mut own: Vec<(&String, &Patches)> = distinct(examples)
            .into_iter()
            .filter_map(|picture| self.0.get_key_value(&picture.hash))
            .collect();
        // Pictures of a size side by side are fewer and larger products for the tower.
        own.sort_by_key(|(_, patches)| (patches.grid.height, patches.grid.width));
        let rows: Vec<&Patches> = own.iter().map(|(_, patches)| *patches).collect();
        let features = backbone.see_all(&rows)?;
        let hashes = own.into_iter().map(|(hash, _)| hash.clone());
        Ok(hashes.zip(features.into_iter().map(Arc::new)).collect())
    }
}

/// Every picture of `examples` once, in order.
fn distinct(examples: &[Example]) -> Vec<&Picture> {
    let mut found = HashSet::new();
    examples
        .iter()
        .flat_map(|example| std::iter::once(&example.source).chain(&example.candidates))
        .filter(|picture| found.insert(picture.hash.as_str()))
        .collect()
}
