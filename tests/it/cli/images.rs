//! Scoring images named on the command line, whole and broken, with instructions of every kind.

use serde_json::json;

use super::{User, promising_png, shape_of, small_model};

#[test]
fn a_missing_candidate_is_left_out_and_the_others_are_scored() {
    let user = User::new();
    user.pictures();
    let edits = ["--edited", "b.png", "none.png", "c.png"];
    let more = [
        &edits[..],
        &["--instruction", "make it green", "--pairs", "--json"],
    ]
    .concat();
    let answer = user.score(&more).ended(3);
    answer.says(&[
        "untrained demo weights: scores mean nothing yet",
        "without a score: 1 candidate",
    ]);
    let answer = answer.json();
    let candidates = &answer["groups"][0]["candidates"];
    assert!(
        candidates[1]["error"]
            .as_str()
            .unwrap()
            .contains("'none.png'")
    );
    assert!(candidates[1]["aggregate"].is_null() && candidates[1]["rank"].is_null());
    // The same picture twice: the same score, a shared rank, even odds.
    assert_eq!(candidates[0]["aggregate"], candidates[2]["aggregate"]);
    assert_eq!(
        (&candidates[0]["rank"], &candidates[2]["rank"]),
        (&json!(1), &json!(1))
    );
    let even = answer["groups"][0]["pairs"][0][2].as_f64().unwrap();
    assert!((even - 0.5).abs() < 1e-12);
    let gaussian = &candidates[0]["if"];
    let (sigma, log_sigma) = (gaussian["sigma"].as_f64(), gaussian["log_sigma"].as_f64());
    assert!((sigma.unwrap().ln() - log_sigma.unwrap()).abs() < 1e-9);
}

#[test]
fn a_missing_source_fails_and_says_which_file() {
    let user = User::new();
    user.pictures();
    let more = ["--edited", "b.png", "--instruction", "x"];
    let model = small_model();
    let args = [
        "score",
        "--model",
        model.to_str().unwrap(),
        "--source",
        "gone.png",
    ];
    let outcome = user.erw(&[&args[..], &more].concat()).ended(1);
    assert!(outcome.out.contains("'gone.png'"), "{outcome:?}");
}

#[test]
fn a_picture_that_promises_30000_by_30000_pixels_is_refused_unread() {
    let user = User::new();
    user.pictures();
    user.write("b.png", promising_png(30_000, 30_000));
    let more = ["--edited", "b.png", "c.png", "--instruction", "x", "--json"];
    let answer = user.score(&more).ended(3).json();
    let error = &answer["groups"][0]["candidates"][0]["error"];
    assert!(error.as_str().unwrap().contains("30000"), "{error}");
}

#[test]
fn an_instruction_full_of_escape_sequences_and_special_tokens_is_only_text() {
    let user = User::new();
    user.pictures();
    let text = "\u{1b}]0;title\u{7}\u{1b}[2Jmake it <|Reward|> green";
    let more = ["--edited", "b.png", "--instruction", text];
    let outcome = user.score(&more).ended(0);
    assert!(outcome.out.contains("make it <|Reward|> green"));
    outcome.says(&["read as plain text"]);
}

#[test]
fn an_instruction_of_10000_characters_is_scored_or_refused_in_one_line() {
    let user = User::new();
    user.pictures();
    let text = "make it very, very green ".repeat(400);
    let more = ["--edited", "b.png", "--instruction", &text];
    let outcome = user.score(&more).ended(1);
    outcome.says(&["shorten the instruction"]);
    let longest = outcome.out.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(200), "{outcome:?}");
}

#[test]
fn the_answer_to_a_program_keeps_its_shape_with_images_from_the_command_line() {
    let user = User::new();
    user.pictures();
    let more = [
        "--edited",
        "b.png",
        "none.png",
        "--instruction",
        "x",
        "--pairs",
        "--json",
    ];
    insta::assert_snapshot!("score_of_images", shape_of(&user.score(&more).ended(3)));
}
