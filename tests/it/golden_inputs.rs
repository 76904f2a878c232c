//! From files and words to rewards through the public door alone, on the model and pictures of `tests/fixtures`: what a
//! checkout proves without the shared reference folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use erw::domain::{Aggregate, Gaussian, Reward};
use erw::model::{
    DeviceChoice, LoadOptions, Manifest, ModelError, Picture, Precision, RewardModel,
};
use serde_json::Value;

/// What f32 may be off by; the expected numbers are in f64.
const TOLERANCE: f64 = 2e-5;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn picture(name: &Value) -> Picture {
    let bytes = fs::read(fixtures().join("pictures").join(name.as_str().unwrap())).unwrap();
    Picture {
        hash: blake3::hash(&bytes).to_hex().to_string(),
        bytes: bytes.into(),
    }
}

fn load(dir: &Path) -> RewardModel {
    let options = LoadOptions {
        device: DeviceChoice::Cpu,
        precision: Some(Precision::F32),
        ..LoadOptions::default()
    };
    RewardModel::load(dir, &options, &mut |_| ()).unwrap()
}

fn score(model: &mut RewardModel, case: &Value) -> Reward {
    let mut scored = None;
    let (source, edited) = (picture(&case["source"]), picture(&case["edited"]));
    let instruction = case["instruction"].as_str().unwrap();
    model
        .score_group(&source, instruction, &[edited], &mut |passed| {
            scored = passed.into_iter().next().map(|(_, reward)| reward.unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    scored.unwrap()
}

fn close(found: Gaussian, expected: &Value) -> bool {
    let near = |value: f64, i: usize| (value - expected[i].as_f64().unwrap()).abs() < TOLERANCE;
    near(found.mean, 0) && near(found.log_sigma, 1)
}

fn check(dir: &Path, scheme: &str, aggregate: &str) {
    let cases = fs::read(fixtures().join("golden/cases.json")).unwrap();
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    let mut model = load(dir);
    for case in cases["cases"].as_array().unwrap() {
        let reward = score(&mut model, case);
        let expected = &case[scheme];
        let axes = [reward.instruction_following, reward.visual_quality];
        for (axis, found) in axes.into_iter().enumerate() {
            assert!(
                close(found.unwrap(), &expected["heads"][axis]),
                "{} {axis}: {found:?}",
                case["id"]
            );
        }
        assert!(
            close(reward.aggregate, &expected["aggregates"][aggregate]),
            "{} {aggregate}: {:?}",
            case["id"],
            reward.aggregate
        );
    }
}

/// The fixtures' model with its manifest changed.
fn changed(change: impl FnOnce(&mut Manifest)) -> tempfile::TempDir {
    let (from, copy) = (fixtures().join("tiny-bpe"), tempfile::tempdir().unwrap());
    for entry in fs::read_dir(&from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut manifest = Manifest::read(&from).unwrap();
    change(&mut manifest);
    manifest.write(copy.path()).unwrap();
    copy
}

#[test]
fn pictures_and_an_instruction_become_the_expected_rewards() {
    check(&fixtures().join("tiny-bpe"), "sequential", "mean");
}

#[test]
fn positions_and_aggregate_follow_the_manifest() {
    let dir = changed(|manifest| {
        manifest.positions = erw::model::manifest::Positions::Mrope;
        manifest.aggregate = Aggregate::Min;
    });
    check(dir.path(), "mrope", "min");
    let dir = changed(|manifest| manifest.aggregate = Aggregate::Sum);
    check(dir.path(), "sequential", "sum");
}

#[test]
fn a_candidate_that_cannot_be_read_leaves_the_others_scored() {
    let mut model = load(&fixtures().join("tiny-bpe"));
    let good = picture(&Value::from("edit.png"));
    let cut = Picture {
        bytes: good.bytes[..300].into(),
        hash: "cut".to_owned(),
    };
    let source = picture(&Value::from("photo.png"));
    let mut heard = Vec::new();
    let candidates = [cut, good];
    model
        .score_group(&source, "x", &candidates, &mut |passed| {
            let told = |(index, reward): (usize, Result<Reward, _>)| {
                (
                    index,
                    reward
                        .map(|_| ())
                        .map_err(|error: ModelError| error.to_string()),
                )
            };
            heard.extend(passed.into_iter().map(told));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(
        heard[0]
            .1
            .as_ref()
            .unwrap_err()
            .contains("damaged or cut short"),
        "{heard:?}"
    );
    assert_eq!(heard[1], (1, Ok(())));
}
