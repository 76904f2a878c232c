//! Starting, stopping, resuming and removing runs for the screens. Each is a process of its own that the queue of this machine
//! starts; closing the workbench stops none of them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config::SlurmSettings;
use crate::jobs::{self, Launcher, Launchers, Local, StopOutcome};
use crate::runs::{Folder, Manifest, Run};

use super::msg::Work;

/// Where plans that were written here are: a folder beside that of the runs.
const PLANS: &str = "plans";

/// Where things are.
pub(crate) struct Folders {
    /// The workspace's root, in which the commands run.
    pub(crate) workspace: PathBuf,
    /// Runs.
    pub(crate) runs: PathBuf,
    /// How they are put to Slurm.
    pub(crate) slurm: SlurmSettings,
}

/// Does `work`; what to say of it, and the run to look at, if it is a new one.
///
/// # Errors
/// Words for the person: what could not be done, and why.
pub(crate) fn carry_out(folders: &Folders, work: Work) -> Result<(String, Option<String>), String> {
    let launchers = Launchers::new(&folders.runs, &folders.slurm);
    // What was begun elsewhere is stopped, and goes on, where it was begun.
    let launcher = match &work {
        Work::Stop { run, .. }
        | Work::Resume { run }
        | Work::Retry { run }
        | Work::Remove { run } => launchers
            .of(&find(folders, run)?)
            .map_err(|e| e.to_string())?,
        Work::Start { .. } | Work::Analyse { .. } | Work::Launch { .. } => {
            let local = Local::of_this_program(&folders.runs);
            Box::new(local.map_err(|e| e.to_string())?)
        }
    };
    carry_out_with(launcher.as_ref(), folders, work)
}

fn find(folders: &Folders, name: &str) -> Result<Run, String> {
    Run::find(&folders.runs, name).map_err(|e| e.to_string())
}

fn carry_out_with(
    launcher: &dyn Launcher,
    folders: &Folders,
    work: Work,
) -> Result<(String, Option<String>), String> {
    match work {
        Work::Start { title, plan } => {
            let run = prepare(launcher, folders, &title, &plan)?;
            let name = run.folder.name();
            launcher.submit(&run).map_err(|e| e.to_string())?;
            Ok((format!("started: {name}"), Some(name)))
        }
        Work::Stop { run, force } => {
            let outcome = launcher.stop(&find(folders, &run)?, force);
            let words = match outcome.map_err(|e| e.to_string())? {
                StopOutcome::Dequeued => "taken out of the queue",
                StopOutcome::Asked | StopOutcome::Terminated => {
                    "asked to stop: it saves its state first"
                }
                StopOutcome::Killed => "ended",
            };
            Ok((format!("{run}: {words}"), None))
        }
        Work::Analyse { model } => analyse(launcher, folders, &model),
        Work::Resume { run } => {
            launcher
                .submit(&find(folders, &run)?)
                .map_err(|e| e.to_string())?;
            Ok((format!("{run}: goes on as soon as there is room"), None))
        }
        Work::Retry { run } => {
            let run = find(folders, &run)?;
            if run.manifest.shards.is_some() {
                // It is planned anew, which the verb itself does.
                let words = jobs::words_again(&run, true);
                let words = words.iter().map(|w| w.to_string_lossy().into_owned());
                let command = (words.collect(), run.manifest.directory.clone());
                return launch(command, &run.manifest.environment);
            }
            let again = jobs::retry(launcher, &run).map_err(|e| e.to_string())?;
            let name = again.folder.name();
            Ok((format!("all of it again: {name}"), Some(name)))
        }
        Work::Remove { run } => {
            jobs::remove(launcher, &find(folders, &run)?).map_err(|e| e.to_string())?;
            Ok((format!("{run} was removed"), None))
        }
        Work::Launch { words, .. } => {
            let words = for_programs(words);
            launch((words, folders.workspace.clone()), &BTreeMap::new())
        }
    }
}

/// The words with `--json`, which goes before the command line of another program.
fn for_programs(mut words: Vec<String>) -> Vec<String> {
    let at = words.iter().position(|word| word == "--");
    words.insert(at.unwrap_or(words.len()), "--json".into());
    words
}

/// Has another erw put a run into a queue, with all that its verb looks up and checks before; what to say of it, and its name.
fn launch(
    (words, directory): (Vec<String>, PathBuf),
    environment: &BTreeMap<String, String>,
) -> Result<(String, Option<String>), String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        run: Option<String>,
    }
    let program = std::env::current_exe();
    let program = program.map_err(|e| format!("cannot find the running program: {e}"))?;
    let here = program.display().to_string();
    let mut after = false;
    // Where erw is run as any other program is, it is this one, whatever is called so elsewhere.
    let words = words.into_iter().map(|word| match word.as_str() {
        "erw" if std::mem::take(&mut after) => here.clone(),
        text => {
            after = text == "--";
            word
        }
    });
    let mut command = Command::new(&program);
    command.args(words).current_dir(directory).envs(environment);
    let said = jobs::have_done(&program, &mut command).map_err(|e| e.to_string())?;
    let answer: Option<Answer> = serde_json::from_str(&said).ok();
    let run = answer.and_then(|answer| answer.run);
    let name = run.as_deref().unwrap_or("it");
    Ok((format!("{name} is in the queue"), run))
}

/// Queues the measuring of the workspace's edits, and after it the analysis of the model's scores.
fn analyse(
    launcher: &dyn Launcher,
    folders: &Folders,
    model: &str,
) -> Result<(String, Option<String>), String> {
    for verb in ["failures measure", "failures analyse"] {
        let mut arguments = vec![
            "--workspace".to_owned(),
            folders.workspace.display().to_string(),
        ];
        // Measures are of images alone.
        if verb == "failures analyse" && !model.is_empty() {
            arguments.extend(["--model".to_owned(), model.to_owned()]);
        }
        let mut manifest = Manifest::new(verb, arguments, "workbench");
        folders.workspace.clone_into(&mut manifest.directory);
        manifest.launcher = launcher.name().into();
        let folder = Folder::create(&folders.runs, &manifest).map_err(|e| e.to_string())?;
        let run = Run { folder, manifest };
        launcher.submit(&run).map_err(|e| e.to_string())?;
    }
    let words = "measures and analyses in the background".to_owned();
    Ok((words, None))
}

/// Writes the plan down and makes the folder of its run.
fn prepare(
    launcher: &dyn Launcher,
    folders: &Folders,
    title: &str,
    plan: &str,
) -> Result<Run, String> {
    let beside = folders.runs.parent().unwrap_or(&folders.runs);
    let file = write_plan(&beside.join(PLANS), title, plan)?;
    let shown = file.strip_prefix(&folders.workspace).unwrap_or(&file);
    let mut manifest = Manifest::new("train", vec![shown.display().to_string()], title);
    folders.workspace.clone_into(&mut manifest.directory);
    manifest.launcher = launcher.name().into();
    manifest.plan = Some(plan.to_owned());
    let folder = Folder::create(&folders.runs, &manifest).map_err(|e| e.to_string())?;
    Ok(Run { folder, manifest })
}

/// Writes a plan under a name of its own: a run that is resumed must find the one it began with.
fn write_plan(folder: &Path, title: &str, plan: &str) -> Result<PathBuf, String> {
    let fail = |what: &str, path: &Path, why: &dyn std::fmt::Display| {
        format!("cannot {what} '{}': {why}", path.display())
    };
    std::fs::create_dir_all(folder).map_err(|e| fail("make", folder, &e))?;
    let stem: String = title
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    let stem = match stem.trim_matches('-') {
        "" => "plan",
        stem => stem,
    };
    let mut draft = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder)
        .map_err(|e| fail("write into", folder, &e))?;
    let written = draft.write_all(plan.as_bytes());
    written
        .and_then(|()| draft.as_file().sync_all())
        .map_err(|e| fail("write into", folder, &e))?;
    for attempt in 1_u32.. {
        let name = match attempt {
            1 => format!("{stem}.toml"),
            n => format!("{stem}-{n}.toml"),
        };
        let path = folder.join(name);
        match draft.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(e) if path.exists() => draft = e.file,
            Err(e) => return Err(fail("write", &path, &e.error)),
        }
    }
    unreachable!("there is always a next number")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::jobs::{Force, JobError};

    /// A launcher that only remembers what it was asked.
    #[derive(Default)]
    struct Asked(RefCell<Vec<String>>);

    impl Launcher for Asked {
        fn name(&self) -> &'static str {
            "local"
        }
        fn submit(&self, run: &Run) -> Result<(), JobError> {
            let text = format!(
                "submit {} in {}",
                run.manifest.arguments.join(" "),
                run.manifest.title
            );
            self.0.borrow_mut().push(text);
            Ok(())
        }
        fn take_out(&self, _run: &Run) -> Result<bool, JobError> {
            Ok(false)
        }
        fn stop(&self, _run: &Run, force: Force) -> Result<StopOutcome, JobError> {
            self.0.borrow_mut().push(format!("stop {force:?}"));
            Ok(StopOutcome::Asked)
        }
        fn has(&self, _run: &Run) -> Result<bool, JobError> {
            Ok(false)
        }
        fn wake(&self) -> Result<(), JobError> {
            Ok(())
        }
    }

    fn folders(root: &tempfile::TempDir) -> Folders {
        Folders {
            workspace: root.path().to_owned(),
            runs: root.path().join("runs"),
            slurm: SlurmSettings::default(),
        }
    }

    fn start(plan: &str) -> Work {
        Work::Start {
            title: "Heads / one".into(),
            plan: plan.into(),
        }
    }

    #[test]
    fn a_start_writes_the_plan_and_a_run_that_names_it_and_submits_that() {
        let root = tempfile::tempdir().unwrap();
        let asked = Asked::default();
        let (words, name) = carry_out_with(&asked, &folders(&root), start("seed = 1\n")).unwrap();
        let name = name.unwrap();
        assert!(
            words.contains(&name) && name.contains("heads-one"),
            "{words}"
        );
        let run = Run::find(&folders(&root).runs, &name).unwrap();
        assert_eq!(run.manifest.plan.as_deref(), Some("seed = 1\n"));
        let file = run.manifest.directory.join(&run.manifest.arguments[0]);
        assert_eq!(std::fs::read_to_string(file).unwrap(), "seed = 1\n");
        // The next of the same name leaves the first one's plan alone.
        carry_out_with(&asked, &folders(&root), start("seed = 2\n")).unwrap();
        let mut plans: Vec<_> = std::fs::read_dir(root.path().join(PLANS))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        plans.sort();
        assert_eq!(plans, ["Heads---one-2.toml", "Heads---one.toml"]);
        assert_eq!(
            asked.0.borrow()[0],
            "submit plans/Heads---one.toml in Heads / one"
        );
    }

    #[test]
    fn an_analysis_measures_first_and_asks_the_model_that_came_with_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        let asked = Asked::default();
        let model = "demo".into();
        carry_out_with(&asked, &folders(&root), Work::Analyse { model }).unwrap();
        let asked = asked.0.borrow();
        assert!(!asked[0].contains("--model"), "{asked:?}");
        assert!(asked[1].contains("--model demo"), "{asked:?}");
    }

    #[test]
    fn what_is_launched_answers_programs_before_the_command_line_of_another_program() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        let told = for_programs(words("jobs run --queue -- sh -c x"));
        assert_eq!(told.join(" "), "jobs run --queue --json -- sh -c x");
        let told = for_programs(words("score --queue"));
        assert_eq!(told.join(" "), "score --queue --json");
    }

    #[test]
    fn stopping_and_resuming_find_the_run_or_say_that_it_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let asked = Asked::default();
        let (_, name) = carry_out_with(&asked, &folders(&root), start("")).unwrap();
        let run = name.unwrap();
        let stop = Work::Stop {
            run: run.clone(),
            force: Force::Ask,
        };
        let (words, new) = carry_out_with(&asked, &folders(&root), stop).unwrap();
        assert!(words.contains("saves its state") && new.is_none());
        carry_out_with(&asked, &folders(&root), Work::Resume { run }).unwrap();
        assert_eq!(asked.0.borrow()[1], "stop Ask");
        let gone = Work::Resume { run: "gone".into() };
        let why = carry_out_with(&asked, &folders(&root), gone).unwrap_err();
        assert!(why.contains("gone"), "{why}");
    }
}
