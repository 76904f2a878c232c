//! Chat templates: each model dir brings its own, in Jinja, and it is rendered as Hugging Face's library renders it, Python
//! string methods included. Nothing in a template can reach a file, the network or the clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, State, Value, context};
use serde_json::Value as Json;

use super::config::BackboneKind;
use super::error::ModelError;
use super::tokenizer::json;

/// What Qwen2.5-VL puts first, for dirs that bring no template.
const SYSTEM: &str = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>{{ '\n' }}";

/// The user's turn of both families and the beginning of the answer, likewise.
const TURN: &str = "<|im_start|>user{{ '\n' }}{% for part in messages[0].content %}{% if part.type == 'image' %}\
    <|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n\
    <|im_start|>assistant{{ '\n' }}";

/// A chat template and what it may refer to.
#[derive(Debug)]
pub(super) struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    /// Whether the dir brings no template, so that the usual one is used.
    pub(super) assumed: bool,
    /// Names of special tokens (`bos_token`, …) and their texts.
    tokens: BTreeMap<String, String>,
}

impl ChatTemplate {
    /// The template in `dir`: `chat_template.jinja`, else `chat_template.json`, else in `tokenizer_config.json`, else the
    /// usual one of `kind`.
    pub(super) fn from_dir(dir: &Path, kind: BackboneKind) -> Result<Self, ModelError> {
        let settings: Json = json(&dir.join("tokenizer_config.json"))?.unwrap_or_default();
        let found = find(dir, &settings)?;
        let template = Self {
            environment: environment(),
            assumed: found.is_none(),
            source: found.unwrap_or_else(|| default_of(kind)),
            tokens: tokens(&settings),
        };
        let probe = template.render("instruction", 2)?;
        if probe.contains("instruction") {
            Ok(template)
        } else {
            Err(ModelError::config(
                dir,
                "the chat template drops the text of the user's turn",
            ))
        }
    }

    /// A user's turn of `images` pictures and then `text`, and the beginning of the answer.
    pub(super) fn render(&self, text: &str, images: usize) -> Result<String, ModelError> {
        self.render_around(None, images, text)
    }

    /// The same with a text `before` the pictures too.
    pub(super) fn render_around(
        &self,
        before: Option<&str>,
        images: usize,
        after: &str,
    ) -> Result<String, ModelError> {
        let image = || context! { type => "image", image => "" };
        let text = |text: &str| context! { type => "text", text => text };
        let content: Vec<Value> = before
            .map(text)
            .into_iter()
            .chain((0..images).map(|_| image()))
            .chain([text(after)])
            .collect();
        let messages = [context! { role => "user", content => content }];
        let tokens = Value::from_pairs(self.tokens.clone());
        let values = context! { messages => messages, add_generation_prompt => true, ..tokens };
        self.environment
            .render_str(&self.source, values)
            .map_err(|error| {
                ModelError::Prompt(format!("the model's chat template fails: {error:#}"))
            })
    }
}

fn default_of(kind: BackboneKind) -> String {
    match kind {
        BackboneKind::Qwen2_5Vl => format!("{SYSTEM}{TURN}"),
        BackboneKind::Qwen3Vl => TURN.to_owned(),
    }
}

fn find(dir: &Path, settings: &Json) -> Result<Option<String>, ModelError> {
    let path = dir.join("chat_template.jinja");
    match fs::read_to_string(&path) {
        Ok(text) => return Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
        Err(error) => return Err(ModelError::read(&path)(error)),
    }
    let path = dir.join("chat_template.json");
    if let Some(file) = json::<Json>(&path)? {
        return match chosen(&file["chat_template"]) {
            Some(text) => Ok(Some(text)),
            None => Err(ModelError::config(&path, "no text under 'chat_template'")),
        };
    }
    Ok(chosen(&settings["chat_template"]))
}

/// A template as a text, or the one named "default" in a list.
fn chosen(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Array(list) => list
            .iter()
            .find(|entry| entry["name"] == "default")
            .and_then(|entry| entry["template"].as_str())
            .map(str::to_owned),
        _ => None,
    }
}

/// Entries such as `"eos_token": "…"` or `"eos_token": {"content": "…"}`.
fn tokens(settings: &Json) -> BTreeMap<String, String> {
    let entries = settings.as_object().into_iter().flatten();
    entries
        .filter(|(name, _)| name.ends_with("_token"))
        .filter_map(|(name, value)| {
            let text = value.as_str().or_else(|| value["content"].as_str())?;
            Some((name.clone(), text.to_owned()))
        })
        .collect()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment.add_function(
        "raise_exception",
        |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        },
    );
    environment.add_function("strftime_now", |_: Rest<Value>| -> Result<Value, Error> {
        Err(Error::new(
            ErrorKind::InvalidOperation,
            "it asks for today's date, with which scores would change; write a fixed one into chat_template.jinja",
        ))
    });
    environment.set_unknown_method_callback(python_method);
    environment
}

/// The methods of Python's strings and dictionaries that chat templates call.
fn python_method(
    _: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let unknown = || Error::new(ErrorKind::UnknownMethod, format!("no method '{name}' here"));
    let Some(text) = value.as_str() else {
        return match (name, args) {
            ("get", [key]) => value.get_item(key).map(|found| {
                if found.is_undefined() {
                    Value::from(())
                } else {
                    found
                }
            }),
            ("get", [key, other]) => value.get_item(key).map(|found| {
                if found.is_undefined() {
                    other.clone()
                } else {
                    found
                }
            }),
            ("items", []) => pairs(value),
            ("keys", []) => value.try_iter().map(Iterator::collect),
            ("values", []) => value.try_iter()?.map(|key| value.get_item(&key)).collect(),
            _ => Err(unknown()),
        };
    };
    let first = args.first().and_then(Value::as_str);
    let trimmed = |c: char| first.map_or(c.is_whitespace(), |set| set.contains(c));
    Ok(match (name, args) {
        ("strip", [] | [_]) => text.trim_matches(trimmed).into(),
        ("lstrip", [] | [_]) => text.trim_start_matches(trimmed).into(),
        ("rstrip", [] | [_]) => text.trim_end_matches(trimmed).into(),
        ("startswith", [prefix]) => starts(prefix, |prefix| text.starts_with(prefix))?.into(),
        ("endswith", [suffix]) => starts(suffix, |suffix| text.ends_with(suffix))?.into(),
        ("lower", []) => text.to_lowercase().into(),
        ("upper", []) => text.to_uppercase().into(),
        ("split", []) => text.split_whitespace().map(Value::from).collect(),
        ("split", [_]) => text
            .split(first.ok_or_else(unknown)?)
            .map(Value::from)
            .collect(),
        ("replace", [_, by]) => text
            .replace(first.ok_or_else(unknown)?, by.as_str().ok_or_else(unknown)?)
            .into(),
        ("find", [_]) => text
            .find(first.ok_or_else(unknown)?)
            .map_or(-1, |at| {
                i64::try_from(text[..at].chars().count()).unwrap_or(i64::MAX)
            })
            .into(),
        _ => return Err(unknown()),
    })
}

fn pairs(value: &Value) -> Result<Value, Error> {
    value
        .try_iter()?
        .map(|key| Ok(Value::from(vec![key.clone(), value.get_item(&key)?])))
        .collect()
}

/// Whether `test` holds for a text, or for any of several.
fn starts(given: &Value, test: impl Fn(&str) -> bool) -> Result<bool, Error> {
    match given.as_str() {
        Some(text) => Ok(test(text)),
        None => Ok(given
            .try_iter()?
            .any(|text| text.as_str().is_some_and(&test))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate {
            environment: environment(),
            source: source.to_owned(),
            assumed: false,
            tokens: BTreeMap::from([("eos_token".to_owned(), "<end>".to_owned())]),
        }
    }

    #[test]
    fn without_a_template_the_usual_layout_of_each_family_is_used() {
        let user = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>\
            <|vision_start|><|image_pad|><|vision_end|>\n x <|im_end|>\n<|im_start|>assistant\n";
        let dir = tempfile::tempdir().unwrap();
        let render = |kind| {
            ChatTemplate::from_dir(dir.path(), kind)
                .unwrap()
                .render("\n x ", 2)
                .unwrap()
        };
        assert_eq!(render(BackboneKind::Qwen3Vl), user);
        let system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";
        assert_eq!(render(BackboneKind::Qwen2_5Vl), format!("{system}{user}"));
    }

    #[test]
    fn blocks_on_lines_of_their_own_leave_no_blanks() {
        let source = "a\n  {% if true %}\n  b\n  {% endif %}\n{{ messages[0].content[-1].text }}{{ eos_token }}\n";
        assert_eq!(template(source).render("t", 1).unwrap(), "a\n  b\nt<end>");
    }

    #[test]
    fn python_methods_work_on_texts_and_dictionaries() {
        for (expression, expected) in [
            ("' a '.strip()", "a"),
            ("'xxa'.lstrip('x')", "a"),
            ("'a</think>b'.split('</think>')[-1]", "b"),
            ("'ab'.startswith(('x', 'a'))", "True"),
            ("'ab'.endswith('b')", "True"),
            ("messages[0].get('name', 'none')", "none"),
            ("messages[0].get('name') is none", "True"),
            ("'aXb'.replace('X', '-').upper()", "A-B"),
        ] {
            let rendered = template(&format!("{{{{ {expression} }}}}"))
                .render("t", 0)
                .unwrap();
            assert_eq!(rendered, expected, "{expression}");
        }
    }

    #[test]
    fn a_branch_that_is_not_taken_may_use_what_is_not_here() {
        let source = "{% if tools %}{{ tools|tojson }}{% endif %}{{ messages[0].content[0].text }}";
        assert_eq!(template(source).render("t", 0).unwrap(), "t");
    }

    #[test]
    fn a_template_that_fails_says_why() {
        let failure = |source: &str| template(source).render("t", 0).unwrap_err().to_string();
        assert!(failure("{{ raise_exception('no images') }}").contains("no images"));
        assert!(failure("{{ strftime_now('%Y') }}").contains("today's date"));
        assert!(failure("{{ 'a'.casefold() }}").contains("casefold"));
        assert!(failure("{% if %}").contains("chat template fails"));
    }

    #[test]
    fn a_template_that_drops_the_text_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("chat_template.jinja"), "hello").unwrap();
        let error = ChatTemplate::from_dir(dir.path(), BackboneKind::Qwen3Vl).unwrap_err();
        assert!(error.to_string().contains("drops the text"), "{error}");
    }
}
