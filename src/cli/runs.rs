//! What long verbs share: where the folder of their run is made, whether they start now or wait in a queue, and how they are
//! started again.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::print::{self, Style};
use super::stop::Stop;
use crate::jobs::{JobError, Launchers};
use crate::runs::{Ending, Fact, Folder, Manifest, Run, State, Writer};
use crate::workbench::Workbench;

/// Where runs are.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Root {
    /// Where folders of runs are [default: 'runs' in the workspace]
    #[arg(long, value_name = "DIR")]
    pub(super) runs: Option<PathBuf>,
}

impl Root {
    /// The folder of runs.
    pub(super) fn path(&self, bench: &Workbench) -> anyhow::Result<PathBuf> {
        Ok(bench.runs_root(self.runs.as_deref())?)
    }
}

/// How a long verb runs.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) root: Root,
    /// Put the run into the queue of its device and come back at once; 'erw jobs' shows it
    #[arg(long)]
    pub(super) queue: bool,
    /// Who starts it: 'local', the queue of this machine, or 'slurm', a cluster whose machines see the same files at the same
    /// places [default with --queue: the setting 'launcher', else 'local']
    #[arg(long, value_name = "local|slurm")]
    pub(super) launcher: Option<String>,
    /// Its place in the queue of this machine: higher is sooner
    #[arg(
        long,
        value_name = "N",
        requires = "queue",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(super) priority: i32,
    /// Take up this run instead of making one; for the queue and 'erw resume'
    #[arg(long, value_name = "RUN", hide = true)]
    pub(super) run: Option<PathBuf>,
}

impl RunArgs {
    /// The launcher that the run is for; `None` where it is for this process.
    pub(super) fn launcher<'a>(&'a self, bench: &'a Workbench) -> Option<&'a str> {
        let setting = bench.config.launcher.as_deref();
        match &self.launcher {
            Some(named) => Some(named),
            None => self.queue.then_some(setting.unwrap_or("local")),
        }
    }

    /// The folder of the run that this process is to work on, or of one that was put into the queue and is somebody else's.
    /// `describe` says what the run is, from the arguments as they were typed, where it is a new one.
    pub(super) fn begin(
        &self,
        bench: &Workbench,
        verb: &str,
        describe: impl FnOnce(Vec<String>) -> Manifest,
    ) -> anyhow::Result<Begun> {
        self.begin_with(bench, verb, describe, |_| Ok(()))
    }

    /// The same with `prepare`, which puts into the folder of one that is queued what its processes are to find there.
    pub(super) fn begin_with(
        &self,
        bench: &Workbench,
        verb: &str,
        describe: impl FnOnce(Vec<String>) -> Manifest,
        prepare: impl FnOnce(&Folder) -> anyhow::Result<()>,
    ) -> anyhow::Result<Begun> {
        if let Some(run) = &self.run {
            let folder = Folder::at(run);
            folder.manifest()?;
            return Ok(Begun::Here(folder));
        }
        let root = std::path::absolute(self.root.path(bench)?)?;
        let launchers = Launchers::new(&root, &bench.config.slurm);
        let launcher = match self.launcher(bench) {
            Some(word) => {
                let asked = (self.launcher.as_deref(), bench.config.launcher.as_deref());
                bench.choose("launcher", asked, known_launcher)?;
                Some(launchers.named(word)?)
            }
            None => None,
        };
        let typed: Vec<String> = std::env::args().collect();
        let mut manifest = describe(arguments(&typed, verb));
        let Some(launcher) = launcher else {
            return Ok(Begun::Here(Folder::create(&root, &manifest)?));
        };
        manifest.launcher = launcher.name().into();
        manifest.priority = self.priority;
        let folder = Folder::create(&root, &manifest)?;
        if let Err(why) = prepare(&folder) {
            folder.add([Fact::Ended {
                ending: Ending::Failed,
                reason: format!("{why:#}"),
            }])?;
            return Err(why);
        }
        launcher.submit(&Run {
            folder: folder.clone(),
            manifest,
        })?;
        print::note(&format!(
            "{} is in the queue; 'erw jobs logs -f {0}' follows it",
            folder.name()
        ));
        Ok(Begun::Queued(folder))
    }
}

/// Whether there is such a launcher for what is put into a queue.
pub(super) fn known_launcher(word: &str) -> Result<(), String> {
    if ["local", "slurm"].contains(&word) {
        return Ok(());
    }
    Err(JobError::NoSuchLauncher(word.to_owned()).to_string())
}

/// A run that is about to begin.
#[derive(Debug)]
pub(super) enum Begun {
    /// In this process.
    Here(Folder),
    /// In one that the queue starts when its device is free.
    Queued(Folder),
}

impl Begun {
    /// Its folder.
    pub(super) fn folder(&self) -> &Folder {
        let (Self::Here(folder) | Self::Queued(folder)) = self;
        folder
    }

    /// Whether it is not for this process.
    pub(super) fn is_queued(&self) -> bool {
        matches!(self, Self::Queued(_))
    }
}

/// What a run answers a program.
#[derive(Serialize)]
struct Answered<'a, R> {
    run: String,
    folder: PathBuf,
    state: &'static str,
    report: Option<&'a R>,
}

/// The same with the report's keys beside those of the run.
#[derive(Serialize)]
struct Flat<'a, R> {
    run: String,
    folder: PathBuf,
    state: &'static str,
    #[serde(flatten)]
    report: Option<&'a R>,
}

/// How the work of a run came to an end.
pub(super) enum Ended<R> {
    /// With all of its report.
    Done(Box<R>),
    /// Somebody asked it to stop.
    Stopped {
        /// How much is done.
        done: usize,
        /// Of how much.
        of: usize,
        /// What is to be told of it nonetheless.
        so_far: Option<Box<R>>,
    },
}

/// What a verb says of its runs.
pub(super) struct Saying<R> {
    /// What they do one after the other: "candidates".
    pub(super) unit: &'static str,
    /// What becomes of one that is resumed: "goes on".
    pub(super) resumed: &'static str,
    /// The report for people.
    pub(super) told: fn(&R, Style) -> String,
    /// Whether nothing was left out.
    pub(super) whole: fn(&R) -> bool,
    /// Whether programs find the keys of the report beside those of the run, as they did before the verb was a run.
    pub(super) flat: bool,
}

impl Begun {
    /// Does the work of a run in this process, and says what came of it; says only that it waits where it was queued.
    pub(super) fn carry<R: Serialize>(
        &self,
        json: bool,
        saying: &Saying<R>,
        work: impl FnOnce(&Writer, &Stop) -> anyhow::Result<Ended<R>>,
    ) -> anyhow::Result<Exit> {
        let folder = self.folder().clone().absolute();
        let answered = |state: State, report: Option<&R>| {
            if !json {
                return Ok(());
            }
            let (run, state) = (folder.name(), state.word());
            let folder = folder.path().to_owned();
            if saying.flat {
                return print::json(&Flat {
                    run,
                    folder,
                    state,
                    report,
                });
            }
            print::json(&Answered {
                run,
                folder,
                state,
                report,
            })
        };
        if self.is_queued() {
            answered(State::Queued, None)?;
            return Ok(Exit::Done);
        }
        let stop = Stop::watch();
        let writer = folder.take_up()?;
        let ended = writer
            .attend(|| work(&writer, &stop))
            .with_context(|| format!("run '{}'", folder.name()))?;
        match ended {
            Ended::Done(report) => {
                answered(State::Done, Some(&report))?;
                if !json {
                    print::out(&(saying.told)(&report, Style::of_stdout()))?;
                    print::note(&format!("kept in {}", folder.path().display()));
                }
                let whole = (saying.whole)(&report);
                Ok(if whole { Exit::Done } else { Exit::LeftOut })
            }
            Ended::Stopped { done, of, so_far } => {
                answered(State::Stopped, so_far.as_deref())?;
                if let Some(report) = so_far.filter(|_| !json) {
                    print::out(&(saying.told)(&report, Style::of_stdout()))?;
                }
                let Saying { unit, resumed, .. } = saying;
                print::note(&format!(
                    "stopped after {done} of {of} {unit}; 'erw resume {}' {resumed}",
                    folder.name()
                ));
                Ok(Exit::Stopped)
            }
        }
    }
}

/// What was typed after the verb, without what concerns the folder of the run, the queue, and how to answer: what `run.toml`
/// keeps.
fn arguments(typed: &[String], verb: &str) -> Vec<String> {
    const WITH_VALUE: [&str; 4] = ["--runs", "--priority", "--run", "--launcher"];
    let mut kept = Vec::new();
    let mut words = typed.iter().skip(1 + verb.split_whitespace().count());
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        if word == "--" {
            kept.push(word.clone());
            kept.extend(words.cloned());
            break;
        }
        if WITH_VALUE.contains(&name) {
            if name == word {
                words.next();
            }
        } else if !["--queue", "--json"].contains(&word.as_str()) {
            kept.push(word.clone());
        }
    }
    kept
}

/// The run that a person means by `name`.
pub(super) fn find(root: &Path, name: &str) -> anyhow::Result<Run> {
    let mut run = Run::find(root, name)?;
    run.folder = run.folder.absolute();
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_command_is_what_it_does() {
        let kept = |line: &str, verb: &str| {
            let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
            arguments(&typed, verb).join(" ")
        };
        assert_eq!(
            kept(
                "erw train p.toml --runs r --seed 3 --queue --json --priority -2 -v",
                "train"
            ),
            "p.toml --seed 3 -v"
        );
        assert_eq!(
            kept("erw bench run --runs=r --priority=3 x", "bench run"),
            "x"
        );
        assert_eq!(kept("erw train --run /a/b p", "train"), "p");
        assert_eq!(
            kept("erw score --launcher slurm --shards 8", "score"),
            "--shards 8"
        );
        assert_eq!(
            kept("erw train -- --queue --json", "train"),
            "-- --queue --json"
        );
    }
}
