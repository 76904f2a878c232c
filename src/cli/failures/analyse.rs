//! `erw failures analyse`: the suspected biases of a model, as a run.

use std::num::NonZeroUsize;

use clap::Args;

use crate::cli::args::{Answer, Where};
use crate::cli::chosen::{ScoresArg, WhereArgs};
use crate::cli::exit::Exit;
use crate::cli::print::{Style, count};
use crate::cli::progress::{Progress, Unit};
use crate::cli::runs::{Ended, RunArgs, Saying};
use crate::cli::stop::Stop;
use crate::cli::table::{Side, Table};
use crate::domain::text::printable;
use crate::failures::analysis::run::{self, LabelChoice, Outcome, Task};
use crate::failures::analysis::{ModelFacts, Report, Settings, with_interval};
use crate::runs::{Fingerprint, Manifest, Writer};
use crate::workbench::Workbench;

pub(super) const VERB: &str = "failures analyse";

#[derive(Debug, Args)]
#[command(after_long_help = "\
For each score and each measure: among candidates that people judge alike, does the model give more to those that have more of it? \
What is left after people's labels, instruction category and editor is told in points of people's scale, per standard deviation of \
the measure, with 95 % intervals over groups. What is named stands Holm's correction for all tests, both with and without label \
error taken out. Of measures that go together, the one that explains most is named.

It reads stored scores ('erw score') and stored measures ('erw failures measure'), and computes neither. Candidates that lack one \
are counted, and the exit code is 3. Use groups that the model was not trained on: --split.")]
pub(in crate::cli) struct AnalyseArgs {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    scores: ScoresArg,
    /// Whose labels count: all, real (by people), simulated, or none (scores against measures, without ground truth)
    #[arg(long, value_name = "WHOSE", default_value = "all")]
    labels: LabelChoice,
    /// Only the groups of this part of the data
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Only the groups that came with this data set
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    #[command(flatten)]
    only: WhereArgs,
    /// What intervals and samples are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How often groups are drawn again for intervals
    #[arg(long, value_name = "N", default_value = "1000")]
    resamples: NonZeroUsize,
    /// The least effect of one standard deviation that is named, in points
    #[arg(long, value_name = "POINTS", default_value_t = 0.02, value_parser = not_negative)]
    least: f64,
    /// One annotator's standard deviation from what annotators say on average, in points; for data without two labels of anything
    #[arg(long, value_name = "POINTS", default_value_t = 0.75, value_parser = not_negative)]
    label_error: f64,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    answer: Answer,
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("it has to be a number, 0 or more".into()),
    }
}

/// Analyses; with candidates that lack scores or measures the exit code says that some were left out.
pub(super) fn run(args: &AnalyseArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let workspace = bench.workspace()?;
    let (name, fingerprint) = args.scores.model(&bench, &workspace)?;
    let model = ModelFacts { name, fingerprint };
    // Before there is a run: a mistake in the query leaves none behind.
    let only = args.only.matches(&workspace, &bench)?;
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        seed: Some(args.seed),
        // It computes on no accelerator.
        device: Some("cpu".into()),
        model: Some(Fingerprint {
            name: model.name.clone(),
            fingerprint: model.fingerprint.clone(),
        }),
        ..Manifest::new(VERB, arguments, &model.name)
    })?;
    let task = Task {
        workspace: &workspace,
        model,
        labels: args.labels,
        split: args.split.clone(),
        set: args.set.clone(),
        only: only.map(|found| found.into_iter().map(|one| one.candidate).collect()),
        settings: Settings {
            seed: args.seed,
            resamples: args.resamples.get(),
            least: args.least,
            label_error: args.label_error,
            ..Settings::default()
        },
    };
    let saying = Saying {
        unit: "groups",
        resumed: "begins again",
        told,
        whole: |report: &Report| report.data.unscored + report.data.unmeasured == 0,
        flat: false,
    };
    begun.carry(args.answer.json, &saying, |writer, stop| {
        work(&task, writer, stop)
    })
}

fn work(task: &Task<'_>, writer: &Writer, stop: &Stop) -> anyhow::Result<Ended<Report>> {
    let mut bar = Progress::new("reading", Unit::Groups, 0);
    let outcome = run::run(task, writer, &|| stop.asked(), &mut |done, of| {
        bar.set(done as u64, of as u64);
    })?;
    drop(bar);
    run::end(writer, &outcome)?;
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
    let mut lines = Vec::new();
    let noun = report.noun();
    if report.biases.is_empty() {
        lines.push(format!(
            "No suspected {noun}: none of {} stands correction.",
            count(report.settings.tests, "test")
        ));
    }
    for (i, bias) in report.biases.iter().enumerate() {
        let effect = &bias.effect;
        let head = format!(
            "{}. {} on {}",
            i + 1,
            effect.measure.about().words,
            effect.judged.name()
        );
        lines.push(style.strong(&head));
        lines.push(format!("   {}", bias.sentence));
        let more = [bias.strongest_in_words(), bias.also_in_words()];
        let more = more.into_iter().flatten();
        lines.extend(more.map(|words| format!("   {}", printable(&words))));
    }
    lines.push(String::new());
    lines.push(table(report).render(style).trim_end().to_owned());
    lines.extend(
        report
            .notes
            .iter()
            .map(|note| style.faint(&printable(note))),
    );
    lines.join("\n")
}

/// The tests with the smallest p values.
fn table(report: &Report) -> Table {
    const ROWS: usize = 12;
    let mut table = Table::new(&[
        ("score", Side::Left),
        ("measure", Side::Left),
        ("n", Side::Right),
        ("per SD", Side::Right),
        ("partial rank correlation", Side::Right),
        ("p (Holm)", Side::Right),
        ("q", Side::Right),
    ]);
    let mut effects: Vec<_> = report.effects.iter().collect();
    effects.sort_by(|a, b| a.p.total_cmp(&b.p));
    for effect in effects.into_iter().take(ROWS) {
        let named = report
            .biases
            .iter()
            .any(|b| (b.effect.judged, b.effect.measure) == (effect.judged, effect.measure));
        table.row(
            vec![
                effect.judged.name().into(),
                effect.measure.name().into(),
                effect.n.to_string(),
                with_interval(&effect.per_sd, true),
                with_interval(&effect.partial, true),
                format!("{:.4}", effect.p_holm),
                format!("{:.4}", effect.q),
            ],
            named,
        );
    }
    table
}
