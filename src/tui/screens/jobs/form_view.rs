//! Drawing a dialog: its fields, what is wrong with each beside it, and at its foot the command line that comes of them.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::form::{Field, Form};
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

/// Columns for a field's name.
const NAME: u16 = 16;
/// Columns for its value, where words stand beside it.
const VALUE: u16 = 34;
/// Rows at the foot: what the field is about, the command line, how things stand.
const FOOT: u16 = 8;

/// The dialog's place on a screen.
pub(crate) fn area(screen: Rect, form: &Form) -> Rect {
    let width = screen.width.saturating_sub(2).min(104);
    let fields = u16::try_from(form.fields().len()).unwrap_or(u16::MAX);
    let height = fields.saturating_add(FOOT + 3).min(screen.height);
    Rect::new(
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 3,
        width,
        height,
    )
}

/// Draws the dialog over the screen.
pub(super) fn draw(frame: &mut Frame<'_>, screen: Rect, theme: &Theme, form: &Form) {
    let area = area(screen, form);
    if area.width < 12 || area.height < 5 {
        return;
    }
    frame.render_widget(Clear, area);
    frame
        .buffer_mut()
        .set_style(area, theme[Role::Text].patch(theme[Role::Overlay]));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme[Role::BorderFocused])
        .title(Span::styled(
            format!(" {} ", form.title()),
            theme[Role::Title],
        ));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let inner = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let fields = u16::try_from(form.fields().len()).unwrap_or(u16::MAX);
    // The fields give way to the foot, but for the one that has the keyboard and its neighbours.
    let height = fields
        .min(inner.height.saturating_sub(FOOT).max(3))
        .min(inner.height);
    let rows = Rect { height, ..inner };
    let top = form
        .at()
        .saturating_sub(usize::from(height / 2))
        .min(usize::from(fields - height.min(fields)));
    for ((i, field), y) in form
        .fields()
        .iter()
        .enumerate()
        .skip(top)
        .zip(rows.y..rows.bottom())
    {
        let row = Rect {
            y,
            height: 1,
            ..rows
        };
        draw_field(frame, row, theme, field, i == form.at());
    }
    let foot = Rect {
        y: rows.bottom(),
        height: inner.height - height,
        ..inner
    };
    draw_foot(frame, foot, theme, form);
}

fn draw_field(frame: &mut Frame<'_>, row: Rect, theme: &Theme, field: &Field, marked: bool) {
    if marked {
        frame.buffer_mut().set_style(row, theme[Role::Selected]);
    }
    let name_style = match &field.fault {
        Some(_) => theme[Role::Bad],
        None => Style::new(),
    };
    if field.fault.is_some() {
        put(frame, row, 0, 1, "✗", name_style);
    }
    put(frame, row, 2, NAME - 2, field.spec.label, name_style);
    let beside = row.width >= NAME + VALUE + 20;
    let offered = marked && !field.offers.is_empty();
    let left = NAME + 2;
    let fault = field.fault.as_ref().filter(|_| beside);
    let room = if fault.is_some() {
        (text::width(field.input.value()) + 4).clamp(VALUE / 2, VALUE)
    } else {
        row.width.saturating_sub(left + 2)
    };
    if offered {
        put(frame, row, NAME, 1, "◂", theme[Role::KeyHint]);
    }
    let value = field.input.value();
    let inner = usize::from(room.saturating_sub(1));
    let scroll = if marked {
        field.input.visual_scroll(inner)
    } else {
        0
    };
    let typed: String = value.chars().skip(scroll).collect();
    let shown = if value.is_empty() {
        field.spec.empty
    } else {
        &typed
    };
    if value.is_empty() {
        put(frame, row, left, room, shown, theme[Role::Dim]);
    } else {
        let style = if marked {
            theme[Role::Accent]
        } else {
            Style::new()
        };
        put(frame, row, left, room, &typed, style);
    }
    if offered {
        // Behind the text, with a place for the cursor between.
        let end = left + (text::width(shown) + 1).min(room);
        put(frame, row, end, 1, "▸", theme[Role::KeyHint]);
    }
    if marked {
        let column = field
            .input
            .visual_cursor()
            .saturating_sub(scroll)
            .min(inner);
        let column = left + u16::try_from(column).unwrap_or(0);
        frame.set_cursor_position(Position::new(row.x + column, row.y));
    }
    if let Some(fault) = fault {
        let left = left + room + 2;
        put(
            frame,
            row,
            left,
            row.width.saturating_sub(left),
            fault,
            theme[Role::Bad],
        );
    }
}

/// What the field is about, the command line, and how things stand.
fn draw_foot(frame: &mut Frame<'_>, area: Rect, theme: &Theme, form: &Form) {
    let (words, role) = if form.is_waiting() {
        ("… is put into the queue".to_owned(), Role::Fair)
    } else {
        match form.obstacle() {
            Some(why) => (format!("✗ {why}"), Role::Bad),
            None => ("✓ Enter starts it in the background".to_owned(), Role::Good),
        }
    };
    let mut rows: Vec<(String, Role)> = Vec::new();
    if area.height >= FOOT {
        rows.push((String::new(), Role::Dim));
    }
    if area.height >= 4
        && let Some(field) = form.fields().get(form.at())
    {
        let about = prose::wrap(
            field.spec.words,
            area.width,
            if area.height >= FOOT { 2 } else { 1 },
        );
        rows.extend(about.into_iter().map(|line| (line, Role::Dim)));
    }
    let standing = prose::wrap(&words, area.width, 2);
    let left = usize::from(area.height).saturating_sub(rows.len() + standing.len());
    let most = u16::try_from(left).unwrap_or(0).min(3);
    let command = format!("$ {}", form.command());
    let command = prose::wrap(&command, area.width, most);
    rows.extend(command.into_iter().map(|line| (line, Role::Accent)));
    let from = area.bottom().saturating_sub(standing.len() as u16);
    for ((line, role), y) in rows.into_iter().zip(area.y..from) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(Line::from(Span::styled(line, theme[role])), row);
    }
    for (line, y) in standing.into_iter().zip(from.max(area.y)..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(Line::from(Span::styled(line, theme[role])), row);
    }
}

fn put(frame: &mut Frame<'_>, row: Rect, left: u16, width: u16, words: &str, style: Style) {
    let width = width.min(row.width.saturating_sub(left));
    if width == 0 {
        return;
    }
    let words = prose::line(words, width);
    frame
        .buffer_mut()
        .set_string(row.x + left, row.y, words, style);
}
