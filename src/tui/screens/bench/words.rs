//! What a report says, as lines of words: its figures, its tables, what it was measured on and how. No widget knows of reports,
//! and no report of styles; a line is pieces of text, each with its role.

use crate::bench::leaderboard::{Column, Row};
use crate::bench::protocol::{Table, Unit};
use crate::bench::protocols;
use crate::bench::report::{Figure, Report};
use crate::tui::screens::prose;
use crate::tui::theme::Role;
use crate::tui::widgets::text;

/// A line: pieces of text and what they mean.
pub(crate) type Words = Vec<(String, Role)>;

/// Lines that a long text may take.
const LONG: u16 = 12;
/// Columns of tables that count instead of measuring.
const COUNTS: [&str; 5] = ["pairs", "edits", "items", "cases", "groups"];

/// A number of a report: in percent with one decimal, or plain with three.
pub(crate) fn number(value: f64, unit: Unit) -> String {
    let (value, decimals) = match unit {
        Unit::Percent => (100.0 * value, 1),
        Unit::Plain => (value, 3),
    };
    let text = format!("{value:.decimals$}");
    // There is no negative nothing.
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

fn words(text: impl Into<String>, role: Role) -> Words {
    vec![(text.into(), role)]
}

/// A text on as many lines as it takes, indented by `left`.
pub(super) fn wrapped(text: &str, role: Role, left: u16, width: u16) -> Vec<Words> {
    let indent = " ".repeat(usize::from(left));
    let lines = prose::wrap(text, width.saturating_sub(left), LONG);
    lines
        .into_iter()
        .map(|line| words(format!("{indent}{line}"), role))
        .collect()
}

/// "name  value", the value wrapped beside its name.
pub(super) fn fact(name: &str, value: &str, role: Role, width: u16) -> Vec<Words> {
    const NAME: u16 = 10;
    let lines = prose::wrap(value, width.saturating_sub(NAME), LONG);
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    lines
        .into_iter()
        .zip(names)
        .map(|(line, name)| {
            let name = format!("{name:<width$}", width = usize::from(NAME));
            vec![(name, Role::Dim), (line, role)]
        })
        .collect()
}

/// "1 case", "3 cases", "12,345 cases".
pub(super) fn count(number: usize, word: &str) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{out} {word}{plural}")
}

/// Who answered.
pub(super) fn scorer(report: &Report) -> String {
    report
        .scorer
        .as_ref()
        .map_or_else(|| "people".into(), |s| format!("{} ({})", s.name, s.kind))
}

/// The figures with their intervals, what they are made of, what one gets for nothing, and why one is undefined; `marked` is the
/// key of the one under the cursor.
pub(super) fn figures(report: &Report, marked: &str, width: u16) -> Vec<Words> {
    let names = report.figures.iter().map(|f| text::width(&f.about.name));
    let name = names.max().unwrap_or(0).clamp(8, (width / 2).max(8));
    let values = report
        .figures
        .iter()
        .map(|f| text::width(&value(f, report.unit)));
    let value_width = usize::from(values.max().unwrap_or(0));
    let mut out = Vec::new();
    for figure in &report.figures {
        let here = figure.about.key == marked;
        let mark = if here { "▸ " } else { "  " };
        let role = match (here, figure.value) {
            (_, None) => Role::Warning,
            (true, _) => Role::Accent,
            (false, _) => Role::Text,
        };
        let label = prose::line(&figure.about.name, name);
        let gap = usize::from(name.saturating_sub(text::width(&label)));
        let value = value(figure, report.unit);
        let mut line = vec![
            (mark.to_owned(), Role::Accent),
            (format!("{label}{}", " ".repeat(gap)), Role::Text),
            (format!("  {value:>value_width$}"), role),
        ];
        if let Some([low, high]) = figure.interval {
            let [low, high] = [low, high].map(|end| number(end, report.unit));
            line.push((format!(" [{low}, {high}]"), Role::Dim));
        }
        line.push((format!("  of {}", figure.about.of), Role::Dim));
        let mut more = Vec::new();
        if let Some((floor, trivial)) = &figure.about.floor {
            let floor = number(*floor, report.unit);
            more.push((format!("for nothing {floor} ({trivial})"), Role::Dim));
        }
        more.extend(figure.about.note.clone().map(|note| (note, Role::Dim)));
        if let Some(why) = &figure.undefined {
            more.push((format!("undefined: {why}"), Role::Warning));
        }
        if figure.undefined_resamples > 0 {
            let (n, of) = (figure.undefined_resamples, report.resampling.resamples);
            more.push((format!("undefined in {n} of {of} resamples"), Role::Dim));
        }
        out.extend(flowed(line, more, width));
    }
    out
}

fn value(figure: &Figure, unit: Unit) -> String {
    figure
        .value
        .map_or_else(|| "undefined".into(), |value| number(value, unit))
}

/// A line and remarks after it: on the same line while there is room, else under it.
fn flowed(line: Words, remarks: Vec<(String, Role)>, width: u16) -> Vec<Words> {
    let mut used: u16 = line.iter().map(|(piece, _)| text::width(piece)).sum();
    let mut out = vec![line];
    for (remark, role) in remarks {
        let remark = prose::line(&remark, 400);
        let wide = text::width(&remark) + 2;
        if out.len() == 1 && used + wide <= width {
            used += wide;
            out[0].push((format!("  {remark}"), role));
        } else {
            out.extend(wrapped(&remark, role, 4, width));
        }
    }
    out
}

/// The tables, one under the other.
pub(super) fn tables(report: &Report, width: u16) -> Vec<Words> {
    let mut out = Vec::new();
    if report.tables.is_empty() {
        out.push(words("this benchmark has no tables", Role::Dim));
    }
    for table in &report.tables {
        if !out.is_empty() {
            out.push(Vec::new());
        }
        out.extend(one_table(table, report.unit, width));
    }
    out
}

fn one_table(table: &Table, unit: Unit, width: u16) -> Vec<Words> {
    let columns: Vec<Vec<String>> = table
        .columns
        .iter()
        .skip(1)
        .enumerate()
        .map(|(i, title)| {
            let counted = COUNTS.contains(&title.as_str());
            let cells = table.rows.iter().map(|(_, cells)| match cells.get(i) {
                Some(Some(value)) if counted => format!("{value:.0}"),
                Some(Some(value)) => number(*value, unit),
                _ => "–".into(),
            });
            std::iter::once(prose::line(title, 16))
                .chain(cells)
                .collect()
        })
        .collect();
    let wide = |cells: &Vec<String>| cells.iter().map(|c| text::width(c)).max().unwrap_or(0) + 2;
    let widths: Vec<u16> = columns.iter().map(wide).collect();
    let numbers: u16 = widths.iter().sum();
    let first = table.columns.first().map_or("", String::as_str);
    let names = || std::iter::once(first).chain(table.rows.iter().map(|(name, _)| name.as_str()));
    let longest = names()
        .map(|name| text::width(&prose::line(name, 60)))
        .max();
    let name_width = longest
        .unwrap_or(0)
        .min(width.saturating_sub(numbers).max(8));
    let mut out = vec![words(prose::line(&table.title, width), Role::Title)];
    for (row, name) in names().enumerate() {
        let role = if row == 0 { Role::Dim } else { Role::Text };
        let name = prose::line(name, name_width);
        let gap = usize::from(name_width.saturating_sub(text::width(&name)));
        let mut line = vec![(format!("{name}{}", " ".repeat(gap)), role)];
        for (cells, wide) in columns.iter().zip(&widths) {
            let cell = &cells[row];
            let gap = usize::from(wide.saturating_sub(text::width(cell)));
            line.push((format!("{}{cell}", " ".repeat(gap)), role));
        }
        out.push(line);
    }
    out
}

/// What was measured, on what, how, and what was left out.
pub(super) fn facts(report: &Report, run: &str, width: u16) -> Vec<Words> {
    let dim = |name: &str, value: &str| fact(name, value, Role::Text, width);
    let mut out = dim("scorer", &scorer(report));
    let name = format!("{} ({})", report.name, report.benchmark);
    out.extend(dim("benchmark", &name));
    out.extend(dim("by", &report.publisher));
    let images = if report.data.images {
        "with images"
    } else {
        "no images are there"
    };
    let data = format!(
        "{}, {}, {images}",
        report.data.path,
        count(report.data.cases, "case")
    );
    out.extend(dim("data", &data));
    let warned = |n: usize| if n > 0 { Role::Warning } else { Role::Text };
    let and_first = |n: usize, first: Option<&String>| match first {
        Some(first) if n > 0 => format!("; the first: {first}"),
        _ => String::new(),
    };
    let left_out = report.data.left_out;
    let words = format!(
        "{}{}",
        count(left_out, "record"),
        and_first(left_out, report.data.bad.first())
    );
    out.extend(fact("left out", &words, warned(left_out), width));
    let unanswered = &report.unanswered;
    let words = format!(
        "{} without an answer, {} not understood (counted as wrong){}",
        count(unanswered.missing, "case"),
        unanswered.unparsed,
        and_first(
            unanswered.missing + unanswered.unparsed,
            unanswered.first.as_ref()
        )
    );
    let role = warned(unanswered.missing + unanswered.unparsed);
    out.extend(fact("answers", &words, role, width));
    let unscored = &report.unscored;
    if unscored.edits > 0 {
        let first = and_first(unscored.edits, unscored.first.first());
        let words = format!("{} without a score{first}", count(unscored.edits, "edit"));
        out.extend(fact("", &words, Role::Warning, width));
    }
    if let Some(usage) = report.usage {
        let words = format!(
            "{}, {} in, {} out",
            count(usage.requests as usize, "request"),
            count(
                usize::try_from(usage.tokens_in).unwrap_or(usize::MAX),
                "token"
            ),
            count(
                usize::try_from(usage.tokens_out).unwrap_or(usize::MAX),
                "token"
            )
        );
        out.extend(dim("cost", &words));
    }
    if report.resampling.resamples > 0 {
        let words = format!(
            "bootstrap over {} of cases, {}, seed {}",
            count(report.clusters, "cluster"),
            count(report.resampling.resamples, "resample"),
            report.resampling.seed
        );
        out.extend(dim("95 %", &words));
    }
    out.extend(dim("protocol", &report.protocol));
    out.extend(dim("run", run));
    out
}

/// What is to be known of a figure in print.
pub(super) fn published(row: &Row, column: &Column, written: &str, width: u16) -> Vec<Words> {
    let source = row.source.as_deref().unwrap_or("a publication");
    let name = protocols::find(&column.benchmark).map_or("", |p| p.about().name);
    let mut out = vec![vec![
        (format!("{}  ", prose::line(&row.scorer, 40)), Role::Title),
        (written.to_owned(), Role::Text),
    ]];
    let place = format!("{name} ({}), {}", column.benchmark, column.title);
    out.extend(fact("benchmark", &place, Role::Text, width));
    out.extend(fact("from", source, Role::Text, width));
    let note = "Published: erw did not compute it. It comes without an interval, and no list of mistakes is behind it.";
    out.extend(wrapped(note, Role::Dim, 0, width));
    out
}

/// What a new user types.
pub(super) fn advice(live: usize, width: u16) -> Vec<Words> {
    let mut out = vec![words("No benchmark has been run here yet.", Role::Title)];
    if live > 0 {
        let under_way = format!("{} under way: T shows how far.", count(live, "benchmark"));
        out.extend(wrapped(&under_way, Role::Good, 0, width));
    }
    out.extend(wrapped("Run one from a shell:", Role::Text, 0, width));
    out.push(words(
        "  erw bench run workspace --scorer model:demo",
        Role::Accent,
    ));
    out.extend(wrapped(
        "What there is to run, and the data each reads:",
        Role::Text,
        0,
        width,
    ));
    out.push(words("  erw bench list", Role::Accent));
    let note = "It shows up here when it is done, beside the figures that papers print.";
    out.extend(wrapped(note, Role::Dim, 0, width));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    fn text_of(lines: &[Words]) -> String {
        let lines = lines.iter().map(|line| {
            let pieces = line.iter().map(|(piece, _)| piece.as_str());
            pieces.collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_figure_tells_its_interval_its_number_its_floor_and_why_it_is_undefined() {
        let report = sample::report("bench-3").unwrap();
        let said = text_of(&figures(&report, "calibrated", 120));
        assert!(said.contains("▸ "), "{said}");
        assert!(said.contains("63.9 [61.3, 66.5]  of 919"), "{said}");
        assert!(said.contains("for nothing 45.3 (all ties)"), "{said}");
        let report = sample::report("bench-1").unwrap();
        let said = text_of(&figures(&report, "mean", 120));
        assert!(said.contains("undefined: "), "{said}");
        assert!(!said.contains("0.0"), "{said}");
    }

    #[test]
    fn no_line_is_wider_than_its_room_and_no_escape_passes() {
        let mut report = sample::report("bench-3").unwrap();
        report.data.path = "/data/\u{1b}[31m日本語".repeat(20);
        report.data.left_out = 3;
        report.data.bad = vec!["\u{7}bell".into()];
        for width in [12_u16, 30, 60, 200] {
            let all = [facts(&report, "run", width), tables(&report, width)];
            for line in all.iter().flatten() {
                let said: String = line.iter().map(|(piece, _)| piece.as_str()).collect();
                assert!(!said.contains(char::is_control), "{said:?}");
            }
            for line in &facts(&report, "run", width) {
                let wide: u16 = line.iter().map(|(piece, _)| text::width(piece)).sum();
                assert!(wide <= width.max(11), "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn counts_in_tables_are_whole_and_shares_in_percent() {
        let report = sample::report("bench-3").unwrap();
        let said = text_of(&tables(&report, 80));
        assert!(said.contains("62.5     96"), "{said}");
    }

    #[test]
    fn left_out_records_are_counted_and_the_first_is_named() {
        let mut report = sample::report("bench-3").unwrap();
        report.data.left_out = 1200;
        report.data.bad = vec!["votes.json:7: 'human_vote'".into()];
        let said = text_of(&facts(&report, "run", 200));
        assert!(
            said.contains("1,200 records; the first: votes.json:7"),
            "{said}"
        );
        assert!(!said.contains("without a score"), "{said}");
        report.unscored.edits = 2;
        report.unscored.first = vec!["a, edit 2: 'x.png' is missing".into()];
        let said = text_of(&facts(&report, "run", 200));
        let expected = "2 edits without a score; the first: a, edit 2: 'x.png' is missing";
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn numbers_are_in_percent_with_one_decimal_and_never_minus_nothing() {
        assert_eq!(number(0.6394, Unit::Percent), "63.9");
        assert_eq!(number(-0.0254, Unit::Percent), "-2.5");
        assert_eq!(number(-0.0001, Unit::Percent), "0.0");
        assert_eq!(number(6.372, Unit::Plain), "6.372");
    }
}
