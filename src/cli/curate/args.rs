//! What is typed after `erw curate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::{Answer, Where};
use crate::cli::chosen::{ScoresArg, WhereArgs};
use crate::cli::runs::RunArgs;
use crate::curate::{By, CurateError, Cut, Duplicates, Least, Quotas, Recipe, Same};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CurateVerb {
    /// Select by a recipe: the top, minimums, the best of each group, quotas, no near duplicates; saved with a reason for each
    Select(Box<SelectArgs>),
    /// List selections and their versions
    List(ListArgs),
    /// Show a selection: its recipe, before and after, what the cut cost
    Show(NamedArgs),
    /// Tell why a candidate was kept or dropped
    Why(WhyArgs),
    /// Hold two selections against each other: overlap, shift of scores, categories and editors
    Diff(DiffArgs),
    /// Write a selection as a report with histograms and pictures: Markdown, HTML or JSON
    Report(ReportArgs),
    /// Hold a selection against people's labels: against all, as many at random, and cuts that mind sigma
    Check(CheckArgs),
    /// Put selections of several sizes through the same commands (fine-tune, evaluate) and set their figures side by side
    Experiment(ExperimentArgs),
    /// Forget a selection, or one version of it; its candidates stay
    Rm(NamedArgs),
}

/// What near duplicates are, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum What {
    /// Same instruction, near source, near edit
    Examples,
    /// Near edited images, whatever they were made of
    Images,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Candidates are ranked by the stored scores of a model ('erw score' makes them), and taken from the top. Each has a reason for being \
kept or dropped, which is stored: 'erw curate why'. Selecting again under the same name makes the next version of it; NAME means the \
newest, NAME@2 the second.

With --sigmas K, ranks and minimums go by mean − K · sigma: what the model is sure of. --by pareto takes those first that no other \
beats on both axes. --keep-mix gives each category its share of what was considered; where one has too few, the others fill up.

What is selected is a filter everywhere ('selection = NAME') and is exported with 'erw export FILE --selection NAME'.")]
pub(in crate::cli) struct SelectArgs {
    /// What it is to be called
    pub(super) name: String,
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,
    #[command(flatten)]
    pub(super) only: WhereArgs,
    #[command(flatten)]
    pub(super) scores: ScoresArg,
    #[command(flatten)]
    pub(super) place: Where,
    /// Say what would be selected, and save nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecipeArgs {
    /// Keep the N best
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Keep this share of what was considered, 0 to 1
    #[arg(long, value_name = "SHARE", conflicts_with = "top")]
    fraction: Option<f64>,
    /// Keep all that the minimums leave
    #[arg(long, conflicts_with_all = ["top", "fraction"])]
    all: bool,
    /// What candidates are ranked by: overall, if, vq, min (the lower axis), pareto (both axes), random
    #[arg(long, value_name = "WHAT", default_value = "overall", value_parser = by)]
    by: By,
    /// Rank and hold against minimums by mean − K · sigma
    #[arg(long, value_name = "K", default_value_t = 0.0)]
    sigmas: f64,
    /// The least that is kept, such as if=0.5,vq=0,overall=1
    #[arg(long, value_name = "SCORE=MIN,…", value_delimiter = ',', value_parser = least, allow_negative_numbers = true)]
    least: Vec<(Score, f64)>,
    /// Keep at most N of each group, its best
    #[arg(long, value_name = "N")]
    best_of_group: Option<usize>,
    /// Give each category its share of what was considered
    #[arg(long)]
    keep_mix: bool,
    /// Keep at most N of a category; may be given several times
    #[arg(long, value_name = "CATEGORY=N", conflicts_with = "keep_mix", value_parser = most)]
    at_most: Vec<(String, usize)>,
    /// Drop near duplicates of better ones, by perceptual hashes of the images
    #[arg(long, value_name = "WHAT", value_enum)]
    drop_duplicates: Option<What>,
    /// How many of 64 bits the hashes of near images differ in at most
    #[arg(
        long,
        value_name = "BITS",
        default_value_t = 6,
        requires = "drop_duplicates"
    )]
    distance: u32,
    /// What chance is drawn from: the order of equals, and of everything with --by random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// What a minimum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Score {
    If,
    Vq,
    Overall,
}

fn by(text: &str) -> Result<By, String> {
    let named = By::ALL.iter().find(|(name, _)| *name == text);
    named.map(|(_, by)| *by).ok_or_else(|| {
        let names: Vec<&str> = By::ALL.iter().map(|(name, _)| *name).collect();
        format!("it is none of {}", names.join(", "))
    })
}

fn least(text: &str) -> Result<(Score, f64), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("it has the form if=0.5, vq=0.5 or overall=0.5")?;
    let score = match name {
        "if" => Score::If,
        "vq" => Score::Vq,
        "overall" => Score::Overall,
        _ => return Err(format!("'{name}' is none of if, vq, overall")),
    };
    let value = value
        .parse::<f64>()
        .map_err(|_| format!("'{value}' is no number"))?;
    Ok((score, value))
}

fn most(text: &str) -> Result<(String, usize), String> {
    let (name, n) = text.rsplit_once('=').ok_or("it has the form style=100")?;
    let n = n.parse().map_err(|_| format!("'{n}' is no number"))?;
    Ok((name.to_owned(), n))
}

impl RecipeArgs {
    /// As curation takes it.
    pub(super) fn recipe(&self, filter: Option<&str>) -> Result<Recipe, CurateError> {
        let cut = match (self.top, self.fraction, self.all) {
            (Some(n), ..) => Cut::Top(n),
            (_, Some(share), _) => Cut::Fraction(share),
            (_, _, true) => Cut::All,
            _ => {
                return Err(CurateError::Choice(
                    "say how many: --top N, --fraction SHARE, or --all that the minimums leave"
                        .into(),
                ));
            }
        };
        let of = |score| {
            let mut given = self.least.iter().rev();
            given.find(|(of, _)| *of == score).map(|(_, value)| *value)
        };
        let quotas = if self.keep_mix {
            Quotas::Mix
        } else if self.at_most.is_empty() {
            Quotas::Free
        } else {
            Quotas::AtMost(self.at_most.iter().cloned().collect::<BTreeMap<_, _>>())
        };
        let recipe = Recipe {
            by: self.by,
            cut,
            sigmas: self.sigmas,
            least: Least {
                instruction_following: of(Score::If),
                visual_quality: of(Score::Vq),
                overall: of(Score::Overall),
            },
            best_of_group: self.best_of_group,
            quotas,
            duplicates: self.drop_duplicates.map(|what| Duplicates {
                distance: self.distance,
                same: match what {
                    What::Examples => Same::Example,
                    What::Images => Same::Image,
                },
            }),
            filter: filter.map(str::to_owned),
            seed: self.seed,
        };
        recipe.check()?;
        Ok(recipe)
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NamedArgs {
    /// The selection: a name, or NAME@2 for a version
    pub(super) name: String,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    /// The selection: a name, or NAME@2 for a version
    pub(super) name: String,
    /// The group's name
    pub(super) group: String,
    /// The candidate's name in its group [default: all of them]
    pub(super) candidate: Option<String>,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// A selection: a name, or NAME@2 for a version
    pub(super) first: String,
    /// Another one
    pub(super) second: String,
    #[command(flatten)]
    pub(super) scores: ScoresArg,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The selection: a name, or NAME@2 for a version
    pub(super) name: String,
    /// md, html or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(super) format: String,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
PLAN is a TOML file:

  name = \"table\"
  metrics = [\"gedit.overall\"]         # what the table shows [default: all that was measured]
  format = \"sharegpt-4o-image\"        # of the file that a selection becomes: 'erw export --help'

  [recipe]                             # as 'erw curate select' has it; all optional
  by = \"overall\"
  sigmas = 1.0
  quotas = \"mix\"

  [[arm]]
  cut = { top = 10000 }
  [[arm]]
  cut = { top = 10000 }
  by = \"random\"
  [[arm]]
  cut = { fraction = 1.0 }

  [[step]]
  name = \"finetune\"                    # without a command: [commands.finetune] of the settings
  command = [\"python\", \"finetune.py\", \"--data\", \"{export}\", \"--out\", \"{arm}\"]
  follow = \"{arm}\"                     # TensorBoard event files or trainer_state.json, where it writes some
  environment = { SEED = \"1\" }
  [[step]]
  name = \"evaluate\"
  command = [\"python\", \"gedit.py\", \"{arm}\"]

{export} is the selection's file, {arm} a folder for what its commands write, {selection} its name, {run} the command's own run. What a \
command prints is searched for measurements (JSON lines, key=value), as with 'erw jobs run'; each is a run of its own. A command that \
fails ends the experiment; 'erw resume' goes on from there and does nothing twice.")]
pub(in crate::cli) struct ExperimentArgs {
    /// The plan
    pub(super) plan: PathBuf,
    #[command(flatten)]
    pub(super) scores: ScoresArg,
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
People's scores on IF and VQ are added, 2 to 8, and averaged over what a selection has; the intervals are the central 95 % of a \
bootstrap over groups, with the selections as they are. Selections of one size are compared: by the recipe, by the same recipe with \
other numbers of sigmas, and at random. Use groups that the model was not trained on: --where 'split = test' when selecting.")]
pub(in crate::cli) struct CheckArgs {
    /// The selection: a name, or NAME@2 for a version
    pub(super) name: String,
    /// Other numbers of sigmas to try
    #[arg(long, value_name = "K,…", value_delimiter = ',', default_values_t = [0.0, 1.0])]
    pub(super) sigmas: Vec<f64>,
    /// How often groups are drawn again for intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) resamples: usize,
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answer: Answer,
}
