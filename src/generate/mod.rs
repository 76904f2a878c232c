//! Candidates for groups that lack them, made by editors: programs on this machine, and models behind endpoints.
//!
//! For each group, every editor makes one candidate from each of its seeds, unless the workspace has one by that editor and seed.
//! An image counts once it can be decoded; then it is put in its place, noted in `made.jsonl` beside the images and in the run's
//! folder, and added to the workspace, in an order that lets a killed run go on without making anything twice. With a sample, so
//! many candidates of each group are drawn once all of its are made; only these are added, and the rest stay files, which a run
//! without a sample adds without making them anew.

mod answers;
mod command;
mod editor;
mod error;
mod ledger;
mod multipart;
mod place;
mod plan;
mod pool;
mod report;
mod run;
mod sample;
mod service;
#[cfg(test)]
mod tests;
mod work;

pub use answers::{ANSWERS, Answer, SAMPLES, Sample, answers, samples};
pub use error::GenerateError;
pub use ledger::LEDGER;
pub use plan::{Chosen, Counts};
pub use report::{EditorReport, Report, Sampled};
pub use run::{Heard, Outcome, Task, end, look, run};
