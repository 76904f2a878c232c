//! Handing a plan over to the published distributed trainer (the reference repository's, over DeepSpeed): the data, the
//! settings and the command in its own terms.
//!
//! What that trainer cannot do is refused with the key that asks for it, rather than left out in silence: it trains on the
//! aggregate alone and knows neither soft labels nor other margins than its own.

mod settings;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::TrainError;
use super::material::{Material, Subject};
use super::plan::Plan;
use super::schedule::Course;
use crate::domain::{Axis, Comparison, JudgedOn, Labels};
use crate::model::manifest::Layout;

/// How the trainer is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// By `deepspeed`, on this machine.
    Deepspeed,
    /// By `torchrun`, on this machine.
    Torchrun,
    /// By `sbatch`, through a batch script that runs `torchrun` on every node.
    Slurm,
}

/// The machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machines {
    /// How the trainer is started on them.
    pub start: Start,
    /// How many; more than one with Slurm only.
    pub nodes: usize,
    /// GPUs of each.
    pub gpus: usize,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handover {
    /// Pairs to learn from.
    pub pairs: usize,
    /// Pairs to measure on.
    pub validation_pairs: usize,
    /// The folder of all files.
    pub folder: PathBuf,
    /// Where the trainer writes its checkpoints.
    pub output: PathBuf,
    /// The trainer's settings.
    pub config: PathBuf,
    /// The program and its arguments, to be run in the clone with the clone in `PYTHONPATH`.
    pub command: Vec<String>,
    /// The clone.
    pub directory: PathBuf,
}

/// A pair as the trainer reads it; the first candidate is the preferred one.
#[derive(Debug, Serialize)]
struct Pair<'a> {
    prompt: &'a str,
    choice_dist: Option<()>,
    confidence: Option<()>,
    path_src: String,
    path1: String,
    path2: String,
    model1: &'a str,
    model2: &'a str,
    model1_dim1_score: Option<f64>,
    model1_dim2_score: Option<f64>,
    model1_overall_score: Option<f64>,
    model2_dim1_score: Option<f64>,
    model2_dim2_score: Option<f64>,
    model2_overall_score: Option<f64>,
    tie_case: bool,
}

/// Submits the batch script $0, whose job is called $1, and waits for its end; a request to stop takes the job back.
const WAIT_FOR_SLURM: &str = "sbatch --wait \"$0\" & job=$!; \
    trap 'scancel --name=\"$1\"; wait $job; exit 143' TERM INT; wait $job";

/// DeepSpeed's settings: optimizer state and gradients spread over the GPUs (ZeRO stage 2), everything else as the trainer's
/// own arguments say.
const ZERO: &str = r#"{
  "bf16": {"enabled": "auto"},
  "fp16": {"enabled": "auto"},
  "train_batch_size": "auto",
  "train_micro_batch_size_per_gpu": "auto",
  "gradient_accumulation_steps": "auto",
  "gradient_clipping": "auto",
  "zero_optimization": {
    "stage": 2,
    "overlap_comm": true,
    "contiguous_gradients": true,
    "reduce_bucket_size": "auto"
  }
}
"#;

/// Writes everything below `folder` and says how to start the trainer of the clone at `repository`.
pub fn hand_over(
    plan: &Plan,
    material: &Material,
    repository: &Path,
    folder: &Path,
    machines: Machines,
) -> Result<Handover, TrainError> {
    refuse(plan, machines)?;
    let script = script(plan, repository)?;
    fs::create_dir_all(folder).map_err(TrainError::files("create", folder))?;
    let train = pairs(&material.training, |s| s.comparisons.clone());
    let test = pairs(&material.validation, |s| {
        let overall = s.truth.iter().copied().filter(|c| c.axis.is_none());
        overall.collect()
    });
    let at = |name: &str| folder.join(name);
    let json = |name: &str, pairs: &[Pair<'_>]| {
        let text = serde_json::to_vec_pretty(pairs);
        let text = text.map_err(|e| TrainError::files("write", &at(name))(e.into()))?;
        write(&at(name), &text)
    };
    json("train.json", &train)?;
    json("test.json", &test)?;
    write(&at("zero2.json"), ZERO.as_bytes())?;
    let (config, output) = (at("config.yaml"), at("output"));
    let course = Course::new(plan, train.len());
    let settings = settings::text(plan, folder, !test.is_empty(), machines, course);
    write(&config, settings.as_bytes())?;
    let mut command = launch(&script, &config, machines);
    if machines.start == Start::Slurm {
        let path = at("job.sbatch");
        let text = batch_script(plan, repository, folder, &command, machines);
        write(&path, text.as_bytes())?;
        command = vec![
            "sh".into(),
            "-c".into(),
            WAIT_FOR_SLURM.into(),
            path.display().to_string(),
            job_name(plan),
        ];
    }
    Ok(Handover {
        pairs: train.len(),
        validation_pairs: test.len(),
        folder: folder.to_owned(),
        output,
        config,
        command,
        directory: repository.to_owned(),
    })
}

fn write(path: &Path, text: &[u8]) -> Result<(), TrainError> {
    fs::write(path, text).map_err(TrainError::files("write", path))
}

/// What the published trainer has no words for.
fn refuse(plan: &Plan, machines: Machines) -> Result<(), TrainError> {
    let loss = &plan.loss;
    let cannot = [
        (
            plan.pairs.axes != JudgedOn::Overall,
            "pairs.axes",
            "\"overall\"",
        ),
        (
            plan.pairs.labels != Labels::Hard,
            "pairs.labels",
            "\"hard\"",
        ),
        (
            plan.model.layout == Some(Layout::RubricFirst),
            "model.layout",
            "\"images-first\"",
        ),
        (
            loss.margin.is_some(),
            "loss.margin",
            "the published one; leave it out",
        ),
        (
            loss.k.is_some(),
            "loss.k",
            "the published one; leave it out",
        ),
        (plan.schedule.floor != 0.0, "schedule.floor", "0"),
        (plan.trained().embedding, "parts.embedding", "false"),
        (!plan.trained().heads, "parts.heads", "true"),
    ];
    for (asked, key, only) in cannot {
        if asked {
            return Err(TrainError::NoData(format!(
                "{key}: the published trainer knows only {only}"
            )));
        }
    }
    if machines.nodes > 1 && machines.start != Start::Slurm {
        return Err(TrainError::NoData(
            "several nodes are started through Slurm only: --launch slurm".into(),
        ));
    }
    Ok(())
}

/// The trainer of the model's line.
fn script(plan: &Plan, repository: &Path) -> Result<PathBuf, TrainError> {
    let base = plan.model.base.to_lowercase();
    let names: &[&str] = if base.contains("qwen3") {
        &["train_qwen_vl_edit.py", "train_qwen3_vl_edit.py"]
    } else {
        &["train_qwen2_5_edit.py", "train_qwen_vl_edit.py"]
    };
    let folder = repository.join("EditReward");
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            TrainError::NoData(format!(
                "there is no '{}' in '{}': --reference-repo takes a clone of https://github.com/TIGER-AI-Lab/EditReward",
                names[0],
                folder.display()
            ))
        })
}

/// Comparisons as pairs; one on an axis is what became of an overall tie.
fn pairs<'a>(
    subjects: &'a [Subject],
    comparisons: impl Fn(&'a Subject) -> Vec<Comparison>,
) -> Vec<Pair<'a>> {
    let mut all = Vec::new();
    for subject in subjects {
        for comparison in comparisons(subject) {
            let (a, b) = (comparison.a, comparison.b);
            let tie = comparison.is_tie();
            if comparison.preference >= 0.5 {
                all.push(pair(subject, a, b, tie || comparison.axis.is_some()));
            }
            // A tie that is kept has no preferred side: both orders, as the published data has it.
            if comparison.preference < 0.5 || tie {
                all.push(pair(subject, b, a, tie || comparison.axis.is_some()));
            }
        }
    }
    all
}

fn pair(subject: &Subject, better: usize, worse: usize, tie_case: bool) -> Pair<'_> {
    let place = |image: &crate::domain::ImageRef| {
        subject.root.join(&image.0).to_string_lossy().into_owned()
    };
    let model = |i: usize| {
        subject
            .editors
            .get(i)
            .and_then(Option::as_deref)
            .unwrap_or("")
    };
    let on = |i: usize, axis| subject.human[i].on(axis);
    Pair {
        prompt: &subject.instruction,
        choice_dist: None,
        confidence: None,
        path_src: place(&subject.source),
        path1: place(&subject.images[better]),
        path2: place(&subject.images[worse]),
        model1: model(better),
        model2: model(worse),
        model1_dim1_score: on(better, Axis::InstructionFollowing),
        model1_dim2_score: on(better, Axis::VisualQuality),
        model1_overall_score: subject.human[better].overall(),
        model2_dim1_score: on(worse, Axis::InstructionFollowing),
        model2_dim2_score: on(worse, Axis::VisualQuality),
        model2_overall_score: subject.human[worse].overall(),
        tie_case,
    }
}

/// The command that starts the trainer on one machine, or on each node.
fn launch(script: &Path, config: &Path, machines: Machines) -> Vec<String> {
    let gpus = machines.gpus.to_string();
    let mut words: Vec<String> = match machines.start {
        Start::Deepspeed => vec!["deepspeed".into(), "--num_gpus".into(), gpus],
        Start::Torchrun => vec![
            "torchrun".into(),
            "--standalone".into(),
            "--nproc_per_node".into(),
            gpus,
        ],
        Start::Slurm => vec![
            "torchrun".into(),
            "--nnodes".into(),
            machines.nodes.to_string(),
            "--nproc_per_node".into(),
            gpus,
            "--rdzv_backend".into(),
            "c10d".into(),
        ],
    };
    words.push(script.display().to_string());
    words.extend(["--config".into(), config.display().to_string()]);
    words
}

/// A name for Slurm's lists, and to take the job back by.
fn job_name(plan: &Plan) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("erw-{}", plan.name.chars().map(plain).collect::<String>())
}

/// The batch script: the nodes meet at the first one's port 29500.
fn batch_script(
    plan: &Plan,
    repository: &Path,
    folder: &Path,
    command: &[String],
    machines: Machines,
) -> String {
    let shell = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let name = job_name(plan);
    // Options of torchrun go before the script.
    let place = command
        .iter()
        .position(|w| Path::new(w).extension().is_some_and(|e| e == "py"));
    let (options, rest) = command.split_at(place.unwrap_or(command.len()));
    let words = |words: &[String]| words.iter().map(|w| shell(w)).collect::<Vec<_>>().join(" ");
    format!(
        "#!/bin/bash\n\
         #SBATCH --job-name={name}\n\
         #SBATCH --nodes={1}\n\
         #SBATCH --ntasks-per-node=1\n\
         #SBATCH --gpus-per-node={2}\n\
         #SBATCH --output={3}\n\
         set -eu\n\
         cd {0}\n\
         export PYTHONPATH={0}${{PYTHONPATH:+:$PYTHONPATH}}\n\
         first=$(scontrol show hostnames \"$SLURM_JOB_NODELIST\" | head -n 1)\n\
         srun {4} --rdzv_endpoint \"$first:29500\" --rdzv_id \"$SLURM_JOB_ID\" {5}\n",
        shell(&repository.to_string_lossy()),
        machines.nodes,
        machines.gpus,
        folder.join("slurm.log").display(),
        words(options),
        words(rest),
    )
}
