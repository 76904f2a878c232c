//! The integration tests, in one binary so that the model code is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod bench;
mod cli;
#[cfg(unix)]
mod generate;
mod golden_inputs;
#[cfg(target_os = "linux")]
mod jobs;
mod layers;
mod probe_live;
mod program;
mod pty;
mod sample_data;
#[cfg(unix)]
#[allow(dead_code, reason = "the library's own tests use the rest of it")]
#[path = "../../src/remote/server.rs"]
mod server;
mod sources;
mod train;
mod workspace;
