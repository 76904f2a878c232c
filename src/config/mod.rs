//! The user's settings: one small TOML file, read once at start and never written.
//!
//! Every setting is optional and has a flag that wins over it. A wrong file is refused with its name, line and key, never
//! replaced by defaults in silence. Values that only a higher layer can judge (a device, a theme) are kept as text here and
//! refused there through [`Config::refuse`], so that the message points at the same place.

mod commands;
mod editors;
mod judges;
mod notify;
mod slurm;
mod template;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use commands::ExternalCommand;
pub use editors::{CommandSettings, EditorKind, EditorSettings, ServiceSettings};
pub use judges::{JudgeSettings, TokensAs};
pub use notify::Notify;
pub use slurm::SlurmSettings;
pub use template::{Slot, Template};

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
    /// How the workbench tells that a run has ended, beside its message: `off`, `bell` or `desktop`.
    #[serde(default)]
    pub notify: Notify,
    /// The model to score with: a name from `erw model list`, or a directory.
    pub model: Option<String>,
    /// Where to compute: `auto`, `cpu`, `cuda:N` or `metal`.
    pub device: Option<String>,
    /// Number format of weights and activations: `f32`, `f16` or `bf16`.
    pub precision: Option<String>,
    /// Format that the language model's linear layers are held in: `q8_0` or `q4k`.
    pub quantize: Option<String>,
    /// The workspace to open when there is none here and none is named.
    pub workspace: Option<PathBuf>,
    /// Where folders of runs are, instead of beside the workspace's images.
    pub runs: Option<PathBuf>,
    /// Who starts what is put into a queue: `local`, the queue of this machine, or `slurm`.
    pub launcher: Option<String>,
    /// How jobs are put to Slurm: `[slurm]`.
    #[serde(default)]
    pub slurm: SlurmSettings,
    /// Judges over HTTP, by their names: `[judges.NAME]`.
    #[serde(default)]
    pub judges: BTreeMap<String, JudgeSettings>,
    /// What makes candidates, by their names: `[editors.NAME]`.
    #[serde(default)]
    pub editors: BTreeMap<String, EditorSettings>,
    /// Other programs that experiments call, by their names: `[commands.NAME]`.
    #[serde(default)]
    pub commands: BTreeMap<String, ExternalCommand>,
    /// Where this was read from; `None` when there is no file.
    #[serde(skip)]
    origin: Option<Origin>,
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
        // A name alone is looked for on the cluster's PATH.
        if let Some(program) = &mut config.slurm.program
            && program.components().count() > 1
        {
            *program = folder.join(&*program);
        }
        for (name, judge) in &mut config.judges {
            judge.name.clone_from(name);
        }
        for (name, editor) in &mut config.editors {
            editor.name.clone_from(name);
            if let EditorKind::Command(command) = &mut editor.kind
                && let Some(path) = &mut command.directory
            {
                *path = folder.join(&*path);
            }
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
        assert_eq!(config.notify, Notify::Off);
        assert_eq!(parse("notify = \"bell\"").unwrap().notify, Notify::Bell);
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
