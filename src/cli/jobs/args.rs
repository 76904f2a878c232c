//! The command line of `erw jobs` and `erw resume`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::super::args::Answer;
use super::super::runs::{Root, RunArgs};

#[derive(Debug, Subcommand)]
pub(in super::super) enum JobsVerb {
    /// List the runs, newest first
    List(ListArgs),
    /// Show what a run is, how far it has come, and what it measured last
    Show(NameArgs),
    /// Print what a run said
    Logs(LogsArgs),
    /// Ask a run to stop at the next safe point, or take it out of the queue
    Stop(StopArgs),
    /// Put a run that was stopped or killed into the queue again, to go on from where it was
    Resume(NameArgs),
    /// Do the same again from the beginning, as a new run in the queue
    Retry(NameArgs),
    /// Remove the folder of a run, with its checkpoints
    Rm(RmArgs),
    /// Run any program as a run: its output is the log, and what it measures becomes curves
    Run(RunCommandArgs),
    /// Start what waits in the queue, one after the other
    #[command(hide = true)]
    Drain(DrainArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    #[command(flatten)]
    pub(super) root: Root,
    /// At most so many
    #[arg(long, short = 'n', value_name = "N")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in super::super) struct NameArgs {
    /// Its name, the beginning of its name, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in super::super) struct LogsArgs {
    /// Its name, the beginning of its name, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Go on printing until the run has ended
    #[arg(long, short, conflicts_with = "json")]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in super::super) struct StopArgs {
    /// Its name, the beginning of its name, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Send its process SIGTERM as well; twice (-ff), end it at once: what was not saved is lost
    #[arg(long, short, action = ArgAction::Count)]
    pub(super) force: u8,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in super::super) struct RmArgs {
    /// Its name, the beginning of its name, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Measurements are read from what the program prints (JSON objects, the lines of Hugging Face's trainer, key=value, the counters \
of progress bars) and, with --follow, from the files it writes. In the command, '{run}' is the folder of the run; the program \
finds it in ERW_RUN too. A request to stop sends it SIGTERM.")]
pub(in super::super) struct RunCommandArgs {
    /// What to call it [default: the program's name]
    #[arg(long)]
    pub(super) title: Option<String>,
    /// The device that it needs for itself, as 'cpu' or 'cuda:0' [default: all of them]
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// Where it writes TensorBoard event files or trainer_state.json
    #[arg(long, value_name = "DIR")]
    pub(super) follow: Option<PathBuf>,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
    /// The program and its arguments, after '--'
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(in super::super) struct DrainArgs {
    /// Where folders of runs are
    #[arg(long, value_name = "DIR")]
    pub(super) runs: PathBuf,
}

#[derive(Debug, Args)]
pub(in super::super) struct ResumeArgs {
    /// Its name, the beginning of its name, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Put it into the queue instead of going on here
    #[arg(long)]
    pub(super) queue: bool,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) answer: Answer,
}
