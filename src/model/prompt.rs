//! The prompt of one axis as token ids: rubric with the instruction in it, closing text, chat template, tokenizer, and one
//! placeholder for each token of each image.
//!
//! An instruction is data. Where it spells a special token, that token is read as plain text: the published code reads it as
//! the token itself, and a second reward token or an extra image placeholder ruins the result or the batch. Such a prompt
//! says that it was `neutralised`; all others are equal to the published ones id by id.

use std::path::Path;

use serde_json::Value as Json;

use super::config::BackboneKind;
use super::error::ModelError;
use super::manifest::{HeadKind, Layout, Manifest, RewardToken, Rubrics};
use super::preprocess::Grid;
use super::rubric;
use super::template::ChatTemplate;
use super::tokenizer::{Vocabulary, json};

/// What the chat templates of this family write for an image.
const IMAGE_PAD: &str = "<|image_pad|>";
const VISION_START: &str = "<|vision_start|>";

/// Which question is asked of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rubric {
    /// Was the instruction carried out, and nothing else changed?
    InstructionFollowing,
    /// Does the result look right?
    VisualQuality,
    /// Both at once, for a single head.
    Overall,
}

impl Rubric {
    /// What a model with this head is asked, in the order of the axes.
    pub(super) const fn of(head: HeadKind) -> &'static [Self] {
        match head {
            HeadKind::Single => &[Self::Overall],
            HeadKind::Shared | HeadKind::Multi => {
                &[Self::InstructionFollowing, Self::VisualQuality]
            }
        }
    }
}

/// A prompt as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    /// Token ids, image placeholders included.
    pub(super) ids: Vec<u32>,
    /// Where the reward tokens are, in a model that has one: one for each rubric.
    pub(super) rewards: Vec<usize>,
    /// Where the last image begins; 0 where there is none.
    pub(super) edited: usize,
    /// Whether the instruction spelt a special token, which was then read as plain text.
    pub(super) neutralised: bool,
}

/// Makes prompts for one model.
#[derive(Debug)]
pub(super) struct Prompter {
    vocabulary: Vocabulary,
    template: ChatTemplate,
    rubrics: Rubrics,
    image_pad: u32,
    vision_start: u32,
    reward: Option<u32>,
    longest: usize,
}

impl Prompter {
    /// Reads tokenizer and chat template in `dir`, and checks that they and the manifest make a prompt the heads can be read
    /// at.
    pub(super) fn from_dir(
        dir: &Path,
        kind: BackboneKind,
        manifest: &Manifest,
    ) -> Result<Self, ModelError> {
        let special = (manifest.reward_token == RewardToken::Special)
            .then_some(manifest.reward_text.as_str());
        let vocabulary = Vocabulary::from_dir(dir, special)?;
        let path = dir.join("config.json");
        let config: Json = json(&path)?.unwrap_or_default();
        let named = |key: &str, token: &str| token_named(&vocabulary, &config, key, token);
        let image_pad = named("image_token_id", IMAGE_PAD)
            .map_err(|reason| ModelError::config(&path, reason))?;
        let vision_start = named("vision_start_token_id", VISION_START)
            .map_err(|reason| ModelError::config(&path, reason))?;
        let prompter = Self {
            reward: special.and_then(|text| vocabulary.id(text)),
            longest: longest(&config),
            template: ChatTemplate::from_dir(dir, kind)?,
            rubrics: manifest.rubric.clone(),
            vocabulary,
            image_pad,
            vision_start,
        };
        let rubrics = Rubric::of(manifest.head);
        let asked = match manifest.layout {
            Layout::ImagesFirst => &rubrics[..1],
            Layout::RubricFirst => rubrics,
        };
        let grid = Grid {
            height: 2,
            width: 2,
        };
        prompter
            .encode_as(manifest.layout, asked, "x", &[grid; 2])
            .map_err(|error| ModelError::config(dir, error.to_string()))?;
        Ok(prompter)
    }

    /// Asks with other rubrics from now on.
    pub(super) fn reword(&mut self, rubrics: Rubrics) {
        self.rubrics = rubrics;
    }

    /// The number of token ids, the reward token included: the embedding must have at least as many rows.
    pub(super) const fn vocabulary(&self) -> usize {
        self.vocabulary.size()
    }

    /// The placeholder for one token of an image.
    pub(super) const fn image_pad(&self) -> u32 {
        self.image_pad
    }

    /// What stands before the placeholders of an image.
    pub(super) const fn vision_start(&self) -> u32 {
        self.vision_start
    }

    /// The reward token, in a model that has one.
    pub(super) const fn reward_id(&self) -> Option<u32> {
        self.reward
    }

    /// What was filled in because the model dir does not say it.
    pub(super) fn oddities(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.template.assumed {
            found.push("no chat template here, so the usual one is used".to_owned());
        }
        if self.vocabulary.added_reward {
            found.push(
                "the reward token is not in the tokenizer's files and takes the next id".to_owned(),
            );
        }
        found
    }

    /// The text of a sequence, special tokens included.
    #[cfg(test)]
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        self.vocabulary.decode(ids)
    }

    /// `ids` decoded and encoded again the way a prompt with a neutralised instruction is.
    #[cfg(test)]
    pub(super) fn encode_split(&self, ids: &[u32]) -> Vec<u32> {
        let mark = '\u{10fffd}';
        self.vocabulary
            .encode_marked(&self.decode(ids), mark)
            .unwrap()
    }

    /// The prompt that asks `rubric` of `images` (source first, then edited) under `instruction`, the images first.
    pub(super) fn encode(
        &self,
        rubric: Rubric,
        instruction: &str,
        images: &[Grid],
    ) -> Result<Prompt, ModelError> {
        self.encode_as(Layout::ImagesFirst, &[rubric], instruction, images)
    }

    /// The prompt that asks all of `rubrics` at once. With the images first there can be only one.
    pub(super) fn encode_as(
        &self,
        layout: Layout,
        rubrics: &[Rubric],
        instruction: &str,
        images: &[Grid],
    ) -> Result<Prompt, ModelError> {
        let texts: Vec<&str> = rubrics.iter().map(|rubric| self.text_of(*rubric)).collect();
        let closing = self.rubrics.closing.repeat(rubrics.len());
        let render = |instruction: &str| {
            let filled = texts
                .iter()
                .map(|text| rubric::fill(text, instruction).map_err(ModelError::Prompt))
                .collect::<Result<Vec<_>, _>>()?
                .join("\n");
            match layout {
                Layout::ImagesFirst => self.template.render(&(filled + &closing), images.len()),
                Layout::RubricFirst => {
                    self.template
                        .render_around(Some(&filled), images.len(), &closing)
                }
            }
        };
        let mark = unused_char(&[&[instruction, closing.as_str()], texts.as_slice()].concat());
        let marked = self.vocabulary.marked(instruction, mark);
        let ids = match &marked {
            Some(marked) => self.vocabulary.encode_marked(&render(marked)?, mark)?,
            None => self.vocabulary.encode(&render(instruction)?)?,
        };
        let ids = self.with_images(&ids, images)?;
        if ids.len() > self.longest {
            return Err(ModelError::Prompt(format!(
                "the prompt is {} tokens long, the model reads at most {}; shorten the instruction ({} characters)",
                ids.len(),
                self.longest,
                instruction.chars().count()
            )));
        }
        let last = images.last().map_or(0, Grid::tokens);
        let end = ids.iter().rposition(|id| *id == self.image_pad);
        Ok(Prompt {
            edited: end.map_or(0, |end| (end + 1).saturating_sub(last)),
            rewards: self.reward_indexes(&ids, rubrics.len())?,
            ids,
            neutralised: marked.is_some(),
        })
    }

    /// `ids` with the placeholder of each image repeated once for each of its tokens.
    fn with_images(&self, ids: &[u32], images: &[Grid]) -> Result<Vec<u32>, ModelError> {
        let found = ids.iter().filter(|id| **id == self.image_pad).count();
        if found != images.len() {
            return Err(ModelError::Prompt(format!(
                "the chat template makes {found} image placeholders for {} images; it must write '{IMAGE_PAD}' once for each",
                images.len()
            )));
        }
        let tokens: usize = images.iter().map(Grid::tokens).sum();
        let mut out = Vec::with_capacity(ids.len() + tokens);
        let mut images = images.iter();
        for &id in ids {
            let times = if id == self.image_pad {
                images.next().map_or(0, Grid::tokens)
            } else {
                1
            };
            out.extend(std::iter::repeat_n(id, times));
        }
        Ok(out)
    }

    fn text_of(&self, rubric: Rubric) -> &str {
        match rubric {
            Rubric::InstructionFollowing => &self.rubrics.instruction_following,
            Rubric::VisualQuality => &self.rubrics.visual_quality,
            Rubric::Overall => self.rubrics.overall.as_deref().unwrap_or_default(),
        }
    }

    fn reward_indexes(&self, ids: &[u32], count: usize) -> Result<Vec<usize>, ModelError> {
        let Some(reward) = self.reward else {
            return Ok(Vec::new());
        };
        let places: Vec<usize> = (0..ids.len()).filter(|&i| ids[i] == reward).collect();
        if places.len() == count {
            return Ok(places);
        }
        Err(ModelError::Prompt(format!(
            "the prompt holds {} the reward token '{}'; rubric.closing of reward.toml must hold it once, and the rubrics not at all",
            if places.is_empty() {
                "nowhere"
            } else {
                "more than once"
            },
            self.vocabulary.text(reward).unwrap_or_default()
        )))
    }
}

/// The id that `config` gives under `key`, which must be the tokenizer's for `token`.
fn token_named(
    vocabulary: &Vocabulary,
    config: &Json,
    key: &str,
    token: &str,
) -> Result<u32, String> {
    let by_config = config[key].as_u64();
    match (by_config, vocabulary.id(token)) {
        (None, Some(id)) => Ok(id),
        (Some(given), Some(id)) if given == u64::from(id) => Ok(id),
        (Some(given), Some(id)) => Err(format!(
            "{key} is {given}, but '{token}' is {id} in the tokenizer; the two files are not of one model"
        )),
        (_, None) => Err(format!(
            "the tokenizer has no '{token}'; copy the tokenizer's files from the base model's directory"
        )),
    }
}

/// The most tokens the language model was made for.
fn longest(config: &Json) -> usize {
    let key = "max_position_embeddings";
    config["text_config"][key]
        .as_u64()
        .or_else(|| config[key].as_u64())
        .and_then(|longest| usize::try_from(longest).ok())
        .unwrap_or(usize::MAX)
}

/// A character that none of `texts` holds, from an area of Unicode that has no assigned ones.
fn unused_char(texts: &[&str]) -> char {
    ('\u{f0000}'..='\u{10fffd}')
        .find(|c| texts.iter().all(|text| !text.contains(*c)))
        .unwrap_or('\u{f0000}')
}
