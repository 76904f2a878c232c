//! Whole runs over a few tiny made-up photos.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

use super::*;
use order::Kind;

/// Four photos of a thing on a ground, two with a mask, without credits.
fn photos() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("masks")).unwrap();
    let mut subjects = String::from("file\tsubject\tbackground\tmask\n");
    for (number, name) in (0_u32..).zip(["ball", "box", "lawn", "sky"]) {
        let inside = |x: u32, y: u32| {
            (50 + 8 * number..86 + 8 * number).contains(&x) && (44..90).contains(&y)
        };
        let photo = RgbImage::from_fn(150, 110, |x, y| {
            let grain = ((x * 5 + y * 3 + x * y / 7) % 17) as u8 * 4;
            let shade = (y / 2) as u8;
            Rgb(if inside(x, y) {
                [150 + grain, 60, 40 + 30 * number as u8]
            } else {
                [60, 100 + grain - shade / 2, 50 + shade + 20 * number as u8]
            })
        });
        photo.save(dir.path().join(format!("{name}.png"))).unwrap();
        if number < 2 {
            GrayImage::from_fn(150, 110, |x, y| Luma([if inside(x, y) { 230 } else { 20 }]))
                .save(dir.path().join(format!("masks/{name}.png")))
                .unwrap();
            subjects.push_str(&[name, ".png\tthe ", name, "\tthe ground\tgood\n"].concat());
        }
    }
    fs::write(dir.path().join("SUBJECTS.tsv"), subjects).unwrap();
    dir
}

fn run(photos: &Path, choice: &Choice, seed: u64, groups: usize) -> (tempfile::TempDir, Report) {
    let out = tempfile::tempdir().unwrap();
    let options = Options {
        seed,
        groups: Some(groups),
        long_side: 96,
    };
    let (report, _) = generate(photos, choice, out.path(), options, &mut |_| {}).unwrap();
    (out, report)
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn lines(dir: &Path, file: &str) -> Vec<Value> {
    fs::read_to_string(dir.join(file))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn refusal(photos: &Path, choice: &Choice, long_side: u32) -> String {
    let out = tempfile::tempdir().unwrap();
    let options = Options {
        seed: 1,
        groups: Some(1),
        long_side,
    };
    let error = generate(photos, choice, out.path(), options, &mut |_| {});
    assert!(!out.path().join("groups.jsonl").exists());
    error.unwrap_err().to_string()
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_does_not() {
    let photos = photos();
    let all = |seed| files(run(photos.path(), &Choice::default(), seed, 6).0.path());
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

#[test]
fn a_group_is_the_same_however_many_there_are() {
    let photos = photos();
    let (few, _) = run(photos.path(), &Choice::default(), 3, 3);
    let (many, _) = run(photos.path(), &Choice::default(), 3, 7);
    for file in ["groups.jsonl", "truth.jsonl"] {
        assert_eq!(lines(few.path(), file), lines(many.path(), file)[..3]);
    }
    let after = files(many.path());
    for (name, bytes) in files(few.path()) {
        if name.starts_with("edits") || name.starts_with("photos") {
            assert_eq!(after.get(&name), Some(&bytes), "{}", name.display());
        }
    }
}

#[test]
fn lines_truth_and_files_belong_together() {
    let photos = photos();
    let (out, report) = run(photos.path(), &Choice::default(), 5, 30);
    let (groups, truths) = (
        lines(out.path(), "groups.jsonl"),
        lines(out.path(), "truth.jsonl"),
    );
    assert_eq!((groups.len(), truths.len(), report.groups), (30, 30, 30));
    let kinds: BTreeSet<&str> = Kind::ALL.map(Kind::name).into();
    let mut named = BTreeSet::new();
    for (group, truth) in groups.iter().zip(&truths) {
        assert_eq!(group["id"], truth["group"]);
        assert_eq!(group["category"], truth["kind"]);
        assert!(kinds.contains(group["category"].as_str().unwrap()));
        assert!(
            !group["instruction"].as_str().unwrap().contains('{'),
            "{group}"
        );
        named.insert(group["source"].as_str().unwrap().to_owned());
        named.extend(truth["mask"].as_str().map(str::to_owned));
        let candidates = group["candidates"].as_array().unwrap();
        let facts = truth["candidates"].as_array().unwrap();
        assert!((4..=7).contains(&candidates.len()) && candidates.len() == facts.len());
        assert!(facts.iter().any(|f| f["fidelity"] == "exact"));
        for (candidate, fact) in candidates.iter().zip(facts) {
            assert_eq!(candidate["editor"], fact["editor"]);
            let image = candidate["image"].as_str().unwrap();
            image::open(out.path().join(image)).unwrap();
            named.insert(image.to_owned());
            let labels = candidate["labels"].as_array().unwrap();
            assert_eq!(labels.len(), 3);
            for label in labels {
                assert_eq!(label["simulated"], true);
                assert!((1..=4).contains(&label["if"].as_u64().unwrap()));
            }
            let ideal = fact["ideal"]["vq"].as_f64().unwrap();
            assert_eq!(ideal > 3.5, fact["artefact"] == "none", "{fact}");
        }
    }
    let papers = [
        "CREDITS.tsv",
        "README.md",
        "groups.jsonl",
        "provenance.toml",
        "truth.jsonl",
    ];
    named.extend(papers.map(str::to_owned));
    let written: BTreeSet<String> = files(out.path())
        .into_keys()
        .map(|p| p.display().to_string())
        .collect();
    assert_eq!(named, written);
    let bytes: u64 = files(out.path()).values().map(|b| b.len() as u64).sum();
    assert_eq!(report.bytes, bytes);
}

#[test]
fn what_says_exact_differs_from_the_source_and_what_says_nothing_does_not() {
    let photos = photos();
    let (out, _) = run(photos.path(), &Choice::default(), 8, 25);
    let groups = lines(out.path(), "groups.jsonl");
    let truths = lines(out.path(), "truth.jsonl");
    let picture = |value: &Value| {
        let file = out.path().join(value.as_str().unwrap());
        crate::synth::raster::picture::Picture::of_image(&image::open(file).unwrap().to_rgb8())
    };
    let (mut exact, mut nothing) = (0, 0);
    for (group, truth) in groups.iter().zip(&truths) {
        let source = picture(&group["source"]);
        let facts = truth["candidates"].as_array().unwrap();
        for (candidate, fact) in group["candidates"].as_array().unwrap().iter().zip(facts) {
            if fact["artefact"] != "none" {
                continue;
            }
            let seen = perform::seen(&picture(&candidate["image"]), &source);
            if fact["fidelity"] == "exact" {
                assert!(seen > 0.06, "{seen} {fact}");
                exact += 1;
            } else if fact["fidelity"] == "nothing" {
                assert!(seen < 0.02, "{seen} {fact}");
                nothing += 1;
            }
        }
    }
    assert!(exact > 5 && nothing > 2, "{exact} {nothing}");
}

#[test]
fn without_masks_edits_are_of_the_whole_picture() {
    let photos = photos();
    fs::remove_dir_all(photos.path().join("masks")).unwrap();
    let (out, _) = run(photos.path(), &Choice::default(), 1, 25);
    for truth in lines(out.path(), "truth.jsonl") {
        assert_eq!(truth["place"], "all");
        assert_ne!(truth["kind"], "paste");
    }
}

#[test]
fn only_and_except_decide_which_photos_are_seen_at_all() {
    let photos = photos();
    let choice = Choice {
        only: vec!["ball".into(), "box.png".into(), "lawn".into()],
        except: vec!["box".into()],
        no_masks: true,
    };
    let (out, report) = run(photos.path(), &choice, 2, 20);
    // Neither as a source nor pasted in nor as a background.
    let truth = fs::read_to_string(out.path().join("truth.jsonl")).unwrap();
    assert!(truth.contains("ball.png") && truth.contains("lawn.png"));
    assert!(!truth.contains("box.png") && !truth.contains("sky.png"));
    assert_eq!(report.photos, 2);
    let masks = files(&out.path().join("masks"));
    assert!(masks.is_empty());
}

#[test]
fn a_wrong_choice_is_named() {
    let photos = photos();
    let choice = |only: &[&str], except: &[&str]| Choice {
        only: only.iter().map(|n| (*n).to_owned()).collect(),
        except: except.iter().map(|n| (*n).to_owned()).collect(),
        no_masks: false,
    };
    let text = refusal(photos.path(), &choice(&["cat"], &[]), 96);
    assert!(text.contains("'cat'") && text.contains("'ball'"), "{text}");
    let text = refusal(photos.path(), &choice(&["box"], &["box"]), 96);
    assert!(text.contains("no photo is left"), "{text}");
    let text = refusal(photos.path(), &Choice::default(), 8);
    assert!(text.contains("64 is the least"), "{text}");
    let text = refusal(&photos.path().join("nowhere"), &Choice::default(), 96);
    assert!(text.contains("no such folder"), "{text}");
}

#[test]
fn a_photo_that_is_no_picture_stops_the_run_and_leaves_no_groups() {
    let photos = photos();
    let (out, _) = run(photos.path(), &Choice::default(), 1, 3);
    for name in ["ball", "box", "lawn", "sky"] {
        fs::write(photos.path().join(format!("{name}.png")), b"no picture").unwrap();
    }
    let options = Options {
        seed: 1,
        groups: Some(3),
        long_side: 96,
    };
    let choice = Choice::default();
    let error = generate(photos.path(), &choice, out.path(), options, &mut |_| {});
    assert!(error.unwrap_err().to_string().contains(".png"));
    // What the earlier run wrote is not left to pass for this one's, and the next may overwrite it.
    assert!(!out.path().join("groups.jsonl").exists());
    assert!(Output::prepare(out.path()).is_ok());
}

#[test]
fn the_readme_says_that_labels_are_simulated_and_whether_photos_are_credited() {
    let photos = photos();
    let readme = |dir: &Path| fs::read_to_string(dir.join("README.md")).unwrap();
    let (out, _) = run(photos.path(), &Choice::default(), 1, 2);
    let text = readme(out.path());
    assert!(text.contains("**The labels are simulated.**"), "{text}");
    assert!(text.contains("Do not publish"), "{text}");
    let mut credits = String::from("file\ttitle\tauthor\tlicence\tsource\tchanges\n");
    for name in ["ball", "box", "lawn"] {
        credits.push_str(&[name, ".png\tA ", name, "\tAnn\tCC0-1.0\t\t\n"].concat());
    }
    fs::write(photos.path().join("CREDITS.tsv"), &credits).unwrap();
    let text = refusal(photos.path(), &Choice::default(), 96);
    assert!(
        text.contains("'sky.png' has no row in CREDITS.tsv"),
        "{text}"
    );
    credits += "sky.png\tA sky\tAnn\tCC0-1.0\t\t\n";
    fs::write(photos.path().join("CREDITS.tsv"), &credits).unwrap();
    let (out, _) = run(photos.path(), &Choice::default(), 1, 2);
    assert!(!readme(out.path()).contains("Do not publish"));
    let carried = fs::read_to_string(out.path().join("CREDITS.tsv")).unwrap();
    assert!(carried.contains("Ann\tCC0-1.0"), "{carried}");
}
