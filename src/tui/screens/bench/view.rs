//! Drawing the bench screen: the leaderboard, and what is known of the figure under the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::board::{Board, Slot, UNDEFINED};
use super::layout::Layout;
use super::words::{self, Words, count};
use super::{Bench, Pane, mistakes_view, plots};
use crate::bench::leaderboard::Row;
use crate::bench::report::Report;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

/// Marks figures that papers print.
const PUBLISHED: &str = "†";
/// Marks figures on other data than the published ones.
const OTHER_DATA: &str = "≠";

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, bench: &Bench) {
    let theme = canvas.theme;
    if let Some(list) = &bench.list {
        if list.case().is_some() {
            mistakes_view::case(frame, canvas, layout, list);
        } else {
            mistakes_view::list(frame, theme, layout, list);
        }
        return;
    }
    draw_title(frame, theme, layout, bench);
    draw_heads(frame, theme, layout, &bench.board);
    draw_rows(frame, theme, layout, &bench.board);
    draw_notes(frame, theme, layout, &bench.board);
    draw_rule(frame, theme, layout, bench);
    draw_detail(frame, theme, layout, bench);
}

fn line_of(area: Rect, row: u16) -> Rect {
    Rect {
        y: area.y + row.min(area.height),
        height: u16::from(row < area.height),
        ..area
    }
}

fn draw_title(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, bench: &Bench) {
    let area = line_of(layout.board, 0);
    let (board, archive) = (&bench.board, &bench.archive);
    let title = Line::from(vec![
        Span::styled("Leaderboard", theme[Role::Title]),
        Span::styled("  % [central 95 %]", theme[Role::Dim]),
    ]);
    let used = u16::try_from(title.width()).unwrap_or(0) + 2;
    let mut facts = Vec::new();
    if archive.under_way() > 0 {
        facts.push(format!("reading {}…", count(archive.under_way(), "report")));
    }
    if archive.live() > 0 {
        facts.push(format!("{} under way", archive.live()));
    }
    if let Some((column, best_first)) = board.sorted_by() {
        let end = if best_first { "best" } else { "worst" };
        facts.push(format!("by {}, {end} first", board.title(column)));
    }
    let shown = board.visible(layout.cells.width);
    let last = shown.last().map_or(0, |(column, ..)| column + 1);
    let right = board.columns().len() - last.min(board.columns().len());
    let hidden = [("‹", board.left()), ("›", right)];
    let hidden = hidden.iter().filter(|(_, count)| *count > 0);
    let hidden: Vec<String> = hidden.map(|(sign, n)| format!("{sign} {n} more")).collect();
    facts.extend((!hidden.is_empty()).then(|| hidden.join("  ")));
    let facts = prose::line(&facts.join(" · "), area.width.saturating_sub(used));
    frame.render_widget(title, area);
    let facts = Line::from(Span::styled(facts, theme[Role::Dim]));
    frame.render_widget(facts.right_aligned(), area);
}

fn draw_heads(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, board: &Board) {
    let area = line_of(layout.board, 1);
    if area.is_empty() || layout.cells.is_empty() {
        return;
    }
    let names = Rect {
        x: layout.names.x,
        width: layout.names.width,
        ..area
    };
    frame.render_widget(Span::styled("scorer", theme[Role::Dim]), names);
    let sorted = board.sorted_by();
    for (column, x, width) in board.visible(layout.cells.width) {
        let mark = match sorted {
            Some((by, true)) if by == column => "▾",
            Some((by, false)) if by == column => "▴",
            _ => "",
        };
        let role = if column == board.cursor().1 {
            Role::Accent
        } else {
            Role::Dim
        };
        let room = width.saturating_sub(text::width(mark));
        let title = format!("{}{mark}", prose::line(&board.title(column), room));
        let buffer = frame.buffer_mut();
        buffer.set_string(layout.cells.x + x, area.y, title, theme[role]);
    }
}

fn draw_rows(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, board: &Board) {
    let rows = board.rows().iter().enumerate().skip(board.top());
    for ((number, row), line) in rows.zip(0..layout.cells.height) {
        draw_name(
            frame,
            theme,
            layout,
            (row, line, number == board.cursor().0),
        );
        for (column, x, width) in board.visible(layout.cells.width) {
            let cells = line_of(layout.cells, line);
            let area = Rect {
                x: cells.x + x,
                width,
                ..cells
            };
            draw_slot(frame, theme, area, board, (number, column));
        }
    }
}

fn draw_name(
    frame: &mut Frame<'_>,
    theme: &Theme,
    layout: &Layout,
    (row, line, marked): (&Row, u16, bool),
) {
    let names = line_of(layout.names, line);
    let published = row.source.is_some();
    let role = match (published, marked) {
        (_, true) => Role::Accent,
        (true, false) => Role::Dim,
        (false, false) => Role::Text,
    };
    let buffer = frame.buffer_mut();
    if marked && names.x > 0 {
        buffer.set_string(names.x - 1, names.y, "▌", theme[Role::Accent]);
    }
    let name = prose::line(&row.scorer, names.width);
    buffer.set_string(names.x, names.y, name, theme[role]);
    let sign = if published { PUBLISHED } else { " " };
    let kinds = line_of(layout.kinds, line);
    let kind = prose::line(&row.kind, kinds.width.saturating_sub(2));
    let kind = format!("{sign} {kind}");
    buffer.set_stringn(
        kinds.x,
        kinds.y,
        kind,
        usize::from(kinds.width),
        theme[Role::Dim],
    );
}

fn draw_slot(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    board: &Board,
    (row, column): (usize, usize),
) {
    let marked = board.cursor() == (row, column);
    let buffer = frame.buffer_mut();
    let widths = board.widths(column);
    let spans = match board.slot(row, column) {
        Slot::Empty => vec![Span::styled("·", theme[Role::Border])],
        Slot::Undefined(_) => vec![Span::styled(UNDEFINED, theme[Role::Warning])],
        Slot::Figure(cell) => {
            let mut style = theme[if cell.run.is_some() {
                Role::Text
            } else {
                Role::Dim
            }];
            if cell.run.is_some() && board.best(column) == Some(cell.value) {
                style = style.add_modifier(Modifier::BOLD);
            }
            let value = board.written(column, cell.value);
            let value = format!("{value:>width$}", width = usize::from(widths.value));
            let sign = if cell.other_data { OTHER_DATA } else { "" };
            let sign = format!("{sign:<width$}", width = usize::from(widths.sign));
            let interval = cell.interval.map_or(String::new(), |interval| {
                format!(" {}", board.interval(column, interval))
            });
            vec![
                Span::styled(value, style),
                Span::styled(sign, theme[Role::Warning]),
                Span::styled(interval, theme[Role::Dim]),
            ]
        }
    };
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
    if marked {
        buffer.set_style(area, theme[Role::Selected]);
        if area.x > 0 && !area.is_empty() {
            buffer.set_string(area.x - 1, area.y, "▸", theme[Role::Accent]);
        }
    }
}

/// What the signs in the table mean.
pub(super) fn notes(board: &Board) -> Vec<String> {
    let mut out = Vec::new();
    let cells = || {
        board
            .rows()
            .iter()
            .flat_map(|row| row.cells.iter().flatten())
    };
    if cells().any(|cell| cell.other_data) {
        out.push(format!(
            "{OTHER_DATA} of another number of judgements than the published figures of this column"
        ));
    }
    let mut sources: Vec<&str> = board
        .rows()
        .iter()
        .filter_map(|r| r.source.as_deref())
        .collect();
    sources.dedup();
    if !sources.is_empty() {
        out.push(format!(
            "{PUBLISHED} published ({}): erw did not compute these",
            sources.join("; ")
        ));
    }
    out
}

fn draw_notes(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, board: &Board) {
    let lines = layout.cells.bottom()..layout.board.bottom();
    for (note, y) in notes(board).iter().zip(lines) {
        let note = prose::line(note, layout.board.width.saturating_sub(1));
        let x = layout.names.x;
        frame.buffer_mut().set_string(x, y, note, theme[Role::Dim]);
    }
}

fn draw_rule(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, bench: &Bench) {
    let area = layout.rule;
    if area.is_empty() {
        return;
    }
    let rule = "─".repeat(usize::from(area.width));
    let buffer = frame.buffer_mut();
    buffer.set_string(area.x, area.y, rule, theme[Role::Border]);
    let board = &bench.board;
    if let (Some(row), Some(column)) = (board.marked_row(), board.marked_column())
        && marked_report(bench).is_some()
    {
        let title = board.title(board.cursor().1);
        let mut words = format!("{} · {}: {title}", row.scorer, column.benchmark);
        words.extend(bench.which_run().map(|which| format!(" · {which}")));
        let words = prose::line(&words, area.width.saturating_sub(4));
        buffer.set_string(area.x + 1, area.y, format!(" {words} "), theme[Role::Title]);
    }
}

/// The report behind the cell under the cursor, and its run.
fn marked_report(bench: &Bench) -> Option<(&Report, &str)> {
    let run = bench.marked_run()?;
    Some((bench.archive.report(run)?, run))
}

/// The key of the figure under the cursor.
fn marked_figure(bench: &Bench) -> &str {
    let column = bench.board.marked_column();
    column.map_or("", |column| column.figure.as_str())
}

/// The words of the detail pane, and those beside it; no words of its own where a curve is drawn.
fn detail(bench: &Bench, layout: &Layout) -> (Option<Vec<Words>>, Vec<Words>) {
    let width = layout.detail.width;
    let beside = !layout.facts.is_empty();
    let Some((report, run)) = marked_report(bench) else {
        return (Some(without_report(bench, width)), Vec::new());
    };
    let facts = || words::facts(report, run, if beside { layout.facts.width } else { width });
    let own = match bench.pane {
        Pane::Figures => {
            let mut lines = words::figures(report, marked_figure(bench), width);
            if !beside {
                lines.push(Vec::new());
                lines.extend(facts());
            }
            Some(lines)
        }
        Pane::Tables => Some(words::tables(report, width)),
        Pane::Reliability | Pane::Coverage => None,
    };
    (own, if beside { facts() } else { Vec::new() })
}

fn without_report(bench: &Bench, width: u16) -> Vec<Words> {
    let (board, archive) = (&bench.board, &bench.archive);
    if !archive.is_listed() {
        return vec![vec![("reading the runs…".into(), Role::Dim)]];
    }
    let mut out = Vec::new();
    if archive.measured().is_empty() && archive.under_way() == 0 {
        out.extend(words::advice(archive.live(), width));
        out.push(Vec::new());
    }
    let (Some(row), Some(column)) = (board.marked_row(), board.marked_column()) else {
        return out;
    };
    let at = board.cursor().1;
    match board.marked() {
        Slot::Figure(cell) if cell.run.is_none() => {
            let written = board.written(at, cell.value);
            out.extend(words::published(row, column, &written, width));
        }
        _ if row.source.is_some() => {
            let text = format!("{} has no published figure here.", row.scorer);
            out.extend(words::wrapped(&text, Role::Dim, 0, width));
        }
        _ => {
            let text = format!("{} was not run on {}.", row.scorer, board.title(at));
            out.extend(words::wrapped(&text, Role::Dim, 0, width));
            let typed = format!("erw bench run {} --scorer …", column.benchmark);
            out.extend(words::wrapped(&typed, Role::Accent, 2, width));
        }
    }
    out
}

/// How many lines there are to scroll.
pub(super) fn detail_lines(bench: &Bench, layout: &Layout) -> usize {
    let (own, beside) = detail(bench, layout);
    // The names of the panes stand over the words of a report.
    let own = own.map_or(0, |own| own.len());
    own.max(beside.len())
}

fn draw_detail(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, bench: &Bench) {
    let (own, beside) = detail(bench, layout);
    let mut area = layout.detail;
    let report = marked_report(bench);
    if report.is_some() {
        draw_panes(frame, theme, line_of(area, 0), bench.pane);
        area = Rect {
            y: area.y + area.height.min(1),
            height: area.height.saturating_sub(1),
            ..area
        };
    }
    match (own, report) {
        (Some(lines), _) => draw_words(frame, theme, area, &lines, bench.scroll),
        (None, Some((report, _))) if bench.pane == Pane::Reliability => {
            plots::reliability(frame, theme, area, report);
        }
        (None, Some((report, _))) => {
            plots::coverage(frame, theme, area, (report, marked_figure(bench)));
        }
        (None, None) => {}
    }
    draw_words(frame, theme, layout.facts, &beside, bench.scroll);
}

fn draw_panes(frame: &mut Frame<'_>, theme: &Theme, area: Rect, pane: Pane) {
    let mut spans = Vec::new();
    for (one, name) in Pane::ALL {
        spans.push(if one == pane {
            Span::styled(format!("▸ {name}  "), theme[Role::Accent])
        } else {
            Span::styled(format!("  {name}  "), theme[Role::Dim])
        });
    }
    frame.render_widget(Line::from(spans), area);
}

/// Lines of words, from the one that is scrolled to.
pub(super) fn draw_words(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    lines: &[Words],
    scroll: u16,
) {
    let shown = lines.iter().skip(usize::from(scroll));
    for (line, y) in shown.zip(area.y..area.bottom()) {
        let spans: Vec<Span<'_>> = line
            .iter()
            .map(|(piece, role)| Span::styled(piece.as_str(), theme[*role]))
            .collect();
        let buffer = frame.buffer_mut();
        buffer.set_line(area.x, y, &Line::from(spans), area.width);
    }
    let below = lines
        .len()
        .saturating_sub(usize::from(scroll.saturating_add(area.height)));
    if below > 0 && area.height > 1 && area.width > 4 {
        let buffer = frame.buffer_mut();
        let mark = format!(" ↓{below}");
        let x = area.right() - text::width(&mark).min(area.width);
        buffer.set_string(x, area.bottom() - 1, mark, theme[Role::Dim]);
    }
}
