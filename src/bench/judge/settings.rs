//! What of a judge's settings its endpoint is told, and what changes its answers. The settings themselves are the user's and
//! come from `config.toml`; the key comes from the environment.

pub use crate::config::{JudgeSettings, TokensAs};

use super::super::answer::Usage;
use crate::remote::{Endpoint, Key, digest};

/// What is put behind the endpoint's address.
const PATH: &str = "/chat/completions";

/// What to do about a status, where it depends on what is asked for.
const ADVICE: &[(u16, &str)] = &[
    (
        400,
        "it does not take the request: an image, or a setting of this judge (model, max_tokens, tokens_as, temperature), \
         does not suit it",
    ),
    (
        404,
        "there is no such endpoint or model: base_url ends where /chat/completions begins, for most servers in /v1, and model is \
         one of the names listed at /models there",
    ),
    (405, "this is no chat endpoint: look at base_url"),
    (413, "the request is too large: set max_side for this judge"),
];

/// The endpoint of a judge.
pub(super) fn endpoint(settings: &JudgeSettings) -> Endpoint {
    Endpoint {
        key_env: settings.key_env.clone(),
        timeout_s: settings.timeout_s,
        connections: settings.concurrency.get(),
        retries: settings.retries,
        advice: ADVICE,
        ..Endpoint::new(
            &format!("judge '{}'", settings.name),
            &settings.base_url,
            PATH,
        )
    }
}

/// The key that the judge's settings name, from the environment; `None` where they name none, or the variable is not set
/// and they did not name it themselves. An error names the variable and never what is in it.
pub fn key(settings: &JudgeSettings) -> Result<Option<Key>, String> {
    endpoint(settings).key_source().look_up()
}

/// What the answers cost at the settings' prices; `None` where a price that is needed is not set.
pub fn cost(settings: &JudgeSettings, usage: &Usage) -> Option<f64> {
    const MILLION: f64 = 1e6;
    let part = |tokens: u64, price: Option<f64>| match (tokens, price) {
        (0, None) => Some(0.0),
        (_, None) => None,
        (tokens, Some(price)) => Some(tokens as f64 / MILLION * price),
    };
    Some(part(usage.tokens_in, settings.price_in)? + part(usage.tokens_out, settings.price_out)?)
}

/// Equal for settings that ask the same model in the same way; what only concerns speed, patience and money does not count.
pub(super) fn fingerprint(settings: &JudgeSettings, words: &str) -> String {
    let JudgeSettings {
        base_url,
        model,
        max_tokens,
        temperature,
        seed,
        max_side,
        ..
    } = settings;
    digest([
        base_url.trim_end_matches('/'),
        model,
        &max_tokens.to_string(),
        &format!("{temperature:?} {seed:?} {max_side:?}"),
        words,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> JudgeSettings {
        JudgeSettings::new("j", "http://h/v1", "m")
    }

    #[test]
    fn a_cost_without_a_price_is_unknown() {
        let mut settings = settings();
        let usage = Usage {
            requests: 1,
            tokens_in: 2_000_000,
            tokens_out: 500_000,
        };
        assert_eq!(cost(&settings, &usage), None);
        (settings.price_in, settings.price_out) = (Some(2.5), Some(10.0));
        assert_eq!(cost(&settings, &usage), Some(10.0));
    }

    #[test]
    fn the_fingerprint_is_of_what_changes_answers() {
        let one = settings();
        let mut other = one.clone();
        other.name = "other".into();
        other.retries = 0;
        other.base_url.push('/');
        assert_eq!(fingerprint(&one, "w"), fingerprint(&other, "w"));
        other.temperature = Some(0.0);
        assert_ne!(fingerprint(&one, "w"), fingerprint(&other, "w"));
        assert_ne!(fingerprint(&one, "w"), fingerprint(&one, "v"));
    }
}
