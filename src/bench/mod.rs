//! Benchmarks: how well a scorer agrees with people, by each published protocol to the letter.

pub mod answer;
pub mod case;
pub mod scorer;

pub use answer::{Answer, Said, Score, Usage};
pub use case::{Case, Dataset, Edit, Order, Truth, Vote};
pub use scorer::{Ask, Scorer, ScorerInfo};
