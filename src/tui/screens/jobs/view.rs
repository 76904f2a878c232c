//! Drawing the jobs screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::{Jobs, Pane, detail, form_view, log_view, table};
use crate::runs::State;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};

/// What is drawn.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) jobs: &'a Jobs,
    /// All the room.
    pub(crate) screen: Rect,
    /// Where runs are.
    pub(crate) folder: &'a str,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let (theme, jobs) = (canvas.theme, view.jobs);
    table::title(frame, theme, layout.title, jobs);
    if jobs.list.all().is_empty() {
        nothing(frame, theme, layout, view);
    } else {
        if !layout.rows.is_empty() {
            table::draw(frame, theme, layout, jobs);
        }
        rule(frame, theme, layout, jobs);
        canvas.divider(frame, layout.divider);
        panes(frame, theme, layout, jobs);
    }
    if let Some(form) = &jobs.form {
        form_view::draw(frame, view.screen, theme, form);
    }
}

fn panes(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, jobs: &Jobs) {
    let curves = jobs.pane != Pane::Curves;
    detail::facts(frame, theme, layout.facts, jobs, curves);
    match jobs.pane {
        Pane::Curves => {
            let told = jobs.told();
            if let Some(told) = told.filter(|told| !told.lines.is_empty()) {
                detail::draw_curves(frame, theme, layout.pane, told);
            } else {
                let words = prose::line(why_no_curves(jobs), layout.pane.width);
                frame.render_widget(Span::styled(words, theme[Role::Dim]), layout.pane);
            }
        }
        Pane::Log | Pane::Facts => log_view::draw(frame, theme, layout.pane, jobs),
    }
}

fn why_no_curves(jobs: &Jobs) -> &'static str {
    match jobs.list.marked().map(|entry| entry.state) {
        Some(State::Queued) => "it waits: nothing is measured yet",
        Some(State::Running | State::Stalled) => "nothing is measured yet",
        Some(_) => "it measured nothing",
        None => "",
    }
}

/// The line under the list; where the panes take turns, their names.
fn rule(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, jobs: &Jobs) {
    let area = layout.rule;
    if area.is_empty() {
        return;
    }
    let line = "─".repeat(usize::from(area.width));
    frame
        .buffer_mut()
        .set_string(area.x, area.y, line, theme[Role::Border]);
    let panes = [
        (Pane::Log, " log "),
        (Pane::Curves, " curves "),
        (Pane::Facts, " facts "),
    ];
    let shown = if layout.is_wide() { 2 } else { 3 };
    let names: Vec<Span<'_>> = panes[..shown]
        .iter()
        .map(|(pane, name)| {
            let role = if *pane == jobs.pane {
                Role::Title
            } else {
                Role::Dim
            };
            Span::styled(*name, theme[role])
        })
        .collect();
    let width = names.iter().map(Span::width).sum::<usize>() as u16;
    let x = if layout.pane.is_empty() || !layout.is_wide() {
        area.x + 2
    } else {
        layout.pane.x
    };
    let place = Rect::new(x, area.y, width, 1).intersection(area);
    frame.render_widget(Line::from(names), place);
}

/// What stands there where there are no runs.
fn nothing(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, view: &View<'_>) {
    let screen = view.screen;
    let area = Rect {
        x: screen.x + 2.min(screen.width),
        y: layout.title.y + 2,
        width: screen.width.saturating_sub(4),
        height: screen.bottom().saturating_sub(layout.title.y + 2),
    };
    let lines: Vec<(String, Role)> = if view.jobs.list.is_read() {
        vec![
            ("There are no runs here yet.".into(), Role::Title),
            (view.folder.to_owned(), Role::Dim),
            (String::new(), Role::Dim),
            ("n starts one. Or from a shell:".into(), Role::Text),
            ("  erw score --queue".into(), Role::Accent),
            (String::new(), Role::Dim),
            (
                "A run shows up here wherever it was started, and goes on when this is closed."
                    .into(),
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
