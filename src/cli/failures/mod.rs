//! `erw failures`: what a model falls for: analysed against people's judgements, provoked on demand, reported.

mod analyse;
pub(super) mod args;
mod probe;
mod report;

use super::exit::Exit;
use args::FailuresVerb;

/// Carries one of them out.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Analyse(args) => analyse::run(args),
        FailuresVerb::Probe(args) => probe::run(args),
        FailuresVerb::Report(args) => report::run(args),
    }
}
