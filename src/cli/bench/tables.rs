//! Benchmarks as a terminal shows them.

use std::fmt::Write as _;

use crate::bench::compare::Compared;
use crate::bench::protocol::{About, Table as Numbers, Unit};
use crate::bench::report::{Figure, Report};
use crate::bench::reproduce::Reproduction;
use crate::cli::print::{Style, count};
use crate::cli::table::{Side, Table};
use crate::domain::text::printable;

/// So many edits without a score are named.
const NAMED: usize = 3;

/// All benchmarks in a table.
pub(super) fn listed(all: &[&About], style: Style) -> String {
    let mut table = Table::new(&[
        ("benchmark", Side::Left),
        ("what", Side::Left),
        ("publisher", Side::Left),
    ]);
    for about in all {
        table.row(
            vec![about.key.into(), about.name.into(), about.publisher.into()],
            false,
        );
    }
    format!(
        "{}\n'erw bench list NAME' says how one is measured and which files it reads.\n",
        table.render(style)
    )
}

/// One benchmark in full.
pub(super) fn described(about: &About, style: Style) -> String {
    format!(
        "{}  {}\n\npublisher  {}\n\n{}\n\nreads  {}\n",
        style.strong(about.key),
        about.name,
        about.publisher,
        wrapped(about.protocol),
        wrapped(about.data)
    )
}

/// Lines of at most a hundred characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].chars().count() + word.chars().count() > 99 {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines.join("\n")
}

/// A finished benchmark.
pub(super) fn report(report: &Report, published: bool, style: Style) -> String {
    let who = report.scorer.as_ref().map_or_else(
        || "people".to_owned(),
        |s| format!("{} ({})", printable(&s.name), s.kind),
    );
    let mut out = format!(
        "{} on {}, {} ({})\n",
        style.strong(&who),
        report.name,
        printable(&report.data.path),
        count(report.data.cases, "case"),
    );
    let mut table = Table::new(&[
        ("figure", Side::Left),
        ("value", Side::Right),
        ("95 %", Side::Left),
        ("of", Side::Right),
        ("for nothing", Side::Left),
        ("", Side::Left),
    ]);
    let mut figures: Vec<&Figure> = report.figures.iter().collect();
    if published {
        figures.sort_by_key(|figure| !figure.about.key.ends_with("as-published"));
    }
    for (i, figure) in figures.into_iter().enumerate() {
        table.row(figure_row(figure, report.unit), i == 0);
    }
    out.push('\n');
    out.push_str(&table.render(style));
    for numbers in &report.tables {
        out.push('\n');
        out.push_str(&printable(&numbers.title));
        out.push('\n');
        out.push_str(&numbers_table(numbers, report.unit, style));
    }
    if let Some(error) = report.calibration_error {
        let _ = writeln!(out, "\ncalibration error of P(A ≻ B): {error:.3}");
    }
    for line in remarks(report) {
        out.push('\n');
        out.push_str(&line);
    }
    out
}

fn remarks(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let unanswered = &report.unanswered;
    if report.data.left_out > 0 {
        let first = report.data.bad.first().map_or("", String::as_str);
        let left_out = count(report.data.left_out, "record");
        lines.push(format!(
            "left out: {left_out}; the first: {}",
            printable(first)
        ));
    }
    if unanswered.missing > 0 {
        let first = unanswered.first.as_deref().unwrap_or_default();
        let missing = count(unanswered.missing, "case");
        lines.push(format!(
            "without an answer: {missing}; the first: {}",
            printable(first)
        ));
    }
    let unscored = &report.unscored;
    if unscored.edits > 0 {
        let edits = count(unscored.edits, "edit");
        lines.push(format!(
            "without a score beside others of their case: {edits}"
        ));
        let named = unscored.first.iter().take(NAMED);
        lines.extend(named.map(|one| format!("  {}", printable(one))));
        if unscored.edits > NAMED {
            let more = unscored.edits - unscored.first.len().min(NAMED);
            lines.push(format!("  … and {more} more; report.json has the first"));
        }
    }
    if unanswered.unparsed > 0 {
        lines.push(format!(
            "answers that could not be understood, counted as wrong: {}",
            unanswered.unparsed
        ));
    }
    if let Some(usage) = report.usage {
        lines.push(format!(
            "{} requests, {} tokens in, {} tokens out{}",
            usage.requests,
            usage.tokens_in,
            usage.tokens_out,
            report
                .cost
                .map_or_else(String::new, |cost| format!(", cost {cost:.2}"))
        ));
    }
    if report.resampling.resamples > 0 {
        lines.push(format!(
            "95 %: bootstrap over {} clusters of cases, {} resamples, seed {}",
            report.clusters, report.resampling.resamples, report.resampling.seed
        ));
    }
    lines
}

fn figure_row(figure: &Figure, unit: Unit) -> Vec<String> {
    let floor = figure.about.floor.as_ref();
    let note = figure.undefined.as_ref().or(figure.about.note.as_ref());
    vec![
        printable(&figure.about.name).into_owned(),
        number(figure.value, unit),
        figure.interval.map_or_else(String::new, |[low, high]| {
            format!(
                "[{}, {}]",
                number(Some(low), unit),
                number(Some(high), unit)
            )
        }),
        figure.about.of.to_string(),
        floor.map_or_else(String::new, |(value, name)| {
            format!("{} {name}", number(Some(*value), unit))
        }),
        note.map_or_else(String::new, |n| printable(n).into_owned()),
    ]
}

fn number(value: Option<f64>, unit: Unit) -> String {
    match (value, unit) {
        (None, _) => "-".into(),
        (Some(value), Unit::Percent) => format!("{:.2}", 100.0 * value),
        (Some(value), Unit::Plain) => format!("{value:.4}"),
    }
}

fn numbers_table(numbers: &Numbers, unit: Unit, style: Style) -> String {
    let head: Vec<(&str, Side)> = numbers
        .columns
        .iter()
        .enumerate()
        .map(|(i, title)| {
            (
                title.as_str(),
                if i == 0 { Side::Left } else { Side::Right },
            )
        })
        .collect();
    let mut table = Table::new(&head);
    for (name, values) in &numbers.rows {
        let mut cells = vec![printable(name).into_owned()];
        for (value, title) in values.iter().zip(numbers.columns.iter().skip(1)) {
            let counted = ["pairs", "edits", "items"].contains(&title.as_str());
            cells.push(match value {
                Some(value) if counted => format!("{value:.0}"),
                value => number(*value, unit),
            });
        }
        table.row(cells, false);
    }
    table.render(style)
}

/// Published against recomputed, cell by cell.
pub(super) fn reproduction(
    all: &Reproduction,
    (differing, published): (bool, bool),
    style: Style,
) -> String {
    let mut table = Table::new(&[
        ("", Side::Left),
        ("cell", Side::Left),
        ("published", Side::Right),
        ("recomputed", Side::Right),
        ("from", Side::Left),
    ]);
    let written = |value: Option<f64>| value.map_or_else(|| "undefined".into(), |v| format!("{v}"));
    for cell in all.cells.iter().filter(|cell| !differing || !cell.equal) {
        let mark = match (cell.equal, cell.known) {
            (true, _) => "✓",
            (false, Some(_)) => "≠",
            (false, None) => "✗",
        };
        table.row(
            vec![
                mark.into(),
                printable(&cell.cell).into_owned(),
                written(cell.published),
                written(cell.recomputed),
                match cell.known {
                    Some(why) => format!("{}: {why}", cell.from),
                    None => cell.from.clone(),
                },
            ],
            !cell.equal,
        );
    }
    let equal = all.cells.iter().filter(|cell| cell.equal).count();
    let known = match all.known() {
        0 => String::new(),
        known => format!("; {known} are known to differ"),
    };
    format!(
        "{}\n{equal} of {} cells are equal (to 1e-9, or to the printed digits){known}\n\
         tie calibration on two votes, a tie and none, of equal difference ({}): {}\n",
        table.render(style),
        all.cells.len(),
        if published {
            "the published code"
        } else {
            "over real thresholds"
        },
        all.example
    )
}

/// A p value; those that three decimals cannot show are only bounded.
fn chance(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".into()
    } else {
        format!("{p:.3}")
    }
}

/// Two scorers against each other.
pub(super) fn comparison(all: &Compared, flips: usize, style: Style) -> String {
    let mut table = Table::new(&[
        ("figure", Side::Left),
        (&all.a, Side::Right),
        (&all.b, Side::Right),
        ("difference", Side::Right),
        ("95 %", Side::Left),
        ("p", Side::Right),
    ]);
    let signed = |v: f64| format!("{:+.2}", 100.0 * v);
    for one in &all.differences {
        table.row(
            vec![
                one.name.clone(),
                number(one.a, Unit::Percent),
                number(one.b, Unit::Percent),
                one.difference.map_or_else(|| "-".into(), signed),
                one.interval.map_or_else(String::new, |[low, high]| {
                    format!("[{}, {}]", signed(low), signed(high))
                }),
                one.p.map_or_else(String::new, chance),
            ],
            false,
        );
    }
    let mut out = format!(
        "{} on {}\n\n{}",
        count(all.cases, "case"),
        all.benchmark,
        table.render(style)
    );
    let [a, b] = all.discordant;
    if let Some(p) = all.mcnemar {
        let _ = writeln!(
            out,
            "\nonly {} right: {a}; only {} right: {b}; McNemar's exact p {} (judgements taken for independent)",
            printable(&all.a),
            printable(&all.b),
            chance(p)
        );
    }
    if !all.flips.is_empty() {
        let mut table = Table::new(&[
            ("case", Side::Left),
            ("people", Side::Left),
            (&all.a, Side::Left),
            (&all.b, Side::Left),
            ("right", Side::Left),
        ]);
        for flip in &all.flips {
            let right = if flip.a_is_right { &all.a } else { &all.b };
            let cells = [&flip.case, &flip.truth, &flip.a, &flip.b, right];
            table.row(cells.map(|c| printable(c).into_owned()).into(), false);
        }
        out.push('\n');
        out.push_str(&table.render(style));
        if flips > all.flips.len() {
            let _ = writeln!(
                out,
                "… {} more; --flips N lists more",
                flips - all.flips.len()
            );
        }
    }
    out
}
