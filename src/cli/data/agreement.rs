//! `erw data agreement`: how far annotators agree, as tables.

use std::path::PathBuf;

use serde::Serialize;

use super::args::DataAgreementArgs;
use super::{opened, with_model};
use crate::annotate::agreement::{
    AgreementOptions, AgreementReport, Measured, OnAxis, PairReport, agreement,
};
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::progress::{Progress, Unit};
use crate::cli::table::{Side, Table};
use crate::domain::text::printable;
use crate::workbench::find_model;

#[derive(Serialize)]
struct Answer {
    workspace: PathBuf,
    #[serde(flatten)]
    report: AgreementReport,
}

/// Measures and prints.
pub(in crate::cli) fn run(args: &DataAgreementArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let model = args
        .model
        .as_deref()
        .map(|name| anyhow::Ok(with_model(Some(name))?.identity(&find_model(name)?)?.1));
    let options = AgreementOptions {
        split: args.split.clone(),
        without_simulated: args.without_simulated,
        model: model.transpose()?,
        resamples: args.resamples,
        seed: args.seed,
    };
    let mut bar = Progress::new("reading", Unit::Groups, 0);
    let report = agreement(&workspace, &options, &mut |done, total| {
        bar.set(done as u64, total as u64);
    })?;
    drop(bar);
    let mut answer = Answer {
        workspace: workspace.root().to_owned(),
        report,
    };
    answer.report.disputed.truncate(args.disputed);
    if args.answer.json {
        print::json(&answer)?;
    } else {
        print::out(&told(&answer, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

fn told(answer: &Answer, style: Style) -> String {
    let report = &answer.report;
    let mut lines = vec![format!(
        "{}: {} with judgements",
        printable(&answer.workspace.display().to_string()),
        count(report.groups, "group")
    )];
    if report.axes.is_empty() {
        lines.push("nobody has judged anything".into());
        return lines.join("\n");
    }
    for table in [axes(report, style), annotators(report, style)] {
        lines.push(String::new());
        lines.push(table.trim_end().to_owned());
    }
    if !report.pairs.is_empty() {
        lines.push(String::new());
        lines.push(pairs(&report.pairs, style).trim_end().to_owned());
    }
    if !report.disputed.is_empty() {
        lines.push(String::new());
        let mut table = Table::new(&[
            ("most disputed", Side::Left),
            ("on", Side::Left),
            ("apart", Side::Right),
            ("instruction", Side::Left),
        ]);
        for one in &report.disputed {
            let cells = vec![
                printable(&one.key).into_owned(),
                one.on.words().into(),
                format!("{:.2}", one.difference),
                printable(&one.instruction).into_owned(),
            ];
            table.row(cells, false);
        }
        lines.push(table.render(style).trim_end().to_owned());
    }
    let undefined = report.axes.iter().flat_map(reasons);
    lines.extend(undefined.map(|reason| format!("\n{reason}")));
    lines.join("\n")
}

/// Why a figure of an axis has no value.
fn reasons(axis: &OnAxis) -> Vec<String> {
    [("alpha", &axis.alpha), ("kappa", &axis.kappa)]
        .into_iter()
        .filter_map(|(name, measured)| {
            let why = measured.undefined.as_ref()?;
            Some(format!("{}: {name} is undefined: {why}", axis.on.words()))
        })
        .collect()
}

/// "0.41 [0.35, 0.47]", or a dash.
fn figure(measured: &Measured) -> String {
    match (measured.value, measured.interval) {
        (Some(value), Some([low, high])) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        (Some(value), None) => format!("{value:.3}"),
        (None, _) => "–".into(),
    }
}

fn axes(report: &AgreementReport, style: Style) -> String {
    let with_model = report.axes.iter().any(|a| a.alpha_with_model.is_some());
    let mut head = vec![
        ("on", Side::Left),
        ("judgements", Side::Right),
        ("shared", Side::Right),
        ("alpha", Side::Left),
    ];
    if with_model {
        head.push(("alpha with the model", Side::Left));
    }
    head.extend([
        ("kappa", Side::Left),
        ("of", Side::Right),
        ("raters", Side::Right),
    ]);
    let mut table = Table::new(&head);
    for axis in &report.axes {
        let mut cells = vec![
            axis.on.words().to_owned(),
            axis.judgements.to_string(),
            axis.shared.to_string(),
            figure(&axis.alpha),
        ];
        if with_model {
            let with = axis.alpha_with_model.as_ref();
            cells.push(with.map_or_else(String::new, figure));
        }
        cells.push(figure(&axis.kappa));
        cells.push(axis.complete.to_string());
        cells.push(axis.raters.map_or_else(String::new, |n| n.to_string()));
        table.row(cells, false);
    }
    table.render(style)
}

fn annotators(report: &AgreementReport, style: Style) -> String {
    let mut table = Table::new(&[
        ("annotator", Side::Left),
        ("judged", Side::Right),
        ("IF bias", Side::Right),
        ("spread", Side::Right),
        ("VQ bias", Side::Right),
        ("spread", Side::Right),
        ("asked again", Side::Right),
        ("same answer", Side::Right),
    ]);
    for annotator in &report.annotators {
        let mut name = printable(&annotator.name).into_owned();
        if annotator.simulated && !name.starts_with('(') {
            name.push_str(" (simulated)");
        }
        let mut cells = vec![name, annotator.judged.to_string()];
        for words in ["IF", "VQ"] {
            let found = annotator.questions.iter().find(|q| q.on.words() == words);
            let number = |value: Option<f64>, signed: bool| match (value, signed) {
                (Some(value), true) => format!("{value:+.2}"),
                (Some(value), false) => format!("{value:.2}"),
                (None, _) => "–".into(),
            };
            cells.push(number(found.and_then(|q| q.bias), true));
            cells.push(number(found.and_then(|q| q.spread), false));
        }
        match &annotator.repeats {
            Some(repeats) => {
                cells.push(repeats.count.to_string());
                cells.push(format!("{:.0} %", 100.0 * repeats.same));
            }
            None => cells.extend(["–".to_owned(), "–".to_owned()]),
        }
        table.row(cells, false);
    }
    table.render(style)
}

fn pairs(pairs: &[PairReport], style: Style) -> String {
    let mut table = Table::new(&[
        ("two annotators", Side::Left),
        ("on", Side::Left),
        ("shared", Side::Right),
        ("alpha", Side::Left),
        ("kappa", Side::Right),
        ("Spearman", Side::Right),
        ("same", Side::Right),
        ("apart", Side::Right),
    ]);
    for pair in pairs {
        let plain = |measured: &Option<Measured>| {
            let value = measured.as_ref().and_then(|m| m.value);
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
        };
        let cells = vec![
            format!("{} · {}", printable(&pair.a), printable(&pair.b)),
            pair.on.words().into(),
            pair.shared.to_string(),
            figure(&pair.alpha),
            plain(&pair.kappa),
            plain(&pair.spearman),
            format!("{:.0} %", 100.0 * pair.same),
            pair.difference
                .map_or_else(|| "–".to_owned(), |d| format!("{d:.2}")),
        ];
        table.row(cells, false);
    }
    table.render(style)
}
