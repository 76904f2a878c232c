//! The wiring: from settings and flags to an open workspace and a chosen model. A flag wins over the settings, the settings
//! over what is found here, and that over the demo. No logic beyond that choice.

use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};
use crate::data::{Workspace, WorkspaceError};
use crate::model::registry::Registry;
use crate::model::{
    DeviceChoice, LoadOptions, Manifest, ModelError, Precision, Quantization, fingerprint_of,
};

/// The name of the model that comes with the demo.
pub const DEMO: &str = "demo";

/// What was asked for on the command line, before the settings have their say.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The workspace's folder.
    pub workspace: Option<PathBuf>,
    /// The model: a registered name, `demo`, or a directory.
    pub model: Option<String>,
    /// Where to compute.
    pub device: Option<String>,
    /// In which number format.
    pub precision: Option<String>,
    /// In which format to hold the language model's weights.
    pub quantize: Option<String>,
}

/// What is wrong with the flags or the settings.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The settings file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A flag has a value that does not exist.
    #[error("--{flag}: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// Nothing says which model to use.
    #[error(
        "no model is chosen: name one with --model or as 'model' in the settings; 'erw model list' shows those there are, \
         'erw model add DIR --reference-repo CLONE' makes a checkpoint known, and '--model demo' is the one of the demo"
    )]
    NoModel,
    /// There is no folder to keep the list of models in.
    #[error("there is no home folder; set ERW_DATA_DIR to a folder that you can write")]
    NoHome,
    /// The list of models cannot be read, or does not have the one that was named.
    #[error(transparent)]
    Registry(#[from] ModelError),
    /// A workspace cannot be opened.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// The settings and the flags together.
#[derive(Debug, Clone)]
pub struct Workbench {
    /// The user's settings.
    pub config: Config,
    choices: Choices,
}

impl Workbench {
    /// Reads the settings.
    pub fn new(choices: Choices) -> Result<Self, ConfigError> {
        Ok(Self {
            config: Config::load()?,
            choices,
        })
    }

    /// The workspace named by flag, else the one here or in a folder above, else the one in the settings.
    pub fn named_workspace(&self) -> Result<Option<Workspace>, SetupError> {
        let here = || Workspace::find(&std::env::current_dir().ok()?);
        let named = self.choices.workspace.clone();
        let dir = named
            .or_else(here)
            .or_else(|| self.config.workspace.clone());
        Ok(dir.map(|dir| Workspace::open(&dir)).transpose()?)
    }

    /// The [named workspace](Self::named_workspace), else the demo.
    pub fn workspace(&self) -> Result<Workspace, SetupError> {
        match self.named_workspace()? {
            Some(workspace) => Ok(workspace),
            None => Ok(Workspace::demo()?),
        }
    }

    /// Where folders of runs are: named by flag, else in the settings, else `runs` in the workspace; without a workspace, or in
    /// the demo's, in the user's data folder.
    pub fn runs_root(&self, flag: Option<&Path>) -> Result<PathBuf, SetupError> {
        if let Some(named) = flag.or(self.config.runs.as_deref()) {
            return Ok(named.to_owned());
        }
        match self.named_workspace()? {
            Some(workspace) if !workspace.is_demo() => Ok(workspace.root().join("runs")),
            _ => Ok(Config::data_dir().ok_or(SetupError::NoHome)?.join("runs")),
        }
    }

    /// The model's directory: named by flag, else in the settings, else the one that came with the workspace; without a
    /// workspace, the demo's.
    pub fn model_dir(&self, workspace: Option<&Workspace>) -> Result<PathBuf, SetupError> {
        let name = self.choices.model.as_ref().or(self.config.model.as_ref());
        match (name, workspace) {
            (Some(name), _) => find_model(name),
            (None, None) => find_model(DEMO),
            (None, Some(workspace)) => workspace.own_model().ok_or(SetupError::NoModel),
        }
    }

    /// Where and in which format to compute.
    pub fn load_options(&self) -> Result<LoadOptions, SetupError> {
        let (flags, settings) = (&self.choices, &self.config);
        let device = (flags.device.as_deref(), settings.device.as_deref());
        let precision = (flags.precision.as_deref(), settings.precision.as_deref());
        Ok(LoadOptions {
            device: self
                .choose("device", device, str::parse::<DeviceChoice>)?
                .unwrap_or_default(),
            precision: self.choose("precision", precision, str::parse::<Precision>)?,
            quantize: self.quantization()?,
            ..LoadOptions::default()
        })
    }

    fn quantization(&self) -> Result<Option<Quantization>, SetupError> {
        let asked = (
            self.choices.quantize.as_deref(),
            self.config.quantize.as_deref(),
        );
        self.choose("quantize", asked, str::parse::<Quantization>)
    }

    /// The name of the model in `dir` and its fingerprint, as they are when it is loaded by these choices.
    pub fn identity(&self, dir: &Path) -> Result<(String, String), SetupError> {
        let format = self.quantization()?;
        let own = Manifest::read(dir)?.name;
        let name = format.map_or_else(|| own.clone(), |format| format.name(&own));
        Ok((name, fingerprint_of(dir, format)?))
    }

    /// The value of a flag, else of the setting of the same name, parsed; an error says which of the two is wrong.
    pub fn choose<T>(
        &self,
        key: &'static str,
        (flag, setting): (Option<&str>, Option<&str>),
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SetupError> {
        let Some(value) = flag.or(setting) else {
            return Ok(None);
        };
        parse(value).map(Some).map_err(|reason| {
            if flag.is_some() {
                SetupError::Flag { flag: key, reason }
            } else {
                self.config.refuse(&key.replace('-', "_"), &reason).into()
            }
        })
    }
}

/// The names of the user's models, kept in the data folder.
pub fn registry() -> Result<Registry, SetupError> {
    let folder = Config::data_dir().ok_or(SetupError::NoHome)?;
    Ok(Registry::open(&folder.join("models.toml"))?)
}

/// The folder of the model called `name`: a registered one, the demo's, or a directory.
pub fn find_model(name: &str) -> Result<PathBuf, SetupError> {
    if name == DEMO
        && let Some(dir) = Workspace::demo()?.own_model()
    {
        return Ok(dir);
    }
    Ok(registry()?.find(name)?)
}
