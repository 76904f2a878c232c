//! Workspaces and sample data: made, scored once, scored again.

use std::path::Path;

use serde_json::json;

use super::{GROUPS, User, shape_of, small_model};

#[test]
fn a_workspace_is_made_scored_once_and_gives_percentiles() {
    let user = User::new();
    user.pictures();
    user.write("set/groups.jsonl", GROUPS.replace(".png", ".gone.png"));
    let missing = user
        .erw(&["import", "set/groups.jsonl", "-w", "other", "--json"])
        .ended(3);
    assert_eq!(
        missing.json()["missing_images"].as_array().unwrap().len(),
        3
    );

    user.write("groups.jsonl", GROUPS);
    let import = user.erw(&["import", "groups.jsonl", "--json"]).ended(0);
    insta::assert_snapshot!("import", shape_of(&import));
    assert_eq!(import.json()["groups"], json!(1));
    let again = user
        .erw(&["import", "groups.jsonl", "--json"])
        .ended(0)
        .json();
    assert_eq!(
        (&again["groups"], &again["unchanged"]),
        (&json!(0), &json!(1))
    );

    let model = small_model();
    let score = ["score", "--json", "--model", model.to_str().unwrap()];
    let first = user.erw(&score).ended(0);
    insta::assert_snapshot!("score_of_a_workspace", shape_of(&first));
    let second = user.erw(&score).ended(0).json();
    let candidates = second["groups"][0]["candidates"].as_array().unwrap();
    assert!(
        candidates.iter().all(|c| c["stored"] == json!(true)),
        "{second}"
    );
    // The same picture is one score: both lie in the middle of it.
    assert_eq!(second["scale"]["scores"], json!(1));
    assert_eq!(candidates[0]["percentile"], json!(50.0));

    // The same groups without the workspace: the same numbers, nothing stored.
    let loose = user
        .erw(&[&score[..], &["--groups", "groups.jsonl"]].concat())
        .ended(0)
        .json();
    assert_eq!(
        loose["groups"][0]["candidates"][0]["if"],
        candidates[0]["if"]
    );
    assert_eq!(loose["groups"][0]["key"], json!("g"));
}

#[test]
fn sample_data_is_made_from_photos() {
    let user = User::new();
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let args = [
        "synth",
        "out",
        "--groups",
        "1",
        "--long-side",
        "96",
        "--json",
        "--photos",
    ];
    let made = user
        .erw(&[&args[..], &[photos.to_str().unwrap()]].concat())
        .ended(0);
    assert_eq!(made.json()["groups"], json!(1));
    let keys: Vec<String> = made.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "alpha_if",
            "alpha_vq",
            "bytes",
            "candidates",
            "categories",
            "ceiling",
            "editors",
            "groups",
            "photos"
        ]
    );
    user.erw(&["import", "out/groups.jsonl", "-w", "data"])
        .ended(0);
    let check = user.erw(&["data", "check", "data", "--json"]).ended(0);
    insta::assert_snapshot!("data_check", shape_of(&check));
    assert_eq!(check.json()["clean"], json!(true));
    // The same data twice is as leaky as can be.
    user.erw(&["import", "out/groups.jsonl", "-w", "twin"])
        .ended(0);
    let leaky = user
        .erw(&["data", "check", "data", "--against", "twin"])
        .ended(1);
    for words in [
        "images also in the other",
        "groups also in the other",
        "not clean",
    ] {
        assert!(leaky.out.contains(words), "{leaky:?}");
    }
    user.erw(&["data", "check", "nowhere"])
        .ended(2)
        .says(&["nowhere"]);
    let recipe = ["--recipe", "sample", "--json"];
    let small = [
        "synth",
        "tiny",
        "--groups",
        "1",
        "--long-side",
        "96",
        "--photos",
    ];
    let made = user
        .erw(&[&small[..], &[photos.to_str().unwrap()], &recipe].concat())
        .ended(0);
    assert_eq!(made.json()["groups"], json!(1));
    user.erw(&["synth", "x", "--photos", "nowhere"])
        .ended(1)
        .says(&["nowhere"]);
}

#[test]
fn the_readmes_example_of_a_data_set_can_be_imported() {
    let readme = include_str!("../../../README.md");
    let example = readme.split("```json\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap().replace('\n', " ");
    let user = User::new();
    user.write("groups.jsonl", example);
    let answer = user
        .erw(&["import", "groups.jsonl", "--json"])
        .ended(3)
        .json();
    assert_eq!(
        (&answer["groups"], &answer["labels"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn candidates_are_found_by_what_holds_of_them_and_kept_for_later() {
    let user = User::new();
    user.pictures();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(0);
    let all = user
        .erw(&["data", "find", "candidate != zzz", "--json"])
        .ended(0);
    insta::assert_snapshot!("find", shape_of(&all));
    let all = all.json()["found"].as_u64().unwrap();
    let find = |query: &str| {
        let found = user.erw(&["data", "find", query, "--json"]).ended(0);
        found.json()["found"].as_u64().unwrap()
    };
    assert_eq!(find("candidate = x"), 1);
    let keep = ["--tag", "first", "--save", "mine"];
    user.erw(&[&["data", "find", "candidate = x"], &keep[..]].concat())
        .ended(0);
    assert_eq!(find("tag = first and selection = mine"), 1);
    assert_eq!(find("not tag = first"), all - 1);

    let wrong = user.erw(&["data", "find", "candidate > a"]).ended(2);
    insta::assert_snapshot!("find_wrong", wrong.err);
    // Whole groups, wherever one of their candidates is meant.
    let export = ["export", "some.jsonl", "--where", "tag = first", "--json"];
    assert_eq!(user.erw(&export).ended(0).json()["groups"], json!(1));
    let none = ["export", "none.jsonl", "--where", "tag = no", "--json"];
    assert_eq!(user.erw(&none).ended(0).json()["groups"], json!(0));
}
