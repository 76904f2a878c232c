//! What is handed to the published trainer, word for word.

use super::*;

fn plan(text: &str) -> Plan {
    let text = format!("name = \"big one\"\nmodel.base = \"Qwen/Qwen2.5-VL-7B-Instruct\"\n{text}");
    Plan::parse(Path::new("plan.toml"), &text, &[]).unwrap()
}

fn subject(scores: &[(f64, f64)], comparisons: Vec<Comparison>) -> Subject {
    let human = |&(a, b): &(f64, f64)| crate::domain::HumanScore {
        instruction_following: Some(a),
        visual_quality: Some(b),
    };
    let human: Vec<_> = scores.iter().map(human).collect();
    Subject {
        root: Path::new("/data").into(),
        key: "g".into(),
        source: crate::domain::ImageRef("s.png".into()),
        instruction: "do \"it\"".into(),
        category: None,
        images: ["a.png", "b.png"]
            .map(|n| crate::domain::ImageRef(n.into()))
            .into(),
        editors: vec![Some("flux".into()), None],
        truth: crate::domain::clear_differences(&human),
        human,
        comparisons,
        attributes: Vec::new(),
    }
}

const ONE: Machines = Machines {
    start: Start::Deepspeed,
    nodes: 1,
    gpus: 8,
};

fn clone() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("EditReward")).unwrap();
    fs::write(dir.path().join("EditReward/train_qwen2_5_edit.py"), "").unwrap();
    dir
}

fn written(text: &str, machines: Machines) -> (tempfile::TempDir, Handover) {
    let (plan, repository) = (plan(text), clone());
    let material = Material {
        training: vec![subject(
            &[(1.0, 1.0), (4.0, 2.0)],
            vec![Comparison {
                preference: 0.0,
                ..Comparison::strict(0, 1, None)
            }],
        )],
        validation: vec![subject(&[(3.0, 3.0), (2.0, 2.0)], vec![])],
        ..Material::default()
    };
    let folder = repository.path().join("run/handover");
    let handover = hand_over(&plan, &material, repository.path(), &folder, machines).unwrap();
    (repository, handover)
}

#[test]
fn the_preferred_candidate_goes_first_with_everything_known_of_both() {
    let (_dir, handover) = written("", ONE);
    assert_eq!((handover.pairs, handover.validation_pairs), (1, 1));
    let text = fs::read_to_string(handover.folder.join("train.json")).unwrap();
    let train: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        train[0],
        serde_json::json!({
            "prompt": "do \"it\"", "choice_dist": null, "confidence": null, "path_src": "/data/s.png",
            "path1": "/data/b.png", "path2": "/data/a.png", "model1": "", "model2": "flux",
            "model1_dim1_score": 4.0, "model1_dim2_score": 2.0, "model1_overall_score": 6.0,
            "model2_dim1_score": 1.0, "model2_dim2_score": 1.0, "model2_overall_score": 2.0, "tie_case": false
        })
    );
}

#[test]
fn a_tie_taken_apart_becomes_two_pairs_of_opposite_order() {
    let tied = subject(
        &[(4.0, 1.0), (1.0, 4.0)],
        vec![
            Comparison::strict(0, 1, Some(Axis::InstructionFollowing)),
            Comparison {
                preference: 0.0,
                ..Comparison::strict(0, 1, Some(Axis::VisualQuality))
            },
        ],
    );
    let subjects = [tied];
    let all = pairs(&subjects, |s| s.comparisons.clone());
    let told: Vec<_> = all.iter().map(|p| (p.path1.as_str(), p.tie_case)).collect();
    assert_eq!(told, [("/data/a.png", true), ("/data/b.png", true)]);
}

#[test]
fn settings_say_what_the_plan_says_in_the_trainers_words() {
    let text = "train = \"low-rank\"\nrates.heads = 1e-4\nlength.steps = 50\nloss.kind = \"bradley-terry-with-margin\"\n\
                schedule.kind = \"constant\"\nbatch.accumulate = 32\n";
    let (_dir, handover) = written(text, ONE);
    let settings = fs::read_to_string(&handover.config).unwrap();
    for line in [
        "rm_head_type: \"ranknet_multi_head\"",
        "lora_enable: true",
        "freeze_llm: true",
        "freeze_vision_tower: true",
        "loss_type: \"constant_margin\"",
        "gradient_accumulation_steps: 4",
        "learning_rate: 0.000002",
        "rm_head_lr: 0.0001",
        "max_steps: 50",
        "lr_scheduler_type: \"constant_with_warmup\"",
        "model_name_or_path: \"Qwen/Qwen2.5-VL-7B-Instruct\"",
    ] {
        assert!(
            settings.lines().any(|l| l == line),
            "{line} is not in\n{settings}"
        );
    }
    let keys: Vec<&str> = settings
        .lines()
        .filter_map(|l| l.split_once(": "))
        .map(|(k, _)| k)
        .collect();
    let distinct: std::collections::BTreeSet<&str> = keys.iter().copied().collect();
    assert_eq!(keys.len(), distinct.len(), "a key twice:\n{settings}");
}

#[test]
fn each_launcher_gets_its_command() {
    let (dir, handover) = written("", ONE);
    let script = dir.path().join("EditReward/train_qwen2_5_edit.py");
    assert_eq!(handover.command[..3], ["deepspeed", "--num_gpus", "8"]);
    assert_eq!(Path::new(&handover.command[3]), script);
    assert_eq!(Path::new(&handover.command[5]), handover.config);
    let slurm = Machines {
        start: Start::Slurm,
        nodes: 2,
        gpus: 4,
    };
    let (_dir, handover) = written("", slurm);
    let job = fs::read_to_string(handover.folder.join("job.sbatch")).unwrap();
    for part in [
        "--job-name=erw-big-one",
        "--nodes=2",
        "--gpus-per-node=4",
        "srun 'torchrun' '--nnodes' '2'",
    ] {
        assert!(job.contains(part), "{part} is not in\n{job}");
    }
    let place = |text: &str| job.find(text).unwrap();
    assert!(
        place("--rdzv_endpoint") < place("train_qwen2_5_edit.py"),
        "{job}"
    );
}

#[test]
fn what_the_published_trainer_cannot_do_is_refused_by_its_key() {
    let repository = clone();
    for (text, key) in [
        ("pairs.axes = \"both\"", "pairs.axes"),
        ("pairs.labels = \"soft\"", "pairs.labels"),
        ("loss.margin = 0.3", "loss.margin"),
        ("model.layout = \"rubric-first\"", "model.layout"),
    ] {
        let error = hand_over(
            &plan(text),
            &Material::default(),
            repository.path(),
            repository.path(),
            ONE,
        );
        assert!(error.unwrap_err().to_string().starts_with(key));
    }
    let nowhere = Path::new("/nowhere");
    let error = hand_over(&plan(""), &Material::default(), nowhere, nowhere, ONE).unwrap_err();
    assert!(
        error.to_string().contains("--reference-repo takes a clone"),
        "{error}"
    );
}
