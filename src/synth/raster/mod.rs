//! Pixels to compute with: pictures in linear light, soft masks, selections, and filling of holes. No files and no edits.

pub(crate) mod color;
pub(crate) mod fill;
pub(crate) mod grid;
pub(crate) mod mask;
pub(crate) mod noise;
pub(crate) mod picture;
pub(crate) mod select;
