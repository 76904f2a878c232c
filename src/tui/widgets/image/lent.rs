//! Pictures that are in no file: made here, lent to the pipeline under a name, and taken back together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ImageRef;

/// Pictures that are in no file.
#[derive(Debug, Clone, Default)]
pub struct Lent(Arc<Mutex<HashMap<ImageRef, Arc<[u8]>>>>);

impl Lent {
    /// Lends the bytes of an image file, told from others by `hash`; the name that it can be had under.
    pub fn lend(&self, hash: &str, bytes: &Arc<[u8]>) -> ImageRef {
        // No path begins like this, on any system.
        let name = ImageRef(format!("\u{1}lent/{hash}"));
        self.lock().insert(name.clone(), Arc::clone(bytes));
        name
    }

    /// The bytes of one that was lent and not taken back.
    pub fn get(&self, image: &ImageRef) -> Option<Arc<[u8]>> {
        self.lock().get(image).cloned()
    }

    /// Takes all of them back.
    pub fn take_back(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ImageRef, Arc<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
