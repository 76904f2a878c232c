//! Drawing the browse screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::layout::{Layout, Tile};
use super::list::List;
use super::{Browse, Contest, list_view, panels};
use crate::domain::{Agreement, GroupSummary, agreement};
use crate::tui::library::Record;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::screens::tile::Entry;
use crate::tui::sight::Sight;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::{agreement_mark, text};

/// What is drawn.
pub(crate) struct View<'a> {
    /// The list.
    pub(crate) list: &'a List,
    /// What was chosen.
    pub(crate) browse: &'a Browse,
    /// The marked group, if it is here.
    pub(crate) record: Option<&'a Record>,
    /// Whether it is gone from the store.
    pub(crate) gone: bool,
    /// Lowest and highest score for the sparklines.
    pub(crate) range: (f32, f32),
    /// Why candidates may have no scores.
    pub(crate) why_no_scores: &'a str,
    /// Where the workspace is.
    pub(crate) folder: &'a str,
    /// How the pictures are looked at.
    pub(crate) sight: &'a Sight,
}

impl View<'_> {
    /// The judgement that the benchmarks sent the marked group here for.
    fn contest(&self) -> Option<&Contest> {
        let group = self.record?.group.id;
        self.browse.contests.of(self.list.only(), group)
    }
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    canvas.divider(frame, layout.divider);
    list_view::draw(frame, theme, layout, view.list, view.range);
    let Some(row) = view.list.row(view.list.position()) else {
        draw_nothing(frame, theme, layout, view);
        return;
    };
    draw_header(frame, theme, layout.header, row, view);
    let Some(record) = view.record else {
        for tile in &layout.tiles {
            let name = tile
                .candidate
                .map_or("source".into(), |i| format!("candidate {}", i + 1));
            canvas.placeholder(frame, tile.picture, &name);
        }
        return;
    };
    for tile in &layout.tiles {
        draw_tile(frame, canvas, tile, record, view);
    }
    draw_table(frame, theme, layout, record, view);
    panels::draw(frame, theme, layout, record, view);
}

fn draw_header(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    row: &GroupSummary,
    view: &View<'_>,
) {
    if area.is_empty() {
        return;
    }
    let lines = area
        .height
        .saturating_sub(u16::from(area.height > 1))
        .max(1);
    let words = prose::wrap(&row.instruction, area.width, lines.min(3));
    let used = u16::try_from(words.len()).unwrap_or(0);
    for (line, y) in words.into_iter().zip(area.y..area.bottom()) {
        frame
            .buffer_mut()
            .set_string(area.x, y, line, theme[Role::Title]);
    }
    if area.height <= used {
        return;
    }
    let spans = group_facts(theme, row, view, area.width);
    let line = Rect {
        y: area.y + used,
        height: 1,
        ..area
    };
    frame.render_widget(Line::from(spans), line);
    if let Some(why) = view.record.and_then(|record| record.failure.as_ref())
        && used > 0
    {
        let text = prose::line(why, area.width);
        frame.render_widget(Span::styled(text, theme[Role::Bad]), line);
    }
}

/// What is known of the group, piece by piece as far as there is room.
fn group_facts(
    theme: &Theme,
    row: &GroupSummary,
    view: &View<'_>,
    width: u16,
) -> Vec<Span<'static>> {
    let dim = theme[Role::Dim];
    let mut pieces: Vec<Vec<Span<'static>>> = Vec::new();
    pieces.extend(view.contest().map(|contest| contest.words(theme)));
    let mut facts = Vec::new();
    facts.extend(
        row.category
            .as_ref()
            .map(|category| prose::line(category, 20)),
    );
    facts.push(match row.candidates {
        1 => "1 candidate".into(),
        n => format!("{n} candidates"),
    });
    pieces.push(vec![Span::styled(facts.join(" · "), dim)]);
    let mark = view
        .record
        .map_or(row.agreement, |record| agreement(&record.group.candidates));
    let words = match Agreement::of(mark) {
        Agreement::Unknown => None,
        Agreement::Low => Some(" annotators disagree"),
        Agreement::Fair => Some(" annotators agree fairly"),
        Agreement::High => Some(" annotators agree"),
    };
    if let Some(words) = words {
        let mark = agreement_mark(Agreement::of(mark), theme);
        pieces.push(vec![mark, Span::styled(words, dim)]);
    }
    if let Some(rho) = view.record.and_then(|record| record.judgement.correlation) {
        let words = format!("ρ(model, labels) {}", prose::signed(rho));
        pieces.push(vec![Span::styled(words, dim)]);
    }
    pieces.push(vec![Span::styled(prose::line(&row.key, 32), dim)]);
    let mut out: Vec<Span<'static>> = Vec::new();
    for piece in pieces {
        let used: usize = out.iter().chain(&piece).map(Span::width).sum();
        if used + 3 > usize::from(width) && !out.is_empty() {
            break;
        }
        if !out.is_empty() {
            out.push(Span::raw("   "));
        }
        out.extend(piece);
    }
    // The reason takes what room there is.
    let used: usize = out.iter().map(Span::width).sum();
    let room = usize::from(width).saturating_sub(used + 3);
    let scope = view
        .record
        .and_then(|record| record.scopes.get(view.browse.candidate)?.as_ref());
    if let (Some(scope), 16..) = (scope, room) {
        let words = format!("{}: {}", scope.name(), scope.why);
        let room = u16::try_from(room).unwrap_or(width);
        out.push(Span::styled(
            format!("   {}", prose::line(&words, room)),
            dim,
        ));
    }
    out
}

fn draw_tile(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    tile: &Tile,
    record: &Record,
    view: &View<'_>,
) {
    let theme = canvas.theme;
    let Some(index) = tile.candidate else {
        let source = view.sight.of_source(&record.group.source);
        canvas.shown(frame, &source, tile.picture, "source");
        let name = Span::styled("source", theme[Role::Title]);
        frame.render_widget(Line::from(name), head(tile.caption));
        return;
    };
    let Some(candidate) = record.group.candidates.get(index) else {
        return;
    };
    let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
    let image = view.sight.of(&candidate.image, &record.group.source);
    canvas.shown(frame, &image, tile.picture, name);
    let entry = Entry {
        record,
        index,
        marked: index == view.browse.candidate,
        badge: view.contest().and_then(|contest| contest.badge(index)),
        theme,
    };
    let lines = entry.caption(tile.caption.width, tile.caption.height);
    for (line, y) in lines.into_iter().zip(tile.caption.y..tile.caption.bottom()) {
        let area = Rect {
            y,
            height: 1,
            ..tile.caption
        };
        frame.render_widget(line, area);
    }
    if entry.marked {
        frame
            .buffer_mut()
            .set_style(head(tile.caption), theme[Role::Selected]);
    }
}

fn head(area: Rect) -> Rect {
    Rect {
        height: area.height.min(1),
        ..area
    }
}

/// The first candidate in a table that is too short for all.
pub(crate) fn table_top(layout: &Layout, marked: usize, candidates: usize) -> usize {
    let rows = usize::from(layout.table.height.saturating_sub(1)).max(1);
    (marked + 1)
        .saturating_sub(rows)
        .min(candidates.saturating_sub(rows))
}

fn draw_table(
    frame: &mut Frame<'_>,
    theme: &Theme,
    layout: &Layout,
    record: &Record,
    view: &View<'_>,
) {
    let (area, browse) = (layout.table, view.browse);
    if area.height < 2 {
        return;
    }
    let columns = table_columns(area.width);
    let heads = ["candidate", "IF, VQ", "both, P(best), rank", "IF/VQ labels"];
    let mut x = area.x;
    for (words, width) in heads.iter().zip(columns) {
        let words = text::shorten(words, width);
        frame
            .buffer_mut()
            .set_string(x, area.y, words, theme[Role::Dim]);
        x += width + u16::from(width > 0);
    }
    let candidates = record.group.candidates.len();
    let top = table_top(layout, browse.candidate, candidates);
    for (index, y) in (top..candidates).zip(area.y + 1..area.bottom()) {
        let entry = Entry {
            record,
            index,
            marked: index == browse.candidate,
            badge: view.contest().and_then(|contest| contest.badge(index)),
            theme,
        };
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        if entry.marked {
            frame.buffer_mut().set_style(row, theme[Role::Selected]);
        }
        let [name, axes, both, human] = columns;
        let mut x = area.x;
        let cells = [
            (entry.name(name), name),
            (entry.axes(axes), axes),
            (entry.overall(both), both),
            (entry.human(human), human),
        ];
        for (line, width) in cells {
            let cell = Rect::new(x, y, width, 1).intersection(row);
            frame.render_widget(line, cell);
            x += width + u16::from(width > 0);
        }
    }
}

/// Widths of name, axes, both and labels for a table of this width; the labels are the first to go, then the axes.
fn table_columns(width: u16) -> [u16; 4] {
    match width {
        100.. => [width - 82, 31, 32, 16],
        76.. => [width - 59, 18, 22, 16],
        58.. => [width - 42, 18, 22, 0],
        40.. => [width - 23, 0, 22, 0],
        _ => [width.saturating_sub(10), 0, 9, 0],
    }
}

/// What stands in the place of a group: an empty workspace, or a filter that nothing matches.
fn draw_nothing(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, view: &View<'_>) {
    let area = layout.header.union(Rect {
        y: layout.header.bottom(),
        height: frame
            .area()
            .bottom()
            .saturating_sub(layout.header.bottom() + 1),
        ..layout.header
    });
    let lines: Vec<(String, Role)> = if view.list.holds_nothing() {
        vec![
            ("This workspace is empty.".into(), Role::Title),
            (prose::line(view.folder, area.width), Role::Dim),
            (String::new(), Role::Dim),
            ("Bring groups in from a JSONL file:".into(), Role::Text),
            ("  erw import groups.jsonl".into(), Role::Accent),
            (
                "The demo opens where there is no workspace.".into(),
                Role::Text,
            ),
            (String::new(), Role::Dim),
            ("r reads the workspace again.".into(), Role::Dim),
        ]
    } else if view.list.is_complete() && !view.list.query().is_empty() && !view.list.is_ranking() {
        vec![
            ("No group matches.".into(), Role::Title),
            ("Esc drops the filter.".into(), Role::Dim),
        ]
    } else {
        Vec::new()
    };
    for ((line, role), y) in lines.into_iter().zip(area.y..area.bottom()) {
        frame
            .buffer_mut()
            .set_stringn(area.x, y, line, usize::from(area.width), theme[role]);
    }
    if view.gone {
        let words = "this group is no longer in the workspace; r reads it again";
        frame.buffer_mut().set_stringn(
            area.x,
            area.y,
            words,
            usize::from(area.width),
            theme[Role::Warning],
        );
    }
}
