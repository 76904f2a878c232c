//! Programs as editors: small shell scripts that copy the source, fail, dawdle, or write what is no picture.

use std::cell::Cell;

use super::*;
use crate::generate::LEDGER;

/// An editor of a script, which finds source, instruction, seed and file to write in $1 to $4.
fn editor(name: &str, script: &str, more: &str) -> String {
    let words = serde_json::json!([
        "/bin/sh",
        "-c",
        script,
        "sh",
        "{source}",
        "{instruction}",
        "{seed}",
        "{out}"
    ]);
    format!("[editors.{name}]\ncommand = {words}\n{more}\n")
}

#[test]
fn every_editor_makes_a_candidate_of_each_group_from_each_seed_and_only_once() {
    let rig = Rig::new(&["make it red", "make it blue"]);
    let calls = rig.path("calls");
    let script = format!("echo \"$3 $2\" >> '{}'; cp \"$1\" \"$4\"", calls.display());
    let settings = editor("a", &script, "seeds = [3, 5]\nworkers = 2") + &editor("b", &script, "");
    let (folder, report) = rig.made(&settings);
    assert_eq!((report.groups, report.made, report.failed), (2, 6, 0));
    let expected = [
        ("a".to_owned(), 3),
        ("a".to_owned(), 5),
        ("b".to_owned(), 1),
    ];
    for group in [1, 2] {
        assert_eq!(rig.makers(group), expected);
    }
    let one = &rig.candidates(1)[0];
    let name = format!("{}-{}", one.editor.as_ref().unwrap(), one.seed.unwrap());
    assert_eq!(one.key, name);
    assert_eq!(one.image.0, format!("generated/g1/{name}.png"));
    let source = std::fs::read(rig.path("s.png")).unwrap();
    let images = files(&rig.path("generated"));
    assert_eq!(images.len(), 7, "{:?}", images.keys());
    assert!(
        images
            .iter()
            .all(|(name, bytes)| name == LEDGER || *bytes == source)
    );
    assert_eq!(answers(folder.path()).unwrap().len(), 6);
    let left = files(folder.path());
    assert!(
        !left.keys().any(|name| name.contains("scratch")),
        "{:?}",
        left.keys()
    );
    let lines = || std::fs::read_to_string(&calls).unwrap().lines().count();
    assert_eq!(lines(), 6);
    let (_, again) = rig.made(&settings);
    assert_eq!((again.made, again.earlier, lines()), (0, 0, 6));
    // Another seed is another candidate.
    let more = settings.replace("[3, 5]", "[3, 5, 7]");
    let (_, third) = rig.made(&more);
    assert_eq!((third.made, lines()), (2, 8));
}

#[test]
fn an_instruction_arrives_word_for_word_and_is_never_a_command() {
    let evil =
        "a'; touch pwned; \"$(touch pwned)\" `touch pwned` {out} {seed}\n-- %s \\ \u{1b}[31m é";
    let rig = Rig::new(&[evil]);
    let heard = rig.path("heard");
    let script = format!("printf %s \"$2\" > '{}'; cp \"$1\" \"$4\"", heard.display());
    let more = format!("directory = '{}'", rig.dir.path().display());
    let (_, report) = rig.made(&editor("a", &script, &more));
    assert_eq!(report.made, 1);
    assert_eq!(std::fs::read_to_string(heard).unwrap(), evil);
    assert!(!rig.path("pwned").exists());
}

#[test]
fn a_program_that_fails_is_tried_again_and_then_told_with_its_last_words() {
    let rig = Rig::new(&["x"]);
    let script = "echo first >&2; echo \"CUDA out of memory\" >&2; exit 3";
    let settings = editor("bad", script, "retries = 2") + &editor("good", "cp \"$1\" \"$4\"", "");
    let (folder, report) = rig.made(&settings);
    assert_eq!((report.made, report.failed), (1, 1));
    assert_eq!(rig.makers(1), [("good".to_owned(), 1)]);
    let why = failure(&folder).failed.unwrap();
    assert_eq!(
        why,
        "editor 'bad': exit status: 3: first | CUDA out of memory; tried 3 times"
    );
    let waits = rig.clock.waits();
    assert_eq!(waits.len(), 2);
    for (wait, limit) in waits.iter().zip([500, 1000]) {
        assert!(wait.as_millis() <= limit, "{waits:?}");
    }
    assert_eq!(*rig.lines.borrow(), [format!("group 'g1', seed 1: {why}")]);
    let log = std::fs::read_to_string(folder.log()).unwrap();
    assert_eq!(log.matches("CUDA out of memory").count(), 4, "{log}");
    // Another run tries what failed, and nothing else.
    let mended = ["bad", "good"].map(|name| editor(name, "cp \"$1\" \"$4\"", ""));
    let (_, again) = rig.made(&mended.concat());
    assert_eq!((again.made, again.editors[0].made), (1, 1));
}

#[test]
fn what_may_pass_is_over_with_the_next_try() {
    let rig = Rig::new(&["x"]);
    let mark = rig.path("mark");
    let script = format!(
        "if [ -e '{0}' ]; then cp \"$1\" \"$4\"; else touch '{0}'; exit 1; fi",
        mark.display()
    );
    let (folder, report) = rig.made(&editor("a", &script, ""));
    assert_eq!((report.made, report.failed), (1, 0));
    assert_eq!(answers(folder.path()).unwrap()[0].tries, 2);
}

#[test]
fn a_program_that_writes_nothing_or_no_picture_has_made_none() {
    for (script, reason) in [
        (
            "echo done >&2",
            "it ended well and wrote no image to {out}: done",
        ),
        (
            "echo hello > \"$4\"",
            "what it wrote is of no use: this is not an image",
        ),
        (
            "head -c 60 \"$1\" > \"$4\"",
            "what it wrote is of no use: the image is broken",
        ),
        ("mkdir \"$4\"", "what it wrote is of no use: the image"),
        (
            ": > \"$4\"",
            "what it wrote is of no use: this is not an image",
        ),
    ] {
        let rig = Rig::new(&["x"]);
        let (folder, report) = rig.made(&editor("a", script, "retries = 0"));
        assert_eq!((report.made, report.failed), (0, 1));
        let why = failure(&folder).failed.unwrap();
        assert!(
            why.contains(reason) && !why.contains("tried"),
            "{script}: {why}"
        );
        assert!(rig.candidates(1).is_empty());
        assert_eq!(files(&rig.path("generated")).len(), 1, "only the ledger");
    }
}

#[test]
fn a_name_s_ending_is_that_of_what_was_written() {
    let rig = Rig::new(&["x"]);
    let (_, report) = rig.made(&editor("a", "cp \"$1\" \"$4\"", "ending = \"jpg\""));
    assert_eq!(report.made, 1);
    assert_eq!(rig.candidates(1)[0].image.0, "generated/g1/a-1.png");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
    let rig = Rig::new(&["x"]);
    let pids = rig.path("pids");
    // Deaf to a polite request, and so is what it starts.
    let script = format!(
        "trap '' TERM; sleep 600 & echo $$ $! > '{}'; echo working >&2; wait; wait",
        pids.display()
    );
    let (folder, _) = rig.made(&editor("slow", &script, "timeout_s = 0.4\nretries = 0"));
    let why = failure(&folder).failed.unwrap();
    assert_eq!(
        why,
        "editor 'slow': it was not done within 0.4 s (timeout_s): working"
    );
    for pid in std::fs::read_to_string(&pids).unwrap().split_whitespace() {
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Dead, and nobody has taken note yet.
            stat.is_empty() || stat.contains(") Z ")
        };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !gone() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(gone(), "{pid} lives");
    }
}

#[test]
fn an_editor_that_cannot_work_holds_no_other_up_and_the_run_says_so_at_the_end() {
    let rig = Rig::new(&["x", "y", "z"]);
    let missing = "[editors.gone]\ncommand = \"/nowhere/edit {source} {instruction} {out}\"\n";
    let settings = editor("good", "cp \"$1\" \"$4\"", "") + missing;
    let workspace = rig.workspace();
    let folder = rig.folder();
    let task = rig.task(&workspace, &settings);
    let error = rig
        .run_in(&folder, &task, &|| false)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("3 made, 3 still missing: editor 'gone': cannot start '/nowhere/edit'"),
        "{error}"
    );
    for group in [1, 2, 3] {
        assert_eq!(rig.makers(group), [("good".to_owned(), 1)]);
    }
    let report: Report = serde_json::from_slice(&std::fs::read(folder.report()).unwrap()).unwrap();
    assert!(report.editors[0].given_up.is_some() && report.editors[1].given_up.is_none());
    // With the editor in order, the same run goes on.
    let mended = settings.replace("/nowhere/edit", "/bin/sh -c 'cp \\\"$1\\\" \\\"$3\\\"' sh");
    let task = rig.task(&workspace, &mended);
    let report = done(rig.run_in(&folder, &task, &|| false).unwrap());
    assert_eq!((report.made, report.failed), (6, 0));
}

#[test]
fn an_editor_that_fails_all_the_time_is_given_up() {
    let groups: Vec<String> = (0..30).map(|i| i.to_string()).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let rig = Rig::new(&groups);
    let workspace = rig.workspace();
    let task = rig.task(&workspace, &editor("bad", "exit 1", "retries = 0"));
    let folder = rig.folder();
    let error = rig
        .run_in(&folder, &task, &|| false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("editor 'bad' failed 8 times in a row"),
        "{error}"
    );
    let tried = answers(folder.path()).unwrap().len();
    // Those that were under way when it was given up may still end.
    assert!((8..=10).contains(&tried), "{tried}");
}

#[test]
fn a_group_whose_source_is_missing_is_told_and_nothing_is_started() {
    let rig = Rig::new(&["x"]);
    std::fs::remove_file(rig.path("s.png")).unwrap();
    let script = format!("touch '{}'", rig.path("started").display());
    let (folder, _) = rig.made(&editor("a", &script, ""));
    let why = failure(&folder).failed.unwrap();
    assert_eq!(
        why,
        "editor 'a': the image 's.png' is missing: no such file"
    );
    assert!(!rig.path("started").exists() && rig.clock.waits().is_empty());
}

#[test]
fn what_is_secret_in_the_environment_is_not_repeated() {
    let rig = Rig::new(&["x"]);
    let secret = "hf-0123456789";
    let script = "echo \"bad token $HUB_TOKEN in $PLACE\" >&2; exit 1";
    let more = format!("retries = 1\nenv = {{ HUB_TOKEN = \"{secret}\", PLACE = \"some-where\" }}");
    let (folder, _) = rig.made(&editor("a", script, &more));
    let why = failure(&folder).failed.unwrap();
    assert!(why.contains("bad token (secret) in some-where"), "{why}");
    for place in [folder.path(), &rig.path("generated")] {
        assert!(!all_text(place).contains(secret));
    }
}

#[test]
fn a_run_that_is_asked_to_stop_ends_what_is_under_way_and_goes_on_later() {
    let rig = Rig::new(&["a", "b", "c", "d"]);
    let (calls, go) = (rig.path("calls"), rig.path("go"));
    // The first two are made at once, the others once they may.
    let script = format!(
        "echo \"$2\" >> '{}'; case $2 in a|b) ;; *) until [ -e '{}' ]; do sleep 0.01; done;; esac; cp \"$1\" \"$4\"",
        calls.display(),
        go.display()
    );
    let settings = editor("e", &script, "");
    let workspace = rig.workspace();
    let task = rig.task(&workspace, &settings);
    let folder = rig.folder();
    let calls_of = || std::fs::read_to_string(&calls).unwrap_or_default();
    let asked = Cell::new(false);
    let stop = || {
        asked.set(asked.get() || calls_of().contains('c'));
        asked.get()
    };
    let outcome = rig.run_in(&folder, &task, &stop).unwrap();
    assert!(
        matches!(outcome, Outcome::Stopped { done: 2, of: 4 }),
        "{outcome:?}"
    );
    assert!(rig.candidates(3).is_empty() && !folder.report().exists());
    std::fs::write(&go, "").unwrap();
    let report = done(rig.run_in(&folder, &task, &|| false).unwrap());
    assert_eq!((report.made, report.failed), (4, 0));
    assert_eq!(calls_of(), "a\nb\nc\nc\nd\n");
    for group in 1..=4 {
        assert_eq!(rig.makers(group), [("e".to_owned(), 1)]);
    }
}
