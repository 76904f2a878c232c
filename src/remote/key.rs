//! The key of an endpoint: it comes from the environment, goes into a request's header, and nothing here or elsewhere can
//! print it.

use std::borrow::Cow;
use std::fmt;

/// The variable that holds the key where the settings name none and the endpoint is not a plain `http` one.
const USUAL_VARIABLE: &str = "OPENAI_API_KEY";

/// The least number of characters at either end of a key by which a shortened copy of it is known.
const TELLING: usize = 4;

const HIDDEN: &str = "(key)";

/// The secret that an endpoint knows its user by. It has no `Serialize` and its `Debug` shows nothing.
#[derive(Clone)]
pub struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// Where the key of an endpoint is looked for.
#[derive(Debug, Clone, Copy)]
pub struct KeySource<'a> {
    /// Whose key it is, for messages: "judge 'local'".
    pub who: &'a str,
    /// The endpoint's address.
    pub base_url: &'a str,
    /// The variable that the settings name; empty for none, `None` where they do not say.
    pub key_env: Option<&'a str>,
}

impl<'a> KeySource<'a> {
    /// The environment variable that the key is read from. The usual one is not sent over plain `http` without being named: a
    /// server on the own machine has no business with the key of a service.
    pub fn variable(self) -> Option<&'a str> {
        match self.key_env {
            Some("") => None,
            Some(name) => Some(name),
            None => self
                .base_url
                .starts_with("https://")
                .then_some(USUAL_VARIABLE),
        }
    }

    /// The key, from the environment; `None` where the settings name no variable, or the usual one is not set and they did not
    /// name it themselves. An error names the variable and never what is in it.
    pub fn look_up(self) -> Result<Option<Key>, String> {
        self.looked_up(|name| std::env::var(name))
    }

    fn looked_up(
        self,
        look_up: impl Fn(&str) -> Result<String, std::env::VarError>,
    ) -> Result<Option<Key>, String> {
        let Some(variable) = self.variable() else {
            return Ok(None);
        };
        let who = self.who;
        match look_up(variable) {
            Ok(text) if text.trim().is_empty() && self.key_env.is_none() => Ok(None),
            Ok(text) => Key::new(&text)
                .map(Some)
                .map_err(|why| format!("{who}: the variable {variable}: {why}")),
            Err(std::env::VarError::NotPresent) if self.key_env.is_none() => Ok(None),
            Err(std::env::VarError::NotPresent) => Err(format!(
                "{who}: its key_env names the variable {variable}, which is not set; set it, or write key_env = \"\" for an \
                 endpoint that needs no key"
            )),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!(
                "{who}: the variable {variable} holds what is not text"
            )),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::env::VarError;

    const SECRET: &str = "sk-proj-AbCdEf0123456789";

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
        let source = |base_url, key_env| KeySource {
            who: "judge 'j'",
            base_url,
            key_env,
        };
        let key = |url, name| source(url, name).looked_up(set);
        assert!(key("https://far/v1", None).unwrap().is_some());
        assert!(key("http://localhost/v1", None).unwrap().is_none());
        assert!(key("http://localhost/v1", Some("MINE")).unwrap().is_some());
        assert!(key("https://far/v1", Some("")).unwrap().is_none());
        let error = key("https://far/v1", Some("THEIRS")).unwrap_err();
        assert!(
            error.starts_with("judge 'j': ") && error.contains("THEIRS, which is not set"),
            "{error}"
        );
        let unset = |_: &str| Err(VarError::NotPresent);
        let nothing = source("https://far/v1", None).looked_up(unset);
        assert!(nothing.unwrap().is_none());
    }
}
