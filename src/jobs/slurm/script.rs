//! The scripts that Slurm gets: what a job asks for, what goes before its command, and the command itself. They stay in the run's
//! folder, to be read and, if need be, submitted by hand.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use crate::config::SlurmSettings;
use crate::runs::Run;

/// The most characters of a run's name that go into the name of its job.
const NAME: usize = 60;

/// What a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of the run, in one process.
    Whole,
    /// The members of its array, each on the shard of its number.
    Members,
    /// What comes after them.
    Merge,
}

impl Part {
    /// The script's file in the run's folder.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Whole => "slurm/job.sh",
            Self::Members => "slurm/array.sh",
            Self::Merge => "slurm/merge.sh",
        }
    }
}

/// The script for a part of the run, which has `program` as its erw.
pub(super) fn script(run: &Run, part: Part, settings: &SlurmSettings, program: &Path) -> String {
    let folder = run.folder.clone().absolute();
    let mut out = String::from("#!/bin/bash\n");
    let mut option = |text: String| {
        let _ = writeln!(out, "#SBATCH {text}");
    };
    let name: String = folder.name().chars().take(NAME).collect();
    option(format!("--job-name={}", in_option(&format!("erw {name}"))));
    let log = match part {
        // Slurm puts the member's number there, in three digits as the folder has it.
        Part::Members => format!("{}/%3a/log.txt", plain(&folder.shards_dir())),
        Part::Whole | Part::Merge => plain(&folder.log()),
    };
    option(format!("--output={}", in_option(&log)));
    option("--open-mode=append".into());
    for (name, value) in [
        ("partition", settings.partition.clone()),
        ("account", settings.account.clone()),
        ("time", settings.time.clone()),
        ("mem", settings.mem.clone().filter(|_| part != Part::Merge)),
    ] {
        if let Some(value) = value {
            option(format!("--{name}={value}"));
        }
    }
    // What puts things together in a database needs one core and no device.
    if part != Part::Merge {
        if let Some(gpus) = settings.gpus.filter(|gpus| *gpus > 0) {
            option(format!("--gres=gpu:{gpus}"));
        }
        if let Some(cpus) = settings.cpus {
            option(format!("--cpus-per-task={cpus}"));
        }
    }
    for further in &settings.options.0 {
        option(further.clone());
    }
    let directory = run.manifest.directory.display().to_string();
    let _ = writeln!(out, "\ncd {} || exit 1", quoted(&directory));
    for (name, value) in &run.manifest.environment {
        // Devices are what Slurm gives out.
        if name != "CUDA_VISIBLE_DEVICES" {
            let _ = writeln!(out, "export {name}={}", quoted(value));
        }
    }
    for line in &settings.setup.0 {
        let _ = writeln!(out, "{line}");
    }
    let further: Vec<OsString> = match part {
        Part::Whole => Vec::new(),
        Part::Members => vec!["--work-shard".into(), MEMBER.into()],
        Part::Merge => vec!["--merge".into()],
    };
    let words = run.manifest.command_line_with(&folder, &further);
    let words = words.iter().map(|word| match word.to_string_lossy() {
        word if word == MEMBER => MEMBER.to_owned(),
        word => quoted(&word),
    });
    let prefix = settings.prefix.iter().map(|word| quoted(word));
    let program = quoted(&program.display().to_string());
    let command: Vec<String> = prefix.chain([program]).chain(words).collect();
    let _ = writeln!(out, "exec {}", command.join(" "));
    out
}

/// The number of a member, for the shell.
const MEMBER: &str = "\"$SLURM_ARRAY_TASK_ID\"";

/// A path for Slurm, which takes percent signs for blanks to fill in.
fn plain(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

/// A value of an option in a script.
fn in_option(text: &str) -> String {
    let simple = |c: char| c.is_alphanumeric() || "/._-%:".contains(c);
    if text.chars().all(simple) {
        return text.to_owned();
    }
    let text = text.replace(['\n', '\r'], " ");
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A word for the shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{Folder, Manifest};

    fn run() -> Run {
        let mut manifest = Manifest::new(
            "score",
            vec!["--where".into(), "fault = 'it''s' and $(x)".into()],
            "a",
        );
        manifest.directory = "/sets/it's".into();
        manifest.environment = [("ERW_CONFIG".to_owned(), "/c d.toml".to_owned())].into();
        Run {
            folder: Folder::at("/sets/100 %/runs/r"),
            manifest,
        }
    }

    #[test]
    fn a_member_gets_its_number_and_nothing_that_was_typed_becomes_a_command() {
        let mut settings = SlurmSettings {
            partition: Some("gpu".into()),
            gpus: Some(1),
            mem: Some("32G".into()),
            prefix: vec!["apptainer".into(), "exec".into(), "a b.sif".into()],
            ..SlurmSettings::default()
        };
        settings.options.0.push("--qos=low".into());
        settings.setup.0.push("module load cuda".into());
        let program = Path::new("/opt/erw");
        insta::assert_snapshot!(script(&run(), Part::Members, &settings, program));
        let merge = script(&run(), Part::Merge, &settings, program);
        assert!(
            merge.contains("--run' '/sets/100 %/runs/r' '--merge' '--where'"),
            "{merge}"
        );
        assert!(
            !merge.contains("gres") && merge.contains("--qos=low"),
            "{merge}"
        );
    }
}
