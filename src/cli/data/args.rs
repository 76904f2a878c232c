//! The flags of `erw import`, `erw export` and `erw data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::Answer;
use crate::cli::chosen::WhereArgs;

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct ImportArgs {
    /// Files or folders; the format is told by their fields. Shards of one set can be given together
    #[arg(required_unless_present = "formats")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// The workspace to take them into [default: this folder]
    #[arg(long, short, value_name = "DIR")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// Read them as this format, whatever their fields tell
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<String>,
    /// List the formats and what tells each
    #[arg(long)]
    pub(in crate::cli) formats: bool,
    /// Where relative image paths start [default: the file's folder]; none may lead out of it
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) root: Option<PathBuf>,
    /// What the data set is called [default: as the file]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) set: Option<String>,
    /// The part of the data that this is, such as train or test
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) split: Option<String>,
    /// Whose judgements these are where the file names nobody [default: the data set]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) annotator: Option<String>,
    /// Such judgements were made by a program
    #[arg(long)]
    pub(in crate::cli) simulated: bool,
    /// Which columns of a table hold what: instruction=prompt,source=src,…
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    pub(in crate::cli) map: Option<String>,
    /// Copy the images into the workspace, instead of leaving them where they are
    #[arg(long)]
    pub(in crate::cli) copy: bool,
    /// Take away what files said of these groups before; without it, pairs and ratings are added
    #[arg(long)]
    pub(in crate::cli) replace: bool,
    /// Leave out records that are wrong, instead of importing nothing
    #[arg(long)]
    pub(in crate::cli) skip_bad: bool,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DataVerb {
    /// Look for missing images, bad labels, duplicates, and for what two workspaces have in common
    Check(DataCheckArgs),
    /// Count what is in it: sets, editors, labels, pairs, ties, votes
    Stats(DataStatsArgs),
    /// Measure how far its annotators agree, and whose judgements differ from the rest
    Agreement(DataAgreementArgs),
    /// Divide it into parts so that no image is in two of them
    Split(DataSplitArgs),
    /// List the candidates for which something holds; tag them, or keep them as a selection
    Find(DataFindArgs),
    /// List what queries can ask for
    Fields(DataFieldsArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Queries compare fields of candidates: 'sat_delta > 0.15 and if.mean > 0.5 and human.if <= 2', 'editor ~ flux and not tag = seen', \
'human.vq = none', '… sort by vq.mean desc'. Numbers compare by > >= < <= = !=, texts by = != (whole) and ~ !~ (a part), both by \
'= none'. What has no value compares with nothing. The same queries are filters in the workbench, typed after /.")]
pub(in crate::cli) struct DataFindArgs {
    /// What must hold
    #[arg(value_name = "QUERY")]
    pub(in crate::cli) query: String,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// Whose scores are meant: a name from 'erw model list', or a directory [default: the workspace's own]
    #[arg(long, short, value_name = "NAME|DIR")]
    pub(in crate::cli) model: Option<String>,
    /// Only the first N
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<usize>,
    /// Put this word on each
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) tag: Option<String>,
    /// Keep them as a selection of this name, in place of what had it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) save: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DataFieldsArgs {
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Formats:
  erw                erw's own JSONL: nothing is lost (.jsonl)
  pair-json          pairs as the published trainer reads them, the preferred first
  editreward-data    EditReward-Data's Parquet, with the images in it (.parquet)
  tuples-json        EditReward-Bench tuples built from labels: strict orders, the hardest first
  sharegpt-4o-image  an edit a record, for training editors
  csv, jsonl         a row for each candidate and annotator (.csv)
  html               a contact sheet with the pictures in it (.html)

The file is put in its place as a whole, or not at all. Paths of images below its folder are written relative to it, others \
absolute.")]
pub(in crate::cli) struct ExportArgs {
    /// The file to write; its ending tells the format where none is named
    pub(in crate::cli) file: PathBuf,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// The format
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<String>,
    /// Only the groups of this part of the data
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) split: Option<String>,
    /// Only the groups that came with this data set
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) set: Option<String>,
    /// Only these groups: a text file with a name a line
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) groups: Option<PathBuf>,
    /// Only the candidates of this selection: a name, or NAME@2 for a version
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) selection: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) only: WhereArgs,
    /// Whose scores --where means: a name from 'erw model list', or a directory [default: the workspace's own]
    #[arg(long, short, value_name = "NAME|DIR")]
    pub(in crate::cli) model: Option<String>,
    /// Copy the images into this folder, and write the paths of the copies
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) images: Option<PathBuf>,
    /// editreward-data: paths instead of the images themselves
    #[arg(long)]
    pub(in crate::cli) no_image_bytes: bool,
    /// pair-json: what becomes of ties: disentangle, keep or drop
    #[arg(long, value_name = "WHAT", default_value = "disentangle")]
    pub(in crate::cli) ties: String,
    /// pair-json: leave out pairs of which a smaller share of people say the same, 0.5 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(in crate::cli) least_agreement: f64,
    /// tuples-json: how many candidates a tuple has
    #[arg(long, value_name = "K,…", value_delimiter = ',', default_values_t = [2_usize, 3, 4])]
    pub(in crate::cli) ways: Vec<usize>,
    /// tuples-json: at most so many tuples of each size from a group
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) per_group: usize,
    /// tuples-json: only the N hardest of each size; html: only the first N groups
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<usize>,
    /// tuples-json: decides the order in which the candidates of a tuple stand
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Alpha is Krippendorff's, ordinal for scores and nominal for votes; kappa is Fleiss' over what the usual number of people judged, \
and between two annotators Cohen's with quadratic weights. Intervals hold 95 % of bootstrap draws of groups. Bias is an \
annotator's score minus the mean of the others' on the same candidate, in points; spread its standard deviation.")]
pub(in crate::cli) struct DataAgreementArgs {
    /// The workspace [default: the one here]
    #[arg(value_name = "WORKSPACE")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// Count a model's stored scores as one more rater: a name from 'erw model list', or a directory
    #[arg(long, short, value_name = "NAME|DIR")]
    pub(in crate::cli) model: Option<String>,
    /// Only the groups of this part of the data
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) split: Option<String>,
    /// Leave out what programs said
    #[arg(long)]
    pub(in crate::cli) without_simulated: bool,
    /// How often groups are drawn anew for the intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(in crate::cli) resamples: usize,
    /// Decides the draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) seed: u64,
    /// How many of the most disputed groups are told
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) disputed: usize,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DataStatsArgs {
    /// The workspace [default: the one here]
    #[arg(value_name = "WORKSPACE")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Pictures are divided, not groups: all groups of a source, told by its content, are in one part, and so are groups that share an \
image file. The same seed and contents give the same parts again.")]
pub(in crate::cli) struct DataSplitArgs {
    /// The workspace [default: the one here]
    #[arg(value_name = "WORKSPACE")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// The parts and their shares
    #[arg(
        long,
        value_name = "NAME=SHARE,…",
        default_value = "train=0.8,validation=0.1,test=0.1"
    )]
    pub(in crate::cli) parts: String,
    /// Decides which picture falls where
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Images are the same when their bytes are: one that was encoded anew, cropped or resized is another. Of an image that was read \
before and has not changed since, only the header is looked at. Exit code 0: nothing found; 1: something.")]
pub(in crate::cli) struct DataCheckArgs {
    /// The workspace to check [default: the one here]
    #[arg(value_name = "WORKSPACE")]
    pub(in crate::cli) workspace: Option<PathBuf>,
    /// A second one that must have no image, and no instruction for a source, in common with it
    #[arg(long, value_name = "OTHER")]
    pub(in crate::cli) against: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) answer: Answer,
}
