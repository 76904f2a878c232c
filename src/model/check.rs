//! A look over a model dir without loading it: every part is judged by itself, so that one look tells all there is to mend.
//! Showing it is for others.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::config::{BackboneKind, Config};
use super::error::ModelError;
use super::manifest::{HeadKind, Layout, Manifest, Positions, RewardToken};
use super::names;
use super::preprocess::{self, Grid, Processor};
use super::prompt::{Prompter, Rubric};
use super::report::CheckReport;
use super::weights::Weights;

/// What a look over a model dir found.
#[derive(Debug, Clone)]
pub struct ModelReport {
    /// The dir.
    pub dir: PathBuf,
    /// One finding per part, in the order in which parts depend on each other.
    pub findings: Vec<Finding>,
    /// The weights against what configuration and manifest call for, name by name, if they could be opened.
    pub weights: Option<CheckReport>,
}

/// What is to be said of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which part.
    pub part: Part,
    /// Whether it will do.
    pub verdict: Verdict,
    /// In words; several lines for weights that do not fit.
    pub text: String,
}

/// A part of a model dir.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// `config.json`.
    Configuration,
    /// `reward.toml`.
    Manifest,
    /// The tokenizer's files, the chat template, and the prompt they make.
    Prompt,
    /// `preprocessor_config.json`.
    Images,
    /// `model.safetensors` or `model.pth`.
    Weights,
}

impl Part {
    /// The name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Manifest => "manifest",
            Self::Prompt => "prompt",
            Self::Images => "images",
            Self::Weights => "weights",
        }
    }
}

/// Whether a part will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It will.
    Good,
    /// It will, but something is unusual.
    Odd,
    /// It will not; the model cannot be loaded.
    Bad,
}

impl ModelReport {
    /// Whether the model can be loaded, as far as files tell.
    pub fn is_usable(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Bad)
    }

    fn add<E: ToString>(&mut self, part: Part, found: Result<(Verdict, String), E>) {
        let (verdict, text) = found.unwrap_or_else(|error| (Verdict::Bad, error.to_string()));
        self.findings.push(Finding {
            part,
            verdict,
            text,
        });
    }
}

/// Looks over the model dir `dir`.
pub fn check(dir: &Path) -> ModelReport {
    let mut report = ModelReport {
        dir: dir.to_owned(),
        findings: Vec::new(),
        weights: None,
    };
    let config = Config::read(dir);
    let manifest = Manifest::read(dir);
    report.add(
        Part::Configuration,
        config
            .as_ref()
            .map(|config| (Verdict::Good, config.describe())),
    );
    report.add(
        Part::Manifest,
        manifest
            .as_ref()
            .map(|manifest| judge_manifest(manifest, config.as_ref().ok())),
    );
    let Ok(config) = config else { return report };
    let mut vocabulary = None;
    if let Ok(manifest) = &manifest {
        let prompter = Prompter::from_dir(dir, config.kind, manifest);
        vocabulary = prompter.as_ref().ok().map(Prompter::vocabulary);
        let prompt = prompter.and_then(|prompter| judge_prompt(&prompter, manifest));
        report.add(Part::Prompt, prompt);
        report.add(Part::Images, judge_images(dir, config.kind, manifest));
    }
    match judge_weights(dir, &config, manifest.as_ref().ok(), vocabulary) {
        Ok((verdict, text, compared)) => {
            report.weights = Some(compared);
            report.add::<ModelError>(Part::Weights, Ok((verdict, text)));
        }
        Err(error) => report.add(Part::Weights, Err(error)),
    }
    report
}

fn judge_manifest(manifest: &Manifest, config: Option<&Config>) -> (Verdict, String) {
    let read_at = match manifest.reward_token {
        RewardToken::Special => format!("at '{}'", manifest.reward_text),
        RewardToken::Last => "at the last token".to_owned(),
        RewardToken::Mean => match manifest.layout {
            Layout::ImagesFirst => "over all tokens but the last",
            Layout::RubricFirst => "over all tokens from the edited image on, but the last",
        }
        .to_owned(),
    };
    let (positions, needs_sections) = match manifest.positions {
        Positions::Sequential => ("sequential", false),
        Positions::Mrope => ("3-D", true),
    };
    let text = format!(
        "'{}': {} head, {} output{}, aggregate {}, read {read_at}, {positions} positions",
        manifest.name,
        manifest.head.key(),
        manifest.outputs,
        if manifest.outputs == 1 { "" } else { "s" },
        manifest.aggregate.key(),
    );
    if needs_sections && config.is_some_and(|config| config.text.mrope_section().is_none()) {
        return (
            Verdict::Bad,
            format!("{text}; but config.json has no mrope_section for 3-D positions"),
        );
    }
    if manifest.trained {
        (Verdict::Good, text)
    } else {
        (
            Verdict::Odd,
            format!("{text}; untrained, so scores mean nothing"),
        )
    }
}

fn judge_prompt(prompter: &Prompter, manifest: &Manifest) -> Result<(Verdict, String), ModelError> {
    let asked: &[(&str, &[Rubric])] = match (manifest.head, manifest.layout) {
        (HeadKind::Single, _) => &[("overall", &[Rubric::Overall])],
        (_, Layout::ImagesFirst) => &[
            ("if", &[Rubric::InstructionFollowing]),
            ("vq", &[Rubric::VisualQuality]),
        ],
        (_, Layout::RubricFirst) => &[(
            "both axes at once",
            &[Rubric::InstructionFollowing, Rubric::VisualQuality],
        )],
    };
    // Two images of one token each: what is left is text.
    let smallest = Grid {
        height: preprocess::MERGE,
        width: preprocess::MERGE,
    };
    let mut lengths = Vec::new();
    for (name, rubrics) in asked {
        let prompt = prompter.encode_as(manifest.layout, rubrics, "", &[smallest; 2])?;
        lengths.push(format!("{name} {}", prompt.ids.len() - 2));
    }
    let mut said = vec![format!("{} tokens known", prompter.vocabulary())];
    said.extend(
        prompter
            .reward_id()
            .map(|id| format!("'{}' is {id}", manifest.reward_text)),
    );
    said.push(format!(
        "prompt without images and instruction: {} tokens",
        lengths.join(", ")
    ));
    let oddities = prompter.oddities();
    let verdict = if oddities.is_empty() {
        Verdict::Good
    } else {
        Verdict::Odd
    };
    said.extend(oddities);
    Ok((verdict, said.join("; ")))
}

fn judge_images(
    dir: &Path,
    kind: BackboneKind,
    manifest: &Manifest,
) -> Result<(Verdict, String), ModelError> {
    let text = Processor::from_dir(dir, kind, &manifest.pixels)?.describe();
    Ok(if dir.join(preprocess::FILE).is_file() {
        (Verdict::Good, text)
    } else {
        (
            Verdict::Odd,
            format!(
                "{text}; no {}, so the usual values of {} hold",
                preprocess::FILE,
                kind.name()
            ),
        )
    })
}

/// Without a manifest the published heads are assumed, without a vocabulary the embedding's own rows.
fn judge_weights(
    dir: &Path,
    config: &Config,
    manifest: Option<&Manifest>,
    vocabulary: Option<usize>,
) -> Result<(Verdict, String, CheckReport), ModelError> {
    let weights = Weights::open(dir)?;
    let (head, outputs) = manifest.map_or((HeadKind::Multi, 2), |manifest| {
        (manifest.head, manifest.outputs)
    });
    let stored = weights.embedding_rows();
    let rows = stored
        .filter(|rows| vocabulary.is_none_or(|vocabulary| *rows >= vocabulary))
        .or(vocabulary)
        .unwrap_or(config.text.vocab_size);
    let report = weights.check(&names::expected(config, head, outputs, rows));
    let files: Vec<_> = report
        .files
        .iter()
        .filter_map(|file| file.file_name())
        .map(|name| name.to_string_lossy())
        .collect();
    let files = match files.as_slice() {
        [only] => format!("'{only}'"),
        [first, .., last] => format!("{} files, '{first}' to '{last}'", files.len()),
        [] => "no file".to_owned(),
    };
    Ok(if report.is_clean() {
        let text = format!("{files}: {report}; {} parameters", report.parameters);
        (Verdict::Good, text, report)
    } else {
        (Verdict::Bad, format!("{files}:\n{report}"), report)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::fixtures::{model, model_copy};

    fn verdict(report: &ModelReport, part: Part) -> Option<Verdict> {
        let finding = report.findings.iter().find(|finding| finding.part == part);
        finding.map(|finding| finding.verdict)
    }

    fn text(report: &ModelReport, part: Part) -> &str {
        let finding = report.findings.iter().find(|finding| finding.part == part);
        &finding.unwrap().text
    }

    #[test]
    fn a_whole_model_dir_is_usable_and_described() {
        let report = check(&model());
        assert!(report.is_usable(), "{report:#?}");
        assert_eq!(verdict(&report, Part::Manifest), Some(Verdict::Odd));
        assert!(text(&report, Part::Manifest).contains("untrained"));
        assert!(text(&report, Part::Prompt).contains("'<|Reward|>' is 1202"));
        assert!(text(&report, Part::Images).contains("50176"));
        assert_eq!(report.weights.unwrap().missing, [""; 0]);
    }

    #[test]
    fn every_part_is_judged_though_others_are_bad() {
        let dir = model_copy();
        fs::write(dir.path().join("chat_template.json"), "{}").unwrap();
        fs::write(dir.path().join(preprocess::FILE), r#"{"resample": 0}"#).unwrap();
        fs::write(dir.path().join("model.safetensors"), "short").unwrap();
        let report = check(dir.path());
        assert!(!report.is_usable());
        for part in [Part::Prompt, Part::Images, Part::Weights] {
            assert_eq!(verdict(&report, part), Some(Verdict::Bad), "{part:?}");
        }
        assert_eq!(verdict(&report, Part::Configuration), Some(Verdict::Good));
    }

    #[test]
    fn weights_are_judged_without_a_manifest() {
        let dir = model_copy();
        fs::copy(
            model().join("model.safetensors"),
            dir.path().join("model.safetensors"),
        )
        .unwrap();
        fs::remove_file(dir.path().join("reward.toml")).unwrap();
        let report = check(dir.path());
        assert!(text(&report, Part::Manifest).contains("erw model add"));
        assert_eq!(verdict(&report, Part::Weights), Some(Verdict::Good));
        assert_eq!(verdict(&report, Part::Prompt), None);
    }

    #[test]
    fn what_is_filled_in_by_habit_is_said() {
        let dir = model_copy();
        fs::remove_file(dir.path().join("chat_template.json")).unwrap();
        fs::remove_file(dir.path().join(preprocess::FILE)).unwrap();
        let report = check(dir.path());
        assert_eq!(verdict(&report, Part::Prompt), Some(Verdict::Odd));
        assert!(text(&report, Part::Prompt).contains("no chat template"));
        assert_eq!(verdict(&report, Part::Images), Some(Verdict::Odd));
    }

    #[test]
    fn a_directory_that_is_none_says_so_and_no_more() {
        let report = check(Path::new("/nonexistent/model"));
        assert!(!report.is_usable());
        assert_eq!(report.findings.len(), 2);
    }
}
