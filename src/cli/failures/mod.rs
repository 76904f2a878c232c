//! `erw failures`: what a model falls for: measured, analysed against people's judgements, provoked on demand, reported.

mod analyse;
mod args;
mod measure;
mod probe;
mod report;
mod shards;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FailuresVerb {
    /// Measure every candidate against its source: what changed and where, how vivid it is, how clean
    Measure(measure::MeasureArgs),
    /// Hold a model's stored scores against people's labels and measures of the images: what it is suspected to fall for
    Analyse(analyse::AnalyseArgs),
    /// Change one factor of candidates step by step, rate them at every step, and say what the model follows
    Probe(Box<args::ProbeArgs>),
    /// Write a finished analysis or probe as a report: Markdown, HTML with plots and pictures, CSV, JSON or SVG
    Report(report::ReportArgs),
}

/// Carries one of them out.
pub(super) fn run(verb: &FailuresVerb) -> anyhow::Result<Exit> {
    match verb {
        FailuresVerb::Measure(args) => measure::run(args),
        FailuresVerb::Analyse(args) => analyse::run(args),
        FailuresVerb::Probe(args) => probe::run(args),
        FailuresVerb::Report(args) => report::run(args),
    }
}
