//! The integration tests, in one binary so that the model code is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod bench;
mod cli;
mod golden_inputs;
#[cfg(target_os = "linux")]
mod jobs;
mod layers;
mod program;
mod pty;
mod sample_data;
mod sources;
mod train;
mod workspace;
