//! The panels under the pictures: every candidate's Gaussians on a common axis, and who beats whom.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::{Browse, View};
use crate::domain::{Axis, Gaussian};
use crate::tui::library::Record;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::gaussians::{Curve, GaussianPlot, Of, common_range};
use crate::tui::widgets::matrix::PreferenceMatrix;

/// Narrower than this, the axes do not fit beside each other.
const BESIDE: u16 = 56;

/// Draws both panels where they have a place, or why there is nothing to draw.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    theme: &Theme,
    layout: &Layout,
    record: &Record,
    view: &View<'_>,
) {
    if !record.rewards.is_empty() {
        gaussians(frame, theme, layout.gaussians, record, view.browse);
        matrix(frame, theme, layout.matrix, record, view.browse);
        return;
    }
    let area = match (layout.gaussians.is_empty(), layout.matrix.is_empty()) {
        (false, false) => layout.gaussians.union(layout.matrix),
        (false, true) => layout.gaussians,
        _ => layout.matrix,
    };
    if area.height < 3 || record.group.candidates.is_empty() {
        return;
    }
    let body = title(frame, theme, area, "scores", Role::Title);
    let words = prose::wrap(view.why_no_scores, body.width.min(100), body.height);
    for (line, y) in words.into_iter().zip(body.y..body.bottom()) {
        frame
            .buffer_mut()
            .set_string(body.x, y, line, theme[Role::Dim]);
    }
}

/// The candidates' Gaussians: one plot an axis, the same scale for both.
fn gaussians(frame: &mut Frame<'_>, theme: &Theme, area: Rect, record: &Record, browse: &Browse) {
    if area.height < 3 {
        return;
    }
    let curves = |of: &dyn Fn(usize) -> Option<Gaussian>| -> Vec<Curve> {
        let count = record.group.candidates.len();
        (0..count)
            .filter_map(|i| {
                Some(Curve {
                    label: (i + 1).to_string(),
                    gaussian: of(i)?,
                    of: Of::Series(i),
                })
            })
            .collect()
    };
    let on = |axis| curves(&|i| record.reward(i)?.on(axis));
    let (first, second) = (on(Axis::InstructionFollowing), on(Axis::VisualQuality));
    if first.is_empty() && second.is_empty() {
        let overall = curves(&|i| Some(record.reward(i)?.aggregate));
        plot(
            frame,
            theme,
            area,
            ("overall", Role::Aggregate),
            &overall,
            None,
        );
        return;
    }
    let range = common_range(first.iter().chain(&second).map(|curve| curve.gaussian));
    let heads = [
        (Axis::InstructionFollowing, Role::AxisIf),
        (Axis::VisualQuality, Role::AxisVq),
    ]
    .map(|(axis, role)| (axis.name(), role));
    if area.width >= BESIDE {
        let width = (area.width - 2) / 2;
        let left = Rect { width, ..area };
        let right = Rect {
            x: area.right() - width,
            width,
            ..area
        };
        plot(frame, theme, left, heads[0], &first, Some(range));
        plot(frame, theme, right, heads[1], &second, Some(range));
        return;
    }
    // Too narrow for every candidate twice: the marked one's two axes.
    let both: Vec<Curve> = Axis::ALL
        .iter()
        .filter_map(|axis| {
            Some(Curve {
                label: axis.key().to_uppercase(),
                gaussian: record.reward(browse.candidate)?.on(*axis)?,
                of: Of::Axis(*axis),
            })
        })
        .collect();
    plot(
        frame,
        theme,
        area,
        ("marked candidate", Role::Title),
        &both,
        Some(range),
    );
}

fn plot(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    head: (&str, Role),
    curves: &[Curve],
    range: Option<(f64, f64)>,
) {
    let body = title(frame, theme, area, head.0, head.1);
    let plot = GaussianPlot::new(curves, theme);
    match range {
        Some(range) => frame.render_widget(plot.range(range), body),
        None => frame.render_widget(plot, body),
    }
}

/// P(A≻B) by the aggregate.
fn matrix(frame: &mut Frame<'_>, theme: &Theme, area: Rect, record: &Record, browse: &Browse) {
    if area.height < 3 {
        return;
    }
    let body = title(frame, theme, area, "P(row ≻ column)", Role::Title);
    let labels: Vec<String> = record
        .group
        .candidates
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let name = c.editor.as_deref().unwrap_or(&c.key);
            format!("{} {}", i + 1, prose::line(name, 12))
        })
        .collect();
    let matrix = PreferenceMatrix::new(&labels, &record.judgement.prefer, theme)
        .cursor(Some(browse.candidate));
    frame.render_widget(matrix, body);
}

fn title(frame: &mut Frame<'_>, theme: &Theme, area: Rect, words: &str, role: Role) -> Rect {
    let line = Rect { height: 1, ..area };
    let rule = "─".repeat(usize::from(area.width));
    frame.buffer_mut().set_stringn(
        area.x,
        area.y,
        rule,
        usize::from(area.width),
        theme[Role::Border],
    );
    let words = Span::styled(format!("{} ", prose::line(words, area.width)), theme[role]);
    frame.render_widget(Line::from(words), line);
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}
