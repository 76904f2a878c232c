//! What is typed after `erw train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::args::{Answer, Where};
use super::super::runs::RunArgs;

#[derive(Debug, Args)]
#[command(after_long_help = "\
A plan is a TOML file; an empty one trains everything as the paper does. '--check' says what a plan would do. The most \
used keys:

  train = \"heads\" | \"low-rank\" | \"everything\"
  data.workspaces, data.validation, pairs.axes, pairs.labels, pairs.ties
  model.base, model.head, model.aggregate, model.layout, loss.kind
  rates.all, schedule.kind, batch.size, batch.accumulate, length.epochs

A run that is stopped (Ctrl-C, 'erw jobs stop') or killed goes on with 'erw resume RUN', to the same last bit on a CPU.")]
pub(in crate::cli) struct TrainArgs {
    /// The plan
    pub(super) plan: PathBuf,
    /// Change the plan: a dotted key and its value, such as loss.margin=0.57; as often as needed
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) changes: Vec<String>,
    /// Make so many steps; short for --set length.steps=N
    #[arg(long, value_name = "N")]
    pub(super) steps: Option<u64>,
    /// Only say what would be done
    #[arg(long, conflicts_with = "queue")]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) handover: HandoverArgs,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}

/// Who trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Engine {
    /// This program
    #[default]
    Erw,
    /// The published trainer, on many GPUs
    Deepspeed,
}

/// How the published trainer is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Launch {
    /// By deepspeed, on this machine
    #[default]
    Deepspeed,
    /// By torchrun, on this machine
    Torchrun,
    /// By sbatch, as a Slurm job
    Slurm,
}

#[derive(Debug, Clone, Args)]
pub(super) struct HandoverArgs {
    /// Who trains
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    pub(super) engine: Engine,
    /// A clone of the published repository, for '--engine deepspeed'
    #[arg(long, value_name = "CLONE", required_if_eq("engine", "deepspeed"))]
    pub(super) reference_repo: Option<PathBuf>,
    /// How the published trainer is started
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) launch: Launch,
    /// Its GPUs on each machine
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) gpus: usize,
    /// Its machines, with '--launch slurm'
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) nodes: usize,
    /// Write its files and say the command, and start nothing
    #[arg(long)]
    pub(super) write_only: bool,
}
