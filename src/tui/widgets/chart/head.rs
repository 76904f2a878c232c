//! The words over a chart: its name, what is peculiar about it, and each run's value with its distance from the baseline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{Better, Chart, Curve};
use crate::domain::curves::nearest;
use crate::tui::theme::Role;
use crate::tui::widgets::text;

impl Chart<'_> {
    /// One or two lines, as many as `area` has.
    pub(super) fn draw_head(&self, area: Rect, buffer: &mut Buffer) {
        let theme = self.theme;
        let role = if self.focused {
            Role::Accent
        } else {
            Role::Title
        };
        let mark = if self.focused { "▸ " } else { "" };
        let flags = self.flags();
        let values = self.values();
        let flags_width: usize = flags.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(flags_width);
        let title = text::shorten(
            &format!("{mark}{}", self.title),
            u16::try_from(room).unwrap_or(u16::MAX),
        );
        let top = Rect { height: 1, ..area };
        let title = Span::styled(title, theme[role]);
        let used = u16::try_from(title.width()).unwrap_or(area.width);
        title.render(top, buffer);
        Line::from(flags).right_aligned().render(top, buffer);
        let place = if area.height > 1 {
            Rect {
                y: area.y + 1,
                height: 1,
                ..area
            }
        } else {
            let left = (used + 2).min(area.width);
            Rect {
                x: area.x + left,
                width: area.width
                    - left
                    - u16::try_from(flags_width)
                        .unwrap_or(0)
                        .min(area.width - left),
                ..top
            }
        };
        Line::from(fitting(values, place.width)).render(place, buffer);
    }

    /// What one must know to read it right.
    fn flags(&self) -> Vec<Span<'static>> {
        let theme = self.theme;
        let mut out = Vec::new();
        let values = self.curves.iter().flat_map(|curve| curve.raw);
        let lost = values.filter(|value| !value.is_finite()).count();
        if lost > 0 {
            out.push(Span::styled(
                format!(" ×{lost} not finite"),
                theme[Role::Bad],
            ));
        }
        if self.log {
            out.push(Span::styled(" log", theme[Role::Dim]));
        }
        out
    }

    /// Each run's value, frontmost first, in pieces that are left out whole.
    fn values(&self) -> Vec<Vec<Span<'static>>> {
        let baseline = self
            .curves
            .iter()
            .find(|curve| Some(curve.series) == self.baseline)
            .and_then(|curve| self.read(curve))
            .map(|(_, smooth)| smooth);
        let frontmost = self.curves.iter().rev();
        frontmost
            .filter_map(|curve| {
                let (raw, smooth) = self.read(curve)?;
                let glyph = self.theme.series_glyph(curve.series);
                let style = self.theme.series(curve.series);
                let mut piece = vec![Span::styled(format!("{glyph} {}", figure(smooth)), style)];
                if curve.is_smoothed() && self.curves.len() == 1 {
                    let raw = format!(" ({})", figure(raw));
                    piece.push(Span::styled(raw, self.theme[Role::Dim]));
                }
                if let Some(baseline) = baseline
                    && Some(curve.series) != self.baseline
                {
                    piece.push(self.difference(smooth - baseline));
                }
                piece.push(Span::raw("  "));
                Some(piece)
            })
            .collect()
    }

    fn difference(&self, by: f64) -> Span<'static> {
        let role = match (self.better, by) {
            (Better::Lower, by) if by < 0.0 => Role::Good,
            (Better::Higher, by) if by > 0.0 => Role::Good,
            (Better::Neither, _) => Role::Dim,
            (_, by) if by == 0.0 || !by.is_finite() => Role::Dim,
            _ => Role::Bad,
        };
        let sign = if by < 0.0 { "−" } else { "+" };
        Span::styled(format!(" Δ{sign}{}", figure(by.abs())), self.theme[role])
    }

    /// The value as measured and smoothed, at the cursor or at the end of the curve; none where the curve does not reach.
    fn read(&self, curve: &Curve<'_>) -> Option<(f64, f64)> {
        let last = curve.x.len().checked_sub(1)?;
        let at = match self.cursor {
            None => last,
            Some(cursor) => {
                let usual = (curve.x[last] - curve.x[0]) / last.max(1) as f64;
                let column = (self.x.high() - self.x.low()) / 100.0;
                nearest(curve.x, cursor, usual.max(column))?
            }
        };
        Some((*curve.raw.get(at)?, *curve.smooth.get(at)?))
    }
}

/// A value in figures; `NaN` by its name.
fn figure(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    let size = value.abs();
    // Four places of what lies about 1: accuracies and losses differ there.
    if (0.1..10.0).contains(&size) {
        return format!("{value:.4}");
    }
    if (1e-4..0.1).contains(&size) {
        return format!("{value:.5}");
    }
    if size > 0.0 && size < 1e-4 {
        return format!("{value:.2e}");
    }
    text::number(value)
}

/// As many pieces as there is room for.
fn fitting(pieces: Vec<Vec<Span<'static>>>, width: u16) -> Vec<Span<'static>> {
    let mut out: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        let wide: usize = piece.iter().map(Span::width).sum();
        // The gap after the last piece may hang over.
        if used + wide > usize::from(width) + 2 {
            break;
        }
        used += wide;
        out.extend(piece);
    }
    out
}
