//! `erw score`: groups from the command line, a file or a workspace, through a model, into a report.
//!
//! It gathers the groups and shows the report; scoring itself, and not doing it twice, is the score module's. Groups of a
//! workspace are scored as a run.

pub(super) mod args;
mod effort;
mod run;
pub(super) mod shards;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use self::args::ScoreArgs;
use self::effort::Clock;
pub(super) use self::effort::Effort;
use super::exit::Exit;
use super::print::{self, Style, count};
use super::progress::{Progress, Unit};
use super::report::{GroupReport, Report, Scale};
use super::stop::Stop;
use crate::data::Workspace;
use crate::data::import::{self, GroupRecord, ImportOptions};
use crate::domain::{Candidate, CandidateId, Group, GroupId, GroupSummary, ImageRef};
use crate::model::{LoadOptions, RewardModel};
use crate::score::{Batch, GroupScores, score_groups};
use crate::workbench::Workbench;

/// What belongs beside every number of a model that was never trained.
pub(super) const UNTRAINED: &str = "untrained demo weights: scores mean nothing yet";

/// Where the groups come from, before a model is loaded for them.
enum Groups {
    /// Images and groups that belong to no workspace, with the folder that their paths start from.
    Loose(PathBuf, Vec<Group>),
    /// Groups of a workspace, each with the number of its candidates.
    Stored(Workspace, Vec<(GroupId, usize)>),
}

/// Scores, prints, and says in the exit code whether anything was left out.
pub(super) fn run(args: &ScoreArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    if let Some(shard) = args.parts.work_shard {
        return shards::member(args, &bench, shard);
    }
    if args.parts.merge {
        return shards::put_together(args, &bench);
    }
    match gather(args, &bench)? {
        Groups::Loose(root, groups) => {
            args.refuse_runs()?;
            loose(args, &bench, &root, groups)
        }
        Groups::Stored(workspace, groups) => run::run(args, &bench, &workspace, &groups),
    }
}

/// Scores groups that belong to no workspace.
fn loose(
    args: &ScoreArgs,
    bench: &Workbench,
    root: &Path,
    groups: Vec<Group>,
) -> anyhow::Result<Exit> {
    let reference = bench.named_workspace()?;
    let model_dir = bench.model_dir(reference.as_ref())?;
    let stop = Stop::watch();
    let options = args.load_options(bench)?;
    let mut model = load(&model_dir, &options)?;
    let clock = Clock::start(&model);
    let total: usize = groups.iter().map(|g| g.candidates.len()).sum();
    let mut progress = Progress::new("scoring", Unit::Candidates, total as u64);
    let mut step = |done: crate::score::Progress| {
        progress.add(done.candidates as u64);
        stop.check()
    };
    let batch = Batch { root, store: None };
    let groups = groups.into_iter().map(anyhow::Ok);
    let scores = score_groups(&mut model, groups, batch, &mut step)?;
    drop(progress);
    let effort = clock.stop(&model, args, &options)?;
    let report = report(args, &model, &scores, reference.as_ref())?;
    let report = Report {
        stopped: stop.asked(),
        effort,
        ..report
    };
    show(&report, args.answer.json)?;
    Ok(ending(&report))
}

/// What there is to say of groups that were told one by one; `reference` is the workspace whose scores are the scale.
fn report(
    args: &ScoreArgs,
    model: &RewardModel,
    scores: &[GroupScores],
    reference: Option<&Workspace>,
) -> anyhow::Result<Report> {
    let info = model.info();
    let scale = match reference {
        Some(workspace) => workspace.score_scale(&info.fingerprint)?,
        None => Vec::new(),
    };
    let neutralised = |scores: &&GroupScores| model.neutralises(&scores.group.instruction);
    let neutralised = scores.iter().filter(neutralised).count();
    if neutralised > 0 {
        print::note(&format!(
            "special tokens of the model are spelled out in {neutralised} of {} instructions; they are read as plain text",
            scores.len()
        ));
    }
    Ok(Report {
        model: info.into(),
        scale: reference.filter(|_| !scale.is_empty()).map(|w| Scale {
            workspace: w.root().display().to_string(),
            scores: scale.len(),
            demo: w.is_demo(),
        }),
        left_out: scores.iter().map(GroupScores::left_out).sum(),
        groups: scores
            .iter()
            .map(|s| GroupReport::new(s, args.pairs, &scale))
            .collect(),
        stopped: false,
        summary: None,
        effort: None,
    })
}

fn ending(report: &Report) -> Exit {
    let candidates = report.groups.iter().map(|g| g.candidates.len());
    match report.left_out {
        _ if report.stopped => Exit::Stopped,
        0 => Exit::Done,
        all if all == candidates.sum::<usize>() => Exit::Failed,
        _ => Exit::LeftOut,
    }
}

fn show(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        print::json(report)?;
    } else {
        print::out(&report.render(Style::of_stdout()))?;
    }
    remarks(report);
    Ok(())
}

/// What belongs beside the report.
fn remarks(report: &Report) {
    if !report.model.trained {
        print::note(UNTRAINED);
    }
    for group in report.groups.iter().filter(|g| g.error.is_some()) {
        let name = group.key.as_ref().unwrap_or(&group.source);
        print::note(&format!(
            "{name}: {}",
            group.error.as_deref().unwrap_or_default()
        ));
    }
    if report.left_out > 0 {
        print::note(&format!(
            "without a score: {}",
            count(report.left_out, "candidate")
        ));
    }
}

fn gather(args: &ScoreArgs, bench: &Workbench) -> anyhow::Result<Groups> {
    if let (Some(source), Some(instruction)) = (&args.source, &args.instruction) {
        let here = std::env::current_dir().context("this folder is gone")?;
        let group = named_images(&here, source, &args.edited, instruction);
        return Ok(Groups::Loose(here, vec![group]));
    }
    if let Some(folder) = &args.folder {
        return folder_of(folder, args.place.workspace.as_deref());
    }
    match (&args.groups, &args.place.workspace) {
        (Some(file), None) => {
            let groups = records(file)?.map(|record| Ok(group_of(record?)));
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            Ok(Groups::Loose(
                folder,
                groups.collect::<anyhow::Result<_>>()?,
            ))
        }
        (Some(file), Some(dir)) => {
            let workspace = Workspace::create(dir)?;
            workspace.import_jsonl(file)?;
            let keys = records(file)?
                .map(|record| Ok(record?.key))
                .collect::<anyhow::Result<HashSet<_>>>()?;
            stored(workspace, |row| keys.contains(&row.key))
        }
        (None, _) => {
            let workspace = bench.workspace()?;
            let chosen = args.only.groups(&workspace, bench)?;
            let chosen = chosen.map(|groups| groups.into_iter().collect::<HashSet<_>>());
            stored(workspace, |row| {
                chosen.as_ref().is_none_or(|ids| ids.contains(&row.id))
            })
        }
    }
}

/// The groups of a folder tree.
fn folder_of(folder: &Path, workspace: Option<&Path>) -> anyhow::Result<Groups> {
    let whole = std::fs::canonicalize(folder)
        .with_context(|| format!("the folder '{}' cannot be read", folder.display()))?;
    let set = whole.file_name().unwrap_or_default().to_string_lossy();
    let found = import::folder(folder, &set)?;
    let Some(dir) = workspace else {
        let groups = found.map(|record| Ok(group_of(record?)));
        let groups = groups.collect::<anyhow::Result<_>>()?;
        return Ok(Groups::Loose(folder.to_owned(), groups));
    };
    let workspace = Workspace::create(dir)?;
    let options = ImportOptions {
        format: Some(import::FOLDER.to_owned()),
        set: Some(set.into_owned()),
        ..ImportOptions::default()
    };
    workspace.import(&[folder.to_owned()], &options, &mut |_| {})?;
    let keys = found
        .map(|record| Ok(record?.key))
        .collect::<anyhow::Result<HashSet<_>>>()?;
    stored(workspace, |row| keys.contains(&row.key))
}

fn records(file: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<GroupRecord>>> {
    Ok(import::own(file)?.map(|record| Ok(record?)))
}

/// The groups of a workspace that are wanted.
fn stored(workspace: Workspace, wanted: impl Fn(&GroupSummary) -> bool) -> anyhow::Result<Groups> {
    const PAGE: usize = 1000;
    let (mut groups, mut after) = (Vec::new(), None);
    loop {
        let page = workspace.summaries(after, PAGE, None)?;
        let rows = page.iter().filter(|row| wanted(row));
        groups.extend(rows.map(|row| (row.id, row.candidates)));
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(Groups::Stored(workspace, groups)),
        }
    }
}

/// A group of the images named on the command line; paths stay as typed, for messages.
fn named_images(here: &Path, source: &Path, edited: &[PathBuf], instruction: &str) -> Group {
    // Typed paths may climb out of this folder; those of a data set may not.
    let image = |path: &Path| {
        let inside = path
            .components()
            .all(|c| c != std::path::Component::ParentDir);
        let path = if inside {
            path.to_owned()
        } else {
            here.join(path)
        };
        ImageRef(path.display().to_string())
    };
    let candidates = (1..)
        .zip(edited)
        .map(|(id, path)| Candidate::new(CandidateId(id), "", image(path)));
    Group::new(
        GroupId(0),
        "",
        image(source),
        instruction,
        candidates.collect(),
    )
}

/// A group as a file has it, belonging to no workspace.
fn group_of(record: GroupRecord) -> Group {
    let candidates = (1..)
        .zip(record.candidates)
        .map(|(id, candidate)| Candidate {
            editor: candidate.editor,
            seed: candidate.seed,
            fault: candidate.fault,
            labels: candidate.labels,
            ..Candidate::new(CandidateId(id), candidate.key, ImageRef(candidate.image))
        });
    Group {
        category: record.category,
        ..Group::new(
            GroupId(0),
            record.key,
            ImageRef(record.source),
            record.instruction,
            candidates.collect(),
        )
    }
}

/// Loads a model, showing how far it has come.
pub(super) fn load(dir: &Path, options: &LoadOptions) -> anyhow::Result<RewardModel> {
    let mut progress = Progress::new("loading the model", Unit::Bytes, 0);
    let model = RewardModel::load(dir, options, &mut |p| progress.set(p.done, p.total));
    model.with_context(|| format!("the model '{}' cannot be used", dir.display()))
}
