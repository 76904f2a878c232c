//! Plans as people write them, right and wrong.

use std::path::Path;

use super::*;
use crate::domain::{JudgedOn, Labels, Ties};

fn parse(text: &str) -> Result<Plan, String> {
    Plan::parse(Path::new("p/plan.toml"), text, &[]).map_err(|e| e.to_string())
}

fn set(text: &str, changes: &[&str]) -> Result<Plan, String> {
    let changes: Vec<String> = changes.iter().map(|c| (*c).to_owned()).collect();
    Plan::parse(Path::new("p/plan.toml"), text, &changes).map_err(|e| e.to_string())
}

#[test]
fn an_empty_plan_is_the_papers() {
    let plan = parse("").unwrap();
    assert_eq!(plan.step_size(), 16);
    assert_eq!(plan.length.epochs, 2.0);
    assert_eq!(plan.schedule.kind, Decay::Cosine);
    assert_eq!(plan.trained(), Trained::EVERYTHING);
    let uncertainty = PairLoss::Uncertainty { margin: 0.0 };
    assert_eq!(
        plan.objective(),
        Objective::Pairs {
            loss: uncertainty,
            draws: None
        }
    );
    assert!(plan.peak_rates().values().all(|rate| *rate == 2e-6));
    assert_eq!(plan.pairs.ties, Ties::Disentangle);
}

#[test]
fn what_is_written_is_what_is_meant() {
    let plan = parse(
        "seed = 7\ntrain = \"heads\"\n[pairs]\naxes = \"both\"\nlabels = \"soft\"\nties = \"keep\"\n\
         [parts]\nmerger = true\n[rates]\nall = 1e-4\nmerger = 1e-5\n[loss]\nkind = \"bradley-terry-ties\"\nk = 3.0\n",
    )
    .unwrap();
    assert_eq!(plan.pairs.axes, JudgedOn::Both);
    assert_eq!(plan.pairs.labels, Labels::Soft);
    let rates = plan.peak_rates();
    assert_eq!(rates.len(), 2);
    assert_eq!((rates[&Part::Heads], rates[&Part::Merger]), (1e-4, 1e-5));
    assert!(matches!(
        plan.objective(),
        Objective::Pairs {
            loss: PairLoss::BradleyTerryTies { k: 3.0, .. },
            ..
        }
    ));
}

#[test]
fn a_plan_written_out_in_full_is_the_same_plan() {
    for text in [
        "",
        "train = \"low-rank\"\n[low_rank]\ntargets = [\"q_proj\"]\n[data]\ngroups = 5",
    ] {
        let plan = parse(text).unwrap();
        assert_eq!(parse(&plan.to_text().unwrap()).unwrap(), plan);
    }
}

#[test]
fn what_cannot_be_is_told_with_its_line_and_key() {
    for (text, expected) in [
        ("sed = 1", "p/plan.toml:1: unknown field 'sed'"),
        (
            "[loss]\nkind = \"best\"",
            "p/plan.toml:2: kind: unknown variant 'best'",
        ),
        (
            "seed = 1\n[data]\n\nvalidation = 1.5",
            "p/plan.toml:4: data.validation: 1.5 is no share",
        ),
        (
            "[loss]\nkind = \"hpsv2\"\nmargin = 1.0",
            "p/plan.toml:3: loss.margin: does not belong",
        ),
        (
            "train = \"heads\"\n[rates]\nvision = 1e-5",
            "p/plan.toml:3: rates.vision: this part is not trained",
        ),
        ("batch.size = 0", "p/plan.toml:1: batch.size: 0 is too few"),
        (
            "[compute]\ndevice = \"tpu\"",
            "p/plan.toml:2: compute.device: 'tpu' is no device",
        ),
        (
            "train = \"heads\"\n[parts]\nheads = false",
            "p/plan.toml:3: parts.heads: nothing is left",
        ),
        (
            "[schedule]\nwarmup = -1",
            "p/plan.toml:2: schedule.warmup: -1 is out of range",
        ),
        (
            "[loss]\nk = 1\nkind = \"bradley-terry-ties\"",
            "p/plan.toml:2: loss.k: is above 1",
        ),
        (
            "export = \"best\"\n[checkpoints]\nkeep_best = false",
            "p/plan.toml:3: checkpoints.keep_best",
        ),
        ("[length]\nepochs = 0", "p/plan.toml:2: length.epochs"),
        ("seed = ", "p/plan.toml:1: "),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}\nnot {expected}");
    }
}

#[test]
fn changes_from_the_command_line_go_before_the_file() {
    let plan = set(
        "[length]\nsteps = 5",
        &[
            "length.steps=9",
            "loss.kind=bradley-terry",
            "loss.margin = 0.5",
            "seed=3",
        ],
    )
    .unwrap();
    assert_eq!((plan.length.steps, plan.seed), (Some(9), 3));
    assert_eq!(plan.loss.kind, LossKind::BradleyTerry);
    assert_eq!(plan.loss.margin, Some(0.5));
}

#[test]
fn a_wrong_change_is_told_as_it_was_typed() {
    for (change, expected) in [
        ("length.steps", "--set length.steps: write it as key=value"),
        ("length.step=1", "--set length.step=1: unknown field 'step'"),
        ("seed.x=1", "--set seed.x=1: 'seed' is no table"),
        ("batch.size=0", "--set batch.size=0: 0 is too few"),
        (
            "loss.kind=nice",
            "--set loss.kind=nice: unknown variant 'nice'",
        ),
    ] {
        let error = set("seed = 1", &[change]).unwrap_err();
        assert!(error.starts_with(expected), "{error}\nnot {expected}");
    }
}

#[test]
fn paths_start_at_the_plans_folder_and_a_nameless_plan_is_called_after_its_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("base")).unwrap();
    let file = dir.path().join("first try.toml");
    let text = "[data]\nworkspaces = [\"sets/a\", \"/b\"]\n[model]\nbase = \"base\"";
    std::fs::write(&file, text).unwrap();
    let plan = Plan::read(&file, &[]).unwrap();
    assert_eq!(plan.name, "first try");
    assert_eq!(plan.data.workspaces[0], dir.path().join("sets/a"));
    assert_eq!(plan.data.workspaces[1], Path::new("/b"));
    assert_eq!(Path::new(&plan.model.base), dir.path().join("base"));
    let named = Plan::read(&file, &["model.base=demo".into()]).unwrap();
    assert_eq!(named.model.base, "demo");
}
