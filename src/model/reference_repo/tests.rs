//! The published trainer's ways on a clone of our own making.

use super::settings::{FOLDER, SAVED};
use super::*;
use crate::model::fixtures::{model, model_copy};

const YAML: &str = "rm_head_type: \"ranknet_multi_head\"\npooling_strategy: \"mean\"  # how\nuse_special_tokens: true\n\
    reward_token: \"special\"\noutput_dim: 2\nreward_dim: overall_detail\nmax_pixels: 1\nlora: [a, b]\n";

/// A clone in the shape of the published one, with texts of our own.
fn clone(yamls: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let clone = tempfile::tempdir().unwrap();
    let package = clone.path().join("EditReward");
    fs::create_dir_all(package.join("dataset")).unwrap();
    fs::create_dir_all(package.join("config/ds_config")).unwrap();
    let prompts = ["FOLLOWING", "QUALITY", "OVERALL", "OVERALL_DETAILED"]
        .map(|name| {
            format!("INSTRUCTION_EDIT_{name} = \"\"\"\n{name}:  \n{{text_prompt}}\n\"\"\"\n")
        })
        .concat();
    fs::write(package.join(PROMPTS), prompts).unwrap();
    let closings = "prompt_with_special_token = \"\"\"\nWith <|Reward|>\n\"\"\"\nprompt_without_special_token = 'Without'\n";
    fs::write(package.join(CLOSINGS), closings).unwrap();
    for (name, base, rest) in yamls {
        let text = format!("model_name_or_path: \"{base}\"\n{rest}");
        fs::write(package.join(FOLDER).join(name), text).unwrap();
    }
    clone
}

fn adopted(yaml: &str) -> Result<Manifest, String> {
    let clone = clone(&[("a.yaml", "Qwen/Qwen2.5-VL-7B-Instruct", yaml)]);
    adopt(clone.path(), &model(), None, None)
        .map(|adopted| adopted.manifest)
        .map_err(|error| error.to_string())
}

#[test]
fn the_published_settings_make_the_published_manifest() {
    let manifest = adopted(YAML).unwrap();
    let expected = Manifest::new(
        "tiny-bpe",
        Positions::Sequential,
        Pixels {
            min: 200_704,
            max: 200_704,
        },
        Rubrics {
            instruction_following: "\nFOLLOWING:  \n{text_prompt}\n".to_owned(),
            visual_quality: "\nQUALITY:  \n{text_prompt}\n".to_owned(),
            overall: None,
            closing: "\nWith <|Reward|>\n".to_owned(),
        },
    );
    assert_eq!(manifest, expected);
}

#[test]
fn each_setting_is_taken_as_the_published_code_takes_it() {
    let single = adopted(&YAML.replace("ranknet_multi_head", "ranknet")).unwrap();
    assert_eq!(single.head, HeadKind::Single);
    assert_eq!(
        single.rubric.overall.as_deref(),
        Some("\nOVERALL_DETAILED:  \n{text_prompt}\n")
    );
    let shared = adopted(&YAML.replace("ranknet_multi_head", "ranknet_share_head")).unwrap();
    assert_eq!(shared.head, HeadKind::Shared);
    let last = YAML.replace("true", "false").replace("special\"", "last\"");
    let last = adopted(&last).unwrap();
    assert_eq!(
        (last.reward_token, last.rubric.closing.as_str()),
        (RewardToken::Last, "Without")
    );
    let overridden = adopted(&YAML.replace("special\"", "mean\"")).unwrap();
    assert_eq!(overridden.reward_token, RewardToken::Special);
    let sparse = adopted("rm_head_type: ranknet_multi_head_regression\n").unwrap();
    assert_eq!(
        (sparse.aggregate, sparse.outputs, sparse.reward_token),
        (Aggregate::Min, 1, RewardToken::Last)
    );
    assert_eq!(
        adopted(&YAML.replace("mean", "sum")).unwrap().aggregate,
        Aggregate::Sum
    );
}

#[test]
fn settings_that_mean_nothing_are_refused_with_the_file() {
    for (from, to, expected) in [
        ("ranknet_multi_head", "default", "rm_head_type is 'default'"),
        ("\"mean\"", "null", "pooling_strategy is null"),
        ("dim: 2", "dim: 4", "output_dim is '4'"),
        (
            "lora: [a, b]",
            "rm_head_kwargs: {hidden_size: 5}",
            "rm_head_kwargs",
        ),
        (
            "use_special_tokens: true",
            "use_special_tokens: false",
            "reward_token is 'special'",
        ),
        ("lora: [a, b]", "lora: [a", "a.yaml"),
    ] {
        let reason = adopted(&YAML.replace(from, to)).unwrap_err();
        assert!(
            reason.contains(expected) && reason.contains("a.yaml"),
            "{reason}"
        );
    }
}

#[test]
fn settings_that_fit_and_differ_are_not_guessed_between() {
    let other = YAML.replace("\"mean\"", "\"min\"");
    let base = "Qwen/Qwen2.5-VL-7B-Instruct";
    let clone = clone(&[
        ("a.yaml", base, YAML),
        ("b.yaml", base, &other),
        ("c.yaml", "XiaomiMiMo/MiMo-VL-7B-SFT-2508", YAML),
    ]);
    let adopt = |config| adopt(clone.path(), &model(), config, Some("mine"));
    let error = adopt(None).unwrap_err().to_string();
    assert!(error.contains("choose with --config: 'a', 'b'"), "{error}");
    let chosen = adopt(Some("b")).unwrap();
    assert_eq!(
        (chosen.manifest.aggregate, chosen.manifest.name.as_str()),
        (Aggregate::Min, "mine")
    );
    assert!(chosen.settings.ends_with("config/b.yaml"));
    let error = adopt(Some("z")).unwrap_err().to_string();
    assert!(error.contains("known are 'a', 'b', 'c'"), "{error}");
}

#[test]
fn settings_saved_beside_the_checkpoint_go_before_those_of_the_clone() {
    let clone = clone(&[("a.yaml", "Qwen/Qwen2.5-VL-7B-Instruct", YAML)]);
    let dir = model_copy();
    let saved = r#"{"data_config": {"reward_dim": "dim2", "max_pixels": 5}, "training_args": {}, "model_config":
        {"rm_head_type": "ranknet", "pooling_strategy": "sum", "output_dim": 2, "use_special_tokens": true,
         "reward_token": "last", "rm_head_kwargs": null}}"#;
    fs::write(dir.path().join(SAVED), saved).unwrap();
    let adopted = adopt(clone.path(), dir.path(), None, Some("x")).unwrap();
    assert!(adopted.settings.ends_with(SAVED));
    assert_eq!(
        (adopted.manifest.head, adopted.manifest.aggregate),
        (HeadKind::Single, Aggregate::Sum)
    );
    assert_eq!(
        adopted.manifest.rubric.overall.as_deref(),
        Some("\nQUALITY:  \n{text_prompt}\n")
    );
}

#[test]
fn a_clone_that_lacks_a_text_or_is_none_says_so() {
    let empty = tempfile::tempdir().unwrap();
    let error = adopt(empty.path(), &model(), None, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("give a clone of https://github.com/TIGER-AI-Lab/EditReward"),
        "{error}"
    );
    let clone = clone(&[("a.yaml", "Qwen/Qwen2.5-VL-7B-Instruct", YAML)]);
    let prompts = clone.path().join("EditReward").join(PROMPTS);
    let text = fs::read_to_string(&prompts)
        .unwrap()
        .replace("EDIT_QUALITY =", "EDIT_QUALITY = f");
    fs::write(&prompts, text).unwrap();
    let error = adopt(&clone.path().join("EditReward"), &model(), None, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("INSTRUCTION_EDIT_QUALITY is not in") && error.contains("prompts.py"),
        "{error}"
    );
}

#[test]
fn no_settings_for_a_family_is_an_error() {
    let clone = clone(&[("q3.yaml", "Qwen/Qwen3-VL-8B-Instruct", YAML)]);
    let error = adopt(clone.path(), &model(), None, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no settings here are for Qwen2.5-VL, 4 × 64"),
        "{error}"
    );
}
