//! What is typed after `erw generate`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::super::args::Answer;
use super::super::runs::RunArgs;
use crate::workbench::Choices;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Editors are tables of the settings, [editors.NAME]. One is a command:
  command = \"python edit.py --in {source} --prompt={instruction} --seed {seed} --out {out}\"
It is cut into words once, and no shell reads it: an instruction stays one argument, whatever is in it. Further keys: seeds or \
count, workers, timeout_s, retries, env, directory, ending. Or it is a model behind an OpenAI-compatible endpoint:
  base_url = \"http://localhost:8000/v1\"    where /images/edits is
  model = \"…\"
Further keys: key_env, size, seed_field, fields, max_side, requests_per_minute, and seeds or count, workers, timeout_s, retries. An \
endpoint gets the seed only where seed_field names a form field for it.

Every editor makes one candidate of a group from each of its seeds, unless the workspace has one by that editor and seed. An image \
counts once it can be decoded. It is kept in DIR/GROUP/EDITOR-SEED.png (or how its format ends), never written over, and noted in \
DIR/made.jsonl.

With --sample, N candidates of each group are drawn, one of each editor in turn, once all of the group's are made; these go into \
the workspace, the rest stay files. A later call without --sample takes them in, without making them again.

A run that was stopped or killed goes on with 'erw resume RUN'. What failed is in answers.jsonl of the run, and the exit code is 3; \
another call makes what is missing.")]
pub(in crate::cli) struct GenerateArgs {
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    /// Only these editors of the settings
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) editors: Vec<String>,
    /// How many candidates each editor makes of a group: its first N seeds
    #[arg(long, value_name = "N")]
    pub(super) per_editor: Option<NonZeroUsize>,
    /// Only these groups: a text file with a name a line
    #[arg(long, value_name = "FILE")]
    pub(super) groups: Option<PathBuf>,
    /// Only the groups of this part of the data
    #[arg(long, value_name = "NAME")]
    pub(super) split: Option<String>,
    /// Only the groups that came with this data set
    #[arg(long, value_name = "NAME")]
    pub(super) set: Option<String>,
    /// Where the images go [default: 'generated' in the workspace]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Keep N candidates of each group, and leave the rest as files
    #[arg(long, value_name = "N")]
    pub(super) sample: Option<NonZeroUsize>,
    /// What the sample is drawn by
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// How often a candidate that failed is tried again [default: as the editor's settings say]
    #[arg(long, value_name = "N")]
    pub(super) retries: Option<u32>,
    /// Say what is missing, and make nothing
    #[arg(long, conflicts_with = "queue")]
    pub(super) dry_run: bool,
    /// The device that the run has for itself in the queue, as 'cpu' or 'cuda:0' [default: all of them]
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}

impl GenerateArgs {
    /// As the wiring takes them.
    pub(super) fn choices(&self) -> Choices {
        Choices {
            workspace: self.workspace.clone(),
            ..Choices::default()
        }
    }
}
