//! The panes beside and under the charts: what is known of the marked run, the group that it follows, the end of its log.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::shelf::Entry;
use super::told::Told;
use super::view::{View, state_mark, thousands};
use super::{Across, Train};
use crate::domain::curves::Ruler;
use crate::runs::Opinion;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::chart::{Better, Chart, Curve};
use crate::tui::widgets::meter::Meter;

/// The aggregate among a candidate's Gaussians.
const BOTH: usize = 2;

/// What is known of the marked run, most important first, as far as there is room.
pub(super) fn facts(frame: &mut Frame<'_>, theme: &Theme, area: Rect, train: &Train) {
    let Some(entry) = train.shelf.marked().filter(|_| !area.is_empty()) else {
        return;
    };
    let mut lines = standing(theme, entry, area.width);
    if let Some(share) = entry.share() {
        let at = area.y + u16::try_from(lines.len()).unwrap_or(0);
        let line = Rect::new(area.x, at, area.width, 1).intersection(area);
        frame.render_widget(Meter::new(share, "", theme), line);
        lines.push(Line::default());
    }
    lines.extend(pace(theme, entry, train.shelf.marked_told(), area.width));
    lines.extend(origin(theme, entry, area.width));
    if let Some(told) = train.shelf.marked_told() {
        lines.extend(kept(theme, told, area.width));
    }
    lines.extend(plan(theme, entry, area.width));
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        if line.width() > 0 {
            frame.render_widget(line, row);
        }
    }
}

fn standing<'a>(theme: &Theme, entry: &Entry, width: u16) -> Vec<Line<'a>> {
    let (mark, role) = state_mark(entry.state);
    let words = match &entry.phase {
        Some(phase) if entry.state == crate::runs::State::Running => phase.clone(),
        _ => entry.state.word().to_owned(),
    };
    let title = prose::line(entry.title(), width);
    let mut lines = vec![
        Line::from(Span::styled(title, theme[Role::Title])),
        Line::from(Span::styled(
            prose::line(&format!("{mark} {words}"), width),
            theme[role],
        )),
    ];
    if let Some(reason) = &entry.reason {
        let reason = prose::wrap(reason, width, 3);
        lines.extend(
            reason
                .into_iter()
                .map(|line| Line::from(Span::styled(line, theme[role]))),
        );
    }
    lines
}

fn pace<'a>(theme: &Theme, entry: &Entry, told: Option<&Told>, width: u16) -> Vec<Line<'a>> {
    let mut words = Vec::new();
    if let Some(progress) = &entry.progress {
        let done = thousands(progress.done);
        let of = progress
            .total
            .map_or(String::new(), |total| format!(" of {}", thousands(total)));
        words.push(format!("{done}{of} {}", progress.unit));
        if entry.state.is_live() {
            words.extend(progress.rate.map(|rate| format!("{rate:.2}/s")));
            let left = progress.seconds_left;
            words.extend(left.map(|left| format!("{} left", prose::duration(left))));
        }
    }
    let lines = told.and_then(|told| told.lines.values().next());
    let worked = lines.and_then(|line| line.across(Across::Hours).last());
    words.extend(worked.map(|hours| format!("{} at work", prose::duration(hours * 3600.0))));
    dim_lines(theme, &words.join(" · "), width, 3)
}

fn origin<'a>(theme: &Theme, entry: &Entry, width: u16) -> Vec<Line<'a>> {
    let manifest = &entry.manifest;
    let mut lines = vec![Line::default()];
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<6}"), theme[Role::Dim]),
                Span::styled(
                    prose::line(&value, width.saturating_sub(6)),
                    theme[Role::Text],
                ),
            ]));
        }
    };
    fact("run", Some(entry.name.clone()));
    let named = |f: &crate::runs::Fingerprint| f.name.clone();
    fact("model", manifest.model.as_ref().map(named));
    fact("data", manifest.data.as_ref().map(named));
    fact("seed", manifest.seed.map(|seed| seed.to_string()));
    let device = manifest
        .device
        .as_ref()
        .map_or(String::new(), |d| format!(", {d}"));
    fact("on", Some(format!("{}{device}", manifest.host)));
    lines
}

/// Checkpoints and notes.
fn kept<'a>(theme: &Theme, told: &Told, width: u16) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let saved = told.history.saved();
    let best = saved.iter().rev().find(|saved| saved.best);
    for (name, saved) in [("last", saved.last()), ("best", best)] {
        if let Some(saved) = saved {
            let words = format!("step {}  {}", thousands(saved.step), saved.path.display());
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<6}"), theme[Role::Dim]),
                Span::raw(prose::line(&words, width.saturating_sub(6))),
            ]));
        }
    }
    if !told.notes.is_empty() {
        lines.push(Line::default());
    }
    for note in told.notes.iter().rev().take(3) {
        let style = theme[Role::Fair];
        let wrapped = prose::wrap(note, width, 2);
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| Line::from(Span::styled(line, style))),
        );
    }
    lines
}

/// The plan as far as it says something: comments and empty lines go.
fn plan<'a>(theme: &Theme, entry: &Entry, width: u16) -> Vec<Line<'a>> {
    let Some(plan) = &entry.manifest.plan else {
        return Vec::new();
    };
    let mut lines = vec![Line::default()];
    let said = plan
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in said.take(80) {
        let role = if line.starts_with('[') {
            Role::Accent
        } else {
            Role::Dim
        };
        lines.push(Line::from(Span::styled(
            prose::line(line, width),
            theme[role],
        )));
    }
    lines
}

fn dim_lines<'a>(theme: &Theme, text: &str, width: u16, most: u16) -> Vec<Line<'a>> {
    let style = theme[Role::Dim];
    let lines = prose::wrap(text, width, most);
    lines
        .into_iter()
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// The group that the run follows: pictures, what the model said of each at the cursor's step, and that over time.
pub(super) fn followed(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    layout: &Layout,
    view: &View<'_>,
) {
    let (theme, train) = (canvas.theme, view.train);
    let area = layout.pane;
    if area.height < 2 {
        return;
    }
    let rule = "─".repeat(usize::from(area.width));
    frame
        .buffer_mut()
        .set_string(area.x, area.y, rule, theme[Role::Border]);
    let Some((key, at, count)) = train.followed_key() else {
        let words = "this run follows no groups";
        put(frame, area, area.y + 1, words, theme[Role::Dim]);
        return;
    };
    let opinions = opinions(train, key);
    let step = train.step_at_cursor().unwrap_or(u64::MAX);
    let now = opinions.partition_point(|opinion| opinion.step <= step);
    let now = opinions.get(now.saturating_sub(1));
    let after = now.map_or(String::new(), |o| {
        format!(" · after step {}", thousands(o.step))
    });
    let asked = view.record.map_or(key, |record| &record.group.instruction);
    let head = format!("followed {}/{count}{after}  ", at + 1);
    let room = area
        .width
        .saturating_sub(u16::try_from(head.chars().count()).unwrap_or(0));
    let line = Line::from(vec![
        Span::styled(head, theme[Role::Accent]),
        Span::styled(prose::line(asked, room), theme[Role::Title]),
    ]);
    let row = Rect::new(area.x, area.y + 1, area.width, 1);
    frame.render_widget(line, row);
    if view.record.is_none() {
        let words = match train.followed_group() {
            Some(_) => "reading the group…",
            None => "this workspace has no group of that key: its pictures cannot show",
        };
        put(frame, area, area.y + 2, words, theme[Role::Dim]);
    }
    tiles(frame, canvas, layout, view, now, opinions.first());
    scores(frame, theme, layout.scores, train, opinions);
}

fn opinions<'a>(train: &'a Train, key: &str) -> &'a [Opinion] {
    let told = train.shelf.marked_told();
    let found = told.and_then(|told| told.history.followed().find(|(known, _)| *known == key));
    found.map_or(&[], |(_, opinions)| opinions)
}

fn tiles(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    layout: &Layout,
    view: &View<'_>,
    now: Option<&Opinion>,
    first: Option<&Opinion>,
) {
    let (theme, Some(record)) = (canvas.theme, view.record) else {
        return;
    };
    for (place, tile) in layout.tiles.iter().enumerate() {
        let picture = picture_of(*tile);
        let Some(index) = place.checked_sub(1) else {
            canvas.picture(frame, &record.group.source, picture, "source");
            put(frame, *tile, picture.bottom(), "source", theme[Role::Dim]);
            continue;
        };
        let Some(candidate) = record.group.candidates.get(index) else {
            continue;
        };
        let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
        canvas.picture(frame, &candidate.image, picture, name);
        let words = format!("{} {name}", theme.series_glyph(index));
        put(frame, *tile, picture.bottom(), &words, theme.series(index));
        let both = |opinion: Option<&Opinion>| Some(opinion?.rewards.get(index)?[BOTH]);
        let words = match (both(now), both(first)) {
            (Some([mean, sigma]), Some([before, _])) => {
                let now = format!("{} ±{sigma:.2}", prose::signed(mean));
                if tile.width >= 24 {
                    format!("{now} from {}", prose::signed(before))
                } else {
                    now
                }
            }
            _ => "not scored".into(),
        };
        put(
            frame,
            *tile,
            picture.bottom() + 1,
            &words,
            theme[Role::Text],
        );
    }
}

/// The room for the picture in a tile.
pub(crate) fn picture_of(tile: Rect) -> Rect {
    Rect {
        height: tile.height.saturating_sub(super::layout::CAPTION),
        ..tile
    }
}

/// Each candidate's aggregate mean over steps.
fn scores(frame: &mut Frame<'_>, theme: &Theme, area: Rect, train: &Train, opinions: &[Opinion]) {
    if area.is_empty() {
        return;
    }
    let steps: Vec<f64> = opinions.iter().map(|o| o.step as f64).collect();
    let candidates = opinions.iter().map(|o| o.rewards.len()).max().unwrap_or(0);
    let means: Vec<Vec<f64>> = (0..candidates)
        .map(|index| {
            let mean = |o: &Opinion| o.rewards.get(index).map_or(f64::NAN, |r| r[BOTH][0]);
            opinions.iter().map(mean).collect()
        })
        .collect();
    let curves: Vec<Curve<'_>> = means
        .iter()
        .enumerate()
        .map(|(series, means)| Curve {
            x: &steps,
            raw: means,
            smooth: means,
            series,
        })
        .collect();
    // Always over steps, since opinions are told by steps; in the window of the charts where these are too.
    let over_steps = train.lens.across == Across::Step;
    let ruler = if over_steps {
        train.ruler()
    } else {
        Ruler::new(0.0, steps.last().copied().unwrap_or(1.0), false)
    };
    let cursor = train
        .step_at_cursor()
        .filter(|_| train.lens.cursor.is_some());
    let chart = Chart::new("both axes joined, by candidate", &curves, ruler, theme)
        .cursor(cursor.map(|step| step as f64))
        .compared(None, Better::Neither);
    frame.render_widget(chart, area);
}

/// The end of the log, the newest line at the bottom.
pub(super) fn log(frame: &mut Frame<'_>, theme: &Theme, area: Rect, train: &Train) {
    if area.is_empty() {
        return;
    }
    let rule = "─".repeat(usize::from(area.width));
    frame
        .buffer_mut()
        .set_string(area.x, area.y, rule, theme[Role::Border]);
    put(frame, area, area.y, "log ", theme[Role::Title]);
    let lines = train.log();
    if lines.is_empty() {
        put(
            frame,
            area,
            area.y + 1,
            "the log is empty",
            theme[Role::Dim],
        );
    }
    let room = usize::from(area.height - 1);
    let newest = &lines[lines.len().saturating_sub(room)..];
    for (line, y) in newest.iter().zip(area.y + 1..area.bottom()) {
        put(frame, area, y, line, theme[Role::Text]);
    }
}

fn put(frame: &mut Frame<'_>, area: Rect, y: u16, words: &str, style: Style) {
    if (area.y..area.bottom()).contains(&y) {
        let words = prose::line(words, area.width);
        frame.buffer_mut().set_string(area.x, y, words, style);
    }
}
