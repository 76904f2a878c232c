//! How jobs are put to Slurm: what each asks for, and what goes before its command.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// `[slurm]`. What is left out, the cluster decides.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlurmSettings {
    /// The partition.
    #[serde(deserialize_with = "word")]
    pub partition: Option<String>,
    /// The account that pays.
    #[serde(deserialize_with = "word")]
    pub account: Option<String>,
    /// GPUs of a job, or of each member of an array.
    pub gpus: Option<u32>,
    /// CPU cores of each.
    pub cpus: Option<NonZeroU32>,
    /// Memory of each, as Slurm writes it ("32G").
    #[serde(deserialize_with = "word")]
    pub mem: Option<String>,
    /// How long each may take, as Slurm writes it ("12:00:00").
    #[serde(deserialize_with = "word")]
    pub time: Option<String>,
    /// The most members of an array at a time; left out, as many as there is room for.
    pub at_once: Option<NonZeroU32>,
    /// Further options of sbatch, each as on its command line ("--constraint=a100").
    pub options: Options,
    /// Lines of shell before the command ("module load cuda").
    pub setup: Lines,
    /// Words before the command, such as those that start a container (`apptainer`, `exec`, `--nv`, `erw.sif`).
    pub prefix: Vec<String>,
    /// The program there; left out, the one that runs here, by its path.
    pub program: Option<PathBuf>,
    /// How often a member of an array is started before its run fails.
    pub attempts: NonZeroU32,
}

/// Options of sbatch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Options(pub Vec<String>);

/// Lines of shell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Lines(pub Vec<String>);

impl TryFrom<Vec<String>> for Options {
    type Error = String;

    fn try_from(options: Vec<String>) -> Result<Self, String> {
        /// What erw says itself.
        const OWN: [&str; 5] = [
            "--array",
            "--dependency",
            "--output",
            "--error",
            "--parsable",
        ];
        for option in &options {
            let name = option.split('=').next().unwrap_or_default();
            if !option.starts_with("--") || option.contains(['\n', '\r']) {
                return Err(format!(
                    "'{}' is no option of sbatch in one line: write it as \"--name=value\"",
                    option.escape_debug()
                ));
            }
            if OWN.contains(&name) {
                return Err(format!("erw says {name} itself; leave it out"));
            }
        }
        Ok(Self(options))
    }
}

impl TryFrom<Vec<String>> for Lines {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        // After any command, '#SBATCH' is a comment, and whoever writes it means something else.
        match lines
            .iter()
            .find(|line| line.trim_start().starts_with("#SBATCH"))
        {
            Some(line) => Err(format!(
                "'{}' is an option of sbatch and belongs into options",
                line.escape_debug()
            )),
            None => Ok(Self(lines)),
        }
    }
}

impl Default for SlurmSettings {
    fn default() -> Self {
        Self {
            partition: None,
            account: None,
            gpus: None,
            cpus: None,
            mem: None,
            time: None,
            at_once: None,
            options: Options::default(),
            setup: Lines::default(),
            prefix: Vec::new(),
            program: None,
            attempts: NonZeroU32::MIN.saturating_add(2),
        }
    }
}

/// A word without blanks.
fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let word = String::deserialize(deserializer)?;
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let why = format!("'{}' is not one word", word.escape_debug());
        return Err(serde::de::Error::custom(why));
    }
    Ok(Some(word))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("/home/me/config.toml"), text.into()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_setting_of_slurm_is_optional() {
        let slurm = parse("").unwrap().slurm;
        assert_eq!((slurm.attempts.get(), slurm.gpus), (3, None));
        let text = "launcher = \"slurm\"\n[slurm]\npartition = \"gpu\"\ngpus = 1\nmem = \"32G\"\noptions = [\"--qos=low\"]\n\
                    setup = [\"module load cuda\"]\nprefix = [\"apptainer\", \"exec\", \"erw.sif\"]\nprogram = \"bin/erw\"";
        let config = parse(text).unwrap();
        assert_eq!(config.launcher.as_deref(), Some("slurm"));
        assert_eq!(config.slurm.options.0, ["--qos=low"]);
        let program = config.slurm.program.unwrap();
        assert_eq!(program, Path::new("/home/me/bin/erw"));
    }

    #[test]
    fn what_would_break_a_script_is_refused_with_its_line() {
        for (line, words) in [
            ("partition = \"a b\"", "'a b' is not one word"),
            (
                "options = [\"-p gpu\"]",
                "is no option of sbatch in one line",
            ),
            (
                "options = [\"--qos=a\\nrm -rf x\"]",
                "is no option of sbatch in one line",
            ),
            ("options = [\"--array=0-3\"]", "erw says --array itself"),
            ("setup = [\"#SBATCH --qos=a\"]", "belongs into options"),
            ("attempts = 0", "attempts"),
            ("gpu = 1", "unknown field 'gpu'"),
        ] {
            let error = parse(&format!("[slurm]\n{line}\n")).unwrap_err();
            assert!(error.starts_with("/home/me/config.toml:2: "), "{error}");
            assert!(error.contains(words), "{error}");
        }
    }
}
