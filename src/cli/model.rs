//! `erw model`: the user's models, by name. What a model is and whether its files fit is the model module's to say; here it
//! is asked and shown.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{
    ModelAddArgs, ModelListArgs, ModelNameArgs, ModelRandomArgs, ModelRmArgs, ModelVerb,
};
use super::exit::Exit;
use super::print::{self, Style};
use super::progress::{Progress, Unit};
use super::table::{Side, Table};
use crate::domain::text::printable;
use crate::model::check::{Finding, Verdict, check};
use crate::model::registry::{Addition, Entry};
use crate::model::{self, CheckReport, Manifest};
use crate::workbench::{DEMO, find_model, registry};

/// Carries one of them out.
pub(super) fn run(verb: &ModelVerb) -> anyhow::Result<Exit> {
    match verb {
        ModelVerb::Add(args) => add(args),
        ModelVerb::List(args) => list(args),
        ModelVerb::Show(args) => show(args),
        ModelVerb::Check(args) => examine(args),
        ModelVerb::Random(args) => random(args),
        ModelVerb::Rm(args) => remove(args),
    }
}

fn add(args: &ModelAddArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        name: String,
        dir: PathBuf,
        /// The settings file that a new reward.toml was made from; null if there was one.
        settings: Option<PathBuf>,
    }
    let addition = Addition {
        reference_repo: args.reference_repo.as_deref(),
        config: args.config.as_deref(),
        name: args.name.as_deref(),
    };
    let added = registry()?.add(&args.dir, addition)?;
    let (name, dir) = (added.entry.name, added.entry.dir);
    if args.answer.json {
        print::json(&Report {
            name,
            dir,
            settings: added.settings,
        })?;
        return Ok(Exit::Done);
    }
    let manifest = match added.settings {
        Some(settings) => format!("reward.toml was made from '{}'", settings.display()),
        None => "its reward.toml was there already and is kept".into(),
    };
    print::out(&format!(
        "'{name}' is '{}'; {manifest}\n\
         erw model check \"{name}\" looks over its files, erw --model \"{name}\" uses it",
        dir.display()
    ))?;
    Ok(Exit::Done)
}

fn list(args: &ModelListArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        models: Vec<Row>,
    }
    #[derive(Serialize)]
    struct Row {
        name: String,
        dir: PathBuf,
        head: Option<&'static str>,
        aggregate: Option<&'static str>,
        trained: Option<bool>,
        /// Why its manifest cannot be read.
        error: Option<String>,
    }
    let row = |entry: &Entry| {
        let manifest = Manifest::read(&entry.dir);
        let known = manifest.as_ref().ok();
        Row {
            name: entry.name.clone(),
            dir: entry.dir.clone(),
            head: known.map(|m| m.head.key()),
            aggregate: known.map(|m| m.aggregate.key()),
            trained: known.map(|m| m.trained),
            error: manifest.as_ref().err().map(ToString::to_string),
        }
    };
    let models: Vec<Row> = registry()?.models().iter().map(row).collect();
    if args.answer.json {
        print::json(&Report { models })?;
        return Ok(Exit::Done);
    }
    if models.is_empty() {
        print::note(&format!(
            "no model was added yet ('erw model add DIR --reference-repo CLONE'); '{DEMO}' is always there"
        ));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("name", Side::Left),
        ("head", Side::Left),
        ("aggregate", Side::Left),
        ("weights", Side::Left),
        ("directory", Side::Left),
    ]);
    for model in models {
        let name = printable(&model.name).into_owned();
        let dir = printable(&model.dir.to_string_lossy()).into_owned();
        match (model.head, model.aggregate, model.trained) {
            (Some(head), Some(aggregate), Some(trained)) => {
                let weights = if trained { "trained" } else { "random" };
                let cells = [name, head.into(), aggregate.into(), weights.into(), dir];
                table.row(cells.into(), false);
            }
            _ => table.sentence(
                vec![name],
                printable(&model.error.unwrap_or_default()).into_owned(),
            ),
        }
    }
    print::out(&table.render(Style::of_stdout()))?;
    Ok(Exit::Done)
}

fn show(args: &ModelNameArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        dir: PathBuf,
        manifest: Manifest,
        findings: Vec<Finding>,
    }
    let dir = find_model(&args.model)?;
    let manifest = Manifest::read(&dir)?;
    let findings = check(&dir).findings;
    if args.answer.json {
        print::json(&Report {
            dir,
            manifest,
            findings,
        })?;
        return Ok(Exit::Done);
    }
    let mut lines = vec![format!("directory      {}", dir.display())];
    lines.extend(findings.iter().map(finding_line));
    for (axis, rubric) in [
        ("if", Some(&manifest.rubric.instruction_following)),
        ("vq", Some(&manifest.rubric.visual_quality)),
        ("overall", manifest.rubric.overall.as_ref()),
    ] {
        if let Some(text) = rubric.filter(|text| !text.is_empty()) {
            lines.push(format!(
                "rubric {axis:<7} {} characters: {}",
                text.chars().count(),
                first(text)
            ));
        }
    }
    print::out(&lines.join("\n"))?;
    Ok(Exit::Done)
}

/// The beginning of a rubric, enough to recognise it.
fn first(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(12).collect();
    format!("\"{} …\"", printable(&words.join(" ")))
}

/// "part  words", further lines set below the first.
fn finding_line(finding: &Finding) -> String {
    let mark = match finding.verdict {
        Verdict::Good => "",
        Verdict::Odd => "note: ",
        Verdict::Bad => "WRONG: ",
    };
    let text: Vec<_> = finding.text.lines().map(printable).collect();
    let text = text.join(&format!("\n{:15}", ""));
    format!("{:<14} {mark}{text}", finding.part.name())
}

fn examine(args: &ModelNameArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        dir: PathBuf,
        usable: bool,
        findings: Vec<Finding>,
        /// The weights by name; null if they cannot be opened.
        weights: Option<WeightsReport>,
    }
    let dir = find_model(&args.model)?;
    let report = check(&dir);
    let usable = report.is_usable();
    if args.answer.json {
        print::json(&Report {
            dir,
            usable,
            findings: report.findings,
            weights: report.weights.as_ref().map(Into::into),
        })?;
    } else {
        let mut text: Vec<String> = report.findings.iter().map(finding_line).collect();
        if let Some(weights) = report.weights.filter(|w| !w.is_clean()) {
            text.push(String::new());
            text.push(tensors(&weights).render(Style::of_stdout()));
        }
        print::out(&text.join("\n"))?;
    }
    Ok(if usable { Exit::Done } else { Exit::Failed })
}

/// What is wrong with the weights, a tensor a row.
fn tensors(report: &CheckReport) -> Table {
    let mut table = Table::new(&[
        ("problem", Side::Left),
        ("tensor", Side::Left),
        ("", Side::Left),
    ]);
    let mut row = |problem: &str, name: &str, reason: &str| {
        let cells = [
            problem.into(),
            printable(name).into_owned(),
            printable(reason).into_owned(),
        ];
        table.row(cells.into(), false);
    };
    report
        .missing
        .iter()
        .for_each(|name| row("missing", name, ""));
    report
        .unexpected
        .iter()
        .for_each(|name| row("unexpected", name, ""));
    report
        .misshapen
        .iter()
        .for_each(|m| row("misshapen", &m.name, &m.reason));
    table
}

#[derive(Serialize)]
struct WeightsReport {
    files: Vec<PathBuf>,
    expected: usize,
    parameters: u64,
    missing: Vec<String>,
    unexpected: Vec<String>,
    misshapen: Vec<Misshapen>,
}

#[derive(Serialize)]
struct Misshapen {
    name: String,
    reason: String,
}

impl From<&CheckReport> for WeightsReport {
    fn from(report: &CheckReport) -> Self {
        Self {
            files: report.files.clone(),
            expected: report.expected,
            parameters: report.parameters,
            missing: report.missing.clone(),
            unexpected: report.unexpected.clone(),
            misshapen: report
                .misshapen
                .iter()
                .map(|m| Misshapen {
                    name: m.name.clone(),
                    reason: m.reason.clone(),
                })
                .collect(),
        }
    }
}

fn random(args: &ModelRandomArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report<'a> {
        dir: &'a Path,
        like: String,
        seed: u64,
        bytes: u64,
    }
    let mut bar = Progress::new("drawing weights", Unit::Bytes, 0);
    let tokenizer = args.tokenizer.as_deref();
    let bytes = model::random(&args.dir, args.like, args.seed, tokenizer, &mut |p| {
        bar.set(p.done, p.total);
    })?;
    drop(bar);
    if args.answer.json {
        print::json(&Report {
            dir: &args.dir,
            like: args.like.to_string(),
            seed: args.seed,
            bytes,
        })?;
    } else {
        print::out(&format!(
            "random weights like {} ({:.1} MB) in '{}': good for trying things out, their scores mean nothing",
            args.like,
            bytes as f64 / 1e6,
            args.dir.display()
        ))?;
    }
    Ok(Exit::Done)
}

fn remove(args: &ModelRmArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        name: String,
        dir: PathBuf,
    }
    let gone = registry()?.remove(&args.name)?;
    if args.answer.json {
        print::json(&Report {
            name: gone.name,
            dir: gone.dir,
        })?;
    } else {
        print::out(&format!(
            "'{}' is forgotten; its files stay in '{}'",
            gone.name,
            gone.dir.display()
        ))?;
    }
    Ok(Exit::Done)
}
