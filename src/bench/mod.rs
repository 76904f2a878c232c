//! Benchmarks: how well a scorer agrees with people, by each published protocol to the letter.
//!
//! A [`Protocol`](protocol::Protocol) reads published data into [`Case`]s, asks a [`Scorer`] about them and makes figures of
//! the answers; it does not know who answers. A scorer answers cases and does not know what becomes of it. [`run`] brings the
//! two together in a run's folder, [`reproduce`] holds the figures against those in print.

pub mod answer;
pub mod baselines;
pub mod bootstrap;
pub mod case;
pub mod compare;
mod error;
pub mod export;
#[cfg(test)]
mod figures;
pub mod judge;
pub mod leaderboard;
pub mod protocol;
pub mod protocols;
pub mod recorded;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod scorer;

pub use answer::{Answer, Said, Score, Unscored, Usage};
pub use case::{Case, Dataset, Edit, Order, Truth, Vote};
pub use error::BenchError;
pub use scorer::{Ask, Scorer, ScorerInfo};
