//! The key of a judge, and what of its settings changes its answers. The settings themselves are the user's and come from
//! `config.toml`; the key comes from the environment, and nothing here or below can print it.

use std::borrow::Cow;
use std::fmt;

pub use crate::config::{JudgeSettings, TokensAs};

use super::super::answer::Usage;

/// The variable that holds the key where the settings name none and the endpoint is not a plain `http` one.
const USUAL_VARIABLE: &str = "OPENAI_API_KEY";

/// The least number of characters at either end of a key by which a shortened copy of it is known.
const TELLING: usize = 4;

/// The secret that an endpoint knows its user by. It has no `Serialize` and its `Debug` shows nothing.
#[derive(Clone)]
pub struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

impl Key {
    /// A key from its text; an error, without the text, for what cannot stand in a request's header.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                "a key is one word of plain ASCII; this one is empty or holds other characters"
                    .into(),
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// The key that the judge's settings name, from the environment; `None` where they name none, or the variable is not set
    /// and they did not name it themselves. An error names the variable and never what is in it.
    pub fn of(settings: &JudgeSettings) -> Result<Option<Self>, String> {
        Self::looked_up(settings, |name| std::env::var(name))
    }

    fn looked_up(
        settings: &JudgeSettings,
        look_up: impl Fn(&str) -> Result<String, std::env::VarError>,
    ) -> Result<Option<Self>, String> {
        let Some(variable) = variable(settings) else {
            return Ok(None);
        };
        let judge = &settings.name;
        match look_up(variable) {
            Ok(text) if text.trim().is_empty() && settings.key_env.is_none() => Ok(None),
            Ok(text) => Self::new(&text)
                .map(Some)
                .map_err(|why| format!("judge '{judge}': the variable {variable}: {why}")),
            Err(std::env::VarError::NotPresent) if settings.key_env.is_none() => Ok(None),
            Err(std::env::VarError::NotPresent) => Err(format!(
                "judge '{judge}': its key_env names the variable {variable}, which is not set; set it, or write key_env = \"\" \
                 for an endpoint that needs no key"
            )),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!(
                "judge '{judge}': the variable {variable} holds what is not text"
            )),
        }
    }

    /// The value of the `Authorization` header.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// `text` without the key; all else in it stays as it is.
    pub(super) fn take_out(&self, text: &str) -> String {
        text.replace(&self.0, HIDDEN)
    }

    /// `text` without the key, and without words that look like a shortened copy of it, as servers put them into messages.
    pub(super) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let ends = |c: char| !c.is_ascii_graphic() || "\"'`,;:.()<>[]{}=".contains(c);
        let head = self.0.get(..TELLING).unwrap_or(&self.0);
        let tail = &self.0[self.0.len().saturating_sub(TELLING)..];
        let shows = |word: &str| {
            self.0.len() >= 2 * TELLING && (word.starts_with(head) || word.ends_with(tail))
        };
        if !text.contains(&self.0) && !text.split(ends).any(shows) {
            return Cow::Borrowed(text);
        }
        let whole = self.take_out(text);
        let mut out = String::with_capacity(whole.len());
        for piece in whole.split_inclusive(ends) {
            let word = piece.trim_end_matches(ends);
            if shows(word) {
                out.push_str(HIDDEN);
                out.push_str(&piece[word.len()..]);
            } else {
                out.push_str(piece);
            }
        }
        Cow::Owned(out)
    }
}

const HIDDEN: &str = "(key)";

/// The environment variable that the key is read from. The usual one is not sent over plain `http` without being named: a
/// server on the own machine has no business with the key of a service.
pub(super) fn variable(settings: &JudgeSettings) -> Option<&str> {
    match settings.key_env.as_deref() {
        Some("") => None,
        Some(name) => Some(name),
        None => settings
            .base_url
            .starts_with("https://")
            .then_some(USUAL_VARIABLE),
    }
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

/// 128 bits in hex of some texts, whose borders count.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hex = hashed(texts).to_hex().to_string();
    hex.truncate(32);
    hex
}

/// A number drawn evenly from all of `u64`, the same for the same texts.
pub(super) fn draw<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let bytes = *hashed(texts).as_bytes();
    bytes
        .iter()
        .take(8)
        .fold(0, |n, b| (n << 8) | u64::from(*b))
}

fn hashed<'a>(texts: impl IntoIterator<Item = &'a str>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env::VarError;

    const SECRET: &str = "sk-proj-AbCdEf0123456789";

    fn settings(url: &str, key_env: Option<&str>) -> JudgeSettings {
        JudgeSettings {
            key_env: key_env.map(str::to_owned),
            ..JudgeSettings::new("j", url, "m")
        }
    }

    #[test]
    fn a_key_shows_nowhere() {
        let key = Key::new(SECRET).unwrap();
        assert_eq!(
            format!("{key:?} {:?}", Some(&key)).matches("sk-").count(),
            0
        );
        for (said, shown) in [
            (
                format!("Incorrect API key provided: {SECRET}."),
                "provided: (key).",
            ),
            (
                "Incorrect key: sk-proj-****6789. See".into(),
                "key: (key). See",
            ),
            (format!("{{\"key\":\"{SECRET}\"}}"), "{\"key\":\"(key)\"}"),
            (format!("x{SECRET}x"), "x(key)x"),
            ("it ends in …6789".into(), "it ends in …(key)"),
        ] {
            let hidden = key.hide(&said);
            assert!(hidden.ends_with(shown), "{hidden}");
        }
        let plain = "no key in here";
        assert!(matches!(key.hide(plain), Cow::Borrowed(p) if p == plain));
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_without_being_shown() {
        for text in ["", "  ", "sk-a b", "sk-a\nb", "sk-ä"] {
            let error = Key::new(text).unwrap_err();
            assert!(!error.contains("sk-"), "{error}");
        }
    }

    #[test]
    fn the_usual_variable_is_for_https_and_a_named_one_has_to_be_set() {
        let set = |name: &str| match name {
            "OPENAI_API_KEY" | "MINE" => Ok(SECRET.to_owned()),
            _ => Err(VarError::NotPresent),
        };
        let key = |url: &str, name: Option<&str>| Key::looked_up(&settings(url, name), set);
        assert!(key("https://far/v1", None).unwrap().is_some());
        assert!(key("http://localhost/v1", None).unwrap().is_none());
        assert!(key("http://localhost/v1", Some("MINE")).unwrap().is_some());
        assert!(key("https://far/v1", Some("")).unwrap().is_none());
        let error = key("https://far/v1", Some("THEIRS")).unwrap_err();
        assert!(error.contains("THEIRS, which is not set"), "{error}");
        let unset = |_: &str| Err(VarError::NotPresent);
        let nothing = Key::looked_up(&settings("https://far/v1", None), unset);
        assert!(nothing.unwrap().is_none());
    }

    #[test]
    fn a_cost_without_a_price_is_unknown() {
        let mut settings = settings("http://h/v1", None);
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
        let one = settings("http://h/v1", None);
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
