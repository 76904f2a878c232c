//! Jobs on a cluster: a run is a batch job, or an array of them with a step after it that puts together what its members did. All
//! that is needed is Slurm's commands and a file system that every machine sees at the same place.
//!
//! ```text
//! <run>/slurm/
//!   job.sh       what was submitted: all of the run, or
//!   array.sh     its members, and
//!   merge.sh     what comes after them, however they end
//!   jobs.toml    the numbers that Slurm gave                                     [`Jobs`]
//! ```

mod commands;
mod number;
mod script;

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::JobError;
use super::launcher::{Force, Launcher, StopOutcome};
use crate::config::SlurmSettings;
use crate::runs::{Ending, Fact, Folder, Run, State, glance, host, now};
use script::{Part, script};

pub use number::job_number;

/// The device of runs that Slurm finds one for.
const DEVICE: &str = "slurm";

/// Jobs on a cluster.
#[derive(Debug, Clone)]
pub struct Slurm {
    settings: SlurmSettings,
    program: PathBuf,
}

/// What was submitted of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Jobs {
    /// How often its members were started since somebody asked for it.
    attempts: u32,
    /// What Slurm took, oldest first.
    #[serde(default)]
    submitted: Vec<Submitted>,
}

/// What Slurm took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Submitted {
    /// The number of the job, or of the array.
    job: String,
    /// The number of the job after the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merge: Option<String>,
    /// The members of the array.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<usize>,
    /// When, in seconds since 1970.
    time: f64,
}

impl Submitted {
    /// The numbers of its jobs; what comes after the array first, so that the end of the array does not start it.
    fn ids(&self) -> Vec<&str> {
        self.merge
            .iter()
            .chain([&self.job])
            .map(|id| &**id)
            .collect()
    }
}

impl Jobs {
    fn of(folder: &Folder) -> Result<Self, JobError> {
        let path = folder.path().join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|e| {
                JobError::slurm(format!(
                    "'{}' is not what erw wrote: {e}; mend it, or start the run anew",
                    path.display()
                ))
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(JobError::files("read", &path)(e)),
        }
    }

    fn write(&self, folder: &Folder) -> Result<(), JobError> {
        let text = toml::to_string(self);
        let text = text.map_err(|e| JobError::slurm(format!("cannot put jobs into words: {e}")))?;
        folder.write_beside(FILE, &text)?;
        Ok(())
    }
}

const FILE: &str = "slurm/jobs.toml";

impl Slurm {
    /// With settings, and with this very program unless they name another.
    pub fn new(settings: SlurmSettings) -> Result<Self, JobError> {
        let program = match &settings.program {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(JobError::files(
                "find",
                std::path::Path::new("the running program"),
            ))?,
        };
        Ok(Self { settings, program })
    }

    /// Starts the members of a run that are left once more, with what comes after them: which attempt that is. `None`, and nothing
    /// is started, where they were started as often as the settings allow. For the process that has the run, which hands it
    /// over.
    pub fn again(&self, run: &Run, left: &[usize]) -> Result<Option<u32>, JobError> {
        let mut jobs = Jobs::of(&run.folder)?;
        if jobs.attempts >= self.settings.attempts.get() {
            return Ok(None);
        }
        jobs.attempts += 1;
        self.put(run, jobs.clone(), left)?;
        Ok(Some(jobs.attempts))
    }

    /// The fact that says so.
    pub fn handed_over() -> Fact {
        Fact::Queued {
            device: DEVICE.into(),
        }
    }

    /// Writes the scripts, has Slurm take them, and notes the numbers.
    fn put(&self, run: &Run, mut jobs: Jobs, left: &[usize]) -> Result<(), JobError> {
        let dir = run.folder.path().join("slurm");
        fs::create_dir_all(&dir).map_err(JobError::files("create", &dir))?;
        let write = |part: Part| {
            let text = script(run, part, &self.settings, &self.program);
            run.folder
                .clone()
                .absolute()
                .write_beside(part.file(), &text)
        };
        let submitted = if run.manifest.shards.is_none() {
            Submitted {
                job: commands::submit(&write(Part::Whole)?, &[])?,
                merge: None,
                members: Vec::new(),
                time: now(),
            }
        } else {
            let (array, merge) = (write(Part::Members)?, write(Part::Merge)?);
            for member in left {
                // One that is just ending has the last word; it is started again all the same.
                let _ = run.folder.shard(*member).add([Self::handed_over()]);
            }
            let job = commands::submit(&array, &[self.array(left)])?;
            let after = format!("--dependency=afterany:{job}");
            let merge = commands::submit(&merge, &[after]).inspect_err(|_| {
                // Nobody would take in what they do.
                let _ = commands::cancel(&[&job], false);
            })?;
            Submitted {
                job,
                merge: Some(merge),
                members: left.to_vec(),
                time: now(),
            }
        };
        jobs.submitted.push(submitted);
        jobs.write(&run.folder)
    }

    /// `--array=0-3,7%16`.
    fn array(&self, members: &[usize]) -> String {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for &member in members {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == member => *last = member,
                _ => ranges.push((member, member)),
            }
        }
        let ranges = ranges.iter().map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        });
        let ranges: Vec<String> = ranges.collect();
        let most = self.settings.at_once;
        let most = most.map_or(String::new(), |most| format!("%{most}"));
        format!("--array={}{most}", ranges.join(","))
    }

    fn refuse(run: &Run, state: State, advice: &'static str) -> JobError {
        JobError::State {
            name: run.folder.name(),
            state,
            advice,
        }
    }

    fn ended(run: &Run, reason: &str) -> Result<(), JobError> {
        run.folder.add([Fact::Ended {
            ending: Ending::Stopped,
            reason: reason.into(),
        }])?;
        Ok(())
    }

    /// What Slurm has of the run, the newest.
    fn newest(run: &Run) -> Result<Option<Submitted>, JobError> {
        Ok(Jobs::of(&run.folder)?.submitted.pop())
    }
}

impl Launcher for Slurm {
    fn name(&self) -> &'static str {
        "slurm"
    }

    fn submit(&self, run: &Run) -> Result<(), JobError> {
        let (_, state) = glance(&run.folder)?;
        match state {
            State::Done => {
                let advice = "nothing is left to do; 'erw jobs retry' does it all again";
                return Err(Self::refuse(run, state, advice));
            }
            State::Running | State::Stalled => {
                let advice = "processes have it; 'erw jobs logs -f' follows it";
                return Err(Self::refuse(run, state, advice));
            }
            State::Queued if self.has(run)? => {
                let name = run.folder.name();
                return Err(JobError::Waits { name });
            }
            State::Queued | State::Failed | State::Stopped => {}
        }
        run.folder.take_back_stop()?;
        let left = left(run);
        let jobs = Jobs {
            attempts: 1,
            ..Jobs::of(&run.folder)?
        };
        run.folder.add([Self::handed_over()])?;
        let put = if left.is_empty() && run.manifest.shards.is_some() {
            // What comes after them is all that is left; it goes with the last member, who finds nothing to do.
            self.put(run, jobs, &[0])
        } else {
            self.put(run, jobs, &left)
        };
        if let Err(why) = &put {
            run.folder.add([Fact::Ended {
                ending: Ending::Failed,
                reason: format!("could not be submitted: {why}"),
            }])?;
        }
        put
    }

    fn take_out(&self, run: &Run) -> Result<bool, JobError> {
        let Some(newest) = Self::newest(run)? else {
            return Ok(false);
        };
        let (_, state) = glance(&run.folder)?;
        let states = commands::states(&newest.ids()).unwrap_or_default();
        let waits = !states.is_empty() && states.iter().all(|state| state == "PENDING");
        if state != State::Queued || !waits {
            return Ok(false);
        }
        commands::cancel(&newest.ids(), false)?;
        Self::ended(run, "taken out of Slurm's queue")?;
        Ok(true)
    }

    fn stop(&self, run: &Run, force: Force) -> Result<StopOutcome, JobError> {
        if self.take_out(run)? {
            return Ok(StopOutcome::Dequeued);
        }
        let (summary, state) = glance(&run.folder)?;
        if !state.is_live() {
            return Err(Self::refuse(run, state, "there is nothing to stop"));
        }
        run.folder
            .ask_to_stop(&format!("process {} on {}", std::process::id(), host()))?;
        let newest = Self::newest(run)?;
        let ids = newest.as_ref().map(Submitted::ids).unwrap_or_default();
        let outcome = match force {
            Force::Ask => StopOutcome::Asked,
            Force::Terminate => StopOutcome::Terminated,
            Force::Kill => StopOutcome::Killed,
        };
        if run.manifest.shards.is_some() && !summary.is_taken_up() {
            // What its members scored is in their files, and whoever goes on takes it up.
            commands::cancel(&ids, false)?;
            if force == Force::Kill {
                commands::cancel(&ids, true)?;
            }
            Self::ended(
                run,
                "cancelled on request; what was done is kept, and 'erw jobs resume' goes on from there",
            )?;
            return Ok(outcome);
        }
        match force {
            Force::Ask => {}
            Force::Terminate => commands::cancel(&ids, false)?,
            Force::Kill => {
                commands::cancel(&ids, true)?;
                // It may be on another machine, whose word for its end nobody waits for.
                let _ = Self::ended(run, "killed on request; what was not saved is lost");
            }
        }
        Ok(outcome)
    }

    fn has(&self, run: &Run) -> Result<bool, JobError> {
        let Some(newest) = Self::newest(run)? else {
            return Ok(false);
        };
        Ok(commands::states(&newest.ids()).is_some_and(|states| !states.is_empty()))
    }

    fn settle(&self, run: &Run) -> Result<(), JobError> {
        if !glance(&run.folder)?.1.is_live() {
            return Ok(());
        }
        let Some(newest) = Self::newest(run)? else {
            return Ok(());
        };
        // Where Slurm cannot be asked, nothing is known.
        if commands::states(&newest.ids()).is_none_or(|states| !states.is_empty()) {
            return Ok(());
        }
        // It may have ended, or gone on in other jobs, while Slurm was asked.
        let again = Self::newest(run)?;
        if !glance(&run.folder)?.1.is_live() || again.as_ref() != Some(&newest) {
            return Ok(());
        }
        let ids = newest.ids().join(", ");
        let how = newest.ids().into_iter().find_map(commands::endings);
        let how = how.map_or(String::new(), |how| format!(" ({how})"));
        let reason = format!(
            "its jobs {ids} are gone from Slurm{how}; 'erw jobs resume' submits what is left"
        );
        // Where a process has it after all, this is refused, and that process knows better.
        let _ = run.folder.add([Fact::Ended {
            ending: Ending::Failed,
            reason,
        }]);
        Ok(())
    }

    fn wake(&self) -> Result<(), JobError> {
        Ok(())
    }
}

/// The members of a run that did not do all of their work.
fn left(run: &Run) -> Vec<usize> {
    let shards = run.manifest.shards.unwrap_or(0);
    let done = |shard: &usize| {
        let member = glance(&run.folder.shard(*shard));
        member.is_ok_and(|(_, state)| state == State::Done)
    };
    (0..shards).filter(|shard| !done(shard)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_in_ranges() {
        let mut slurm = Slurm::new(SlurmSettings::default()).unwrap();
        assert_eq!(slurm.array(&[0, 1, 2, 5, 7, 8]), "--array=0-2,5,7-8");
        slurm.settings.at_once = std::num::NonZeroU32::new(4);
        assert_eq!(slurm.array(&[3]), "--array=3%4");
    }
}
