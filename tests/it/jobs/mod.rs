//! Runs in processes of their own, as a user has them: queued, followed, stopped, killed, gone on with. Everything waits for
//! facts in files, none for time to pass; a fact that does not come within a minute fails the test.

mod control;
mod hangup;
mod kills;
mod queue;
mod scores;
mod shards;
mod slurm;
mod stand_in;
mod verbs;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use erw::runs::{Folder, Follower, Run, State};
use serde_json::Value;
use tempfile::TempDir;

use crate::program;

const DEADLINE: Duration = Duration::from_mins(1);

/// A user with an empty home and a folder of runs.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("work")).unwrap();
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    fn command(&self, args: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = program::erw(args, &self.path("work"), home, home);
        command.env("PATH", "/usr/bin:/bin");
        command
    }

    fn erw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command that went well says to programs.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.erw(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command that went wrong says to people, and its exit code.
    fn refused(&self, args: &[&str]) -> (i32, String) {
        let output = self.erw(args);
        assert!(!output.status.success(), "{args:?}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// Queues a shell script as a run of that title; its folder.
    fn queue(&self, title: &str, more: &[&str], script: &str) -> Folder {
        let args = [
            &["jobs", "run", "--json", "--queue", "--title", title][..],
            more,
            &["--", "sh", "-c", script],
        ];
        let output = self.erw(&args.concat());
        assert!(output.status.success(), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["outcome"], "queued");
        Folder::at(answer["path"].as_str().unwrap())
    }
}

/// Whatever a test leaves running ends with it.
impl Drop for User {
    fn drop(&mut self) {
        for run in Run::list(&self.runs()).map(|l| l.runs).unwrap_or_default() {
            let _ = self.erw(&["jobs", "stop", "-ff", &run.folder.name()]);
        }
        until("the queue is left", || {
            let lock = std::fs::read_dir(self.runs().join(".queue")).ok();
            let lock = lock
                .and_then(|mut d| d.next()?.ok())
                .map(|d| d.path().join("lock"));
            let file = lock.and_then(|l| std::fs::File::open(l).ok());
            file.is_none_or(|f| f.try_lock().is_ok()).then_some(())
        });
    }
}

/// Waits for a fact.
fn until<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(fact) = fact() {
            return fact;
        }
        assert!(
            Instant::now() < deadline || std::thread::panicking(),
            "never: {what}"
        );
        std::thread::yield_now();
    }
}

fn follow(folder: &Folder) -> Follower {
    let mut follower = Follower::new(folder.clone());
    follower.catch_up().unwrap();
    follower
}

/// Waits until the run is in that state.
fn until_state(folder: &Folder, state: State) -> Follower {
    let mut follower = Follower::new(folder.clone());
    until(&format!("{} is {}", folder.name(), state.word()), || {
        follower.catch_up().unwrap();
        (follower.state() == state).then(|| follower.clone())
    })
}

fn log(folder: &Folder) -> String {
    std::fs::read_to_string(folder.log()).unwrap_or_default()
}

/// A script that says so and then waits for a file to appear; a signal to terminate ends it at once.
fn waiting_for(file: &std::path::Path) -> String {
    format!(
        "echo ready; until [ -e '{}' ]; do sleep 0.02; done; echo over",
        file.display()
    )
}
