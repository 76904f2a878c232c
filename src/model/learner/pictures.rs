//! The pictures of a training set: resized once and kept as bytes, so that later epochs decode nothing; and what the vision
//! tower makes of them, kept where that does not change.

use std::collections::HashMap;
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

    /// The features of all pictures in `examples`, each seen once. `keep`: the tower will not change; `detached`: nor is a
    /// gradient wanted.
    pub(super) fn see(
        &mut self,
        backbone: &Backbone,
        examples: &[Example],
        detached: bool,
        keep: bool,
    ) -> Result<HashMap<String, Arc<Features>>, ModelError> {
        let mut seen = HashMap::new();
        let mut new: Vec<&Picture> = Vec::new();
        for example in examples {
            for picture in std::iter::once(&example.source).chain(&example.candidates) {
                if seen.contains_key(&picture.hash) || new.iter().any(|p| p.hash == picture.hash) {
                    continue;
                }
                match self.features.get(&picture.hash).filter(|_| keep) {
                    Some(features) => {
                        seen.insert(picture.hash.clone(), features);
                    }
                    None => new.push(picture),
                }
            }
        }
        let mut patches = self.patches(&new)?;
        // Pictures of a size side by side are fewer and larger products for the tower.
        patches.sort_by_key(|(_, patches)| (patches.grid.height, patches.grid.width));
        let rows: Vec<&Patches> = patches.iter().map(|(_, patches)| patches).collect();
        let features = if keep {
            // One by one: products of other sizes round otherwise, and what is kept must not depend on its company, or a
            // resumed run would not be the same to the last bit.
            let one = |rows: &&Patches| backbone.see(rows);
            rows.iter().map(one).collect::<candle_core::Result<_>>()?
        } else {
            backbone.see_all(&rows)?
        };
        for ((picture, _), mut features) in patches.iter().zip(features) {
            if detached {
                features = features.detached();
            }
            let features = Arc::new(features);
            if keep {
                self.features.put(&picture.hash, features.clone());
            }
            seen.insert(picture.hash.clone(), features);
        }
        Ok(seen)
    }

    /// The patches of `pictures`, from kept pixels or decoded now.
    fn patches<'a>(
        &mut self,
        pictures: &[&'a Picture],
    ) -> Result<Vec<(&'a Picture, Patches)>, ModelError> {
        let ready = pictures
            .par_iter()
            .map(|picture| {
                let pixels = match self.resized.get(&picture.hash) {
                    Some(pixels) => pixels.clone(),
                    None => Arc::new(self.processor.resized(&picture.bytes)?),
                };
                let patches = self.processor.cut(&pixels);
                Ok((*picture, pixels, patches))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let mut out = Vec::with_capacity(ready.len());
        for (picture, pixels, patches) in ready {
            let size = pixels.pixels.len();
            if self.bytes + size <= PIXEL_BYTES && !self.resized.contains_key(&picture.hash) {
                self.bytes += size;
                self.resized.insert(picture.hash.clone(), pixels);
            }
            out.push((picture, patches));
        }
        Ok(out)
    }
}
