//! The user's settings: one small TOML file, read once at start and never written.
//!
//! Every setting is optional and has a flag that wins over it. A wrong file is refused with its name, line and key, never
//! replaced by defaults in silence. Values that only a higher layer can judge (a device, a theme) are kept as text here and
//! refused there through [`Config::refuse`], so that the message points at the same place.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The settings of a user, all of them optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who judges in the annotate screen.
    pub annotator: Option<String>,
    /// Colours of the workbench: the name of a theme, or the path of a theme file (`.toml`).
    pub theme: Option<String>,
    /// How images reach the terminal: `auto`, `kitty`, `sixel`, `iterm2` or `halfblocks`.
    pub image_protocol: Option<String>,
    /// Whether the workbench takes the mouse.
    pub mouse: Option<bool>,
    /// The model to score with: a name from `erw model list`, or a directory.
    pub model: Option<String>,
    /// Where to compute: `auto`, `cpu`, `cuda:N` or `metal`.
    pub device: Option<String>,
    /// Number format of weights and activations: `f32`, `f16` or `bf16`.
    pub precision: Option<String>,
    /// The workspace to open when there is none here and none is named.
    pub workspace: Option<PathBuf>,
    /// Where folders of runs are, instead of beside the workspace's images.
    pub runs: Option<PathBuf>,
    /// Judges over HTTP, by their names: `[judges.NAME]`.
    #[serde(default)]
    pub judges: BTreeMap<String, JudgeSettings>,
    /// Where this was read from; `None` when there is no file.
    #[serde(skip)]
    origin: Option<Origin>,
}

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

/// An address that a path can be put behind, and that holds no secret: it is printed in messages.
fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let url = String::deserialize(deserializer)?;
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let Some(rest) = rest else {
        return Err(D::Error::custom(
            "not an address: it begins with http:// or https://, as http://localhost:8000/v1 does",
        ));
    };
    if rest.contains('@') {
        return Err(D::Error::custom(
            "no user or password in the address: name the variable that holds the key in key_env",
        ));
    }
    if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
        return Err(D::Error::custom(
            "an address without '?', '#' and blanks is wanted: /chat/completions is put behind it",
        ));
    }
    Ok(url)
}

fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value >= 0.0 {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("{value} is not a number from 0")))
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    const DAY: f64 = 86_400.0;
    let value = f64::deserialize(deserializer)?;
    if value > 0.0 && value <= DAY {
        return Ok(value);
    }
    Err(D::Error::custom(format!(
        "{value} is not a number of seconds above 0 and up to a day"
    )))
}

/// The file behind the settings, kept to point at a line when a value turns out wrong later.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    file: PathBuf,
    text: String,
}

/// What can be wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file that `ERW_CONFIG` names, or the one in its usual place, cannot be read.
    #[error(
        "cannot read the settings '{}': {reason}; mend the file, or unset ERW_CONFIG", file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is not TOML, or has a key or a value that is not known.
    #[error("{}:{line}: {reason}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there, naming the key.
        reason: String,
    },
}

impl Config {
    /// Reads the user's settings: the file that `ERW_CONFIG` names, else `config.toml` in the user's configuration folder
    /// (`~/.config/erw` on Linux). Without a file there, everything is unset; a file named by `ERW_CONFIG` has to exist.
    pub fn load() -> Result<Self, ConfigError> {
        let named = std::env::var_os("ERW_CONFIG").map(PathBuf::from);
        let Some(file) = named.clone().or_else(Self::usual_file) else {
            return Ok(Self::default());
        };
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&file, text),
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(e) => Err(ConfigError::Unreadable {
                file,
                reason: e.to_string(),
            }),
        }
    }

    /// Where the settings are looked for without `ERW_CONFIG`; `None` for a user without a home.
    pub fn usual_file() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "erw").map(|d| d.config_dir().join("config.toml"))
    }

    /// The folder that erw keeps things of its own in: `ERW_DATA_DIR`, else the user's data folder (`~/.local/share/erw` on
    /// Linux); `None` for a user without a home.
    pub fn data_dir() -> Option<PathBuf> {
        let named = std::env::var_os("ERW_DATA_DIR").filter(|dir| !dir.is_empty());
        let usual = || {
            let dirs = directories::ProjectDirs::from("", "", "erw")?;
            Some(dirs.data_local_dir().to_path_buf())
        };
        named.map(PathBuf::from).or_else(usual)
    }

    /// The file these settings came from, if any.
    pub fn file(&self) -> Option<&Path> {
        self.origin.as_ref().map(|o| o.file.as_path())
    }

    /// Takes in the text of a file; `file` is for messages, and relative paths in it start at its folder.
    pub fn parse(file: &Path, text: String) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(&text).map_err(|e| {
            let start = e.span().map_or(0, |s| s.start.min(text.len()));
            ConfigError::Invalid {
                file: file.to_owned(),
                line: 1 + text[..start].matches('\n').count(),
                reason: Self::complaint(&text, start, e.message()),
            }
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for path in [&mut config.workspace, &mut config.runs]
            .into_iter()
            .flatten()
        {
            *path = folder.join(&*path);
        }
        if let Some(theme) = &mut config.theme
            && Path::new(theme.as_str())
                .extension()
                .is_some_and(|e| e == "toml")
        {
            *theme = folder.join(&*theme).to_string_lossy().into_owned();
        }
        for (name, judge) in &mut config.judges {
            judge.name.clone_from(name);
        }
        config.origin = Some(Origin {
            file: file.to_owned(),
            text,
        });
        Ok(config)
    }

    /// The parser's message with the key that its position belongs to, unless it names it already.
    fn complaint(text: &str, position: usize, message: &str) -> String {
        let message = message.replace('`', "'");
        let line_start = text[..position].rfind('\n').map_or(0, |i| i + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        match line.split_once('=') {
            Some((key, _)) if !message.contains(key.trim()) => {
                format!("{}: {message}", key.trim())
            }
            _ => message,
        }
    }

    /// An error that says that the value of `key` is not good because of `reason`, pointing at its line.
    pub fn refuse(&self, key: &str, reason: &str) -> ConfigError {
        let (file, text) = self
            .origin
            .as_ref()
            .map_or((PathBuf::new(), ""), |o| (o.file.clone(), o.text.as_str()));
        let line = text
            .lines()
            .position(|l| l.split_once('=').is_some_and(|(k, _)| k.trim() == key));
        ConfigError::Invalid {
            file,
            line: line.map_or(1, |i| i + 1),
            reason: format!("{key}: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("/home/me/config.toml"), text.into()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_setting_is_optional_and_paths_start_at_the_file() {
        assert_eq!(parse("").unwrap().theme, None);
        let config = parse("theme = \"dusk\"\nmouse = false\nworkspace = \"sets/a\"").unwrap();
        assert_eq!(config.theme.as_deref(), Some("dusk"));
        assert_eq!(config.mouse, Some(false));
        assert_eq!(
            config.workspace.as_deref(),
            Some(Path::new("/home/me/sets/a"))
        );
        let theme = parse("theme = \"my/dusk.toml\"").unwrap().theme;
        assert_eq!(theme.as_deref(), Some("/home/me/my/dusk.toml"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_key() {
        let error = parse("theme = \"dusk\"\n\ncolour = 3\n").unwrap_err();
        assert!(
            error.starts_with("/home/me/config.toml:3: unknown field 'colour'"),
            "{error}"
        );
        assert!(
            error.contains("'image_protocol'"),
            "names what there is: {error}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_file_line_and_key() {
        let error = parse("# mine\nmouse = \"yes\"\n").unwrap_err();
        assert!(
            error.starts_with("/home/me/config.toml:2: mouse: invalid type: string"),
            "{error}"
        );
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

    #[test]
    fn a_value_refused_later_points_at_its_line() {
        let config = parse("theme = \"dusk\"\ndevice = \"tpu\"").unwrap();
        let error = config.refuse("device", "'tpu' is not a device").to_string();
        assert_eq!(
            error,
            "/home/me/config.toml:2: device: 'tpu' is not a device"
        );
    }

    #[test]
    fn text_that_is_not_toml_is_refused_with_its_line() {
        let error = parse("theme = \"dusk\"\nmodel = \n").unwrap_err();
        assert!(error.starts_with("/home/me/config.toml:2: "), "{error}");
    }
}
