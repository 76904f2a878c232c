//! `erw train --engine deepspeed`: the plan is written for the published trainer, which is started, followed and, when it is
//! done, asked for its model.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::super::print;
use super::super::stop::Stop;
use super::args::{HandoverArgs, Launch};
use crate::jobs::{Attended, attend};
use crate::model::registry::Addition;
use crate::runs::{Ending, Writer};
use crate::train::handover::{Handover, Machines, Start, hand_over};
use crate::train::{Material, Plan};
use crate::workbench;

/// What came of it.
pub(super) struct HandedOver {
    pub(super) files: Handover,
    pub(super) ending: Ending,
    /// The checkpoint and the name it got.
    pub(super) model: Option<(PathBuf, Option<String>)>,
}

/// Writes everything into the run's folder and, unless only that is wanted, has the trainer train.
pub(super) fn run(
    plan: &Plan,
    args: &HandoverArgs,
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<HandedOver> {
    let say = |text: &str| {
        print::note(text);
        let _ = writer.log(text);
    };
    let repository = args.reference_repo.as_deref().unwrap_or(Path::new("."));
    let repository = std::path::absolute(repository)?;
    let material = Material::gather(plan, None)?;
    let machines = Machines {
        start: match args.launch {
            Launch::Deepspeed => Start::Deepspeed,
            Launch::Torchrun => Start::Torchrun,
            Launch::Slurm => Start::Slurm,
        },
        nodes: args.nodes.max(1),
        gpus: args.gpus.max(1),
    };
    let folder = writer.folder().path().join("handover");
    let files = hand_over(plan, &material, &repository, &folder, machines)?;
    say(&format!(
        "{} pairs to learn from and {} to measure on are in '{}'",
        files.pairs,
        files.validation_pairs,
        folder.display()
    ));
    let typed = in_words(&files);
    say(&format!("the command is: {typed}"));
    if args.write_only {
        writer.end(
            Ending::Done,
            "written for the published trainer, not started",
        )?;
        return Ok(HandedOver {
            files,
            ending: Ending::Done,
            model: None,
        });
    }
    let task = Attended {
        command: in_clone(&files),
        follow: Some(files.output.clone()),
        environment: std::collections::BTreeMap::new(),
    };
    let mut said = |line: &str| say(line);
    let ending = attend(writer, &task, &mut said, &|| stop.asked())?;
    if ending == Ending::Failed {
        bail!(
            "the published trainer failed; its last words are in '{}'",
            writer.folder().log().display()
        );
    }
    let model = match newest_checkpoint(&files.output) {
        Some(dir) if ending == Ending::Done => Some(adopt(plan, &repository, dir)?),
        _ => None,
    };
    Ok(HandedOver {
        files,
        ending,
        model,
    })
}

/// The command as a person would type it.
fn in_words(files: &Handover) -> String {
    let shell = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let directory = shell(&files.directory.to_string_lossy());
    let words: Vec<String> = files.command.iter().map(|w| shell(w)).collect();
    format!("cd {directory} && PYTHONPATH=. {}", words.join(" "))
}

/// The same for a process: `sh` goes to the clone and becomes the command, so that a signal reaches it.
fn in_clone(files: &Handover) -> Vec<String> {
    let go = "cd \"$0\" && PYTHONPATH=\"$0${PYTHONPATH:+:$PYTHONPATH}\" && export PYTHONPATH && exec \"$@\"";
    let directory = files.directory.to_string_lossy().into_owned();
    let mut words = vec!["sh".to_owned(), "-c".to_owned(), go.to_owned(), directory];
    words.extend(files.command.iter().cloned());
    words
}

/// The trainer's checkpoint of the highest step, or its output itself where it holds a model.
fn newest_checkpoint(output: &Path) -> Option<PathBuf> {
    let step = |path: &Path| -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("checkpoint-")?.parse().ok()
    };
    let is_model = |dir: &Path| dir.join("config.json").is_file();
    let entries = fs::read_dir(output).ok()?.flatten().map(|e| e.path());
    entries
        .filter(|path| is_model(path))
        .filter_map(|path| Some((step(&path)?, path)))
        .max()
        .map(|(_, path)| path)
        .or_else(|| is_model(output).then(|| output.to_owned()))
}

/// Gives the checkpoint its manifest and its name.
fn adopt(
    plan: &Plan,
    repository: &Path,
    dir: PathBuf,
) -> anyhow::Result<(PathBuf, Option<String>)> {
    if !plan.register {
        print::note(&format!(
            "the checkpoint is '{}'; 'erw model add' it with --reference-repo to score with it",
            dir.display()
        ));
        return Ok((dir, None));
    }
    let addition = Addition {
        reference_repo: Some(repository),
        name: Some(&plan.name),
        config: None,
    };
    let added = workbench::registry()?
        .add(&dir, addition)
        .with_context(|| {
            format!(
                "the checkpoint '{}' is made, but not registered",
                dir.display()
            )
        })?;
    Ok((dir, Some(added.entry.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_checkpoint_is_that_of_the_highest_step_that_is_a_model() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest_checkpoint(dir.path()), None);
        for (name, whole) in [
            ("checkpoint-90", true),
            ("checkpoint-100", true),
            ("checkpoint-200", false),
        ] {
            fs::create_dir(dir.path().join(name)).unwrap();
            if whole {
                fs::write(dir.path().join(name).join("config.json"), "{}").unwrap();
            }
        }
        let newest = newest_checkpoint(dir.path()).unwrap();
        assert!(newest.ends_with("checkpoint-100"));
    }

    #[test]
    fn a_command_is_told_so_that_it_can_be_pasted() {
        let files = Handover {
            pairs: 1,
            validation_pairs: 0,
            folder: "/r/h".into(),
            output: "/r/h/output".into(),
            config: "/r/h/config.yaml".into(),
            command: vec!["sh".into(), "it's".into()],
            directory: "/a clone".into(),
        };
        assert_eq!(
            in_words(&files),
            "cd '/a clone' && PYTHONPATH=. sh 'it'\\''s'"
        );
        assert_eq!(in_clone(&files)[3..], ["/a clone", "sh", "it's"]);
    }
}
