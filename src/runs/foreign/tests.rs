//! Folders as Hugging Face's trainer leaves them, growing while they are followed.

use std::collections::BTreeMap;
use std::fs;

use super::super::tensorboard::Board;
use super::super::{Folder, Follower, Run, State, glance};
use super::*;

const STATE: &str = r#"{"best_model_checkpoint": "/data/out/checkpoint-20", "epoch": 0.5, "global_step": 20,
 "is_world_process_zero": true, "log_history": [
  {"epoch": 0.25, "grad_norm": 1.5, "learning_rate": 2e-06, "loss": 0.69, "step": 10},
  {"epoch": 0.5, "eval_loss": 0.6, "eval_accuracy": 0.7, "step": 20},
  {"epoch": 0.5, "grad_norm": NaN, "learning_rate": 1e-06, "loss": NaN, "step": 20}],
 "max_steps": 40, "num_train_epochs": 1}"#;

fn checkpoint(dir: &Path, step: u64, state: &str) {
    let path = dir.join(format!("checkpoint-{step}"));
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("model.safetensors"), "weights").unwrap();
    fs::write(path.join("trainer_state.json"), state).unwrap();
}

fn follow(dir: &Path) -> Follower {
    let mut follower = Follower::new(Folder::at(dir));
    follower.catch_up().unwrap();
    follower
}

#[test]
fn a_folder_with_states_only_is_a_run_with_curves_and_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Foreign::is_here(dir.path()));
    checkpoint(dir.path(), 20, STATE);
    let mut follower = follow(dir.path());
    assert_eq!(follower.state(), State::Running);
    assert_eq!(follower.history.metric("train.loss")[0].value, 0.69);
    assert!(follower.history.metric("train.loss")[1].value.is_nan());
    assert_eq!(follower.history.metric("val.accuracy")[0].epoch, 0.5);
    let progress = follower.summary.progress().unwrap();
    assert_eq!((progress.done, progress.total), (20, Some(40)));
    let best = follower.summary.best.clone().unwrap();
    assert_eq!(best, (20, "checkpoint-20".into()));
    let last = STATE
        .replace("\"global_step\": 20", "\"global_step\": 40")
        .replace("}],", "}, {\"loss\": 0.1, \"step\": 40, \"epoch\": 1.0}],");
    fs::write(dir.path().join("trainer_state.json"), last).unwrap();
    follower.catch_up().unwrap();
    assert_eq!(follower.state(), State::Done);
    assert_eq!(follower.history.metric("train.loss").len(), 3);
    assert_eq!(follower.history.saved().len(), 1);
}

#[test]
fn event_files_are_followed_as_they_grow_and_win_over_states() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("runs/Nov25_host");
    let mut board = Board::create(&logs, 1e9, "h").unwrap();
    let loss = |x: f64| BTreeMap::from([("train.loss".to_owned(), x), ("eval.loss".into(), x)]);
    board.scalars((1e9 + 1.0, 10), &loss(0.5)).unwrap();
    let mut follower = follow(dir.path());
    board.scalars((1e9 + 2.0, 20), &loss(0.25)).unwrap();
    checkpoint(dir.path(), 20, STATE);
    follower.catch_up().unwrap();
    let points = follower.history.metric("train.loss");
    let values: Vec<_> = points.iter().map(|p| (p.step, p.value)).collect();
    assert_eq!(values, [(10, 0.5), (20, 0.25)]);
    assert_eq!(points[1].worked, 1.0);
    assert_eq!(follower.history.metric("val.loss").len(), 2);
    assert_eq!(follower.history.metric("val.accuracy").len(), 0);
    assert_eq!(follower.summary.progress().unwrap().total, Some(40));
    board.restart(1e9 + 3.0, 15).unwrap();
    follower.catch_up().unwrap();
    assert_eq!(follower.history.metric("train.loss").len(), 1);
}

#[test]
fn an_event_file_that_is_longer_than_a_look_says_that_there_is_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::create(dir.path(), 1e9, "h").unwrap();
    for step in 1..=9_u64 {
        let loss = BTreeMap::from([("train.loss".to_owned(), 0.5)]);
        board.scalars((1e9 + step as f64, step), &loss).unwrap();
    }
    let mut follower = Follower::new(Folder::at(dir.path()));
    while follower.poll(3, Duration::ZERO).unwrap().more {}
    assert_eq!(follower.history.metric("train.loss").len(), 9);
}

#[test]
fn a_trainer_that_fell_silent_is_stalled_and_one_like_ours_in_every_list() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("their run");
    checkpoint(&dir, 20, STATE);
    let file = fs::File::options()
        .write(true)
        .open(dir.join("checkpoint-20/trainer_state.json"))
        .unwrap();
    file.set_modified(SystemTime::now() - QUIET).unwrap();
    let listing = Run::list(root.path()).unwrap();
    assert_eq!(listing.runs[0].manifest.title, "their run");
    assert_eq!(glance(&listing.runs[0].folder).unwrap().1, State::Stalled);
    let found = Run::find(root.path(), "their").unwrap();
    assert_eq!(follow(found.folder.path()).state(), State::Stalled);
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        1,
        "nothing was written"
    );
}

#[test]
fn a_folder_of_our_runs_is_no_run_of_another_program() {
    let root = tempfile::tempdir().unwrap();
    let manifest = Manifest::new("train", vec![], "ours");
    let ours = Folder::create(root.path(), &manifest).unwrap();
    Board::create(&ours.tensorboard(), 1e9, "h").unwrap();
    assert!(Foreign::is_here(&ours.tensorboard()));
    assert!(!Foreign::is_here(root.path()));
}

#[test]
fn a_state_that_is_being_written_is_read_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), 20, &STATE[..STATE.len() / 2]);
    let mut follower = follow(dir.path());
    assert_eq!(follower.history.names().count(), 0);
    checkpoint(dir.path(), 20, STATE);
    follower.catch_up().unwrap();
    assert_eq!(follower.history.metric("train.loss").len(), 2);
}
