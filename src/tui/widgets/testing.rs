//! Drawing a widget without a terminal, for tests.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

/// A widget drawn at the origin of a buffer of its size.
pub(crate) fn drawn(width: u16, height: u16, widget: impl Widget) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    widget.render(area, &mut buffer);
    buffer
}

/// The same, as text: one line a row, without spaces at its end.
pub(crate) fn drawn_text(width: u16, height: u16, widget: impl Widget) -> String {
    text_of(&drawn(width, height, widget))
}

/// A buffer's symbols.
pub(crate) fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.area.rows().map(|row| {
        let symbols: String = row.positions().map(|p| buffer[p].symbol()).collect();
        symbols.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}
