//! From what is typed after `--scorer` to someone who answers.

use std::path::{Path, PathBuf};

use super::args::BenchRunArgs;
use super::model::Model;
use super::perceptual::{Distance, Fit};
use crate::bench::baselines::{Baseline, NetworkScorer};
use crate::bench::judge::{self, Judge};
use crate::bench::recorded::Recorded;
use crate::bench::{BenchError, Scorer};
use crate::cli::print;
use crate::cli::score::load;
use crate::data::Workspace;
use crate::workbench::{self, Workbench};

/// A scorer as it was asked for, before anything is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spec {
    Model(Option<String>),
    Recorded(PathBuf, Option<String>),
    Field(String),
    Judge(String),
    Lpips(PathBuf),
    ClipScore(PathBuf),
    Baseline(Baseline),
}

impl Spec {
    pub(super) fn parse(text: &str) -> Result<Self, BenchError> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) if !rest.is_empty() => (kind, Some(rest)),
            Some((kind, _)) => (kind, None),
            None => (text, None),
        };
        let named = |what: &str| {
            rest.map(str::to_owned)
                .ok_or_else(|| BenchError::Choice(format!("--scorer {kind}: name {what}")))
        };
        match kind {
            "model" => Ok(Self::Model(rest.map(str::to_owned))),
            "recorded" => {
                let text = named("a file or folder, as in recorded:FILE#JUDGE")?;
                // A name with a sign in it is a file first.
                match text.rsplit_once('#') {
                    Some((file, judge)) if !Path::new(&text).exists() => {
                        Ok(Self::Recorded(file.into(), Some(judge.to_owned())))
                    }
                    _ => Ok(Self::Recorded(text.into(), None)),
                }
            }
            "field" => Ok(Self::Field(named("what the data calls the judge")?)),
            "judge" => Ok(Self::Judge(named(
                "a judge of the settings, as in judge:NAME",
            )?)),
            "lpips" => Ok(Self::Lpips(
                named("the file of its weights, as in lpips:FILE")?.into(),
            )),
            "clipscore" => Ok(Self::ClipScore(
                named("the folder of a CLIP model, as in clipscore:DIR")?.into(),
            )),
            _ => {
                if let Ok(baseline) = Baseline::parse(text) {
                    Ok(Self::Baseline(baseline))
                } else {
                    let baselines: Vec<&str> = Baseline::ALL.iter().map(|b| b.name()).collect();
                    Err(BenchError::Choice(format!(
                        "there is no scorer '{text}'; there are model[:NAME|DIR], recorded:FILE[#JUDGE], field:NAME, \
                         judge:NAME, lpips:FILE, clipscore:DIR, and {}",
                        baselines.join(", ")
                    )))
                }
            }
        }
    }

    /// The folder of the model that answers, if one does.
    pub(super) fn model_dir(
        &self,
        bench: &Workbench,
        workspace: Option<&Workspace>,
    ) -> anyhow::Result<Option<PathBuf>> {
        Ok(match self {
            Self::Model(Some(name)) => Some(workbench::find_model(name)?),
            Self::Model(None) => Some(bench.model_dir(workspace)?),
            _ => None,
        })
    }

    /// What a run with it is called.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Model(Some(name)) => name.rsplit('/').next().unwrap_or(name).to_owned(),
            Self::Model(None) => "model".into(),
            Self::Recorded(_, Some(judge)) => judge.clone(),
            Self::Recorded(path, None) => {
                let stem = path.file_stem().unwrap_or_default();
                stem.to_string_lossy().into_owned()
            }
            Self::Field(name) | Self::Judge(name) => name.clone(),
            Self::Lpips(_) => "lpips".into(),
            Self::ClipScore(_) => "clipscore".into(),
            Self::Baseline(baseline) => baseline.name().into(),
        }
    }
}

/// Loads a scorer. `workspace` is there where the cases are its groups, `folder` is the run's.
pub(super) fn scorer(
    spec: &Spec,
    args: &BenchRunArgs,
    bench: &Workbench,
    workspace: Option<&Workspace>,
    folder: &Path,
) -> anyhow::Result<Box<dyn Scorer>> {
    Ok(match spec {
        Spec::Model(name) => {
            let dir = spec.model_dir(bench, workspace)?.unwrap_or_default();
            let model = load(&dir, &bench.load_options()?)?;
            let name = match name {
                Some(name) => name.clone(),
                None => model.info().name.clone(),
            };
            Box::new(Model::new(model, name, workspace.cloned()))
        }
        Spec::Recorded(path, judge) => {
            let recorded = Recorded::open(path, judge.as_deref())?;
            if let Some(first) = recorded.bad().first() {
                let count = recorded.bad().len();
                if !args.skip_bad {
                    return Err(BenchError::Bad {
                        count,
                        first: first.clone(),
                    }
                    .into());
                }
                print::note(&format!(
                    "{count} recorded answers are left out; the first: {first}"
                ));
            }
            Box::new(recorded)
        }
        Spec::Field(name) => Box::new(Recorded::field(name)),
        Spec::Judge(name) => {
            let settings = bench.config.judges.get(name).ok_or_else(|| {
                let known: Vec<&str> = bench.config.judges.keys().map(String::as_str).collect();
                BenchError::Choice(format!(
                    "the settings have no [judges.{name}] with base_url and model; they have {}",
                    if known.is_empty() {
                        "no judges".into()
                    } else {
                        known.join(", ")
                    }
                ))
            })?;
            let mut settings = settings.clone();
            settings.name.clone_from(name);
            let key = judge::key(&settings).map_err(BenchError::Choice)?;
            let raw = folder.join("raw.jsonl");
            let judge = Judge::new(settings, key, args.seed, Some(raw));
            Box::new(judge.map_err(BenchError::Scorer)?)
        }
        Spec::Lpips(path) => {
            let device = bench.load_options()?.device;
            Box::new(NetworkScorer::new(Distance::open(path, device)?))
        }
        Spec::ClipScore(dir) => {
            let device = bench.load_options()?.device;
            Box::new(NetworkScorer::new(Fit::open(dir, device)?))
        }
        Spec::Baseline(baseline) => Box::new(baseline.scorer(args.seed)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scorer_is_a_kind_and_a_name() {
        let parse = |text: &str| Spec::parse(text).unwrap();
        assert_eq!(parse("model"), Spec::Model(None));
        assert_eq!(parse("model:demo"), Spec::Model(Some("demo".into())));
        assert_eq!(
            parse("recorded:votes.csv#gpt4o"),
            Spec::Recorded("votes.csv".into(), Some("gpt4o".into()))
        );
        assert_eq!(
            parse("recorded:a/b.json"),
            Spec::Recorded("a/b.json".into(), None)
        );
        assert_eq!(parse("field:gpt4o"), Spec::Field("gpt4o".into()));
        assert_eq!(parse("judge:local"), Spec::Judge("local".into()));
        assert_eq!(parse("recorded:a/b.json").title(), "b");
        let weights = parse("lpips:w/alex.safetensors");
        assert_eq!(weights, Spec::Lpips("w/alex.safetensors".into()));
        assert_eq!(weights.title(), "lpips");
        assert_eq!(parse("clipscore:d").title(), "clipscore");
    }

    #[test]
    fn what_is_no_scorer_is_refused_with_those_there_are() {
        let error = Spec::parse("fid").unwrap_err().to_string();
        assert!(
            error.contains("'fid'") && error.contains("butteraugli"),
            "{error}"
        );
        for (text, form) in [
            ("judge:", "judge:NAME"),
            ("lpips", "lpips:FILE"),
            ("clipscore:", "clipscore:DIR"),
        ] {
            let error = Spec::parse(text).unwrap_err().to_string();
            assert!(error.contains(form), "{error}");
        }
    }
}
