//! The command line: what was typed, carried out, and an exit code.
//!
//! Each verb is one file with one function that returns how it ended; results go through `print`, and nothing here
//! computes what a lower layer could.

mod ablate;
mod annotate;
mod args;
mod bench;
mod chosen;
mod curate;
mod data;
mod doctor;
mod exit;
mod failures;
mod generate;
mod jobs;
mod model;
mod open;
mod print;
mod progress;
mod report;
mod runs;
mod score;
mod shards;
mod shell;
mod stop;
mod synth;
mod table;
mod train;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Verb};
use exit::Exit;

/// Runs the program; the exit code is the documented one (0 done, 1 failed, 2 usage, 3 some left out, 130 stopped).
pub fn main() -> ExitCode {
    crate::memory::keep_freed();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            print::clap(&e);
            return if e.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let result = match &cli.verb {
        None => open::run(&cli.open),
        Some(Verb::Score(args)) => score::run(args),
        Some(Verb::Model(verb)) => model::run(verb),
        Some(Verb::Import(args)) => data::import::run(args),
        Some(Verb::Export(args)) => data::export::run(args),
        Some(Verb::Data(verb)) => data::run(verb),
        Some(Verb::Annotate(args)) => annotate::run(args),
        Some(Verb::Generate(args)) => generate::run(args),
        Some(Verb::Synth(args)) => synth::run(args),
        Some(Verb::Train(args)) => train::run(args),
        Some(Verb::Ablate(args)) => ablate::run(args),
        Some(Verb::Bench(verb)) => bench::run(verb),
        Some(Verb::Failures(verb)) => failures::run(verb),
        Some(Verb::Curate(verb)) => curate::run(verb),
        Some(Verb::Jobs(verb)) => jobs::run(verb),
        Some(Verb::Resume(args)) => jobs::resume(args),
        Some(Verb::Doctor(args)) => doctor::run(args),
        Some(Verb::Completions(args)) => shell::completions(args),
        Some(Verb::Man(args)) => shell::man(args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(e) => {
            let exit = Exit::of(&e);
            if exit != Exit::Done {
                print::error(&e);
            }
            exit.into()
        }
    }
}
