//! What a model falls for, from the command line: measured, probed, reported, and refused in words.

use serde_json::json;

use super::{GROUPS, User, shape_of, small_model};

#[test]
fn edits_are_measured_once_probed_and_reported() {
    let user = User::new();
    user.pictures();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(0);
    let measured = user.erw(&["failures", "measure", "--json"]).ended(0);
    assert_eq!(measured.json()["report"]["measured"], json!(2));
    insta::assert_snapshot!("failures_measure", shape_of(&measured));
    let again = user.erw(&["failures", "measure", "--json"]).ended(0).json();
    assert_eq!(again["report"]["known"], json!(2));

    let model = small_model();
    let probe = [
        "failures", "probe", "blur", "--steps", "0,2", "--json", "-m",
    ];
    let probed = user
        .erw(&[&probe[..], &[model.to_str().unwrap()]].concat())
        .ended(0);
    insta::assert_snapshot!("failures_probe", shape_of(&probed));
    let run = probed.json()["run"].as_str().unwrap().to_owned();
    for (format, begins) in [
        ("md", "# How "),
        ("html", "<!doctype html>"),
        ("csv", "model,factor,"),
        ("json", "{"),
        ("svg", "<svg"),
    ] {
        let report = user
            .erw(&["failures", "report", &run, "--format", format])
            .ended(0);
        assert!(report.out.starts_with(begins), "{format}: {}", report.out);
    }

    let few = user
        .erw(&["failures", "analyse", "-m", model.to_str().unwrap()])
        .ended(1);
    few.says(&["at least 30", "'erw score'"]);
    let run = measured.json()["run"].as_str().unwrap().to_owned();
    user.erw(&["failures", "report", &run])
        .ended(1)
        .says(&["failures measure", "neither an analysis nor a probe"]);
    user.erw(&["failures", "probe", "blur", "--steps", "-1"])
        .ended(2)
        .says(&["--steps", "blur"]);
}

#[test]
fn a_query_chooses_what_is_measured() {
    let user = User::new();
    user.pictures();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(0);
    let chosen = |query: &str| {
        let measured = user
            .erw(&["failures", "measure", "--where", query, "--json"])
            .ended(0);
        measured.json()["report"]["candidates"].clone()
    };
    assert_eq!(chosen("group = other"), json!(0));
    // Groups are measured whole; its words leave open what the edit is of, and the measures say it.
    assert_eq!(chosen("scope = global"), json!(0));
    assert_eq!(chosen("candidate = x"), json!(2));
    assert_eq!(chosen("scope = global"), json!(2));
    let runs = || user.erw(&["jobs", "list", "--json"]).ended(0).json()["runs"].clone();
    let before = runs();
    for verb in ["measure", "analyse"] {
        let model = small_model();
        let mut words = vec!["failures", verb, "--where", "candidate >"];
        if verb == "analyse" {
            words.extend(["-m", model.to_str().unwrap()]);
        }
        user.erw(&words).ended(2).says(&["mistake"]);
    }
    assert_eq!(runs(), before, "a refused query leaves no run behind");
}
