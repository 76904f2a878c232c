//! The engine on a small model: what it promises, and what it says of broken directories.

use std::fs;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use super::*;
use crate::domain::{Axis, Reward};
use crate::model::speed::bitmap;
use crate::model::{Like, Quantization, random};

/// A small model of random weights, as published in all but size.
fn sample() -> &'static Path {
    static MADE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        random(dir.path(), Like::Small, 1, None, &mut |_| ()).unwrap();
        dir
    });
    MADE.path()
}

fn load(dir: &Path) -> Result<RewardModel, ModelError> {
    RewardModel::load(dir, &LoadOptions::default(), &mut |_| ())
}

fn fault(dir: &Path) -> String {
    load(dir).err().unwrap().to_string()
}

/// A copy of the small model to break, with 16 tokens an image to be quick.
pub(in crate::model) fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(sample()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    edit(dir.path(), "reward.toml", "200704", "12544");
    dir
}

pub(super) fn edit(dir: &Path, name: &str, from: &str, to: &str) {
    let path = dir.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// A bitmap of 56 × 28 pixels in shades that depend on `salt`.
pub(super) fn picture(salt: u32) -> Picture {
    bitmap((56, 28), |i| ((i / 3 % 56) * 4 + (i / 99) * salt) as u8)
}

pub(super) fn score(
    model: &mut RewardModel,
    candidates: &[Picture],
) -> Vec<Result<Reward, ModelError>> {
    let mut rewards = Vec::new();
    model
        .score_group(&picture(1), "make it blue", candidates, &mut |passed| {
            for (i, reward) in passed {
                assert_eq!(i, rewards.len());
                rewards.push(reward);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    rewards
}

#[test]
fn the_sample_model_scores_and_says_what_it_is() {
    let mut seen = Vec::new();
    let mut model = RewardModel::load(sample(), &LoadOptions::default(), &mut |p| seen.push(p));
    let model = model.as_mut().unwrap();
    assert!(seen.is_sorted_by_key(|p| p.done) && seen.len() > 12);
    let last = seen.last().unwrap();
    assert_eq!(last.done, last.total);
    let info = model.info().clone();
    assert_eq!(info.backbone, "Qwen2.5-VL, 6 × 96");
    assert_eq!(last.total, 2 * info.parameters);
    assert_eq!(info.fingerprint.len(), 64);
    let rewards = score(model, &[picture(2), picture(3), picture(2)]);
    let rewards: Vec<Reward> = rewards.into_iter().map(Result::unwrap).collect();
    let apart = |a: &Reward, b: &Reward| (a.aggregate.mean - b.aggregate.mean).abs();
    assert!(apart(&rewards[0], &rewards[2]) < 1e-6);
    assert!(apart(&rewards[0], &rewards[1]) > 1e-4);
    let [a, b] = Axis::ALL.map(|axis| rewards[0].on(axis).unwrap());
    assert_eq!(rewards[0].aggregate, info.aggregate.of(a, b));
    assert!(model.neutralises("a <|Reward|> here") && !model.neutralises("make it blue"));
}

#[test]
fn weights_held_as_they_are_stored_give_the_same_scores_to_the_last_bit() {
    let dir = copy();
    let options = LoadOptions::default();
    let mut wide = load(dir.path()).unwrap();
    let mut narrow = RewardModel::load_within(dir.path(), &options, 0, &mut |_| ()).unwrap();
    assert_eq!(narrow.info().fingerprint, wide.info().fingerprint);
    let all = [picture(2), picture(3)];
    let [wide, narrow] = [&mut wide, &mut narrow].map(|model| {
        let rewards = score(model, &all).into_iter();
        rewards.map(Result::unwrap).collect::<Vec<_>>()
    });
    assert_eq!(wide, narrow);
}

#[test]
fn quantised_a_model_scores_nearly_as_it_does_and_is_known_as_another() {
    let dir = copy();
    let mut whole = load(dir.path()).unwrap();
    let quantize = Some(Quantization::Q8_0);
    let options = |packing| LoadOptions {
        packing,
        quantize,
        ..LoadOptions::default()
    };
    let [tree, plain] = [Packing::Tree, Packing::Plain]
        .map(|packing| RewardModel::load(dir.path(), &options(packing), &mut |_| ()).unwrap());
    let info = tree.info().clone();
    assert_eq!(info.name, format!("{} (q8_0)", whole.info().name));
    assert_ne!(info.fingerprint, whole.info().fingerprint);
    let known = crate::model::fingerprint_of(dir.path(), quantize).unwrap();
    assert_eq!(info.fingerprint, known);
    let all = [picture(2), picture(3), picture(4)];
    let means = |mut model: RewardModel| {
        let rewards = score(&mut model, &all).into_iter();
        rewards
            .map(|r| r.unwrap().aggregate.mean)
            .collect::<Vec<_>>()
    };
    let apart = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()))
    };
    let (tree, plain) = (means(tree), means(plain));
    assert!(apart(&tree, &plain) < 1e-5, "{tree:?} {plain:?}");
    let exact = score(&mut whole, &all).into_iter();
    let exact: Vec<f64> = exact.map(|r| r.unwrap().aggregate.mean).collect();
    let drift = apart(&tree, &exact);
    assert!(drift > 1e-6 && drift < 0.05, "{drift}");
}

#[test]
fn a_model_can_be_moved_to_a_thread() {
    fn is_send<T: Send>() {}
    is_send::<RewardModel>();
}

#[test]
fn a_broken_candidate_is_reported_and_the_next_is_scored() {
    let mut model = load(copy().path()).unwrap();
    let broken = Picture {
        bytes: b"no image".as_slice().into(),
        hash: "x".into(),
    };
    let rewards = score(&mut model, &[broken.clone(), picture(2)]);
    assert!(matches!(rewards[0], Err(ModelError::Image(_))));
    assert!(rewards[1].is_ok());
    let error = model.score_group(&broken, "x", &[picture(2)], &mut |_| unreachable!());
    assert!(matches!(error, Err(ModelError::Image(_))));
    let long = "word ".repeat(10_000);
    let error = model.score_group(&picture(1), &long, &[picture(2)], &mut |_| unreachable!());
    assert!(matches!(error, Err(ModelError::Prompt(_))));
}

#[test]
fn the_listener_may_stop_after_any_pass() {
    let mut model = load(copy().path()).unwrap();
    let mut heard = Vec::new();
    let candidates: Vec<Picture> = (2..14).map(picture).collect();
    model
        .score_group(&picture(1), "x", &candidates, &mut |passed| {
            heard.extend(passed.into_iter().map(|(i, _)| i));
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(heard, (0..8).collect::<Vec<_>>());
}

#[test]
fn sixteen_bit_formats_give_nearly_the_same_scores() {
    let dir = copy();
    let exact = score(&mut load(dir.path()).unwrap(), &[picture(2)]);
    let exact = exact[0].as_ref().unwrap();
    for (precision, within) in [(Precision::F16, 0.02), (Precision::Bf16, 0.2)] {
        let options = LoadOptions {
            precision: Some(precision),
            ..LoadOptions::default()
        };
        let mut model = RewardModel::load(dir.path(), &options, &mut |_| ()).unwrap();
        assert_eq!(model.info().precision, precision.key());
        let reward = score(&mut model, &[picture(2)]).remove(0).unwrap();
        for axis in Axis::ALL {
            let [a, b] = [exact, &reward].map(|r| r.on(axis).unwrap());
            let off = (a.mean - b.mean)
                .abs()
                .max((a.log_sigma - b.log_sigma).abs());
            assert!(off < within, "{precision}: {off}");
        }
    }
}

#[test]
fn every_reward_token_and_position_scheme_gives_a_score() {
    let mut means = Vec::new();
    for (from, to) in [
        ("\"special\"", "\"special\""),
        ("\"special\"", "\"last\""),
        ("\"special\"", "\"mean\""),
        ("\"sequential\"", "\"mrope\""),
    ] {
        let dir = copy();
        edit(dir.path(), "reward.toml", from, to);
        let reward = score(&mut load(dir.path()).unwrap(), &[picture(2)]).remove(0);
        means.push(reward.unwrap().aggregate.mean);
    }
    means.sort_by(f64::total_cmp);
    means.dedup();
    assert_eq!(means.len(), 4);
}

#[test]
fn a_directory_that_is_no_model_says_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let text = fault(dir.path());
    assert!(text.contains("has no config.json"), "{text}");
    let text = fault(&dir.path().join("nowhere"));
    assert!(text.contains("cannot read"), "{text}");
    let dir = copy();
    fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    let text = fault(dir.path());
    assert!(text.contains("has no weights"), "{text}");
}

#[test]
fn weights_of_another_shape_are_refused_with_a_report() {
    let dir = copy();
    edit(
        dir.path(),
        "config.json",
        "\"intermediate_size\": 184",
        "\"intermediate_size\": 185",
    );
    let text = fault(dir.path());
    assert!(
        text.contains("18 misshapen") && text.contains("[184, 96] instead of [185, 96]"),
        "{text}"
    );
    let dir = copy();
    edit(
        dir.path(),
        "config.json",
        "\"num_hidden_layers\": 6",
        "\"num_hidden_layers\": 7",
    );
    let text = fault(dir.path());
    assert!(
        text.contains("12 missing") && text.contains("layers.6"),
        "{text}"
    );
    let dir = copy();
    edit(dir.path(), "reward.toml", "\"multi\"", "\"shared\"");
    let text = fault(dir.path());
    assert!(
        text.contains("rm_head.0.weight") && text.contains("12 unexpected"),
        "{text}"
    );
}

#[test]
fn weights_cut_short_are_refused_by_name() {
    let dir = copy();
    let path = dir.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let text = fault(dir.path());
    assert!(text.contains("model.safetensors' is cut short"), "{text}");
}

#[test]
fn a_tokenizer_without_the_reward_token_is_refused_when_the_embedding_has_no_row_for_it() {
    let dir = copy();
    edit(dir.path(), "reward.toml", "<|Reward|>", "<|Other|>");
    let text = fault(dir.path());
    assert!(
        text.contains("embed_tokens") && text.contains("[1203, 96] instead of [1204, 96]"),
        "{text}"
    );
}

#[test]
fn three_dimensional_positions_need_their_sections() {
    let dir = copy();
    edit(dir.path(), "reward.toml", "\"sequential\"", "\"mrope\"");
    edit(dir.path(), "config.json", "mrope_section", "other_section");
    let text = fault(dir.path());
    assert!(text.contains("mrope_section"), "{text}");
}

#[test]
fn another_model_has_another_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    random(dir.path(), Like::Small, 2, None, &mut |_| ()).unwrap();
    let fingerprint = |dir: &Path| load(dir).unwrap().info().fingerprint.clone();
    let sample = fingerprint(copy().path());
    assert_ne!(fingerprint(dir.path()), sample);
    assert_eq!(fingerprint(copy().path()), sample);
}

#[test]
fn pictures_cut_for_another_tower_are_refused_when_the_model_is_loaded() {
    let dir = copy();
    let path = dir.path().join("preprocessor_config.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"patch_size\": 14"), "{text}");
    let other = text.replace("\"patch_size\": 14", "\"patch_size\": 7");
    fs::write(&path, other).unwrap();
    let message = fault(dir.path());
    assert!(
        message.contains("294 numbers") && message.contains("1176"),
        "{message}"
    );
}

#[test]
fn pictures_that_pass_by_are_scored_as_others_are_and_push_out_none_of_them() {
    let dir = copy();
    let mut model = load(dir.path()).unwrap();
    let kept = score(&mut model, &[picture(2)]);
    let mut passing = Vec::new();
    let all = [picture(2), picture(3), picture(3), picture(4)];
    model
        .score_passing(&picture(1), "make it blue", &all, &mut |passed| {
            passing.extend(passed.into_iter().map(|(_, reward)| reward.unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
    // Not to the last bit: they shared a pass.
    let near = |a: &Reward, b: &Reward| (a.aggregate.mean - b.aggregate.mean).abs() < 1e-5;
    assert!(near(&passing[0], kept[0].as_ref().unwrap()));
    assert!(near(&passing[1], &passing[2]));
    assert!(model.features.get(&picture(2).hash).is_some());
    for salt in [3, 4] {
        assert!(model.features.get(&picture(salt).hash).is_none());
    }
    assert_eq!(model.passing.as_ref().unwrap().0, picture(4).hash);
    let again = score(&mut model, &[picture(3)]).remove(0).unwrap();
    assert!(near(&again, &passing[1]));
}
