//! Other programs that runs are made of, as the settings name them: `[commands.NAME]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A command that experiments call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalCommand {
    /// The program and its arguments, with placeholders; see `erw curate experiment --help`.
    pub command: Vec<String>,
    /// What is added to its environment, with placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The folder into which it writes TensorBoard event files or `trainer_state.json`, where it does, with placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_command_is_read_with_what_belongs_to_it() {
        let text = "[commands.finetune]\ncommand = [\"python\", \"train.py\", \"{export}\"]\nfollow = \"{arm}\"\nenvironment = { SEED = \"1\" }\n";
        let config: Config = toml::from_str(text).unwrap();
        let command = &config.commands["finetune"];
        assert_eq!(command.command[2], "{export}");
        assert_eq!(command.environment["SEED"], "1");
        assert!(toml::from_str::<Config>("[commands.x]\nargv = []\n").is_err());
    }
}
