//! Drawing the train screen: the list of runs, the bar over the charts, and the charts.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::shelf::Entry;
use super::{Pane, Train, form_view, metrics, panes};
use crate::runs::State;
use crate::tui::library::Record;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::chart::{Chart, Curve};
use crate::tui::widgets::meter::percent;

/// What is drawn.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) train: &'a Train,
    /// The followed group that shows, if it is here.
    pub(crate) record: Option<&'a Record>,
    /// All the room.
    pub(crate) screen: Rect,
    /// Where runs are.
    pub(crate) folder: &'a str,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    canvas.divider(frame, layout.divider);
    draw_list(frame, theme, layout, view.train);
    draw_rest(frame, canvas, layout, view);
    if let Some(form) = view.train.draft.form() {
        form_view::draw(frame, view.screen, theme, form);
    }
}

fn draw_rest(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    if view.train.shelf.entries().is_empty() {
        draw_nothing(frame, theme, layout, view);
        return;
    }
    panes::facts(frame, theme, layout.facts, view.train);
    draw_bar(frame, theme, layout, view.train);
    draw_charts(frame, theme, layout, view.train);
    match view.train.pane {
        Pane::Charts => {}
        Pane::Followed => panes::followed(frame, canvas, layout, view),
        Pane::Log => panes::log(frame, theme, layout.pane, view.train),
    }
}

fn draw_list(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, train: &Train) {
    let entries = train.shelf.entries();
    let title = Rect {
        height: layout.list.height.min(1),
        ..layout.list
    };
    frame.render_widget(Span::styled("Runs", theme[Role::Title]), title);
    let count = Span::styled(entries.len().to_string(), theme[Role::Dim]);
    frame.render_widget(Line::from(count).right_aligned(), title);
    let position = train.shelf.position();
    let rows = layout.rows.y..layout.rows.bottom();
    for ((place, entry), y) in entries.iter().enumerate().skip(train.shelf.top()).zip(rows) {
        let area = Rect {
            y,
            height: 1,
            ..layout.rows
        };
        draw_row(frame, theme, area, entry, train, place == position);
    }
}

/// The mark of a state, and how it is drawn.
pub(crate) const fn state_mark(state: State) -> (&'static str, Role) {
    match state {
        State::Running => ("▶", Role::Good),
        State::Queued => ("…", Role::Fair),
        State::Stalled => ("?", Role::Warning),
        State::Done => ("✓", Role::Good),
        State::Failed => ("✗", Role::Bad),
        State::Stopped => ("‖", Role::Fair),
    }
}

fn draw_row(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    entry: &Entry,
    train: &Train,
    marked: bool,
) {
    if marked {
        frame.buffer_mut().set_style(area, theme[Role::Selected]);
    }
    let (mark, role) = state_mark(entry.state);
    let colour = train.shelf.series(&entry.name);
    let pinned = train.shelf.baseline.as_ref() == Some(&entry.name);
    let chosen = train.shelf.is_shown(&entry.name);
    let glyph = colour.map_or(Span::styled("·", theme[Role::Dim]), |colour| {
        Span::styled(theme.series_glyph(colour), theme.series(colour))
    });
    let left = vec![
        Span::styled(if marked { "▌" } else { " " }, theme[Role::Accent]),
        glyph,
        Span::styled(if chosen { "+" } else { " " }, theme[Role::Dim]),
        Span::styled(format!("{mark} "), theme[role]),
    ];
    let mut right = Vec::new();
    if pinned {
        right.push(Span::styled(" Δ0", theme[Role::Accent]));
    }
    let progress = entry.progress.as_ref();
    let left_over = progress
        .and_then(|p| p.seconds_left)
        .filter(|_| entry.state == State::Running);
    let words = match (entry.state, entry.share()) {
        (State::Running | State::Stopped | State::Failed, Some(share)) => percent(share),
        (state, _) => state.word().to_owned(),
    };
    right.push(Span::styled(format!(" {words}"), theme[Role::Dim]));
    if let Some(seconds) = left_over
        && area.width >= 34
    {
        let words = format!(" {}", prose::duration(seconds));
        right.push(Span::styled(words, theme[Role::Dim]));
    }
    let used = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let taken = u16::try_from(used(&left) + used(&right)).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(taken);
    let mut line = left;
    line.push(Span::raw(prose::line(entry.title(), room)));
    frame.render_widget(Line::from(line), area);
    frame.render_widget(Line::from(right).right_aligned(), area);
}

/// How the curves are looked at, or what is being typed.
fn draw_bar(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, train: &Train) {
    let lens = &train.lens;
    let area = layout.bar;
    if area.is_empty() {
        return;
    }
    let metrics = train.metrics();
    let first = train.first_chart(layout);
    let last = (first + layout.charts.len()).min(metrics.len());
    let count = match (metrics.len(), last - first.min(last)) {
        (0, _) => String::new(),
        (all, shown) if all == shown => format!("{all} metrics"),
        (all, 1) => format!("{last} of {all} metrics"),
        (all, _) => format!("{}–{last} of {all} metrics", first + 1),
    };
    let count = Span::styled(count, theme[Role::Dim]);
    let used = u16::try_from(count.width()).unwrap_or(0) + 2;
    let room = area.width.saturating_sub(used);
    if lens.typing || !lens.query().is_empty() {
        let inner = usize::from(room.saturating_sub(2));
        let scroll = lens.filter.visual_scroll(inner);
        let typed: String = lens.filter.value().chars().skip(scroll).collect();
        let role = if lens.typing {
            Role::Accent
        } else {
            Role::Title
        };
        let line = Line::from(vec![
            Span::styled("/", theme[Role::KeyHint]),
            Span::styled(prose::line(&typed, room.saturating_sub(1)), theme[role]),
        ]);
        frame.render_widget(
            line,
            Rect {
                width: room,
                ..area
            },
        );
        if lens.typing {
            let column = lens
                .filter
                .visual_cursor()
                .saturating_sub(scroll)
                .min(inner);
            let column = u16::try_from(column).unwrap_or(0);
            frame.set_cursor_position(Position::new(area.x + 1 + column, area.y));
        }
    } else {
        let words = prose::line(&lens_words(train), room);
        frame.render_widget(Span::styled(words, theme[Role::Dim]), area);
    }
    frame.render_widget(Line::from(count).right_aligned(), area);
}

/// The state of the lens in a few words.
fn lens_words(train: &Train) -> String {
    let lens = &train.lens;
    let mut words = vec![lens.across.words().to_owned()];
    if lens.log_across {
        words[0] += " (log)";
    }
    words.push(match lens.weight() {
        0.0 => "not smoothed".into(),
        weight => format!("smoothed {weight}"),
    });
    if !lens.shows_all() {
        let part = if lens.follows() { "the end" } else { "a part" };
        words.push(format!("zoomed to {part}"));
    }
    if let Some(step) = lens.cursor.and_then(|_| train.step_at_cursor()) {
        words.push(format!("step {}", thousands(step)));
    }
    words.join(" · ")
}

/// `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn draw_charts(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, train: &Train) {
    let metrics = train.metrics();
    let ruler = train.ruler();
    let baseline = train.shelf.baseline.as_ref();
    let baseline = baseline.and_then(|name| train.shelf.series(name));
    let focus = train.focus();
    let shown = metrics.iter().enumerate().skip(train.first_chart(layout));
    for ((place, name), area) in shown.zip(&layout.charts) {
        let curves = curves(train, name);
        let chart = Chart::new(name, &curves, ruler, theme)
            .log(train.lens.log)
            .cursor(train.lens.cursor)
            .focused(place == focus)
            .compared(baseline, metrics::better(name));
        frame.render_widget(chart, *area);
    }
    if metrics.is_empty() {
        let line = Rect {
            y: layout.bar.bottom() + 1,
            ..layout.bar
        };
        let line = line.intersection(frame.area());
        let words = prose::line(&why_no_charts(train), line.width);
        frame.render_widget(Span::styled(words, theme[Role::Dim]), line);
    }
}

fn why_no_charts(train: &Train) -> String {
    let Some(entry) = train.shelf.marked() else {
        return String::new();
    };
    if !train.lens.query().is_empty() {
        return "no metric's name holds all of these words".into();
    }
    match (entry.state, &entry.phase) {
        (State::Queued, _) => "waits in the queue: nothing measured yet".into(),
        (State::Running, Some(phase)) => format!("{phase}: nothing measured yet"),
        (State::Running, None) => "nothing measured yet".into(),
        _ => "this run measured nothing".into(),
    }
}

/// The curves of a metric, the marked run's last.
fn curves<'a>(train: &'a Train, metric: &str) -> Vec<Curve<'a>> {
    let across = train.lens.across;
    let smoothed = train.lens.weight() > 0.0;
    let visible = train.shelf.visible();
    visible
        .into_iter()
        .filter_map(|name| {
            let line = train.shelf.told(name)?.lines.get(metric)?;
            Some(Curve {
                x: line.across(across),
                raw: &line.raw,
                smooth: if smoothed { &line.smooth } else { &line.raw },
                series: train.shelf.series(name)?,
            })
        })
        .collect()
}

/// What stands in the place of charts where there are no runs.
fn draw_nothing(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, view: &View<'_>) {
    let area = Rect {
        height: frame.area().bottom().saturating_sub(layout.bar.y + 1),
        ..layout.bar
    };
    let lines: Vec<(String, Role)> = if view.train.shelf.is_read() {
        vec![
            ("There are no runs here yet.".into(), Role::Title),
            (prose::line(view.folder, area.width), Role::Dim),
            (String::new(), Role::Dim),
            ("n writes a plan and starts a training.".into(), Role::Text),
            ("Or from a shell:".into(), Role::Text),
            ("  erw train plan.toml".into(), Role::Accent),
            (String::new(), Role::Dim),
            (
                "A run shows up here wherever it was started.".into(),
                Role::Dim,
            ),
        ]
    } else {
        vec![("reading the runs…".into(), Role::Dim)]
    };
    for ((line, role), y) in lines.into_iter().zip(area.y..area.bottom()) {
        let line = prose::line(&line, area.width);
        frame.buffer_mut().set_string(area.x, y, line, theme[role]);
    }
}
