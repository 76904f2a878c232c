//! What stands around and behind the field of a chart or a plot: lines and numbers at its left and under it, and faint lines
//! through it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::braille::DOWN;
use super::text;
use crate::domain::curves::Ruler;
use crate::tui::theme::{Role, Theme};

/// Rows under a field for its line and its numbers.
pub(super) const BELOW: u16 = 2;

/// The axes of a field.
pub(super) struct Axes<'a> {
    /// All there is room for; numbers stand in what the field leaves of it, where that is enough.
    pub(super) area: Rect,
    /// The field.
    pub(super) field: Rect,
    /// The axis under it, and the most numbers there.
    pub(super) across: (&'a Ruler, usize),
    /// The axis beside it, and the most numbers there.
    pub(super) up: (&'a Ruler, usize),
    /// The column that a place has in the field, as what is drawn there has it.
    pub(super) column: fn(Rect, &Ruler, f64) -> Option<u16>,
    /// The theme.
    pub(super) theme: &'a Theme,
}

impl Axes<'_> {
    /// Draws them; the field's own contents come after.
    pub(super) fn draw(&self, buffer: &mut Buffer) {
        let (area, field) = (self.area, self.field);
        let line = self.theme[Role::Border];
        let beside = field.x > area.x;
        if beside {
            for y in field.y..field.bottom() {
                buffer.set_string(field.x - 1, y, "│", line);
            }
        }
        let (up, most) = self.up;
        for tick in up.ticks(most) {
            let Some(y) = row(field, up, tick.value) else {
                continue;
            };
            for x in (field.x..field.right()).step_by(3) {
                buffer.set_string(x, y, "·", line);
            }
            if beside {
                let room = field.x - 1 - area.x;
                let words = text::shorten(&tick.text, room);
                let x = area.x + room - text::width(&words);
                buffer.set_string(x, y, words, self.theme[Role::Dim]);
                buffer.set_string(field.x - 1, y, "┤", line);
            }
        }
        if area.bottom() - field.bottom() < BELOW {
            return;
        }
        let y = field.bottom();
        for x in field.x..field.right() {
            buffer.set_string(x, y, "─", line);
        }
        if beside {
            buffer.set_string(field.x - 1, y, "└", line);
        }
        self.draw_places(y, buffer);
    }

    /// The numbers under the field, none over another.
    fn draw_places(&self, y: u16, buffer: &mut Buffer) {
        let field = self.field;
        let (across, most) = self.across;
        let mut free = field.x;
        for tick in across.ticks(most) {
            let Some(x) = (self.column)(field, across, tick.value) else {
                continue;
            };
            let width = text::width(&tick.text);
            let last = field.right().saturating_sub(width).max(field.x);
            let left = x.saturating_sub(width / 2).clamp(field.x, last);
            if left < free || left + width > field.right() {
                continue;
            }
            buffer.set_string(x, y, "┬", self.theme[Role::Border]);
            buffer.set_string(left, y + 1, tick.text, self.theme[Role::Dim]);
            free = left + width + 1;
        }
    }
}

/// The row of a value; none outside the field.
pub(super) fn row(field: Rect, up: &Ruler, value: f64) -> Option<u16> {
    let share = up.share(value).filter(|s| (0.0..=1.0).contains(s))?;
    let dots = f64::from(field.height * DOWN) - 1.0;
    Some(field.y + ((1.0 - share) * dots).round() as u16 / DOWN)
}
