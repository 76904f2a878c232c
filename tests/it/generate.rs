//! Making candidates as a shell sees it: a workspace, editors in the settings, and runs that are killed, stopped and taken up again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use erw::data::{Workspace, images};
use erw::domain::GroupId;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program;
use crate::server::{Act, Server};

const DEADLINE: Duration = Duration::from_mins(1);

const KEY: &str = "sk-test-0123456789abcdef";

/// A user with a workspace of a few groups, and settings.
struct User {
    home: TempDir,
}

impl User {
    /// Groups g1, g2, … whose instructions are their numbers.
    fn new(groups: usize) -> Self {
        let user = Self {
            home: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(user.path("set")).unwrap();
        let photo =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/edits/parrot-blue-a.jpg");
        std::fs::copy(photo, user.path("set/s.jpg")).unwrap();
        let group = |i: usize| {
            let group = json!({"id": format!("g{i}"), "source": "s.jpg", "instruction": i.to_string(), "split": "train",
                "candidates": [{"id": "a", "image": "s.jpg"}]});
            format!("{group}\n")
        };
        let lines: String = (1..=groups).map(group).collect();
        std::fs::write(user.path("set/groups.jsonl"), lines).unwrap();
        let imported = user.erw(&["import", "set/groups.jsonl", "-w", "set"]);
        assert!(imported.status.success(), "{}", said(&imported));
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn settings(&self, text: &str) {
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    /// Editors that are scripts, which find source, instruction, seed and the file to write in $1 to $4.
    fn editors(&self, editors: &[(&str, &str, &str)]) {
        let table = |(name, script, more): &(&str, &str, &str)| {
            let words = ["{source}", "{instruction}", "{seed}", "{out}"];
            let words = json!([["/bin/sh", "-c", script, "sh"], words].concat());
            format!("[editors.{name}]\ncommand = {words}\n{more}\n")
        };
        self.settings(&editors.iter().map(table).collect::<String>());
    }

    fn command(&self, args: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = program::erw(args, home, home, &self.path("data"));
        command.env("PATH", "/usr/bin:/bin");
        if self.path("config.toml").exists() {
            command.env("ERW_CONFIG", self.path("config.toml"));
        }
        command
    }

    fn erw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn generate(&self, code: i32, more: &[&str]) -> (Value, String) {
        let args = [&["generate", "-w", "set", "--json"][..], more].concat();
        let output = self.erw(&args);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (answer, String::from_utf8(output.stderr).unwrap())
    }

    fn start(&self) -> Child {
        let args = ["generate", "-w", "set"];
        let mut command = self.command(&args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// The only run.
    fn run(&self) -> PathBuf {
        let runs = std::fs::read_dir(self.path("set/runs")).unwrap().flatten();
        let mut runs: Vec<PathBuf> = runs
            .map(|e| e.path())
            .filter(|p| p.join("run.toml").exists())
            .collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    fn name_of_run(&self) -> String {
        let run = self.run();
        run.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// What a script wrote down, a word for each time that it was started.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often each editor and seed has a candidate in the group; each has an image that can be decoded.
    fn candidates(&self, group: i64) -> HashMap<(String, u64), usize> {
        let workspace = Workspace::open(&self.path("set")).unwrap();
        let mut often = HashMap::new();
        for candidate in workspace.group(GroupId(group)).unwrap().unwrap().candidates {
            let (Some(editor), Some(seed)) = (candidate.editor, candidate.seed) else {
                continue;
            };
            let bytes = images::read(workspace.root(), &candidate.image).unwrap();
            images::decode(&bytes).unwrap();
            *often.entry((editor, seed)).or_insert(0) += 1;
        }
        often
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Waits for a fact.
fn until(what: &str, fact: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !fact() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// Everything that is in the files of a folder and those below.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

/// A script that writes down what it is started for and copies the source; from the group of that number on it waits for a file.
fn script(user: &User, wait_from: usize) -> String {
    format!(
        "echo \"$2-$3\" >> '{}'; [ \"$2\" -lt {wait_from} ] || until [ -e '{}' ]; do sleep 0.02; done; cp \"$1\" \"$4\"",
        user.path("calls").display(),
        user.path("go").display()
    )
}

#[test]
fn candidates_are_made_and_the_run_is_one_like_any_other() {
    let user = User::new(2);
    user.editors(&[
        ("qwen", &script(&user, 99), "count = 2"),
        ("flux", &script(&user, 99), "seeds = [7]\nworkers = 2"),
    ]);
    let (looked, _) = user.generate(0, &["--dry-run"]);
    assert_eq!(
        looked,
        json!({"out": user.path("set/generated").canonicalize().unwrap_or(user.path("set/generated")), "missing": 6, "groups": 2,
            "without_source": 0, "complete": 0, "present": 0, "on_disk": 0, "to_make": {"flux": 2, "qwen": 4}})
    );
    assert!(!user.path("set/runs").exists() && !user.path("set/generated").exists());
    let (answer, _) = user.generate(0, &[]);
    assert_eq!(answer["state"], "done");
    let report = &answer["report"];
    let numbers = ["groups", "made", "earlier", "failed"].map(|key| report[key].clone());
    assert_eq!(numbers, [2, 6, 0, 0].map(Value::from));
    let mut keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    keys.sort();
    let expected = [
        "earlier",
        "editors",
        "failed",
        "failures",
        "groups",
        "made",
        "out",
        "sample",
        "without_source",
    ];
    assert_eq!(keys, expected);
    let expected =
        [("qwen", 1), ("qwen", 2), ("flux", 7)].map(|(e, seed)| ((e.to_owned(), seed), 1));
    for group in [1, 2] {
        assert_eq!(user.candidates(group), HashMap::from(expected.clone()));
    }
    let listed = user.erw(&["jobs", "list", "--json", "--runs", "set/runs"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let run = &listed["runs"][0];
    assert_eq!(
        (&run["verb"], &run["state"]),
        (&"generate".into(), &"done".into())
    );
    assert_eq!(run["reason"], "6 made");
    let progress = &run["progress"];
    assert_eq!(
        (&progress["done"], &progress["total"], &progress["unit"]),
        (&6.into(), &6.into(), &"candidates".into())
    );
    let again = user.erw(&[
        "generate",
        "-w",
        "set",
        "--per-editor",
        "2",
        "--editors",
        "qwen",
    ]);
    assert!(said(&again).contains("0 candidates in"), "{}", said(&again));
    assert_eq!(user.calls().len(), 6);
}

#[test]
fn a_run_that_was_killed_goes_on_and_makes_nothing_twice() {
    let user = User::new(6);
    user.editors(&[
        ("a", &script(&user, 3), "count = 2"),
        ("b", &script(&user, 5), ""),
    ]);
    let mut child = user.start();
    // Editor a is at its fifth candidate, b at its fifth, and both wait.
    until("both editors wait", || user.calls().len() == 10);
    let answers = user.run().join("answers.jsonl");
    let noted = || {
        std::fs::read_to_string(&answers)
            .unwrap_or_default()
            .lines()
            .count()
    };
    until("all that is done is noted", || noted() == 8);
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::write(user.path("go"), "").unwrap();
    let name = user.name_of_run();
    let output = user.erw(&["resume", &name, "--runs", "set/runs", "--json"]);
    assert!(output.status.success(), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&answer["report"]["made"], &answer["report"]["failed"]),
        (&18.into(), &0.into())
    );
    for group in 1..=6 {
        let expected = [("a", 1), ("a", 2), ("b", 1)].map(|(e, seed)| ((e.to_owned(), seed), 1));
        assert_eq!(
            user.candidates(group),
            HashMap::from(expected),
            "group {group}"
        );
    }
    // Only what was under way was begun a second time.
    assert_eq!(user.calls().len(), 18 + 2);
    assert_eq!(noted(), 18);
    let images = |folder: &str| std::fs::read_dir(user.path(folder)).unwrap().count();
    assert_eq!(images("set/generated"), 7, "six groups and the ledger");
    assert_eq!(images("set/generated/g6"), 3);
    let scratch = std::fs::read_dir(user.run()).unwrap().flatten();
    let scratch = scratch.filter(|e| e.file_name().to_string_lossy().starts_with("scratch"));
    assert_eq!(scratch.count(), 0);
}

#[test]
fn a_run_that_is_asked_to_stop_ends_with_130_and_goes_on() {
    let user = User::new(4);
    user.editors(&[("a", &script(&user, 3), "")]);
    let mut child = user.start();
    until("the third is under way", || user.calls().len() == 3);
    let name = user.name_of_run();
    let stopped = user.erw(&["jobs", "stop", &name, "--runs", "set/runs"]);
    assert!(stopped.status.success(), "{}", said(&stopped));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let shown = user.erw(&["jobs", "show", &name, "--runs", "set/runs", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&"stopped".into(), &"2 of 4 candidates done".into())
    );
    std::fs::write(user.path("go"), "").unwrap();
    let output = user.erw(&["resume", &name, "--runs", "set/runs"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(user.calls(), ["1-1", "2-1", "3-1", "3-1", "4-1"]);
}

#[test]
fn an_interrupt_ends_what_is_under_way() {
    let user = User::new(2);
    user.editors(&[("a", &script(&user, 1), "")]);
    let mut child = user.start();
    until("the first is under way", || user.calls().len() == 1);
    let pid = child.id().to_string();
    let sent = Command::new("/bin/sh")
        .args(["-c", "kill -INT \"$1\"", "sh", &pid])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(user.candidates(1).is_empty());
}

#[test]
fn failures_are_told_with_exit_code_3_and_are_all_that_another_call_makes() {
    let user = User::new(3);
    let script = script(&user, 99);
    let picky = format!("if [ \"$2\" = 2 ]; then echo 'no such layer' >&2; exit 9; fi; {script}");
    user.editors(&[("a", &picky, "retries = 5")]);
    let (answer, told) = user.generate(3, &["--retries", "1"]);
    assert_eq!(
        (&answer["report"]["made"], &answer["report"]["failed"]),
        (&2.into(), &1.into())
    );
    let failure = &answer["report"]["failures"][0];
    assert_eq!(
        (&failure["group"], &failure["editor"], &failure["seed"]),
        (&"g2".into(), &"a".into(), &1.into())
    );
    let why = "editor 'a': exit status: 9: no such layer; tried 2 times";
    assert_eq!(
        (&failure["failed"], &failure["tries"]),
        (&why.into(), &2.into())
    );
    assert!(
        told.contains(&format!("group 'g2', seed 1: {why}")),
        "{told}"
    );
    user.editors(&[("a", &script, "")]);
    assert_eq!(user.generate(0, &[]).0["report"]["made"], 1);
    assert_eq!(user.calls(), ["1-1", "3-1", "2-1"]);
}

#[test]
fn some_of_each_group_are_sampled_and_the_rest_is_kept() {
    let user = User::new(2);
    let editors = ["a", "b", "c"].map(|name| (name, script(&user, 99)));
    let editors: Vec<_> = editors
        .iter()
        .map(|(name, script)| (*name, script.as_str(), "count = 2"))
        .collect();
    user.editors(&editors);
    std::fs::write(user.path("some.txt"), "g2\n").unwrap();
    let (answer, _) = user.generate(
        0,
        &[
            "--sample", "4", "--seed", "3", "--groups", "some.txt", "--split", "train",
        ],
    );
    assert_eq!(
        answer["report"]["sample"],
        json!({"of_each": 4, "seed": 3, "groups": 1, "short": 0, "taken": 4, "left": 2})
    );
    let kept = user.candidates(2);
    let editors: Vec<usize> = ["a", "b", "c"]
        .iter()
        .map(|e| kept.keys().filter(|(of, _)| of == e).count())
        .collect();
    assert!(
        kept.len() == 4 && editors.iter().all(|n| *n > 0),
        "{kept:?}"
    );
    assert!(user.candidates(1).is_empty());
    let (all, _) = user.generate(0, &["--groups", "some.txt"]);
    assert_eq!(
        (&all["report"]["made"], &all["report"]["earlier"]),
        (&0.into(), &2.into())
    );
    assert_eq!((user.candidates(2).len(), user.calls().len()), (6, 6));
}

#[test]
fn an_endpoint_makes_candidates_and_its_key_shows_nowhere() {
    let user = User::new(2);
    let image = std::fs::read(user.path("set/s.jpg")).unwrap();
    let encoded = base64(&image);
    let server = Server::start(move |number, request| {
        assert_eq!(
            request.header("authorization"),
            Some(format!("Bearer {KEY}").as_str())
        );
        match number {
            0 => Act::Send(429, "Retry-After: 0\r\n", "{}".into()),
            1 => Act::Send(
                200,
                "",
                json!({"data": [{"b64_json": encoded}]}).to_string(),
            ),
            _ => {
                let told = format!("Incorrect API key provided: {KEY} (or sk-t****cdef)");
                Act::Send(401, "", json!({"error": {"message": told}}).to_string())
            }
        }
    });
    user.settings(&format!(
        "[editors.far]\nbase_url = \"{}\"\nmodel = \"m\"\nkey_env = \"FAR_KEY\"\n",
        server.url()
    ));
    let args = ["generate", "-w", "set", "--json"];
    let output = user.command(&args).env("FAR_KEY", KEY).output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("1 made, 1 still missing") && told.contains("FAR_KEY"),
        "{told}"
    );
    assert_eq!(
        user.candidates(1),
        HashMap::from([(("far".to_owned(), 1), 1)])
    );
    let kept = std::fs::read(user.path("set/generated/g1/far-1.jpg")).unwrap();
    assert_eq!(kept, image);
    for text in [told, all_text(user.home.path())] {
        for part in [KEY, "0123456789", "cdef)"] {
            assert!(!text.contains(part), "{part}");
        }
    }
}

/// As RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = ALPHABET[(number >> (18 - 6 * place)) as usize & 63];
            text.push(if place > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[test]
fn what_is_asked_wrong_is_answered_with_what_there_is_and_exit_code_2() {
    let user = User::new(1);
    let refused = |more: &[&str]| {
        let args = [&["generate", "-w", "set"][..], more].concat();
        let output = user.erw(&args);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    };
    assert!(refused(&[]).contains("the settings have no editors"));
    user.editors(&[("a", "true", "seeds = [4]"), ("b", "true", "")]);
    let told = refused(&["--editors", "a,c"]);
    assert!(
        told.contains("--editors: the settings have no [editors.c]; they have a, b"),
        "{told}"
    );
    let told = refused(&["--per-editor", "2"]);
    assert!(
        told.contains("--per-editor: editor 'a' has only 1 seed"),
        "{told}"
    );
    user.settings("[editors.a]\ncommand = \"edit {source} {out}\"\n");
    let told = refused(&[]);
    assert!(
        told.contains("config.toml:2: command: it has no {instruction}"),
        "{told}"
    );
    assert!(!user.path("set/runs").exists());
    let nowhere = user.erw(&["generate"]);
    assert!(!nowhere.status.success());
}
