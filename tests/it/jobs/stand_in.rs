//! What stands for Slurm where there is none: commands that only note what they are asked. The members of an array and the job after
//! them are called as its scripts call them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use erw::runs::Folder;
use serde_json::Value;

use super::User;
use super::scores::{only_run, score};
use crate::cli::small_model;

/// Commands by the names of Slurm's. What they are asked is in `asked`, and what squeue says in `queue`.
fn stand_in(user: &User) -> PathBuf {
    let bin = user.path("bin");
    fs::create_dir(&bin).unwrap();
    let at = user.path("").display().to_string();
    for (name, script) in [
        (
            "sbatch",
            format!("echo sbatch \"$@\" >>{at}/asked; wc -l <{at}/asked"),
        ),
        (
            "scancel",
            format!("echo scancel \"$@\" >>{at}/asked; : >{at}/queue"),
        ),
        ("squeue", format!("cat {at}/queue 2>/dev/null || true")),
        (
            "scontrol",
            "echo JobId=1 JobState=NODE_FAIL ExitCode=0:9".to_owned(),
        ),
    ] {
        stands_for(&bin, name, &script);
    }
    bin
}

fn stands_for(bin: &Path, name: &str, script: &str) {
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A user who has those commands.
pub(super) struct Cluster {
    pub(super) user: User,
    bin: PathBuf,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let user = User::new();
        let bin = stand_in(&user);
        Self { user, bin }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.user.command(args);
        command.env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()));
        command
    }

    pub(super) fn erw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(super) fn json(&self, args: &[&str]) -> Value {
        let output = self.erw(&[args, &["--json"]].concat());
        assert!(!output.stdout.is_empty(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(super) fn asked(&self) -> String {
        fs::read_to_string(self.user.path("asked")).unwrap_or_default()
    }

    pub(super) fn queue(&self, states: &str) {
        fs::write(self.user.path("queue"), states).unwrap();
    }

    /// Has a shell script stand for one of Slurm's commands.
    pub(super) fn stands_for(&self, name: &str, script: &str) {
        stands_for(&self.bin, name, script);
    }

    /// Submits what a command line asks for; its run.
    pub(super) fn submit(&self, args: &[&str]) -> Folder {
        let answer = self.json(args);
        assert_eq!(answer["state"], "queued", "{answer}");
        self.queue("PENDING\nPENDING\n");
        Folder::at(answer["folder"].as_str().unwrap())
    }

    /// Submits the scoring of a workspace in shards; its run.
    pub(super) fn submitted(&self, dir: &Path, shards: &str) -> Folder {
        let model = small_model();
        let more = ["--launcher", "slurm", "--shards", shards];
        let answer = self.json(&score(dir, &model, &more));
        assert_eq!(answer["state"], "queued");
        self.queue("PENDING\nPENDING\n");
        only_run(&dir.join("runs")).unwrap()
    }

    /// A script of the run, as Slurm would start it.
    pub(super) fn script(&self, run: &Folder, name: &str) -> Command {
        let mut command = Command::new("/bin/bash");
        command
            .arg(run.path().join("slurm").join(name))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.display()))
            .env("HOME", self.user.path(""))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn member(&self, run: &Folder, shard: usize) -> Command {
        let mut command = self.script(run, "array.sh");
        command.env("SLURM_ARRAY_TASK_ID", shard.to_string());
        command
    }

    pub(super) fn merge(&self, run: &Folder) -> Output {
        self.script(run, "merge.sh").output().unwrap()
    }
}

pub(super) fn lines(run: &Folder, shard: usize, ending: &str) -> usize {
    let path = run.path().join(format!("shards/{shard:03}.{ending}"));
    fs::read_to_string(path).map_or(0, |text| text.matches('\n').count())
}
