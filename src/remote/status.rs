//! What a bad answer means: how much it spoils, and what is to be done about it, in words for the user.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::client::Endpoint;
use crate::domain::text::printable;

/// How much a bad answer spoils.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoils {
    /// This try: another may succeed.
    Try,
    /// This question: it would be refused again.
    Question,
    /// Everything: no other question would fare better.
    All,
}

use Spoils::{All, Question, Try};

/// What a status means, and what to do about it where that is the same at every endpoint; the first row that holds it counts.
const STATUSES: &[(RangeInclusive<u16>, Spoils, &str)] = &[
    (200..=299, Try, ""),
    (
        300..=399,
        All,
        "it sends elsewhere, where no key is taken: write that address as base_url",
    ),
    (400..=400, Question, ""),
    (401..=401, All, "it wants a key"),
    (402..=402, All, "the account has no credit left"),
    (
        403..=403,
        All,
        "the key may not use this: look at the account's rights, or name another model",
    ),
    (404..=405, All, ""),
    (408..=409, Try, ""),
    (413..=413, Question, ""),
    (425..=425, Try, ""),
    (429..=429, Try, ""),
    (400..=499, Question, ""),
];

/// What a server calls it when waiting will not help, though its status says so.
const NO_USE_WAITING: &[&str] = &[
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
];

/// Where servers put their words, as paths into the answer's JSON.
const WORDS: &[&str] = &["/error/message", "/error", "/detail", "/message"];

/// The most of a server's words that a message repeats, in characters.
const MOST_WORDS: usize = 300;

/// How much is spoilt by an answer with that status, and why, in words for the user; `body` must not hold a key any more.
pub(super) fn setback(endpoint: &Endpoint, status: u16, body: &str) -> (Spoils, String) {
    let row = STATUSES.iter().find(|(range, ..)| range.contains(&status));
    let (mut spoils, mut todo) = row.map_or((Try, ""), |(_, spoils, todo)| (*spoils, *todo));
    if let Some((_, advice)) = endpoint.advice.iter().find(|(of, _)| *of == status) {
        todo = advice;
    }
    let parsed = serde_json::from_str::<Value>(body).ok();
    let codes = ["/error/code", "/error/type"];
    let code = |path: &&str| parsed.as_ref()?.pointer(path)?.as_str().map(str::to_owned);
    if codes
        .iter()
        .filter_map(code)
        .any(|code| NO_USE_WAITING.contains(&code.as_str()))
    {
        (spoils, todo) = (All, "the account's quota is used up: waiting does not help");
    }
    let mut why = format!("status {status}");
    if !todo.is_empty() {
        why = format!("{why}: {todo}");
    }
    if status == 401 {
        why = match endpoint.key_source().variable() {
            Some(name) => format!("{why}: put a valid one into the environment variable {name}"),
            None => format!("{why}: name the environment variable that holds it in key_env"),
        };
    }
    let words = words(parsed.as_ref(), body);
    if !words.is_empty() {
        why = format!("{why} (it says: {words})");
    }
    (spoils, why)
}

/// A server's own words in an answer, made safe to print; of what is not JSON, the beginning.
pub(super) fn words(parsed: Option<&Value>, body: &str) -> String {
    let said = WORDS
        .iter()
        .find_map(|path| parsed?.pointer(path)?.as_str());
    let said = printable(said.unwrap_or(body).trim()).into_owned();
    if said.chars().count() <= MOST_WORDS {
        return said;
    }
    said.chars().take(MOST_WORDS).chain(['…']).collect()
}

/// What a server says of an answer that lacks what it should hold: " (it says: …)", or nothing.
pub fn aside(body: &Value) -> String {
    match words(Some(body), "") {
        words if words.is_empty() => words,
        words => format!(" (it says: {words})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setback_at(url: &str, status: u16, body: &str) -> (Spoils, String) {
        let endpoint = Endpoint {
            advice: &[(400, "look at size"), (404, "look at base_url")],
            ..Endpoint::new("judge 'j'", url, "/chat/completions")
        };
        setback(&endpoint, status, body)
    }

    #[test]
    fn a_status_says_how_much_is_spoilt_and_what_to_do() {
        for (status, spoils, todo) in [
            (307, All, "base_url"),
            (400, Question, "look at size"),
            (401, All, "OPENAI_API_KEY"),
            (402, All, "credit"),
            (403, All, "rights"),
            (404, All, "look at base_url"),
            (405, All, ""),
            (408, Try, ""),
            (409, Try, ""),
            (413, Question, ""),
            (422, Question, ""),
            (429, Try, ""),
            (500, Try, ""),
            (529, Try, ""),
        ] {
            let (found, why) = setback_at("https://h/v1", status, "");
            assert!(
                found == spoils && why.contains(todo) && why.contains(&status.to_string()),
                "{status}: {found:?} {why}"
            );
        }
        let (_, why) = setback_at("http://localhost/v1", 401, "");
        assert!(why.ends_with("in key_env"), "{why}");
    }

    #[test]
    fn a_server_s_words_are_repeated_without_what_steers_a_terminal() {
        let body = json!({"error": {"message": "no \u{1b}[31mroom", "code": "x"}}).to_string();
        let (_, why) = setback_at("http://h/v1", 503, &body);
        assert_eq!(why, "status 503 (it says: no  [31mroom)".replace("  ", " "));
        let (_, why) = setback_at("http://h/v1", 503, &"x".repeat(999));
        assert!(why.len() < 400 && why.ends_with("x…)"), "{why}");
        let (_, why) = setback_at("http://h/v1", 422, "{\"detail\": \"bad field\"}");
        assert_eq!(why, "status 422 (it says: bad field)");
    }

    #[test]
    fn a_quota_that_is_used_up_is_not_waited_for() {
        let body = json!({"error": {"code": "insufficient_quota", "message": "pay"}}).to_string();
        let (spoils, why) = setback_at("https://h/v1", 429, &body);
        assert!(
            spoils == All && why.contains("waiting does not help"),
            "{why}"
        );
    }
}
