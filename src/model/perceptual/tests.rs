//! Both networks against the packages they are from, on weights and pictures that are formulas; `tests/fixtures/perceptual.py`
//! prints the numbers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::domain::color::Pixel;
use crate::model::DeviceChoice;

/// The packages compute in f32 as well, in other orders.
const TOLERANCE: f64 = 2e-5;

/// Values in -1..1: a hash of a tensor's name and of the place in it.
fn formula(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let hash = |salt: u32, byte: u8| (salt ^ u32::from(byte)).wrapping_mul(16_777_619);
    let salt = name.bytes().fold(2_166_136_261, hash);
    (0..count).map(move |k| {
        let mut x = (k as u32).wrapping_mul(2_654_435_761).wrapping_add(salt);
        x ^= x >> 15;
        x = x.wrapping_mul(2_246_822_519);
        x ^= x >> 13;
        f64::from(x) / f64::from(1_u32 << 31) - 1.0
    })
}

/// A tensor by the formula, at the scale of its kind.
fn filled(name: &str, shape: &[usize]) -> Tensor {
    let fan: usize = shape.iter().skip(1).product();
    let scaled = |value: f64| {
        let value = if name.starts_with("lin") {
            f64::midpoint(value, 1.0)
        } else if name.contains("norm") && name.ends_with("weight") {
            1.0 + value / 4.0
        } else if name.ends_with("bias") {
            value / 8.0
        } else if shape.len() > 1 {
            value * (6.0 / fan as f64).sqrt()
        } else {
            value
        };
        value as f32
    };
    let values: Vec<f32> = formula(name, shape.iter().product()).map(scaled).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn save(path: &Path, tensors: &HashMap<String, Tensor>) {
    candle_core::safetensors::save(tensors, path).unwrap();
}

struct Image {
    width: usize,
    height: usize,
    pixels: Vec<Pixel>,
}

impl Image {
    fn new(width: usize, height: usize, kind: usize) -> Self {
        let pixel = |(y, x): (usize, usize)| {
            let red = 7 * x + 13 * y + x * y + 50 * kind;
            let green = 3 * x + 90 + 17 * kind * y;
            [red, green, y * y / 4 + 31 * kind].map(|v| (v % 256) as u8)
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        Self {
            width,
            height,
            pixels: places.map(pixel).collect(),
        }
    }

    fn raster(&self) -> Raster<'_> {
        Raster::new(self.width, self.height, &self.pixels).unwrap()
    }
}

/// The classifier's tensors and those of the linear layers, by the package's names.
fn lpips_tensors(trunk: Trunk) -> HashMap<String, Tensor> {
    let names = lpips::expected_of(trunk);
    names
        .into_iter()
        .map(|tensor| (tensor.name.clone(), filled(&tensor.name, &tensor.shape)))
        .collect()
}

fn lpips_file(dir: &TempDir, tensors: &HashMap<String, Tensor>) -> PathBuf {
    let path = dir.path().join("lpips.safetensors");
    save(&path, tensors);
    path
}

fn opened(tensors: &HashMap<String, Tensor>) -> Result<Lpips, String> {
    let dir = tempfile::tempdir().unwrap();
    Lpips::open(&lpips_file(&dir, tensors), DeviceChoice::Cpu).map_err(|e| e.to_string())
}

fn between(network: &Lpips, a: &Image, b: &Image) -> f64 {
    let features = network.features(a.raster()).unwrap();
    network.distance(&features, b.raster()).unwrap()
}

#[test]
fn distances_are_those_of_the_lpips_package() {
    for (trunk, width, height, expected) in [
        (Trunk::Alex, 70, 53, 0.883_641_898_632_049_6),
        (Trunk::Vgg, 45, 34, 0.786_474_704_742_431_6),
    ] {
        let network = opened(&lpips_tensors(trunk)).unwrap();
        assert_eq!(network.trunk(), trunk);
        let [a, b] = [0, 1].map(|kind| Image::new(width, height, kind));
        let found = between(&network, &a, &b);
        assert!((found - expected).abs() < TOLERANCE, "{trunk}: {found}");
        assert!((between(&network, &b, &a) - expected).abs() < TOLERANCE);
        assert_eq!(between(&network, &a, &a), 0.0);
        let side = trunk.least_side();
        let least = Image::new(side, side, 0);
        assert!(between(&network, &least, &Image::new(side, side, 1)) > 0.0);
        let features = network.features(Image::new(side - 1, 80, 0).raster());
        let error = features.err().unwrap().to_string();
        assert!(
            error.contains(&format!("at least {side} × {side}")),
            "{error}"
        );
    }
}

#[test]
fn torchvisions_names_and_the_list_of_linear_layers_are_read_as_well() {
    let tensors = lpips_tensors(Trunk::Alex);
    let renamed = tensors.iter().map(|(name, tensor)| {
        let name = match name.strip_prefix("net.slice") {
            Some(rest) => format!("features.{}", &rest[2..]),
            None => name.replacen("lin", "lins.", 1),
        };
        (name, tensor.clone())
    });
    let renamed = renamed.collect();
    let [a, b] = [0, 1].map(|kind| Image::new(40, 40, kind));
    let [own, other] = [&tensors, &renamed].map(|t| between(&opened(t).unwrap(), &a, &b));
    assert_eq!(own, other);
}

#[test]
fn weights_that_are_not_lpips_are_refused_by_file_and_tensor() {
    let gone = Lpips::open(Path::new("/no/such/file.safetensors"), DeviceChoice::Cpu);
    let error = gone.err().unwrap().to_string();
    assert!(error.contains("'/no/such/file.safetensors'"), "{error}");
    let whole = lpips_tensors(Trunk::Alex);
    let spoilt = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
        let mut tensors = whole.clone();
        change(&mut tensors);
        opened(&tensors).err().unwrap()
    };
    let error = spoilt(&|t| drop(t.remove("lin3.model.1.weight")));
    assert!(
        error.contains("lpips.safetensors") && error.contains("lin3.model.1.weight"),
        "{error}"
    );
    let error = spoilt(&|t| t.retain(|name, _| !name.starts_with("net.")));
    assert!(error.contains("'net.slice1.0.weight'"), "{error}");
    let squeeze = filled("x", &[64, 3, 5, 5]);
    let error = spoilt(&|t| drop(t.insert("net.slice1.0.weight".into(), squeeze.clone())));
    assert!(error.contains("[64, 3, 5, 5]"), "{error}");
    let narrow = filled("x", &[255]);
    let error = spoilt(&|t| drop(t.insert("net.slice5.10.bias".into(), narrow.clone())));
    assert!(
        error.contains("net.slice5.10.bias") && error.contains("[255] instead of [256]"),
        "{error}"
    );
}

#[test]
fn images_of_two_sizes_have_no_distance() {
    let network = opened(&lpips_tensors(Trunk::Alex)).unwrap();
    let features = network.features(Image::new(40, 32, 0).raster()).unwrap();
    let error = network.distance(&features, Image::new(32, 40, 0).raster());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("40 × 32 and 32 × 40"), "{error}");
}

const CONFIG: &str = r#"{"model_type": "clip", "projection_dim": 12,
  "text_config": {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
    "max_position_embeddings": 20, "vocab_size": 58, "hidden_act": "quick_gelu", "eos_token_id": 57},
  "vision_config": {"hidden_size": 20, "intermediate_size": 28, "num_hidden_layers": 2, "num_attention_heads": 4,
    "image_size": 24, "patch_size": 8}}"#;

/// A folder with a whole small CLIP.
fn clip_folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), CONFIG).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clip");
    fs::copy(
        fixtures.join("tokenizer.json"),
        dir.path().join("tokenizer.json"),
    )
    .unwrap();
    let tensors = clip::expected_of(dir.path())
        .into_iter()
        .map(|tensor| (tensor.name.clone(), filled(&tensor.name, &tensor.shape)))
        .collect();
    save(&dir.path().join("model.safetensors"), &tensors);
    dir
}

fn clip(dir: &TempDir) -> Result<Clip, String> {
    Clip::open(dir.path(), DeviceChoice::Cpu).map_err(|e| e.to_string())
}

#[test]
fn scores_are_the_cosines_of_transformers_and_never_negative() {
    let dir = clip_folder();
    let network = clip(&dir).unwrap();
    assert_eq!(network.size(), "20-8-24");
    let texts = [
        "Make the  sky red",
        "",
        // Longer than the network, so cut off.
        "turn winter into summer please",
    ];
    for ((width, height, kind), cosines) in [
        (
            (70, 53, 0),
            [15.954_171_121_120_453, 10.391_740_500_926_971, -8.111],
        ),
        ((24, 90, 1), [-19.400, -15.962, 7.097_922_265_529_633]),
        (
            (10, 12, 2),
            [
                38.317_677_378_654_48,
                27.313_116_192_817_688,
                5.329_757_928_848_267,
            ],
        ),
    ] {
        let image = Image::new(width, height, kind);
        for (text, cosine) in texts.iter().zip(cosines) {
            let text = network.text(text).unwrap();
            let score = network.score(&text, image.raster()).unwrap();
            let expected = f64::max(cosine, 0.0);
            assert!(
                (score - expected).abs() < 20.0 * TOLERANCE,
                "{score} {cosine}"
            );
        }
    }
}

#[test]
fn the_end_of_a_text_is_its_mark_or_by_old_configurations_its_largest_id() {
    let dir = clip_folder();
    let marked = clip(&dir).unwrap().text("a red sky").unwrap();
    let legacy = CONFIG.replace(r#""eos_token_id": 57"#, r#""eos_token_id": 2"#);
    fs::write(dir.path().join("config.json"), legacy).unwrap();
    assert_eq!(clip(&dir).unwrap().text("a red sky").unwrap(), marked);
    let other = CONFIG.replace(r#""eos_token_id": 57"#, r#""eos_token_id": 40"#);
    fs::write(dir.path().join("config.json"), other).unwrap();
    let error = clip(&dir).unwrap().text("a red sky").unwrap_err();
    assert!(error.to_string().contains("no end mark (40)"), "{error}");
}

#[test]
fn a_strip_of_an_image_is_refused_and_a_single_pixel_is_not() {
    let network = clip(&clip_folder()).unwrap();
    let text = network.text("red").unwrap();
    let score = |width, height| network.score(&text, Image::new(width, height, 0).raster());
    assert!(score(1, 1).is_ok() && score(200, 1).is_ok());
    let error = score(1, 201).unwrap_err().to_string();
    assert!(error.contains("1 × 201"), "{error}");
}

#[test]
fn what_is_no_clip_or_not_this_one_is_refused_by_file_and_field() {
    let refused = |file: &str, text: Option<&str>| {
        let dir = clip_folder();
        let path = dir.path().join(file);
        match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        clip(&dir).err().unwrap()
    };
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let error = refused(file, None);
        assert!(error.contains(&format!("'{file}'")), "{error}");
    }
    for (old, new, told) in [
        (r#""clip""#, r#""siglip""#, "model_type"),
        (r#""quick_gelu""#, r#""gelu""#, "text_config.hidden_act"),
        (
            r#""patch_size": 8"#,
            r#""patch_size": 0"#,
            "vision_config.patch_size",
        ),
        (r#""vocab_size": 58"#, r#""vocab_size": 57"#, "58 tokens"),
        (
            r#""projection_dim": 12"#,
            r#""projection_dim": 13"#,
            "text_projection.weight: [12, 16] instead of [13, 16]",
        ),
        (
            r#""image_size": 24"#,
            r#""image_size": 32"#,
            "vision_model.embeddings.position_embedding.weight",
        ),
    ] {
        let error = refused("config.json", Some(&CONFIG.replace(old, new)));
        assert!(error.contains(told), "{error}");
    }
    for (settings, told) in [
        (r#"{"size": {"height": 24, "width": 24}}"#, "shortest edge"),
        (r#"{"crop_size": 20}"#, "crop_size is 20"),
        (r#"{"size": 23, "crop_size": 24}"#, "less than crop_size"),
        (r#"{"resample": 2}"#, "bicubic"),
        (r#"{"do_center_crop": false}"#, "do_center_crop"),
        (r#"{"image_std": [1, 0, 1]}"#, "image_std"),
    ] {
        let error = refused("preprocessor_config.json", Some(settings));
        assert!(error.contains(told), "{error}");
    }
}
