//! A suspected bias as a picture: the measure against what is left of the model's score, with the fit and its band.

use crate::data::export::svg::{Anchor, Axis, Drawing, Ticks};
use crate::failures::analysis::{Bias, EffectUnit};

/// The rules of a picture that stands alone: without variables, which many viewers do not know.
pub(super) const ALONE: &str = include_str!("alone.css");

const SIZE: (f64, f64) = (640.0, 400.0);
const LEFT: f64 = 64.0;
const RIGHT: f64 = SIZE.0 - 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = SIZE.1 - 52.0;

/// The scatter, with a style of its own where it stands `alone`; `None` without points.
pub(super) fn scatter(bias: &Bias, id: &str, labelled: bool, alone: bool) -> Option<String> {
    let (scatter, about) = (&bias.scatter, bias.effect.measure.about());
    let x = scatter.points.iter().map(|p| p.measure);
    let x = Axis::around(x, (LEFT, RIGHT), Ticks::Plain)?;
    let y = scatter.points.iter().map(|p| p.residual);
    let y = Axis::around(y, (BOTTOM, TOP), Ticks::Plain)?;
    let title = format!("{} against {}", bias.effect.judged.name(), about.words);
    let mut drawing = Drawing::new(SIZE, id, &title, &bias.sentence);
    if alone {
        drawing.style(ALONE);
    }
    for (at, text) in x.ticks() {
        drawing.line("grid", (at, TOP), (at, BOTTOM));
        drawing.text("muted", (at, BOTTOM + 16.0), Anchor::Middle, &text);
    }
    for (at, text) in y.ticks() {
        drawing.line("grid", (LEFT, at), (RIGHT, at));
        drawing.text("muted", (LEFT - 8.0, at + 4.0), Anchor::End, &text);
    }
    drawing.line("axis", (LEFT, TOP), (LEFT, BOTTOM));
    if y.low() <= 0.0 && y.high() >= 0.0 {
        drawing.line("axis", (LEFT, y.at(0.0)), (RIGHT, y.at(0.0)));
    }
    for point in &scatter.points {
        drawing.speck((x.at(point.measure), y.at(point.residual)));
    }
    let inside = |v: f64| v.clamp(y.low(), y.high());
    let band: Vec<[f64; 3]> = scatter
        .band
        .iter()
        .map(|[at, low, high]| [x.at(*at), y.at(inside(*low)), y.at(inside(*high))])
        .collect();
    drawing.band(&band);
    if let (Some(line), [first, .., last]) = (scatter.fit, scatter.band.as_slice()) {
        let at = |v: f64| (x.at(v), y.at(inside(line.at(v))));
        drawing.curve(&[at(first[0]), at(last[0])]);
    }
    let unit = if about.unit.is_empty() {
        String::new()
    } else {
        format!(", {}", about.unit)
    };
    let middle = f64::midpoint(LEFT, RIGHT);
    let label = format!("{} ({}){unit}", about.words, about.name);
    drawing.text("muted", (middle, SIZE.1 - 12.0), Anchor::Middle, &label);
    let what = match (labelled, bias.effect.unit) {
        (true, EffectUnit::Points) => "model less people, points",
        (true, EffectUnit::Deviations) => "model less people, SD of the score",
        (false, _) => "model, SD from its mean",
    };
    drawing.upwards((16.0, f64::midpoint(TOP, BOTTOM)), what);
    Some(drawing.done())
}
