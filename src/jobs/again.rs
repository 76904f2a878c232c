//! Having another erw do a short command to its end: one that puts a run into a queue, with all that its verb does before.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::JobError;
use super::process::in_a_group;
use crate::runs::Run;

/// The words (after the program's name) that do again what a run in shards did, as a new run: it is planned anew, which its verb
/// does. `json`: with an answer for programs.
pub fn words_again(run: &Run, json: bool) -> Vec<OsString> {
    let manifest = &run.manifest;
    let root = run.folder.path().parent().unwrap_or(run.folder.path());
    // A verb may be two words.
    let mut words: Vec<OsString> = manifest
        .verb
        .split_whitespace()
        .map(OsString::from)
        .collect();
    words.extend(["--launcher".into(), manifest.launcher.clone().into()]);
    words.extend(["--runs".into(), root.into()]);
    words.extend(json.then(|| "--json".into()));
    words.extend(manifest.arguments.iter().map(OsString::from));
    words
}

/// Has `program` do `command` in `directory` and waits for its end: what it printed. In a group of its own, so that nothing that
/// happens to the asker's terminal ends it half way.
///
/// # Errors
/// It cannot be started, or it refused: then with the words in which it did.
pub fn have_done(program: &Path, command: &mut Command) -> Result<String, JobError> {
    let output = in_a_group(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(JobError::files("start", program))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let said = said.strip_prefix("erw: ").unwrap_or(said);
    Err(JobError::Refused(if said.is_empty() {
        format!("'{}' ended with {}", program.display(), output.status)
    } else {
        said.to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{Folder, Manifest};

    #[test]
    fn a_run_in_shards_is_planned_anew_by_its_own_launcher_beside_the_old_one() {
        let mut manifest = Manifest::new("score", vec!["--shards".into(), "8".into()], "a");
        manifest.launcher = "slurm".into();
        let folder = Folder::at("/w/runs/one");
        let words = words_again(&Run { folder, manifest }, true);
        assert_eq!(
            words,
            [
                "score",
                "--launcher",
                "slurm",
                "--runs",
                "/w/runs",
                "--json",
                "--shards",
                "8"
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_it_printed_comes_back_or_why_it_refused() {
        let sh = Path::new("/bin/sh");
        let shell = |script: &str| {
            let mut command = Command::new(sh);
            command.args(["-c", script]);
            have_done(sh, &mut command)
        };
        assert_eq!(shell("echo a; echo b >&2").unwrap(), "a\n");
        let why = shell("echo 'erw: no such model' >&2; exit 2").unwrap_err();
        assert_eq!(why.to_string(), "no such model");
        assert!(shell("exit 3").unwrap_err().to_string().contains('3'));
    }
}
