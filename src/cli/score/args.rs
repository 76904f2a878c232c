//! The command line of `erw score`.

use std::path::PathBuf;

use clap::Args;

use super::super::args::{Answer, Where};
use super::super::chosen::WhereArgs;
use super::super::runs::RunArgs;
use super::super::shards::ShardArgs;
use crate::data::WorkspaceError;
use crate::model::{LoadOptions, Packing};
use crate::runs::shards::Shard;
use crate::workbench::Workbench;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Without --source, --groups and a folder, every group of the workspace is scored. Scores are kept in the workspace and not \
computed again; images named by --source belong to none and are only compared with its scores.

Scoring a workspace is a run: 'erw jobs' shows it, and stopped or killed at any instant it goes on with 'erw resume RUN'. Of up \
to 200 groups every candidate is told, of more only how their scores lie. Candidates without a score are in the run's \
'left-out.jsonl' with their reasons; the exit code is then 3.

With --launcher slurm --shards N, the workspace is read here and a Slurm array of N members scores it, each a part of its own, \
on machines that see the same files at the same places; a job after them takes the scores into the workspace and starts members \
that did not finish once more. What a job asks for is in [slurm] in the settings.

The numbers: each axis is a Gaussian. 'mean' is the expected score, a logit (typically -3 to 3; negative is normal); the \
Greek sigma, 'sigma' in JSON, is its standard deviation; 'log_sigma' is what the model's head emits. IF is instruction \
following ('dim1' in the published code), VQ visual quality ('dim2'). P(best) is the probability that a candidate is the \
best of its group, P(A>B) that A is better than B.")]
pub(in crate::cli) struct ScoreArgs {
    /// A folder of groups, each a folder with source.*, instruction.txt and edited images; with --workspace they are imported
    /// there first
    #[arg(value_name = "DIR", conflicts_with_all = ["source", "groups"])]
    pub(super) folder: Option<PathBuf>,
    /// The image before the edit
    #[arg(long, value_name = "IMAGE", requires_all = ["edited", "instruction"])]
    pub(super) source: Option<PathBuf>,
    /// The edited images
    #[arg(long, value_name = "IMAGE", num_args = 1.., requires = "source")]
    pub(super) edited: Vec<PathBuf>,
    /// What was asked for
    #[arg(long, value_name = "TEXT", requires = "source")]
    pub(super) instruction: Option<String>,
    /// Groups to score, as erw's JSONL; with --workspace they are imported there first
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    pub(super) groups: Option<PathBuf>,
    /// Also P(A>B) between any two candidates
    #[arg(long)]
    pub(super) pairs: bool,
    /// Also what was computed: rows, operations, time, and how much of the device that used
    #[arg(long, conflicts_with = "shards")]
    pub(super) explain: bool,
    /// Read every prompt whole and by itself, as the published code does: slower, and the same scores but for the last digits
    #[arg(long)]
    pub(super) no_prefix_sharing: bool,
    #[command(flatten)]
    pub(super) only: WhereArgs,
    /// Only part I (from 0) of N of the workspace: all groups of a source image are in one part
    #[arg(long, value_name = "I/N", conflicts_with = "shards")]
    pub(super) shard: Option<Shard>,
    #[command(flatten)]
    pub(super) parts: ShardArgs,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}

impl ScoreArgs {
    /// How the model is to be loaded.
    pub(super) fn load_options(&self, bench: &Workbench) -> anyhow::Result<LoadOptions> {
        let packing = if self.no_prefix_sharing {
            Packing::Plain
        } else {
            Packing::Tree
        };
        Ok(LoadOptions {
            packing,
            ..bench.load_options()?
        })
    }

    /// An error where something was asked for that only a run over a workspace has.
    pub(super) fn refuse_runs(&self) -> anyhow::Result<()> {
        let asked = self.run.queue
            || self.run.launcher.is_some()
            || self.run.run.is_some()
            || self.shard.is_some()
            || self.parts.shards.is_some();
        if asked {
            let what = "images and groups that belong to no workspace are scored here and at once, without --queue, --launcher and --shards; \
                        name a workspace with --workspace to have them imported there";
            return Err(WorkspaceError::Usage(what.into()).into());
        }
        Ok(())
    }
}
