//! `erw ablate`: the runs of a grid go into the queue, and the table of what came of them is printed. Typed again, it queues
//! what is missing and prints what is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::args::{Answer, Where};
use super::exit::Exit;
use super::print::{self, Style};
use super::runs::{Root, known_launcher};
use super::stop::Stop;
use super::table::{Side, Table};
use super::train::settled;
use crate::domain::text::printable;
use crate::jobs::{JobError, Launcher, Launchers};
use crate::runs::{Folder, Manifest, Run, State, glance};
use crate::train::ablation::{Comparison, Estimate, Grid, Outcome, Standing};
use crate::workbench::Workbench;

/// How often runs that are waited for are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How often a cluster is asked what became of them meanwhile: many may ask it.
const ASK: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(after_long_help = "\
A grid is a TOML file:

  plan = \"plan.toml\"            # what all variants share
  seeds = [1, 2, 3]             # a run for each; else the plan's seed
  combine = \"one-by-one\"        # or \"all\": every choice with every other

  [[vary]]                      # the first value is what others are held against
  key = \"loss.kind\"
  values = [\"uncertainty\", \"bradley-terry\", \"regression\"]

  [[vary]]                      # choices that set several keys, or none
  choices = [
    { name = \"all the data\" },
    { name = \"a tenth\", set = { \"data.groups\" = 300 } },
  ]

Intervals are the central 95 % of 2000 resamples of the validation groups and of the seeds; a difference is taken group by \
group. Runs are those of 'erw jobs'; they go on when this command ends.")]
pub(super) struct AblateArgs {
    /// The grid
    grid: PathBuf,
    /// Only say which runs there would be
    #[arg(long, conflicts_with_all = ["table", "wait"])]
    check: bool,
    /// Only print the table of the runs that are done
    #[arg(long, conflicts_with = "wait")]
    table: bool,
    /// Wait until no run is left
    #[arg(long)]
    wait: bool,
    /// The runs' place in the queue: higher is sooner
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    priority: i32,
    /// Who starts them: 'local', the queue of this machine, or 'slurm', a job each on a cluster; without it the setting 'launcher'
    /// decides, else it is 'local'
    #[arg(long, value_name = "local|slurm")]
    launcher: Option<String>,
    #[command(flatten)]
    root: Root,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    answer: Answer,
}

/// A variant's seed, its plan, and its run if there is one.
struct Planned {
    variant: usize,
    name: String,
    text: String,
    run: Option<Run>,
}

#[derive(Serialize)]
struct Report<'a> {
    grid: &'a str,
    /// Runs by state; "missing" where there is none.
    runs: BTreeMap<&'static str, usize>,
    #[serde(flatten)]
    comparison: Comparison,
}

/// Carries it out.
pub(super) fn run(args: &AblateArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let grid = Grid::read(&args.grid)?;
    let root = std::path::absolute(args.root.path(&bench)?)?;
    let launchers = Launchers::new(&root, &bench.config.slurm);
    let mut planned = Vec::new();
    for trial in grid.trials()? {
        let plan = settled(trial.plan, &args.grid, &args.place, &bench)?;
        planned.push(Planned {
            variant: trial.variant,
            text: plan.to_text()?,
            name: plan.name,
            run: None,
        });
    }
    find(&mut planned, &root)?;
    settle(&planned, &launchers);
    if args.check {
        for one in &planned {
            print::out(&format!(
                "{:<8} {}",
                state(one)?.unwrap_or("missing"),
                printable(&one.name)
            ))?;
        }
        return Ok(Exit::Done);
    }
    if !args.table {
        let setting = bench.config.launcher.as_deref();
        let named = (args.launcher.as_deref(), setting);
        bench.choose("launcher", named, known_launcher)?;
        let launcher = launchers.named(named.0.or(setting).unwrap_or("local"))?;
        submit(args, &mut planned, (launcher.as_ref(), &launchers), &root)?;
    }
    let mut exit = Exit::Done;
    if args.wait && !wait(&planned, &launchers)? {
        exit = Exit::Stopped;
    }
    let (runs, comparison) = compare(&grid, &planned)?;
    let failed = runs.get(State::Failed.word()).copied().unwrap_or(0);
    let report = Report {
        grid: &grid.name,
        runs,
        comparison,
    };
    if args.answer.json {
        print::json(&report)?;
    } else {
        print::out(&render(&report, Style::of_stdout()))?;
    }
    if failed > 0 && matches!(exit, Exit::Done) {
        print::note("a run has failed: 'erw jobs' names it; this command typed again has it go on");
        exit = Exit::LeftOut;
    }
    Ok(exit)
}

/// The newest run of each plan.
fn find(planned: &mut [Planned], root: &Path) -> anyhow::Result<()> {
    for run in Run::list(root)?.runs {
        let of = |one: &&mut Planned| {
            one.run.is_none() && run.manifest.plan.as_deref() == Some(&one.text)
        };
        if let Some(one) = planned.iter_mut().find(of) {
            one.run = Some(run);
        }
    }
    Ok(())
}

/// Notes the ends of runs that a cluster ended without a word. Where it cannot be asked, nothing is known of them.
fn settle(planned: &[Planned], launchers: &Launchers) {
    for run in planned.iter().filter_map(|one| one.run.as_ref()) {
        let settled = launchers.of(run).and_then(|launcher| launcher.settle(run));
        if let Err(why) = settled {
            print::note(&why.to_string());
        }
    }
}

/// Puts what is missing into the queue of `launcher`, and what was stopped or failed into the one that it was in.
fn submit(
    args: &AblateArgs,
    planned: &mut [Planned],
    (launcher, launchers): (&dyn Launcher, &Launchers),
    root: &Path,
) -> anyhow::Result<()> {
    let mut queued = 0;
    for one in planned {
        let (run, submitted) = if let Some(run) = one.run.take() {
            let submitted = launchers.of(&run)?.submit(&run);
            (run, submitted)
        } else {
            let grid = args.grid.display().to_string();
            let mut manifest = Manifest::new("train", vec![grid], &one.name);
            manifest.launcher = launcher.name().into();
            manifest.priority = args.priority;
            manifest.plan = Some(one.text.clone());
            let folder = Folder::create(root, &manifest)?;
            let run = Run { folder, manifest };
            let submitted = launcher.submit(&run);
            (run, submitted)
        };
        match submitted {
            Ok(()) => queued += 1,
            // Done, at work, or waiting.
            Err(JobError::State { .. } | JobError::Waits { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        one.run = Some(run);
    }
    if queued > 0 {
        print::note(&format!(
            "{queued} runs are in the queue; 'erw jobs' shows them, this command typed again the table"
        ));
    }
    Ok(())
}

fn state(one: &Planned) -> anyhow::Result<Option<&'static str>> {
    let state = one
        .run
        .as_ref()
        .map(|run| glance(&run.folder))
        .transpose()?;
    Ok(state.map(|(_, state)| state.word()))
}

/// Until no run is at work or waits; false when it was asked to stop.
fn wait(planned: &[Planned], launchers: &Launchers) -> anyhow::Result<bool> {
    let stop = Stop::watch();
    let mut said = usize::MAX;
    let mut asked = Instant::now();
    loop {
        if asked.elapsed() >= ASK {
            asked = Instant::now();
            settle(planned, launchers);
        }
        let mut left = 0;
        for run in planned.iter().filter_map(|one| one.run.as_ref()) {
            left += usize::from(glance(&run.folder)?.1.is_live());
        }
        if left != said {
            print::note(&format!("{left} of {} runs are left", planned.len()));
            said = left;
        }
        if left == 0 {
            return Ok(true);
        }
        if stop.asked() {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// What came of the runs that are done, and how many are how far.
fn compare(
    grid: &Grid,
    planned: &[Planned],
) -> anyhow::Result<(BTreeMap<&'static str, usize>, Comparison)> {
    let mut runs = BTreeMap::new();
    let names = grid.variants();
    let seeds = planned.len() / names.len().max(1);
    let mut variants: Vec<(String, Vec<Outcome>)> =
        names.into_iter().map(|name| (name, Vec::new())).collect();
    for one in planned {
        let state = state(one)?;
        *runs.entry(state.unwrap_or("missing")).or_default() += 1;
        if let Some(run) = one
            .run
            .as_ref()
            .filter(|_| state == Some(State::Done.word()))
        {
            variants[one.variant]
                .1
                .push(Outcome::read(run.folder.path())?);
        }
    }
    Ok((runs, Comparison::new(&variants, seeds)))
}

fn render(report: &Report<'_>, style: Style) -> String {
    let mut table = Table::new(&[
        ("variant", Side::Left),
        ("runs", Side::Right),
        ("overall %", Side::Left),
        ("against the first", Side::Left),
        ("IF %", Side::Left),
        ("VQ %", Side::Left),
        ("K=3 %", Side::Left),
        ("calibration", Side::Right),
        ("ms/candidate", Side::Right),
    ]);
    for (i, standing) in report.comparison.variants.iter().enumerate() {
        table.row(row(standing), i == 0);
    }
    let states: Vec<String> = report
        .runs
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    format!("{}runs: {}", table.render(style), states.join(", "))
}

fn row(standing: &Standing) -> Vec<String> {
    let number = |value: Option<f64>, digits| {
        value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"))
    };
    vec![
        printable(&standing.name).into_owned(),
        format!("{}/{}", standing.done, standing.seeds),
        percent(standing.accuracy, false),
        percent(standing.difference, true),
        percent(standing.accuracy_if, false),
        percent(standing.accuracy_vq, false),
        percent(standing.triples, false),
        number(standing.calibration, 3),
        number(standing.cost, 1),
    ]
}

/// "81.2 [78.0, 84.1]"; a difference with its sign.
fn percent(estimate: Option<Estimate>, signed: bool) -> String {
    let Some(estimate) = estimate else {
        return "-".into();
    };
    let number = |share: f64| {
        if signed {
            format!("{:+.1}", 100.0 * share)
        } else {
            format!("{:.1}", 100.0 * share)
        }
    };
    let Estimate { value, low, high } = estimate;
    format!("{} [{}, {}]", number(value), number(low), number(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_shares_in_percent_and_differences_with_their_sign() {
        let estimate = |value| {
            Some(Estimate {
                value,
                low: value - 0.01,
                high: value + 0.02,
            })
        };
        let standing = Standing {
            name: "loss.kind regression".into(),
            done: 2,
            seeds: 3,
            accuracy: estimate(0.8),
            accuracy_if: None,
            accuracy_vq: estimate(0.755),
            triples: None,
            difference: estimate(-0.005),
            calibration: Some(0.0456),
            cost: None,
        };
        let wanted = [
            "loss.kind regression",
            "2/3",
            "80.0 [79.0, 82.0]",
            "-0.5 [-1.5, +1.5]",
            "-",
            "75.5 [74.5, 77.5]",
            "-",
            "0.046",
            "-",
        ];
        assert_eq!(row(&standing), wanted);
    }
}
