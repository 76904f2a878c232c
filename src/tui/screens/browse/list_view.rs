//! The group list on screen: the title or what is being typed, the rows, what is wrong with a query.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::layout::Layout;
use super::list::List;
use crate::domain::{Agreement, GroupSummary};
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::agreement_mark;
use crate::tui::widgets::sparkline::score_cells;

/// Draws the list; scores lie between the ends of `range`.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    theme: &Theme,
    layout: &Layout,
    list: &List,
    range: (f32, f32),
) {
    let title = Rect {
        height: layout.list.height.min(1),
        ..layout.list
    };
    draw_title(frame, theme, title, list);
    for (line, y) in (layout.rows.y..layout.rows.bottom()).enumerate() {
        let position = list.top() + line;
        let Some(row) = list.row(position) else {
            break;
        };
        let area = Rect {
            y,
            height: 1,
            ..layout.rows
        };
        draw_row(frame, theme, area, row, range, position == list.position());
    }
    if let (Some(problem), false) = (list.problem(), layout.rows.is_empty()) {
        draw_problem(frame, theme, layout.rows, problem);
    } else if list.shown() == 0 && !layout.rows.is_empty() {
        let words = if list.holds_nothing() {
            "no groups"
        } else if list.is_ranking() || !list.is_complete() {
            "reading…"
        } else {
            "no group matches"
        };
        let area = Rect {
            height: 1,
            ..layout.rows
        };
        frame.render_widget(Span::styled(words, theme[Role::Dim]), area);
    }
}

/// What is wrong with a query, over the last rows of the list: those above it are as they were before.
fn draw_problem(frame: &mut Frame<'_>, theme: &Theme, rows: Rect, problem: &str) {
    let lines = prose::wrap(problem, rows.width, rows.height.min(4));
    let height = u16::try_from(lines.len()).unwrap_or(1).min(rows.height);
    let area = Rect {
        y: rows.bottom() - height,
        height,
        ..rows
    };
    frame.render_widget(Clear, area);
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        frame.render_widget(
            Span::styled(line, theme[Role::Warning]),
            Rect {
                y,
                height: 1,
                ..area
            },
        );
    }
}

/// The title, or what is being typed.
fn draw_title(frame: &mut Frame<'_>, theme: &Theme, area: Rect, list: &List) {
    if area.is_empty() {
        return;
    }
    let count = if list.query().is_empty() && list.only().is_none() {
        list.total().to_string()
    } else {
        let more = if list.is_ranking() { "…" } else { "" };
        format!("{}{more}/{}", list.shown(), list.total())
    };
    let count = Span::styled(count, theme[Role::Dim]);
    let room = area
        .width
        .saturating_sub(u16::try_from(count.width()).unwrap_or(0) + 1);
    if list.typing || !list.query().is_empty() {
        let inner = usize::from(room.saturating_sub(2));
        let scroll = list.filter.visual_scroll(inner);
        let typed: String = list.filter.value().chars().skip(scroll).collect();
        let style = if list.typing {
            Role::Accent
        } else {
            Role::Title
        };
        let line = vec![
            Span::styled("/", theme[Role::KeyHint]),
            Span::styled(prose::line(&typed, room.saturating_sub(1)), theme[style]),
        ];
        frame.render_widget(
            Line::from(line),
            Rect {
                width: room,
                ..area
            },
        );
        if list.typing {
            let column = list
                .filter
                .visual_cursor()
                .saturating_sub(scroll)
                .min(inner);
            let column = u16::try_from(column).unwrap_or(0);
            frame.set_cursor_position(Position::new(area.x + 1 + column, area.y));
        }
    } else {
        let name = list.only().unwrap_or("Groups");
        let turned = if list.reversed { ", reversed" } else { "" };
        let sort = if list.sort == crate::tui::rank::Sort::Order && !list.reversed {
            String::new()
        } else {
            format!(" by {}{turned}", list.sort.words())
        };
        let name = prose::line(name, room);
        let used = u16::try_from(name.chars().count()).unwrap_or(room);
        let line = vec![
            Span::styled(name, theme[Role::Title]),
            Span::styled(
                prose::line(&sort, room.saturating_sub(used)),
                theme[Role::Accent],
            ),
        ];
        frame.render_widget(
            Line::from(line),
            Rect {
                width: room,
                ..area
            },
        );
    }
    frame.render_widget(Line::from(count).right_aligned(), area);
}

fn draw_row(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    row: &GroupSummary,
    range: (f32, f32),
    marked: bool,
) {
    if marked {
        frame.buffer_mut().set_style(area, theme[Role::Selected]);
    }
    // From the right: agreement, scores, category where there is room; the rest is the instruction's.
    let cells = row.candidates.clamp(1, 7);
    let columns = u16::try_from(cells).unwrap_or(7).min(area.width / 4);
    let mut right = vec![Span::raw(" ")];
    if area.width >= 40
        && let Some(category) = &row.category
    {
        right.push(Span::styled(
            format!("{:>10} ", prose::line(category, 10)),
            theme[Role::Dim],
        ));
    }
    let pad = 7_usize.saturating_sub(usize::from(columns));
    if area.width >= 30 {
        right.push(Span::raw(" ".repeat(pad)));
    }
    if row.scores.is_empty() {
        right.push(Span::styled(
            "·".repeat(usize::from(columns)),
            theme[Role::Dim],
        ));
    } else {
        right.extend(score_cells(&row.scores, Some(range), columns, theme));
    }
    right.push(Span::raw(" "));
    right.push(agreement_mark(Agreement::of(row.agreement), theme));
    let right = Line::from(right);
    let used = u16::try_from(right.width()).unwrap_or(area.width);
    let room = area.width.saturating_sub(used + 2);
    let mark = if marked { "▌ " } else { "  " };
    let line = Line::from(vec![
        Span::styled(mark, theme[Role::Accent]),
        Span::raw(prose::line(&row.instruction, room)),
    ]);
    frame.render_widget(line, area);
    frame.render_widget(right.right_aligned(), area);
}
