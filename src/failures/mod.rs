//! What a model falls for: vividness taken for quality, needless changes of the background forgiven, and whatever else its
//! error follows. Measured on images, analysed against people's judgements, provoked on demand.

pub mod analysis;
pub mod edit_map;
mod error;
pub mod export;
mod lab;
pub mod measures;
pub mod occlusion;
pub mod overlay;
mod plane;
pub mod probe;
#[cfg(test)]
mod quality;
pub mod survey;

pub use edit_map::{EditMap, Region};
pub use error::AnalysisError;
pub use measures::{measure, measure_with_map};

use image::RgbImage;

use crate::domain::raster::Raster;

/// A decoded image as the measures take it, without a copy; `None` for one without pixels.
pub fn raster(image: &RgbImage) -> Option<Raster<'_>> {
    let (pixels, _) = image.as_raw().as_chunks::<3>();
    Raster::new(image.width() as usize, image.height() as usize, pixels)
}
