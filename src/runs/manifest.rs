//! What a run is: `run.toml`, written before anything happens and complete enough to do the same again. What happened is in
//! `events.jsonl`; nothing that changes while the run goes on is kept here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::event::now;
use super::folder::Folder;
use super::host::host;

/// The variables that decide what a run reads and where it computes.
const ENVIRONMENT: &[&str] = &["ERW_CONFIG", "ERW_DATA_DIR", "CUDA_VISIBLE_DEVICES"];

/// What a run is. Keys that a newer program adds are passed over, so that old programs list new runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The verb, all its words ("train", "bench run").
    pub verb: String,
    /// What came after the verb, without what concerns the run's folder.
    pub arguments: Vec<String>,
    /// What a person would call it; it is part of the folder's name.
    pub title: String,
    /// The folder that relative paths in `arguments` start at.
    pub directory: PathBuf,
    /// What it was to find in its environment; only variables that choose settings and devices, never keys or passwords.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The version of the program.
    pub erw: String,
    /// Seconds since 1970.
    pub created: f64,
    /// The machine that it was made on.
    pub host: String,
    /// Who starts it: `here` (the terminal it was typed in), `local` (the queue of this machine), `slurm`.
    pub launcher: String,
    /// The device that it has for itself ("cpu", "cuda:0"), where a queue starts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Higher is sooner.
    #[serde(default)]
    pub priority: i32,
    /// How many shards it is worked on in, each by a process of its own; absent where one process does it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<usize>,
    /// What chance is drawn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The plan it follows, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The model that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Fingerprint>,
    /// The data that it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Fingerprint>,
}

/// Something that the run depends on, and how to tell whether it is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// What people call it: a name or a path.
    pub name: String,
    /// Equal for equal contents.
    pub fingerprint: String,
}

impl Manifest {
    /// The arguments (after the program's name) that have the run in `folder` taken up, by its first process and by every
    /// later one.
    pub fn command_line(&self, folder: &Folder) -> Vec<OsString> {
        let verb = self.verb.split_whitespace().map(OsString::from);
        let mut words: Vec<OsString> = verb.collect();
        // Before the others, as those may be the command line of another program.
        words.extend(["--run".into(), folder.path().into()]);
        words.extend(self.arguments.iter().map(OsString::from));
        words
    }

    /// The same for the process that works on a shard, or on what comes of all of them: with further words, before those that were
    /// typed.
    pub fn command_line_with(&self, folder: &Folder, further: &[OsString]) -> Vec<OsString> {
        let mut words = self.command_line(folder);
        let at = self.verb.split_whitespace().count() + 2;
        words.splice(at..at, further.iter().cloned());
        words
    }

    /// A run of a verb, started here and now, in the working directory of this process.
    pub fn new(verb: &str, arguments: Vec<String>, title: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            arguments,
            title: title.to_owned(),
            directory: std::env::current_dir().unwrap_or_default(),
            environment: ENVIRONMENT
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
                .collect(),
            erw: env!("CARGO_PKG_VERSION").to_owned(),
            created: now(),
            host: host(),
            launcher: "here".into(),
            device: None,
            priority: 0,
            shards: None,
            seed: None,
            plan: None,
            model: None,
            data: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back_and_keys_of_later_versions_do_no_harm() {
        let mut manifest = Manifest::new("bench run", vec!["--k=3".into(), "a \"b\"".into()], "x");
        manifest.seed = Some(i64::MAX as u64);
        manifest.plan = Some("steps = 20\n'''\n\"\"\"".into());
        manifest.environment = BTreeMap::from([("ERW_CONFIG".into(), "/a=b".into())]);
        manifest.device = Some("cuda:0".into());
        manifest.data = Some(Fingerprint {
            name: "sets/a".into(),
            fingerprint: "0f".into(),
        });
        let text = toml::to_string(&manifest).unwrap();
        let read: Manifest = toml::from_str(&format!("later = 1\n{text}")).unwrap();
        assert_eq!(read, manifest);
    }
}
