//! Drawing what is known of the marked run: how it stands, what it is, what it takes of the machine, and its curves.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Gauges, Jobs, table};
use crate::domain::curves::{Ruler, bounds};
use crate::jobs::resources::Gpu;
use crate::runs::State;
use crate::tui::screens::prose;
use crate::tui::screens::train::{Across, Entry, Told, metrics, state_mark, thousands};
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::chart::{Chart, Curve};
use crate::tui::widgets::meter::Meter;
use crate::tui::widgets::sparkline::score_cells;
use crate::tui::widgets::text;

/// Columns for the name of a fact.
const NAME: u16 = 10;
/// A chart that is worth reading, in rows and columns.
const CHART: (u16, u16) = (6, 34);

/// Draws the facts, and under them what else there is room for; `curves`: also the curves.
pub(super) fn facts(frame: &mut Frame<'_>, theme: &Theme, area: Rect, jobs: &Jobs, curves: bool) {
    let Some(entry) = jobs.list.marked().filter(|_| !area.is_empty()) else {
        return;
    };
    let waits_for = waits_for(entry, jobs.list.all());
    let mut y = standing(frame, theme, area, (entry, waits_for));
    let told = jobs.told();
    let mut lines = origin(entry, told);
    let spare = area.bottom().saturating_sub(y);
    // Long lists give way to what changes.
    lines.truncate(usize::from(spare.saturating_sub(4)).max(3));
    for (name, words, rows) in lines {
        y = fact(
            frame,
            theme,
            Rect { y, ..area }.intersection(area),
            (name, &words, rows),
        );
    }
    y = taken(frame, theme, from(area, y + 1), entry, &jobs.gauges);
    if curves && let Some(told) = told {
        draw_curves(frame, theme, from(area, y + 1), told);
    }
}

/// The part of `area` from the row `y` on.
fn from(area: Rect, y: u16) -> Rect {
    let y = y.min(area.bottom());
    Rect {
        y,
        height: area.bottom() - y,
        ..area
    }
}

/// What it does, why, and how far it is; the row after that.
fn standing(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (entry, waits_for): (&Entry, Option<String>),
) -> u16 {
    let (mark, role) = state_mark(entry.state);
    let mut y = area.y;
    let mut line = |frame: &mut Frame<'_>, words: &str, role: Role| {
        if y < area.bottom() {
            let words = prose::line(words, area.width);
            frame.buffer_mut().set_string(area.x, y, words, theme[role]);
        }
        y += 1;
    };
    let title = format!("{}  {}", entry.manifest.verb, entry.title());
    line(frame, &title, Role::Title);
    let words = match &entry.phase {
        Some(phase) if entry.state == State::Running => phase,
        _ => entry.state.word(),
    };
    let took = entry.times.span().filter(|_| !entry.state.is_live());
    let took = took.map_or(String::new(), |took| {
        format!(" after {}", prose::duration(took))
    });
    line(frame, &format!("{mark} {words}{took}"), role);
    let reason = waits_for.as_deref().or(entry.reason.as_deref());
    for part in prose::wrap(reason.unwrap_or_default(), area.width, 4) {
        line(frame, &part, role);
    }
    let Some(progress) = &entry.progress else {
        return y;
    };
    let live = entry.state.is_live();
    let of = progress
        .total
        .map_or(String::new(), |total| format!(" of {}", thousands(total)));
    let mut parts = vec![format!(
        "{}{of} {}",
        thousands(progress.done),
        progress.unit
    )];
    if live {
        parts.extend(
            progress
                .rate
                .map(|rate| format!("{}/s", text::number(rate))),
        );
        let left = progress.seconds_left;
        parts.extend(left.map(|left| format!("{} left", prose::duration(left))));
    }
    for part in prose::wrap(&parts.join(" · "), area.width, 2) {
        line(frame, &part, Role::Dim);
    }
    if let Some(share) = entry.share().filter(|_| live) {
        let place = Rect::new(area.x, y, area.width, 1).intersection(area);
        frame.render_widget(Meter::new(share, "", theme), place);
        y += 1;
    }
    y
}

/// What a run waits for in the queue of its machine: the first that has its device, or any where it leaves the choice to the program.
fn waits_for(entry: &Entry, all: &[Entry]) -> Option<String> {
    if entry.state != State::Queued {
        return None;
    }
    if entry.manifest.launcher == "slurm" {
        return Some("waits for Slurm".into());
    }
    let device = |entry: &Entry| entry.manifest.device.clone();
    let own = device(entry);
    let has_it = |other: &&Entry| {
        let its = device(other);
        let clash = own.is_none() || its.is_none() || own == its;
        other.state == State::Running && other.manifest.launcher == "local" && clash
    };
    let holder = all.iter().find(has_it)?;
    let what = own.map_or("a device".into(), |own| format!("the device {own}"));
    Some(format!("waits for {what}, which '{}' has", holder.title()))
}

/// What it is, most useful first: names, words, and how many rows they may take.
fn origin(entry: &Entry, told: Option<&Told>) -> Vec<(&'static str, String, u16)> {
    let manifest = &entry.manifest;
    let words = manifest
        .arguments
        .iter()
        .map(|word| super::shell::quoted(word));
    let words: Vec<String> = words.collect();
    let command = format!("erw {} {}", manifest.verb, words.join(" "));
    let mut facts = vec![("command", command.trim_end().to_owned(), 3)];
    for (name, print) in [("model", &manifest.model), ("data", &manifest.data)] {
        facts.extend(print.as_ref().map(|print| (name, print.name.clone(), 1)));
    }
    let device = manifest.device.as_deref().unwrap_or("any");
    facts.push((
        "device",
        format!("{device}, by {}", table::launcher(entry)),
        1,
    ));
    if let Some((pid, host)) = &entry.process {
        facts.push(("process", format!("{pid} on {host}"), 1));
    }
    if let Some(seed) = manifest.seed {
        facts.push(("seed", seed.to_string(), 1));
    }
    if let Some(shards) = manifest.shards {
        facts.push(("shards", shards.to_string(), 1));
    }
    if let Some((step, _)) = told.and_then(|told| told.summary.checkpoint.as_ref()) {
        facts.push(("saved", format!("step {}", thousands(*step)), 1));
    }
    if let Some(note) = told.and_then(|told| told.notes.back()) {
        facts.push(("note", note.clone(), 2));
    }
    facts.push(("folder", entry.name.clone(), 1));
    facts
}

/// One fact; the row after it.
fn fact(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (name, words, rows): (&str, &str, u16),
) -> u16 {
    if area.is_empty() {
        return area.y;
    }
    frame
        .buffer_mut()
        .set_string(area.x, area.y, name, theme[Role::Dim]);
    let room = area.width.saturating_sub(NAME);
    let mut y = area.y;
    for part in prose::wrap(words, room, rows.min(area.height)) {
        frame
            .buffer_mut()
            .set_string(area.x + NAME, y, part, theme[Role::Text]);
        y += 1;
    }
    y.max(area.y + 1)
}

/// What it takes of the machine, now and over the last minutes; the row after it.
fn taken(frame: &mut Frame<'_>, theme: &Theme, area: Rect, entry: &Entry, gauges: &Gauges) -> u16 {
    let is_live = matches!(entry.state, State::Running | State::Stalled);
    let history = gauges.of(&entry.name).filter(|_| is_live);
    let Some((history, last)) = history.and_then(|all| Some((all, all.back()?))) else {
        // Of one that was made here and is worked on elsewhere, nobody here can tell.
        let elsewhere = entry
            .process
            .as_ref()
            .filter(|(_, host)| *host != entry.manifest.host);
        let Some((_, host)) = elsewhere.filter(|_| is_live) else {
            return area.y;
        };
        let words = format!("what it takes is told on {host} only");
        return fact(frame, theme, area, ("machine", &words, 2));
    };
    let mut y = area.y;
    let processors: Vec<f64> = history
        .iter()
        .filter_map(|taken| taken.usage.processors)
        .collect();
    let now = processors.last();
    let words = now.map_or("…".into(), |now| format!("{:.0}%", now * 100.0));
    // Against one processor at least, so that an idle run does not look busy.
    let most = processors.iter().copied().fold(1.0, f64::max);
    y = gauge(
        frame,
        theme,
        from(area, y),
        ("CPU", &words),
        (&processors, most),
    );
    let memory: Vec<f64> = history.iter().map(|t| t.usage.memory as f64).collect();
    let most = memory.iter().copied().fold(1.0, f64::max);
    let words = bytes(last.usage.memory);
    y = gauge(
        frame,
        theme,
        from(area, y),
        ("memory", &words),
        (&memory, most),
    );
    for (i, gpu) in gauges.gpus().back().into_iter().flatten().enumerate() {
        let own = last.own.get(i).copied().unwrap_or(0);
        let busy = gauges.gpus().iter().filter_map(|all| all.get(i)?.busy);
        let busy: Vec<f64> = busy.collect();
        let name = format!("GPU {}", gpu.index);
        let words = gpu_words(gpu, own);
        y = gauge(frame, theme, from(area, y), (&name, &words), (&busy, 1.0));
    }
    y
}

fn gpu_words(gpu: &Gpu, own: u64) -> String {
    let busy = gpu
        .busy
        .map_or("…".into(), |busy| format!("{:.0}%", busy * 100.0));
    let own = if own > 0 {
        format!(", {} its own", bytes(own))
    } else {
        String::new()
    };
    format!("{busy}  {} of {}{own}", bytes(gpu.used), bytes(gpu.memory))
}

/// A name, a figure, and how it was; the row after it.
fn gauge(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (name, words): (&str, &str),
    (history, most): (&[f64], f64),
) -> u16 {
    if area.is_empty() {
        return area.y;
    }
    let row = Rect { height: 1, ..area };
    let words = prose::line(words, area.width.saturating_sub(NAME));
    let used = text::width(&words);
    frame
        .buffer_mut()
        .set_string(row.x, row.y, name, theme[Role::Dim]);
    frame
        .buffer_mut()
        .set_string(row.x + NAME, row.y, &words, theme[Role::Text]);
    let left = (NAME + used.max(9) + 1).min(row.width);
    let place = Rect {
        x: row.x + left,
        width: row.width - left,
        ..row
    };
    let shown = &history[history.len().saturating_sub(usize::from(place.width))..];
    let cells: Vec<Option<f32>> = shown.iter().map(|value| Some(*value as f32)).collect();
    let cells = score_cells(&cells, Some((0.0, most as f32)), place.width, theme);
    // No value of these is the best one.
    let style = theme[Role::BorderFocused];
    let cells: Vec<Span<'_>> = cells
        .into_iter()
        .map(|cell| Span::styled(cell.content, style))
        .collect();
    frame.render_widget(Line::from(cells), place);
    row.y + 1
}

/// `1.2 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match (unit, value) {
        (0, _) => format!("{count} B"),
        (_, v) if v < 10.0 => format!("{v:.1} {}", UNITS[unit]),
        (_, v) => format!("{v:.0} {}", UNITS[unit]),
    }
}

/// The curves, as many as can be read.
pub(super) fn draw_curves(frame: &mut Frame<'_>, theme: &Theme, area: Rect, told: &Told) {
    let names = metrics::ordered(told.lines.keys().map(String::as_str));
    let (tall, wide) = CHART;
    if names.is_empty() || area.height < tall || area.width < 12 {
        return;
    }
    let columns = (area.width / wide).clamp(1, 3).min(names.len() as u16);
    let rows = (names.len() as u16)
        .div_ceil(columns)
        .min((area.height / tall).max(1));
    let width = (area.width - 2 * (columns - 1)) / columns;
    let height = (area.height / rows).min(14);
    for (i, name) in (0..rows * columns).zip(names) {
        let place = Rect::new(
            area.x + i % columns * (width + 2),
            area.y + i / columns * height,
            width,
            height.saturating_sub(u16::from(rows > 1)),
        );
        let Some(line) = told.lines.get(name) else {
            continue;
        };
        let x = line.across(Across::Step);
        let (low, high) = bounds(x.iter().copied()).unwrap_or((0.0, 1.0));
        let curve = [Curve {
            x,
            raw: &line.raw,
            smooth: &line.raw,
            series: 0,
        }];
        let chart = Chart::new(name, &curve, Ruler::new(low, high, false), theme);
        frame.render_widget(chart, place);
    }
}
