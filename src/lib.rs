//! `erw`, the edit-reward workbench: a terminal program for people who build reward models for instruction-guided image
//! editing.
//!
//! A source image, an instruction, several edited candidates, and a model that scores each candidate as a human would, on
//! two axes, as a Gaussian each. The modules, bottom to top; each may name only those above it in this list, within the
//! layers that `tests/it/layers.rs` enforces:
//!
//! * [`domain`]: the words and their arithmetic; no files, clocks or random numbers.
//! * [`config`], [`data`], [`model`], [`runs`], [`remote`]: settings; the workspace and its images; the network, from bytes to
//!   rewards; the folders of long verbs; endpoints over HTTP. They do not know each other.
//! * [`jobs`]: runs that processes of their own work on, behind whoever asked for them.
//! * [`score`], [`synth`], [`train`], [`mod@bench`], [`annotate`], [`generate`], [`failures`],
//!   [`curate`]: the verbs. Scoring groups of a workspace with a model; making sample data; making a model of labels; measuring how
//!   well a scorer agrees with people; people's judgements, and how far they agree with each other; having editors make candidates;
//!   what a model falls for; keeping the good ones of many edits.
//! * [`workbench`]: the wiring, from settings to an open workspace and a chosen model.
//! * [`cli`], [`tui`]: the faces.
//!
//! Beside them all: the allocator (`memory`).
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed unwrap is a failed test"
    )
)]

pub mod annotate;
pub mod bench;
pub mod cli;
pub mod config;
pub mod curate;
pub mod data;
pub mod domain;
pub mod failures;
pub mod generate;
pub mod jobs;
mod memory;
pub mod model;
pub mod remote;
pub mod runs;
pub mod score;
pub mod synth;
pub mod train;
pub mod tui;
pub mod workbench;
