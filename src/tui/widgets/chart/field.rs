//! The field of a chart: axes with their numbers, the curves as layers of Braille dots, the cursor, and what is no number.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Chart, Curve};
use crate::domain::curves::{Column, Ruler, Thinned, nearest, thin};
use crate::tui::theme::Role;
use crate::tui::widgets::axes::{Axes, row};
use crate::tui::widgets::braille::{ACROSS, DOWN, Line};

/// Without colour, a curve's mark stands on it this often, in columns.
const MARKS: usize = 14;

/// The dots of one curve in the colour they are drawn in.
struct Layer {
    dots: Line,
    style: Style,
}

impl Chart<'_> {
    /// Lines and numbers around the field, and faint lines through it.
    pub(super) fn draw_axes(&self, area: Rect, field: Rect, up: &Ruler, buffer: &mut Buffer) {
        let axes = Axes {
            area,
            field,
            across: (&self.x, usize::from(field.width / 6).clamp(1, 12)),
            up: (up, usize::from(field.height / 2).clamp(1, 7)),
            column,
            theme: self.theme,
        };
        axes.draw(buffer);
    }

    /// Everything within the field.
    pub(super) fn draw_curves(&self, field: Rect, up: &Ruler, buffer: &mut Buffer) {
        let dots = usize::from(field.width * ACROSS);
        let thinned = |curve: &Curve<'_>, y: &[f64]| thin(curve.x, y, &self.x, up, dots);
        let mut layers = Vec::new();
        let mut lost = Vec::new();
        for curve in self.curves.iter().filter(|curve| curve.is_smoothed()) {
            let style = self.ink(curve, true);
            let thin = thinned(curve, curve.raw);
            layers.push(layer(&thin, up, field, style));
        }
        let mut marks = Vec::new();
        for curve in self.curves {
            let style = self.ink(curve, false);
            let thin = thinned(curve, curve.smooth);
            layers.push(layer(&thin, up, field, style));
            marks.extend(self.marks(curve, &thin, up, field));
            lost.extend(thin.lost);
        }
        draw_cursor(self.cursor_column(field), field, self, buffer);
        draw_layers(&layers, field, buffer);
        for (x, y, glyph, style) in marks {
            buffer.set_string(x, y, glyph, style);
        }
        self.draw_lost(&lost, field, buffer);
    }

    fn cursor_column(&self, field: Rect) -> Option<u16> {
        column(field, &self.x, self.cursor?)
    }

    /// Where a curve's own mark stands: at the cursor or at its end, and without colour now and then on the way.
    fn marks(
        &self,
        curve: &Curve<'_>,
        thin: &Thinned,
        up: &Ruler,
        field: Rect,
    ) -> Vec<(u16, u16, &'static str, Style)> {
        let style = self.ink(curve, false);
        let glyph = self.theme.series_glyph(curve.series);
        let mut out = Vec::new();
        let mut mark = |x: Option<u16>, value: f64| {
            if let (Some(x), Some(y)) = (x, row(field, up, value)) {
                out.push((x, y, glyph, style));
            }
        };
        let within = |c: &&Column| (0.0..f64::from(field.width * ACROSS)).contains(&c.at);
        let shown: Vec<&Column> = thin.columns.iter().filter(within).collect();
        let cell = |c: &Column| Some(field.x + c.at as u16 / ACROSS);
        if self.theme.is_mono() {
            let first = 3 + 5 * curve.series;
            for c in shown
                .iter()
                .skip(first)
                .step_by(MARKS * usize::from(ACROSS))
            {
                mark(cell(c), c.last);
            }
        }
        if let Some(cursor) = self.cursor {
            let reach = (self.x.high() - self.x.low()) / f64::from(field.width.max(1));
            if let Some(i) = nearest(curve.x, cursor, reach) {
                mark(column(field, &self.x, curve.x[i]), curve.smooth[i]);
            }
        } else if let Some(last) = shown.last() {
            mark(cell(last), last.last);
        }
        out
    }

    /// `×` where a value is no number, arrows where it is infinite, or below a logarithmic axis.
    fn draw_lost(&self, lost: &[(usize, f64)], field: Rect, buffer: &mut Buffer) {
        let style = self.theme[Role::Bad];
        for (at, value) in lost {
            let x = field.x + u16::try_from(*at).unwrap_or(u16::MAX) / ACROSS;
            let (y, mark) = if value.is_nan() {
                (field.bottom() - 1, "×")
            } else if *value > 0.0 {
                (field.y, "▲")
            } else {
                (field.bottom() - 1, "▼")
            };
            if x < field.right() {
                buffer.set_string(x, y, mark, style);
            }
        }
    }
}

fn draw_cursor(column: Option<u16>, field: Rect, chart: &Chart<'_>, buffer: &mut Buffer) {
    let Some(x) = column else {
        return;
    };
    let style = chart.theme[Role::Accent];
    for y in field.y..field.bottom() {
        buffer.set_string(x, y, "│", style);
    }
}

/// The frontmost curve in a cell has it to itself.
fn draw_layers(layers: &[Layer], field: Rect, buffer: &mut Buffer) {
    for (row, y) in (field.y..field.bottom()).enumerate() {
        for (column, x) in (field.x..field.right()).enumerate() {
            let (column, row) = (column as u16, row as u16);
            let front = layers
                .iter()
                .rev()
                .find(|layer| layer.dots.cell(column, row) != 0);
            let Some(layer) = front else {
                continue;
            };
            let dots = u32::from(layer.dots.cell(column, row));
            let symbol = char::from_u32(0x2800 + dots).unwrap_or(' ');
            buffer[(x, y)].set_char(symbol).set_style(layer.style);
        }
    }
}

fn layer(thin: &Thinned, up: &Ruler, field: Rect, style: Style) -> Layer {
    let mut dots = Line::new(field.width, field.height);
    let bottom = f64::from(field.height * DOWN) - 1.0;
    let height = |value: f64| (1.0 - up.share(value).unwrap_or(0.0)) * bottom;
    let mut last: Option<(f64, f64)> = None;
    for c in &thin.columns {
        let x = c.at.floor();
        let here = (x, height(c.first));
        if let Some(last) = last {
            dots.segment(last, here);
        }
        dots.segment((x, height(c.high)), (x, height(c.low)));
        last = Some((x, height(c.last)));
    }
    Layer { dots, style }
}

/// The column of a place; none outside the field.
fn column(field: Rect, across: &Ruler, value: f64) -> Option<u16> {
    let share = across.share(value).filter(|s| (0.0..=1.0).contains(s))?;
    Some(field.x + ((share * f64::from(field.width)) as u16).min(field.width.saturating_sub(1)))
}
