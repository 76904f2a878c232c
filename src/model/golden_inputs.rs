//! Tests against the shared reference numbers: every size, every resampled byte, every normalised value, every token id.
//! They pass with a note where the reference folder is not at hand; `tests/fixtures` proves the same path on a small scale.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;

use super::config::BackboneKind;
use super::decode::{self, Exif, Rgb};
use super::manifest::{Manifest, Pixels, Positions, Rubrics};
use super::preprocess::{Grid, Processor, Rule, size_within};
use super::prompt::{Prompter, Rubric};
use super::reference_repo;
use super::resize::{self, Library};

const PUBLISHED: Pixels = Pixels {
    min: 200_704,
    max: 200_704,
};

/// The reference folder's `golden`, if there is one.
pub(super) fn golden() -> Option<PathBuf> {
    let folder = std::env::var_os("ERW_REFERENCE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference")),
        PathBuf::from,
    );
    let folder = folder.join("golden");
    if folder.is_dir() {
        Some(folder)
    } else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: no reference folder; set ERW_REFERENCE");
        }
        None
    }
}

pub(super) fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub(super) fn rgb(view: &TensorView<'_>) -> Rgb {
    let [height, width, 3] = view.shape() else {
        panic!("not an image: {:?}", view.shape())
    };
    Rgb {
        width: *width,
        height: *height,
        pixels: view.data().to_vec(),
    }
}

#[test]
fn every_recorded_size_and_refusal_is_equal() {
    let Some(golden) = golden() else { return };
    let recorded = json(golden.join("preproc.json"));
    let wide = Pixels {
        min: 65_536,
        max: 16_777_216,
    };
    for (table, factor, budget, rule) in [
        (
            "smart_resize_min_eq_max_200704",
            28,
            PUBLISHED,
            Rule::Loader,
        ),
        (
            "smart_resize_qwen3_factor32_min65536_max16777216",
            32,
            wide,
            Rule::Processor,
        ),
    ] {
        let rows = recorded[table].as_array().unwrap();
        assert_eq!(rows.len(), 48);
        for row in rows {
            let side = |value: &Value| value.as_u64().unwrap() as usize;
            let found = size_within((side(&row["h"]), side(&row["w"])), factor, budget, rule);
            let expected = row["out"]
                .as_array()
                .map(|out| (side(&out[0]), side(&out[1])));
            assert_eq!(found.ok(), expected, "{table}: {row}");
        }
    }
}

#[test]
fn every_recorded_pillow_resize_is_equal_to_the_last_byte() {
    let Some(golden) = golden() else { return };
    let bytes = fs::read(golden.join("pil_bicubic.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut compared = 0;
    for name in tensors.names() {
        let Some((source, _)) = name
            .strip_prefix("dst.")
            .and_then(|name| name.split_once('.'))
        else {
            continue;
        };
        let source = rgb(&tensors.tensor(&format!("src.{source}")).unwrap());
        let expected = rgb(&tensors.tensor(name).unwrap());
        let resized = resize::bicubic(&source, expected.width, expected.height, Library::Pillow);
        assert!(resized == expected, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 43);
}

#[test]
fn every_pixel_mode_becomes_rgb_as_in_pillow() {
    let Some(golden) = golden() else { return };
    let bytes = fs::read(golden.join("modes/expected_rgb.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    for name in tensors.names() {
        let path = [
            format!("modes/{name}.png"),
            "modes/CMYK_tiff.tif".to_owned(),
        ]
        .map(|file| golden.join(file))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap();
        let image = decode::decode(&fs::read(path).unwrap(), Exif::Ignore).unwrap();
        assert!(image == rgb(&tensors.tensor(name).unwrap()), "{name}");
    }
}

#[test]
fn a_jpeg_decodes_as_in_pillow_and_keeps_its_stored_orientation() {
    let Some(golden) = golden() else { return };
    let bytes = fs::read(golden.join("jpeg_decoded.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let expected = rgb(&tensors
        .tensor("jpeg_edit_exif6.decoded_rgb_first_64_rows")
        .unwrap());
    let file = fs::read(golden.join("images/jpeg_edit_exif6.jpg")).unwrap();
    let image = decode::decode(&file, Exif::Ignore).unwrap();
    assert_eq!(image.width, expected.width);
    assert!(image.pixels[..expected.pixels.len()] == expected.pixels);
    let turned = decode::decode(&file, Exif::Apply).unwrap();
    assert_eq!((turned.width, turned.height), (image.height, image.width));
}

#[test]
fn every_recorded_case_has_equal_pixels_and_values() {
    let Some(golden) = golden() else { return };
    for (name, kind) in [
        ("tiny-bpe", BackboneKind::Qwen2_5Vl),
        ("tiny-q3-bpe", BackboneKind::Qwen3Vl),
    ] {
        let dir = golden.join("checkpoints").join(name);
        let budget = match kind {
            BackboneKind::Qwen2_5Vl => PUBLISHED,
            BackboneKind::Qwen3Vl => Processor::own_budget(&dir, kind).unwrap(),
        };
        let processor = Processor::from_dir(&dir, kind, &budget).unwrap();
        let cases = json(golden.join(name).join("golden.json"));
        for case in cases["cases"].as_array().unwrap() {
            check_case(&golden, name, &processor, case);
        }
    }
}

fn check_case(golden: &Path, name: &str, processor: &Processor, case: &Value) {
    let id = case["id"].as_str().unwrap();
    let bytes = fs::read(golden.join(name).join(format!("{id}.safetensors"))).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut rows: Vec<f32> = Vec::new();
    let mut columns = 0;
    for (i, key) in ["src", "edit"].into_iter().enumerate() {
        let file = case[key].as_str().unwrap();
        let file = fs::read(golden.join("images").join(file)).unwrap();
        let expected = rgb(&tensors.tensor(&format!("resized_rgb.{key}")).unwrap());
        let resized = processor.resized(&file).unwrap();
        assert_eq!(
            (resized.width, resized.height),
            (expected.width, expected.height),
            "{name} {id} {key}"
        );
        let differing = resized
            .pixels
            .iter()
            .zip(&expected.pixels)
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(differing, 0, "{name} {id} {key}: bytes that differ");
        let patches = processor.patches(&file).unwrap();
        let grid = &case["image_grid_thw"][i];
        assert_eq!(
            grid,
            &serde_json::json!([1, patches.grid.height, patches.grid.width])
        );
        rows.extend(patches.rows);
        columns = patches.columns;
    }
    let shape = &case["pixel_values"]["shape"];
    assert_eq!(shape, &serde_json::json!([rows.len() / columns, columns]));
    let expected = tensors.tensor("pixel_values_rows_every61").unwrap();
    let expected = expected
        .data()
        .as_chunks()
        .0
        .iter()
        .copied()
        .map(f32::from_le_bytes);
    let every = rows.chunks(columns).step_by(61).flatten();
    assert!(
        every.copied().eq(expected),
        "{name} {id}: normalised values"
    );
}

#[test]
fn every_recorded_prompt_has_equal_ids() {
    let Some(golden) = golden() else { return };
    for (name, kind) in [
        ("tiny-bpe", BackboneKind::Qwen2_5Vl),
        ("tiny-q3-bpe", BackboneKind::Qwen3Vl),
    ] {
        let dir = golden.join("checkpoints").join(name);
        check_prompts(&dir, kind, &json(golden.join(name).join("golden.json")));
        without_tokenizer_json(&dir, |dir| {
            check_prompts(dir, kind, &json(golden.join(name).join("golden.json")));
        });
    }
}

#[test]
fn prompts_with_the_real_vocabulary_have_equal_ids() {
    let Some(golden) = golden() else { return };
    let source = golden.join("tokenizer-qwen2.5");
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(name) = name.strip_suffix(".gz") {
            fs::write(dir.path().join(name), gunzip(&fs::read(&path).unwrap())).unwrap();
        } else {
            fs::copy(&path, dir.path().join(name)).unwrap();
        }
    }
    check_prompts(
        dir.path(),
        BackboneKind::Qwen2_5Vl,
        &json(source.join("golden.json")),
    );
}

/// What gzip made `bytes` of.
fn gunzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut out)
        .unwrap();
    out
}

/// `dir` again, but with the vocabulary and merges alone.
fn without_tokenizer_json(dir: &Path, test: impl FnOnce(&Path)) {
    let copy = tempfile::tempdir().unwrap();
    for name in [
        "vocab.json",
        "merges.txt",
        "added_tokens.json",
        "tokenizer_config.json",
        "chat_template.json",
        "config.json",
    ] {
        fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    test(copy.path());
}

fn check_prompts(dir: &Path, kind: BackboneKind, recorded: &Value) {
    let manifest = recovered_manifest(dir, kind, &recorded["cases"][0]);
    check_ids(&Prompter::from_dir(dir, kind, &manifest).unwrap(), recorded);
}

fn check_ids(prompter: &Prompter, recorded: &Value) {
    assert_eq!(
        prompter.reward_id().map(u64::from),
        recorded["meta"]["reward_token_id"].as_u64()
    );
    for case in recorded["cases"].as_array().unwrap() {
        let instruction = case["instruction"].as_str().unwrap();
        let grids = numbers(&case["image_grid_thw"])
            .into_iter()
            .map(|grid| Grid {
                height: grid[1] as usize,
                width: grid[2] as usize,
            });
        let grids: Vec<Grid> = grids.collect();
        let wanted = numbers(&case["input_ids"]);
        for (axis, rubric) in [Rubric::InstructionFollowing, Rubric::VisualQuality]
            .into_iter()
            .enumerate()
        {
            let prompt = prompter.encode(rubric, instruction, &grids).unwrap();
            assert!(prompt.ids == wanted[axis], "{}", case["id"]);
            assert_eq!(
                prompt.rewards.first().map(|at| *at as u64),
                case["reward_index"][axis].as_u64()
            );
            assert!(!prompt.neutralised);
        }
    }
}

fn numbers(rows: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(rows.clone()).unwrap()
}

/// A manifest whose texts are those of a recorded case, read back from its token ids: the published texts are not ours to
/// ship, but decoding is exact.
pub(super) fn recovered_manifest(dir: &Path, kind: BackboneKind, case: &Value) -> Manifest {
    let instruction = case["instruction"].as_str().unwrap();
    let reward = "<|Reward|>";
    let any = Rubrics {
        instruction_following: "{text_prompt}".to_owned(),
        visual_quality: "{text_prompt}".to_owned(),
        overall: None,
        closing: reward.to_owned(),
    };
    let mut manifest = Manifest::new("recovered", Positions::Sequential, PUBLISHED, any);
    let prompter = Prompter::from_dir(dir, kind, &manifest).unwrap();
    let texts = numbers(&case["input_ids"]).into_iter().map(|ids| {
        let text = prompter.decode(&ids);
        let (_, text) = text.rsplit_once("<|vision_end|>").unwrap();
        let (text, _) = text.rsplit_once("<|im_end|>").unwrap();
        let (rubric, closing) = text.split_once(instruction).unwrap();
        // The closing text begins where the line of the instruction ends; any other cut gives the same prompt.
        (
            rubric.replace('{', "{{").replace('}', "}}") + "{text_prompt}",
            closing.to_owned(),
        )
    });
    let texts: Vec<_> = texts.collect();
    assert_eq!(texts[0].1, texts[1].1);
    manifest.rubric = Rubrics {
        instruction_following: texts[0].0.clone(),
        visual_quality: texts[1].0.clone(),
        overall: None,
        closing: texts[0].1.clone(),
    };
    manifest
}

/// With `ERW_REFERENCE_REPO` naming a clone of the published repository: its texts, read as Python, are those of the recorded
/// ids, read as tokens.
#[test]
fn a_clone_of_the_published_repository_gives_the_recorded_ids() {
    let Some(golden) = golden() else { return };
    let Some(clone) = std::env::var_os("ERW_REFERENCE_REPO") else {
        return;
    };
    for (name, kind, positions) in [
        ("tiny-bpe", BackboneKind::Qwen2_5Vl, Positions::Sequential),
        ("tiny-q3-bpe", BackboneKind::Qwen3Vl, Positions::Mrope),
    ] {
        let dir = golden.join("checkpoints").join(name);
        let adopted = reference_repo::adopt(Path::new(&clone), &dir, None, None).unwrap();
        assert_eq!(adopted.manifest.positions, positions);
        let prompter = Prompter::from_dir(&dir, kind, &adopted.manifest).unwrap();
        check_ids(&prompter, &json(golden.join(name).join("golden.json")));
    }
}
