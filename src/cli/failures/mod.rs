//! `erw failures`: what a model falls for.

mod analyse;
mod report;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FailuresVerb {
    /// Hold a model's stored scores against people's labels and measures of the images: what it is suspected to fall for
    Analyse(analyse::AnalyseArgs),
    /// Write a finished analysis as a report: Markdown, HTML with plots and pictures, CSV or JSON
    Report(report::ReportArgs),
}

/// Runs one of its verbs.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Analyse(args) => analyse::run(args),
        FailuresVerb::Report(args) => report::run(args),
    }
}
