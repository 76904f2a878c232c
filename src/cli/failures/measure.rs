//! `erw failures measure`: the measures of all candidates of a workspace, as a run.

use std::path::PathBuf;

use clap::Args;

use super::super::args::Answer;
use super::super::chosen::WhereArgs;
use super::super::exit::Exit;
use super::super::print::{Style, count};
use super::super::progress::{Progress, Unit};
use super::super::runs::{Ended, RunArgs, Saying};
use super::super::stop::Stop;
use super::super::table::{Side, Table};
use crate::domain::Measure;
use crate::failures::survey::{self, Heard, Outcome, Report, Task};
use crate::runs::{Manifest, Writer};
use crate::workbench::{Choices, Workbench};

const VERB: &str = "failures measure";

#[derive(Debug, Args)]
#[command(after_long_help = "\
Each candidate is compared with its source; nothing is registered, and an edit of another size is brought to the source's frame. \
Measures are kept in the workspace under the contents of both images: another call measures what is new or has changed. A run that \
was stopped or killed goes on with 'erw resume RUN'.

The report has the spread of every measure, why some have none, and which images could not be read; for these the exit code is 3.")]
pub(in crate::cli) struct MeasureArgs {
    /// The workspace [default: the one here]
    #[arg(long, short, value_name = "DIR")]
    workspace: Option<PathBuf>,
    #[command(flatten)]
    only: WhereArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    answer: Answer,
}

/// Measures; with images that could not be measured the exit code says that some were left out.
pub(super) fn run(args: &MeasureArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(Choices {
        workspace: args.workspace.clone(),
        ..Choices::default()
    })?;
    let workspace = bench.workspace()?;
    let named = workspace.root().display().to_string();
    // Before there is a run: a mistake in the query leaves none behind.
    let groups = args.only.groups(&workspace, &bench)?;
    let begun = args.run.begin(&bench, VERB, |arguments| {
        Manifest::new(VERB, arguments, &named)
    })?;
    let task = Task {
        workspace: &workspace,
        groups,
    };
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
    let mut bar = Progress::new("measuring", Unit::Candidates, 0);
    let outcome = survey::run(task, writer, &|| stop.asked(), &mut |heard| match heard {
        Heard::Progress(done, of) => bar.set(done as u64, of as u64),
        Heard::Line(line) => bar.say(line),
    })?;
    drop(bar);
    survey::end(writer, &outcome)?;
    Ok(match outcome {
        Outcome::Done(report) => Ended::Done(report),
        Outcome::Stopped { done, of } => Ended::Stopped {
            done,
            of,
            so_far: None,
        },
    })
}

fn told(report: &Report, style: Style) -> String {
    let mut table = Table::new(&[
        ("measure", Side::Left),
        ("unit", Side::Left),
        ("5 %", Side::Right),
        ("median", Side::Right),
        ("95 %", Side::Right),
        ("undefined", Side::Right),
    ]);
    for measure in Measure::ALL {
        let Some(spread) = report.measures.get(measure.name()) else {
            continue;
        };
        let number = |at: usize| {
            spread
                .quantiles
                .map_or_else(|| "-".into(), |numbers| format!("{:.3}", numbers[at]))
        };
        let undefined: usize = spread.undefined.values().sum();
        table.row(
            vec![
                measure.name().into(),
                measure.about().unit.into(),
                number(1),
                number(3),
                number(5),
                undefined.to_string(),
            ],
            false,
        );
    }
    let mut lines = vec![
        table.render(style).trim_end().to_owned(),
        format!(
            "{} of {}: {} measured, {} known from before, {} failed",
            count(report.candidates, "candidate"),
            count(report.groups, "group"),
            report.measured,
            report.known,
            report.failed
        ),
    ];
    if report.without_source > 0 {
        lines.push(format!(
            "{} without a source image, of which nothing can be measured",
            count(report.without_source, "group")
        ));
    }
    lines.join("\n")
}
