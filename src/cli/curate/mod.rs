//! `erw curate`: out of many scored edits those to train on, with a reason for each, and what that selection is worth.

mod args;
mod check;
mod diff;
mod experiment;
mod report;
mod select;
mod tell;

pub(super) use args::CurateVerb;

use super::exit::Exit;

/// Carries one of them out.
pub(super) fn run(verb: &CurateVerb) -> anyhow::Result<Exit> {
    match verb {
        CurateVerb::Select(args) => select::run(args),
        CurateVerb::List(args) => tell::list(args),
        CurateVerb::Show(args) => tell::show(args),
        CurateVerb::Why(args) => tell::why(args),
        CurateVerb::Diff(args) => diff::run(args),
        CurateVerb::Report(args) => report::run(args),
        CurateVerb::Check(args) => check::run(args),
        CurateVerb::Experiment(args) => experiment::run(args),
        CurateVerb::Rm(args) => tell::remove(args),
    }
}
