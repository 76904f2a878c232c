//! Drawing the agreement screen.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Agreement, Phase};
use crate::annotate::agreement::{AgreementReport, AnnotatorReport, Asked, Measured};
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::Role;

/// Columns of the line that shows an interval between 0 and 1.
const LINE: usize = 30;

/// A line of the screen.
type Row = (String, Role);

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, agreement: &Agreement) {
    let report = match &agreement.phase {
        Phase::Measured(report) => report,
        Phase::Failed(why) => return rows(frame, canvas, area, &[(why.clone(), Role::Bad)]),
        Phase::Unasked | Phase::Measuring => {
            let words = "measuring how far people agree…".to_owned();
            return rows(frame, canvas, area, &[(words, Role::Dim)]);
        }
    };
    if report.axes.is_empty() {
        let words = "Nobody has judged anything here. 'erw annotate --annotator NAME' begins.";
        return rows(frame, canvas, area, &[(words.to_owned(), Role::Text)]);
    }
    let mut lines = axes(report, agreement);
    lines.push((String::new(), Role::Text));
    lines.extend(annotators(report));
    lines.push((String::new(), Role::Text));
    lines.extend(pairs(report, agreement.asked()));
    // The disputed groups have the rest, and a third of the screen at least.
    let above = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let above = above.min(area.height - area.height / 3);
    let top = Rect {
        height: above,
        ..area
    };
    rows(frame, canvas, top, &lines);
    let below = Rect {
        y: area.y + above,
        height: area.height - above,
        ..area
    };
    disputed(frame, canvas, below, agreement);
}

fn rows(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, lines: &[Row]) {
    for ((text, role), y) in lines.iter().zip(area.y..area.bottom()) {
        // Blanks at the beginning place a column, and are no part of the words.
        let blanks = text.chars().take_while(|c| *c == ' ').count();
        let indent = u16::try_from(blanks).unwrap_or(0).min(area.width);
        let text = prose::line(text, area.width.saturating_sub(2 + indent));
        let buffer = frame.buffer_mut();
        buffer.set_string(area.x + 1 + indent, y, text, canvas.theme[*role]);
    }
}

/// "0.676 [0.625, 0.723]", or why there is no figure.
fn figure(measured: &Measured) -> String {
    match (measured.value, measured.interval) {
        (Some(value), Some([low, high])) => format!("{value:>6.3} [{low:.3}, {high:.3}]"),
        (Some(value), None) => format!("{value:>6.3}"),
        (None, _) => format!(
            "undefined: {}",
            measured.undefined.as_deref().unwrap_or("–")
        ),
    }
}

/// An interval on a line from 0 to 1.
fn line(measured: &Measured) -> String {
    let place = |value: f64| {
        let share = value.clamp(0.0, 1.0);
        (share * (LINE - 1) as f64).round() as usize
    };
    let mut cells = vec!['·'; LINE];
    if let Some([low, high]) = measured.interval {
        cells[place(low)..=place(high)].fill('─');
    }
    if let Some(value) = measured.value {
        cells[place(value)] = '●';
    }
    cells.into_iter().collect()
}

fn axes(report: &AgreementReport, agreement: &Agreement) -> Vec<Row> {
    let mut lines = vec![(
        format!(
            "How far people agree: {} groups with judgements; intervals of {} draws of groups",
            report.groups, report.resamples
        ),
        Role::Title,
    )];
    let head = format!(
        "  {:<9}{:>11}{:>8}  0 {} 1  {:<24}{}",
        "on",
        "judgements",
        "shared",
        " ".repeat(LINE),
        "alpha",
        "kappa"
    );
    lines.push((head, Role::Dim));
    for axis in &report.axes {
        let marked = agreement.asked() == Some(axis.on);
        let mark = if marked { "▶ " } else { "  " };
        let text = format!(
            "{mark}{:<9}{:>11}{:>8}    {}    {:<24}{}",
            axis.on.words(),
            axis.judgements,
            axis.shared,
            line(&axis.alpha),
            figure(&axis.alpha),
            figure(&axis.kappa)
        );
        lines.push((text, if marked { Role::Accent } else { Role::Text }));
        if let Some(with) = &axis.alpha_with_model {
            let text = format!(
                "  {:<9}{:>19}    {}    {}",
                "",
                "with the model",
                line(with),
                figure(with)
            );
            lines.push((text, Role::Aggregate));
        }
    }
    lines
}

fn annotators(report: &AgreementReport) -> Vec<Row> {
    let head = format!(
        "  {:<30}{:>8}{:>18}{:>18}{:>24}",
        "annotator", "judged", "IF bias ± spread", "VQ bias ± spread", "the same, asked again"
    );
    let mut lines = vec![(head, Role::Dim)];
    lines.extend(report.annotators.iter().map(|annotator| {
        let mut name = annotator.name.clone();
        if annotator.simulated && !name.starts_with('(') {
            name.push_str(" (simulated)");
        }
        let again = annotator.repeats.as_ref().map_or_else(
            || "–".to_owned(),
            |r| format!("{:.0} % of {}", 100.0 * r.same, r.count),
        );
        let text = format!(
            "  {:<30}{:>8}{:>18}{:>18}{:>24}",
            prose::line(&name, 30),
            annotator.judged,
            bias(annotator, Asked::If),
            bias(annotator, Asked::Vq),
            again
        );
        (text, Role::Text)
    }));
    lines
}

fn bias(annotator: &AnnotatorReport, asked: Asked) -> String {
    let question = annotator.questions.iter().find(|q| q.on == asked);
    match question.map(|q| (q.bias, q.spread)) {
        Some((Some(bias), Some(spread))) => format!("{bias:+.2} ± {spread:.2}"),
        Some((Some(bias), None)) => format!("{bias:+.2}"),
        _ => "–".into(),
    }
}

fn pairs(report: &AgreementReport, asked: Option<Asked>) -> Vec<Row> {
    let head = format!(
        "  {:<34}{:>7}  {:<24}{:>6}{:>8}",
        "two annotators", "shared", "alpha", "same", "apart"
    );
    let mut lines = vec![(head, Role::Dim)];
    let of_question = report.pairs.iter().filter(|pair| Some(pair.on) == asked);
    lines.extend(of_question.map(|pair| {
        let apart = pair
            .difference
            .map_or_else(|| "–".to_owned(), |d| format!("{d:.2}"));
        let names = format!("{} · {}", pair.a, pair.b);
        let text = format!(
            "  {:<34}{:>7}  {:<24}{:>5.0}%{apart:>8}",
            prose::line(&names, 34),
            pair.shared,
            figure(&pair.alpha),
            100.0 * pair.same,
        );
        (text, Role::Text)
    }));
    lines
}

/// The groups on which people differ most, the marked one in sight.
fn disputed(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, agreement: &Agreement) {
    let groups = agreement.disputed();
    let title = match groups.len() {
        0 => "People differ nowhere.".to_owned(),
        _ => "Where people differ most (enter shows them in Browse):".to_owned(),
    };
    let mut lines = vec![(String::new(), Role::Text), (title, Role::Title)];
    let room = usize::from(area.height).saturating_sub(lines.len()).max(1);
    let from = (agreement.at + 1).saturating_sub(room);
    for (place, one) in groups.iter().enumerate().skip(from).take(room) {
        let marked = place == agreement.at;
        let mark = if marked { "▶ " } else { "  " };
        let text = format!(
            "{mark}{:.2} points on {:<4}{:<22}  {}",
            one.difference,
            one.on.words(),
            prose::line(&one.key, 22),
            one.instruction
        );
        lines.push((text, if marked { Role::Accent } else { Role::Text }));
    }
    rows(frame, canvas, area, &lines);
}
