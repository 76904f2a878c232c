//! What a kill leaves at any of the steps between a finished image and the workspace, and what becomes of it.

use std::fs;

use super::*;
use crate::generate::{ANSWERS, LEDGER};

const GROUPS: &[&str] = &["x", "y", "z"];

fn settings(rig: &Rig) -> String {
    let script = format!(
        "echo \"$2\" >> '{}'; cp \"$1\" \"$3\"",
        rig.path("calls").display()
    );
    let words = serde_json::json!([
        "/bin/sh",
        "-c",
        script,
        "sh",
        "{source}",
        "{instruction}",
        "{out}"
    ]);
    format!("[editors.e]\ncommand = {words}\n")
}

fn calls(rig: &Rig) -> String {
    fs::read_to_string(rig.path("calls")).unwrap()
}

/// A finished run, and a workspace that has heard of none of it.
fn before_the_workspace() -> (Rig, Folder) {
    let rig = Rig::new(GROUPS);
    let settings = settings(&rig);
    let (folder, _) = rig.made(&settings);
    fs::remove_dir_all(rig.path(".erw")).unwrap();
    rig.import(GROUPS);
    assert!(rig.candidates(1).is_empty());
    (rig, folder)
}

fn taken_up(rig: &Rig, folder: &Folder) -> Report {
    let workspace = rig.workspace();
    let task = rig.task(&workspace, &settings(rig));
    let report = done(rig.run_in(folder, &task, &|| false).unwrap());
    for group in [1, 2, 3] {
        let candidates = rig.candidates(group);
        assert_eq!(candidates.len(), 1);
        let file = rig.dir.path().join(&candidates[0].image.0);
        assert!(images::decode(&fs::read(file).unwrap()).is_ok());
    }
    let all = answers(folder.path()).unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    let hidden = |name: &&String| name.contains(".new-");
    assert_eq!(files(&rig.path("generated")).keys().find(hidden), None);
    report
}

/// The last line of a file as a kill leaves it: only so many bytes of it.
fn cut(path: &Path, keep: usize) {
    let text = fs::read_to_string(path).unwrap();
    let start = text.trim_end().rfind('\n').unwrap() + 1;
    fs::write(path, &text[..start + keep]).unwrap();
}

#[test]
fn what_did_not_reach_the_workspace_is_added_and_not_made_again() {
    let (rig, folder) = before_the_workspace();
    let report = taken_up(&rig, &folder);
    assert_eq!((report.made, report.earlier), (3, 0));
    assert_eq!(calls(&rig), "x\ny\nz\n");
}

#[test]
fn what_the_run_did_not_note_is_its_own_all_the_same() {
    let (rig, folder) = before_the_workspace();
    cut(&folder.path().join(ANSWERS), 17);
    let report = taken_up(&rig, &folder);
    assert_eq!((report.made, report.earlier), (3, 0));
    assert_eq!(calls(&rig), "x\ny\nz\n");
}

#[test]
fn an_image_that_is_noted_and_not_in_its_place_is_put_there() {
    let (rig, folder) = before_the_workspace();
    let image = rig.path("generated/g3/e-1.png");
    fs::rename(&image, image.with_file_name(".new-e-1.png")).unwrap();
    cut(&folder.path().join(ANSWERS), 0);
    let report = taken_up(&rig, &folder);
    assert_eq!(report.made, 3);
    assert!(image.is_file());
    assert_eq!(calls(&rig), "x\ny\nz\n");
}

#[test]
fn an_image_that_was_half_written_is_made_anew() {
    let (rig, folder) = before_the_workspace();
    let image = rig.path("generated/g3/e-1.png");
    let bytes = fs::read(&image).unwrap();
    fs::remove_file(&image).unwrap();
    fs::write(image.with_file_name(".new-e-1.png"), &bytes[..20]).unwrap();
    cut(&rig.path("generated").join(LEDGER), 30);
    cut(&folder.path().join(ANSWERS), 0);
    let report = taken_up(&rig, &folder);
    assert_eq!(report.made, 3);
    assert_eq!(calls(&rig), "x\ny\nz\nz\n");
}

#[test]
fn an_image_that_was_lost_or_changed_since_is_made_anew_and_written_over_nothing() {
    let (rig, folder) = before_the_workspace();
    fs::remove_file(rig.path("generated/g1/e-1.png")).unwrap();
    fs::write(rig.path("generated/g2/e-1.png"), "somebody's").unwrap();
    taken_up(&rig, &folder);
    assert_eq!(calls(&rig), "x\ny\nz\nx\ny\n");
    assert_eq!(rig.candidates(2)[0].image.0, "generated/g2/e-1-2.png");
    let kept = fs::read_to_string(rig.path("generated/g2/e-1.png")).unwrap();
    assert_eq!(kept, "somebody's");
}

#[test]
fn a_note_of_an_image_elsewhere_is_not_believed() {
    let (rig, folder) = before_the_workspace();
    let ledger = rig.path("generated").join(LEDGER);
    let text = fs::read_to_string(&ledger).unwrap();
    fs::write(&ledger, text.replace("g1/e-1.png", "../s.png")).unwrap();
    taken_up(&rig, &folder);
    // The image that nobody knows of any more stays.
    assert_eq!(rig.candidates(1)[0].image.0, "generated/g1/e-1-2.png");
    assert_eq!(calls(&rig), "x\ny\nz\nx\n");
}

#[test]
fn another_run_takes_up_images_of_an_earlier_one_as_such() {
    let (rig, _) = before_the_workspace();
    let (_, report) = rig.made(&settings(&rig));
    assert_eq!((report.made, report.earlier), (0, 3));
    assert_eq!(calls(&rig), "x\ny\nz\n");
}

#[test]
fn images_of_another_instruction_source_or_command_are_not_taken_up() {
    let (rig, _) = before_the_workspace();
    rig.import(&["other", "y", "z"]);
    let (_, report) = rig.made(&settings(&rig));
    assert_eq!((report.made, report.earlier), (1, 2));
    assert_eq!(calls(&rig), "x\ny\nz\nother\n");
    assert_eq!(rig.candidates(1)[0].image.0, "generated/g1/e-1-2.png");

    let (rig, _) = before_the_workspace();
    fs::write(rig.path("s.png"), picture(9, 9)).unwrap();
    assert_eq!(rig.made(&settings(&rig)).1.made, 3);

    let (rig, _) = before_the_workspace();
    let other = settings(&rig).replace("\"sh\"", "\"other\"");
    assert_eq!(rig.made(&other).1.made, 3);
}

#[test]
fn only_chosen_groups_are_worked_on_and_a_name_of_none_is_refused() {
    let rig = Rig::new(GROUPS);
    let workspace = rig.workspace();
    let settings = settings(&rig);
    let named = |names: &[&str]| Task {
        chosen: Chosen {
            names: Some(names.iter().map(|n| (*n).to_owned()).collect()),
            ..Chosen::default()
        },
        ..rig.task(&workspace, &settings)
    };
    let looked = crate::generate::look(&named(&["g2"])).unwrap();
    assert_eq!((looked.groups, looked.missing()), (1, 1));
    assert!(!rig.path("generated").exists());
    let error = crate::generate::look(&named(&["g2", "h", "i"]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the workspace has no group 'h' (2 of the names are of none)"
    );
    done(
        rig.run_in(&rig.folder(), &named(&["g2"]), &|| false)
            .unwrap(),
    );
    assert_eq!(calls(&rig), "y\n");
    let elsewhere = Task {
        chosen: Chosen {
            split: Some("test".into()),
            ..Chosen::default()
        },
        ..rig.task(&workspace, &settings)
    };
    assert_eq!(crate::generate::look(&elsewhere).unwrap().groups, 0);
}

#[test]
fn two_runs_do_not_write_into_one_folder() {
    let rig = Rig::new(GROUPS);
    let workspace = rig.workspace();
    let task = rig.task(&workspace, &settings(&rig));
    let _held = crate::generate::ledger::Ledger::open(&task.out).unwrap();
    let error = rig
        .run_in(&rig.folder(), &task, &|| false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("another run makes candidates into"),
        "{error}"
    );
}
