//! Benchmarks, probes and ablations on a cluster: what several processes did comes to the same as what one does, to the last digit
//! and byte.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use erw::runs::{Folder, State, glance};

use super::scores::scores;
use super::stand_in::{Cluster, lines};
use super::{User, until};
use crate::cli::{png, small_model};
use crate::train::{PLAN, sample, tiny};

impl User {
    /// A workspace of so many labelled groups of three candidates in a folder of this name. An image of the second went away after
    /// that, and so did the source of the third.
    pub(super) fn labelled(&self, name: &str, count: u8) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir(&dir).unwrap();
        let mut text = String::new();
        for g in 0..count {
            let colours = ["s", "a", "b", "c"].into_iter().zip([0_u8, 60, 120, 180]);
            for (name, blue) in colours {
                let picture = png(40, 32, [g * 3, 90, blue]);
                fs::write(dir.join(format!("{name}{g}.png")), picture).unwrap();
            }
            let labelled = ["a", "b", "c"]
                .into_iter()
                .zip([(4, 3), (2, 4), (1, 1 + g % 3)]);
            let candidates = labelled.map(|(name, (following, looks))| {
                format!(
                    r#"{{"id":"{name}","image":"{name}{g}.png","labels":[{{"annotator":"x","if":{following},"vq":{looks}}}]}}"#
                )
            });
            let candidates: Vec<String> = candidates.collect();
            writeln!(
                text,
                r#"{{"id":"g{g}","source":"s{g}.png","instruction":"make it {g}","candidates":[{}]}}"#,
                candidates.join(",")
            )
            .unwrap();
        }
        let file = dir.join("groups.jsonl");
        fs::write(&file, text).unwrap();
        let import = [
            "import",
            file.to_str().unwrap(),
            "-w",
            dir.to_str().unwrap(),
        ];
        assert!(self.erw(&import).status.success());
        fs::remove_file(dir.join("b1.png")).unwrap();
        fs::remove_file(dir.join("s2.png")).unwrap();
        dir
    }
}

/// A file of a run; the folder that it worked on is taken out.
pub(super) fn file(run: &Folder, name: &str, dir: &Path) -> String {
    let text = fs::read_to_string(run.path().join(name)).unwrap();
    text.replace(dir.to_str().unwrap(), "DIR")
}

/// The arguments of a verb, with the model and the device, and the runs in the workspace.
pub(super) fn words(verb: &[&str], dir: &Path, more: &[&str]) -> Vec<String> {
    let (dir, model) = (dir.to_str().unwrap(), small_model());
    let common = [
        "-w",
        dir,
        "--model",
        model.to_str().unwrap(),
        "--device",
        "cpu",
    ];
    let runs = format!("{dir}/runs");
    let all = verb
        .iter()
        .chain(&common)
        .chain(more)
        .map(|w| (*w).to_owned());
    all.chain(["--runs".to_owned(), runs]).collect()
}

/// What a command line that leaves something out answers.
pub(super) fn local(user: &User, words: &[String]) -> Folder {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = user.erw(&[&words[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["state"], "done");
    Folder::at(answer["folder"].as_str().unwrap())
}

fn submitted(cluster: &Cluster, words: &[String], shards: &str) -> Folder {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let more = ["--launcher", "slurm", "--shards", shards];
    cluster.submit(&[&words[..], &more].concat())
}

/// Has a member work until its file has so many lines, and kills it.
fn killed_after(cluster: &Cluster, run: &Folder, shard: usize, count: usize) {
    let mut command = cluster.member(run, shard);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    until("there is something", || {
        let there = lines(run, shard, "part.jsonl") >= count;
        (there || child.try_wait().unwrap().is_some()).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Has all members work, the first of them twice, as it is killed, and the rest put together with the database away until then.
fn worked(cluster: &Cluster, run: &Folder, dir: &Path, shards: usize) {
    let (database, away) = (dir.join(".erw"), dir.join("away"));
    fs::rename(&database, &away).unwrap();
    for shard in 0..shards {
        if lines(run, shard, "in.jsonl") > 0 {
            killed_after(cluster, run, shard, 1);
        }
        let output = cluster.member(run, shard).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    fs::rename(&away, &database).unwrap();
    let output = cluster.merge(run);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(glance(run).unwrap().1, State::Done);
}

const OF_A_BENCHMARK: [&str; 4] = [
    "report.json",
    "answers.jsonl",
    "verdicts.jsonl",
    "cases.jsonl",
];

#[test]
fn a_benchmark_of_the_workspace_in_shards_has_the_report_of_one_process_and_keeps_the_scores() {
    let cluster = Cluster::new();
    let [one, many] = ["one", "many"].map(|name| cluster.user.labelled(name, 5));
    let verb = ["bench", "run", "workspace"];
    let whole = local(&cluster.user, &words(&verb, &one, &[]));
    // Some of the scores are there before.
    cluster.user.erw(&[
        "score",
        "-w",
        many.to_str().unwrap(),
        "--model",
        small_model().to_str().unwrap(),
        "--device",
        "cpu",
        "--shard",
        "0/3",
        "--runs",
        cluster.user.runs().to_str().unwrap(),
    ]);
    assert!(!scores(&many).is_empty());
    let run = submitted(&cluster, &words(&verb, &many, &[]), "3");
    assert_eq!(
        glance(&run).unwrap().0.progress().unwrap().unit,
        "candidates"
    );
    worked(&cluster, &run, &many, 3);
    for name in OF_A_BENCHMARK {
        assert_eq!(file(&run, name, &many), file(&whole, name, &one), "{name}");
    }
    assert_eq!(scores(&many), scores(&one));
    // Done again: by the same two words.
    let again = cluster.json(&["jobs", "retry", run.path().to_str().unwrap()]);
    assert_eq!(again["state"], "queued", "{again}");
}

#[test]
fn a_benchmark_of_files_in_shards_has_the_report_of_one_process_and_goes_on_in_one() {
    let cluster = Cluster::new();
    let dir = cluster.user.labelled("set", 5);
    let case = |g: u8| {
        format!(
            r#"{{"prompt":"make it {g}","path_src":"s{g}.png","paths_generated":["a{g}.png","b{g}.png"],"human_vote":{{"ranking":"A>B"}},"id":"{g}"}}"#
        )
    };
    let cases: Vec<String> = (0..5).map(case).collect();
    let data = dir.join("EditReward_Bench_2pair.json");
    fs::write(&data, format!("[{}]", cases.join(",\n"))).unwrap();
    let verb = ["bench", "run", "editreward-bench"];
    let more = ["--data", data.to_str().unwrap()];
    let whole = local(&cluster.user, &words(&verb, &dir, &more));
    let run = submitted(&cluster, &words(&verb, &dir, &more), "3");
    worked(&cluster, &run, &dir, 3);
    let alone = submitted(&cluster, &words(&verb, &dir, &more), "2");
    // Which cases are in which shard hangs on where they are; one of the two has more.
    let fuller = usize::from(lines(&alone, 1, "in.jsonl") > lines(&alone, 0, "in.jsonl"));
    killed_after(&cluster, &alone, fuller, 2);
    // On a quick machine the member may be done before it is killed.
    let known = ["part.jsonl", "done.jsonl"].map(|name| lines(&alone, fuller, name));
    assert!(known.iter().sum::<usize>() >= 2, "{known:?}");
    cluster.queue("");
    let output = cluster.erw(&["resume", alone.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    for name in OF_A_BENCHMARK {
        assert_eq!(file(&run, name, &dir), file(&whole, name, &dir), "{name}");
        if name != "answers.jsonl" {
            assert_eq!(file(&alone, name, &dir), file(&whole, name, &dir), "{name}");
        }
    }
    assert!(scores(&dir).is_empty(), "its cases are of no workspace");
}

#[test]
fn a_probe_in_shards_has_the_points_and_the_report_of_one_process_and_goes_on_in_one() {
    let cluster = Cluster::new();
    let dir = cluster.user.labelled("set", 5);
    let verb = ["failures", "probe", "other_edit", "background_blurred"];
    let more = ["--limit", "3", "--seed", "5"];
    let whole = local(&cluster.user, &words(&verb, &dir, &more));
    let run = submitted(&cluster, &words(&verb, &dir, &more), "3");
    assert_eq!(glance(&run).unwrap().0.progress().unwrap().unit, "points");
    worked(&cluster, &run, &dir, 3);
    let alone = submitted(&cluster, &words(&verb, &dir, &more), "2");
    let shard = usize::from(lines(&alone, 0, "in.jsonl") == 0);
    killed_after(&cluster, &alone, shard, 4);
    cluster.queue("");
    let output = cluster.erw(&["resume", alone.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    for name in ["report.json", "points.jsonl"] {
        assert_eq!(file(&run, name, &dir), file(&whole, name, &dir), "{name}");
    }
    assert_eq!(
        file(&alone, "report.json", &dir),
        file(&whole, "report.json", &dir)
    );
    let report = file(&run, "report.json", &dir);
    assert!(
        report.contains("background") && !report.contains("\"failed\": 0"),
        "{report}"
    );
}

#[test]
fn what_cannot_be_divided_is_refused_before_there_is_a_run() {
    let cluster = Cluster::new();
    let dir = cluster.user.labelled("set", 3);
    let data = ["--scorer", "random", "--launcher", "slurm", "--shards", "2"];
    let mut all = words(&["bench", "run", "workspace"], &dir, &data);
    let refused = |all: &[String]| {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = cluster.erw(&all);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&all);
    assert!(said.contains("no model is asked here"), "{said}");
    all.retain(|word| word != "--launcher" && word != "slurm");
    let said = refused(&all);
    assert!(said.contains("(--launcher slurm)"), "{said}");
    let many = ["--launcher", "slurm", "--shards", "1001"];
    let said = refused(&words(&["failures", "probe", "blur"], &dir, &many));
    assert!(said.contains("from 1 to 1000"), "{said}");
    assert!(!dir.join("runs").exists());
    assert_eq!(cluster.asked(), "");
}

#[test]
fn each_variant_of_a_grid_is_a_job_of_its_own_on_the_cluster() {
    let cluster = Cluster::new();
    let home = cluster.user.path("work");
    fs::write(home.join("groups.jsonl"), sample(6)).unwrap();
    fs::write(home.join("plan.toml"), tiny(PLAN)).unwrap();
    let grid = "plan = 'plan.toml'\n[[vary]]\nkey = 'loss.kind'\nvalues = ['bradley-terry', 'regression']\n";
    fs::write(home.join("losses.toml"), grid).unwrap();
    assert!(
        cluster
            .erw(&["import", "groups.jsonl", "-w", "set"])
            .status
            .success()
    );
    let args = ["ablate", "losses.toml", "-w", "set", "--device", "cpu"];
    let submit = [&args[..], &["--launcher", "slurm"]].concat();
    let answer = cluster.json(&submit);
    assert_eq!(answer["runs"], serde_json::json!({"queued": 2}));
    assert_eq!(cluster.asked().matches("sbatch --parsable").count(), 2);
    cluster.queue("PENDING\n");
    // Typed again while they wait: nothing is submitted twice.
    cluster.json(&submit);
    assert_eq!(cluster.asked().matches("sbatch").count(), 2);
    // Slurm lost them: what is missing is submitted again, each to where it was.
    cluster.queue("");
    cluster.json(&args);
    assert_eq!(cluster.asked().matches("sbatch").count(), 4);
    cluster.queue("RUNNING\n");
    for run in erw::runs::Run::list(&home.join("set/runs")).unwrap().runs {
        assert_eq!(run.manifest.launcher, "slurm");
        let output = cluster.script(&run.folder, "job.sh").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    cluster.queue("");
    let table = cluster.json(&[&args[..], &["--table"]].concat());
    assert_eq!(table["runs"], serde_json::json!({"done": 2}));
}
