//! What a model falls for: vividness taken for quality, needless changes of the background forgiven, and whatever else its
//! error follows. Measured on images, analysed against people's judgements, provoked on demand.

pub mod analysis;
mod error;
pub mod export;

pub use error::AnalysisError;
