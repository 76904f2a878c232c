//! Scoring on a real Slurm of one machine, where one can be set up (`tests/slurm.sh`); elsewhere it is said why not.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use erw::runs::{Folder, State, glance};
use serde_json::Value;
use tempfile::TempDir;

use super::User;
use super::scores::{only_run, score, scores};
use super::verbs::{file, local, words};
use crate::cli::small_model;

/// Longer than Slurm takes for any of it, also on a machine that is busy otherwise.
const DEADLINE: Duration = Duration::from_mins(5);

/// How often to look.
const LOOK: Duration = Duration::from_millis(100);

/// A Slurm, for as long as the value lives.
struct Cluster {
    dir: TempDir,
    user: User,
}

impl Cluster {
    /// `None`, with a line that says why, where none can be set up.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn start() -> Option<Self> {
        match Self::started(&[]) {
            Ok(cluster) => Some(cluster),
            Err(why) => {
                eprintln!("{why}");
                None
            }
        }
    }

    /// A Slurm, started in an environment with these changes; or the line that says why there is none.
    fn started(environment: &[(&str, &Path)]) -> Result<Self, String> {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Self {
            dir,
            user: User::new(),
        };
        let started = cluster.script("start", environment);
        if started.status.success() {
            return Ok(cluster);
        }
        let why = String::from_utf8_lossy(&started.stderr);
        Err(format!("skipped: no Slurm can be started: {}", why.trim()))
    }

    fn script(&self, verb: &str, environment: &[(&str, &Path)]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm.sh");
        let mut command = Command::new("/bin/bash");
        let out = std::process::Stdio::null;
        // The daemons would hold a pipe open; what the script says goes to a file.
        let said = self.dir.path().join("said");
        let file = std::fs::File::create(&said).unwrap();
        let status = command
            .arg(script)
            .arg(verb)
            .arg(self.dir.path())
            .envs(environment.iter().copied())
            .stdin(out())
            .stdout(out())
            .stderr(file)
            .status()
            .unwrap();
        Output {
            status,
            stdout: Vec::new(),
            stderr: std::fs::read(said).unwrap(),
        }
    }

    fn conf(&self) -> PathBuf {
        self.dir.path().join("slurm.conf")
    }

    fn erw(&self, args: &[&str]) -> Output {
        let mut command = self.user.command(args);
        command.env("SLURM_CONF", self.conf()).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.erw(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn slurm(&self, program: &str, args: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(args).env("SLURM_CONF", self.conf()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    /// Waits for a fact, and says all that is known of the run where it does not come.
    fn until(&self, what: &str, run: &Folder, mut fact: impl FnMut() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !fact() {
            if Instant::now() > deadline {
                let path = run.path().to_str().unwrap();
                panic!(
                    "never: {what}: {:?}\n{}\n{:?}",
                    self.erw(&["jobs", "show", path]),
                    self.slurm("squeue", &["-a"]),
                    std::fs::read_to_string(run.log())
                );
            }
            std::thread::park_timeout(LOOK);
        }
    }

    fn until_state(&self, run: &Folder, state: State) {
        let what = format!("it is {}", state.word());
        self.until(&what, run, || glance(run).unwrap().1 == state);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.conf().exists() {
            self.slurm("scancel", &["--user=root", "--signal=KILL", "--full"]);
        }
        let _ = self.script("stop", &[]);
    }
}

/// The number of the newest array of a run.
fn array(run: &Folder) -> String {
    let jobs = std::fs::read_to_string(run.path().join("slurm/jobs.toml")).unwrap();
    let line = jobs.lines().rev().find(|l| l.starts_with("job = "));
    line.unwrap().split('"').nth(1).unwrap().to_owned()
}

#[test]
fn where_no_slurm_can_be_started_one_line_says_why() {
    let bin = tempfile::tempdir().unwrap();
    let none = bin.path().join("none");
    for program in ["id", "seq", "sleep"] {
        let found = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(program));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(found, bin.path().join(program)).unwrap();
    }
    let without = [("PATH", bin.path()), ("ERW_TEST_SBIN", none.as_path())];
    let Err(line) = Cluster::started(&without) else {
        panic!("there is a Slurm without its programs");
    };
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(
        line.starts_with("skipped: no Slurm can be started: "),
        "{line}"
    );
    let reasons = [
        "there is no slurmctld here: tests/slurm.sh install",
        "as root only",
    ];
    assert!(reasons.iter().any(|why| line.contains(why)), "{line}");
}

#[test]
fn an_array_scores_what_one_process_scores_though_a_member_is_cancelled_and_stops_when_asked() {
    const GROUPS: u8 = 10;
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let model = small_model();
    let whole = cluster.user.workspace("whole", GROUPS);
    cluster.json(&score(&whole, &model, &[]));

    // One member is cancelled while it waits or works: it is started again.
    let dir = cluster.user.workspace("shards", GROUPS);
    let submit = ["--launcher", "slurm", "--shards", "4"];
    let answer = cluster.json(&score(&dir, &model, &submit));
    assert_eq!(answer["state"], "queued");
    let run = only_run(&dir.join("runs")).unwrap();
    let path = run.path().to_str().unwrap().to_owned();
    let first = array(&run);
    cluster.slurm("scancel", &[&format!("{first}_3")]);
    cluster.until_state(&run, State::Done);
    assert_ne!(array(&run), first, "the member was submitted again");
    assert_eq!(scores(&dir), scores(&whole));
    let shown = cluster.json(&["jobs", "show", &path]);
    assert_eq!(shown["progress"]["done"], 2 * u64::from(GROUPS));
    let log = cluster.erw(&["jobs", "logs", "-f", &path]);
    assert!(log.status.success(), "{log:?}");

    // A run that is stopped is gone from the queue and goes on where it was.
    let dir = cluster.user.workspace("stopped", GROUPS);
    cluster.json(&score(&dir, &model, &submit));
    let run = only_run(&dir.join("runs")).unwrap();
    let path = run.path().to_str().unwrap().to_owned();
    cluster.until_state(&run, State::Running);
    cluster.json(&["jobs", "stop", &path]);
    assert_eq!(glance(&run).unwrap().1, State::Stopped);
    cluster.until("its jobs are gone", &run, || {
        cluster.slurm("squeue", &["--noheader"]).is_empty()
    });
    assert_eq!(
        cluster.json(&["jobs", "resume", &path])["outcome"],
        "queued"
    );
    cluster.until_state(&run, State::Done);
    assert_eq!(scores(&dir), scores(&whole));

    verbs(&cluster);
}

/// Slurm is the same for other verbs: a benchmark and a probe in shards, and a verb that is one job.
fn verbs(cluster: &Cluster) {
    let [one, many] = ["one", "many"].map(|name| cluster.user.labelled(name, 4));
    let submit = ["--launcher", "slurm", "--shards", "3", "--json"];
    for (verb, files) in [
        (
            &["bench", "run", "workspace"][..],
            &["report.json", "answers.jsonl", "verdicts.jsonl"][..],
        ),
        (
            &["failures", "probe", "other_edit", "--limit", "3"],
            &["report.json", "points.jsonl"],
        ),
    ] {
        let whole = local(&cluster.user, &words(verb, &one, &[]));
        let args = words(verb, &many, &submit);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = cluster.erw(&args);
        assert!(output.status.success(), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let run = Folder::at(answer["folder"].as_str().unwrap());
        // A member that is cancelled is started again.
        let first = array(&run);
        cluster.slurm("scancel", &[&format!("{first}_1")]);
        cluster.until_state(&run, State::Done);
        for name in files {
            assert_eq!(file(&run, name, &many), file(&whole, name, &one), "{name}");
        }
    }
    let (dir, model) = (cluster.user.workspace("plain", 3), small_model());
    cluster.json(&score(&dir, &model, &["--launcher", "slurm"]));
    let run = only_run(&dir.join("runs")).unwrap();
    cluster.until_state(&run, State::Done);
    assert_eq!(scores(&dir).len(), 6);
}
