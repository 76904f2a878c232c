//! Scoring a workspace: a run, told group by group where there are few, and in sums where there are many.

use super::super::exit::Exit;
use super::super::print::{Style, count};
use super::super::progress::{Progress, Unit};
use super::super::report::Report;
use super::super::runs::{Ended, Saying};
use super::super::stop::Stop;
use super::super::table::{Side, Table};
use super::args::ScoreArgs;
use super::effort::{Clock, Effort};
use super::shards;
use crate::data::Workspace;
use crate::domain::GroupId;
use crate::domain::text::printable;
use crate::model::{LoadOptions, RewardModel};
use crate::runs::shards::Shard;
use crate::runs::{Fact, Fingerprint, Manifest, Writer};
use crate::score::Moments;
use crate::score::run::{self as scoring, Heard, LEFT_OUT, Task};
use crate::workbench::Workbench;

/// The verb, in `run.toml`.
pub(super) const VERB: &str = "score";

/// Up to so many groups, each is told with all its candidates.
const DETAILED: usize = 200;

/// Scores groups of a workspace, here or from the queue.
pub(super) fn run(
    args: &ScoreArgs,
    bench: &Workbench,
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
) -> anyhow::Result<Exit> {
    // Before there is a run: a mistake in the names or the settings leaves none behind.
    let model_dir = bench.model_dir(Some(workspace))?;
    let options = args.load_options(bench)?;
    let part = args.shard.map(|shard| part(workspace, groups, shard));
    let part = part.transpose()?;
    let groups = part.as_deref().unwrap_or(groups);
    let by_hand = "; to divide the work by hand, call each part with --shard I/N";
    args.parts.check(&args.run, bench, by_hand)?;
    let (_, fingerprint) = bench.identity(&model_dir)?;
    let begun = args.run.begin_with(
        bench,
        VERB,
        |arguments| {
            describe(
                args,
                bench,
                workspace,
                (&model_dir, &fingerprint),
                arguments,
            )
        },
        |folder| {
            let Some(n) = args.parts.shards else {
                return Ok(());
            };
            shards::prepare(folder, workspace, groups, (&model_dir, &fingerprint), n)
        },
    )?;
    let saying = Saying {
        unit: "candidates",
        resumed: "goes on",
        told,
        whole: |report: &Report| report.left_out == 0,
        flat: true,
    };
    begun.carry(args.answer.json, &saying, |writer, stop| {
        let task = Task {
            workspace,
            groups,
            detailed: DETAILED,
        };
        shards::gather(writer.folder(), workspace, writer)?;
        writer.note(Fact::Phase {
            text: "loading the model".into(),
        })?;
        let mut model = super::load(&model_dir, &options)?;
        work((args, &options), &task, &mut model, writer, stop)
    })
}

/// What the run is.
fn describe(
    args: &ScoreArgs,
    bench: &Workbench,
    workspace: &Workspace,
    (model_dir, fingerprint): (&std::path::Path, &str),
    arguments: Vec<String>,
) -> Manifest {
    let title = workspace.root().file_name().unwrap_or_default();
    let device = args.place.device.clone().or(bench.config.device.clone());
    Manifest {
        device,
        model: Some(Fingerprint {
            name: model_dir.display().to_string(),
            fingerprint: fingerprint.to_owned(),
        }),
        shards: args.parts.shards,
        ..Manifest::new(VERB, arguments, &title.to_string_lossy())
    }
}

/// The groups of one part. Images of sources that were never read are read, so that several processes agree on the parts
/// whatever each has learnt.
fn part(
    workspace: &Workspace,
    groups: &[(GroupId, usize)],
    shard: Shard,
) -> anyhow::Result<Vec<(GroupId, usize)>> {
    let mut part = Vec::new();
    for group in groups {
        let source = workspace.source_key(group.0, true)?;
        part.extend(source.filter(|key| shard.has(key)).map(|_| *group));
    }
    Ok(part)
}

fn work(
    (args, options): (&ScoreArgs, &LoadOptions),
    task: &Task<'_>,
    model: &mut RewardModel,
    writer: &Writer,
    stop: &Stop,
) -> anyhow::Result<Ended<Report>> {
    let mut bar = Progress::new("scoring", Unit::Candidates, 0);
    let clock = Clock::start(model);
    let outcome = scoring::run(task, model, writer, &|| stop.asked(), &mut |heard| {
        let Heard::Progress(done, of) = heard;
        bar.set(done as u64, of as u64);
    })?;
    drop(bar);
    let effort = clock.stop(model, args, options)?;
    scoring::end(writer, &outcome)?;
    let report = super::report(args, model, &outcome.groups, Some(task.workspace))?;
    let few = task.groups.len() <= DETAILED;
    let report = Report {
        // Of few groups, what a stop came before counts as without a score too, as it is told with them.
        left_out: if few {
            report.left_out
        } else {
            outcome.report.tally.left_out
        },
        stopped: outcome.stopped.is_some(),
        summary: Some(outcome.report),
        effort,
        ..report
    };
    super::remarks(&report);
    let report = Box::new(report);
    Ok(match outcome.stopped {
        None => Ended::Done(report),
        Some((done, of)) => Ended::Stopped {
            done,
            of,
            so_far: Some(report),
        },
    })
}

/// The report for people.
fn told(report: &Report, style: Style) -> String {
    match &report.summary {
        Some(summary) if report.groups.is_empty() && summary.tally.groups > 0 => {
            let effort = report.effort.as_ref().map(Effort::told);
            let lines: Vec<String> = [summed(summary, style)].into_iter().chain(effort).collect();
            lines.join("\n")
        }
        _ => report.render(style),
    }
}

/// Many groups in a few lines.
pub(super) fn summed(report: &scoring::Report, style: Style) -> String {
    let tally = &report.tally;
    let mut table = Table::new(&[
        ("", Side::Left),
        ("scores", Side::Right),
        ("mean", Side::Right),
        ("sd", Side::Right),
    ]);
    let mut row = |name: &str, moments: &Moments| {
        if moments.scores > 0 {
            let cells = vec![
                name.to_owned(),
                moments.scores.to_string(),
                format!("{:+.3}", moments.mean),
                format!("{:.3}", moments.sd),
            ];
            table.row(cells, false);
        }
    };
    row("IF mean", &tally.instruction_following);
    row("VQ mean", &tally.visual_quality);
    row("aggregate mean", &tally.aggregate);
    let rate = report
        .rate
        .map_or(String::new(), |rate| format!(" at {rate:.2} candidates/s"));
    let mut lines = vec![
        table.render(style).trim_end().to_owned(),
        format!(
            "{} of {}: {} scored{rate}, {} known from before, {} left out",
            count(tally.candidates, "candidate"),
            count(tally.groups, "group"),
            tally.computed,
            tally.stored,
            tally.left_out
        ),
    ];
    for one in &tally.reasons {
        lines.push(format!(
            "left out: candidate '{}' of group '{}': {}",
            printable(&one.candidate),
            printable(&one.group),
            printable(&one.reason)
        ));
    }
    if tally.left_out > tally.reasons.len() {
        lines.push(format!("all that were left out are in {LEFT_OUT}"));
    }
    lines.join("\n")
}
