//! `erw failures`: what a model falls for, provoked on demand.

pub(super) mod args;
mod probe;

use super::exit::Exit;
use args::FailuresVerb;

/// Carries one of them out.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Probe(args) => probe::run(args),
    }
}
