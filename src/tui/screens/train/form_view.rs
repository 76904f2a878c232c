//! Drawing the plan form: its lines, what the marked key is about, and what is wrong.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::form::{Form, PlanLine};
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};

/// Columns for a key, and for its value where words stand beside it.
const KEY: u16 = 24;
const VALUE: u16 = 26;

/// The form's place on a screen.
pub(crate) fn area(screen: Rect) -> Rect {
    let width = screen.width.min(112);
    let height = screen
        .height
        .saturating_sub(u16::from(screen.height > 24) * 2);
    Rect::new(
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 2,
        width,
        height,
    )
}

/// Draws the form over the screen.
pub(crate) fn draw(frame: &mut Frame<'_>, screen: Rect, theme: &Theme, form: &Form) {
    let area = area(screen);
    if area.width < 8 || area.height < 5 {
        return;
    }
    frame.render_widget(Clear, area);
    let overlay = theme[Role::Overlay];
    frame
        .buffer_mut()
        .set_style(area, theme[Role::Text].patch(overlay));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme[Role::BorderFocused])
        .title(Span::styled(
            format!(
                " {} ",
                prose::line(&form.title, area.width.saturating_sub(6))
            ),
            theme[Role::Title],
        ));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let inner = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let foot = if inner.height >= 12 { 4 } else { 1 };
    let rows = Rect {
        height: inner.height - foot,
        ..inner
    };
    draw_rows(frame, rows, theme, form);
    draw_foot(
        frame,
        Rect {
            y: rows.bottom(),
            height: foot,
            ..inner
        },
        theme,
        form,
    );
}

fn draw_rows(frame: &mut Frame<'_>, rows: Rect, theme: &Theme, form: &Form) {
    let height = usize::from(rows.height);
    let top = form
        .at()
        .saturating_sub(height / 2)
        .min(form.lines().len().saturating_sub(height));
    let wrong = form.fault.as_ref().map(|fault| fault.line - 1);
    let lines = form.lines().iter().enumerate().skip(top);
    for ((place, line), y) in lines.zip(rows.y..rows.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..rows
        };
        match line {
            PlanLine::Table(name) => {
                frame.render_widget(
                    Span::styled(prose::line(name, row.width), theme[Role::Accent]),
                    row,
                );
            }
            PlanLine::Other(text) => {
                frame.render_widget(
                    Span::styled(prose::line(text, row.width), theme[Role::Dim]),
                    row,
                );
            }
            entry @ PlanLine::Entry { .. } => {
                let marked = place == form.at();
                draw_entry(
                    frame,
                    row,
                    theme,
                    form,
                    entry,
                    (marked, wrong == Some(place)),
                );
            }
        }
    }
}

fn draw_entry(
    frame: &mut Frame<'_>,
    row: Rect,
    theme: &Theme,
    form: &Form,
    entry: &PlanLine,
    (marked, wrong): (bool, bool),
) {
    let PlanLine::Entry {
        key,
        value,
        words,
        set,
    } = entry
    else {
        return;
    };
    if marked {
        frame.buffer_mut().set_style(row, theme[Role::Selected]);
    }
    let key_width = KEY.min(row.width / 2);
    let beside = row.width >= KEY + VALUE + 20;
    let value_width = if beside { VALUE } else { row.width - key_width };
    let style = match (wrong, set) {
        (true, _) => theme[Role::Bad],
        // The ground is the form's or that of the mark.
        (false, true) => Style::new(),
        (false, false) => theme[Role::Dim],
    };
    let mark = match (wrong, set) {
        (true, _) => "✗ ",
        (false, true) => "  ",
        (false, false) => "· ",
    };
    put(frame, row, 0, key_width, &format!("{mark}{key}"), style);
    let typing = form.typed.as_ref().filter(|_| marked);
    if let Some(input) = typing {
        let room = value_width.max(row.width / 2).min(row.width - key_width);
        let inner = usize::from(room.saturating_sub(1));
        let scroll = input.visual_scroll(inner);
        let typed: String = input.value().chars().skip(scroll).collect();
        put(frame, row, key_width, room, &typed, theme[Role::Accent]);
        let column = input.visual_cursor().saturating_sub(scroll).min(inner);
        let column = key_width + u16::try_from(column).unwrap_or(0);
        frame.set_cursor_position(Position::new(row.x + column, row.y));
        return;
    }
    let shown = if *set { value.as_str() } else { "not set" };
    put(frame, row, key_width, value_width, shown, style);
    if beside {
        let left = key_width + value_width + 1;
        put(frame, row, left, row.width - left, words, theme[Role::Dim]);
    }
}

/// What the marked key is about, and how the plan stands.
fn draw_foot(frame: &mut Frame<'_>, area: Rect, theme: &Theme, form: &Form) {
    let last = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let (words, role) = match &form.fault {
        Some(fault) => (format!("✗ {}", fault.words), Role::Bad),
        None => ("✓ the plan can be carried out".to_owned(), Role::Good),
    };
    if area.height < 4 {
        put(frame, last, 0, last.width, &words, theme[role]);
        return;
    }
    if let Some(PlanLine::Entry {
        key,
        value,
        words,
        set,
        ..
    }) = form.lines().get(form.at())
    {
        let example = if *set {
            String::new()
        } else {
            format!(" (such as {value})")
        };
        let about = format!("{key}: {words}{example}");
        let lines = prose::wrap(&about, area.width, 2);
        for (line, y) in lines.iter().zip(area.y..) {
            put(
                frame,
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                0,
                area.width,
                line,
                theme[Role::Dim],
            );
        }
    }
    let lines = prose::wrap(&words, area.width, 2);
    let from = area.bottom() - u16::try_from(lines.len()).unwrap_or(1).min(2);
    for (line, y) in lines.into_iter().zip(from..area.bottom()) {
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
    let words = prose::line(words, width);
    frame
        .buffer_mut()
        .set_string(row.x + left, row.y, words, style);
}
