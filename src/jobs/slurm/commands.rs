//! Slurm's own commands: what they are asked, and what their answers mean.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::domain::text::printable;
use crate::jobs::JobError;

/// Has Slurm take a script; the number of the job.
pub(super) fn submit(script: &Path, options: &[String]) -> Result<String, JobError> {
    let mut command = Command::new("sbatch");
    command.arg("--parsable").args(options).arg(script);
    let said = ask(command, "sbatch")?.map_err(|why| {
        JobError::slurm(format!(
            "Slurm did not take '{}': {why}; what it asks for is in [slurm] in the settings",
            script.display()
        ))
    })?;
    // On clusters of clusters the name of the cluster follows.
    let id = said.trim().split(';').next().unwrap_or_default().to_owned();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(JobError::slurm(format!(
            "sbatch named no job, but said '{}'",
            printable(said.trim())
        )));
    }
    Ok(id)
}

/// Has jobs end: politely, or at once. Those that are over are passed over.
pub(super) fn cancel(ids: &[&str], at_once: bool) -> Result<(), JobError> {
    let mut command = Command::new("scancel");
    if at_once {
        command.args(["--signal=KILL", "--full"]);
    }
    command.args(ids);
    match ask(command, "scancel")? {
        Ok(_) => Ok(()),
        Err(why) if is_over(&why) => Ok(()),
        Err(why) => Err(JobError::slurm(format!(
            "Slurm did not cancel {}: {why}",
            ids.join(", ")
        ))),
    }
}

/// What Slurm says of jobs that are not over: their states, a word each. `None` where Slurm cannot be asked.
pub(super) fn states(ids: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("squeue");
    command.args(["--noheader", "--array", "--format=%T", "--jobs"]);
    command.arg(ids.join(","));
    match ask(command, "squeue").ok()? {
        Ok(said) => Some(said.split_whitespace().map(str::to_owned).collect()),
        Err(why) if is_over(&why) => Some(Vec::new()),
        Err(_) => None,
    }
}

/// How jobs ended, in Slurm's words, where it remembers.
pub(super) fn endings(id: &str) -> Option<String> {
    let mut scontrol = Command::new("scontrol");
    scontrol.args(["--oneliner", "show", "job", id]);
    let mut sacct = Command::new("sacct");
    sacct.args([
        "--noheader",
        "--parsable2",
        "--format=State,ExitCode",
        "--jobs",
        id,
    ]);
    let field = |line: &str, name: &str| {
        let found = line.split_whitespace().find_map(|w| w.strip_prefix(name));
        found.map(str::to_owned)
    };
    let remembered = ask(scontrol, "scontrol").ok()?.ok().and_then(|said| {
        let ends = said.lines().filter_map(|line| {
            let (state, code) = (field(line, "JobState=")?, field(line, "ExitCode=")?);
            Some(format!("{state}, exit code {code}"))
        });
        counted(ends)
    });
    // The accounts reach farther back, where there are any.
    remembered.or_else(|| {
        let said = ask(sacct, "sacct").ok()?.ok()?;
        counted(said.lines().map(|line| line.replace('|', ", exit code ")))
    })
}

/// "3 times FAILED, exit code 1:0; CANCELLED, …".
fn counted(ends: impl Iterator<Item = String>) -> Option<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for end in ends {
        match counts.iter_mut().find(|(known, _)| *known == end) {
            Some((_, count)) => *count += 1,
            None => counts.push((end, 1)),
        }
    }
    let told = counts.into_iter().map(|(end, count)| match count {
        1 => end,
        n => format!("{n} times {end}"),
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Whether Slurm complains of a job that it has forgotten or that is over.
fn is_over(why: &str) -> bool {
    why.contains("Invalid job id") || why.contains("already completing or completed")
}

/// What a command says: its output, or why it failed. An error where it cannot be started.
fn ask(mut command: Command, name: &str) -> Result<Result<String, String>, JobError> {
    let output = match command.env("LC_ALL", "C").output() {
        Ok(output) => output,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(JobError::slurm(format!(
                "there is no '{name}' here: say this where Slurm's commands are, as on a login node, or leave --launcher slurm out \
                 to run on this machine"
            )));
        }
        Err(e) => return Err(JobError::files("start", Path::new(name))(e)),
    };
    if output.status.success() {
        return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = said.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix(&format!("{name}: error: "))
            .unwrap_or(line)
    });
    let why: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    Ok(Err(if why.is_empty() {
        output.status.to_string()
    } else {
        printable(&why.join("; ")).into_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_that_are_the_same_are_counted() {
        let ends = ["A, exit code 1:0", "A, exit code 1:0", "B"].map(str::to_owned);
        assert_eq!(
            counted(ends.into_iter()).as_deref(),
            Some("2 times A, exit code 1:0; B")
        );
        assert_eq!(counted(std::iter::empty()), None);
    }

    #[test]
    fn a_job_that_is_over_is_no_complaint() {
        assert!(is_over("slurm_load_jobs error: Invalid job id specified"));
        assert!(!is_over(
            "Unable to contact slurm controller (connect failure)"
        ));
    }
}
