//! Checkpoints small enough to be written by a test: whole ones, sharded ones, spoilt ones.

use std::collections::HashMap;
use std::fs;

use super::*;

fn tensors(list: &[(&str, &[usize])]) -> HashMap<String, Tensor> {
    list.iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<usize>() as u32;
            let values = Tensor::arange(0, count, &Device::Cpu).unwrap();
            let values = values.to_dtype(DType::F32).unwrap();
            ((*name).to_owned(), values.reshape(*shape).unwrap())
        })
        .collect()
}

fn save(dir: &Path, file: &str, list: &[(&str, &[usize])]) {
    candle_core::safetensors::save(&tensors(list), dir.join(file)).unwrap();
}

fn expected(list: &[(&str, &[usize])]) -> Vec<Expected> {
    list.iter()
        .map(|(name, shape)| Expected {
            name: (*name).to_owned(),
            shape: shape.to_vec(),
        })
        .collect()
}

const NORM: &str = "model.language_model.norm.weight";
const BIAS: &str = "model.visual.merger.mlp.2.bias";

#[test]
fn the_report_says_what_is_missing_unexpected_and_misshapen_in_the_files_own_names() {
    let dir = tempfile::tempdir().unwrap();
    save(
        dir.path(),
        "model.safetensors",
        &[
            ("module.model.norm.weight", &[3]),
            ("module.model.layers.9.mlp.up_proj.weight", &[2, 2]),
            ("module.lm_head.weight", &[2, 2]),
        ],
    );
    let weights = Weights::open(dir.path()).unwrap();
    let report = weights.check(&expected(&[(NORM, &[4]), (BIAS, &[2])]));
    assert_eq!(report.generation, Some(Generation::Old));
    assert_eq!(report.missing, ["visual.merger.mlp.2.bias"]);
    assert_eq!(
        report.unexpected,
        ["module.model.layers.9.mlp.up_proj.weight"]
    );
    assert_eq!(report.misshapen.len(), 1);
    let text = report.to_string();
    for line in [
        "1 missing",
        "1 unexpected",
        "[3] instead of [4]",
        "of 2 needed",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_long_report_shows_the_first_names_and_counts_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "model.safetensors", &[(NORM, &[4])]);
    let names: Vec<String> = (0..100).map(|i| format!("rm_head.{i}.bias")).collect();
    let list: Vec<(&str, &[usize])> = names.iter().map(|n| (n.as_str(), &[1][..])).collect();
    let report = Weights::open(dir.path()).unwrap().check(&expected(&list));
    let text = report.to_string();
    assert!(
        text.contains("… and 92 more") && text.lines().count() < 20,
        "{text}"
    );
}

#[test]
fn shards_are_read_through_their_index_and_without_it() {
    let dir = tempfile::tempdir().unwrap();
    save(
        dir.path(),
        "model-00001-of-00002.safetensors",
        &[(NORM, &[4])],
    );
    save(
        dir.path(),
        "model-00002-of-00002.safetensors",
        &[(BIAS, &[2])],
    );
    let list = expected(&[(NORM, &[4]), (BIAS, &[2])]);
    let index = dir.path().join("model.safetensors.index.json");
    for text in [
        None,
        Some(format!(
            r#"{{"weight_map": {{"{NORM}": "model-00001-of-00002.safetensors", "{BIAS}": "model-00002-of-00002.safetensors"}}}}"#
        )),
    ] {
        if let Some(text) = text {
            fs::write(&index, text).unwrap();
        }
        let weights = Weights::open(dir.path()).unwrap();
        assert!(weights.check(&list).is_clean());
        assert_eq!(weights.files().len(), 2);
        assert_eq!(weights.bytes(&list), 24);
        let (vb, taken) = weights.builder(DType::F32, &Device::Cpu);
        let norm = vb.pp("model.language_model").get(4, "norm.weight").unwrap();
        assert_eq!(norm.to_vec1::<f32>().unwrap(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(taken.load(Ordering::Relaxed), 16);
    }
}

#[test]
fn an_index_may_not_point_out_of_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("model.safetensors.index.json");
    fs::write(&index, r#"{"weight_map": {"a": "../other.safetensors"}}"#).unwrap();
    let error = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("'../other.safetensors'"), "{error}");
}

#[test]
fn a_truncated_file_is_named_with_what_it_promised() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "model.safetensors", &[(NORM, &[4])]);
    let path = dir.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    for keep in [0, 5, 12, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        let error = Weights::open(dir.path()).err().unwrap();
        let text = error.to_string();
        assert!(matches!(error, ModelError::Truncated { .. }), "{text}");
        assert!(text.contains("model.safetensors' is cut short"), "{text}");
    }
    fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
    let text = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("too long"), "{text}");
}

#[test]
fn what_is_no_weights_file_is_named_too() {
    let dir = tempfile::tempdir().unwrap();
    let text = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("it has no weights"), "{text}");
    fs::write(dir.path().join("adapter_model.safetensors"), []).unwrap();
    let text = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("merge it into its base"), "{text}");
    fs::write(dir.path().join("model.safetensors"), [b'x'; 100]).unwrap();
    let text = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("does not begin like"), "{text}");
    fs::write(dir.path().join("model.pth"), b"no zip at all").unwrap();
    let text = Weights::open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("model.pth' is not a readable"), "{text}");
}

/// The files were pickled by hand (`tests/fixtures/pickled/make.py`) as torch does it.
#[test]
fn what_torch_saves_is_read_plain_and_wrapped() {
    let fixtures = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/pickled"
    ));
    for name in ["plain.pth", "wrapped.pth"] {
        let dir = tempfile::tempdir().unwrap();
        fs::copy(fixtures.join(name), dir.path().join("model.pth")).unwrap();
        let weights = Weights::open(dir.path()).unwrap();
        let list = expected(&[(NORM, &[4]), (BIAS, &[2]), ("rm_head.5.weight", &[2, 3])]);
        let report = weights.check(&list);
        assert!(report.is_clean(), "{name}: {report}");
        assert_eq!(report.generation, Some(Generation::New));
        let (vb, _) = weights.builder(DType::F32, &Device::Cpu);
        let norm = vb.get(4, NORM).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(norm, [0.5, 1.5, -2.0, 4.0]);
        let bias = vb.get(2, BIAS).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(bias, [1.0, -3.0]);
        let head = vb.get((2, 3), "rm_head.5.weight").unwrap();
        let head = head.to_vec2::<f32>().unwrap();
        assert_eq!(head, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    }
}

#[test]
fn quantised_weights_are_refused_by_name_and_format() {
    let dir = tempfile::tempdir().unwrap();
    let packed = Tensor::zeros(4, DType::U8, &Device::Cpu).unwrap();
    let list = HashMap::from([(NORM.to_owned(), packed)]);
    candle_core::safetensors::save(&list, dir.path().join("model.safetensors")).unwrap();
    let weights = Weights::open(dir.path()).unwrap();
    let text = weights.check(&expected(&[(NORM, &[4])])).to_string();
    assert!(
        text.contains("stored as U8") && text.contains(NORM),
        "{text}"
    );
}
