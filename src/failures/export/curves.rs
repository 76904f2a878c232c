//! A probe as a picture: for IF and VQ side by side the mean response at each step, with its interval, and what should have been.

use super::plot::ALONE;
use crate::data::export::svg::{Anchor, Axis, Drawing, Ticks, cut};
use crate::domain;
use crate::failures::probe::{Estimate, FactorReport, Report};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 330.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = HEIGHT - 84.0;
/// The panels of IF and VQ: their left and right edges.
const PANELS: [(f64, f64); 2] = [(60.0, 428.0), (496.0, 864.0)];
/// So much of the steps' range is left free on either side.
const ROOM: f64 = 0.04;
/// The radius of a step's point.
const DOT: f64 = 3.5;

/// The curves of one factor; `None` where no step has a response.
pub(super) fn of_factor(factor: &FactorReport, id: &str) -> Option<String> {
    let mut drawing = Drawing::new((WIDTH, HEIGHT), id, &factor.words, &description(factor));
    panels(&mut drawing, factor, 0.0)?;
    Some(drawing.done())
}

/// The curves of all factors below each other, as a picture that stands alone; `None` where there are none.
pub(super) fn alone(report: &Report) -> Option<String> {
    let height = HEIGHT * report.factors.len() as f64;
    let title = format!("How {} answers changes", report.model);
    let descriptions: Vec<String> = report.factors.iter().map(description).collect();
    let mut drawing = Drawing::new((WIDTH, height), "probe", &title, &descriptions.join(" "));
    drawing.style(ALONE);
    let mut drawn = false;
    for (number, factor) in report.factors.iter().enumerate() {
        drawn |= panels(&mut drawing, factor, HEIGHT * number as f64).is_some();
    }
    drawn.then(|| drawing.done())
}

/// What a screen reader says.
fn description(factor: &FactorReport) -> String {
    let verdicts: Vec<&str> = factor.verdicts.iter().map(|v| v.words.as_str()).collect();
    format!("{}. {}.", factor.step, verdicts.join("; "))
}

fn panels(drawing: &mut Drawing, factor: &FactorReport, down: f64) -> Option<()> {
    let axes = domain::Axis::ALL;
    let known = |axis| {
        let steps = factor.steps.iter();
        steps.filter_map(move |step| Some((step, *step.response.on(Some(axis))?)))
    };
    let ends = |e: Estimate| e.interval.unwrap_or([e.value; 2]);
    let all = axes
        .into_iter()
        .flat_map(|axis| known(axis).flat_map(move |(_, e)| ends(e)));
    // One scale for both, so that they can be compared.
    let y = Axis::around(all.chain([0.0]), (down + BOTTOM, down + TOP), Ticks::Plain)?;
    axes.iter().find(|axis| known(**axis).next().is_some())?;
    let heading = format!("{}: {}", factor.words, factor.step);
    drawing.text(
        "",
        (PANELS[0].0, down + 20.0),
        Anchor::Start,
        &cut(&heading, 120),
    );
    for (axis, (left, right)) in axes.into_iter().zip(PANELS) {
        let (first, last) = (factor.steps.first()?.step, factor.steps.last()?.step);
        let room = ROOM * (last - first).max(f64::EPSILON);
        let x = Axis::new((first - room, last + room), (left, right), Ticks::Plain);
        for (at, text) in y.ticks() {
            drawing.line("grid", (left, at), (right, at));
            drawing.text("muted", (left - 8.0, at + 4.0), Anchor::End, &text);
        }
        for (at, text) in x.ticks() {
            drawing.text("muted", (at, down + BOTTOM + 16.0), Anchor::Middle, &text);
        }
        drawing.line("axis", (left, down + TOP), (left, down + BOTTOM));
        drawing.line("axis", (left, y.at(0.0)), (right, y.at(0.0)));
        let band: Vec<[f64; 3]> = known(axis)
            .map(|(step, e)| {
                let [low, high] = ends(e);
                [x.at(step.step), y.at(low), y.at(high)]
            })
            .collect();
        drawing.band(&band);
        let means: Vec<(f64, f64)> = known(axis)
            .map(|(step, e)| (x.at(step.step), y.at(e.value)))
            .collect();
        drawing.curve(&means);
        for ((step, e), at) in known(axis).zip(&means) {
            drawing.point(*at, DOT, &format!("{}: {e}", step.words));
        }
        let middle = f64::midpoint(left, right);
        drawing.text("", (middle, down + TOP - 10.0), Anchor::Middle, axis.name());
        let verdicts = factor.verdicts.iter().filter(|v| v.axis == axis);
        for (number, verdict) in verdicts.take(2).enumerate() {
            let class = match verdict.as_expected {
                Some(false) => "bad",
                _ => "muted",
            };
            let line = down + BOTTOM + 38.0 + 17.0 * number as f64;
            let words = cut(&verdict.marked(), 66);
            drawing.text(class, (left, line), Anchor::Start, &words);
        }
    }
    drawing.upwards(
        (16.0, down + f64::midpoint(TOP, BOTTOM)),
        "change of the score",
    );
    Some(())
}
