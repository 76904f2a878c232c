//! Keeping the good ones, from the command line: selected, explained, compared, reported, checked, exported, and refused in words.

use serde_json::json;

use super::{GROUPS, User, shape_of, small_model};

/// A user with a workspace of two scored candidates.
fn scored() -> (User, String) {
    let user = User::new();
    user.pictures();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(0);
    let model = small_model().to_str().unwrap().to_owned();
    user.erw(&["score", "-m", &model]).ended(0);
    (user, model)
}

#[test]
fn the_best_are_selected_explained_compared_reported_and_exported() {
    let (user, model) = scored();
    let select = |name: &str, more: &[&str]| {
        let args = [&["curate", "select", name, "--json", "-m", &model], more].concat();
        user.erw(&args)
    };
    let best = select("best", &["--top", "1"]).ended(0);
    insta::assert_snapshot!("curate_select", shape_of(&best));
    assert_eq!(best.json()["selection"], json!("best@1"));
    assert_eq!(best.json()["kept"], json!(1));
    let again = select("best", &["--all"]).ended(0).json();
    assert_eq!(
        (&again["selection"], &again["kept"]),
        (&json!("best@2"), &json!(2))
    );
    select("tried", &["--top", "1", "--dry-run"]).ended(0);
    let listed = user.erw(&["curate", "list", "--json"]).ended(0);
    insta::assert_snapshot!("curate_list", shape_of(&listed));
    assert_eq!(listed.json()["selections"].as_array().unwrap().len(), 2);

    let group = GROUPS.split('"').nth(3).unwrap();
    let why = user
        .erw(&["curate", "why", "best@1", group, "--json"])
        .ended(0);
    insta::assert_snapshot!("curate_why", shape_of(&why));
    let reasons: Vec<_> = why.json()["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].clone())
        .collect();
    assert!(reasons.contains(&json!("kept")) && reasons.contains(&json!("below_cut")));

    let diff = user
        .erw(&["curate", "diff", "best@1", "best@2", "--json"])
        .ended(0);
    insta::assert_snapshot!("curate_diff", shape_of(&diff));
    assert_eq!(diff.json()["overlap"], json!(0.5));
    for (format, begins) in [
        ("md", "# best@1"),
        ("html", "<!doctype html>"),
        ("json", "{"),
    ] {
        let report = user
            .erw(&["curate", "report", "best@1", "--format", format])
            .ended(0);
        assert!(report.out.starts_with(begins), "{format}: {}", report.out);
    }

    user.erw(&["export", "kept.jsonl", "--selection", "best@1"])
        .ended(0);
    let kept = std::fs::read_to_string(user.path("kept.jsonl")).unwrap();
    assert_eq!(kept.matches("\"image\"").count(), 1, "{kept}");
    user.erw(&["curate", "rm", "best@2"]).ended(0);
    let found = user
        .erw(&["data", "find", "selection = best", "--json"])
        .ended(0);
    assert_eq!(found.json()["found"], json!(1));
}

#[test]
fn near_duplicates_of_one_instruction_are_told_of_each_other() {
    let (user, model) = scored();
    // b.png and c.png are the same picture.
    let mut select = vec!["curate", "select", "one", "--all", "--json", "-m", &model];
    select.extend(["--drop-duplicates", "examples"]);
    let one = user.erw(&select).ended(0).json();
    assert_eq!(one["kept"], json!(1));
    let group = GROUPS.split('"').nth(3).unwrap();
    let why = user.erw(&["curate", "why", "one", group]).ended(0);
    assert!(
        why.out.contains("near duplicate of a better one: "),
        "{}",
        why.out
    );
}

#[test]
fn what_cannot_be_selected_says_why_and_what_to_do() {
    let (user, model) = scored();
    let with = |more: &[&str]| user.erw(&[&["curate", "select", "x", "-m", &model], more].concat());
    with(&[]).ended(2).says(&["--top"]);
    with(&["--top", "0"]).ended(2).says(&["at least 1"]);
    with(&["--all", "--by", "best"])
        .ended(2)
        .says(&["overall", "pareto"]);
    with(&["--all", "--least", "if:1"])
        .ended(2)
        .says(&["if=0.5"]);
    with(&["--top", "1", "--at-most", "sky=1"])
        .ended(2)
        .says(&["sky"]);
    with(&["--all", "--where", "sat_delta >"]).ended(2);
    // Fewer than asked for is done, and said.
    with(&["--top", "9"])
        .ended(3)
        .says(&["9 candidates were asked for"]);
    for args in [
        &["curate", "show", "none"][..],
        &["curate", "diff", "x", "none"],
        &["curate", "rm", "none"],
        &["export", "f.jsonl", "--selection", "none"],
    ] {
        user.erw(args).ended(2).says(&["'none'", "erw curate list"]);
    }
    let bare = User::new();
    bare.pictures();
    bare.write("groups.jsonl", GROUPS);
    bare.erw(&["import", "groups.jsonl"]).ended(0);
    bare.erw(&["curate", "select", "x", "--top", "1", "-m", &model])
        .ended(2)
        .says(&["'erw score'"]);
}

/// Two cuts and a stand-in for an editor's fine-tuning and its benchmark: what it "measures" is how many edits it was given.
const PLAN: &str = r#"
name = "table"
metrics = ["gedit.overall"]
[[arm]]
cut = { top = 1 }
[[arm]]
cut = "all"
[[step]]
name = "finetune"
command = ["/bin/sh", "-c", "test ! -e fails && cp {export} {arm}/model && echo loss=0.5"]
environment = { PATH = "/usr/bin:/bin" }
[[step]]
name = "evaluate"
command = ["/bin/sh", "-c", "echo gedit.overall=$(grep -c output_image {arm}/model)"]
environment = { PATH = "/usr/bin:/bin" }
"#;

#[cfg(unix)]
#[test]
fn an_experiment_puts_each_cut_through_the_same_steps_and_goes_on_after_a_failure() {
    let (user, model) = scored();
    user.write("plan.toml", PLAN);
    user.write("fails", "");
    let args = ["curate", "experiment", "plan.toml", "--json", "-m", &model];
    let failed = user.erw(&args).ended(1);
    failed.says(&["step 'finetune'", "erw jobs logs"]);
    let listed = user.erw(&["jobs", "list", "--json"]).ended(0).json();
    let runs = listed["runs"].as_array().unwrap();
    let mine = runs.iter().find(|run| run["verb"] == "curate experiment");
    let run = mine.unwrap()["run"].as_str().unwrap().to_owned();
    let folder = std::path::PathBuf::from(mine.unwrap()["path"].as_str().unwrap());

    std::fs::remove_file(user.path("fails")).unwrap();
    user.erw(&["resume", &run]).ended(0);
    let table = user.erw(&["jobs", "show", &run, "--json"]).ended(0);
    let report = std::fs::read_to_string(folder.join("report.json"));
    let report: serde_json::Value = serde_json::from_str(&report.unwrap()).unwrap();
    let figures: Vec<_> = report["arms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| (arm["kept"].clone(), arm["metrics"]["gedit.overall"].clone()))
        .collect();
    assert_eq!(
        figures,
        [(json!(1), json!(1.0)), (json!(2), json!(2.0))],
        "{}",
        table.out
    );
    // What was selected before the failure was not selected again.
    let kept = user.erw(&["curate", "list", "--json"]).ended(0).json();
    assert_eq!(kept["selections"].as_array().unwrap().len(), 2);

    let again = user.erw(&args).ended(0);
    insta::assert_snapshot!("curate_experiment", shape_of(&again));
    user.write("plan.toml", PLAN.replace("cut =", "cuts ="));
    user.erw(&args).ended(2).says(&["line 5", "plan.toml"]);
}
