//! Drawing the curate screen.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Curate, Stage, Strip};
use crate::curate::{By, Cuts, GRID, Kept, Pool};
use crate::domain::Group;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::grid::{Grid, Shape};
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// What is kept, in words.
    pub(crate) header: Rect,
    /// The histogram, or both axes.
    pub(crate) plot: Rect,
    /// Means before and after.
    pub(crate) figures: Rect,
    /// Categories, then editors.
    pub(crate) shares: [Rect; 2],
    /// The sample in words.
    pub(crate) sample: Rect,
    /// Its source and its edit.
    pub(crate) pictures: [Rect; 2],
}

/// Lays the screen out in `area`, for pictures of `aspect` (width over height) and cells of `cell` (height over width).
pub(crate) fn layout(area: Rect, aspect: f64, cell: f64) -> Layout {
    let head = 2.min(area.height);
    let below = rows(area, head, area.height - head);
    let wide = below.width >= 90;
    let left = Rect {
        width: if wide { below.width / 2 } else { below.width },
        height: if wide {
            below.height
        } else {
            below.height * 3 / 5
        },
        ..below
    };
    let figures = 3.min(left.height);
    let plot = (left.height - figures) / 2;
    let rest = left.height - figures - plot;
    let first = rest.div_ceil(2);
    let right = if wide {
        Rect {
            x: left.right() + 1,
            width: below.width - left.width - 1,
            ..below
        }
    } else {
        rows(below, left.height, below.height - left.height)
    };
    let sample = 6.min(right.height / 2);
    let room = rows(right, sample, right.height - sample);
    let shape = Shape {
        count: 2,
        aspect,
        cell,
        caption: 0,
    };
    let tiles = Grid::best(room.as_size(), shape).tiles(room, shape);
    Layout {
        header: rows(area, 0, head),
        plot: rows(left, 0, plot),
        figures: rows(left, plot, figures),
        shares: [
            rows(left, plot + figures, first),
            rows(left, plot + figures + first, rest - first),
        ],
        sample: rows(right, 0, sample),
        pictures: match tiles[..] {
            [first, second] => [first, second],
            _ => [Rect::ZERO; 2],
        },
    }
}

/// So many rows of an area, from one on.
fn rows(area: Rect, from: u16, height: u16) -> Rect {
    Rect {
        y: area.y + from,
        height,
        ..area
    }
}

/// What is drawn.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) curate: &'a Curate,
    /// The group of the sample, if it is here.
    pub(crate) group: Option<&'a Group>,
    /// Why there are no scores, should that be so.
    pub(crate) why_no_scores: &'a str,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let (theme, curate) = (canvas.theme, view.curate);
    let (Stage::Read(pool), Some(cuts), Some(cut)) = (&curate.stage, &curate.ranked, &curate.cut)
    else {
        return absent(frame, theme, layout, view);
    };
    header(frame, theme, layout.header, curate, (pool, cuts, cut));
    if cuts.is_empty() {
        let words = [
            ("No candidate has a score of this model yet.", Role::Title),
            ("  erw score", Role::Accent),
            ("scores them; r reads them again.", Role::Dim),
        ];
        return lines(
            frame,
            theme,
            layout.plot,
            &words.map(|(w, r)| (w.to_owned(), r)),
        );
    }
    if curate.joint && !cuts.density().counts.is_empty() {
        density(frame, theme, layout.plot, cuts, cut);
    } else {
        histogram(frame, theme, layout.plot, cuts, cut);
    }
    figures(frame, theme, layout.figures, cut);
    shares(
        frame,
        theme,
        layout.shares[0],
        ("category", &pool.categories),
        &cut.categories,
    );
    shares(
        frame,
        theme,
        layout.shares[1],
        ("editor", &pool.editors),
        &cut.editors,
    );
    sample(frame, canvas, layout, view);
}

fn lines(frame: &mut Frame<'_>, theme: &Theme, area: Rect, lines: &[(String, Role)]) {
    for ((words, role), y) in lines.iter().zip(area.y..area.bottom()) {
        let words = prose::line(words, area.width);
        frame
            .buffer_mut()
            .set_string(area.x, y, words, theme[*role]);
    }
}

fn absent(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, view: &View<'_>) {
    let words = match &view.curate.stage {
        Stage::Idle => (view.why_no_scores.to_owned(), Role::Dim),
        Stage::Broken(why) => (why.clone(), Role::Bad),
        Stage::Reading => ("reading candidates and scores…".to_owned(), Role::Dim),
        Stage::Read(_) => ("ranking…".to_owned(), Role::Dim),
    };
    let area = layout.header.union(layout.plot);
    let wrapped = prose::wrap(&words.0, area.width, area.height);
    let wrapped: Vec<_> = wrapped.into_iter().map(|line| (line, words.1)).collect();
    lines(frame, theme, area, &wrapped);
}

/// 1234567 as 1,234,567.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn header(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    curate: &Curate,
    (pool, cuts, cut): (&Pool, &Cuts, &Kept),
) {
    let share = 100.0 * cut.count as f64 / cuts.considered().max(1) as f64;
    let mut title = format!(
        "Keep {} of {} ({share:.1} %)",
        grouped(cut.count),
        grouped(cuts.considered())
    );
    match cuts.by() {
        By::Random => title.push_str(" at random"),
        by => title.extend([" by ", by.name()]),
    }
    let recipe = &curate.recipe;
    if recipe.sigmas > 0.0 {
        let _ = write!(title, ", mean − {} sigma", recipe.sigmas);
    }
    if let Some(n) = recipe.best_of_group {
        let _ = write!(title, ", best {n} of each group");
    }
    if recipe.quotas != crate::curate::Quotas::Free {
        title += ", in the mix of categories";
    }
    let unscored = pool.entries.len() - cuts.considered();
    let mut facts = match unscored {
        0 => "all candidates are scored".to_owned(),
        n => format!("{} more have no score of this model", grouped(n)),
    };
    if curate.is_behind() {
        facts = format!("ranking… · {facts}");
    }
    lines(
        frame,
        theme,
        area,
        &[(title, Role::Title), (facts, Role::Dim)],
    );
}

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Those considered as dim columns, those kept as bright ones before them, and the cut.
fn histogram(frame: &mut Frame<'_>, theme: &Theme, area: Rect, cuts: &Cuts, cut: &Kept) {
    if area.height < 3 || area.width < 8 {
        return;
    }
    let histogram = cuts.histogram();
    let width = usize::from(area.width);
    let column = |counts: &[usize]| -> Vec<f64> {
        (0..width)
            .map(|x| {
                // A bin that lies in two columns is shared out between them.
                let at = |x: usize| x as f64 * counts.len() as f64 / width as f64;
                let (from, to) = (at(x), at(x + 1));
                let first = from as usize;
                let last = (to.ceil() as usize).min(counts.len());
                (first..last)
                    .map(|bin| {
                        let within = to.min(bin as f64 + 1.0) - from.max(bin as f64);
                        counts[bin] as f64 * within.max(0.0)
                    })
                    .sum()
            })
            .collect()
    };
    let (all, kept) = (column(&histogram.counts), column(&cut.bins));
    let top = all.iter().copied().fold(0.0, f64::max).max(1e-9);
    let height = area.height - 1;
    let eighths = |v: f64| (v / top * f64::from(height) * 8.0).round() as usize;
    for x in 0..area.width {
        let (all, kept) = (eighths(all[usize::from(x)]), eighths(kept[usize::from(x)]));
        for row in 0..height {
            let below = usize::from(height - 1 - row) * 8;
            let filled = |n: usize| n.saturating_sub(below).min(8);
            // The lower part of a cell in the one colour leaves no room for the other; the larger part has it.
            let (shown, role) = if filled(kept) * 2 >= filled(all) {
                (filled(all).max(filled(kept)), Role::Accent)
            } else {
                (filled(all), Role::Dim)
            };
            frame
                .buffer_mut()
                .set_string(area.x + x, area.y + row, EIGHTHS[shown], theme[role]);
        }
    }
    let (low, high) = histogram.ends;
    let amount = !matches!(cuts.by(), By::Pareto | By::Random);
    if let Some(at) = cut.at_cut.filter(|at| amount && (low..=high).contains(at)) {
        let x = area.x + ((at - low) / (high - low) * f64::from(area.width - 1)).round() as u16;
        for y in area.y..area.y + height {
            frame
                .buffer_mut()
                .set_string(x, y, "│", theme[Role::Warning]);
        }
        let words = format!("cut {}", prose::signed(at));
        let long = words.len() as u16;
        let left = if x + 2 + long <= area.right() {
            x + 2
        } else {
            x.saturating_sub(long + 1).max(area.x)
        };
        frame
            .buffer_mut()
            .set_string(left, area.y, &words, theme[Role::Warning]);
    }
    let y = area.bottom() - 1;
    let name = if amount {
        cuts.by().name()
    } else {
        "overall mean"
    };
    ends(frame, theme, (area.x, y, area.width), (low, high), name);
}

/// An axis' ends and its name under a plot.
fn ends(
    frame: &mut Frame<'_>,
    theme: &Theme,
    (x, y, width): (u16, u16, u16),
    (low, high): (f64, f64),
    name: &str,
) {
    let (low, high) = (prose::signed(low), prose::signed(high));
    let buffer = frame.buffer_mut();
    buffer.set_string(x, y, &low, theme[Role::Dim]);
    let right = x + width.saturating_sub(high.len() as u16);
    buffer.set_string(right, y, &high, theme[Role::Dim]);
    let middle = x + width.saturating_sub(name.len() as u16) / 2;
    buffer.set_string(middle, y, name, theme[Role::Dim]);
}

/// How many lie at each place of IF and VQ, bright where most of them are kept.
fn density(frame: &mut Frame<'_>, theme: &Theme, area: Rect, cuts: &Cuts, cut: &Kept) {
    const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
    if area.height < 3 || area.width < 8 {
        return;
    }
    let density = cuts.density();
    let (width, height) = (usize::from(area.width), usize::from(area.height - 1));
    let mut sums = vec![(0_usize, 0_usize); width * height];
    let (columns, levels) = GRID;
    let cells = density.counts.iter().zip(&cut.cells).enumerate();
    for (at, (all, kept)) in cells.filter(|(_, (all, _))| **all > 0) {
        let (x, y) = (
            at % columns * width / columns,
            at / columns * height / levels,
        );
        let sum = &mut sums[y * width + x];
        sum.0 += all;
        sum.1 += kept;
    }
    let most = sums.iter().map(|s| s.0).max().unwrap_or(0).max(1) as f64;
    for (at, (all, kept)) in sums.iter().enumerate().filter(|(_, s)| s.0 > 0) {
        let (x, y) = ((at % width) as u16, (height - 1 - at / width) as u16);
        // By the logarithm, so that single ones show beside thousands.
        let depth = (*all as f64).ln_1p() / most.ln_1p();
        let shade = SHADES[((depth * 4.0).ceil() as usize).clamp(1, 4)];
        let role = if kept * 2 >= *all {
            Role::Accent
        } else {
            Role::Dim
        };
        frame
            .buffer_mut()
            .set_string(area.x + x, area.y + y, shade, theme[role]);
    }
    let [across, (low, high)] = density.ends;
    let place = (area.x, area.bottom() - 1, area.width);
    ends(frame, theme, place, across, "IF");
    let up = format!("VQ {} to {}", prose::signed(low), prose::signed(high));
    frame
        .buffer_mut()
        .set_string(area.x, area.y, up, theme[Role::Dim]);
}

fn figures(frame: &mut Frame<'_>, theme: &Theme, area: Rect, cut: &Kept) {
    let names = [
        ("overall", Role::Aggregate),
        ("IF", Role::AxisIf),
        ("VQ", Role::AxisVq),
    ];
    let means = cut.before.iter().zip(&cut.after);
    let rows: Vec<(String, Role)> = names
        .into_iter()
        .zip(means)
        .filter_map(|((name, role), (before, after))| {
            let (before, after) = ((*before)?, (*after)?);
            let words = format!(
                "mean {name:<8}{} → {}  ({})",
                prose::signed(before),
                prose::signed(after),
                prose::signed(after - before)
            );
            Some((words, role))
        })
        .collect();
    lines(frame, theme, area, &rows);
}

/// Names with their shares before and after, as numbers and as a bar of which the kept part is bright.
fn shares(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (what, names): (&str, &[String]),
    counts: &[(usize, usize)],
) {
    if area.height < 2 {
        return;
    }
    let mut order: Vec<usize> = (0..counts.len()).filter(|at| counts[*at].0 > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(counts[*at].0));
    let total = |of: fn(&(usize, usize)) -> usize| counts.iter().map(of).sum::<usize>().max(1);
    let (before, after) = (total(|c| c.0) as f64, total(|c| c.1) as f64);
    let named = area.width / 3;
    let head = format!("{what:<w$} before →  after", w = usize::from(named));
    lines(frame, theme, area, &[(head, Role::Dim)]);
    let most = order.first().map_or(1, |at| counts[*at].0).max(1) as f64;
    let room = area.width.saturating_sub(named + 21);
    for (place, y) in order.iter().zip(area.y + 1..area.bottom()) {
        let (all, kept) = counts[*place];
        let percent = |n: usize, of: f64| 100.0 * n as f64 / of;
        let name = prose::line(&names[*place], named.saturating_sub(1));
        let words = format!(
            " {:>5.1} % {:>6.1} %",
            percent(all, before),
            percent(kept, after)
        );
        let buffer = frame.buffer_mut();
        buffer.set_string(area.x, y, name, theme[Role::Text]);
        buffer.set_string(area.x + named, y, words, theme[Role::Text]);
        let long = |n: usize| (n as f64 / most * f64::from(room)).round() as usize;
        let bar = area.x + named + 18;
        buffer.set_string(bar, y, "█".repeat(long(all)), theme[Role::Border]);
        buffer.set_string(bar, y, "█".repeat(long(kept)), theme[Role::Accent]);
    }
}

fn sample(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let (theme, curate) = (canvas.theme, view.curate);
    let what = match curate.strip {
        Strip::Kept => "kept, at random",
        Strip::Dropped => "dropped, at random",
        Strip::Borderline => "borderline",
    };
    if curate.spot.samples.is_empty() {
        let words = format!("{what}: there are none");
        return lines(frame, theme, layout.sample, &[(words, Role::Dim)]);
    }
    let mut title = format!(
        "{what} · {} of {}",
        curate.spot.at + 1,
        curate.spot.samples.len()
    );
    let decided = curate.keeps_sample();
    if curate.strip == Strip::Borderline {
        title += match decided {
            Some(true) => " · kept",
            _ => " · dropped",
        };
    }
    let mut rows = vec![(title, Role::Title)];
    let judged = curate.sample().and_then(|(_, id)| curate.good.get(&id));
    let opinion = match (judged, decided) {
        (Some(good), Some(kept)) if *good == kept => ("you agree", Role::Good),
        (Some(_), Some(_)) => ("you do not agree", Role::Bad),
        _ => ("right? y agrees, n does not", Role::Dim),
    };
    rows.push((opinion.0.to_owned(), opinion.1));
    let estimates: Vec<String> = [true, false]
        .into_iter()
        .filter_map(|side| curate.agreed(side))
        .collect();
    rows.extend(estimates.into_iter().map(|words| (words, Role::Text)));
    let candidate = view.group.and_then(|group| {
        let (_, id) = curate.sample()?;
        let candidate = group.candidates.iter().find(|c| c.id == id)?;
        Some((group, candidate))
    });
    if let Some((group, candidate)) = candidate {
        let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
        rows.push((group.instruction.clone(), Role::Text));
        rows.push((name.to_owned(), Role::Dim));
        canvas.picture(frame, &group.source, layout.pictures[0], "source");
        canvas.picture(frame, &candidate.image, layout.pictures[1], name);
    }
    lines(frame, theme, layout.sample, &rows);
}
