//! Judges: vision-language models behind endpoints, as the settings name them.

use std::num::{NonZeroU32, NonZeroUsize};

use serde::{Deserialize, Serialize};

use super::values::{endpoint, not_negative, seconds};

/// A judge behind an OpenAI-compatible endpoint: where it is, what to ask it for, and how hard it may be pressed. The key is
/// not here, only the name of the environment variable that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeSettings {
    /// The table's name, which is what people call the judge.
    #[serde(skip)]
    pub name: String,
    /// Where `/chat/completions` is, for instance `http://localhost:8000/v1`.
    #[serde(deserialize_with = "endpoint")]
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The environment variable that holds the key; empty for none. Left out, it is `OPENAI_API_KEY` for `https` and none
    /// for `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// The longest answer, in tokens.
    #[serde(default = "JudgeSettings::default_max_tokens")]
    pub max_tokens: NonZeroU32,
    /// What that limit is called there.
    #[serde(default)]
    pub tokens_as: TokensAs,
    /// Sampling temperature; left out, it is not sent, and the server has its own.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "not_negative"
    )]
    pub temperature: Option<f64>,
    /// The sampling seed that is sent; left out, none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Requests in flight at a time.
    #[serde(default = "JudgeSettings::default_concurrency")]
    pub concurrency: NonZeroUsize,
    /// The most requests that are started within a minute; left out, as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long one request may take, in seconds.
    #[serde(
        default = "JudgeSettings::default_timeout_s",
        deserialize_with = "seconds"
    )]
    pub timeout_s: f64,
    /// How often a request that failed for want of luck is made again.
    #[serde(default = "JudgeSettings::default_retries")]
    pub retries: u32,
    /// Price of a million tokens sent, in any currency.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "not_negative"
    )]
    pub price_in: Option<f64>,
    /// Price of a million tokens received, in the same currency.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "not_negative"
    )]
    pub price_out: Option<f64>,
    /// The longest side of an image that is sent, in pixels: larger ones are made smaller. Left out, they go as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_side: Option<NonZeroU32>,
}

/// What an endpoint calls the limit of an answer's length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokensAs {
    /// As local servers and most services do.
    #[default]
    MaxTokens,
    /// As OpenAI's newer models want it.
    MaxCompletionTokens,
}

impl JudgeSettings {
    /// A judge with every setting that may be left out left out.
    pub fn new(name: &str, base_url: &str, model: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            model: model.to_owned(),
            key_env: None,
            max_tokens: Self::default_max_tokens(),
            tokens_as: TokensAs::default(),
            temperature: None,
            seed: None,
            concurrency: Self::default_concurrency(),
            requests_per_minute: None,
            timeout_s: Self::default_timeout_s(),
            retries: Self::default_retries(),
            price_in: None,
            price_out: None,
            max_side: None,
        }
    }

    /// Room for a paragraph of reasons before the verdict.
    fn default_max_tokens() -> NonZeroU32 {
        NonZeroU32::MIN.saturating_add(1023)
    }

    fn default_concurrency() -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(3)
    }

    fn default_timeout_s() -> f64 {
        120.0
    }

    fn default_retries() -> u32 {
        5
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("/home/me/config.toml"), text.into()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_judge_needs_an_address_and_a_model_and_has_the_name_of_its_table() {
        let config = parse(
            "[judges.local]\nbase_url = \"http://localhost:8000/v1\"\nmodel = \"qwen\"\n\
             [judges.far]\nbase_url = \"https://example.org/v1\"\nmodel = \"m\"\n\
             key_env = \"FAR_KEY\"\ntemperature = 0\nconcurrency = 2\ntokens_as = \"max_completion_tokens\"\n",
        )
        .unwrap();
        let local = JudgeSettings::new("local", "http://localhost:8000/v1", "qwen");
        assert_eq!(config.judges["local"], local);
        assert_eq!((local.concurrency.get(), local.retries), (4, 5));
        let far = &config.judges["far"];
        assert_eq!(
            (far.name.as_str(), far.temperature, far.concurrency.get()),
            ("far", Some(0.0), 2)
        );
        assert_eq!(far.tokens_as, TokensAs::MaxCompletionTokens);
    }

    #[test]
    fn a_wrong_setting_of_a_judge_is_refused_at_its_line_and_shows_no_secret() {
        for (line, complaint) in [
            ("key = \"sk-secret\"", "unknown field 'key'"),
            ("concurrency = 0", "concurrency: "),
            ("temperature = -1", "temperature: -1 is not a number from 0"),
            ("timeout_s = 0.0", "timeout_s: 0 is not"),
            ("price_in = nan", "price_in: NaN is not"),
        ] {
            let text =
                format!("[judges.j]\nbase_url = \"http://localhost/v1\"\nmodel = \"m\"\n{line}\n");
            let error = parse(&text).unwrap_err();
            assert!(
                error.starts_with(&format!("/home/me/config.toml:4: {complaint}")),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
        for (url, complaint) in [
            ("localhost:8000/v1", "base_url: not an address"),
            ("http://me:secret@host/v1", "base_url: no user or password"),
            ("https://host/v1?a=b", "base_url: an address without '?'"),
        ] {
            let error =
                parse(&format!("[judges.j]\nbase_url = \"{url}\"\nmodel = \"m\"")).unwrap_err();
            assert!(
                error.starts_with(&format!("/home/me/config.toml:2: {complaint}")),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
        let error = parse("[judges.j]\nbase_url = \"http://localhost/v1\"").unwrap_err();
        assert!(error.contains("missing field 'model'"), "{error}");
    }
}
