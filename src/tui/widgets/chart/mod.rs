//! Curves of runs over steps, epochs or time, one chart a metric. Each curve is there twice: as measured, sunk into the ground,
//! and smoothed, in front of it. A cell belongs to the frontmost curve in it alone, so that colours never bleed; what is no
//! number is marked where it would have been; and every chart reads out its values in figures, at the cursor or at the end.

mod field;
mod head;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::axes::BELOW;
use super::text;
use crate::domain::curves::{Ruler, bounds};
use crate::tui::theme::{Role, Theme};

/// One run's values of a metric, `x` ascending; `raw` and `smooth` have a value for each.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// Steps, epochs or time.
    pub x: &'a [f64],
    /// As measured.
    pub raw: &'a [f64],
    /// Smoothed; the same as `raw` where nothing is.
    pub smooth: &'a [f64],
    /// The run's colour and mark.
    pub series: usize,
}

impl Curve<'_> {
    /// Whether there is something behind the line in front.
    fn is_smoothed(&self) -> bool {
        !std::ptr::eq(self.raw, self.smooth)
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A loss, an error.
    Lower,
    /// An accuracy.
    Higher,
    /// Neither, as of a learning rate.
    Neither,
}

/// Columns of numbers beside the field.
const BESIDE: u16 = 8;
/// Below this height there is one line of words and no numbers under the field; below the next, no field.
const TALL: u16 = 9;
const LEAST: u16 = 3;
/// Below this width no numbers stand beside the field.
const WIDE: u16 = 26;

/// One metric of several runs.
#[derive(Debug)]
pub struct Chart<'a> {
    title: &'a str,
    curves: &'a [Curve<'a>],
    x: Ruler,
    theme: &'a Theme,
    log: bool,
    cursor: Option<f64>,
    focused: bool,
    baseline: Option<usize>,
    better: Better,
}

impl<'a> Chart<'a> {
    /// Shows `curves`, the last in front, over the range of `x`.
    pub const fn new(title: &'a str, curves: &'a [Curve<'a>], x: Ruler, theme: &'a Theme) -> Self {
        Self {
            title,
            curves,
            x,
            theme,
            log: false,
            cursor: None,
            focused: false,
            baseline: None,
            better: Better::Neither,
        }
    }

    /// Values laid out by factors.
    #[must_use]
    pub const fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// Where values are read; else at the end of each curve.
    #[must_use]
    pub const fn cursor(mut self, at: Option<f64>) -> Self {
        self.cursor = at;
        self
    }

    /// Whether the keyboard is here.
    #[must_use]
    pub const fn focused(mut self, focused: bool) -> Self {
        self.focused = focused;
        self
    }

    /// The series that the others are compared with, and which way is better.
    #[must_use]
    pub const fn compared(mut self, baseline: Option<usize>, better: Better) -> Self {
        self.baseline = baseline;
        self.better = better;
        self
    }

    /// The part of `area` that curves are drawn in; the mouse asks as well.
    pub fn field(area: Rect) -> Rect {
        let head = head_lines(area.height);
        let below = if area.height >= TALL { BELOW } else { 0 };
        let beside = if area.width >= WIDE { BESIDE } else { 0 };
        if area.height < LEAST {
            return Rect { height: 0, ..area };
        }
        Rect::new(
            area.x + beside,
            area.y + head,
            area.width - beside,
            area.height - head - below,
        )
    }

    /// From the lowest to the highest value that shows, with a little room.
    fn up(&self) -> Ruler {
        let within = |curve: &Curve<'_>| {
            let from = curve.x.partition_point(|x| *x < self.x.low());
            let to = curve.x.partition_point(|x| *x <= self.x.high());
            // At least the point that a line comes in from, or an empty window would have no range.
            from.saturating_sub(1)..(to + 1).min(curve.x.len())
        };
        let values = self.curves.iter().flat_map(|curve| {
            let range = within(curve);
            let of = |values: &'a [f64]| values.get(range.clone()).unwrap_or_default().iter();
            of(curve.raw).chain(of(curve.smooth)).copied()
        });
        let placed = values.filter(|v| !self.log || *v > 0.0);
        let (low, high) = bounds(placed).unwrap_or((0.0, 1.0));
        Ruler::new(low, high, self.log).padded(0.04)
    }

    fn has_values(&self) -> bool {
        self.curves.iter().any(|curve| !curve.x.is_empty())
    }

    /// A curve's colour; as measured, sunk into the ground.
    fn ink(&self, curve: &Curve<'_>, behind: bool) -> Style {
        if behind {
            self.theme.series_behind(curve.series)
        } else {
            self.theme.series(curve.series)
        }
    }
}

/// Lines of words over the field.
const fn head_lines(height: u16) -> u16 {
    if height >= TALL { 2 } else { 1 }
}

impl Widget for Chart<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let head = Rect {
            height: head_lines(area.height).min(area.height),
            ..area
        };
        self.draw_head(head, buffer);
        let field = Self::field(area);
        if field.is_empty() {
            return;
        }
        let up = self.up();
        self.draw_axes(area, field, &up, buffer);
        if self.has_values() {
            self.draw_curves(field, &up, buffer);
        } else {
            let words = text::shorten("no values yet", field.width);
            let x = field.x + (field.width - text::width(&words)) / 2;
            let y = field.y + field.height / 2;
            buffer.set_span(
                x,
                y,
                &Span::styled(words, self.theme[Role::Dim]),
                field.width,
            );
        }
    }
}

#[cfg(test)]
mod tests;
