//! `erw failures`: what a model falls for.

mod measure;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FailuresVerb {
    /// Measure every candidate against its source: what changed and where, how vivid it is, how clean
    Measure(measure::MeasureArgs),
}

/// Runs one of its verbs.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Measure(args) => measure::run(args),
    }
}
