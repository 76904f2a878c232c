//! All figures of a report under each other: a dot with its interval, and the floor as a line.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::bench::export::number::{interval, written};
use crate::bench::protocol::Unit;
use crate::bench::report::{Figure, Report};
use crate::data::export::svg::{Anchor, Axis, Drawing, cut};

const WIDTH: f64 = 920.0;
/// Where the plot ends; numbers are right of it, and names left.
const END: f64 = 762.0;
/// How wide a column of text is at the most, with wide fonts.
const LETTER: f64 = 7.4;
/// How far text keeps from the plot.
const GAP: f64 = 14.0;
const TOP: f64 = 10.0;
const ROW: f64 = 42.0;
/// Half the height of a floor's line.
const FLOOR: f64 = 15.0;
/// How many columns of text fit left of the plot.
const NAME: usize = 40;

/// The plot; `None` where no figure has a value.
pub(in crate::bench::export) fn forest(report: &Report, id: &str) -> Option<String> {
    let figures = &report.figures;
    if figures.iter().all(|f| f.value.is_none()) {
        return None;
    }
    let numbers = figures.iter().flat_map(|figure| {
        let floor = figure.about.floor.as_ref().map(|(value, _)| *value);
        let bounds = figure.interval.into_iter().flatten();
        figure.value.into_iter().chain(floor).chain(bounds)
    });
    let plot = (begin(report), END);
    let axis = Axis::around(numbers, plot, report.unit)?;
    let bottom = TOP + ROW * figures.len() as f64;
    let title = format!("Figures of {}", report.name);
    let size = (WIDTH, bottom + 40.0);
    let mut drawing = Drawing::new(size, id, &title, &described(report));
    for (x, text) in axis.ticks() {
        drawing.line("grid", (x, TOP), (x, bottom));
        drawing.text("muted", (x, bottom + 17.0), Anchor::Middle, &text);
    }
    drawing.line("axis", (plot.0, bottom), (plot.1, bottom));
    let label = match report.unit {
        Unit::Percent => "percent",
        Unit::Plain => "value",
    };
    let middle = f64::midpoint(plot.0, plot.1);
    drawing.text("muted", (middle, bottom + 34.0), Anchor::Middle, label);
    for (i, figure) in figures.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        row(&mut drawing, figure, (plot.0, &axis), y, report.unit);
    }
    Some(drawing.done())
}

/// Where the plot begins, right of the longest name.
fn begin(report: &Report) -> f64 {
    let named = report.figures.iter().flat_map(|figure| {
        let floor = figure.about.floor.as_ref();
        let floor = floor.map(|(value, name)| floor_name(*value, name, report.unit));
        [Some(cut(&figure.about.name, NAME)), floor]
    });
    let longest = named.flatten().map(|name| name.width()).max();
    longest.unwrap_or(0).clamp(12, NAME) as f64 * LETTER + GAP
}

fn floor_name(value: f64, name: &str, unit: Unit) -> String {
    cut(&format!("{} {name}", written(Some(value), unit)), NAME)
}

fn row(drawing: &mut Drawing, figure: &Figure, (begin, axis): (f64, &Axis), y: f64, unit: Unit) {
    let about = &figure.about;
    let (left, right) = (begin - GAP, END + GAP);
    let floor = about.floor.as_ref().filter(|(value, _)| value.is_finite());
    let name = (left, if floor.is_some() { y - 2.0 } else { y + 4.0 });
    drawing.text("", name, Anchor::End, &cut(&about.name, NAME));
    if let Some((value, name)) = floor {
        let text = floor_name(*value, name, unit);
        drawing.text("small floor-name", (left, y + 13.0), Anchor::End, &text);
        let x = axis.at(*value);
        drawing.line("floor", (x, y - FLOOR), (x, y + FLOOR));
    }
    let Some(value) = figure.value.filter(|v| v.is_finite()) else {
        let why = figure.undefined.as_deref().unwrap_or("no reason is given");
        let text = cut(&format!("undefined: {why}"), 58);
        drawing.text("muted", (begin + 8.0, y + 4.0), Anchor::Start, &text);
        drawing.text("", (right, y + 4.0), Anchor::Start, "-");
        return;
    };
    if let Some([low, high]) = figure.interval {
        let (low, high) = (axis.at(low), axis.at(high));
        drawing.line("interval", (low, y), (high, y));
        for end in [low, high] {
            drawing.line("interval", (end, y - 5.0), (end, y + 5.0));
        }
    }
    let text = in_words(figure, value, unit);
    drawing.point((axis.at(value), y), 5.5, &text);
    let written = written(Some(value), unit);
    match interval(figure.interval, unit) {
        Some(bounds) => {
            drawing.text("", (right, y - 2.0), Anchor::Start, &written);
            drawing.text("small muted", (right, y + 13.0), Anchor::Start, &bounds);
        }
        None => drawing.text("", (right, y + 4.0), Anchor::Start, &written),
    }
}

fn in_words(figure: &Figure, value: f64, unit: Unit) -> String {
    let mut text = format!("{}: {}", figure.about.name, written(Some(value), unit));
    if let Some(bounds) = interval(figure.interval, unit) {
        text.push(' ');
        text.push_str(&bounds);
    }
    let _ = write!(text, ", n = {}", figure.about.of);
    text
}

fn described(report: &Report) -> String {
    let parts: Vec<String> = report
        .figures
        .iter()
        .map(|figure| match figure.value {
            Some(value) => in_words(figure, value, report.unit),
            None => format!("{}: undefined", figure.about.name),
        })
        .collect();
    parts.join("; ")
}
