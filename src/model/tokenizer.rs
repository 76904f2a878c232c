//! Text to token ids: the tokenizer of a model dir, with the special tokens that Hugging Face's loader and the published
//! trainer add to it. Nothing is downloaded and no id is assumed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use super::error::ModelError;

/// How Qwen's tokenizers cut text into words before merging bytes, for model dirs that have only vocabulary and merges.
const WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A tokenizer with its added tokens.
#[derive(Debug)]
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    /// The same, blind to special tokens; made when first needed, since it takes as much memory again.
    literal: OnceLock<Tokenizer>,
    /// Texts that stand for a special token.
    specials: Vec<String>,
    size: usize,
    /// Whether the reward token was not in the files.
    pub(super) added_reward: bool,
}

impl Vocabulary {
    /// Reads `tokenizer.json` in `dir`, or else `vocab.json` and `merges.txt`, and adds what `tokenizer_config.json` and
    /// `added_tokens.json` list beyond it. `reward` is added as a special token when the vocabulary lacks it, as the published
    /// trainer does: it takes the next free id.
    pub(super) fn from_dir(dir: &Path, reward: Option<&str>) -> Result<Self, ModelError> {
        let mut tokenizer = read(dir)?;
        let broken = |error: tokenizers::Error| {
            ModelError::config(&dir.join("tokenizer.json"), error.to_string())
        };
        tokenizer
            .with_truncation(None)
            .map_err(broken)?
            .with_padding(None);
        let listed = listed_tokens(dir)?;
        let known = |tokenizer: &Tokenizer, text: &str| {
            tokenizer
                .get_added_vocabulary()
                .get_vocab()
                .contains_key(text)
        };
        let missing: Vec<_> = listed
            .values()
            .filter(|token| !known(&tokenizer, &token.content))
            .cloned()
            .collect();
        tokenizer.add_tokens(missing).map_err(broken)?;
        if let Some((id, token)) = listed
            .iter()
            .find(|(id, token)| tokenizer.token_to_id(&token.content) != Some(**id))
        {
            return Err(ModelError::config(
                dir,
                format!(
                    "'{}' is {id} by tokenizer_config.json or added_tokens.json, but not in the tokenizer; the files are not of one model",
                    token.content
                ),
            ));
        }
        let new = reward.filter(|text| !known(&tokenizer, text));
        tokenizer
            .add_tokens(new.map(|text| AddedToken::from(text, true)))
            .map_err(broken)?;
        let added = tokenizer.get_added_tokens_decoder();
        let last = added.keys().max().map_or(0, |id| *id as usize + 1);
        let specials = added
            .into_values()
            .filter(|token| token.special)
            .map(|token| token.content)
            .collect();
        Ok(Self {
            size: last.max(tokenizer.get_vocab_size(false)),
            tokenizer,
            literal: OnceLock::new(),
            specials,
            added_reward: new.is_some(),
        })
    }

    /// The number of ids.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// The id of a token by its text.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The text of a token.
    pub(super) fn text(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The text of a sequence, special tokens included.
    #[cfg(test)]
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        self.tokenizer.decode(ids, false).unwrap()
    }

    /// Ids of `text`, with every special token in it taken as such.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        ids(&self.tokenizer, text)
    }

    /// Ids of `text` in which `mark` breaks up those special tokens that are to be read as plain text. All others are taken
    /// as such; what lies between two of them is encoded whole, so `mark` leaves no trace.
    pub(super) fn encode_marked(&self, text: &str, mark: char) -> Result<Vec<u32>, ModelError> {
        let literal = self.literal.get_or_init(|| {
            let mut tokenizer = self.tokenizer.clone();
            tokenizer.set_encode_special_tokens(true);
            tokenizer
        });
        let mut out = Vec::new();
        let plain = |text: &str, out: &mut Vec<u32>| -> Result<(), ModelError> {
            out.extend(ids(literal, &text.replace(mark, ""))?);
            Ok(())
        };
        let mut rest = text;
        while let Some((at, token)) = self.first_special(rest) {
            plain(&rest[..at], &mut out)?;
            out.extend(self.id(token));
            rest = &rest[at + token.len()..];
        }
        plain(rest, &mut out)?;
        Ok(out)
    }

    /// `text` with `mark` inside each special token, so that none is left whole; `None` if there is none.
    pub(super) fn marked(&self, text: &str, mark: char) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((at, token)) = self.first_special(rest) {
            let first = at + token.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..first]);
            out.push(mark);
            rest = &rest[first..];
        }
        (rest.len() < text.len()).then(|| out + rest)
    }

    /// The leftmost special token in `text`, the longest of those that begin there.
    fn first_special(&self, text: &str) -> Option<(usize, &str)> {
        self.specials
            .iter()
            .filter_map(|token| text.find(token).map(|at| (at, token.as_str())))
            .min_by_key(|(at, token)| (*at, usize::MAX - token.len()))
    }
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, ModelError> {
    tokenizer
        .encode_fast(text, true)
        .map(|encoding| encoding.get_ids().to_vec())
        .map_err(|error| {
            ModelError::Prompt(format!("the instruction cannot be tokenised: {error}"))
        })
}

fn read(dir: &Path) -> Result<Tokenizer, ModelError> {
    let path = dir.join("tokenizer.json");
    if path.is_file() {
        let bytes = fs::read(&path).map_err(ModelError::read(&path))?;
        return Tokenizer::from_bytes(bytes)
            .map_err(|error| ModelError::config(&path, format!("not a tokenizer: {error}")));
    }
    let (vocabulary, merges) = (dir.join("vocab.json"), dir.join("merges.txt"));
    if !vocabulary.is_file() || !merges.is_file() {
        return Err(ModelError::config(
            dir,
            "no tokenizer.json here, nor vocab.json with merges.txt; copy the tokenizer's files from the base model's directory",
        ));
    }
    from_parts(&vocabulary, &merges)
        .map_err(|error| ModelError::config(&vocabulary, format!("not a vocabulary: {error}")))
}

/// The tokenizer that Hugging Face's converter makes of Qwen's vocabulary and merges.
fn from_parts(vocabulary: &Path, merges: &Path) -> tokenizers::Result<Tokenizer> {
    let file = |path: &Path| path.to_string_lossy().into_owned();
    let model = BPE::from_file(&file(vocabulary), &file(merges)).build()?;
    let words = Split::new(
        SplitPattern::Regex(WORDS.to_owned()),
        SplitDelimiterBehavior::Isolated,
        false,
    )?;
    let bytes = ByteLevel::new(false, false, false);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(NFC))?;
    tokenizer
        .with_pre_tokenizer(Some(Sequence::new(vec![
            PreTokenizerWrapper::Split(words),
            PreTokenizerWrapper::ByteLevel(bytes),
        ])))
        .with_decoder(Some(bytes))
        .with_post_processor(Some(bytes));
    Ok(tokenizer)
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    added_tokens_decoder: BTreeMap<String, AddedToken>,
}

/// Added tokens by id, from `added_tokens.json` and `tokenizer_config.json`; the latter knows more and wins.
fn listed_tokens(dir: &Path) -> Result<BTreeMap<u32, AddedToken>, ModelError> {
    let ids: BTreeMap<String, u32> = json(&dir.join("added_tokens.json"))?.unwrap_or_default();
    let mut tokens: BTreeMap<u32, AddedToken> = ids
        .into_iter()
        .map(|(content, id)| (id, AddedToken::from(content, true)))
        .collect();
    let path = dir.join("tokenizer_config.json");
    let settings: Settings = json(&path)?.unwrap_or_default();
    for (id, token) in settings.added_tokens_decoder {
        let id = id.parse().map_err(|_| {
            ModelError::config(
                &path,
                format!("'{id}' in added_tokens_decoder is not an id"),
            )
        })?;
        tokens.insert(id, token);
    }
    Ok(tokens)
}

/// The JSON file at `path`, if there is one.
pub(super) fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ModelError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ModelError::config(path, error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModelError::read(path)(error)),
    }
}
