//! The judgement inside a good answer.

use serde_json::Value;

use super::super::answer::Usage;
use crate::remote::aside;

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

/// The judgement in a good answer; an error for one that holds none, which another try may do better.
pub(super) fn read(body: &[u8]) -> Result<Reply, String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|e| format!("the answer is not JSON, or not all of it came ({e})"))?;
    let Some(choice) = body.pointer("/choices/0") else {
        return Err(format!("the answer holds no choices{}", aside(&body)));
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
