//! What screens are built of. Each widget borrows what it shows and a theme, draws into any area from nothing to a wall, and
//! says everything by glyph as well as by colour. None of them keeps state, reads a file or knows a screen.

mod agreement;
mod axes;
mod braille;
pub mod chart;
pub mod gaussians;
pub mod image;
pub mod matrix;
pub mod meter;
pub mod plot;
pub mod sparkline;
#[cfg(test)]
mod testing;
pub mod text;

pub use agreement::agreement_mark;
