//! Dialogs: what they take, what they refuse, and the command lines that come of them.

use super::super::verbs::DIALOGS;
use super::*;

fn ground() -> Ground {
    Ground {
        workspace: "/home/ann/my edits".into(),
        runs: "/home/ann/my edits/runs".into(),
        has_groups: true,
        model: String::new(),
    }
}

fn offers() -> Offers {
    Offers {
        models: vec!["demo".into(), "seven".into()],
        launcher: None,
    }
}

fn form(kind: Kind) -> Form {
    Form::new(kind, ground(), Some(&offers()))
}

fn set(form: &mut Form, label: &str, text: &str) {
    form.at = form
        .fields
        .iter()
        .position(|f| f.spec.label == label)
        .unwrap();
    form.type_into(|input| *input = Input::new(text.into()));
}

fn fault_of(kind: Kind, label: &str, text: &str) -> Option<String> {
    let mut form = form(kind);
    set(&mut form, label, text);
    form.fields[form.at].fault.clone()
}

#[test]
fn every_dialog_can_be_started_as_it_opens_but_for_what_only_a_person_knows() {
    for dialog in DIALOGS {
        let mut form = form(dialog.kind);
        if dialog.kind == Kind::Command {
            assert!(form.obstacle().unwrap().contains("command"));
            set(&mut form, "command", "python train.py");
        }
        assert_eq!(form.obstacle(), None, "{}", dialog.title);
        let Some(Work::Launch { words, .. }) = form.start() else {
            panic!("{}", dialog.title);
        };
        assert!(words.contains(&"--queue".to_owned()), "{words:?}");
        assert!(form.start().is_none(), "it is started once");
    }
}

#[test]
fn the_command_line_is_what_one_would_type() {
    let mut score = form(Kind::Score);
    set(&mut score, "where", "editor = 'omni'");
    set(&mut score, "model", "seven");
    assert_eq!(
        score.command(),
        r#"erw score --where "editor = 'omni'" --model seven --workspace '/home/ann/my edits' --queue"#
    );
    set(&mut score, "launcher", "slurm");
    set(&mut score, "shards", "8");
    assert!(
        score
            .command()
            .ends_with("--shards 8 --workspace '/home/ann/my edits' --launcher slurm")
    );
    let mut curate = form(Kind::Curate);
    set(&mut curate, "keep the mix", "yes");
    set(&mut curate, "priority", "-2");
    assert_eq!(
        curate.command(),
        "erw jobs run --title 'select selected' --device cpu --runs '/home/ann/my edits/runs' --queue --priority -2 -- \
         erw curate select selected --fraction 0.2 --keep-mix --workspace '/home/ann/my edits'"
    );
    let mut command = form(Kind::Command);
    set(
        &mut command,
        "command",
        r#"python train.py --name "a b" '' c\ d"#,
    );
    let words = command.words();
    let after = words.iter().position(|w| w == "--").unwrap() + 1;
    assert_eq!(
        words[after..],
        ["python", "train.py", "--name", "a b", "", "c d"]
    );
}

#[test]
fn what_is_wrong_is_said_at_its_field_before_anything_starts() {
    for (kind, label, text, words) in [
        (Kind::Score, "model", "nobody", "only demo, seven"),
        (Kind::Score, "where", "editor =", ""),
        (Kind::Score, "shards", "0", "at least 1"),
        (Kind::Score, "shards", "4", "launcher slurm"),
        (Kind::Score, "launcher", "cloud", "local, slurm"),
        (Kind::Bench, "benchmark", "", "empty"),
        (Kind::Bench, "benchmark", "mine", "workspace, genai-edit"),
        (Kind::Bench, "benchmark", "gedit", "data"),
        (Kind::Bench, "limit", "many", "whole number"),
        (Kind::Curate, "fraction", "1.5", "at most 1"),
        (Kind::Curate, "top", "5", ""),
        (Kind::Curate, "sigmas", "-1", "at least 0"),
        (Kind::Probe, "factors", "saturation colour", "no 'colour'"),
        (Kind::Probe, "factors", "blur blur", "once"),
        (Kind::Command, "command", "sh -c 'a", "not closed"),
    ] {
        let mut form = form(kind);
        set(&mut form, label, text);
        let obstacle = form.obstacle();
        let obstacle = obstacle.unwrap_or_else(|| panic!("{label} = {text}"));
        assert!(obstacle.contains(words), "{label} = {text}: {obstacle}");
        form.at = 0;
        assert!(form.start().is_none());
    }
    assert_eq!(fault_of(Kind::Score, "model", "./models/mine"), None);
    assert_eq!(fault_of(Kind::Score, "where", "human.vq <= 2"), None);
}

#[test]
fn an_empty_workspace_has_nothing_to_score_but_runs_benchmarks_on_other_data() {
    let empty = Ground {
        has_groups: false,
        ..ground()
    };
    let mut score = Form::new(Kind::Score, empty.clone(), None);
    assert!(score.start().is_none());
    assert!(score.obstacle().unwrap().contains("no groups"));
    assert!(Form::new(Kind::Bench, empty, None).start().is_some());
}

#[test]
fn arrows_go_through_what_is_offered_and_a_refusal_shows_until_something_changes() {
    let mut form = form(Kind::Score);
    form.step(1);
    form.turn(1);
    assert_eq!(form.value("model"), "demo");
    form.turn(-2);
    assert_eq!(form.value("model"), "seven");
    assert!(form.start().is_some() && form.is_waiting());
    form.turn(1);
    assert_eq!(form.value("model"), "seven", "it is on its way");
    form.refused("there is no such model".into());
    assert_eq!(form.obstacle().unwrap(), "there is no such model");
    form.turn(1);
    assert_eq!(form.obstacle(), None);
    let mut probe = super::Form::new(Kind::Probe, ground(), None);
    set(&mut probe, "factors", "blur ");
    probe.turn(1);
    assert!(probe.value("factors").starts_with("blur "));
    assert_eq!(probe.obstacle(), None);
}

#[test]
fn the_demo_has_its_own_model_and_its_runs_elsewhere() {
    let demo = Ground {
        runs: "/home/ann/.local/share/erw/runs".into(),
        model: "demo".into(),
        ..ground()
    };
    let score = Form::new(Kind::Score, demo, None);
    assert_eq!(
        score.command(),
        "erw score --model demo --workspace '/home/ann/my edits' --runs /home/ann/.local/share/erw/runs --queue"
    );
}

fn with_slurm_set() -> Offers {
    Offers {
        launcher: Some("slurm".into()),
        ..offers()
    }
}

#[test]
fn the_queue_of_this_machine_is_named_where_the_settings_say_another_launcher() {
    for dialog in DIALOGS {
        let mut form = Form::new(dialog.kind, ground(), Some(&with_slurm_set()));
        let line = form.words().join(" ");
        assert!(line.contains("--launcher slurm"), "{line}");
        set(&mut form, "launcher", "local");
        set(&mut form, "priority", "3");
        let line = form.words().join(" ");
        let local = "--queue --launcher local --priority 3";
        assert!(line.contains(local), "{line}");
    }
}

#[test]
fn a_launcher_that_somebody_chose_stays_when_the_settings_are_read() {
    let mut form = Form::new(Kind::Measure, ground(), None);
    set(&mut form, "launcher", "slurm");
    set(&mut form, "launcher", "local");
    // Nobody knows yet what the settings say.
    assert!(form.command().ends_with("--queue --launcher local"));
    form.offer(&with_slurm_set());
    assert_eq!(form.value("launcher"), "local");
    assert!(form.command().ends_with("--queue --launcher local"));
    form.offer(&offers());
    assert!(form.command().ends_with("--queue"));
    let mut untouched = Form::new(Kind::Measure, ground(), None);
    untouched.offer(&with_slurm_set());
    assert_eq!(untouched.value("launcher"), "slurm");
}
