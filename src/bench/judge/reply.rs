//! What servers answer: the judgement inside a good answer, and what is to be done about a bad one.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::super::answer::Usage;
use super::settings::{JudgeSettings, variable};
use crate::domain::text::printable;

/// A judgement as it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reply {
    /// What the judge said.
    pub(super) text: String,
    /// Whether it was cut off at the limit of its length.
    pub(super) cut_off: bool,
    /// What it cost, this request counted.
    pub(super) usage: Usage,
}

/// How much a bad answer spoils.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoils {
    /// This try: another may succeed.
    Try,
    /// This question: it would be refused again.
    Question,
    /// Everything: no other question would fare better.
    All,
}

use Spoils::{All, Question, Try};

/// What a status means, and what to do about it; the first row that holds it counts.
const STATUSES: &[(RangeInclusive<u16>, Spoils, &str)] = &[
    (200..=299, Try, ""),
    (
        300..=399,
        All,
        "it sends elsewhere, where no key is taken: write that address as base_url",
    ),
    (
        400..=400,
        Question,
        "it does not take the request: an image, or a setting of this judge (model, max_tokens, tokens_as, temperature), \
         does not suit it",
    ),
    (401..=401, All, "it wants a key"),
    (402..=402, All, "the account has no credit left"),
    (
        403..=403,
        All,
        "the key may not use this: look at the account's rights, or name another model",
    ),
    (
        404..=404,
        All,
        "there is no such endpoint or model: base_url ends where /chat/completions begins, for most servers in /v1, and model is \
         one of the names listed at /models there",
    ),
    (405..=405, All, "this is no chat endpoint: look at base_url"),
    (408..=409, Try, ""),
    (
        413..=413,
        Question,
        "the request is too large: set max_side for this judge",
    ),
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
pub(super) fn setback(settings: &JudgeSettings, status: u16, body: &str) -> (Spoils, String) {
    let row = STATUSES.iter().find(|(range, ..)| range.contains(&status));
    let (mut spoils, mut todo) = row.map_or((Try, ""), |(_, spoils, todo)| (*spoils, *todo));
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
        why = match variable(settings) {
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

/// A server's own words, made safe to print.
fn words(parsed: Option<&Value>, body: &str) -> String {
    let said = WORDS
        .iter()
        .find_map(|path| parsed?.pointer(path)?.as_str());
    let said = printable(said.unwrap_or(body).trim()).into_owned();
    if said.chars().count() <= MOST_WORDS {
        return said;
    }
    said.chars().take(MOST_WORDS).chain(['…']).collect()
}

/// The judgement in a good answer; an error for one that holds none, which another try may do better.
pub(super) fn read(body: &[u8]) -> Result<Reply, String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|e| format!("the answer is not JSON, or not all of it came ({e})"))?;
    let Some(choice) = body.pointer("/choices/0") else {
        return Err(match words(Some(&body), "") {
            words if words.is_empty() => "the answer holds no choices".into(),
            words => format!("the answer holds no choices (it says: {words})"),
        });
    };
    let message = &choice["message"];
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|p| p["text"].as_str()).collect(),
        // What a model says that will not answer.
        _ => message["refusal"].as_str().unwrap_or_default().to_owned(),
    };
    let tokens = |name: &str| body["usage"][name].as_u64().unwrap_or(0);
    Ok(Reply {
        text,
        cut_off: choice["finish_reason"] == "length",
        usage: Usage {
            requests: 1,
            tokens_in: tokens("prompt_tokens"),
            tokens_out: tokens("completion_tokens"),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setback_at(url: &str, status: u16, body: &str) -> (Spoils, String) {
        setback(&JudgeSettings::new("j", url, "m"), status, body)
    }

    #[test]
    fn a_status_says_how_much_is_spoilt_and_what_to_do() {
        for (status, spoils, todo) in [
            (307, All, "base_url"),
            (400, Question, "tokens_as"),
            (401, All, "OPENAI_API_KEY"),
            (402, All, "credit"),
            (403, All, "rights"),
            (404, All, "/chat/completions"),
            (408, Try, ""),
            (409, Try, ""),
            (413, Question, "max_side"),
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

    #[test]
    fn the_judgement_is_found_in_each_shape_that_servers_use() {
        let answer = |message: Value, finish: &str| {
            let choices = json!([{"message": message, "finish_reason": finish}]);
            let usage = json!({"prompt_tokens": 7, "completion_tokens": 3});
            read(
                json!({"choices": choices, "usage": usage})
                    .to_string()
                    .as_bytes(),
            )
            .unwrap()
        };
        let plain = answer(json!({"content": "[[A>B]]"}), "stop");
        assert_eq!((plain.text.as_str(), plain.cut_off), ("[[A>B]]", false));
        assert_eq!((plain.usage.tokens_in, plain.usage.tokens_out), (7, 3));
        let parts =
            json!({"content": [{"type": "text", "text": "[[A"}, {"type": "text", "text": ">B]]"}]});
        assert_eq!(answer(parts, "stop").text, "[[A>B]]");
        let refused = answer(json!({"content": null, "refusal": "I will not"}), "stop");
        assert_eq!(refused.text, "I will not");
        assert!(answer(json!({"content": null}), "length").cut_off);
    }

    #[test]
    fn an_answer_without_a_judgement_is_an_error() {
        for (body, reason) in [
            ("{\"choices\": [", "not all of it came"),
            ("<html>", "not JSON"),
            ("{\"choices\": []}", "holds no choices"),
            (
                "{\"error\": {\"message\": \"busy\"}}",
                "no choices (it says: busy)",
            ),
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
