//! Networks that measure images without being reward models: [`Lpips`], how far two images look apart, and [`Clip`], how well
//! an image fits a text. Both run on weights that the user points at; plain images and texts go in, one number comes out.
//!
//! They are baselines to be beaten, and are computed in f32 whatever the device.

mod clip;
mod lpips;
mod settings;
#[cfg(test)]
mod tests;

pub use clip::{Clip, Text};
pub use lpips::{Features, Lpips, Trunk};

use candle_core::{Device, Tensor};

use super::error::ModelError;
use crate::domain::raster::Raster;

/// `image` as (1, 3, height, width) in f32, each byte by its channel's table.
fn tensor(
    image: Raster<'_>,
    tables: &[[f32; 256]; 3],
    device: &Device,
) -> candle_core::Result<Tensor> {
    let mut values = Vec::with_capacity(3 * image.pixels().len());
    for (channel, table) in tables.iter().enumerate() {
        let bytes = image.pixels().iter().map(|pixel| pixel[channel]);
        values.extend(bytes.map(|byte| table[usize::from(byte)]));
    }
    Tensor::from_vec(values, (1, 3, image.height(), image.width()), device)
}

/// `value`, unless it is none.
fn finite_number(value: f64) -> Result<f64, ModelError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(ModelError::NotFinite { precision: "f32" })
    }
}
