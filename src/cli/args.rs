//! The command line as it is typed: names, help texts, and which flags go together. Nothing is looked up or opened here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::ablate::AblateArgs;
use super::annotate::AnnotateArgs;
use super::bench::args::BenchVerb;
use super::curate::CurateVerb;
use super::data::args::{DataVerb, ExportArgs, ImportArgs};
use super::failures::FailuresVerb;
use super::generate::args::GenerateArgs;
use super::jobs::args::{JobsVerb, ResumeArgs};
use super::score::args::ScoreArgs;
use super::train::args::TrainArgs;
use crate::model::Like;
use crate::workbench::Choices;

/// The version with the compiled-in features, so that a report says at once what a build can do.
const VERSION: &str = match (cfg!(feature = "cuda"), cfg!(feature = "metal")) {
    (false, false) => concat!(env!("CARGO_PKG_VERSION"), " (features: none; CPU only)"),
    (true, false) => concat!(env!("CARGO_PKG_VERSION"), " (features: cuda)"),
    (false, true) => concat!(env!("CARGO_PKG_VERSION"), " (features: metal)"),
    (true, true) => concat!(env!("CARGO_PKG_VERSION"), " (features: cuda, metal)"),
};

const LONG_HELP: &str = "\
Without a verb, erw opens the workbench on the workspace here (a folder with '.erw' in it, this one or one above), else on \
the one named in the settings, else on the demo that it carries inside.

Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 done, with some records left out; 130 stopped.
Settings: config.toml in the user's configuration folder ('~/.config/erw' on Linux), or the file named by ERW_CONFIG.
Data: the demo and the list of models are in the user's data folder ('~/.local/share/erw' on Linux), or in ERW_DATA_DIR.
Colors: none off a terminal, nor with NO_COLOR set.";

/// The edit-reward workbench: score, browse and judge instruction-guided image edits in the terminal.
#[derive(Debug, Parser)]
#[command(name = "erw", version = VERSION, after_long_help = LONG_HELP, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    #[command(flatten)]
    pub(super) open: OpenArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Score edited images: those named, those of a groups file, or those of a workspace
    Score(ScoreArgs),
    /// Models: add, list, show, check, make a random one, forget
    #[command(subcommand)]
    Model(ModelVerb),
    /// Take data sets in, in the forms that they are published in; makes a workspace where there is none
    Import(ImportArgs),
    /// Write a workspace, or a part of it, in the formats that others read
    Export(ExportArgs),
    /// Data sets: what is in one, whether it is sound, its parts
    #[command(subcommand)]
    Data(DataVerb),
    /// Judge: give scores, compare pairs, rank; in the workbench
    Annotate(AnnotateArgs),
    /// Have editors make the candidates that groups lack: commands, or models behind endpoints
    Generate(GenerateArgs),
    /// Make labelled groups: known edits of photos, with known faults and simulated labels
    Synth(SynthArgs),
    /// Train a reward model on the labels of a workspace, by a plan
    Train(TrainArgs),
    /// Train variants of a plan, each from several seeds, and hold them against each other
    Ablate(AblateArgs),
    /// Benchmarks: list, run, reproduce published figures, compare scorers, write reports
    #[command(subcommand)]
    Bench(BenchVerb),
    /// What a model falls for: measure images, hold its error against the measures, provoke it, write reports
    #[command(subcommand)]
    Failures(FailuresVerb),
    /// Keep the good ones of many scored edits: select, compare, report, and check against people's labels
    #[command(subcommand)]
    Curate(CurateVerb),
    /// Runs: list, show, follow, stop, go on, do again, remove
    #[command(subcommand)]
    Jobs(JobsVerb),
    /// Go on with a run that was stopped or killed, from where it was
    Resume(ResumeArgs),
    /// Look at the terminal, the device, the model and the workspace, and say what to do about each
    Doctor(DoctorArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all verbs into a folder
    Man(ManArgs),
}

/// Whether to answer a program.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Answer {
    /// One JSON object on stdout, everything else on stderr
    #[arg(long)]
    pub(super) json: bool,
}

/// Which workspace, which model, and where to compute.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Where {
    /// The workspace: a folder with '.erw' in it
    #[arg(long, short, value_name = "DIR")]
    pub(super) workspace: Option<PathBuf>,
    /// The model: a name from 'erw model list', 'demo', or a directory
    #[arg(long, short, value_name = "NAME|DIR")]
    pub(super) model: Option<String>,
    /// Where to compute: auto, cpu, cuda:N or metal
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// Number format of weights and activations: f32, f16 or bf16 [default: f32 on a CPU, bf16 on a GPU]
    #[arg(long, value_name = "FORMAT")]
    pub(super) precision: Option<String>,
    /// Hold the language model's linear layers in fewer bits: q8_0 or q4k; scores are then those of another model
    #[arg(long, value_name = "FORMAT")]
    pub(super) quantize: Option<String>,
}

impl Where {
    /// As the wiring takes them.
    pub(super) fn choices(&self) -> Choices {
        Choices {
            workspace: self.workspace.clone(),
            model: self.model.clone(),
            device: self.device.clone(),
            precision: self.precision.clone(),
            quantize: self.quantize.clone(),
        }
    }
}

/// The flags of the workbench itself.
#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    #[command(flatten)]
    pub(super) place: Where,
    /// How images reach the terminal: auto, kitty, sixel, iterm2 or halfblocks
    #[arg(long, value_name = "PROTOCOL")]
    pub(super) image_protocol: Option<String>,
    /// Colors: a theme's name or file
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) theme: Option<String>,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(super) no_mouse: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelVerb {
    /// Make a Hugging Face directory known to erw, writing 'reward.toml' into it
    Add(ModelAddArgs),
    /// List the models that erw knows
    List(ModelListArgs),
    /// Show what a model is
    Show(ModelNameArgs),
    /// Compare a model's tensors with what its configuration wants
    Check(ModelNameArgs),
    /// Write a model with random weights: for trying things out
    Random(ModelRandomArgs),
    /// Forget a model; its files stay
    Rm(ModelRmArgs),
}

#[derive(Debug, Args)]
pub(super) struct ModelAddArgs {
    /// The directory with config.json, weights and tokenizer
    pub(super) dir: PathBuf,
    /// A clone of the published repository, to read the rubric texts and settings from
    #[arg(long, value_name = "CLONE")]
    pub(super) reference_repo: Option<PathBuf>,
    /// Which of the clone's settings files, by name
    #[arg(long, value_name = "NAME", requires = "reference_repo")]
    pub(super) config: Option<String>,
    /// What to call it [default: the directory's name]
    #[arg(long)]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct ModelListArgs {
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct ModelNameArgs {
    /// A name from 'erw model list', 'demo', or a directory
    #[arg(value_name = "NAME|DIR")]
    pub(super) model: String,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct ModelRmArgs {
    /// A name from 'erw model list'
    pub(super) name: String,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct ModelRandomArgs {
    /// The directory to write; it has to be new or empty
    pub(super) dir: PathBuf,
    /// Its architecture: qwen2.5-vl-3b, qwen2.5-vl-7b, qwen2.5-vl-32b, mimo-vl-7b, qwen3-vl-8b, medium or small
    #[arg(long, value_name = "PRESET")]
    pub(super) like: Like,
    /// A directory to take the tokenizer from [default: the demo's]
    #[arg(long, value_name = "DIR")]
    pub(super) tokenizer: Option<PathBuf>,
    /// What its weights are drawn from
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Without --recipe, groups are made from crops of the photos with edits drawn by chance: global ones from any photo, local ones \
where 'masks/NAME.png' shows the subject (lighter than half) and SUBJECTS.tsv does not call the mask poor. SUBJECTS.tsv and \
CREDITS.tsv are used where they are there. Labels are simulated, by a rule that the README of the output states.

With --recipe, the edits of its rows are made, with their photos, which need CREDITS.tsv.")]
pub(super) struct SynthArgs {
    /// The folder to write; it has to be new, empty, or made by an earlier call
    pub(super) out: PathBuf,
    /// The photos, here or in 'photos/', with masks/, SUBJECTS.tsv and CREDITS.tsv beside them
    #[arg(long, value_name = "DIR")]
    pub(super) photos: PathBuf,
    /// Make the edits of a recipe: 'sample' for those of the sample data, or a file
    #[arg(long, value_name = "sample|FILE")]
    pub(super) recipe: Option<PathBuf>,
    /// Decides crops, edits, faults and labels
    #[arg(long, default_value_t = crate::synth::Options::default().seed)]
    pub(super) seed: u64,
    /// How many groups [default: 200; with a recipe, one for each row]
    #[arg(long, value_name = "N")]
    pub(super) groups: Option<usize>,
    /// The longer side of the pictures in pixels [default: 320; with a recipe, 512]
    #[arg(long, value_name = "PIXELS")]
    pub(super) long_side: Option<u32>,
    /// Use only these photos: names without ending, comma-separated, or a text file with one a line
    #[arg(long, value_name = "NAMES|FILE", conflicts_with = "recipe")]
    pub(super) only: Option<String>,
    /// Use none of these photos
    #[arg(long, value_name = "NAMES|FILE", conflicts_with = "recipe")]
    pub(super) except: Option<String>,
    /// Leave out the masks of where edits work
    #[arg(long, conflicts_with = "recipe")]
    pub(super) no_masks: bool,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the pages of all verbs into this folder instead
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) answer: Answer,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_answers_programs_and_explains_itself() {
        fn visit(command: &clap::Command) {
            // What is hidden is for erw's own processes.
            for verb in command.get_subcommands().filter(|v| !v.is_hide_set()) {
                assert!(verb.get_about().is_some(), "{}", verb.get_name());
                if verb.has_subcommands() {
                    visit(verb);
                    continue;
                }
                // This one opens the workbench, which answers people.
                let screen = verb.get_name() == "annotate";
                let json = verb.get_arguments().any(|a| a.get_id() == "json");
                assert!(json || screen, "{} has no --json", verb.get_name());
                for argument in verb.get_arguments() {
                    assert!(argument.get_help().is_some(), "{}", argument.get_id());
                }
            }
        }
        visit(&Cli::command());
    }

    #[test]
    fn the_help_of_random_names_every_preset() {
        let mut command = Cli::command();
        let model = command.find_subcommand_mut("model").unwrap();
        let help = model.find_subcommand_mut("random").unwrap().render_help();
        for like in Like::ALL {
            assert!(help.to_string().contains(like.key()), "{like}");
        }
    }

    #[test]
    fn every_command_of_the_readme_is_one() {
        let readme = include_str!("../../README.md").replace("\\\n", "");
        let commands: Vec<&str> = readme
            .lines()
            .map(|line| line.trim_start_matches("$ "))
            .filter(|line| line.starts_with("erw "))
            .map(|line| line.split(" #").next().unwrap_or(line))
            .collect();
        assert!(commands.len() >= 6, "{commands:?}");
        for command in commands {
            // Quoted words stay one word; what is in them does not matter here.
            let words = command.split('"').enumerate().flat_map(|(i, part)| {
                let quoted = i % 2 == 1;
                let words: Vec<&str> = if quoted {
                    vec![part]
                } else {
                    part.split_whitespace().collect()
                };
                words
            });
            if let Err(e) = Cli::try_parse_from(words) {
                panic!("{command}: {e}");
            }
        }
    }

    #[test]
    fn a_source_needs_its_edits_and_its_instruction() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        assert!(parse(
            "erw score --source a --edited b c --instruction x --pairs"
        ));
        assert!(!parse("erw score --source a --edited b"));
        assert!(!parse("erw score --edited b --instruction x"));
        assert!(!parse(
            "erw score --source a --edited b --instruction x --groups g"
        ));
        assert!(parse("erw score --groups g.jsonl --device cuda:0"));
        assert!(parse("erw --workspace here --theme dusk --no-mouse"));
    }
}
