//! The published trainer's settings file: a plan in its words.

use std::fmt::Write as _;
use std::path::Path;

use super::Machines;
use crate::model::learner::Language;
use crate::model::manifest::HeadKind;
use crate::train::plan::{Decay, LossKind, Plan};
use crate::train::schedule::Course;

/// The published pixel budget (256 · 28 · 28).
const PIXELS: u64 = 200_704;

type Lines = Vec<(&'static str, String)>;

/// The file's text. Strings are quoted as in JSON, which is YAML too.
pub(super) fn text(
    plan: &Plan,
    folder: &Path,
    tested: bool,
    machines: Machines,
    course: Course,
) -> String {
    let mut lines = model(plan);
    lines.extend(data(plan, folder, tested));
    lines.extend(rates(plan));
    lines.extend(steps(plan, tested, machines, course));
    lines.push(("deepspeed", path(folder, "zero2.json")));
    let name = plan.name.replace('\n', " ");
    let mut text = format!("# Written by erw from the plan '{name}'.\n");
    for (key, value) in lines {
        let _ = writeln!(text, "{key}: {value}");
    }
    text
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn path(folder: &Path, name: &str) -> String {
    quoted(&folder.join(name).to_string_lossy())
}

/// What is trained, and on what it is built.
fn model(plan: &Plan) -> Lines {
    let trained = plan.trained();
    let low = plan.recipe().low_rank;
    let head = match plan.model.head.unwrap_or(HeadKind::Multi) {
        HeadKind::Single => "ranknet",
        HeadKind::Shared => "ranknet_share_head",
        HeadKind::Multi if plan.loss.kind == LossKind::Regression => {
            "ranknet_multi_head_regression"
        }
        HeadKind::Multi => "ranknet_multi_head",
    };
    let aggregate = plan.model.aggregate.unwrap_or_default().key();
    vec![
        ("rm_head_type", quoted(head)),
        ("pooling_strategy", quoted(aggregate)),
        (
            "lora_enable",
            (trained.language == Language::LowRank).to_string(),
        ),
        ("vision_lora", "false".into()),
        ("freeze_vision_tower", (!trained.vision).to_string()),
        (
            "freeze_llm",
            (trained.language != Language::Whole).to_string(),
        ),
        ("tune_merger", trained.merger.to_string()),
        ("model_name_or_path", quoted(&plan.model.base)),
        ("num_lora_modules", "-1".into()),
        ("lora_r", low.rank.to_string()),
        ("lora_alpha", low.alpha.to_string()),
        ("lora_dropout", low.dropout.to_string()),
        (
            "lora_namespan_exclude",
            "[\"lm_head\", \"rm_head\", \"embed_tokens\"]".into(),
        ),
        ("use_special_tokens", "true".into()),
        ("reward_token", quoted("special")),
        ("output_dim", "2".into()),
    ]
}

/// What it learns from.
fn data(plan: &Plan, folder: &Path, tested: bool) -> Lines {
    let loss = match plan.loss.kind {
        LossKind::Uncertainty => "uncertainty",
        LossKind::UncertaintyWithMargin => "uncertainty_with_margin",
        LossKind::BradleyTerry => "bt",
        LossKind::BradleyTerryWithMargin => "constant_margin",
        LossKind::BradleyTerryTies => "btt",
        LossKind::Displacement => "likelihood_displacement",
        LossKind::Hpsv2 => "hpsv2",
        LossKind::Regression => "reg",
    };
    let mut lines = vec![
        ("tied_threshold", "null".into()),
        ("max_pixels", PIXELS.to_string()),
        ("min_pixels", PIXELS.to_string()),
        ("with_instruction", "true".into()),
        ("reward_dim", quoted("overall_detail")),
        (
            "train_json_list",
            format!("[{}]", path(folder, "train.json")),
        ),
        ("soft_label", "false".into()),
        ("loss_type", quoted(loss)),
        ("output_dir", path(folder, "output")),
        ("dataloader_num_workers", plan.compute.readers.to_string()),
    ];
    if tested {
        let list = format!("[[\"validation\", [{}]]]", path(folder, "test.json"));
        lines.push(("test_json_list", list));
    }
    if let (LossKind::Displacement, Some(tau)) = (plan.loss.kind, plan.loss.tau) {
        lines.push(("loss_hyperparameters", format!("{{\"tau\": {tau}}}")));
    }
    lines
}

/// The optimizer and its rates; the trainer's rate for everything is the language model's here.
fn rates(plan: &Plan) -> Lines {
    let (rates, optimizer) = (&plan.rates, &plan.optimizer);
    let of = |own: Option<f64>| own.unwrap_or(rates.all).to_string();
    let scheduler = match plan.schedule.kind {
        Decay::Cosine => "cosine",
        Decay::Linear => "linear",
        Decay::Constant => "constant_with_warmup",
    };
    vec![
        ("learning_rate", of(rates.language)),
        ("special_token_lr", of(rates.reward_token)),
        ("vision_lr", of(rates.vision)),
        ("merger_lr", of(rates.merger)),
        ("rm_head_lr", of(rates.heads)),
        ("warmup_ratio", plan.schedule.warmup.to_string()),
        ("lr_scheduler_type", quoted(scheduler)),
        ("weight_decay", optimizer.weight_decay.to_string()),
        ("adam_beta1", optimizer.beta1.to_string()),
        ("adam_beta2", optimizer.beta2.to_string()),
        ("adam_epsilon", optimizer.eps.to_string()),
        ("max_grad_norm", optimizer.clip.to_string()),
    ]
}

/// How long, how much at a time, how often, in which format.
fn steps(plan: &Plan, tested: bool, machines: Machines, course: Course) -> Lines {
    let processes = machines.nodes * machines.gpus;
    let share = |every: u64| (every as f64 / course.steps_per_epoch as f64).to_string();
    let precision = plan.compute.precision.as_deref().unwrap_or("bf16");
    let dtype = match precision {
        "f32" => "float32",
        "f16" => "float16",
        _ => "bfloat16",
    };
    let mut lines = vec![
        ("per_device_train_batch_size", plan.batch.size.to_string()),
        (
            "gradient_accumulation_steps",
            plan.batch.accumulate.div_ceil(processes).to_string(),
        ),
        ("num_train_epochs", plan.length.epochs.to_string()),
        (
            "gradient_checkpointing",
            plan.compute.checkpointing.to_string(),
        ),
        (
            "gradient_checkpointing_kwargs",
            "{\"use_reentrant\": false}".into(),
        ),
        ("seed", plan.seed.to_string()),
        ("eval_strategy", quoted(if tested { "steps" } else { "no" })),
        ("logging_epochs", share(1)),
        ("eval_epochs", share(course.evaluate_every)),
        ("save_epochs", share(course.save_every)),
        ("save_total_limit", plan.checkpoints.keep_last.to_string()),
        ("report_to", quoted("tensorboard")),
        ("bf16", (precision == "bf16").to_string()),
        ("fp16", (precision == "f16").to_string()),
        ("torch_dtype", quoted(dtype)),
        ("save_only_model", "true".into()),
        ("save_full_model", "true".into()),
    ];
    lines.extend(
        plan.length
            .steps
            .map(|steps| ("max_steps", steps.to_string())),
    );
    lines
}
