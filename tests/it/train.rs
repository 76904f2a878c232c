//! Training as a shell sees it, with a true network: a run is made, killed, taken up again, and ends in the same bytes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// A user with a workspace of a few groups of the sample data, and plans.
struct Bench {
    home: TempDir,
}

/// As small as a run can be and still accumulate, measure, keep and throw away: two passes a step, a line on stderr after every
/// step.
pub(crate) const PLAN: &str = r#"
seed = 3
data.validation = 0.25
pairs.axes = "both"
batch.size = 1
batch.accumulate = 2
batch.candidates = 2
length.steps = 5
evaluation.every = 1
evaluation.groups = 1
evaluation.follow = 1
checkpoints.every = 2
rates.all = 1e-3
model.head_dropout = 0.1
"#;

/// A plan that trains the smallest model there is.
pub(crate) fn tiny(plan: &str) -> String {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-bpe");
    format!("model.base = '{}'\n{plan}", model.display())
}

/// The first so many groups of the sample data, for any folder.
pub(crate) fn sample(groups: usize) -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(sources.join("sample-data/groups.jsonl")).unwrap();
    let absolute = |group: &str| {
        let mut group: Value = serde_json::from_str(group).unwrap();
        let place = |path: &Value| {
            let path = sources.join("sample-data").join(path.as_str().unwrap());
            Value::from(path.to_str().unwrap())
        };
        group["source"] = place(&group["source"]);
        for candidate in group["candidates"].as_array_mut().unwrap() {
            candidate["image"] = place(&candidate["image"]);
        }
        format!("{group}\n")
    };
    text.lines().take(groups).map(absolute).collect()
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("groups.jsonl"), sample(6)).unwrap();
        let bench = Self { home };
        bench.plan(PLAN);
        let imported = bench.erw(&["import", "groups.jsonl", "-w", "set"]);
        assert!(imported.status.success(), "{}", text(&imported.stderr));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn plan(&self, text: &str) {
        std::fs::write(self.path("plan.toml"), tiny(text)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let home = self.home.path();
        program::erw(args, home, home, &self.path("data"))
    }

    fn erw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The object that a training run printed.
    fn trained(&self, args: &[&str]) -> Value {
        let output = self.erw(args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The only run below `root`.
    fn run_in(&self, root: &str) -> PathBuf {
        let runs = std::fs::read_dir(self.path(root)).unwrap().flatten();
        let mut runs = runs
            .map(|e| e.path())
            .filter(|p| p.join("run.toml").exists());
        runs.next().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every number that no clock has a part in, by step; of a step that was made again, the last.
fn metrics(run: &Path) -> BTreeMap<u64, BTreeMap<String, String>> {
    let mut all: BTreeMap<u64, BTreeMap<String, String>> = BTreeMap::new();
    for line in std::fs::read_to_string(run.join("events.jsonl"))
        .unwrap()
        .lines()
    {
        let event: Value = serde_json::from_str(line).unwrap();
        let step = event["step"].as_u64().unwrap_or_default();
        match event["event"].as_str().unwrap() {
            "resumed" => all.retain(|s, _| *s <= step),
            "metrics" => {
                for (name, value) in event["values"].as_object().unwrap() {
                    if !name.contains("second") {
                        let values = all.entry(step).or_default();
                        values.insert(name.clone(), value.to_string());
                    }
                }
            }
            _ => {}
        }
    }
    all
}

/// What makes a run below `runs`.
fn train(runs: &str) -> [&str; 9] {
    [
        "train",
        "plan.toml",
        "-w",
        "set",
        "--json",
        "--device",
        "cpu",
        "--runs",
        runs,
    ]
}

#[test]
fn a_run_that_was_killed_at_any_step_ends_in_the_same_bytes_as_one_that_was_not() {
    let bench = Bench::new();
    let whole = bench.trained(&train("whole"));
    assert_eq!(
        (&whole["outcome"], &whole["step"]),
        (&"done".into(), &5.into())
    );
    let weights = |run: &Path| std::fs::read(run.join("model/model.safetensors")).unwrap();
    let undisturbed = bench.run_in("whole");
    for kill_after in [0, 1, 3] {
        let root = format!("killed-{kill_after}");
        let mut child = bench
            .command(&train(&root))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut steps = 0;
        for line in lines.map_while(Result::ok) {
            steps += usize::from(line.starts_with("step "));
            if steps > kill_after {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let run = bench.run_in(&root);
        assert!(!run.join("model").exists(), "killed too late");
        let name = run.file_name().unwrap().to_str().unwrap();
        let resumed = bench.trained(&["resume", name, "--runs", &root, "--json"]);
        assert_eq!(resumed["outcome"], "done");
        assert_eq!(
            metrics(&run),
            metrics(&undisturbed),
            "killed after {kill_after}"
        );
        assert_eq!(
            weights(&run),
            weights(&undisturbed),
            "killed after {kill_after}"
        );
    }
}

#[test]
fn what_training_makes_is_a_model_that_scores_and_can_be_trained_on() {
    let bench = Bench::new();
    bench.plan(&format!(
        "name = \"mine\"\nregister = true\ntrain = \"heads\"\n{PLAN}"
    ));
    let args = [
        "train",
        "plan.toml",
        "-w",
        "set",
        "--json",
        "--steps",
        "2",
        "--device",
        "cpu",
    ];
    let trained = bench.trained(&args);
    assert_eq!(trained["registered"], "mine");
    assert!(
        trained["report"]["total"]["accuracy"]["of"]
            .as_u64()
            .unwrap()
            > 0
    );
    let run = bench.run_in("set/runs");
    assert!(run.join("report.json").exists());
    let listed = text(&bench.erw(&["model", "list"]).stdout);
    assert!(listed.contains("mine"), "{listed}");
    let score = [
        "score", "-w", "set", "--model", "mine", "--json", "--device", "cpu",
    ];
    let scored = bench.trained(&score);
    assert_eq!(
        (&scored["model"]["trained"], &scored["left_out"]),
        (&true.into(), &0.into())
    );
    let again = [
        &args[..],
        &["--set", "model.base=mine", "--set", "register=false"],
    ]
    .concat();
    assert_eq!(bench.trained(&again)["outcome"], "done");
}

#[test]
fn a_plan_can_be_looked_over_before_anything_is_made() {
    let bench = Bench::new();
    let output = bench.erw(&["train", "plan.toml", "-w", "set", "--check", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let check: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&check["steps"], &check["step_size"]),
        (&5.into(), &2.into())
    );
    assert!(check["trained_parameters"].as_u64() < check["parameters"].as_u64());
    assert!(!bench.path("set/runs").exists());
}

#[test]
fn a_wrong_plan_is_a_usage_error_that_names_the_line_or_the_flag() {
    let bench = Bench::new();
    bench.plan("[loss]\nkind = \"best\"\n");
    let output = bench.erw(&["train", "plan.toml", "-w", "set"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("plan.toml:3: kind: unknown variant"),
        "{}",
        text(&output.stderr)
    );
    bench.plan(PLAN);
    let output = bench.erw(&["train", "plan.toml", "-w", "set", "--set", "batch.size=0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--set batch.size=0: 0 is too few"));
    let output = bench.erw(&["train", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot read the plan 'nowhere.toml'"));
}

/// The published trainer is simulated: a shell script in its place says what it was given and prints a line as it does.
#[cfg(unix)]
#[test]
fn the_published_trainer_is_started_in_its_clone_and_followed_as_a_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    let write = |name: &str, text: &str| {
        let path = bench.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    write("clone/EditReward/train_qwen2_5_edit.py", "");
    let program = write(
        "bin/deepspeed",
        "#!/bin/sh\necho \"in $(pwd) with $PYTHONPATH: $*\"\necho \"{'loss': 0.5, 'learning_rate': 1e-06, 'epoch': 0.5}\"\n",
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    bench.plan(&format!(
        "name = \"far\"\n{}",
        PLAN.replace("\"both\"", "\"overall\"")
    ));
    let clone = bench.path("clone").canonicalize().unwrap();
    let output = bench
        .command(&[
            "train",
            "plan.toml",
            "-w",
            "set",
            "--json",
            "--engine",
            "deepspeed",
        ])
        .args(["--reference-repo", "clone", "--gpus", "2"])
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", bench.path("bin").display()),
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let trained: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(trained["outcome"], "done");
    assert!(trained["handover"]["pairs"].as_u64().unwrap() > 0);
    let run = bench.run_in("set/runs");
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    let place = clone.display().to_string();
    let told = log.lines().find(|line| line.starts_with("in ")).unwrap();
    assert!(
        told.starts_with(&format!("in {place} with {place}: --num_gpus 2")),
        "{told}"
    );
    assert!(told.ends_with("handover/config.yaml"), "{told}");
    assert_eq!(metrics(&run).len(), 1, "{log}");
}

#[test]
fn a_grid_becomes_runs_and_their_table_and_nothing_is_run_twice() {
    let bench = Bench::new();
    let grid = "plan = 'plan.toml'\nseeds = [1, 2]\n[[vary]]\nkey = 'loss.kind'\nvalues = ['bradley-terry', 'regression']\n";
    std::fs::write(bench.path("losses.toml"), grid).unwrap();
    let args = |more: &[&'static str]| {
        let common = ["ablate", "losses.toml", "-w", "set", "--device", "cpu"];
        [&common[..], more].concat()
    };
    let answer = |more: &[&'static str]| -> Value {
        let output = bench.erw(&args(more));
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let planned = text(&bench.erw(&args(&["--check"])).stdout);
    assert_eq!(
        planned.matches("missing  losses: loss.kind").count(),
        4,
        "{planned}"
    );

    let done = answer(&["--wait", "--json"]);
    assert_eq!(done["runs"], serde_json::json!({"done": 4}));
    let variants = done["variants"].as_array().unwrap();
    let names: Vec<&str> = variants
        .iter()
        .map(|v| v["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["loss.kind bradley-terry", "loss.kind regression"]);
    assert_eq!(
        (&variants[0]["done"], &variants[0]["difference"]),
        (&2.into(), &Value::Null)
    );
    let share = |variant: &Value| variant["accuracy"]["value"].as_f64().unwrap();
    let difference = variants[1]["difference"]["value"].as_f64().unwrap();
    assert!((share(&variants[1]) - share(&variants[0]) - difference).abs() < 1e-9);
    assert!(variants[1]["cost"].as_f64().unwrap() > 0.0);

    assert_eq!(answer(&["--wait", "--json"]), done);
    let count = std::fs::read_dir(bench.path("set/runs")).unwrap().flatten();
    let count = count.filter(|e| e.path().join("run.toml").exists()).count();
    assert_eq!(count, 4);
    let table = text(&bench.erw(&args(&["--table"])).stdout);
    assert!(
        table.contains("loss.kind regression") && table.contains("runs: 4 done"),
        "{table}"
    );
}
