//! The words of the field and their arithmetic: groups, axes, Gaussians, labels, preferences, colors.
//!
//! Nothing here touches a file, a clock or a random number, so every line can be tested by its formula. All arithmetic is in
//! `f64`; the model computes in its own precision and hands its numbers over at the end.

pub mod color;
mod comparison;
pub mod curves;
mod group;
mod label;
mod loss;
mod measure;
mod pairing;
mod preference;
mod quadrature;
pub mod query;
mod ranking;
pub mod raster;
mod reward;
mod scope;
pub mod stats;
pub mod text;
mod tuple;
mod vote;
mod voting;

pub use comparison::Comparison;
pub use group::{Candidate, CandidateId, Group, GroupId, GroupSummary, ImageRef};
pub use label::{Agreement, HumanScore, Label, agreement, agreement_of, human_scores, word_of};
pub use loss::{Columns, PUBLISHED_MARGIN, PUBLISHED_TIE_CONSTANT, PairLoss, Slope, regression};
pub use measure::{AboutMeasure, Measure, Measures};
pub use pairing::{JudgedOn, Labels, Pairing, Ties, clear_differences};
pub use preference::{p_best, p_prefer, ranks};
pub use ranking::Ranking;
pub use reward::{Aggregate, Axis, Gaussian, Reward};
pub use scope::{Extent, Scope, Wording};
pub use tuple::{Tuple, overall_score, tuples};
pub use vote::{Choice, Rating, Vote};
pub use voting::clear_judgements;
