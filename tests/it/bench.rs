//! Benchmarks as a shell sees them: figures of recorded judges, runs that are killed and taken up again, and bad records.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// A user with a benchmark of four votes and the answers of two judges.
struct User {
    home: TempDir,
}

const VOTES: &str = r#"[
{"idx": 0, "instruct_prompt": "add a hat", "human_vote": "leftvote", "sure_vote": "[[A>B]]", "left_model": "m", "right_model": "n"},
{"idx": 1, "instruct_prompt": "remove it", "human_vote": "rightvote", "sure_vote": "[[A>B]]", "left_model": "m", "right_model": "n"},
{"idx": 2, "instruct_prompt": "make it\u001b[2J red", "human_vote": "bothbad_vote", "sure_vote": "[[A=B=Bad]]"},
{"idx": 3, "instruct_prompt": "blur", "human_vote": "rightvote", "sure_vote": "[[B>A]]", "left_model": "m", "right_model": "n"}
]"#;

const SCORES: &str = "idx,editor,score\n0,m,0.9\n0,n,0.1\n1,m,0.2\n1,n,0.8\n3,m,0.5\n3,n,0.4\n";

impl User {
    fn new() -> Self {
        let user = Self {
            home: tempfile::tempdir().unwrap(),
        };
        user.write("votes.json", VOTES);
        user.write("scores.csv", SCORES);
        user
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).unwrap();
    }

    fn erw(&self, args: &[&str]) -> Output {
        let home = self.home.path();
        program::erw(args, home, home, &home.join("data"))
            .output()
            .unwrap()
    }

    /// A benchmark run that ends with `code`, and what it says in JSON.
    fn run(&self, code: i32, more: &[&str]) -> Value {
        let mut args = vec!["bench", "run", "genai-edit", "--data", "votes.json"];
        args.extend(["--runs", "runs", "--json"]);
        args.extend(more);
        let output = self.erw(&args);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn figure(run: &Value, key: &str) -> Value {
    let figures = run["report"]["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["key"] == key);
    found.unwrap_or_else(|| panic!("{key}: {run:#}"))["value"].clone()
}

#[test]
fn a_recorded_judge_of_the_data_itself_is_replayed() {
    let user = User::new();
    let run = user.run(0, &["--scorer", "field:sure"]);
    assert_eq!(figure(&run, "four-label"), 0.75);
    assert_eq!(figure(&run, "calibrated"), 0.75);
    assert_eq!(figure(&run, "strict"), 2.0 / 3.0);
    assert_eq!(run["report"]["scorer"]["kind"], "recorded");
    assert_eq!(run["state"], "done");
}

#[test]
fn scores_of_a_table_are_replayed_and_what_it_lacks_is_said_with_exit_code_3() {
    let user = User::new();
    let run = user.run(3, &["--scorer", "recorded:scores.csv"]);
    assert_eq!(figure(&run, "strict"), 2.0 / 3.0);
    assert_eq!(run["report"]["unanswered"]["missing"], 1);
    let first = run["report"]["unanswered"]["first"].as_str().unwrap();
    assert!(first.contains("nothing is recorded"), "{first}");
}

#[test]
fn edits_without_a_score_beside_others_are_counted_and_named_in_words_and_in_json() {
    let user = User::new();
    user.write("scores.csv", &SCORES.replace("1,n,0.8\n", ""));
    let scorer = ["--scorer", "recorded:scores.csv"];
    let run = user.run(3, &scorer);
    let unscored = &run["report"]["unscored"];
    assert_eq!(unscored["edits"], 1);
    assert_eq!(unscored["first"][0], "1, edit 2: it has no score");
    let written = Path::new(run["folder"].as_str().unwrap()).join("report.json");
    let written: Value = serde_json::from_slice(&std::fs::read(written).unwrap()).unwrap();
    assert_eq!(written["unscored"], *unscored);
    let args = ["bench", "run", "genai-edit", "--data", "votes.json"];
    let output = user.erw(&[&args[..], &scorer, &["--runs", "runs"]].concat());
    let text = said(&output);
    for part in [
        "without a score beside others of their case: 1 edit",
        "1, edit 2: it has no score",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_bad_record_ends_the_run_unless_it_is_to_be_left_out() {
    let user = User::new();
    let bad = VOTES.replace("\"bothbad_vote\"", "\"middlevote\"");
    user.write("votes.json", &bad);
    let args = ["bench", "run", "genai-edit", "--data", "votes.json"];
    let output = user.erw(&[&args[..], &["--scorer", "random", "--runs", "runs"]].concat());
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["votes.json:4", "'human_vote'", "middlevote", "--skip-bad"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let run = user.run(3, &["--scorer", "constant", "--skip-bad"]);
    assert_eq!(run["report"]["data"]["left_out"], 1);
    assert_eq!(run["report"]["data"]["cases"], 3);
}

#[test]
fn a_run_that_was_killed_asks_only_what_is_not_answered() {
    let user = User::new();
    let whole = user.run(0, &["--scorer", "field:sure"]);
    let folder = Path::new(whole["folder"].as_str().unwrap());
    // As a kill leaves it: two answers, half of a third, no report.
    let answers = std::fs::read_to_string(folder.join("answers.jsonl")).unwrap();
    let lines: Vec<&str> = answers.lines().collect();
    let torn = format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..9]);
    std::fs::write(folder.join("answers.jsonl"), torn).unwrap();
    std::fs::remove_file(folder.join("report.json")).unwrap();
    let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let alive = |line: &&str| !line.contains("\"ended\"");
    let events: Vec<&str> = events.lines().filter(alive).collect();
    std::fs::write(folder.join("events.jsonl"), events.join("\n") + "\n").unwrap();

    let name = whole["run"].as_str().unwrap();
    let output = user.erw(&["resume", name, "--runs", "runs"]);
    assert!(output.status.success(), "{}", said(&output));
    let report = std::fs::read_to_string(folder.join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report, whole["report"]);
    let answers = std::fs::read_to_string(folder.join("answers.jsonl")).unwrap();
    assert_eq!(answers.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn two_runs_are_held_against_each_other_and_written_down_in_every_format() {
    let user = User::new();
    let a = user.run(0, &["--scorer", "field:sure"]);
    let b = user.run(3, &["--scorer", "recorded:scores.csv"]);
    let name = |run: &Value| run["run"].as_str().unwrap().to_owned();
    let args = [
        "bench",
        "compare",
        &name(&a),
        &name(&b),
        "--runs",
        "runs",
        "--json",
    ];
    let output = user.erw(&args);
    assert!(output.status.success(), "{}", said(&output));
    let compared: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The scores have no answer to the third vote.
    assert_eq!(compared["cases"], 3);
    assert_eq!(compared["discordant"], serde_json::json!([1, 1]));
    assert_eq!(compared["mcnemar"], 1.0);

    for (format, start) in [("md", "#"), ("html", "<!"), ("csv", "run,"), ("json", "{")] {
        let file = format!("report.{format}");
        let args = [
            "bench", "report", "--format", format, "-o", &file, "--runs", "runs",
        ];
        let output = user.erw(&args);
        assert!(output.status.success(), "{}", said(&output));
        let text = std::fs::read_to_string(user.home.path().join(&file)).unwrap();
        assert!(text.starts_with(start), "{format}: {text:.80}");
        assert!(text.contains("sure"), "{format}");
    }
}

#[test]
fn what_is_typed_wrong_is_answered_with_what_there_is() {
    let user = User::new();
    for (args, part) in [
        (vec!["bench", "run", "genai"], "genai-edit"),
        (
            vec!["bench", "run", "gedit", "--scorer", "clip"],
            "ssimulacra2",
        ),
        (
            vec!["bench", "run", "gedit", "--data", "none"],
            "there is no",
        ),
        (
            vec![
                "bench",
                "run",
                "genai-edit",
                "--data",
                "votes.json",
                "--scorer",
                "judge:x",
            ],
            "[judges.x]",
        ),
        (vec!["bench", "report", "--format", "pdf"], "html"),
        (vec!["bench", "reproduce", "--data", "."], "rater1.tsv"),
    ] {
        let output = user.erw(&args);
        let text = said(&output);
        assert!(!output.status.success(), "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
    }
}

#[test]
fn every_benchmark_is_listed_with_its_publisher_and_protocol() {
    let user = User::new();
    let output = user.erw(&["bench", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = listed["benchmarks"].as_array().unwrap();
    assert_eq!(all.len(), 11);
    for one in all {
        for key in ["benchmark", "name", "publisher", "protocol", "data"] {
            assert!(one[key].as_str().is_some_and(|t| !t.is_empty()), "{one}");
        }
    }
    let output = user.erw(&["bench", "list", "editreward-bench"]);
    assert!(said(&output).contains("not EditScore"), "{}", said(&output));
}
