//! Models: whole, cut short, of the wrong shape, by name and by directory.

use serde_json::{Value, json};

use super::{User, copied_model, shape_of};

#[test]
fn a_directory_without_a_configuration_is_no_model() {
    let user = User::new();
    user.pictures();
    std::fs::create_dir(user.path("empty")).unwrap();
    let args = [
        "score",
        "--source",
        "a.png",
        "--edited",
        "b.png",
        "--instruction",
        "x",
        "--model",
    ];
    let with = |model: &str| user.erw(&[&args[..], &[model]].concat());
    with("empty")
        .ended(2)
        .says(&["'empty'", "reward.toml", "erw model add"]);
    with("nowhere").ended(2).says(&["'nowhere'", "neither"]);
    std::fs::remove_file(copied_model(&user).join("config.json")).unwrap();
    with("./model").ended(1).says(&["'./model'", "config.json"]);
}

#[test]
fn truncated_weights_are_told_by_their_file() {
    let user = User::new();
    user.pictures();
    let weights = copied_model(&user).join("model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let args = [
        "score",
        "--source",
        "a.png",
        "--edited",
        "b.png",
        "--instruction",
        "x",
    ];
    user.erw(&[&args[..], &["--model", "model"]].concat())
        .ended(1)
        .says(&["model.safetensors"]);
}

#[test]
fn models_are_added_shown_checked_and_forgotten() {
    let user = User::new();
    copied_model(&user);
    let empty = user.erw(&["model", "list", "--json"]).ended(0).json();
    assert_eq!(empty["models"], json!([]));
    let added = user
        .erw(&["model", "add", "model", "--name", "mine", "--json"])
        .ended(0);
    insta::assert_snapshot!("model_add", shape_of(&added));
    let list = user.erw(&["model", "list", "--json"]).ended(0);
    insta::assert_snapshot!("model_list", shape_of(&list));
    let show = user.erw(&["model", "show", "mine", "--json"]).ended(0);
    insta::assert_snapshot!("model_show", shape_of(&show));
    let check = user.erw(&["model", "check", "mine", "--json"]).ended(0);
    insta::assert_snapshot!("model_check", shape_of(&check));
    assert_eq!(check.json()["usable"], json!(true));
    user.erw(&["model", "check", "mine"]).ended(0);
    let gone = user.erw(&["model", "rm", "mine", "--json"]).ended(0);
    insta::assert_snapshot!("model_rm", shape_of(&gone));
    user.erw(&["model", "rm", "mine"])
        .ended(1)
        .says(&["'mine'"]);
    user.erw(&["model", "show", "mine"])
        .ended(2)
        .says(&["mine"]);
    assert!(user.path("model/config.json").exists());
}

#[test]
fn tensors_that_do_not_fit_are_a_table() {
    let user = User::new();
    let config = copied_model(&user).join("config.json");
    let mut text: Value = serde_json::from_str(&std::fs::read_to_string(&config).unwrap()).unwrap();
    deepen(&mut text);
    std::fs::write(&config, text.to_string()).unwrap();
    let check = user
        .erw(&["model", "check", "./model", "--json"])
        .ended(1)
        .json();
    assert!(
        !check["weights"]["missing"].as_array().unwrap().is_empty(),
        "{check}"
    );
    let table = user.erw(&["model", "check", "./model"]).ended(1).out;
    assert!(
        table
            .lines()
            .any(|l| l.starts_with("missing ") && l.contains("layers.")),
        "{table}"
    );
}

/// One more layer in every part than the weights have.
fn deepen(config: &mut Value) {
    if let Value::Object(fields) = config {
        for (key, value) in fields {
            match (key.as_str(), value.as_u64()) {
                ("num_hidden_layers" | "depth", Some(layers)) => *value = json!(layers + 1),
                _ => deepen(value),
            }
        }
    }
}

#[test]
fn a_tokenizer_without_the_reward_token_is_told() {
    let user = User::new();
    user.pictures();
    let dir = copied_model(&user);
    for file in [
        "tokenizer.json",
        "tokenizer_config.json",
        "added_tokens.json",
    ] {
        let path = dir.join(file);
        if let Ok(text) = std::fs::read_to_string(&path) {
            std::fs::write(&path, text.replace("<|Reward|>", "<|Nothing|>")).unwrap();
        }
    }
    let args = [
        "score",
        "--source",
        "a.png",
        "--edited",
        "b.png",
        "--instruction",
        "x",
    ];
    user.erw(&[&args[..], &["--model", "./model"]].concat())
        .ended(1)
        .says(&["embed_tokens", "reward token"]);
}

#[test]
fn a_random_model_is_written_and_can_be_used() {
    let user = User::new();
    user.pictures();
    let args = [
        "model", "random", "tiny", "--like", "small", "--seed", "3", "--json",
    ];
    insta::assert_snapshot!("model_random", shape_of(&user.erw(&args).ended(0)));
    user.erw(&["model", "check", "tiny"]).ended(0);
    user.erw(&["model", "random", "x", "--like", "gpt"])
        .ended(2)
        .says(&["gpt", "qwen2.5-vl-7b"]);
}

#[test]
fn the_demo_is_there_without_anything() {
    let user = User::new();
    user.pictures();
    let list = user.erw(&[
        "score",
        "--source",
        "a.png",
        "--edited",
        "b.png",
        "--instruction",
        "x",
        "--json",
    ]);
    let answer = list.ended(0).json();
    assert_eq!(answer["model"]["trained"], json!(true));
    user.erw(&["model", "check", "demo"]).ended(0);
}
