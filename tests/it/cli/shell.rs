//! What a shell relies on: exit codes, completions, manual pages, and the doctor's word.

use super::{GROUPS, User, shape_of, small_model};

#[test]
fn wrong_usage_and_wrong_settings_end_with_two() {
    let user = User::new();
    user.erw(&["frobnicate"]).ended(2).says(&["frobnicate"]);
    user.erw(&["score", "--edited", "b.png"])
        .ended(2)
        .says(&["--source"]);
    user.erw(&["score", "--device", "tpu"])
        .ended(2)
        .says(&["'tpu'", "cpu"]);
    user.write(".config/erw/config.toml", "theme = \"dusk\"\ncolour = 1\n");
    user.erw(&["score"])
        .ended(2)
        .says(&["config.toml:2", "'colour'"]);
}

#[test]
fn the_version_names_the_features() {
    let outcome = User::new().erw(&["--version"]).ended(0);
    let version = concat!("erw ", env!("CARGO_PKG_VERSION"), " (features: ");
    assert!(outcome.out.starts_with(version), "{outcome:?}");
}

#[test]
fn completions_and_manual_pages_are_printed_for_every_verb() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.erw(&["completions", shell]).ended(0).out;
        assert!(
            script.contains("doctor") && script.contains("instruction"),
            "{shell}"
        );
    }
    let page = user.erw(&["man"]).ended(0).out;
    assert!(
        page.starts_with(".ie") && page.contains("erw\\-score"),
        "{page}"
    );
    user.erw(&["man", "--dir", "pages"]).ended(0);
    let score = std::fs::read_to_string(user.path("pages/erw-score.1")).unwrap();
    assert!(score.contains("\\-\\-instruction"));
}

#[test]
fn the_doctor_goes_on_after_a_finding_and_says_what_to_do() {
    let user = User::new();
    let model = small_model();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(3);
    let args = ["doctor", "--json", "--model", model.to_str().unwrap()];
    let well = user.erw(&args).ended(0);
    insta::assert_snapshot!("doctor", shape_of(&well));
    user.write(
        ".config/erw/config.toml",
        "device = \"cuda:99\"\nmodel = \"nowhere\"\n",
    );
    let ill = user.erw(&["doctor"]).ended(1).out;
    for finding in ["FAIL  device", "FAIL  model", "ok    data"] {
        assert!(ill.contains(finding), "no '{finding}' in:\n{ill}");
    }
}

#[test]
fn a_script_is_an_answer_to_a_program_too() {
    let user = User::new();
    let completions = user.erw(&["completions", "bash", "--json"]).ended(0);
    insta::assert_snapshot!("completions", shape_of(&completions));
    insta::assert_snapshot!("man", shape_of(&user.erw(&["man", "--json"]).ended(0)));
}

#[test]
fn the_workbench_says_that_it_needs_a_terminal() {
    let user = User::new();
    user.write("groups.jsonl", GROUPS);
    user.erw(&["import", "groups.jsonl"]).ended(3);
    user.erw(&[]).ended(1).says(&["terminal"]);
    user.erw(&["--theme", "none-such"])
        .ended(2)
        .says(&["none-such"]);
    user.erw(&["--image-protocol", "smoke"])
        .ended(2)
        .says(&["smoke", "sixel"]);
}
