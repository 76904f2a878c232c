//! `reward.toml`: what a checkpoint does not say of itself but its scores depend on. Which heads it has and how they are
//! joined, which token is read, the pixel budget, the position scheme, and the rubric texts it was trained with.
//!
//! It lies beside the weights in the model dir. Unknown keys are refused: a misspelt one would silently change scores.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::rubric;
use crate::domain::Aggregate;

/// The manifest's file name in a model dir.
pub const FILE: &str = "reward.toml";

const FORMAT: u32 = 1;

/// Everything `reward.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// The name under which screens show the model.
    pub name: String,
    /// False for random weights: scores mean nothing, and every screen says so.
    #[serde(default = "yes")]
    pub trained: bool,
    /// The heads over the hidden state.
    pub head: HeadKind,
    /// How the two axes become one number.
    pub aggregate: Aggregate,
    /// Numbers a head emits: 2 (mean, log sigma) or 1 (mean alone).
    pub outputs: usize,
    /// Where in the sequence the heads read.
    pub reward_token: RewardToken,
    /// The special token's text; added to the tokenizer when it lacks it.
    pub reward_text: String,
    /// The position scheme of the language model.
    pub positions: Positions,
    /// In which order a prompt has images and rubrics.
    #[serde(default)]
    pub layout: Layout,
    /// The pixel budget of an image.
    pub pixels: Pixels,
    /// The texts of the prompt.
    pub rubric: Rubrics,
}

/// The heads over the hidden state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// One head, one rubric, an overall score only.
    Single,
    /// One head that reads the prompt of each axis in turn.
    Shared,
    /// A head per axis.
    Multi,
}

/// Where in the sequence the heads read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RewardToken {
    /// At the token `reward_text`.
    Special,
    /// At the last token.
    Last,
    /// The mean of what the head says at every token but the last; rubrics first, from the edited image on.
    Mean,
}

/// The position scheme of the language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// 0, 1, 2, … on all three axes: what the released Qwen2.5-VL and MiMo checkpoints were trained with.
    Sequential,
    /// Time, row and column for image tokens.
    Mrope,
}

/// In which order a prompt has images and rubrics. A model must be run with the layout it was trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// The published one: source, edited image, one axis's rubric; a pass for each axis.
    #[default]
    ImagesFirst,
    /// The rubrics of both axes, source, edited image, a reward token for each axis: one pass, of which all but the edited
    /// image and what follows is common to a group.
    RubricFirst,
}

/// The pixel budget of an image, in pixels of area after resizing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pixels {
    /// Smaller images are enlarged to at least this.
    pub min: u64,
    /// Larger images are shrunk to at most this.
    pub max: u64,
}

/// The texts of the prompt. In the three rubrics `{text_prompt}` stands for the instruction, `{{` and `}}` for braces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rubrics {
    /// For instruction following; empty in a single-head model that was never given one.
    #[serde(default)]
    pub instruction_following: String,
    /// For visual quality; likewise.
    #[serde(default)]
    pub visual_quality: String,
    /// For the overall score of a single-head model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<String>,
    /// Follows each rubric, verbatim; holds the reward token.
    pub closing: String,
}

const fn yes() -> bool {
    true
}

impl Manifest {
    /// A manifest of the published defaults for `rubric`: two heads of two outputs, their mean, read at `<|Reward|>`.
    pub fn new(name: &str, positions: Positions, pixels: Pixels, rubric: Rubrics) -> Self {
        Self {
            format: FORMAT,
            name: name.to_owned(),
            trained: true,
            head: HeadKind::Multi,
            aggregate: Aggregate::Mean,
            outputs: 2,
            reward_token: RewardToken::Special,
            reward_text: "<|Reward|>".to_owned(),
            positions,
            layout: Layout::default(),
            pixels,
            rubric,
        }
    }

    /// Reads `reward.toml` in `dir`. An error says the line and what is wrong with it.
    pub fn read(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                ModelError::config(
                    dir,
                    format!(
                        "no '{FILE}' here, so the rubric texts and heads of this model are unknown; write it with \
                         `erw model add '{}' --reference-repo CLONE`, where CLONE is a clone of \
                         https://github.com/TIGER-AI-Lab/EditReward",
                        dir.display()
                    ),
                )
            } else {
                ModelError::read(&path)(error)
            }
        })?;
        Self::parse(&text).map_err(|reason| ModelError::config(&path, reason))
    }

    /// From the text of a `reward.toml`; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!(
                "format is {}, this version of erw reads {FORMAT}",
                self.format
            ));
        }
        if !matches!(self.outputs, 1 | 2) {
            return Err(format!(
                "outputs is {}, not 1 (mean) or 2 (mean, log sigma)",
                self.outputs
            ));
        }
        if self.pixels.min == 0 || self.pixels.min > self.pixels.max {
            return Err(format!(
                "pixels.min is {} and pixels.max {}: min must be at least 1 and at most max",
                self.pixels.min, self.pixels.max
            ));
        }
        if self.reward_token == RewardToken::Special && self.reward_text.is_empty() {
            return Err("reward_token is 'special' but reward_text is empty".to_owned());
        }
        if self.layout == Layout::RubricFirst && self.reward_token == RewardToken::Last {
            return Err(
                "layout is 'rubric-first', where both axes would be read at the same last token; reward_token must be \
                 'special' (a token for each) or 'mean'"
                    .to_owned(),
            );
        }
        let mut together = String::new();
        for (key, text) in self.needed_rubrics() {
            let text = text.ok_or_else(|| {
                format!(
                    "rubric.{key} is missing; a model with head = '{}' needs it",
                    self.head.key()
                )
            })?;
            // Read together, one of them can speak for the others.
            let checked = match self.layout {
                Layout::ImagesFirst => rubric::check(text),
                Layout::RubricFirst => rubric::fill(text, "").map(|_| ()),
            };
            checked.map_err(|reason| format!("rubric.{key}: {reason}"))?;
            together.push_str(text);
        }
        rubric::check(&together).map_err(|reason| format!("rubric: {reason}"))?;
        Ok(())
    }

    fn needed_rubrics(&self) -> Vec<(&'static str, Option<&str>)> {
        let given = |text: &'_ String| !text.is_empty();
        match self.head {
            HeadKind::Single => vec![("overall", self.rubric.overall.as_deref())],
            HeadKind::Shared | HeadKind::Multi => vec![
                (
                    "instruction_following",
                    Some(&self.rubric.instruction_following)
                        .filter(|text| given(text))
                        .map(String::as_str),
                ),
                (
                    "visual_quality",
                    Some(&self.rubric.visual_quality)
                        .filter(|text| given(text))
                        .map(String::as_str),
                ),
            ],
        }
    }

    /// Writes `reward.toml` in `dir`, whole or not at all, and says where it lies.
    pub fn write(&self, dir: &Path) -> Result<PathBuf, ModelError> {
        let path = dir.join(FILE);
        self.check()
            .map_err(|reason| ModelError::config(&path, reason))?;
        let text = toml::to_string_pretty(self)
            .map_err(|error| ModelError::config(&path, error.to_string()))?;
        replace(&path, &text).map_err(ModelError::write(&path))?;
        Ok(path)
    }
}

impl HeadKind {
    /// The name in `reward.toml`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Shared => "shared",
            Self::Multi => "multi",
        }
    }
}

/// Writes `text` to a temporary file beside `path`, syncs it, and renames it over `path`.
pub(super) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::new(
            "test",
            Positions::Sequential,
            Pixels {
                min: 200_704,
                max: 200_704,
            },
            Rubrics {
                instruction_following:
                    "\nTwo  \n\n  \"quotes\" \\ ''' \u{3b1} {text_prompt}\r\n\t{{x}}\n".to_owned(),
                visual_quality: "{text_prompt}".to_owned(),
                overall: None,
                closing: "\nNow <|Reward|>\n\nEND\n".to_owned(),
            },
        )
    }

    #[test]
    fn every_byte_of_a_rubric_survives_the_file() {
        let dir = tempfile::tempdir().unwrap();
        manifest().write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest());
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_line() {
        let text = toml::to_string_pretty(&manifest())
            .unwrap()
            .replace("aggregate =", "agregate =");
        let reason = Manifest::parse(&text).unwrap_err();
        assert!(
            reason.contains("line 5") && reason.contains("agregate"),
            "{reason}"
        );
    }

    #[test]
    fn a_head_without_its_rubric_is_refused() {
        let single = Manifest {
            head: HeadKind::Single,
            ..manifest()
        };
        let reason = single.check().unwrap_err();
        assert!(reason.contains("rubric.overall"), "{reason}");
        let mut multi = manifest();
        multi.rubric.visual_quality.clear();
        assert!(multi.check().unwrap_err().contains("rubric.visual_quality"));
    }

    #[test]
    fn numbers_that_cannot_be_right_are_refused() {
        type Change = fn(&mut Manifest);
        let cases: [(&str, Change); 4] = [
            ("outputs is 3", |m| m.outputs = 3),
            ("pixels.min is 9", |m| m.pixels = Pixels { min: 9, max: 8 }),
            ("format is 2", |m| m.format = 2),
            ("reward_text is empty", |m| m.reward_text.clear()),
        ];
        for (expected, change) in cases {
            let mut changed = manifest();
            change(&mut changed);
            let reason = changed.check().unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn a_directory_without_a_manifest_says_how_to_write_one() {
        let dir = tempfile::tempdir().unwrap();
        let message = Manifest::read(dir.path()).unwrap_err().to_string();
        assert!(message.contains("erw model add"), "{message}");
    }
}
