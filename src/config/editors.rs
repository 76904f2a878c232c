//! Editors: what makes candidates, as the settings name them. An editor is a command that is run for each candidate, or a model
//! behind an endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use serde::Deserialize;

use super::template::Template;
use super::values::{endpoint, seconds};

/// The form fields of a request that have settings of their own, or are not for settings.
const OWN_FIELDS: &[&str] = &["image", "image[]", "mask", "prompt", "model", "n", "size"];

/// An editor: what makes its candidates, and how hard it may be pressed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct EditorSettings {
    /// The table's name, which candidates have as that of their editor.
    pub name: String,
    /// What makes candidates.
    pub kind: EditorKind,
    /// The seeds of its candidates, one each.
    pub seeds: Vec<u64>,
    /// Whether `seeds` is only so many from 1, so that more may be asked for.
    pub counted: bool,
    /// Candidates that are made at a time: processes, or requests in flight.
    pub workers: NonZeroUsize,
    /// How long one try may take, in seconds.
    pub timeout_s: f64,
    /// How often it is tried again.
    pub retries: u32,
}

/// What makes candidates.
#[derive(Debug, Clone, PartialEq)]
pub enum EditorKind {
    /// A program on this machine.
    Command(CommandSettings),
    /// A model behind an endpoint.
    Service(ServiceSettings),
}

/// A program that writes a candidate into a file.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSettings {
    /// The program and its arguments.
    pub command: Template,
    /// The folder it is started in; by itself the one that erw is.
    pub directory: Option<PathBuf>,
    /// What is added to its environment.
    pub env: BTreeMap<String, String>,
    /// How the name of the file ends that it is to write.
    pub ending: String,
}

/// A model behind an endpoint that speaks OpenAI's `images/edits`. The key is not here, only the name of the environment variable
/// that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSettings {
    /// Where `/images/edits` is, for instance `http://localhost:8000/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The environment variable that holds the key; empty for none. Left out, it is `OPENAI_API_KEY` for `https` and none
    /// for `http`.
    pub key_env: Option<String>,
    /// The most requests that are started within a minute; left out, as many as come.
    pub requests_per_minute: Option<NonZeroU32>,
    /// The size that is asked for, as the model names it ("1024x1024", "auto"); left out, none is.
    pub size: Option<String>,
    /// The form field in which the seed is sent; left out, it is not, and only numbers the candidates.
    pub seed_field: Option<String>,
    /// Further form fields, as they are.
    pub fields: BTreeMap<String, String>,
    /// The longest side of the image that is sent, in pixels: larger ones are made smaller. Left out, they go as they are.
    pub max_side: Option<NonZeroU32>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    command: Option<Template>,
    directory: Option<PathBuf>,
    env: Option<BTreeMap<String, String>>,
    ending: Option<Ending>,
    base_url: Option<Address>,
    model: Option<String>,
    key_env: Option<String>,
    requests_per_minute: Option<NonZeroU32>,
    size: Option<String>,
    seed_field: Option<FieldName>,
    fields: Option<BTreeMap<FieldName, String>>,
    max_side: Option<NonZeroU32>,
    seeds: Option<Vec<u64>>,
    count: Option<NonZeroU32>,
    workers: Option<NonZeroUsize>,
    #[serde(default = "default_timeout_s", deserialize_with = "seconds")]
    timeout_s: f64,
    retries: Option<u32>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Address(#[serde(deserialize_with = "endpoint")] String);

/// The ending of a file's name, without the dot.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Ending(String);

impl TryFrom<String> for Ending {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self(text));
        }
        Err(format!(
            "'{text}' is no ending of a file's name: letters and digits, without the dot"
        ))
    }
}

/// The name of a form field.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct FieldName(String);

impl TryFrom<String> for FieldName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if OWN_FIELDS.contains(&text.as_str()) {
            return Err(format!(
                "the field '{text}' is sent anyway; there are settings for model and size"
            ));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.[]".contains(&b);
        if text.is_empty() || !text.bytes().all(plain) {
            return Err(format!("'{text}' cannot be the name of a form field"));
        }
        Ok(Self(text))
    }
}

fn default_timeout_s() -> f64 {
    600.0
}

impl TryFrom<Written> for EditorSettings {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        let (seeds, counted) = match (written.seeds.take(), written.count) {
            (Some(_), Some(_)) => {
                return Err(
                    "seeds and count: one of them says how many candidates there are".into(),
                );
            }
            (Some(seeds), None) => {
                let distinct: BTreeSet<u64> = seeds.iter().copied().collect();
                if seeds.is_empty() || distinct.len() < seeds.len() {
                    return Err("seeds: there has to be one, and none twice".into());
                }
                (seeds, false)
            }
            (None, count) => (
                (1..=count.map_or(1, |n| u64::from(n.get()))).collect(),
                true,
            ),
        };
        Ok(Self {
            name: String::new(),
            seeds,
            counted,
            workers: written.workers.unwrap_or(NonZeroUsize::MIN),
            timeout_s: written.timeout_s,
            retries: written.retries.unwrap_or(2),
            kind: written.kind()?,
        })
    }
}

impl Written {
    fn kind(self) -> Result<EditorKind, String> {
        let of_services = [
            ("model", self.model.is_some()),
            ("key_env", self.key_env.is_some()),
            ("requests_per_minute", self.requests_per_minute.is_some()),
            ("size", self.size.is_some()),
            ("seed_field", self.seed_field.is_some()),
            ("fields", self.fields.is_some()),
            ("max_side", self.max_side.is_some()),
        ];
        let of_commands = [
            ("directory", self.directory.is_some()),
            ("env", self.env.is_some()),
            ("ending", self.ending.is_some()),
        ];
        let stray = |keys: &[(&str, bool)], of: &str| match keys.iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(format!("{key}: that is for editors with {of}")),
            None => Ok(()),
        };
        match (self.command, self.base_url) {
            (Some(_), Some(_)) => Err("command and base_url: an editor is one or the other".into()),
            (None, None) => Err("an editor needs a command, or base_url and model".into()),
            (Some(command), None) => {
                stray(&of_services, "base_url")?;
                Ok(EditorKind::Command(CommandSettings {
                    command,
                    directory: self.directory,
                    env: self.env.unwrap_or_default(),
                    ending: self.ending.map_or_else(|| "png".into(), |e| e.0),
                }))
            }
            (None, Some(base_url)) => {
                stray(&of_commands, "a command")?;
                let fields = self.fields.unwrap_or_default().into_iter();
                Ok(EditorKind::Service(ServiceSettings {
                    base_url: base_url.0,
                    model: self
                        .model
                        .ok_or("model: an editor with base_url needs the model's name there")?,
                    key_env: self.key_env,
                    requests_per_minute: self.requests_per_minute,
                    size: self.size,
                    seed_field: self.seed_field.map(|name| name.0),
                    fields: fields.map(|(name, value)| (name.0, value)).collect(),
                    max_side: self.max_side,
                }))
            }
        }
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
    fn an_editor_is_a_command_or_a_service() {
        let config = parse(
            "[editors.mine]\ncommand = \"python edit.py {source} {instruction} {seed} {out}\"\n\
             seeds = [3, 5]\nworkers = 2\ndirectory = \"tools\"\nenv = { A = \"b\" }\n\
             [editors.listed]\ncommand = [\"e\", \"{source}\", \"{instruction}\", \"{out}\"]\nending = \"jpg\"\n\
             [editors.far]\nbase_url = \"https://h/v1\"\nmodel = \"m\"\ncount = 2\nseed_field = \"seed\"\n\
             fields = { response_format = \"b64_json\" }\nrequests_per_minute = 5\nretries = 0\n",
        )
        .unwrap();
        let mine = &config.editors["mine"];
        let EditorKind::Command(command) = &mine.kind else {
            panic!("{mine:?}");
        };
        assert_eq!(
            (mine.name.as_str(), &*mine.seeds, mine.counted),
            ("mine", &[3, 5][..], false)
        );
        assert_eq!(
            (mine.workers.get(), mine.timeout_s, mine.retries),
            (2, 600.0, 2)
        );
        assert_eq!(
            command.directory.as_deref(),
            Some(Path::new("/home/me/tools"))
        );
        assert_eq!(
            (command.env["A"].as_str(), command.ending.as_str()),
            ("b", "png")
        );
        assert_eq!(command.command.words().len(), 6);
        assert_eq!(config.editors["listed"].seeds, [1]);
        let far = &config.editors["far"];
        let EditorKind::Service(service) = &far.kind else {
            panic!("{far:?}");
        };
        assert_eq!(
            (&*far.seeds, far.counted, far.retries),
            (&[1, 2][..], true, 0)
        );
        assert_eq!(service.fields["response_format"], "b64_json");
        assert_eq!(service.seed_field.as_deref(), Some("seed"));
    }

    #[test]
    fn a_wrong_setting_of_an_editor_is_refused_with_its_key_and_line() {
        let command = "command = \"e {source} {instruction} {out}\"";
        let service = "base_url = \"http://h/v1\"";
        for (lines, line, complaint) in [
            (vec!["comand = \"x\""], 2, "unknown field 'comand'"),
            (
                vec!["command = \"e {out}\""],
                2,
                "command: it has no {source}",
            ),
            (vec!["command = 3"], 2, "command: invalid type: integer"),
            (vec![command, "timeout_s = 0"], 3, "timeout_s: 0 is not"),
            (vec![command, "workers = 0"], 3, "workers: "),
            (vec![command, "seeds = [-1]"], 3, "seeds: "),
            (vec![command, "ending = \"../x\""], 3, "'../x' is no ending"),
            (
                vec![service, "model = \"m\"", "fields = { n = \"2\" }"],
                4,
                "fields: the field 'n'",
            ),
            (vec!["base_url = \"h/v1\""], 2, "base_url: not an address"),
            (
                vec![command, "seeds = [1, 1]"],
                1,
                "seeds: there has to be one",
            ),
            (
                vec![command, "seeds = [1]", "count = 1"],
                1,
                "seeds and count",
            ),
            (
                vec![command, "model = \"m\""],
                1,
                "model: that is for editors with base_url",
            ),
            (vec![command, service], 1, "command and base_url"),
            (
                vec![service, "model = \"m\"", "ending = \"png\""],
                1,
                "ending: that is for",
            ),
            (vec![service], 1, "model: an editor with base_url needs"),
            (vec!["retries = 1"], 1, "an editor needs a command"),
        ] {
            let error = parse(&format!("[editors.e]\n{}\n", lines.join("\n"))).unwrap_err();
            let place = format!("/home/me/config.toml:{line}: ");
            assert!(
                error.starts_with(&place) && error.contains(complaint),
                "{lines:?}: {error}"
            );
        }
    }
}
