//! Some of a group's candidates, and the rest when it is wanted.

use super::*;
use crate::generate::{SAMPLES, samples};

/// Six editors of two seeds each, as in the paper.
fn six(script: &str) -> String {
    let words = serde_json::json!([
        "/bin/sh",
        "-c",
        script,
        "sh",
        "{source}",
        "{instruction}",
        "{out}"
    ]);
    let editor = |name| format!("[editors.{name}]\ncommand = {words}\ncount = 2\nretries = 0\n");
    ["a", "b", "c", "d", "e", "f"].map(editor).concat()
}

fn counting(rig: &Rig) -> String {
    let calls = rig.path("calls");
    format!("echo x >> '{}'; cp \"$1\" \"$3\"", calls.display())
}

fn calls(rig: &Rig) -> usize {
    let calls = std::fs::read_to_string(rig.path("calls")).unwrap();
    calls.lines().count()
}

fn sampled(rig: &Rig, settings: &str, most: usize, seed: u64) -> (Folder, Report) {
    let workspace = rig.workspace();
    let folder = rig.folder();
    let task = Task {
        sample: Some(most),
        seed,
        ..rig.task(&workspace, settings)
    };
    let report = done(rig.run_in(&folder, &task, &|| false).unwrap());
    (folder, report)
}

#[test]
fn seven_of_twelve_go_into_the_workspace_by_all_six_editors_and_the_same_again() {
    let drawn = |seed| {
        let rig = Rig::new(&["x", "y", "z"]);
        let (_, report) = sampled(&rig, &six(&counting(&rig)), 7, seed);
        assert_eq!((report.made, calls(&rig)), (36, 36));
        let sample = report.sample.unwrap();
        assert_eq!(
            (sample.groups, sample.taken, sample.left, sample.short),
            (3, 21, 15, 0)
        );
        [1, 2, 3].map(|group| {
            let makers = rig.makers(group);
            let mut editors: Vec<&str> = makers.iter().map(|(e, _)| e.as_str()).collect();
            editors.dedup();
            assert_eq!((makers.len(), editors.len()), (7, 6), "{makers:?}");
            makers
        })
    };
    let first = drawn(1);
    assert_eq!(first, drawn(1));
    assert_ne!(first, drawn(2));
}

#[test]
fn what_was_left_is_on_the_disk_and_taken_in_later_without_being_made_again() {
    let rig = Rig::new(&["x"]);
    let settings = six(&counting(&rig));
    let (folder, _) = sampled(&rig, &settings, 7, 1);
    let [sample] = &samples(folder.path()).unwrap()[..] else {
        panic!("{SAMPLES}");
    };
    assert_eq!(
        (sample.group.as_str(), sample.taken.len(), sample.left.len()),
        ("g1", 7, 5)
    );
    for image in sample.taken.iter().chain(&sample.left) {
        assert!(rig.path("generated").join(image).is_file(), "{image}");
    }
    // A group that has as many as are wanted is left alone.
    let (_, again) = sampled(&rig, &settings, 7, 2);
    assert_eq!((again.made, again.earlier, calls(&rig)), (0, 0, 12));
    let (_, more) = sampled(&rig, &settings, 9, 1);
    assert_eq!((more.made, more.earlier, rig.makers(1).len()), (0, 5, 9));
    let (_, all) = rig.made(&settings);
    assert_eq!((all.made, all.earlier, calls(&rig)), (0, 3, 12));
    assert_eq!(rig.makers(1).len(), 12);
    assert_eq!(all.sample, None);
}

#[test]
fn a_group_with_failures_has_what_there_is_up_to_the_number() {
    let rig = Rig::new(&["x"]);
    let settings = six("cp \"$1\" \"$3\"");
    // Four editors are out of order, which leaves four candidates.
    let broken = settings.replacen("cp ", "false ", 4);
    let (_, report) = sampled(&rig, &broken, 7, 1);
    let sample = report.sample.unwrap();
    assert_eq!(
        (report.failed, sample.taken, sample.left, sample.short),
        (8, 4, 0, 1)
    );
    // In order again, the sample is filled up.
    let (_, report) = sampled(&rig, &settings, 7, 1);
    let sample = report.sample.unwrap();
    assert_eq!(
        (report.made, sample.taken, sample.left, sample.short),
        (8, 3, 5, 0)
    );
    assert_eq!(rig.makers(1).len(), 7);
}
