//! `erw failures`: what a model falls for.

mod args;
mod probe;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FailuresVerb {
    /// Change one factor of candidates step by step, rate them at every step, and say what the model follows
    Probe(Box<args::ProbeArgs>),
}

/// Runs one of its verbs.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Probe(args) => probe::run(args),
    }
}
