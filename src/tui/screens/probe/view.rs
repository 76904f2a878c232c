//! Drawing the probe screen.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Probe;
use crate::domain::curves::Ruler;
use crate::domain::{Axis, Group};
use crate::failures::probe::{Arm, Curve, Factor};
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::grid::{Grid, Shape};
use crate::tui::screens::prose;
use crate::tui::sight::Sight;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::plot::{Cloud, Ink, Plot, Stroke};

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// Candidate and instruction.
    pub(crate) header: Rect,
    /// Over each picture.
    pub(crate) titles: [Rect; 2],
    /// The source.
    pub(crate) source: Rect,
    /// The candidate at the cursor's step.
    pub(crate) variant: Rect,
    /// The factors, one a line.
    pub(crate) factors: Rect,
    /// The curves.
    pub(crate) plots: [Rect; 2],
    /// What the cursor reads, and what a faithful judge would do.
    pub(crate) words: Rect,
}

/// Columns for curves and words where there is room beside the pictures.
const CURVES: u16 = 64;
/// Rows for words.
const WORDS: u16 = 9;
/// Columns for the list of factors.
const FACTORS: u16 = 24;

/// Lays the screen out in `area`, for pictures of `aspect` (width over height) and cells of `cell` (height over width).
pub(crate) fn layout(area: Rect, aspect: f64, cell: f64) -> Layout {
    let head = 2.min(area.height);
    let below = Rect {
        y: area.y + head,
        height: area.height - head,
        ..area
    };
    let mut out = Layout {
        header: Rect {
            height: head,
            ..area
        },
        ..Layout::default()
    };
    let wide = below.width >= 110;
    let side = if wide {
        CURVES.max(below.width * 45 / 100)
    } else {
        below.width
    };
    let pictures = if wide {
        Rect {
            width: below.width - side - 1,
            ..below
        }
    } else {
        Rect {
            height: below.height * 2 / 5,
            ..below
        }
    };
    let right = if wide {
        Rect {
            x: pictures.right() + 1,
            width: side,
            ..below
        }
    } else {
        Rect {
            y: pictures.bottom(),
            height: below.height - pictures.height,
            ..below
        }
    };
    place_pictures(&mut out, pictures, aspect, cell);
    let listed = if right.width >= CURVES && right.height >= 12 {
        FACTORS.min(right.width / 3)
    } else {
        0
    };
    out.factors = Rect {
        width: listed,
        ..right
    };
    let curves = Rect {
        x: right.x + listed,
        width: right.width - listed,
        ..right
    };
    let words = WORDS.min(curves.height / 2);
    out.words = Rect {
        y: curves.bottom() - words,
        height: words,
        ..curves
    };
    let each = (curves.height - words) / 2;
    out.plots = [0, 1].map(|i| Rect {
        y: curves.y + i * each,
        height: each,
        ..curves
    });
    out
}

fn place_pictures(out: &mut Layout, area: Rect, aspect: f64, cell: f64) {
    let shape = Shape {
        count: 2,
        aspect,
        cell,
        caption: 1,
    };
    let tiles = Grid::best(area.as_size(), shape).tiles(area, shape);
    if let [first, second] = tiles[..] {
        let cut = |tile: Rect| {
            let title = Rect {
                height: tile.height.min(1),
                ..tile
            };
            let picture = Rect {
                y: title.bottom(),
                height: tile.height - title.height,
                ..tile
            };
            (title, picture)
        };
        (out.titles[0], out.source) = cut(first);
        (out.titles[1], out.variant) = cut(second);
    }
}

/// What is drawn.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) probe: &'a Probe,
    /// The group, if it is here.
    pub(crate) group: Option<&'a Group>,
    /// How the pictures are looked at.
    pub(crate) sight: &'a Sight,
    /// Why there may be no scores; empty if there is no reason.
    pub(crate) why_no_scores: &'a str,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    let (Some(group), Some(target)) = (view.group, view.probe.target) else {
        let words = "no candidate is probed: choose one in Browse and press P";
        let style = theme[Role::Dim];
        frame.buffer_mut().set_stringn(
            layout.header.x,
            layout.header.y,
            words,
            usize::from(layout.header.width),
            style,
        );
        return;
    };
    let Some(candidate) = group.candidates.get(target.index) else {
        return;
    };
    let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
    header(frame, theme, layout.header, (group, target.index, name));
    let source = view.sight.of_source(&group.source);
    canvas.shown(frame, &source, layout.source, "source");
    title(
        frame,
        layout.titles[0],
        Span::styled("source", theme[Role::Dim]),
    );
    let probe = view.probe;
    let image = probe.image().unwrap_or(&candidate.image);
    let shown = view.sight.of(image, &group.source);
    canvas.shown(frame, &shown, layout.variant, name);
    let step = match (&probe.curve, probe.made.get(probe.cursor)) {
        (Some(_), Some(Some(made))) => made.words.clone(),
        (Some(curve), Some(None)) => {
            let step = curve.steps()[probe.cursor];
            format!("{} (being made)", curve.factor().step_in_words(step))
        }
        _ => String::new(),
    };
    let words = format!("{}: {step}", probe.factor().about().words);
    let words = prose::line(&words, layout.titles[1].width);
    title(
        frame,
        layout.titles[1],
        Span::styled(words, theme[Role::Accent]),
    );
    factors(frame, theme, layout.factors, probe);
    plots(frame, theme, layout, probe);
    words_below(frame, theme, layout.words, view);
}

fn title(frame: &mut Frame<'_>, area: Rect, words: Span<'_>) {
    frame.render_widget(Line::from(words).centered(), area);
}

fn header(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (group, index, name): (&Group, usize, &str),
) {
    if area.is_empty() {
        return;
    }
    let lead = Line::from(vec![
        Span::styled("Probe  ", theme[Role::Title]),
        Span::styled(
            format!("{} ", theme.series_glyph(index)),
            theme.series(index),
        ),
        Span::raw(prose::line(name, area.width.saturating_sub(10))),
    ]);
    frame.render_widget(lead, Rect { height: 1, ..area });
    if area.height > 1 {
        let words = prose::line(&group.instruction, area.width);
        frame
            .buffer_mut()
            .set_string(area.x, area.y + 1, words, theme[Role::Text]);
    }
}

fn factors(frame: &mut Frame<'_>, theme: &Theme, area: Rect, probe: &Probe) {
    let height = usize::from(area.height);
    let top = (probe.factor + 1).saturating_sub(height);
    for ((place, factor), y) in Factor::ALL
        .iter()
        .enumerate()
        .skip(top)
        .zip(area.y..area.bottom())
    {
        let marked = place == probe.factor;
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        if marked {
            frame.buffer_mut().set_style(line, theme[Role::Selected]);
        }
        let mark = if marked { "▌ " } else { "  " };
        let words = prose::line(factor.about().words, area.width.saturating_sub(3));
        let line_of = Line::from(vec![
            Span::styled(mark, theme[Role::Accent]),
            Span::raw(words),
        ]);
        frame.render_widget(line_of, line);
    }
}

/// Where steps lie on the axis across: their own values, or their places where they are numbers of things.
fn across(curve: &Curve) -> Ruler {
    let (low, high) = match curve.steps() {
        [first, .., last] => (*first, *last),
        _ => (0.0, 1.0),
    };
    Ruler::new(low, high, false)
}

fn plots(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, probe: &Probe) {
    let Some(curve) = &probe.curve else { return };
    let axes = [
        (Some(Axis::InstructionFollowing), "IF", Role::AxisIf),
        (Some(Axis::VisualQuality), "VQ", Role::AxisVq),
    ];
    let has_axes = axes
        .iter()
        .any(|(axis, ..)| !probe.response(*axis).is_empty());
    if !has_axes && !probe.response(None).is_empty() {
        let area = layout.plots[0].union(layout.plots[1]);
        plot(
            frame,
            theme,
            area,
            probe,
            curve,
            (None, "score", Role::Aggregate),
        );
        return;
    }
    for (area, what) in layout.plots.into_iter().zip(axes) {
        plot(frame, theme, area, probe, curve, what);
    }
}

fn plot(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    probe: &Probe,
    curve: &Curve,
    (axis, name, role): (Option<Axis>, &str, Role),
) {
    let response = probe.response(axis);
    let finite = |(_, mean, sigma): &(f64, f64, f64)| [mean - sigma, mean + sigma];
    let ends = response.iter().flat_map(finite).filter(|v| v.is_finite());
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    // A flat curve must look flat: never less than one unit of score.
    let (low, high) = if low <= high {
        let (middle, half) = (f64::midpoint(low, high), ((high - low) / 2.0).max(0.5));
        (middle - half, middle + half)
    } else {
        (-1.0, 1.0)
    };
    let line = |at: fn(f64, f64) -> f64| -> Vec<(f64, f64)> {
        let point = |(step, mean, sigma): &(f64, f64, f64)| (*step, at(*mean, *sigma));
        response.iter().map(point).collect()
    };
    let (means, above, below) = (
        line(|mean, _| mean),
        line(|mean, sigma| mean + sigma),
        line(|mean, sigma| mean - sigma),
    );
    let across = across(curve);
    let neutral = curve.factor().about().neutral;
    let still = response.iter().find(|(step, ..)| *step == neutral);
    let still: Vec<(f64, f64)> = match (still, curve.steps()) {
        (Some((_, mean, _)), [first, .., last]) => vec![(*first, *mean), (*last, *mean)],
        _ => Vec::new(),
    };
    let stroke = |points, role, ink, name| Stroke {
        points,
        role,
        ink,
        name,
    };
    let strokes = [
        stroke(&still[..], Role::Border, Ink::Broken, ""),
        stroke(&above[..], Role::Dim, Ink::Broken, ""),
        stroke(&below[..], Role::Dim, Ink::Broken, ""),
        stroke(&means[..], role, Ink::Dotted, ""),
    ];
    let at = curve.steps().get(probe.cursor);
    let marked = at.and_then(|at| means.iter().find(|(step, _)| step == at));
    let read = marked.map_or_else(
        || "…".to_owned(),
        |(_, mean)| {
            let moved = curve.difference(probe.cursor, axis);
            let moved = moved.map_or_else(String::new, |d| format!(" ({})", prose::signed(d)));
            format!("{}{moved}", prose::signed(*mean))
        },
    );
    let width = u16::try_from(read.chars().count()).unwrap_or(area.width);
    let title = format!("{name} ± σ over {}", curve.factor().about().step);
    let title = prose::line(&title, area.width.saturating_sub(width + 2));
    let plot = Plot::new(
        &title,
        (across, Ruler::new(low, high, false)),
        &strokes,
        theme,
    )
    .cloud(Cloud {
        points: &[],
        role,
        chosen: at.map(|at| (*at, *at)),
        marked: None,
    });
    frame.render_widget(plot, area);
    if area.height > 0 && area.width > width + 8 {
        frame
            .buffer_mut()
            .set_string(area.right() - width, area.y, read, theme[role]);
    }
}

/// What the cursor reads, how far the curve has come, and what a faithful judge would do.
fn words_below(frame: &mut Frame<'_>, theme: &Theme, area: Rect, view: &View<'_>) {
    let probe = view.probe;
    let mut lines: Vec<(String, Role)> = Vec::new();
    if let Some(why) = &probe.problem {
        lines.push((why.clone(), Role::Bad));
    }
    if let Some(curve) = &probe.curve {
        let (known, all) = (curve.known(), curve.steps().len());
        if known < all && probe.problem.is_none() {
            let why = if known == 0 && !view.why_no_scores.is_empty() {
                format!("; {}", view.why_no_scores)
            } else {
                String::new()
            };
            lines.push((format!("{known} of {all} steps rated{why}"), Role::Dim));
        }
        let point = curve.points().get(probe.cursor).and_then(Option::as_ref);
        match point.map(|point| &point.outcome) {
            Some(Ok(reward)) => {
                let mut words = format!(
                    "both {} ± {:.2}",
                    prose::signed(reward.aggregate.mean),
                    reward.aggregate.sigma()
                );
                if let Some(rank) = curve.rank(probe.cursor) {
                    let _ = write!(words, " · place {rank} in its group");
                }
                if curve.reorders(probe.cursor) == Some(true) {
                    words += ", this step alone moved it";
                }
                lines.push((words, Role::Aggregate));
            }
            Some(Err(why)) => lines.push((why.clone(), Role::Bad)),
            None => {}
        }
        let about = curve.factor().about();
        lines.push((format!("A faithful judge: {}.", about.faithful), Role::Text));
        for (axis, name) in [
            (Axis::InstructionFollowing, "IF"),
            (Axis::VisualQuality, "VQ"),
        ] {
            let should = |arm| curve.factor().should(axis, arm).words();
            let (below, above) = (should(Arm::Below), should(Arm::Above));
            let one_way = curve.steps().first() == Some(&about.neutral);
            let other_way = curve.steps().last() == Some(&about.neutral);
            let mut words = if one_way || below == above {
                format!("{name} should {above}")
            } else if other_way {
                format!("{name} should {below}")
            } else {
                format!("{name} should {below} to the left, {above} to the right")
            };
            let ends = [0, curve.steps().len().saturating_sub(1)].into_iter();
            let ends = ends.filter(|place| curve.steps().get(*place) != Some(&about.neutral));
            let moved: Vec<String> = ends
                .filter_map(|place| {
                    let moved = prose::signed(curve.difference(place, Some(axis))?);
                    let step = curve.factor().step_in_words(curve.steps()[place]);
                    Some(format!("{moved} at {step}"))
                })
                .collect();
            if !moved.is_empty() {
                let _ = write!(words, ": it is {}", moved.join(", "));
            }
            lines.push((words, Role::Dim));
        }
    }
    let mut y = area.y;
    for (words, role) in lines {
        for line in prose::wrap(&words, area.width, 3) {
            if y >= area.bottom() {
                return;
            }
            frame.buffer_mut().set_string(area.x, y, line, theme[role]);
            y += 1;
        }
    }
}

#[cfg(test)]
mod layout_tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_screen_or_lies_on_another_part_at_any_size() {
        for width in 0..200 {
            for height in 0..50 {
                let area = Rect::new(0, 1, width, height);
                let l = layout(area, 1.4, 2.0);
                let parts = [
                    l.header, l.source, l.variant, l.factors, l.plots[0], l.plots[1], l.words,
                ];
                let parts: Vec<Rect> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                for (i, part) in parts.iter().enumerate() {
                    assert_eq!(part.intersection(area), *part, "{width}x{height}");
                    let others = &parts[i + 1..];
                    assert!(
                        others.iter().all(|o| o.intersection(*part).is_empty()),
                        "{width}x{height}"
                    );
                }
            }
        }
    }
}
