//! Drawing the log: its lines with what is searched for made plain, and over them how it is looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::log::LogPane;
use super::{Focus, Jobs, table};
use crate::domain::text::printable;
use crate::runs::log::found;
use crate::tui::screens::train::thousands;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

/// Rows that one line may take where it is broken.
const ROWS: u16 = 40;

/// Draws the log into `area`, its title line first.
pub(super) fn draw(frame: &mut Frame<'_>, theme: &Theme, area: Rect, jobs: &Jobs) {
    if area.is_empty() {
        return;
    }
    head(frame, theme, Rect { height: 1, ..area }, jobs);
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    let log = &jobs.log;
    if log.page().lines.is_empty() {
        let words = match jobs.list.marked() {
            // Nothing was read of where one stands, which may be far into a long one.
            Some(_) if !log.page().whole => "reading the log…",
            Some(_) => "the log is empty",
            None => "",
        };
        let words = Span::styled(words, theme[Role::Dim]);
        frame.render_widget(words, body);
        return;
    }
    let rows = lines(log, theme, body);
    for (line, y) in rows.into_iter().zip(body.y..body.bottom()) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..body
            },
        );
    }
}

/// The rows that show. Where the end is followed, the last line is at the bottom or the first at the top.
fn lines<'a>(log: &'a LogPane, theme: &Theme, body: Rect) -> Vec<Line<'a>> {
    let height = usize::from(body.height);
    let search = log.search.value().trim();
    let mut rows = Vec::new();
    for (number, text) in log.lines(height) {
        let style = if number.is_some() && number == log.at() {
            theme[Role::Selected]
        } else {
            Style::new()
        };
        if log.wrap {
            let parts = text::break_at(text, body.width);
            let parts = parts.into_iter().take(usize::from(ROWS));
            let before = rows.len();
            rows.extend(parts.map(|part| marked(&part, search, theme, style)));
            if rows.len() == before {
                rows.push(Line::default());
            }
        } else {
            let is_at = number.is_some() && number == log.at();
            let shown = part(
                text,
                if is_at { search } else { "" },
                (log.aside, body.width),
            );
            rows.push(marked(&shown, search, theme, style));
        }
    }
    if log.follow {
        rows.drain(..rows.len().saturating_sub(height));
    }
    rows.truncate(height);
    rows
}

/// The part of a line that shows from the column `aside` on; of the one that one went to, a part that has the find in it.
fn part(line: &str, find: &str, (aside, width): (usize, u16)) -> String {
    let line = printable(line);
    let room = usize::from(width);
    let place = found(&line, find).map(|place| {
        let before = line[..place.start].chars().count();
        (before, before + find.chars().count())
    });
    let hidden = |(from, to): &(usize, usize)| *from < aside || *to >= aside + room;
    let Some((from, _)) = place.filter(hidden) else {
        let shown: String = line.chars().skip(aside).collect();
        return text::shorten(&shown, width);
    };
    let shown: String = line.chars().skip(from.saturating_sub(room / 2)).collect();
    text::shorten(&format!("…{shown}"), width)
}

/// A line in which what is searched for stands out.
fn marked<'a>(line: &str, search: &str, theme: &Theme, style: Style) -> Line<'a> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(place) = found(rest, search) {
        let (before, after) = rest.split_at(place.start);
        let (hit, after) = after.split_at(place.len());
        spans.push(Span::styled(before.to_owned(), style));
        let bright = theme[Role::Warning].add_modifier(ratatui::style::Modifier::REVERSED);
        spans.push(Span::styled(hit.to_owned(), bright));
        rest = after;
    }
    spans.push(Span::styled(rest.to_owned(), style));
    Line::from(spans)
}

/// What it is, how it is looked at, and how much is found.
fn head(frame: &mut Frame<'_>, theme: &Theme, area: Rect, jobs: &Jobs) {
    let log = &jobs.log;
    let here = matches!(jobs.focus, Focus::Log | Focus::Search);
    let mut left = vec![Span::styled(
        "log",
        theme[if here { Role::Accent } else { Role::Title }],
    )];
    let mut words = Vec::new();
    let is_read = !log.page().run.is_empty();
    if let Some(shard) = log.shard() {
        words.push(format!("shard {shard:03}"));
    }
    words.extend(is_read.then(|| place(log)));
    if log.wrap {
        words.push("wrapped".into());
    } else if log.aside > 0 {
        words.push(format!("from column {}", log.aside + 1));
    }
    left.push(Span::styled(
        format!("  {}", words.join(" · ")),
        theme[Role::Dim],
    ));
    let used = left.iter().map(Span::width).sum::<usize>() as u16;
    frame.render_widget(Line::from(left), area);
    let typing = jobs.focus == Focus::Search;
    if log.search.value().is_empty() && !typing {
        return;
    }
    let finds = finds(log);
    let role = if log.page().hits.is_empty() && log.page().whole {
        Role::Warning
    } else {
        Role::Dim
    };
    let right = Span::styled(finds, theme[role]);
    let taken = used + 2 + text::width(&right.content) + 2;
    let field = Rect {
        x: area.x + used + 2,
        width: area.width.saturating_sub(taken),
        ..area
    };
    table::typed(
        frame,
        theme,
        field.intersection(area),
        (&log.search, typing),
    );
    frame.render_widget(Line::from(right).right_aligned(), area);
}

/// Which lines show, or that the end is followed.
fn place(log: &LogPane) -> String {
    let page = log.page();
    let all = thousands(page.all as u64);
    let counted = if page.whole { "" } else { "+" };
    if log.follow {
        return format!("{all}{counted} lines · follows the end");
    }
    let first = log.lines(1).first().and_then(|(number, _)| *number);
    let at = first.map_or("…".into(), |n| thousands(n as u64 + 1));
    format!("line {at} of {all}{counted}")
}

fn finds(log: &LogPane) -> String {
    let page = log.page();
    if page.search != log.search.value().trim() {
        return "…".into();
    }
    let (count, at) = log.finds();
    let more = if page.whole { "" } else { "+" };
    match (count, at) {
        (0, _) if page.whole => "not found".into(),
        (count, Some(at)) => format!("{at} of {}{more}", thousands(count as u64)),
        (1, None) if page.whole => "in 1 line".into(),
        (count, None) => format!("in {}{more} lines", thousands(count as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;

    #[test]
    fn a_line_that_is_broken_keeps_its_indentation() {
        let mut log = LogPane::default();
        log.show(Some("a"));
        log.wrap = true;
        log.hear(Page {
            run: "a".into(),
            lines: vec!["    raise  Error()".into(), String::new()],
            ..Page::default()
        });
        let rows = lines(&log, &Theme::mono(), Rect::new(0, 0, 12, 9));
        let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
        assert_eq!(rows, ["    raise  E", "rror()", ""]);
    }

    #[test]
    fn of_a_long_line_that_one_went_to_the_find_shows() {
        let line = format!("{}needle and so on", "word ".repeat(40));
        assert!(part(&line, "", (0, 20)).starts_with("word word"));
        let shown = part(&line, "needle", (0, 20));
        assert!(
            shown.starts_with('…') && shown.contains("needle"),
            "{shown}"
        );
        assert!(part(&line, "word", (0, 20)).starts_with("word"));
        assert!(part(&line, "word", (100, 20)).contains("word"));
    }
}
