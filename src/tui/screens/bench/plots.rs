//! The curves of a report: how often it is right for how sure it is, and how accurate it is when only its surest judgements
//! are kept. The straight lines are what each is held against.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::words::{count, number};
use crate::bench::protocol::Unit;
use crate::bench::report::Report;
use crate::domain::curves::Ruler;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::plot::{Ink, Plot, Stroke};

/// Confidence against the share that is right, with the diagonal on which both are equal.
pub(super) fn reliability(frame: &mut Frame<'_>, theme: &Theme, area: Rect, report: &Report) {
    let points: Vec<(f64, f64)> = report
        .reliability
        .iter()
        .map(|bin| (100.0 * bin.confidence, 100.0 * bin.right))
        .collect();
    if points.is_empty() {
        let why = "no reliability curve: this scorer gives no probability that one edit is better than the other";
        return say(frame, theme, area, why);
    }
    let lowest = points.iter().map(|p| p.1).fold(50.0, f64::min);
    let low = (lowest / 10.0).floor() * 10.0;
    let diagonal = [(low.max(50.0), low.max(50.0)), (100.0, 100.0)];
    let strokes = [
        Stroke {
            points: &diagonal,
            role: Role::Fair,
            ink: Ink::Broken,
            name: "",
        },
        Stroke {
            points: &points,
            role: Role::Accent,
            ink: Ink::Dotted,
            name: "",
        },
    ];
    let judged: usize = report.reliability.iter().map(|bin| bin.count).sum();
    let mut foot = format!(
        "{}; a perfect scorer is on the broken line",
        count(judged, "judgement")
    );
    if let Some(error) = report.calibration_error {
        foot = format!(
            "calibration error {} · {foot}",
            number(error, Unit::Percent)
        );
    }
    let (across, up) = (
        Ruler::new(50.0, 100.0, false),
        Ruler::new(low, 100.0, false),
    );
    let plot = Plot::new(
        "share right over confidence, %",
        (across, up),
        &strokes,
        theme,
    );
    with_foot(frame, theme, area, plot, &foot);
}

/// The share of judgements kept against the accuracy on them, with the floor of the figure of this key.
pub(super) fn coverage(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (report, key): (&Report, &str),
) {
    let points: Vec<(f64, f64)> = report
        .coverage
        .iter()
        .map(|(kept, right)| (100.0 * kept, 100.0 * right))
        .collect();
    let Some((_, all)) = points.last().copied() else {
        let why = "no accuracy-coverage curve: there are no judgements that are right or wrong and of which some are surer";
        return say(frame, theme, area, why);
    };
    let figure = report.figure(key).or(report.figures.first());
    let floor = figure.and_then(|figure| figure.about.floor.clone());
    let floor = floor.map(|(value, name)| {
        let value = 100.0 * value;
        (value, format!("{} {value:.1}", prose::line(&name, 30)))
    });
    let values = points.iter().map(|p| p.1).chain(floor.iter().map(|f| f.0));
    let (low, high) = values.fold((100.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let up = Ruler::new(low, high, false).padded(0.1);
    let up = Ruler::new(up.low().max(0.0), up.high().min(100.0), false);
    let (value, name) = floor.unwrap_or((f64::NAN, String::new()));
    let line = [(0.0, value), (100.0, value)];
    let strokes = [
        Stroke {
            points: &line,
            role: Role::Fair,
            ink: Ink::Broken,
            name: &name,
        },
        Stroke {
            points: &points,
            role: Role::Accent,
            ink: Ink::Whole,
            name: "",
        },
    ];
    let half = points.iter().find(|(kept, _)| *kept >= 50.0);
    let half = half.map_or(String::new(), |(kept, right)| {
        format!(", {right:.1} on the surest {kept:.0} %")
    });
    let foot = format!("right: {all:.1} on all{half}");
    let across = Ruler::new(0.0, 100.0, false);
    let title = "accuracy over the share of judgements kept, surest first, %";
    let plot = Plot::new(title, (across, up), &strokes, theme);
    with_foot(frame, theme, area, plot, &foot);
}

fn with_foot(frame: &mut Frame<'_>, theme: &Theme, area: Rect, plot: Plot<'_>, foot: &str) {
    let foot_height = u16::from(area.height > 6);
    let above = Rect {
        height: area.height - foot_height,
        ..area
    };
    frame.render_widget(plot, above);
    let line = Rect {
        y: above.bottom(),
        height: foot_height,
        ..area
    };
    let foot = prose::line(foot, area.width);
    frame.render_widget(Span::styled(foot, theme[Role::Dim]), line);
}

fn say(frame: &mut Frame<'_>, theme: &Theme, area: Rect, why: &str) {
    let lines = prose::wrap(why, area.width, area.height);
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        frame
            .buffer_mut()
            .set_string(area.x, y, line, theme[Role::Dim]);
    }
}
