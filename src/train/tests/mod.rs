//! The loop with a made-up learner and a true run folder: what is noted, how it stops, and that nothing changes the outcome.

mod splits;
mod survival;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::made_up::{MadeUp, USUAL, WIDTH};
use super::*;
use crate::data::Workspace;
use crate::model::learner::Objective;
use crate::runs::{Ending, Event, Folder, Manifest};

/// A workspace whose images are numbers: instruction following is the first, visual quality the second.
struct Field {
    dir: tempfile::TempDir,
}

const GROUPS: usize = 20;

impl Field {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        let mut state = 9_u64;
        let mut chance = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        for group in 0..GROUPS {
            let mut image = |name: &str| {
                let x: [f64; WIDTH] = std::array::from_fn(|_| chance());
                let text = x.map(|x| format!("{x:.6}")).join(" ");
                fs::write(dir.path().join(name), text).unwrap();
                x
            };
            // Two groups share each source.
            let source = format!("s{}.img", group / 2);
            image(&source);
            let candidates: Vec<String> = (0..4)
                .map(|c| {
                    let name = format!("g{group}-{c}.img");
                    let x = image(&name);
                    let likert = |v: f64| 1.0 + (v * 4.0).floor().min(3.0);
                    format!(
                        "{{\"id\":\"{c}\",\"image\":\"{name}\",\"labels\":[{{\"annotator\":\"x\",\"if\":{},\"vq\":{},\"simulated\":true}}]}}",
                        likert(x[0]),
                        likert(x[1])
                    )
                })
                .collect();
            let _ = writeln!(
                lines,
                "{{\"id\":\"g{group}\",\"source\":\"{source}\",\"instruction\":\"do\",\"category\":\"k{}\",\"candidates\":[{}]}}",
                group % 2,
                candidates.join(",")
            );
        }
        fs::write(dir.path().join("groups.jsonl"), lines).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace
            .import_jsonl(&dir.path().join("groups.jsonl"))
            .unwrap();
        Self { dir }
    }

    fn plan(&self, text: &str) -> Plan {
        let text = format!(
            "name = \"plan\"\ntrain = \"heads\"\ndata.workspaces = [\"{}\"]\ndata.validation = 0.3\nrates.all = 0.05\n{text}",
            self.dir.path().display()
        );
        Plan::parse(Path::new("plan.toml"), &text, &[]).unwrap()
    }

    fn material(plan: &Plan) -> Arc<Material> {
        Arc::new(Material::gather(plan, None).unwrap())
    }
}

const SHORT: &str = "batch.size = 2\nbatch.accumulate = 2\nlength.steps = 14\nevaluation.every = 5\ncheckpoints.every = 3\n";

/// A run's folder in a folder of its own.
struct Run {
    _root: Option<tempfile::TempDir>,
    folder: Folder,
}

impl Run {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &Manifest::new("train", vec![], "t")).unwrap();
        Self {
            folder,
            _root: Some(root),
        }
    }

    fn at(path: &Path) -> Self {
        Self {
            folder: Folder::at(path),
            _root: None,
        }
    }

    /// One process's work on the run.
    fn take_up(
        &self,
        plan: &Plan,
        material: &Arc<Material>,
        learner: &mut MadeUp,
    ) -> Result<Outcome, TrainError> {
        let writer = self.folder.take_up().unwrap();
        let outcome =
            writer.attend(|| train(plan, material, learner, self.folder.path(), &writer))?;
        writer.end(outcome.ending, "").unwrap();
        Ok(outcome)
    }

    fn facts(&self) -> Vec<Fact> {
        fs::read_to_string(self.folder.events())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Event>(line).unwrap().fact)
            .collect()
    }

    /// Every metric that no clock has a part in, by step: what was done again counts once.
    fn metrics(&self) -> BTreeMap<u64, BTreeMap<String, f64>> {
        let mut all: BTreeMap<u64, BTreeMap<String, f64>> = BTreeMap::new();
        for fact in self.facts() {
            match fact {
                Fact::Resumed { step } => all.retain(|s, _| *s <= step),
                Fact::Metrics { step, values, .. } => {
                    let lasting = values
                        .into_iter()
                        .filter(|(name, _)| !name.contains("second"));
                    all.entry(step).or_default().extend(lasting);
                }
                _ => {}
            }
        }
        all
    }

    fn notes(&self) -> Vec<String> {
        let texts = self.facts().into_iter().filter_map(|fact| match fact {
            Fact::Note { text } => Some(text),
            _ => None,
        });
        texts.collect()
    }

    fn kept(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.checkpoints())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn bits(learner: &MadeUp) -> Vec<u64> {
    learner.weights.iter().map(|w| w.to_bits()).collect()
}

#[test]
fn it_learns_and_says_what_the_screens_need() {
    let field = Field::new();
    let plan = field
        .plan("batch.size = 4\nbatch.accumulate = 1\nlength.epochs = 40\npairs.axes = \"both\"");
    let material = Field::material(&plan);
    let run = Run::new();
    let mut learner = MadeUp::new(USUAL);
    let outcome = run.take_up(&plan, &material, &mut learner).unwrap();
    assert_eq!(
        (outcome.ending, outcome.step),
        (Ending::Done, outcome.steps)
    );
    let summary = outcome.summary.unwrap();
    let accuracy = summary.total.accuracy.unwrap();
    assert!(
        accuracy.value > 0.9 && accuracy.low.unwrap() <= accuracy.value,
        "{accuracy:?}"
    );
    assert!(summary.total.accuracy_if.unwrap().value > 0.85);
    assert_eq!(summary.categories.len(), 2);
    assert!(
        fs::read_to_string(outcome.model.unwrap().join("weights"))
            .unwrap()
            .starts_with("plan")
    );
    let metrics = run.metrics();
    let last = &metrics[&outcome.steps];
    for name in [
        "train.loss",
        "train.accuracy",
        "train.accuracy.if",
        "train.accuracy.vq",
        "train.margin",
        "train.sigma",
        "val.loss",
        "val.accuracy",
        "val.accuracy.if",
        "val.accuracy.vq",
        "val.calibration",
        "gradient.norm",
        "rate.heads",
    ] {
        assert!(last.contains_key(name), "{name}: {last:?}");
    }
    assert!(last["val.loss"] < 0.9 * metrics[&(outcome.steps / 10)]["val.loss"]);
    let facts = run.facts();
    let followed = facts
        .iter()
        .filter(|f| matches!(f, Fact::Followed { .. }))
        .count();
    assert_eq!(followed, 40);
    let samples = facts.iter().find_map(|f| match f {
        Fact::Samples { groups, .. } => Some(groups.len()),
        _ => None,
    });
    assert_eq!(samples, Some(4));
}

#[test]
fn the_latest_checkpoints_and_the_best_stay() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let run = Run::new();
    run.take_up(&plan, &material, &mut MadeUp::new(USUAL))
        .unwrap();
    let kept = run.kept();
    let best: Vec<u64> = run
        .facts()
        .into_iter()
        .filter_map(|f| match f {
            Fact::Checkpoint {
                step, best: true, ..
            } => Some(step),
            _ => None,
        })
        .collect();
    let best = format!("step-{:08}", best.last().unwrap());
    assert!(kept.contains(&best), "{kept:?}");
    assert!(
        kept.contains(&"step-00000014".into()) && kept.len() <= 3,
        "{kept:?}"
    );
}

#[test]
fn the_best_weights_can_become_the_model() {
    let field = Field::new();
    // A rate so high that it goes up and down.
    let plan = field.plan(
        &format!("{SHORT}export = \"best\"\n").replace("rates.all = 0.05", "rates.all = 3.0"),
    );
    let material = Field::material(&plan);
    let run = Run::new();
    let outcome = run
        .take_up(&plan, &material, &mut MadeUp::new(USUAL))
        .unwrap();
    let summary = outcome.summary.unwrap();
    let best = run
        .metrics()
        .into_iter()
        .filter_map(|(step, v)| Some((step, *v.get("val.accuracy")?)));
    let best = best.fold(
        (0, 0.0),
        |best, next| if next.1 > best.1 { next } else { best },
    );
    assert_eq!((summary.step, summary.total.accuracy.unwrap().value), best);
}

#[test]
fn a_missing_or_unreadable_image_costs_its_group_only() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let keys: Vec<String> = material.training.iter().map(|s| s.key.clone()).collect();
    fs::remove_file(field.dir.path().join(format!("{}-2.img", keys[0]))).unwrap();
    fs::write(
        field.dir.path().join(format!("{}-1.img", keys[1])),
        "not a picture",
    )
    .unwrap();
    let run = Run::new();
    let outcome = run
        .take_up(&plan, &material, &mut MadeUp::new(USUAL))
        .unwrap();
    assert_eq!(outcome.ending, Ending::Done);
    assert!(outcome.missed >= 4, "{}", outcome.missed);
    let notes = run.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    for (key, reason) in [(&keys[0], "is missing"), (&keys[1], "this is no picture")] {
        let told = notes
            .iter()
            .any(|n| n.contains(&format!("'{key}'")) && n.contains(reason));
        assert!(told, "{notes:?}");
    }
}

#[test]
fn without_a_single_readable_group_it_ends_with_the_reason() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    for source in 0..GROUPS / 2 {
        fs::remove_file(field.dir.path().join(format!("s{source}.img"))).unwrap();
    }
    let error = Run::new()
        .take_up(&plan, &material, &mut MadeUp::new(USUAL))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("none of the") && text.contains("is missing"),
        "{text}"
    );
}

#[test]
fn numbers_gone_wrong_end_the_run_with_step_groups_and_last_good_state() {
    let field = Field::new();
    let plan = field.plan(SHORT);
    let material = Field::material(&plan);
    let run = Run::new();
    // From the eighth step on, one image makes the loss infinite.
    let spoil = field.dir.path().to_owned();
    let updates = AtomicUsize::new(0);
    let mut learner = MadeUp::new(USUAL).heard_by(Box::new(move |what| {
        if what == "updated" && updates.fetch_add(1, Ordering::SeqCst) == 6 {
            for source in 0..GROUPS / 2 {
                fs::write(spoil.join(format!("s{source}.img")), "NaN 0 0 0").unwrap();
            }
        }
    }));
    let error = run.take_up(&plan, &material, &mut learner).unwrap_err();
    let TrainError::Halted {
        step,
        groups,
        checkpoint,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert!((8..12).contains(step), "{step}");
    assert_eq!(groups.len(), 4);
    let kept = checkpoint.clone().unwrap();
    assert!(kept.is_dir());
    let text = error.to_string();
    assert!(
        text.contains(&format!("step {step}: the loss is NaN")) && text.contains(&groups[0]),
        "{text}"
    );
    assert!(text.contains("step-0000000"), "{text}");
    let ended = run.facts().into_iter().last();
    assert!(
        matches!(ended, Some(Fact::Ended { ending: Ending::Failed, reason }) if reason == text)
    );
}

#[test]
fn a_loss_out_of_hand_ends_the_run_unless_that_is_wanted() {
    let field = Field::new();
    let text = "batch.size = 4\nbatch.accumulate = 1\nlength.steps = 300\nevaluation.every = 300\n\
                schedule.warmup = 0.6\nloss.kind = \"regression\"\n";
    let text = format!("{text}rates.all = 40.0");
    let plan = |more: &str| {
        let text = format!("{text}\n{more}").replace("rates.all = 0.05\n", "");
        let head = format!(
            "train = \"heads\"\ndata.workspaces = [\"{}\"]\n",
            field.dir.path().display()
        );
        Plan::parse(Path::new("plan.toml"), &(head + &text), &[]).unwrap()
    };
    let stops = plan("");
    let material = Field::material(&stops);
    let error = Run::new()
        .take_up(&stops, &material, &mut MadeUp::new(Objective::Scores))
        .unwrap_err();
    assert!(error.to_string().contains("climbed out of hand"), "{error}");
    let goes_on = plan("length.stop_on_divergence = false");
    let material = Field::material(&goes_on);
    Run::new()
        .take_up(&goes_on, &material, &mut MadeUp::new(Objective::Scores))
        .unwrap();
}

#[test]
fn groups_of_one_source_stay_on_one_side() {
    let field = Field::new();
    for seed in 0..20 {
        let plan = field.plan(&format!("seed = {seed}\n"));
        let material = Field::material(&plan);
        assert_eq!(
            material.training.len() + material.validation.len() + material.silent,
            GROUPS
        );
        for held_out in &material.validation {
            assert!(
                material
                    .training
                    .iter()
                    .all(|s| s.source != held_out.source)
            );
        }
    }
}

#[test]
fn pairs_and_a_few_candidates_at_a_time_are_taken_as_the_plan_says() {
    let field = Field::new();
    let pairs = field
        .plan("batch.unit = \"pairs\"\nbatch.size = 8\nbatch.accumulate = 1\nlength.epochs = 1");
    let material = Field::material(&pairs);
    assert!(material.items.len() > 40);
    let run = Run::new();
    let outcome = run
        .take_up(&pairs, &material, &mut MadeUp::new(USUAL))
        .unwrap();
    assert_eq!(outcome.steps, material.items.len().div_ceil(8) as u64);
    let few =
        field.plan("batch.candidates = 2\nbatch.size = 8\nbatch.accumulate = 1\nlength.epochs = 3");
    let material = Field::material(&few);
    let mut learner = MadeUp::new(USUAL);
    let start = bits(&learner);
    Run::new().take_up(&few, &material, &mut learner).unwrap();
    assert_ne!(bits(&learner), start);
}

#[test]
fn a_workspace_without_labels_is_told() {
    let dir = tempfile::tempdir().unwrap();
    Workspace::create(dir.path()).unwrap();
    let text = format!("data.workspaces = [\"{}\"]", dir.path().display());
    let plan = Plan::parse(Path::new("plan.toml"), &text, &[]).unwrap();
    let error = Material::gather(&plan, None).unwrap_err().to_string();
    assert!(error.contains("nothing to learn from"), "{error}");
    let nameless = Plan::parse(Path::new("plan.toml"), "", &[]).unwrap();
    let error = Material::gather(&nameless, None).unwrap_err().to_string();
    assert!(error.contains("data.workspaces"), "{error}");
}
