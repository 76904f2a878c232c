//! `erw generate`: candidates for groups that lack them, as a run.

pub(super) mod args;

use std::collections::HashSet;

use anyhow::Context as _;
use serde::Serialize;

use super::exit::Exit;
use super::print::{self, Style, count};
use super::progress::{Progress, Unit};
use super::runs::{Ended, Saying};
use super::stop::Stop;
use super::table::{Side, Table};
use crate::config::EditorSettings;
use crate::data::Workspace;
use crate::domain::text::printable;
use crate::generate::{self, Chosen, Counts, Heard, Outcome, Report, SAMPLES, Task};
use crate::runs::{Manifest, Writer};
use crate::workbench::{SetupError, Workbench};
use args::GenerateArgs;

const VERB: &str = "generate";

/// The folder of images in a workspace.
const OUT: &str = "generated";

/// Makes what is missing; with failures the exit code says that some were left out.
pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.choices())?;
    let workspace = bench.named_workspace()?.context(
        "there is no workspace here; name one with --workspace, or make one with 'erw import groups.jsonl'",
    )?;
    let task = task(args, &bench, &workspace)?;
    if args.dry_run {
        return look(args, &task);
    }
    let names: Vec<&str> = task.editors.iter().map(|e| e.name.as_str()).collect();
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        seed: Some(args.seed),
        device: args.device.clone(),
        ..Manifest::new(VERB, arguments, &names.join(" "))
    })?;
    let saying = Saying {
        unit: "candidates",
        resumed: "goes on",
        told,
        whole: |report: &Report| report.failed == 0,
        flat: false,
    };
    begun.carry(args.answer.json, &saying, |writer, stop| {
        work(&task, writer, stop)
    })
}

fn work(task: &Task<'_>, writer: &Writer, stop: &Stop) -> anyhow::Result<Ended<Report>> {
    let mut bar = Progress::new("making", Unit::Candidates, 0);
    let outcome = generate::run(task, writer, &|| stop.asked(), &mut |heard| match heard {
        Heard::Progress(done, of) => bar.set(done as u64, of as u64),
        Heard::Line(line) => bar.say(line),
    })?;
    drop(bar);
    generate::end(writer, &outcome)?;
    Ok(match outcome {
        Outcome::Done(report) => Ended::Done(report),
        Outcome::Stopped { done, of } => Ended::Stopped {
            done,
            of,
            so_far: None,
        },
    })
}

fn task<'a>(
    args: &GenerateArgs,
    bench: &Workbench,
    workspace: &'a Workspace,
) -> anyhow::Result<Task<'a>> {
    let names = args.groups.as_ref().map(|file| {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read '{}'", file.display()))?;
        let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
        anyhow::Ok(names.map(str::to_owned).collect::<HashSet<_>>())
    });
    let out = match &args.out {
        Some(out) => std::path::absolute(out).unwrap_or_else(|_| out.clone()),
        None => workspace.root().join(OUT),
    };
    Ok(Task {
        workspace,
        chosen: Chosen {
            names: names.transpose()?,
            split: args.split.clone(),
            set: args.set.clone(),
        },
        editors: editors(args, bench)?,
        out,
        sample: args.sample.map(std::num::NonZeroUsize::get),
        seed: args.seed,
    })
}

/// The editors that are asked for, with as many seeds as are asked for.
fn editors(args: &GenerateArgs, bench: &Workbench) -> Result<Vec<EditorSettings>, SetupError> {
    let refused = |flag, reason| SetupError::Flag { flag, reason };
    let all = &bench.config.editors;
    let known = all
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if all.is_empty() {
        return Err(refused(
            "editors",
            "the settings have no editors; 'erw generate --help' says how [editors.NAME] is written".into(),
        ));
    }
    let mut names: Vec<&String> = Vec::new();
    for name in &args.editors {
        if !all.contains_key(name) {
            return Err(refused(
                "editors",
                format!("the settings have no [editors.{name}]; they have {known}"),
            ));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names = all.keys().collect();
    }
    let mut editors = Vec::new();
    for name in names {
        let mut editor = all[name].clone();
        if let Some(retries) = args.retries {
            editor.retries = retries;
        }
        if let Some(wanted) = args.per_editor {
            let wanted = wanted.get();
            if editor.counted {
                editor.seeds = (1..=wanted as u64).collect();
            }
            if editor.seeds.len() < wanted {
                return Err(refused(
                    "per-editor",
                    format!(
                        "editor '{name}' has only {} in the settings, so no {wanted} candidates; name more, or count instead",
                        count(editor.seeds.len(), "seed")
                    ),
                ));
            }
            editor.seeds.truncate(wanted);
        }
        editors.push(editor);
    }
    Ok(editors)
}

/// Says what would be made.
fn look(args: &GenerateArgs, task: &Task<'_>) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Looked<'a> {
        out: &'a str,
        missing: usize,
        #[serde(flatten)]
        counts: &'a Counts,
    }
    let counts = generate::look(task)?;
    let out = task.out.display().to_string();
    let missing = counts.missing();
    if args.answer.json {
        print::json(&Looked {
            out: &out,
            missing,
            counts: &counts,
        })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[("editor", Side::Left), ("to make", Side::Right)]);
    for (editor, missing) in &counts.to_make {
        table.row(
            vec![printable(editor).into_owned(), missing.to_string()],
            false,
        );
    }
    let mut lines = vec![
        table.render(Style::of_stdout()).trim_end().to_owned(),
        format!(
            "{}, {} of them lacking nothing; {} there, {} to make",
            count(counts.groups, "group"),
            counts.complete,
            count(counts.present, "candidate"),
            missing
        ),
    ];
    if counts.on_disk > 0 {
        let images = count(counts.on_disk, "image");
        lines.push(format!(
            "{images} in '{}' can be taken in as made before",
            printable(&out)
        ));
    }
    if counts.without_source > 0 {
        let groups = count(counts.without_source, "group");
        lines.push(format!(
            "{groups} without a source image, of which nothing can be made"
        ));
    }
    print::out(&lines.join("\n"))?;
    Ok(Exit::Done)
}

fn told(report: &Report, style: Style) -> String {
    let mut table = Table::new(&[
        ("editor", Side::Left),
        ("made", Side::Right),
        ("from earlier", Side::Right),
        ("failed", Side::Right),
        ("s/candidate", Side::Right),
    ]);
    for editor in &report.editors {
        let seconds = editor
            .seconds
            .map_or_else(|| "-".into(), |s| format!("{s:.1}"));
        let numbers = [editor.made, editor.earlier, editor.failed].map(|n| n.to_string());
        let mut cells = vec![printable(&editor.editor).into_owned()];
        cells.extend(numbers);
        cells.push(seconds);
        table.row(cells, editor.failed > 0);
    }
    let mut lines = vec![
        table.render(style).trim_end().to_owned(),
        format!(
            "{} in '{}'",
            count(report.made + report.earlier, "candidate"),
            printable(&report.out)
        ),
    ];
    if let Some(sample) = &report.sample {
        lines.push(format!(
            "{} of {} sampled into the workspace, {} left as files ({SAMPLES} names them)",
            count(sample.taken, "candidate"),
            count(sample.groups, "group"),
            sample.left
        ));
        if sample.short > 0 {
            let groups = count(sample.short, "group");
            lines.push(format!("{groups} with fewer than {}", sample.of_each));
        }
    }
    if report.without_source > 0 {
        lines.push(format!(
            "{} without a source image, of which nothing can be made",
            count(report.without_source, "group")
        ));
    }
    lines.join("\n")
}
