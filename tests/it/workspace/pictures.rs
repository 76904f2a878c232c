//! What the screen shows is what the model sees: every image mode against the recorded pixels of the published pipeline.

use std::fs;
use std::path::PathBuf;

use erw::data::images::decode;

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn every_mode_is_shown_as_the_model_sees_it() {
    let reference = std::env::var_os("ERW_REFERENCE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference")),
        PathBuf::from,
    );
    let modes = reference.join("golden/modes");
    let Ok(expected) = fs::read(modes.join("expected_rgb.safetensors")) else {
        eprintln!("skipped: no recorded images at '{}'", modes.display());
        return;
    };
    let (length, rest) = expected.split_first_chunk::<8>().unwrap();
    let (header, pixels) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let mut compared = 0;
    for (name, tensor) in header.as_object().unwrap() {
        let Some(file) = ["png", "tif"]
            .iter()
            .find_map(|ending| fs::read(modes.join(format!("{name}.{ending}"))).ok())
        else {
            continue;
        };
        let at = |i: usize| usize::try_from(tensor["data_offsets"][i].as_u64().unwrap()).unwrap();
        let expected = &pixels[at(0)..at(1)];
        let decoded = decode(&file).unwrap();
        assert_eq!(decoded.as_raw().len(), expected.len(), "{name}");
        let worst = decoded
            .as_raw()
            .iter()
            .zip(expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert_eq!(worst, Some(0), "{name}");
        compared += 1;
    }
    assert!(compared >= 8);
}
