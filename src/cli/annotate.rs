//! `erw annotate`: the workbench, opened where people judge.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::args::OpenArgs;
use super::exit::Exit;
use super::open;
use crate::annotate::{Mode, Settings, Strategy, Unit};
use crate::config::Config;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Who judges is --annotator, or 'annotator' in the settings. Every key is on the disk before the next picture shows, and 'u' takes \
the last step back, also after a restart. Several people can judge in one workspace at once, each under a name of their own.

Strategies: least-labelled (what fewest people have judged), random, disagreement (where model and people differ most), uncertain \
(the model's largest sigma), closest (pairs that the model finds closest). The last three go by stored scores.")]
pub(super) struct AnnotateArgs {
    #[command(flatten)]
    pub(super) open: OpenArgs,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// How people judge.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct HowArgs {
    /// Who judges
    #[arg(long, value_name = "NAME")]
    pub(super) annotator: Option<String>,
    /// How: likert (1 to 4 on each axis), pairwise or ranking
    #[arg(long, value_name = "MODE", default_value_t = Mode::default().name().to_owned())]
    pub(super) mode: String,
    /// What at a time, with scores: group or candidate
    #[arg(long, value_name = "UNIT", default_value_t = Unit::default().name().to_owned())]
    pub(super) by: String,
    /// What comes first
    #[arg(long, value_name = "STRATEGY", default_value_t = Strategy::default().name().to_owned())]
    pub(super) strategy: String,
    /// The share that is asked again, to see whether the answer is the same
    #[arg(long, value_name = "SHARE", default_value_t = Settings::default().repeats)]
    pub(super) repeats: f64,
    /// Decides every order
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Show names, scores and what others said, and candidates in the data's order
    #[arg(long)]
    pub(super) not_blind: bool,
    /// Only the groups of this part of the data
    #[arg(long, value_name = "NAME")]
    pub(super) split: Option<String>,
}

/// Opens the workbench at this screen.
pub(super) fn run(args: &AnnotateArgs) -> anyhow::Result<Exit> {
    open::opened(&args.open, Some(&args.how))
}

/// How a sitting goes, by flags and settings, and its name.
pub(super) fn settings(
    how: Option<&HowArgs>,
    config: &Config,
) -> Result<(Settings, String), String> {
    let named = how.and_then(|how| how.annotator.clone());
    let mut settings = Settings {
        annotator: named
            .or_else(|| config.annotator.clone())
            .unwrap_or_default()
            .trim()
            .to_owned(),
        ..Settings::default()
    };
    if settings.annotator.contains('#') {
        return Err("--annotator: a name has no '#', which marks repeated judgements".into());
    }
    if let Some(how) = how {
        let flag = |flag: &str, why: String| format!("--{flag}: {why}");
        settings.mode = how.mode.parse().map_err(|why| flag("mode", why))?;
        settings.unit = how.by.parse().map_err(|why| flag("by", why))?;
        settings.strategy = how.strategy.parse().map_err(|why| flag("strategy", why))?;
        if !(0.0..1.0).contains(&how.repeats) {
            return Err("--repeats is a share from 0 to below 1".into());
        }
        settings.repeats = how.repeats;
        settings.seed = how.seed;
        settings.blind = !how.not_blind;
        settings.split.clone_from(&how.split);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let session = format!(
        "{}-{}",
        now.map_or(0, |now| now.as_secs()),
        std::process::id()
    );
    Ok((settings, session))
}
