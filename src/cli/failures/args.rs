//! What is typed after `erw failures probe`.

use clap::{Args, ValueEnum};

use super::super::args::{Answer, Where};
use super::super::chosen::WhereArgs;
use super::super::runs::RunArgs;
use super::super::shards::ShardArgs;
use crate::failures::probe::{Factor, Which};

/// Which candidates of a group, as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Candidates {
    /// All of them
    All,
    /// The one that people think best; else the one that the model does; else the first
    Best,
}

impl From<Candidates> for Which {
    fn from(candidates: Candidates) -> Self {
        match candidates {
            Candidates::All => Self::All,
            Candidates::Best => Self::Best,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Factors:

  saturation, brightness, contrast   × the candidate's own; preferences that turn around by them alone are counted
  hue, sharpening, blur, jpeg, noise
  background_restored, background_tinted, background_blurred, background_replaced
                                     outside the edited regions, which are found by comparing the edit with its source
  strength                           from the source (0) to the edit (1), and beyond
  no_op, other_edit                  the source as its own edit; another group's edit
  instruction_replaced, instruction_negated, instruction_emptied

With --where, the groups in which the query holds of a candidate are probed.

A response is the difference to the same candidate as it is. It is held against what a faithful judge would do: 'should be flat; \
is +0.31 [0.25, 0.36]'. Intervals are the central 95 % of a bootstrap over groups. A response whose interval holds 0, or that is \
less than a twentieth of the spread of the candidates' scores, is taken for flat.

Every point is kept in points.jsonl of the run the moment it is there: a run that was stopped or killed goes on with 'erw resume \
RUN' and asks for nothing twice. The result is in report.json.

With --launcher slurm --shards N, the groups are drawn here and a Slurm array of N members probes them, each a part of its own by \
source image, on machines that see the same files at the same places; a job after them makes the report, the same as that of one \
process.")]
pub(in crate::cli) struct ProbeArgs {
    /// What is changed: one or more factors
    #[arg(required = true, value_name = "FACTOR")]
    pub(super) factors: Vec<Factor>,
    /// The steps, instead of each factor's own
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    pub(super) steps: Vec<f64>,
    /// Which candidates of each group
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Candidates::All)]
    pub(super) candidates: Candidates,
    #[command(flatten)]
    pub(super) only: WhereArgs,
    /// At most N groups, drawn by the seed
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// What chance is drawn from: groups, grain, resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Resamples for the intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) resamples: usize,
    #[command(flatten)]
    pub(super) parts: ShardArgs,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}
