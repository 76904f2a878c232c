//! The two curves of a report: how often a scorer is right by how sure it is, and its accuracy when only the surest
//! judgements are kept.

use crate::bench::export::number::written;
use crate::bench::protocol::Unit;
use crate::bench::report::Report;
use crate::data::export::svg::{Anchor, Axis, Drawing, cut};
use crate::domain::stats::Bin;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 372.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 12.0;
/// Where the reliability curve ends and its bars begin.
const CURVE_END: f64 = 268.0;
const BARS: (f64, f64) = (284.0, 328.0);
/// A tenth of the way from a half to certain.
const BIN: f64 = 0.05;
/// A curve of more points is drawn as a line alone.
const POINTS: usize = 40;
/// Where such a curve begins: below, a handful of judgements throws it anywhere between 0 and 100 %.
const LEAST: f64 = 0.02;
/// How far apart the names of floors are kept.
const LINE: f64 = 13.0;

/// The reliability curve with the diagonal, and bars for how many judgements there are; `None` without bins.
pub(in crate::bench::export) fn reliability(bins: &[Bin], id: &str) -> Option<String> {
    let most = bins.iter().map(|bin| bin.count).max().filter(|n| *n > 0)? as f64;
    let least = bins.iter().map(|bin| bin.right).fold(0.5, f64::min);
    let low = ((least - 0.02) * 10.0).floor().max(0.0) / 10.0;
    let x = Axis::new((0.5, 1.0), (LEFT, RIGHT), Unit::Percent);
    let y = Axis::new((low, 1.0), (CURVE_END, TOP), Unit::Percent);
    let mut drawing = Drawing::new(
        (WIDTH, HEIGHT),
        id,
        "How often right, by how sure",
        &bins.iter().map(in_words).collect::<Vec<_>>().join("; "),
    );
    frame(&mut drawing, &x, &y, BARS.1);
    drawing.upwards((14.0, f64::midpoint(TOP, CURVE_END)), "right, percent");
    drawing.text(
        "muted",
        (f64::midpoint(LEFT, RIGHT), HEIGHT - 8.0),
        Anchor::Middle,
        "probability of the likelier side, percent",
    );
    drawing.line("ideal", (x.at(0.5), y.at(0.5)), (x.at(1.0), y.at(1.0)));
    drawing.line("axis", (LEFT, BARS.1), (RIGHT, BARS.1));
    drawing.text(
        "small muted",
        (LEFT - 8.0, BARS.1 - 2.0),
        Anchor::End,
        "count",
    );
    for bin in bins {
        let at = x.at(bin.confidence);
        drawing.line("gap", (at, y.at(bin.confidence)), (at, y.at(bin.right)));
        let first = ((bin.confidence - 0.5) / BIN).floor().clamp(0.0, 9.0) * BIN + 0.5;
        let (from, to) = (x.at(first) + 2.0, x.at(first + BIN) - 2.0);
        let height = (BARS.1 - BARS.0 - 11.0) * bin.count as f64 / most;
        drawing.bar((from, BARS.1 - height), (to - from, height));
        let above = (f64::midpoint(from, to), BARS.1 - height - 3.0);
        drawing.text("small muted", above, Anchor::Middle, &bin.count.to_string());
    }
    let at = |bin: &Bin| (x.at(bin.confidence), y.at(bin.right));
    drawing.curve(&bins.iter().map(at).collect::<Vec<_>>());
    for bin in bins {
        drawing.point(at(bin), 5.0, &in_words(bin));
    }
    Some(drawing.done())
}

fn in_words(bin: &Bin) -> String {
    let percent = |share| written(Some(share), Unit::Percent);
    format!(
        "{} % sure: {} % right of {}",
        percent(bin.confidence),
        percent(bin.right),
        bin.count
    )
}

/// The accuracy-coverage curve with the floors of the report's figures; `None` without points.
pub(in crate::bench::export) fn coverage(report: &Report, id: &str) -> Option<String> {
    let (_, all) = report.coverage.last()?;
    let points = drawn(&report.coverage);
    let floors = floors(report);
    let values = points.iter().map(|(_, accuracy)| *accuracy);
    let lines = floors.iter().map(|(value, _)| *value);
    let y = Axis::around(values.chain(lines), (BARS.1, TOP), Unit::Percent)?;
    let x = Axis::new((0.0, 1.0), (LEFT, RIGHT), Unit::Percent);
    let mut drawing = Drawing::new(
        (WIDTH, HEIGHT),
        id,
        "Accuracy when only the surest judgements are kept",
        &described(points, *all, &floors),
    );
    frame(&mut drawing, &x, &y, BARS.1);
    drawing.upwards((14.0, f64::midpoint(TOP, BARS.1)), "accuracy, percent");
    drawing.text(
        "muted",
        (f64::midpoint(LEFT, RIGHT), HEIGHT - 8.0),
        Anchor::Middle,
        "judgements kept, percent",
    );
    for (value, _) in &floors {
        drawing.line("floor", (LEFT, y.at(*value)), (RIGHT, y.at(*value)));
    }
    let at = |point: &(f64, f64)| (x.at(point.0), y.at(point.1));
    drawing.curve(&points.iter().map(at).collect::<Vec<_>>());
    let marked = if report.coverage.len() > POINTS {
        &points[points.len() - 1..]
    } else {
        points
    };
    for point in marked {
        drawing.point(at(point), 4.0, &kept(point));
    }
    // On the left, where the curve is highest; from the lowest up, each name above its line and no lower than the one below it allows.
    let mut free = f64::INFINITY;
    for (value, name) in &floors {
        let height = (y.at(*value) - 4.0).min(free);
        free = height - LINE;
        let text = cut(
            &format!("{name} {}", written(Some(*value), Unit::Percent)),
            40,
        );
        drawing.text(
            "small floor-name",
            (LEFT + 6.0, height),
            Anchor::Start,
            &text,
        );
    }
    Some(drawing.done())
}

/// The points of a curve that are drawn; the last one always is.
fn drawn(points: &[(f64, f64)]) -> &[(f64, f64)] {
    match points.iter().position(|(kept, _)| *kept >= LEAST) {
        Some(first) if points.len() > POINTS => &points[first..],
        _ => points,
    }
}

/// Whether the curve is drawn without its beginning.
pub(in crate::bench::export) fn is_shortened(points: &[(f64, f64)]) -> bool {
    drawn(points).len() < points.len()
}

/// The floors of all figures, each once, from the lowest up. Those of the same name are told apart by their figures.
fn floors(report: &Report) -> Vec<(f64, String)> {
    if report.unit != Unit::Percent {
        // Then they are on a scale that is no accuracy.
        return Vec::new();
    }
    let mut known: Vec<(f64, &str, &str)> = report
        .figures
        .iter()
        .filter_map(|figure| {
            let (value, name) = figure.about.floor.as_ref()?;
            value
                .is_finite()
                .then_some((*value, name.as_str(), figure.about.name.as_str()))
        })
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    known.dedup_by(|a, b| (a.0, a.1) == (b.0, b.1));
    known
        .iter()
        .map(|(value, name, figure)| {
            let alone = known.iter().filter(|other| other.1 == *name).count() == 1;
            let name = if alone {
                (*name).to_owned()
            } else {
                format!("{name} ({figure})")
            };
            (*value, name)
        })
        .collect()
}

fn kept((kept, accuracy): &(f64, f64)) -> String {
    let percent = |share| written(Some(share), Unit::Percent);
    format!("{} % kept: {} % right", percent(*kept), percent(*accuracy))
}

fn described(points: &[(f64, f64)], all: f64, floors: &[(f64, String)]) -> String {
    let percent = |share| written(Some(share), Unit::Percent);
    let mut parts: Vec<String> = [0.1, 0.25, 0.5]
        .into_iter()
        .filter_map(|share| points.iter().find(|(kept, _)| *kept >= share))
        .filter(|(kept, _)| *kept < 1.0)
        .map(kept)
        .collect();
    parts.dedup();
    parts.push(format!("all kept: {} % right", percent(all)));
    parts.extend(
        floors
            .iter()
            .map(|(value, name)| format!("floor: {} {name}", percent(*value))),
    );
    parts.join("; ")
}

/// Ticks, grid and axes.
fn frame(drawing: &mut Drawing, x: &Axis, y: &Axis, bottom: f64) {
    let (upper, lower) = (y.at(y.high()), y.at(y.low()));
    for (at, text) in x.ticks() {
        drawing.line("grid", (at, upper), (at, lower));
        drawing.text("muted", (at, bottom + 16.0), Anchor::Middle, &text);
    }
    for (at, text) in y.ticks() {
        drawing.line("grid", (LEFT, at), (RIGHT, at));
        drawing.text("muted", (LEFT - 8.0, at + 4.0), Anchor::End, &text);
    }
    drawing.line("axis", (LEFT, upper), (LEFT, lower));
    drawing.line("axis", (LEFT, lower), (RIGHT, lower));
}
