//! What is typed after `erw bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::args::{Answer, Where};
use super::super::runs::{Root, RunArgs};
use super::super::shards::ShardArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BenchVerb {
    /// List the benchmarks: what each measures, on which data, after whose protocol
    List(ListArgs),
    /// Run a benchmark with a scorer
    Run(Box<BenchRunArgs>),
    /// Recompute published figures from published ratings, and hold them against what was printed
    Reproduce(ReproduceArgs),
    /// Hold two scorers, by their runs, against each other on the same data
    Compare(CompareArgs),
    /// Write finished runs as a report: Markdown, HTML with plots, CSV or JSON
    Report(ReportArgs),
    /// Measure how fast the model scores here, and how much of the device it uses
    Speed(SpeedArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Each row scores so many candidates of one source in two ways that take turns: all in one pass, in which what their prompts have in
common is read once; and as the published code does, every prompt by itself and whole, both of its pictures encoded for it alone.
Pairs of figures are of the one and of the other. 'rows' are tokens that the language model reads; 'of the product' is the counted
work over the time, held against a large matrix product on the same device; 'apart' is the largest difference between the two ways
in any mean or log sigma. For a model of the published shape without its weights: erw model random DIR --like qwen2.5-vl-7b")]
pub(in crate::cli) struct SpeedArgs {
    /// How many candidates a source has, a row of the table each
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1, 2, 4, 7], value_parser = whole)]
    pub(super) candidates: Vec<usize>,
    /// Rounds, of which medians are told
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) rounds: usize,
    /// Columns and rows of the pictures, which are noise
    #[arg(long, value_name = "PIXELS", default_value_t = 448)]
    pub(super) side: u32,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) answer: Answer,
}

/// A number of things, of which there is one at least.
fn whole(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("a source has one candidate at least".into()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("'{text}' is no number")),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Only this benchmark, in full
    pub(super) benchmark: Option<String>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
A scorer is one of

  model[:NAME|DIR]      a reward model; without a name the one of --model, the settings or the workspace
  recorded:FILE[#NAME]  scores or votes that are in a file or folder already: erw's answers.jsonl, GenAI-Bench's
                        pairwise.json, tables with JUDGE_vote, VIEScore's SC.json and PQ.json, tables of case, editor, score
  field:NAME            what the benchmark's own data records of a judge (its pred_NAME or NAME_vote)
  judge:NAME            a vision-language model behind an OpenAI-compatible endpoint, [judges.NAME] in the settings
  random, constant, psnr, ssim, delta-e, ssimulacra2, butteraugli
                        baselines; all but the first two see only how little was changed
  lpips:FILE            the same by LPIPS 0.1, negated; FILE has the state dict of the lpips package's LPIPS (AlexNet or VGG-16)
                        as safetensors. An edit of another size is brought to the source's
  clipscore:DIR         CLIPScore of the edit and the instruction, max(100 cos, 0); DIR is a Hugging Face folder of a CLIP model

Every answer is kept the moment it is there: a run that was stopped or killed goes on with 'erw resume RUN' and asks nobody
twice. Intervals are the central 95 % of a bootstrap over groups of cases that share a source.

With --launcher slurm --shards N, the data is read here and a Slurm array of N members has the model score it, each a part of its \
own by source image, on machines that see the same files at the same places; a job after them makes the report, the same as that \
of one process. Without --shards, one Slurm job does all of it, whoever answers.")]
pub(in crate::cli) struct BenchRunArgs {
    /// The benchmark: a name from 'erw bench list'
    pub(super) benchmark: String,
    /// Its data: a file, a folder, or a clone of the repository that has it [default: the workspace]
    #[arg(long, value_name = "PATH")]
    pub(super) data: Option<PathBuf>,
    /// Who answers
    #[arg(long, short, value_name = "SCORER", default_value = "model")]
    pub(super) scorer: String,
    /// Where relative image paths start [default: the data's folder]
    #[arg(long, value_name = "DIR")]
    pub(super) images: Option<PathBuf>,
    /// Leave records out that cannot be used, and count them
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Only the first N cases
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// The names of source images that the scorer has never seen, a line each [default: held-out.txt beside the model]
    #[arg(long, value_name = "FILE")]
    pub(super) held_out: Option<PathBuf>,
    /// Resamples for the intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) resamples: usize,
    /// What chance is drawn from: resamples, positions, the random scorer
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Put the published code's defective tie calibration first, where it has one
    #[arg(long)]
    pub(super) published: bool,
    #[command(flatten)]
    pub(super) parts: ShardArgs,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReproduceArgs {
    /// A folder with the published tables, or a clone of ImagenHub, VIEScore or GenAI-Bench
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Only the cells that differ
    #[arg(long)]
    pub(super) differing: bool,
    /// Show the published tie calibration on its two-vote counter-example, instead of the right one
    #[arg(long)]
    pub(super) published: bool,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// The one run
    pub(super) a: String,
    /// The other, on the same data
    pub(super) b: String,
    /// How many of the judgements that flipped to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) flips: usize,
    /// Resamples for the intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) resamples: usize,
    /// What they are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The runs; all finished ones without
    pub(super) named: Vec<String>,
    /// md, html, csv or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(super) format: String,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) root: Root,
    #[command(flatten)]
    pub(super) place: Where,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
}
