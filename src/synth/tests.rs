//! Whole runs over one tiny synthetic photo.

use std::fs;
use std::path::PathBuf;

use image::{GrayImage, Luma, Rgb, RgbImage};

use super::*;

const RECIPE: &str = r##"
    [[stray]]
    words = "mirrored instead"
    not_for = ["transform"]
    steps = [{ op = "mirror" }]

    [[edit]]
    id = "box-blue"
    photo = "box.jpg"
    category = "recolor"
    instruction = "Make the box blue."
    steps = [{ op = "recolor", to = "#2040c0", select = { part = "subject" } }]
"##;

const SECOND: &str = r#"
    [[edit]]
    id = "grey"
    photo = "box.jpg"
    category = "tone"
    instruction = "Make it black and white."
    steps = [{ op = "duotone" }]
"#;

/// A folder with one photo of a red box on green, its mask and its credit.
fn photos() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let inside = |x: u32, y: u32| (20..44).contains(&x) && (14..36).contains(&y);
    let photo = RgbImage::from_fn(64, 48, |x, y| {
        let grain = ((x * 5 + y * 3) % 7) as u8 * 3;
        Rgb(if inside(x, y) {
            [180 + grain, 40, 30]
        } else {
            [70, 110 + grain, 50]
        })
    });
    photo.save(dir.path().join("box.jpg")).unwrap();
    fs::create_dir(dir.path().join("masks")).unwrap();
    GrayImage::from_fn(64, 48, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]))
        .save(dir.path().join("masks/box.png"))
        .unwrap();
    fs::write(
        dir.path().join("CREDITS.tsv"),
        "file\ttitle\tauthor\tlicence\tsource\tchanges\nbox.jpg\tA box\tAnn\tCC0-1.0\t\t\n",
    )
    .unwrap();
    dir
}

fn run(recipe: &str, options: Options) -> (tempfile::TempDir, Report) {
    let (photos, out) = (photos(), tempfile::tempdir().unwrap());
    let recipe = Recipe::parse(recipe).unwrap();
    let report = generate(&recipe, photos.path(), out.path(), options, &mut |_| {}).unwrap();
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

fn groups(dir: &Path) -> Vec<GroupLine> {
    fs::read_to_string(dir.join("groups.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_does_not() {
    let options = Options::default();
    let (one, _) = run(RECIPE, options);
    let (two, _) = run(RECIPE, options);
    assert_eq!(files(one.path()), files(two.path()));
    let (other, _) = run(RECIPE, Options { seed: 8, ..options });
    assert_ne!(files(one.path()), files(other.path()));
}

#[test]
fn a_new_row_leaves_the_old_group_as_it_was() {
    let (one, _) = run(RECIPE, Options::default());
    let (two, _) = run(&format!("{RECIPE}{SECOND}"), Options::default());
    let (before, after) = (files(one.path()), files(two.path()));
    for (name, bytes) in before.iter().filter(|(name, _)| name.starts_with("edits")) {
        assert_eq!(after.get(name), Some(bytes), "{}", name.display());
    }
    let line = |dir: &Path| serde_json::to_string(&groups(dir)[0]).unwrap();
    assert_eq!(line(one.path()), line(two.path()));
}

#[test]
fn what_is_written_is_what_the_lines_say() {
    let (out, report) = run(&format!("{RECIPE}{SECOND}"), Options::default());
    let groups = groups(out.path());
    assert_eq!((report.groups, groups.len()), (2, 2));
    let mut named = 0;
    for group in &groups {
        let source = image::image_dimensions(out.path().join(&group.source)).unwrap();
        assert!((4..=7).contains(&group.candidates.len()));
        assert_eq!(
            group
                .candidates
                .iter()
                .filter(|c| c.fault == "none")
                .count(),
            1
        );
        for candidate in &group.candidates {
            let size = image::image_dimensions(out.path().join(&candidate.image)).unwrap();
            assert_eq!(size, source);
            assert_eq!(candidate.labels.len(), 3);
            assert!(candidate.labels.iter().all(|label| label.simulated));
            named += 1;
        }
    }
    assert_eq!(report.candidates, named);
    let written: u64 = files(out.path()).values().map(|b| b.len() as u64).sum();
    assert_eq!(report.bytes, written);
    let credits = fs::read_to_string(out.path().join("CREDITS.tsv")).unwrap();
    assert!(credits.contains("box.jpg\tA box\tAnn\tCC0-1.0") && credits.contains("re-encoded"));
}

#[test]
fn the_output_serves_as_a_photo_folder_again() {
    let (first, _) = run(RECIPE, Options::default());
    let second = tempfile::tempdir().unwrap();
    let recipe = Recipe::parse(RECIPE).unwrap();
    let report = generate(
        &recipe,
        first.path(),
        second.path(),
        Options::default(),
        &mut |_| {},
    );
    assert_eq!(report.unwrap().groups, 1);
}

#[test]
fn more_groups_than_rows_go_round_again_with_other_faults() {
    let options = Options {
        groups: Some(3),
        ..Options::default()
    };
    let (out, _) = run(RECIPE, options);
    let groups = groups(out.path());
    let ids: Vec<&str> = groups.iter().map(|g| g.id.as_str()).collect();
    assert_eq!(ids, ["box-blue", "box-blue-2", "box-blue-3"]);
    let faults = |i: usize| -> Vec<&str> {
        groups[i]
            .candidates
            .iter()
            .map(|c| c.fault.as_str())
            .collect()
    };
    assert_ne!(faults(0), faults(1));
}

#[test]
fn progress_counts_every_group_once() {
    let (photos, out) = (photos(), tempfile::tempdir().unwrap());
    let recipe = Recipe::parse(&format!("{RECIPE}{SECOND}")).unwrap();
    let mut seen = Vec::new();
    generate(
        &recipe,
        photos.path(),
        out.path(),
        Options::default(),
        &mut |p| seen.push((p.done, p.total)),
    )
    .unwrap();
    assert_eq!(seen, [(1, 2), (2, 2)]);
}

fn complaint(recipe: &str, spoil: impl FnOnce(&Path)) -> String {
    let (photos, out) = (photos(), tempfile::tempdir().unwrap());
    spoil(photos.path());
    let recipe = Recipe::parse(recipe).unwrap();
    let target = out.path().join("new");
    let error = generate(
        &recipe,
        photos.path(),
        &target,
        Options::default(),
        &mut |_| {},
    )
    .unwrap_err();
    assert!(!target.exists(), "nothing is written when a row is wrong");
    error.to_string()
}

#[test]
fn an_unknown_photo_is_named_with_its_row() {
    let text = complaint(&RECIPE.replace("box.jpg", "cat.jpg"), |_| {});
    assert!(
        text.contains("row 1 ('box-blue')") && text.contains("unknown photo 'cat.jpg'"),
        "{text}"
    );
}

#[test]
fn a_missing_and_a_poor_mask_are_named_with_their_row() {
    let text = complaint(RECIPE, |dir| {
        fs::remove_file(dir.join("masks/box.png")).unwrap();
    });
    assert!(
        text.contains("row 1") && text.contains("missing mask"),
        "{text}"
    );
    let text = complaint(RECIPE, |dir| {
        let subjects = "file\tsubject\tbackground\tmask\nbox.jpg\tthe box\tthe lawn\tpoor\n";
        fs::write(dir.join("SUBJECTS.tsv"), subjects).unwrap();
    });
    assert!(
        text.contains("row 1") && text.contains("marked poor"),
        "{text}"
    );
}

#[test]
fn a_photo_without_a_credit_is_refused() {
    let text = complaint(RECIPE, |dir| {
        fs::write(
            dir.join("CREDITS.tsv"),
            "file\ttitle\tauthor\tlicence\tchanges\n",
        )
        .unwrap();
    });
    assert!(text.contains("no row in CREDITS.tsv"), "{text}");
}

#[test]
fn a_photo_that_is_no_picture_is_named() {
    let (photos, out) = (photos(), tempfile::tempdir().unwrap());
    fs::write(photos.path().join("box.jpg"), b"not a picture").unwrap();
    let recipe = Recipe::parse(RECIPE).unwrap();
    let error = generate(
        &recipe,
        photos.path(),
        out.path(),
        Options::default(),
        &mut |_| {},
    );
    assert!(error.unwrap_err().to_string().contains("box.jpg"));
}
