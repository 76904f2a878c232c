//! Drawing the runs as a table: as many columns as there is room for, and of those that ended why, in the place of their
//! progress.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::{Focus, Jobs};
use crate::runs::State;
use crate::tui::screens::prose;
use crate::tui::screens::train::{Entry, state_mark};
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::meter::{Meter, percent};
use crate::tui::widgets::text;

/// Columns with their widths, from left to right; a width of 0 leaves one out.
struct Columns {
    state: u16,
    verb: u16,
    title: u16,
    /// Bar and percentage.
    done: u16,
    rate: u16,
    time: u16,
    device: u16,
    launcher: u16,
    begun: u16,
}

/// What stands left of the columns: the mark of the row and that of its state.
const LEFT: u16 = 4;

impl Columns {
    fn of(width: u16) -> Self {
        let mut columns = match width {
            110.. => Self {
                state: 9,
                verb: 17,
                title: 0,
                done: 18,
                rate: 10,
                time: 12,
                device: 8,
                launcher: 11,
                begun: 12,
            },
            76.. => Self {
                state: 0,
                verb: 14,
                title: 0,
                done: 12,
                rate: 0,
                time: 12,
                device: 8,
                launcher: 11,
                begun: 0,
            },
            _ => Self {
                state: 0,
                verb: 9,
                title: 0,
                done: 6,
                rate: 0,
                time: 11,
                device: 0,
                launcher: 0,
                begun: 0,
            },
        };
        let spare = width.saturating_sub(LEFT + columns.used());
        // What titles do not need, reasons do.
        columns.title = spare.min(30 + spare / 8);
        columns.done += spare - columns.title;
        columns
    }

    const fn used(&self) -> u16 {
        self.state
            + self.verb
            + self.done
            + self.rate
            + self.time
            + self.device
            + self.launcher
            + self.begun
    }
}

/// The line over the table.
pub(super) fn title(frame: &mut Frame<'_>, theme: &Theme, area: Rect, jobs: &Jobs) {
    let [running, queued, over] = jobs.list.counts();
    let mut left = vec![Span::styled("Jobs", theme[Role::Title])];
    for (count, words, role) in [
        (running, "running", Role::Good),
        (queued, "queued", Role::Fair),
        (over, "ended", Role::Dim),
    ] {
        let gap = if left.len() == 1 { "   " } else { " · " };
        left.push(Span::styled(gap, theme[Role::Dim]));
        let role = if count == 0 { Role::Dim } else { role };
        left.push(Span::styled(format!("{count} {words}"), theme[role]));
    }
    let used = left.iter().map(Span::width).sum::<usize>();
    frame.render_widget(Line::from(left), area);
    let filter = jobs.list.filter.value();
    let typing = jobs.focus == Focus::Filter;
    if filter.is_empty() && !typing {
        return;
    }
    let x = area.x + u16::try_from(used).unwrap_or(0) + 3;
    let field = Rect {
        x,
        width: area.right().saturating_sub(x),
        ..area
    };
    let shown = format!("{} shown", jobs.list.rows().len());
    let count = Span::styled(shown, theme[Role::Dim]);
    let room = field.width.saturating_sub(text::width(&count.content) + 2);
    typed(
        frame,
        theme,
        Rect {
            width: room,
            ..field
        },
        (&jobs.list.filter, typing),
    );
    frame.render_widget(Line::from(count).right_aligned(), field);
}

/// A line of input after a slash, with the cursor while it has the keyboard.
pub(super) fn typed(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (input, typing): (&tui_input::Input, bool),
) {
    if area.width < 3 || area.height == 0 {
        return;
    }
    let room = usize::from(area.width - 2);
    let scroll = input.visual_scroll(room);
    let text: String = input.value().chars().skip(scroll).collect();
    let role = if typing { Role::Accent } else { Role::Title };
    let line = Line::from(vec![
        Span::styled("/", theme[Role::KeyHint]),
        Span::styled(prose::line(&text, area.width - 1), theme[role]),
    ]);
    frame.render_widget(line, area);
    if typing {
        let column = input.visual_cursor().saturating_sub(scroll).min(room);
        let column = u16::try_from(column).unwrap_or(0);
        frame.set_cursor_position(Position::new(area.x + 1 + column, area.y));
    }
}

/// The table.
pub(super) fn draw(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, jobs: &Jobs) {
    let columns = Columns::of(layout.rows.width);
    heads(frame, theme, layout.heads, &columns);
    let marked = jobs.list.position();
    let rows = jobs.list.rows();
    let shown = rows.iter().enumerate().skip(jobs.list.top());
    for ((place, entry), y) in shown.zip(layout.rows.y..layout.rows.bottom()) {
        let area = Rect {
            y,
            height: 1,
            ..layout.rows
        };
        row(frame, theme, area, &columns, entry, place == marked);
    }
    if rows.is_empty() && !jobs.list.all().is_empty() {
        let words = "no run has all of these words";
        put(
            frame,
            layout.rows,
            LEFT,
            layout.rows.width,
            words,
            theme[Role::Dim],
        );
    }
}

fn heads(frame: &mut Frame<'_>, theme: &Theme, area: Rect, columns: &Columns) {
    if area.is_empty() {
        return;
    }
    let mut x = LEFT;
    for (width, words) in [
        (columns.state, "state"),
        (columns.verb, "verb"),
        (columns.title, "what"),
        (columns.done, "done"),
        (columns.rate, "rate"),
        (columns.time, "time"),
        (columns.device, "device"),
        (columns.launcher, "launcher"),
        (columns.begun, "made (UTC)"),
    ] {
        put(frame, area, x, width, words, theme[Role::Dim]);
        x += width;
    }
}

fn row(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    columns: &Columns,
    entry: &Entry,
    marked: bool,
) {
    if marked {
        frame.buffer_mut().set_style(area, theme[Role::Selected]);
        put(frame, area, 0, 1, "▌", theme[Role::Accent]);
    }
    let (mark, role) = state_mark(entry.state);
    put(frame, area, 2, 1, mark, theme[role]);
    let mut x = LEFT;
    let mut cell = |frame: &mut Frame<'_>, width: u16, words: &str, style: Style| {
        put(frame, area, x, width, words, style);
        x += width;
        area.x + x - width
    };
    let plain = Style::new();
    let dim = theme[Role::Dim];
    cell(frame, columns.state, entry.state.word(), theme[role]);
    cell(frame, columns.verb, &entry.manifest.verb, plain);
    let narrow = columns.done < 10;
    let reason = reason(entry);
    let title = match reason {
        Some(reason) if narrow => format!("{}: {reason}", entry.title()),
        _ => entry.title().to_owned(),
    };
    let style = if narrow && entry.state == State::Failed {
        theme[Role::Bad]
    } else {
        plain
    };
    cell(frame, columns.title, &title, style);
    let time = time(entry);
    // Why something failed is worth more than how long that took; and what is nowhere else said may have the room.
    let spans = time.is_empty() || entry.state == State::Failed;
    let told = columns.done + columns.rate + if spans { columns.time } else { 0 };
    let from = cell(frame, told, "", plain);
    let place = Rect::new(from, area.y, told.saturating_sub(1), 1).intersection(area);
    match reason.filter(|_| !narrow) {
        Some(reason) => {
            let style = if entry.state == State::Done {
                dim
            } else {
                theme[role]
            };
            put(frame, place, 0, told, reason, style);
        }
        None => progress(frame, theme, place, columns, entry),
    }
    if !spans {
        cell(frame, columns.time, &time, dim);
    }
    let device = entry.manifest.device.as_deref().unwrap_or("any");
    cell(frame, columns.device, device, dim);
    cell(frame, columns.launcher, &launcher(entry), dim);
    cell(frame, columns.begun, &made(entry), dim);
}

/// Why a run ended or hangs, where there is something to say.
fn reason(entry: &Entry) -> Option<&str> {
    let is_told = !matches!(entry.state, State::Running | State::Queued);
    entry.reason.as_deref().filter(|_| is_told)
}

fn progress(frame: &mut Frame<'_>, theme: &Theme, place: Rect, columns: &Columns, entry: &Entry) {
    let room = Rect {
        width: columns.done.saturating_sub(1).min(place.width),
        ..place
    };
    match (entry.share(), &entry.phase) {
        (Some(share), _) if room.width >= 10 => {
            frame.render_widget(Meter::new(share, "", theme), room);
        }
        (Some(share), _) => put(frame, room, 0, room.width, &percent(share), Style::new()),
        (None, Some(phase)) => {
            put(frame, place, 0, place.width, phase, theme[Role::Dim]);
            return;
        }
        (None, None) => {}
    }
    let rate = entry.progress.as_ref().and_then(|p| p.rate);
    if let Some(rate) = rate.filter(|_| columns.rate > 0 && entry.state == State::Running) {
        let words = format!("{}/s", text::number(rate));
        put(
            frame,
            place,
            columns.done,
            columns.rate,
            &words,
            theme[Role::Dim],
        );
    }
}

/// The time left, or how long it took.
fn time(entry: &Entry) -> String {
    let left = entry.progress.as_ref().and_then(|p| p.seconds_left);
    match (entry.state, left) {
        (State::Running, Some(left)) => format!("{} left", prose::duration(left)),
        (State::Queued, _) => String::new(),
        _ => entry.times.span().map_or(String::new(), prose::duration),
    }
}

/// Who started it, with the number of a cluster's job.
pub(super) fn launcher(entry: &Entry) -> String {
    let launcher = match entry.manifest.launcher.as_str() {
        "here" => "terminal",
        other => other,
    };
    match &entry.job {
        Some(number) => format!("{launcher} {number}"),
        None => launcher.to_owned(),
    }
}

/// When it was made, as its name says it: `11-28 08:49`.
fn made(entry: &Entry) -> String {
    let digits = |range: std::ops::Range<usize>| {
        let part = entry.name.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(part)
    };
    let parts = [4..6, 6..8, 9..11, 11..13].map(digits);
    match parts {
        [Some(month), Some(day), Some(hour), Some(minute)] => {
            format!("{month}-{day} {hour}:{minute}")
        }
        _ => String::new(),
    }
}

/// Words in a column, with a gap after them.
pub(super) fn put(
    frame: &mut Frame<'_>,
    row: Rect,
    left: u16,
    width: u16,
    words: &str,
    style: Style,
) {
    let room = row.width.saturating_sub(left);
    if width == 0 {
        return;
    }
    let width = if width < room {
        width.saturating_sub(1).max(1)
    } else {
        room
    };
    if width.min(room) == 0 || row.height == 0 {
        return;
    }
    let words = prose::line(words, width);
    frame
        .buffer_mut()
        .set_string(row.x + left, row.y, words, style);
}
